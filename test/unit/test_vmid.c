/* SPDX-License-Identifier: Apache-2.0 */
/* VMIDs: every one once, none twice, and not again too soon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "lib/check.h"
#include "mm/vmid.h"

static jmp_buf check_jump;

noreturn void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "(expected: %s:%d: CHECK(%s))\n", file, line, what);
	longjmp(check_jump, 1);
}

static bool held[65536];

/* Allocate all there are; each is given once. */
static u32 take_all(u32 limit)
{
	u32 n = 0;
	u16 v = 0;

	while (vmid_alloc(&v) == 0) {
		assert_int_not_equal(v, 0);
		assert_true(v < limit);
		if (held[v])
			fail_msg("VMID %u given out twice", v);
		held[v] = true;
		n++;
	}
	return n;
}

static void free_all(void)
{
	for (u32 v = 0; v < 65536; v++) {
		if (held[v])
			vmid_free((u16)v);
		held[v] = false;
	}
}

static void eight_bits_are_255(void **state)
{
	u16 v = 0;

	(void)state;
	feat.vmid16 = false;
	assert_int_equal(take_all(256), 255);
	assert_int_equal(vmid_alloc(&v), -ENOSPC);
	vmid_free(77);
	assert_int_equal(vmid_alloc(&v), 0);
	assert_int_equal(v, 77);
	assert_int_equal(vmid_alloc(&v), -ENOSPC);
	free_all();
}

static void sixteen_bits_are_65535(void **state)
{
	(void)state;
	feat.vmid16 = true;
	assert_int_equal(take_all(65536), 65535);
	free_all();
	assert_int_equal(take_all(65536), 65535);
	free_all();
}

/* One that was just freed is reused only after all others. */
static void reuse_takes_a_turn(void **state)
{
	u16 first = 0, v = 0;

	(void)state;
	feat.vmid16 = false;
	assert_int_equal(vmid_alloc(&first), 0);
	vmid_free(first);
	for (u32 i = 0; i < 254; i++) {
		assert_int_equal(vmid_alloc(&v), 0);
		assert_int_not_equal(v, first);
		vmid_free(v);
	}
	assert_int_equal(vmid_alloc(&v), 0);
	assert_int_equal(v, first);
	vmid_free(v);
}

static void bad_frees_are_checks(void **state)
{
	static const u16 bad[] = { 0, 5, 65535 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		if (setjmp(check_jump))
			continue;
		vmid_free(bad[i]);
		fail_msg("freeing VMID %u, which nobody has: expected a CHECK, found none", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_bits_are_255),
		cmocka_unit_test(sixteen_bits_are_65535),
		cmocka_unit_test(reuse_takes_a_turn),
		cmocka_unit_test(bad_frees_are_checks),
	};

	return cmocka_run_group_tests_name("vmid", tests, NULL, NULL);
}
