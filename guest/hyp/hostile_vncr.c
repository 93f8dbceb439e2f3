/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VNCR_EL2 with any value at all: outside memory, in code, at its own descriptor; at pages that all
 * CPUs unmap and move, under L2s that do nothing but use them. Only L2's own names are used
 * (HCR_EL2.{NV,NV2}); where one writes, it is to memory that is set aside for it.
 */
#include "hostile.h"

#include "mmu.h"

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);

#define LOW 0x3200000000UL /* 200 GiB: no memory or device of the machine is there */
#define SLOTS 6            /* three pages from there, and the last three of the range */
#define FRAMES 14
#define WORD 18 /* TPIDR_EL2's: offset 0x90 */
#define MARK 0x3a9e000000000000UL
#define NG BIT(11)
#define LEAF_RW (BIT(54) | BIT(53) | BIT(10) | 3UL << 8 | 1UL << 2 | 3)
#define LEAF_RO (LEAF_RW | BIT(7))
#define EC_VNCR 0x25
#define JOIN_US (10 * PATIENCE_US)

static u64 low2[512] __attribute__((aligned(4096))), low3[512] __attribute__((aligned(4096)));
static u64 high1[512] __attribute__((aligned(4096))), high2[512] __attribute__((aligned(4096)));
static u64 high3[512] __attribute__((aligned(4096)));
static u64 frames[FRAMES][512] __attribute__((aligned(4096)));

/* ---- stage 1 --------------------------------------------------------------------------------- */

static u64 slot_va(u64 i)
{
	return i < SLOTS / 2 ? LOW + i * 4096 : 0 - (SLOTS - i) * 4096;
}

static u64 *leaf_of(u64 i)
{
	return i < SLOTS / 2 ? &low3[i] : &high3[512 - (SLOTS - i)];
}

static void flush_all(void)
{
	dsb(ish);
	asm volatile("tlbi alle2is" ::: "memory");
	dsb(ish);
	isb();
}

static void leaf_set(u64 *leaf, u64 desc)
{
	__atomic_store_n(leaf, desc, __ATOMIC_RELEASE);
	dsb(ishst);
}

/* This CPU's registers for the upper half: T1SZ 25, walks write-back and inner shareable, 4 KiB. */
static void high_half_on(void)
{
	u64 tcr = sysreg_read(TCR_EL1) & ~BIT(23);

	sysreg_write(TTBR1_EL1, (u64)high1);
	sysreg_write(TCR_EL1, tcr | 25UL << 16 | 1UL << 24 | 1UL << 26 | 3UL << 28 | 2UL << 30);
	isb();
	asm volatile("tlbi vmalle1" ::: "memory");
	dsb(nsh);
	isb();
}

static void tables_make(void)
{
	u64 i;

	for (i = 0; i < SLOTS; i++)
		leaf_set(leaf_of(i), 0);
	low2[0] = (u64)low3 | 3;
	high1[511] = (u64)high2 | 3;
	high2[511] = (u64)high3 | 3;
	mmu_set(LOW, (u64)low2 | 3);
	high_half_on();
	flush_all();
}

/* ---- L2 -------------------------------------------------------------------------------------- */

#define TPIDR_WRITE(v) asm volatile("msr s3_4_c13_c0_2, %0" ::"r"(v) : "memory")
#define TPIDR_READ(v) asm volatile("mrs %0, s3_4_c13_c0_2" : "=r"(v)::"memory")

/* Write the register and read it, n times; returns how often the value differed. */
static u64 l2_use(u64 value, u64 n, u64 c)
{
	u64 i, v, bad = 0;

	(void)c;
	for (i = 0; i < n; i++) {
		TPIDR_WRITE(value);
		TPIDR_READ(v);
		bad += v != value;
	}
	return bad;
}

static u64 l2_read(u64 a, u64 b, u64 c)
{
	u64 v;

	(void)a;
	(void)b;
	(void)c;
	TPIDR_READ(v);
	return v;
}

static u64 l2_call_it(u64 fn, u64 b, u64 c)
{
	(void)b;
	(void)c;
	return ((u64(*)(u64))fn)(0);
}

static void begin(struct l2 *l, u64 vncr, u64 (*fn)(u64, u64, u64), u64 a, u64 n)
{
	l2_call(l, fn, a, n, 0);
	l->hcr = HCR_L2 | HCR_NV | HCR_NV2;
	sysreg_write(VNCR_EL2, vncr);
	isb();
}

static bool is_vncr_fault(const struct l2 *l, u64 kind, u64 vncr)
{
	/* WnR says what the access was; EA is IMPLEMENTATION DEFINED. */
	u64 any = BIT(9) | BIT(6) | MASK(5, 0);

	return kind == EXIT_SYNC && (l->esr & ~any) == ESR_OF(EC_VNCR, BIT(13)) &&
	       l->far == vncr + WORD * 8;
}

/* It works, or faults as an access through VNCR_EL2 does. */
static void try_it(struct l2 *l, u64 vncr, u64 (*fn)(u64, u64, u64), u64 a)
{
	u64 kind;

	begin(l, vncr, fn, a, 1);
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, L2_DONE) || is_vncr_fault(l, kind, vncr),
	       "VNCR_EL2 0x%lx: exit kind %lu esr 0x%lx far 0x%lx", vncr, kind, l->esr, l->far);
}

static void works_on(struct l2 *l, u64 vncr, const u64 *page, u64 value)
{
	begin(l, vncr, l2_use, value, 1);
	expect_eq(l2_finish(l), 0, "wrong values");
	expect_eq(page[WORD], value, "the word in memory");
}

/* ---- any value ------------------------------------------------------------------------------- */

/* Reads only, because much of that memory is in use. */
static void anywhere(struct l2 *l, u64 n)
{
	u64 i, v;
	u32 k;

	check_begin("vncr", "%lu words of garbage", n);
	for (i = 0; i < n; i++) {
		v = hostile_garbage();
		/* The bits above BADDR as they have to be. */
		v = (u64)((s64)(v << 7) >> 7) & ~MASK(11, 0);
		try_it(l, v, l2_read, 0);
		try_it(l, v & MASK(38, 12), l2_read, 0);
		try_it(l, v | MASK(63, 39), l2_read, 0);
	}
	check_begin("vncr", "holes, devices, text");
	for (k = 0; k < HOSTILE_NOWHERE; k++)
		try_it(l, hostile_nowhere(k) & ~MASK(11, 0), l2_read, 0);
	for (k = 0; k < 2; k++)
		try_it(l, hostile_nowhere(k), l2_use, 0);
	for (k = 0; k < HOSTILE_NOWHERE; k++) {
		leaf_set(leaf_of(0), hostile_nowhere(k) | LEAF_RW);
		flush_all();
		try_it(l, slot_va(0), l2_read, 0);
		leaf_set(leaf_of(0), 0);
		flush_all();
	}
	check_begin("vncr", "%lu descriptors of garbage", n);
	for (i = 0; i < n; i++) {
		leaf_set(leaf_of(i % SLOTS), hostile_garbage());
		flush_all();
		try_it(l, slot_va(i % SLOTS), l2_read, 0);
		leaf_set(leaf_of(i % SLOTS), 0);
		flush_all();
	}
}

/* What L2 writes to its register is what it then executes. */
static void code(struct l2 *l)
{
	u64 *page = frames[0];

	check_begin("vncr", "VNCR_EL2 at L2's own code");
	leaf_set(leaf_of(0), (u64)page | LEAF_RW);
	flush_all();
	works_on(l, slot_va(0), page, (u64)RET_WORD << 32 | 0xd2800ee0); /* MOV X0, #0x77 */
	asm volatile("dc cvau, %0\n\tdsb ish\n\tic ialluis\n\tdsb ish\n\tisb" ::"r"(&page[WORD])
		     : "memory");
	begin(l, slot_va(0), l2_call_it, l2_address(&page[WORD]), 0);
	expect_eq(l2_finish(l), 0x77, "its result");
	leaf_set(leaf_of(0), 0);
	flush_all();
}

/* VNCR_EL2 at the table whose entry for it L2 writes through a register's name. */
static void own_descriptor(struct l2 *l, u64 n)
{
	u64 i, va = LOW + WORD * 4096, *leaf = &low3[WORD];

	check_begin("vncr", "VNCR_EL2 at its own descriptor");
	leaf_set(leaf, (u64)low3 | LEAF_RW);
	flush_all();
	try_it(l, va, l2_use, (u64)frames[1] | LEAF_RW);
	expect_eq(*leaf, (u64)frames[1] | LEAF_RW, "the descriptor");
	flush_all();
	works_on(l, va, frames[1], 0x1234);
	check_begin("vncr", "%lu descriptors of garbage that L2 writes", n);
	for (i = 0; i < n; i++) {
		leaf_set(leaf, (u64)low3 | LEAF_RW);
		flush_all();
		try_it(l, va, l2_use,
		       i & 1 ? hostile_garbage() & ~BIT(0) : hostile_garbage() | BIT(7));
		try_it(l, va, l2_read, 0);
	}
	leaf_set(leaf, 0);
	flush_all();
}

/* The other controls involved, with any value; the page is mapped. */
static void controls(struct l2 *l, u64 n)
{
	u64 i, kind;

	check_begin("vncr", "%lu times any of HCR_EL2's bits beside NV and NV2", n);
	leaf_set(leaf_of(5), (u64)frames[2] | LEAF_RW);
	flush_all();
	for (i = 0; i < n; i++) {
		hostile_sandbox(l);
		begin(l, slot_va(5), l2_use, i, 1);
		l->hcr |= hostile_garbage() & ~HCR_TGE;
		kind = hostile_run(l, L2_STEP_US);
		expect(kind <= 15, "exit kind %lu", kind);
	}
	leaf_set(leaf_of(5), 0);
	flush_all();
	hostile_recovered();
}

/* ---- pages that are unmapped and mapped ------------------------------------------------------ */

static struct slot {
	struct spinlock lock;
	u64 *frame; /* the page that it maps, or NULL */
} slots[SLOTS];

static u32 stop, faults, runs;
static u64 seeds[2];
static bool has_range;

static u64 pick(u64 *seed, u64 n)
{
	return random_next(seed) % n;
}

/* Invalidate in one of the ways that a host has; leaves of slots with odd numbers by ASID too. */
static void tlbi(u64 *seed, u64 i)
{
	u64 va = slot_va(i), page = FIELD(va, 55, 12);
	u64 range = FIELD(va, 48, 12) | 1UL << 46;

	dsb(ish);
	switch (pick(seed, has_range ? 11 : 7) + (i & 1 ? 0 : 1)) {
	case 0:
		TLBI(0, 3, 2, 0); /* ASIDE1IS */
		break;
	case 1:
		TLBI(4, 3, 1, page); /* VAE2IS */
		break;
	case 2:
		TLBI(4, 3, 5, page); /* VALE2IS */
		break;
	case 3:
		TLBI(0, 3, 1, page | 7UL << 44); /* VAE1IS, TTL: level 3 of 4 KiB */
		break;
	case 4:
		TLBI(0, 3, 3, page); /* VAAE1IS */
		break;
	case 5:
		TLBI(4, 3, 0, 0); /* ALLE2IS */
		break;
	case 6:
		TLBI(0, 3, 7, page); /* VAALE1IS */
		break;
	case 7:
		TLBI(0, 3, 0, 0); /* VMALLE1IS */
		break;
	case 8:
		TLBI(4, 2, 1, range); /* RVAE2IS: two pages */
		break;
	case 9:
		TLBI(0, 2, 7, range); /* RVAALE1IS */
		break;
	case 10:
		TLBI(4, 2, 5, (range & ~1UL) | 3UL << 44); /* RVALE2IS: 16 GiB, or to the end */
		break;
	default:
		TLBI(0, 2, 3, range); /* RVAAE1IS */
	}
	dsb(ish);
	isb();
}

static void describe(u64 i, u64 attr)
{
	leaf_set(leaf_of(i), attr ? (u64)slots[i].frame | attr | (i & 1 ? NG : 0) : 0);
}

static void unmap(u64 *seed, u64 i)
{
	u64 *frame = slots[i].frame;

	if (!frame)
		return;
	describe(i, 0);
	tlbi(seed, i);
	slots[i].frame = NULL;
	frame_put(frame);
}

static void map(u64 *seed, u64 i)
{
	slots[i].frame = frame_get();
	__atomic_store_n(&slots[i].frame[WORD], MARK | i, __ATOMIC_RELAXED);
	dsb(ish);
	describe(i, pick(seed, 3) ? LEAF_RW : LEAF_RO);
}

/* Unmap the page, map another one, or change its permissions. */
static void change(u64 *seed)
{
	u64 i = pick(seed, SLOTS), how = pick(seed, 4);

	spin_lock(&slots[i].lock);
	if (how < 3)
		unmap(seed, i);
	if (how && !slots[i].frame) {
		map(seed, i);
	} else if (how == 3) {
		describe(i, LEAF_RO);
		tlbi(seed, i);
	}
	spin_unlock(&slots[i].lock);
}

/* Give L2 the page, writable. */
static void give(u64 *seed, u64 i)
{
	spin_lock(&slots[i].lock);
	if (!slots[i].frame) {
		map(seed, i);
	} else if (__atomic_load_n(leaf_of(i), __ATOMIC_RELAXED) & BIT(7)) {
		describe(i, LEAF_RW);
		tlbi(seed, i);
	}
	spin_unlock(&slots[i].lock);
}

/* This CPU's L2 uses the page of a random slot, whatever becomes of it meanwhile. */
static void use(u64 *seed, u64 n)
{
	struct l2 *l = &l2s[cpu_self()->index];
	u64 i = pick(seed, SLOTS), kind;

	begin(l, slot_va(i), l2_use, MARK | i, n);
	while (!l2_is_hvc(l, kind = l2_run(l), L2_DONE)) {
		if (!is_vncr_fault(l, kind, slot_va(i)) || (l->esr & 3) != 3) {
			test_fail("CPU %u: exit kind %lu esr 0x%lx far 0x%lx", cpu_self()->index,
				  kind, l->esr, l->far);
			return;
		}
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
		give(seed, i);
	}
	expect_eq(l->x[0], 0, "values that are not the slot's");
	__atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
}

/* CPU 0 changes the tables, CPU 1's L2 loops. */
static void one_changes(u32 index)
{
	u64 i, n = 10 * dt_arg("rounds", 100);

	if (index > 1)
		return;
	high_half_on();
	if (index) {
		while (!__atomic_load_n(&stop, __ATOMIC_RELAXED) && !test_failed())
			use(&seeds[1], 2000);
	} else {
		/* At least so many times, and until CPU 1's L2 has faulted. */
		for (i = 0;
		     i < n || (__atomic_load_n(&faults, __ATOMIC_RELAXED) < 20 && i < 5000000); i++)
			change(&seeds[0]);
		__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	}
	l2_put();
}

/* Both CPUs do both. */
static void both_change(u32 index)
{
	u64 i, n = 5 * dt_arg("rounds", 100);

	if (index > 1)
		return;
	high_half_on();
	for (i = 0; i < n && !test_failed(); i++) {
		change(&seeds[index]);
		use(&seeds[index], 1 + pick(&seeds[index], 50));
	}
	l2_put();
}

static void together(const char *name, void (*fn)(u32 index))
{
	check_begin("vncr", "%s", name);
	if (dt.cpu_count < 2) {
		test_skip("one CPU");
		return;
	}
	stop = faults = runs = 0;
	if (!smp_run_all(fn, JOIN_US))
		test_abort("CPU 1 is lost");
	expect(faults && runs, "%u faults, %u runs", faults, runs);
}

static void come_and_go(void)
{
	u64 i;

	frames_forget();
	for (i = 0; i < FRAMES; i++)
		frame_put(frames[i]);
	l2_reset_cpu(&l2s[1], 1);
	l2s[1].s2 = l2s[0].s2;
	l2s[1].vttbr = l2s[0].vttbr;
	l2s[1].vtcr = l2s[0].vtcr;
	l2_boot_mmu(&l2s[1]);
	l2_put();
	seeds[0] = hostile_seed;
	seeds[1] = ~hostile_seed;
	together("pages that come and go under an L2 of another CPU", one_changes);
	/* CPU 1 is off, and so is whatever its TLB held. */
	for (i = 0; i < SLOTS; i++)
		unmap(&seeds[0], i);
	together("pages that two CPUs change and use", both_change);
	for (i = 0; i < SLOTS; i++)
		unmap(&seeds[0], i);
	check_begin("vncr", "no page was written that nothing maps");
	for (i = 0; i < FRAMES; i++)
		frame_put(frame_get());
}

void group_vncr(void)
{
	struct l2 *l = &l2s[0];
	u64 n = dt_arg("rounds", 100);

	hostile_seed = dt_arg("seed", 1);
	has_range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	check_begin("vncr", "an L2 boots");
	if (FIELD(sysreg_read(ID_AA64MMFR2_EL1), 27, 24) < 2) {
		test_skip("no FEAT_NV2");
		return;
	}
	hostile_recovered();
	gic_enable(PPI_PTIMER_HYP);
	tables_make();
	anywhere(l, n);
	code(l);
	own_descriptor(l, n);
	controls(l, n);
	come_and_go();
	sysreg_write(VNCR_EL2, 0);
	mmu_set(LOW, 0);
	gic_disable(PPI_PTIMER_HYP);
	check_begin("vncr", "after all");
	hostile_recovered();
}
