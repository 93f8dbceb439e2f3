/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page allocator: binary buddies. Free blocks hold their list node in themselves; one byte for
 * each page describes the block that begins there, so that adding RAM costs per block, not per
 * page.
 */
#include "mm/page.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/cacheid.h"
#include "arch/feat.h"
#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "lib/check.h"
#include "lib/list.h"

/*
 * A byte of the map: 0 if no block begins at this page, else one of these with the block's order.
 */
#define MAP_FREE 0x40
#define MAP_USED 0x80

/*
 * RAM that came before its region had a map; the record is in that RAM itself.
 */
struct pending {
	struct pending *next;
	u64 end;
};

/*
 * RAM that may be far from other RAM: each region has a map of its own, so that the holes between
 * them cost nothing. Regions do not touch each other; so no block, and no buddy of one, lies in two
 * of them.
 */
struct region {
	u64 lo, hi;
	u8 *map; /* NULL until there is room for it */
	struct pending *pending;
};

static struct {
	struct spinlock lock; /* guards all of it */
	struct region region[PAGE_REGIONS];
	u32 regions;
	struct list free[PAGE_ORDER_MAX + 1];
	u32 nonempty; /* bit n: free[n] has a block */
	u64 free_pages, total;
} pages;

static u64 block_size(u32 order)
{
	return PAGE_SIZE << order;
}

/* The region that [block, end) lies in, or NULL. */
static struct region *region_of(u64 block, u64 end)
{
	for (u32 i = 0; i < pages.regions; i++)
		if (block >= pages.region[i].lo && end <= pages.region[i].hi)
			return &pages.region[i];
	return NULL;
}

static u8 *map_byte(const struct region *r, u64 block)
{
	return &r->map[(block - r->lo) >> PAGE_SHIFT];
}

static struct list *block_node(u64 block)
{
	return pa_ptr(pa(block));
}

static void list_block(const struct region *r, u64 block, u32 order)
{
	list_add_head(&pages.free[order], block_node(block));
	pages.nonempty |= 1U << order;
	*map_byte(r, block) = (u8)(MAP_FREE | order);
}

static void unlist_block(const struct region *r, u64 block, u32 order)
{
	list_del(block_node(block));
	if (list_empty(&pages.free[order]))
		pages.nonempty &= ~(1U << order);
	*map_byte(r, block) = 0;
}

static bool is_free_block(const struct region *r, u64 block, u32 order)
{
	return block >= r->lo && block + block_size(order) <= r->hi &&
	       *map_byte(r, block) == (MAP_FREE | order);
}

/* Free a block whose map byte is 0, together with its buddy if that is free, and so on upwards. */
static void release(const struct region *r, u64 block, u32 order)
{
	pages.free_pages += 1UL << order;
	while (order < PAGE_ORDER_MAX && is_free_block(r, block ^ block_size(order), order)) {
		unlist_block(r, block ^ block_size(order), order);
		block &= ~block_size(order);
		order++;
	}
	list_block(r, block, order);
}

/* Cut [base, end) into the largest blocks that are aligned to their size. */
static void release_range(const struct region *r, u64 base, u64 end)
{
	while (base < end) {
		u32 order = PAGE_ORDER_MAX;

		order = MIN(order, (u32)__builtin_ctzl(base) - PAGE_SHIFT);
		order = MIN(order, 63 - (u32)__builtin_clzl(end - base) - PAGE_SHIFT);
		release(r, base, order);
		pages.total += 1UL << order;
		base += block_size(order);
	}
}

/* Take a free block of at least this order out of its list and cut it down; lock held. */
static u64 take(u32 order)
{
	u32 orders = order <= PAGE_ORDER_MAX ? pages.nonempty & ~0U << order : 0;
	const struct region *r;
	u32 from;
	u64 block;

	if (!orders)
		return 0;
	from = (u32)__builtin_ctz(orders);
	block = ptr_pa(pages.free[from].next).a;
	r = region_of(block, block + block_size(from));
	unlist_block(r, block, from);
	while (from > order) {
		from--;
		list_block(r, block + block_size(from), from);
	}
	*map_byte(r, block) = (u8)(MAP_USED | order);
	pages.free_pages -= 1UL << order;
	return block;
}

static u64 map_size(const struct region *r)
{
	return ALIGN_UP((r->hi - r->lo) >> PAGE_SHIFT, PAGE_SIZE);
}

/* Set the region's map to this address; pages that waited for it become free. */
static void use_map(struct region *r, u64 at)
{
	page_zero(at, map_size(r));
	r->map = pa_ptr(pa(at));
	for (struct pending *p = r->pending; p;) {
		struct pending *next = p->next;

		release_range(r, ptr_pa(p).a, p->end);
		p = next;
	}
	r->pending = NULL;
}

/* A region whose RAM is all in small pieces has its map elsewhere. */
static void lend_maps(void)
{
	for (u32 i = 0; i < pages.regions; i++) {
		struct region *r = &pages.region[i];
		u64 count = map_size(r) >> PAGE_SHIFT, at;
		u32 order;

		if (r->map || !r->pending)
			continue;
		order = count > 1 ? 64 - (u32)__builtin_clzl(count - 1) : 0;
		at = take(order);
		if (!at)
			continue;
		pages.total -= 1UL << order;
		use_map(r, at);
	}
}

void page_init(void)
{
	pages = (typeof(pages)){ 0 };
	for (u32 i = 0; i <= PAGE_ORDER_MAX; i++)
		list_init(&pages.free[i]);
}

void page_region(u64 lo, u64 hi)
{
	struct region *last = pages.regions ? &pages.region[pages.regions - 1] : NULL;

	lo = ALIGN_DOWN(lo, PAGE_SIZE);
	hi = ALIGN_DOWN(hi, PAGE_SIZE);
	if (lo >= hi)
		return;
	CHECK(!last || lo >= last->hi);
	if (last && lo == last->hi) {
		last->hi = hi;
		return;
	}
	CHECK(pages.regions < PAGE_REGIONS);
	pages.region[pages.regions++] = (struct region){ .lo = lo, .hi = hi };
}

static void add(struct region *r, u64 base, u64 end)
{
	if (!r->map && end - base >= map_size(r)) {
		use_map(r, base);
		base += map_size(r);
	}
	if (r->map) {
		release_range(r, base, end);
	} else {
		struct pending *p = pa_ptr(pa(base));

		*p = (struct pending){ .next = r->pending, .end = end };
		r->pending = p;
	}
}

void page_add(u64 base, u64 size)
{
	u64 end = ALIGN_DOWN(base + size, PAGE_SIZE);
	struct region *r;

	/* Page 0 stays out: page_alloc() returns 0 for "none". */
	base = MAX(ALIGN_UP(base, PAGE_SIZE), PAGE_SIZE);
	if (base >= end)
		return;
	r = region_of(base, end);
	CHECK(r);
	spin_lock(&pages.lock);
	add(r, base, end);
	lend_maps();
	spin_unlock(&pages.lock);
}

u64 page_alloc(u32 order)
{
	u64 block;

	spin_lock(&pages.lock);
	block = take(order);
	spin_unlock(&pages.lock);
	return block;
}

u64 page_alloc_zero(void)
{
	u64 page = page_alloc(0);

	if (page)
		page_zero(page, PAGE_SIZE);
	return page;
}

static bool is_used_block(const struct region *r, u64 block, u32 order)
{
	return block >= r->lo && *map_byte(r, block) == (MAP_USED | order);
}

/*
 * Halve the allocated block that a part to be freed lies in, until the part is a block by itself.
 */
static void split_used(const struct region *r, u64 part, u32 order)
{
	u32 o = order;

	while (o < PAGE_ORDER_MAX && !is_used_block(r, ALIGN_DOWN(part, block_size(o)), o))
		o++;
	/* Else: a double free, a larger order than was allocated, or never allocated. */
	CHECK(is_used_block(r, ALIGN_DOWN(part, block_size(o)), o));
	for (; o > order; o--) {
		u64 half = ALIGN_DOWN(part, block_size(o));

		*map_byte(r, half) = (u8)(MAP_USED | (o - 1));
		*map_byte(r, half + block_size(o - 1)) = (u8)(MAP_USED | (o - 1));
	}
}

void page_free(u64 block, u32 order)
{
	const struct region *r;

	CHECK(order <= PAGE_ORDER_MAX && IS_ALIGNED(block, block_size(order)));
	r = region_of(block, block + block_size(order));
	CHECK(r && r->map);
	spin_lock(&pages.lock);
	split_used(r, block, order);
	*map_byte(r, block) = 0;
	release(r, block, order);
	spin_unlock(&pages.lock);
}

void page_free_range(u64 base, u64 size)
{
	for (u64 end = base + size; base < end;) {
		const struct region *r = region_of(base, end);
		u32 order;

		CHECK(r && r->map);
		order = *map_byte(r, base) & ~MAP_USED; /* nobody else frees it meanwhile */
		CHECK(order <= PAGE_ORDER_MAX && base + block_size(order) <= end);
		page_free(base, order);
		base += block_size(order);
	}
}

u64 page_free_count(void)
{
	return __atomic_load_n(&pages.free_pages, __ATOMIC_RELAXED);
}

u64 page_total(void)
{
	return __atomic_load_n(&pages.total, __ATOMIC_RELAXED);
}

static void zero_stores(u64 *p, u64 size)
{
	/*
	 * volatile: the compiler must not replace it by a call of memset(), which may call
	 * page_zero().
	 */
	for (volatile u64 *end = p + size / 8, *q = p; q < end; q += 8) {
		q[0] = q[1] = q[2] = q[3] = 0;
		q[4] = q[5] = q[6] = q[7] = 0;
	}
}

static u64 zero_4_blocks(u64 p, u64 step)
{
	zero_zva(p);
	zero_zva(p += step);
	zero_zva(p += step);
	zero_zva(p += step);
	return p + step;
}

static void zero_blocks(u64 p, u64 end, u64 step)
{
	/* DC ZVA takes at least one instruction per address: the loop must not double that. */
	for (u64 n = (end - p) / (16 * step); n; n--) {
		p = zero_4_blocks(p, step);
		p = zero_4_blocks(p, step);
		p = zero_4_blocks(p, step);
		p = zero_4_blocks(p, step);
	}
	for (; p < end; p += step)
		zero_zva(p);
}

void page_zero(u64 start, u64 size)
{
	u64 p = (u64)pa_ptr(pa(start));
	u64 dczid = feat.mops ? 0 : sysreg_read(DCZID_EL0);
	u64 step = DCZID_BLOCK(dczid);

	if (feat.mops)
		zero_mops((void *)p, size);
	else if ((dczid & DCZID_DZP) || step < 16 || !IS_ALIGNED(p | size, step))
		zero_stores((u64 *)p, size);
	else
		zero_blocks(p, p + size, step);
}

void page_clean(u64 start, u64 size)
{
	u64 p = (u64)pa_ptr(pa(start)), line;

	if (feat.qemu)
		return;
	line = CTR_DLINE(sysreg_read(CTR_EL0));
	for (u64 q = ALIGN_DOWN(p, line); q < p + size; q += line)
		cache_clean_line(q);
	dsb(sy);
}

void page_drop_instructions(void)
{
	icache_drop_all();
	dsb(ish);
	isb();
}
