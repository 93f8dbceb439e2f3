/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: prepare, enter, snapshot, dispatch, act. */
#include "exit/run.h"

#include "arch/esr.h"
#include "arch/sysreg.h"
#include "exit/exit.h"
#include "exit/fast.h"
#include "exit/prepare.h"
#include "exit/hwerror.h"
#include "exit/psci.h"
#include "nested/inject.h"
#include "nested/level.h"
#include "nested/shadow.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "state/vcpu.h"
#include "state/vel2_regs.h"
#include "state/vm.h"
#include "traps/untrapped.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

/* The vcpu is to leave the loop: stop its VM, if that has not been done. */
static __attribute__((noinline, cold)) void serve_stop(struct vcpu *vcpu, u32 requests)
{
	if (requests & REQ_SERROR)
		vm_stop(vcpu->vm, VM_STOPPING, VM_SERROR);
}

/* Serve the requests to this vcpu; false: it has to leave the loop. */
static bool serve_requests(struct vcpu *vcpu)
{
	u32 requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

	if (requests & REQ_VGIC_SYNC)
		vgic_serve_sync(vcpu);
	if (requests & REQ_TIMER)
		vtimer_update(vcpu);
	if (unlikely(requests & REQ_STOP)) {
		serve_stop(vcpu, requests);
		return false;
	}
	/*
	 * One piece; the rest sets the request again. This CPU's interrupts come in between, the
	 * guest's only after all of it.
	 */
	if (requests & REQ_WORK) {
		shadow_work(vcpu);
		irq_handle();
	}
	return true;
}

/*
 * Serve requests until there are none, or another vcpu needs the CPU; false: it has to leave the
 * loop.
 */
static __attribute__((noinline)) bool serve_pending(struct vcpu *vcpu)
{
	do {
		if (!serve_requests(vcpu))
			return false;
	} while (read_once(&vcpu->requests) && !cpu_this()->need_resched);
	return true;
}

/*
 * Bits of vgic.work that need no check if the guest, which goes to sleep now and was checked, has
 * not run: a timer's line stays high once it is. A device's may fall meanwhile; a timer that fires
 * may be for a lower level than the one that sleeps.
 */
static inline u16 checked_work(const struct vcpu *vcpu)
{
	return unlikely(vcpu->in_vel2 && !vgic_vel2_takes_all(vcpu)) ? 0 : VGIC_WORK_TIMERS;
}

static void snapshot(struct vcpu *vcpu, enum exit_kind kind)
{
	struct exit *exit = &vcpu->exit;

	exit->elr = vcpu->pc = sysreg_read(ELR_EL2);
	exit->spsr = vcpu->pstate = sysreg_read(SPSR_EL2);
	if (kind != EXIT_SYNC)
		return;
	exit->esr = sysreg_read(ESR_EL2);
	/* A read of HPFAR_EL2 at a virtual EL2 is an exit. */
	if (ESR_HAS_FAR(exit->esr)) {
		exit->far = sysreg_read(FAR_EL2);
		exit->hpfar = sysreg_read(HPFAR_EL2);
	}
}

static enum verdict handle_exit(struct vcpu *vcpu, enum exit_kind kind, enum exit_class *class)
{
	if (likely(kind == EXIT_SYNC))
		return exit_dispatch(vcpu, &vcpu->exit, class);
	if (kind == EXIT_SERROR) {
		*class = EXIT_CLASS_SERROR;
		/*
		 * The access that caused it is unknown; most likely it was made by the VM that ran.
		 */
		if (hwerror_serror(vcpu, sysreg_read(ESR_EL2)))
			return RESUME;
		vcpu->stop_reason = VM_SERROR;
		return STOP_VM;
	}
	*class = kind == EXIT_IRQ ? EXIT_CLASS_IRQ : EXIT_CLASS_FIQ;
	irq_handle();
	return RESUME;
}

/* Prepare an entry: RUN_ENTER, or why the loop ends. first: by prepare_first(). */
static inline __attribute__((always_inline)) enum run_result prepare_or_leave(struct vcpu *vcpu,
									      bool first)
{
	if (unlikely(read_once(&vcpu->requests)) && !serve_pending(vcpu))
		return RUN_STOP;
	if (unlikely(cpu_this()->need_resched))
		return RUN_PREEMPT;
	return likely(first ? prepare_first(vcpu) : prepare_entry(vcpu)) ? RUN_ENTER : RUN_PREEMPT;
}

static __attribute__((noinline, cold)) void trace_end(const struct vcpu *vcpu,
						      enum run_result result, u64 now)
{
	trace_add_at(vcpu, now, TRACE_END, result, vcpu->local_erets, vcpu->account.level_bytes);
}

static void account_leave(struct vcpu *vcpu, enum run_result result, u64 now)
{
	account_end(&vcpu->account, now);
	if (trace_on(vcpu))
		trace_end(vcpu, result, now);
}

/* End the loop; the guest may have run since the last check. */
static enum run_result leave(struct vcpu *vcpu, enum run_result result, u64 now)
{
	vcpu->checked = 0;
	account_leave(vcpu, result, now);
	return result;
}

/* The data field of this exit's record (state/trace_format.h). */
static u64 trace_data(const struct vcpu *vcpu, enum exit_class class)
{
	const struct exit *exit = &vcpu->exit;

	if (class == EXIT_CLASS_DABT || class == EXIT_CLASS_IABT)
		return exit_ipa(exit);
	if (class == EXIT_CLASS_ERET && vcpu->account.level == ACCOUNT_VM && trace_level(vcpu))
		return vel2_vttbr(vcpu);
	return exit->elr;
}

static __attribute__((noinline, cold)) void trace_full(const struct vcpu *vcpu,
						       enum exit_class class, enum verdict verdict,
						       u64 left, u64 ticks)
{
	bool irq = class == EXIT_CLASS_IRQ || class == EXIT_CLASS_FIQ;

	trace_exit(vcpu, vcpu->account.level, class, verdict | trace_level(vcpu), left, ticks,
		   irq ? vcpu->intid : vcpu->exit.esr, trace_data(vcpu, class));
}

/* The exit is over now. */
static inline void account(struct vcpu *vcpu, enum exit_class class, enum verdict verdict, u64 left,
			   u64 now)
{
	account_exit(&vcpu->account, vcpu->account.level, class, now - left);
	/* prepare_registers() loaded the word just before. */
	if (unlikely(vcpu->rare) && vcpu->traced)
		trace_full(vcpu, class, verdict, left, now - left);
}

/* Finish the exit: RUN_ENTER with everything in place for the ERET, or why the loop ends. */
static inline enum run_result enter(struct vcpu *vcpu, enum exit_class class, enum verdict verdict,
				    u64 left)
{
	enum run_result result = prepare_or_leave(vcpu, false);
	u64 now = counter_now();

	account(vcpu, class, verdict, left, now);
	return likely(result == RUN_ENTER) ? result : leave(vcpu, result, now);
}

static enum run_result account_and_leave(struct vcpu *vcpu, enum exit_class class,
					 enum verdict verdict, u64 left, enum run_result result)
{
	u64 now = counter_now();

	account(vcpu, class, verdict, left, now);
	account_leave(vcpu, result, now);
	return result;
}

static __attribute__((noinline, cold)) enum run_result stop(struct vcpu *vcpu, enum verdict verdict,
							    enum exit_class class, u64 left)
{
	if (verdict == STOP_VM)
		vm_stop(vcpu->vm, VM_STOPPING, vcpu->stop_reason);
	else
		vm_stop(vcpu->vm, VM_RESETTING, NULL);
	return account_and_leave(vcpu, class, verdict, left, RUN_STOP);
}

/* Inject the exception of a verdict. */
static __attribute__((noinline)) void inject(struct vcpu *vcpu, enum verdict verdict)
{
	if (verdict == UNDEF)
		inject_undef(vcpu);
	else if (verdict == ABORT)
		inject_external_abort(vcpu);
	else
		inject_sync(vcpu, vcpu->inject_esr, verdict == INJECT_FAR, vcpu->inject_far);
}

static inline __attribute__((always_inline)) enum run_result apply_verdict(struct vcpu *vcpu,
									   enum verdict verdict,
									   enum exit_class class,
									   u64 left)
{
	switch (verdict) {
	case RESUME:
		break;
	case SKIP:
		if (unlikely(vcpu_step_over(vcpu, &vcpu->exit)))
			level_step(vcpu);
		break;
	case REFLECT:
		level_reflect(vcpu);
		break;
	case REFLECT_ABORT:
		level_reflect_abort(vcpu);
		break;
	case UNDEF:
	case INJECT:
	case INJECT_FAR:
	case ABORT:
		inject(vcpu, verdict);
		break;
	case SLEEP:
		vcpu->checked = checked_work(vcpu);
		return account_and_leave(vcpu, class, verdict, left, RUN_SLEEP);
	case STOP_VM:
	case RESET_VM:
		return stop(vcpu, verdict, class, left);
	case DEAD:
		return account_and_leave(vcpu, class, verdict, left, RUN_STOP);
	case DONE:
	case DONE_GPRS:
	case PASS:
		break; /* of fast paths only: run_continue() */
	case AGAIN:
		vcpu->exit_waits = vcpu->unfinished = true;
		return account_and_leave(vcpu, class, verdict, left, RUN_AGAIN);
	}
	return enter(vcpu, class, verdict, left);
}

/* apply_verdict() for callers off the hot path. */
static __attribute__((noinline)) enum run_result apply_verdict_cold(struct vcpu *vcpu,
								    enum verdict verdict,
								    enum exit_class class, u64 left)
{
	return apply_verdict(vcpu, verdict, class, left);
}

/* Take the snapshot of an exit before it is handled. */
static inline __attribute__((always_inline)) void take_snapshot(struct vcpu *vcpu,
								enum exit_kind kind)
{
	snapshot(vcpu, kind);
	if (unlikely(vcpu->has_vel2))
		vcpu->account.level = vcpu->in_vel2 ? ACCOUNT_VM : ACCOUNT_NESTED;
	if (vcpu->in_vel2) {
		untrapped_check(vcpu, UNTRAPPED_EXIT);
		if (kind != EXIT_SYNC || ESR_EC(vcpu->exit.esr) != EC_ERET)
			untrapped_check(vcpu, UNTRAPPED_STAY);
	}
	simd_chaos_point();
}

/* Handle one exit, up to the next entry. */
static u64 run_exit(struct vcpu *vcpu, u64 vector)
{
	enum exit_kind kind = (enum exit_kind)vector;
	u64 left = counter_now();
	enum exit_class class;
	enum verdict verdict;

	take_snapshot(vcpu, kind);
	verdict = handle_exit(vcpu, kind, &class);
	return apply_verdict(vcpu, verdict, class, left);
}

/* Handle an interrupt that a fast path has acknowledged. */
static enum run_result run_irq(struct vcpu *vcpu)
{
	take_snapshot(vcpu, EXIT_IRQ);
	irq_acked(vcpu->intid);
	return enter(vcpu, EXIT_CLASS_IRQ, RESUME, vcpu->account.left);
}

u64 run_continue(struct vcpu *vcpu, enum verdict verdict, enum exit_kind kind)
{
	if (kind == EXIT_IRQ)
		return run_irq(vcpu);
	if (verdict == PASS)
		return run_exit(vcpu, kind);
	return apply_verdict_cold(vcpu, verdict, exit_class(vcpu->exit.esr), vcpu->account.left);
}

/*
 * Handle an exit again that waits for other vcpus. Between two tries interrupts are taken, requests
 * to this vcpu served and its CPU given up if needed; the guest does not run.
 */
static enum run_result try_again(struct vcpu *vcpu)
{
	u64 left = counter_now();
	enum exit_class class;
	enum verdict verdict;

	if (cpu_this()->need_resched)
		return RUN_PREEMPT;
	verdict = exit_dispatch(vcpu, &vcpu->exit, &class);
	if (verdict == AGAIN)
		return RUN_AGAIN;
	vcpu->exit_waits = false;
	vcpu->pair.done = 0;
	vcpu->unfinished = vcpu->vgic.deferred;
	vgic_ask_drop(vcpu);
	account_begin(&vcpu->account, left);
	if (trace_on(vcpu))
		trace_add_at(vcpu, left, TRACE_RUN, trace_level(vcpu), 0, vcpu->pc);
	return apply_verdict_cold(vcpu, verdict, class, left);
}

/* Do what has to be done before anything else: vcpu->unfinished. */
static __attribute__((noinline)) enum run_result finish_pending(struct vcpu *vcpu)
{
	irq_handle();
	if (read_once(&vcpu->requests) && !serve_pending(vcpu))
		return RUN_STOP;
	if (vcpu->exit_waits)
		return try_again(vcpu);
	if (vcpu->vgic.deferred && !vgic_finish_deferred(vcpu))
		return RUN_PREEMPT;
	if (vcpu->powered_down && !psci_resume(vcpu))
		return RUN_SLEEP;
	vcpu->unfinished = vcpu->vgic.deferred; /* psci_resume() may have found some */
	return RUN_BEGIN;
}

/* Enter the guest for the first time since the loop began. */
static enum run_result begin_run(struct vcpu *vcpu)
{
	enum run_result result = prepare_or_leave(vcpu, true);
	u64 now = counter_now();

	account_begin(&vcpu->account, now);
	if (trace_on(vcpu))
		trace_add_at(vcpu, now, TRACE_RUN, trace_level(vcpu), 0, vcpu->pc);
	return likely(result == RUN_ENTER) ? result : leave(vcpu, result, now);
}

enum run_result vcpu_run(struct vcpu *vcpu)
{
	enum run_result result = RUN_BEGIN;

	do {
		if (unlikely(vcpu->unfinished))
			result = finish_pending(vcpu);
		if (likely(result == RUN_BEGIN))
			result = begin_run(vcpu);
		if (result == RUN_ENTER)
			result = (enum run_result)vcpu_enter(vcpu, run_exit);
	} while (unlikely(result == RUN_AGAIN));
	return result;
}
