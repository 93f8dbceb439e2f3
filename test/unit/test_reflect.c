/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which exits from L2 go to L1: trap.def audited, each accessor's rules one by one, random settings
 * against the rules as data, and the exception classes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "l1_state.h"
#include "traps/reflect.h"
#include "exit/exit.h"

static int setup(void **state)
{
	(void)state;
	l1_reset();
	return 0;
}

/* ---- trap.def as a table ---- */

struct row {
	const char *name;
	u32 first, last;
};

#define ORDER(op0, op1, crn, crm, op2)                                                             \
	(u32)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

static const struct row rows[] = {
#define TRAP(name, op0, op1, crn, crm, op2, ...)                                                   \
	{ #name, ORDER(op0, op1, crn, crm, op2), ORDER(op0, op1, crn, crm, op2) },
#define TRAP_RANGE(name, op0, op1, crn, crm, op2, crn2, crm2, op22, ...)                           \
	{ #name, ORDER(op0, op1, crn, crm, op2), ORDER(op0, op1, crn2, crm2, op22) },
#include "arch/trap.def"
};

struct fgt {
	const char *regs, *name;
	u32 hi, lo;
	const char *polarity; /* NULL: RES0 */
};

static const struct fgt fgts[] = {
#define FGT(regs, n, name, polarity, feature) { #regs, #name, n, n, #polarity },
#define FGT_NONE(regs, hi, lo, reason) { #regs, #reason, hi, lo, NULL },
#include "arch/trap.def"
};

struct fgt_use {
	const char *group, *bit;
};

static const struct fgt_use uses[] = {
#define TRAP(name, op0, op1, crn, crm, op2, coarse, group, bit) { #group, #bit },
#include "arch/trap.def"
	/* reflect.c's switch, by exception class. */
	{ "HFGI", "ERET" },
	{ "HFGI", "SVC_EL0" },
	{ "HFGI", "SVC_EL1" },
};

static void table_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].first > rows[i].last)
			fail_msg("%s is an empty range", rows[i].name);
		if (i && rows[i - 1].last >= rows[i].first)
			fail_msg("%s and %s are out of order or overlap", rows[i - 1].name,
				 rows[i].name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(rows[i].name, rows[j].name))
				fail_msg("two rows are called %s", rows[i].name);
	}
}

/* HFGX covers HFGR and HFGW, HDFGX does so for HDFGR and HDFGW. */
static bool covers(const char *regs, const char *reg)
{
	size_t n = strlen(regs);

	if (!strcmp(regs, reg))
		return true;
	return regs[n - 1] == 'X' && strlen(reg) == n && !strncmp(regs, reg, n - 1) &&
	       (reg[n - 1] == 'R' || reg[n - 1] == 'W');
}

static void every_fgt_bit(void **state)
{
	static const char *const regs[] = { "HFGR", "HFGW", "HFGI", "HDFGR", "HDFGW" };

	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(regs); r++)
		for (u32 bit = 0; bit < 64; bit++) {
			int found = 0;

			for (size_t i = 0; i < ARRAY_SIZE(fgts); i++)
				if (covers(fgts[i].regs, regs[r]) && bit >= fgts[i].lo &&
				    bit <= fgts[i].hi)
					found++;
			if (found != 1)
				fail_msg("%s bit %u is told %d times", regs[r], bit, found);
		}
}

static bool is_used(const struct fgt *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		const char *group = strcmp(uses[i].group, "NXS") ? uses[i].group : "HFGI";

		if (!strcmp(uses[i].bit, f->name) && covers(group, f->regs))
			return true;
		if (!strcmp(uses[i].bit, f->name) && !strcmp(group, f->regs))
			return true;
	}
	return false;
}

/* One polarity a bit by construction; an n in Arm's name says which. */
static void fgt_uses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fgts); i++) {
		const struct fgt *f = &fgts[i];

		if (!f->polarity)
			continue;
		if (!is_used(f))
			fail_msg("%s.%s traps nothing", f->regs, f->name);
		if ((f->name[0] == 'n') != !strcmp(f->polarity, "NEG"))
			fail_msg("%s.%s has the wrong polarity", f->regs, f->name);
	}
}

/* Arm's bits, from the register pages of DDI 0487: what is RES0 in every implementation. */
static void fgt_places(void **state)
{
	static const struct {
		const char *name;
		u32 bit;
	} places[] = {
		{ "AFSR0_EL1", 0 },    { "CTR_EL0", 14 },     { "ISR_EL1", 18 },
		{ "PAR_EL1", 27 },     { "SCTLR_EL1", 29 },   { "VBAR_EL1", 38 },
		{ "nTPIDR2_EL0", 55 }, { "nSMPRI_EL1", 54 },  { "ICIALLUIS", 0 },
		{ "DCZVA", 11 },       { "TLBIVMALLE1", 42 }, { "TLBIRVAE1OS", 24 },
		{ "ERET", 51 },        { "SVC_EL0", 52 },     { "SVC_EL1", 53 },
		{ "DCCVAC", 54 },      { "OSLAR_EL1", 8 },    { "MDSCR_EL1", 4 },
	};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(places); p++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_SIZE(fgts); i++)
			if (!strcmp(fgts[i].name, places[p].name)) {
				found = true;
				assert_int_equal(fgts[i].lo, places[p].bit);
			}
		assert_true(found);
	}
}

/* ---- accessors ---- */

static struct exit sys(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, bool write, bool el0)
{
	return (struct exit){
		.esr = ESR(EC_SYS64, (u64)op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | 3 << 5 |
					     crm << 1 | !write),
		.spsr = el0 ? 0x3c0 : 0x3c5,
	};
}

static bool access_wanted(const struct accessor *a, bool write, bool el0)
{
	struct exit exit = sys(a->op0, a->op1, a->crn, a->crm, a->op2, write, el0);

	return reflect_wanted(&vcpu, &exit);
}

static void expect(const struct accessor *a, const struct rule *r, bool write, bool want)
{
	if (access_wanted(a, write, false) != want)
		fail_msg("%s of %s, %sregister %d bit %d: %swanted", write ? "write" : "read",
			 a->name, r ? "" : "no ", r ? r->reg : 0, r ? r->bit : 0,
			 want ? "not " : "");
}

static bool rule_of(const struct rule *r, bool write)
{
	return r->reg != NO_REG && (write ? r->write : r->read);
}

/* Each control alone: it traps what it should, and nothing in the other direction. */
static void one_by_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accessors); i++) {
		const struct accessor *a = &accessors[i];

		expect(a, NULL, false, false);
		expect(a, NULL, true, false);
		for (size_t j = 0; j < ARRAY_SIZE(a->rule) && a->rule[j].reg; j++) {
			const struct rule *r = &a->rule[j];
			u64 *have = l1_have(r->reg);

			*l1_place(r->reg) ^= BIT(r->bit);
			for (int write = 0; write < 2; write++)
				if (rule_of(r, write))
					expect(a, r, write, true);
			*have = ~BIT(r->bit); /* a bit that the VM's register has not */
			for (int write = 0; write < 2; write++)
				if (rule_of(r, write))
					expect(a, r, write, false);
			*have = ~0UL;
			*l1_place(r->reg) ^= BIT(r->bit);
		}
	}
}

/* The accessor of an encoding; breakpoints and watchpoints by that of number 0. */
static const struct accessor *accessor_find(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
	if (op0 == 2 && op1 == 0 && crn == 0 && op2 >= 4)
		crm = 0;
	for (size_t i = 0; i < ARRAY_SIZE(accessors); i++) {
		const struct accessor *a = &accessors[i];

		if (a->op0 == op0 && a->op1 == op1 && a->crn == crn && a->crm == crm &&
		    a->op2 == op2)
			return a;
	}
	return NULL;
}

struct state {
	u64 value[L1_REGS], have[L1_REGS];
	bool fgtnxs;
};

static void state_read(struct state *s)
{
	for (enum l1_reg reg = HCR; reg < L1_REGS; reg++) {
		s->value[reg] = *l1_place(reg);
		s->have[reg] = *l1_have(reg);
	}
	s->fgtnxs = vncr_page[0xa0 / 8] & vm.nested.hcrx & BIT(4);
}

enum answer { NO, YES, ANY };

/* What the rules require; ANY for a direction that the register lacks. */
static enum answer reference(const struct state *s, u32 op0, u32 op1, u32 crn, u32 crm, u32 op2,
			     bool write)
{
	const struct accessor *a = accessor_find(op0, op1, crn, crm, op2);
	u64 hcr = s->value[HCR] & s->have[HCR];
	enum answer answer = ANY;

	if ((op0 & 1) && (crn & 0xb) == 0xb) /* implementation defined: TIDCP */
		return hcr >> 20 & 1;
	if (op0 == 3 && op1 == 0 && crn == 0 && crm >= 1 && crm <= 7) /* ID registers: TID3 */
		return write ? ANY : hcr >> 18 & 1;
	if (!a)
		return NO;
	if (!strcmp(a->name, "SMIDR_EL1") && !(s->have[HFGRTR] & BIT(55))) /* smidr() */
		return write ? ANY : NO;
	for (size_t i = 0; i < ARRAY_SIZE(a->rule); i++)
		if (rule_of(&a->rule[i], write)) {
			if (rule_fires(&a->rule[i], s->value, s->have, s->fgtnxs))
				return YES;
			answer = NO;
		}
	return answer;
}

static void all_encodings(void)
{
	struct state s;

	state_read(&s);
	for (u32 e = ORDER(1, 0, 0, 0, 0); e <= ORDER(3, 7, 15, 15, 7); e++)
		for (int write = 0; write < 2; write++) {
			u32 op0 = e >> 14, op1 = e >> 11 & 7, crn = e >> 7 & 15, crm = e >> 3 & 15,
			    op2 = e & 7;
			struct exit exit = sys(op0, op1, crn, crm, op2, write, false);
			enum answer want = reference(&s, op0, op1, crn, crm, op2, write);

			if (want != ANY && reflect_wanted(&vcpu, &exit) != (want == YES))
				fail_msg("%s of S%u_%u_C%u_C%u_%u: %swanted, seed %#lx",
					 write ? "write" : "read", op0, op1, crn, crm, op2,
					 want ? "not " : "", (unsigned long)seed);
		}
}

static void no_control(void **state)
{
	(void)state;
	all_encodings();
}

static void random_settings(void **state)
{
	(void)state;
	for (int i = 0; i < 60; i++) {
		l1_random();
		*l1_have(HCR) &= ~HCR_NV; /* nested_virtualization() */
		all_encodings();
	}
}

/* Accesses from EL0 have the same result. */
static void from_el0(void **state)
{
	static const char *const names[] = { "CTR_EL0", "DC_ZVA",  "TPIDR_EL0", "CNTPCT_EL0",
					     "DC_CVAC", "IC_IVAU", "CFP_RCTX" };

	(void)state;
	for (int round = 0; round < 100; round++) {
		l1_random();
		*l1_have(HCR) &= ~HCR_NV;
		for (size_t i = 0; i < ARRAY_SIZE(accessors); i++)
			for (size_t n = 0; n < ARRAY_SIZE(names); n++)
				if (!strcmp(accessors[i].name, names[n]))
					assert_int_equal(access_wanted(&accessors[i], true, true),
							 access_wanted(&accessors[i], true, false));
	}
}

static bool wanted(u64 esr, u64 spsr)
{
	struct exit exit = { .esr = esr, .spsr = spsr };

	return reflect_wanted(&vcpu, &exit);
}

#define EL0T 0x0UL
#define EL1H 0x5UL

static bool encoding_wanted(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, bool el0)
{
	struct exit exit = sys(op0, op1, crn, crm, op2, true, el0);

	return reflect_wanted(&vcpu, &exit);
}

static void nested_virtualization(void **state)
{
	u64 *hcr = l1_place(HCR);

	(void)state;
	*hcr |= BIT(42);                                     /* NV */
	assert_true(encoding_wanted(3, 4, 1, 0, 0, false));  /* SCTLR_EL2 */
	assert_true(encoding_wanted(3, 4, 12, 8, 0, false)); /* ICH_AP0R0_EL2 */
	assert_true(encoding_wanted(3, 5, 14, 3, 1, false)); /* CNTV_CTL_EL02 */
	assert_true(encoding_wanted(1, 4, 8, 7, 4, false));  /* TLBI ALLE1 */
	assert_true(encoding_wanted(1, 4, 9, 7, 4, false));  /* TLBI ALLE1NXS */
	assert_true(encoding_wanted(1, 4, 7, 8, 4, false));  /* AT S12E1R */
	assert_true(encoding_wanted(1, 3, 7, 3, 4, false));  /* CFP RCTX */
	assert_false(encoding_wanted(1, 3, 7, 3, 4, true));
	assert_true(wanted(ESR(EC_ERET, 0), EL1H));
	assert_false(encoding_wanted(3, 0, 12, 0, 0, false)); /* VBAR_EL1: NV1 */
	*hcr |= BIT(43);
	assert_true(encoding_wanted(3, 0, 12, 0, 0, false));
	assert_true(encoding_wanted(3, 0, 4, 0, 1, false)); /* ELR_EL1 */
	*hcr |= BIT(45);                                    /* NV2: in memory */
	assert_false(encoding_wanted(3, 0, 12, 0, 0, false));
	assert_true(encoding_wanted(3, 4, 1, 0, 0, false));
	*hcr &= ~BIT(42);
	assert_false(encoding_wanted(3, 4, 1, 0, 0, false));
	*hcr |= BIT(42);
	*l1_have(HCR) &= ~BIT(42);
	assert_false(encoding_wanted(3, 4, 1, 0, 0, false));
	assert_false(wanted(ESR(EC_ERET, 0), EL1H));
}

/*
 * The fast path's question has the same answer for every encoding with nothing but NV set; it
 * leaves out the RCTX instructions.
 */
static void nested_virtualization_shortly(void **state)
{
	u32 yes = 0;

	(void)state;
	*l1_place(HCR) |= BIT(42) | BIT(45);
	for (u32 i = 0; i < 1 << 16; i++) {
		struct exit exit = sys(i >> 14, i >> 11 & 7, i >> 7 & 15, i >> 3 & 15, i & 7,
				       i & 1, false);
		bool rctx = i >> 3 == (1 << 11 | 3 << 8 | 7 << 4 | 3) && (i & 7) >= 4;
		bool shortly = reflect_nv(&vcpu, exit.esr);

		if (shortly != (reflect_wanted(&vcpu, &exit) && !rctx))
			fail_msg("encoding %#x: %d", i, shortly);
		yes += shortly;
	}
	assert_true(yes > 1000);
	assert_true(reflect_nv(&vcpu, ESR(EC_ERET, 3)));
	*l1_place(HCR) &= ~BIT(42);
	assert_false(reflect_nv(&vcpu, ESR(EC_ERET, 0)));
	*l1_place(HCR) |= BIT(42);
	*l1_have(HCR) &= ~BIT(42);
	assert_false(reflect_nv(&vcpu, ESR(EC_ERET, 0)));
	assert_false(reflect_nv(&vcpu, sys(3, 4, 1, 0, 0, true, false).esr));
}

/* ---- exception classes ---- */

/* One class, one control bit: not without it, with it, and not if the VM's register lacks it. */
static void one_class(u64 esr, u64 spsr, enum l1_reg reg, u32 bit, bool zero)
{
	u64 *place = l1_place(reg);

	l1_reset();
	*place = zero ? *place | BIT(bit) : *place & ~BIT(bit);
	if (wanted(esr, spsr))
		fail_msg("EC %#lx wanted without its control", (unsigned long)ESR_EC(esr));
	*place ^= BIT(bit);
	if (!wanted(esr, spsr))
		fail_msg("EC %#lx not wanted with its control", (unsigned long)ESR_EC(esr));
	*l1_have(reg) &= ~BIT(bit);
	if (wanted(esr, spsr))
		fail_msg("EC %#lx wanted by a RES0 bit", (unsigned long)ESR_EC(esr));
}

static void classes(void **state)
{
	(void)state;
	one_class(ESR(EC_WFX, 0), EL1H, HCR, 13, false);
	one_class(ESR(EC_WFX, 2), EL0T, HCR, 13, false);
	one_class(ESR(EC_WFX, 1), EL1H, HCR, 14, false);
	one_class(ESR(EC_WFX, 3), EL0T, HCR, 14, false);
	one_class(ESR(EC_SMC64, 0), EL1H, HCR, 19, false);
	one_class(ESR(EC_SVC64, 0), EL0T, HFGITR, 52, false);
	one_class(ESR(EC_SVC64, 0), EL1H, HFGITR, 53, false);
	one_class(ESR(EC_ERET, 0), EL1H, HFGITR, 51, false);
	one_class(ESR(EC_ERET, 2), EL1H, HCR, 42, false);
	one_class(ESR(EC_PAC, 0), EL0T, HCR, 41, true);
	one_class(ESR(EC_BREAKPT_LOW, 0x22), EL0T, MDCR, 8, false);
	one_class(ESR(EC_SOFTSTP_LOW, 0x22), EL1H, MDCR, 8, false);
	one_class(ESR(EC_WATCHPT_LOW, 0x22), EL1H, MDCR, 8, false);
	one_class(ESR(EC_BRK64, 1), EL0T, MDCR, 8, false);
	one_class(ESR(EC_DABT_LOW, 0x10), EL1H, HCR, 37, false);
	one_class(ESR(EC_IABT_LOW, 0x17), EL0T, HCR, 37, false);
}

static void classes_never(void **state)
{
	static const u64 esrs[] = {
		ESR(EC_UNKNOWN, 0),
		ESR(EC_ILLEGAL, 0),
		ESR(EC_BTI, 0),
		ESR(EC_PC_ALIGN, 0),
		ESR(EC_SP_ALIGN, 0),
		ESR(EC_FP_EXC64, 0),
		ESR(EC_PAC_FAIL, 0),
		ESR(EC_DABT_LOW, ESR_FSC_TRANSLATION | 3),
		ESR(EC_IABT_LOW, 0x0f),
		ESR(EC_DABT_LOW, ESR_FSC_TLB_CONFLICT),
		ESR(EC_BREAKPT_CUR, 0x22),
		ESR(EC_LS64, 0),
	};

	(void)state;
	for (int round = 0; round < 200; round++) {
		l1_random();
		for (size_t i = 0; i < ARRAY_SIZE(esrs); i++)
			assert_false(wanted(esrs[i], random64() & 1 ? EL0T : EL1H));
	}
}

/*
 * Every fault status code of ISS, with L1's HCR_EL2.TEA clear and set. 0 to 15 depend on the
 * tables, an external abort (10 to 1f) is EL2's with TEA only, a TLB conflict (30) is nidus's, and
 * all other stage-2 faults are EL2's.
 */
static void fault_status_codes(void **state)
{
	(void)state;
	vm.nested.hcr |= BIT(37);
	for (u64 fsc = 0; fsc < 64; fsc++)
		for (u64 tea = 0; tea < 2; tea++) {
			bool want = fsc >= 0x20 ? fsc != 0x30 : fsc >= 0x10 && tea;

			*l1_place(HCR) = tea << 37;
			assert_int_equal(wanted(ESR(EC_DABT_LOW, DABT_ISV | fsc), EL1H), want);
			assert_int_equal(wanted(ESR(EC_IABT_LOW, fsc), EL0T), want);
		}
}

/* SVC at the other level, and MOPS from EL0, are not trapped. */
static void classes_by_level(void **state)
{
	(void)state;
	*l1_place(HFGITR) = BIT(52);
	assert_false(wanted(ESR(EC_SVC64, 0), EL1H));
	*l1_place(HFGITR) = BIT(53);
	assert_false(wanted(ESR(EC_SVC64, 0), EL0T));
	vncr_page[0xa0 / 8] = BIT(10); /* HCRX_EL2.MCE2 */
	assert_true(wanted(ESR(EC_MOPS, 0), EL1H));
	assert_false(wanted(ESR(EC_MOPS, 0), EL0T));
	vm.nested.hcrx = 0;
	assert_false(wanted(ESR(EC_MOPS, 0), EL1H));
}

static void hvc(void **state)
{
	struct exit exit = { .esr = ESR(EC_HVC64, 7), .spsr = EL1H };

	(void)state;
	assert_true(reflect_wanted(&vcpu, &exit));
	assert_false(reflect_undefined(&vcpu, &exit));
	*l1_place(HCR) |= BIT(29);
	assert_false(reflect_wanted(&vcpu, &exit));
	assert_true(reflect_undefined(&vcpu, &exit));
	exit.esr = ESR(EC_SMC64, 0);
	assert_false(reflect_undefined(&vcpu, &exit));
}

/* ---- SIMD ---- */

/* DDI 0487, CheckSVEEnabled and CheckSMEEnabled: the class that a machine without nidus reports. */
static u64 simd_class(u64 ec, u32 fpen, u32 own)
{
	bool traps[4] = { true, false, true, false };

	if (ec != EC_FP_ASIMD && traps[own])
		return ec;
	return traps[fpen] ? EC_FP_ASIMD : 0;
}

static void simd(void **state)
{
	static const struct {
		u64 ec;
		u32 lsb;
	} kinds[] = { { EC_FP_ASIMD, 20 }, { EC_SVE, 16 }, { EC_SME, 24 } };

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (u32 v = 0; v < 16; v++) {
			u32 fpen = v & 3, own = k ? v >> 2 : fpen;
			u64 want = simd_class(kinds[k].ec, fpen, own);
			u64 iss = k ? 0 : 0x1e00000;
			struct exit exit = { .esr = ESR(kinds[k].ec, iss), .spsr = EL1H };

			*l1_place(CPTR) = (u64)own << kinds[k].lsb | (u64)fpen << 20;
			if (reflect_wanted(&vcpu, &exit) != (want != 0))
				fail_msg("EC %#lx, FPEN %u, own field %u",
					 (unsigned long)kinds[k].ec, fpen, own);
			if (!want)
				continue;
			assert_int_equal(ESR_EC(reflect_esr(&vcpu, &exit)), want);
			assert_int_equal(ESR_ISS(reflect_esr(&vcpu, &exit)),
					 want == EC_FP_ASIMD ? 0x1e00000 : 0);
			assert_true(reflect_esr(&vcpu, &exit) & ESR_IL);
		}
}

static void simd_absent(void **state)
{
	(void)state;
	*l1_place(CPTR) = 0;
	assert_true(reflect_fp(&vcpu) && reflect_sve(&vcpu) && reflect_sme(&vcpu));
	*l1_have(CPTR) = CPTR_FPEN;
	assert_true(reflect_fp(&vcpu));
	assert_false(reflect_sve(&vcpu));
	assert_false(reflect_sme(&vcpu));
	/* UNDEFINED at L2's own EL1, although L1 has FP closed. */
	assert_true(wanted(ESR(EC_FP_ASIMD, 0x1e00000), EL1H));
	assert_false(wanted(ESR(EC_SVE, 0), EL1H));
	assert_false(wanted(ESR(EC_SME, 0), EL1H));
}

static void zt0(void **state)
{
	(void)state;
	assert_true(wanted(ESR(EC_SME, 4), EL1H));
	vcpu.sr[SR_SMCR_EL2] = BIT(30);
	assert_false(wanted(ESR(EC_SME, 4), EL1H));
	vcpu.sr[SR_SMCR_EL2] = 0;
	vm.nested.smcr = 0;
	assert_false(wanted(ESR(EC_SME, 4), EL1H));
}

/*
 * SMIDR_EL1 is a register of FEAT_SME: without it an MRS is UNDEFINED, which takes precedence over
 * any trap of EL2.
 */
static void smidr(void **state)
{
	struct exit exit = sys(3, 1, 0, 0, 6, false, false);

	(void)state;
	*l1_place(HCR) = HCR_TID1;
	assert_true(reflect_wanted(&vcpu, &exit));
	vm.nested.hfgrtr &= ~BIT(55); /* nTPIDR2_EL0 exists only with FEAT_SME */
	assert_false(reflect_wanted(&vcpu, &exit));
}

/* For every other exit the syndrome is the machine's own. */
static void esr_unchanged(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct exit exit = { .esr = random64() };
		u64 ec = ESR_EC(exit.esr);

		if (i % 100 == 0)
			l1_random();
		if (ec != EC_SVE && ec != EC_SME)
			assert_int_equal(reflect_esr(&vcpu, &exit), exit.esr);
	}
}

/* No value in an exit or in L1's registers makes the function fail. */
static void any_exit(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct exit exit = { .esr = random64(), .spsr = random64() };

		if (i % 64 == 0)
			l1_random();
		(void)reflect_wanted(&vcpu, &exit);
		(void)reflect_undefined(&vcpu, &exit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_order),
		cmocka_unit_test(every_fgt_bit),
		cmocka_unit_test(fgt_uses),
		cmocka_unit_test(fgt_places),
		cmocka_unit_test_setup(one_by_one, setup),
		cmocka_unit_test_setup(no_control, setup),
		cmocka_unit_test_setup(random_settings, setup),
		cmocka_unit_test_setup(from_el0, setup),
		cmocka_unit_test_setup(nested_virtualization, setup),
		cmocka_unit_test_setup(nested_virtualization_shortly, setup),
		cmocka_unit_test(classes),
		cmocka_unit_test_setup(classes_never, setup),
		cmocka_unit_test_setup(classes_by_level, setup),
		cmocka_unit_test_setup(fault_status_codes, setup),
		cmocka_unit_test_setup(hvc, setup),
		cmocka_unit_test_setup(simd, setup),
		cmocka_unit_test_setup(simd_absent, setup),
		cmocka_unit_test_setup(zt0, setup),
		cmocka_unit_test_setup(smidr, setup),
		cmocka_unit_test_setup(esr_unchanged, setup),
		cmocka_unit_test_setup(any_exit, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
