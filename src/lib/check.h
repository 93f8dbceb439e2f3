/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CHECK is always compiled in, and only for nidus's own errors: a failure means that the hypervisor
 * is no longer safe to run. No guest action may reach one.
 */
#pragma once

#include "lib/types.h"

/* Print where and what, then halt the machine. */
noreturn void check_failed(const char *file, int line, const char *what);
/*
 * Print one formatted line, then halt the machine: for a machine that nidus cannot run on, and for
 * nidus's own errors.
 */
noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (unlikely(!(cond)))                                                             \
			check_failed(__FILE__, __LINE__, #cond);                                   \
	} while (0)
