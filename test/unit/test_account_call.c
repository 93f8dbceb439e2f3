/* SPDX-License-Identifier: Apache-2.0 */
/* The calls by which a VM reads its own account (docs/tracing.md), and that it reads no other's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "exit/hvc.h"
#include "state/account.h"
#include "state/vm.h"

#define NOT_SUPPORTED (-1L)
#define INVALID_PARAMETER (-3L)
#define HVC 0x5a000000UL
#define EXITS 0xc6000000
#define NAME 0xc6000001
#define TIME 0xc6000002
#define CLASSES 34 /* docs/tracing.md: 17 of L1, 17 of L2 */

static struct vcpu vcpus[2], other;
static u64 *const x = vcpus[0].gpr;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", 1000000);
	memset(vms, 0, sizeof(vms));
	memset(vcpus, 0, sizeof(vcpus));
	memset(&other, 0, sizeof(other));
	vms[0] = (struct vm){ .id = 1, .vcpu_count = 2, .vcpus = { &vcpus[0], &vcpus[1] } };
	vms[1] = (struct vm){ .id = 2, .vcpu_count = 1, .vcpus = { &other } };
	vcpus[0].vm = vcpus[1].vm = &vms[0];
	vcpus[1].index = 1;
	other.vm = &vms[1];
	for (u32 c = 0; c < CLASSES; c++) {
		vcpus[0].account.class[c] = (struct account_class){ 10 + c, 1000 + c, 0, 7 };
		vcpus[1].account.class[c] = (struct account_class){ 200, 3000, 0, 9 };
		other.account.class[c] = (struct account_class){ 1UL << 40, 1UL << 50, 0, 9 };
	}
	vcpus[0].account.run_ticks = 100000;
	vcpus[1].account.run_ticks = 200000;
	vcpus[0].stolen = 5;
	vcpus[1].stolen = 60;
	other.stolen = 1UL << 60;
	return 0;
}

static s64 call(u64 fid, u64 a1, u64 a2)
{
	x[0] = fid;
	x[1] = a1;
	x[2] = a2;
	x[3] = 0x333;
	x[4] = 0x444;
	assert_int_equal(hvc_trap(&vcpus[0], &(struct exit){ .esr = HVC }), RESUME);
	assert_int_equal(x[4], 0x444);
	return (s64)x[0];
}

static void exits(void **state)
{
	(void)state;
	for (u64 c = 0; c < CLASSES; c++) {
		assert_int_equal(call(EXITS, c, 0), 0);
		assert_int_equal(x[1], 10 + c);
		assert_int_equal(x[2], 1000 + c);
		assert_int_equal(call(EXITS, c, 1), 0);
		assert_int_equal(x[1], 200);
		assert_int_equal(call(EXITS, c, ~0UL), 0);
		assert_int_equal(x[1], 210 + c);
		assert_int_equal(x[2], 4000 + c);
	}
}

static void names(void **state)
{
	static const char *const want[] = { "UNKNOWN",  "IRQ",   "FIQ",   "SError", "WFx",
					    "FP_ASIMD", "SVE",   "SME",   "PAC",    "SVC64",
					    "HVC64",    "SMC64", "SYS64", "ERET",   "IABT_LOW",
					    "DABT_LOW", "OTHER" };

	(void)state;
	for (u64 c = 0; c < CLASSES; c++) {
		char text[17] = { 0 };

		assert_int_equal(call(NAME, c, 0), 0);
		memcpy(text, &x[1], 16);
		assert_string_equal(text, want[c % 17]);
		assert_int_equal(x[3], c < 17 ? 1 : 2);
	}
}

static void times(void **state)
{
	u64 nidus0 = CLASSES * 1000 + CLASSES * (CLASSES - 1) / 2, nidus1 = CLASSES * 3000;

	(void)state;
	assert_int_equal(call(TIME, 0, 0), 0);
	assert_int_equal(x[1], 100000 - nidus0);
	assert_int_equal(x[2], nidus0);
	assert_int_equal(x[3], 5);
	assert_int_equal(call(TIME, ~0UL, 0), 0);
	assert_int_equal(x[1], 300000 - nidus0 - nidus1);
	assert_int_equal(x[2], nidus0 + nidus1);
	assert_int_equal(x[3], 65);
	/* One that is in its run loop has been there until now. */
	vcpus[0].account.begun = 1000;
	fake_set("CNTPCT_EL0", 1500);
	assert_int_equal(call(TIME, 0, 0), 0);
	assert_int_equal(x[1], 100500 - nidus0);
	/* The counter may be read early, and a sum before a reset's: never a huge number. */
	vcpus[0].account.begun = 1505;
	assert_int_equal(call(TIME, 0, 0), 0);
	assert_int_equal(x[1], 100000 - nidus0);
	vcpus[0].account.before.guest_ticks = 200000;
	assert_int_equal(call(TIME, 0, 0), 0);
	assert_int_equal(x[1], 0);
}

/* Whatever the arguments: an answer or an error that leaves x1-x3 alone, and nobody else's. */
static void hostile(void **state)
{
	static const u64 bad[] = { CLASSES,    CLASSES + 1,    255,        0x80000000,
				   0xffffffff, 0x100000000UL,  1UL << 63,  ~0UL - 1,
				   ~0UL - 33,  0x4000000000UL, (u64)-1088, ~0UL };
	static const u64 vcpu[] = { 2, 3, 15, 16, 31, 1UL << 32, 1UL << 63, ~0UL - 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(call(EXITS, bad[i], 0), INVALID_PARAMETER);
		assert_int_equal(x[1], bad[i]);
		assert_int_equal(x[2], 0);
		assert_int_equal(x[3], 0x333);
		assert_int_equal(call(NAME, bad[i], 0), INVALID_PARAMETER);
		assert_int_equal(x[1], bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(vcpu); i++) {
		assert_int_equal(call(EXITS, 0, vcpu[i]), INVALID_PARAMETER);
		assert_int_equal(call(TIME, vcpu[i], 0), INVALID_PARAMETER);
		assert_int_equal(x[1], vcpu[i]);
		assert_int_equal(x[3], 0x333);
	}
	for (u64 fid = 0xc6000003; fid < 0xc6010000; fid++)
		assert_int_equal(call(fid, 0, 0), NOT_SUPPORTED);
	for (u64 fid = 0x86000000; fid < 0x8600ff00; fid++)
		assert_int_equal(call(fid, 0, 0), NOT_SUPPORTED);
}

static void identity(void **state)
{
	(void)state;
	assert_true(call(0x8600ff01, 0, 0) > 0);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(x[i] >> 32, 0);
	/* RFC 4122: version 4 in byte 6, variant 10x in byte 8. */
	assert_int_equal(x[1] >> 20 & 0xf, 4);
	assert_int_equal(x[2] >> 6 & 3, 2);
	assert_int_equal(call(0x8600ff03, 0, 0), 1);
	assert_int_equal(x[1], 0);
}

/* What comes before a reset of the VM is not told; nidus's own tables go on. */
static void reset(void **state)
{
	(void)state;
	account_reset(&vcpus[0].account);
	account_reset(&vcpus[1].account);
	assert_int_equal(call(EXITS, 3, ~0UL), 0);
	assert_int_equal(x[1], 0);
	assert_int_equal(x[2], 0);
	assert_int_equal(call(TIME, ~0UL, 0), 0);
	assert_int_equal(x[1], 0);
	assert_int_equal(x[2], 0);
	account_exit(&vcpus[1].account, ACCOUNT_VM, 3, 11);
	vcpus[1].account.run_ticks += 20;
	assert_int_equal(call(EXITS, 3, ~0UL), 0);
	assert_int_equal(x[1], 1);
	assert_int_equal(x[2], 11);
	assert_int_equal(call(TIME, 1, 0), 0);
	assert_int_equal(x[1], 9);
	assert_int_equal(x[2], 11);
	assert_int_equal(vcpus[1].account.class[3].count, 201);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(exits, setup),    cmocka_unit_test_setup(names, setup),
		cmocka_unit_test_setup(times, setup),    cmocka_unit_test_setup(hostile, setup),
		cmocka_unit_test_setup(identity, setup), cmocka_unit_test_setup(reset, setup),
	};

	return cmocka_run_group_tests_name("account_call", tests, NULL, NULL);
}
