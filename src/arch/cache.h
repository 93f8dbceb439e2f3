/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions on whole cache lines: zeroing and maintenance. Callers give the barriers.
 * test/fake has a file of the same name for the host.
 */
#pragma once

#include "lib/types.h"

/*
 * Zero n bytes with FEAT_MOPS. The encodings are SETP/SETM/SETE [x0]!, x1!, xzr, which assemblers
 * before 2022 lack. Executed at EL2 they need no enable bit (pseudocode: CheckMOPSEnabled).
 */
static inline void zero_mops(void *p, u64 n)
{
	register u64 dst asm("x0") = (u64)p;
	register u64 len asm("x1") = n;

	asm volatile(".inst 0x19df0420\n\t"
		     ".inst 0x19df4420\n\t"
		     ".inst 0x19df8420"
		     : "+r"(dst), "+r"(len)
		     :
		     : "memory", "cc");
}

/* Zero one DC ZVA block: Normal memory with the MMU on, p aligned to the block. */
static inline void zero_zva(u64 p)
{
	asm volatile("dc zva, %0" ::"r"(p) : "memory");
}

/* Write the line that holds p back to the point of coherency. */
static inline void cache_clean_line(u64 p)
{
	asm volatile("dc cvac, %0" ::"r"(p) : "memory");
}

/* Drop the line that holds p, written back or not. */
static inline void cache_drop_line(u64 p)
{
	asm volatile("dc ivac, %0" ::"r"(p) : "memory");
}

/* Invalidate all cached instructions, on this CPU. */
static inline void icache_drop_local(void)
{
	asm volatile("ic iallu" ::: "memory");
}

/* Invalidate all cached instructions, on every CPU. */
static inline void icache_drop_all(void)
{
	asm volatile("ic ialluis" ::: "memory");
}
