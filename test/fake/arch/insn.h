/* SPDX-License-Identifier: Apache-2.0 */
/* Single instructions of the fake machine. */
#pragma once

#include "arch/sysreg.h"
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

/* An ESB is a write to a fake register ESB: a test's hook may defer an SError interrupt. */
static inline void insn_esb(void)
{
	sysreg_write(ESB, 0);
}

/* An AT is a write to a fake register AT_<op>: a test's hook puts the result into PAR_EL1. */
#define INSN_AT(name)                                                                              \
	static inline void insn_at_##name(u64 va)                                                  \
	{                                                                                          \
		sysreg_write(AT_##name, va);                                                       \
	}
INSN_AT(s1e1r)
INSN_AT(s1e1w)
INSN_AT(s1e0r)
INSN_AT(s1e0w)

/* Tests replace it by a reference. */
extern u64 (*fake_pacga)(u64 x, u64 y);

static inline u64 insn_pacga(u64 x, u64 y)
{
	return fake_pacga ? fake_pacga(x, y) : 0;
}
