/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's table of emulated devices: which one gets an access, overlaps, borders, byte order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "exit/mmio.h"
#include "state/vcpu.h"
#include "state/vm.h"

static struct vm vm;
static struct vcpu vcpu;

/* The device's last access, and its answer. */
static struct mmio got;
static void *got_dev;
static unsigned calls;
static u64 answer;
static bool fine;

static bool device(struct vcpu *v, void *dev, struct mmio *m)
{
	assert_ptr_equal(v, &vcpu);
	got = *m;
	got_dev = dev;
	calls++;
	if (!m->write)
		m->data = answer;
	return fine;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vcpu.pstate = 5;
	calls = 0;
	fine = true;
	return 0;
}

static void add_and_overlap(void **state)
{
	static const struct {
		u64 base, size;
		int want;
	} rows[] = {
		{ 0x8000000, 0x10000, 0 },       { 0x8010000, 0x1000, 0 },
		{ 0x8000000, 0x10000, -EEXIST }, { 0x8000fff, 1, -EEXIST },
		{ 0x7fff000, 0x1001, -EEXIST },  { 0x7fff000, 0x1000, 0 },
		{ 0x8010fff, 0x10000, -EEXIST }, { 0, 0x100000000, -EEXIST },
		{ 0x8011000, 0x1000, 0 },        { 0x8011800, 8, -EEXIST },
		{ 0xfffffffff000, 0x1000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 count = vm.mmio.count;
		int err = mmio_add(&vm.mmio, rows[i].base, rows[i].size, device, NULL);

		if (err != rows[i].want || vm.mmio.count != count + !err)
			fail_msg("row %zu: %d, want %d, %u devices", i, err, rows[i].want,
				 vm.mmio.count);
	}
}

static void table_full(void **state)
{
	(void)state;
	for (u64 i = 0; i < MMIO_REGIONS; i++)
		assert_int_equal(mmio_add(&vm.mmio, i << 16, 0x1000, device, NULL), 0);
	assert_int_equal(mmio_add(&vm.mmio, 1UL << 40, 0x1000, device, NULL), -ENOSPC);
	assert_int_equal(vm.mmio.count, MMIO_REGIONS);
}

/* Each access of each size at each byte around two neighbours, against containment restated. */
static void routing(void **state)
{
	static const struct {
		u64 base, size;
	} dev[] = { { 0x9000000, 0x20 }, { 0x9000020, 0x10 }, { 0x9000100, 0x8 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dev); i++)
		assert_int_equal(
			mmio_add(&vm.mmio, dev[i].base, dev[i].size, device, (void *)&dev[i]), 0);
	for (u64 at = 0x8fffff0; at < 0x9000120; at++)
		for (u8 size = 1; size <= 8; size *= 2) {
			struct mmio m = { .size = size, .write = at & 1, .data = 0xa5 };
			const void *owner = NULL;
			u64 offset = 0;
			bool ok;

			for (size_t i = 0; i < ARRAY_SIZE(dev); i++)
				if (at >= dev[i].base && at + size <= dev[i].base + dev[i].size) {
					owner = &dev[i];
					offset = at - dev[i].base;
				}
			calls = 0;
			ok = mmio_access(&vcpu, (ipa_t){ at }, &m);
			if (ok != !!owner || calls != !!owner)
				fail_msg("%u bytes at %#lx: %s", size, at,
					 ok ? "answered" : "nobody there");
			if (owner && (got_dev != owner || got.offset != offset ||
				      got.size != size || got.write != (at & 1)))
				fail_msg("%u bytes at %#lx: offset %#lx", size, at, got.offset);
		}
}

static void far_ends(void **state)
{
	struct mmio m = { .size = 8 };

	(void)state;
	assert_int_equal(mmio_add(&vm.mmio, 0x9000000, 0x1000, device, NULL), 0);
	assert_false(mmio_access(&vcpu, (ipa_t){ ~0UL }, &m));
	assert_false(mmio_access(&vcpu, (ipa_t){ 0 }, &m));
	assert_false(mmio_access(&vcpu, (ipa_t){ ~0UL - 7 }, &m));
	assert_int_equal(calls, 0);
}

static void device_refuses(void **state)
{
	struct mmio m = { .size = 4 };

	(void)state;
	assert_int_equal(mmio_add(&vm.mmio, 0x9000000, 0x1000, device, NULL), 0);
	fine = false;
	assert_false(mmio_access(&vcpu, (ipa_t){ 0x9000000 }, &m));
	assert_int_equal(calls, 1);
}

/*
 * A guest that runs big-endian (SCTLR_EL1.EE at EL1, E0E at EL0, CPSR.E in AArch32) accesses the
 * same device register with its bytes reversed.
 */
static void byte_order(void **state)
{
	static const struct {
		u64 pstate, sctlr;
		bool big;
	} rows[] = {
		{ 0x5, 0, false },          { 0x5, 1UL << 25, true },  { 0x5, 1UL << 24, false },
		{ 0x4, 1UL << 25, true },   { 0x0, 1UL << 25, false }, { 0x0, 1UL << 24, true },
		{ 0x10, 3UL << 24, false }, { 0x210, 0, true },
	};
	static const u64 bytes = 0x8877665544332211UL;
	static const u64 reversed[9] = {
		[1] = 0x11, [2] = 0x1122, [4] = 0x11223344, [8] = 0x1122334455667788
	};

	(void)state;
	assert_int_equal(mmio_add(&vm.mmio, 0x9000000, 0x1000, device, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (u8 size = 1; size <= 8; size *= 2) {
			u64 plain = size == 8 ? bytes : bytes & ((1UL << 8 * size) - 1);
			u64 want = rows[i].big ? reversed[size] : plain;
			struct mmio w = { .size = size, .write = true, .data = plain };
			struct mmio r = { .size = size };

			vcpu.pstate = rows[i].pstate;
			fake_set("SCTLR_EL12", rows[i].sctlr);
			assert_true(mmio_access(&vcpu, (ipa_t){ 0x9000008 }, &w));
			if (got.data != want)
				fail_msg("row %zu, write of %u: %#lx, want %#lx", i, size, got.data,
					 want);
			answer = plain;
			assert_true(mmio_access(&vcpu, (ipa_t){ 0x9000008 }, &r));
			if (r.data != want)
				fail_msg("row %zu, read of %u: %#lx, want %#lx", i, size, r.data,
					 want);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(add_and_overlap, setup),
		cmocka_unit_test_setup(table_full, setup),
		cmocka_unit_test_setup(routing, setup),
		cmocka_unit_test_setup(far_ends, setup),
		cmocka_unit_test_setup(device_refuses, setup),
		cmocka_unit_test_setup(byte_order, setup),
	};

	return cmocka_run_group_tests_name("mmio", tests, NULL, NULL);
}
