/* SPDX-License-Identifier: Apache-2.0 */
/* Physical SError interrupts that are pending while nidus, which masks them, runs. */
#include "exit/serror.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/insn.h"
#include "arch/irq.h"
#include "arch/sysreg.h"

bool serror_deferred(void)
{
	if (feat.ras) {
		/* AArch64.ESBOperation: masked, it goes into DISR_EL1. */
		insn_esb();
		if (likely(!(sysreg_read(DISR_EL1) & DISR_A)))
			return false;
		sysreg_write(DISR_EL1, 0);
		return true;
	}
	isb();
	if (likely(!(sysreg_read(ISR_EL1) & ISR_A)))
		return false;
	serror_take();
	return true;
}
