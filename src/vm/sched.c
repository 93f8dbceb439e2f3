/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's loop: pick, load, run; idle. */
#include "vm/sched.h"

#include "arch/barrier.h"
#include "exit/run.h"
#include "exit/serror.h"
#include "exit/vcpu.h"
#include "lib/check.h"
#include "state/cpu.h"
#include "state/stolen.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vm/console.h"
#include "vm/vm.h"

/*
 * WFI with IRQs masked: an interrupt that becomes pending wakes the CPU and is then acknowledged
 * here, so there is no window in which a wake-up could be lost.
 */
static struct vcpu *idle_until_work(struct cpu *cpu)
{
	u64 since = counter_now();
	struct vcpu *vcpu;
	bool over, again = false;

	for (;;) {
		/* WFI does not wait while one is pending. */
		if (again)
			serror_poll();
		again = true;
		/* Before the check: whoever makes a vcpu available after it sees this CPU idle. */
		runq_idle(cpu, true);
		vcpu = runq_take(cpu);
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
	runq_idle(cpu, false);
	cpu->idle_ticks += counter_now() - since;
	return vcpu;
}

/* Load vcpu's state into this CPU's registers; the one that was there is written back. */
static void make_loaded(struct cpu *cpu, struct vcpu *vcpu)
{
	if (cpu->loaded == vcpu)
		return;
	if (cpu->loaded) {
		vcpu_put(cpu->loaded);
		runq_offer(cpu);
	}
	vcpu_load(vcpu);
	if (unlikely(!vcpu->vm->entered))
		vm_first_entry(vcpu->vm);
}

/*
 * Put the vcpu to sleep unless something woke it meanwhile: write the state first, then read the
 * reasons to wake; wakers write the reason first and then read the state (vcpu_kick).
 */
static void fall_asleep(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 sleeping = VCPU_SLEEPING;

	__atomic_store_n(&vcpu->state, VCPU_SLEEPING, __ATOMIC_SEQ_CST);
	/* Orders the store before the plain loads of the check. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vcpu_wakes(vcpu))
		return;
	if (__atomic_compare_exchange_n(&vcpu->state, &sleeping, VCPU_STARTING, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		runq_add(cpu, vcpu);
}

static void run_one(struct cpu *cpu, struct vcpu *vcpu)
{
	enum run_result result;

	if (unlikely(cpu->stolen_from))
		stolen_below(cpu);
	make_loaded(cpu, vcpu);
	cpu->current = vcpu;
	cpu->need_resched = false;
	sched_tick(cpu);
	result = vcpu_run(vcpu);
	cpu->current = NULL;
	timer_cancel(&cpu->slice);
	if (likely(result == RUN_SLEEP)) {
		fall_asleep(cpu, vcpu);
	} else if (result == RUN_PREEMPT) {
		runq_add(cpu, vcpu);
	} else { /* RUN_STOP: vcpu_run() keeps the others to itself */
		vcpu_put(vcpu);
		vm_vcpu_gone(vcpu);
	}
}

/*
 * Do a piece of work on a VM. No vcpu is loaded meanwhile: an operation on one that only its own
 * CPU can do (on its list registers) would wait, and so would a CPU that could run it. Then take
 * the interrupts that came meanwhile.
 */
static void work_on_vms(struct cpu *cpu)
{
	if (cpu->loaded) {
		vcpu_put(cpu->loaded);
		runq_offer(cpu);
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
		vcpu = runq_take(cpu);
		if (!vcpu)
			vcpu = idle_until_work(cpu);
		if (vcpu)
			run_one(cpu, vcpu);
	}
}
