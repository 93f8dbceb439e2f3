/* SPDX-License-Identifier: Apache-2.0 */
/* The console of a guest program and the tally of its tests. */
#include "test.h"

#include "cpu.h"
#include "dt.h"
#include "gic.h"
#include "lib/log.h"
#include "psci.h"

#define PL011_DR 0x0
#define PL011_FR 0x18
#define PL011_FR_TXFF BIT(5)
#define FAIL_LINES 8

static struct spinlock console_lock;
static const char *test_name;
static u32 failures; /* of the current test; atomic */
static u32 passed, failed, skipped;

static void put(char c)
{
	while (read32(dt.uart + PL011_FR) & PL011_FR_TXFF)
		cpu_relax();
	write32(dt.uart + PL011_DR, (u8)c);
}

static void put_locked(const char *s)
{
	if (!dt.uart)
		return;
	spin_lock(&console_lock);
	for (; *s; s++) {
		if (*s == '\n')
			put('\r');
		put(*s);
	}
	spin_unlock(&console_lock);
}

void print(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_locked(line);
}

static void end_test(void)
{
	if (!test_name)
		return;
	if (failures) {
		failed++;
	} else {
		passed++;
		print("PASS: %s\n", test_name);
	}
	test_name = NULL;
}

void test_begin(const char *name)
{
	end_test();
	test_name = name;
	failures = 0;
}

void test_skip(const char *why)
{
	print("SKIP: %s: %s\n", test_name, why);
	skipped++;
	test_name = NULL;
}

static void fail_line(const char *fmt, va_list ap)
{
	char line[200];

	vsnprintf(line, sizeof(line), fmt, ap);
	print("FAIL: %s: %s\n", test_name ? test_name : guest_name, line);
}

void test_fail(const char *fmt, ...)
{
	va_list ap;

	if (__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED) >= FAIL_LINES)
		return;
	va_start(ap, fmt);
	fail_line(fmt, ap);
	va_end(ap);
}

bool test_failed(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED);
}

void test_finish(const char *program)
{
	end_test();
	print("%s: %u passed, %u failed, %u skipped\n", program, passed, failed, skipped);
	psci_system_off();
}

void test_abort(const char *fmt, ...)
{
	va_list ap;

	/* The lock's holder may be the one that failed. */
	spin_unlock(&console_lock);
	va_start(ap, fmt);
	fail_line(fmt, ap);
	va_end(ap);
	if (!test_name)
		failed++;
	failures++;
	test_finish(guest_name);
}
