/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps with breakpoints, watchpoints and software step: set up in any order, in one piece or with
 * other steps in between, for every level, and hit at every level with and without PSTATE.D.
 */
#include "diff.h"

/* Level fields of DBGBCR and DBGWCR, HMC, SSC, PMC (D2.8.3, the rows that are not reserved). */
static const struct {
	u8 hmc, ssc, pmc;
} levels[] = {
	{ 0, 0, 1 }, { 0, 0, 2 }, { 0, 0, 3 }, { 1, 0, 1 }, { 1, 0, 3 }, { 0, 1, 1 },
	{ 0, 1, 2 }, { 0, 1, 3 }, { 1, 1, 1 }, { 1, 1, 3 }, { 1, 3, 0 },
};

#define MDSCR 2, 0, 0, 2, 2
#define BVR(n) 2, 0, 0, n, 4
#define BCR(n) 2, 0, 0, n, 5
#define WVR(n) 2, 0, 0, n, 6
#define WCR(n) 2, 0, 0, n, 7
#define MSR_(rt, ...) SYS_INSN(0, __VA_ARGS__, rt)
#define MSR(rt, ...) MSR_(rt, __VA_ARGS__)
#define LDR_X1 0xf9400001u /* ldr x1, [x0] */
#define STR_X1 0xf9000001u
#define LDRB_W1 0x39400001u
#define STP_X1 0xa9000801u /* stp x1, x2, [x0] */
#define DAIFCLR_D 0xd50348ffu
#define DAIFSET_D 0xd50348dfu
#define BODY 8u /* instructions of the code that is debugged */

/* The address of a data access in this context. */
static u64 data_address(u64 at, u64 off)
{
	return code_address((enum context)at, DATA_WORD) + off;
}

static u64 level_bits(u64 n)
{
	return (u64)levels[n].hmc << 13 | (u64)levels[n].ssc << 14 | (u64)levels[n].pmc << 1;
}

/* ---- set up ---- */
enum { SET_BREAK, SET_WATCH, SET_MDSCR, SET_BREAK_ALL, SET_WATCH_ALL, SETS };

/*
 * a[0]: kind, a[1]: context that it is for, a[2]: number, a[3]: control without E and the address
 * part, a[4]: order and MDSCR_EL1, a[5]: offset
 */
static void set_gen(struct step *s, struct rng *r)
{
	static const u16 mdscrs[] = { 0xa000, 0xa000, 0x8000, 0xa001, 0x2001, 0, 0x1 };
	u64 v = rng_next(r);

	s->a[0] = rng_below(r, SETS);
	s->a[1] = rng_context(r);
	s->a[2] = rng_below(r, 4);
	s->a[3] = level_bits(rng_below(r, ARRAY_SIZE(levels))) | !rng_once(r, 8);
	if (s->a[0] == SET_WATCH || s->a[0] == SET_WATCH_ALL)
		s->a[3] |= (1 + rng_below(r, 3)) << 3 | (rng_once(r, 2) ? 0xffUL : 1UL << (v & 7))
								<< 5;
	else
		s->a[3] |= 0xf << 5;
	s->a[4] = rng_below(r, 6) << 16 | mdscrs[rng_below(r, ARRAY_SIZE(mdscrs))];
	s->a[5] = rng_below(r, 3);
}

static const char *const set_name_of[SETS] = { "breakpoint", "watchpoint", "MDSCR_EL1",
					       "MDSCR_EL1 and breakpoint",
					       "MDSCR_EL1 and watchpoint" };

static void set_name(const struct step *s)
{
	say("%s", set_name_of[s->a[0]]);
	if (s->a[0] != SET_MDSCR)
		say(" %lu for %s, %s+%lu, control %lx", s->a[2], context_name[s->a[1]],
		    s->a[0] & 1 ? "data" : "code", s->a[5], s->a[3]);
	if (s->a[0] >= SET_MDSCR)
		say(", MDSCR_EL1 = %lx, order %lu", s->a[4] & 0xffff, s->a[4] >> 16);
}

/* MDSCR_EL1 (x0), value (x1) and control (x2) in one of six orders. */
static void set_emit(u64 order, u32 n, bool watch, bool all)
{
	static const u8 orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					 { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	u32 i;

	for (i = 0; i < 3; i++) {
		switch (orders[order][i]) {
		case 0:
			if (all)
				code_emit(MSR(0, MDSCR));
			break;
		case 1:
			code_emit(watch ? MSR(1, WVR(n)) : MSR(1, BVR(n)));
			break;
		default:
			code_emit(watch ? MSR(2, WCR(n)) : MSR(2, BCR(n)));
		}
	}
}

static void set_run(const struct step *s)
{
	bool watch = s->a[0] == SET_WATCH || s->a[0] == SET_WATCH_ALL;
	u64 x[3] = { s->a[4] & 0xffff, 0, s->a[3] };
	u32 n;

	x[1] = watch ? data_address(s->a[1], s->a[5] * 8)
		     : code_address((enum context)s->a[1], 2 + 2 * (u32)s->a[5]);
	code_begin();
	/*
	 * One watchpoint at a time: which of two QEMU 10.0 reports as hit depends on what they
	 * matched before.
	 */
	for (n = 0; watch && n < 4; n++)
		if (n != s->a[2])
			code_emit(MSR(31, WCR(n)));
	if (s->a[0] == SET_MDSCR)
		code_emit(MSR(0, MDSCR));
	else
		set_emit(s->a[4] >> 16, (u32)s->a[2], watch, s->a[0] > SET_MDSCR);
	code_emit(INSN_ISB);
	code_run(AT_HOST, x, 3);
}

/* ---- hit ---- */
/*
 * a[0]: context, a[1]: PSTATE.D in SPSR, a[2]: SS, a[3]: DAIFClr in the code, a[4]: MDSCR_EL1
 * written in the code, a[5]: its value
 */
static void meet_gen(struct step *s, struct rng *r)
{
	static const u16 mdscrs[] = { 0xa000, 0xa001, 0x2001, 0x8000, 0x1, 0 };

	s->a[0] = rng_context(r);
	s->a[1] = rng_once(r, 2);
	s->a[2] = rng_once(r, 3);
	s->a[3] = rng_once(r, 2);
	s->a[4] = rng_once(r, 4);
	s->a[5] = mdscrs[rng_below(r, ARRAY_SIZE(mdscrs))];
	if (s->a[0] != AT_HOST)
		s->a[4] = 0;
	/*
	 * Not during a software step: until there is an ISB, when it ends is IMPLEMENTATION
	 * DEFINED.
	 */
	if (s->a[4])
		s->a[1] = 1;
	if (s->a[0] == AT_USER || s->a[0] == AT_GUEST_EL0)
		s->a[3] = 0;
}

/*
 * EL2 has debug exceptions only if they are routed to EL2 (AArch64.GenerateDebugExceptionsFrom()).
 */
static bool no_el2_debug(void)
{
	return diff_el2 && !(run_hcr & HCR_TGE) && !(sysreg_read(MDCR_EL2) & MDCR_TDE);
}

static void meet_name(const struct step *s)
{
	say("%s%s: debugged code, SPSR.D %lu SS %lu%s", context_name[s->a[0]],
	    s->a[0] == AT_HOST && no_el2_debug() ? " (no debug exceptions at EL2)" : "", s->a[1],
	    s->a[2], s->a[3] ? ", DAIFClr" : "");
	if (s->a[4])
		say(", MDSCR_EL1 = %lx", s->a[5]);
}

static void meet_run(const struct step *s)
{
	static const u32 body[BODY] = { INSN_NOP, LDR_X1,   STR_X1, INSN_NOP,
					LDRB_W1,  INSN_NOP, STP_X1, INSN_NOP };
	u64 x[4] = { data_address(s->a[0], 0), 1, 2, s->a[5] };
	u64 spsr = context_spsr((enum context)s->a[0]);
	u32 i;

	if (!s->a[1])
		spsr &= ~SPSR_D;
	if (s->a[2])
		spsr |= SPSR_SS;
	code_begin();
	if (s->a[4]) {
		code_emit(MSR(3, MDSCR));
		code_emit(INSN_ISB);
	}
	if (s->a[3])
		code_emit(DAIFCLR_D);
	for (i = 0; i < BODY; i++)
		code_emit(body[i]);
	if (s->a[3])
		code_emit(DAIFSET_D);
	code_run_at((enum context)s->a[0], spsr, 0, x, 4);
}

void debug_reset(void)
{
	u64 x[1] = { 0 };
	u32 n;

	code_begin();
	code_emit(MSR(0, MDSCR));
	for (n = 0; n < 6; n++)
		code_emit(MSR(0, BCR(n)));
	for (n = 0; n < 4; n++)
		code_emit(MSR(0, WCR(n)));
	for (n = 0; n < 4; n++) {
		code_emit(MSR(0, BVR(n)));
		code_emit(MSR(0, WVR(n)));
	}
	code_emit(INSN_ISB);
	code_run(AT_HOST, x, 1);
	memset((void *)data_address(AT_HOST, 0), 0, 64);
}

const struct op ops_debug[] = {
	{ "debug", 12, true, set_gen, set_name, set_run },
	{ "debugged", 10, true, meet_gen, meet_name, meet_run },
	{ 0 },
};
