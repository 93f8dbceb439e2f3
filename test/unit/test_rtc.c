/* SPDX-License-Identifier: Apache-2.0 */
/* The date: from the machine's PL031, the firmware or nowhere, and by the counter from then on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/counter.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "boot/efi.h"
#include "dev/rtc.h"
#include "mm/stage1.h"

static u64 now;
static int mapped, map_error;

u64 counter_now(void)
{
	return now;
}

int stage1_map_device(u64 pa, u64 size)
{
	assert_int_equal(pa, 0x9010000);
	assert_int_equal(size, 0x1000);
	mapped++;
	return map_error;
}

/* DR alone; its other registers are nobody's but the firmware's. */
static u64 pl031(u64 at, unsigned size, bool write, u64 v)
{
	(void)v;
	assert_int_equal(at, 0x9010000);
	assert_int_equal(size, 4);
	assert_false(write);
	return 0xfedcba98;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_mmio_reset();
	fake_mmio_add(0x9010000, 0x1000, pl031);
	fake_set("CNTFRQ_EL0", 1000);
	now = 5500;
	mapped = map_error = 0;
	return 0;
}

static void from_pl031(void **state)
{
	const struct machine m = { .rtc = { 0x9010000, 0x1000 } };

	(void)state;
	rtc_init(&m);
	assert_int_equal(rtc_now(), 0xfedcba98);
	now += 999;
	assert_int_equal(rtc_now(), 0xfedcba98);
	now++;
	assert_int_equal(rtc_now(), 0xfedcba99);
	assert_int_equal(rtc_ticks_at(0xfedcba98), 5500);
	assert_int_equal(rtc_ticks_at(0xfedcba98 + 7), 12500);
}

/* The firmware's date is of an earlier moment; the machine's clock is not looked at. */
static void from_firmware(void **state)
{
	const struct machine m = { .rtc = { 0x9010000, 0x1000 },
				   .time = 1000000,
				   .time_ticks = 2500 };

	(void)state;
	rtc_init(&m);
	assert_int_equal(mapped, 0);
	assert_int_equal(rtc_now(), 1000003);
}

static void from_nowhere(void **state)
{
	struct machine m = { .rtc = { 0, 0 } };

	(void)state;
	rtc_init(&m);
	assert_int_equal(rtc_now(), 0);
	now += 2000;
	assert_int_equal(rtc_now(), 2);
	m.rtc = (struct range){ 0x9010000, 0x1000 };
	map_error = -EEXIST;
	rtc_init(&m);
	assert_int_equal(mapped, 1);
	assert_int_equal(rtc_now(), 0);
}

/* Against what `date -u -d ... +%s` prints. */
static void calendar(void **state)
{
	static const struct {
		struct efi_time t;
		u64 seconds;
	} dates[] = {
		{ { .year = 1970, .month = 1, .day = 1, .second = 1 }, 1 },
		{ { .year = 2000, .month = 2, .day = 29, .hour = 12 }, 951825600 },
		{ { .year = 2026, .month = 11, .day = 30, .hour = 23, .minute = 59, .second = 59 },
		  1796083199 },
		{ { .year = 2100, .month = 3, .day = 1 }, 4107542400 },
		{ { .year = 2026, .month = 1, .day = 1, .zone = -60 }, 1767222000 },
		{ { .year = 2026, .month = 1, .day = 1, .zone = 90 }, 1767231000 },
		{ { .year = 2026, .month = 1, .day = 1, .zone = 0x7ff }, 1767225600 },
		{ { .year = 1970, .month = 1, .day = 1, .zone = -60 }, 0 },
		{ { .year = 1969, .month = 1, .day = 1 }, 0 },
		{ { .year = 2100, .month = 2, .day = 29 }, 0 },
		{ { .year = 2026, .month = 13, .day = 1 }, 0 },
		{ { .year = 2026, .month = 0, .day = 1 }, 0 },
		{ { .year = 2026, .month = 4, .day = 31 }, 0 },
		{ { .year = 2026, .month = 4, .day = 0 }, 0 },
		{ { .year = 2026, .month = 4, .day = 1, .hour = 24 }, 0 },
		{ { .year = 2026, .month = 4, .day = 1, .minute = 60 }, 0 },
		{ { .year = 2026, .month = 4, .day = 1, .second = 60 }, 0 },
		{ { .year = 2026, .month = 4, .day = 1, .zone = 1441 }, 0 },
		{ { .year = 65535, .month = 4, .day = 1 }, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(dates); i++)
		assert_int_equal(efi_seconds(&dates[i].t), dates[i].seconds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(from_pl031, setup),
		cmocka_unit_test_setup(from_firmware, setup),
		cmocka_unit_test_setup(from_nowhere, setup),
		cmocka_unit_test(calendar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
