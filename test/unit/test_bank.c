/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A level switch moves exactly the EL1 registers that differ between vEL2 and vEL1: to and from
 * their slots in the page of VNCR_EL2 (DDI 0487, "Enhanced support for nested virtualization"), and
 * writes no register that holds its value already, except for those that take effect at an
 * exception only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "state/vcpu.h"
#include "traps/bank.h"

struct feat feat;
static struct vcpu vcpu;
static u64 page[512];

/* By EL2's name for it; always: written without a comparison. */
static const struct row {
	const char *reg;
	u32 offset;
	u32 sr;
	bool always;
} rows[] = {
	{ "SCTLR_EL12", 0x110, SR_SCTLR_EL1, false },
	{ "CPACR_EL12", 0x100, SR_CPACR_EL1, false },
	{ "TTBR0_EL12", 0x200, SR_TTBR0_EL1, false },
	{ "TTBR1_EL12", 0x210, SR_TTBR1_EL1, false },
	{ "TCR_EL12", 0x120, SR_TCR_EL1, false },
	{ "MAIR_EL12", 0x140, SR_MAIR_EL1, false },
	{ "VBAR_EL12", 0x250, SR_VBAR_EL1, true },
	{ "CONTEXTIDR_EL12", 0x108, SR_CONTEXTIDR_EL1, false },
	{ "AFSR0_EL12", 0x128, SR_AFSR0_EL1, false },
	{ "AFSR1_EL12", 0x130, SR_AFSR1_EL1, false },
	{ "AMAIR_EL12", 0x148, SR_AMAIR_EL1, false },
	{ "ESR_EL12", 0x138, SR_ESR_EL1, true },
	{ "FAR_EL12", 0x220, SR_FAR_EL1, true },
	{ "ELR_EL12", 0x230, SR_ELR_EL1, true },
	{ "SPSR_EL12", 0x160, SR_SPSR_EL1, true },
	{ "SP_EL1", 0x240, SR_SP_EL1, true },
	/* It has no slot: nidus uses one that no register has. */
	{ "CNTKCTL_EL12", 0xff8, SR_CNTKCTL_EL1, false },
};

static u64 mark(u32 who, u32 i)
{
	return 0x1000000UL * who + 0x100 * i + 0x11;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	feat.el1_impdef = true;
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vncr = page;
	vcpu.has_vel2 = true;
	for (u32 i = 0; i < 512; i++)
		page[i] = 0x5555000000000000UL + i;
	for (u32 i = 0; i < SR_COUNT; i++)
		vcpu.sr[i] = 0x7777000000000000UL + i;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		fake_set(rows[i].reg, mark(1, i));
		page[rows[i].offset / 8] = mark(2, i);
		vcpu.sr[rows[i].sr] = mark(3, i);
	}
	return 0;
}

static bool is_row_offset(u32 offset)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].offset == offset)
			return true;
	return false;
}

static bool is_row_sr(u32 sr)
{
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].sr == sr)
			return true;
	return false;
}

static void others_stay(void)
{
	for (u32 i = 0; i < 512; i++)
		if (!is_row_offset(i * 8))
			assert_int_equal(page[i], 0x5555000000000000UL + i);
	for (u32 i = 0; i < SR_COUNT; i++)
		if (!is_row_sr(i))
			assert_int_equal(vcpu.sr[i], 0x7777000000000000UL + i);
}

static void to_vel1(void **state)
{
	(void)state;
	bank_enter_vel1(&vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (vcpu.sr[rows[i].sr] != mark(1, i) || fake_get(rows[i].reg) != mark(2, i))
			fail_msg("%s: kept %#lx, in the CPU %#lx", rows[i].reg,
				 vcpu.sr[rows[i].sr], fake_get(rows[i].reg));
		assert_int_equal(page[rows[i].offset / 8], mark(2, i));
	}
	others_stay();
	assert_int_equal(fake_writes_total(), ARRAY_SIZE(rows));
}

static void to_vel2(void **state)
{
	(void)state;
	bank_enter_vel2(&vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		if (page[rows[i].offset / 8] != mark(1, i) || fake_get(rows[i].reg) != mark(3, i))
			fail_msg("%s: kept %#lx, in the CPU %#lx", rows[i].reg,
				 page[rows[i].offset / 8], fake_get(rows[i].reg));
		assert_int_equal(vcpu.sr[rows[i].sr], mark(3, i));
	}
	others_stay();
	assert_int_equal(fake_writes_total(), ARRAY_SIZE(rows));
}

/* Nothing differs: only the registers that are not worth a comparison are written. */
static void the_same(void **state)
{
	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		page[rows[i].offset / 8] = vcpu.sr[rows[i].sr] = mark(1, i);
	bank_enter_vel1(&vcpu);
	bank_enter_vel2(&vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (fake_writes(rows[i].reg) != (rows[i].always ? 2 : 0))
			fail_msg("%s: %u writes", rows[i].reg, fake_writes(rows[i].reg));
}

/* Switching there and back leaves both as they were. */
static void round_trip(void **state)
{
	(void)state;
	bank_enter_vel1(&vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		fake_set(rows[i].reg, mark(4, i)); /* vEL1 changes all of them */
	bank_enter_vel2(&vcpu);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(fake_get(rows[i].reg), mark(1, i));
		assert_int_equal(page[rows[i].offset / 8], mark(4, i));
	}
}

/* Registers that keep nothing are not accessed. */
static void absent(void **state)
{
	(void)state;
	feat.el1_impdef = false;
	bank_enter_vel1(&vcpu);
	bank_enter_vel2(&vcpu);
	assert_int_equal(fake_writes("AFSR0_EL12"), 0);
	assert_int_equal(fake_writes("AFSR1_EL12"), 0);
	assert_int_equal(fake_writes("AMAIR_EL12"), 0);
	assert_int_equal(fake_writes("MAIR_EL12"), 2);
}

/* What nidus keeps open in CPACR_EL1 for itself is in no value that a guest reads. */
static void hidden_fields(void **state)
{
	const u64 hidden = 3UL << 24; /* SMEN: the VM has no SME */

	(void)state;
	vcpu.cpacr_hidden = hidden;
	page[0x100 / 8] = 3UL << 20;
	vcpu.sr[SR_CPACR_EL1] = hidden;
	bank_enter_vel1(&vcpu);
	assert_int_equal(fake_get("CPACR_EL12"), 3UL << 20 | hidden);
	bank_enter_vel2(&vcpu);
	assert_int_equal(page[0x100 / 8], 3UL << 20);
	bank_load_vncr(&vcpu);
	assert_int_equal(fake_get("CPACR_EL12"), 3UL << 20 | hidden);
	bank_save_vncr(&vcpu);
	assert_int_equal(page[0x100 / 8], 3UL << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(to_vel1, setup),
		cmocka_unit_test_setup(to_vel2, setup),
		cmocka_unit_test_setup(the_same, setup),
		cmocka_unit_test_setup(round_trip, setup),
		cmocka_unit_test_setup(absent, setup),
		cmocka_unit_test_setup(hidden_fields, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
