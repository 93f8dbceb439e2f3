/* SPDX-License-Identifier: Apache-2.0 */
/* Before an entry: interrupts, PC and PSTATE, trap controls, SIMD. */
#include "exit/prepare.h"

#include "arch/sysreg.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"

/* Deliver interrupts of a vcpu with EL2: one for vEL2 takes vEL1 out at once. */
static __attribute__((noinline)) void deliver_vel2(struct vcpu *vcpu)
{
	bool fiq;

	if (vcpu->vgic.where == VGIC_VEL1) {
		/* What becomes pending after this check ends the entry at once by its kick. */
		if (likely(!vgic_wants_vel2(vcpu, &fiq)))
			return;
		level_take(vcpu, fiq ? VECTOR_FIQ : VECTOR_IRQ, 0);
	}
	vgic_flush(vcpu);
	if (unlikely(vgic_vel2_route(vcpu))) {
		level_take(vcpu, VECTOR_FIQ, 0);
		vgic_flush(vcpu);
	}
}

/* Update the list registers, after work_left(). */
static inline void deliver_interrupts(struct vcpu *vcpu)
{
	if (unlikely(vcpu->has_vel2))
		deliver_vel2(vcpu);
	else
		vgic_flush(vcpu);
}

/*
 * Do the vcpu's deferred operations, mostly without help of other vcpus, and deliver what becomes
 * pending by them. False: one waits for others.
 */
static __attribute__((noinline)) bool finish_deferred(struct vcpu *vcpu)
{
	do {
		if (!vgic_finish_deferred(vcpu))
			return false;
		if (work_left(vcpu))
			deliver_interrupts(vcpu);
	} while (vcpu->vgic.deferred);
	return true;
}

/*
 * Deliver interrupts and do deferred operations (vgic.deferred, which sets vgic.stale). False: one
 * waits for others.
 */
static inline __attribute__((always_inline)) bool prepare_interrupts(struct vcpu *vcpu)
{
	deliver_interrupts(vcpu);
	return likely(!vcpu->vgic.deferred) || finish_deferred(vcpu);
}

__attribute__((noinline)) void prepare_traps(struct vcpu *vcpu)
{
	do {
		simd_chaos_point();
		if (vcpu->traps_stale) {
			if (vcpu->has_vel2)
				simd_level(vcpu);
			traps_update(vcpu);
		}
		simd_chaos_point();
		simd_check(vcpu); /* last: anything before it may have run a host section */
	} while (unlikely(vcpu->traps_stale && vcpu->has_vel2));
}

/* Bring the registers up to date; writes nothing that has not changed. */
static inline __attribute__((always_inline)) void prepare_registers(struct vcpu *vcpu)
{
	if (vcpu->pc_dirty) {
		sysreg_write(ELR_EL2, vcpu->pc);
		sysreg_write(SPSR_EL2, vcpu->pstate);
		vcpu->pc_dirty = false;
	}
	if (unlikely(vcpu->traps_stale | simd_chaos)) {
		prepare_traps(vcpu);
	} else {
		simd_check(vcpu);
		if (unlikely(vcpu->traps_stale && vcpu->has_vel2))
			prepare_traps(vcpu);
	}
	if (unlikely(vcpu->rare) && vcpu->vel1_vncr && !vcpu->in_vel2)
		traps_close_vel1();
}

bool prepare_entry(struct vcpu *vcpu)
{
	if (unlikely(work_left(vcpu)) && !prepare_interrupts(vcpu))
		return false;
	prepare_registers(vcpu);
	return true;
}

bool prepare_first(struct vcpu *vcpu)
{
	if (unlikely(vgic_work(&vcpu->vgic) & ~vcpu->checked) && work_left(vcpu) &&
	    !prepare_interrupts(vcpu))
		return false;
	prepare_registers(vcpu);
	return true;
}
