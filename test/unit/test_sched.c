/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler: each CPU's sched_loop() runs as a coroutine that stops at every point where others
 * could interfere (guest running, WFI of the idle loop, the check for reasons to wake, loading,
 * writing back); the test decides which continues. Directed scenarios, and random walks with
 * invariants after every step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <sanitizer/common_interface_defs.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "vm/console.h"
#include "state/cpu.h"
#include "exit/run.h"
#include "vm/sched.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "exit/vcpu.h"
#include "vgic/vgic.h"
#include "vm/vm.h"

#define CPUS 3
#define VCPUS 5
#define STACK (256 * 1024)

struct cpu cpus[MAX_CPUS];
u32 cpu_count;

static struct vm vm;
static struct vcpu vcpus[VCPUS];
static bool pending[VCPUS]; /* the GIC would signal it an interrupt */
static u64 now;
static bool work;

enum where { RUN, IDLE, WAKE_CHECK, LOADING, PUTTING, PARKED };
static const char *const where_name[] = { "run", "idle", "wake check", "load", "put", "parked" };

static struct {
	ucontext_t context;
	enum where where;
	struct vcpu *vcpu;      /* RUN: who */
	enum run_result result; /* RUN: what vcpu_run() is to return */
	bool kicked;            /* an SGI is pending */
	char *stack;
	void *fake_stack; /* the address sanitizer's */
} fiber[CPUS];
static ucontext_t test_context;
static int me; /* the CPU whose code runs */
static char problem[256];
static u64 seed;
static unsigned works, gone, polls;
static bool parking;
static const void *test_stack;
static size_t test_stack_size;

#define PROBLEM(...)                                                                               \
	do {                                                                                       \
		if (!problem[0])                                                                   \
			snprintf(problem, sizeof(problem), __VA_ARGS__);                           \
	} while (0)

static u32 next_random(u32 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (u32)(seed >> 40) % n;
}

struct cpu *cpu_this(void)
{
	return &cpus[me];
}

/* The coroutine of CPU `me` stops here until the test resumes it. */
static void stop_at(enum where where)
{
	fiber[me].where = where;
	__sanitizer_start_switch_fiber(&fiber[me].fake_stack, test_stack, test_stack_size);
	swapcontext(&fiber[me].context, &test_context);
	__sanitizer_finish_switch_fiber(fiber[me].fake_stack, NULL, NULL);
}

static void resume(int cpu)
{
	int saved = me;
	void *fake_stack;

	me = fake_cpu = cpu;
	__sanitizer_start_switch_fiber(&fake_stack, fiber[cpu].stack, STACK);
	swapcontext(&test_context, &fiber[cpu].context);
	__sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
	me = fake_cpu = saved;
}

/* ---- stand-ins for what sched.c and wake.c call ---- */

enum run_result vcpu_run(struct vcpu *v)
{
	struct cpu *cpu = cpu_this();

	if (cpu->loaded != v || v->loaded_cpu != cpu || cpu->current != v)
		PROBLEM("vcpu %u runs on CPU %d, but is not what is loaded there", v->index, me);
	if (v->state != VCPU_RUNNING || v->cpu != cpu)
		PROBLEM("vcpu %u runs on CPU %d in state %u", v->index, me, v->state);
	if (!(v->affinity & BIT(me)))
		PROBLEM("vcpu %u runs on CPU %d against its affinity", v->index, me);
	fiber[me].vcpu = v;
	stop_at(RUN);
	fiber[me].vcpu = NULL;
	return fiber[me].result;
}

void irq_handle(void)
{
	if (cpu_this()->idle != IDLE_WAITS) {
		polls++; /* after a piece of work */
		return;
	}
	stop_at(IDLE);
	fiber[me].kicked = false;
	sched_tick(cpu_this());
}

bool vgic_interrupt_pending(struct vcpu *v)
{
	/* The check happens at one moment in here: before or after what others do meanwhile. */
	bool early = next_random(2), sample = pending[v->index];

	stop_at(WAKE_CHECK);
	return early ? sample : pending[v->index];
}

/* As vcpu.c does it, with a stop in the middle. */
void vcpu_load(struct vcpu *v)
{
	struct cpu *cpu = cpu_this();

	if (cpu->loaded || v->loaded_cpu)
		PROBLEM("vcpu %u is loaded on CPU %d over another, or twice", v->index, me);
	stop_at(LOADING);
	v->account.switches++;
	cpu->loaded = v;
	v->loaded_cpu = cpu;
}

void vcpu_put(struct vcpu *v)
{
	if (cpus[me].loaded != v || v->loaded_cpu != &cpus[me])
		PROBLEM("vcpu %u is written back on CPU %d, where it is not loaded", v->index, me);
	stop_at(PUTTING);
	cpus[me].loaded = NULL;
	v->loaded_cpu = NULL;
}

void cpu_kick(struct cpu *cpu)
{
	fiber[cpu - cpus].kicked = true;
}

void vm_vcpu_gone(struct vcpu *v)
{
	if (v->loaded_cpu || cpus[me].loaded == v)
		PROBLEM("vcpu %u is gone but loaded", v->index);
	gone++;
	v->state = VCPU_DEAD;
}

void vm_first_entry(struct vm *v)
{
	v->entered = true;
}

bool vm_work_pending(void)
{
	return work;
}

u64 vm_work_cpus(void)
{
	return work ? ~0UL : 0;
}

void vm_work(void)
{
	if (cpus[me].loaded)
		PROBLEM("CPU %d works on VMs with vcpu %u loaded", me, cpus[me].loaded->index);
	works++;
	work = false;
	if (parking)
		stop_at(PARKED);
}

void console_flush(void)
{
}

static u64 read_cntpct(u64 stored)
{
	(void)stored;
	return now;
}

/* ---- the machine ---- */

static void loop_of_cpu(void)
{
	__sanitizer_finish_switch_fiber(NULL, &test_stack, &test_stack_size);
	sched_loop();
}

static void make_fiber(int i)
{
	getcontext(&fiber[i].context);
	fiber[i].context.uc_stack.ss_sp = fiber[i].stack;
	fiber[i].context.uc_stack.ss_size = STACK;
	fiber[i].context.uc_link = NULL;
	makecontext(&fiber[i].context, loop_of_cpu, 0);
}

static void start_cpus(int n)
{
	cpu_count = (u32)n;
	for (int i = 0; i < n; i++) {
		cpus[i].index = (u32)i;
		me = fake_cpu = i;
		fake_set("CNTFRQ_EL0", 1000000);
		sched_cpu_init(&cpus[i]);
		make_fiber(i);
	}
	me = fake_cpu = 0;
	for (int i = 0; i < n; i++)
		resume(i);
}

/*
 * Idle CPUs of the last test leave sched.c's set of idle CPUs: they are given work, which they
 * never finish.
 */
static void park_all(void)
{
	parking = true;
	for (int i = 0; i < CPUS; i++)
		if (fiber[i].stack && fiber[i].where == IDLE) {
			work = true;
			resume(i);
		}
	parking = false;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_on_read("CNTPCT_EL0", read_cntpct);
	memset(cpus, 0, sizeof(cpus));
	memset(vcpus, 0, sizeof(vcpus));
	memset(&vm, 0, sizeof(vm));
	memset(pending, 0, sizeof(pending));
	for (int i = 0; i < CPUS; i++) {
		char *stack = fiber[i].stack ? fiber[i].stack : malloc(STACK);

		memset(&fiber[i], 0, sizeof(fiber[i]));
		fiber[i].stack = stack;
	}
	for (u32 i = 0; i < VCPUS; i++) {
		vcpus[i].vm = &vm;
		vcpus[i].index = (u8)i;
		vcpus[i].affinity = ~0UL;
		list_init(&vcpus[i].rq_node);
		vcpus[i].state = VCPU_STARTING;
	}
	now = 1000;
	seed = 1;
	problem[0] = '\0';
	works = gone = polls = 0;
	work = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	park_all();
	for (int i = 0; i < CPUS; i++) {
		free(fiber[i].stack);
		fiber[i].stack = NULL;
	}
	return 0;
}

/* Resume CPU c until it runs a guest or waits for an interrupt. */
static void settle(int c)
{
	for (int i = 0; i < 100; i++) {
		resume(c);
		if (fiber[c].where == RUN || fiber[c].where == IDLE)
			return;
	}
	fail_msg("CPU %d does not settle", c);
}

/* The guest of CPU c leaves its run loop. */
static void ends(int c, enum run_result result)
{
	assert_int_equal(fiber[c].where, RUN);
	fiber[c].result = result;
	settle(c);
}

/* From CPU c's context. */
static void start_from(int c, int v)
{
	me = fake_cpu = c;
	fiber[c].kicked |= fiber[c].where == IDLE; /* it is awake, in an interrupt */
	sched_start(&vcpus[v]);
	me = fake_cpu = 0;
}

static void kick_from(int c, int v)
{
	me = fake_cpu = c;
	fiber[c].kicked |= fiber[c].where == IDLE; /* it is awake, in an interrupt */
	vcpu_kick(&vcpus[v]);
	me = fake_cpu = 0;
}

static void expect_run(const char *what, int c, int v)
{
	if (problem[0])
		fail_msg("%s: %s", what, problem);
	if (fiber[c].where != RUN || fiber[c].vcpu != &vcpus[v])
		fail_msg("%s: CPU %d is at %s of vcpu %d, want vcpu %d", what, c,
			 where_name[fiber[c].where], fiber[c].vcpu ? fiber[c].vcpu->index : -1, v);
}

static void expect_idle(const char *what, int c)
{
	if (problem[0])
		fail_msg("%s: %s", what, problem);
	if (fiber[c].where != IDLE)
		fail_msg("%s: CPU %d is at %s, want idle", what, c, where_name[fiber[c].where]);
}

/* ---- directed ---- */

static void states(void **state)
{
	(void)state;
	start_cpus(1);
	expect_idle("start", 0);
	start_from(0, 0);
	assert_int_equal(vcpus[0].state, VCPU_RUNNABLE);
	assert_int_equal(cpus[0].rq_len, 1);
	settle(0);
	expect_run("picked", 0, 0);
	assert_int_equal(cpus[0].rq_len, 0);
	ends(0, RUN_SLEEP);
	expect_idle("asleep", 0);
	assert_int_equal(vcpus[0].state, VCPU_SLEEPING);
	/* Its state stays in the registers: nobody else needs the CPU. */
	assert_ptr_equal(cpus[0].loaded, &vcpus[0]);
	/* So it goes through no queue. */
	kick_from(0, 0);
	assert_int_equal(vcpus[0].state, VCPU_RUNNING);
	kick_from(0, 0); /* twice has the effect of once */
	assert_int_equal(cpus[0].rq_len, 0);
	settle(0);
	expect_run("awake", 0, 0);
	assert_int_equal(vcpus[0].account.switches, 1);
	ends(0, RUN_STOP);
	expect_idle("stopped", 0);
	assert_int_equal(gone, 1);
	assert_int_equal(vcpus[0].state, VCPU_DEAD);
	assert_null(cpus[0].loaded);
	kick_from(0, 0);
	assert_int_equal(vcpus[0].state, VCPU_DEAD);
}

/* A vcpu in the queue of an idle CPU was there first; one that others wake goes there, too. */
static void woken_in_turn(void **state)
{
	(void)state;
	start_cpus(2);
	for (int v = 0; v < 2; v++)
		vcpus[v].affinity = BIT(0);
	start_from(0, 0);
	settle(0);
	ends(0, RUN_SLEEP);
	start_from(1, 1);
	kick_from(0, 0);
	assert_int_equal(vcpus[0].state, VCPU_RUNNABLE);
	assert_int_equal(cpus[0].rq_len, 2);
	settle(0);
	expect_run("first", 0, 1);
	ends(0, RUN_SLEEP);
	expect_run("second", 0, 0);
	ends(0, RUN_SLEEP);
	kick_from(1, 0);
	assert_int_equal(vcpus[0].state, VCPU_RUNNABLE);
	settle(0);
	expect_run("by another CPU", 0, 0);
	ends(0, RUN_SLEEP);
	/* A vcpu that is loaded is not taken. */
	kick_from(0, 1);
	assert_int_equal(vcpus[1].state, VCPU_RUNNABLE);
	settle(0);
	expect_run("of another vcpu", 0, 1);
	ends(0, RUN_SLEEP);
	expect_idle("all asleep", 0);
	/* Another one is queued after it woke, and work on VMs comes: it is next all the same. */
	kick_from(0, 1);
	start_from(1, 2);
	work = true;
	settle(0);
	expect_run("next", 0, 1);
	assert_ptr_equal(cpus[0].slice.cpu, &cpus[0]);
}

static void kick_of_others(void **state)
{
	static const u32 states[] = { VCPU_OFF, VCPU_STARTING, VCPU_DEAD };

	(void)state;
	start_cpus(2);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		vcpus[0].state = states[i];
		kick_from(0, 0);
		assert_int_equal(vcpus[0].state, states[i]);
	}
	vcpus[0].state = VCPU_STARTING;
	vcpus[0].affinity = BIT(0);
	start_from(0, 0);
	settle(0);
	fiber[0].kicked = fiber[1].kicked = false;
	kick_from(0, 0); /* by its own CPU, which checks by itself */
	assert_false(fiber[0].kicked);
	kick_from(1, 0);
	assert_true(fiber[0].kicked);
}

static void round_robin(void **state)
{
	(void)state;
	start_cpus(1);
	for (int v = 0; v < 4; v++)
		start_from(0, v);
	settle(0);
	for (int turn = 0; turn < 12; turn++) {
		expect_run("round robin", 0, turn % 4);
		/* Others wait: the slice is armed, and ends after 4 ms. */
		assert_ptr_equal(cpus[0].slice.cpu, &cpus[0]);
		assert_int_equal(cpus[0].slice.deadline, now + 4000);
		now += 3999;
		timer_interrupt();
		assert_false(cpus[0].need_resched);
		now += 1;
		timer_interrupt();
		assert_true(cpus[0].need_resched);
		ends(0, RUN_PREEMPT);
	}
}

static void slice_only_if_wanted(void **state)
{
	(void)state;
	start_cpus(1);
	start_from(0, 0);
	settle(0);
	expect_run("alone", 0, 0);
	assert_null(cpus[0].slice.cpu);
	/* Another one is queued, by an interrupt on this CPU: the slice begins. */
	start_from(0, 1);
	assert_ptr_equal(cpus[0].slice.cpu, &cpus[0]);
	ends(0, RUN_SLEEP);
	expect_run("the other", 0, 1);
	assert_null(cpus[0].slice.cpu);
	assert_false(cpus[0].need_resched);
}

/* Work on stopped VMs must not wait for a vcpu that runs alone without a slice. */
static void work_interrupts(void **state)
{
	(void)state;
	start_cpus(1);
	start_from(0, 0);
	settle(0);
	ends(0, RUN_PREEMPT);
	expect_run("alone", 0, 0);
	work = true;
	cpus[0].current = &vcpus[0];
	me = 0;
	sched_tick(&cpus[0]); /* the next interrupt's */
	assert_ptr_equal(cpus[0].slice.cpu, &cpus[0]);
	now += 4000;
	timer_interrupt();
	assert_true(cpus[0].need_resched);
	ends(0, RUN_PREEMPT);
	assert_int_equal(works, 1);
	expect_run("goes on", 0, 0);
	assert_null(cpus[0].slice.cpu);
}

static void work_when_idle(void **state)
{
	(void)state;
	start_cpus(1);
	work = true;
	settle(0);
	assert_int_equal(works, 1);
	expect_idle("after work", 0);
}

static void affinity(void **state)
{
	(void)state;
	start_cpus(3);
	vcpus[0].affinity = BIT(2);
	vcpus[1].affinity = BIT(2);
	vcpus[2].affinity = BIT(1) | BIT(2);
	for (int v = 0; v < 3; v++)
		start_from(0, v);
	for (int c = 0; c < 3; c++)
		settle(c);
	expect_idle("CPU 0 may take nobody", 0);
	expect_run("allowed on 1 and 2", 1, 2);
	assert_int_equal(fiber[2].where, RUN);
	assert_int_equal(cpus[2].rq_len, 1);
	/* An idle CPU does not take what its affinity excludes. */
	ends(1, RUN_SLEEP);
	expect_idle("pinned vcpus stay", 1);
}

/* What is loaded on a CPU may run on that CPU only, until it is written back. */
static void steal_not_loaded(void **state)
{
	(void)state;
	start_cpus(2);
	vcpus[0].affinity = vcpus[1].affinity = BIT(0);
	start_from(0, 0);
	start_from(0, 1);
	settle(0);
	expect_run("first", 0, 0);
	vcpus[0].affinity = vcpus[1].affinity = ~0UL;
	/*
	 * vcpu 0 is preempted: in the queue, its state still in CPU 0's registers, vcpu 1 not
	 * loaded yet.
	 */
	fiber[0].result = RUN_PREEMPT;
	resume(0);
	assert_int_equal(fiber[0].where, PUTTING);
	assert_int_equal(vcpus[0].state, VCPU_RUNNABLE);
	resume(1); /* CPU 1 wakes up just now */
	expect_idle("nothing to take", 1);
	resume(0);
	assert_int_equal(fiber[0].where, LOADING);
	assert_null(vcpus[0].loaded_cpu);
	settle(1);
	expect_run("written back, taken", 1, 0);
	settle(0);
	expect_run("CPU 0 goes on", 0, 1);
}

/*
 * A CPU that found nothing to take, because everything was still loaded, is notified when that
 * changes.
 */
static void idle_is_told(void **state)
{
	(void)state;
	start_cpus(2);
	vcpus[0].affinity = vcpus[1].affinity = BIT(0);
	start_from(0, 0);
	start_from(0, 1);
	settle(0);
	vcpus[0].affinity = vcpus[1].affinity = ~0UL;
	fiber[0].result = RUN_PREEMPT;
	resume(0);
	resume(1);
	fiber[1].kicked = false;
	settle(0);
	expect_run("the other", 0, 1);
	if (!fiber[1].kicked)
		fail_msg("vcpu 0 waits in CPU 0's queue, CPU 1 sleeps on");
	settle(1);
	expect_run("told", 1, 0);
}

/* Two wake-ups at once go to two idle CPUs. */
static void spread(void **state)
{
	(void)state;
	start_cpus(3);
	for (int v = 0; v < 3; v++)
		start_from(0, v);
	for (int c = 0; c < 3; c++)
		settle(c);
	for (int c = 0; c < 3; c++)
		if (fiber[c].where != RUN)
			fail_msg("CPU %d idles while vcpus wait", c);
}

/* ---- random walks ---- */

static u32 queued_on(int c)
{
	struct list *n;
	u32 count = 0;

	list_for_each(n, &cpus[c].rq) {
		const struct vcpu *v = list_entry(n, struct vcpu, rq_node);

		count++;
		if (v->state != VCPU_RUNNABLE || v->cpu != &cpus[c])
			PROBLEM("vcpu %u is in CPU %d's queue in state %u", v->index, c, v->state);
	}
	if (count != cpus[c].rq_len)
		PROBLEM("CPU %d: %u in the queue, rq_len %u", c, count, cpus[c].rq_len);
	return count;
}

/* No activity: running, or waiting for an interrupt that has not come. */
static bool at_rest(int c)
{
	return (fiber[c].where == RUN || fiber[c].where == IDLE) && !fiber[c].kicked;
}

static bool due(int c)
{
	bool is;

	fake_cpu = c;
	is = (fake_get("CNTHP_CTL_EL2") & 3) == 1 && now >= fake_get("CNTHP_CVAL_EL2");
	fake_cpu = me;
	return is;
}

static void check_vcpu(const struct vcpu *v, bool all_at_rest)
{
	int running = 0, loaded = 0;

	for (u32 c = 0; c < cpu_count; c++) {
		running += fiber[c].where == RUN && fiber[c].vcpu == v;
		loaded += cpus[c].loaded == v;
	}
	if (running > 1 || loaded > 1)
		PROBLEM("vcpu %u runs on %d CPUs, is loaded on %d", v->index, running, loaded);
	if (running && v->state != VCPU_RUNNING)
		PROBLEM("vcpu %u runs in state %u", v->index, v->state);
	if (!all_at_rest)
		return;
	if (v->state == VCPU_SLEEPING && (v->requests || pending[v->index]))
		PROBLEM("vcpu %u sleeps on: a wake-up was lost", v->index);
	if (v->state == VCPU_STARTING || (v->state == VCPU_RUNNING && !running))
		PROBLEM("vcpu %u is nowhere, in state %u", v->index, v->state);
}

static void check_rest(void)
{
	for (u32 c = 0; c < cpu_count; c++) {
		struct list *n;

		if (fiber[c].where == IDLE && cpus[c].rq_len)
			PROBLEM("CPU %u sleeps with %u in its queue", c, cpus[c].rq_len);
		if (fiber[c].where == RUN && cpus[c].rq_len && !cpus[c].need_resched &&
		    !cpus[c].slice.cpu)
			PROBLEM("CPU %u: others wait and no slice ends", c);
		list_for_each(n, &cpus[c].rq) {
			const struct vcpu *v = list_entry(n, struct vcpu, rq_node);

			for (u32 i = 0; i < cpu_count; i++)
				if (fiber[i].where == IDLE && (v->affinity & BIT(i)) &&
				    !v->loaded_cpu)
					PROBLEM("vcpu %u waits in CPU %u's queue, CPU %u sleeps",
						v->index, c, i);
		}
	}
}

static void check(void)
{
	bool rest = true;
	u32 queued = 0, runnable = 0;

	for (u32 c = 0; c < cpu_count; c++) {
		rest &= at_rest((int)c);
		queued += queued_on((int)c);
	}
	for (u32 v = 0; v < VCPUS; v++) {
		check_vcpu(&vcpus[v], rest);
		runnable += vcpus[v].state == VCPU_RUNNABLE;
	}
	if (queued != runnable)
		PROBLEM("%u vcpus are runnable, %u are in queues", runnable, queued);
	if (rest)
		check_rest();
}

/* An interrupt or a hypercall on CPU c, whose guest runs or which idles, wakes a vcpu. */
static void event_on(int c)
{
	u32 v = next_random(VCPUS);

	me = fake_cpu = c;
	fiber[c].kicked |= fiber[c].where == IDLE; /* it is awake, in an interrupt */
	if (next_random(2)) {
		pending[v] = true;
		vcpu_kick(&vcpus[v]);
	} else {
		vcpu_request(&vcpus[v], REQ_TIMER);
	}
	me = fake_cpu = 0;
}

/* The guest on CPU c makes a step: takes its interrupts, is preempted, waits. */
static void guest_step(int c)
{
	struct vcpu *v = fiber[c].vcpu;

	me = fake_cpu = c;
	if (fiber[c].kicked || due(c)) {
		fiber[c].kicked = false;
		if (due(c))
			timer_interrupt();
		sched_tick(&cpus[c]);
	}
	me = fake_cpu = 0;
	v->requests = 0;
	if (cpus[c].need_resched) {
		fiber[c].result = RUN_PREEMPT;
		resume(c);
	} else if (next_random(3) == 0) {
		pending[v->index] = false; /* acknowledged */
	} else if (next_random(2) == 0) {
		fiber[c].result = RUN_SLEEP;
		resume(c);
	}
}

static void step(void)
{
	int c = (int)next_random(cpu_count);
	bool outside = fiber[c].where == RUN || fiber[c].where == IDLE;

	now += next_random(1500);
	if (outside && next_random(3) == 0)
		event_on(c);
	else if (fiber[c].where == RUN)
		guest_step(c);
	else if (fiber[c].where != IDLE || fiber[c].kicked || next_random(8) == 0)
		resume(c);
}

static void walk(u64 first, int n, bool pinned)
{
	park_all();
	setup(NULL);
	seed = first;
	start_cpus(n);
	for (int v = 0; v < VCPUS; v++) {
		if (pinned)
			vcpus[v].affinity = 1 + next_random((1u << n) - 1);
		start_from((int)next_random((u32)n), v);
	}
	for (int i = 0; i < 3000 && !problem[0]; i++) {
		step();
		check();
		if (problem[0])
			fail_msg("seed %lu, %d CPUs%s, step %d: %s", first, n,
				 pinned ? ", pinned" : "", i, problem);
	}
}

static void walks(void **state)
{
	(void)state;
	for (u64 s = 1; s <= 60; s++)
		for (int n = 1; n <= CPUS; n++) {
			walk(s * 7919, n, false);
			walk(s * 104729, n, true);
		}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(states),
		TEST(woken_in_turn),
		TEST(kick_of_others),
		TEST(round_robin),
		TEST(slice_only_if_wanted),
		TEST(work_interrupts),
		TEST(work_when_idle),
		TEST(affinity),
		TEST(steal_not_loaded),
		TEST(idle_is_told),
		TEST(spread),
		TEST(walks),
	};

	return cmocka_run_group_tests_name("sched", tests, NULL, NULL);
}
