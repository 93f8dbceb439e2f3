/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 1 of a guest program: everything 1:1, the first GiB as Device memory, the rest as Normal.
 * The addresses from MMU_EL0 up are the same memory once more, for EL0.
 */
#pragma once

#include "lib/types.h"

#define MMU_EL0 (1UL << 38) /* + address (below 256 GiB): the same memory, accessible from EL0 */

/* Build the tables; once. */
void mmu_build(void);
/* Turn the MMU and caches of this CPU on or off. */
void mmu_enable(void);
void mmu_disable(void);
/* Map the GiB that holds address a as Device memory. */
void mmu_device(u64 a);
/*
 * Replace the level-1 descriptor for the GiB that holds va (for a test), and invalidate the TLB;
 * returns the previous one.
 */
u64 mmu_set(u64 va, u64 descriptor);
/* The registers that turn on translation at EL2 without VHE. */
struct mmu_registers {
	u64 mair, tcr, ttbr0, sctlr;
};
void mmu_e2h0(struct mmu_registers *r);
/* The level-1 table in EL1's format. */
const u64 *mmu_table(void);
