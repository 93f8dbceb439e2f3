/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 2 of a VM: register values, attributes, and which TLB invalidation follows each change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/pgtable.h"
#include "arch/sysreg.h"
#include "mm/page.h"
#include "mm/page_pool.h"
#include "mm/stage2.h"
#include "mm/tlb.h"
#include "mm/vmid.h"
#include "arch/tcr.h"

#define ARENA_PAGES 8192UL

/* ---- a record of TLBIs: what, for which VMID, and whether barriers stood before it ---- */

enum { T_IPAS2E1IS, T_VMALLE1IS, T_VMALLS12E1IS, T_VAE2IS, T_ALLE2IS, T_ALLE1, T_VMALLE1 };
static struct tlbi {
	u32 op;
	u64 arg, vttbr;
	unsigned dsbs, isbs;
} record[600];
static u32 recorded;

static void note(u32 op, u64 arg)
{
	assert_true(recorded < ARRAY_SIZE(record));
	record[recorded++] = (struct tlbi){ op, arg, fake_get("VTTBR_EL2"), fake_dsbs, fake_isbs };
}

#define NOTE(name)                                                                                 \
	static void note_##name(u64 arg)                                                           \
	{                                                                                          \
		note(T_##name, arg);                                                               \
	}
NOTE(IPAS2E1IS)
NOTE(VMALLE1IS)
NOTE(VMALLS12E1IS)
NOTE(VAE2IS)
NOTE(ALLE2IS)
NOTE(ALLE1)
NOTE(VMALLE1)

static u64 free_at_start;

static int setup(void **state)
{
	static u64 arena;

	(void)state;
	fake_reset();
	fake_set("DCZID_EL0", 4);
	feat = (struct feat){ .pa_bits = 44, .vmid16 = true };
	fake_on_write("TLBI_IPAS2E1IS", note_IPAS2E1IS);
	fake_on_write("TLBI_VMALLE1IS", note_VMALLE1IS);
	fake_on_write("TLBI_VMALLS12E1IS", note_VMALLS12E1IS);
	fake_on_write("TLBI_VAE2IS", note_VAE2IS);
	fake_on_write("TLBI_ALLE2IS", note_ALLE2IS);
	fake_on_write("TLBI_ALLE1", note_ALLE1);
	fake_on_write("TLBI_VMALLE1", note_VMALLE1);
	if (!arena)
		arena = (u64)aligned_alloc(MIB(32), ARENA_PAGES * PAGE_SIZE);
	page_init();
	page_region(arena, arena + ARENA_PAGES * PAGE_SIZE);
	page_add(arena, ARENA_PAGES * PAGE_SIZE);
	free_at_start = page_free_count();
	recorded = 0;
	return 0;
}

/* ---- TLB ---- */

static void vmid_invalidation_is_for_its_vmid(void **state)
{
	(void)state;
	fake_set("VTTBR_EL2", 0x7000000001000);
	tlb_invalidate_vmid(0x9000000002000);
	assert_int_equal(recorded, 1);
	assert_int_equal(record[0].op, T_VMALLS12E1IS);
	assert_int_equal(record[0].vttbr, 0x9000000002000);
	assert_int_equal(record[0].dsbs, 1); /* table stores first */
	assert_int_equal(record[0].isbs, 1); /* the new VTTBR_EL2 first */
	assert_int_equal(fake_dsbs, 2);
	assert_int_equal(fake_get("VTTBR_EL2"), 0x7000000001000);
	/* The one in force: no register write. */
	tlb_invalidate_vmid(0x7000000001000);
	assert_int_equal(record[1].vttbr, 0x7000000001000);
	assert_int_equal(fake_writes("VTTBR_EL2"), 2);
}

static void ipa_invalidation_takes_combined_entries_too(void **state)
{
	(void)state;
	fake_set("VTTBR_EL2", 1);
	tlb_invalidate_ipa(2, 0x40001000, 3 * PAGE_SIZE);
	assert_int_equal(recorded, 4);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(record[i].op, T_IPAS2E1IS);
		assert_int_equal(record[i].arg, 0x40001 + i);
		assert_int_equal(record[i].vttbr, 2);
		assert_int_equal(record[i].dsbs, 1);
	}
	assert_int_equal(record[3].op, T_VMALLE1IS);
	assert_int_equal(record[3].vttbr, 2);
	assert_int_equal(record[3].dsbs,
			 2); /* stage-2 entries are gone before the combined ones go */
	assert_int_equal(fake_dsbs, 3);
	assert_int_equal(fake_get("VTTBR_EL2"), 1);
}

/*
 * Walks of the guest that ran must not end in the other VMID's tables: a DSB, not only for stores,
 * comes first.
 */
static void walks_end_before_another_vttbr(void **state)
{
	(void)state;
	fake_set("VTTBR_EL2", 1);
	fake_walks = true;
	tlb_invalidate_vmid(2);
	assert_int_equal(fake_writes("VTTBR_EL2"), 2);
	assert_int_equal(fake_walk_races, 0);
	fake_walks = true;
	tlb_invalidate_ipa(2, 0x40001000, PAGE_SIZE);
	assert_int_equal(fake_writes("VTTBR_EL2"), 4);
	assert_int_equal(fake_walk_races, 0);
}

static void large_ranges_take_one_tlbi(void **state)
{
	(void)state;
	tlb_invalidate_ipa(2, 0x40000000, MIB(2));
	assert_int_equal(recorded, 1);
	assert_int_equal(record[0].op, T_VMALLS12E1IS);
	tlb_invalidate_el2(0x40000000, GIB(1));
	assert_int_equal(recorded, 2);
	assert_int_equal(record[1].op, T_ALLE2IS);
}

static void nidus_own_pages_go_one_by_one(void **state)
{
	(void)state;
	tlb_invalidate_el2(0xffff00000000UL, 2 * PAGE_SIZE);
	assert_int_equal(recorded, 2);
	assert_int_equal(record[1].op, T_VAE2IS);
	assert_int_equal(record[1].arg, 0xffff00001UL);
	assert_int_equal(record[0].dsbs, 1);
	assert_int_equal(fake_dsbs, 2);
}

static void local_invalidation_is_local(void **state)
{
	(void)state;
	tlb_invalidate_all_local();
	tlb_invalidate_vmid_local();
	assert_int_equal(recorded, 2);
	assert_int_equal(record[0].op, T_ALLE1);
	assert_int_equal(record[1].op, T_VMALLE1);
	assert_int_equal(fake_writes("VTTBR_EL2"), 0);
}

/* ---- registers ---- */

static void vtcr_says_what_the_tables_are(void **state)
{
	static const struct {
		u32 pa, ia, sl0, ps;
	} want[] = {
		{ 44, 40, 1, 4 }, { 40, 40, 1, 2 }, { 36, 36, 1, 1 }, { 32, 32, 0, 0 },
		{ 48, 48, 2, 5 }, { 42, 42, 1, 3 }, { 44, 44, 2, 4 }, { 40, 34, 0, 2 },
	};
	struct stage2 s2;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		feat.pa_bits = want[i].pa;
		assert_int_equal(stage2_init(&s2, want[i].ia, 0), 0);
		assert_int_equal(FIELD(s2.vtcr, 5, 0), 64 - want[i].ia);
		assert_int_equal(FIELD(s2.vtcr, 7, 6), want[i].sl0);
		assert_int_equal(FIELD(s2.vtcr, 13, 8), 0x35); /* Inner Shareable, write-back */
		assert_int_equal(FIELD(s2.vtcr, 15, 14), 0);   /* 4 KiB */
		assert_int_equal(FIELD(s2.vtcr, 18, 16), want[i].ps);
		assert_int_equal(FIELD(s2.vtcr, 19, 19), 1); /* VS */
		assert_int_equal(s2.vtcr >> 20, 1UL << 11);  /* bit 31, no HA, no HD */
		assert_int_equal(s2.vttbr >> 48, s2.vmid);
		assert_int_equal(s2.vttbr & MASK(47, 0), s2.pt.root);
		assert_int_not_equal(s2.vmid, 0);
		stage2_destroy(&s2);
	}
	feat.vmid16 = false;
	assert_int_equal(stage2_init(&s2, 40, 0), 0);
	assert_int_equal(s2.vtcr & VTCR_VS, 0);
	assert_true(s2.vmid < 256);
	stage2_destroy(&s2);
}

static void ipa_size_is_one_that_parange_can_name(void **state)
{
	(void)state;
	feat.pa_bits = 48;
	assert_int_equal(stage2_ipa_bits(GIB(3)), 40);
	assert_int_equal(stage2_ipa_bits(BIT(40)), 40);
	assert_int_equal(stage2_ipa_bits(BIT(40) + 1), 42);
	assert_int_equal(stage2_ipa_bits(BIT(43)), 44);
	assert_int_equal(stage2_ipa_bits(BIT(45)), 48);
	feat.pa_bits = 36;
	assert_int_equal(stage2_ipa_bits(GIB(3)), 36);
	feat.pa_bits = 40;
	assert_int_equal(stage2_ipa_bits(BIT(41)), 40);
}

static void loading_writes_what_differs(void **state)
{
	struct stage2 a, b;

	(void)state;
	assert_int_equal(stage2_init(&a, 40, 0), 0);
	assert_int_equal(stage2_init(&b, 40, 0), 0);
	assert_int_not_equal(a.vmid, b.vmid);
	stage2_load(&a);
	assert_int_equal(fake_get("VTCR_EL2"), a.vtcr);
	assert_int_equal(fake_get("VTTBR_EL2"), a.vttbr);
	stage2_load(&a);
	assert_int_equal(fake_writes_total(), 2);
	stage2_load(&b);
	assert_int_equal(fake_writes("VTCR_EL2"), 1);
	assert_int_equal(fake_writes("VTTBR_EL2"), 2);
	stage2_destroy(&a);
	stage2_destroy(&b);
}

/* ---- mappings ---- */

static void memory_kinds_have_their_attributes(void **state)
{
	static const struct {
		enum stage2_mem mem;
		u64 memattr, s2ap, sh, xn;
	} want[] = {
		{ STAGE2_RAM, 15, 3, 3, 0 },
		{ STAGE2_ROM, 15, 1, 3, 0 },
		{ STAGE2_DEVICE, 1, 3, 0, 2 },
	};
	struct pgtable_leaf leaf;
	struct stage2 s2;

	(void)state;
	assert_int_equal(stage2_init(&s2, 40, 0), 0);
	for (u32 i = 0; i < ARRAY_SIZE(want); i++) {
		u64 at = GIB(1) + i * PAGE_SIZE;

		assert_int_equal(stage2_map(&s2, ipa(at), pa(GIB(7)), PAGE_SIZE, want[i].mem), 0);
		assert_true(stage2_lookup(&s2, ipa(at + 5), &leaf));
		assert_int_equal(leaf.oa, GIB(7) + 5);
		assert_int_equal(FIELD(leaf.attr, 5, 2), want[i].memattr);
		assert_int_equal(FIELD(leaf.attr, 7, 6), want[i].s2ap);
		assert_int_equal(FIELD(leaf.attr, 9, 8), want[i].sh);
		assert_int_equal(FIELD(leaf.attr, 10, 10), 1);
		assert_int_equal(FIELD(leaf.attr, 54, 53), want[i].xn);
	}
	stage2_destroy(&s2);
}

static u64 block_of(u64 max_block)
{
	struct pgtable_leaf leaf;
	struct stage2 s2;

	assert_int_equal(stage2_init(&s2, 40, max_block), 0);
	assert_int_equal(stage2_map(&s2, ipa(GIB(1)), pa(GIB(1)), GIB(1), STAGE2_RAM), 0);
	assert_true(stage2_lookup(&s2, ipa(GIB(1)), &leaf));
	stage2_destroy(&s2);
	return leaf.size;
}

static void block_size_is_the_configured_or_the_machines(void **state)
{
	struct stage2 s2;

	(void)state;
	assert_int_equal(block_of(0), GIB(1));
	assert_int_equal(block_of(MIB(2)), MIB(2));
	assert_int_equal(block_of(KIB(4)), KIB(4));
	feat.qemu = true;
	assert_int_equal(block_of(0), KIB(4));
	assert_int_equal(block_of(GIB(1)), GIB(1));
	assert_int_equal(stage2_init(&s2, 40, KIB(64)), -EINVAL);
	assert_int_equal(stage2_init(&s2, 48, 0), -EINVAL); /* the machine has 44 */
}

static void only_changes_invalidate(void **state)
{
	struct stage2 s2;

	(void)state;
	assert_int_equal(stage2_init(&s2, 40, 0), 0);
	assert_int_equal(stage2_map(&s2, ipa(GIB(1)), pa(GIB(2)), MIB(64), STAGE2_RAM), 0);
	assert_int_equal(stage2_map(&s2, ipa(GIB(1)), pa(GIB(2)), MIB(64), STAGE2_RAM), 0);
	assert_int_equal(recorded, 0);
	assert_true(fake_dsbs > 0); /* but walks must see the new entries */
	assert_int_equal(stage2_map(&s2, ipa(0x1000), pa(0x1000), PAGE_SIZE, STAGE2_RAM), 0);
	assert_int_equal(stage2_map(&s2, ipa(0x3000), pa(0x3000), PAGE_SIZE, STAGE2_RAM), 0);
	assert_int_equal(stage2_unmap(&s2, ipa(0x1000), PAGE_SIZE), 0);
	assert_int_equal(recorded, 2);
	assert_int_equal(record[0].op, T_IPAS2E1IS);
	assert_int_equal(record[0].arg, 1);
	assert_int_equal(record[0].vttbr, s2.vttbr);
	assert_int_equal(record[1].op, T_VMALLE1IS);
	stage2_destroy(&s2);
	/* The VMID's entries are gone before its tables and the VMID itself can be used again. */
	assert_int_equal(record[recorded - 1].op, T_VMALLS12E1IS);
	assert_int_equal(record[recorded - 1].vttbr >> 48, s2.vttbr >> 48);
}

static void nothing_leaks(void **state)
{
	struct stage2 s2;
	u16 v;

	(void)state;
	feat.qemu = true;
	feat.vmid16 = false;
	for (u32 i = 0; i < 300; i++) {
		assert_int_equal(stage2_init(&s2, 44, 0), 0);
		assert_int_equal(stage2_map(&s2, ipa(GIB(1)), pa(GIB(2)), MIB(4), STAGE2_RAM), 0);
		assert_int_equal(stage2_unmap(&s2, ipa(GIB(1) + MIB(1)), MIB(1)), 0);
		stage2_destroy(&s2);
		assert_int_equal(page_free_count(), free_at_start);
		recorded = 0;
	}
	/* No memory, no VMID: an error, and nothing is kept. */
	for (u32 i = 1; i < 256; i++)
		assert_int_equal(vmid_alloc(&v), 0);
	assert_int_equal(stage2_init(&s2, 40, 0), -ENOSPC);
	assert_int_equal(page_free_count(), free_at_start);
	for (u16 i = 1; i < 256; i++)
		vmid_free(i);
	assert_int_equal(stage2_init(&s2, 40, 0), 0);
	assert_int_equal(stage2_map(&s2, ipa(0), pa(0), GIB(64), STAGE2_RAM), -ENOMEM);
	assert_int_equal(page_free_count(), free_at_start - 2);
	while (page_alloc(0))
		;
	assert_int_equal(stage2_map(&s2, ipa(0), pa(0), PAGE_SIZE, STAGE2_RAM), -ENOMEM);
	stage2_destroy(&s2);
}

/* Other tables with the same VMID: TLB entries made from the old ones are gone. */
static void resized(void **state)
{
	struct pgtable_leaf leaf;
	struct stage2 s2;
	u64 vtcr, vttbr;

	(void)state;
	assert_int_equal(stage2_init(&s2, 40, 0), 0);
	assert_int_equal(stage2_map(&s2, ipa(0x1000), pa(0x5000), PAGE_SIZE, STAGE2_RAM), 0);
	vtcr = s2.vtcr;
	vttbr = s2.vttbr;
	assert_int_equal(stage2_resize(&s2, 45), -EINVAL);
	assert_true(s2.vtcr == vtcr && s2.vttbr == vttbr);
	assert_true(stage2_lookup(&s2, ipa(0x1000), &leaf));
	recorded = 0;
	assert_int_equal(stage2_resize(&s2, 44), 0);
	assert_int_equal(record[recorded - 1].op, T_VMALLS12E1IS);
	assert_int_equal(record[recorded - 1].vttbr, vttbr);
	assert_int_equal(s2.vttbr >> 48, vttbr >> 48);
	assert_int_equal(s2.vttbr & MASK(47, 0), s2.pt.root);
	/* T0SZ, and SL0 for a start at level 0; nothing else. */
	assert_int_equal(s2.vtcr & 63, 64 - 44);
	assert_int_equal(FIELD(s2.vtcr, 7, 6), 2);
	assert_int_equal(s2.vtcr & ~MASK(7, 0), vtcr & ~MASK(7, 0));
	assert_false(stage2_lookup(&s2, ipa(0x1000), &leaf));
	assert_int_equal(stage2_map(&s2, ipa(BIT(43)), pa(0x5000), PAGE_SIZE, STAGE2_RAM), 0);
	stage2_destroy(&s2);
	assert_int_equal(page_free_count(), free_at_start);
}

static u64 devices_ia, devices_size;
static unsigned devices_calls, devices_after;

static void devices(const struct stage2 *s2, u64 ia, u64 size)
{
	struct stage2 *mine = (struct stage2 *)s2;
	struct pgtable_leaf leaf;

	/* The entry is gone, and the CPUs' TLBs have nothing of it any more. */
	assert_false(pgtable_lookup(&mine->pt, ia, &leaf));
	devices_after = recorded;
	devices_ia = ia;
	devices_size = size;
	devices_calls++;
}

/* Devices that use the tables lose what the tables lose, after the CPUs; new entries are theirs too. */
static void devices_lose_it_too(void **state)
{
	struct stage2 s2;

	(void)state;
	assert_int_equal(stage2_init(&s2, 40, PAGE_SIZE), 0);
	assert_null(s2.devices);
	s2.devices = devices;
	assert_int_equal(stage2_map(&s2, ipa(0x1000), pa(0x5000), 3 * PAGE_SIZE, STAGE2_DEVICE), 0);
	assert_int_equal(devices_calls, 0);
	recorded = 0;
	assert_int_equal(stage2_unmap(&s2, ipa(0x2000), PAGE_SIZE), 0);
	assert_int_equal(devices_calls, 1);
	assert_int_equal(devices_ia, 0x2000);
	assert_int_equal(devices_size, PAGE_SIZE);
	assert_true(devices_after >= 2);
	stage2_destroy(&s2);
}

/* Tables for any place of a mapping: over the borders of tables at each level. */
static void pages_needed_are_enough(void **state)
{
	static const u64 sizes[] = { PAGE_SIZE, KIB(16), MIB(1), MIB(16) };
	struct page_pool pool = { 0 };
	struct stage2 s2;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 half = ALIGN_DOWN(sizes[i] / 2, PAGE_SIZE);

		assert_int_equal(page_pool_fill(&pool, stage2_pages_needed(sizes[i])), 0);
		feat.pa_bits = 48;
		assert_int_equal(stage2_init_pool(&s2, 48, PAGE_SIZE, &pool), 0);
		assert_int_equal(stage2_map(&s2, ipa(BIT(39) - half), pa(0x5000), sizes[i],
					    STAGE2_DEVICE),
				 0);
		stage2_destroy(&s2);
		while (page_pool_empty_piece(&pool))
			;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(vmid_invalidation_is_for_its_vmid, setup),
		cmocka_unit_test_setup(ipa_invalidation_takes_combined_entries_too, setup),
		cmocka_unit_test_setup(walks_end_before_another_vttbr, setup),
		cmocka_unit_test_setup(large_ranges_take_one_tlbi, setup),
		cmocka_unit_test_setup(nidus_own_pages_go_one_by_one, setup),
		cmocka_unit_test_setup(local_invalidation_is_local, setup),
		cmocka_unit_test_setup(vtcr_says_what_the_tables_are, setup),
		cmocka_unit_test_setup(ipa_size_is_one_that_parange_can_name, setup),
		cmocka_unit_test_setup(loading_writes_what_differs, setup),
		cmocka_unit_test_setup(memory_kinds_have_their_attributes, setup),
		cmocka_unit_test_setup(block_size_is_the_configured_or_the_machines, setup),
		cmocka_unit_test_setup(only_changes_invalidate, setup),
		cmocka_unit_test_setup(devices_lose_it_too, setup),
		cmocka_unit_test_setup(pages_needed_are_enough, setup),
		cmocka_unit_test_setup(nothing_leaks, setup),
		cmocka_unit_test_setup(resized, setup),
	};

	return cmocka_run_group_tests_name("stage2", tests, NULL, NULL);
}
