/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-2 aborts of a guest: emulated devices, and addresses with nothing behind them. */
#include "exit/abort.h"

#include "arch/esr.h"
#include "arch/sysreg.h"
#include "exit/hwerror.h"
#include "exit/mmio.h"
#include "exit/mmio_decode.h"
#include "mm/tlb.h"
#include "nested/shadow.h"
#include "state/vcpu.h"
#include "state/vm.h"

/* Sign- or zero-extend the result of a load of m->size bytes for its register. */
static u64 extend_load(const struct mmio *m, u64 esr)
{
	u32 bits = 8 * m->size;
	u64 v = m->data;

	if (bits < 64) {
		v &= BIT(bits) - 1;
		if ((esr & DABT_SSE) && (v & BIT(bits - 1)))
			v |= ~0UL << bits;
	}
	return esr & DABT_SF ? v : (u32)v;
}

/*
 * Do a single-register access that the syndrome describes completely: SKIP, AGAIN, or ABORT if
 * nothing answers.
 */
static enum verdict access_described(struct vcpu *vcpu, const struct exit *exit, ipa_t at)
{
	u32 srt = (u32)DABT_SRT(exit->esr);
	struct mmio m = { .size = (u8)(1 << DABT_SAS(exit->esr)), .write = exit->esr & DABT_WNR };

	if (m.write) {
		m.data = vcpu_gpr(vcpu, srt);
		if (m.size < 8)
			m.data &= BIT(8 * m.size) - 1;
	}
	if (!mmio_access(vcpu, at, &m))
		return ABORT;
	if (unlikely(m.waits))
		return AGAIN;
	if (!m.write)
		vcpu_gpr_set(vcpu, srt, extend_load(&m, exit->esr));
	return SKIP;
}

/*
 * Handle an abort that no mapping of nidus's could resolve. A TLB conflict (FEAT_BBM permits one
 * where a guest changes the size of a block in its own tables) may be reported as a stage-2 fault:
 * the entries belong to the VMID in force, so nidus invalidates them, whichever guest's they are.
 * All else is an external abort for the guest.
 */
static enum verdict other_abort(struct vcpu *vcpu, const struct exit *exit)
{
	if (ABT_FSC(exit->esr) != ESR_FSC_TLB_CONFLICT) {
		hwerror_abort(vcpu, exit);
		return ABORT;
	}
	tlb_invalidate_vmid(sysreg_read(VTTBR_EL2));
	return RESUME;
}

/*
 * Handle a stage-2 abort of vEL1 that is not vEL2's by its class alone (reflect_wanted()). SKIP: it
 * is an access to *at, the address in the VM that vEL2 mapped there, which is a device or nothing.
 * Else the exit's verdict.
 */
static enum verdict vel1_abort(struct vcpu *vcpu, const struct exit *exit, ipa_t *at)
{
	if (unlikely(ABT_FSC(exit->esr) >= ESR_FSC_SEA))
		return other_abort(vcpu, exit);
	if (vcpu->reflection.device) { /* fast_abort() has found it */
		vcpu->reflection.device = false;
		*at = vcpu->reflection.ipa;
		return SKIP;
	}
	switch (shadow_fault(vcpu, exit, &vcpu->reflection)) {
	case SHADOW_RETRY:
		return RESUME;
	case SHADOW_REFLECT:
		return REFLECT_ABORT;
	case SHADOW_DEVICE:
		break;
	case SHADOW_DEAD:
		vcpu->stop_reason = "no memory for the translations of its guest";
		return STOP_VM;
	}
	*at = vcpu->reflection.ipa;
	return SKIP;
}

enum verdict dabt_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u64 fault = ESR_FSC_TYPE(exit->esr);
	ipa_t at;

	if (unlikely(vcpu->has_vel2) && !vcpu->in_vel2) {
		enum verdict verdict = vel1_abort(vcpu, exit, &at);

		if (verdict != SKIP)
			return verdict;
	} else {
		at = ipa(exit_ipa(exit));
	}
	/*
	 * A stage-1 walk that met an IPA with nothing behind it, or any fault that isn't a
	 * missing or read-only stage-2 mapping (external aborts come here by HCR_EL2.TEA).
	 */
	if ((exit->esr & ABT_S1PTW) ||
	    (fault != ESR_FSC_TRANSLATION && fault != ESR_FSC_PERMISSION))
		return other_abort(vcpu, exit);
	/* Cache maintenance by address has nothing to maintain where nothing is mapped. */
	if (exit->esr & DABT_CM)
		return SKIP;
	if (!(exit->esr & DABT_ISV))
		return mmio_decode_access(vcpu, exit, at);
	return access_described(vcpu, exit, at);
}

enum verdict iabt_trap(struct vcpu *vcpu, const struct exit *exit)
{
	ipa_t at;

	if (unlikely(vcpu->has_vel2) && !vcpu->in_vel2) {
		enum verdict verdict = vel1_abort(vcpu, exit, &at);

		if (verdict != SKIP)
			return verdict;
	}
	return other_abort(vcpu, exit);
}
