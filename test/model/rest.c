/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for what the run loop calls and the model world lacks: interrupts of the guest, timers,
 * debug, stage 2, traps other than SIMD's. A level switch does nothing to them here; reaching a
 * function that nothing here can lead to is a violation.
 */
#include "dev/timer.h"
#include "exit/abort.h"
#include "exit/fast.h"
#include "exit/hvc.h"
#include "exit/hwerror.h"
#include "exit/psci.h"
#include "exit/run.h"
#include "exit/sysreg_emul.h"
#include "exit/wfx.h"
#include "guest.h"
#include "mm/page.h"
#include "mm/stage2.h"
#include "nested/inject.h"
#include "nested/pauth.h"
#include "nested/shadow.h"
#include "nested/vncr.h"
#include "state/vm.h"
#include "traps/debug.h"
#include "traps/identity.h"
#include "traps/nvhe.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

u32 undefined;

#define NOT_HERE model_fail("%s() is called, which nothing here leads to", __func__)

/* ---- nothing to do --------------------------------------------------------------------------- */

u64 counter_now(void)
{
	return 0;
}

void irq_handle(void)
{
}

void vgic_level_switch(struct vcpu *vcpu)
{
	(void)vcpu;
}

void vtimer_level_switch(struct vcpu *vcpu)
{
	(void)vcpu;
}

void vtimer_cnthctl_complete(struct vcpu *vcpu)
{
	(void)vcpu;
}

bool shadow_ready(struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

void inject_take(struct vcpu *vcpu, enum vector vector, u64 esr, bool from_vel1, u64 pc, u64 pstate)
{
	(void)vector;
	(void)esr;
	(void)from_vel1;
	vcpu->pc = pc;
	vcpu->pstate = pstate;
}

void inject_undef(struct vcpu *vcpu)
{
	(void)vcpu;
	undefined++;
}

/* ---- not here -------------------------------------------------------------------------------- */

#define NEVER(type, name, ...)                                                                     \
	type name(__VA_ARGS__)                                                                     \
	{                                                                                          \
		NOT_HERE;                                                                          \
	}
#define VCPU __attribute__((unused)) struct vcpu *vcpu
#define EXIT __attribute__((unused)) const struct exit *exit

NEVER(enum verdict, dabt_trap, VCPU, EXIT)
NEVER(enum verdict, iabt_trap, VCPU, EXIT)
NEVER(enum verdict, hvc_trap, VCPU, EXIT)
NEVER(enum verdict, smc_trap, VCPU, EXIT)
NEVER(enum verdict, wfx_trap, VCPU, EXIT)
NEVER(enum verdict, vncr_trap, VCPU, EXIT)
NEVER(enum verdict, sysreg_trap, VCPU, EXIT)
NEVER(enum verdict, sysreg_vel2, VCPU, __attribute__((unused)) u64 esr,
      __attribute__((unused)) u64 pstate)
NEVER(enum verdict, fast_sys_gprs, VCPU, __attribute__((unused)) u64 esr)
NEVER(enum verdict, fast_mmio_gprs, VCPU, __attribute__((unused)) u64 esr)
NEVER(void, irq_acked, __attribute__((unused)) u32 intid)
NEVER(u32, irq_redeliver, VCPU)
NEVER(bool, psci_resume, VCPU)
NEVER(void, vm_stop, __attribute__((unused)) struct vm *vm,
      __attribute__((unused)) enum vm_state how, __attribute__((unused)) const char *reason)
NEVER(void, inject_sync, VCPU, __attribute__((unused)) u64 esr,
      __attribute__((unused)) bool set_far, __attribute__((unused)) u64 far)
NEVER(void, inject_external_abort, VCPU)
NEVER(bool, pauth_eret, VCPU, EXIT, __attribute__((unused)) u64 *elr)
NEVER(u64, vncr_window, __attribute__((unused)) struct vcpu *vcpu)
NEVER(void, identity_load, VCPU)
NEVER(void, shadow_load, VCPU, __attribute__((unused)) struct shadow *s)
NEVER(void, shadow_work, VCPU)
NEVER(enum shadow_verdict, shadow_fault, VCPU, EXIT, __attribute__((unused)) struct reflection *out)
NEVER(u64, page_alloc_zero, void)
NEVER(void, nvhe_reset, VCPU)
NEVER(void, debug_vel2_exit, VCPU)
NEVER(void, debug_vel2_tick, VCPU, __attribute__((unused)) u64 now)
NEVER(bool, debug_vel2_enabled, __attribute__((unused)) const struct vcpu *vcpu)
NEVER(void, debug_enter_vel2, VCPU)
NEVER(void, debug_enter_vel1, VCPU)
NEVER(void, debug_load, VCPU)
NEVER(void, debug_save, VCPU)
NEVER(void, debug_reset, VCPU)
NEVER(void, vgic_ask_drop, VCPU)
NEVER(void, vgic_flush, VCPU)
NEVER(void, vgic_serve_sync, VCPU)
NEVER(bool, vgic_finish_deferred, VCPU)
NEVER(void, vgic_vel2_exit, VCPU)
NEVER(bool, vgic_vel2_route, VCPU)
NEVER(bool, vgic_wants_vel2, VCPU, __attribute__((unused)) bool *fiq)
NEVER(void, vtimer_update, VCPU)
NEVER(void, vtimer_vel2_exit, VCPU)
NEVER(bool, vtimer_vel2_seen, __attribute__((unused)) const struct vcpu *vcpu)
NEVER(bool, hwerror_serror, VCPU, __attribute__((unused)) u64 syndrome)
NEVER(void, hwerror_abort, VCPU, __attribute__((unused)) const struct exit *exit)
