/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One address of translation tables against an array with one word a page: the entry that is cached
 * never outlives its table (freed ones are filled with what no table holds), and a page is filled
 * in only where nothing is mapped.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/pgtable.h"
#include "mm/addr.h"
#include "mm/pgtable.h"

#define BLOCK MIB(2)
#define ATTR DESC_AF
/* Two neighbours, one in the same 1 GiB, and one in the next. */
static const u64 base[] = { GIB(3), GIB(3) + BLOCK, GIB(3) + 9 * BLOCK, GIB(4) + BLOCK };
#define PAGES (BLOCK / PAGE_SIZE)

static u64 model[ARRAY_SIZE(base)][PAGES]; /* output address, 0: none */
static struct pgtable pt;
static unsigned tables;

static u64 seed = 5;

static u64 rnd(u64 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed * 0x2545f4914f6cdd1dUL >> 20) % n;
}

static u64 alloc(struct pgtable *t, u32 order)
{
	u64 *p = aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);

	(void)t;
	memset(p, 0, PAGE_SIZE << order);
	tables++;
	return (u64)p;
}

/* What is read there maps nothing, and the address sanitizer finds what is written there. */
static void drop(struct pgtable *t, u64 table, u32 order)
{
	(void)t;
	memset((void *)table, 0xff, PAGE_SIZE << order);
	free((void *)table);
	tables--;
}

static void invalidate(struct pgtable *t, u64 ia, u64 size)
{
	(void)t;
	(void)ia;
	(void)size;
}

static const struct pgtable_ops ops = { .invalidate = invalidate,
					.table_alloc = alloc,
					.table_free = drop };

static void check(u64 w, u64 i)
{
	u64 ia = base[w] + i * PAGE_SIZE + 8;
	struct pgtable_leaf leaf;
	bool found = pgtable_lookup(&pt, ia, &leaf);

	if (found != (model[w][i] != 0))
		fail_msg("%#lx: %s", ia, found ? "there, but it should not be" : "not found");
	if (found && leaf.oa != model[w][i] + 8)
		fail_msg("%#lx: at %#lx, not %#lx", ia, leaf.oa, model[w][i] + 8);
	if (found && leaf.attr != ATTR)
		fail_msg("%#lx: attributes %#lx", ia, leaf.attr);
	/* A hole is one: the model maps nothing in it. */
	for (u64 k = 0; !found && leaf.size >= BLOCK && k < PAGES; k++)
		if (model[w][k])
			fail_msg("%#lx: a hole of %#lx around %#lx", ia, leaf.size,
				 base[w] + k * PAGE_SIZE);
}

static void set(u64 w, u64 i, u64 n, u64 oa)
{
	for (; n; n--, oa += oa ? PAGE_SIZE : 0)
		model[w][i++] = oa;
}

/*
 * True unless something is mapped; or there is no table for it, which must mean that it is all
 * empty or all one block.
 */
static void fill(u64 w, u64 i, u64 oa)
{
	bool some = false, linear = true;

	for (u64 k = 0; k < PAGES; k++) {
		some |= model[w][k] != 0;
		linear &= model[w][k] == model[w][0] + k * PAGE_SIZE;
	}
	if (pgtable_fill(&pt, base[w] + i * PAGE_SIZE, oa, ATTR)) {
		if (model[w][i])
			fail_msg("page %lu was there", i);
		model[w][i] = oa;
	} else if (some && !linear && !model[w][i]) {
		fail_msg("page %lu has a table and was not there", i);
	}
}

static void change(void)
{
	u64 w = rnd(ARRAY_SIZE(base)), i = rnd(PAGES), n = 1 + rnd(MIN(PAGES - i, 40));
	u64 oa = GIB(8) + rnd(1000) * PAGE_SIZE;

	switch (rnd(12)) {
	case 0:
		assert_int_equal(pgtable_map(&pt, base[w], ALIGN_DOWN(oa, BLOCK), BLOCK, ATTR), 0);
		set(w, 0, PAGES, ALIGN_DOWN(oa, BLOCK));
		break;
	case 1:
		assert_int_equal(pgtable_unmap(&pt, base[w], BLOCK), 0);
		set(w, 0, PAGES, 0);
		break;
	case 2:
		assert_int_equal(pgtable_unmap(&pt, base[w] + i * PAGE_SIZE, n * PAGE_SIZE), 0);
		set(w, i, n, 0);
		break;
	case 3:
	case 4:
		n = rnd(3) ? 1 : n;
		assert_int_equal(pgtable_map(&pt, base[w] + i * PAGE_SIZE, oa, n * PAGE_SIZE, ATTR),
				 0);
		set(w, i, n, oa);
		break;
	default:
		fill(w, i, oa);
	}
}

static void random_life(u64 max_block, bool contiguous)
{
	memset(model, 0, sizeof(model));
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 40, max_block, &ops), 0);
	pt.contiguous = contiguous;
	for (u32 n = 0; n < 30000; n++) {
		change();
		for (u32 k = 0; k < 4; k++)
			check(rnd(ARRAY_SIZE(base)), rnd(PAGES));
	}
	pgtable_destroy(&pt);
	assert_int_equal(tables, 0);
}

static void changes(void **state)
{
	(void)state;
	random_life(PAGE_SIZE, false);
	random_life(BLOCK, false);
	random_life(BLOCK, true);
}

/*
 * Sixteen pages filled in one by one are no contiguous run; one filled in beside a run is not of
 * it.
 */
static void contiguous_runs(void **state)
{
	const u64 *table;

	(void)state;
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 40, BLOCK, &ops), 0);
	pt.contiguous = true;
	assert_int_equal(pgtable_map(&pt, base[0], GIB(8), 16 * PAGE_SIZE, ATTR), 0);
	for (u64 i = 16; i < 32; i++)
		assert_true(
			pgtable_fill(&pt, base[0] + i * PAGE_SIZE, GIB(8) + i * PAGE_SIZE, ATTR));
	table = (const u64 *)((const u64 *)(((const u64 *)pt.root)[3] & DESC_ADDR))[0];
	table = (const u64 *)((u64)table & DESC_ADDR);
	for (u64 i = 0; i < 32; i++)
		assert_int_equal(table[i],
				 (GIB(8) + i * PAGE_SIZE) | ATTR | 3 | (i < 16 ? DESC_CONT : 0));
	pgtable_destroy(&pt);
}

/* pgtable_fill() ignores what cannot be one page of the table. */
static void out_of_range(void **state)
{
	struct pgtable_leaf leaf;

	(void)state;
	assert_int_equal(pgtable_init(&pt, PGTABLE_STAGE2, 40, BLOCK, &ops), 0);
	assert_int_equal(pgtable_map(&pt, 0, GIB(8), PAGE_SIZE, ATTR), 0);
	assert_false(pgtable_fill(&pt, BIT(40) + PAGE_SIZE, GIB(8), ATTR));
	assert_false(pgtable_fill(&pt, PAGE_SIZE + 8, GIB(8), ATTR));
	assert_false(pgtable_fill(&pt, PAGE_SIZE, GIB(8) + 8, ATTR));
	assert_false(pgtable_fill(&pt, PAGE_SIZE, BIT(48), ATTR));
	assert_false(pgtable_fill(&pt, BLOCK, GIB(8), ATTR));
	assert_false(pgtable_lookup(&pt, BIT(40), &leaf));
	assert_true(pgtable_fill(&pt, PAGE_SIZE, GIB(9), ATTR));
	assert_true(pgtable_lookup(&pt, PAGE_SIZE + 5, &leaf));
	assert_int_equal(leaf.oa, GIB(9) + 5);
	pgtable_destroy(&pt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes),
		cmocka_unit_test(contiguous_runs),
		cmocka_unit_test(out_of_range),
	};

	return cmocka_run_group_tests_name("pgtable_entry", tests, NULL, NULL);
}
