/* SPDX-License-Identifier: Apache-2.0 */
/* WFI, WFE, WFIT, WFET. */
#include "exit/wfx.h"

#include "arch/esr.h"
#include "exit/vcpu.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "traps/debug.h"

enum { TI_WFI, TI_WFE, TI_WFIT, TI_WFET };

enum verdict wfx_trap(struct vcpu *vcpu, const struct exit *exit)
{
	/* Step over the instruction first: whatever wakes the vcpu, it resumes after it. */
	vcpu_step_over(vcpu, exit);
	if (vcpu->in_vel2 && unlikely(vcpu->mdscr.write_lent || vcpu->mdscr.numbered_lent))
		debug_vel2_tick(vcpu, counter_now());
	/* With a timeout no caller relies on waiting: they may return early for any reason. */
	if (WFX_TI(exit->esr) != TI_WFI || vcpu_interrupt_pending(vcpu)) {
		cpu_this()->need_resched |= WFX_TI(exit->esr) != TI_WFI;
		return RESUME;
	}
	return SLEEP;
}
