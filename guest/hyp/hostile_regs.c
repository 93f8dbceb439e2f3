/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All ones, zeroes and each bit alone in every register encoding of EL2, whether a register is
 * there or not, with an L2 entered in between. The encodings include those that have a slot in a
 * nested hypervisor's page.
 */
#include "hostile.h"

/* From ... to: op1, CRn, CRm, op2, one byte each. */
#define ENC(op1, n, m, op2) ((u32)(op1) << 24 | (u32)(n) << 16 | (u32)(m) << 8 | (u32)(op2))

/*
 * Registers that the hypervisor itself, or the machine, would not survive: its translation regime
 * (hostile_stage1()), its own HCR_EL2 (hostile_controls()) and vectors, its stack, resets, control
 * flow checks of later architectures.
 */
static const struct {
	u32 from, to;
} skipped[] = {
	{ ENC(4, 1, 0, 0), ENC(4, 1, 0, 0) },	  /* SCTLR_EL2 */
	{ ENC(4, 1, 0, 3), ENC(4, 1, 0, 3) },	  /* SCTLR2_EL2 */
	{ ENC(4, 1, 1, 0), ENC(4, 1, 1, 0) },	  /* HCR_EL2 */
	{ ENC(4, 2, 0, 0), ENC(4, 2, 0, 0) },	  /* TTBR0_EL2 */
	{ ENC(4, 2, 0, 2), ENC(4, 2, 0, 3) },	  /* TCR_EL2, TCR2_EL2 */
	{ ENC(4, 2, 5, 0), ENC(4, 2, 5, 7) },	  /* guarded control stacks */
	{ ENC(4, 10, 0, 0), ENC(4, 10, 15, 7) },  /* memory attributes, permission indirection */
	{ ENC(4, 12, 0, 0), ENC(4, 12, 0, 2) },	  /* VBAR_EL2, RMR_EL2 */
	{ ENC(5, 2, 5, 0), ENC(5, 2, 5, 7) },
};

static bool is_skipped(u32 enc)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(skipped); i++)
		if (enc >= skipped[i].from && enc <= skipped[i].to)
			return true;
	return false;
}

/*
 * Put v into the register while an L2 is entered, runs a little and exits. False: there is nothing
 * to write.
 */
static bool poke(u32 word, u64 v, bool enter)
{
	struct l2 *l = &l2s[0];
	bool undef;
	u64 kind;

	if (enter) {
		hostile_fresh(l);
		l2_load(l);
	}
	hostile_execute(word, v, &undef);
	if (undef)
		return false;
	isb();
	if (enter) {
		kind = hostile_run(l, L2_STEP_US);
		expect(kind <= EXIT_SERROR, "word 0x%x, value 0x%lx: exit kind %lu", word, v, kind);
	}
	return true;
}

static bool one_register(u32 word)
{
	bool undef, there;
	u64 old = hostile_execute((u32)(word | SYSREG_WORD_READ), 0, &undef);
	u32 bit;

	there = poke(word, ~0UL, true);
	if (!there)
		return !undef;
	poke(word, 0, true);
	for (bit = 0; bit < 64; bit++)
		poke(word, BIT(bit), bit % 8 == 0);
	hostile_execute(word, undef ? 0 : old, &undef);
	return true;
}

static u32 sweep(u32 op1, u32 crn)
{
	u32 m, op2, there = 0;

	for (m = 0; m < 16; m++)
		for (op2 = 0; op2 < 8; op2++)
			if (!is_skipped(ENC(op1, crn, m, op2)))
				there += one_register(SYSREG_WORD(3, op1, crn, m, op2));
	return there;
}

void hostile_registers(void)
{
	static const u8 crn[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10, 12, 13, 14 };
	u32 op1, i, there = 0;

	for (op1 = 4; op1 <= 5; op1++) {
		for (i = 0; i < ARRAY_SIZE(crn); i++) {
			check_begin("hostile",
				    "ones, zeroes and each bit in all registers S3_%u_C%u", op1,
				    crn[i]);
			hostile_sandbox(&l2s[0]);
			there += sweep(op1, crn[i]);
			hostile_recovered();
		}
	}
	check_begin("hostile", "there were registers");
	/* Without VHE the encodings with op1 = 5 are not EL2's. */
	expect(there >= (e2h0 ? 40 : 60), "only %u", there);
}
