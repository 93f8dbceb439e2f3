/* SPDX-License-Identifier: Apache-2.0 */
/* The only level switch: a nested vcpu between vEL2 and vEL1. */
#include "nested/level.h"

#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/idspace.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "lib/check.h"
#include "mm/stage2.h"
#include "nested/inject.h"
#include "nested/pauth.h"
#include "nested/shadow.h"
#include "nested/vncr.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "traps/bank.h"
#include "traps/identity.h"
#include "traps/reflect.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"
#include "traps/untrapped.h"

/*
 * Find vEL1's stage 2 and identity from vEL2's words, for all switches to vEL1 until one of the
 * words changes; the trap controls will be recomputed. False: the shadow has to be prepared first
 * (REQ_WORK), and nothing else was done.
 */
static __attribute__((noinline)) bool update_vel1(struct vcpu *vcpu)
{
	bool valid = vcpu->traps.vel1.valid;

	vcpu->traps.vel1.valid = false;
	untrapped_check(vcpu, UNTRAPPED_ENTRY);
	if (unlikely(!shadow_ready(vcpu)))
		return false;
	vtimer_cnthctl_complete(vcpu);
	if (vcpu->vm->config->deep || vcpu->nvhe)
		traps_swap_vel1(vcpu, valid);
	else
		vel2_words_record(vcpu, vcpu->traps.from);
	vcpu->vel1_vncr = vel2_nv2(vcpu);
	vcpu->vel1_id_differs = vcpu->shadow.ref[0]->s2.vtcr != vcpu->vm->stage2.vtcr ||
				vel2_vpidr(vcpu) != vcpu->vm->id_regs.v[IDX_MIDR_EL1] ||
				vel2_vmpidr(vcpu) != vcpu->vmpidr;
	vcpu->vel1_differs = vcpu->vel1_id_differs || vcpu->vel1_vncr || vel2_shares_cntkctl(vcpu);
	return true;
}

/* Switch the registers that are mostly the same for vEL1 and vEL2. */
static void switch_identity(struct vcpu *vcpu)
{
	if (vcpu->vel1_vncr)
		sysreg_write(VNCR_EL2, vcpu->in_vel2 ? ptr_pa(vcpu->vncr).a : vncr_window(vcpu));
	if (!vcpu->vel1_id_differs)
		return;
	sysreg_write(VTCR_EL2,
		     vcpu->in_vel2 ? vcpu->vm->stage2.vtcr : vcpu->shadow.ref[0]->s2.vtcr);
	sysreg_write(VPIDR_EL2,
		     vcpu->in_vel2 ? vcpu->vm->id_regs.v[IDX_MIDR_EL1] : vel2_vpidr(vcpu));
	sysreg_write(VMPIDR_EL2, vcpu->in_vel2 ? vcpu->vmpidr : vel2_vmpidr(vcpu));
}

/*
 * Keep CNTKCTL_EL1, which vEL2 without VHE shares with vEL1 (HCR_EL2.NV1 does not redirect it): the
 * value that was in the CPU, and which the bank has saved for the level that was left, goes back.
 */
static void keep_cntkctl(const struct vcpu *vcpu)
{
	sysreg_write(CNTKCTL_EL12, vcpu->in_vel2 ? vncr_read(vcpu, VNCR_CNTKCTL_EL1)
						  : vcpu->sr[SR_CNTKCTL_EL1]);
}

static __attribute__((noinline)) void switch_differing(struct vcpu *vcpu)
{
	if (vel2_shares_cntkctl(vcpu))
		keep_cntkctl(vcpu);
	switch_identity(vcpu);
}

void level_load(struct vcpu *vcpu)
{
	u64 page = ptr_pa(vcpu->vncr).a;

	if (sysreg_read(VNCR_EL2) != page)
		sysreg_write(VNCR_EL2, page);
	/*
	 * Even if vEL1 is to run: a level switch assumes that this CPU has no stale translations of
	 * this vcpu in the VM's own VMID.
	 */
	identity_load(vcpu);
	vcpu->shadow.mine = NULL;
	if (vcpu->in_vel2)
		return;
	CHECK(update_vel1(vcpu)); /* a hit: vEL2's words are unchanged, and the references too */
	shadow_load(vcpu, vcpu->shadow.ref[0]);
	if (vcpu->vel1_differs)
		switch_identity(vcpu);
}

/*
 * Switch everything of a level except the BANK rows; vcpu->in_vel2 is the new one. The trap
 * controls are stale then.
 */
static inline void level_enter(struct vcpu *vcpu)
{
	if (unlikely(vcpu->vel1_differs))
		switch_differing(vcpu);
	vgic_level_switch(vcpu);
	vtimer_level_switch(vcpu);
}

/*
 * Load vEL1's stage 2: the VM's own is in force, and vEL2's words are those that update_vel1() saw.
 */
static inline void shadow_enter_vel1(struct vcpu *vcpu)
{
	struct shadow *s = vcpu->shadow.ref[0];

	if (likely(s == vcpu->shadow.mine))
		stage2_switch(&s->s2);
	else
		shadow_load(vcpu, s);
}

/* Switch to vEL1. False: not possible yet (update_vel1()), and vEL2 is unchanged. */
static inline __attribute__((always_inline)) bool enter_vel1(struct vcpu *vcpu)
{
	dsb(nsh); /* vEL2's walks end before its registers change */
	bank_enter_vel1(vcpu);
	vcpu->in_vel2 = false;
	if (unlikely(vel2_words_changed(vcpu, vcpu->traps.from) || !vcpu->traps.vel1.valid) &&
	    unlikely(!update_vel1(vcpu))) {
		bank_enter_vel2(vcpu);
		vcpu->in_vel2 = true;
		return false;
	}
	vcpu->account.level_entries++;
	shadow_enter_vel1(vcpu);
	level_enter(vcpu);
	return true;
}

#define HCR_VIRTUAL (HCR_VI | HCR_VF | HCR_VSE)

/* Clear vEL2's VSE if vEL1 has taken the virtual SError. */
static void vse_fold(struct vcpu *vcpu)
{
	/* Stale trap controls have VSE as well if vEL1 had it. */
	if (unlikely(vcpu->traps.vel1.t.hcr & HCR_VSE))
		traps_vse_sync(vcpu, &cpu_this()->traps, sysreg_read(HCR_EL2));
}

void level_put(struct vcpu *vcpu)
{
	struct traps none = cpu_this()->traps;

	if (vcpu->in_vel2 || !(none.hcr & HCR_VIRTUAL))
		return;
	vse_fold(vcpu);
	none.hcr &= ~HCR_VIRTUAL;
	traps_load(&none);
}

bool level_interrupt_pending(const struct vcpu *vcpu)
{
	return !vcpu->in_vel2 && (sysreg_read(HCR_EL2) & HCR_VIRTUAL);
}

static void enter_vel2(struct vcpu *vcpu)
{
	dsb(nsh); /* vEL1's walks end before its registers change */
	vse_fold(vcpu);
	bank_enter_vel2(vcpu);
	vcpu->in_vel2 = true;
	if (unlikely(vcpu->debug_live))
		debug_enter_vel2(vcpu);
	stage2_switch(&vcpu->vm->stage2);
	level_enter(vcpu);
}

enum target { TARGET_VEL2, TARGET_HOST_EL0, TARGET_VEL1, TARGET_ILLEGAL };

/* ELFromSPSR and IllegalExceptionReturn, for a PE whose ELs are AArch64 only. */
static enum target eret_target(u64 spsr, bool tge)
{
	switch (spsr & PSTATE_M) {
	case PSTATE_EL2T:
	case PSTATE_EL2H:
		return TARGET_VEL2;
	case PSTATE_EL0T:
		return tge ? TARGET_HOST_EL0 : TARGET_VEL1;
	case PSTATE_EL1T:
	case PSTATE_EL1H:
		return tge ? TARGET_ILLEGAL : TARGET_VEL1;
	}
	return TARGET_ILLEGAL;
}

/*
 * AArch64.GenerateDebugExceptionsFrom, of vEL1 with this PSTATE. The CPU evaluates this itself at
 * the ERET that enters vEL1; but an interrupt of vEL2's may be taken at vEL1's first instruction
 * without that ERET.
 */
static bool vel1_steps(const struct vcpu *vcpu, u64 spsr)
{
	return (vel2_mdcr(vcpu) & MDCR_TDE) || !PSTATE_EL(spsr) ||
	       ((vcpu->sr[SR_MDSCR_EL1] & MDSCR_KDE) && !(spsr & PSTATE_D));
}

/*
 * Whether SPSR.SS is kept (DebugExceptionReturnSS): not without a software step, and not where one
 * would have been due already.
 */
static __attribute__((noinline)) bool keeps_ss(const struct vcpu *vcpu, u64 spsr,
					       enum target target)
{
	return (sysreg_read(MDSCR_EL1) & MDSCR_SS) && !debug_vel2_enabled(vcpu) &&
	       (target != TARGET_VEL1 || vel1_steps(vcpu, spsr));
}

/*
 * SetPSTATEFromSPSR: an illegal return keeps the mode and sets IL, so that the PE raises the
 * exception itself.
 */
static inline u64 eret_pstate(const struct vcpu *vcpu, u64 spsr, enum target target)
{
	u64 new = spsr & LEVEL_SPSR;

	if (likely(!vcpu->debug_live) || !keeps_ss(vcpu, spsr, target))
		new &= ~PSTATE_SS;
	if (target == TARGET_ILLEGAL)
		return (new & ~(PSTATE_M | PSTATE_SS | PSTATE_BTYPE)) |
		       (vcpu->pstate & PSTATE_M) | PSTATE_IL;
	/* vEL2 is EL1 to the CPU. */
	return target == TARGET_VEL2 ? new - (PSTATE_EL2T - PSTATE_EL1T) : new;
}

/*
 * AArch64.ExceptionReturn from vEL2, but for what eret_within does (vectors.S): set vcpu->pc and
 * pstate, and switch the level if the target is vEL1. False: not possible yet (enter_vel1()).
 */
static inline __attribute__((always_inline)) bool return_from_vel2(struct vcpu *vcpu,
								   enum target target, u64 spsr,
								   u64 elr)
{
	if (target == TARGET_VEL1 && unlikely(!enter_vel1(vcpu)))
		return false;
	vcpu->pstate = eret_pstate(vcpu, spsr, target);
	vcpu->pc = elr;
	if (target == TARGET_VEL1 && unlikely(vcpu->debug_live))
		debug_enter_vel1(vcpu);
	return true;
}

enum verdict level_eret(struct vcpu *vcpu, const struct exit *exit)
{
	u64 spsr = sysreg_read(SPSR_EL12), elr = sysreg_read(ELR_EL12);
	enum target target = eret_target(spsr, vel2_hcr(vcpu) & HCR_TGE);

	if (unlikely(!vel2_has_host(vcpu)) && target == TARGET_HOST_EL0) {
		/* EL1&0 with stage 1 off, whose EL1 is EL2: no program relies on it. */
		vcpu->stop_reason = "it returned to EL0 with HCR_EL2.TGE = 1 and E2H = 0";
		return STOP_VM;
	}
	if (unlikely(ERET_ERETA(exit->esr)) && !pauth_eret(vcpu, exit, &elr))
		return INJECT;
	if (unlikely(!return_from_vel2(vcpu, target, spsr, elr)))
		return RESUME; /* the ERET is executed again */
	vcpu->pc_dirty = true;
	if (target == TARGET_VEL1) {
		vcpu->traps_stale = true;
		trace_event(vcpu, TRACE_LEVEL, trace_nested(vcpu), 0, vel2_vttbr(vcpu));
	} else {
		untrapped_check(vcpu, UNTRAPPED_STAY);
	}
	return RESUME;
}

/* Load PC and PSTATE now, instead of at the entry (pc_dirty). */
static inline void write_elr_spsr(const struct vcpu *vcpu)
{
	u64 pc = vcpu->pc, pstate = vcpu->pstate;

	sysreg_write(ELR_EL2, pc);
	sysreg_write(SPSR_EL2, pstate);
}

bool level_eret_vel1(struct vcpu *vcpu)
{
	u64 spsr = sysreg_read(SPSR_EL12), elr = sysreg_read(ELR_EL12);

	if (unlikely(vcpu->debug_live ||
		     eret_target(spsr, vel2_hcr(vcpu) & HCR_TGE) != TARGET_VEL1) ||
	    unlikely(!return_from_vel2(vcpu, TARGET_VEL1, spsr, elr)))
		return false;
	write_elr_spsr(vcpu);
	return true;
}

bool level_eret_within(struct vcpu *vcpu)
{
	u64 spsr = sysreg_read(SPSR_EL12), elr = sysreg_read(ELR_EL12);
	enum target target = eret_target(spsr, vel2_hcr(vcpu) & HCR_TGE);

	if ((target != TARGET_VEL2 && target != TARGET_HOST_EL0) ||
	    unlikely(vcpu->debug_live | !vel2_has_host(vcpu)) ||
	    unlikely(!untrapped_quiet(vcpu, UNTRAPPED_WITHIN)))
		return false;
	(void)return_from_vel2(vcpu, target, spsr, elr); /* the level stays: always possible */
	write_elr_spsr(vcpu);
	return true;
}

/* Take an exception to vEL2 from vEL1, which was at pc with PSTATE pstate. */
static inline __attribute__((always_inline)) void take_from_vel1(struct vcpu *vcpu,
								 enum vector vector, u64 esr,
								 u64 pc, u64 pstate)
{
	enter_vel2(vcpu);
	inject_take(vcpu, vector, esr, true, pc, pstate);
}

void level_take(struct vcpu *vcpu, enum vector vector, u64 esr)
{
	trace_event(vcpu, TRACE_TAKE, vector / 0x80u | (vcpu->in_vel2 ? 0 : TRACE_TAKE_NESTED), esr,
		    vcpu->pc);
	if (vcpu->in_vel2) {
		inject_take(vcpu, vector, esr, false, vcpu->pc, vcpu->pstate);
	} else {
		vcpu->traps_stale = true;
		take_from_vel1(vcpu, vector, esr, vcpu->pc, vcpu->pstate);
	}
	vcpu->pc_dirty = true;
}

/*
 * level_take() of a synchronous exception from vEL1, with PC and PSTATE still in the CPU's
 * registers.
 */
static inline __attribute__((always_inline)) void take_vel1(struct vcpu *vcpu, u64 esr)
{
	take_from_vel1(vcpu, VECTOR_SYNC, esr, sysreg_read(ELR_EL2), sysreg_read(SPSR_EL2));
	write_elr_spsr(vcpu);
}

bool level_hvc(struct vcpu *vcpu, u64 esr)
{
	if (unlikely(vel2_hcr(vcpu) & HCR_HCD))
		return false;
	take_vel1(vcpu, esr);
	return true;
}

bool level_trap(struct vcpu *vcpu, u64 esr)
{
	struct exit exit;

	if (!reflect_nv(vcpu, esr)) {
		exit.esr = esr;
		exit.spsr = sysreg_read(SPSR_EL2);
		if (!reflect_wanted(vcpu, &exit))
			return false;
		esr = reflect_esr(vcpu, &exit);
	}
	take_vel1(vcpu, esr);
	return true;
}

void level_abort(struct vcpu *vcpu, const struct reflection *r)
{
	take_vel1(vcpu, r->esr);
	sysreg_write(FAR_EL12, r->far);
	vcpu->sr[SR_HPFAR_EL2] = r->hpfar;
}

void level_reflect_abort(struct vcpu *vcpu)
{
	const struct reflection *r = &vcpu->reflection;

	level_take(vcpu, VECTOR_SYNC, r->esr);
	sysreg_write(FAR_EL12, r->far);
	vcpu->sr[SR_HPFAR_EL2] = r->hpfar;
}

void level_step(struct vcpu *vcpu)
{
	/* No Load-Exclusive is emulated: EX is 0. */
	const u64 iss = STEP_ISV | ESR_FSC_DEBUG;

	if (vcpu_in_vel1(vcpu) && (vel2_mdcr(vcpu) & MDCR_TDE))
		level_take(vcpu, VECTOR_SYNC, ESR(EC_SOFTSTP_LOW, iss));
	else
		inject_sync(vcpu,
			    ESR(PSTATE_EL(vcpu->pstate) ? EC_SOFTSTP_CUR : EC_SOFTSTP_LOW, iss),
			    false, 0);
}

void level_reflect(struct vcpu *vcpu)
{
	const struct exit *exit = &vcpu->exit;
	u64 ec = ESR_EC(exit->esr);

	/* PC is already after an HVC, and at any other instruction that trapped. */
	level_take(vcpu, VECTOR_SYNC, reflect_esr(vcpu, exit));
	if (ec == EC_IABT_LOW || ec == EC_DABT_LOW || ec == EC_PC_ALIGN || ec == EC_WATCHPT_LOW)
		sysreg_write(FAR_EL12, exit->far);
}
