/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage 2 of L2s: faults of each kind at each level with each granule, paging on demand, MMIO
 * emulation.
 */
#include "hyp.h"

/* payload.S */
u64 l2_load64(u64 a, u64 b, u64 c);
u64 l2_store64(u64 a, u64 b, u64 c);
u64 l2_call_x0(u64 a, u64 b, u64 c);
u64 l2_nop(u64 a, u64 b, u64 c);
u64 l2_load_pair(u64 a, u64 b, u64 c);
u64 l2_store_pair(u64 a, u64 b, u64 c);
u64 l2_load_pair32(u64 a, u64 b, u64 c);
u64 l2_store_pair32(u64 a, u64 b, u64 c);

/* ISS of a faulting LDR X0 or STR X1: ISV, 64 bits, register. */
#define ISS_LOAD (1UL << 24 | 3UL << 22 | 1UL << 15)
#define ISS_STORE (ISS_LOAD | 1UL << 16 | 1UL << 6)
#define FSC_TRANSLATION 0x04
#define FSC_ACCESS 0x08
#define FSC_PERMISSION 0x0c
#define FSC_ALIGNMENT 0x21
#define S1PTW BIT(7)

struct granule {
	char name[4];
	u8 bits, start, ipa_bits, last_block;
};
/* The levels that have blocks: last_block..2 */
static const struct granule granules[] = {
	{ "4K", 12, 1, 39, 1 },
	{ "16K", 14, 2, 40, 2 },
	{ "64K", 16, 2, 40, 2 },
};

static bool granule_exists(const struct granule *g)
{
	u64 id = sysreg_read(ID_AA64MMFR0_EL1);

	switch (g->bits) {
	case 14:
		return FIELD(id, 35, 32) ? FIELD(id, 35, 32) >= 2 : FIELD(id, 23, 20) != 0;
	case 16:
		return FIELD(id, 39, 36) ? FIELD(id, 39, 36) >= 2 : FIELD(id, 27, 24) == 0;
	}
	return FIELD(id, 43, 40) != 1;
}

static u32 shift(const struct granule *g, u32 level)
{
	return g->bits + (3 - level) * (g->bits - 3u);
}

/* L2's next exit must be a fault with this syndrome at this address. */
static bool fault(struct l2 *l, u64 esr, u64 va, u64 ipa)
{
	if (!l2_expect(l, esr, "a stage-2 fault"))
		return false;
	expect_eq(l->far, va, "far");
	expect_eq(l->hpfar & MASK(43, 4), ipa >> 12 << 4, "hpfar");
	return !test_failed();
}

static void load_fault(struct l2 *l, u64 ipa, u32 fsc)
{
	l2_call(l, l2_load64, ipa + 8, 0, 0);
	fault(l, ESR_OF(EC_DABT_LOW, ISS_LOAD | fsc), ipa + 8, ipa);
}

static void store_fault(struct l2 *l, u64 ipa, u32 fsc)
{
	l2_call(l, l2_store64, ipa + 16, 1, 0);
	fault(l, ESR_OF(EC_DABT_LOW, ISS_STORE | fsc), ipa + 16, ipa);
}

static void fetch_fault(struct l2 *l, u64 ipa, u32 fsc)
{
	l2_call(l, l2_call_x0, ipa + 32, 0, 0);
	fault(l, ESR_OF(EC_IABT_LOW, fsc), ipa + 32, ipa);
}

static void put_code(u64 *page)
{
	u32 *p = (u32 *)page;
	u32 i;

	for (i = 0; i < 16; i++)
		p[i] = 0xd65f03c0; /* RET */
	dsb(ish);
	asm volatile("ic ialluis" ::: "memory");
	dsb(ish);
	isb();
}

/*
 * Permissions and access flag of a leaf at the level; ipa is its address, pa the start of what it
 * maps.
 */
static void leaf(struct l2 *l, const char *g, u32 level, u64 ipa, u64 pa, u64 page)
{
	u64 at = ipa + page;
	u64 *data = (u64 *)(pa + page);

	put_code(data);
	check_begin("stage2", "%s level %u leaf: read, write, execute", g, level);
	stage2_map(l, ipa, pa, level, S2_MEMORY);
	stage2_flush(l);
	data[3] = 0xabcdef;
	expect_eq(l2_run_fn(l, l2_load64, at + 24, 0, 0), 0xabcdef, "what L2 reads");
	l2_run_fn(l, l2_store64, at + 24, 0x12345, 0);
	expect_eq(data[3], 0x12345, "what L2 wrote");
	l2_run_fn(l, l2_call_x0, at + 32, 0, 0);
	check_begin("stage2", "%s level %u leaf: read-only", g, level);
	stage2_map(l, ipa, pa, level, S2_RO | S2_NORMAL | S2_AF);
	stage2_flush(l);
	store_fault(l, at, FSC_PERMISSION + level);
	expect_eq(data[2], 0xd65f03c0d65f03c0, "memory");
	check_begin("stage2", "%s level %u leaf: write-only", g, level);
	stage2_map(l, ipa, pa, level, S2_WO | S2_NORMAL | S2_AF);
	stage2_flush(l);
	load_fault(l, at, FSC_PERMISSION + level);
	check_begin("stage2", "%s level %u leaf: no access", g, level);
	stage2_map(l, ipa, pa, level, S2_NORMAL | S2_AF);
	stage2_flush(l);
	load_fault(l, at, FSC_PERMISSION + level);
	store_fault(l, at, FSC_PERMISSION + level);
	check_begin("stage2", "%s level %u leaf: execute never", g, level);
	stage2_map(l, ipa, pa, level, S2_MEMORY | S2_XN);
	stage2_flush(l);
	fetch_fault(l, at, FSC_PERMISSION + level);
	check_begin("stage2", "%s level %u leaf: access flag clear", g, level);
	stage2_map(l, ipa, pa, level, S2_RW | S2_NORMAL);
	stage2_flush(l);
	load_fault(l, at, FSC_ACCESS + level);
	store_fault(l, at, FSC_ACCESS + level);
	fetch_fault(l, at, FSC_ACCESS + level);
	*stage2_slot(l, ipa, level) = 0;
	stage2_flush(l);
}

static void translation(struct l2 *l, const struct granule *g)
{
	u32 level;

	/* Map one page, so that tables of every level exist. */
	stage2_map(l, L2_SPACE, (u64)pool_alloc(), 3, S2_MEMORY);
	stage2_flush(l);
	for (level = g->start; level <= 3; level++) {
		u64 ipa = L2_SPACE + (1UL << shift(g, level));

		check_begin("stage2", "%s nothing at level %u", g->name, level);
		load_fault(l, ipa, FSC_TRANSLATION + level);
		store_fault(l, ipa, FSC_TRANSLATION + level);
		fetch_fault(l, ipa, FSC_TRANSLATION + level);
		print("stage2: %s far 0x%lx hpfar 0x%lx esr 0x%lx\n", g->name, l->far, l->hpfar,
		      l->esr);
	}
}

/* L2 with a stage 1 whose table stage 2 does not map. */
static void walk_fault(struct l2 *l, const char *g)
{
	u64 table = L2_SPACE + 0x5000000UL, *copy = pool_alloc();

	memcpy(copy, mmu_table(), 4096);
	check_begin("stage2", "%s fault on L2's own table", g);
	l2_call(l, l2_nop, 77, 0, 0);
	l2_put();
	l->sys[L2_TTBR0] = table;
	stage2_flush(l);
	if (l2_run(l) != EXIT_SYNC || ESR_EC(l->esr) != EC_IABT_LOW) {
		test_fail("esr 0x%lx", l->esr);
		return;
	}
	expect_eq(l->esr & ~3UL, ESR_OF(EC_IABT_LOW, S1PTW | FSC_TRANSLATION),
		  "esr but for the level");
	expect_eq(l->far, l->elr, "far");
	expect_eq(l->hpfar & MASK(43, 4), table >> 12 << 4, "hpfar");
	print("stage2: %s on the walk: hpfar 0x%lx esr 0x%lx\n", g, l->hpfar, l->esr);
	stage2_map(l, table, (u64)copy, 3, S2_MEMORY);
	expect_eq(l2_finish(l), 77, "result");
}

/* Touch random pages of 40, n times; returns the sum of what was read. */
static u64 l2_touch(u64 n, u64 seed, u64 page)
{
	u64 sum = 0, i;

	for (i = 0; i < n; i++) {
		u64 r = random_next(&seed);
		volatile u64 *p = (u64 *)(L2_SPACE + 0x10000000 + r % 40 * page);

		if (r >> 40 & 1)
			p[1] = p[1] + i;
		sum += p[0] + p[1];
	}
	return sum;
}

/* The same computed without a machine. */
static u64 touch_model(u64 n, u64 seed)
{
	u64 v[40] = { 0 }, sum = 0, i;

	for (i = 0; i < n; i++) {
		u64 r = random_next(&seed), k = r % 40;

		if (r >> 40 & 1)
			v[k] += i;
		sum += 1000 + k + v[k];
	}
	return sum;
}

static void on_demand(struct l2 *l, const struct granule *g)
{
	u64 page = 1UL << g->bits, kind, faults = 0, base = L2_SPACE + 0x10000000;
	u64 pa[40] = { 0 };
	bool writable[40] = { false };
	u8 *memory = NULL;

	check_begin("stage2", "%s pages on demand, read-only until written", g->name);
	l2_call(l, l2_touch, 2000, 7, page);
	for (;;) {
		u64 k;

		kind = l2_run(l);
		k = ((l->hpfar >> 4 << 12) - base) / page;
		if (kind != EXIT_SYNC || ESR_EC(l->esr) != EC_DABT_LOW || k >= 40)
			break;
		if (!pa[k]) {
			if (!memory || IS_ALIGNED((u64)memory, 0x10000))
				memory = pool_alloc();
			pa[k] = (u64)memory;
			memory += page;
			*(u64 *)pa[k] = 1000 + k;
		} else {
			writable[k] = true;
		}
		stage2_map(l, base + k * page, pa[k], 3,
			   (writable[k] ? S2_RW : S2_RO) | S2_NORMAL | S2_AF);
		if (writable[k])
			stage2_flush(l);
		if (++faults > 80)
			break;
	}
	expect(l2_is_hvc(l, kind, L2_DONE), "kind %lu esr 0x%lx hpfar 0x%lx", kind, l->esr,
	       l->hpfar);
	expect_eq(l->x[0], touch_model(2000, 7), "sum of what L2 read");
	expect_eq(faults, 80, "faults");
}

static void one_granule(const struct granule *g)
{
	struct l2 *l = &l2s[0];
	u32 level;

	stage2_reset();
	check_begin("stage2", "%s granule", g->name);
	if (!granule_exists(g)) {
		test_skip("no such granule");
		return;
	}
	l2_reset_cpu(l, 0);
	stage2_init(l, g->bits, g->start, g->ipa_bits, 3);
	stage2_map_image(l);
	stage2_flush(l);
	l2_boot_mmu(l);
	translation(l, g);
	leaf(l, g->name, 3, L2_SPACE + (1UL << shift(g, 2)), (u64)pool_alloc(), 0);
	for (level = 2; level >= g->last_block; level--) {
		u64 size = 1UL << shift(g, level), pa = dt.ram & ~(size - 1);
		/* a page in the middle of the pool, which the block contains */
		u64 page = (u64)pool_alloc();

		if (pa + size <= page)
			pa = page & ~(size - 1);
		leaf(l, g->name, level, (L2_SPACE + 0x80000000UL) & ~(size - 1), pa, page - pa);
	}
	walk_fault(l, g->name);
	l2_reset_cpu(l, 0);
	l2_boot_mmu(l);
	on_demand(l, g);
}

/* Faults whose instruction has no syndrome, and addresses beyond the table. */
static void odd_faults(struct l2 *l)
{
	check_begin("stage2", "LDP has no instruction syndrome");
	l2_call(l, l2_load_pair, L2_SPACE + 64, 0, 0);
	fault(l, ESR_OF(EC_DABT_LOW, FSC_TRANSLATION + 1), L2_SPACE + 64, L2_SPACE);
	check_begin("stage2", "STP has no instruction syndrome");
	l2_call(l, l2_store_pair, L2_SPACE + 64, 0, 0);
	fault(l, ESR_OF(EC_DABT_LOW, FSC_TRANSLATION + 1 + BIT(6)), L2_SPACE + 64, L2_SPACE);
}

/*
 * QEMU 10.0 does not check alignment by stage 2 where one thread runs all CPUs (-icount, one CPU):
 * there L2 runs to its end. If nidus handled an abort that is not L1's, L2 would take an exception.
 */
static void not_aligned(struct l2 *l, u64 iss, u64 va)
{
	u64 kind = l2_run(l);

	if (ESR_EC(l->esr) == EC_HVC)
		return;
	expect_eq(kind, EXIT_SYNC, "exit");
	expect_eq(l->esr, ESR_OF(EC_DABT_LOW, iss | FSC_ALIGNMENT), "esr");
	expect_eq(l->far, va, "far");
}

/*
 * By the attributes of stage 2 alone, because L2's own say Normal: before L2 has the page, and
 * after.
 */
static void alignment(struct l2 *l)
{
	u64 at = L2_SPACE + 0x400000, *page = pool_alloc();

	check_begin("stage2", "not aligned in what stage 2 calls Device");
	stage2_map(l, at, (u64)page, 3, S2_RW | S2_DEVICE | S2_AF);
	stage2_flush(l);
	l2_call(l, l2_load64, at + 1, 0, 0);
	not_aligned(l, ISS_LOAD, at + 1);
	l2_run_fn(l, l2_load64, at, 0, 0);
	l2_call(l, l2_store64, at + 4, 0, 0);
	not_aligned(l, ISS_STORE, at + 4);
	check_begin("stage2", "not aligned in what stage 2 calls Non-cacheable");
	stage2_map(l, at, (u64)page, 3, S2_RW | 5UL << 2 | S2_AF);
	stage2_flush(l);
	l2_run_fn(l, l2_load64, at + 1, 0, 0);
}

/* Small and large IPA spaces: what is beyond is a translation fault at level 0. */
static void spaces(struct l2 *l)
{
	u64 *data;

	check_begin("stage2", "an address beyond VTCR_EL2.T0SZ");
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 1, 33, 4);
	stage2_map_image(l);
	stage2_flush(l);
	l2_boot_mmu(l);
	load_fault(l, 1UL << 33, FSC_TRANSLATION);
	check_begin("stage2", "tables that start at level 2");
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 2, 33, 4);
	stage2_map_image(l);
	stage2_flush(l);
	l2_boot_mmu(l);
	load_fault(l, L2_SPACE, FSC_TRANSLATION + 2);
	check_begin("stage2", "tables that start at level 0");
	if (FIELD(sysreg_read(ID_AA64MMFR0_EL1), 3, 0) < 4) {
		test_skip("less than 44 bits of physical address");
		return;
	}
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 0, 40, 4);
	stage2_map_image(l);
	stage2_flush(l);
	l2_boot_mmu(l);
	load_fault(l, L2_SPACE, FSC_TRANSLATION + 1);
	check_begin("stage2", "an address beyond any RAM");
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 0, 43, 4);
	stage2_map_image(l);
	data = pool_alloc();
	stage2_map(l, 1UL << 42, (u64)data, 3, S2_MEMORY);
	stage2_flush(l);
	data[3] = 0xfedcba;
	/* Its MMU is off: such an address needs no table of its own. Its cache is off too. */
	asm volatile("dc civac, %0\n\tdsb sy" ::"r"(&data[3]) : "memory");
	expect_eq(l2_run_fn(l, l2_load64, (1UL << 42) + 24, 0, 0), 0xfedcba, "what L2 reads");
}

void group_stage2(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(granules); i++)
		one_granule(&granules[i]);
	stage2_reset();
	check_begin("stage2", "L2 boots");
	l2_reset(&l2s[0], 3);
	odd_faults(&l2s[0]);
	alignment(&l2s[0]);
	spaces(&l2s[0]);
}

/* ---- mmio: the hypervisor emulates what the syndrome says ------------------------------------ */

struct access {
	u32 code[2]; /* executed in L2, address in x1 */
	u8 sas, sse, srt, sf, wnr;
	char name[20];
	u64 want; /* x0 after, or what is written */
};
#define A(word, sas, sse, srt, sf, wnr, name, want)                                                \
	{ { word, 0xd65f03c0 }, sas, sse, srt, sf, wnr, name, want }
static const struct access accesses[] = {
	A(0x39400020, 0, 0, 0, 0, 0, "LDRB w0", 0x88),
	A(0x79400020, 1, 0, 0, 0, 0, "LDRH w0", 0x9988),
	A(0xb9400020, 2, 0, 0, 0, 0, "LDR w0", 0xbbaa9988),
	A(0xf9400020, 3, 0, 0, 1, 0, "LDR x0", 0xffeeddccbbaa9988),
	A(0x39c00020, 0, 1, 0, 0, 0, "LDRSB w0", 0xffffff88),
	A(0x39800020, 0, 1, 0, 1, 0, "LDRSB x0", 0xffffffffffffff88),
	A(0x79c00020, 1, 1, 0, 0, 0, "LDRSH w0", 0xffff9988),
	A(0x79800020, 1, 1, 0, 1, 0, "LDRSH x0", 0xffffffffffff9988),
	A(0xb9800020, 2, 1, 0, 1, 0, "LDRSW x0", 0xffffffffbbaa9988),
	A(0xf940003f, 3, 0, 31, 1, 0, "LDR xzr", 5),
	A(0xb940003e, 2, 0, 30, 0, 0, "LDR w30", 5),
	A(0x39000022, 0, 0, 2, 0, 1, "STRB w2", 0x08),
	A(0x79000022, 1, 0, 2, 0, 1, "STRH w2", 0x0708),
	A(0xb9000022, 2, 0, 2, 0, 1, "STR w2", 0x05060708),
	A(0xf9000022, 3, 0, 2, 1, 1, "STR x2", 0x0102030405060708),
	A(0xf900003f, 3, 0, 31, 1, 1, "STR xzr", 0),
	A(0x3900003f, 0, 0, 31, 0, 1, "STRB wzr", 0),
};
#undef A

#define DEVICE 0x0a001000UL

static u64 extend(u64 v, u32 bytes, bool sign, bool sf)
{
	u32 up = 64 - bytes * 8;

	v = sign ? (u64)((s64)(v << up) >> up) : v << up >> up;
	return sf ? v : v & 0xffffffff;
}

/* As a hypervisor does it: from the syndrome alone. */
static u64 emulate(struct l2 *l, u64 device)
{
	u32 bytes = 1u << FIELD(l->esr, 23, 22), srt = (u32)FIELD(l->esr, 20, 16);
	u64 v = 0;

	if (FIELD(l->esr, 6, 6)) {
		v = srt == 31 ? 0 : l->x[srt];
		v = extend(v, bytes, false, true);
	} else if (srt != 31) {
		l->x[srt] = extend(device, bytes, FIELD(l->esr, 21, 21), FIELD(l->esr, 15, 15));
	}
	l->elr += 4;
	return v;
}

static void one_access(struct l2 *l, const struct access *a)
{
	u64 ret, written;

	check_begin("mmio", "%s", a->name);
	l2_call(l, l2_nop, 5, DEVICE + 0x40, 0x0102030405060708);
	l->elr = l2_address(a->code);
	ret = l->x[30];
	if (!l2_expect(l,
		       ESR_OF(EC_DABT_LOW, 1UL << 24 | (u64)a->sas << 22 | (u64)a->sse << 21 |
						   (u64)a->srt << 16 | (u64)a->sf << 15 |
						   (u64)a->wnr << 6 | (FSC_TRANSLATION + 3)),
		       "an MMIO access"))
		return;
	expect_eq(l->far, DEVICE + 0x40, "far");
	expect_eq(l->hpfar & MASK(43, 4), DEVICE >> 12 << 4, "hpfar");
	written = emulate(l, 0xffeeddccbbaa9988);
	if (a->srt == 30) {
		expect_eq(l->x[30], 0xbbaa9988, "x30");
		l->x[30] = ret;
	}
	l2_finish(l);
	expect_eq(a->wnr ? written : l->x[0], a->want, a->wnr ? "value written" : "value read");
}

/* A device register that counts its reads, read by C code. */
static u64 l2_count(u64 n, u64 b, u64 c)
{
	u64 i, sum = 0;

	(void)b;
	(void)c;
	for (i = 0; i < n; i++)
		sum += read32(DEVICE + 0x80);
	write32(DEVICE + 0x84, (u32)sum);
	return sum;
}

#define GICD_CIDR3 0xfffc /* 0xb1 in any GIC; its page's last word */

/*
 * The halves of an LDP or STP of L2 across a page's end: one is a register of a device of L1's, the
 * other memory.
 */
static void pair_across(struct l2 *l)
{
	u64 at = DEVICE + 0x100000, *ram = pool_alloc();

	check_begin("mmio", "LDP across the end of a device's page");
	ram[0] = 0x11223344;
	ram[511] = 0x5566778800000000;
	stage2_map(l, at, dt.gicd + (GICD_CIDR3 & ~0xfffUL), 3, S2_RW | S2_DEVICE | S2_AF);
	stage2_map(l, at + 0x1000, (u64)ram, 3, S2_MEMORY);
	stage2_flush(l);
	expect_eq(l2_run_fn(l, l2_load_pair32, at + 0xffc, 0, 0), 0x11223344000000b1, "first");
	expect_eq(l2_run_fn(l, l2_load_pair32, at + 0xffc, 0, 0), 0x11223344000000b1,
		  "with the memory mapped");
	l2_run_fn(l, l2_store_pair32, at + 0xffc, 0xffffffff, 0x99aabbcc);
	expect_eq(ram[0], 0x99aabbcc, "what was written");
	check_begin("mmio", "LDP across the end of memory into a device");
	stage2_map(l, at - 0x1000, (u64)ram, 3, S2_MEMORY);
	stage2_map(l, at, dt.gicd, 3, S2_RW | S2_DEVICE | S2_AF);
	stage2_flush(l);
	expect_eq(l2_run_fn(l, l2_load_pair32, at - 4, 0, 0),
		  (u64)read32(dt.gicd) << 32 | 0x55667788, "first");
	expect_eq(l2_run_fn(l, l2_load_pair32, at - 4, 0, 0),
		  (u64)read32(dt.gicd) << 32 | 0x55667788, "again");
	check_begin("mmio", "LDP across the end of a device's page, with nothing behind");
	stage2_map(l, at, dt.gicd + (GICD_CIDR3 & ~0xfffUL), 3, S2_RW | S2_DEVICE | S2_AF);
	*stage2_slot(l, at + 0x1000, 3) = 0;
	stage2_flush(l);
	l2_call(l, l2_load_pair32, at + 0xffc, 0, 0);
	fault(l, ESR_OF(EC_DABT_LOW, FSC_TRANSLATION + 3), at + 0x1000, at + 0x1000);
}

void group_mmio(void)
{
	struct l2 *l = &l2s[0];
	u64 kind, n = 0, written = 0;
	u32 i;

	check_begin("mmio", "L2 boots");
	l2_reset(l, 1);
	/* So that tables exist down to the level 3 that the syndrome names. */
	stage2_map(l, DEVICE + 0x1000, dt.ram, 3, S2_RO | S2_DEVICE | S2_AF);
	for (i = 0; i < ARRAY_SIZE(accesses); i++)
		one_access(l, &accesses[i]);
	check_begin("mmio", "a device with state");
	l2_call(l, l2_count, 100, 0, 0);
	while ((kind = l2_run(l)) == EXIT_SYNC && ESR_EC(l->esr) == EC_DABT_LOW && n < 200)
		written = emulate(l, n++);
	expect(l2_is_hvc(l, kind, L2_DONE), "kind %lu esr 0x%lx", kind, l->esr);
	expect_eq(l->x[0], 4950, "sum");
	expect_eq(written, 4950, "value written");
	expect_eq(n, 101, "accesses");
	pair_across(l);
}
