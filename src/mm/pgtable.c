/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walker of all translation tables. Prepare counts the table pages that an update needs and
 * allocates them; commit repeats that walk, uses them, and cannot fail.
 *
 * Break-before-make: an entry to be broken keeps its old bits with DESC_VALID clear. Hardware
 * ignores it, and after the invalidation mend() still knows what was there: a table to free, or the
 * rest of a contiguous group to restore. Between calls every invalid entry is 0.
 */
#include "mm/pgtable.h"

#include "arch/barrier.h"
#include "arch/desc.h"
#include "arch/pgtable.h"
#include "lib/check.h"
#include "mm/addr.h"
#include "mm/page.h"
#include "mm/page_pool.h"
#include "mm/pgtable_entry.h"

#define OA_BITS 48

/* One update. */
struct walk {
	struct pgtable *pt;
	bool map;  /* else unmap */
	u64 delta; /* oa - ia */
	u64 attr;
	u64 spare; /* table pages for commit, chained by their first words */
};

/* The visibility of the table that commit works on. */
enum vis {
	LIVE,  /* table walks */
	BUILT, /* not visible yet; it has entries */
	EMPTY, /* not visible yet; all entries are 0 */
};

/* Entries [lo, hi) of a table. */
struct span {
	u32 lo, hi;
};

static u32 table_index(const struct pgtable *pt, u32 level, u64 ia)
{
	u64 i = ia >> level_shift(level);

	/* Concatenated root tables are one large table. */
	return (u32)(level == pt->start_level ? i : i & (PGTABLE_ENTRIES - 1));
}

/* The end of the entry that holds ia, or `end` if that comes first. */
static u64 entry_end(u32 level, u64 ia, u64 end)
{
	u64 next = ALIGN_DOWN(ia, level_size(level)) + level_size(level);

	return MIN(next, end);
}

/* ---- table pages ---- */

static u64 table_alloc(struct pgtable *pt, u32 order)
{
	u64 table;

	if (pt->ops->table_alloc) {
		table = pt->ops->table_alloc(pt, order);
	} else {
		table = pt->pool && !order ? page_pool_take(pt->pool) : page_alloc(order);
		if (table)
			page_zero(table, PAGE_SIZE << order);
	}
	if (table)
		pt->table_pages += 1UL << order;
	return table;
}

static void table_free(struct pgtable *pt, u64 table, u32 order)
{
	pt->table_pages -= 1UL << order;
	pt->near = NULL;
	if (pt->ops->table_alloc)
		pt->ops->table_free(pt, table, order);
	else if (pt->pool && !order)
		page_pool_put(pt->pool, table);
	else
		page_free(table, order);
}

/* Free the tables below count entries of a table at this level. At most three deep. */
static void free_below(struct pgtable *pt, u64 *table, u32 level, u32 count)
{
	if (level == 3)
		return;
	for (u32 i = 0; i < count; i++) {
		u64 desc = desc_load(&table[i]);

		if (!pgtable_is_table(desc, level))
			continue;
		free_below(pt, pgtable_ptr(desc), level + 1, PGTABLE_ENTRIES);
		table_free(pt, desc & DESC_ADDR, 0);
	}
}

static u64 *spare_take(struct walk *w)
{
	u64 *page = pa_ptr(pa(w->spare));

	CHECK(w->spare);
	w->spare = page[0];
	page[0] = 0;
	return page;
}

static void spare_free(struct walk *w)
{
	while (w->spare)
		table_free(w->pt, ptr_pa(spare_take(w)).a, 0);
}

static int spare_fill(struct walk *w, u64 count)
{
	for (; count; count--) {
		u64 page = table_alloc(w->pt, 0);

		if (!page) {
			spare_free(w);
			return -ENOMEM;
		}
		*pgtable_ptr(page) = w->spare;
		w->spare = page;
	}
	return 0;
}

/* ---- what the update requires ---- */

/* The leaf wanted at ia, without the contiguous bit. */
static u64 want(const struct walk *w, u32 level, u64 ia)
{
	return (ia + w->delta) | w->attr | pgtable_leaf_type(level);
}

/* Whether the update treats the entry of [ia, next) as a whole: as one leaf, or as a hole. */
static bool fits(const struct walk *w, u32 level, u64 ia, u64 next)
{
	u64 size = level_size(level);

	if (next - ia != size)
		return false;
	if (!w->map || level == 3)
		return true;
	return size <= w->pt->max_block && IS_ALIGNED(ia + w->delta, size);
}

/*
 * Whether an entry that is no table needs one because [ia, ...) is only a part of it, or must be
 * finer.
 */
static bool needs_table(const struct walk *w, u64 desc, u32 level, u64 ia)
{
	if (!(desc & DESC_VALID))
		return w->map;
	return !w->map || (desc & ~DESC_CONT) != want(w, level, ALIGN_DOWN(ia, level_size(level)));
}

/* Whether a valid entry needs break-before-make for the new one at ia. */
static bool must_break(const struct walk *w, u64 desc, u32 level, u64 ia)
{
	u64 diff;

	if (!w->map)
		return true;
	/* A table differs from any leaf in its type. */
	diff = (desc & ~DESC_CONT) ^ want(w, level, ia);
	return (diff & ~DESC_PERMS) || (diff && (desc & DESC_CONT));
}

/*
 * Prepare: the table pages needed below a table at this level, [ia, end) within it. Without a
 * table, what all its entries would hold is like under: a block, or nothing.
 */
static u64 count_tables(const struct walk *w, const u64 *table, u64 under, u32 level, u64 ia,
			u64 end)
{
	u64 n = 0, next;

	if (level == 3)
		return 0;
	for (; ia < end; ia = next) {
		u64 desc;

		next = entry_end(level, ia, end);
		if (fits(w, level, ia, next)) {
			next = ALIGN_DOWN(end, level_size(level));
			continue;
		}
		desc = table ? desc_load(&table[table_index(w->pt, level, ia)]) : under;
		if (pgtable_is_table(desc, level))
			n += count_tables(w, pgtable_ptr(desc), 0, level + 1, ia, next);
		else if (!table ? w->map || under : needs_table(w, desc, level, ia))
			n += 1 + count_tables(w, NULL, desc, level + 1, ia, next);
	}
	return n;
}

/* ---- commit ---- */

static void invalidate(struct pgtable *pt, u64 ia, u64 size)
{
	pt->ops->invalidate(pt, ia, size);
}

/* Write n leaves of a table that no walk can see, from entry i on; desc is the first. */
static void fill_run(u64 *e, u32 n, u64 desc, u64 step)
{
	for (; n >= 4; n -= 4, e += 4, desc += 4 * step) {
		e[0] = desc;
		e[1] = desc + step;
		e[2] = desc + 2 * step;
		e[3] = desc + 3 * step;
	}
	for (; n; n--, desc += step)
		*e++ = desc;
}

static bool contiguous_at(const struct pgtable *pt, u32 level, u32 i, u64 desc)
{
	u64 oa_index = (desc & DESC_ADDR) >> level_shift(level);

	return pt->contiguous && ((oa_index ^ i) & (PGTABLE_CONT - 1)) == 0;
}

static void fill(const struct pgtable *pt, u64 *table, u32 level, u32 i, u32 n, u64 desc)
{
	u64 step = level_size(level);
	u32 head = -i & (PGTABLE_CONT - 1), body;

	if (!contiguous_at(pt, level, i, desc) || n < head + PGTABLE_CONT) {
		fill_run(&table[i], n, desc, step);
		return;
	}
	body = ALIGN_DOWN(n - head, (u32)PGTABLE_CONT);
	fill_run(&table[i], head, desc, step);
	fill_run(&table[i + head], body, (desc + head * step) | DESC_CONT, step);
	fill_run(&table[i + head + body], n - head - body, desc + (head + body) * step, step);
}

/* The leaf at this level that a block one level up becomes at its first entry. */
static u64 split_leaf(u64 block, u32 level)
{
	return (block & ~(DESC_TYPE | DESC_CONT)) | pgtable_leaf_type(level);
}

/* Break entry i, and with one that is contiguous its whole group. */
static struct span break_entry(u64 *table, u32 i)
{
	struct span s = { i, i + 1 };

	if (desc_load(&table[i]) & DESC_CONT) {
		s.lo = ALIGN_DOWN(i, (u32)PGTABLE_CONT);
		s.hi = s.lo + PGTABLE_CONT;
	}
	for (u32 k = s.lo; k < s.hi; k++)
		desc_store(&table[k], desc_load(&table[k]) & ~DESC_VALID);
	return s;
}

/*
 * Break what must be broken of the entries of run; returns a span around all of them, maybe empty.
 */
static struct span break_run(const struct walk *w, u64 *table, u32 level, u64 ia, struct span run)
{
	struct span all = { run.hi, run.lo };

	for (u32 i = run.lo; i < run.hi; i++, ia += level_size(level)) {
		u64 desc = desc_load(&table[i]);
		struct span s;

		if (!(desc & DESC_VALID) || !must_break(w, desc, level, ia))
			continue;
		s = break_entry(table, i);
		all.lo = MIN(all.lo, s.lo);
		all.hi = s.hi;
	}
	return all;
}

/*
 * After the invalidation of the broken entries: free the tables that those of run pointed to and
 * empty them, restore those outside of it.
 */
static void mend(const struct walk *w, u64 *table, u32 level, struct span broken, struct span run)
{
	for (u32 i = broken.lo; i < broken.hi; i++) {
		u64 desc = desc_load(&table[i]);

		if ((desc & DESC_VALID) || !desc)
			continue;
		if (i < run.lo || i >= run.hi) {
			desc_store(&table[i], (desc | DESC_VALID) & ~DESC_CONT);
			continue;
		}
		desc_store(&table[i], 0);
		if (pgtable_is_table(desc | DESC_VALID, level)) {
			free_below(w->pt, pgtable_ptr(desc), level + 1, PGTABLE_ENTRIES);
			table_free(w->pt, desc & DESC_ADDR, 0);
		}
	}
}

/* Make all CPUs forget the broken entries of a table. run holds ia at its first entry. */
static void flush_broken(struct pgtable *pt, u32 level, u64 ia, struct span broken, struct span run)
{
	u64 base = ALIGN_DOWN(ia, level_size(level)) - run.lo * level_size(level);

	invalidate(pt, base + broken.lo * level_size(level),
		   (u64)(broken.hi - broken.lo) * level_size(level));
}

/*
 * Write n leaves, within one group of 16, where the entry is empty or only its permissions differ;
 * true if there were such. A whole group of empty entries gets the contiguous hint.
 */
static bool make_group(const struct walk *w, u64 *table, u32 level, u64 ia, u32 i, u32 n)
{
	u64 desc = want(w, level, ia), old = 0, any = 0;
	bool changed = false;

	for (u32 k = 0; k < n; k++)
		any |= desc_load(&table[i + k]);
	if (!any && n == PGTABLE_CONT && contiguous_at(w->pt, level, i, desc))
		desc |= DESC_CONT;
	for (u32 k = 0; k < n; k++, desc += level_size(level)) {
		if (any)
			old = desc_load(&table[i + k]);
		if (old && (old & ~DESC_CONT) == desc)
			continue;
		changed |= old != 0;
		desc_store(&table[i + k], desc);
	}
	return changed;
}

static void make_run(const struct walk *w, u64 *table, u32 level, u64 ia, struct span run,
		     enum vis vis)
{
	u64 size = level_size(level);
	bool changed = false;
	u64 at = ia;

	for (u32 i = run.lo, n; i < run.hi; i += n, at += n * size) {
		n = MIN(run.hi - i, PGTABLE_CONT - i % PGTABLE_CONT);
		changed |= make_group(w, table, level, at, i, n);
	}
	if (changed && vis == LIVE)
		invalidate(w->pt, ia, at - ia);
}

/* Make n whole entries from ia on leaves, or holes. */
static void commit_leaves(const struct walk *w, u64 *table, u32 level, u64 ia, u32 n, enum vis vis)
{
	struct span run, broken;

	run.lo = table_index(w->pt, level, ia);
	run.hi = run.lo + n;
	if (vis == EMPTY) {
		fill(w->pt, table, level, run.lo, n, want(w, level, ia));
		return;
	}
	broken = break_run(w, table, level, ia, run);
	if (broken.lo < broken.hi) {
		if (vis == LIVE)
			flush_broken(w->pt, level, ia, broken, run);
		mend(w, table, level, broken, run);
	}
	if (w->map)
		make_run(w, table, level, ia, run, vis);
}

/* Put a table that is complete into entry i, whose block (if any) it replaces. */
static void link_table(const struct walk *w, u64 *table, u32 level, u64 ia, const u64 *child,
		       enum vis vis)
{
	u32 i = table_index(w->pt, level, ia);
	struct span run = { i, i + 1 };

	if (desc_load(&table[i]) & DESC_VALID) {
		struct span broken = break_entry(table, i);

		if (vis == LIVE)
			flush_broken(w->pt, level, ia, broken, run);
		mend(w, table, level, broken, run);
	}
	/* A walk that sees the link must see the table. */
	dmb(ishst);
	desc_store(&table[i], ptr_pa(child).a | DESC_TYPE);
}

/* After an unmap below entry i: free its table if that is empty now. */
static void prune(const struct walk *w, u64 *table, u32 level, u64 ia)
{
	u32 i = table_index(w->pt, level, ia);
	struct span run = { i, i + 1 };
	const u64 *child = pgtable_ptr(desc_load(&table[i]));

	for (u32 k = 0; k < PGTABLE_ENTRIES; k++)
		if (desc_load(&child[k]))
			return;
	break_entry(table, i);
	flush_broken(w->pt, level, ia, run, run);
	mend(w, table, level, run, run);
}

/* Do [ia, end) in a table at this level, which holds all of it. Recurses to level 3. */
static void commit_table(struct walk *w, u64 *table, u32 level, u64 ia, u64 end, enum vis vis)
{
	u64 next, desc, *child;

	for (; ia < end; ia = next) {
		next = entry_end(level, ia, end);
		if (fits(w, level, ia, next)) {
			next = ALIGN_DOWN(end, level_size(level));
			commit_leaves(w, table, level, ia, (u32)((next - ia) >> level_shift(level)),
				      vis);
			continue;
		}
		desc = desc_load(&table[table_index(w->pt, level, ia)]);
		if (pgtable_is_table(desc, level)) {
			commit_table(w, pgtable_ptr(desc), level + 1, ia, next, vis);
			if (!w->map)
				prune(w, table, level, ia);
		} else if (needs_table(w, desc, level, ia)) {
			child = spare_take(w);
			if (desc)
				fill(w->pt, child, level + 1, 0, PGTABLE_ENTRIES,
				     split_leaf(desc, level + 1));
			commit_table(w, child, level + 1, ia, next, desc ? BUILT : EMPTY);
			link_table(w, table, level, ia, child, vis);
		}
	}
}

/* Publish new entries: what was invalid before needs no TLBI, but walks must see the stores. */
static void publish(const struct pgtable *pt)
{
	dsb(ishst);
	if (pt->kind == PGTABLE_STAGE1)
		isb();
}

static int update(struct walk *w, u64 ia, u64 size)
{
	struct pgtable *pt = w->pt;
	u64 *root = pgtable_ptr(pt->root);
	int err;

	if (!IS_ALIGNED(ia | size, PAGE_SIZE) || ia >> pt->ia_bits ||
	    size > (1UL << pt->ia_bits) - ia)
		return -EINVAL;
	err = spare_fill(w, count_tables(w, root, 0, pt->start_level, ia, ia + size));
	if (err)
		return err;
	commit_table(w, root, pt->start_level, ia, ia + size, LIVE);
	publish(pt);
	return 0;
}

/* ---- interface ---- */

/* A table with one page in the place of a hole of level 2. */
static int map_first(const struct walk *w, u64 ia, u64 *hole)
{
	u64 table = table_alloc(w->pt, 0);

	if (!table)
		return -ENOMEM;
	pgtable_ptr(table)[table_index(w->pt, 3, ia)] = want(w, 3, ia);
	/* A walk that sees the link must see the table. */
	dmb(ishst);
	desc_store(hole, table | DESC_TYPE);
	return 0;
}

/* One page, if at most its last-level table is missing; else *done = false: update() does it. */
static int map_page(const struct walk *w, u64 ia, bool *done)
{
	struct pgtable_entry e;
	int err = 0;

	*done = false;
	if (!IS_ALIGNED(ia, PAGE_SIZE) || ia >> w->pt->ia_bits)
		return 0;
	e = pgtable_entry(w->pt, ia);
	if (e.shift == PAGE_SHIFT)
		commit_leaves(w, e.p - table_index(w->pt, 3, ia), 3, ia, 1, LIVE);
	else if (e.shift == level_shift(2) && !desc_load(e.p))
		err = map_first(w, ia, e.p);
	else
		return 0;
	*done = true;
	publish(w->pt);
	return err;
}

int pgtable_map(struct pgtable *pt, u64 ia, u64 oa, u64 size, u64 attr)
{
	struct walk w = { .pt = pt, .map = true, .delta = oa - ia, .attr = attr };
	bool done = false;
	int err;

	if (!IS_ALIGNED(oa, PAGE_SIZE) || oa >> OA_BITS || size > (1UL << OA_BITS) - oa)
		return -EINVAL;
	/* Access flag faults are not used; and a leaf that is broken must differ from 0. */
	if ((attr & ~DESC_ATTRS) || !(attr & DESC_AF))
		return -EINVAL;
	if (size == PAGE_SIZE) {
		err = map_page(&w, ia, &done);
		if (done)
			return err;
	}
	return update(&w, ia, size);
}

int pgtable_unmap(struct pgtable *pt, u64 ia, u64 size)
{
	struct walk w = { .pt = pt };

	return update(&w, ia, size);
}

/* Entries of the root, which may be up to 16 tables, or less than one. */
static u32 root_entries(const struct pgtable *pt)
{
	return 1U << (pt->ia_bits - level_shift(pt->start_level));
}

static u32 root_order(const struct pgtable *pt)
{
	u32 bits = pt->ia_bits - level_shift(pt->start_level);

	return bits > 9 ? bits - 9 : 0;
}

int pgtable_init_pool(struct pgtable *pt, enum pgtable_kind kind, u32 ia_bits, u64 max_block,
		      const struct pgtable_ops *ops, struct page_pool *pool)
{
	/* The fewest levels: a stage-2 root may be 16 tables, which resolves four bits more. */
	u32 extra = kind == PGTABLE_STAGE2 ? 4 : 0;

	if (ia_bits < 25 || ia_bits > 48 ||
	    (max_block != level_size(3) && max_block != level_size(2) &&
	     max_block != level_size(1)))
		return -EINVAL;
	*pt = (struct pgtable){
		.kind = kind, .ia_bits = ia_bits, .max_block = max_block, .ops = ops, .pool = pool
	};
	pt->start_level = ia_bits <= 30 + extra ? 2 : ia_bits <= 39 + extra ? 1 : 0;
	pt->root = table_alloc(pt, root_order(pt));
	return pt->root ? 0 : -ENOMEM;
}

/* Like free_below(), but at most *left tables. True: all of them were freed. */
static bool free_some(struct pgtable *pt, u64 *table, u32 level, u32 count, u32 *left)
{
	if (level == 3)
		return true;
	for (u32 i = 0; i < count; i++) {
		u64 desc = desc_load(&table[i]);

		if (!pgtable_is_table(desc, level))
			continue;
		if (!*left || !free_some(pt, pgtable_ptr(desc), level + 1, PGTABLE_ENTRIES, left) ||
		    !*left)
			return false;
		table_free(pt, desc & DESC_ADDR, 0);
		desc_store(&table[i], 0);
		--*left;
	}
	return true;
}

bool pgtable_destroy_piece(struct pgtable *pt, u32 tables)
{
	if (!pt->root)
		return false;
	if (!free_some(pt, pgtable_ptr(pt->root), pt->start_level, root_entries(pt), &tables))
		return true;
	table_free(pt, pt->root, root_order(pt));
	pt->root = 0;
	return false;
}

void pgtable_destroy(struct pgtable *pt)
{
	while (pgtable_destroy_piece(pt, ~0U))
		;
}
