/* SPDX-License-Identifier: Apache-2.0 */
/* A program made of many small tests: a table of them, run in order. */
#pragma once

#include "dt.h"
#include "lib/string.h"
#include "test.h"

struct suite_test {
	const char *name;
	void (*fn)(void);
	u32 cpus; /* the number of CPUs that it needs */
};

/* Run the tests; before() (if any) is called ahead of each. */
static inline void suite_run(const struct suite_test *t, u32 count, void (*before)(void))
{
	u32 i;

	for (i = 0; i < count; i++) {
		test_begin(t[i].name);
		if (dt.cpu_count < t[i].cpus) {
			test_skip("not enough CPUs");
			continue;
		}
		if (before)
			before();
		t[i].fn();
	}
}
