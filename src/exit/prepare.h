/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before an entry. Of a loaded vcpu, IRQs masked. */
#pragma once

#include "state/vcpu.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"

/*
 * Bring the registers in line with memory; nothing is written that has not changed. False: the vcpu
 * is not to be entered, as something waits for others.
 */
bool prepare_entry(struct vcpu *vcpu);
/*
 * The same for the first entry of a vcpu_run(): after a sleep, which began with a look, none at
 * what cannot have changed since.
 */
bool prepare_first(struct vcpu *vcpu);

/*
 * Trap controls and vector lengths as they are to be in the guest. A claim by the check opens all
 * that the VM has: L1's traps on its guest and its limits come on top.
 */
void prepare_traps(struct vcpu *vcpu);

/*
 * Whether prepare_entry() has to look at interrupts, or at what the vcpu owes: mostly not. If so,
 * mostly the guest is done with what was placed, or vEL2 masks it while it accesses one register
 * after the other.
 */
static inline bool work_left(struct vcpu *vcpu)
{
	if (likely(!vgic_work(&vcpu->vgic)) || !vgic_work_left(&vcpu->vgic))
		return false;
	return !vcpu->has_vel2 || !vgic_vel2_only_waits(vcpu);
}

/* The same after a short exit of vEL2: whether the guest is done is left to a longer one. */
static inline bool work_left_vel2(struct vcpu *vcpu)
{
	return unlikely(vgic_work(&vcpu->vgic)) && !vgic_vel2_only_waits(vcpu) &&
	       vgic_work_left(&vcpu->vgic);
}
