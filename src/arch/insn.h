/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single instructions that nidus's logic needs. test/fake has a file of the same name for the host.
 */
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

/*
 * Translate va by the loaded guest's stage 1, for a read or write at EL1 or EL0; the result is in
 * PAR_EL1.
 */
#define INSN_AT(name)                                                                              \
	static inline void insn_at_##name(u64 va)                                                  \
	{                                                                                          \
		asm volatile("at " #name ", %0\n\tisb" ::"r"(va) : "memory");                      \
	}
INSN_AT(s1e1r)
INSN_AT(s1e1w)
INSN_AT(s1e0r)
INSN_AT(s1e0w)

/* ESB, an Error synchronization barrier (FEAT_RAS; else a NOP). */
static inline void insn_esb(void)
{
	asm volatile("hint #16" ::: "memory");
}

/* PACGA: bits 63:32 of ComputePAC(x, y, the generic key). */
static inline u64 insn_pacga(u64 x, u64 y)
{
	register u64 x0 asm("x0") = x;
	register u64 x1 asm("x1") = y;

	asm volatile(".inst 0x9ac13000" : "+r"(x0) : "r"(x1)); /* pacga x0, x0, x1 */
	return x0;
}
