/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several CPUs, possibly more than the machine has: all make progress, SGIs and routed SPIs arrive,
 * CPUs go off and on.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"
#include "lib/timer.h"

const char guest_name[] = "smp";

#define WAIT_US PATIENCE_US

static u32 cpus(void)
{
	return dt.cpu_count;
}

static bool stop;
static u64 progress[GUEST_CPUS_MAX];
static u32 got[GUEST_CPUS_MAX][16]; /* SGIs taken, by CPU and number; atomic */
static u32 got_spi[GUEST_CPUS_MAX];
static u32 ready;

static void on_irq(struct frame *f)
{
	u32 id = gic_ack(), me = cpu_self()->index;

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	if (id < 16)
		__atomic_fetch_add(&got[me][id], 1, __ATOMIC_RELAXED);
	else
		__atomic_fetch_add(&got_spi[me], 1, __ATOMIC_RELAXED);
	gic_eoi(id);
}

static void cpu_begin(void)
{
	u32 i;

	gic_cpu_init();
	cpu_self()->irq = on_irq;
	for (i = 0; i < 16; i++)
		gic_enable(i);
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
}

static bool wait_count(const u32 *what, u32 n)
{
	u64 start = counter_virt();

	while (__atomic_load_n(what, __ATOMIC_ACQUIRE) < n) {
		if (counter_virt() - start > ticks_us(WAIT_US))
			return false;
		cpu_relax();
	}
	return true;
}

static void before(void)
{
	irq_disable();
	memset(got, 0, sizeof(got));
	memset(got_spi, 0, sizeof(got_spi));
	ready = 0;
	stop = false;
	gic_dist_init();
	cpu_begin();
}

/* Start all the others with fn and wait until each has called cpu_begin(). */
static void start_others(void (*fn)(u32 index))
{
	u32 i;

	for (i = 1; i < cpus(); i++)
		expect_eq(smp_start(i, fn), 0, "CPU_ON");
	expect(wait_count(&ready, cpus()), "only %u of %u CPUs are up", ready, cpus());
}

static void join_others(void)
{
	u32 i;

	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	gic_sgi_others(15);
	for (i = 1; i < cpus(); i++)
		expect(smp_join(i, WAIT_US), "CPU %u does not end", i);
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

/* A CPU that spins with interrupts masked. */
static void burn(u32 index)
{
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	while (!stopped())
		__atomic_store_n(&progress[index], progress[index] + 1, __ATOMIC_RELAXED);
}

/* This CPU only reads what the others do: they make progress without it. */
static bool moves_on(u32 index, u64 was)
{
	u64 start = counter_virt();

	while (__atomic_load_n(&progress[index], __ATOMIC_RELAXED) == was)
		if (counter_virt() - start > ticks_us(WAIT_US))
			return false;
	return true;
}

static void test_progress(void)
{
	u64 was[GUEST_CPUS_MAX];
	u32 i, round;

	start_others(burn);
	for (round = 0; round < 20; round++) {
		for (i = 1; i < cpus(); i++)
			was[i] = __atomic_load_n(&progress[i], __ATOMIC_RELAXED);
		delay_us(100000);
		for (i = 1; i < cpus(); i++)
			expect(moves_on(i, was[i]), "CPU %u stands still", i);
	}
	join_others();
}

/* A CPU that sleeps and takes interrupts. */
static void sleeper(u32 index)
{
	(void)index;
	cpu_begin();
	while (!stopped()) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

/* A CPU that spins and takes interrupts. */
static void runner(u32 index)
{
	cpu_begin();
	irq_enable();
	while (!stopped()) {
		progress[index]++;
		cpu_relax();
	}
	irq_disable();
}

static void sgi_each(void (*fn)(u32 index))
{
	u32 i, n, rounds = 50;

	start_others(fn);
	for (n = 1; n <= rounds && !test_failed(); n++) {
		for (i = 1; i < cpus(); i++) {
			u32 sgi = (n + i) % 15;
			u32 was = __atomic_load_n(&got[i][sgi], __ATOMIC_ACQUIRE);

			gic_sgi(sgi, gcpus[i].mpidr);
			expect(wait_count(&got[i][sgi], was + 1), "SGI %u to CPU %u is lost", sgi,
			       i);
		}
	}
	for (i = 0; i < 15; i++)
		expect_eq(got[0][i], 0, "SGIs to the sender");
	join_others();
}

static void test_sgi_sleepers(void)
{
	sgi_each(sleeper);
}
static void test_sgi_runners(void)
{
	sgi_each(runner);
}

static void test_sgi_others(void)
{
	u32 i, n;

	start_others(sleeper);
	for (n = 1; n <= 20 && !test_failed(); n++) {
		gic_sgi_others(3);
		for (i = 1; i < cpus(); i++)
			expect(wait_count(&got[i][3], n), "broadcast %u missed CPU %u", n, i);
	}
	expect_eq(got[0][3], 0, "SGIs to the sender");
	join_others();
	for (i = 1; i < cpus(); i++)
		expect_eq(got[i][3], 20, "SGIs taken");
}

/* Target lists that include absent CPUs: those present get their SGI, nothing else happens. */
static void test_sgi_absent(void)
{
	u64 seed = 5;
	u32 i;

	start_others(sleeper);
	sysreg_write(ICC_SGI1R_EL1, 0xffffUL | 4UL << 24);
	isb();
	for (i = 1; i < MIN(cpus(), 16u); i++)
		expect(wait_count(&got[i][4], 1), "target list missed CPU %u", i);
	for (i = 0; i < 300; i++) {
		/* Aff3, Aff2 or Aff1 not 0, or a range selector: no such CPU. */
		u64 v = random_next(&seed) & 0x00ff00ff0fffffff;

		v = (v & ~(0xfUL << 24)) | 5UL << 24 | 1UL << 16;
		sysreg_write(ICC_SGI1R_EL1, v);
		sysreg_write(ICC_SGI1R_EL1, 0xff0000UL | 5UL << 24 | 0xffff);
		isb();
	}
	delay_us(20000);
	for (i = 1; i < MIN(cpus(), 16u); i++)
		expect_eq(__atomic_load_n(&got[i][5], __ATOMIC_ACQUIRE), 0, "SGIs sent to nobody");
	irq_enable();
	delay_us(1000);
	irq_disable();
	expect_eq(got[0][4], 1, "SGIs to itself by the target list");
	join_others();
}

static u32 ball;

static void ping_irq(struct frame *f)
{
	u32 id = gic_ack(), me = cpu_self()->index;

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	gic_eoi(id);
	if (id != 1)
		return;
	if (__atomic_add_fetch(&ball, 1, __ATOMIC_ACQ_REL) < 400)
		gic_sgi(1, gcpus[(me + 1) % cpus()].mpidr);
}

static void ring(u32 index)
{
	(void)index;
	gic_cpu_init();
	cpu_self()->irq = ping_irq;
	gic_enable(1);
	gic_enable(15);
	__atomic_fetch_add(&ready, 1, __ATOMIC_ACQ_REL);
	while (!stopped()) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

/* An SGI goes from CPU to CPU, each of which sleeps until it comes. */
static void test_ring(void)
{
	u64 start;

	ball = 0;
	start_others(ring);
	cpu_self()->irq = ping_irq;
	start = counter_virt();
	gic_sgi(1, gcpus[1].mpidr);
	irq_enable();
	expect(wait_count(&ball, 400), "the ring stopped after %u", ball);
	irq_disable();
	print("smp: %u SGIs in a ring of %u sleepers: %lu us each\n", ball, cpus(),
	      (counter_virt() - start) / 400 / MAX(ticks_us(1), 1UL));
	join_others();
}

static void test_spi_route(void)
{
	u32 i, n, id = 40;

	start_others(sleeper);
	gic_enable(id);
	for (n = 1; n <= 10; n++) {
		for (i = 1; i < cpus(); i++) {
			gic_route(id, gcpus[i].mpidr);
			dsb(sy);
			gic_pend(id);
			expect(wait_count(&got_spi[i], n), "SPI routed to CPU %u is lost", i);
		}
	}
	expect_eq(got_spi[0], 0, "SPIs taken by CPU 0");
	gic_disable(id);
	join_others();
}

/* SPIs taken by CPUs other than 0. */
static bool wait_any(u32 n)
{
	u64 start = counter_virt();
	u32 sum, i;

	do {
		for (sum = 0, i = 1; i < cpus(); i++)
			sum += __atomic_load_n(&got_spi[i], __ATOMIC_ACQUIRE);
	} while (sum < n && counter_virt() - start < ticks_us(WAIT_US));
	return sum == n;
}

/* A pending SPI follows its route. */
static void test_spi_reroute(void)
{
	u32 id = 41;

	start_others(runner);
	gic_enable(id);
	gic_route(id, gcpus[0].mpidr);
	gic_pend(id);
	delay_us(1000);
	expect_eq(got_spi[1], 0, "SPIs taken by CPU 1");
	gic_route(id, gcpus[1].mpidr);
	expect(wait_count(&got_spi[1], 1), "the pending SPI did not follow");
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR at the old target");
	gic_disable(id);
	join_others();
}

/* Wait with interrupts masked until told to go off: what is sent meanwhile stays pending there. */
static void masked(u32 index)
{
	cpu_begin();
	write32(cpu_self()->gicr + GICR_WAKER, 0);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
		cpu_relax();
	(void)index;
}

/*
 * 1 of N: a CPU that sleeps, or has its group off, does not keep what another could take; nor does
 * one that is off.
 */
static void test_spi_any(void)
{
	u64 me = cpu_self()->gicr, start;
	u32 id = 42;

	start_others(runner);
	gic_enable(id);
	write64(dt.gicd + GICD_IROUTER + 8 * id, BIT(31));
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
	write32(me + GICR_WAKER, 2);
	gic_pend(id);
	expect(wait_any(1), "not taken while CPU 0 sleeps");
	write32(me + GICR_WAKER, 0);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	gic_pend(id);
	delay_us(1000);
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
	expect(wait_any(2), "not taken when CPU 0 switches its group off");
	join_others();
	/* Now CPU 1 is the one that would take it. */
	__atomic_store_n(&stop, false, __ATOMIC_RELEASE);
	write32(me + GICR_WAKER, 2);
	expect_eq(smp_start(1, masked), 0, "CPU_ON");
	start = counter_virt();
	while (!(read32(gcpus[1].gicr + GICR_WAKER) == 0 &&
		 __atomic_load_n(&ready, __ATOMIC_ACQUIRE)) &&
	       counter_virt() - start < ticks_us(WAIT_US))
		cpu_relax();
	gic_pend(id);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	write32(me + GICR_WAKER, 0);
	__atomic_store_n(&stop, true, __ATOMIC_RELEASE);
	expect(smp_join(1, WAIT_US), "CPU 1 does not end");
	expect_eq(gic_ack(), id, "IAR once the other one is off");
	gic_eoi(id);
	gic_disable(id);
	gic_route(id, gcpus[0].mpidr);
}

static void short_life(u32 index)
{
	progress[index]++;
}

static void test_on_off(void)
{
	u32 i, n;

	for (n = 0; n < 20 && !test_failed(); n++) {
		for (i = 1; i < cpus(); i++)
			expect_eq(smp_start(i, short_life), 0, "CPU_ON");
		for (i = 1; i < cpus(); i++)
			expect(smp_join(i, WAIT_US), "CPU %u does not end", i);
	}
}

static struct spinlock count_lock;
static u64 plain_count, atomic_count;

static void contend(u32 index)
{
	u32 i;

	(void)index;
	for (i = 0; i < 5000; i++) {
		spin_lock(&count_lock);
		plain_count++;
		spin_unlock(&count_lock);
		__atomic_fetch_add(&atomic_count, 1, __ATOMIC_RELAXED);
	}
}

static void test_locks(void)
{
	plain_count = atomic_count = 0;
	smp_run_all(contend, WAIT_US);
	expect_eq(plain_count, 5000 * cpus(), "count under the lock");
	expect_eq(atomic_count, 5000 * cpus(), "atomic count");
}

/* From SGI to the vector of the CPU that sleeps. */
static void test_wake_latency(void)
{
	u64 worst = 0, sum = 0;
	u32 n;

	start_others(sleeper);
	for (n = 1; n <= 50 && !test_failed(); n++) {
		u64 t;

		delay_us(200);
		t = counter_virt();
		gic_sgi(2, gcpus[1].mpidr);
		expect(wait_count(&got[1][2], n), "SGI is lost");
		t = counter_virt() - t;
		sum += t;
		worst = MAX(worst, t);
	}
	print("smp: wake by SGI: mean %lu us, worst %lu us\n", sum / 50 / MAX(ticks_us(1), 1UL),
	      worst / MAX(ticks_us(1), 1UL));
	join_others();
}

static const struct suite_test tests[] = {
	{ "progress", test_progress, 2 },
	{ "sgi_sleepers", test_sgi_sleepers, 2 },
	{ "sgi_runners", test_sgi_runners, 2 },
	{ "sgi_others", test_sgi_others, 2 },
	{ "sgi_absent", test_sgi_absent, 2 },
	{ "ring", test_ring, 2 },
	{ "spi_route", test_spi_route, 2 },
	{ "spi_reroute", test_spi_reroute, 2 },
	{ "spi_any", test_spi_any, 2 },
	{ "on_off", test_on_off, 2 },
	{ "locks", test_locks, 2 },
	{ "wake_latency", test_wake_latency, 2 },
};

void guest_main(void)
{
	print("smp: %u cpus\n", dt.cpu_count);
	suite_run(tests, ARRAY_SIZE(tests), before);
}
