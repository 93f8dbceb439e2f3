/* SPDX-License-Identifier: Apache-2.0 */
/* The run loop: prepare, enter, snapshot, dispatch, act. */
#include "vcpu/run.h"

#include "arch/esr.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "vcpu/cpu.h"
#include "vcpu/exit.h"
#include "vcpu/inject.h"
#include "vcpu/traps.h"
#include "vcpu/vcpu.h"
#include "vcpu/vm.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

/* Everything that others asked of this vcpu; false: it has to leave the loop. */
static bool serve_requests(struct vcpu *vcpu)
{
	u32 requests = __atomic_exchange_n(&vcpu->requests, 0, __ATOMIC_ACQUIRE);

	if (requests & REQ_VGIC_SYNC)
		vgic_serve_sync(vcpu);
	if (requests & REQ_TIMER)
		vtimer_update(vcpu);
	return !(requests & REQ_STOP);
}

/* vgic.stale: to the list registers; or to vEL2 at once, if they are L1's and its guest runs. */
static void deliver_interrupts(struct vcpu *vcpu)
{
	bool fiq;

	if (unlikely(vcpu->has_el2) && vgic_wants_vel2(vcpu, &fiq))
		level_take(vcpu, fiq ? LEVEL_FIQ : LEVEL_IRQ, 0);
	vgic_flush(vcpu);
}

/*
 * Trap controls and vector lengths as they are to be in the guest. A claim by the check opens all
 * that the VM has: L1's traps on its guest and its limits come on top.
 */
static void prepare_traps(struct vcpu *vcpu)
{
	do {
		simd_chaos_point();
		if (unlikely(vcpu->has_el2))
			simd_level(vcpu);
		if (unlikely(vcpu->traps_stale)) {
			struct traps traps = traps_compute(vcpu);

			vcpu->traps_stale = false;
			traps_load(&traps);
		}
		simd_chaos_point();
		simd_check(vcpu); /* last: whatever came before may have held a host section */
	} while (unlikely(vcpu->traps_stale && vcpu->has_el2));
}

/* Bring the registers in line with memory; nothing here writes what has not changed. */
static void prepare_entry(struct vcpu *vcpu)
{
	if (unlikely(__atomic_load_n(&vcpu->vgic.stale, __ATOMIC_ACQUIRE)))
		deliver_interrupts(vcpu);
	if (vcpu->pc_dirty) {
		sysreg_write(ELR_EL2, vcpu->pc);
		sysreg_write(SPSR_EL2, vcpu->pstate);
		vcpu->pc_dirty = false;
	}
	prepare_traps(vcpu);
}

static void snapshot(struct vcpu *vcpu, enum exit_kind kind)
{
	struct exit *exit = &vcpu->exit;

	exit->elr = vcpu->pc = sysreg_read(ELR_EL2);
	exit->spsr = vcpu->pstate = sysreg_read(SPSR_EL2);
	if (kind == EXIT_SYNC) {
		exit->esr = sysreg_read(ESR_EL2);
		exit->far = sysreg_read(FAR_EL2);
		exit->hpfar = sysreg_read(HPFAR_EL2);
	}
}

static enum verdict handle_exit(struct vcpu *vcpu, enum exit_kind kind, enum exit_class *class)
{
	if (likely(kind == EXIT_SYNC))
		return exit_dispatch(vcpu, &vcpu->exit, class);
	if (kind == EXIT_SERROR) {
		*class = EXIT_CLASS_SERROR;
		/* Which access of whom caused it can't be known; the VM that ran is the likeliest. */
		vm_stop(vcpu->vm, VM_STOPPING, "SError interrupt from the hardware");
		return DEAD;
	}
	*class = kind == EXIT_IRQ ? EXIT_CLASS_IRQ : EXIT_CLASS_FIQ;
	irq_handle();
	return RESUME;
}

/* The last exit is accounted for when the loop is left. */
static enum run_result leave(struct vcpu *vcpu, enum exit_class class, u64 left, enum run_result result)
{
	if (class != EXIT_CLASS_COUNT)
		account_exit(&vcpu->account, class, counter_now() - left);
	return result;
}

enum run_result vcpu_run(struct vcpu *vcpu)
{
	struct cpu *cpu = cpu_this();
	u64 left = counter_now(), entered;
	enum exit_class class = EXIT_CLASS_COUNT; /* none to account for yet */

	for (;;) {
		enum exit_kind kind;
		enum verdict verdict;

		if (unlikely(__atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED)))
			if (!serve_requests(vcpu))
				return leave(vcpu, class, left, RUN_STOP);
		if (unlikely(cpu->need_resched))
			return leave(vcpu, class, left, RUN_PREEMPT);
		prepare_entry(vcpu);
		entered = counter_now();
		if (likely(class != EXIT_CLASS_COUNT))
			account_exit(&vcpu->account, class, entered - left);

		kind = (enum exit_kind)vcpu_enter(vcpu);

		left = counter_now();
		vcpu->account.guest_ticks += left - entered;
		snapshot(vcpu, kind);
		if (unlikely(vcpu->hyp)) {
			vgic_el2_exit(vcpu);
			vtimer_el2_exit(vcpu);
		}
		simd_chaos_point();
		verdict = handle_exit(vcpu, kind, &class);
		switch (verdict) {
		case RESUME:
			break;
		case SKIP:
			vcpu_step_over(vcpu, &vcpu->exit);
			break;
		case REFLECT:
			level_reflect(vcpu);
			break;
		case UNDEF:
			inject_undef(vcpu);
			break;
		case SLEEP:
			return leave(vcpu, class, left, RUN_SLEEP);
		case DEAD:
			return leave(vcpu, class, left, RUN_STOP);
		}
	}
}
