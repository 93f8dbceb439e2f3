/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stolen time of a hypervisor below: no call is made that the answers before it do not promise, and
 * what is found is used only if it is what DEN0057 describes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/below.h"
#include "dev/power.h"
#include "lib/log.h"
#include "mm/machine.h"
#include "mm/stage1.h"
#include "state/cpu.h"
#include "state/stolen.h"

#define CALLS 5

/* In the order in which they may be asked. */
static const struct {
	u64 fid, of;
	s64 yes;
} calls[CALLS] = {
	{ 0x8400000a, 0x80000000, 0 }, /* PSCI_FEATURES of SMCCC_VERSION */
	{ 0x80000000, 0, 0x10001 },    /* SMCCC_VERSION */
	{ 0x80000001, 0xc5000020, 0 }, /* SMCCC_ARCH_FEATURES of PV_TIME_FEATURES */
	{ 0xc5000020, 0xc5000021, 0 }, /* PV_TIME_FEATURES of PV_TIME_ST */
	{ 0xc5000021, 0, 0 },          /* PV_TIME_ST */
};

static struct stolen_time page[64] __attribute__((aligned(4096)));
static u32 knows;   /* how many of the calls are answered, the others are not known */
static s64 refusal; /* the answer to the next one */
static u32 asked;
static u32 structure; /* of this CPU, in page[] */
static u64 offset;
static u32 maps, lines;
static bool mappable;

s64 power_psci(u64 fid, u64 a1, u64 a2, u64 a3)
{
	(void)a2;
	(void)a3;
	assert_true(asked < CALLS && asked <= knows);
	assert_int_equal(fid, calls[asked].fid);
	assert_int_equal(a1, calls[asked].of);
	if (asked++ == knows)
		return refusal;
	return asked == CALLS ? (s64)&page[structure] + (s64)offset : calls[asked - 1].yes;
}

bool stage1_map_ram(u64 base, u64 size)
{
	assert_int_equal(base, (u64)&page[structure] + offset);
	assert_int_equal(size, 64);
	maps++;
	return mappable;
}

void log_line(const char *fmt, ...)
{
	(void)fmt;
	lines++;
}

static int setup(void **state)
{
	(void)state;
	memset(cpus, 0, sizeof(cpus));
	memset(page, 0, sizeof(page));
	machine.psci_smc = true;
	knows = CALLS;
	refusal = -1;
	asked = maps = lines = structure = 0;
	offset = 0;
	mappable = true;
	return 0;
}

static void nobody_below(void **state)
{
	(void)state;
	machine.psci_smc = false;
	below_find_stolen(&cpus[0]);
	assert_int_equal(asked, 0);
	machine.psci_smc = true;
	for (knows = 0; knows < CALLS; knows++) {
		asked = 0;
		below_find_stolen(&cpus[0]);
		assert_int_equal(asked, knows + 1);
		assert_null(cpus[0].stolen_from);
	}
	/* An SMCCC that is too old for the calls after it. */
	knows = 1;
	refusal = 0x10000;
	asked = 0;
	below_find_stolen(&cpus[0]);
	assert_int_equal(asked, 2);
	assert_null(cpus[0].stolen_from);
	assert_int_equal(maps + lines, 0);
}

/* The second CPU's structure is in a page that others read already. */
static void found(void **state)
{
	(void)state;
	page[0].ns = 77;
	below_find_stolen(&cpus[0]);
	assert_ptr_equal(cpus[0].stolen_from, &page[0]);
	assert_int_equal(cpus[0].stolen_seen, 77);
	assert_int_equal(maps, 1);
	assert_int_equal(lines, 1);
	asked = 0;
	structure = 1;
	below_find_stolen(&cpus[1]);
	assert_ptr_equal(cpus[1].stolen_from, &page[1]);
	assert_int_equal(maps, 1);
	assert_int_equal(lines, 1);
}

static void refused(void)
{
	asked = lines = 0;
	below_find_stolen(&cpus[0]);
	assert_null(cpus[0].stolen_from);
	assert_int_equal(lines, 1);
}

static void nonsense(void **state)
{
	(void)state;
	offset = 8;
	refused();
	assert_int_equal(maps, 0);
	offset = 0;
	mappable = false;
	refused();
	mappable = true;
	page[0].revision = 1;
	refused();
	page[0].revision = 0;
	page[0].attributes = 1;
	refused();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nobody_below, setup),
		cmocka_unit_test_setup(found, setup),
		cmocka_unit_test_setup(nonsense, setup),
	};

	return cmocka_run_group_tests_name("below", tests, NULL, NULL);
}
