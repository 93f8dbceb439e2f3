/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must be notified of what: a vcpu that sleeps, is picked, or runs, while others have a request
 * or an interrupt for it; and two vcpus with requests to each other. The code is that of sched.c,
 * wake.c and remote.c; what stands here for run.c and the vgic reads the same words in the same
 * way, as the comments say.
 */
#include "order.h"

#include <stdio.h>
#include <string.h>

#include "vm/console.h"
#include "nested/level.h"
#include "state/cpu.h"
#include "exit/run.h"
#include "exit/vcpu.h"
#include "vm/sched.h"
#include "vm/vm.h"
#include "vgic/vgic.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/internal.h"
#include "windows.h"

struct cpu cpus[MAX_CPUS];
u32 cpu_count = CPUS;
u64 boot_ticks;

static struct vm vm;
static struct vcpu vcpu[2];
static bool kicked[CPUS];
static u32 served;                /* requests that vcpu 0 has seen */
static u32 delivered;             /* interrupts that it has */
static u32 timer;                 /* an interrupt of CPU 0's own is for vcpu 0: its bit of mail */
static enum run_result script[2]; /* what vcpu 0 does first */
static u32 step, steps;

struct cpu *cpu_this(void)
{
	return &cpus[me];
}

void cpu_kick(struct cpu *cpu)
{
	order_fence(__ATOMIC_SEQ_CST); /* gicv3.c: DSB ISHST */
	kicked[cpu->index] = true;
}

static bool interrupted(void)
{
	return kicked[me] || (!me && timer);
}

/* As vgic_sgi() and vgic_set_ppi(). */
static void interrupt(struct vcpu *v, u32 bit)
{
	__atomic_fetch_or(&v->vgic.mail, bit, __ATOMIC_RELEASE);
	vgic_mark(&v->vgic, false);
	vcpu_kick(v);
}

void irq_handle(void)
{
	u32 bit = timer;

	if (cpu_this()->idle == IDLE_WAITS)
		wait_until(interrupted);
	kicked[me] = false;
	bit = me ? 0 : timer;
	if (bit) {
		timer = 0;
		interrupt(&vcpu[0], bit);
	}
}

/* run.c: enter(), serve_requests(), prepare_entry(); deliver.c: vgic_flush(), vgic_collect(). */
static bool look(struct vcpu *v)
{
	if (read_once(&v->requests)) {
		u32 requests = __atomic_exchange_n(&v->requests, 0, __ATOMIC_ACQUIRE);

		served |= requests;
		if (requests & REQ_VGIC_SYNC)
			vgic_serve_sync(v);
		if (requests & REQ_STOP)
			return false;
	}
	if (read_once(&v->vgic.work) &&
	    __atomic_exchange_n(&v->vgic.stale, false, __ATOMIC_SEQ_CST))
		delivered |= __atomic_exchange_n(&v->vgic.mail, 0, __ATOMIC_ACQUIRE);
	return true;
}

enum run_result vcpu_run(struct vcpu *v)
{
	for (;;) {
		if (!look(v))
			return RUN_STOP;
		if (step < steps)
			return script[step++];
		wait_until(interrupted); /* the guest runs */
		irq_handle();
	}
}

/* signal.c checks more than mail, which does not need it loaded. */
bool vgic_interrupt_pending(struct vcpu *v)
{
	return __atomic_load_n(&v->vgic.mail, __ATOMIC_ACQUIRE);
}

void vgic_serve_sync(struct vcpu *v)
{
	vgic_remote_serve(v);
}

u64 private_apply(struct vcpu *v, const struct vgic_op *op, bool loaded)
{
	(void)loaded;
	return v->index * 256u + op->data;
}

/* ---- not needed here ---- */

u64 spi_apply(struct vm *v, const struct vgic_op *op, u32 bits, u32 *kicks)
{
	(void)v;
	(void)op;
	(void)bits;
	(void)kicks;
	return 0;
}

void vgic_kick_all(struct vm *v, u32 vcpus)
{
	(void)v;
	(void)vcpus;
}

bool vgic_wake_request(struct vcpu *v)
{
	(void)v;
	return false;
}

bool level_interrupt_pending(const struct vcpu *v)
{
	(void)v;
	return false;
}

void vcpu_load(struct vcpu *v)
{
	cpu_this()->loaded = v;
	__atomic_store_n(&v->loaded_cpu, cpu_this(), __ATOMIC_RELEASE);
}

void vcpu_put(struct vcpu *v)
{
	cpu_this()->loaded = NULL;
	__atomic_store_n(&v->loaded_cpu, NULL, __ATOMIC_RELEASE);
}

static bool never(void)
{
	return false;
}

void vm_vcpu_gone(struct vcpu *v)
{
	(void)v;
	wait_until(never);
}

void vm_first_entry(struct vm *v)
{
	(void)v;
}

bool vm_work_pending(void)
{
	return false;
}

u64 vm_work_cpus(void)
{
	return 0;
}

void vm_work(void)
{
}

void console_flush(void)
{
}

u64 counter_now(void)
{
	return 0;
}

void stolen_begin(struct vcpu *v)
{
	(void)v;
}

void stolen_end(struct vcpu *v)
{
	(void)v;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	(void)t;
	(void)fn;
}

void timer_set(struct timer *t, u64 deadline)
{
	(void)t;
	(void)deadline;
}

void timer_cancel(struct timer *t)
{
	(void)t;
}

/* ---- one vcpu, for which others have something ---- */

static void setup(void)
{
	memset(cpus, 0, sizeof(cpus));
	memset(vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	memset(kicked, 0, sizeof(kicked));
	served = delivered = timer = step = steps = 0;
	for (u32 i = 0; i < CPUS; i++) {
		cpus[i].index = i;
		sched_cpu_init(&cpus[i]);
	}
	vm.entered = true;
	vm.vcpu_count = 2;
	for (u32 i = 0; i < 2; i++) {
		vcpu[i].vm = &vm;
		vcpu[i].index = (u8)i;
		vcpu[i].affinity = BIT(i);
		vcpu[i].state = VCPU_STARTING;
		list_init(&vcpu[i].rq_node);
	}
}

/* Vcpu 0 waits in CPU 0's queue. */
static void setup_queued(void)
{
	setup();
	sched_start(&vcpu[0]);
}

static void setup_sleeps(void)
{
	setup_queued();
	script[steps++] = RUN_SLEEP;
}

static void setup_preempted(void)
{
	setup_queued();
	script[steps++] = RUN_PREEMPT;
}

/* A timer of CPU 0 wakes it, from its idle loop. */
static void setup_timer(void)
{
	setup_sleeps();
	timer = 2;
}

static void setup_timer_again(void)
{
	setup_timer();
	script[steps++] = RUN_SLEEP;
}

static void request(void)
{
	vcpu_request(&vcpu[0], REQ_TIMER);
}

static void send(void)
{
	interrupt(&vcpu[0], 1);
}

static void stop(void)
{
	vcpu_request(&vcpu[0], REQ_STOP);
}

static const char *wrong_requested(void)
{
	return served & REQ_TIMER ? NULL : "the request is not seen";
}

static const char *wrong_sent(void)
{
	return delivered & 1 ? NULL : "the interrupt is not delivered";
}

static const char *wrong_both(void)
{
	return wrong_requested() ? wrong_requested() : wrong_sent();
}

static const char *wrong_timer(void)
{
	return delivered & 2 ? wrong_sent() : "the timer's interrupt is not delivered";
}

static const char *wrong_timer_request(void)
{
	return delivered & 2 ? wrong_requested() : "the timer's interrupt is not delivered";
}

static const char *wrong_stopped(void)
{
	return served & REQ_STOP ? NULL : "it does not stop";
}

/* ---- two vcpus with requests to each other (remote.c) ---- */

static bool answered[2];

static void setup_ask(void)
{
	setup();
	memset(answered, 0, sizeof(answered));
	for (u32 i = 0; i < 2; i++) {
		vcpu[i].cpu = &cpus[i];
		vcpu[i].state = VCPU_RUNNING;
		vcpu[i].vgic.where = VGIC_LOADED;
		cpus[i].loaded = &vcpu[i];
	}
}

static struct vgic_op question(void)
{
	return (struct vgic_op){ .reg = VGIC_PEND, .mask = 1, .data = me + 1 };
}

/* The run loop with an exit that is handled again until it is complete, then the guest. */
static void ask(void)
{
	struct vcpu *self = &vcpu[me], *other = &vcpu[!me];
	struct vgic_op op = question();

	while (!vgic_remote(self, other, &op)) {
		irq_handle();
		look(self);
	}
	answered[me] = op.data == other->index * 256u + me + 1;
	for (;;) {
		look(self);
		wait_until(interrupted);
		irq_handle();
	}
}

/* It leaves its CPU without checking for requests (vgic_put()). */
static void put(void)
{
	__atomic_store_n(&vcpu[me].vgic.where, VGIC_MEMORY, __ATOMIC_RELEASE);
	answered[me] = true;
}

/* It has posted an operation, and gets none itself before the answer: it withdraws. */
static void ask_once(void)
{
	struct vgic_op op = question();

	if (!vgic_remote(&vcpu[me], &vcpu[!me], &op))
		vgic_ask_drop(&vcpu[me]);
	answered[me] = true;
}

static void serve(void)
{
	for (;;) {
		look(&vcpu[me]);
		wait_until(interrupted);
		irq_handle();
	}
}

static const char *wrong_answers(void)
{
	for (u32 i = 0; i < 2; i++)
		if (!answered[i])
			return "no answer, or a wrong one";
	return vcpu[0].vgic.op_state | vcpu[1].vgic.op_state ? "something stays asked for" : NULL;
}

static const char *wrong_withdrawn(void)
{
	return vcpu[1].vgic.op_state ? "something stays asked for" : NULL;
}

/* clang-format off */
static const struct scenario scenarios[] = {
	{ "picked, a request",       2, 3, 2, setup_queued,    { sched_loop, request },      wrong_requested },
	{ "picked, an interrupt",    2, 3, 2, setup_queued,    { sched_loop, send },         wrong_sent },
	{ "falls asleep, a request", 2, 2, 2, setup_sleeps,    { sched_loop, request },      wrong_requested },
	{ "falls asleep, an interrupt", 2, 2, 2, setup_sleeps, { sched_loop, send },         wrong_sent },
	{ "falls asleep, is to stop", 2, 2, 2, setup_sleeps,   { sched_loop, stop },         wrong_stopped },
	{ "falls asleep, two",       3, 2, 1, setup_sleeps,    { sched_loop, request, send }, wrong_both },
	{ "preempted, a request",    2, 3, 2, setup_preempted, { sched_loop, request },      wrong_requested },
	{ "woken here, a request",   2, 2, 2, setup_timer,     { sched_loop, request },      wrong_timer_request },
	{ "woken here, an interrupt", 2, 2, 2, setup_timer,    { sched_loop, send },         wrong_timer },
	{ "woken here, asleep again", 2, 2, 2, setup_timer_again, { sched_loop, send },      wrong_timer },
	{ "both ask",                2, 2, 2, setup_ask,       { ask, ask },                 wrong_answers },
	{ "asks one that leaves",    2, 3, 2, setup_ask,       { ask, put },                 wrong_answers },
	{ "a page and a TLBI",       2, 2, 2, windows_setup,   { windows_use, windows_invalidate }, windows_wrong },
	{ "a window and a TLBI",     2, 2, 2, windows_setup_open, { windows_rename, windows_invalidate_more }, windows_wrong },
	{ "asks and withdraws",      2, 3, 2, setup_ask,       { ask_once, serve },          wrong_withdrawn },
};
/* clang-format on */

static const struct {
	const char *name;
	const void *at;
	u32 size;
} names[] = {
#define NAME(what) { #what, &what, sizeof(what) },
	NAME(vcpu[0].state) NAME(vcpu[0].requests) NAME(vcpu[0].loaded_cpu) NAME(vcpu[0].vgic.stale)
		NAME(vcpu[0].vgic.mail) NAME(vcpu[0].vgic.where) NAME(vcpu[0].vgic.op_state)
			NAME(vcpu[1].state) NAME(vcpu[1].requests) NAME(vcpu[1].vgic.where)
				NAME(vcpu[1].vgic.op_state) NAME(cpus[0].rq_lock)
					NAME(cpus[0].rq_len) NAME(cpus[1].rq_lock)
						NAME(cpus[1].rq_len) NAME(cpus[2].rq_len)
#undef NAME
};

const char *order_name(const void *at)
{
	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (at >= names[i].at &&
		    (const char *)at < (const char *)names[i].at + names[i].size)
			return names[i].name;
	return "another word";
}

int main(void)
{
	u32 bad = 0;

	for (u32 i = 0; i < ARRAY_SIZE(scenarios) && !bad; i++)
		bad += !explore(&scenarios[i]);
	printf("order: %u scenarios, %u violations\n", (u32)ARRAY_SIZE(scenarios), bad);
	return bad != 0;
}
