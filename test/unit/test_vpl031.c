/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated PL031 as its manual describes it: date, setting it, alarms, reset. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "dev/pl031_regs.h"
#include "dev/rtc.h"
#include "dev/timer.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/vpl031.h"

#define INTID 34
#define HZ 1000
#define DATE 0x60000000UL

static u64 ticks; /* rtc_now() is DATE at 0 */
static bool line;
static unsigned changes;
static struct timer *armed;

u64 rtc_now(void)
{
	return DATE + ticks / HZ;
}

u64 rtc_ticks_at(u64 seconds)
{
	return (seconds - DATE) * HZ;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	t->fn = fn;
}

void timer_set(struct timer *t, u64 deadline)
{
	t->deadline = deadline;
	armed = t;
}

void timer_cancel(struct timer *t)
{
	if (armed == t)
		armed = NULL;
}

void vgic_set_spi(struct vm *vm, u32 intid, bool level)
{
	(void)vm;
	assert_int_equal(intid, INTID);
	assert_int_not_equal(level, line); /* only changes are reported */
	line = level;
	changes++;
}

static struct vm vm;

static u32 rd(u64 offset)
{
	struct mmio m = { .offset = offset, .size = 4 };

	assert_true(vpl031_mmio(NULL, vm.rtc, &m));
	return (u32)m.data;
}

static void wr(u64 offset, u32 v)
{
	struct mmio m = { .offset = offset, .size = 4, .write = true, .data = v };

	assert_true(vpl031_mmio(NULL, vm.rtc, &m));
}

/* Time goes by, and a timer fires that is due. */
static void pass_ticks(u64 n)
{
	ticks += n;
	while (armed && armed->deadline <= ticks) {
		struct timer *t = armed;

		armed = NULL;
		t->fn(t);
	}
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	ticks = changes = 0;
	line = false;
	vm.layout.rtc = 0x09010000;
	vm.layout.rtc_intid = INTID;
	return vpl031_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	vpl031_destroy(&vm);
	assert_null(armed);
	return 0;
}

static void identity(void **state)
{
	static const u8 id[] = { 0x31, 0x10, 0x14, 0, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(rd(0xfe0 + 4 * i), id[i]);
	assert_int_equal(rd(0x0c), 1); /* it runs */
	wr(0x0c, 0);
	assert_int_equal(rd(0x0c), 1); /* and can't be stopped */
	assert_int_equal(rd(0x20), 0);
	assert_int_equal(rd(0xfdc), 0);
	for (u32 reg = 0x04; reg < 0x20; reg += 4)
		if (reg != 0x0c)
			assert_int_equal(rd(reg), 0);
	assert_int_equal(vm.mmio.count, 1);
	assert_int_equal(vm.mmio.region[0].base, 0x09010000);
}

static void sizes(void **state)
{
	static const struct mmio bad[] = { { .size = 8 },
					   { .offset = 2, .size = 4 },
					   { .offset = 3, .size = 2 } };
	struct mmio narrow = { .offset = 2, .size = 1 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct mmio m = bad[i];

		assert_false(vpl031_mmio(NULL, vm.rtc, &m));
	}
	wr(PL031_LR, 0x12345678);
	assert_true(vpl031_mmio(NULL, vm.rtc, &narrow));
	assert_int_equal(narrow.data, 0x34);
	narrow = (struct mmio){ .offset = 0xfe0, .size = 2 };
	assert_true(vpl031_mmio(NULL, vm.rtc, &narrow));
	assert_int_equal(narrow.data, 0x31);
}

static void date(void **state)
{
	(void)state;
	assert_int_equal(rd(PL031_DR), DATE);
	pass_ticks(HZ - 1);
	assert_int_equal(rd(PL031_DR), DATE);
	pass_ticks(1);
	assert_int_equal(rd(PL031_DR), DATE + 1);
	wr(PL031_DR, 5); /* read-only */
	assert_int_equal(rd(PL031_DR), DATE + 1);
}

/* Set by the guest, over the wrap of 32 bits, and kept when the VM is reset. */
static void set_date(void **state)
{
	(void)state;
	wr(PL031_LR, 0xffffffff);
	assert_int_equal(rd(PL031_DR), 0xffffffff);
	assert_int_equal(rd(PL031_LR), 0xffffffff);
	pass_ticks(3 * HZ);
	assert_int_equal(rd(PL031_DR), 2);
	wr(PL031_LR, 1000);
	wr(PL031_MR, 2000);
	wr(PL031_IMSC, 1);
	vpl031_reset(&vm);
	assert_int_equal(rd(PL031_DR), 1000);
	assert_int_equal(rd(PL031_MR), 0);
	assert_int_equal(rd(PL031_LR), 0);
	assert_int_equal(rd(PL031_IMSC), 0);
	assert_null(armed);
}

static void alarm_rings(void **state)
{
	(void)state;
	pass_ticks(HZ / 2);
	wr(PL031_IMSC, 1);
	wr(PL031_MR, (u32)DATE + 3);
	assert_false(line);
	pass_ticks(5 * HZ / 2 - 1);
	assert_false(line);
	assert_int_equal(rd(PL031_RIS), 0);
	pass_ticks(1);
	assert_true(line);
	assert_int_equal(rd(PL031_RIS), 1);
	assert_int_equal(rd(PL031_MIS), 1);
	wr(PL031_ICR, 0);
	assert_true(line);
	wr(PL031_ICR, 1);
	assert_false(line);
	/* Once, also while counter and match are still the same. */
	assert_int_equal(rd(PL031_RIS), 0);
	pass_ticks(100 * HZ);
	assert_false(line);
	assert_int_equal(changes, 2);
	/* And again when the counter comes round. */
	pass_ticks((BIT(32) - 100) * HZ);
	assert_true(line);
}

static void masked(void **state)
{
	(void)state;
	wr(PL031_MR, (u32)DATE + 2);
	assert_null(armed); /* nobody waits */
	pass_ticks(5 * HZ);
	assert_int_equal(rd(PL031_RIS), 1);
	assert_int_equal(rd(PL031_MIS), 0);
	assert_false(line);
	wr(PL031_IMSC, 0xffffffff);
	assert_int_equal(rd(PL031_IMSC), 1);
	assert_true(line);
	assert_null(armed);
	wr(PL031_IMSC, 0);
	assert_false(line);
	assert_int_equal(rd(PL031_RIS), 1);
}

/* Counter and match that are the same at once, by either. */
static void equal_now(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, (u32)DATE);
	assert_true(line);
	wr(PL031_ICR, 1);
	wr(PL031_MR, 77);
	assert_false(line);
	wr(PL031_LR, 76);
	assert_false(line);
	wr(PL031_LR, 77);
	assert_true(line);
}

/* A change of either moves the alarm; one in the past is the next round's. */
static void moved(void **state)
{
	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, (u32)DATE + 10);
	wr(PL031_LR, (u32)DATE + 5);
	pass_ticks(5 * HZ - 1);
	assert_false(line);
	pass_ticks(1);
	assert_true(line);
	wr(PL031_ICR, 1);
	wr(PL031_MR, (u32)DATE + 9);
	pass_ticks(HZ);
	assert_false(line);
	wr(PL031_MR, (u32)DATE + 100);
	pass_ticks(200 * HZ);
	assert_true(line);
	vpl031_reset(&vm);
	assert_false(line);
}

/* A timer's function that comes late finds another alarm, or no VM. */
static void late_timer(void **state)
{
	struct timer *t;

	(void)state;
	wr(PL031_IMSC, 1);
	wr(PL031_MR, (u32)DATE + 1);
	t = armed;
	wr(PL031_MR, (u32)DATE + 50);
	t->fn(t);
	assert_false(line);
	assert_non_null(armed);
	vpl031_destroy(&vm);
	pass_ticks(100 * HZ);
	t->fn(t);
	assert_false(line);
	assert_null(armed);
	vpl031_destroy(&vm);
	vpl031_reset(&vm);
	memset(&vm.mmio, 0, sizeof(vm.mmio));
	assert_int_equal(vpl031_create(&vm), 0);
	assert_int_equal(rd(PL031_DR), DATE + 100);
}

/* Each VM has a date of its own, and there is a clock for each. */
static void others(void **state)
{
	static struct vm more[MAX_VMS];
	u32 n = 0;

	(void)state;
	wr(PL031_LR, 5);
	for (; n < MAX_VMS; n++) {
		struct mmio m = { .size = 4 };

		if (vpl031_create(&more[n]))
			break;
		assert_true(vpl031_mmio(NULL, more[n].rtc, &m));
		assert_int_equal(m.data, DATE);
	}
	assert_int_equal(n, MAX_VMS - 1);
	assert_null(more[n].rtc);
	while (n)
		vpl031_destroy(&more[--n]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(identity, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(date, setup, teardown),
		cmocka_unit_test_setup_teardown(set_date, setup, teardown),
		cmocka_unit_test_setup_teardown(alarm_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(masked, setup, teardown),
		cmocka_unit_test_setup_teardown(equal_now, setup, teardown),
		cmocka_unit_test_setup_teardown(moved, setup, teardown),
		cmocka_unit_test_setup_teardown(late_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
