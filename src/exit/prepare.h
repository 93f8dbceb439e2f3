/* SPDX-License-Identifier: Apache-2.0 */
/* Before an entry. For a loaded vcpu, IRQs masked. */
#pragma once

#include "state/vcpu.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"

/*
 * Bring the registers up to date; writes nothing that has not changed. False: the vcpu must not be
 * entered, as an operation waits for others.
 */
bool prepare_entry(struct vcpu *vcpu);
/*
 * The same for the first entry of a vcpu_run(): after a sleep, which began with a check, what
 * cannot have changed since is not checked again.
 */
bool prepare_first(struct vcpu *vcpu);

/*
 * Load the trap controls and vector lengths of the guest. simd_check() may claim, which opens all
 * that the VM has: vEL2's traps and limits for its guest are applied on top.
 */
void prepare_traps(struct vcpu *vcpu);

/*
 * Whether interrupts or deferred operations must be handled before the entry. Usually not, as the
 * guest has already taken what was placed, or vEL2 masks it while it accesses one register after
 * another.
 */
static inline bool work_left(struct vcpu *vcpu)
{
	if (likely(!vgic_work(&vcpu->vgic)) || !vgic_work_left(&vcpu->vgic))
		return false;
	return !vcpu->has_vel2 || !vgic_vel2_nothing_to_route(vcpu);
}

/*
 * The same after a fast path of vEL2, which leaves it to the next exit that has none to find out
 * whether the guest has handled what was placed.
 */
static inline bool work_left_vel2(struct vcpu *vcpu)
{
	return unlikely(vgic_work(&vcpu->vgic)) && !vgic_vel2_nothing_to_route(vcpu) &&
	       vgic_work_left(&vcpu->vgic);
}
