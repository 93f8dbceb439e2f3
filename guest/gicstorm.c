/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All CPUs use the same GIC. First they set and clear the pending state of SPIs that CPU 0 gets but
 * does not take (pulls=N for each CPU). Then timers and power states join in, all at once (seed=N,
 * ops=N for each CPU): every CPU sets and clears the pending, enabled and active state and the
 * route of SPIs and of every CPU's private interrupts, switches groups on and off, sleeps,
 * suspends, goes off and comes back. Whatever becomes of an interrupt, no CPU may hang, and at the
 * end the GIC works. CPU 0 wakes CPUs that sleep and starts CPUs that are off, without relying on
 * the state that the others left the GIC in.
 */
#include "lib/dt.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/test.h"
#include "lib/timer.h"

const char guest_name[] = "gicstorm";

#define SPI_WORDS 4 /* of 32 SPIs each, from INTID 32 on */
#define WAKE_SGI 15
#define STUCK_US 300000000
#define PULLED 0xffffff00 /* SPIs of a word */

extern const char secondary_entry[];

static struct {
	u64 seed;
	u64 left;  /* atomic: operations left to do */
	u64 taken; /* interrupts */
} cpus[GUEST_CPUS_MAX];

static u64 pulls_left; /* atomic */

static u64 rnd(void)
{
	return random_next(&cpus[cpu_self()->index].seed);
}

/* A random mask: mostly few bits, sometimes all. */
static u32 bits(void)
{
	u64 r = rnd();

	return r & 7 ? 1u << (r >> 8 & 31) | 1u << (r >> 16 & 31) : (u32)(r >> 32);
}

static void take(u32 group)
{
	u32 id = (u32)(group ? sysreg_read(ICC_IAR1_EL1) : sysreg_read(ICC_IAR0_EL1));

	if (id >= INTID_SPURIOUS - 3)
		return;
	cpus[cpu_self()->index].taken++;
	if (id == dt.ppi_virt)
		timer_set_ctl(TIMER_VIRT, 0);
	if (id == dt.ppi_phys)
		timer_set_ctl(TIMER_PHYS, 0);
	if (group)
		sysreg_write(ICC_EOIR1_EL1, id);
	else
		sysreg_write(ICC_EOIR0_EL1, id);
	if (rnd() & 1)
		sysreg_write(ICC_DIR_EL1, id);
	isb();
}

static void on_irq(struct frame *f)
{
	(void)f;
	take(1);
}

static void on_fiq(struct frame *f)
{
	(void)f;
	take(0);
}

/*
 * Change the state of SPIs (or, at a redistributor, of one CPU's SGIs and PPIs) in the frame at
 * base, from word on.
 */
static void state(u64 base, u32 word)
{
	static const u16 regs[] = { GIC_ISPENDR,   GIC_ISPENDR,   GIC_ICPENDR,   GIC_ISENABLER,
				    GIC_ISENABLER, GIC_ICENABLER, GIC_ISACTIVER, GIC_ICACTIVER,
				    GIC_ICACTIVER, GIC_IGROUPR };
	u64 r = rnd();
	u64 at = base + regs[r % ARRAY_SIZE(regs)] + 4 * word;

	switch (r >> 32 & 7) {
	case 0:
		write32(base + GIC_IPRIORITYR + 32 * word + 4 * (r >> 8 & 7), (u32)rnd());
		break;
	case 1:
		write32(base + GIC_ICFGR + 8 * word + 4 * (r >> 8 & 1), (u32)rnd());
		break;
	case 2:
		(void)read32(at);
		break;
	default:
		write32(at, bits());
		break;
	}
}

static void route(void)
{
	u64 r = rnd(), to = r >> 8 & 7 ? gcpus[(r >> 16) % dt.cpu_count].mpidr
			    : r & 1    ? BIT(31)
				       : 0x77;

	write64(dt.gicd + GICD_IROUTER + 8 * (32 + (r >> 32) % (32 * SPI_WORDS)), to);
}

static void sgi(void)
{
	u64 r = rnd(), v = (r & 15) << 24 | (r >> 8 & 1 ? BIT(40) : r >> 16 & 0xff);

	if (r >> 4 & 1)
		sysreg_write(ICC_SGI1R_EL1, v);
	else
		sysreg_write(ICC_SGI0R_EL1, v);
	isb();
}

static void interface(void)
{
	u64 r = rnd();

	switch (r & 7) {
	case 0:
		sysreg_write(ICC_PMR_EL1, r >> 8 & 0xff);
		break;
	case 1:
		sysreg_write(ICC_CTLR_EL1, r >> 8 & 2);
		break;
	case 2:
		sysreg_write(ICC_IGRPEN0_EL1, r >> 8 & 1);
		break;
	case 3:
		sysreg_write(ICC_IGRPEN1_EL1, r >> 8 & 1);
		break;
	case 4:
		sysreg_write(ICC_DIR_EL1, 32 + (r >> 8) % (32 * SPI_WORDS));
		break;
	default:
		take(r >> 8 & 1);
		break;
	}
	isb();
}

static void timer(void)
{
	u64 r = rnd();
	enum timer_kind k = r & 1 ? TIMER_VIRT : TIMER_PHYS;

	timer_set_cval(k, timer_now(k) + ticks_us(r >> 8 & 0x3ff));
	timer_set_ctl(k, r >> 32 & 3);
}

/*
 * Each CPU sets and clears the pending state of the SPIs of a word of its own, for CPU 0, which
 * takes none while its timer's line rises and falls: its list registers are filled anew all the
 * time, and now and then SPIs come and go during that.
 */
static void pull(u32 index)
{
	u64 at = dt.gicd + 4 * (1 + index % SPI_WORDS);
	u64 n;

	gic_cpu_init();
	for (n = dt_arg("pulls", 1000); n; n--) {
		write32(at + GIC_ISPENDR, PULLED);
		write32(at + GIC_ICPENDR, PULLED);
		__atomic_fetch_sub(&pulls_left, 1, __ATOMIC_RELEASE);
	}
}

static void pull_and_push(void)
{
	u64 before = 0, since = counter_virt(), left;
	u32 i;

	for (i = 1; i <= SPI_WORDS; i++)
		write32(dt.gicd + GIC_ISENABLER + 4 * i, PULLED);
	gic_enable(dt.ppi_phys);
	timer_set_cval(TIMER_PHYS, 0);
	pulls_left = (dt.cpu_count - 1) * dt_arg("pulls", 1000);
	for (i = 1; i < dt.cpu_count; i++)
		smp_start(i, pull);
	while ((left = __atomic_load_n(&pulls_left, __ATOMIC_ACQUIRE))) {
		timer_set_ctl(TIMER_PHYS, TIMER_ENABLE);
		timer_set_ctl(TIMER_PHYS, 0);
		if (left != before)
			since = counter_virt();
		before = left;
		if (counter_virt() - since > ticks_us(STUCK_US))
			test_abort("no CPU gets on");
	}
	for (i = 1; i < dt.cpu_count; i++)
		expect(smp_join(i, STUCK_US), "CPU %u did not end", i);
}

/* Whatever was done to its interface, an SGI from CPU 0 arrives. */
static void interface_open(void)
{
	sysreg_write(ICC_AP0R0_EL1, 0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
}

/* True: the CPU is to go off. */
static bool power(void)
{
	u64 r = rnd();

	switch (r & 15) {
	case 0:
		return true;
	case 1:
		write32(cpu_self()->gicr + GICR_WAKER, 2);
		psci_call(PSCI_CPU_SUSPEND, 0x10000, (u64)secondary_entry, (u64)cpu_self());
		break;
	case 2:
	case 3:
		interface_open();
		psci_call(PSCI_CPU_SUSPEND, 0, 0, 0);
		break;
	case 4:
	case 5:
	case 6:
		interface_open();
		asm volatile("wfi" ::: "memory");
		break;
	default:
		irq_enable();
		delay_us(r >> 8 & 31);
		irq_disable();
		break;
	}
	return false;
}

/* One operation; true: the CPU is to go off. */
static bool one(void)
{
	u64 r = rnd();

	switch (r & 15) {
	case 0:
	case 1:
		state(dt.gicr + 0x20000 * ((r >> 8) % dt.cpu_count) + GICR_SGI, 0);
		break;
	case 2:
		route();
		break;
	case 3:
		sgi();
		break;
	case 4:
	case 5:
		interface();
		break;
	case 6:
		timer();
		break;
	case 7:
		if (!(r >> 8 & 15))
			write32(dt.gicd + GICD_CTLR, r >> 16 & 3);
		if (!(r >> 20 & 7))
			write32(dt.gicr + 0x20000 * ((r >> 8) % dt.cpu_count) + GICR_WAKER,
				r >> 24 & 2);
		break;
	case 8:
		return cpu_self()->index && power();
	default:
		state(dt.gicd, 1 + (r >> 8) % SPI_WORDS);
		break;
	}
	return false;
}

static void storm(u32 index)
{
	cpu_self()->irq = on_irq;
	cpu_self()->fiq = on_fiq;
	gic_cpu_init();
	while (__atomic_load_n(&cpus[index].left, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&cpus[index].left, cpus[index].left - 1, __ATOMIC_RELEASE);
		if (one())
			return;
	}
	timer_set_ctl(TIMER_VIRT, 0);
	timer_set_ctl(TIMER_PHYS, 0);
}

/* If CPU i sleeps or is off, make it continue. */
static void revive(u32 i)
{
	u64 sgi_base = dt.gicr + 0x20000 * i + GICR_SGI;

	write32(dt.gicd + GICD_CTLR, 3);
	write8(sgi_base + GIC_IPRIORITYR + WAKE_SGI, 0);
	write32(sgi_base + GIC_ICACTIVER, 1u << WAKE_SGI);
	write32(sgi_base + GIC_ISENABLER, 1u << WAKE_SGI);
	write32(sgi_base + GIC_ISPENDR, 1u << WAKE_SGI);
	if (psci_call(PSCI_AFFINITY_INFO, gcpus[i].mpidr, 0, 0) == 1)
		smp_start(i, storm);
}

static u64 all_left(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 1; i < dt.cpu_count; i++)
		sum += __atomic_load_n(&cpus[i].left, __ATOMIC_ACQUIRE);
	return sum;
}

/* CPU 0 takes part, and makes sure that the others do. */
static void until_done(void)
{
	u64 before = 0, since = counter_virt(), left;
	u32 i, n;

	for (n = 0; (left = all_left()); n++) {
		if (left != before)
			since = counter_virt();
		before = left;
		if (counter_virt() - since > ticks_us(STUCK_US)) {
			for (i = 1; i < dt.cpu_count; i++)
				print("gicstorm: CPU %u: %lu left\n", i, cpus[i].left);
			test_abort("no CPU gets on");
		}
		(void)one();
		if (n % 32 == 0)
			revive(1 + n / 32 % (dt.cpu_count - 1));
	}
}

/* The last that CPU i did may have been to sleep, and CPU 0, which would have woken it, is done. */
static bool join(u32 i)
{
	u64 since = counter_virt();

	while (!smp_join(i, 1000)) {
		if (counter_virt() - since > ticks_us(STUCK_US))
			return false;
		revive(i);
	}
	return true;
}

static void usable(void)
{
	u32 i;

	interface_open();
	write32(dt.gicd + GICD_CTLR, 0);
	for (i = 1; i <= SPI_WORDS; i++) {
		write32(dt.gicd + GIC_ICENABLER + 4 * i, ~0u);
		write32(dt.gicd + GIC_ICPENDR + 4 * i, ~0u);
		write32(dt.gicd + GIC_ICACTIVER + 4 * i, ~0u);
		expect_eq(read32(dt.gicd + GIC_ISACTIVER + 4 * i), 0,
			  "GICD_ISACTIVER after GICD_ICACTIVER");
	}
	write32(cpu_self()->gicr + GICR_SGI + GIC_ICACTIVER, ~0u);
	write32(cpu_self()->gicr + GICR_SGI + GIC_ICPENDR, ~0u);
	timer_set_ctl(TIMER_VIRT, 0);
	timer_set_ctl(TIMER_PHYS, 0);
	gic_dist_init();
	gic_cpu_init();
	sysreg_write(ICC_CTLR_EL1, 0);
	isb();
	gic_enable(3);
	gic_enable(40);
	for (i = 0; i < 3; i++) {
		gic_sgi(3, cpu_self()->mpidr);
		expect_eq(gic_ack(), 3, "IAR after an SGI to itself");
		gic_eoi(3);
		gic_pend(40);
		expect_eq(gic_ack(), 40, "IAR after an SPI");
		gic_eoi(40);
	}
}

void guest_main(void)
{
	u64 taken = 0;
	u32 i;

	if (dt.cpu_count < 2)
		test_abort("two CPUs");
	for (i = 0; i < GUEST_CPUS_MAX; i++) {
		cpus[i].seed = dt_arg("seed", 1) << 8 | i;
		cpus[i].left = dt_arg("ops", 2000);
	}
	gic_dist_init();
	gic_cpu_init();
	for (i = 0; i < 32 * SPI_WORDS; i++)
		gic_set_edge(32 + i, i & 1);
	test_begin("pull");
	pull_and_push();
	test_begin("storm");
	for (i = 1; i < dt.cpu_count; i++)
		smp_start(i, storm);
	until_done();
	test_begin("usable");
	for (i = 1; i < dt.cpu_count; i++)
		expect(join(i), "CPU %u did not end", i);
	usable();
	for (i = 0; i < dt.cpu_count; i++)
		taken += cpus[i].taken;
	print("gicstorm: %lu interrupts taken\n", taken);
}
