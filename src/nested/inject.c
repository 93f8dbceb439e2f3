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

/* The vector's offset from VBAR_EL1 for a synchronous exception taken from this PSTATE. */
static u64 vector_offset(u64 pstate)
{
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

inline __attribute__((always_inline)) u64 inject_pstate(const struct vcpu *vcpu, u64 old)
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

u64 inject_spsr(const struct vcpu *vcpu)
{
	/* TakeException: EL1 with HCR_EL2.NV is shown as EL2. */
	if (PSTATE_EL(vcpu->pstate) && unlikely(vcpu->in_vel2 || (vcpu->has_vel2 && vel1_nv(vcpu))))
		return vcpu->pstate + (PSTATE_EL2T - PSTATE_EL1T);
	return vcpu->pstate;
}

void inject_sync(struct vcpu *vcpu, u64 esr, bool set_far, u64 far)
{
	trace_event(vcpu, TRACE_INJECT, 0, esr, vcpu->pc);
	sysreg_write(ESR_EL12, esr);
	if (set_far)
		sysreg_write(FAR_EL12, far);
	sysreg_write(ELR_EL12, vcpu->pc);
	sysreg_write(SPSR_EL12, inject_spsr(vcpu));
	vcpu->pc = (sysreg_read(VBAR_EL12) & VBAR_BASE) + vector_offset(vcpu->pstate);
	vcpu->pstate = inject_pstate(vcpu, vcpu->pstate);
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
