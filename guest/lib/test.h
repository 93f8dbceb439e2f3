/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a guest program prints: "PASS: name", "FAIL: name: why", "SKIP: name: why", and at its end
 * one line "NAME: N passed, N failed, N skipped"; then it powers off.
 */
#pragma once

#include "lib/types.h"

/*
 * printf to the console; the output of one call is not mixed with other CPUs'. At most 255
 * characters.
 */
void print(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Begin a test, which ends the previous one. */
void test_begin(const char *name);
/* The current test cannot be run here. */
void test_skip(const char *why);
/* The test fails, and the text says why. Any CPU. Prints at most 8 lines a test. */
void test_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Whether the current test has failed already. */
bool test_failed(void);
/* End the last test, print the totals under the program's name, power off. */
noreturn void test_finish(const char *program);
/* A failure outside any test: print it and the totals, power off. Any CPU. */
noreturn void test_abort(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define expect(cond, ...)                                                                          \
	do {                                                                                       \
		if (!(cond))                                                                       \
			test_fail(__VA_ARGS__);                                                    \
	} while (0)
/* a == b, both printed in hexadecimal when they differ. */
#define expect_eq(a, b, what)                                                                      \
	do {                                                                                       \
		u64 expect_a_ = (u64)(a), expect_b_ = (u64)(b);                                    \
		if (expect_a_ != expect_b_)                                                        \
			test_fail("line %d: %s is 0x%lx, expected 0x%lx", __LINE__, what,          \
				  expect_a_, expect_b_);                                           \
	} while (0)

/* What each program defines: its name, and its main function. */
extern const char guest_name[];
void guest_main(void);
/* Optional: called first of all, without console or device tree. */
void guest_early(void);
