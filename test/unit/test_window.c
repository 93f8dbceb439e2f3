/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: what a walk of TTBR1_EL2's half finds, and that a window that was shut is gone from all
 * TLBs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "mm/page.h"
#include "mm/window.h"

/* A walk as hardware does it: 25 bits, 4 KiB, from level 2. 0: no translation. */
static u64 walk(u64 va)
{
	u64 entry = ((u64 *)window_table())[va >> 21 & 15];

	assert_int_equal(va >> 25, ~0UL >> 25);
	return entry & 1 ? ((u64 *)(entry & MASK(47, 12)))[va >> 12 & 511] : 0;
}

static u64 tlbi_arg, at_tlbi;
static unsigned tlbis;

static void on_tlbi(u64 arg)
{
	tlbi_arg = arg;
	at_tlbi = walk(~0UL << 56 | arg << 12);
	tlbis++;
}

static void open_and_shut(void **state)
{
	static const u32 numbers[] = { 0, 1, 511, 512, 513, WINDOWS - 1 };

	(void)state;
	fake_reset();
	fake_on_write("TLBI_VAE2IS", on_tlbi);
	assert_int_equal(window_table() & 127, 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		u32 n = numbers[i];
		u64 va = window_address(n);

		assert_int_equal(walk(va), 0);
		tlbis = 0;
		window_open(n, 0x123456000 + n * PAGE_SIZE, n & 1);
		/* Page, MAIR 0, AP[2] unless writable, inner shareable, AF, PXN, UXN. */
		assert_int_equal(walk(va), (0x123456000 + n * PAGE_SIZE) | 3 | 0x700 |
						   (n & 1 ? 0 : 0x80) | 3UL << 53);
		assert_int_equal(tlbis, 0);
		window_close(n);
		assert_int_equal(walk(va), 0);
		assert_int_equal(tlbis, 1);
		assert_int_equal(tlbi_arg, FIELD(va, 55, 12));
		assert_int_equal(at_tlbi, 0); /* gone before it is invalidated */
	}
}

static void neighbours(void **state)
{
	(void)state;
	window_open(7, 0x40000000, true);
	window_open(8, 0x40001000, false);
	assert_int_equal(window_address(8) - window_address(7), PAGE_SIZE);
	window_close(7);
	assert_int_equal(walk(window_address(7)), 0);
	assert_int_not_equal(walk(window_address(8)), 0);
	window_close(8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_and_shut),
		cmocka_unit_test(neighbours),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
