/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that are set aside. */
#include "mm/page_pool.h"

#include "mm/addr.h"
#include "mm/page.h"

#define PIECE 512

static u64 *link_of(u64 page)
{
	return pa_ptr(pa(page));
}

static void push(struct page_pool *pool, u64 page)
{
	*link_of(page) = pool->first;
	pool->first = page;
	pool->count++;
}

static u64 pop(struct page_pool *pool)
{
	u64 page = pool->first;

	if (page) {
		pool->first = *link_of(page);
		pool->count--;
	}
	return page;
}

int page_pool_fill(struct page_pool *pool, u64 pages)
{
	*pool = (struct page_pool){ 0 };
	while (pool->count < pages) {
		u64 page = page_alloc(0);

		if (!page) {
			while (page_pool_empty_piece(pool))
				;
			return -ENOMEM;
		}
		push(pool, page);
	}
	return 0;
}

u64 page_pool_take(struct page_pool *pool)
{
	u64 page;

	spin_lock(&pool->lock);
	page = pop(pool);
	spin_unlock(&pool->lock);
	return page;
}

void page_pool_put(struct page_pool *pool, u64 page)
{
	spin_lock(&pool->lock);
	push(pool, page);
	spin_unlock(&pool->lock);
}

bool page_pool_empty_piece(struct page_pool *pool)
{
	for (u32 i = 0; i < PIECE; i++) {
		u64 page = page_pool_take(pool);

		if (!page)
			return false;
		page_free(page, 0);
	}
	return true;
}
