/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operations of the hypervisor cost, in counter ticks: instructions under -icount
 * shift=0,sleep=off. Prints "bench: NAME N" like guest/bench.c. hvcs=N: so many HVCs for the first
 * row; until_key=1: then more of them until its UART has received something.
 */
#include "hyp.h"

#include "mmu.h"
#include "timer.h"

#define WARM 16
#define LOOPS 200
#define PAGES 16
#define TIMER_TICKS 20000
#define UARTFR 0x18
#define UARTFR_RXFE BIT(4)

/* bench.S */
extern const char bench_hvc[], bench_svc[];
void bench_run(u64 n, u64 elr, u64 spsr);

static void report(const char *name, u64 ticks, u64 n)
{
	print("bench: %s %lu\n", name, (ticks + n / 2) / n);
}

static void l2_mode(struct l2 *l)
{
	l2_load(l);
	sysreg_write(VTCR_EL2, l->vtcr);
	sysreg_write(VTTBR_EL2, l->vttbr);
	sysreg_write(HCR_EL2, l->hcr);
	isb();
}

static void host_mode(void)
{
	sysreg_write(VBAR_EL2, own_vectors());
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}

/* HVCs of L2 until somebody has pressed a key. */
static void until_key(struct l2 *l)
{
	l2_mode(l);
	while (read32(dt.uart + UARTFR) & UARTFR_RXFE)
		bench_run(LOOPS, l2_address(bench_hvc), SPSR_EL1H);
	host_mode();
}

/*
 * Round trips that a handler of three instructions answers; the instructions of both sides are in
 * the figure.
 */
static void round_trips(struct l2 *l)
{
	u64 hvcs = dt_arg("hvcs", LOOPS), t;

	l2_mode(l);
	bench_run(WARM, l2_address(bench_hvc), SPSR_EL1H);
	t = counter_phys();
	bench_run(hvcs, l2_address(bench_hvc), SPSR_EL1H);
	t = counter_phys() - t;
	host_mode();
	report("l2_hvc", t, hvcs);
	if (dt_arg("until_key", 0))
		until_key(l);
	if (e2h0)
		return;
	bench_run(WARM, MMU_EL0 + (u64)bench_svc, SPSR_EL0T);
	t = counter_phys();
	bench_run(LOOPS, MMU_EL0 + (u64)bench_svc, SPSR_EL0T);
	t = counter_phys() - t;
	host_mode();
	report("host_el0_svc", t, LOOPS);
}

static u64 l2_hvc_loop(u64 n, u64 b, u64 c)
{
	(void)b;
	(void)c;
	while (n--)
		l2_hvc(1);
	return 0;
}

/* The same by l2_run(), which writes every control each time. */
static void full(struct l2 *l)
{
	u64 t, i;

	l2_call(l, l2_hvc_loop, WARM + LOOPS, 0, 0);
	for (i = 0; i < WARM; i++)
		l2_run(l);
	t = counter_phys();
	for (i = 0; i < LOOPS; i++)
		l2_run(l);
	report("l2_hvc_all_controls", counter_phys() - t, LOOPS);
	l2_finish(l);
}

/*
 * With HCR_EL2.IMO = 0 L2 has the CPU's own interrupts, and the hypervisor takes no part in its
 * timer: between the timer and L2's handler there is the machine alone.
 */
static volatile u64 fired;

static void l2_timer_irq(struct frame *f)
{
	u32 id;

	(void)f;
	fired = counter_virt();
	timer_set_ctl(TIMER_VIRT, 0);
	id = gic_ack();
	if (id != INTID_SPURIOUS)
		gic_eoi(id);
}

/* From expiry to the handler, n times; sleep: out of WFI. */
static u64 l2_timer_loop(u64 n, u64 sleep, u64 c)
{
	u64 sum = 0;

	(void)c;
	cpu_self()->irq = l2_timer_irq;
	while (n--) {
		u64 at = timer_now(TIMER_VIRT) + TIMER_TICKS;

		fired = 0;
		timer_set_cval(TIMER_VIRT, at);
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		if (sleep)
			wfi();
		irq_enable();
		while (!fired)
			;
		irq_disable();
		sum += fired - at;
	}
	return sum;
}

static void l2_own_timer(struct l2 *l)
{
	gic_enable(dt.ppi_virt);
	l->hcr &= ~(HCR_IMO | HCR_FMO);
	l2_run_fn(l, l2_timer_loop, WARM, 0, 0);
	report("l2_timer", l2_run_fn(l, l2_timer_loop, LOOPS, 0, 0), LOOPS);
	report("l2_wfi", l2_run_fn(l, l2_timer_loop, LOOPS, 1, 0), LOOPS);
	l->hcr = HCR_L2;
	gic_disable(dt.ppi_virt);
}

static u64 l2_pages(u64 va, u64 n, u64 c)
{
	u64 i, t = counter_phys();

	(void)c;
	for (i = 0; i < n; i++)
		*(volatile u64 *)(va + i * 4096);
	return counter_phys() - t;
}

static void inside_l2(struct l2 *l)
{
	u64 i, t, sum = 0;

	l2_own_timer(l);
	for (i = 0; i < PAGES; i++)
		stage2_map(l, L2_SPACE + i * 4096, (u64)_head + i * 4096, 3, S2_MEMORY);
	for (i = 0; i < 20; i++) {
		stage2_flush(l);
		t = l2_run_fn(l, l2_pages, L2_SPACE, PAGES, 0);
		if (i >= 4)
			sum += t;
	}
	report("l2_page_after_flush", sum, 16 * PAGES);
	l2_run_fn(l, l2_pages, L2_SPACE, PAGES, 0);
	report("l2_page_warm", l2_run_fn(l, l2_pages, L2_SPACE, PAGES, 0), PAGES);
}

/* EL2 registers, which trap or do not where EL2 is virtual. */
static void registers(void)
{
	u64 t, i;

#define MEASURE(name, access)                                                                      \
	do {                                                                                       \
		t = counter_phys();                                                                \
		for (i = 0; i < LOOPS; i++)                                                        \
			access;                                                                    \
		report(name, counter_phys() - t, LOOPS);                                           \
	} while (0)
	MEASURE("read_hpfar_el2", (void)sysreg_read(HPFAR_EL2));
	MEASURE("write_vbar_el2", sysreg_write(VBAR_EL2, (u64)vectors));
	sysreg_write(VBAR_EL2, own_vectors());
	MEASURE("read_esr_el2", (void)sysreg_read(ESR_EL2));
	MEASURE("write_vttbr_el2", sysreg_write(VTTBR_EL2, 0));
	if (e2h0)
		MEASURE("read_elr_el1", (void)sysreg_read(ELR_EL1));
	else
		MEASURE("read_elr_el12", (void)sysreg_read(ELR_EL12));
	MEASURE("write_cnthctl_el2", sysreg_write(CNTHCTL_EL2, 0xc03));
	sysreg_write(CNTHCTL_EL2, cnthctl_format(0xc03));
	MEASURE("tlbi_vmalls12e1is", asm volatile("tlbi vmalls12e1is" ::: "memory"));
#undef MEASURE
}

void group_bench(void)
{
	struct l2 *l = &l2s[0];

	check_begin("bench", "L2 boots");
	l2_reset(l, 1);
	round_trips(l);
	full(l);
	inside_l2(l);
	registers();
}
