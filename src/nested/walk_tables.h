/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by both stages of a software walk: geometry, and the descent through the levels. */
#pragma once

#include "nested/walk.h"

/* One walk. The caller fills the first part in. */
struct walk_tables {
	u64 ia;
	const struct walk_shape *shape;
	const struct walk_mem *mem;
	struct walk_cache *cache; /* or NULL */
	/* Stage 1: the tables' addresses go through this stage 2, or NULL. */
	const struct walk_s2_regs *s2;
	const struct walk_feat *feat; /* for s2 */
	bool ee;
	bool el0; /* who walks, for s2 */

	/* walk_tables() fills in the rest. */
	u64 desc;   /* the leaf */
	u64 at;     /* its address, as mem has it */
	u64 at_ipa; /* the same before s2 */
	u64 hier; /* the OR of all table descriptors: hierarchical permissions; none with a cache */
	u64 oa, size;
};

/* log2 of the granule, from an encoding of TG0 or TG1 that may be one the CPU lacks. */
u32 walk_grain_tg0(u64 tg0, bool has4, bool has16, bool has64);
u32 walk_grain_tg1(u64 tg1, bool has4, bool has16, bool has64);
/* Bits of an address that TCR_ELx.IPS or VTCR_EL2.PS names, at most max (PhysicalAddressSize). */
u32 walk_pa_bits(u64 ps, u32 max);
/* log2 of what an entry of this level covers. */
static inline u32 walk_shift(u32 grain, u32 level)
{
	return grain + (grain - 3) * (3 - level);
}
/* The first table of a TTBR: aligned to its size, or to that of all concatenated ones. */
u64 walk_base(u64 ttbr, u32 grain, u32 level, u32 ia_bits);

/*
 * Walk down to the leaf: t->desc, oa, size; false: *fault. Translation, address size, access flag
 * and external abort faults are detected here, permissions by the caller (AArch64.S1Walk, S2Walk).
 */
bool walk_tables(struct walk_tables *t, struct walk_fault *fault);
/*
 * Give the leaf the value new, as hardware does (AArch64.MemSwapTableDesc). False: *fault, maybe
 * retry.
 */
bool walk_update(struct walk_tables *t, u64 new, struct walk_fault *fault);
/* Fill in a fault of this stage; false. */
bool walk_fail(struct walk_fault *fault, u64 fsc_type, u32 level);
