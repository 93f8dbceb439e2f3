/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that execute an instruction which may trap: calls, hints, cache and TLB maintenance, FP. */
#include "diff.h"

#define SYS(...) SYS_INSN(0, __VA_ARGS__, 0)

enum {
	HOST_TOO = 1, /* may be executed at the tester's own level */
	GUEST_ONLY = 2, /* EL1 and EL0 below EL2 */
	EL2_ONLY = 4, /* only if the tester is at EL2 */
	TELL = 8,     /* x0 is the same on every machine */
};

static const struct {
	const char *name;
	u32 insn;
	u8 flags;
	u64 x0;
} insns[] = {
	{ "svc #0x12", INSN_SVC(0x12), HOST_TOO, 0 },
	{ "hvc #0x34", INSN_HVC(0x34), HOST_TOO | EL2_ONLY, 0 },
	{ "smc #0, PSCI_VERSION", INSN_SMC(0), GUEST_ONLY, 0x84000000 },
	{ "smc #0x56, unknown", INSN_SMC(0x56), GUEST_ONLY | TELL, 0x8400ffff },
	{ "brk #0x78", INSN_BRK(0x78), HOST_TOO, 0 },
	{ "udf #0", 0, HOST_TOO, 0 },
	{ "fmov x0, d0", 0x9e660000, HOST_TOO, 0 },
	{ "add z0.b, z0.b, z0.b", 0x04200000, 0, 0 },
	{ "yield", 0xd503203f, HOST_TOO, 0 },
	{ "isb", INSN_ISB, HOST_TOO, 0 },
	{ "clrex", 0xd5033f5f, HOST_TOO, 0 },
	{ "xpaci x0", 0xdac143e0, HOST_TOO | TELL, 0x1234 },
	{ "paciza x0", 0xdac123e0, HOST_TOO, 0x1234 },
	{ "pacga x0, x0, x0", 0x9ac03000, HOST_TOO, 0x1234 },
	{ "dc zva, x0", SYS(1, 3, 7, 4, 1), GUEST_ONLY | TELL, L2_WINDOW + 4096 },
	{ "dc cvac, x0", SYS(1, 3, 7, 10, 1), GUEST_ONLY | TELL, L2_WINDOW + 4096 },
	{ "dc civac, x0", SYS(1, 3, 7, 14, 1), GUEST_ONLY | TELL, L2_WINDOW },
	{ "dc ivac, x0", SYS(1, 0, 7, 6, 1), GUEST_ONLY | TELL, L2_WINDOW + 8192 },
	{ "dc cvau, x0", SYS(1, 3, 7, 11, 1), GUEST_ONLY | TELL, L2_WINDOW + 4096 },
	{ "dc isw, x0", SYS(1, 0, 7, 6, 2), HOST_TOO | TELL, 0 },
	{ "dc csw, x0", SYS(1, 0, 7, 10, 2), HOST_TOO | TELL, 0 },
	{ "dc cisw, x0", SYS(1, 0, 7, 14, 2), HOST_TOO | TELL, 0 },
	{ "ic iallu", SYS(1, 0, 7, 5, 0), HOST_TOO | TELL, 0 },
	{ "ic ialluis", SYS(1, 0, 7, 1, 0), HOST_TOO | TELL, 0 },
	{ "ic ivau, x0", SYS(1, 3, 7, 5, 1), GUEST_ONLY | TELL, L2_WINDOW + 4096 },
	{ "tlbi vmalle1", SYS(1, 0, 8, 7, 0), HOST_TOO | TELL, 0 },
	{ "tlbi vmalle1is", SYS(1, 0, 8, 3, 0), HOST_TOO | TELL, 0 },
	{ "tlbi vmalle1os", SYS(1, 0, 8, 1, 0), HOST_TOO | TELL, 0 },
	{ "tlbi vae1, x0", SYS(1, 0, 8, 7, 1), HOST_TOO | TELL, 0x12345 },
	{ "tlbi aside1is, x0", SYS(1, 0, 8, 3, 2), HOST_TOO | TELL, 1UL << 48 },
	{ "tlbi vaale1is, x0", SYS(1, 0, 8, 3, 7), HOST_TOO | TELL, 0x12345 },
	{ "tlbi rvae1, x0", SYS(1, 0, 8, 6, 1), HOST_TOO | TELL, 1UL << 46 },
	{ "tlbi rvaae1is, x0", SYS(1, 0, 8, 2, 3), HOST_TOO | TELL, 1UL << 46 },
	{ "tlbi vmalle1nxs", SYS(1, 0, 9, 7, 0), HOST_TOO | TELL, 0 },
	{ "tlbi vae2, x0", SYS(1, 4, 8, 7, 1), HOST_TOO | EL2_ONLY | TELL, 0x12345 },
	{ "tlbi alle2", SYS(1, 4, 8, 7, 0), HOST_TOO | EL2_ONLY | TELL, 0 },
	{ "tlbi alle1", SYS(1, 4, 8, 7, 4), HOST_TOO | EL2_ONLY | TELL, 0 },
	{ "tlbi ipas2e1, x0", SYS(1, 4, 8, 4, 1), HOST_TOO | EL2_ONLY | TELL, 0x12345 },
	{ "tlbi ripas2e1is, x0", SYS(1, 4, 8, 0, 2), HOST_TOO | EL2_ONLY | TELL, 1UL << 46 },
	{ "tlbi vmalls12e1", SYS(1, 4, 8, 7, 6), HOST_TOO | EL2_ONLY | TELL, 0 },
	{ "cfp rctx, x0", SYS(1, 3, 7, 3, 4), 0, 0 },
	{ "sys S1_0_C15_C0_0 (tidcp)", SYS(1, 0, 15, 0, 0), HOST_TOO, 0 },
	{ "sys S1_0_C11_C0_0 (tidcp)", SYS(1, 0, 11, 0, 0), HOST_TOO, 0 },
	{ "msr daifset, #0xf", 0xd5034fdf, HOST_TOO, 0 },
	{ "msr pan, #1", 0xd500419f, HOST_TOO, 0 },
	{ "msr uao, #1", 0xd500417f, HOST_TOO, 0 },
	{ "msr dit, #1", 0xd503415f, HOST_TOO, 0 },
};

/* a[0]: instruction, a[1]: context */
static void insn_gen(struct step *s, struct rng *r)
{
	u8 f;

	do {
		s->a[0] = rng_below(r, ARRAY_SIZE(insns));
		s->a[1] = rng_context(r);
		f = insns[s->a[0]].flags;
	} while ((!diff_el2 && (f & (GUEST_ONLY | EL2_ONLY))) ||
		 (s->a[1] == AT_HOST && !(f & HOST_TOO)) ||
		 (s->a[1] < AT_GUEST && (f & GUEST_ONLY)));
}

static void insn_name(const struct step *s)
{
	say("%s: %s", context_name[s->a[1]], insns[s->a[0]].name);
}

static void insn_run(const struct step *s)
{
	u64 x[1] = { insns[s->a[0]].x0 };

	code_begin();
	code_emit(insns[s->a[0]].insn);
	code_run((enum context)s->a[1], x, 1);
	if (insns[s->a[0]].flags & TELL)
		say(" x0=%lx", x[0]);
}

const struct op ops_insn[] = {
	{ "insn", 14, true, insn_gen, insn_name, insn_run },
	{ 0 },
};
