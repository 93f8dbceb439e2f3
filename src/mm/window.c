/* SPDX-License-Identifier: Apache-2.0 */
/* The translation tables of the windows: their size is known, so they are part of the image. */
#include "mm/window.h"

#include "arch/barrier.h"
#include "arch/pgtable.h"
#include "lib/check.h"
#include "mm/addr.h"
#include "mm/stage1.h"
#include "mm/tlb.h"

#define LEAF                                                                                       \
	(DESC_AF | DESC_SH_INNER | S1_ATTR(STAGE1_NORMAL) | S1_UXN | S1_PXN | DESC_TABLE |         \
	 DESC_VALID)

static u64 root[1UL << (WINDOW_BITS - 21)] __attribute__((aligned(128)));
static u64 tables[WINDOWS / PGTABLE_ENTRIES][PGTABLE_ENTRIES] __attribute__((aligned(4096)));

_Static_assert(ARRAY_SIZE(tables) <= ARRAY_SIZE(root), "they fit");

u64 window_table(void)
{
	return ptr_pa(root).a;
}

u64 window_address(u32 n)
{
	return ~(BIT(WINDOW_BITS) - 1) + n * PAGE_SIZE;
}

static void write(u32 n, u64 desc)
{
	__atomic_store_n(&tables[n / PGTABLE_ENTRIES][n % PGTABLE_ENTRIES], desc,
			 __ATOMIC_RELEASE);
}

void window_open(u32 n, u64 pa, bool writable)
{
	CHECK(n < WINDOWS && IS_ALIGNED(pa, PAGE_SIZE));
	/* If two CPUs come here, both write the same. */
	__atomic_store_n(&root[n / PGTABLE_ENTRIES],
			 ptr_pa(tables[n / PGTABLE_ENTRIES]).a | DESC_TABLE | DESC_VALID,
			 __ATOMIC_RELEASE);
	write(n, pa | LEAF | (writable ? 0 : S1_AP_RO));
	dsb(ishst);
	isb();
}

void window_close(u32 n)
{
	CHECK(n < WINDOWS);
	write(n, 0);
	tlb_invalidate_el2(window_address(n), PAGE_SIZE);
}
