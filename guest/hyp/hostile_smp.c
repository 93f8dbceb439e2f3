/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile with more than one CPU: a stage 2 that is rewritten under a running L2 without any TLB
 * maintenance, endless TLB maintenance beside CPUs that work, CPUs whose EL2 can never continue.
 */
#include "hostile.h"

#include "psci.h"

#define WINDOW (L2_SPACE + 0x400000UL)
#define PAGES 16
#define MARK 0x5a00UL
#define JOIN_US (10 * PATIENCE_US)

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);
extern const char hvc_7[];

static u64 pages[PAGES][512] __attribute__((aligned(4096)));
static u64 other_table[512] __attribute__((aligned(4096)));
static u32 stop, faults, checked;
static u64 seeds[2];

/* ---- a stage 2 that changes ------------------------------------------------------------------ */

/*
 * Every word of the window holds the number of a page, whatever is mapped where. L2 copies them
 * from one to another.
 */
static u64 l2_scan(u64 seed, u64 n, u64 c)
{
	u64 i, bad = 0, v;

	(void)c;
	for (i = 0; i < n && !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		u64 r = random_next(&seed);
		volatile u64 *p = (u64 *)(WINDOW + (r & 0xf) * 4096 + (r >> 8 & 0xff8));

		v = *p;
		bad += (v & ~0xfUL) != MARK;
		if (r & 0x10)
			*p = v;
	}
	return bad;
}

static u64 page_desc(u64 r)
{
	static const u64 attr[] = { S2_MEMORY, S2_MEMORY | S2_XN, S2_RO | S2_NORMAL | S2_AF,
				    S2_MEMORY & ~S2_AF };

	return (u64)pages[r & 0xf] | attr[r >> 4 & 3] | 3;
}

/* Change the tables at random; no TLBI follows. */
static void rewrite(u64 *seed)
{
	u64 r = random_next(seed), tmp;
	u64 *slot = other_table, *upper = stage2_slot(&l2s[0], WINDOW, 2);
	u32 a = r >> 8 & 0xf, b = r >> 12 & 0xf;

	switch (r & 7) {
	/* the whole table gone, elsewhere, outside RAM, or another one with the same pages */
	case 0:
		__atomic_store_n(upper, r & 0x800000 ? 0 : hostile_nowhere(0) | 3,
				 __ATOMIC_RELEASE);
		break;
	case 1:
	case 2:
		__atomic_store_n(upper, (u64)other_table | 3, __ATOMIC_RELEASE);
		break;
	case 3:
		__atomic_store_n(&slot[a], 0, __ATOMIC_RELEASE);
		break;
	case 4:
		tmp = __atomic_exchange_n(&slot[a], slot[b], __ATOMIC_ACQ_REL);
		__atomic_store_n(&slot[b], tmp, __ATOMIC_RELEASE);
		break;
	default:
		__atomic_store_n(&slot[a], page_desc(r >> 16), __ATOMIC_RELEASE);
	}
}

/* Now and then a TLBI for another page, so that translations are looked up again. */
static void invalidate_some(u64 *seed)
{
	u64 page = (WINDOW >> 12) + (random_next(seed) & 0xf);

	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	asm volatile("tlbi ipas2e1is, %0\n\tdsb ish\n\ttlbi vmalle1is\n\tdsb ish" ::"r"(page)
		     : "memory");
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}

/* Continue whenever possible: what faulted may be mapped the next time. */
static void scan(struct l2 *l, u64 n, bool also_rewrite, u64 *seed)
{
	u64 kind;

	l2_call(l, l2_scan, *seed, n, 0);
	for (;;) {
		kind = l2_run(l);
		if (l2_is_hvc(l, kind, L2_DONE))
			break;
		if (kind != EXIT_SYNC || ESR_EC(l->esr) != EC_DABT_LOW) {
			test_fail("exit kind %lu esr 0x%lx far 0x%lx", kind, l->esr, l->far);
			return;
		}
		__atomic_fetch_add(&faults, 1, __ATOMIC_RELAXED);
		if (also_rewrite)
			rewrite(seed);
		if (__atomic_load_n(&stop, __ATOMIC_RELAXED))
			return;
	}
	expect_eq(l->x[0], 0, "wrong values");
	__atomic_fetch_add(&checked, 1, __ATOMIC_RELAXED);
}

/* CPU 0 rewrites, CPU 1's L2 runs. */
static void one_rewrites(u32 index)
{
	u64 i;

	if (index) {
		while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
			scan(&l2s[1], 1000, false, &seeds[1]);
	} else {
		/* At least so many times, and until CPU 1's L2 has faulted. */
		for (i = 0;
		     i < 20000 || (!__atomic_load_n(&faults, __ATOMIC_RELAXED) && i < 5000000);
		     i++) {
			rewrite(&seeds[0]);
			if (i % 16 == 0)
				invalidate_some(&seeds[0]);
		}
		__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	}
	l2_put();
}

/* Both CPUs run the L2, and both rewrite its tables when it faults. */
static void both_rewrite(u32 index)
{
	u32 i;

	for (i = 0; i < 25; i++) {
		rewrite(&seeds[index]);
		if (i % 4 == 0)
			invalidate_some(&seeds[index]);
		scan(&l2s[index], 100, true, &seeds[index]);
	}
	l2_put();
}

static void window_begin(void)
{
	u64 *upper;
	u32 i, k;

	hostile_recovered();
	for (i = 0; i < PAGES; i++) {
		for (k = 0; k < 512; k++)
			pages[i][k] = MARK | i;
		other_table[i] = page_desc(i);
	}
	stage2_map(&l2s[0], WINDOW, (u64)pages[0], 3, S2_MEMORY);
	upper = stage2_slot(&l2s[0], WINDOW, 2);
	__atomic_store_n(upper, (u64)other_table | 3, __ATOMIC_RELEASE);
	stage2_flush(&l2s[0]);
	l2_reset_cpu(&l2s[1], 1);
	l2s[1].s2 = l2s[0].s2;
	l2s[1].vttbr = l2s[0].vttbr;
	l2s[1].vtcr = l2s[0].vtcr;
	l2_boot_mmu(&l2s[1]);
	l2_put();
	stop = faults = checked = 0;
}

/* After proper maintenance the translations are what the tables say. */
static void window_end(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	for (i = 0; i < PAGES; i++)
		other_table[i] = page_desc(i);
	__atomic_store_n(stage2_slot(l, WINDOW, 2), (u64)other_table | 3, __ATOMIC_RELEASE);
	stage2_flush(l);
	stop = 0;
	expect_eq(l2_run_fn(l, l2_scan, 1, 1000, 0), 0, "wrong values at the end");
	expect(faults, "no fault");
}

static void window(const char *name, void (*fn)(u32 index))
{
	check_begin("hostile", "%s", name);
	if (dt.cpu_count != 2) {
		test_skip("not two CPUs");
		return;
	}
	window_begin();
	if (!smp_run_all(fn, JOIN_US))
		test_abort("CPU 1 is lost");
	window_end();
	hostile_recovered();
}

void hostile_smp(void)
{
	seeds[0] = hostile_seed;
	seeds[1] = ~hostile_seed;
	window("a stage 2 rewritten without TLBI under an L2 of another CPU", one_rewrites);
	window("a stage 2 rewritten without TLBI by two CPUs that run it", both_rewrite);
}

/* ---- endless TLB maintenance ----------------------------------------------------------------- */

static u64 storm_until;
static u32 rounds[GUEST_CPUS_MAX];

static u64 l2_ask(u64 n, u64 b, u64 c)
{
	u64 i, bad = 0;

	(void)b;
	(void)c;
	for (i = 0; i < n; i++)
		bad += l2_hvc_arg(i) != ~i;
	return bad;
}

static void work(struct l2 *l)
{
	u32 i;

	l2_call(l, l2_ask, 10, 0, 0);
	for (i = 0; i < 10; i++) {
		if (!l2_is_hvc(l, l2_run(l), 1)) {
			test_fail("esr 0x%lx", l->esr);
			return;
		}
		l->x[0] = ~l->x[0];
	}
	expect_eq(l2_finish(l), 0, "wrong values");
	hostile_touch(l, 100);
}

/* CPU 0 has an L2 that works, the others do the maintenance. */
static void storm(u32 index)
{
	while ((s64)(counter_virt() - storm_until) < 0) {
		if (index)
			hostile_tlbi_storm(1);
		else
			work(&l2s[0]);
		rounds[index]++;
	}
	l2_put();
}

void group_storm(void)
{
	u32 i;

	check_begin("storm", "an L2 beside TLBIs without end");
	hostile_seed = dt_arg("seed", 1);
	hostile_recovered();
	hostile_wide(&l2s[0]);
	l2_put();
	storm_until = counter_virt() + ticks_us(dt_arg("ms", 1000) * 1000);
	if (!smp_run_all(storm, JOIN_US))
		test_abort("a CPU is lost");
	for (i = 0; i < dt.cpu_count; i++)
		expect(rounds[i] >= 10, "CPU %u: %u rounds", i, rounds[i]);
	check_begin("storm", "after it");
	hostile_recovered();
}

/* ---- CPUs that can never continue ------------------------------------------------------------ */

/* hostile.S */
#define DOOM(name)                                                                                 \
	void doom_##name(u64 a, u64 b, u64 c);                                                     \
	void doom_##name##_e2h0(u64 a, u64 b, u64 c);
DOOM(vbar)
DOOM(exit)
DOOM(ttbr0)
DOOM(tcr)
DOOM(sctlr)
DOOM(eret)
DOOM(illegal)
#undef DOOM
void doom_sp(u64 a, u64 b, u64 c);
void doom_wfi(u64 a, u64 b, u64 c);

static u64 zeroes[512] __attribute__((aligned(4096)));

#define UNMAPPED (1UL << 39) /* beyond what TTBR0 has */

static const struct {
	char name[40];
	void (*fn[2])(u64, u64, u64); /* with VHE and without */
	u32 at; /* hostile_nowhere(), or: */
} dooms[] = {
	{ "VBAR_EL2 at no translation", { doom_vbar, doom_vbar_e2h0 }, 100 },
	{ "VBAR_EL2 outside RAM", { doom_vbar, doom_vbar_e2h0 }, 0 },
	{ "VBAR_EL2 at a device", { doom_vbar, doom_vbar_e2h0 }, 3 },
	{ "VBAR_EL2 at memory without code", { doom_vbar, doom_vbar_e2h0 }, 101 },
	{ "VBAR_EL2 outside RAM, met by an exit", { doom_exit, doom_exit_e2h0 }, 0 },
	{ "TTBR0_EL2 outside RAM", { doom_ttbr0, doom_ttbr0_e2h0 }, 0 },
	{ "TTBR0_EL2 at a table of itself", { doom_ttbr0, doom_ttbr0_e2h0 }, 102 },
	{ "TTBR0_EL2 at a device", { doom_ttbr0, doom_ttbr0_e2h0 }, 3 },
	{ "TCR_EL2 all ones", { doom_tcr, doom_tcr_e2h0 }, 103 },
	{ "SCTLR_EL2 all ones", { doom_sctlr, doom_sctlr_e2h0 }, 103 },
	{ "a stack that is not aligned", { doom_sp, doom_sp }, 0 },
	{ "WFI with interrupts masked", { doom_wfi, doom_wfi }, 0 },
	{ "ERET to itself", { doom_eret, doom_eret_e2h0 }, 0 },
	{ "illegal ERETs", { doom_illegal, doom_illegal_e2h0 }, 0 },
};

static u64 doom_value(u32 at)
{
	u32 i;

	switch (at) {
	case 100:
		return UNMAPPED;
	case 101:
		return (u64)zeroes;
	case 102:
		for (i = 0; i < 512; i++)
			other_table[i] = (u64)other_table | 3 | S2_AF;
		return (u64)other_table;
	case 103:
		return ~0UL;
	}
	return hostile_nowhere(at);
}

static void doomed(u32 index)
{
	dooms[index - 1].fn[e2h0](doom_value(dooms[index - 1].at), (u64)hvc_7, HCR_L2);
}

/* On the bare machine a CPU may be off for a while after CPU_ON returned: QEMU has its thread do it. */
static u64 affinity_on(u32 cpu)
{
	u64 until = counter_virt() + ticks_us(JOIN_US), info;

	do
		info = psci_call(PSCI_AFFINITY_INFO, dt.mpidr[cpu], 0, 0);
	while (info && (s64)(counter_virt() - until) < 0);
	return info;
}

static void doom(u32 cpu)
{
	u64 until;

	check_begin("doom", "a CPU with %s", dooms[cpu - 1].name);
	if (cpu >= dt.cpu_count) {
		test_skip("not enough CPUs");
		return;
	}
	expect_eq(smp_start(cpu, doomed), 0, "CPU_ON");
	until = counter_virt() + ticks_us(dt_arg("ms", 50) * 1000);
	do
		work(&l2s[0]);
	while ((s64)(counter_virt() - until) < 0);
	stage2_flush(&l2s[0]);
	expect(gcpus[cpu].state == GCPU_RUNNING, "it has come to an end");
	expect_eq(affinity_on(cpu), 0, "AFFINITY_INFO");
}

void group_doom(void)
{
	u32 i;

	check_begin("doom", "an L2 boots");
	hostile_recovered();
	hostile_wide(&l2s[0]);
	for (i = 1; i <= ARRAY_SIZE(dooms); i++)
		doom(i);
	check_begin("doom", "after all");
	hostile_recovered();
}
