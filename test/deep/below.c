/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for what nidus's code calls and the deep model lacks: interrupts of the guest, timers,
 * debug, stage 2, memory. It is linked with each of the two nidus, all of whose symbols then get a
 * prefix. Reaching a function that nothing here can lead to is a violation.
 */
#include "below.h"

#include <string.h>

#include "arch/feat.h"
#include "dev/timer.h"
#include "exit/abort.h"
#include "exit/fast.h"
#include "exit/hvc.h"
#include "exit/hwerror.h"
#include "exit/psci.h"
#include "exit/serror.h"
#include "exit/sysreg_emul.h"
#include "exit/wfx.h"
#include "lib/check.h"
#include "lib/log.h"
#include "mm/page.h"
#include "nested/at.h"
#include "nested/inject.h"
#include "nested/pauth.h"
#include "nested/s1walk.h"
#include "nested/tlbi.h"
#include "nested/vncr.h"
#include "simd/simd_regs.h"
#include "traps/debug.h"
#include "traps/identity.h"
#include "traps/nvhe.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

struct cpu cpus[MAX_CPUS];
struct feat feat;
static struct vcpu vcpus[2];
static struct vm vm[2];
static struct vm_config config[2];
static struct shadow shadow;

const struct below below = {
	.cpu = cpus,
	.feat = &feat,
	.vcpu = vcpus,
	.vm = vm,
	.config = config,
	.chaos = &simd_chaos,
	.simd_boot = simd_boot,
	.traps_boot = traps_boot,
	.simd_vcpu_init = simd_vcpu_init,
	.vel2_bits_init = vel2_bits_init,
	.vel2_init = vel2_init,
	.reset = vcpu_reset,
	.load = vcpu_load,
	.put = vcpu_put,
	.run = vcpu_run,
	.run_continue = run_continue,
	.fast_irq = fast_irq,
	.chaos_section = simd_chaos_section,
	.traps_invalidate = traps_invalidate,
	.traps_compute = traps_compute,
};

/* ---- implemented here, or by the model ------------------------------------------------------- */

struct cpu *cpu_this(void)
{
	return cpus;
}

u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind))
{
	model_enter(vcpu, handle);
	/* The caller of vcpu_run() continues while the guest runs: not RUN_AGAIN. */
	return RUN_PREEMPT;
}

/* In place of simd.c's: a host section may come wherever nidus has a chaos point. */
void simd_chaos_maybe(void)
{
	model_chaos();
}

/* vectors.S: the model does not have the registers that it saves. */
enum verdict fast_sys_gprs(struct vcpu *vcpu, u64 esr)
{
	return fast_sys(vcpu, esr);
}

enum verdict fast_mmio_gprs(struct vcpu *vcpu, u64 esr)
{
	return fast_mmio(vcpu, esr);
}

u32 irq_redeliver(struct vcpu *vcpu)
{
	(void)vcpu;
	return INTID_NONE;
}

void irq_acked(u32 intid)
{
	(void)intid;
	model_acked();
}

u64 page_alloc(u32 order)
{
	(void)order;
	return model_home();
}

u64 page_alloc_zero(void)
{
	return model_page();
}

void page_free(u64 pa, u32 order)
{
	(void)pa;
	(void)order;
}

void page_zero(u64 pa, u64 size)
{
	memset((void *)pa, 0, size);
}

void *pa_ptr(pa_t p)
{
	return (void *)p.a;
}

pa_t ptr_pa(const void *p)
{
	return pa((u64)p);
}

noreturn void check_failed(const char *file, int line, const char *what)
{
	model_check(file, line, what);
}

/* A guest's UNDEFINED register is reported once: nobody reads it here. */
void log_line(const char *fmt, ...)
{
	(void)fmt;
}

/* The page that L1's VNCR_EL2 names: its own memory, which every window maps unchanged. */
u64 vncr_window(struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_VNCR_EL2);
}

bool shadow_ready(struct vcpu *vcpu)
{
	vcpu->shadow.ref[0] = &shadow;
	return true;
}

void shadow_load(struct vcpu *vcpu, struct shadow *s)
{
	vcpu->shadow.mine = s;
}

/* Whose interrupts the list registers hold, as prepare.c asks. */
void vgic_level_switch(struct vcpu *vcpu)
{
	vcpu->vgic.where = vcpu->in_vel2 ? VGIC_LOADED : VGIC_VEL1;
}

bool vgic_wants_vel2(struct vcpu *vcpu, bool *fiq)
{
	*fiq = false;
	return vcpu->vgic.where == VGIC_VEL1 && model_irq_to_vel2();
}

void vgic_flush(struct vcpu *vcpu)
{
	vcpu->vgic.stale = false;
}

bool vgic_vel2_route(struct vcpu *vcpu)
{
	(void)vcpu;
	return false;
}

/*
 * vtimer/nested.c's, as far as it depends on vcpu->sr: CNTHCTL_EL2 is written by its own name here.
 */
enum verdict emul_cnthctl_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (!vcpu->in_vel2)
		return UNDEF;
	if (write)
		vcpu->sr[id] = *value & vcpu->vm->nested.cnthctl;
	else
		*value = vcpu->sr[id];
	return SKIP;
}

enum verdict emul_cntkctl_el12(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2)
		return UNDEF;
	if (write)
		vncr_write(vcpu, VNCR_CNTKCTL_EL1, *value);
	else
		*value = vncr_read(vcpu, VNCR_CNTKCTL_EL1);
	return SKIP;
}

/* ---- nothing to do --------------------------------------------------------------------------- */

#define VCPU __attribute__((unused)) struct vcpu *vcpu
#define EXIT __attribute__((unused)) const struct exit *exit
#define NOTHING(name)                                                                              \
	void name(VCPU)                                                                            \
	{                                                                                          \
	}
NOTHING(vtimer_level_switch)
NOTHING(vtimer_cnthctl_complete)
NOTHING(vtimer_load)
NOTHING(vtimer_put)
NOTHING(vtimer_reset)
NOTHING(vtimer_vel2_exit)
NOTHING(vgic_load)
NOTHING(vgic_put)
NOTHING(vgic_vcpu_reset)
NOTHING(identity_load)
NOTHING(debug_load)
NOTHING(debug_save)
NOTHING(debug_reset)
NOTHING(vncr_reset)

bool vtimer_vel2_seen(const struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

bool vtimer_has_cntpoff(void)
{
	return true;
}

void serror_poll(void)
{
}

/* No model has aborts or SErrors of the memory system. */
bool hwerror_serror(struct vcpu *vcpu, u64 syndrome)
{
	(void)vcpu;
	(void)syndrome;
	__builtin_trap();
}

void hwerror_abort(struct vcpu *vcpu, const struct exit *exit)
{
	(void)vcpu;
	(void)exit;
	__builtin_trap();
}

u64 counter_now(void)
{
	return 0;
}

/* ---- not here -------------------------------------------------------------------------------- */

#define NEVER(type, name, ...)                                                                     \
	type name(__VA_ARGS__)                                                                     \
	{                                                                                          \
		model_never(__func__);                                                             \
	}
NEVER(void, irq_handle, void)
NEVER(enum verdict, dabt_trap, VCPU, EXIT)
NEVER(enum verdict, iabt_trap, VCPU, EXIT)
NEVER(enum verdict, hvc_trap, VCPU, EXIT)
NEVER(enum verdict, smc_trap, VCPU, EXIT)
NEVER(enum verdict, wfx_trap, VCPU, EXIT)
NEVER(enum verdict, vncr_trap, VCPU, EXIT)
NEVER(enum verdict, at_trap, VCPU, EXIT)
NEVER(enum verdict, tlbi_trap, VCPU, EXIT)
NEVER(bool, psci_resume, VCPU)
NEVER(void, vm_stop, __attribute__((unused)) struct vm *v,
      __attribute__((unused)) enum vm_state how, __attribute__((unused)) const char *reason)
NEVER(void, vcpu_request, VCPU, __attribute__((unused)) u32 request)
NEVER(bool, pauth_eret, VCPU, EXIT, __attribute__((unused)) u64 *elr)
NEVER(int, s1walk_fault_level, VCPU, __attribute__((unused)) va_t at,
      __attribute__((unused)) u64 ipa)
NEVER(void, shadow_work, VCPU)
NEVER(enum shadow_verdict, shadow_fault, VCPU, EXIT, __attribute__((unused)) struct reflection *out)
NEVER(void, nvhe_reset, VCPU)
NEVER(u32, nvhe_key, __attribute__((unused)) u32 key)
NEVER(sysreg_fn *, nvhe_fn, __attribute__((unused)) enum sysreg_id id)
NEVER(enum verdict, nvhe_cpacr, VCPU, __attribute__((unused)) bool write,
      __attribute__((unused)) u64 *value)
NEVER(void, debug_vel2_exit, VCPU)
NEVER(void, debug_vel2_tick, VCPU, __attribute__((unused)) u64 now)
NEVER(bool, debug_vel2_enabled, __attribute__((unused)) const struct vcpu *vcpu)
NEVER(void, debug_enter_vel2, VCPU)
NEVER(void, debug_enter_vel1, VCPU)
NEVER(enum verdict, debug_numbered, VCPU, __attribute__((unused)) u32 key,
      __attribute__((unused)) bool write, __attribute__((unused)) u64 *value)
NEVER(void, vgic_ask_drop, VCPU)
NEVER(void, vgic_serve_sync, VCPU)
NEVER(bool, vgic_finish_deferred, VCPU)
NEVER(void, vgic_vel2_exit, VCPU)
NEVER(enum verdict, vgic_vel2_icc, VCPU, __attribute__((unused)) u32 key,
      __attribute__((unused)) bool write, __attribute__((unused)) u64 *value)
NEVER(enum verdict, vgic_sgi, VCPU, __attribute__((unused)) u64 value,
      __attribute__((unused)) bool group1)
NEVER(enum verdict, vgic_dir, VCPU, __attribute__((unused)) u64 value)
NEVER(void, vtimer_update, VCPU)
NEVER(u64, vtimer_phys_read, VCPU, __attribute__((unused)) enum vtimer_reg reg)
NEVER(void, vtimer_phys_write, VCPU, __attribute__((unused)) enum vtimer_reg reg,
      __attribute__((unused)) u64 value)

#define NEVER_EMUL(name)                                                                           \
	enum verdict name(VCPU, __attribute__((unused)) enum sysreg_id id,                         \
			  __attribute__((unused)) bool write, __attribute__((unused)) u64 *value)  \
	{                                                                                          \
		model_never(__func__);                                                             \
	}
NEVER_EMUL(debug_mdscr)
NEVER_EMUL(debug_oslar)
NEVER_EMUL(debug_oslsr)
NEVER_EMUL(debug_claim)
NEVER_EMUL(debug_dcc)
NEVER_EMUL(emul_cntvct)
NEVER_EMUL(emul_cnthp_ctl_el2)
NEVER_EMUL(emul_cnthp_cval_el2)
NEVER_EMUL(emul_cnthp_tval_el2)
NEVER_EMUL(emul_cnthv_ctl_el2)
NEVER_EMUL(emul_cnthv_cval_el2)
NEVER_EMUL(emul_cnthv_tval_el2)
NEVER_EMUL(emul_cntp_ctl_el02)
NEVER_EMUL(emul_cntp_cval_el02)
NEVER_EMUL(emul_cntp_tval_el02)
NEVER_EMUL(emul_cntv_ctl_el02)
NEVER_EMUL(emul_cntv_cval_el02)
NEVER_EMUL(emul_cntv_tval_el02)
NEVER_EMUL(emul_ich_vtr_el2)
NEVER_EMUL(emul_ich_misr_el2)
NEVER_EMUL(emul_ich_eisr_el2)
NEVER_EMUL(emul_ich_elrsr_el2)
NEVER_EMUL(emul_icc_sre_el2)
NEVER_EMUL(emul_isr)
