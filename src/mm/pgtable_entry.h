/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the walker: descriptors, and the entry that decides about an address. */
#pragma once

#include "arch/pgtable.h"
#include "mm/addr.h"
#include "mm/pgtable.h"

/* The table that a descriptor (or pt->root) points to. */
static inline u64 *pgtable_ptr(u64 desc)
{
	return pa_ptr(pa(desc & DESC_ADDR));
}

static inline bool pgtable_is_table(u64 desc, u32 level)
{
	return level < 3 && (desc & DESC_TYPE) == DESC_TYPE;
}

static inline u64 pgtable_leaf_type(u32 level)
{
	return level == 3 ? DESC_TYPE : DESC_VALID;
}

struct pgtable_entry {
	u64 *p;
	u64 shift; /* log2 of what it covers */
};

/* The entry that decides about ia, which is in range: a leaf, or none; from the root. Lock held. */
struct pgtable_entry pgtable_descend(struct pgtable *pt, u64 ia);

/* The same, trying first the level 3 table of the last lookup, where most are. */
static inline struct pgtable_entry pgtable_entry(struct pgtable *pt, u64 ia)
{
	u64 *table = pt->near;

	if (table && !((ia ^ pt->near_ia) >> level_shift(2)))
		return (struct pgtable_entry){ table + (ia >> PAGE_SHIFT & (PGTABLE_ENTRIES - 1)),
					       PAGE_SHIFT };
	return pgtable_descend(pt, ia);
}
