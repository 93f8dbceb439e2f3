/* SPDX-License-Identifier: Apache-2.0 */
/* RAM of UEFI memory maps: which types, holes, overlaps, order, and what is not a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/efi.h"

#define STEP 48 /* as firmware has it: larger than a descriptor */
#define WB 8

static struct efi_machine m;
static unsigned char map[4096 * STEP];
static unsigned count;

static void begin(void)
{
	memset(&m, 0xa5, sizeof(m));
	count = 0;
}

static void region(u32 type, u64 base, u64 pages, u64 attributes)
{
	struct efi_memory d = { .type = type, .base = base, .virt = ~0UL, .pages = pages,
				.attributes = attributes };

	memset(map + count * STEP, 0xff, STEP);
	memcpy(map + count++ * STEP, &d, sizeof(d));
}

static void read_map(void)
{
	efi_map_ram(&m, map, (u64)count * STEP, STEP);
}

static void assert_ram(u32 i, u64 base, u64 size)
{
	assert_in_range(i, 0, m.ram_count - 1);
	assert_int_equal(m.ram[i].base, base);
	assert_int_equal(m.ram[i].size, size);
}

/* UEFI 2.10, table 7.10: what an OS may use after ExitBootServices(). */
static void test_types(void **state)
{
	static const bool ram[16] = { [1] = true, [2] = true, [3] = true, [4] = true, [7] = true };

	(void)state;
	for (u32 type = 0; type < 20; type++) {
		begin();
		region(type, 0x40000000, 16, WB | 7);
		read_map();
		assert_int_equal(m.ram_count, type < 16 && ram[type]);
	}
}

/* Not to be mapped write-back, or meant for something special: no RAM. */
static void test_attributes(void **state)
{
	(void)state;
	begin();
	region(EFI_CONVENTIONAL, 0x40000000, 16, 7);
	region(EFI_CONVENTIONAL, 0x50000000, 16, WB | BIT(18));
	read_map();
	assert_int_equal(m.ram_count, 0);
}

static void test_joined(void **state)
{
	(void)state;
	begin();
	region(EFI_CONVENTIONAL, 0x40010000, 16, WB);
	region(EFI_LOADER_DATA, 0x40030000, 16, WB);
	region(EFI_BOOT_SERVICES_CODE, 0x40020000, 16, WB);
	region(EFI_RUNTIME_SERVICES_DATA, 0x40040000, 16, WB);
	region(EFI_BOOT_SERVICES_DATA, 0x40050000, 1, WB);
	read_map();
	assert_int_equal(m.ram_count, 2);
	assert_ram(0, 0x40010000, 0x30000);
	assert_ram(1, 0x40050000, 0x1000);
	assert_int_equal(m.ram_lost, 0);
}

/* Two that overlap: one of them is a mistake, and RAM is only what nobody else claims. */
static void test_overlaps(void **state)
{
	(void)state;
	begin();
	region(EFI_RUNTIME_SERVICES_DATA, 0x40008000, 2, WB);
	region(EFI_CONVENTIONAL, 0x40000000, 16, WB);
	region(EFI_LOADER_CODE, 0x40004000, 20, WB);
	region(EFI_ACPI_RECLAIM, 0x40016000, 16, WB);
	region(EFI_RESERVED, 0x3ffff000, 2, WB);
	read_map();
	assert_int_equal(m.ram_count, 2);
	assert_ram(0, 0x40001000, 0x7000);
	assert_ram(1, 0x4000a000, 0xc000);
}

static void test_holes(void **state)
{
	(void)state;
	begin();
	region(EFI_CONVENTIONAL, 0x80000000, 0x80000, WB);
	region(EFI_CONVENTIONAL, 0x880000000, 0x100000, WB);
	region(EFI_MMIO, 0x100000000, 0x100000, 1);
	region(EFI_CONVENTIONAL, 0x100000000000, 1UL << 28, WB);
	read_map();
	assert_int_equal(m.ram_count, 3);
	assert_ram(0, 0x80000000, 0x80000000);
	assert_ram(1, 0x880000000, 0x100000000);
	assert_ram(2, 0x100000000000, 1UL << 40);
}

/* Numbers that no memory has: ignored as RAM, but what is not RAM may go up to the end. */
static void test_absurd(void **state)
{
	(void)state;
	begin();
	region(EFI_CONVENTIONAL, 0x40000000, 0x100, WB);
	region(EFI_CONVENTIONAL, 0x50000000, 1UL << 60, WB);
	region(EFI_CONVENTIONAL, 0x60000000, ~0UL, WB);
	region(EFI_CONVENTIONAL, ~0xfffUL, 2, WB);
	region(EFI_CONVENTIONAL, 0x70000000, 0, WB);
	region(EFI_CONVENTIONAL, 0x70000800, 2, WB);
	region(EFI_RESERVED, 0x40080000, ~0UL, WB);
	read_map();
	assert_int_equal(m.ram_count, 1);
	assert_ram(0, 0x40000000, 0x80000);
	begin();
	region(EFI_CONVENTIONAL, 0x70000800, 2, WB);
	read_map();
	assert_ram(0, 0x70001000, 0x1000);
}

/* A size that is no multiple of the step; a step that is too small. */
static void test_cut_off(void **state)
{
	(void)state;
	begin();
	region(EFI_CONVENTIONAL, 0x40000000, 16, WB);
	region(EFI_CONVENTIONAL, 0x50000000, 16, WB);
	efi_map_ram(&m, map, 2 * STEP - 1, STEP);
	assert_int_equal(m.ram_count, 1);
	efi_map_ram(&m, map, 2 * STEP, 39);
	assert_int_equal(m.ram_count, 0);
	efi_map_ram(&m, map, 0, STEP);
	assert_int_equal(m.ram_count, 0);
}

/* More ranges than there is room for: the largest, in order. */
static void test_many(void **state)
{
	(void)state;
	begin();
	for (u32 i = 0; i < 200; i++)
		region(EFI_CONVENTIONAL, (u64)i << 28, 1 + (i * 37) % 200, WB);
	read_map();
	assert_int_equal(m.ram_count, MACHINE_MEM_MAX);
	for (u32 i = 0; i < m.ram_count; i++) {
		assert_in_range(m.ram[i].size, (201 - MACHINE_MEM_MAX) << 12, 200 << 12);
		assert_true(!i || m.ram[i].base > m.ram[i - 1].base);
	}
	assert_int_equal(m.ram_lost, (136 * 137 / 2) << 12);
}

/* What may be read: all memory but registers, in one piece or in several. */
static void test_readable(void **state)
{
	static const struct {
		u64 base, size;
		bool is;
	} asked[] = {
		{ 0x40000000, 0x10000, true },	{ 0x40000000, 0x10001, false },
		{ 0x3fffffff, 2, false },	{ 0x40008000, 0, true },
		{ 0x50000000, 0x3000, true },	{ 0x50000fff, 2, true },
		{ 0x50002fff, 2, false },	{ 0x60000000, 1, false },
		{ 0x70000000, 1, false },	{ ~0UL, 2, false },
		{ 0x40000000, ~0UL, false },
	};

	(void)state;
	begin();
	region(EFI_ACPI_NVS, 0x50002000, 1, WB);
	region(EFI_ACPI_RECLAIM, 0x40000000, 16, WB);
	region(EFI_CONVENTIONAL, 0x50000000, 1, WB);
	region(EFI_RESERVED, 0x50001000, 1, 0);
	region(EFI_MMIO, 0x60000000, 16, 1);
	region(EFI_UNUSABLE, 0x70000000, 16, WB);
	for (u32 i = 0; i < ARRAY_SIZE(asked); i++)
		assert_int_equal(efi_map_has(map, (u64)count * STEP, STEP, asked[i].base,
					     asked[i].size),
				 asked[i].is);
}

/* Against a bitmap of pages, on random maps. */
static void test_random(void **state)
{
	static bool ram[512], other[512];

	(void)state;
	srand(1);
	for (u32 n = 0; n < 3000; n++) {
		memset(ram, 0, sizeof(ram));
		memset(other, 0, sizeof(other));
		begin();
		for (u32 i = 0; i < 12; i++) {
			u32 base = (u32)rand() % 480, pages = (u32)rand() % 32;
			bool is = rand() % 3;

			region(is ? EFI_CONVENTIONAL : EFI_MMIO, (u64)base << 12, pages, WB);
			memset((is ? ram : other) + base, 1, pages);
		}
		read_map();
		for (u32 i = 0; i < m.ram_count; i++) {
			assert_true(!i || m.ram[i].base > m.ram[i - 1].base + m.ram[i - 1].size);
			for (u64 p = m.ram[i].base; p < m.ram[i].base + m.ram[i].size; p += 4096) {
				assert_true(ram[p >> 12] && !other[p >> 12]);
				ram[p >> 12] = false;
			}
		}
		for (u32 i = 0; i < 512; i++)
			assert_true(!ram[i] || other[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),	 cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_joined),	 cmocka_unit_test(test_overlaps),
		cmocka_unit_test(test_holes),	 cmocka_unit_test(test_absurd),
		cmocka_unit_test(test_cut_off),	 cmocka_unit_test(test_many),
		cmocka_unit_test(test_random),	 cmocka_unit_test(test_readable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
