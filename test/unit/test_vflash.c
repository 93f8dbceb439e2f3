/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulated NOR flash by Intel's command set as the manual of such a chip (P30) has it: two chips
 * side by side, so commands and status are in both halves of a word.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mm/page.h"
#include "state/vm.h"
#include "vm/vflash.h"
#include "vm/vfwcfg.h"

#define BOTH(v) ((v) | (v) << 16)
#define BLOCK 0x40000

static struct vm vm;
static u32 pages, pages_left;

u64 page_alloc(u32 order)
{
	if (!pages_left)
		return 0;
	pages_left--;
	pages++;
	return (u64)aligned_alloc(PAGE_SIZE, PAGE_SIZE << order);
}

void page_free(u64 pa, u32 order)
{
	(void)order;
	pages--;
	free((void *)pa);
}

void page_zero(u64 pa, u64 size)
{
	memset((void *)pa, 0, size);
}

static u64 rd_sized(u64 offset, u8 size)
{
	struct mmio m = { .offset = offset, .size = size };

	assert_true(vflash_mmio(NULL, vm.flash, &m));
	return m.data;
}

static u32 rd(u64 offset)
{
	return (u32)rd_sized(offset, 4);
}

static void wr_sized(u64 offset, u64 v, u8 size)
{
	struct mmio m = { .offset = offset, .data = v, .size = size, .write = true };

	assert_true(vflash_mmio(NULL, vm.flash, &m));
}

static void wr(u64 offset, u32 v)
{
	wr_sized(offset, v, 4);
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	vm.layout.flash = 0x04000000;
	vm.layout.fw_cfg = 0x09020000;
	pages = 0;
	pages_left = 2;
	return vflash_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	vflash_destroy(&vm);
	vflash_destroy(&vm);
	vflash_reset(&vm);
	assert_int_equal(pages, 0);
	return 0;
}

static void program(u64 at, u32 v)
{
	wr(at, BOTH(0x40));
	wr(at, v);
	assert_int_equal(rd(0), BOTH(0x80));
	wr(0, BOTH(0xff));
}

static void erased(void **state)
{
	(void)state;
	assert_int_equal(vm.mmio.region[0].base, 0x04000000);
	assert_int_equal(vm.mmio.region[0].size, VFLASH_SIZE);
	for (u64 at = 0; at < VFLASH_SIZE; at += 8)
		assert_int_equal(rd_sized(at, 8), ~0UL);
}

/* Ones become zeroes, in each size of access; what is erased is a block and no more. */
static void programming(void **state)
{
	(void)state;
	program(BLOCK, 0x12345678);
	assert_int_equal(rd(BLOCK), 0x12345678);
	assert_int_equal(rd_sized(BLOCK + 1, 1), 0x56);
	assert_int_equal(rd_sized(BLOCK + 2, 2), 0x1234);
	assert_int_equal(rd_sized(BLOCK, 8), 0xffffffff12345678);
	program(BLOCK, 0xf0f0f0f0);
	assert_int_equal(rd(BLOCK), 0x10305070);
	program(BLOCK - 4, 1);
	program(2 * BLOCK, 2);
	wr(BLOCK + 0x1000, BOTH(0x20));
	assert_int_equal(rd(BLOCK), BOTH(0x80));
	wr(BLOCK + 0x1000, BOTH(0xd0));
	assert_int_equal(rd(BLOCK), BOTH(0x80));
	wr(BLOCK, BOTH(0xff));
	assert_int_equal(rd(BLOCK), 0xffffffff);
	assert_int_equal(rd(BLOCK - 4), 1);
	assert_int_equal(rd(2 * BLOCK), 2);
}

/* A buffer's worth: the setup says that there is room, a count less one, data, and the go-ahead. */
static void buffered(void **state)
{
	(void)state;
	wr(0x2000, BOTH(0xe8));
	assert_int_equal(rd(0x2000) & 0x80, 0x80);
	wr(0x2000, BOTH(31));
	for (u32 i = 0; i < 32; i++)
		wr(0x2000 + 4 * i, i);
	wr(0, BOTH(0xd0));
	assert_int_equal(rd(0), BOTH(0x80));
	wr(0, BOTH(0xff));
	for (u32 i = 0; i < 32; i++)
		assert_int_equal(rd(0x2000 + 4 * i), i);
	assert_int_equal(rd(0x2000 + 128), 0xffffffff);
	assert_int_equal(rd(0x1ffc), 0xffffffff);
	/* In the middle of a buffer, and without the go-ahead. */
	wr(0x2400, BOTH(0xe8));
	wr(0x2400, BOTH(0));
	wr(0x2400, 7);
	wr(0, BOTH(0xff));
	assert_int_equal(rd(0), BOTH(0xb0));
	wr(0, BOTH(0x50));
	wr(0, BOTH(0xff));
	assert_int_equal(rd(0x2400), 0xffffffff);
}

/* A sequence that is none sets both error bits, until they are cleared. */
static void errors(void **state)
{
	static const u8 setup_commands[] = { 0x20, 0x60 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(setup_commands); i++) {
		wr(0, BOTH(setup_commands[i]));
		wr(0, BOTH(0xff));
		assert_int_equal(rd(0), BOTH(0xb0));
		wr(0, BOTH(0x70));
		assert_int_equal(rd(0), BOTH(0xb0));
		wr(0, BOTH(0x50));
		wr(0, BOTH(0x70));
		assert_int_equal(rd(0), BOTH(0x80));
	}
	/* More than the buffer takes, and data elsewhere. */
	wr(0, BOTH(0xe8));
	wr(0, BOTH(512));
	assert_int_equal(rd(0), BOTH(0xb0));
	wr(0, BOTH(0x50));
	wr(0, BOTH(0xe8));
	wr(0, BOTH(1));
	wr(0x800, 0);
	assert_int_equal(rd(0), BOTH(0xb0));
	wr(0, BOTH(0xff));
	assert_int_equal(rd(0x800), 0xffffffff);
}

/* Identity, that no block is locked, and the query structure of JESD68. */
static void identity(void **state)
{
	static const u32 qry[] = { 'Q', 'R', 'Y', 1, 0 };
	u32 size, blocks, block;

	(void)state;
	wr(BLOCK, BOTH(0x90));
	assert_int_equal(rd(BLOCK), BOTH(0x89));
	assert_int_equal(rd(BLOCK + 4), BOTH(0x18));
	assert_int_equal(rd(BLOCK + 8), 0);
	wr(0x55 * 4, BOTH(0x98));
	for (u32 i = 0; i < ARRAY_SIZE(qry); i++)
		assert_int_equal(rd((0x10 + i) * 4), BOTH(qry[i]));
	size = 1u << (rd(0x27 * 4) & 0xff);
	assert_int_equal(2 * size, VFLASH_SIZE);
	assert_int_equal(rd(0x2c * 4), BOTH(1));
	blocks = (rd(0x2d * 4) & 0xff) + 1;
	block = ((rd(0x2f * 4) & 0xff) | (rd(0x30 * 4) & 0xff) << 8) * 256;
	assert_int_equal(blocks * block, size);
	assert_int_equal(2 * block, VFLASH_BLOCK);
	assert_int_equal(rd(0x31 * 4), BOTH('P'));
	assert_int_equal(rd(0), 0);
	assert_int_equal(rd(VFLASH_SIZE - 4), 0);
	vflash_reset(&vm);
	assert_int_equal(rd(0), 0xffffffff);
	wr(0, BOTH(0x60));
	wr(0, BOTH(0xd0));
	assert_int_equal(rd(0), BOTH(0x80));
}

/* What was written stays over a reset, in whatever state that comes. */
static void resets(void **state)
{
	(void)state;
	program(8, 5);
	wr(0, BOTH(0xe8));
	vflash_reset(&vm);
	assert_int_equal(rd(8), 5);
	program(8, 4);
	assert_int_equal(rd(8), 4);
}

/* A guest may do anything: nothing outside of the flash is touched (AddressSanitizer). */
static void anything(void **state)
{
	static const u8 cmds[] = { 0xe8, 0x20, 0xd0, 0x40, 0x90, 0x98, 0xff, 0x70, 0x60 };
	struct mmio bad = { .offset = 2, .size = 4 };
	u32 x = 1;

	(void)state;
	assert_false(vflash_mmio(NULL, vm.flash, &bad));
	for (u32 i = 0; i < 300000; i++) {
		u8 size;
		u64 at;

		x = x * 1664525 + 1013904223;
		size = (u8)(1 << (x >> 8 & 3));
		at = (x >> 12) % VFLASH_SIZE & ~(size - 1UL);
		if (x >> 30 == 0)
			at = VFLASH_SIZE - size;
		if (x >> 10 & 1)
			wr_sized(at,
				 x >> 11 & 1 ? (u32)BOTH(cmds[(x >> 16) % ARRAY_SIZE(cmds)]) : x,
				 size);
		else
			rd_sized(at, size);
	}
}

static void no_memory(void **state)
{
	struct vm other = { .layout = { .flash = 1 } };

	(void)state;
	for (pages_left = 0; pages_left < 2; pages_left++) {
		u32 before = pages, left = pages_left;

		assert_int_equal(vflash_create(&other), -ENOMEM);
		assert_null(other.flash);
		assert_int_equal(pages, before);
		pages_left = left;
	}
}

/* ---- fw_cfg ---------------------------------------------------------------------------------- */

static u64 ask(u16 item, u8 size)
{
	struct mmio select = { .offset = 8, .size = 2, .write = true };
	struct mmio m = { .offset = 0, .size = size };

	select.data = __builtin_bswap16(item);
	assert_true(vfwcfg_mmio(NULL, &vm, &select));
	assert_true(vfwcfg_mmio(NULL, &vm, &m));
	return m.data;
}

static void fw_cfg(void **state)
{
	struct mmio m = { .offset = 0, .size = 1 };

	(void)state;
	assert_int_equal(vfwcfg_create(&vm), 0);
	assert_int_equal(vm.mmio.region[1].base, 0x09020000);
	assert_memory_equal(&(u64){ ask(0, 8) }, "QEMU\0\0\0\0", 8);
	assert_int_equal(ask(1, 4), 1);    /* no DMA */
	assert_int_equal(ask(0x19, 4), 0); /* no files */
	assert_int_equal(ask(8, 8), 0);
	/* One byte after the other. */
	assert_int_equal(ask(0, 1), 'Q');
	assert_true(vfwcfg_mmio(NULL, &vm, &m));
	assert_int_equal(m.data, 'E');
	m = (struct mmio){ .offset = 8, .size = 2 };
	assert_true(vfwcfg_mmio(NULL, &vm, &m));
	assert_int_equal(m.data, 0);
	m = (struct mmio){ .offset = 0, .size = 4, .write = true, .data = ~0U };
	assert_true(vfwcfg_mmio(NULL, &vm, &m));
	assert_int_equal(ask(0, 4), 0x554d4551);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(erased, setup, teardown),
		cmocka_unit_test_setup_teardown(programming, setup, teardown),
		cmocka_unit_test_setup_teardown(buffered, setup, teardown),
		cmocka_unit_test_setup_teardown(errors, setup, teardown),
		cmocka_unit_test_setup_teardown(identity, setup, teardown),
		cmocka_unit_test_setup_teardown(resets, setup, teardown),
		cmocka_unit_test_setup_teardown(anything, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(fw_cfg, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
