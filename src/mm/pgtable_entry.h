/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the walker share: descriptors, and the entry that decides about an address. */
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

/* The entry that decides about ia, which is in range: a leaf, or none. Lock held. */
struct pgtable_entry pgtable_entry(struct pgtable *pt, u64 ia);
