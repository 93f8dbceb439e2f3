/* SPDX-License-Identifier: Apache-2.0 */
/* The fast paths of frequent exits. */
#include "exit/fast.h"

#include "arch/esr.h"
#include "arch/gicv3.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "exit/abort.h"
#include "exit/exit.h"
#include "exit/prepare.h"
#include "exit/run.h"
#include "exit/sysreg_emul.h"
#include "nested/level.h"
#include "nested/shadow.h"
#include "simd/simd_level.h"
#include "state/trace.h"
#include "state/vcpu.h"
#include "state/vel2_regs.h"
#include "traps/debug.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"
#include "traps/untrapped.h"

/* Hand over to run_continue(), as the entry needs more: set what it reads. Returns the verdict. */
static enum verdict need_more(struct vcpu *vcpu, u64 esr, enum account_level level, u64 left,
			      enum verdict verdict)
{
	vcpu->exit.esr = esr;
	vcpu->account.level = level;
	vcpu->account.left = left;
	return verdict;
}

/* What the record of an exit of vEL1 has as its data (state/trace_format.h). */
static u64 trace_data(const struct vcpu *vcpu, enum exit_class class)
{
	if (class == EXIT_CLASS_DABT || class == EXIT_CLASS_IABT)
		return exit_ipa(&vcpu->exit);
	return sysreg_read(ELR_EL12);
}

/* The record of an exit that has switched the level. */
static inline __attribute__((always_inline)) void
trace_switch(const struct vcpu *vcpu, u64 esr, enum account_level level, enum exit_class class,
	     u64 left, u64 ticks, u32 nested)
{
	bool enters = level == ACCOUNT_VM;

	trace_exit(vcpu, level, class, TRACE_FAST | (enters ? RESUME | nested : REFLECT), left,
		   ticks, esr, enters ? vel2_vttbr(vcpu) : trace_data(vcpu, class));
}

/* As trace_switch(), for an exit that continues on the slow path, whose record leaves that out. */
static __attribute__((noinline, cold)) void trace_switch_rest(struct vcpu *vcpu, u64 esr,
							      enum account_level level)
{
	vcpu->exit.elr = level == ACCOUNT_VM ? 0 : sysreg_read(ELR_EL12);
	if (level == ACCOUNT_VM)
		trace_add(vcpu, TRACE_LEVEL, trace_nested(vcpu), 0, vel2_vttbr(vcpu));
	else
		trace_add(vcpu, TRACE_TAKE, TRACE_TAKE_NESTED, esr, vcpu->exit.elr);
}

/*
 * The account and trace of a level switch. Compiled three times, with nothing that is rare, with a
 * trace alone and with all, so that each is one way through.
 */
static inline __attribute__((always_inline)) enum verdict finish_switch(struct vcpu *vcpu, u64 esr,
									enum account_level level,
									enum exit_class class,
									u64 left, u64 rare)
{
	bool vncr = rare & RARE_VNCR;
	u64 ticks;

	if (vncr && vcpu->vel1_vncr && !vcpu->in_vel2)
		traps_close_vel1();
	ticks = counter_now() - left;
	account_exit(&vcpu->account, level, class, ticks);
	if ((rare & RARE_TRACED) && (!vncr || vcpu->traced))
		trace_switch(vcpu, esr, level, class, left, ticks,
			     vncr ? trace_nested(vcpu) : TRACE_NESTED);
	return DONE;
}

/*
 * Finish a level switch; PC and PSTATE are in their registers. Only what the switch itself made
 * stale is updated.
 */
static inline __attribute__((always_inline)) enum verdict complete_switch(
	struct vcpu *vcpu, u64 esr, enum account_level level, enum exit_class class, u64 left)
{
	u16 rare;

	if (unlikely(work_left(vcpu))) {
		vcpu->traps_stale = true;
		if (trace_on(vcpu))
			trace_switch_rest(vcpu, esr, level);
		return need_more(vcpu, esr, level, left, RESUME);
	}
	/*
	 * No host section can have come since the last simd_check(); but with simd=switch the state
	 * is flushed here.
	 */
	if (likely(vcpu->simd.levels_same || simd_level_same(vcpu))) {
		traps_update_nested(vcpu);
	} else {
		vcpu->traps_stale = true;
		prepare_traps(vcpu);
	}
	rare = vcpu->rare;
	if (likely(!rare))
		return finish_switch(vcpu, esr, level, class, left, 0);
	if (!(rare & RARE_VNCR))
		return finish_switch(vcpu, esr, level, class, left, RARE_TRACED);
	return finish_switch(vcpu, esr, level, class, left, RARE_VNCR | RARE_TRACED);
}

enum verdict fast_trap(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now();

	if (!level_trap(vcpu, esr))
		return PASS;
	return complete_switch(vcpu, esr, ACCOUNT_NESTED, exit_class(esr), left);
}

/* Finish an access that sysreg_vel2() did not complete: need_more(), or for PASS sysreg_trap(). */
static __attribute__((noinline)) enum verdict finish_sysreg(struct vcpu *vcpu, u64 esr, u64 left,
							    enum verdict verdict)
{
	vcpu->exit.elr = vcpu->pc;
	vcpu->exit.spsr = vcpu->pstate;
	need_more(vcpu, esr, ACCOUNT_VM, left, verdict);
	return verdict == PASS ? sysreg_trap(vcpu, &vcpu->exit) : verdict;
}

/* x18-x29, which C preserves. */
static bool is_kept(u32 reg)
{
	return reg - 18 <= 29 - 18;
}

enum verdict fast_sys(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now(), pc = sysreg_read(ELR_EL2), pstate = sysreg_read(SPSR_EL2);
	enum verdict verdict;
	u64 ticks;

	vcpu->pc = pc;
	vcpu->pstate = pstate;
	vcpu->exit.esr = esr;
	untrapped_check(vcpu, UNTRAPPED_SYS);
	verdict = sysreg_vel2(vcpu, esr, pstate);
	if (unlikely(verdict != SKIP || (pstate & (PSTATE_SS | PSTATE_BTYPE)) ||
		     vcpu->traps_stale || work_left_vel2(vcpu)))
		return finish_sysreg(vcpu, esr, left, verdict);
	sysreg_write(ELR_EL2, pc + 4);
	ticks = counter_now() - left;
	account_exit(&vcpu->account, ACCOUNT_VM, EXIT_CLASS_SYS, ticks);
	if (trace_on(vcpu))
		trace_exit(vcpu, ACCOUNT_VM, EXIT_CLASS_SYS, SKIP, left, ticks, esr, pc);
	return likely(!SYS64_READ(esr) || !is_kept((u32)SYS64_RT(esr))) ? DONE : DONE_GPRS;
}

/* The whole snapshot of an abort. */
static inline void snapshot_abort(struct vcpu *vcpu, u64 esr)
{
	vcpu->exit = (struct exit){ .esr = esr,
				    .far = sysreg_read(FAR_EL2),
				    .hpfar = sysreg_read(HPFAR_EL2),
				    .elr = sysreg_read(ELR_EL2),
				    .spsr = sysreg_read(SPSR_EL2) };
}

enum verdict fast_mmio(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now(), ticks;
	const struct exit *exit = &vcpu->exit;
	enum verdict verdict;

	if (unlikely((esr & (DABT_ISV | ESR_IL)) != (DABT_ISV | ESR_IL)))
		return PASS;
	snapshot_abort(vcpu, esr);
	vcpu->pc = exit->elr;
	vcpu->pstate = exit->spsr;
	untrapped_check(vcpu, UNTRAPPED_EXIT);
	untrapped_check(vcpu, UNTRAPPED_STAY);
	verdict = dabt_trap(vcpu, exit);
	if (unlikely(verdict != SKIP || (exit->spsr & (PSTATE_SS | PSTATE_BTYPE)) ||
		     vcpu->traps_stale || work_left(vcpu)))
		return need_more(vcpu, esr, ACCOUNT_VM, left, verdict);
	sysreg_write(ELR_EL2, exit->elr + 4);
	ticks = counter_now() - left;
	account_exit(&vcpu->account, ACCOUNT_VM, EXIT_CLASS_DABT, ticks);
	if (trace_on(vcpu))
		trace_exit(vcpu, ACCOUNT_VM, EXIT_CLASS_DABT, SKIP, left, ticks, esr,
			   exit_ipa(exit));
	return likely((esr & DABT_WNR) || !is_kept((u32)DABT_SRT(esr))) ? DONE : DONE_GPRS;
}

/*
 * An ERET of vEL2 to itself or its host EL0 that vectors.S left to C, as vEL2 has changed something
 * without a trap before, mostly its CPTR_EL2.
 */
static __attribute__((noinline)) enum verdict eret_within(struct vcpu *vcpu, u64 esr, u64 left)
{
	u64 ticks, at = sysreg_read(ELR_EL2);

	traps_update_cptr(vcpu);
	if (!level_eret_within(vcpu))
		return PASS;
	if (unlikely(vcpu->traps_stale || work_left(vcpu)))
		return need_more(vcpu, esr, ACCOUNT_VM, left, RESUME);
	ticks = counter_now() - left;
	account_exit(&vcpu->account, ACCOUNT_VM, EXIT_CLASS_ERET, ticks);
	if (trace_on(vcpu))
		trace_exit(vcpu, ACCOUNT_VM, EXIT_CLASS_ERET, RESUME, left, ticks, esr, at);
	return DONE;
}

enum verdict fast_eret(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now();

	if (unlikely(ERET_ERETA(esr)))
		return PASS;
	untrapped_check(vcpu, UNTRAPPED_ERET);
	if (unlikely(!level_eret_vel1(vcpu)))
		return eret_within(vcpu, esr, left);
	return complete_switch(vcpu, esr, ACCOUNT_VM, EXIT_CLASS_ERET, left);
}

enum verdict fast_hvc(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now();

	if (unlikely(!level_hvc(vcpu, esr)))
		return PASS;
	return complete_switch(vcpu, esr, ACCOUNT_NESTED, EXIT_CLASS_HVC, left);
}

/* The account and trace of a resolved fault; as often, too. */
static inline __attribute__((always_inline)) enum verdict finish_fault(struct vcpu *vcpu,
								       enum exit_class class,
								       u64 left, u64 rare)
{
	const struct exit *exit = &vcpu->exit;
	bool vncr = rare & RARE_VNCR;
	u64 ticks;

	if (vncr && vcpu->vel1_vncr)
		traps_close_vel1();
	ticks = counter_now() - left;
	account_exit(&vcpu->account, ACCOUNT_NESTED, class, ticks);
	if ((rare & RARE_TRACED) && (!vncr || vcpu->traced))
		trace_exit(vcpu, ACCOUNT_NESTED, class,
			   TRACE_FAST | RESUME | (vncr ? trace_nested(vcpu) : TRACE_NESTED), left,
			   ticks, exit->esr, exit_ipa(exit));
	return DONE;
}

/* vEL1's instruction is executed again: PC and PSTATE are still in their registers. */
static enum verdict complete_fault(struct vcpu *vcpu, enum exit_class class, u64 left)
{
	const struct exit *exit = &vcpu->exit;
	u16 rare = vcpu->rare;

	vcpu->pc = exit->elr;
	vcpu->pstate = exit->spsr;
	if (unlikely(work_left(vcpu)))
		return need_more(vcpu, exit->esr, ACCOUNT_NESTED, left, RESUME);
	if (likely(!rare))
		return finish_fault(vcpu, class, left, 0);
	if (!(rare & RARE_VNCR))
		return finish_fault(vcpu, class, left, RARE_TRACED);
	return finish_fault(vcpu, class, left, RARE_VNCR | RARE_TRACED);
}

enum verdict fast_abort(struct vcpu *vcpu, u64 esr)
{
	u64 left = counter_now();
	enum exit_class class = ESR_EC(esr) == EC_IABT_LOW ? EXIT_CLASS_IABT : EXIT_CLASS_DABT;
	enum shadow_verdict verdict;
	struct reflection to_vel2;

	if (unlikely(ABT_FSC(esr) >= ESR_FSC_SEA))
		return PASS;
	snapshot_abort(vcpu, esr);
	verdict = shadow_fault(vcpu, &vcpu->exit, &to_vel2);
	if (likely(verdict == SHADOW_RETRY))
		return complete_fault(vcpu, class, left);
	if (likely(verdict == SHADOW_REFLECT)) {
		level_abort(vcpu, &to_vel2);
		return complete_switch(vcpu, esr, ACCOUNT_NESTED, class, left);
	}
	if (verdict == SHADOW_DEVICE) {
		vcpu->reflection.ipa = to_vel2.ipa;
		vcpu->reflection.device = true;
	} /* SHADOW_DEAD: the slow path will find the same */
	return PASS;
}

/*
 * The record of an interrupt that one list register has delivered, or was to: it implies the list
 * register's own record.
 */
static __attribute__((noinline, cold)) void trace_irq(const struct vcpu *vcpu, u64 left, u64 ticks)
{
	bool nested = vcpu_in_vel1(vcpu);

	trace_exit(vcpu, nested ? ACCOUNT_NESTED : ACCOUNT_VM, EXIT_CLASS_IRQ,
		   TRACE_FAST | RESUME | trace_level(vcpu), left, ticks,
		   vcpu->vgic.redeliver.pintid, sysreg_read(ELR_EL2));
}

/*
 * Deliver the guest's timer interrupt if one list register is all it takes: everything that was in
 * place at the last entry still is, PC and PSTATE too.
 */
enum verdict fast_irq(struct vcpu *vcpu)
{
	u64 left = counter_now();
	u32 intid = irq_redeliver(vcpu);
	u64 ticks;

	if (vcpu->in_vel2) {
		if (unlikely(vcpu->mdscr.write_lent || vcpu->mdscr.numbered_lent))
			debug_vel2_tick(vcpu, left);
		if (intid == INTID_OVER &&
		    unlikely(vcpu->traps_stale || !untrapped_quiet(vcpu, UNTRAPPED_IRQ))) {
			trace_event(vcpu, TRACE_IRQ, 0, vcpu->vgic.redeliver.lr, 0);
			intid = INTID_NONE;
		}
	} else if (unlikely(vcpu->vel1_vncr)) {
		traps_close_vel1();
	}
	if (unlikely(intid != INTID_OVER)) {
		vcpu->intid = intid;
		vcpu->account.left = left;
		return PASS;
	}
	ticks = counter_now() - left;
	account_exit(&vcpu->account, vcpu_in_vel1(vcpu) ? ACCOUNT_NESTED : ACCOUNT_VM,
		     EXIT_CLASS_IRQ, ticks);
	if (trace_on(vcpu))
		trace_irq(vcpu, left, ticks);
	return DONE;
}
