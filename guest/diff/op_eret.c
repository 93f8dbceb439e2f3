/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that return to every level with any PSTATE, legal or not, and print what arrives there. */
#include "diff.h"

#define MRS_NZCV SYS_INSN(1, 3, 3, 4, 2, 0, 1)
#define MRS_DAIF SYS_INSN(1, 3, 3, 4, 2, 1, 2)
#define MRS_EL SYS_INSN(1, 3, 0, 4, 2, 2, 3)
#define MRS_PAN SYS_INSN(1, 3, 0, 4, 2, 3, 4)
#define MRS_UAO SYS_INSN(1, 3, 0, 4, 2, 4, 5)
#define MRS_DIT SYS_INSN(1, 3, 3, 4, 2, 5, 6)
#define MRS_SSBS SYS_INSN(1, 3, 3, 4, 2, 6, 7)
#define MRS_SPSEL SYS_INSN(1, 3, 0, 4, 2, 0, 8)

/*
 * The bits that an ERET may set without taking control from the tester: all but D, A, I, F, and M.
 */
#define SPSR_ANY 0xf1d01000UL /* NZCV, SSBS, DIT, UAO, PAN, IL */

/*
 * a[0]: context, a[1]: SPSR, or of EL2 alone: a[2]: TGE is left alone (an ERET to EL1 is then
 * illegal)
 */
static void eret_gen(struct step *s, struct rng *r)
{
	static const u8 odd[] = { 0x1, 0x2, 0x3, 0x6, 0x7,  0xa,  0xb,
				  0xc, 0xd, 0xe, 0xf, 0x13, 0x1f, 0x1a };
	u64 v = rng_next(r);

	s->a[0] = rng_context(r);
	s->a[1] = context_spsr((enum context)s->a[0]) | (v & SPSR_ANY);
	if (!rng_once(r, 8))
		s->a[1] &= ~SPSR_IL;
	/* EL2t, EL1t */
	if (s->a[0] != AT_USER && s->a[0] != AT_GUEST_EL0 && rng_once(r, 4))
		s->a[1] &= ~1UL;
	if (rng_once(r, 6))
		s->a[1] = (s->a[1] & ~0x1fUL) | odd[rng_below(r, ARRAY_SIZE(odd))];
	if (rng_once(r, 6))
		s->a[1] |= SPSR_SS;
}

static void eret_name(const struct step *s)
{
	say("to %s, spsr %lx", context_name[s->a[0]], s->a[1]);
}

static void eret_run(const struct step *s)
{
	bool el0 = s->a[0] == AT_USER || s->a[0] == AT_GUEST_EL0;
	u64 x[9] = { 0 };

	code_begin();
	code_emit(MRS_NZCV);
	code_emit(MRS_DIT);
	code_emit(MRS_SSBS);
	if (!el0) {
		code_emit(MRS_DAIF);
		code_emit(MRS_EL);
		code_emit(MRS_PAN);
		code_emit(MRS_UAO);
		code_emit(MRS_SPSEL);
	}
	code_run_at((enum context)s->a[0], s->a[1], 0, x, 9);
	say(" nzcv=%lx daif=%lx el=%lx pan=%lx uao=%lx dit=%lx ssbs=%lx spsel=%lx", x[1], x[2],
	    x[3], x[4], x[5], x[6], x[7], x[8]);
}

/* ---- an ERET of L2 ---- */
#define MSR_ELR SYS_INSN(0, 3, 0, 4, 0, 1, 10)
#define MSR_SPSR SYS_INSN(0, 3, 0, 4, 0, 0, 11)
#define LANDING 4 /* words */

/* a[0]: SPSR_EL1 */
static void guest_eret_gen(struct step *s, struct rng *r)
{
	static const u8 modes[] = { 0x0, 0x0, 0x0, 0x4, 0x5, 0x5, 0x1, 0x8, 0x9, 0xd };

	s->a[0] = SPSR_DAIF | (rng_next(r) & SPSR_ANY & ~SPSR_IL) |
		  modes[rng_below(r, ARRAY_SIZE(modes))];
}

static void guest_eret_name(const struct step *s)
{
	say("guest: spsr_el1 %lx", s->a[0]);
}

static void guest_eret_run(const struct step *s)
{
	u64 x[12] = { [10] = code_address(AT_GUEST, LANDING), [11] = s->a[0] };

	code_begin();
	code_emit(MSR_ELR);
	code_emit(MSR_SPSR);
	code_emit(INSN_ISB);
	code_emit(INSN_ERET);
	code_emit(MRS_NZCV);
	code_emit(MRS_SSBS);
	code_emit(MRS_EL);
	code_run(AT_GUEST, x, 12);
	say(" nzcv=%lx ssbs=%lx el=%lx", x[1], x[7], x[3]);
}

const struct op ops_eret[] = {
	{ "guest-eret", 4, false, guest_eret_gen, guest_eret_name, guest_eret_run },
	{ "eret", 10, true, eret_gen, eret_name, eret_run },
	{ 0 },
};
