/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that are set aside are available, whatever others allocate; all or none; and are given
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "mm/page.h"
#include "mm/page_pool.h"

#define ARENA MIB(8)

static u64 arena;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("DCZID_EL0", 4);
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	return 0;
}

static void all_or_none(void **state)
{
	u64 all = page_free_count();
	struct page_pool pool;

	(void)state;
	assert_int_equal(page_pool_fill(&pool, all + 1), -ENOMEM);
	assert_int_equal(page_free_count(), all);
	assert_int_equal(page_pool_take(&pool), 0);
	assert_int_equal(page_pool_fill(&pool, all), 0);
	assert_int_equal(page_free_count(), 0);
	while (page_pool_empty_piece(&pool))
		;
	assert_int_equal(page_free_count(), all);
}

static void what_is_set_aside_is_there(void **state)
{
	u64 all = page_free_count(), page, n = 0;
	struct page_pool pool;

	(void)state;
	assert_int_equal(page_pool_fill(&pool, 700), 0);
	while (page_alloc(0))
		;
	while ((page = page_pool_take(&pool))) {
		assert_true(IS_ALIGNED(page, PAGE_SIZE) && page >= arena && page < arena + ARENA);
		*(u64 *)page = ~0UL; /* the allocator's */
		n++;
	}
	assert_int_equal(n, 700);
	assert_true(all > 700);
	page_pool_put(&pool, arena + MIB(4));
	assert_int_equal(page_pool_take(&pool), arena + MIB(4));
	assert_int_equal(page_pool_take(&pool), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_or_none, setup),
		cmocka_unit_test_setup(what_is_set_aside_is_there, setup),
	};

	return cmocka_run_group_tests_name("page_pool", tests, NULL, NULL);
}
