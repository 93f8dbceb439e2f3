/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker against an array with one word a page. A watcher sees every store to a table that a
 * walk could reach, and models a TLB that keeps all it may: a violation of break-before-make fails
 * there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/desc.h"
#include "arch/pgtable.h"
#include "mm/page.h"
#include "mm/pgtable.h"

#define ARENA_TABLES 8192
#define NOTHING 0UL

/* ---- table pages, with failures on request ---- */

static struct {
	u64 *page;      /* of the arena */
	u32 fail_after; /* allocations that still succeed; ~0: all */
	u32 in_use;
	bool used[ARENA_TABLES];
} arena;

/* What the watcher knows of each page of the arena. */
static struct table {
	enum { PRIVATE, REACHED, UNLINKED } state;
	u32 level, entries;
	u64 ia;
	u64 copy[PGTABLE_ENTRIES]; /* the sum of what stores to it did */
} * tables;

static u32 table_number(const u64 *p)
{
	return (u32)((p - arena.page) / PGTABLE_ENTRIES);
}

static u64 *arena_table(u64 desc)
{
	return (u64 *)(desc & DESC_ADDR);
}

static u64 arena_alloc(struct pgtable *pt, u32 order)
{
	u32 n = 1U << order;

	(void)pt;
	if (arena.fail_after == 0)
		return 0;
	if (arena.fail_after != ~0U)
		arena.fail_after--;
	for (u32 i = 0; i + n <= ARENA_TABLES; i += n) {
		u32 k = 0;

		while (k < n && !arena.used[i + k])
			k++;
		if (k < n)
			continue;
		memset(&arena.used[i], true, n);
		memset(&arena.page[i * PGTABLE_ENTRIES], 0, n * PAGE_SIZE);
		for (k = 0; k < n; k++)
			tables[i + k].state = PRIVATE;
		arena.in_use += n;
		return (u64)&arena.page[i * PGTABLE_ENTRIES];
	}
	fail_msg("the test's arena is too small");
	return 0;
}

static void arena_free(struct pgtable *pt, u64 table, u32 order)
{
	u32 i = table_number((u64 *)table);

	(void)pt;
	for (u32 k = 0; k < 1U << order; k++)
		if (!arena.used[i + k])
			fail_msg("table page freed twice");
	if (tables[i].state == UNLINKED)
		fail_msg("level %u table of 0x%lx freed before its invalidation", tables[i].level,
			 tables[i].ia);
	memset(&arena.used[i], false, 1U << order);
	memset((void *)table, 0x5a, PAGE_SIZE << order);
	arena.in_use -= 1U << order;
}

/* ---- the watcher ---- */

static struct pgtable pt;
static u64 window, pages; /* the IAs under test */
static u64 *model;        /* of each page: output address | attributes, or NOTHING */
static u8 *stale;         /* of each page: what a TLB may still hold */
enum { STALE_OLD = 1, STALE_PERMS = 2 };
static u64 live_stores, breaks, invalidations;
static bool watching;

static void each_page(u64 ia, u64 size, u8 set, u8 clear)
{
	u64 from = MAX(ia, window), to = MIN(ia + size, window + pages * PAGE_SIZE);

	for (u64 a = from; a < to; a += PAGE_SIZE) {
		u64 i = (a - window) / PAGE_SIZE;

		stale[i] = (u8)((stale[i] & ~clear) | set);
	}
}

static bool any_stale(u64 ia, u64 size, u8 what)
{
	u64 from = MAX(ia, window), to = MIN(ia + size, window + pages * PAGE_SIZE);

	for (u64 a = from; a < to; a += PAGE_SIZE)
		if (stale[(a - window) / PAGE_SIZE] & what)
			return true;
	return false;
}

static bool desc_is_table(u64 desc, u32 level)
{
	return level < 3 && (desc & 3) == 3;
}

/*
 * A table became reachable, with all that hangs on it; or it went out of reach, and walk caches may
 * know it.
 */
static void reach(u64 *page, u32 level, u64 ia, u32 entries, int state)
{
	struct table *t = &tables[table_number(page)];

	t->state = state;
	t->level = level;
	t->ia = ia;
	t->entries = entries;
	memcpy(t->copy, page, entries * 8UL);
	for (u32 i = 0; i < entries; i++)
		if (desc_is_table(page[i], level))
			reach(arena_table(page[i]), level + 1, ia + i * level_size(level),
			      PGTABLE_ENTRIES, state);
}

static void check_group(const u64 *page, u32 i)
{
	u32 g = i & ~15U;

	for (u32 k = g; k < g + 16; k++)
		if ((page[k] & DESC_VALID) && ((page[k] ^ page[i]) & DESC_CONT))
			fail_msg("entries %u and %u of one group differ in the contiguous bit", k,
				 i);
}

/* A store to entry i of a table that walks can reach. */
static void watch(struct table *t, u64 *page, u32 i, u64 new)
{
	u64 old = page[i], size = level_size(t->level), ia = t->ia + i * size;
	bool was = old & DESC_VALID, is = new &DESC_VALID;

	live_stores++;
	if (was && !is) {
		breaks++;
		each_page(ia, size, STALE_OLD, 0);
		if (desc_is_table(old, t->level))
			reach(arena_table(old), t->level + 1, ia, PGTABLE_ENTRIES, UNLINKED);
	} else if (was && is && old != new) {
		if (desc_is_table(old, t->level) || desc_is_table(new, t->level) ||
		    ((old ^ new) & ~DESC_PERMS) || ((old | new) & DESC_CONT))
			fail_msg("0x%lx, level %u: 0x%lx became 0x%lx without a break", ia,
				 t->level, old, new);
		each_page(ia, size, STALE_PERMS, 0);
	} else if (!was && is) {
		if (any_stale(ia, size, STALE_OLD))
			fail_msg("0x%lx, level %u: 0x%lx written before the invalidation", ia,
				 t->level, new);
		if (desc_is_table(new, t->level))
			reach(arena_table(new), t->level + 1, ia, PGTABLE_ENTRIES, REACHED);
	}
	page[i] = new;
	t->copy[i] = new;
	if (is && !desc_is_table(new, t->level) && t->entries >= 16)
		check_group(page, i);
}

void fake_desc_store(u64 *p, u64 v)
{
	u32 n = table_number(p);
	struct table *t = &tables[n];

	if (watching && t->state == REACHED)
		watch(t, &arena.page[n * PGTABLE_ENTRIES],
		      (u32)(p - &arena.page[n * PGTABLE_ENTRIES]), v);
	else
		*p = v;
}

static void watch_invalidate(struct pgtable *p, u64 ia, u64 size)
{
	assert_ptr_equal(p, &pt);
	assert_int_equal((ia | size) % PAGE_SIZE, 0);
	invalidations++;
	each_page(ia, size, 0, STALE_OLD | STALE_PERMS);
	for (u32 i = 0; i < ARENA_TABLES; i++) {
		struct table *t = &tables[i];

		/* The entry that referred to it must lie inside. */
		if (arena.used[i] && t->state == UNLINKED && t->ia >= ia &&
		    t->ia + level_size(t->level - 1) <= ia + size)
			t->state = PRIVATE;
	}
}

static const struct pgtable_ops ops = { watch_invalidate, arena_alloc, arena_free };

/* ---- the tables as hardware reads them, without the walker's help ---- */

static u32 tables_found;

static void check_leaf(u64 desc, const u64 *table, u32 i, u32 level, u64 ia)
{
	u64 size = level_size(level);

	if (level == 0 || (level < 3 && (desc & 3) != 1) || (level == 3 && (desc & 3) != 3))
		fail_msg("level %u entry 0x%lx of 0x%lx is no leaf", level, desc, ia);
	if (size > pt.max_block)
		fail_msg("0x%lx: a leaf of 0x%lx bytes, allowed 0x%lx", ia, size, pt.max_block);
	if ((desc & DESC_ADDR) & (size - 1))
		fail_msg("0x%lx: output address 0x%lx is not aligned to 0x%lx", ia,
			 desc & DESC_ADDR, size);
	if (desc & DESC_CONT) {
		u32 g = i & ~15U;
		u64 first = table[g];

		if (!pt.contiguous)
			fail_msg("0x%lx: a contiguous hint that nobody wants", ia);
		if ((first & DESC_ADDR) & (16 * size - 1))
			fail_msg("0x%lx: a contiguous group not aligned in output", ia);
		for (u32 k = 0; k < 16; k++)
			if (table[g + k] != first + k * size)
				fail_msg("0x%lx: group of 16, entry %u is 0x%lx, expected 0x%lx",
					 ia, k, table[g + k], first + k * size);
	}
	for (u64 a = MAX(ia, window); a < MIN(ia + size, window + pages * PAGE_SIZE);
	     a += PAGE_SIZE) {
		u64 found = ((desc & DESC_ADDR) + (a - ia)) | (desc & DESC_ATTRS);
		u64 expected = model[(a - window) / PAGE_SIZE];

		if (found != expected)
			fail_msg("0x%lx: expected 0x%lx, found 0x%lx", a, expected, found);
	}
}

static void check_table(const u64 *table, u32 level, u64 ia, u32 entries)
{
	struct table *t = &tables[table_number(table)];
	u32 valid = 0;

	tables_found++;
	if (watching && (t->state != REACHED || t->level != level || t->ia != ia))
		fail_msg("level %u table of 0x%lx is linked, but no store linked it", level, ia);
	if (watching && memcmp(table, t->copy, entries * 8UL))
		fail_msg("level %u table of 0x%lx was changed past desc_store()", level, ia);
	for (u32 i = 0; i < entries; i++, ia += level_size(level)) {
		u64 desc = table[i];

		valid += desc != 0;
		if (desc && !(desc & DESC_VALID))
			fail_msg("0x%lx: broken entry 0x%lx left behind", ia, desc);
		if (desc_is_table(desc, level)) {
			if (desc & ~(DESC_ADDR | 3))
				fail_msg("0x%lx: table descriptor 0x%lx", ia, desc);
			check_table(arena_table(desc), level + 1, ia, PGTABLE_ENTRIES);
		} else if (desc) {
			check_leaf(desc, table, i, level, ia);
		} else {
			u64 end = MIN(ia + level_size(level), window + pages * PAGE_SIZE);

			for (u64 a = MAX(ia, window); a < end; a += PAGE_SIZE)
				if (model[(a - window) / PAGE_SIZE] != NOTHING)
					fail_msg("0x%lx: expected 0x%lx, found a hole at level %u",
						 a, model[(a - window) / PAGE_SIZE], level);
		}
	}
	if (!valid && level != pt.start_level)
		fail_msg("empty level %u table before 0x%lx", level, ia);
}

static u32 root_pages(void)
{
	u64 bytes = 8UL << (pt.ia_bits - level_shift(pt.start_level));

	return (u32)MAX(bytes / PAGE_SIZE, 1UL);
}

static u32 root_entries(void)
{
	return 1U << (pt.ia_bits - level_shift(pt.start_level));
}

static void check_all(void)
{
	tables_found = 0;
	for (u32 i = 0; i < root_pages(); i++)
		check_table((u64 *)pt.root + i * PGTABLE_ENTRIES, pt.start_level,
			    i * level_size(pt.start_level - 1), MIN(root_entries(), 512U));
	assert_int_equal(tables_found, pt.table_pages);
	assert_int_equal(arena.in_use, pt.table_pages);
	if (any_stale(window, pages * PAGE_SIZE, STALE_OLD | STALE_PERMS))
		fail_msg("the update ended with entries in TLBs that tables no longer have");
}

static void check_lookup(u64 i)
{
	struct pgtable_leaf leaf;
	u64 ia = window + i * PAGE_SIZE + i % PAGE_SIZE;
	bool found = pgtable_lookup(&pt, ia, &leaf);

	if (model[i] == NOTHING) {
		if (found)
			fail_msg("lookup of 0x%lx: expected nothing, found 0x%lx", ia, leaf.oa);
		return;
	}
	if (!found || (leaf.oa & ~(PAGE_SIZE - 1)) != (model[i] & DESC_ADDR) ||
	    leaf.oa % PAGE_SIZE != i % PAGE_SIZE || leaf.attr != (model[i] & DESC_ATTRS))
		fail_msg("lookup of 0x%lx: expected 0x%lx, found %d 0x%lx 0x%lx", ia, model[i],
			 found, leaf.oa, leaf.attr);
}

/* ---- a table to test ---- */

static void start(enum pgtable_kind kind, u32 ia_bits, u64 max_block, bool contiguous, u64 base,
		  u64 size)
{
	if (!arena.page) {
		arena.page = aligned_alloc(65536, ARENA_TABLES * PAGE_SIZE);
		tables = calloc(ARENA_TABLES, sizeof(*tables));
	}
	memset(arena.used, 0, sizeof(arena.used));
	arena.in_use = 0;
	arena.fail_after = ~0U;
	window = base;
	pages = size / PAGE_SIZE;
	model = calloc(pages, sizeof(*model));
	stale = calloc(pages, sizeof(*stale));
	watching = false;
	live_stores = breaks = invalidations = 0;
	assert_int_equal(pgtable_init(&pt, kind, ia_bits, max_block, &ops), 0);
	pt.contiguous = contiguous;
	watching = true;
	for (u32 i = 0; i < root_pages(); i++)
		reach((u64 *)pt.root + i * PGTABLE_ENTRIES, pt.start_level,
		      i * level_size(pt.start_level - 1), MIN(root_entries(), 512U), REACHED);
}

static void finish(void)
{
	u64 before = pt.table_pages;

	watching = false;
	/* In pieces, each followed by a check of all that is left from its beginning. */
	while (pgtable_destroy_piece(&pt, 100)) {
		assert_in_range(before - pt.table_pages, 1, 100);
		before = pt.table_pages;
	}
	assert_in_range(before, 1, 100 + 16);
	assert_int_equal(pt.table_pages, 0);
	assert_int_equal(arena.in_use, 0);
	free(model);
	free(stale);
}

static void model_map(u64 ia, u64 oa, u64 size, u64 attr)
{
	for (u64 i = 0; i < size / PAGE_SIZE; i++)
		model[(ia - window) / PAGE_SIZE + i] = (oa + i * PAGE_SIZE) | attr;
}

static void model_unmap(u64 ia, u64 size)
{
	memset(&model[(ia - window) / PAGE_SIZE], 0, size / PAGE_SIZE * 8);
}

#define RW (DESC_AF | DESC_SH_INNER | S2_MEMATTR_NORMAL_WB | S2_AP_READ | S2_AP_WRITE)
#define RO (RW & ~S2_AP_WRITE)
#define NC (DESC_AF | DESC_SH_INNER | (5UL << 2) | S2_AP_READ | S2_AP_WRITE)
#define DEV (DESC_AF | S2_MEMATTR_DEVICE_nGnRE | S2_AP_READ | S2_AP_WRITE | S2_XN)

static void map(u64 ia, u64 oa, u64 size, u64 attr)
{
	assert_int_equal(pgtable_map(&pt, ia, oa, size, attr), 0);
	model_map(ia, oa, size, attr);
	check_all();
}

static void unmap(u64 ia, u64 size)
{
	assert_int_equal(pgtable_unmap(&pt, ia, size), 0);
	model_unmap(ia, size);
	check_all();
}

static u64 leaf_size(u64 ia)
{
	struct pgtable_leaf leaf;

	return pgtable_lookup(&pt, ia, &leaf) ? leaf.size : 0;
}

/* The raw descriptor that a walk for ia ends at. */
static u64 raw(u64 ia)
{
	const u64 *table = (u64 *)pt.root;
	u32 level = pt.start_level;
	u64 desc = table[ia >> level_shift(level)];

	while (desc_is_table(desc, level)) {
		level++;
		desc = arena_table(desc)[(ia >> level_shift(level)) & 511];
	}
	return desc;
}

/* ---- directed ---- */

static void start_levels_follow_the_architecture(void **state)
{
	static const struct {
		enum pgtable_kind kind;
		u32 bits, level, pages;
	} want[] = {
		{ PGTABLE_STAGE1, 25, 2, 1 },  { PGTABLE_STAGE1, 30, 2, 1 },
		{ PGTABLE_STAGE1, 31, 1, 1 },  { PGTABLE_STAGE1, 39, 1, 1 },
		{ PGTABLE_STAGE1, 40, 0, 1 },  { PGTABLE_STAGE1, 48, 0, 1 },
		{ PGTABLE_STAGE2, 30, 2, 1 },  { PGTABLE_STAGE2, 31, 2, 2 },
		{ PGTABLE_STAGE2, 34, 2, 16 }, { PGTABLE_STAGE2, 35, 1, 1 },
		{ PGTABLE_STAGE2, 39, 1, 1 },  { PGTABLE_STAGE2, 40, 1, 2 },
		{ PGTABLE_STAGE2, 43, 1, 16 }, { PGTABLE_STAGE2, 44, 0, 1 },
		{ PGTABLE_STAGE2, 48, 0, 1 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		start(want[i].kind, want[i].bits, PAGE_SIZE, false, 0, MIB(2));
		assert_int_equal(pt.start_level, want[i].level);
		assert_int_equal(pt.table_pages, want[i].pages);
		assert_true(IS_ALIGNED(pt.root, want[i].pages * PAGE_SIZE));
		/* The last page of the space. */
		assert_int_equal(
			pgtable_map(&pt, BIT(want[i].bits) - PAGE_SIZE, 0x1000, PAGE_SIZE, RW), 0);
		assert_int_equal(leaf_size(BIT(want[i].bits) - PAGE_SIZE), PAGE_SIZE);
		finish();
	}
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 24, PAGE_SIZE, &ops), -EINVAL);
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 49, PAGE_SIZE, &ops), -EINVAL);
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 40, KIB(64), &ops), -EINVAL);
	arena.fail_after = 0;
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 40, PAGE_SIZE, &ops), -ENOMEM);
}

static void bad_arguments_change_nothing(void **state)
{
	(void)state;
	start(PGTABLE_STAGE2, 32, PAGE_SIZE, true, 0, MIB(4));
	assert_int_equal(pgtable_map(&pt, 1, 0, PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 1, PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, 1, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, GIB(4), 0, PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, GIB(4) - PAGE_SIZE, 0, 2 * PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, PAGE_SIZE, 0, -PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, BIT(48), PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, BIT(48) - PAGE_SIZE, 2 * PAGE_SIZE, RW), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, PAGE_SIZE, RW & ~DESC_AF), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, PAGE_SIZE, RW | DESC_CONT), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, PAGE_SIZE, RW | BIT(12)), -EINVAL);
	assert_int_equal(pgtable_unmap(&pt, GIB(4), PAGE_SIZE), -EINVAL);
	assert_int_equal(pgtable_unmap(&pt, 0, GIB(4) + PAGE_SIZE), -EINVAL);
	assert_int_equal(pgtable_map(&pt, 0, 0, 0, RW), 0);
	unmap(0, MIB(4));
	assert_int_equal(live_stores, 0);
	assert_int_equal(pt.table_pages, 4);
	finish();
}

static void the_largest_blocks_are_used(void **state)
{
	(void)state;
	start(PGTABLE_STAGE2, 40, GIB(1), true, GIB(1), GIB(3));
	map(GIB(1) + MIB(2) - PAGE_SIZE, GIB(9) + MIB(2) - PAGE_SIZE, GIB(2), RW);
	assert_int_equal(leaf_size(GIB(1) + MIB(2) - PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(leaf_size(GIB(1) + MIB(2)), MIB(2));
	assert_int_equal(leaf_size(GIB(2) - 1), MIB(2));
	assert_int_equal(leaf_size(GIB(2)), GIB(1));
	assert_int_equal(leaf_size(GIB(3)), PAGE_SIZE);
	/* 32 MiB of 2 MiB blocks, and 64 KiB of pages, carry the hint; their remainders don't. */
	assert_true(raw(GIB(1) + MIB(32)) & DESC_CONT);
	assert_false(raw(GIB(1) + MIB(30)) & DESC_CONT);
	assert_true(raw(GIB(3)) & DESC_CONT);
	assert_false(raw(GIB(3) + MIB(2) - KIB(8)) & DESC_CONT);
	assert_int_equal(breaks + invalidations, 0);
	finish();
	/* An output address with a smaller alignment than the input address. */
	start(PGTABLE_STAGE2, 40, GIB(1), true, GIB(1), GIB(1));
	map(GIB(1), MIB(2), GIB(1), RW);
	assert_int_equal(leaf_size(GIB(1)), MIB(2));
	assert_false(raw(GIB(1)) & DESC_CONT);
	unmap(GIB(1), GIB(1));
	map(GIB(1), KIB(68), MIB(4), RW);
	assert_int_equal(leaf_size(GIB(1)), PAGE_SIZE);
	assert_false(raw(GIB(1)) & DESC_CONT);
	finish();
}

static void a_hole_splits_a_block(void **state)
{
	u64 at = GIB(1) + MIB(70) + PAGE_SIZE * 37;

	(void)state;
	start(PGTABLE_STAGE2, 40, GIB(1), true, GIB(1), GIB(1));
	map(GIB(1), GIB(5), GIB(1), RW);
	assert_int_equal(pt.table_pages, 2);
	unmap(at, PAGE_SIZE);
	assert_int_equal(pt.table_pages, 4);
	assert_int_equal(breaks, 1);
	assert_int_equal(invalidations, 1);
	assert_int_equal(leaf_size(GIB(1)), MIB(2));
	assert_int_equal(leaf_size(at - PAGE_SIZE), PAGE_SIZE);
	assert_true(raw(GIB(1)) & DESC_CONT);
	assert_false(raw(GIB(1) + MIB(94)) & DESC_CONT); /* its group has a table in it */
	assert_true(raw(at - 6 * PAGE_SIZE) & DESC_CONT);
	assert_false(raw(at - 5 * PAGE_SIZE) & DESC_CONT); /* its group has the hole in it */
	/* The same again: one block of 1 GiB, and the tables are gone. */
	map(GIB(1), GIB(5), GIB(1), RW);
	assert_int_equal(leaf_size(at), GIB(1));
	assert_int_equal(pt.table_pages, 2);
	finish();
}

static void permissions_change_in_place(void **state)
{
	(void)state;
	start(PGTABLE_STAGE2, 40, MIB(2), false, 0, MIB(8));
	map(0, 0, MIB(8), RW);
	map(MIB(2), MIB(2), MIB(4), RO);
	assert_int_equal(breaks, 0);
	assert_int_equal(invalidations, 1);
	map(MIB(2), MIB(2), MIB(2), DEV);
	assert_int_equal(breaks, 1);
	map(0, 0, MIB(2), NC); /* only the cacheability */
	assert_int_equal(breaks, 2);
	finish();
	/* Not in a contiguous group. */
	start(PGTABLE_STAGE2, 40, PAGE_SIZE, true, 0, MIB(2));
	map(0, 0, MIB(2), RW);
	map(KIB(64), KIB(64), KIB(64), RO);
	assert_int_equal(breaks, 16);
	assert_true(raw(KIB(64)) & DESC_CONT);
	map(KIB(128), KIB(128), KIB(4), RO);
	assert_int_equal(breaks, 32);
	assert_false(raw(KIB(128)) & DESC_CONT);
	assert_false(raw(KIB(132)) & DESC_CONT);
	finish();
}

static void what_is_there_is_left_alone(void **state)
{
	u64 stores;

	(void)state;
	start(PGTABLE_STAGE2, 40, GIB(1), true, GIB(1), GIB(1));
	map(GIB(1), GIB(1), GIB(1) - KIB(4), RW);
	stores = live_stores;
	map(GIB(1), GIB(1), GIB(1) - KIB(4), RW);
	map(GIB(1) + KIB(12), GIB(1) + KIB(12), KIB(400), RW);
	map(GIB(1) + MIB(2), GIB(1) + MIB(2), KIB(4), RW);
	assert_int_equal(live_stores, stores);
	finish();
}

/* A large range goes in pieces, and the size of a hole tells where to continue. */
static void unmapping_in_pieces(void **state)
{
	struct pgtable_leaf leaf;

	(void)state;
	start(PGTABLE_STAGE2, 44, PAGE_SIZE, true, GIB(512) - MIB(64), MIB(128));
	map(GIB(512) - MIB(64), MIB(64), MIB(128), RW);
	for (u64 a = window; a < window + MIB(128); a += MIB(2))
		unmap(a, MIB(2));
	assert_int_equal(pt.table_pages, 1);
	assert_false(pgtable_lookup(&pt, 0, &leaf));
	assert_int_equal(leaf.size, GIB(512));
	map(0 + window, 0, PAGE_SIZE, RW);
	assert_false(pgtable_lookup(&pt, window + PAGE_SIZE, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);
	assert_false(pgtable_lookup(&pt, window + MIB(2), &leaf));
	assert_int_equal(leaf.size, MIB(2));
	finish();
}

/* ---- random ---- */

static u64 random_state;

static u64 rnd(u64 below)
{
	random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
	return (random_state >> 33) % below;
}

/* Sizes and places around those that matter. */
static u64 rnd_pages(u64 below)
{
	static const u64 unit[] = { 1, 1, 16, 512, 512, 16 * 512, 262144 };
	u64 u = unit[rnd(ARRAY_SIZE(unit))], n;

	u = u < below ? u : 1;
	n = rnd(below / u + 1) * u;
	if (rnd(3) == 0)
		n += rnd(3) - 1;
	return n < below ? n : 0;
}

struct update {
	bool map;
	u64 ia, oa, size, attr;
};

static struct update rnd_update(void)
{
	static const u64 attr[] = { RW, RW, RW, RO, NC, DEV };
	static const u64 shift[] = { 0, 0, 0, GIB(3), MIB(6), KIB(64), KIB(4), KIB(28) };
	u64 first = rnd_pages(pages), n = rnd_pages(pages - first);
	struct update u = {
		.map = rnd(5) != 0,
		.ia = window + first * PAGE_SIZE,
		.size = (n ? n : 1) * PAGE_SIZE,
		.attr = attr[rnd(ARRAY_SIZE(attr))],
	};

	u.oa = u.ia + shift[rnd(ARRAY_SIZE(shift))];
	return u;
}

static int try(const struct update *u)
{
	return u->map ? pgtable_map(&pt, u->ia, u->oa, u->size, u->attr)
		      : pgtable_unmap(&pt, u->ia, u->size);
}

/* With one more page each time, until it succeeds; every failure leaves everything unchanged. */
static void try_all_failures(const struct update *u)
{
	for (u32 n = 0;; n++) {
		u64 stores = live_stores, table_pages = pt.table_pages;
		int err;

		arena.fail_after = n;
		err = try(u);
		arena.fail_after = ~0U;
		if (!err)
			return;
		assert_int_equal(err, -ENOMEM);
		assert_int_equal(live_stores, stores);
		assert_int_equal(pt.table_pages, table_pages);
		assert_int_equal(arena.in_use, table_pages);
		if (n % 64 == 0)
			check_all();
	}
}

/* Where the range covers a whole block, and alignment allows it, the leaf is at least that. */
static void check_blocks(const struct update *u)
{
	for (u64 size = PAGE_SIZE; size <= pt.max_block; size <<= 9) {
		u64 a = ALIGN_UP(u->ia, size);

		if ((u->ia ^ u->oa) & (size - 1))
			return;
		for (; a + size <= u->ia + u->size; a += size)
			if (leaf_size(a) < size)
				fail_msg("0x%lx: expected a leaf of 0x%lx, found 0x%lx", a, size,
					 leaf_size(a));
	}
}

static void random_updates(u32 steps, u32 check_every)
{
	for (u32 step = 0; step < steps; step++) {
		struct update u = rnd_update();

		if (step % 4 == 0 && u.size <= MIB(256))
			try_all_failures(&u);
		else
			assert_int_equal(try(&u), 0);
		if (u.map)
			model_map(u.ia, u.oa, u.size, u.attr);
		else
			model_unmap(u.ia, u.size);
		if (step % check_every == 0) {
			check_all();
			if (u.map)
				check_blocks(&u);
			for (u64 i = 0; i<pages; i += pages> 65536 ? 61 : 1)
				check_lookup(i);
		}
	}
	check_all();
	unmap(window, pages * PAGE_SIZE);
	assert_int_equal(pt.table_pages, root_pages());
	finish();
}

static void random_pages(void **state)
{
	(void)state;
	random_state = 1;
	start(PGTABLE_STAGE2, 40, PAGE_SIZE, true, GIB(1) - MIB(4), MIB(12));
	random_updates(1500, 2);
	start(PGTABLE_STAGE2, 40, PAGE_SIZE, false, GIB(1) - MIB(4), MIB(12));
	random_updates(500, 2);
}

static void random_small_blocks(void **state)
{
	(void)state;
	random_state = 2;
	start(PGTABLE_STAGE2, 40, MIB(2), true, GIB(1) - MIB(32), MIB(96));
	random_updates(1000, 4);
	start(PGTABLE_STAGE1, 48, MIB(2), false, GIB(512) - MIB(32), MIB(96));
	random_updates(500, 4);
}

static void random_large_blocks(void **state)
{
	(void)state;
	random_state = 3;
	start(PGTABLE_STAGE2, 43, GIB(1), true, GIB(511), GIB(3));
	random_updates(250, 25);
	start(PGTABLE_STAGE1, 48, GIB(1), true, GIB(511), GIB(3));
	random_updates(100, 25);
}

/* Concatenated roots, whose leaves are in the root itself; and a root of less than a page. */
static void random_roots(void **state)
{
	(void)state;
	random_state = 4;
	start(PGTABLE_STAGE2, 34, MIB(2), true, GIB(2) - MIB(64), MIB(128));
	random_updates(500, 4);
	start(PGTABLE_STAGE1, 25, MIB(2), true, 0, MIB(32));
	random_updates(500, 4);
	start(PGTABLE_STAGE1, 31, GIB(1), true, GIB(1) - MIB(64), MIB(128));
	random_updates(300, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_levels_follow_the_architecture),
		cmocka_unit_test(bad_arguments_change_nothing),
		cmocka_unit_test(the_largest_blocks_are_used),
		cmocka_unit_test(a_hole_splits_a_block),
		cmocka_unit_test(permissions_change_in_place),
		cmocka_unit_test(what_is_there_is_left_alone),
		cmocka_unit_test(unmapping_in_pieces),
		cmocka_unit_test(random_pages),
		cmocka_unit_test(random_small_blocks),
		cmocka_unit_test(random_large_blocks),
		cmocka_unit_test(random_roots),
	};

	return cmocka_run_group_tests_name("pgtable", tests, NULL, NULL);
}
