/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-1 tables outside memory, that lead to themselves, on devices: those of an L2, and the
 * hypervisor's own.
 */
#include "hostile.h"

#define FSC_SEA_WALK 0x14
#define UPPER 0xffffff8000000000UL /* where TTBR1 with 39 bits begins */
#define TCR_EPD1 BIT(23)
#define TCR_TTBR1 (25UL << 16 | 1UL << 24 | 1UL << 26 | 3UL << 28 | 2UL << 30)
#define BLOCK_ATTR (1UL | 1UL << 2 | 3UL << 8 | 1UL << 10) /* Normal, inner shareable, AF */
#define SCTLR_M BIT(0)
#define SCTLR_EE BIT(25)

/* hostile.S, payload.S */
extern const char hvc_7[];
u64 l2_nop(u64 a, u64 b, u64 c);
u64 upper_walk(u64 ttbr0, u64 va, u64 ttbr1, u64 tcr, u64 offset);
#define BLIND(reg)                                                                                 \
	u64 blind_##reg(u64 value, u64 elr, u64 hcr, u64 select);                                  \
	u64 blind_##reg##_e2h0(u64 value, u64 elr, u64 hcr, u64 select);
BLIND(sctlr)
BLIND(ttbr0)
BLIND(ttbr1)
BLIND(tcr)
BLIND(mair)
BLIND(amair)
BLIND(contextidr)
BLIND(afsr0)
BLIND(vbar)
#undef BLIND

static u64 table[512] __attribute__((aligned(4096)));
static u64 loop[512] __attribute__((aligned(4096)));

static void make_loop(u64 at)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(loop); i++)
		loop[i] = at | 3 | BLOCK_ATTR;
}

/* ---- an L2's --------------------------------------------------------------------------------- */

static void l2_ttbr(struct l2 *l, const char *what, u64 ttbr)
{
	u64 kind;

	check_begin("hostile", "TTBR0_EL1 of L2 at %s", what);
	hostile_sandbox(l);
	stage2_map(l, L2_SPACE, dt.gicd, 3, S2_RO | S2_DEVICE | S2_AF);
	stage2_map(l, L2_SPACE + 0x1000, (u64)loop, 3, S2_MEMORY);
	stage2_flush(l);
	l2_put();
	l->sys[L2_TTBR0] = l->sys[L2_TTBR1] = ttbr;
	l->sys[L2_TCR] = 25 | TCR_TTBR1 | 1UL << 8 | 1UL << 10 | 3UL << 12 | 2UL << 32;
	l->sys[L2_MAIR] = 0xff04;
	l->sys[L2_SCTLR] |= SCTLR_M;
	kind = hostile_run(l, L2_STEP_US);
	expect(kind <= EXIT_SERROR, "exit kind %lu", kind);
	hostile_recovered();
}

/* ---- the hypervisor's, while its MMU is off -------------------------------------------------- */

static const struct {
	char name[16];
	u64 (*fn[2])(u64, u64, u64, u64); /* with VHE and without */
	u64 never; /* bits that must stay clear */
} blinds[] = {
	{ "SCTLR", { blind_sctlr, blind_sctlr_e2h0 }, SCTLR_M },
	{ "TTBR0", { blind_ttbr0, blind_ttbr0_e2h0 }, 0 },
	{ "TTBR1", { blind_ttbr1, NULL }, 0 },
	{ "TCR", { blind_tcr, blind_tcr_e2h0 }, 0 },
	{ "MAIR", { blind_mair, blind_mair_e2h0 }, 0 },
	{ "AMAIR", { blind_amair, blind_amair_e2h0 }, 0 },
	{ "CONTEXTIDR", { blind_contextidr, blind_contextidr_e2h0 }, 0 },
	{ "AFSR0", { blind_afsr0, blind_afsr0_e2h0 }, 0 },
	{ "VBAR", { blind_vbar, blind_vbar_e2h0 }, 0 },
};

static void blind_one(u32 i, u64 v)
{
	/*
	 * SCTLR_EL2.EE is the endianness of stage 2 as well: L2 then has no memory, except for what
	 * is in a TLB.
	 */
	bool swapped = blinds[i].never == SCTLR_M && (v & SCTLR_EE);
	u64 name, esr;

	for (name = 0; name < 2; name++) {
		esr = blinds[i].fn[e2h0](v & ~blinds[i].never, l2_address(hvc_7), HCR_L2, name);
		expect((swapped && ESR_EC(esr) == EC_IABT_LOW) || esr == ESR_OF(EC_HVC, 7),
		       "%s = 0x%lx: esr 0x%lx", blinds[i].name, v, esr);
	}
}

static void blind(struct l2 *l, u32 i)
{
	u32 bit;

	check_begin("hostile", "ones, zeroes and each bit in %s_EL2, the MMU off", blinds[i].name);
	if (!blinds[i].fn[e2h0]) {
		needs_vhe();
		return;
	}
	hostile_sandbox(l);
	l2_load(l);
	blind_one(i, ~0UL);
	blind_one(i, 0);
	blind_one(i, hostile_nowhere(0));
	blind_one(i, dt.gicd);
	for (bit = 0; bit < 64; bit++)
		blind_one(i, BIT(bit));
	hostile_recovered();
}

/* ---- the hypervisor's, walked ---------------------------------------------------------------- */

static u64 tcr_both(void)
{
	return (sysreg_read(TCR_EL1) & ~TCR_EPD1) | TCR_TTBR1;
}

static void is_walk_abort(const char *what, u64 esr)
{
	expect(ESR_EC(esr) == EC_DABT && (esr & 0x3f) == FSC_SEA_WALK + 1, "%s: esr 0x%lx", what,
	       esr);
}

static u64 with_ttbr0(u64 ttbr0, u64 va)
{
	u64 i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		table[i] = i << 30 | BLOCK_ATTR;
	return upper_walk(ttbr0, va, (u64)table, tcr_both(), UPPER);
}

static void own_ttbr0(void)
{
	check_begin("hostile", "TTBR0_EL2 at nothing, at itself, in text");
	if (!needs_vhe()) /* its code runs through TTBR1_EL2 meanwhile */
		return;
	is_walk_abort("outside RAM", with_ttbr0(hostile_nowhere(0), (u64)loop));
	make_loop((u64)loop);
	expect_eq(with_ttbr0((u64)loop, 0x12345678), 0, "through a loop of tables: esr");
	make_loop(hostile_nowhere(0));
	expect(ESR_EC(with_ttbr0((u64)loop, 0x12345678)) == EC_DABT, "through tables at nothing");
	with_ttbr0((u64)_head & ~0xfffUL, (u64)loop);
	hostile_recovered();
}

/* TTBR1 is not used otherwise: load through it. */
static u64 with_ttbr1(u64 ttbr1, u64 va)
{
	u64 tcr = sysreg_read(TCR_EL1), old = sysreg_read(TTBR1_EL1);
	struct trap t;

	sysreg_write(TTBR1_EL1, ttbr1);
	sysreg_write(TCR_EL1, tcr_both());
	isb();
	asm volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	trap_arm(&t);
	(void)*(volatile u64 *)va;
	trap_disarm();
	sysreg_write(TCR_EL1, tcr);
	sysreg_write(TTBR1_EL1, old);
	isb();
	asm volatile("tlbi vmalle1\n\tdsb nsh\n\tisb" ::: "memory");
	return t.esr;
}

static void own_ttbr1(void)
{
	check_begin("hostile", "TTBR1_EL2 at nothing, at itself, at a device");
	if (!needs_vhe())
		return;
	is_walk_abort("outside RAM", with_ttbr1(hostile_nowhere(0), UPPER));
	make_loop((u64)loop);
	expect_eq(with_ttbr1((u64)loop, UPPER + 0x12345678), 0, "through a loop of tables: esr");
	make_loop(hostile_nowhere(0));
	expect(ESR_EC(with_ttbr1((u64)loop, UPPER)) == EC_DABT, "through tables at nothing");
	with_ttbr1(dt.gicd, UPPER);
	with_ttbr1((u64)_head & ~0xfffUL, UPPER);
	hostile_recovered();
}

void hostile_stage1(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	make_loop(L2_SPACE + 0x1000);
	l2_ttbr(l, "nothing", L2_SPACE + 0x100000);
	l2_ttbr(l, "a device", L2_SPACE);
	l2_ttbr(l, "itself", L2_SPACE + 0x1000);
	l2_ttbr(l, "its text", l2_address(_head));
	l2_ttbr(l, "all ones", ~0UL);
	for (i = 0; i < ARRAY_SIZE(blinds); i++)
		blind(l, i);
	own_ttbr0();
	own_ttbr1();
}
