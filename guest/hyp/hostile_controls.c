/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each bit of every control that the hypervisor has over an L2, flipped and alone, and all of them
 * at once, with an L2 that executes one of every instruction. Each run ends with an exit that the
 * architecture permits, or when its time is up.
 */
#include "hostile.h"

/* payload.S, hostile.S */
extern const char l2_telling_vectors[];
u64 l2_one_of_each(u64 a, u64 b, u64 c);

#define EXITS_MAX 400
#define TOUCH_US 3000

static u8 scratch[4096] __attribute__((aligned(4096)));

struct control {
	char name[12];
	u16 field; /* of struct l2 */
	bool (*exists)(void);
};

static bool always(void)
{
	return true;
}

static bool fgt(void)
{
	return has_fgt;
}

static bool hcx(void)
{
	return has_hcx;
}

#define FIELD_OF(x) offsetof(struct l2, x)
static const struct control controls[] __attribute__((aligned(64))) = {
	{ "HCR_EL2", FIELD_OF(hcr), always },
	{ "HCRX_EL2", FIELD_OF(control[CTL_HCRX]), hcx },
	{ "MDCR_EL2", FIELD_OF(control[CTL_MDCR]), always },
	{ "CPTR_EL2", FIELD_OF(control[CTL_CPTR]), always },
	{ "CNTHCTL_EL2", FIELD_OF(control[CTL_CNTHCTL]), always },
	{ "HFGRTR_EL2", FIELD_OF(control[CTL_HFGRTR]), fgt },
	{ "HFGWTR_EL2", FIELD_OF(control[CTL_HFGWTR]), fgt },
	{ "HFGITR_EL2", FIELD_OF(control[CTL_HFGITR]), fgt },
	{ "HDFGRTR_EL2", FIELD_OF(control[CTL_HDFGRTR]), fgt },
	{ "HDFGWTR_EL2", FIELD_OF(control[CTL_HDFGWTR]), fgt },
	{ "ICH_HCR_EL2", FIELD_OF(control[CTL_ICH_HCR]), always },
	{ "VTCR_EL2", FIELD_OF(vtcr), always },
	{ "VTTBR_EL2", FIELD_OF(vttbr), always },
	{ "CNTVOFF_EL2", FIELD_OF(cntvoff), always },
};

static u64 *field_of(struct l2 *l, const struct control *c)
{
	return (u64 *)((u64)l + c->field);
}

/*
 * Bits that decide what kind of hypervisor this is, where they can be cleared (FEAT_E2H0, by
 * ID_AA64MMFR4_EL1), and stage 2, without which L2 would have the machine's memory.
 */
static u64 kept(const struct control *c, u64 v)
{
	bool e2h_is_free = !(FIELD(sysreg_read(ID_AA64MMFR4_EL1), 27, 24) & 8);

	if (c->field != FIELD_OF(hcr))
		return v;
	if (e2h_is_free)
		v = (v & ~HCR_E2H) | (HCR_ANY & HCR_E2H);
	return v | HCR_VM;
}

/* L2 took an exception of its own, which its vectors report: return behind the instruction. */
static void skip_own(void)
{
	el1_write(ELR, el1_read(ELR) + 4);
	isb();
}

/* Emulate what was trapped as an instruction without effect. False: it cannot continue. */
static bool skip(struct l2 *l, u64 kind)
{
	if (kind != EXIT_SYNC || l2_is_hvc(l, kind, L2_DONE))
		return false;
	switch (ESR_EC(l->esr)) {
	case EC_IABT_LOW:
		return false;
	case EC_HVC:
		if ((ESR_ISS(l->esr) & ~0xfUL) == 0x100)
			skip_own();
		return true;
	case EC_SVC: /* with TGE its address is behind it */
		return true;
	}
	l->elr += 4;
	return true;
}

static u32 run(struct l2 *l, u64 us)
{
	u64 kind;
	u32 n;

	for (n = 0; n < EXITS_MAX; n++) {
		kind = hostile_run(l, us);
		if (kind > 15) {
			test_fail("exit kind %lu", kind);
			break;
		}
		if (!skip(l, kind))
			break;
	}
	return n;
}

static void begin(struct l2 *l)
{
	hostile_fresh(l);
	l2_call(l, l2_one_of_each, l2_address(scratch), 0, 0);
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
}

static void one(struct l2 *l, const struct control *c, u64 v)
{
	begin(l);
	*field_of(l, c) = kept(c, v);
	run(l, TOUCH_US);
	sysreg_write(ICH_LR0_EL2, 0);
}

static void each_bit(struct l2 *l, const struct control *c)
{
	/* An L2 that has the interrupts to itself cannot be stopped by one. */
	u64 stops = c->field == FIELD_OF(hcr) ? HCR_IMO : 0, usual;
	u32 bit;

	check_begin("hostile", "each bit of %s, all and none", c->name);
	hostile_sandbox(l);
	usual = *field_of(l, c);
	for (bit = 0; bit < 64 && c->exists(); bit++) {
		one(l, c, usual ^ BIT(bit));
		if (usual)
			one(l, c, BIT(bit) | stops);
	}
	if (c->exists()) {
		one(l, c, ~0UL);
		one(l, c, stops);
		one(l, c, ~usual | stops);
	}
	hostile_recovered();
}

/*
 * All controls with the same value; HCR_EL2 as usual, with all its bits but those with which it
 * would not run at all, or random.
 */
static void together(struct l2 *l, u64 v, u64 hcr)
{
	u32 i;

	begin(l);
	for (i = 0; i < ARRAY_SIZE(controls); i++)
		if (controls[i].field >= FIELD_OF(control))
			*field_of(l, &controls[i]) = v;
	l->hcr = kept(&controls[0], hcr);
	run(l, TOUCH_US);
}

/* Run the L2 so that each of its instructions is seen to be executed or trapped. */
static void usual(struct l2 *l)
{
	u32 n;

	check_begin("hostile", "an L2 that does one of everything");
	hostile_sandbox(l);
	begin(l);
	n = run(l, L2_STUCK_US);
	expect(l2_is_hvc(l, EXIT_SYNC, L2_DONE), "after %u exits: esr 0x%lx", n, l->esr);
	expect_eq(l->x[0], 7, "x0");
}

void hostile_controls(void)
{
	struct l2 *l = &l2s[0];
	u64 hcr_all = ~(HCR_TGE | HCR_NV | HCR_NV1 | HCR_NV2);
	u32 i;

	usual(l);
	for (i = 0; i < ARRAY_SIZE(controls); i++)
		each_bit(l, &controls[i]);
	check_begin("hostile", "every bit of all controls, all and none");
	hostile_sandbox(l);
	together(l, ~0UL, HCR_L2);
	together(l, 0, HCR_L2);
	together(l, ~0UL, hcr_all);
	together(l, 0, hcr_all);
	together(l, ~0UL, ~0UL);
	together(l, 0, 0);
	for (i = 0; i < dt_arg("rounds", 100); i++)
		together(l, hostile_garbage(), hostile_garbage() | (i & 1 ? HCR_L2 : HCR_IMO));
	hostile_recovered();
}
