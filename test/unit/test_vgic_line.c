/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Level-sensitive interrupts of the machine whose line falls before the guest acknowledges them: by
 * IHI 0069 such an interrupt is pending only while its input is asserted.
 */
#include "gic_model.h"

#define TIMER 27
#define PTIMER 30
#define SPI 50
#define PSPI 70

static int up(void **state)
{
	(void)state;
	vm_up(2, 4);
	open_up();
	assert_int_equal(vgic_assign_spi(&vm, SPI, PSPI, false), 0);
	bit_wr(&vcpu[0], 0, SPI, GICD_ISENABLER);
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	return 0;
}

static void fire(u32 intid)
{
	fake_cpu = 0;
	assert_true(phys_fire(intid, true));
	if (intid == PSPI)
		vgic_inject_spi_hw(intid);
	else if (!vgic_redeliver_ppi(&vcpu[0], intid))
		vgic_inject_ppi_hw(&vcpu[0], intid, intid);
}

static void falls(u32 intid)
{
	phys[0][intid / 32].pending &= ~(1u << intid % 32);
}

static void expect_ack(u32 intid)
{
	enter(&vcpu[0]);
	assert_int_equal(hw_ack(1), intid);
}

/* Nothing is signalled, and the physical one may fire again. */
static void expect_over(u32 intid)
{
	enter(&vcpu[0]);
	assert_false(hw_signal());
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	assert_false(phys_active(intid, 0));
}

static void serve(u32 intid, u32 pintid)
{
	expect_ack(intid);
	falls(pintid);
	hw_eoi(intid, 1);
	expect_over(pintid);
}

static void both(void (*test)(u32 intid, u32 pintid))
{
	test(TIMER, TIMER);
	test(SPI, PSPI);
}

static void in_a_list_register(u32 intid, u32 pintid)
{
	for (int i = 0; i < 4; i++) {
		fire(pintid);
		enter(&vcpu[0]);
		assert_true(hw_signal());
		/* Checked while its line is high, it stays. */
		enter(&vcpu[0]);
		assert_true(hw_signal());
		falls(pintid);
		expect_over(pintid);
		fire(pintid);
		serve(intid, pintid);
	}
}

static void while_disabled(u32 intid, u32 pintid)
{
	fire(pintid);
	bit_wr(&vcpu[0], 0, intid, GICD_ICENABLER);
	enter(&vcpu[0]);
	assert_false(hw_signal());
	falls(pintid);
	bit_wr(&vcpu[0], 0, intid, GICD_ISENABLER);
	expect_over(pintid);
	/* The same with its line still high. */
	fire(pintid);
	bit_wr(&vcpu[0], 0, intid, GICD_ICENABLER);
	enter(&vcpu[0]);
	bit_wr(&vcpu[0], 0, intid, GICD_ISENABLER);
	serve(intid, pintid);
}

static void while_the_group_is_off(u32 intid, u32 pintid)
{
	(void)intid;
	fire(pintid);
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 0);
	enter(&vcpu[0]);
	falls(pintid);
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 3);
	expect_over(pintid);
}

static void by_its_register(u32 intid, u32 pintid)
{
	fire(pintid);
	enter(&vcpu[0]);
	assert_true(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
	falls(pintid);
	assert_false(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
	expect_over(pintid);
	/* Pending by ISPENDR as well: that stays. */
	fire(pintid);
	bit_wr(&vcpu[0], 0, intid, GICD_ISPENDR);
	enter(&vcpu[0]);
	falls(pintid);
	enter(&vcpu[0]);
	assert_true(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
	expect_ack(intid);
	hw_eoi(intid, 1);
	expect_over(pintid);
}

/* While active, its line is the physical ISPENDR. */
static void while_active(u32 intid, u32 pintid)
{
	fire(pintid);
	expect_ack(intid);
	assert_true(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
	falls(pintid);
	assert_false(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
	enter(&vcpu[0]);
	hw_eoi(intid, 1);
	expect_over(pintid);
}

static void edges_stay(void **state)
{
	(void)state;
	fire(PSPI);
	bit_wr(&vcpu[0], 0, SPI, GICD_ICENABLER);
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + SPI / 16 * 4, 4, 2u << SPI % 16 * 2);
	falls(PSPI);
	bit_wr(&vcpu[0], 0, SPI, GICD_ISENABLER);
	expect_ack(SPI);
}

/* Outside the list registers for want of room. */
static void outside(void **state)
{
	(void)state;
	for (u32 i = 1; i < 5; i++) {
		set_prio(&vcpu[0], 0, i, 0x40);
		assert_int_equal(vgic_sgi(&vcpu[0], (u64)i << ICC_SGIR_INTID_SHIFT | 1, true),
				 SKIP);
	}
	fire(TIMER);
	fire(PSPI);
	enter(&vcpu[0]);
	falls(TIMER);
	falls(PSPI);
	for (u32 i = 1; i < 5; i++) {
		expect_ack(i);
		hw_eoi(i, 1);
	}
	expect_over(TIMER);
	assert_false(phys_active(PSPI, 0));
}

/* The fast path of one timer must not hide that another's line has fallen. */
static void two_timers(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		fire(TIMER);
		enter(&vcpu[0]);
		fire(PTIMER);
		enter(&vcpu[0]);
		expect_ack(TIMER);
		falls(TIMER);
		hw_eoi(TIMER, 1);
		falls(PTIMER);
		fire(TIMER);
		expect_ack(TIMER);
		falls(TIMER);
		hw_eoi(TIMER, 1);
		expect_over(PTIMER);
	}
}

static void moves(void **state)
{
	(void)state;
	fire(TIMER);
	enter(&vcpu[0]);
	put(&vcpu[0]);
	assert_false(phys_active(TIMER, 0));
	/* Another vcpu reads the line by the registers in memory. */
	assert_true(bit_rd(&vcpu[1], 0, TIMER, GICD_ISPENDR));
	load(&vcpu[0], 0);
	falls(TIMER);
	expect_over(TIMER);
	put(&vcpu[0]);
	assert_false(bit_rd(&vcpu[1], 0, TIMER, GICD_ISPENDR));
}

/*
 * A check reads a register of the CPU, or GICD_ISPENDR if an SPI waits; none is made once the guest
 * is done.
 */
static void costs(void **state)
{
	unsigned mmio;

	(void)state;
	for (int i = 0; i < 3; i++) {
		fire(TIMER);
		serve(TIMER, TIMER);
	}
	fire(TIMER);
	assert_true(vgic_work(&vcpu[0].vgic));
	mmio = phys_mmio;
	enter(&vcpu[0]);
	enter(&vcpu[0]);
	serve(TIMER, TIMER);
	assert_false(vgic_work(&vcpu[0].vgic));
	assert_int_equal(phys_mmio, mmio);
}

/* A sleeping guest's timers need no check; a device's interrupt does. */
static void whose_wait(void **state)
{
	(void)state;
	fire(TIMER);
	enter(&vcpu[0]);
	assert_false(vgic_work(&vcpu[0].vgic) & ~VGIC_WORK_TIMERS);
	assert_true(vgic_work(&vcpu[0].vgic) & VGIC_WORK_TIMERS);
	fire(PSPI);
	for (u32 i = 0; i < 2; i++) { /* placed, then checked */
		enter(&vcpu[0]);
		assert_true(vgic_work(&vcpu[0].vgic) & ~VGIC_WORK_TIMERS);
	}
	expect_ack(TIMER);
	falls(TIMER);
	hw_eoi(TIMER, 1);
	fire(TIMER);
	assert_true(vgic_work(&vcpu[0].vgic) & ~VGIC_WORK_TIMERS);
	expect_ack(TIMER);
	falls(TIMER);
	hw_eoi(TIMER, 1);
	serve(SPI, PSPI);
}

#define BOTH(test)                                                                                 \
	static void of_##test(void **state)                                                        \
	{                                                                                          \
		(void)state;                                                                       \
		both(test);                                                                        \
	}
BOTH(in_a_list_register)
BOTH(while_disabled)
BOTH(while_the_group_is_off)
BOTH(by_its_register)
BOTH(while_active)

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(of_in_a_list_register),
		T(of_while_disabled),
		T(of_while_the_group_is_off),
		T(of_by_its_register),
		T(of_while_active),
		T(edges_stay),
		T(outside),
		T(two_timers),
		T(moves),
		T(costs),
		T(whose_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
