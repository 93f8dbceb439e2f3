/* SPDX-License-Identifier: Apache-2.0 */
/* What firmware left in EL2's control registers, on CPUs that have them and on CPUs that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "boot/el2.h"

/*
 * A register, the field of an ID register that says that it exists, the least value, and what it
 * must hold.
 */
static const struct {
	const char *reg, *id;
	u32 lsb, min;
	u64 value;
} regs[] = {
	{ "HCRX_EL2", "ID_AA64MMFR1_EL1", 40, 1, 0 },
	{ "HFGRTR_EL2", "ID_AA64MMFR0_EL1", 56, 1, 0 },
	{ "HFGWTR_EL2", "ID_AA64MMFR0_EL1", 56, 1, 0 },
	{ "HFGITR_EL2", "ID_AA64MMFR0_EL1", 56, 1, 0 },
	{ "HDFGRTR_EL2", "ID_AA64MMFR0_EL1", 56, 1, 0 },
	{ "HDFGWTR_EL2", "ID_AA64MMFR0_EL1", 56, 1, 0 },
	{ "HFGRTR2_EL2", "ID_AA64MMFR0_EL1", 56, 2, 0 },
	{ "HFGWTR2_EL2", "ID_AA64MMFR0_EL1", 56, 2, 0 },
	{ "HFGITR2_EL2", "ID_AA64MMFR0_EL1", 56, 2, 0 },
	{ "HDFGRTR2_EL2", "ID_AA64MMFR0_EL1", 56, 2, 0 },
	{ "HDFGWTR2_EL2", "ID_AA64MMFR0_EL1", 56, 2, 0 },
	{ "CNTPOFF_EL2", "ID_AA64MMFR0_EL1", 60, 2, 0 },
	{ "MPAM2_EL2", "ID_AA64PFR0_EL1", 40, 1, 3UL << 48 },
	{ "MPAM1_EL12", "ID_AA64PFR0_EL1", 40, 1, 0 },
	{ "MPAM0_EL1", "ID_AA64PFR0_EL1", 40, 1, 0 },
	{ "MPAM2_EL2", "ID_AA64PFR1_EL1", 16, 1, 3UL << 48 }, /* v0.1: only in MPAM_frac */
	{ "PMBLIMITR_EL1", "ID_AA64DFR0_EL1", 32, 1, 0 },
	{ "PMSCR_EL2", "ID_AA64DFR0_EL1", 32, 1, 0 },
	{ "PMSCR_EL12", "ID_AA64DFR0_EL1", 32, 1, 0 },
	{ "TRBLIMITR_EL1", "ID_AA64DFR0_EL1", 44, 1, 0 },
	{ "TRFCR_EL2", "ID_AA64DFR0_EL1", 40, 1, 0 },
	{ "TRFCR_EL12", "ID_AA64DFR0_EL1", 40, 1, 0 },
	{ "BRBCR_EL2", "ID_AA64DFR0_EL1", 52, 1, 0 },
	{ "BRBCR_EL12", "ID_AA64DFR0_EL1", 52, 1, 0 },
	{ "PMUSERENR_EL0", "ID_AA64DFR0_EL1", 8, 1, 0 },
	{ "PMCR_EL0", "ID_AA64DFR0_EL1", 8, 1, 0 },
	{ "HACR_EL2", "ID_AA64PFR0_EL1", 8, 0, 0 },
	{ "CNTHV_CTL_EL2", "ID_AA64PFR0_EL1", 8, 0, 0 },
	{ "CONTEXTIDR_EL2", "ID_AA64PFR0_EL1", 8, 0, 0 },
	{ "AMAIR_EL2", "ID_AA64PFR0_EL1", 8, 0, 0 },
};

#define GARBAGE 0xa5a5a5a5deadbeefUL

static int setup(void **state)
{
	(void)state;
	fake_reset();
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		fake_set(regs[i].reg, GARBAGE);
	return 0;
}

static void each_register_that_is_there(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		setup(state);
		fake_set(regs[i].id, (u64)regs[i].min << regs[i].lsb);
		el2_boot();
		if (fake_get(regs[i].reg) != regs[i].value)
			fail_msg("%s: expected 0x%lx, found 0x%lx", regs[i].reg, regs[i].value,
				 fake_get(regs[i].reg));
		/* In force before the registers that depend on it are accessed. */
		assert_true(fake_isbs > 0);
	}
}

/* A register that does not exist is UNDEFINED. */
static void none_that_is_not(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(regs); i++) {
		setup(state);
		if (regs[i].min > 1)
			fake_set(regs[i].id, (u64)(regs[i].min - 1) << regs[i].lsb);
		el2_boot();
		if (regs[i].min && fake_writes(regs[i].reg))
			fail_msg("%s was written", regs[i].reg);
	}
	setup(state);
	fake_set("ID_AA64DFR0_EL1", 0xf00); /* a PMU of another kind */
	el2_boot();
	assert_int_equal(fake_writes("PMCR_EL0"), 0);
	assert_int_equal(fake_writes("PMUSERENR_EL0"), 0);
	/* Either sets the activity monitors' fine-grained trap. */
	assert_int_equal(fake_writes("HAFGRTR_EL2"), 0);
	fake_set("ID_AA64PFR0_EL1", 1UL << 44);
	el2_boot();
	assert_int_equal(fake_writes("HAFGRTR_EL2"), 0);
	fake_set("ID_AA64MMFR0_EL1", 1UL << 56);
	fake_set("HAFGRTR_EL2", GARBAGE);
	el2_boot();
	assert_int_equal(fake_writes("HAFGRTR_EL2"), 1);
	assert_int_equal(fake_get("HAFGRTR_EL2"), 0);
	assert_int_equal(fake_writes("MPAMHCR_EL2"), 0);
}

/* A buffer that the firmware owns: its registers trap to it. */
static void buffers_of_others(void **state)
{
	(void)state;
	fake_set("ID_AA64DFR0_EL1", 1UL << 32 | 1UL << 44);
	fake_set("PMBIDR_EL1", 1 << 4);
	fake_set("TRBIDR_EL1", 1 << 4);
	el2_boot();
	assert_int_equal(fake_writes("PMBLIMITR_EL1"), 0);
	assert_int_equal(fake_writes("PMSCR_EL2"), 0);
	assert_int_equal(fake_writes("TRBLIMITR_EL1"), 0);
}

/* A guest's access to MPAMIDR_EL1 traps by one of two bits. */
static void mpam_ids(void **state)
{
	(void)state;
	fake_set("ID_AA64PFR0_EL1", 1UL << 40);
	fake_set("MPAMIDR_EL1", 1UL << 58);
	el2_boot();
	assert_int_equal(fake_get("MPAM2_EL2"), 1UL << 58 | 3UL << 48);
	assert_int_equal(fake_writes("MPAMHCR_EL2"), 0);
	fake_set("MPAMIDR_EL1", 1UL << 17);
	el2_boot();
	assert_int_equal(fake_get("MPAM2_EL2"), 3UL << 48);
	assert_int_equal(fake_get("MPAMHCR_EL2"), 1UL << 31);
	assert_int_equal(fake_writes("MPAMVPMV_EL2"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_register_that_is_there, setup),
		cmocka_unit_test_setup(none_that_is_not, setup),
		cmocka_unit_test_setup(buffers_of_others, setup),
		cmocka_unit_test_setup(mpam_ids, setup),
	};

	return cmocka_run_group_tests_name("el2", tests, NULL, NULL);
}
