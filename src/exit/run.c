/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: prepare, enter, snapshot, dispatch, act. */
#include "exit/run.h"

#include "arch/esr.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "exit/exit.h"
#include "exit/psci.h"
#include "exit/sysreg_emul.h"
#include "lib/log.h"
#include "nested/inject.h"
#include "nested/level.h"
#include "nested/shadow.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/debug.h"
#include "traps/traps.h"
#include "traps/vel2.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

/* Everything that others asked of this vcpu; false: it has to leave the loop. */
static bool serve_requests(struct vcpu *vcpu)
{
	u32 requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

	if (requests & REQ_VGIC_SYNC)
		vgic_serve_sync(vcpu);
	if (requests & REQ_TIMER)
		vtimer_update(vcpu);
	if (requests & REQ_STOP)
		return false;
	/*
	 * A piece; what is left asks again. This CPU's interrupts come in between, the guest's only
	 * after all of it.
	 */
	if (requests & REQ_WORK) {
		shadow_work(vcpu);
		irq_handle();
	}
	return true;
}

/*
 * Until nobody asks for anything, or another vcpu wants the CPU; false: it has to leave the loop.
 */
static __attribute__((noinline)) bool serve_all(struct vcpu *vcpu)
{
	do {
		if (!serve_requests(vcpu))
			return false;
	} while (read_once(&vcpu->requests) && !cpu_this()->need_resched);
	return true;
}

/* Of a vcpu that has EL2: what is L1's takes its guest out at once. */
static __attribute__((noinline)) void deliver_el2(struct vcpu *vcpu)
{
	bool fiq;

	if (vcpu->vgic.where == VGIC_L2) {
		/* What comes after this look ends the entry at once by its kick. */
		if (likely(!vgic_wants_vel2(vcpu, &fiq)))
			return;
		level_take(vcpu, fiq ? LEVEL_FIQ : LEVEL_IRQ, 0);
	}
	vgic_flush(vcpu);
	if (unlikely(vgic_el2_route(vcpu))) {
		level_take(vcpu, LEVEL_FIQ, 0);
		vgic_flush(vcpu);
	}
}

/*
 * Whether that, or settle(), has something to do: mostly not. If so, mostly the guest is done with
 * what was placed, or vEL2 masks it while it accesses one register after the other.
 */
static inline bool work_left(struct vcpu *vcpu)
{
	if (likely(!vgic_work(&vcpu->vgic)) || !vgic_work_left(&vcpu->vgic))
		return false;
	return !vcpu->has_el2 || !vgic_el2_only_waits(vcpu);
}

/* The same after a short exit of vEL2: whether the guest is done is left to a longer one. */
static inline bool work_left_vel2(struct vcpu *vcpu)
{
	return unlikely(vgic_work(&vcpu->vgic)) && !vgic_el2_only_waits(vcpu) &&
	       vgic_work_left(&vcpu->vgic);
}

/* work_left(): to the list registers. */
static inline void deliver_interrupts(struct vcpu *vcpu)
{
	if (unlikely(vcpu->has_el2))
		deliver_el2(vcpu);
	else
		vgic_flush(vcpu);
}

/*
 * What the vcpu owes; mostly others have to do nothing for it. Then what has become pending by it
 * is delivered.
 */
static __attribute__((noinline)) bool settle(struct vcpu *vcpu)
{
	do {
		if (!vgic_settle(vcpu))
			return false;
		if (work_left(vcpu))
			deliver_interrupts(vcpu);
	} while (vcpu->vgic.owes);
	return true;
}

/* False: something of vgic.owes (with which comes vgic.stale) waits for others. */
static inline __attribute__((always_inline)) bool prepare_interrupts(struct vcpu *vcpu)
{
	deliver_interrupts(vcpu);
	return likely(!vcpu->vgic.owes) || settle(vcpu);
}

/*
 * Trap controls and vector lengths as they are to be in the guest. A claim by the check opens all
 * that the VM has: L1's traps on its guest and its limits come on top.
 */
static __attribute__((noinline)) void prepare_traps(struct vcpu *vcpu)
{
	do {
		simd_chaos_point();
		if (vcpu->traps_stale) {
			if (vcpu->has_el2)
				simd_level(vcpu);
			traps_update(vcpu);
		}
		simd_chaos_point();
		simd_check(vcpu); /* last: whatever came before may have held a host section */
	} while (unlikely(vcpu->traps_stale && vcpu->has_el2));
}

/*
 * Of vgic.work what needs no look if the guest, which goes to sleep now and had one, has not run: a
 * timer's line stays high once it is. A device's may fall meanwhile; a timer that fires may be for
 * a lower level than that which sleeps.
 */
static inline u16 looked_at(const struct vcpu *vcpu)
{
	return unlikely(vcpu->hyp && !vgic_el2_open(vcpu)) ? 0 : VGIC_WORK_TIMERS;
}

/* Bring the registers in line with memory; nothing here writes what has not changed. */
static inline __attribute__((always_inline)) void prepare_registers(struct vcpu *vcpu)
{
	if (vcpu->pc_dirty) {
		sysreg_write(ELR_EL2, vcpu->pc);
		sysreg_write(SPSR_EL2, vcpu->pstate);
		vcpu->pc_dirty = false;
	}
	if (unlikely(vcpu->traps_stale | simd_chaos)) {
		prepare_traps(vcpu);
		return;
	}
	simd_check(vcpu);
	if (unlikely(vcpu->traps_stale && vcpu->has_el2))
		prepare_traps(vcpu);
}

/* False: not to be entered, as something waits for others. */
static bool prepare_entry(struct vcpu *vcpu)
{
	if (unlikely(work_left(vcpu)) && !prepare_interrupts(vcpu))
		return false;
	prepare_registers(vcpu);
	return true;
}

/*
 * The first of this vcpu_run(): after a sleep, which began with a look, none at what cannot have
 * changed since.
 */
static inline bool prepare_first(struct vcpu *vcpu)
{
	if (unlikely(vgic_work(&vcpu->vgic) & ~vcpu->looked) && work_left(vcpu) &&
	    !prepare_interrupts(vcpu))
		return false;
	prepare_registers(vcpu);
	return true;
}

static void snapshot(struct vcpu *vcpu, enum exit_kind kind)
{
	struct exit *exit = &vcpu->exit;

	exit->elr = vcpu->pc = sysreg_read(ELR_EL2);
	exit->spsr = vcpu->pstate = sysreg_read(SPSR_EL2);
	if (kind == EXIT_SYNC) {
		exit->esr = sysreg_read(ESR_EL2);
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
		 * Which access of whom caused it can't be known; the VM that ran is the likeliest.
		 */
		vcpu->stop_reason = "SError interrupt from the hardware";
		return STOP_VM;
	}
	*class = kind == EXIT_IRQ ? EXIT_CLASS_IRQ : EXIT_CLASS_FIQ;
	irq_handle();
	return RESUME;
}

/* What the run loop ends with as vcpu_enter() hands it on: not 0. */
#define ENDS(result) ((u64)(result) + 1)

/*
 * Whether the guest may be entered, or the loop ends: for a reason that is not 0. first:
 * prepare_entry().
 */
static inline __attribute__((always_inline)) u64 ready(struct vcpu *vcpu, bool first)
{
	if (unlikely(read_once(&vcpu->requests)) && !serve_all(vcpu))
		return ENDS(RUN_STOP);
	if (unlikely(cpu_this()->need_resched))
		return ENDS(RUN_PREEMPT);
	return likely(first ? prepare_first(vcpu) : prepare_entry(vcpu)) ? 0 : ENDS(RUN_PREEMPT);
}

/* The loop ends; the guest may have run since the last look. */
static u64 leave(struct vcpu *vcpu, u64 end, u64 now)
{
	vcpu->looked = 0;
	account_end(&vcpu->account, now);
	return end;
}

/*
 * The exit is over: everything is in place for the ERET. Or the loop ends, for a reason that is not
 * 0.
 */
static inline u64 enter(struct vcpu *vcpu, enum exit_class class, u64 left)
{
	u64 end = ready(vcpu, false), now = counter_now();

	account_exit(&vcpu->account, vcpu->account.level, class, now - left);
	return likely(!end) ? 0 : leave(vcpu, end, now);
}

static u64 end(struct vcpu *vcpu, enum exit_class class, u64 left, enum run_result result)
{
	u64 now = counter_now();

	account_exit(&vcpu->account, vcpu->account.level, class, now - left);
	account_end(&vcpu->account, now);
	return ENDS(result);
}

static __attribute__((noinline, cold)) u64 stop(struct vcpu *vcpu, enum vm_state how,
						const char *reason, enum exit_class class, u64 left)
{
	vm_stop(vcpu->vm, how, reason);
	return end(vcpu, class, left, RUN_STOP);
}

static inline __attribute__((always_inline)) u64 act(struct vcpu *vcpu, enum verdict verdict,
						     enum exit_class class, u64 left)
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
	case UNDEF:
		inject_undef(vcpu);
		break;
	case INJECT:
		inject_sync(vcpu, vcpu->inject_esr, false, 0);
		break;
	case SLEEP:
		vcpu->looked = looked_at(vcpu);
		return end(vcpu, class, left, RUN_SLEEP);
	case STOP_VM:
		return stop(vcpu, VM_STOPPING, vcpu->stop_reason, class, left);
	case RESET_VM:
		return stop(vcpu, VM_RESETTING, NULL, class, left);
	case DEAD:
		return end(vcpu, class, left, RUN_STOP);
	case AGAIN:
		vcpu->again = vcpu->unfinished = true;
		return end(vcpu, class, left, RUN_AGAIN);
	}
	return enter(vcpu, class, left);
}

/* The same for who is not in a hurry. */
static __attribute__((noinline)) u64 act_rest(struct vcpu *vcpu, enum verdict verdict,
					      enum exit_class class, u64 left)
{
	return act(vcpu, verdict, class, left);
}

/* What vEL2 did without a trap since it was entered; its timers and virtual GIC interface apart. */
static inline void look_at_controls(struct vcpu *vcpu)
{
	if (unlikely(!vel2_cptr_quiet(vcpu)))
		vel2_cptr_exit(vcpu);
	if (unlikely(!debug_vel2_quiet(vcpu)))
		debug_vel2_exit(vcpu);
}

/* What there is to know of an exit before it is handled. */
static inline __attribute__((always_inline)) void begin(struct vcpu *vcpu, enum exit_kind kind)
{
	snapshot(vcpu, kind);
	if (unlikely(vcpu->has_el2))
		vcpu->account.level = vcpu->hyp ? ACCOUNT_L1 : ACCOUNT_L2;
	if (vcpu->hyp) {
		if (unlikely(!vtimer_el2_quiet(vcpu)))
			vtimer_el2_exit(vcpu);
		look_at_controls(vcpu);
		if (unlikely(vel2_without_vhe(vcpu)))
			vel2_say_vhe(vcpu);
		/* An ERET to L2 looks by itself. */
		if (unlikely(!vgic_el2_quiet(vcpu)) &&
		    (kind != EXIT_SYNC || ESR_EC(vcpu->exit.esr) != EC_ERET))
			vgic_el2_exit(vcpu);
	}
	simd_chaos_point();
}

/* From one exit to the next entry. */
static u64 run_exit(struct vcpu *vcpu, u64 vector)
{
	enum exit_kind kind = (enum exit_kind)vector;
	u64 left = counter_now();
	enum exit_class class;
	enum verdict verdict;

	begin(vcpu, kind);
	verdict = handle_exit(vcpu, kind, &class);
	return act(vcpu, verdict, class, left);
}

/* What a short way leaves to be done: run_sys()'s verdict + 1, or one of these. */
enum {
	REST_ALL = AGAIN + 2, /* everything: nothing has been done */
	REST_AFTER_ERET,     /* what comes before an entry, and the account */
	REST_AFTER_HVC,
	REST_AFTER_NV,
	REST_IRQ, /* and above: an interrupt, plus what irq_again() returned */
};

static u64 run_sys_rest(struct vcpu *vcpu, enum verdict verdict)
{
	vcpu->account.level = ACCOUNT_L1;
	vcpu->exit.elr = vcpu->pc;
	vcpu->exit.spsr = vcpu->pstate;
	if (verdict == UNDEF)
		verdict = sysreg_trap(vcpu, &vcpu->exit);
	return act_rest(vcpu, verdict, EXIT_CLASS_SYS, vcpu->account.left);
}

/*
 * An access of vEL2 to a register that traps. Mostly that is all there is to it: no interrupt, no
 * request, no other trap controls; what others ask for meanwhile comes with an interrupt, right
 * after the ERET.
 */
u64 run_sys(struct vcpu *vcpu)
{
	u64 left = counter_now(), pc = sysreg_read(ELR_EL2), pstate = sysreg_read(SPSR_EL2);
	u64 esr = sysreg_read(ESR_EL2);
	enum verdict verdict;

	vcpu->pc = pc;
	vcpu->pstate = pstate;
	vcpu->exit.esr = esr;
	/* What L1 wrote to CNTVOFF_EL2 can wait until L2 is entered, or some other exit. */
	if (unlikely(!vcpu->timers_trap))
		vtimer_el2_exit(vcpu);
	look_at_controls(vcpu);
	if (unlikely(!vgic_el2_quiet(vcpu)))
		vgic_el2_exit(vcpu);
	verdict = sysreg_vel2(vcpu, esr, pstate);
	if (unlikely(verdict != SKIP || (pstate & (PSTATE_SS | PSTATE_BTYPE)) ||
		     vcpu->traps_stale || work_left_vel2(vcpu))) {
		vcpu->account.left = left;
		return (u64)verdict + 1;
	}
	sysreg_write(ELR_EL2, pc + 4);
	account_exit(&vcpu->account, ACCOUNT_L1, EXIT_CLASS_SYS, counter_now() - left);
	return 0;
}

static __attribute__((noinline)) u64 run_irq_rest(struct vcpu *vcpu, u64 acked)
{
	begin(vcpu, EXIT_IRQ);
	irq_acked(acked);
	return enter(vcpu, EXIT_CLASS_IRQ, vcpu->account.left);
}

static enum exit_class nv_class(u64 esr)
{
	return ESR_EC(esr) == EC_ERET ? EXIT_CLASS_ERET : EXIT_CLASS_SYS;
}

u64 run_long(struct vcpu *vcpu, u64 code)
{
	u64 left = vcpu->account.left;

	if (code >= REST_IRQ)
		return run_irq_rest(vcpu, code - REST_IRQ);
	switch (code) {
	case REST_ALL:
		return run_exit(vcpu, EXIT_SYNC);
	case REST_AFTER_ERET:
		vcpu->account.level = ACCOUNT_L1;
		return enter(vcpu, EXIT_CLASS_ERET, left);
	case REST_AFTER_HVC:
		vcpu->account.level = ACCOUNT_L2;
		return enter(vcpu, EXIT_CLASS_HVC, left);
	case REST_AFTER_NV:
		vcpu->account.level = ACCOUNT_L2;
		return enter(vcpu, nv_class(sysreg_read(ESR_EL2)), left);
	default:
		return run_sys_rest(vcpu, (enum verdict)(code - 1));
	}
}

/*
 * The level was switched, PC and PSTATE are in their registers. What others want of the vcpu comes
 * with an interrupt, right after the ERET; what the switch itself made stale is looked at here.
 */
static inline u64 run_switched(struct vcpu *vcpu, enum account_level level, enum exit_class class,
			       u64 left, u64 rest)
{
	if (unlikely(work_left(vcpu))) {
		vcpu->traps_stale = true;
		vcpu->account.left = left;
		return rest;
	}
	/*
	 * No host section can have come since the last simd_check(); but with simd=switch the state
	 * is flushed here.
	 */
	if (likely(vcpu->simd.level_free || simd_level_same(vcpu))) {
		traps_update_nested(vcpu);
	} else {
		vcpu->traps_stale = true;
		prepare_traps(vcpu);
	}
	account_exit(&vcpu->account, level, class, counter_now() - left);
	return 0;
}

u64 run_eret(struct vcpu *vcpu)
{
	u64 left = counter_now();

	look_at_controls(vcpu);
	if (unlikely(!level_eret_l2(vcpu)))
		return REST_ALL;
	return run_switched(vcpu, ACCOUNT_L1, EXIT_CLASS_ERET, left, REST_AFTER_ERET);
}

u64 run_hvc(struct vcpu *vcpu)
{
	u64 left = counter_now();

	if (unlikely(!level_hvc(vcpu)))
		return REST_ALL;
	return run_switched(vcpu, ACCOUNT_L2, EXIT_CLASS_HVC, left, REST_AFTER_HVC);
}

u64 run_reflect(struct vcpu *vcpu)
{
	u64 left = counter_now(), esr = sysreg_read(ESR_EL2);

	if (unlikely(!level_nv(vcpu, esr)))
		return REST_ALL;
	return run_switched(vcpu, ACCOUNT_L2, nv_class(esr), left, REST_AFTER_NV);
}

/* Nothing that vEL2 did without a trap wants a look. */
static inline bool vel2_quiet(const struct vcpu *vcpu)
{
	return vtimer_el2_quiet(vcpu) && vel2_cptr_quiet(vcpu) && debug_vel2_quiet(vcpu) &&
	       vgic_el2_quiet(vcpu) && vgic_el2_open(vcpu);
}

/*
 * A guest's timer interrupt that is over with one list register is as if the guest had not been
 * left: all that was in place at its entry still is, PC and PSTATE too.
 */
u64 run_irq(struct vcpu *vcpu)
{
	u64 left = counter_now(), acked = irq_again(vcpu);

	if (vcpu->hyp) {
		if (unlikely(vcpu->mdscr.free))
			debug_vel2_tick(vcpu, left);
		if (!acked && unlikely(vcpu->traps_stale || !vel2_quiet(vcpu)))
			acked = IRQ_ACKED_NONE;
	}
	if (unlikely(acked)) {
		vcpu->account.left = left;
		return REST_IRQ + acked;
	}
	account_exit(&vcpu->account, vcpu->has_el2 && !vcpu->hyp ? ACCOUNT_L2 : ACCOUNT_L1,
		     EXIT_CLASS_IRQ, counter_now() - left);
	return 0;
}

/*
 * The last exit waits for other vcpus: handle it again. Between one try and the next interrupts are
 * taken, and everybody gets what they ask of this vcpu, or its CPU; the guest does not run.
 */
static u64 try_again(struct vcpu *vcpu)
{
	u64 left = counter_now();
	enum exit_class class;
	enum verdict verdict;

	if (cpu_this()->need_resched)
		return ENDS(RUN_PREEMPT);
	vcpu->again = false;
	verdict = exit_dispatch(vcpu, &vcpu->exit, &class);
	if (verdict == AGAIN) {
		vcpu->again = true;
		return ENDS(RUN_AGAIN);
	}
	vcpu->again_at = 0;
	vcpu->unfinished = vcpu->vgic.owes;
	vgic_ask_drop(vcpu);
	account_begin(&vcpu->account, left);
	return act_rest(vcpu, verdict, class, left);
}

#define ENTER (~0UL) /* of resume(): that was all */

/* What has to be done before anything else: vcpu->unfinished. */
static __attribute__((noinline)) u64 resume(struct vcpu *vcpu)
{
	irq_handle();
	if (read_once(&vcpu->requests) && !serve_all(vcpu))
		return ENDS(RUN_STOP);
	if (vcpu->again)
		return try_again(vcpu);
	if (vcpu->vgic.owes && !vgic_settle(vcpu))
		return ENDS(RUN_PREEMPT);
	if (vcpu->powered_down && !psci_resume(vcpu))
		return ENDS(RUN_SLEEP);
	vcpu->unfinished = vcpu->vgic.owes; /* psci_resume() may have found some */
	return ENTER;
}

/* Into the guest for the first time since the loop began. */
static u64 begin_run(struct vcpu *vcpu)
{
	u64 end = ready(vcpu, true), now = counter_now();

	account_begin(&vcpu->account, now);
	return likely(!end) ? 0 : leave(vcpu, end, now);
}

enum run_result vcpu_run(struct vcpu *vcpu)
{
	u64 end = ENTER;

	do {
		if (unlikely(vcpu->unfinished))
			end = resume(vcpu);
		if (likely(end == ENTER))
			end = begin_run(vcpu);
		if (!end)
			end = vcpu_enter(vcpu, run_exit);
	} while (unlikely(end == ENDS(RUN_AGAIN)));
	return (enum run_result)(end - 1);
}
