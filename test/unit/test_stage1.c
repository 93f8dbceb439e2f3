/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nidus's own map, as hardware would walk it from the registers that stage1_enable() writes. The
 * tests follow the order of a boot: each begins where the previous one ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/cache.h"
#include "arch/feat.h"
#include "arch/pgtable.h"
#include "arch/sysreg.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "mm/window.h"

/* The image: what nidus.ld lays out. */
asm(".pushsection .bss\n"
    ".balign 4096\n"
    ".globl __text_start, __text_end, __rodata_start, __rodata_end, __image_end\n"
    "__text_start: .skip 5 * 4096\n"
    "__text_end: __rodata_start: .skip 2 * 4096\n"
    "__rodata_end: .skip 9 * 4096\n"
    "__image_end:\n"
    ".popsection\n");
extern char __text_start[], __text_end[], __rodata_start[], __rodata_end[], __image_end[];

#define FDT (GIB(5) + MIB(7) + 8)
#define EARLY_UART 0x09000000UL

/* What an access to va finds: the leaf, and its size; 0 for nothing. */
static u64 walk(u64 va, u64 *size)
{
	u64 tcr = fake_get("TCR_EL2"), desc = fake_get("TTBR0_EL2") | DESC_TYPE;
	u32 level = (u32)(64 - FIELD(tcr, 5, 0)) > 39 ? 0 : 1;

	for (;; level++) {
		const u64 *table = (const u64 *)(desc & DESC_ADDR);

		desc = table[(va >> level_shift(level)) & 511];
		*size = level_size(level);
		if (!(desc & DESC_VALID))
			return 0;
		if (level == 3 || (desc & DESC_TYPE) != DESC_TYPE)
			break;
	}
	if (((desc & DESC_ADDR) & ~(*size - 1)) != (va & ~(*size - 1)))
		fail_msg("0x%lx is mapped to 0x%lx", va, desc & DESC_ADDR);
	return desc;
}

/* As R, W, X and D (device) of EL2; "" for nothing. */
static const char *access(u64 va)
{
	static char s[8];
	u64 size, desc = walk(va, &size), mair = fake_get("MAIR_EL2");
	char *p = s;

	memset(s, 0, sizeof(s));
	if (!desc)
		return s;
	assert_true(desc & DESC_AF);
	assert_false(desc & BIT(6));  /* nothing for EL0 */
	assert_false(desc & BIT(11)); /* global */
	assert_true(desc & S1_UXN);
	*p++ = 'R';
	if (!(desc & S1_AP_RO))
		*p++ = 'W';
	if (!(desc & S1_PXN))
		*p++ = 'X';
	switch (FIELD(mair, 8 * FIELD(desc, 4, 2) + 7, 8 * FIELD(desc, 4, 2))) {
	case 0x04:
		*p++ = 'D';
		break;
	case 0xff:
		assert_int_equal(FIELD(desc, 9, 8), 3);
		break;
	default:
		fail_msg("0x%lx: memory type of MAIR index %lu", va, FIELD(desc, 4, 2));
	}
	return s;
}

static u64 size_at(u64 va)
{
	u64 size;

	walk(va, &size);
	return size;
}

static void check_range(u64 from, u64 to, const char *expected)
{
	for (u64 va = from; va < to; va += PAGE_SIZE)
		if (strcmp(access(va), expected))
			fail_msg("0x%lx: expected \"%s\", found \"%s\"", va, expected, access(va));
}

static void check_image(void)
{
	u64 at = (u64)__text_start;

	check_range(at, (u64)__text_end, "RX");
	check_range((u64)__rodata_start, (u64)__rodata_end, "R");
	check_range((u64)__rodata_end, (u64)__image_end, "RW");
	for (; at < (u64)__image_end; at += PAGE_SIZE)
		assert_int_equal(size_at(at), PAGE_SIZE);
}

static void early_map(void **state)
{
	u64 pages = (u64)(__image_end - __rodata_end) / 64;

	(void)state;
	feat = (struct feat){ .pa_bits = 44, .vmid16 = true };
	fake_reset();
	fake_set("CTR_EL0", 4UL << 16);
	fake_lines_dropped = 0;
	stage1_early(FDT, EARLY_UART + 0x18);
	/*
	 * No system register is written yet: it may run on any CPU state; and no stale cached copy
	 * of what was written remains.
	 */
	assert_int_equal(fake_writes_total(), 0);
	assert_int_equal(fake_lines_dropped, pages);
	stage1_enable();
	check_image();
	assert_string_equal(access((u64)__text_start - PAGE_SIZE), "");
	assert_string_equal(access((u64)__image_end), "");
	check_range(GIB(5) + MIB(6), GIB(5) + MIB(8), "RW");
	assert_int_equal(size_at(FDT), MIB(2));
	assert_string_equal(access(GIB(5) + MIB(6) - 1), "");
	assert_string_equal(access(GIB(5) + MIB(8)), "");
	assert_string_equal(access(EARLY_UART), "RWD");
	assert_string_equal(access(EARLY_UART + PAGE_SIZE), "");
}

/* The tree may reach into the next 2 MiB, as its header says; no further. */
static void rest_of_the_tree(void **state)
{
	(void)state;
	assert_int_equal(stage1_map_tree(FDT + 0x1000), 0);
	assert_string_equal(access(GIB(5) + MIB(8)), "");
	assert_int_equal(stage1_map_tree(GIB(5) + MIB(8) + 1), 0);
	check_range(GIB(5) + MIB(6), GIB(5) + MIB(10), "RW");
	assert_string_equal(access(GIB(5) + MIB(10)), "");
	assert_int_equal(stage1_map_tree(BIT(48) + 8), -EINVAL);
}

static unsigned tlbis_at_enable;
static u64 sctlr_at_tlbi;

static void on_tlbi(u64 v)
{
	(void)v;
	tlbis_at_enable++;
	sctlr_at_tlbi = fake_get("SCTLR_EL2");
}

static void registers(void **state)
{
	u64 tcr, root = fake_get("TTBR0_EL2");

	(void)state;
	fake_cpu = 1;
	fake_on_write("TLBI_ALLE2", on_tlbi);
	fake_on_write("TLBI_ALLE1", on_tlbi);
	stage1_enable();
	assert_int_equal(tlbis_at_enable, 2);
	assert_int_equal(sctlr_at_tlbi, 0); /* while the MMU is off */
	assert_int_equal(fake_get("TTBR0_EL2"), root);
	tcr = fake_get("TCR_EL2");
	assert_int_equal(FIELD(tcr, 5, 0), 16);
	assert_int_equal(FIELD(tcr, 7, 7), 0);
	assert_int_equal(FIELD(tcr, 13, 8), 0x35);
	assert_int_equal(FIELD(tcr, 15, 14), 0);
	/* The windows' half: T1SZ, A1, EPD1, IRGN1, ORGN1, SH1, TG1. */
	assert_int_equal(FIELD(tcr, 21, 16), 39);
	assert_int_equal(FIELD(tcr, 23, 22), 0);
	assert_int_equal(FIELD(tcr, 31, 24), 0xb5);
	assert_int_equal(fake_get("TTBR1_EL2"), window_table());
	assert_int_equal(FIELD(tcr, 34, 32), 4);
	/* RES1 bits, and M, C, SA, I, WXN. */
	assert_int_equal(fake_get("SCTLR_EL2"), 0x30c50830 | 1 | 4 | 8 | BIT(12) | BIT(19));
	assert_int_equal(fake_get("VTTBR_EL2"), 0);
	assert_int_equal(fake_get("VTCR_EL2"), BIT(31) | BIT(19));
	fake_cpu = 0;
}

static struct machine m;

static void reserve(u64 base, u64 size, bool nomap)
{
	assert_true(machine_reserve(&m, base, size));
	m.rsv_nomap[m.rsv_count - 1] = nomap;
}

/*
 * RAM around the image (at the host's addresses), a whole GiB with the tree, one with a hole, and
 * one without alignment; the UART is elsewhere than the early one.
 */
static void whole_machine(void **state)
{
	u64 image = (u64)__text_start, ram = ALIGN_DOWN(image, GIB(1));

	(void)state;
	m.mem[m.mem_count++] = (struct range){ GIB(4), GIB(1) };
	m.mem[m.mem_count++] = (struct range){ GIB(6), GIB(1) };
	m.mem[m.mem_count++] = (struct range){ GIB(8) + 5, MIB(6) };
	m.mem[m.mem_count++] = (struct range){ ram, GIB(2) };
	m.fdt = (void *)FDT;
	m.fdt_size = 0x1800;
	reserve(FDT, m.fdt_size, false);
	/* not to be mapped: every page that it touches */
	reserve(GIB(6) + MIB(4) + 0x800, MIB(2), true);
	reserve(GIB(6) + MIB(32), MIB(2), false);
	m.gicd = (struct range){ 0x08000000, 0x10000 };
	m.gicr[m.gicr_count++] = (struct range){ 0x080a0000, 0xf60000 };
	m.uart = (struct range){ 0x1c090000, 0x1000 };
	assert_null(stage1_map_machine(&m));
	check_image();
	check_range(ALIGN_DOWN(image, MIB(2)), image, "RW");
	check_range((u64)__image_end, ALIGN_UP((u64)__image_end, MIB(2)), "RW");
	assert_string_equal(access(ram), "RW");
	assert_string_equal(access(ram + GIB(2) - 1), "RW");
	assert_string_equal(access(ram + GIB(2)), "");
	assert_int_equal(size_at(GIB(4)), GIB(1));
	/* The tree is not in RAM: its pages are mapped, and nothing beside them any more. */
	assert_string_equal(access(FDT - PAGE_SIZE), "");
	check_range(ALIGN_DOWN(FDT, PAGE_SIZE), FDT + 0x1800, "RW");
	assert_string_equal(access(FDT + 0x2000), "");
	assert_string_equal(access(GIB(5) + MIB(9)), "");
	check_range(GIB(6), GIB(6) + MIB(4), "RW");
	check_range(GIB(6) + MIB(4), GIB(6) + MIB(6) + 0x1000, "");
	check_range(GIB(6) + MIB(6) + 0x1000, GIB(6) + MIB(40), "RW");
	assert_string_equal(access(GIB(8)), ""); /* a part of a page is not RAM */
	check_range(GIB(8) + PAGE_SIZE, GIB(8) + MIB(6), "RW");
	assert_string_equal(access(GIB(8) + MIB(6)), "");
	check_range(0x08000000, 0x08010000, "RWD");
	assert_string_equal(access(0x08010000), "");
	check_range(0x080a0000, EARLY_UART, "RWD");
	assert_string_equal(access(EARLY_UART), "");
	assert_string_equal(access(0x1c090000), "RWD");
	/* A boot module in reserved memory. */
	assert_true(stage1_map_ram(GIB(6) + MIB(5) + 8, PAGE_SIZE));
	check_range(GIB(6) + MIB(5), GIB(6) + MIB(5) + 0x2000, "RW");
	assert_string_equal(access(GIB(6) + MIB(5) + 0x2000), "");
}

/*
 * More ranges than the pool has tables for: they come from the machine's RAM, which is then
 * reserved.
 */
static void many_ranges(void **state)
{
	u64 arena = (u64)aligned_alloc(MIB(2), MIB(4));
	u32 rsv = m.rsv_count;

	(void)state;
	m.mem_count = 0;
	m.rsv_count = 0;
	for (u32 i = 0; i < 40; i++)
		assert_true(machine_add_memory(
			&m, (struct range){ GIB(1024 + 2 * i) - 0x5000, 0x8000 }));
	assert_true(machine_add_memory(&m, (struct range){ arena, MIB(4) }));
	for (u32 i = 0; i < 30; i++)
		reserve(arena + MIB(2) + i * 0x4000, 0x1001, true);
	assert_null(stage1_map_machine(&m));
	for (u32 i = 0; i < 40; i++) {
		check_range(GIB(1024 + 2 * i) - 0x5000, GIB(1024 + 2 * i) + 0x3000, "RW");
		assert_string_equal(access(GIB(1024 + 2 * i) + 0x3000), "");
	}
	for (u32 i = 0; i < 30; i++) {
		check_range(arena + MIB(2) + i * 0x4000, arena + MIB(2) + i * 0x4000 + 0x2000, "");
		check_range(arena + MIB(2) + i * 0x4000 + 0x2000, arena + MIB(2) + (i + 1) * 0x4000,
			    "RW");
	}
	assert_int_equal(m.rsv_count, 31);
	assert_true(m.rsv[30].base >= arena && m.rsv[30].base + m.rsv[30].size <= arena + MIB(2));
	/* No memory to take them from: a line. */
	m.mem_count = 0;
	for (u32 i = 0; i < 60; i++)
		assert_true(machine_add_memory(
			&m, (struct range){ GIB(9000 + 600 * i) - 0x5000, 0x8000 }));
	m.rsv_count = rsv;
	assert_non_null(stage1_map_machine(&m));
}

static void devices_later(void **state)
{
	(void)state;
	assert_int_equal(stage1_map_device(0x0a000200, 0x200), 0);
	assert_string_equal(access(0x0a000000), "RWD");
	assert_int_equal(stage1_map_device(0x0a000000, 0x3000), 0); /* over itself */
	check_range(0x0a000000, 0x0a003000, "RWD");
	assert_int_equal(stage1_map_device(GIB(4) - 0x1000, 0x2000), -EEXIST);
	assert_string_equal(access(GIB(4) - 0x1000), "");
	assert_string_equal(access(GIB(4)), "RW");
	assert_int_equal(stage1_map_device((u64)__rodata_start, 0x1000), -EEXIST);
	assert_int_equal(stage1_map_device(BIT(48), 0x1000), -EINVAL);
	assert_int_equal(stage1_map_device(~0UL - 0x1800, 0x1000), -EINVAL);
	assert_int_equal(stage1_map_device(0x1000, ~0UL), -EINVAL);
}

static u64 invalidated[16];
static unsigned invalidations;

static void on_vae2is(u64 v)
{
	invalidated[invalidations++ % 16] = v;
}

static void guards(void **state)
{
	u64 at = (u64)__rodata_end + 3 * PAGE_SIZE;

	(void)state;
	fake_on_write("TLBI_VAE2IS", on_vae2is);
	assert_int_equal(stage1_guard(at, PAGE_SIZE), 0);
	assert_string_equal(access(at), "");
	assert_string_equal(access(at - 1), "RW");
	assert_string_equal(access(at + PAGE_SIZE), "RW");
	assert_int_equal(invalidations, 1);
	assert_int_equal(invalidated[0], at >> 12);
	assert_int_equal(stage1_guard(at + 1, PAGE_SIZE), -EINVAL);
	assert_int_equal(stage1_guard((u64)__text_start, PAGE_SIZE), -EINVAL);
	assert_int_equal(stage1_guard((u64)__image_end, PAGE_SIZE), -EINVAL);
	assert_int_equal(stage1_guard((u64)__image_end - PAGE_SIZE, ~0UL), -EINVAL);
	assert_int_equal(stage1_guard(GIB(4), PAGE_SIZE), -EINVAL);
	assert_int_equal(invalidations, 1);
}

/*
 * Devices far apart use up the pool in the image; after that the page allocator provides, and
 * before it runs nothing does.
 */
static void more_tables_than_the_pool_has(void **state)
{
	u64 arena = (u64)aligned_alloc(MIB(2), MIB(2)), n = 0;
	int err;

	(void)state;
	page_init();
	page_region(arena, arena + MIB(2));
	while (!(err = stage1_map_device(BIT(46) + n * GIB(1), PAGE_SIZE)))
		n++;
	assert_int_equal(err, -ENOMEM);
	assert_true(n > 16);
	assert_string_equal(access(BIT(46) + n * GIB(1)), "");
	page_add(arena, MIB(2));
	fake_set("DCZID_EL0", 4);
	assert_int_equal(stage1_map_device(BIT(46) + n * GIB(1), PAGE_SIZE), 0);
	assert_string_equal(access(BIT(46) + n * GIB(1)), "RWD");
	assert_true(page_free_count() < page_total());
	free((void *)arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early_map),     cmocka_unit_test(rest_of_the_tree),
		cmocka_unit_test(registers),     cmocka_unit_test(whole_machine),
		cmocka_unit_test(devices_later), cmocka_unit_test(many_ranges),
		cmocka_unit_test(guards),        cmocka_unit_test(more_tables_than_the_pool_has),
	};

	return cmocka_run_group_tests_name("stage1", tests, NULL, NULL);
}
