/* SPDX-License-Identifier: Apache-2.0 */
/* Physical SError interrupts that are pending while nidus, which masks them, runs. */
#include "exit/serror.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/insn.h"
#include "arch/irq.h"
#include "arch/sysreg.h"
#include "exit/hwerror.h"
#include "state/cpu.h"
#include "state/vcpu.h"

/* What pending() has found. */
static __attribute__((noinline, cold)) void consume(void)
{
	struct vcpu *vcpu = cpu_this()->loaded;
	u64 syndrome;

	if (feat.ras) {
		syndrome = sysreg_read(DISR_EL1);
		sysreg_write(DISR_EL1, 0);
	} else {
		serror_take();
		syndrome = sysreg_read(ESR_EL2);
	}
	if (!hwerror_serror(vcpu, syndrome) && vcpu)
		vcpu_request(vcpu, REQ_STOP | REQ_SERROR);
}

static inline bool pending(void)
{
	if (feat.ras) {
		/* AArch64.ESBOperation: masked, it goes into DISR_EL1. */
		insn_esb();
		return sysreg_read(DISR_EL1) & DISR_A;
	}
	isb();
	return sysreg_read(ISR_EL1) & ISR_A;
}

void serror_poll(void)
{
	if (unlikely(pending()))
		consume();
}
