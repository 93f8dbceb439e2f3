/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration space as a guest finds it: bit by bit against a list of what can be written, and
 * what of it reaches the device and stage 2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "dev/pci.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "nested/tlbi.h"
#include "state/vm.h"
#include "vm/vpci.h"

#define ARENA MIB(64)
#define ECAM 0x4010000000UL
#define DEVFN 0x28

/* stage1.c needs the image's own symbols. */
int stage1_map_device(u64 at, u64 size)
{
	(void)at;
	(void)size;
	return 0;
}

static u64 arena;
static struct vm vm;
static struct vcpu vcpu;
static u32 shadows_emptied;

void tlbi_all(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	shadows_emptied++;
}
static struct vpci pci;
static struct pci_host host;
static struct pci_fn dev[2];
static u32 real[2][64]; /* the devices' own configuration space */
static u32 written;     /* of it: other words than the command were */

static u64 config_space(u64 at, unsigned size, bool write, u64 v)
{
	u64 offset = at - ECAM, n = (offset >> 12) - DEVFN;
	u32 *word = &real[n][(offset & 0xfff) / 4];

	assert_true(n < 2 && size == 4 && (offset & 0xfff) < 256);
	if (!write)
		return *word;
	/* The VM's BARs are none of the device's business, nor its capabilities. */
	if ((offset & 0xfff) != 4)
		written++;
	*word = (*word & 0xffff0000) | (v & 0xffff); /* the status is not written */
	return 0;
}

/* The shape of a virtio device, with what VMs are not to have in between. */
static void make_device(u32 i)
{
	u32 *c = real[i];

	memset(c, 0, sizeof(real[i]));
	c[0] = 0x10421af4;
	c[1] = 0x00100007;      /* capabilities; as firmware left it */
	c[2] = 0x01000001;
	c[3] = 0x00800010;      /* multi-function */
	c[0x2c / 4] = 0x11001af4;
	c[0x30 / 4] = 0xfff00001; /* a ROM */
	c[0x34 / 4] = 0x40;
	c[0x3c / 4] = 0x00000105;
	c[0x40 / 4] = 0xfa035001; /* PM, D1, D2, PME -> 50 */
	c[0x44 / 4] = 0x00000100;
	c[0x50 / 4] = 0x00805c05; /* MSI -> 5c */
	c[0x54 / 4] = 0xfee00000;
	c[0x5c / 4] = 0x80026811; /* MSI-X -> 68 */
	c[0x60 / 4] = 0x00000001;
	c[0x68 / 4] = 0x01107809; /* virtio common configuration -> 78 */
	c[0x6c / 4] = 0x00000004;
	c[0x70 / 4] = 0x00001000;
	c[0x74 / 4] = 0x00000800;
	c[0x78 / 4] = 0x05148c09; /* virtio's access by configuration space -> 8c */
	c[0x88 / 4] = 0x12345678;
	c[0x8c / 4] = 0x0002c810; /* PCI Express -> c8 */
	c[0x90 / 4] = 0x10008000; /* FLR */
	c[0x94 / 4] = 0x0000281f;
	c[0xc8 / 4] = 0x00000003; /* VPD, the end */
	dev[i] = (struct pci_fn){
		.host = &host,
		.devfn = (u8)(DEVFN + i),
		.id = c[0],
		.class = c[2] >> 8,
		.intid = 36,
		.bar = { [0] = { .pa = 0x20000000 + i * MIB(16), .size = MIB(1), .pci = 1 },
			 [1] = { .pa = 0x21000000 + i * MIB(16), .size = 256, .pci = 1 },
			 [4] = { .pa = 0x8000000000 + i * MIB(16),
				 .size = 16384,
				 .pci = 1,
				 .flags = 0xc } },
	};
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	feat.pa_bits = 44;
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	memset(&vm, 0, sizeof(vm));
	memset(&pci, 0, sizeof(pci));
	host = (struct pci_host){ .ecam = ECAM };
	fake_mmio_reset();
	fake_mmio_add(ECAM, MIB(1), config_space);
	assert_int_equal(stage2_init(&vm.stage2, 40, PAGE_SIZE), 0);
	vm.pci = &pci;
	vcpu.vm = &vm;
	pci.count = 2;
	pci.wide_end = BIT(40);
	for (u32 i = 0; i < 2; i++) {
		make_device(i);
		pci.fn[i].dev = &dev[i];
		vpci_snapshot(&pci.fn[i]);
		vpci_fn_reset(&vm, &pci.fn[i]);
	}
	written = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	stage2_destroy(&vm.stage2);
	return 0;
}

static u64 access(u64 offset, u8 size, bool write, u64 v)
{
	struct mmio m = { .offset = offset, .data = v, .size = size, .write = write };

	assert_true(vpci_access(&vcpu, &pci, &m));
	return m.data;
}

static u32 get(u32 reg)
{
	return (u32)access(0x8000 + reg, 4, false, 0);
}

static void put(u32 reg, u32 v)
{
	access(0x8000 + reg, 4, true, v);
}

static void absent(void **state)
{
	(void)state;
	for (u64 devfn = 0; devfn < 256; devfn++) {
		bool there = devfn == 8 || devfn == 16;

		assert_int_equal(access(devfn << 12, 4, false, 0), there ? 0x10421af4 : 0xffffffff);
		assert_int_equal(access(devfn << 12, 1, false, 0), there ? 0xf4 : 0xff);
		assert_true(access(devfn << 12, 8, false, 0) == ~0UL);
		assert_int_equal(access((devfn << 12) + 1, 4, false, 0), 0xffffffff);
		assert_int_equal(access((devfn << 12) + 0x100, 4, false, 0),
				 there ? 0 : 0xffffffff);
		access(devfn << 12, 8, true, 0);
		access((devfn << 12) + 0xffe, 4, true, 0);
	}
}

/* The list has power management, virtio's structure and PCI Express, and each is as it should. */
static void capabilities(void **state)
{
	u32 at = get(0x34), seen = 0;

	(void)state;
	assert_int_equal(get(4) >> 16 & 0x10, 0x10);
	for (u32 n = 0; at && n < 10; n++) {
		u32 v = get(at);

		seen = seen << 8 | (v & 0xff);
		at = v >> 8 & 0xff;
	}
	assert_int_equal(seen, 0x010910);
	assert_int_equal(get(0x40) >> 16, 0x0003); /* version alone */
	assert_int_equal(get(0x44), 8);
	assert_int_equal(get(0x70), 0x1000);
	assert_int_equal(get(0x90), 0x8000); /* no FLR */
	assert_int_equal(get(0x94), 0x281f);
	assert_int_equal(get(0xc) >> 16, 0); /* one function */
	assert_int_equal(get(0x3c) & 0xffff, 0x100);
	/* Not a word of what is hidden. */
	assert_int_equal(get(0x30) | get(0x50) | get(0x54) | get(0x5c) | get(0x60) | get(0x78) |
				 get(0x88) | get(0xc8),
			 0);
	/* A list in circles has an end. */
	real[0][0xc8 / 4] = 0x00004003;
	vpci_snapshot(&pci.fn[0]);
	vpci_fn_reset(&vm, &pci.fn[0]);
	assert_int_equal(get(0x8c) >> 8 & 0xff, 0);
}

/* The bits of each word that a guest can change. */
static u32 can_change(u32 word)
{
	switch (4 * word) {
	case 0x04:
		return 0x546; /* memory, master, parity, SERR, no INTx */
	case 0x0c:
		return 0xff;
	case 0x10:
		return 0xfff00000;
	case 0x14:
		return 0xfffff000; /* no less than a page */
	case 0x20:
		return 0xffffc000;
	case 0x24:
		return 0xffffffff;
	case 0x3c:
		return 0xff;
	case 0x44:
		return 3;
	}
	return 0;
}

static void bit_by_bit(void **state)
{
	u32 want[64], seed = 1;

	(void)state;
	for (u32 i = 0; i < 64; i++)
		want[i] = get(4 * i);
	for (u32 n = 0; n < 200000; n++) {
		u32 reg, size, shift, mask, v;

		seed = seed * 1664525 + 1013904223;
		size = 1u << (seed >> 8) % 3;
		reg = (seed >> 12) % 256 / size * size;
		v = seed * 2654435761u;
		shift = 8 * (reg % 4);
		mask = (u32)((1UL << 8 * size) - 1) << shift & can_change(reg / 4);
		access(0x8000 + reg, (u8)size, true, v & (u32)((1UL << 8 * size) - 1));
		want[reg / 4] = (want[reg / 4] & ~mask) | (v << shift & mask);
		if (get(reg / 4 * 4) != want[reg / 4])
			fail_msg("word 0x%x is 0x%x, expected 0x%x", reg / 4 * 4,
				 get(reg / 4 * 4), want[reg / 4]);
		assert_int_equal(access(0x8000 + reg, (u8)size, false, 0),
				 want[reg / 4] >> shift & ((1UL << 8 * size) - 1));
		/* The device sees of it: decode, always; master and INTx disable. */
		if (real[0][1] != 0x00100007)
			assert_int_equal(real[0][1] & 0xffff, 2 | (want[1] & 0x404));
	}
	assert_int_equal(written, 0);
	assert_int_equal(real[1][1], 0x00100007);
}

static u64 mapped(u64 at)
{
	struct pgtable_leaf leaf;

	return stage2_lookup(&vm.stage2, ipa(at), &leaf) ? leaf.oa : 0;
}

/* What L1 had given to its guest of a BAR that is somewhere else now, or nowhere. */
static void bars_of_a_hypervisor(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		setup(NULL);
		vcpu.has_vel2 = i;
		shadows_emptied = 0;
		put(0x10, 0x30000000);
		put(4, 2);
		put(4, 0x402); /* INTx disabled */
		assert_int_equal(shadows_emptied, 0);
		put(0x10, 0x38000000);
		assert_int_equal(shadows_emptied, i);
		put(4, 0);
		assert_int_equal(shadows_emptied, 2 * i);
		stage2_destroy(&vm.stage2);
	}
	vcpu.has_vel2 = false;
	setup(NULL);
}

static void bars(void **state)
{
	(void)state;
	put(0x10, 0x30000000);
	put(0x14, 0x30100000);
	put(0x20, 0x00400000);
	put(0x24, 0x90);
	assert_int_equal(mapped(0x30000000), 0);
	put(4, 2);
	assert_int_equal(mapped(0x30000000), 0x20000000);
	assert_int_equal(mapped(0x300fffff), 0x200fffff);
	assert_int_equal(mapped(0x30100000), 0x21000000);
	assert_int_equal(mapped(0x30101000), 0);
	assert_true(mapped(0x9000400000) == 0x8000000000);
	/* Moved with decode on: what was there is gone. */
	put(0x10, 0x38000000);
	assert_int_equal(mapped(0x30000000), 0);
	assert_int_equal(mapped(0x38000000), 0x20000000);
	/* Half of an address is an address too, if one that nothing can have. */
	put(0x24, 0);
	assert_true(mapped(0x9000400000) == 0);
	put(0x24, 0x90);
	assert_true(mapped(0x9000400000) == 0x8000000000);
	put(4, 4);
	assert_int_equal(mapped(0x38000000) | mapped(0x30100000), 0);
	assert_int_equal(real[0][1] & 0xffff, 6);
	/* A reset of the VM ends all that. */
	put(4, 2);
	assert_int_equal(mapped(0x38000000), 0x20000000);
	vpci_fn_reset(&vm, &pci.fn[0]);
	assert_int_equal(mapped(0x38000000), 0);
	assert_int_equal(get(0x10), 0);
	assert_int_equal(get(0x20), 0xc);
}

/* Where a BAR can't be, it is not, and what is there stays. */
static void bars_elsewhere(void **state)
{
	static const u64 places[] = { 0,	  0x08000000, 0x09000000,   0x3f000000,
				      0x3eff0000, 0x40000000, 0x7f00000000, 0x10000000000 };

	(void)state;
	assert_int_equal(stage2_map(&vm.stage2, ipa(0x40000000), pa(0x50000000), MIB(1),
				    STAGE2_RAM),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		u64 before = mapped(places[i]);

		put(4, 0);
		put(0x10, (u32)places[i]);
		put(0x20, (u32)places[i]);
		put(0x24, (u32)(places[i] >> 32));
		put(4, 2);
		assert_int_equal(mapped(places[i]), before);
	}
	/* Over another BAR: the first stands; when it goes the other does not come by itself. */
	put(4, 0);
	put(0x10, 0x30000000);
	put(4, 2);
	access(0x10000 + 0x10, 4, true, 0x30000000);
	access(0x10000 + 0x14, 4, true, 0x30000000);
	access(0x10000 + 4, 2, true, 2);
	assert_int_equal(mapped(0x30000000), 0x20000000);
	put(4, 0);
	assert_int_equal(mapped(0x30000000), 0);
	access(0x10000 + 4, 2, true, 0);
	access(0x10000 + 4, 2, true, 2);
	assert_int_equal(mapped(0x30000000), 0x21000000);
}

static void intx_status(void **state)
{
	(void)state;
	real[0][1] |= 1u << 19;
	assert_int_equal(get(4) >> 19 & 1, 1);
	assert_int_equal(access(0x8006, 1, false, 0), 0x18);
	dev[0].intid = 0;
	assert_int_equal(get(4) >> 19 & 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(absent, setup, teardown),
		cmocka_unit_test_setup_teardown(capabilities, setup, teardown),
		cmocka_unit_test_setup_teardown(bit_by_bit, setup, teardown),
		cmocka_unit_test_setup_teardown(bars, setup, teardown),
		cmocka_unit_test_setup_teardown(bars_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(bars_of_a_hypervisor, NULL, teardown),
		cmocka_unit_test_setup_teardown(intx_status, setup, teardown),
	};

	return cmocka_run_group_tests_name("vpci", tests, NULL, NULL);
}
