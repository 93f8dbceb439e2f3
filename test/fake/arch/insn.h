/* SPDX-License-Identifier: Apache-2.0 */
/* Single instructions of the fake machine. */
#pragma once

#include "lib/types.h"

/* Tests set what comes next; an empty supply is "no number now". */
extern u64 fake_rndr[8];
extern int fake_rndr_left;

static inline bool insn_rndr(u64 *out)
{
	if (!fake_rndr_left)
		return false;
	*out = fake_rndr[--fake_rndr_left];
	return true;
}

/* A test's hook puts the result into PAR_EL1 by itself. */
static inline void insn_at_s1e1r(u64 va)
{
	(void)va;
}
