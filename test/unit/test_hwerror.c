/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed of errors that the hardware reports, and who survives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "exit/hwerror.h"
#include "state/cpu.h"
#include "state/exit.h"
#include "state/vcpu.h"
#include "state/vm.h"

#include "log_text.h"

static struct cpu cpu = { .index = 3 };
static struct vm_config config = { .name = "web" };
static struct vm vm;
static struct vcpu vcpu;

struct cpu *cpu_this(void)
{
	return &cpu;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	vm = (struct vm){ .config = &config };
	vcpu = (struct vcpu){ .vm = &vm, .index = 1 };
	feat = (struct feat){ .ras = true };
	hwerror_use_records = false;
	fresh();
	return 0;
}

/* ---- SError: the table of AET in the ISS encoding for an SError exception ---- */

static const struct {
	u64 iss;
	const char *name;
	bool survives;
} syndromes[] = {
	{ 0x11, "uncontainable", false },
	{ 0x11 | 1 << 10, "unrecoverable", false },
	{ 0x11 | 2 << 10, "restartable", true },
	{ 0x11 | 3 << 10, "recoverable", false },
	{ 0x11 | 4 << 10, "reserved", false },
	{ 0x11 | 5 << 10, "reserved", false },
	{ 0x11 | 6 << 10, "corrected", true },
	{ 0x11 | 7 << 10, "reserved", false },
	{ 6 << 10, "uncategorized", false }, /* AET counts with DFSC 0x11 only */
	{ 1 << 24 | 0x11 | 6 << 10, "implementation defined", false },
};

static void names_syndromes(void **state)
{
	char found[40];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(syndromes); i++) {
		setup(NULL);
		/* With what ESR_EL2 and DISR_EL1 have above it. */
		assert_int_equal(hwerror_serror(&vcpu, (i & 1 ? 0xbe000000UL : 1UL << 31) |
							       syndromes[i].iss),
				 syndromes[i].survives);
		assert_non_null(strstr(text, syndromes[i].name));
		snprintf(found, sizeof(found), "syndrome 0x%lx,", syndromes[i].iss);
		assert_non_null(strstr(text, found));
		assert_non_null(strstr(text, "cpu 3"));
		assert_non_null(strstr(text, "vcpu 1 of vm web"));
		assert_non_null(strstr(text, syndromes[i].survives ? "goes on" : "is stopped"));
		assert_int_equal(lines, 1);
	}
}

/* Without FEAT_RAS the fields of a syndrome mean nothing. */
static void without_ras(void **state)
{
	(void)state;
	feat.ras = false;
	assert_false(hwerror_serror(&vcpu, 0x11 | 6 << 10));
	assert_non_null(strstr(text, "uncategorized"));
	assert_null(strstr(text, "goes on"));
}

static void of_no_vm(void **state)
{
	(void)state;
	hwerror_serror(NULL, 0x11);
	assert_non_null(strstr(text, "no VM"));
	assert_int_equal(vm.hw_errors, 0);
}

/* A guest that can cause them for ever prints few lines, and takes nobody else's. */
static void lines_are_bounded(void **state)
{
	struct vm other = { .config = &config };
	struct vcpu others = { .vm = &other };

	(void)state;
	for (u32 i = 0; i < 1000; i++)
		hwerror_serror(&vcpu, 0x11 | 6 << 10);
	assert_int_equal(lines, 10); /* 1, 2, 4 ... 512 */
	assert_non_null(strstr(text, "error 512 of it"));
	fresh();
	hwerror_serror(&others, 0x11);
	assert_int_equal(lines, 1);
}

/* ---- external aborts ---- */

static bool reported(u64 ec, u64 fsc)
{
	struct exit exit = { .esr = ec << 26 | 1UL << 25 | fsc, .elr = 0x1234, .far = 0x5678 };

	vm.hw_errors = 0;
	fresh();
	hwerror_abort(&vcpu, &exit);
	return lines;
}

/* Data and Instruction Fault Status Codes, by the ISS encodings of Arm's manual. */
static void only_external_aborts(void **state)
{
	(void)state;
	for (u64 fsc = 0; fsc < 64; fsc++) {
		bool external = fsc == 0x10 || fsc == 0x12 || fsc == 0x13 ||
				(fsc >= 0x14 && fsc <= 0x17) || fsc == 0x18 ||
				(fsc >= 0x19 && fsc <= 0x1f);

		assert_int_equal(reported(0x24, fsc), external);
		assert_int_equal(reported(0x20, fsc), external);
		assert_false(reported(0x27, fsc)); /* MOPS: no status code */
		assert_false(reported(0x34, fsc));
	}
	reported(0x24, 0x10);
	assert_non_null(strstr(text, "ELR_EL2 0x1234, FAR_EL2 0x5678"));
	assert_non_null(strstr(text, "vcpu 1 of vm web"));
}

/* ---- error records ---- */

static struct {
	u64 status, addr, misc;
} records[4];
static u64 selected;
static unsigned cleared;

static void on_select(u64 n)
{
	assert_true(n < ARRAY_SIZE(records));
	selected = n;
}

static u64 on_status(u64 stored)
{
	(void)stored;
	return records[selected].status;
}

static void on_status_write(u64 v)
{
	records[selected].status &= ~v;
	cleared++;
}

static u64 on_addr(u64 stored)
{
	(void)stored;
	assert_true(records[selected].status & 1UL << 31); /* AV */
	return records[selected].addr;
}

static u64 on_misc(u64 stored)
{
	(void)stored;
	assert_true(records[selected].status & 1UL << 26); /* MV */
	return records[selected].misc;
}

static void with_records(u64 count)
{
	fake_set("ERRIDR_EL1", count);
	fake_on_write("ERRSELR_EL1", on_select);
	fake_on_read("ERXSTATUS_EL1", on_status);
	fake_on_write("ERXSTATUS_EL1", on_status_write);
	fake_on_read("ERXADDR_EL1", on_addr);
	fake_on_read("ERXMISC0_EL1", on_misc);
	cleared = 0;
	memset(records, 0, sizeof(records));
	records[0].status = 0x1234; /* not valid */
	records[1].status = 1UL << 30 | 1UL << 31 | 1UL << 29 | 0x0e;
	records[1].addr = 0xabcd00;
	records[2].status = 1UL << 30 | 1UL << 26 | 2UL << 24 | 1UL << 27;
	records[2].misc = 0x77;
}

static void reads_records(void **state)
{
	(void)state;
	with_records(3);
	hwerror_use_records = true;
	hwerror_serror(&vcpu, 0x11);
	assert_int_equal(lines, 3);
	assert_non_null(
		strstr(text, "record 1: uncorrected, status 0xe000000e, address 0xabcd00\n"));
	assert_non_null(
		strstr(text, "record 2: corrected, others lost, status 0x4e000000, misc 0x77\n"));
	/* They are cleared, so that they are not told twice; what is not valid is left alone. */
	assert_int_equal(cleared, 2);
	assert_int_equal(records[1].status | records[2].status, 0);
	assert_int_equal(records[0].status, 0x1234);
	fresh();
	hwerror_records();
	assert_int_equal(lines, 0);
}

/* Firmware may end the machine for a read of one: not unless told, nor without FEAT_RAS. */
static void reads_none(void **state)
{
	(void)state;
	with_records(3);
	hwerror_serror(&vcpu, 0x11);
	hwerror_use_records = true;
	feat.ras = false;
	hwerror_records();
	assert_int_equal(cleared, 0);
	assert_int_equal(fake_writes("ERRSELR_EL1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_syndromes, setup),
		cmocka_unit_test_setup(without_ras, setup),
		cmocka_unit_test_setup(of_no_vm, setup),
		cmocka_unit_test_setup(lines_are_bounded, setup),
		cmocka_unit_test_setup(only_external_aborts, setup),
		cmocka_unit_test_setup(reads_records, setup),
		cmocka_unit_test_setup(reads_none, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
