/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of L1's by the level that its HCR_EL2 sends them to. Arm ARM, asynchronous exception
 * routing: a physical IRQ (FIQ) is taken to EL2 with TGE or IMO (FMO), else to EL1, and stays
 * pending while a higher level runs.
 */
#include "arch/hcr.h"
#include "arch/sysreg_table.h"
#include "state/vncr.h"
#include "vgic/nested.h"

#include "gic_model.h"
#include "state/timers.h"

#define EL1H 5
#define IAR0 SYSREG_KEY(3, 0, 12, 8, 0)
#define EOIR0 SYSREG_KEY(3, 0, 12, 8, 1)
#define HPPIR0 SYSREG_KEY(3, 0, 12, 8, 2)
#define AP1R0 SYSREG_KEY(3, 0, 12, 9, 0)
#define IAR1 SYSREG_KEY(3, 0, 12, 12, 0)
#define EOIR1 SYSREG_KEY(3, 0, 12, 12, 1)
#define HPPIR1 SYSREG_KEY(3, 0, 12, 12, 2)
#define IGRPEN1 SYSREG_KEY(3, 0, 12, 12, 7)

static u64 page[VNCR_WORDS];
static struct vcpu *const v = &vcpu[0];
static unsigned soon;

void timers_look_soon(struct vcpu *vc)
{
	assert_ptr_equal(vc, v);
	soon++;
}

/* SGIs 0 to 7 are Group 0, the more urgent the lower. */
static int up(void **state)
{
	(void)state;
	vm_up(2, 4);
	memset(page, 0, sizeof(page));
	vm.nested.hcr = ~0UL;
	v->vncr = page;
	v->has_el2 = v->hyp = true;
	v->pstate = EL1H;
	open_up();
	wr(v, GICR_AT + GICR_SGI + GICD_IGROUPR, 4, ~0xffu);
	for (u32 n = 0; n < 16; n++)
		set_prio(v, 0, n, 0x20 + 8 * n);
	fake_cpu = 0;
	enter(v);
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	return 0;
}

static void l1_hcr_is(u64 hcr)
{
	page[VNCR_HCR_EL2 / 8] = hcr;
}

static void pend(u32 sgi)
{
	bit_wr(v, 0, sgi, GICD_ISPENDR);
}

/* The run loop before an entry; true: taken to vEL2 as an FIQ at once. */
static bool deliver(void)
{
	soon = 0;
	enter(v);
	return vgic_el2_route(v);
}

static void held_by_group_and_level(void **state)
{
	static const u64 bits[] = { HCR_TGE, HCR_IMO, HCR_FMO };

	(void)state;
	for (u32 i = 0; i < 32; i++) {
		bool el0 = i & 8, group1 = i & 16, el2, held;
		u64 hcr = 0;

		down(NULL);
		up(NULL);
		for (u32 k = 0; k < 3; k++)
			hcr |= i >> k & 1 ? bits[k] : 0;
		el2 = hcr & (HCR_TGE | (group1 ? HCR_IMO : HCR_FMO));
		v->pstate = el0 ? 0 : EL1H;
		held = !el2 && !el0;
		l1_hcr_is(hcr);
		pend(group1 ? 9 : 1);
		assert_false(deliver());
		if (hw_signal() == held || vgic_el2_held(v) != held || soon != held)
			fail_msg("row %u: signalled %d, held %d, a look soon %u", i, hw_signal(),
				 vgic_el2_held(v), soon);
		/* Held, it comes as soon as a look finds that it may. */
		l1_hcr_is(hcr | HCR_TGE);
		assert_false(deliver());
		assert_true(hw_signal());
		assert_false(vgic_el2_held(v));
	}
}

/* One interrupt is signalled at a time: what is less urgent waits for what is held back. */
static void most_urgent_counts(void **state)
{
	(void)state;
	l1_hcr_is(HCR_IMO);
	pend(9);
	deliver();
	assert_true(hw_signal());
	pend(2);
	deliver();
	assert_false(hw_signal());
	l1_hcr_is(HCR_IMO | HCR_FMO);
	deliver();
	assert_int_equal(hw_ack(0), 2);
	/* What is masked is not signalled at all. */
	l1_hcr_is(HCR_IMO);
	hw_eoi(2, 0);
	pend(3);
	enter(v);
	vmcr_set(0x30, false);
	deliver();
	assert_false(vgic_el2_held(v));
}

/* Nothing pending: nothing is held, and nothing written. */
static void costs_nothing_while_idle(void **state)
{
	unsigned before;

	(void)state;
	l1_hcr_is(0);
	deliver();
	before = fake_writes_total();
	assert_false(deliver());
	assert_int_equal(fake_writes_total(), before);
	assert_int_equal(soon, 0);
}

static u64 icc_read(u32 key)
{
	u64 value = ~0UL;

	assert_int_equal(vgic_el2_icc(v, key, false, &value), SKIP);
	return value;
}

/* Acknowledged and asked for as if the interface were on. */
static void registers_while_held(void **state)
{
	u64 value = 0;

	(void)state;
	l1_hcr_is(0);
	pend(9);
	pend(10);
	deliver();
	assert_true(vgic_el2_held(v));
	assert_int_equal(fake_get("ICH_HCR_EL2") & (ICH_HCR_EN | ICH_HCR_TALL0 | ICH_HCR_TALL1),
			 ICH_HCR_TALL0 | ICH_HCR_TALL1);
	assert_int_equal(icc_read(HPPIR1), 9);
	assert_int_equal(icc_read(HPPIR0), SPURIOUS);
	assert_int_equal(icc_read(IAR0), SPURIOUS);
	assert_int_equal(icc_read(IAR1), 9);
	assert_int_equal(hw_running(), 0x20 + 8 * 9);
	/* The other is less urgent: pending, but not to be acknowledged. */
	assert_int_equal(icc_read(IAR1), SPURIOUS);
	assert_int_equal(icc_read(HPPIR1), 10);
	assert_true(bit_rd(v, 0, 9, GICD_ISACTIVER));
	assert_false(bit_rd(v, 0, 9, GICD_ISPENDR));
	/* Nothing is signalled any more: the interface is on, its EOI is the hardware's. */
	deliver();
	assert_false(vgic_el2_held(v));
	hw_eoi(9, 1);
	deliver();
	assert_true(vgic_el2_held(v));
	/* HPPIR does not look at priorities that mask, nor IAR at groups that are off. */
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~MASK(31, 24));
	assert_int_equal(icc_read(HPPIR1), 10);
	assert_int_equal(icc_read(IAR1), SPURIOUS);
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~(u64)ICH_VMCR_ENG1);
	assert_int_equal(icc_read(HPPIR1), SPURIOUS);
	/* Not of the interface, or read only there by another name. */
	assert_int_equal(vgic_el2_icc(v, SYSREG_KEY(3, 0, 4, 6, 0), false, &value), UNDEF);
	assert_int_equal(vgic_el2_icc(v, SYSREG_KEY(3, 0, 12, 11, 1), true, &value), UNDEF);
}

/* All others are the hardware's, which is on for that one entry. */
static void lifted_for_one_entry(void **state)
{
	static const struct {
		u32 key;
		bool write;
	} rows[] = { { EOIR0, true },	 { EOIR1, true },  { AP1R0, false },
		     { AP1R0, true },	 { IGRPEN1, true }, { IGRPEN1, false },
		     { IAR1, true } };
	u64 value = 0;

	(void)state;
	l1_hcr_is(0);
	pend(9);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		deliver();
		assert_true(vgic_el2_held(v));
		assert_int_equal(vgic_el2_icc(v, rows[i].key, rows[i].write, &value), RESUME);
		assert_false(deliver());
		assert_true(hw_signal());
		assert_true(vgic_work(&v->vgic)); /* a look at the next exit */
	}
	deliver();
	assert_false(hw_signal());
}

/* L2 with L1's own interrupts (IMO = 0): an FIQ of L1's takes it out. */
static void l2_is_taken_out_for_an_fiq(void **state)
{
	(void)state;
	for (u32 fmo = 0; fmo < 2; fmo++)
		for (u32 group1 = 0; group1 < 2; group1++) {
			down(NULL);
			up(NULL);
			l1_hcr_is(fmo ? HCR_FMO : 0);
			v->hyp = false;
			vgic_level_switch(v);
			pend(group1 ? 9 : 1);
			assert_int_equal(deliver(), fmo && !group1);
			assert_true(hw_signal());
		}
	/* With IMO = 1 they are in memory, and this has nothing to say. */
	down(NULL);
	up(NULL);
	l1_hcr_is(HCR_IMO | HCR_FMO);
	v->hyp = false;
	vgic_level_switch(v);
	assert_int_equal(v->vgic.where, VGIC_L2);
	assert_false(vgic_el2_route(v));
	assert_true(fake_get("ICH_HCR_EL2") == 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(held_by_group_and_level), T(most_urgent_counts),   T(costs_nothing_while_idle),
		T(registers_while_held),    T(lifted_for_one_entry), T(l2_is_taken_out_for_an_fiq),
	};

	return cmocka_run_group_tests_name("vgic: routing at virtual EL2", tests, NULL, NULL);
}
