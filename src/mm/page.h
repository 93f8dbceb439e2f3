/* SPDX-License-Identifier: Apache-2.0 */
/* Physical pages: a buddy allocator over all RAM that is not reserved. */
#pragma once

#include "lib/types.h"
#include "mm/addr.h"

#define PAGE_ORDER_MAX 18 /* 1 GiB */

/* Regions of RAM that do not touch each other; as many as a machine has memory ranges. */
#define PAGE_REGIONS 64

/* Forget all pages: called once, before all others and before any other CPU runs. */
void page_init(void);
/*
 * RAM will be added from [lo, hi), too; by rising addresses, without overlap, at most PAGE_REGIONS
 * that do not touch (CHECK). Each region costs a map of one byte a page, taken out of the first
 * range added to it that has room, or else of another region; pages added before that wait for it.
 * What lies between regions costs nothing.
 */
void page_region(u64 lo, u64 hi);
/*
 * Give the whole pages of [base, base+size) to the allocator; inside one region, not overlapping
 * anything given before. Costs per block, not per page. The MMU is on.
 */
void page_add(u64 base, u64 size);

/* The order of the smallest block with room for size bytes. */
static inline u32 page_order(u64 size)
{
	u32 order = 0;

	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

/*
 * 2^order contiguous pages, aligned to their size, contents undefined; 0 when there are none. Any
 * CPU; takes the allocator's lock.
 */
u64 page_alloc(u32 order) must_check;
/* One zeroed page, or 0. */
u64 page_alloc_zero(void) must_check;
/*
 * Give back what page_alloc(order) gave, or an aligned part of 2^order pages of a larger block,
 * whose rest stays allocated. A double free, or what was never allocated, is a CHECK.
 */
void page_free(u64 pa, u32 order);
/*
 * Give back all of [base, base + size): whole blocks as page_alloc() gave them, whatever their
 * orders.
 */
void page_free_range(u64 base, u64 size);
/*
 * Free pages now, and how many there are when nothing is allocated (what was added, less the maps).
 */
u64 page_free_count(void);
u64 page_total(void);

/* Zero memory fast (FEAT_MOPS, else DC ZVA); pa and size are multiples of 64. */
void page_zero(u64 pa, u64 size);

/*
 * Write nidus's stores to [pa, pa+size) back to memory, for a guest that runs with its caches off
 * (clean to the point of coherency; nothing to do on QEMU, which has no caches). For guest RAM
 * before its first use.
 */
void page_clean(u64 pa, u64 size);
/*
 * After the last page_clean(): no CPU has stale instructions of what was there before. It is a
 * broadcast, so once for all.
 */
void page_drop_instructions(void);
