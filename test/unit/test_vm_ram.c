/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's RAM taken from a machine's with holes: all of it, once, at the addresses given; and given
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vm/vm_ram.h"

#define ARENA MIB(64)
#define RAM 0x40000000UL

static u64 arena;
static struct vm vm;
static struct vm_config config;
static u8 owned[ARENA / PAGE_SIZE]; /* pages that were given to the allocator */

static void give(u64 from, u64 to)
{
	page_add(arena + from, to - from);
	memset(owned + from / PAGE_SIZE, 1, (to - from) / PAGE_SIZE);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("DCZID_EL0", 4);
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	memset(&vm, 0, sizeof(vm));
	memset(owned, 0, sizeof(owned));
	config = (struct vm_config){ .name = "a" };
	vm.config = &config;
	vm.layout.ram = RAM;
	page_init();
	page_region(arena, arena + ARENA);
	return 0;
}

/*
 * No two pieces touch or overlap in memory, all of it was free; the sizes add up to what was
 * requested.
 */
static void check_pieces(u64 want)
{
	u64 size = 0;

	for (u32 i = 0; i < vm.ram_chunks; i++) {
		const struct vm_ram *r = &vm.ram[i];

		size += r->size;
		for (u64 p = r->pa; p < r->pa + r->size; p += PAGE_SIZE) {
			assert_in_range(p, arena, arena + ARENA - PAGE_SIZE);
			assert_int_equal(owned[(p - arena) / PAGE_SIZE], 1);
			owned[(p - arena) / PAGE_SIZE] = 2;
		}
	}
	assert_int_equal(size, want);
	for (u64 i = 0; i < ARRAY_SIZE(owned); i++)
		owned[i] = owned[i] != 0;
}

static void gives_back(u64 before)
{
	u32 n = 0;

	while (vm_ram_free_piece(&vm))
		n++;
	assert_true(n <= VM_RAM_CHUNKS);
	assert_int_equal(page_free_count(), before);
}

static void direct(u64 size)
{
	u64 before = page_free_count(), largest = 0, main = 0;

	config.direct_map = true;
	config.mem_size = size;
	assert_null(vm_ram_alloc(&vm));
	assert_int_equal(page_free_count(), before - size / PAGE_SIZE);
	check_pieces(size);
	for (u32 i = 0; i < vm.ram_chunks; i++) {
		const struct vm_ram *r = &vm.ram[i];

		assert_int_equal(r->ipa, r->pa);
		/* In order, and as few as possible. */
		if (i)
			assert_true(vm.ram[i - 1].pa + vm.ram[i - 1].size < r->pa);
		if (r->size > largest) {
			largest = r->size;
			main = r->ipa;
		}
		assert_true(vm_has_ram(&vm, ipa(r->ipa)));
		assert_true(vm_has_ram(&vm, ipa(r->ipa + r->size - 1)));
		assert_false(vm_has_ram(&vm, ipa(r->ipa + r->size)));
	}
	assert_int_equal(vm.layout.ram, main);
	assert_int_equal(vm.layout.ram_size, largest);
	gives_back(before);
	vm.layout.ram = RAM;
}

/* RAM at its own address: any size, from any pieces, down to the last page. */
static void pieces_where_they_are(void **state)
{
	(void)state;
	give(MIB(1), MIB(9));
	give(MIB(12) + KIB(4), MIB(13));
	give(MIB(20), MIB(31) + KIB(12));
	give(MIB(40), MIB(63));
	direct(PAGE_SIZE);
	direct(MIB(8));
	direct(MIB(14) + PAGE_SIZE);
	direct(MIB(23));
	direct(MIB(31) + 3 * PAGE_SIZE);
	direct(page_free_count() * PAGE_SIZE);
}

/* Adjacent blocks are one piece, in whatever order they came. */
static void neighbours_are_one(void **state)
{
	u64 block[8];

	(void)state;
	give(MIB(1), MIB(33));
	/* Only single MiBs are left, so that they come one by one. */
	for (u32 i = 0; i < 8; i++) {
		block[i] = page_alloc(8);
		assert_int_not_equal(block[i], 0);
	}
	while (page_alloc(0))
		;
	for (u32 i = 0; i < 8; i++)
		page_free(block[(i * 5) % 8], 8);
	direct(MIB(8));
	direct(MIB(8) - PAGE_SIZE);
}

/* Addresses of the VM's own: without a gap, whatever memory is behind them. */
static void contiguous_for_the_guest(void **state)
{
	u64 before, at = RAM;

	(void)state;
	give(MIB(1), MIB(9));
	give(MIB(20), MIB(31));
	before = page_free_count();
	config.mem_size = MIB(13) + 5 * PAGE_SIZE;
	assert_null(vm_ram_alloc(&vm));
	check_pieces(config.mem_size);
	for (u32 i = 0; i < vm.ram_chunks; i++) {
		assert_int_equal(vm.ram[i].ipa, at);
		at += vm.ram[i].size;
	}
	assert_int_equal(vm.layout.ram, RAM);
	assert_int_equal(vm.layout.ram_size, config.mem_size);
	gives_back(before);
}

/* Firmware is at 0, in whole pages, and RAM is where it is without. */
static void firmware_comes_first(void **state)
{
	u64 before, at = 0;
	u32 i = 0;

	(void)state;
	give(MIB(1), MIB(31));
	before = page_free_count();
	config.mem_size = MIB(13);
	config.firmware = true;
	config.kernel.size = MIB(3) + 1;
	assert_null(vm_ram_alloc(&vm));
	for (; at < MIB(3) + PAGE_SIZE; at += vm.ram[i++].size)
		assert_int_equal(vm.ram[i].ipa, at);
	assert_int_equal(at, MIB(3) + PAGE_SIZE);
	for (at = RAM; i < vm.ram_chunks; at += vm.ram[i++].size)
		assert_int_equal(vm.ram[i].ipa, at);
	assert_int_equal(at, RAM + MIB(13));
	assert_int_equal(vm.layout.ram, RAM);
	assert_int_equal(vm.layout.ram_size, MIB(13));
	gives_back(before);
	config.firmware = false;
	config.kernel.size = 0;
}

static void says_what_is_missing(void **state)
{
	u64 before;

	(void)state;
	give(MIB(1), MIB(9));
	before = page_free_count();
	config.mem_size = MIB(9);
	assert_string_equal(vm_ram_alloc(&vm),
			    "memory: expected 9 MiB of free memory, found 0 MiB");
	gives_back(before);
	config.direct_map = true;
	assert_string_equal(vm_ram_alloc(&vm),
			    "memory: expected 9 MiB of free memory, found 0 MiB");
	gives_back(before);
}

static void too_many_pieces(void **state)
{
	u64 before;

	(void)state;
	give(MIB(1), MIB(1) + KIB(64));
	while (page_alloc(0))
		;
	for (u64 i = 0; i <= VM_RAM_CHUNKS; i++)
		give(MIB(2) + 2 * i * PAGE_SIZE, MIB(2) + (2 * i + 1) * PAGE_SIZE);
	before = page_free_count();
	config.mem_size = (VM_RAM_CHUNKS + 1) * PAGE_SIZE;
	config.direct_map = true;
	assert_string_equal(
		vm_ram_alloc(&vm),
		"memory: expected 0 MiB of free memory, found 0 MiB in too many pieces");
	gives_back(before);
	config.direct_map = false;
	assert_non_null(strstr(vm_ram_alloc(&vm), "in too many pieces"));
	gives_back(before);
	direct(VM_RAM_CHUNKS * PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pieces_where_they_are, setup),
		cmocka_unit_test_setup(neighbours_are_one, setup),
		cmocka_unit_test_setup(contiguous_for_the_guest, setup),
		cmocka_unit_test_setup(firmware_comes_first, setup),
		cmocka_unit_test_setup(says_what_is_missing, setup),
		cmocka_unit_test_setup(too_many_pieces, setup),
	};

	return cmocka_run_group_tests_name("vm_ram", tests, NULL, NULL);
}
