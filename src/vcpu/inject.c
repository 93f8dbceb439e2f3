/* SPDX-License-Identifier: Apache-2.0 */
/* Raise an exception at the guest's EL1: AArch64.TakeException, with the registers of a loaded vcpu. */
#include "vcpu/inject.h"

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "vcpu/s1walk.h"
#include "vcpu/vcpu.h"

#define PSTATE_M_EL1H 0x5UL
#define PSTATE_M_SPX 0x1UL
#define PSTATE_EL(p) FIELD(p, 3, 2)
#define PSTATE_AARCH32 BIT(4)
#define PSTATE_DAIF MASK(9, 6)
#define PSTATE_SSBS BIT(12)
#define PSTATE_ALLINT BIT(13)
#define PSTATE_PAN BIT(22)
#define PSTATE_DIT BIT(24)
#define PSTATE_TCO BIT(25)
#define PSTATE_NZCV MASK(31, 28)

#define VBAR_BASE MASK(63, 11) /* the rest is RES0, though QEMU stores it */

#define SCTLR_SPAN BIT(23)
#define SCTLR_DSSBS BIT(44)
#define SCTLR_SPINTMASK BIT(62)

/* The vector's offset from VBAR_EL1 for a synchronous exception taken from this PSTATE. */
static u64 vector_offset(u64 pstate)
{
	if (pstate & PSTATE_AARCH32)
		return 0x600;
	if (PSTATE_EL(pstate) == 0)
		return 0x400;
	return pstate & PSTATE_M_SPX ? 0x200 : 0x000;
}

/* PSTATE at the handler, bit by bit as AArch64.TakeException sets it. */
static u64 handler_pstate(u64 old)
{
	u64 sctlr = sysreg_read(SCTLR_EL12);
	u64 new = PSTATE_M_EL1H | PSTATE_DAIF | (old & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN));

	if (!(sctlr & SCTLR_SPAN))
		new |= PSTATE_PAN;
	if (sctlr & SCTLR_DSSBS)
		new |= PSTATE_SSBS;
	if (feat.mte)
		new |= PSTATE_TCO;
	if (feat.nmi && !(sctlr & SCTLR_SPINTMASK))
		new |= PSTATE_ALLINT;
	return new;
}

void inject_sync(struct vcpu *vcpu, u64 esr, bool set_far, u64 far)
{
	sysreg_write(ESR_EL12, esr);
	if (set_far)
		sysreg_write(FAR_EL12, far);
	sysreg_write(ELR_EL12, vcpu->pc);
	sysreg_write(SPSR_EL12, vcpu->pstate);
	vcpu->pc = (sysreg_read(VBAR_EL12) & VBAR_BASE) + vector_offset(vcpu->pstate);
	vcpu->pstate = handler_pstate(vcpu->pstate);
	vcpu->pc_dirty = true;
}

void inject_undef(struct vcpu *vcpu)
{
	/* ConstructException: IL is 1 for an exception class of 0. */
	inject_sync(vcpu, ESR_IL, false, 0);
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
