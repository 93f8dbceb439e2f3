/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what exits cost. */
#pragma once

#include "lib/types.h"

struct vm;

/* A time as perf prints it: microseconds with two decimals. */
struct account_us {
	u64 whole;
	u32 cents;
};

struct account_us account_us(u64 ticks);

/*
 * Print the table of one VM, or of all that live (NULL), in the form of perf kvm stat, one table
 * per level; below it lines for each vcpu. Times by CNTFRQ_EL0; the last column has a class's time
 * in whole ticks, of which nothing is rounded away. Each row is one log_line().
 */
void account_print(const struct vm *vm);
