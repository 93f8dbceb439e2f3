/* SPDX-License-Identifier: Apache-2.0 */
/* Single instructions that nidus's logic needs. test/fake has a file of the same name for the host. */
#pragma once

#include "arch/barrier.h"
#include "lib/types.h"

/* RNDR (FEAT_RNG); false if the CPU has no number to give now. */
static inline bool insn_rndr(u64 *out)
{
	u64 ok;

	asm volatile("mrs %0, S3_3_C2_C4_0\n\tcset %1, ne" : "=r"(*out), "=r"(ok)::"cc");
	return ok;
}

/* AT S1E1R: translate va by the loaded guest's stage 1; the result is in PAR_EL1. */
static inline void insn_at_s1e1r(u64 va)
{
	asm volatile("at s1e1r, %0\n\tisb" ::"r"(va) : "memory");
}
