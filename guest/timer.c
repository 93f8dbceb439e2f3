/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual and physical timers and the counters as a guest sees them. */
#include "lib/timer.h"

#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/mmu.h"
#include "lib/psci.h"
#include "lib/suite.h"

const char guest_name[] = "timer";

/*
 * The lateness that is a failure: late=US among the arguments, where time does not depend on the
 * host.
 */
static u64 late_us;

static u32 intid(enum timer_kind k)
{
	return k == TIMER_VIRT ? dt.ppi_virt : dt.ppi_phys;
}

static void before(void)
{
	u32 k;

	late_us = dt_arg("late", PATIENCE_US);
	irq_disable();
	gic_dist_init();
	gic_cpu_init();
	for (k = TIMER_VIRT; k <= TIMER_PHYS; k++) {
		timer_set_ctl(k, 0);
		gic_enable(intid(k));
	}
}

/* Wait for the timer's interrupt, due in due_us; false if it is late. */
static bool wait_ack(enum timer_kind k, u64 due_us)
{
	u64 start = counter_virt();

	while (counter_virt() - start < ticks_us(due_us + late_us)) {
		u32 id = gic_ack();

		if (id == intid(k))
			return true;
		expect_eq(id, INTID_SPURIOUS, "INTID");
	}
	return false;
}

static void on_time(enum timer_kind k)
{
	u32 i;

	for (i = 0; i < 20; i++) {
		u64 at = timer_now(k) + ticks_us(500 + 100 * i);

		timer_set_cval(k, at);
		timer_set_ctl(k, TIMER_ENABLE);
		expect(wait_ack(k, 500 + 100 * i), "did not fire");
		expect(timer_now(k) >= at, "fired %lu ticks early", at - timer_now(k));
		expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_ISTATUS, "CTL");
		timer_set_ctl(k, 0);
		gic_eoi(intid(k));
		expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after the timer was turned off");
	}
}

static void level(enum timer_kind k)
{
	u32 i;

	timer_set_cval(k, timer_now(k));
	timer_set_ctl(k, TIMER_ENABLE);
	for (i = 0; i < 3; i++) {
		expect(wait_ack(k, 0), "time %u: did not fire", i);
		expect_eq(gic_ack(), INTID_SPURIOUS, "IAR while active");
		gic_eoi(intid(k));
	}
	expect(gic_is_pending(intid(k)), "not pending while the line is high");
	timer_set_ctl(k, TIMER_ENABLE | TIMER_IMASK);
	expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS, "CTL");
	expect(!gic_is_pending(intid(k)), "still pending after IMASK");
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after IMASK");
	timer_set_ctl(k, TIMER_ENABLE);
	expect(wait_ack(k, 0), "did not fire again after IMASK went");
	timer_set_cval(k, ~0UL);
	gic_eoi(intid(k));
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after CVAL went to the far future");
	expect_eq(timer_ctl(k), TIMER_ENABLE, "CTL");
}

static void masked(enum timer_kind k)
{
	u64 at = timer_now(k) + ticks_us(1000), ctl;

	timer_set_cval(k, at);
	timer_set_ctl(k, TIMER_ENABLE | TIMER_IMASK);
	ctl = timer_ctl(k);
	if (timer_now(k) < at)
		expect_eq(ctl, TIMER_ENABLE | TIMER_IMASK, "CTL before");
	/* An emulated machine may notice late. */
	while (timer_ctl(k) != (TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS) &&
	       timer_now(k) < at + ticks_us(late_us))
		cpu_relax();
	expect(timer_now(k) >= at, "ISTATUS is early");
	expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_IMASK | TIMER_ISTATUS, "CTL after");
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR");
}

static void far_and_past(enum timer_kind k)
{
	static const u64 far[] = { ~0UL, ~0UL >> 1, 1UL << 62, 1UL << 56 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(far); i++) {
		timer_set_cval(k, far[i]);
		expect_eq(timer_cval(k), far[i], "CVAL");
		timer_set_ctl(k, TIMER_ENABLE);
		delay_us(2000);
		expect_eq(timer_ctl(k), TIMER_ENABLE, "CTL");
		expect_eq(gic_ack(), INTID_SPURIOUS, "IAR");
	}
	timer_set_cval(k, 0);
	expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_ISTATUS, "CTL with CVAL 0");
	expect(wait_ack(k, 0), "did not fire with CVAL 0");
	timer_set_ctl(k, 0);
	gic_eoi(intid(k));
}

static void tval(enum timer_kind k)
{
	u64 a = timer_now(k), b, c;

	timer_set_tval(k, 1000000);
	b = timer_now(k);
	c = timer_cval(k);
	expect(c >= a + 1000000 && c <= b + 1000000, "CVAL from TVAL 1000000: %ld ticks from now",
	       (long)(c - b));
	a = timer_tval(k);
	expect(a <= 1000000 || (s32)a < 0, "TVAL grew: 0x%lx", a);
	timer_set_tval(k, 0xffffffff);
	b = timer_now(k);
	expect(timer_cval(k) < b, "TVAL -1 is not in the past");
	timer_set_ctl(k, TIMER_ENABLE);
	expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_ISTATUS, "CTL with TVAL -1");
	expect(wait_ack(k, 0), "did not fire with TVAL -1");
	timer_set_ctl(k, 0);
	gic_eoi(intid(k));
	timer_set_cval(k, timer_now(k) + 0x123400000000);
	a = timer_tval(k);
	expect(!(a >> 32), "TVAL has more than 32 bits: 0x%lx", a);
}

static volatile u32 ticks;
static enum timer_kind tick_kind;
static u64 tick_at, tick_period;

static void on_tick(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	expect(timer_now(tick_kind) >= tick_at, "tick %u is early", ticks);
	tick_at += tick_period;
	timer_set_cval(tick_kind, tick_at);
	ticks = ticks + 1;
	gic_eoi(id);
}

/* A tick every millisecond, with WFI in between: none may be lost. */
static void periodic(enum timer_kind k)
{
	u64 start = timer_now(k), took;

	ticks = 0;
	tick_kind = k;
	tick_period = ticks_us(1000);
	tick_at = start + tick_period;
	cpu_self()->irq = on_tick;
	timer_set_cval(k, tick_at);
	timer_set_ctl(k, TIMER_ENABLE);
	while (ticks < 100 && timer_now(k) - start < ticks_us(2 * late_us + 1000000)) {
		wfi();
		irq_enable();
		isb();
		irq_disable();
	}
	timer_set_ctl(k, 0);
	took = timer_now(k) - start;
	expect(ticks >= 100, "only %u of 100 ticks", ticks);
	expect(took >= ticks * tick_period, "%u ticks of 1 ms took %lu us", ticks,
	       took / ticks_us(1));
}

/* ---- a condition that ends before the interrupt is acknowledged: it is no longer pending ---- */

enum hold { HOLD_DISABLED, HOLD_CTLR, HOLD_GROUP_OFF, HOLD_PMR, HOLD_PSTATE, HOLDS };
enum fall { FALL_ENABLE, FALL_IMASK, FALL_CVAL, FALL_TVAL, FALLS };

/* Mask the interrupt at the GIC, or unmask it. PSTATE.I is set all the time. */
static void hold_set(enum hold how, u32 id, bool on)
{
	switch (how) {
	case HOLD_DISABLED:
		(on ? gic_disable : gic_enable)(id);
		break;
	case HOLD_CTLR:
		write32(dt.gicd, GICD_CTLR_ARE | GICD_CTLR_GRP0 | (on ? 0 : GICD_CTLR_GRP1));
		gic_wait_rwp();
		break;
	case HOLD_GROUP_OFF:
		sysreg_write(ICC_IGRPEN1_EL1, !on);
		isb();
		break;
	case HOLD_PMR:
		gic_set_pmr(on ? 0x80 : 0xff);
		break;
	default:
		break;
	}
}

static void fall(enum fall how, enum timer_kind k)
{
	switch (how) {
	case FALL_ENABLE:
		timer_set_ctl(k, 0);
		break;
	case FALL_IMASK:
		timer_set_ctl(k, TIMER_ENABLE | TIMER_IMASK);
		break;
	case FALL_CVAL:
		timer_set_cval(k, ~0UL);
		break;
	default:
		timer_set_tval(k, 0x7fffffff);
		break;
	}
}

static void gone_one(enum timer_kind k, enum hold hold, enum fall how, bool leave)
{
	u32 id = intid(k), ack;

	hold_set(hold, id, true);
	timer_set_cval(k, timer_now(k));
	timer_set_ctl(k, TIMER_ENABLE);
	delay_us(200);
	if (leave)
		expect(gic_is_pending(id), "%u %u: not pending", hold, how);
	fall(how, k);
	if (leave)
		expect(!gic_is_pending(id), "%u %u: pending without a condition", hold, how);
	hold_set(hold, id, false);
	if (leave)
		psci_call(PSCI_VERSION, 0, 0, 0);
	ack = gic_ack();
	expect(ack == INTID_SPURIOUS, "%u %u: IAR is %u", hold, how, ack);
	/* It becomes pending again with its condition. */
	timer_set_cval(k, timer_now(k));
	timer_set_ctl(k, TIMER_ENABLE);
	expect(wait_ack(k, 0), "%u %u: did not fire again", hold, how);
	timer_set_ctl(k, 0);
	gic_eoi(id);
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after the end");
}

static void gone(enum timer_kind k)
{
	u32 hold, how;

	for (hold = 0; hold < HOLDS; hold++)
		for (how = 0; how < FALLS; how++)
			gone_one(k, hold, how, true);
}

/* Set pending by software, it stays pending without the condition. */
static void gone_latched(enum timer_kind k)
{
	u32 id = intid(k);

	timer_set_cval(k, timer_now(k));
	timer_set_ctl(k, TIMER_ENABLE);
	delay_us(200);
	gic_pend(id);
	timer_set_ctl(k, 0);
	expect(gic_is_pending(id), "no longer pending by ISPENDR");
	expect(wait_ack(k, 0), "not acknowledged");
	expect(!gic_is_pending(id), "pending while active");
	gic_eoi(id);
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR");
}

/* It wakes nobody: what was pending while the group was off is gone when the group is on again. */
static void gone_asleep(enum timer_kind k)
{
	enum timer_kind other = k == TIMER_VIRT ? TIMER_PHYS : TIMER_VIRT;
	u64 at;

	gic_disable(intid(k));
	timer_set_cval(k, timer_now(k));
	timer_set_ctl(k, TIMER_ENABLE);
	delay_us(200);
	timer_set_ctl(k, 0);
	gic_enable(intid(k));
	at = timer_now(other) + ticks_us(20000);
	timer_set_cval(other, at);
	timer_set_ctl(other, TIMER_ENABLE);
	wfi();
	/* WFI may end early, but not because of this interrupt. */
	while (timer_now(other) < at)
		expect_eq(gic_ack(), INTID_SPURIOUS, "IAR after WFI");
	expect(wait_ack(other, 0), "the other timer did not fire");
	timer_set_ctl(other, 0);
	gic_eoi(intid(other));
}

#define BOTH(name)                                                                                 \
	static void virt_##name(void)                                                              \
	{                                                                                          \
		name(TIMER_VIRT);                                                                  \
	}                                                                                          \
	static void phys_##name(void)                                                              \
	{                                                                                          \
		name(TIMER_PHYS);                                                                  \
	}
BOTH(on_time)
BOTH(level)
BOTH(masked)
BOTH(far_and_past)
BOTH(tval)
BOTH(periodic)
BOTH(gone)
BOTH(gone_latched)
BOTH(gone_asleep)

/*
 * The physical timer fires, and the virtual one apart_us later. False if this CPU ran too late to
 * tell.
 */
static bool both_apart(u64 apart_us)
{
	u64 v = timer_now(TIMER_VIRT) + ticks_us(1500 + apart_us),
	    p = timer_now(TIMER_PHYS) + ticks_us(1500);
	u32 id;

	timer_set_cval(TIMER_VIRT, v);
	timer_set_cval(TIMER_PHYS, p);
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	timer_set_ctl(TIMER_PHYS, TIMER_ENABLE);
	do
		id = gic_ack();
	while (id == INTID_SPURIOUS && timer_now(TIMER_VIRT) < v + ticks_us(late_us));
	timer_set_ctl(id == dt.ppi_virt ? TIMER_VIRT : TIMER_PHYS, 0);
	gic_eoi(id);
	if (id == dt.ppi_virt && timer_now(TIMER_VIRT) >= v) {
		timer_set_ctl(TIMER_PHYS, 0);
		return false;
	}
	expect_eq(id, dt.ppi_phys, "INTID");
	expect(wait_ack(TIMER_VIRT, apart_us), "the virtual timer did not fire");
	expect_eq(gic_ack(), INTID_SPURIOUS, "IAR");
	timer_set_ctl(TIMER_VIRT, 0);
	gic_eoi(dt.ppi_virt);
	return true;
}

static void test_both(void)
{
	u64 apart = 1500;
	u32 n;

	gic_set_priority(dt.ppi_virt, 0x40);
	/*
	 * If both had expired before the interrupts were read, the virtual one comes first: then
	 * once more, with more time between them.
	 */
	for (n = 0; n < 8; n++, apart *= 4)
		if (both_apart(apart))
			return;
	test_fail("the physical timer did not fire first");
}

static void test_wfi(void)
{
	u64 at;
	u32 i;

	for (i = 0; i < 10; i++) {
		at = counter_virt() + ticks_us(3000);
		timer_set_cval(TIMER_VIRT, at);
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		while (!(timer_ctl(TIMER_VIRT) & TIMER_ISTATUS))
			wfi();
		expect(counter_virt() >= at, "woke early with ISTATUS set");
		expect(counter_virt() < at + ticks_us(late_us), "woke %lu us late",
		       (counter_virt() - at) / ticks_us(1));
		timer_set_ctl(TIMER_VIRT, 0);
	}
}

static void test_counters(void)
{
	u64 v0 = counter_virt(), p0 = counter_phys(), v1 = counter_virt(), v2, p2, v3, i, v,
	    last = v1;

	for (i = 0; i < 100000; i++) {
		v = counter_virt();
		expect(v >= last, "CNTVCT went back by %lu", last - v);
		last = v;
	}
	last = counter_phys();
	for (i = 0; i < 20000; i++) {
		v = counter_phys();
		expect(v >= last, "CNTPCT went back by %lu", last - v);
		last = v;
	}
	delay_us(10000);
	/* One between two reads of the other, each time: how long that took does not matter. */
	v2 = counter_virt();
	p2 = counter_phys();
	v3 = counter_virt();
	expect(p2 - p0 >= v2 - v1 && p2 - p0 <= v3 - v0, "CNTVCT advanced %lu to %lu, CNTPCT %lu",
	       v2 - v1, v3 - v0, p2 - p0);
}

static struct spinlock time_lock;
static u64 time_last;

static void across(u32 index)
{
	u32 i;

	for (i = 0; i < 20000; i++) {
		u64 now;

		spin_lock(&time_lock);
		now = counter_virt();
		if (now < time_last)
			test_fail("CPU %u: CNTVCT is %lu behind another CPU's", index,
				  time_last - now);
		time_last = now;
		spin_unlock(&time_lock);
	}
}

static void test_across(void)
{
	time_last = 0;
	smp_run_all(across, PATIENCE_US);
}

static u64 frequency; /* CPU 0's */

static void each_cpu(u32 index)
{
	u64 at;

	gic_cpu_init();
	gic_enable(dt.ppi_virt);
	at = counter_virt() + ticks_us(2000);
	timer_set_cval(TIMER_VIRT, at);
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	if (!wait_ack(TIMER_VIRT, 2000))
		test_fail("CPU %u: did not fire", index);
	timer_set_ctl(TIMER_VIRT, 0);
	gic_eoi(dt.ppi_virt);
	expect_eq(sysreg_read(CNTFRQ_EL0), frequency, "CNTFRQ");
}

static void test_each_cpu(void)
{
	frequency = sysreg_read(CNTFRQ_EL0);
	smp_run_all(each_cpu, PATIENCE_US);
}

extern const char el0_counter[];
asm(".pushsection .text\n"
    "el0_counter: mrs x0, cntvct_el0\n\tsvc #1\n"
    ".popsection");

/* The guest may set CNTKCTL_EL1.EL0VCTEN. */
static void test_el0(void)
{
	struct frame f = { .elr = MMU_EL0 + (u64)el0_counter, .spsr = 0x3c0 };

	sysreg_write(CNTKCTL_EL1, 2);
	el0_run(&f);
	expect_eq(ESR_EC(f.esr), EC_SVC, "EC with EL0VCTEN");
	f.elr = MMU_EL0 + (u64)el0_counter;
	f.spsr = 0x3c0;
	sysreg_write(CNTKCTL_EL1, 0);
	isb();
	el0_run(&f);
	expect_eq(ESR_EC(f.esr), EC_SYS, "EC without EL0VCTEN");
}

static const struct suite_test tests[] = {
	{ "counters", test_counters, 1 },
	{ "virt_on_time", virt_on_time, 1 },
	{ "phys_on_time", phys_on_time, 1 },
	{ "virt_level", virt_level, 1 },
	{ "phys_level", phys_level, 1 },
	{ "virt_masked", virt_masked, 1 },
	{ "phys_masked", phys_masked, 1 },
	{ "virt_far_and_past", virt_far_and_past, 1 },
	{ "phys_far_and_past", phys_far_and_past, 1 },
	{ "virt_tval", virt_tval, 1 },
	{ "phys_tval", phys_tval, 1 },
	{ "virt_periodic", virt_periodic, 1 },
	{ "phys_periodic", phys_periodic, 1 },
	{ "virt_gone", virt_gone, 1 },
	{ "phys_gone", phys_gone, 1 },
	{ "virt_gone_latched", virt_gone_latched, 1 },
	{ "phys_gone_latched", phys_gone_latched, 1 },
	{ "virt_gone_asleep", virt_gone_asleep, 1 },
	{ "phys_gone_asleep", phys_gone_asleep, 1 },
	{ "both", test_both, 1 },
	{ "wfi", test_wfi, 1 },
	{ "el0", test_el0, 1 },
	{ "monotonic_across_cpus", test_across, 2 },
	{ "each_cpu", test_each_cpu, 2 },
};

void guest_main(void)
{
	suite_run(tests, ARRAY_SIZE(tests), before);
}
