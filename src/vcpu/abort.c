/* SPDX-License-Identifier: Apache-2.0 */
/* Stage-2 aborts of a guest: emulated devices, and addresses with nothing behind them. */
#include "vcpu/abort.h"

#include "arch/esr.h"
#include "vcpu/inject.h"
#include "vcpu/mmio.h"
#include "vcpu/mmio_decode.h"
#include "vcpu/vcpu.h"
#include "vcpu/vm.h"

static ipa_t fault_ipa(const struct exit *exit)
{
	return ipa(HPFAR_IPA(exit->hpfar) | (exit->far & (PAGE_SIZE - 1)));
}

/* Sign- or zero-extend what a load of m->size bytes returned, as its register wants it. */
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

/* A single-register access that the syndrome describes completely. */
static bool access_described(struct vcpu *vcpu, const struct exit *exit)
{
	u32 srt = (u32)DABT_SRT(exit->esr);
	struct mmio m = { .size = (u8)(1 << DABT_SAS(exit->esr)), .write = exit->esr & DABT_WNR };

	if (m.write) {
		m.data = vcpu_gpr(vcpu, srt);
		if (m.size < 8)
			m.data &= BIT(8 * m.size) - 1;
	}
	if (!mmio_access(vcpu, fault_ipa(exit), &m))
		return false;
	if (!m.write)
		vcpu_gpr_set(vcpu, srt, extend_load(&m, exit->esr));
	return true;
}

enum verdict dabt_trap(struct vcpu *vcpu, const struct exit *exit)
{
	u64 fault = ESR_FSC_TYPE(exit->esr);

	/*
	 * A stage-1 walk that met an IPA with nothing behind it, or any fault that isn't a
	 * missing or read-only stage-2 mapping (external aborts come here by HCR_EL2.TEA).
	 */
	if ((exit->esr & ABT_S1PTW) ||
	    (fault != ESR_FSC_TRANSLATION && fault != ESR_FSC_PERMISSION)) {
		inject_external_abort(vcpu);
		return RESUME;
	}
	/* Cache maintenance by address has nothing to maintain where nothing is mapped. */
	if (exit->esr & DABT_CM)
		return SKIP;
	if (exit->esr & DABT_ISV ? access_described(vcpu, exit)
				: mmio_decode_access(vcpu, exit, fault_ipa(exit)))
		return SKIP;
	inject_external_abort(vcpu);
	return RESUME;
}

enum verdict iabt_trap(struct vcpu *vcpu, const struct exit *exit)
{
	(void)exit;
	inject_external_abort(vcpu);
	return RESUME;
}
