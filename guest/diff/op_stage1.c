/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps with the tester's own stage 1: a window of pages that are mapped, changed and unmapped,
 * accesses to it at its own level and at EL0, and address translation instructions of all regimes.
 */
#include "diff.h"

#include "mmu.h"

#define WINDOW 0x200000000UL
#define DESC_TABLE 3UL
#define S1_PAGE (3UL | BIT(10)) /* a page with its access flag */
#define S1_NORMAL (1UL << 2 | 3UL << 8)
#define S1_USER BIT(6)
#define S1_RO BIT(7)
#define S1_NG BIT(11)
#define S1_PXN BIT(53)
#define S1_UXN BIT(54)

static u64 l2[512] __attribute__((aligned(4096))), l3[512] __attribute__((aligned(4096)));

enum own_state {
	GONE,
	OWN_RW,
	OWN_RO,
	USER_RW,
	USER_RO,
	OWN_EXEC,
	USER_EXEC,
	DEVICE,
	NO_FLAG,
	BAD_SIZE,
	OWN_STATES
};

static const struct {
	const char *name;
	u64 attr;
} own_states[OWN_STATES] = {
	[GONE] = { "gone", 0 },
	[OWN_RW] = { "rw", S1_PAGE | S1_NORMAL | S1_PXN | S1_UXN },
	[OWN_RO] = { "ro", S1_PAGE | S1_NORMAL | S1_RO | S1_PXN | S1_UXN },
	[USER_RW] = { "user rw", S1_PAGE | S1_NORMAL | S1_USER | S1_PXN | S1_UXN | S1_NG },
	[USER_RO] = { "user ro", S1_PAGE | S1_NORMAL | S1_USER | S1_RO | S1_PXN | S1_UXN },
	[OWN_EXEC] = { "exec", S1_PAGE | S1_NORMAL | S1_RO | S1_UXN },
	[USER_EXEC] = { "user exec", S1_PAGE | S1_NORMAL | S1_USER | S1_RO | S1_PXN },
	[DEVICE] = { "device", S1_PAGE | S1_PXN | S1_UXN | S1_USER },
	[NO_FLAG] = { "no flag", (S1_PAGE & ~BIT(10)) | S1_NORMAL | S1_USER | S1_PXN | S1_UXN },
	[BAD_SIZE] = { "beyond the address size", S1_PAGE | S1_NORMAL | S1_PXN | S1_UXN | BIT(47) },
};

enum own_flush {
	VAE1IS,
	VALE1IS,
	VAAE1,
	VMALLE1IS,
	ASIDE1,
	VAE2IS,
	VALE2,
	ALLE2IS,
	RVAE1IS,
	RVAE2IS,
	OWN_FLUSHES
};

static const char *const own_flush_name[OWN_FLUSHES] = { "vae1is",  "vale1is", "vaae1", "vmalle1is",
							 "aside1",  "vae2is",  "vale2", "alle2is",
							 "rvae1is", "rvae2is" };

static u64 descriptor(u64 state, u64 n)
{
	return state == GONE ? 0 : memory_data((u32)n) | own_states[state].attr;
}

void stage1_init(void)
{
	mmu_set(WINDOW, (u64)l2 | DESC_TABLE);
	l2[0] = (u64)l3 | DESC_TABLE;
}

/* With TGE = 0, TLBIs of EL1 apply to the guest. */
static void own_flush(u64 va, enum own_flush how)
{
	u64 page = va >> 12, range = page | 1UL << 46;

	dsb(ish);
	if (diff_el2 && how < VAE2IS && !(run_hcr & HCR_TGE))
		how = ALLE2IS;
	switch (how) {
	case VAE1IS:
		asm volatile("tlbi vae1is, %0" ::"r"(page) : "memory");
		break;
	case VALE1IS:
		asm volatile("tlbi vale1is, %0" ::"r"(page) : "memory");
		break;
	case VAAE1:
		asm volatile("tlbi vaae1, %0" ::"r"(page) : "memory");
		break;
	case VMALLE1IS:
	case ASIDE1:
		asm volatile("tlbi vmalle1is" ::: "memory");
		break;
	case VAE2IS:
		asm volatile("tlbi vae2is, %0" ::"r"(page) : "memory");
		break;
	case VALE2:
		asm volatile("tlbi vale2, %0" ::"r"(page) : "memory");
		break;
	case RVAE1IS:
		asm volatile("sys #0, c8, c2, #1, %0" ::"r"(range) : "memory");
		break;
	case RVAE2IS:
		asm volatile("sys #4, c8, c2, #1, %0" ::"r"(range) : "memory");
		break;
	default:
		asm volatile("tlbi alle2is" ::: "memory");
	}
	dsb(ish);
	isb();
}

void stage1_reset(void)
{
	u32 i;

	for (i = 0; i < WINDOW_PAGES; i++)
		__atomic_store_n(&l3[i], descriptor(i % OWN_STATES, i), __ATOMIC_RELEASE);
	dsb(ish);
	if (diff_el2)
		asm volatile("tlbi alle2is" ::: "memory");
	else
		asm volatile("tlbi vmalle1is" ::: "memory");
	dsb(ish);
	isb();
}

/* ---- a page of the window ---- */
/* a[0]: page, a[1]: state, a[2]: physical page, a[3]: how it is invalidated */
static void own_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_below(r, WINDOW_PAGES);
	s->a[1] = rng_below(r, OWN_STATES);
	s->a[2] = rng_below(r, 4);
	s->a[3] = rng_below(r, diff_el2 ? OWN_FLUSHES : VMALLE1IS + 1);
}

static void own_name(const struct step *s)
{
	say("page %lu of the window: %s, physical page %lu, tlbi %s", s->a[0],
	    own_states[s->a[1]].name, s->a[2], own_flush_name[s->a[3]]);
}

static void own_run(const struct step *s)
{
	__atomic_store_n(&l3[s->a[0]], 0, __ATOMIC_RELEASE);
	own_flush(WINDOW + s->a[0] * 4096, (enum own_flush)s->a[3]);
	__atomic_store_n(&l3[s->a[0]], descriptor(s->a[1], s->a[2]), __ATOMIC_RELEASE);
	dsb(ish);
	isb();
}

/* ---- an access ---- */
static const struct {
	const char *name;
	u32 insn; /* [x0], x1 */
} accesses[] = {
	{ "ldr x1", 0xf9400001 },  { "ldrb w1", 0x39400001 },    { "str x1", 0xf9000001 },
	{ "strh w1", 0x79000001 }, { "ldtr x1", 0xf8400801 },    { "sttr x1", 0xf8000801 },
	{ "ldxr x1", 0xc85f7c01 }, { "prfm", 0xf9800000 },       { "dc cvac", 0xd50b7a20 },
	{ "dc zva", 0xd50b7420 },  { "swp x1, x1", 0xf8218001 }, { "blr", 0xd63f0000 },
};
#define LDR 0
#define STR 2
#define LDTR 4
#define STTR 5
#define BLR (ARRAY_SIZE(accesses) - 1)
#define ZVA (ARRAY_SIZE(accesses) - 3)

/* a[0]: context, a[1]: address, a[2]: access, a[3]: value, a[4]: PAN */
static void touch_gen(struct step *s, struct rng *r)
{
	s->a[0] = rng_once(r, 3) ? AT_USER : AT_HOST;
	s->a[2] = rng_below(r, ARRAY_SIZE(accesses));
	s->a[1] = WINDOW + rng_below(r, WINDOW_PAGES + 1) * 4096 + rng_below(r, 3) * 8;
	if (rng_once(r, 5))
		s->a[1] += rng_below(r, 8);
	if (rng_once(r, 20))
		s->a[1] = rng_once(r, 2) ? 1UL << (39 + rng_below(r, 20))
					 : ~0xfffUL << rng_below(r, 30);
	if (s->a[2] == BLR)
		s->a[1] = (s->a[1] & ~0xfffUL) | MEMORY_RET;
	/* Which address of its block a DC ZVA reports is IMPLEMENTATION DEFINED. */
	if (s->a[2] == ZVA)
		s->a[1] &= ~0x3fUL;
	s->a[3] = rng_next(r);
	s->a[4] = rng_once(r, 3);
}

/*
 * LDTR and STTR of EL2 act as EL0's with TGE = 1 only; those of virtual EL2, which is EL1 to the
 * CPU, always do (docs/nested.md). So with TGE = 0 it is an ordinary access.
 */
static u64 touch_access(const struct step *s)
{
	bool own = s->a[0] == AT_HOST && diff_el2 && !(run_hcr & HCR_TGE);

	return own && (s->a[2] == LDTR || s->a[2] == STTR) ? s->a[2] == LDTR ? LDR : STR : s->a[2];
}

static void touch_name(const struct step *s)
{
	say("%s: %s, [%lx], x1 = %lx%s", context_name[s->a[0]], accesses[touch_access(s)].name,
	    s->a[1], s->a[3], s->a[4] && s->a[0] == AT_HOST ? ", PAN" : "");
}

static void touch_run(const struct step *s)
{
	u64 x[2] = { s->a[1], s->a[3] }, spsr = context_spsr((enum context)s->a[0]);

	if (s->a[4] && s->a[0] == AT_HOST)
		spsr |= BIT(22);
	code_begin();
	code_emit(accesses[touch_access(s)].insn);
	code_run_at((enum context)s->a[0], spsr, 0, x, 2);
	say(" x1=%lx", x[1]);
}

/* ---- address translation ---- */
static const struct {
	const char *name;
	u8 op1, crm, op2;
	bool el2;
} ats[] = {
	{ "s1e1r", 0, 8, 0, false },  { "s1e1w", 0, 8, 1, false },  { "s1e0r", 0, 8, 2, false },
	{ "s1e0w", 0, 8, 3, false },  { "s1e1rp", 0, 9, 0, false }, { "s1e1wp", 0, 9, 1, false },
	{ "s1e2r", 4, 8, 0, true },   { "s1e2w", 4, 8, 1, true },   { "s12e1r", 4, 8, 4, true },
	{ "s12e1w", 4, 8, 5, true },  { "s12e0r", 4, 8, 6, true },  { "s12e0w", 4, 8, 7, true },
};

/* a[0]: context, a[1]: instruction, a[2]: address */
static void at_gen(struct step *s, struct rng *r)
{
	do
		s->a[1] = rng_below(r, ARRAY_SIZE(ats));
	while (ats[s->a[1]].el2 && !diff_el2);
	s->a[0] = diff_el2 && rng_once(r, 3) ? AT_GUEST : AT_HOST;
	s->a[2] = (diff_el2 && rng_once(r, 2) ? L2_WINDOW : WINDOW) +
		  rng_below(r, WINDOW_PAGES + 1) * 4096 + 8;
	if (s->a[0] == AT_GUEST)
		s->a[2] = L2_WINDOW + rng_below(r, WINDOW_PAGES) * 4096 + 8;
}

static void at_name(const struct step *s)
{
	say("%s: at %s, %lx", context_name[s->a[0]], ats[s->a[1]].name, s->a[2]);
}

static void at_run(const struct step *s)
{
	bool both = ats[s->a[1]].op1 == 4 && ats[s->a[1]].op2 >= 4 && s->a[0] == AT_HOST;
	u64 x[2] = { s->a[2], 1 }, vttbr = 0, vtcr = 0, hcr = run_hcr;

	/*
	 * A permission fault of stage 2 goes into PAR_EL1 (AArch64.AT(), EncodePAR()). QEMU 10.0
	 * ends with a failed assertion in do_ats_write(), because the attributes that it has found
	 * then are stage 2's and not yet combined with stage 1's.
	 */
	if (both && memory_denied(s->a[2], ats[s->a[1]].op2 & 1))
		return;
	/*
	 * With TGE = 1 QEMU 10.0 applies S12E1 and S12E0 to EL2; by AArch64.AT() they always apply
	 * to EL1. With DC = 1 it crashes.
	 */
	if (both)
		run_hcr &= ~(HCR_TGE | HCR_DC);
	if (diff_el2 && s->a[0] == AT_HOST) {
		vttbr = sysreg_read(VTTBR_EL2);
		vtcr = sysreg_read(VTCR_EL2);
		sysreg_write(VTTBR_EL2, memory_vttbr);
		sysreg_write(VTCR_EL2, memory_vtcr);
		isb();
	}
	code_begin();
	code_emit(SYS_INSN(0, 1, ats[s->a[1]].op1, 7, ats[s->a[1]].crm, ats[s->a[1]].op2, 0));
	code_emit(INSN_ISB);
	code_emit(SYS_INSN(1, 3, 0, 7, 4, 0, 1)); /* PAR_EL1 */
	code_run((enum context)s->a[0], x, 2);
	run_hcr = hcr;
	if (both)
		hcr_write(run_hcr);
	if (x[1] & 1)
		say(" par=%lx", x[1]);
	else
		say(" par=%lx page=%ld", x[1] & ~MASK(51, 12),
		    memory_data_index(x[1] & MASK(51, 12)));
	if (diff_el2 && s->a[0] == AT_HOST) {
		sysreg_write(VTTBR_EL2, vttbr);
		sysreg_write(VTCR_EL2, vtcr);
	}
}

const struct op ops_stage1[] = {
	{ "own-map", 5, true, own_gen, own_name, own_run },
	{ "own-access", 8, true, touch_gen, touch_name, touch_run },
	{ "at", 6, true, at_gen, at_name, at_run },
	{ 0 },
};
