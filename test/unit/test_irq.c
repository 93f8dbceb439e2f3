/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets which physical interrupt, and which of them has ended when irq_handle() returns: each is
 * acknowledged and priority-dropped once; what a guest is to deactivate stays active.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "boot/fdt.h"
#include "dev/gicv3.h"
#include "vm/console.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "exit/run.h"
#include "vm/sched.h"
#include "state/vcpu.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

#define VIRT 27u
#define PHYS 30u
#define HYP_PHYS 26u
#define MAINT 25u
#define UART 33u
#define OWN 106u

struct cpu cpus[MAX_CPUS];
static struct vcpu vcpu;

/* What the GIC has pending, most urgent first; 0 ends it, SGI 0 is in here as 1024. */
static u32 pending[4];
static unsigned acks, eois, dirs;
static u32 last_eoi, last_dir;
static unsigned agains, timers, ticks, kicked, own_timers, maintenances, uarts, spis;
static unsigned owns;
static bool owns_edge;
static bool again_wanted;

struct cpu *cpu_this(void)
{
	return &cpus[0];
}

static u64 ack(u64 stored)
{
	u32 intid = pending[0];

	(void)stored;
	for (size_t i = 0; i + 1 < ARRAY_SIZE(pending); i++)
		pending[i] = pending[i + 1];
	acks++;
	return intid ? intid % 1024 : 1023;
}

static void eoi(u64 intid)
{
	eois++;
	last_eoi = (u32)intid;
}

static void dir(u64 intid)
{
	dirs++;
	last_dir = (u32)intid;
}

bool vgic_redeliver_ppi(struct vcpu *v, u32 pintid)
{
	assert_ptr_equal(v, &vcpu);
	agains += again_wanted && pintid == VIRT;
	return again_wanted && pintid == VIRT;
}

void vtimer_interrupt(struct vcpu *v, u32 intid)
{
	assert_ptr_equal(v, &vcpu);
	assert_true(intid == VIRT || intid == PHYS);
	timers++;
}

void vgic_maintenance(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	maintenances++;
}

void vgic_inject_spi_hw(u32 pintid)
{
	assert_int_equal(pintid, last_eoi);
	spis++;
}

void timer_interrupt(void)
{
	own_timers++;
}

static void uart_input(void)
{
	uarts++;
}

void gicv3_set_enable(u32 intid, bool on)
{
	assert_true(intid == UART || intid == OWN);
	assert_true(on);
}

void gicv3_set_edge(u32 intid, bool edge)
{
	assert_int_equal(intid, OWN);
	owns_edge = edge;
}

static void own_device(u32 intid)
{
	assert_int_equal(intid, OWN);
	owns++;
}

void sched_tick(struct cpu *cpu)
{
	assert_ptr_equal(cpu, &cpus[0]);
	ticks++;
}

void vcpu_kick(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	kicked++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_on_read("ICC_IAR1_EL1", ack);
	fake_on_write("ICC_EOIR1_EL1", eoi);
	fake_on_write("ICC_DIR_EL1", dir);
	machine.ppi_virt = VIRT;
	machine.ppi_phys = PHYS;
	machine.ppi_hyp_phys = HYP_PHYS;
	machine.ppi_maint = MAINT;
	machine.uart_intid = UART;
	irq_uart(uart_input);
	cpus[0].loaded = cpus[0].current = &vcpu;
	pending[0] = 0;
	acks = eois = dirs = 0;
	agains = timers = ticks = kicked = own_timers = maintenances = uarts = spis = 0;
	again_wanted = false;
	return 0;
}

/* One pending: served by *who, and inactive afterwards or not. */
static void one(u32 intid, const unsigned *who, bool over)
{
	setup(NULL);
	pending[0] = intid;
	pending[1] = 0;
	irq_handle();
	assert_int_equal(eois, 1);
	assert_int_equal(last_eoi, intid % 1024);
	assert_int_equal(dirs, over);
	if (over)
		assert_int_equal(last_dir, intid % 1024);
	assert_int_equal(timers + own_timers + maintenances + uarts + spis, !!who);
	if (who)
		assert_int_equal(*who, 1);
	assert_int_equal(ticks, 1);
	assert_int_equal(kicked, 0);
}

static void each_to_its_owner(void **state)
{
	(void)state;
	one(1024, NULL, true); /* SGI 0 */
	one(7, NULL, true);
	one(15, NULL, true);
	one(VIRT, &timers, false);
	one(PHYS, &timers, false);
	one(HYP_PHYS, &own_timers, true);
	one(MAINT, &maintenances, true);
	one(UART, &uarts, true);
	one(16, NULL, true); /* nobody has it */
	one(31, NULL, true);
	one(32, &spis, false);
	one(1019, &spis, false);
}

/* Timer and maintenance interrupts that belong to nobody end at once. */
static void nobody_loaded(void **state)
{
	static const u32 intids[] = { VIRT, PHYS, MAINT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		setup(NULL);
		again_wanted = true;
		cpus[0].loaded = cpus[0].current = NULL;
		pending[0] = intids[i];
		pending[1] = 0;
		irq_handle();
		assert_int_equal(eois, 1);
		assert_int_equal(dirs, 1);
		assert_int_equal(last_dir, intids[i]);
		assert_int_equal(agains + timers + maintenances, 0);
	}
}

/* An SPI of a device of nidus's own is not for a VM, and over when it is handled. */
static void own(void **state)
{
	(void)state;
	irq_own(OWN, true, own_device);
	assert_true(owns_edge);
	one(OWN, NULL, true);
	assert_int_equal(owns, 1);
	one(OWN + 1, &spis, false);
	assert_int_equal(owns, 1);
}

static void none(void **state)
{
	(void)state;
	irq_handle();
	assert_int_equal(acks, 1);
	assert_int_equal(eois + dirs, 0);
	assert_int_equal(ticks, 1);
}

static void all_that_is_pending(void **state)
{
	(void)state;
	pending[0] = 1024;
	pending[1] = VIRT;
	pending[2] = 32;
	pending[3] = 0;
	irq_handle();
	assert_int_equal(eois, 3);
	assert_int_equal(dirs, 1);
	assert_int_equal(timers, 1);
	assert_int_equal(spis, 1);
	assert_int_equal(ticks, 1);
}

/*
 * With the timer's list register written the exit is complete: another pending interrupt causes the
 * next exit.
 */
static void the_timer_again(void **state)
{
	(void)state;
	again_wanted = true;
	pending[0] = VIRT;
	pending[1] = 32;
	pending[2] = 0;
	irq_handle();
	assert_int_equal(acks, 1);
	assert_int_equal(agains, 1);
	assert_int_equal(eois, 1);
	assert_int_equal(last_eoi, VIRT);
	assert_int_equal(dirs + timers + spis + kicked, 0);
	irq_handle();
	assert_int_equal(spis, 1);
	/* Out of the idle loop, where somebody waits for it. */
	cpus[0].current = NULL;
	pending[0] = VIRT;
	pending[1] = 0;
	irq_handle();
	assert_int_equal(agains, 2);
	assert_int_equal(kicked, 1);
	assert_int_equal(dirs, 0);
}

/*
 * Out of a guest: the timer alone, or an interrupt that is acknowledged already and takes the slow
 * path.
 */
static void out_of_a_guest(void **state)
{
	static const u32 intids[] = { 1024, 7, PHYS, HYP_PHYS, 32 };
	u32 acked;

	(void)state;
	again_wanted = true;
	pending[0] = VIRT;
	pending[1] = 32;
	pending[2] = 0;
	assert_int_equal(irq_redeliver(&vcpu), INTID_OVER);
	assert_int_equal(acks, 1);
	assert_int_equal(eois, 1);
	assert_int_equal(last_eoi, VIRT);
	assert_int_equal(dirs + timers + spis + kicked + ticks, 0);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		setup(NULL);
		again_wanted = true;
		pending[0] = intids[i];
		pending[1] = 0;
		acked = irq_redeliver(&vcpu);
		assert_int_equal(acked, intids[i] % 1024);
		assert_int_equal(acks, 1);
		assert_int_equal(eois + dirs, 0);
		irq_acked(acked);
		assert_int_equal(acks, 2);
		assert_int_equal(eois, 1);
		assert_int_equal(last_eoi, intids[i] % 1024);
		assert_int_equal(ticks, 1);
	}
	/* There is no interrupt to handle, only the rest. */
	setup(NULL);
	assert_int_equal(irq_redeliver(&vcpu), 1023);
	irq_acked(1023);
	assert_int_equal(eois + dirs, 0);
	assert_int_equal(ticks, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(each_to_its_owner),   TEST(nobody_loaded),	TEST(own),   TEST(none),
		TEST(all_that_is_pending), TEST(the_timer_again), TEST(out_of_a_guest),
	};

	return cmocka_run_group_tests_name("irq", tests, NULL, NULL);
}
