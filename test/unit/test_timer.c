/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software timers: order, the comparator, cancelling from another CPU, re-arming in the function,
 * the far end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "state/cpu.h"
#include "vtimer/vtimer.h"

struct cpu cpus[MAX_CPUS];

struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

#define TIMERS 6
static struct timer timers[TIMERS];
static int fired[64];
static unsigned fired_count;
static u64 rearm_step;

static void on_timer(struct timer *t)
{
	assert_null(t->cpu); /* not armed any more while its function runs */
	assert_int_equal(cpu_this()->hw.timer_lock.held, 0);
	assert_true(fired_count < 64);
	fired[fired_count++] = (int)(t - timers);
}

static void on_rearm(struct timer *t)
{
	on_timer(t);
	timer_set(t, t->deadline + rearm_step);
}

static u64 now;

static u64 read_cntpct(u64 stored)
{
	(void)stored;
	return now;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_on_read("CNTPCT_EL0", read_cntpct);
	memset(cpus, 0, sizeof(cpus));
	for (int i = 0; i < FAKE_CPUS; i++) {
		list_init(&cpus[i].hw.timers);
		cpus[i].hw.timer_programmed = ~0UL;
		cpus[i].index = (u32)i;
	}
	for (int i = 0; i < TIMERS; i++)
		timer_init(&timers[i], on_timer);
	fired_count = 0;
	now = 1000;
	return 0;
}

/* CNTHP's interrupt line on the current CPU. */
static bool line(void)
{
	return (fake_get("CNTHP_CTL_EL2") & 3) == 1 && now >= fake_get("CNTHP_CVAL_EL2");
}

static void expect_fired(const char *what, unsigned n, ...)
{
	va_list ap;

	va_start(ap, n);
	if (fired_count != n)
		fail_msg("%s: %u timers fired, want %u", what, fired_count, n);
	for (unsigned i = 0; i < n; i++) {
		int want = va_arg(ap, int);

		if (fired[i] != want)
			fail_msg("%s: timer %d fired as number %u, want %d", what, fired[i], i,
				 want);
	}
	va_end(ap);
	fired_count = 0;
}

static void order(void **state)
{
	(void)state;
	timer_set(&timers[0], 3000);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 3000);
	timer_set(&timers[1], 2000);
	timer_set(&timers[2], 4000);
	timer_set(&timers[3], 2000); /* same time: first set, first served */
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2000);
	assert_false(line());
	now = 1999;
	timer_interrupt(); /* for nothing */
	expect_fired("early", 0);
	now = 2000;
	assert_true(line());
	timer_interrupt();
	expect_fired("at 2000", 2, 1, 3);
	assert_false(line());
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 3000);
	now = 9000;
	timer_interrupt();
	expect_fired("at 9000", 2, 0, 2);
	assert_int_equal(fake_get("CNTHP_CTL_EL2") & 1, 0);
	assert_false(line());
}

static void past_deadline(void **state)
{
	(void)state;
	timer_set(&timers[0], 1);
	assert_true(line());
	assert_int_equal(fired_count, 0); /* never from within timer_set() */
	timer_interrupt();
	expect_fired("past", 1, 0);
}

static void far_deadlines(void **state)
{
	(void)state;
	timer_set(&timers[0], ~0UL); /* never */
	assert_null(timers[0].cpu);
	assert_int_equal(fake_get("CNTHP_CTL_EL2"), 0);
	timer_set(&timers[1], ~0UL - 1);
	now = ~0UL - 2;
	assert_false(line());
	timer_interrupt();
	expect_fired("never", 0);
	now = ~0UL - 1;
	timer_interrupt();
	expect_fired("last tick", 1, 1);
	/* Set to never again: disarmed. */
	timer_set(&timers[2], 5);
	timer_set(&timers[2], ~0UL);
	timer_interrupt();
	expect_fired("disarmed", 0);
	assert_int_equal(fake_get("CNTHP_CTL_EL2"), 0);
}

static void set_again(void **state)
{
	(void)state;
	timer_set(&timers[0], 2000);
	timer_set(&timers[1], 2500);
	timer_set(&timers[0], 3000); /* moved behind */
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2500);
	now = 2600;
	timer_interrupt();
	expect_fired("2600", 1, 1);
	timer_set(&timers[0], 2700); /* moved ahead */
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2700);
	now = 5000;
	timer_interrupt();
	expect_fired("once only", 1, 0);
}

static void cancel(void **state)
{
	(void)state;
	timer_cancel(&timers[0]); /* not armed */
	timer_set(&timers[0], 2000);
	timer_set(&timers[1], 2500);
	timer_cancel(&timers[0]);
	assert_null(timers[0].cpu);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2500);
	timer_cancel(&timers[0]);
	timer_cancel(&timers[1]);
	assert_int_equal(fake_get("CNTHP_CTL_EL2"), 0);
	now = 9000;
	timer_interrupt();
	expect_fired("cancelled", 0);
}

/* Writes of the comparator: none if the earliest deadline does not change. */
static void quiet(void **state)
{
	unsigned writes;

	(void)state;
	timer_set(&timers[0], 2000);
	writes = fake_writes_total();
	timer_set(&timers[1], 2100);
	timer_set(&timers[2], 2000);
	timer_cancel(&timers[2]);
	timer_cancel(&timers[1]);
	timer_interrupt();
	assert_int_equal(fake_writes_total(), writes);
}

static void other_cpu(void **state)
{
	(void)state;
	timer_set(&timers[0], 2000);
	timer_set(&timers[1], 2500);
	fake_cpu = 1;
	timer_set(&timers[2], 2200);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2200);
	/*
	 * From CPU 1: the timer is cancelled, CPU 0's comparator stays and fires once without a
	 * timer.
	 */
	timer_cancel(&timers[0]);
	assert_null(timers[0].cpu);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 2200);
	/* Moved over: it fires here, not there. */
	timer_set(&timers[1], 2100);
	assert_ptr_equal(timers[1].cpu, &cpus[1]);
	fake_cpu = 0;
	now = 2000;
	assert_true(line());
	timer_interrupt();
	expect_fired("CPU 0", 0);
	assert_false(line());
	assert_int_equal(fake_get("CNTHP_CTL_EL2"), 0);
	/* The comparator works again afterwards. */
	timer_set(&timers[3], 2050);
	now = 2300;
	timer_interrupt();
	expect_fired("CPU 0 again", 1, 3);
	fake_cpu = 1;
	timer_interrupt();
	expect_fired("CPU 1", 2, 1, 2);
}

/*
 * After another CPU took the head away, setting a later one must reprogram, also to the same value.
 */
static void stale_comparator(void **state)
{
	(void)state;
	timer_set(&timers[0], 2000);
	fake_cpu = 1;
	timer_cancel(&timers[0]);
	fake_cpu = 0;
	timer_set(&timers[1], 3000);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 3000);
	assert_int_equal(fake_get("CNTHP_CTL_EL2"), 1);
	fake_cpu = 1;
	timer_cancel(&timers[1]);
	fake_cpu = 0;
	timer_set(&timers[2], 3000);
	now = 3000;
	assert_true(line());
	timer_interrupt();
	expect_fired("same value", 1, 2);
}

static void rearm(void **state)
{
	(void)state;
	timer_init(&timers[0], on_rearm);
	rearm_step = 100;
	timer_set(&timers[0], 1500);
	timer_set(&timers[1], 1550);
	now = 1500;
	timer_interrupt();
	expect_fired("first", 1, 0);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 1550);
	/* Late: all that is due by now runs in one call, in order of time. */
	now = 1799;
	timer_interrupt();
	expect_fired("late", 3, 1, 0, 0);
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 1800);
	timer_cancel(&timers[0]);
}

/* Random work on two CPUs, compared with a plain array of deadlines. */
static void against_model(void **state)
{
	u64 deadline[TIMERS];
	int cpu[TIMERS]; /* -1: not armed */
	u64 seed = 99;

	(void)state;
	for (int i = 0; i < TIMERS; i++)
		cpu[i] = -1;
	for (int step = 0; step < 20000; step++) {
		int i;

		seed = seed * 6364136223846793005UL + 1442695040888963407UL;
		i = (int)(seed >> 33) % TIMERS;
		fake_cpu = seed >> 50 & 1;
		switch (seed >> 55 & 3) {
		case 0:
		case 1:
			deadline[i] = now + (seed >> 20 & 63);
			cpu[i] = fake_cpu;
			timer_set(&timers[i], deadline[i]);
			break;
		case 2:
			cpu[i] = -1;
			timer_cancel(&timers[i]);
			break;
		case 3:
			now += seed >> 20 & 31;
			break;
		}
		for (fake_cpu = 0; fake_cpu < 2; fake_cpu++) {
			u64 earliest = ~0UL, last = 0;

			for (int k = 0; k < TIMERS; k++)
				if (cpu[k] == fake_cpu && deadline[k] < earliest)
					earliest = deadline[k];
			if (earliest <= now && !line())
				fail_msg("step %d: due at %lu, now %lu, and no interrupt", step,
					 earliest, now);
			if (!line())
				continue;
			fired_count = 0;
			timer_interrupt();
			for (unsigned f = 0; f < fired_count; f++) {
				int k = fired[f];

				if (cpu[k] != fake_cpu || deadline[k] > now || deadline[k] < last)
					fail_msg("step %d: timer %d fired on CPU %d", step, k,
						 fake_cpu);
				last = deadline[k];
				cpu[k] = -1;
			}
			for (int k = 0; k < TIMERS; k++)
				if (cpu[k] == fake_cpu && deadline[k] <= now)
					fail_msg("step %d: timer %d did not fire", step, k);
			if (line())
				fail_msg("step %d: the interrupt stays", step);
		}
		fake_cpu = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(order, setup),
		cmocka_unit_test_setup(past_deadline, setup),
		cmocka_unit_test_setup(far_deadlines, setup),
		cmocka_unit_test_setup(set_again, setup),
		cmocka_unit_test_setup(cancel, setup),
		cmocka_unit_test_setup(quiet, setup),
		cmocka_unit_test_setup(other_cpu, setup),
		cmocka_unit_test_setup(stale_comparator, setup),
		cmocka_unit_test_setup(rearm, setup),
		cmocka_unit_test_setup(against_model, setup),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
