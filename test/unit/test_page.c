/* SPDX-License-Identifier: Apache-2.0 */
/* The page allocator against a model that knows the owner of every page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/cache.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "lib/check.h"
#include "mm/page.h"

#define ARENA_PAGES 8192UL /* 32 MiB */

static u64 arena;
static jmp_buf check_jump;
static bool check_expected;

/* A CHECK that a test expects returns to it. */
noreturn void check_failed(const char *file, int line, const char *what)
{
	if (check_expected)
		longjmp(check_jump, 1);
	fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, what);
	abort();
}

#define must_fail(statement)                                                                       \
	do {                                                                                       \
		check_expected = true;                                                             \
		if (!setjmp(check_jump)) {                                                         \
			statement;                                                                 \
			check_expected = false;                                                    \
			fail_msg("%s: expected a CHECK, found none", #statement);                  \
		}                                                                                  \
		check_expected = false;                                                            \
	} while (0)

static u64 random_state = 1;

static u64 rnd(u64 below)
{
	random_state = random_state * 6364136223846793005UL + 1442695040888963407UL;
	return (random_state >> 33) % below;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("DCZID_EL0", 4);
	fake_set("CTR_EL0", 4UL << 16);
	feat = (struct feat){ 0 };
	if (!arena)
		arena = (u64)aligned_alloc(GIB(1) / 32, ARENA_PAGES * PAGE_SIZE);
	page_init();
	page_region(arena, arena + ARENA_PAGES * PAGE_SIZE);
	return 0;
}

static void add_all(void)
{
	page_add(arena, ARENA_PAGES * PAGE_SIZE);
}

static void map_comes_out_of_the_ram(void **state)
{
	(void)state;
	add_all();
	assert_int_equal(page_total(), ARENA_PAGES - ARENA_PAGES / PAGE_SIZE);
	assert_int_equal(page_free_count(), page_total());
}

/* RAM in small pieces below the first that can hold the map is not lost. */
static void small_ranges_wait_for_the_map(void **state)
{
	(void)state;
	page_add(arena, PAGE_SIZE);
	page_add(arena + 16 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(page_alloc(0), 0);
	page_add(arena + 64 * PAGE_SIZE, 128 * PAGE_SIZE);
	assert_int_equal(page_total(), 130 - ARENA_PAGES / PAGE_SIZE);
	for (u64 n = page_total(); n; n--)
		assert_int_not_equal(page_alloc(0), 0);
	assert_int_equal(page_alloc(0), 0);
}

/*
 * Page-sized RAM on its own, each piece without room for the region's map: the map is in other RAM.
 */
static void a_region_in_small_pieces_is_not_lost(void **state)
{
	u64 half = ARENA_PAGES / 2 * PAGE_SIZE, before, n = 0;

	(void)state;
	page_init();
	page_region(arena, arena + half - PAGE_SIZE);
	page_region(arena + half, arena + 2 * half);
	/* Its map would need a page, and then nothing of the piece is left. */
	for (u64 i = 0; i < 8; i++)
		page_add(arena + half + 2 * i * PAGE_SIZE, PAGE_SIZE);
	before = page_total();
	page_add(arena, half - PAGE_SIZE);
	assert_true(page_total() > before);
	while (page_alloc(0))
		n++;
	assert_int_equal(n, page_total());
}

static void only_whole_pages_count(void **state)
{
	(void)state;
	page_add(arena, 256 * PAGE_SIZE);
	page_add(arena + 300 * PAGE_SIZE + 1, 2 * PAGE_SIZE);
	assert_int_equal(page_total(), 256 - ARENA_PAGES / PAGE_SIZE + 1);
	page_add(arena + 400 * PAGE_SIZE + 1, PAGE_SIZE);
	assert_int_equal(page_total(), 256 - ARENA_PAGES / PAGE_SIZE + 1);
}

static void ram_outside_is_a_check(void **state)
{
	(void)state;
	must_fail(page_add(arena - PAGE_SIZE, 2 * PAGE_SIZE));
	setup(state);
	must_fail(page_add(arena + ARENA_PAGES * PAGE_SIZE, PAGE_SIZE));
}

static void adjacent_ranges_join(void **state)
{
	u64 block;

	(void)state;
	page_add(arena, 16 * PAGE_SIZE);
	for (u64 i = 16; i < 64; i += 16)
		page_add(arena + i * PAGE_SIZE, 16 * PAGE_SIZE);
	block = page_alloc(5);
	assert_int_equal(block, arena + 32 * PAGE_SIZE);
}

static void bad_frees_are_checks(void **state)
{
	u64 block;

	(void)state;
	add_all();
	block = page_alloc(3);
	must_fail(page_free(block + 1, 0));
	must_fail(page_free(block, 4));
	must_fail(page_free(block + PAGE_SIZE, 3));
	must_fail(page_free(block, PAGE_ORDER_MAX + 1));
	must_fail(page_free(arena, 0)); /* the map: never allocated */
	must_fail(page_free(arena + ARENA_PAGES * PAGE_SIZE, 0));
	setup(state);
	add_all();
	block = page_alloc(3);
	page_free(block, 3);
	must_fail(page_free(block, 3));
	setup(state);
	add_all();
	block = page_alloc(3);
	page_free(block + 2 * PAGE_SIZE, 1);
	must_fail(page_free(block + 2 * PAGE_SIZE, 0));
}

static void bad_order_is_refused(void **state)
{
	(void)state;
	add_all();
	assert_int_equal(page_alloc(PAGE_ORDER_MAX), 0); /* the arena has no 1 GiB */
	assert_int_equal(page_alloc(PAGE_ORDER_MAX + 1), 0);
	assert_int_equal(page_alloc(~0U), 0);
}

/* What nidus,direct-map does: a part of a block goes back, the rest later, in aligned pieces. */
static void parts_can_be_freed(void **state)
{
	u64 before, block;

	(void)state;
	add_all();
	before = page_free_count();
	block = page_alloc(6);
	for (u64 i = 37, o; i < 64; i += 1UL << o) {
		o = (u64)__builtin_ctzl(i);
		page_free(block + i * PAGE_SIZE, (u32)o);
	}
	assert_int_equal(page_free_count(), before - 37);
	page_free(block, 5);
	page_free(block + 32 * PAGE_SIZE, 2);
	page_free(block + 36 * PAGE_SIZE, 0);
	assert_int_equal(page_free_count(), before);
	assert_int_not_equal(page_alloc(12), 0);
}

/*
 * Random allocation and freeing; no page has two owners, nothing is lost, all joins up in the end.
 */
static void random_use_matches_the_model(void **state)
{
	static u16 owner[ARENA_PAGES];
	static struct {
		u64 base;
		u32 order;
	} held[600];
	u64 total, used = 0;

	(void)state;
	memset(owner, 0, sizeof(owner));
	memset(held, 0, sizeof(held));
	add_all();
	total = page_total();
	for (u32 step = 0; step < 60000; step++) {
		u64 slot = rnd(ARRAY_SIZE(held));
		u64 first = (held[slot].base - arena) / PAGE_SIZE;

		if (held[slot].base) {
			for (u64 i = 0; i < 1UL << held[slot].order; i++) {
				assert_int_equal(owner[first + i], slot + 1);
				owner[first + i] = 0;
			}
			page_free(held[slot].base, held[slot].order);
			used -= 1UL << held[slot].order;
			held[slot].base = 0;
		} else {
			u32 order = (u32)MIN(rnd(10), rnd(10));
			u64 base = page_alloc(order);

			if (!base)
				continue;
			assert_true(IS_ALIGNED(base, PAGE_SIZE << order));
			first = (base - arena) / PAGE_SIZE;
			for (u64 i = 0; i < 1UL << order; i++) {
				assert_int_equal(owner[first + i], 0);
				owner[first + i] = (u16)(slot + 1);
			}
			memset((void *)base, 0xa5, PAGE_SIZE << order);
			held[slot].base = base;
			held[slot].order = order;
			used += 1UL << order;
		}
		assert_int_equal(page_free_count(), total - used);
	}
	for (u64 i = 0; i < ARRAY_SIZE(held); i++)
		if (held[i].base)
			page_free(held[i].base, held[i].order);
	assert_int_equal(page_free_count(), total);
	/* The upper half of the arena is one block again. */
	assert_int_equal(page_alloc(12), arena + ARENA_PAGES / 2 * PAGE_SIZE);
}

static void exhaustion_gives_zero(void **state)
{
	u64 n = 0;

	(void)state;
	add_all();
	while (page_alloc(0))
		n++;
	assert_int_equal(n, page_total());
	assert_int_equal(page_free_count(), 0);
	assert_int_equal(page_alloc_zero(), 0);
}

/* page_zero() with each of its instructions writes all of the range and no more. */
static void check_zero(u64 size)
{
	u8 *p = (u8 *)arena + 4 * PAGE_SIZE;

	memset(p - 64, 0xff, size + 128);
	page_zero((u64)p, size);
	for (u64 i = 0; i < size; i++)
		if (p[i])
			fail_msg("byte %lu of %lu: expected 0, found 0x%x", i, size, p[i]);
	assert_int_equal(p[-1], 0xff);
	assert_int_equal(p[size], 0xff);
}

static void zeroing_is_exact(void **state)
{
	static const u64 size[] = { 64, 128, 448, 512, 576, 4096, 3 * 4096 + 64, MIB(1) };

	(void)state;
	fake_zva_bytes = fake_mops_bytes = 0;
	for (u32 i = 0; i < ARRAY_SIZE(size); i++)
		check_zero(size[i]);
	assert_true(fake_zva_bytes >= MIB(1));
	assert_int_equal(fake_mops_bytes, 0);
	fake_zva_bytes = 0;
	fake_set("DCZID_EL0", BIT(4) | 4); /* prohibited */
	for (u32 i = 0; i < ARRAY_SIZE(size); i++)
		check_zero(size[i]);
	fake_set("DCZID_EL0", 9); /* larger than what is to be zeroed is aligned to */
	check_zero(64);
	assert_int_equal(fake_zva_bytes, 0);
	feat.mops = true;
	for (u32 i = 0; i < ARRAY_SIZE(size); i++)
		check_zero(size[i]);
	assert_int_equal(fake_zva_bytes, 0);
	assert_true(fake_mops_bytes >= MIB(1));
}

static void sync_cleans_every_line(void **state)
{
	(void)state;
	fake_lines_cleaned = 0;
	page_clean(arena + 32, 4096);
	assert_int_equal(fake_lines_cleaned, 65);
	feat.qemu = true;
	page_clean(arena, 4096);
	assert_int_equal(fake_lines_cleaned, 65);
}

static u64 resident_pages(u64 base, u64 pages)
{
	unsigned char *vec = malloc(pages);
	u64 n = 0;

	assert_int_equal(mincore((void *)base, pages * PAGE_SIZE, vec), 0);
	for (u64 i = 0; i < pages; i++)
		n += vec[i] & 1;
	free(vec);
	return n;
}

/* 3 GiB take a map and a few list nodes, without an access to each page. */
static void adding_ram_costs_per_block(void **state)
{
	u64 size = GIB(3), base;

	(void)state;
	base = (u64)mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_true(base != (u64)MAP_FAILED);
	madvise((void *)base, size, MADV_NOHUGEPAGE);
	page_init();
	page_region(base, base + size);
	page_add(base, size);
	assert_int_equal(page_total(), (size >> PAGE_SHIFT) - 192);
	if (resident_pages(base, size >> PAGE_SHIFT) > 192 + 64)
		fail_msg("expected at most 256 pages touched, found %lu",
			 resident_pages(base, size >> PAGE_SHIFT));
	assert_int_not_equal(page_alloc(PAGE_ORDER_MAX), 0);
	munmap((void *)base, size);
}

/* RAM far above other RAM, as on servers: its cost depends on its size, not on the distance. */
static void distance_costs_nothing(void **state)
{
	static const u64 at[] = { 0x200000000000UL, 0x200000000000UL + (8UL << 40),
				  0x200000000000UL + (24UL << 40) };
	const u64 size = MIB(64), maps = (MIB(64) >> PAGE_SHIFT) / PAGE_SIZE;
	u64 seen = 0, block;

	(void)state;
	page_init();
	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		u64 p = (u64)mmap((void *)at[i], size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				  -1, 0);

		assert_int_equal(p, at[i]);
		page_region(at[i], at[i] + size);
	}
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		page_add(at[i], size);
	assert_int_equal(page_total(), ARRAY_SIZE(at) * ((size >> PAGE_SHIFT) - maps));
	/* All of it can be allocated, and is freed to where it came from. */
	while ((block = page_alloc(4))) {
		for (u32 i = 0; i < ARRAY_SIZE(at); i++)
			if (block >= at[i] && block + 16 * PAGE_SIZE <= at[i] + size)
				seen |= 1UL << i;
		if (seen == 7)
			break;
	}
	assert_int_equal(seen, 7);
	page_free(block, 4);
	must_fail(page_free(at[0] + size, 0));
	must_fail(page_free(at[1] - PAGE_SIZE, 0));
	for (u32 i = 0; i < ARRAY_SIZE(at); i++)
		munmap((void *)at[i], size);
}

static void regions_that_touch_are_one(void **state)
{
	(void)state;
	page_init();
	page_region(arena, arena + 128 * PAGE_SIZE);
	page_region(arena + 128 * PAGE_SIZE, arena + 256 * PAGE_SIZE);
	page_add(arena, 128 * PAGE_SIZE);
	page_add(arena + 128 * PAGE_SIZE, 128 * PAGE_SIZE);
	assert_int_equal(page_total(), 255);
	assert_int_equal(page_alloc(7), arena + 128 * PAGE_SIZE);
	must_fail(page_region(arena, arena + PAGE_SIZE)); /* not by rising addresses */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(map_comes_out_of_the_ram, setup),
		cmocka_unit_test_setup(small_ranges_wait_for_the_map, setup),
		cmocka_unit_test_setup(a_region_in_small_pieces_is_not_lost, setup),
		cmocka_unit_test_setup(only_whole_pages_count, setup),
		cmocka_unit_test_setup(ram_outside_is_a_check, setup),
		cmocka_unit_test_setup(adjacent_ranges_join, setup),
		cmocka_unit_test_setup(bad_frees_are_checks, setup),
		cmocka_unit_test_setup(bad_order_is_refused, setup),
		cmocka_unit_test_setup(parts_can_be_freed, setup),
		cmocka_unit_test_setup(random_use_matches_the_model, setup),
		cmocka_unit_test_setup(exhaustion_gives_zero, setup),
		cmocka_unit_test_setup(zeroing_is_exact, setup),
		cmocka_unit_test_setup(sync_cleans_every_line, setup),
		cmocka_unit_test_setup(adding_ram_costs_per_block, setup),
		cmocka_unit_test_setup(distance_costs_nothing, setup),
		cmocka_unit_test_setup(regions_that_touch_are_one, setup),
	};

	return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
