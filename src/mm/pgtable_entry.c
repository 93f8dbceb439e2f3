/* SPDX-License-Identifier: Apache-2.0 */
/* One address in translation tables: finding, decoding and writing its entry. */
#include "mm/pgtable_entry.h"

#include "arch/barrier.h"
#include "arch/desc.h"

struct pgtable_entry pgtable_descend(struct pgtable *pt, u64 ia)
{
	u32 shift = level_shift(pt->start_level);
	/* Concatenated root tables are one large table. */
	u64 *p = pgtable_ptr(pt->root) + (ia >> shift), desc;

	while (shift > PAGE_SHIFT) {
		desc = desc_load(p);
		if (!pgtable_is_table(desc, 0))
			return (struct pgtable_entry){ p, shift };
		shift -= level_shift(2) - level_shift(3);
		p = pgtable_ptr(desc) + (ia >> shift & (PGTABLE_ENTRIES - 1));
	}
	pt->near = p - (ia >> PAGE_SHIFT & (PGTABLE_ENTRIES - 1));
	pt->near_ia = ia;
	return (struct pgtable_entry){ p, PAGE_SHIFT };
}

bool pgtable_lookup(struct pgtable *pt, u64 ia, struct pgtable_leaf *leaf)
{
	struct pgtable_entry e;
	u64 desc;

	leaf->size = level_size(pt->start_level);
	if (ia >> pt->ia_bits)
		return false;
	e = pgtable_entry(pt, ia);
	desc = desc_load(e.p);
	leaf->size = BIT(e.shift);
	if (!(desc & DESC_VALID))
		return false;
	leaf->oa = (desc & DESC_ADDR) | (ia & (leaf->size - 1));
	leaf->attr = desc & DESC_ATTRS;
	return true;
}

/*
 * No table to allocate, nothing to break; an empty entry is in no contiguous group, and one page
 * makes none.
 */
bool pgtable_fill(struct pgtable *pt, u64 ia, u64 oa, u64 attr)
{
	struct pgtable_entry e;

	if (ia >> pt->ia_bits || ((ia | oa) & ~DESC_ADDR))
		return false;
	e = pgtable_entry(pt, ia);
	if (e.shift != PAGE_SHIFT || desc_load(e.p))
		return false;
	desc_store(e.p, oa | attr | pgtable_leaf_type(3));
	dsb(ishst);
	if (pt->kind == PGTABLE_STAGE1)
		isb();
	return true;
}
