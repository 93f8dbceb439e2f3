/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The level at which a guest's stage-1 walk met a bad address, for all granules, sizes and both
 * halves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "lib/types.h"
#include "nested/s1walk.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* Guest RAM: eight 64 KiB pieces, one a table; nothing else answers. */
#define RAM 0x40000000UL
#define PIECE 0x10000UL
#define PIECES 8
static u64 ram[PIECES * PIECE / 8];
#define NOWHERE 0x00001234567a0000UL /* an IPA at which nothing is mapped */

static struct vm vm;
static struct vcpu vcpu;
static unsigned reads;

/* Every word that a walk reads is read through this. */
void *pa_ptr(pa_t p)
{
	reads++;
	return (void *)p.a;
}

/* DDI 0487, D8.2: granules, their encodings in TCR_EL1, and which address bits index each level. */
struct granule {
	const char *name;
	u32 shift;
	u64 tg0, tg1;
	u32 sz_min, sz_max;
	struct {
		u32 hi, lo;
	} index[4]; /* hi 0: no such level */
};

static const struct granule granules[] = {
	{ "4K", 12, 0, 2, 16, 48, { { 47, 39 }, { 38, 30 }, { 29, 21 }, { 20, 12 } } },
	{ "16K", 14, 2, 1, 16, 48, { { 47, 47 }, { 46, 36 }, { 35, 25 }, { 24, 14 } } },
	{ "64K", 16, 1, 3, 12, 47, { { 0, 0 }, { 51, 42 }, { 41, 29 }, { 28, 16 } } },
};

/* The lookup's first level: the last one that still indexes with the topmost address bit. */
static int start_level(const struct granule *g, u32 va_bits)
{
	for (int level = 0; level < 4; level++)
		if (g->index[level].hi && va_bits - 1 >= g->index[level].lo)
			return level;
	return -1;
}

static u64 index_of(const struct granule *g, int level, u32 va_bits, u64 va)
{
	u32 hi = MIN(g->index[level].hi, va_bits - 1), lo = g->index[level].lo;

	return (va >> lo) & ((1UL << (hi - lo + 1)) - 1);
}

static void set_tcr(const struct granule *g, bool upper, u32 txsz)
{
	/* The other half gets another granule and size, which must not matter. */
	const struct granule *other = g == &granules[0] ? &granules[2] : &granules[0];

	if (upper)
		fake_set("TCR_EL12",
			 25 | other->tg0 << 14 | (u64)txsz << 16 | g->tg1 << 30 | 2UL << 32);
	else
		fake_set("TCR_EL12",
			 txsz | g->tg0 << 14 | 25UL << 16 | other->tg1 << 30 | 2UL << 32);
	fake_set(upper ? "TTBR0_EL12" : "TTBR1_EL12", 0x5555000000000fffUL);
}

/*
 * Make tables for va down to bad_level, whose own table is outside memory; returns the IPA of the
 * descriptor that cannot be read.
 */
static u64 build(const struct granule *g, bool upper, u32 va_bits, u64 va, int bad_level)
{
	int first = start_level(g, va_bits);
	u64 table = first == bad_level ? NOWHERE : RAM;

	memset(ram, 0, sizeof(ram));
	/* ASID and CnP around the base address. */
	fake_set(upper ? "TTBR1_EL12" : "TTBR0_EL12", 0xabcd000000000001UL | table);
	for (int level = first; level < bad_level; level++) {
		u64 next = level + 1 == bad_level ? NOWHERE : RAM + (u64)(level + 1) * PIECE;

		/* A table descriptor with hierarchical attributes and ignored bits set. */
		ram[(table - RAM) / 8 + index_of(g, level, va_bits, va)] =
			next | 0x7ff0000000000003UL | 0xa00;
		table = next;
	}
	return table + index_of(g, bad_level, va_bits, va) * 8;
}

static u64 seed = 7;

static u64 next_random(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 20 ^ seed << 33;
}

static void check_va(const struct granule *g, bool upper, u32 txsz, u64 va)
{
	u32 va_bits = 64 - txsz;

	va &= (1UL << va_bits) - 1;
	for (int level = start_level(g, va_bits); level < 4; level++) {
		u64 desc = build(g, upper, va_bits, va, level);
		u64 top = upper ? ~0UL << va_bits : 0;
		int got;

		set_tcr(g, upper, txsz);
		/* A tag in the top byte is ignored; bit 55 alone chooses the half. */
		got = s1walk_fault_level(&vcpu,
					 (va_t){ ((va | top) & ~(0xffUL << 56)) | 0x5aUL << 56 },
					 desc & ~0xfffUL);
		if (got != level)
			fail_msg("%s, TTBR%d, T%dSZ %u, va %#lx: level %d, want %d", g->name, upper,
				 upper, txsz, va, got, level);
	}
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vm.ram[0] = (struct vm_ram){ RAM, (u64)ram, sizeof(ram) };
	vm.ram_chunks = 1;
	reads = 0;
	return 0;
}

static void all_shapes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(granules); i++)
		for (u32 txsz = granules[i].sz_min; txsz <= granules[i].sz_max; txsz++)
			for (u32 n = 0; n < 3; n++) {
				check_va(&granules[i], false, txsz, next_random());
				check_va(&granules[i], true, txsz, next_random());
				check_va(&granules[i], n & 1, txsz, n ? ~0UL : 0);
			}
}

/* The guest changed the table meanwhile: whatever the walk finds, the answer is a level. */
static void not_a_table(void **state)
{
	static const u64 desc[] = { 0, 2, 0x40000701, 0xfffffffffffffffe };

	(void)state;
	set_tcr(&granules[0], false, 16);
	for (size_t i = 0; i < ARRAY_SIZE(desc); i++) {
		memset(ram, 0, sizeof(ram));
		fake_set("TTBR0_EL12", RAM);
		ram[0] = RAM + PIECE + 3;
		ram[PIECE / 8] = desc[i];
		assert_int_equal(s1walk_fault_level(&vcpu, (va_t){ 0x1000 }, NOWHERE), 1);
	}
}

/*
 * TCR_EL1 may hold any size by the time of the exit. With a table that points to itself everywhere,
 * the walk must end within its four reads, at a level that the fault status can express.
 */
static void any_tcr(void **state)
{
	(void)state;
	for (u64 txsz = 0; txsz < 64; txsz++)
		for (u64 tg = 0; tg < 4; tg++)
			for (u32 n = 0; n < 8; n++) {
				u64 at = n == 0 ? ~0UL : n == 1 ? 0 : next_random();
				int got;

				for (size_t i = 0; i < ARRAY_SIZE(ram); i++)
					ram[i] = RAM | 3;
				fake_set("TCR_EL12", txsz | tg << 14 | txsz << 16 | tg << 30);
				fake_set("TTBR0_EL12", RAM);
				fake_set("TTBR1_EL12", RAM);
				reads = 0;
				got = s1walk_fault_level(&vcpu, (va_t){ at }, NOWHERE);
				if (got < 0 || got > 3 || reads > 4)
					fail_msg(
						"TxSZ %lu, TG %lu, va %#lx: level %d, %u reads",
						txsz, tg, at, got, reads);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_shapes, setup),
		cmocka_unit_test_setup(not_a_table, setup),
		cmocka_unit_test_setup(any_tcr, setup),
	};

	return cmocka_run_group_tests_name("s1walk", tests, NULL, NULL);
}
