/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before an entry: interrupts, PC and PSTATE, trap controls, SIMD. */
#include "exit/prepare.h"

#include "arch/sysreg.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "traps/traps.h"

/* Of a vcpu that has EL2: what is L1's takes its guest out at once. */
static __attribute__((noinline)) void deliver_el2(struct vcpu *vcpu)
{
	bool fiq;

	if (vcpu->vgic.where == VGIC_VEL1) {
		/* What comes after this look ends the entry at once by its kick. */
		if (likely(!vgic_wants_vel2(vcpu, &fiq)))
			return;
		level_take(vcpu, fiq ? LEVEL_FIQ : LEVEL_IRQ, 0);
	}
	vgic_flush(vcpu);
	if (unlikely(vgic_vel2_route(vcpu))) {
		level_take(vcpu, LEVEL_FIQ, 0);
		vgic_flush(vcpu);
	}
}

/* work_left(): to the list registers. */
static inline void deliver_interrupts(struct vcpu *vcpu)
{
	if (unlikely(vcpu->has_vel2))
		deliver_el2(vcpu);
	else
		vgic_flush(vcpu);
}

/*
 * What the vcpu owes; mostly others have to do nothing for it. Then what has become pending by it
 * is delivered.
 */
static __attribute__((noinline)) bool settle(struct vcpu *vcpu)
{
	do {
		if (!vgic_settle(vcpu))
			return false;
		if (work_left(vcpu))
			deliver_interrupts(vcpu);
	} while (vcpu->vgic.owes);
	return true;
}

/* False: something of vgic.owes (with which comes vgic.stale) waits for others. */
static inline __attribute__((always_inline)) bool prepare_interrupts(struct vcpu *vcpu)
{
	deliver_interrupts(vcpu);
	return likely(!vcpu->vgic.owes) || settle(vcpu);
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
		simd_check(vcpu); /* last: whatever came before may have held a host section */
	} while (unlikely(vcpu->traps_stale && vcpu->has_vel2));
}

/* Bring the registers in line with memory; nothing here writes what has not changed. */
static inline __attribute__((always_inline)) void prepare_registers(struct vcpu *vcpu)
{
	if (vcpu->pc_dirty) {
		sysreg_write(ELR_EL2, vcpu->pc);
		sysreg_write(SPSR_EL2, vcpu->pstate);
		vcpu->pc_dirty = false;
	}
	if (unlikely(vcpu->traps_stale | simd_chaos)) {
		prepare_traps(vcpu);
		return;
	}
	simd_check(vcpu);
	if (unlikely(vcpu->traps_stale && vcpu->has_vel2))
		prepare_traps(vcpu);
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
	if (unlikely(vgic_work(&vcpu->vgic) & ~vcpu->looked) && work_left(vcpu) &&
	    !prepare_interrupts(vcpu))
		return false;
	prepare_registers(vcpu);
	return true;
}
