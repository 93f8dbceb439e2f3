/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of L1 by the level to which its HCR_EL2 routes them. Arm ARM, asynchronous exception
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
#define IAR(group) SYSREG_KEY(3, 0, 12, (group) ? 12 : 8, 0)
#define EOIR(group) SYSREG_KEY(3, 0, 12, (group) ? 12 : 8, 1)
#define HPPIR(group) SYSREG_KEY(3, 0, 12, (group) ? 12 : 8, 2)
#define BPR(group) SYSREG_KEY(3, 0, 12, (group) ? 12 : 8, 3)
#define APR(group, n) SYSREG_KEY(3, 0, 12, 8 + (group), ((group) ? 0 : 4) + (n))
#define IGRPEN(group) SYSREG_KEY(3, 0, 12, 12, 6 + (group))

static u64 page[VNCR_WORDS];
static struct vcpu *const v = &vcpu[0];
static unsigned soon;

void timers_poll_soon(struct vcpu *vc, u8 *polls)
{
	assert_ptr_equal(vc, v);
	assert_ptr_equal(polls, &v->vgic.polls);
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
	v->has_vel2 = v->in_vel2 = true;
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
	return vgic_vel2_route(v);
}

static bool is_off(void)
{
	return !(fake_get("ICH_HCR_EL2") & ICH_HCR_EN);
}

static bool traps(u32 group)
{
	return fake_get("ICH_HCR_EL2") & (group ? ICH_HCR_TALL1 : ICH_HCR_TALL0);
}

static u64 icc_read(u32 key)
{
	u64 value = ~0UL;

	assert_int_equal(vgic_vel2_icc(v, key, false, &value), SKIP);
	return value;
}

static u64 isr_read(void)
{
	u64 value = ~0UL;

	assert_int_equal(emul_isr(v, SR_ISR_EL1, false, &value), SKIP);
	return value;
}

static void icc_write(u32 key, u64 value)
{
	assert_int_equal(vgic_vel2_icc(v, key, true, &value), SKIP);
}

/* The guest's accesses: the hardware's, if they do not trap. */
static u32 ack(u32 group)
{
	u32 intid;

	if (!traps(group))
		return hw_ack(group);
	intid = (u32)icc_read(IAR(group));
	deliver();
	return intid;
}

static void eoi(u32 intid, u32 group)
{
	if (!traps(group)) {
		hw_eoi(intid, group);
		return;
	}
	icc_write(EOIR(group), intid);
	deliver();
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
		if (hw_signal() == held || is_off() != held || soon != held)
			fail_msg("row %u: signalled %d, off %d, a look soon %u", i, hw_signal(),
				 is_off(), soon);
		/* Held back, it comes as soon as a check finds that it may. */
		l1_hcr_is(hcr | HCR_TGE);
		assert_false(deliver());
		assert_true(hw_signal());
		assert_false(is_off() || vgic_vel2_iface_traps(v));
	}
}

/* One interrupt is signalled at a time: a less urgent one waits behind one that is held back. */
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
	/* Whatever masks it: if that is lifted without an exit, it is still not signalled. */
	l1_hcr_is(HCR_IMO);
	hw_eoi(2, 0);
	pend(3);
	enter(v);
	vmcr_set(0x30, false);
	deliver();
	vmcr_set(0xf8, false);
	assert_false(hw_signal());
}

/*
 * The one for the level that runs is acknowledged and ended: the other group's, which is then the
 * most urgent one, stays pending, and so does what is less urgent.
 */
static void behind_it_stays_pending(void **state)
{
	(void)state;
	for (u32 group1 = 0; group1 < 2; group1++) {
		u32 first = group1 ? 9 : 2, behind = group1 ? 5 : 12, last = group1 ? 10 : 7;

		down(NULL);
		up(NULL);
		l1_hcr_is(group1 ? HCR_IMO : HCR_FMO);
		set_prio(v, 0, first, 0x10);
		set_prio(v, 0, last, 0xa8);
		pend(first);
		pend(behind);
		pend(last);
		deliver();
		assert_true(hw_signal());
		assert_int_equal(soon, 0);
		assert_int_equal(ack(group1), first);
		assert_false(hw_signal());
		eoi(first, group1);
		assert_false(hw_signal());
		assert_int_equal(icc_read(HPPIR(!group1)), behind);
		assert_true(bit_rd(v, 0, last, GICD_ISPENDR));
		assert_false(bit_rd(v, 0, first, GICD_ISACTIVER));
		/* It can be polled. */
		deliver();
		assert_int_equal(ack(!group1), behind);
		eoi(behind, !group1);
		assert_true(hw_signal());
		assert_false(vgic_vel2_iface_traps(v));
		assert_int_equal(ack(group1), last);
	}
}

/* A group that is off hides it; once on again it is the first, without another exit. */
static void behind_a_group_that_is_off(void **state)
{
	(void)state;
	l1_hcr_is(HCR_IMO);
	pend(2);
	pend(9);
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~(u64)ICH_VMCR_ENG0);
	deliver();
	assert_true(hw_signal());
	assert_true(traps(0) && traps(1));
	icc_write(IGRPEN(0), 1);
	deliver();
	assert_false(hw_signal());
	assert_int_equal(icc_read(IGRPEN(0)), 1);
}

/* Nothing is pending: nothing is held back, and nothing written. */
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

/* Acknowledged and read as if the interface were on. */
static void registers_while_held(void **state)
{
	u64 value = 0;

	(void)state;
	l1_hcr_is(0);
	pend(9);
	pend(10);
	v->traps_stale = false;
	v->traps.vel2.valid = true;
	deliver();
	assert_true(is_off() && traps(0) && traps(1));
	assert_true(v->traps_stale && !v->traps.vel2.valid); /* reads of ISR_EL1 trap as well */
	assert_int_equal(emul_isr(v, SR_ISR_EL1, true, &value), UNDEF);
	assert_int_equal(icc_read(HPPIR(1)), 9);
	assert_int_equal(icc_read(HPPIR(0)), SPURIOUS);
	assert_int_equal(isr_read(), BIT(7));
	assert_int_equal(icc_read(IAR(0)), SPURIOUS);
	assert_int_equal(icc_read(IAR(1)), 9);
	assert_int_equal(isr_read(), 0); /* 10 is not urgent enough */
	assert_int_equal(hw_running(), 0x20 + 8 * 9);
	/* The other is less urgent: pending, but it cannot be acknowledged. */
	assert_int_equal(icc_read(IAR(1)), SPURIOUS);
	assert_int_equal(icc_read(HPPIR(1)), 10);
	assert_true(bit_rd(v, 0, 9, GICD_ISACTIVER));
	assert_false(bit_rd(v, 0, 9, GICD_ISPENDR));
	deliver();
	assert_true(is_off());
	/* HPPIR ignores priority masks, and IAR ignores groups that are off. */
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~MASK(31, 24));
	assert_int_equal(icc_read(HPPIR(1)), 10);
	assert_int_equal(icc_read(IAR(1)), SPURIOUS);
	icc_write(IGRPEN(1), 0);
	assert_int_equal(icc_read(HPPIR(1)), SPURIOUS);
	/*
	 * Not of the interface, not accessible in that direction, or absent with 5 preemption bits.
	 */
	static const u32 others[] = { SYSREG_KEY(3, 0, 4, 6, 0), SYSREG_KEY(3, 0, 12, 11, 1),
				      SYSREG_KEY(3, 4, 12, 9, 5) };
	static const u32 no[] = { SYSREG_KEY(3, 0, 12, 12, 5), EOIR(0), EOIR(1), APR(0, 1),
				  APR(1, 3), SYSREG_KEY(3, 0, 12, 9, 4) };
	static const u32 no_write[] = { IAR(0), IAR(1), HPPIR(0), HPPIR(1), APR(1, 1) };
	for (u32 i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(vgic_vel2_icc(v, others[i], false, &value), PASS);
	for (u32 i = 0; i < ARRAY_SIZE(no); i++)
		assert_int_equal(vgic_vel2_icc(v, no[i], false, &value), UNDEF);
	for (u32 i = 0; i < ARRAY_SIZE(no_write); i++)
		assert_int_equal(vgic_vel2_icc(v, no_write[i], true, &value), UNDEF);
}

/* An end drops the highest active priority, only of its group, and deactivates with EOImode 0. */
static void ended_while_held(void **state)
{
	(void)state;
	for (u32 split = 0; split < 2; split++) {
		down(NULL);
		up(NULL);
		l1_hcr_is(0);
		vmcr_set(0xf8, split);
		pend(9);
		deliver();
		assert_int_equal(ack(1), 9);
		pend(2);
		deliver();
		assert_int_equal(ack(0), 2);
		pend(1);
		deliver();
		assert_true(is_off());
		icc_write(EOIR(1), 9); /* not its turn */
		icc_write(EOIR(0), SPURIOUS);
		assert_int_equal(hw_running(), 0x20 + 8 * 2);
		icc_write(EOIR(0), 2);
		assert_int_equal(hw_running(), 0x20 + 8 * 9);
		assert_int_equal(bit_rd(v, 0, 2, GICD_ISACTIVER), split);
		icc_write(EOIR(1), 9);
		assert_int_equal(hw_running(), 0x100);
		assert_int_equal(bit_rd(v, 0, 9, GICD_ISACTIVER), split);
		icc_write(EOIR(1), 9); /* nothing is active */
		deliver();
		hw_dir(v, 9);
		assert_false(bit_rd(v, 0, 9, GICD_ISACTIVER));
	}
}

/* A physical one ends as well: its timer can fire again. */
static void ended_to_the_hardware(void **state)
{
	(void)state;
	l1_hcr_is(0);
	set_prio(v, 0, 30, 0x10);
	assert_true(phys_fire(30, true));
	vgic_inject_ppi_hw(v, 30, 30);
	pend(2);
	deliver();
	assert_int_equal(ack(1), 30);
	assert_true(phys_active(30, 0));
	phys[0][0].pending &= ~(1u << 30);
	eoi(30, 1);
	assert_false(phys_active(30, 0));
	assert_false(bit_rd(v, 0, 30, GICD_ISACTIVER));
}

/* An SPI that another vcpu has in its list registers: tried again until that one has answered. */
static void ended_elsewhere(void **state)
{
	u64 value = 40;

	(void)state;
	wr(v, GICD_AT + GICD_IROUTER + 40 * 8, 8, 1);
	bit_wr(v, 0, 40, GICD_ISENABLER);
	bit_wr(v, 0, 40, GICD_ISPENDR);
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(1), 40);
	fake_cpu = 0;
	l1_hcr_is(0);
	pend(9);
	deliver();
	assert_int_equal(ack(1), 9);
	deaf = true;
	assert_int_equal(vgic_vel2_icc(v, EOIR(1), true, &value), AGAIN);
	assert_int_equal(hw_running(), 0x20 + 8 * 9);
	deaf = false;
	fake_cpu = 1;
	vgic_serve_sync(&vcpu[1]);
	fake_cpu = 0;
	assert_int_equal(vgic_vel2_icc(v, EOIR(1), true, &value), SKIP);
	assert_int_equal(hw_running(), 0x100);
	assert_false(bit_rd(v, 0, 40, GICD_ISACTIVER));
}

/* Each field of ICH_VMCR_EL2 and ICH_AP<g>R<n>_EL2, by IHI 0069. */
static void fields_while_held(void **state)
{
	(void)state;
	l1_hcr_is(0);
	pend(9);
	deliver();
	for (u32 n = 2; n < 8; n++) {
		icc_write(BPR(0), n);
		icc_write(BPR(1), 9 - n);
		assert_int_equal(FIELD(fake_get("ICH_VMCR_EL2"), 23, 21), n);
		assert_int_equal(FIELD(fake_get("ICH_VMCR_EL2"), 20, 18), 9 - n);
		assert_int_equal(icc_read(BPR(0)), n);
		assert_int_equal(icc_read(BPR(1)), 9 - n);
		fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") | ICH_VMCR_CBPR);
		assert_int_equal(icc_read(BPR(1)), n < 7 ? n + 1 : 7);
		icc_write(BPR(1), 2);
		fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~(u64)ICH_VMCR_CBPR);
		assert_int_equal(icc_read(BPR(1)), 9 - n);
	}
	for (u32 g = 0; g < 2; g++) {
		const char *name = g ? "ICH_AP1R0_EL2" : "ICH_AP0R0_EL2";

		icc_write(APR(g, 0), 0xffff0000UL << 32 | (0x1230 + g));
		assert_int_equal(fake_get(name), 0x1230 + g);
		assert_int_equal(icc_read(APR(g, 0)), 0x1230 + g);
		icc_write(IGRPEN(g), 0xfe);
		assert_int_equal(icc_read(IGRPEN(g)), 0);
		assert_int_equal(icc_read(IGRPEN(!g)), 1);
		icc_write(IGRPEN(g), 1);
		assert_int_equal(FIELD(fake_get("ICH_VMCR_EL2"), 1, 0), 3);
	}
}

/* L2 with L1's own interrupts (IMO = 0): an FIQ of L1 takes it out. */
static void l2_is_taken_out_for_an_fiq(void **state)
{
	(void)state;
	for (u32 fmo = 0; fmo < 2; fmo++)
		for (u32 group1 = 0; group1 < 2; group1++) {
			down(NULL);
			up(NULL);
			l1_hcr_is(fmo ? HCR_FMO : 0);
			v->in_vel2 = false;
			vgic_level_switch(v);
			pend(group1 ? 9 : 1);
			assert_int_equal(deliver(), fmo && !group1);
			assert_int_equal(hw_signal(), !(fmo && !group1));
		}
	/* With IMO = 1 they are in memory, and routing does nothing. */
	down(NULL);
	up(NULL);
	l1_hcr_is(HCR_IMO | HCR_FMO);
	v->in_vel2 = false;
	vgic_level_switch(v);
	assert_int_equal(v->vgic.where, VGIC_VEL1);
	assert_false(vgic_vel2_route(v));
	assert_true(fake_get("ICH_HCR_EL2") == 0);
}

/* One that is behind an IRQ of L2 takes it out as soon as it is first, and is never L2's. */
static void l2_and_an_fiq_behind(void **state)
{
	(void)state;
	l1_hcr_is(HCR_FMO);
	page[VNCR_ICH_HCR_EL2 / 8] = ICH_HCR_TC;
	vm.nested.ich_hcr = ICH_HCR_TRAPS;
	v->in_vel2 = false;
	vgic_level_switch(v);
	set_prio(v, 0, 9, 0x10);
	pend(9);
	pend(1);
	assert_false(deliver());
	assert_true(hw_signal() && traps(0) && traps(1));
	assert_true(fake_get("ICH_HCR_EL2") & ICH_HCR_TC); /* L1's own */
	assert_int_equal(icc_read(IAR(1)), 9);
	assert_false(deliver());
	assert_false(hw_signal());
	icc_write(EOIR(1), 9);
	vmcr_set(0x20, false);
	assert_false(deliver());
	assert_int_equal(soon, 1);
	vmcr_set(0xf8, false);
	assert_false(hw_signal());
	assert_true(deliver());
	/* At vEL2 it is signalled. */
	v->in_vel2 = true;
	vgic_level_switch(v);
	l1_hcr_is(HCR_FMO | HCR_IMO);
	assert_false(deliver());
	assert_true(hw_signal() && !vgic_vel2_iface_traps(v));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(held_by_group_and_level), T(most_urgent_counts),
		T(behind_it_stays_pending), T(behind_a_group_that_is_off),
		T(costs_nothing_while_idle), T(registers_while_held),
		T(ended_while_held), T(ended_to_the_hardware),
		T(ended_elsewhere), T(fields_while_held),
		T(l2_is_taken_out_for_an_fiq), T(l2_and_an_fiq_behind),
	};

	return cmocka_run_group_tests_name("vgic: routing at virtual EL2", tests, NULL, NULL);
}
