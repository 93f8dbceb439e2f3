/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that are set aside: their user never finds that others have taken them. */
#pragma once

#include "arch/spinlock.h"
#include "lib/types.h"

struct page_pool {
	struct spinlock lock; /* guards the rest; a leaf but for the page allocator's */
	u64 first;            /* pages that are free, chained by their first words; 0: none */
	u64 count;            /* of them */
};

/*
 * Move so many pages of the allocator's into an empty pool. -ENOMEM: there are fewer, and none was
 * taken.
 */
int page_pool_fill(struct page_pool *pool, u64 pages) must_check;
/* Take a page, contents undefined, or 0; and give one back. Any CPU. */
u64 page_pool_take(struct page_pool *pool) must_check;
void page_pool_put(struct page_pool *pool, u64 page);
/* Give some free pages back to the allocator, 512 at most; true: there are more. */
bool page_pool_empty_piece(struct page_pool *pool);
