/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raise an exception at the guest's EL1: AArch64.TakeException, with the registers of a loaded
 * vcpu. In the vEL2 context that is vEL2, whose registers EL1's are then.
 */
#include "nested/inject.h"

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/idspace.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "nested/s1walk.h"
#include "state/trace.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"

/*
 * Offset of the vector group: from EL0 by its width, from vEL1 to vEL2 by that of its EL1, which is
 * AArch64, else by the stack pointer.
 */
static u64 vector_group(bool from_vel1, u64 pstate)
{
	if (from_vel1)
		return 0x400;
	if (pstate & PSTATE_AARCH32)
		return 0x600;
	if (PSTATE_EL(pstate) == 0)
		return 0x400;
	return pstate & PSTATE_SPX ? 0x200 : 0x000;
}

/*
 * Whether the handler begins with PAN set: at EL1 by SCTLR_EL1.SPAN, at vEL2 only where it is a
 * host (TGE; without VHE SPAN is 1).
 */
static bool sets_pan(const struct vcpu *vcpu, u64 sctlr)
{
	if (vcpu->in_vel2 && !(vncr_read(vcpu, VNCR_HCR_EL2) & HCR_TGE))
		return false;
	return !(sctlr & SCTLR_SPAN);
}

/*
 * PSTATE at the handler of an exception taken from `old`, bit by bit as AArch64.TakeException sets
 * it. vcpu->in_vel2: at vEL2.
 */
static inline __attribute__((always_inline)) u64 handler_pstate(const struct vcpu *vcpu, u64 old)
{
	u64 sctlr = sysreg_read(SCTLR_EL12);
	u64 new = PSTATE_EL1H | PSTATE_DAIF | (old & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN));

	if (sets_pan(vcpu, sctlr))
		new |= PSTATE_PAN;
	if (sctlr & SCTLR_DSSBS)
		new |= PSTATE_SSBS;
	if (unlikely(feat.mte | feat.nmi)) {
		new |= feat.mte ? PSTATE_TCO : 0;
		new |= feat.nmi && !(sctlr & SCTLR_SPINTMASK) ? PSTATE_ALLINT : 0;
	}
	return new;
}

/* Whether vEL1 runs with vEL2's HCR_EL2.NV. */
static bool vel1_nv(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HCR_EL2) & vcpu->vm->nested.hcr & HCR_NV;
}

/*
 * SPSR_ELx for this PSTATE of the context that takes the exception: vEL2, which runs at EL1, is
 * shown as EL2, and so is EL1 with HCR_EL2.NV.
 */
static u64 spsr_within(const struct vcpu *vcpu, u64 pstate)
{
	if (PSTATE_EL(pstate) && unlikely(vcpu->in_vel2 || (vcpu->has_vel2 && vel1_nv(vcpu))))
		return pstate + (PSTATE_EL2T - PSTATE_EL1T);
	return pstate;
}

inline __attribute__((always_inline)) void inject_take(struct vcpu *vcpu, enum vector vector,
						       u64 esr, bool from_vel1, u64 pc, u64 pstate)
{
	if (vector == VECTOR_SYNC || vector == VECTOR_SERROR)
		sysreg_write(ESR_EL12, esr);
	/* From vEL1 its PSTATE unchanged: vEL2 is EL2 to it, even if vEL1 is shown EL2 itself. */
	sysreg_write(SPSR_EL12, from_vel1 ? pstate : spsr_within(vcpu, pstate));
	sysreg_write(ELR_EL12, pc);
	vcpu->pc = (sysreg_read(VBAR_EL12) & VBAR_BASE) + vector_group(from_vel1, pstate) + vector;
	vcpu->pstate = handler_pstate(vcpu, pstate);
}

void inject_sync(struct vcpu *vcpu, u64 esr, bool set_far, u64 far)
{
	trace_event(vcpu, TRACE_INJECT, 0, esr, vcpu->pc);
	if (set_far)
		sysreg_write(FAR_EL12, far);
	inject_take(vcpu, VECTOR_SYNC, esr, false, vcpu->pc, vcpu->pstate);
	vcpu->pc_dirty = true;
}

/*
 * FEAT_IDST: whether the exception is for a read of the feature ID space, whose syndrome names the
 * register.
 */
static bool is_id_read(const struct vcpu *vcpu, u64 esr)
{
	u64 op1 = SYS64_OP1(esr);

	return ESR_EC(esr) == EC_SYS64 && SYS64_READ(esr) && SYS64_OP0(esr) == 3 &&
	       (op1 == 0 || op1 == 1 || op1 == 3) && SYS64_CRN(esr) == 0 && SYS64_CRM(esr) < 8 &&
	       FIELD(vcpu->vm->id_regs.v[IDX_ID_AA64MMFR2_EL1], 39, 36);
}

void inject_undef(struct vcpu *vcpu)
{
	u64 esr = vcpu->exit.esr;

	/* ConstructException: IL is 1 for an exception class of 0. */
	inject_sync(vcpu, is_id_read(vcpu, esr) ? esr & MASK(31, 0) : ESR_IL, false, 0);
}

void inject_external_abort(struct vcpu *vcpu)
{
	const struct exit *exit = &vcpu->exit;
	bool instruction = ESR_EC(exit->esr) == EC_IABT_LOW;
	bool from_el0 = PSTATE_EL(vcpu->pstate) == 0;
	u64 ec = instruction ? EC_IABT_LOW : EC_DABT_LOW;
	u64 keep = instruction ? ABT_FNV : ABT_FNV | DABT_CM | DABT_WNR, fsc = ESR_FSC_SEA;

	if (exit->esr & ABT_S1PTW)
		fsc = ESR_FSC_SEA_TTW |
		      (u64)s1walk_fault_level(vcpu, va(exit->far), HPFAR_IPA(exit->hpfar));
	if (!from_el0)
		ec++; /* "taken without a change in Exception level" */
	inject_sync(vcpu, ESR(ec, fsc | (exit->esr & keep)), true, exit->far);
}
