/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler: run queues, time slices, idle. */
#include "vm/sched.h"

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "vm/console.h"
#include "lib/check.h"
#include "state/cpu.h"
#include "exit/run.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define SLICE_MS 4
/* Where nobody else waits than a VM that is being made or taken apart: as long as a piece of that work. */
#define SLICE_WORK_MS 1

static u64 idle_cpus; /* atomic: bit n set while cpus[n] waits for work */

static void slice_over(struct timer *t)
{
	struct cpu *cpu = container_of(t, struct cpu, slice);

	cpu->need_resched = true;
}

void sched_cpu_init(struct cpu *cpu)
{
	list_init(&cpu->rq);
	list_init(&cpu->timers);
	cpu->timer_programmed = ~0UL;
	timer_init(&cpu->slice, slice_over);
}

static u64 slice_ticks(u32 waiting)
{
	return sysreg_read(CNTFRQ_EL0) / 1000 * (waiting ? SLICE_MS : SLICE_WORK_MS);
}

/* An idle CPU is about to be woken: the next one to look for one takes another. */
static void claim_idle(u32 index)
{
	__atomic_fetch_and(&idle_cpus, ~BIT(index), __ATOMIC_SEQ_CST);
}

/* Have idle CPUs look again that could take vcpus which wait here and are not loaded (any more). */
static void offer_waiting(struct cpu *cpu)
{
	u64 idle = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST);
	struct list *n;

	if (likely(!idle) || !__atomic_load_n(&cpu->rq_len, __ATOMIC_ACQUIRE))
		return;
	spin_lock(&cpu->rq_lock);
	list_for_each(n, &cpu->rq) {
		const struct vcpu *v = list_entry(n, struct vcpu, rq_node);
		u64 fit = idle & v->affinity;
		u32 index;

		if (!fit || __atomic_load_n(&v->loaded_cpu, __ATOMIC_ACQUIRE))
			continue;
		index = (u32)__builtin_ctzl(fit);
		idle &= ~BIT(index);
		claim_idle(index);
		cpu_kick(&cpus[index]);
	}
	spin_unlock(&cpu->rq_lock);
}

/* Have an idle CPU do the work on VMs that this one leaves for a while. */
static void offer_work(void)
{
	u64 fit = __atomic_load_n(&idle_cpus, __ATOMIC_SEQ_CST);

	if (likely(!fit))
		return;
	fit &= vm_work_cpus();
	if (!fit)
		return;
	claim_idle((u32)__builtin_ctzl(fit));
	cpu_kick(&cpus[__builtin_ctzl(fit)]);
}

void sched_tick(struct cpu *cpu)
{
	u32 waiting = __atomic_load_n(&cpu->rq_len, __ATOMIC_RELAXED);

	/* Alone on this CPU, a vcpu runs on without a timer. */
	if (cpu->current && !cpu->slice.cpu && !cpu->need_resched && (waiting || vm_work_pending())) {
		timer_set(&cpu->slice, counter_now() + slice_ticks(waiting));
		offer_waiting(cpu);
		offer_work();
	}
}

/* Append to cpu's queue. */
static void enqueue(struct cpu *cpu, struct vcpu *vcpu)
{
	spin_lock(&cpu->rq_lock);
	vcpu->cpu = cpu;
	__atomic_store_n(&vcpu->state, VCPU_RUNNABLE, __ATOMIC_RELEASE);
	list_add_tail(&cpu->rq, &vcpu->rq_node);
	__atomic_store_n(&cpu->rq_len, cpu->rq_len + 1, __ATOMIC_RELEASE);
	spin_unlock(&cpu->rq_lock);
}

/* An allowed CPU: the one it was on if idle or nothing better, else an idle one. */
static struct cpu *place(struct vcpu *vcpu)
{
	struct cpu *last = vcpu->cpu;
	u64 idle;

	if (last && __atomic_load_n(&vcpu->loaded_cpu, __ATOMIC_ACQUIRE) == last)
		return last;
	idle = __atomic_load_n(&idle_cpus, __ATOMIC_ACQUIRE) & vcpu->affinity;
	if (last && ((idle & BIT(last->index)) || !idle))
		return last;
	if (idle)
		return &cpus[__builtin_ctzl(idle)];
	/* Never ran: spread over the allowed ones by index. */
	for (u32 i = 0; i < cpu_count; i++) {
		u32 n = (vcpu->index + vcpu->vm->id + i) % cpu_count;

		if (vcpu->affinity & BIT(n))
			return &cpus[n];
	}
	return &cpus[0];
}

/*
 * From here on who has something for the vcpu kicks its CPU. Who saw it asleep or queued does not: what they wrote has to be
 * seen by the run loop, whose looks (requests, vgic.stale) must therefore come after this store is seen, as vcpu_kick()'s
 * look at the state comes after what it tells of. A release store would let a later plain load pass it.
 */
static void set_running(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->state, VCPU_RUNNING, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * A vcpu that slept alone on its CPU, which wakes it by itself: its interrupt came while it was idle. Nobody else may
 * take what is loaded there, so it needs no queue.
 */
static bool start_here(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();

	if (likely(cpu->idle != IDLE_WAITS) || cpu->loaded != vcpu ||
	    __atomic_load_n(&cpu->rq_len, __ATOMIC_RELAXED))
		return false;
	cpu->idle = IDLE_OVER;
	set_running(vcpu);
	return true;
}

void sched_start(struct vcpu *vcpu)
{
	struct cpu *cpu;

	if (start_here(vcpu))
		return;
	cpu = place(vcpu);
	if (__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) & BIT(cpu->index))
		claim_idle(cpu->index);
	enqueue(cpu, vcpu);
	if (cpu != cpu_this())
		cpu_kick(cpu);
	else
		sched_tick(cpu);
}

/* Take the first vcpu of a queue that may run on cpu; from another CPU's queue only if not loaded there. */
static struct vcpu *dequeue(struct cpu *from, struct cpu *cpu)
{
	struct vcpu *found = NULL;
	struct list *n;

	if (!__atomic_load_n(&from->rq_len, __ATOMIC_ACQUIRE))
		return NULL;
	spin_lock(&from->rq_lock);
	list_for_each(n, &from->rq) {
		struct vcpu *v = list_entry(n, struct vcpu, rq_node);

		if (from != cpu && (__atomic_load_n(&v->loaded_cpu, __ATOMIC_ACQUIRE) ||
				    !(v->affinity & BIT(cpu->index))))
			continue;
		list_del(&v->rq_node);
		__atomic_store_n(&from->rq_len, from->rq_len - 1, __ATOMIC_RELEASE);
		v->cpu = cpu;
		set_running(v);
		found = v;
		break;
	}
	spin_unlock(&from->rq_lock);
	return found;
}

static struct vcpu *pick(struct cpu *cpu)
{
	struct vcpu *vcpu = dequeue(cpu, cpu);

	for (u32 i = 1; !vcpu && i < cpu_count; i++)
		vcpu = dequeue(&cpus[(cpu->index + i) % cpu_count], cpu);
	return vcpu;
}

/*
 * WFI with IRQs masked: an interrupt that becomes pending wakes the CPU and is then acknowledged here, so
 * there is no window in which a wake-up could be lost.
 */
static struct vcpu *idle_until_work(struct cpu *cpu)
{
	u64 since = counter_now();
	struct vcpu *vcpu;
	bool over;

	for (;;) {
		/* Before the look: who makes a vcpu free to go after it sees this CPU idle. */
		__atomic_fetch_or(&idle_cpus, BIT(cpu->index), __ATOMIC_SEQ_CST);
		vcpu = pick(cpu);
		if (vcpu || vm_work_pending())
			break;
		console_flush();
		cpu->idle = IDLE_WAITS;
		dsb(sy);
		wfi();
		irq_handle();
		over = cpu->idle == IDLE_OVER;
		cpu->idle = IDLE_NOT;
		if (over) {
			vcpu = cpu->loaded;
			break;
		}
	}
	__atomic_fetch_and(&idle_cpus, ~BIT(cpu->index), __ATOMIC_SEQ_CST);
	cpu->idle_ticks += counter_now() - since;
	return vcpu;
}

/* Have vcpu's state in this CPU's registers; whoever was there is written back. */
static void make_loaded(struct cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->loaded == vcpu)
		return;
	if (cpu->loaded) {
		vcpu_put(cpu->loaded);
		offer_waiting(cpu);
	}
	vcpu_load(vcpu);
}

/*
 * Asleep only if nothing woke it meanwhile: state first, then the look at what wakes; wakers write
 * what wakes first and then look at the state (vcpu_kick).
 */
static void fall_asleep(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 sleeping = VCPU_SLEEPING;

	__atomic_store_n(&vcpu->state, VCPU_SLEEPING, __ATOMIC_SEQ_CST);
	/* Against the plain loads of the look: on its own the store may come after them. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vcpu_wakes(vcpu))
		return;
	if (__atomic_compare_exchange_n(&vcpu->state, &sleeping, VCPU_STARTING, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		enqueue(cpu, vcpu);
}

static void run_one(struct cpu *cpu, struct vcpu *vcpu)
{
	enum run_result result;

	make_loaded(cpu, vcpu);
	cpu->current = vcpu;
	cpu->need_resched = false;
	if (unlikely(!vcpu->vm->entered))
		vm_first_entry(vcpu->vm);
	sched_tick(cpu);
	result = vcpu_run(vcpu);
	cpu->current = NULL;
	timer_cancel(&cpu->slice);
	switch (result) {
	case RUN_PREEMPT:
		enqueue(cpu, vcpu);
		break;
	case RUN_SLEEP:
		fall_asleep(cpu, vcpu);
		break;
	case RUN_AGAIN: /* vcpu_run() keeps that to itself */
		break;
	case RUN_STOP:
		vcpu_put(vcpu);
		vm_vcpu_gone(vcpu);
		break;
	}
}

/*
 * A piece of work on a VM. Not with a vcpu loaded: who wants something of one that only its own CPU can see (its list
 * registers) would wait, and so would a CPU that could run it. Then the interrupts that came meanwhile.
 */
static void work_on_vms(struct cpu *cpu)
{
	if (cpu->loaded) {
		vcpu_put(cpu->loaded);
		offer_waiting(cpu);
	}
	vm_work();
	irq_handle();
}

noreturn void sched_loop(void)
{
	struct cpu *cpu = cpu_this();

	for (;;) {
		struct vcpu *vcpu;

		if (unlikely(vm_work_pending()))
			work_on_vms(cpu);
		vcpu = pick(cpu);
		if (!vcpu)
			vcpu = idle_until_work(cpu);
		if (vcpu)
			run_one(cpu, vcpu);
	}
}
