/* SPDX-License-Identifier: Apache-2.0 */
/* Run queues, time slices, and waking a vcpu. Its loop is vm/sched.c. */
#include "state/runq.h"

#include "arch/sysreg.h"
#include "state/cpu.h"
#include "state/stolen.h"
#include "state/trace.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define SLICE_MS 4
/* A slice when only work on a VM waits (vm_work()): as long as a piece of that work. */
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
	list_init(&cpu->hw.timers);
	cpu->hw.timer_programmed = ~0UL;
	timer_init(&cpu->slice, slice_over);
}

static u64 slice_ticks(u32 waiting)
{
	return sysreg_read(CNTFRQ_EL0) / 1000 * (waiting ? SLICE_MS : SLICE_WORK_MS);
}

/* Remove a CPU that is about to be woken from idle_cpus, so that the next wake-up finds another. */
static void claim_idle(u32 index)
{
	__atomic_fetch_and(&idle_cpus, ~BIT(index), __ATOMIC_SEQ_CST);
}

void runq_offer(struct cpu *cpu)
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

/* Wake an idle CPU to do the work on VMs that this CPU leaves for a while. */
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
	if (cpu->current && !cpu->slice.cpu && !cpu->need_resched &&
	    (waiting || vm_work_pending())) {
		timer_set(&cpu->slice, counter_now() + slice_ticks(waiting));
		runq_offer(cpu);
		offer_work();
	}
}

void runq_add(struct cpu *cpu, struct vcpu *vcpu)
{
	spin_lock(&cpu->rq_lock);
	__atomic_store_n(&vcpu->cpu, cpu, __ATOMIC_RELAXED);
	stolen_begin(vcpu);
	__atomic_store_n(&vcpu->state, VCPU_RUNNABLE, __ATOMIC_RELEASE);
	list_add_tail(&cpu->rq, &vcpu->rq_node);
	__atomic_store_n(&cpu->rq_len, cpu->rq_len + 1, __ATOMIC_RELEASE);
	spin_unlock(&cpu->rq_lock);
}

/* An allowed CPU: the one it was on if idle or nothing better, else an idle one. */
static struct cpu *choose_cpu(struct vcpu *vcpu)
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
 * Mark the vcpu RUNNING: from here on wakers kick its CPU. Wakers that saw it asleep or queued do
 * not; what they wrote must be seen by the run loop's checks (requests, vgic.stale), which must
 * therefore come after this store is visible, as vcpu_kick() reads the state after the waker's
 * write is visible. A release store would let a later plain load pass it.
 */
static void set_running(struct vcpu *vcpu)
{
	__atomic_store_n(&vcpu->state, VCPU_RUNNING, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/*
 * Resume a vcpu that slept alone on its CPU and is woken by this CPU's own interrupt. No other CPU
 * may take a vcpu that is loaded here, so it needs no queue.
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

	trace_elsewhere(vcpu, TRACE_WAKE, 0);
	if (start_here(vcpu))
		return;
	cpu = choose_cpu(vcpu);
	if (__atomic_load_n(&idle_cpus, __ATOMIC_RELAXED) & BIT(cpu->index))
		claim_idle(cpu->index);
	runq_add(cpu, vcpu);
	if (cpu != cpu_this())
		cpu_kick(cpu);
	else
		sched_tick(cpu);
}

/*
 * Take the first vcpu of a queue that may run on cpu; from another CPU's queue only if not loaded
 * there.
 */
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
		__atomic_store_n(&v->cpu, cpu, __ATOMIC_RELAXED);
		stolen_end(v);
		set_running(v);
		found = v;
		break;
	}
	spin_unlock(&from->rq_lock);
	return found;
}

struct vcpu *runq_take(struct cpu *cpu)
{
	struct vcpu *vcpu = dequeue(cpu, cpu);

	for (u32 i = 1; !vcpu && i < cpu_count; i++)
		vcpu = dequeue(&cpus[(cpu->index + i) % cpu_count], cpu);
	return vcpu;
}

void runq_idle(const struct cpu *cpu, bool idle)
{
	if (idle)
		__atomic_fetch_or(&idle_cpus, BIT(cpu->index), __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_and(&idle_cpus, ~BIT(cpu->index), __ATOMIC_SEQ_CST);
}

void vcpu_kick(struct vcpu *vcpu)
{
	u32 state;

	/* Orders the caller's write before the read of the state (see fall_asleep). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	state = __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
	if (state == VCPU_RUNNING) {
		struct cpu *cpu = read_once(&vcpu->cpu);

		/* If this is the CPU that it left, its checks come after the caller's write. */
		if (cpu != cpu_this())
			cpu_kick(cpu);
	} else if (state == VCPU_SLEEPING) {
		if (__atomic_compare_exchange_n(&vcpu->state, &state, VCPU_STARTING, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			sched_start(vcpu);
	}
}

void vcpu_request(struct vcpu *vcpu, u32 request)
{
	__atomic_fetch_or(&vcpu->requests, request, __ATOMIC_RELEASE);
	vcpu_kick(vcpu);
}
