/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one walker: VMSAv8-64 tables with the 4 KiB granule, for nidus's own stage 1, VMs' stage 2
 * and the shadows of nested VMs. An update is prepare (allocate every table page it will need; may
 * fail, changes no translation) and commit (can't fail).
 */
#pragma once

#include "lib/types.h"

enum pgtable_kind { PGTABLE_STAGE1, PGTABLE_STAGE2 };

struct page_pool;
struct pgtable;

/* What differs between users. All are called with the lock that the caller holds for the table. */
struct pgtable_ops {
	/*
	 * Make [ia, ia+size), whose old entries were just made invalid, unseen by all CPUs: DSB
	 * ISHST, TLBI of all levels, DSB.
	 */
	void (*invalidate)(struct pgtable *pt, u64 ia, u64 size);
	/*
	 * 2^order zeroed pages for tables, or 0; and back. Both NULL: page_alloc() and page_free().
	 */
	u64 (*table_alloc)(struct pgtable *pt, u32 order);
	void (*table_free)(struct pgtable *pt, u64 table, u32 order);
};

struct pgtable {
	enum pgtable_kind kind;
	u32 ia_bits;     /* input addresses are below 1 << ia_bits; 25..48 */
	u32 start_level; /* 0..2, from ia_bits; up to 16 concatenated tables at stage 2 */
	u64 root;        /* PA */
	u64 max_block;   /* largest leaf: 4 KiB, 2 MiB, 1 GiB */
	bool contiguous; /* use the contiguous hint for runs of 16 */
	u64 table_pages; /* pages the tables take now */
	/*
	 * The last table of level 3 that was looked up, and an address that it resolves; NULL once
	 * any table was freed.
	 */
	u64 *near;
	u64 near_ia;
	const struct pgtable_ops *ops;
	struct page_pool *pool; /* where single pages for tables come from; NULL: the allocator */
};

/*
 * An empty table of the fewest levels (pt->contiguous off); -ENOMEM, or -EINVAL for a bad ia_bits
 * or max_block. pool (mm/page_pool.h): has all single pages that the tables will ever take; NULL:
 * the page allocator.
 */
int pgtable_init_pool(struct pgtable *pt, enum pgtable_kind kind, u32 ia_bits, u64 max_block,
		      const struct pgtable_ops *ops, struct page_pool *pool) must_check;
static inline must_check int pgtable_init(struct pgtable *pt, enum pgtable_kind kind, u32 ia_bits,
					  u64 max_block, const struct pgtable_ops *ops)
{
	return pgtable_init_pool(pt, kind, ia_bits, max_block, ops, NULL);
}
/* Free every table page; nothing may use the table any more. */
void pgtable_destroy(struct pgtable *pt);
/*
 * The same in pieces of at most `tables` table pages; true: there are more. Nothing but this may
 * follow.
 */
bool pgtable_destroy_piece(struct pgtable *pt, u32 tables) must_check;

/*
 * Map [ia, ia+size) to [oa, ...) with the leaf attribute bits attr (everything in a descriptor but
 * address, type and the contiguous bit; the access flag must be set). Addresses and size are page
 * multiples. If the range covers a whole block (alignment, max_block) a block is used, and replaces
 * an existing table. What is mapped so already is left alone; permissions change in place; any
 * other change is made by break-before-make, during which a walk may find nothing mapped: whoever
 * takes such a fault checks again under the table's lock. Caller holds that lock. -ENOMEM: nothing
 * was changed. -EINVAL: out of range or unaligned.
 */
int pgtable_map(struct pgtable *pt, u64 ia, u64 oa, u64 size, u64 attr) must_check;
/*
 * pgtable_map() for the common case of a fault: one page where nothing is mapped, in existing
 * tables. False: it is another case, and nothing was changed. What pgtable_map() checks of attr is
 * not checked here.
 */
bool pgtable_fill(struct pgtable *pt, u64 ia, u64 oa, u64 attr) must_check;
/*
 * Remove what is mapped in [ia, ia+size); blocks that reach over the edges are split (may need a
 * page: -ENOMEM, nothing changed). Table pages left empty are freed after invalidation. The work is
 * bounded by 512 entries a table that the range meets: cut a large range at multiples of 1 GiB (at
 * most 513 tables each, no splits) and drop the lock in between.
 */
int pgtable_unmap(struct pgtable *pt, u64 ia, u64 size) must_check;

struct pgtable_leaf {
	u64 oa;   /* output address of the byte asked for */
	u64 attr; /* the leaf's attribute bits */
	u64 size; /* of the leaf: 4 KiB, 2 MiB, 1 GiB */
};
/*
 * Look ia up; false if nothing is mapped there, and then leaf->size is the size of the hole's
 * entry, all of which (aligned to it) is empty. The caller holds the lock. Makes the next lookup
 * nearby faster.
 */
bool pgtable_lookup(struct pgtable *pt, u64 ia, struct pgtable_leaf *leaf);
