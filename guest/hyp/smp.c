/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same on two to four CPUs at once: L2s of their own, CPUs of one L2, tables that change under
 * a running L2.
 */
#include "hyp.h"

#include "mmu.h"

#define PAGE_IPA (L2_SPACE + 0x400000UL)
#define ROUNDS 300

static u64 counter;
static u32 cpus;
static u64 pages[2][512] __attribute__((aligned(4096)));
static u32 stop, faults;

/* Make n calls, counting in memory that all CPUs share. */
static u64 l2_work(u64 n, u64 id, u64 c)
{
	u64 i, bad = 0;

	(void)c;
	for (i = 0; i < n; i++) {
		bad += l2_hvc_arg(id << 32 | i) != (id ^ i);
		sysreg_write(TPIDR_EL0, id << 8 | i);
		__atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED);
		bad += sysreg_read(TPIDR_EL0) != (id << 8 | i);
	}
	return bad;
}

static void serve(struct l2 *l, u64 id)
{
	u64 i, kind;

	l2_call(l, l2_work, ROUNDS, id, 0);
	for (i = 0; i < ROUNDS; i++) {
		kind = l2_run(l);
		if (!l2_is_hvc(l, kind, 1) || l->x[0] != (id << 32 | i)) {
			test_fail("CPU %lu round %lu: kind %lu esr 0x%lx x0 0x%lx", id, i, kind,
				  l->esr, l->x[0]);
			return;
		}
		l->x[0] = id ^ i;
		if (i % 16 == 0)
			stage2_flush(l);
	}
	expect_eq(l2_finish(l), 0, "wrong values");
}

static void own(u32 index)
{
	serve(&l2s[index], index);
	l2_put();
}

/* Run the L2 that another CPU has run. */
static void moved(u32 index)
{
	serve(&l2s[(index + 1) % cpus], index);
	l2_put();
}

static u64 l2_watch(u64 va, u64 b, u64 c)
{
	volatile u64 *p = (u64 *)va;
	u64 bad = 0, v;

	(void)b;
	(void)c;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		v = *p;
		bad += v != 0x200 && v != 0x201;
		cpu_relax();
	}
	return bad;
}

/* An L2 reads a page that CPU 0 unmaps and moves; it just tries again. */
static void watch(struct l2 *l)
{
	u64 kind;

	l2_call(l, l2_watch, PAGE_IPA, 0, 0);
	while ((kind = l2_run(l)) == EXIT_SYNC && ESR_EC(l->esr) == EC_DABT_LOW)
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
	expect(l2_is_hvc(l, kind, L2_DONE), "kind %lu esr 0x%lx far 0x%lx", kind, l->esr, l->far);
	expect_eq(l->x[0], 0, "wrong values");
}

static void move(void)
{
	struct l2 *l = &l2s[1];
	u64 *slot = stage2_slot(l, PAGE_IPA, 3);
	u32 i;

	for (i = 0; i < 60; i++) {
		__atomic_store_n(slot, 0, __ATOMIC_RELEASE);
		stage2_flush(l);
		stage2_map(l, PAGE_IPA, (u64)pages[i & 1], 3, S2_MEMORY);
		delay_us(5);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
}

static void move_and_watch(u32 index)
{
	if (index)
		watch(&l2s[index]);
	else
		move();
	l2_put();
}

static void all(const char *name, void (*fn)(u32 index))
{
	check_begin("smp", "%s", name);
	counter = 0;
	if (!smp_run_all(fn, 10 * PATIENCE_US))
		test_abort("a CPU is lost");
}

/* Run on another CPU the L2 that ran on the first. */
static void join(struct l2 *first, struct l2 *l)
{
	l2_reset_cpu(l, (u32)(l - l2s));
	l->s2 = first->s2;
	l->vttbr = first->vttbr;
	l->vtcr = first->vtcr;
	l2_boot_mmu(l);
}

void group_smp(void)
{
	u32 i;

	check_begin("smp", "L2s boot");
	if (dt.cpu_count < 2 || dt.cpu_count > ARRAY_SIZE(l2s)) {
		test_skip("not two to four CPUs");
		return;
	}
	cpus = dt.cpu_count;
	pages[0][0] = 0x200;
	pages[1][0] = 0x201;
	for (i = 0; i < cpus; i++)
		l2_reset(&l2s[i], 1 + i);
	all("an L2 on each CPU", own);
	expect_eq(counter, cpus * ROUNDS, "rounds");
	all("each on another CPU", moved);
	expect_eq(counter, cpus * ROUNDS, "rounds");
	check_begin("smp", "CPUs of one L2 boot");
	for (i = 2; i < cpus; i++)
		join(&l2s[1], &l2s[i]);
	stage2_map(&l2s[1], PAGE_IPA, (u64)pages[0], 3, S2_MEMORY);
	l2_put();
	all("a page moved under a running L2", move_and_watch);
	check_begin("smp", "CPUs of one L2");
	for (i = 1; i < cpus; i++)
		join(&l2s[0], &l2s[i]);
	l2_put();
	all("CPUs of one L2 at once", own);
	expect_eq(counter, cpus * ROUNDS, "rounds");
}
