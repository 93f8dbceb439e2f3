/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operations cost, in counter ticks; under -icount shift=0,sleep=off a tick is an
 * instruction and the figures are the same every time. Prints "bench: NAME TICKS". With "switch"
 * on the command line it measures what two vcpus on one CPU cost each other; else what one or two
 * vcpus with CPUs of their own cost. "only NAME... n=COUNT", "only NAME=COUNT...": those operations
 * alone, so many times; what two such runs differ by is what the operations between their counts
 * did. "vmm": the UART is a VMM's. "median": see samples. bench-el2 is the same program at EL2.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/mark.h"
#include "lib/psci.h"
#include "lib/suite.h"
#include "lib/timer.h"

const char guest_name[] = "bench";

#define WARM 16
#define LOOPS 200

static u32 loops;

/*
 * Durations of single operations. With "median" on the command line their median is the figure,
 * else the mean: a Linux below that does other things now and then is not part of the operation.
 */
#define SAMPLES_MAX 4096

static struct {
	u32 count;
	u64 sum;
	u64 ticks[SAMPLES_MAX];
} samples;

/* bench.S */
extern const char bench_vectors[];
extern u64 mmio_address;
void op_empty(void);
void op_hvc_version(void);
void op_smc_version(void);
void op_eoi(void);
void op_read_id(void);
void op_fp(void);
u64 op_vl(void);
void op_tlbi(void);
void op_eret_el2(void);
void op_fp_hvc_version(void);
void op_fp_smc_version(void);
void op_mmio_read(void);
void op_fp_mmio_read(void);

/* Whether this operation is to be measured. */
static bool wanted(const char *name)
{
	return !dt_flag("only") || dt_flag(name);
}

/* How many times to run it: 0 not at all. */
static u64 times(const char *name)
{
	return wanted(name) ? dt_arg(name, loops) : 0;
}

static void report(const char *name, u64 ticks)
{
	print("bench: %s %lu\n", name, ticks);
}

static void samples_begin(void)
{
	samples.count = 0;
	samples.sum = 0;
}

static void sample(u64 ticks)
{
	if (samples.count < SAMPLES_MAX)
		samples.ticks[samples.count] = ticks;
	samples.count++;
	samples.sum += ticks;
}

/* The median of the samples. */
static u64 median(void)
{
	u32 n = MIN(samples.count, (u32)SAMPLES_MAX), i, j;

	for (i = 1; i < n; i++) {
		u64 v = samples.ticks[i];

		for (j = i; j && samples.ticks[j - 1] > v; j--)
			samples.ticks[j] = samples.ticks[j - 1];
		samples.ticks[j] = v;
	}
	return samples.ticks[n / 2];
}

/* Report what the samples give. A mark ends what bench/plugin counts. */
static void report_samples(const char *name)
{
	u64 n = samples.count;

	mark_end();
	report(name, dt_flag("median") ? median() : (samples.sum + n / 2) / n);
}

static __attribute__((noinline)) u64 loop(void (*op)(void), u32 n)
{
	u64 start = counter_virt();

	while (n--)
		op();
	return counter_virt() - start;
}

/* Time n calls after WARM unmeasured ones, less the cost of an empty call. */
static void measure(const char *name, void (*op)(void))
{
	u64 empty, n = times(name);

	if (!n)
		return;
	loop(op_empty, WARM);
	empty = loop(op_empty, 1);
	loop(op, WARM);
	samples_begin();
	mark_begin();
	while (n--)
		sample(loop(op, 1) - empty);
	report_samples(name);
}

static void measure_mmio(const char *name, u64 address)
{
	mmio_address = address;
	measure(name, op_mmio_read);
}

static volatile u32 irqs;
static u64 vector_time;

/* EL2's timers, which with VHE have the names of EL1's, have interrupts of their own. */
#define PPI_VIRT_EL2 28u
#define PPI_PHYS_EL2 26u

static bool at_el2(void)
{
	return sysreg_read(CurrentEL) == 2 << 2;
}

static u32 ppi_virt, ppi_phys;

static void choose_timers(void)
{
	ppi_virt = at_el2() ? PPI_VIRT_EL2 : dt.ppi_virt;
	ppi_phys = at_el2() ? PPI_PHYS_EL2 : dt.ppi_phys;
}

static void on_irq(struct frame *f)
{
	u32 id;

	(void)f;
	vector_time = sysreg_read(TPIDRRO_EL0);
	id = gic_ack();
	if (id == INTID_SPURIOUS)
		return;
	if (id == ppi_virt)
		timer_set_ctl(TIMER_VIRT, 0);
	if (id == ppi_phys)
		timer_set_ctl(TIMER_PHYS, 0);
	gic_eoi(id);
	irqs = irqs + 1;
}

static void cpu_init(void)
{
	sysreg_write(VBAR_EL1, (u64)bench_vectors);
	isb();
	/*
	 * Group 1 ahead of Group 0: with Group 0 alone enabled QEMU 10.0 raises
	 * ICH_MISR_EL2.VGrp0D, which looks at VENG1 there, as long as Linux/KVM waits for VGrp0D,
	 * and the vcpu makes no progress.
	 */
	sysreg_write(ICC_SRE_EL1, 7);
	isb();
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	gic_enable(1);
	gic_enable(2);
	gic_enable(ppi_virt);
	gic_enable(ppi_phys);
}

/* From a timer's expiry to the vector; 10 ms away, while the guest spins or sleeps. */
static void timer_latency(const char *name, enum timer_kind k, bool sleep)
{
	u64 n = MIN(times(name), 100UL), i;

	if (!n)
		return;
	samples_begin();
	for (i = 0; i < WARM + n; i++) {
		u64 at = timer_now(k) + ticks_us(10000), seen = irqs;
		u64 skew = counter_phys() - counter_virt();

		timer_set_cval(k, at);
		timer_set_ctl(k, TIMER_ENABLE);
		if (sleep) {
			while (irqs == seen) {
				wfi();
				irq_enable();
				isb();
				irq_disable();
			}
		} else {
			irq_enable();
			while (irqs == seen)
				;
			irq_disable();
		}
		if (i >= WARM)
			sample(vector_time - (k == TIMER_VIRT ? at : at - skew));
		else if (i == WARM - 1)
			mark_begin();
	}
	report_samples(name);
}

/* Send an interrupt to this CPU, take it and end it. */
static void sgi_self(void)
{
	u64 n = times("ipi_self"), i;

	if (!n)
		return;
	samples_begin();
	irq_enable();
	for (i = 0; i < WARM + n; i++) {
		u64 start = counter_virt(), seen = irqs;

		gic_sgi(1, cpu_self()->mpidr);
		while (irqs == seen)
			;
		if (i >= WARM)
			sample(counter_virt() - start);
		else if (i == WARM - 1)
			mark_begin();
	}
	irq_disable();
	report_samples("ipi_self");
}

static u32 acked, quit, up;

static void ack_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	__atomic_fetch_add(&acked, 1, __ATOMIC_RELEASE);
	if (id != INTID_SPURIOUS)
		gic_eoi(id);
}

static void partner(u32 sleep)
{
	cpu_init();
	cpu_self()->irq = ack_irq;
	irq_enable();
	__atomic_store_n(&up, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&quit, __ATOMIC_ACQUIRE)) {
		if (sleep)
			wfi();
		else
			cpu_relax();
	}
	irq_disable();
}

static void partner_runs(u32 index)
{
	(void)index;
	partner(0);
}
static void partner_sleeps(u32 index)
{
	(void)index;
	partner(1);
}

static bool start_partner(void (*fn)(u32 index))
{
	quit = up = acked = 0;
	if (dt.cpu_count < 2 || smp_start(1, fn))
		return false;
	while (!__atomic_load_n(&up, __ATOMIC_ACQUIRE))
		cpu_relax();
	delay_us(100);
	return true;
}

static void stop_partner(void)
{
	__atomic_store_n(&quit, 1, __ATOMIC_RELEASE);
	gic_sgi(1, gcpus[1].mpidr);
	if (!smp_join(1, PATIENCE_US))
		test_abort("CPU 1 does not end");
}

/* From sending an SGI to CPU 1 until its handler has acknowledged it. */
static void ipi(const char *name, void (*fn)(u32 index))
{
	u64 n = times(name), i;

	if (!n || !start_partner(fn))
		return;
	samples_begin();
	for (i = 1; i <= WARM + n; i++) {
		u64 start;

		delay_us(20); /* let CPU 1 settle */
		start = counter_virt();
		gic_sgi(1, gcpus[1].mpidr);
		while (__atomic_load_n(&acked, __ATOMIC_ACQUIRE) < i)
			cpu_relax();
		if (i > WARM)
			sample(counter_virt() - start);
		else if (i == WARM)
			mark_begin();
	}
	report_samples(name);
	stop_partner();
}

/*
 * Two vcpus on one CPU hand it to each other by SGI and WFI; fp: each uses its FP registers before
 * it does.
 */
static bool use_fp[2];

static void pong_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	gic_eoi(id);
	if (use_fp[1])
		op_fp();
	gic_sgi(2, gcpus[0].mpidr);
}

static void pong(u32 index)
{
	(void)index;
	cpu_init();
	sysreg_write(CPACR_EL1, 3UL << 20);
	isb();
	cpu_self()->irq = pong_irq;
	__atomic_store_n(&up, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&quit, __ATOMIC_ACQUIRE)) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

static void sleep_until(u32 n)
{
	while (irqs < n) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
}

static void pingpong(const char *name, const char *trap_name, bool fp0, bool fp1)
{
	u64 sum = 0, trap = 0, i, empty = loop(op_empty, 1);

	use_fp[0] = fp0;
	use_fp[1] = fp1;
	if (!wanted(name) || !start_partner(pong))
		return;
	for (i = 0; i < WARM + loops; i++) {
		u64 start = counter_virt();
		u32 n = irqs + 1;

		gic_sgi(1, gcpus[1].mpidr);
		sleep_until(n);
		if (i >= WARM)
			sum += counter_virt() - start;
		start = fp0 ? loop(op_fp, 1) : empty;
		if (i >= WARM)
			trap += start - empty;
	}
	report(name, (sum + loops) / (2 * loops));
	if (trap_name)
		report(trap_name, (trap + loops / 2) / loops);
	stop_partner();
}

static void bench_switch(void)
{
	sysreg_write(CPACR_EL1, 3UL << 20);
	isb();
	pingpong("vcpu_switch", NULL, false, false);
	pingpong("vcpu_switch_fp_one", "fp_trap_alone", true, false);
	pingpong("vcpu_switch_fp_both", "fp_trap", true, true);
}

/* Touch a page, for each sample another one, away from the program and its device tree. */
static void page_touch(void)
{
	u64 p = dt.ram + dt.ram_size / 2, n = times("page_touch");

	if (!n)
		return;
	samples_begin();
	mark_begin();
	for (; n-- && p + 4096 <= dt.ram + dt.ram_size; p += 4096) {
		u64 start = counter_virt();

		write64(p, n);
		sample(counter_virt() - start);
	}
	report_samples("page_touch");
}

/*
 * The same with FP registers in use, at full length where there is SVE, so that whoever runs in
 * between must preserve them.
 */
static void bench_fp(void)
{
	u64 bits = 128;

	sysreg_write(CPACR_EL1, 3UL << 20 | 3UL << 16);
	isb();
	if (FIELD(sysreg_read(ID_AA64PFR0_EL1), 35, 32)) {
		sysreg_write(ZCR_EL1, 15);
		isb();
		bits = op_vl() * 8;
	}
	report("vl", bits);
	measure("hyp_call_fp", dt.psci_smc ? op_fp_smc_version : op_fp_hvc_version);
	mmio_address = dt.uart + 0x18;
	measure(dt_flag("vmm") ? "mmio_read_user_fp" : "mmio_read_uart_fp", op_fp_mmio_read);
	sysreg_write(CPACR_EL1, 0);
	isb();
}

static void bench_one(void)
{
	/* UNDEFINED, or the wrong conduit, would be measured as an exception: try it first. */
	measure("hyp_call", dt.psci_smc ? op_smc_version : op_hvc_version);
	measure_mmio("mmio_read_vgic", dt.gicd + GICD_IIDR);
	measure_mmio("mmio_read_gicr", cpu_self()->gicr + GICR_IIDR);
	/* "vmm": the UART is one of the VMM's, not of the hypervisor's. */
	measure_mmio(dt_flag("vmm") ? "mmio_read_user" : "mmio_read_uart", dt.uart + 0x18);
	measure("eoi", op_eoi);
	measure("sysreg_read_id", op_read_id);
	measure("tlbi", op_tlbi);
	if (at_el2())
		measure("eret_vel2", op_eret_el2);
	sgi_self();
	timer_latency("timer_10ms", TIMER_VIRT, false);
	timer_latency("timer_10ms_wfi", TIMER_VIRT, true);
	timer_latency("timer_10ms_phys", TIMER_PHYS, false);
	ipi("ipi", partner_runs);
	ipi("ipi_wfi", partner_sleeps);
	bench_fp();
	page_touch();
}

void guest_main(void)
{
	loops = (u32)MAX(dt_arg("n", LOOPS), 1UL);
	mark_start();
	choose_timers();
	gic_dist_init();
	cpu_init();
	if (!dt.psci_smc && psci_call(SMCCC_VERSION, 0, 0, 0) < 0)
		print("bench: SMCCC_VERSION is unknown here: hyp_call measures the answer -1\n");
	test_begin("bench");
	if (dt_flag("switch"))
		bench_switch();
	else
		bench_one();
	if (dt_flag("only"))
		report("elapsed", counter_virt());
}
