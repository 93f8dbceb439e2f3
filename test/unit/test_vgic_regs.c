/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every register of the emulated distributor and redistributors at every access size: what it reads
 * after reset, which bits can be written, and that nothing else has an effect. The expectations are
 * IHI0069's for one Security state without LPIs, in a table of their own; where that leaves a
 * choice, QEMU's bare machine decides.
 */
#include "gic_model.h"

#define SGI_BASE (GICR_AT + GICR_SGI)
#define INTIDS 288u

static int up(void **state)
{
	(void)state;
	memset(&config, 0, sizeof(config));
	vm_up(2, 4);
	load(&vcpu[0], 0);
	load(&vcpu[1], 1);
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	return 0;
}

/*
 * Registers that are neither reserved nor RAZ/WI: a word at [from, to), and the value that reads
 * back after ones were written.
 */
struct known {
	u32 from, to;
	u32 reset;  /* value after reset */
	u32 ones;   /* value after writing all ones */
	bool bytes; /* can be accessed by bytes */
};

static const struct known dist_known[] = {
	{ 0x0000, 0x0004, 0x50, 0x53, false }, /* CTLR: DS, ARE; EnableGrp1, EnableGrp0 */
	{ 0x0004, 0x0008, 0x01480008, 0x01480008, false }, /* TYPER: A3V, 10 ID bits, 288 INTIDs */
	{ 0x0008, 0x000c, 0x4e000000, 0x4e000000, false }, /* IIDR */
	{ 0x0084, 0x00a4, 0, ~0u, false },                 /* IGROUPR1-8 */
	{ 0x0104, 0x0124, 0, ~0u, false },                 /* ISENABLER */
	{ 0x0184, 0x01a4, 0, 0, false },                   /* ICENABLER */
	{ 0x0204, 0x0224, 0, ~0u, false },                 /* ISPENDR */
	{ 0x0284, 0x02a4, 0, 0, false },                   /* ICPENDR */
	{ 0x0304, 0x0324, 0, ~0u, false },                 /* ISACTIVER */
	{ 0x0384, 0x03a4, 0, 0, false },                   /* ICACTIVER */
	{ 0x0420, 0x0520, 0, 0xf8f8f8f8, true },           /* IPRIORITYR: 5 bits */
	{ 0x0c08, 0x0c48, 0, 0xaaaaaaaa, false },          /* ICFGR2-17 */
	{ 0xffe0, 0xffe4, 0x4e, 0x4e, false },             /* PIDR0 */
	{ 0xffe8, 0xffec, 0x30, 0x30, false },             /* PIDR2: GICv3 */
	{ 0xfff0, 0xfff4, 0x0d, 0x0d, false },             /* CIDR0-3 */
	{ 0xfff4, 0xfff8, 0xf0, 0xf0, false },
	{ 0xfff8, 0xfffc, 0x05, 0x05, false },
	{ 0xfffc, 0x10000, 0xb1, 0xb1, false },
};

static const struct known redist_known[] = {
	{ 0x00004, 0x00008, 0x4e000000, 0x4e000000, false }, /* IIDR */
	{ 0x00008, 0x0000c, 0, 0, false },                   /* TYPER of vcpu 0: low half */
	{ 0x00014, 0x00018, 6, 6, false },                   /* WAKER */
	{ 0x0ffe0, 0x0ffe4, 0x4e, 0x4e, false },
	{ 0x0ffe8, 0x0ffec, 0x30, 0x30, false },
	{ 0x0fff0, 0x0fff4, 0x0d, 0x0d, false },
	{ 0x0fff4, 0x0fff8, 0xf0, 0xf0, false },
	{ 0x0fff8, 0x0fffc, 0x05, 0x05, false },
	{ 0x0fffc, 0x10000, 0xb1, 0xb1, false },
	{ 0x10080, 0x10084, 0, ~0u, false }, /* IGROUPR0 */
	{ 0x10100, 0x10104, 0, ~0u, false },
	{ 0x10180, 0x10184, 0, 0, false },
	{ 0x10200, 0x10204, 0, ~0u, false },
	{ 0x10280, 0x10284, 0, 0, false },
	{ 0x10300, 0x10304, 0, ~0u, false },
	{ 0x10380, 0x10384, 0, 0, false },
	{ 0x10400, 0x10420, 0, 0xf8f8f8f8, true },
	{ 0x10c00, 0x10c04, 0xaaaaaaaa, 0xaaaaaaaa, false }, /* ICFGR0: SGIs, read-only */
	{ 0x10c04, 0x10c08, 0, 0xaaaaaaaa, false },          /* ICFGR1 */
};

static const struct known reserved = { 0, 0, 0, 0, false };

static const struct known *lookup(const struct known *k, size_t n, u32 offset)
{
	for (size_t i = 0; i < n; i++)
		if (offset >= k[i].from && offset < k[i].to)
			return &k[i];
	return &reserved;
}

static void same(u32 offset, u32 size, const char *what, u64 got, u64 want)
{
	if (got == want)
		return;
	fprintf(stderr, "offset %#x, %u bytes, %s: %#lx, expected %#lx\n", offset, size, what,
		(unsigned long)got, (unsigned long)want);
	fail();
}

static bool is_router(u32 offset)
{
	return offset >= 0x6000 + 8 * 32 && offset < 0x6000 + 8 * INTIDS;
}

/*
 * After reset, then after ones were written, one register at a time; now and then a VM reset
 * restores all.
 */
static void sweep(u64 base, u32 from, u32 to, const struct known *k, size_t n, bool dist)
{
	for (u32 offset = from; offset < to; offset += 4) {
		const struct known *r = lookup(k, n, offset);

		if (dist && is_router(offset))
			continue;
		same(offset, 4, "after reset", rd(&vcpu[0], base + offset, 4), r->reset);
		/* Sizes that a register does not support: RAZ/WI. */
		if (!(offset == GICR_TYPER && !dist))
			same(offset, 8, "read", offset % 8 ? 0 : rd(&vcpu[0], base + offset, 8), 0);
		same(offset, 2, "read", rd(&vcpu[0], base + offset, 2), 0);
		if (!r->bytes)
			same(offset, 1, "read", rd(&vcpu[0], base + offset, 1), 0);
		if (offset % 8 == 0)
			wr(&vcpu[0], base + offset, 8, ~0UL);
		wr(&vcpu[0], base + offset, 2, 0xffff);
		if (!r->bytes)
			wr(&vcpu[0], base + offset, 1, 0xff);
		same(offset, 4, "after writes of other sizes", rd(&vcpu[0], base + offset, 4),
		     r->reset);
		wr(&vcpu[0], base + offset, 4, 0xffffffff);
		same(offset, 4, "after writing ones", rd(&vcpu[0], base + offset, 4), r->ones);
		enter(&vcpu[0]);
	}
}

static void put_all(void)
{
	put(&vcpu[0]);
	put(&vcpu[1]);
	vgic_vm_reset(&vm);
	load(&vcpu[0], 0);
	load(&vcpu[1], 1);
}

static void distributor(void **state)
{
	(void)state;
	/* In pieces: enabling and setting pending in one pass would affect each other. */
	for (u32 from = 0; from < 0x400; from += 0x80) {
		sweep(GICD_AT, from, from + 0x80, dist_known, ARRAY_SIZE(dist_known), true);
		put_all();
	}
	sweep(GICD_AT, 0x400, 0x10000, dist_known, ARRAY_SIZE(dist_known), true);
}

static void redistributor(void **state)
{
	(void)state;
	sweep(GICR_AT, 0, 0x10080, redist_known, ARRAY_SIZE(redist_known), false);
	for (u32 from = 0x10080; from < 0x10400; from += 0x80) {
		sweep(GICR_AT, from, from + 0x80, redist_known, ARRAY_SIZE(redist_known), false);
		put_all();
	}
	sweep(GICR_AT, 0x10400, 0x20000, redist_known, ARRAY_SIZE(redist_known), false);
}

static void unaligned_accesses_abort(void **state)
{
	(void)state;
	for (u32 size = 2; size <= 8; size *= 2)
		for (u32 offset = 0x400; offset < 0x420; offset++)
			for (int write = 0; write < 2; write++) {
				struct mmio m = { .size = (u8)size, .write = write };

				assert_int_equal(access(&vcpu[0], GICD_AT + offset, &m),
						 offset % size == 0);
				assert_int_equal(access(&vcpu[0], GICR_AT + offset, &m),
						 offset % size == 0);
			}
}

static void bitmaps_set_and_clear(void **state)
{
	static const u32 pairs[][2] = { { GICD_ISENABLER, GICD_ICENABLER },
					{ GICD_ISPENDR, GICD_ICPENDR },
					{ GICD_ISACTIVER, GICD_ICACTIVER } };

	(void)state;
	for (u32 i = 0; i < 3; i++)
		for (u32 at = 0; at < 2; at++) {
			u64 set = (at ? GICD_AT + 4 : SGI_BASE) + pairs[i][0];
			u64 clear = (at ? GICD_AT + 4 : SGI_BASE) + pairs[i][1];

			wr(&vcpu[0], set, 4, 0x12345678);
			wr(&vcpu[0], set, 4, 0);
			wr(&vcpu[0], clear, 4, 0);
			assert_int_equal(rd(&vcpu[0], set, 4), 0x12345678);
			assert_int_equal(rd(&vcpu[0], clear, 4), 0x12345678);
			wr(&vcpu[0], clear, 4, 0xff);
			assert_int_equal(rd(&vcpu[0], set, 4), 0x12345600);
			wr(&vcpu[0], set, 4, 0x81);
			assert_int_equal(rd(&vcpu[0], clear, 4), 0x12345681);
			wr(&vcpu[0], clear, 4, ~0u);
			assert_int_equal(rd(&vcpu[0], set, 4), 0);
			/* The other vcpu's registers are its own. */
			if (!at)
				assert_int_equal(rd(&vcpu[0], set + GICR_SIZE, 4), 0);
		}
}

static void priorities_by_byte(void **state)
{
	(void)state;
	for (u32 at = 0; at < 2; at++) {
		u64 base = (at ? GICD_AT + 32 : SGI_BASE) + GICD_IPRIORITYR;

		wr(&vcpu[0], base + 8, 4, 0x44332211);
		assert_int_equal(rd(&vcpu[0], base + 8, 4), 0x44332211 & 0xf8f8f8f8);
		wr(&vcpu[0], base + 10, 1, 0xff);
		assert_int_equal(rd(&vcpu[0], base + 8, 4), 0x40f82010);
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(rd(&vcpu[0], base + 8 + i, 1), 0x40f82010 >> 8 * i & 0xff);
		assert_int_equal(rd(&vcpu[0], base + 4, 4), 0);
		assert_int_equal(rd(&vcpu[0], base + 12, 4), 0);
	}
}

static void configuration(void **state)
{
	(void)state;
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, 0x80000002);
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 12, 4, 0x40000008 | 0x55555555);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4), 0x80000002);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_ICFGR + 12, 4), 8);
	wr(&vcpu[0], SGI_BASE + GICD_ICFGR, 4, 0);
	assert_int_equal(rd(&vcpu[0], SGI_BASE + GICD_ICFGR, 4), 0xaaaaaaaa);
	wr(&vcpu[0], SGI_BASE + GICD_ICFGR + 4, 4, 0x88);
	assert_int_equal(rd(&vcpu[0], SGI_BASE + GICD_ICFGR + 4, 4), 0x88);
}

static void routers(void **state)
{
	u64 at = GICD_AT + GICD_IROUTER + 8 * 100;

	(void)state;
	wr(&vcpu[0], at, 8, ~0UL);
	assert_int_equal(rd(&vcpu[0], at, 8), 0xff80ffffff);
	assert_int_equal(rd(&vcpu[0], at, 4), 0x80ffffff);
	assert_int_equal(rd(&vcpu[0], at + 4, 4), 0xff);
	wr(&vcpu[0], at, 4, 0x00010203);
	assert_int_equal(rd(&vcpu[0], at, 8), 0xff00010203);
	wr(&vcpu[0], at + 4, 4, 5);
	assert_int_equal(rd(&vcpu[0], at, 8), 0x0500010203);
	wr(&vcpu[0], at, 2, 0xffff);
	wr(&vcpu[0], at, 1, 0xff);
	assert_int_equal(rd(&vcpu[0], at, 8), 0x0500010203);
	assert_int_equal(rd(&vcpu[0], at - 8, 8), 0);
	/* Private and absent interrupts have none. */
	for (u32 n = 0; n < 1020; n = n == 31 ? INTIDS : n + 1) {
		wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * n, 8, ~0UL);
		assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * n, 8), 0);
	}
}

static void redistributor_identity(void **state)
{
	(void)state;
	vcpu[1].vmpidr = BIT(31) | 0x0700030201;
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_TYPER, 8), 0);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_TYPER, 8), 0x0703020100000110);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_TYPER, 4), 0x110);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_TYPER + 4, 4), 0x07030201);
	wr(&vcpu[0], GICR_AT + GICR_SIZE + GICR_WAKER, 4, 0);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_WAKER, 4), 0);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_WAKER, 4), 6);
	wr(&vcpu[0], GICR_AT + GICR_SIZE + GICR_WAKER, 4, 2);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_WAKER, 4), 6);
}

static void as_many_spis_as_devices_need(void **state)
{
	(void)state;
	vm_down();
	config.pass_count = 1;
	config.pass[0].intid_count = 2;
	config.pass[0].intid[1] = 300;
	vm_up(1, 4);
	load(&vcpu[0], 0);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_TYPER, 4) & 31, 9);
	assert_int_equal(vgic_assign_spi(&vm, 319, 319, true), 0);
	assert_int_equal(vgic_assign_spi(&vm, 320, 320, true), -EINVAL);
	vm_down();
	config.pass[0].intid[1] = 1019;
	vm_up(1, 4);
	load(&vcpu[0], 0);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_TYPER, 4) & 31, 31);
	wr(&vcpu[0], GICD_AT + GICD_ISENABLER + 124, 4, ~0u);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_ISENABLER + 124, 4), 0x0fffffff);
	wr(&vcpu[0], GICD_AT + GICD_IPRIORITYR + 1020, 4, ~0u);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_IPRIORITYR + 1020, 4), 0);
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_IPRIORITYR + 1016, 4), 0);
	vgic_set_spi(&vm, 1019, true);
	vgic_set_spi(&vm, 1020, true);
	vgic_set_spi(&vm, 5000, true);
	memset(&config, 0, sizeof(config));
}

/*
 * Any access, at any size, from both vcpus, between entries: no storm, no invalid list register, no
 * sanitizer report.
 */
static void rubbish_does_no_harm(void **state)
{
	u64 x = 88172645463325252;

	(void)state;
	for (u32 i = 0; i < 100000; i++) {
		struct mmio m = { 0 };
		struct vcpu *v;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = &vcpu[x & 1];
		m.size = (u8)(1 << (x >> 1 & 3));
		m.write = x >> 3 & 3;
		m.data = x * 0x9e3779b97f4a7c15;
		if (m.size < 8)
			m.data &= (1UL << m.size * 8) - 1;
		fake_cpu = cpu_of(v);
		/* Mostly where a register is. */
		access(v,
		       (x >> 8 & 1
				? GICD_AT
				: GICR_AT + (x >> 9 & 1) * GICR_SIZE + (x >> 10 & 1) * GICR_SGI) +
			       ((x >> 12) & (x >> 11 & 1 ? 0xfff : 0xffff)),
		       &m);
		if (!(x >> 40 & 7))
			vgic_sgi(v, m.data, x >> 43 & 1);
		if (!(x >> 44 & 15))
			vgic_dir(v, m.data);
		if (!(x >> 48 & 3)) {
			enter(v);
			lr_unique();
			/* The guest may write anything to its CPU interface too. */
			if (x >> 50 & 1)
				fake_set("ICH_VMCR_EL2", m.data & 0xfffc021b);
			if (x >> 51 & 1)
				hw_ack(x >> 52 & 1);
			if (x >> 53 & 1)
				hw_eoi((u32)m.data % 300, x >> 54 & 1);
			vgic_interrupt_pending(v);
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(distributor),
		T(redistributor),
		T(unaligned_accesses_abort),
		T(bitmaps_set_and_clear),
		T(priorities_by_byte),
		T(configuration),
		T(routers),
		T(redistributor_identity),
		T(as_many_spis_as_devices_need),
		T(rubbish_does_no_harm),
	};

	return cmocka_run_group_tests_name("vgic: registers", tests, NULL, NULL);
}
