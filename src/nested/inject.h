/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raise an exception at the guest's EL1 (pseudocode: AArch64.TakeException); run loop context, vcpu
 * loaded.
 */
#pragma once

#include "lib/types.h"

struct vcpu;

/*
 * Raise UNDEFINED for the instruction that vcpu->exit is about: EC 0, or 0x18 as with FEAT_IDST, if
 * the VM sees that.
 */
void inject_undef(struct vcpu *vcpu);
/* Raise a synchronous external abort for the access described by the current exit. */
void inject_external_abort(struct vcpu *vcpu);
/*
 * Raise a synchronous exception with this ESR (complete: IL and ISS are not changed by its EC
 * here). far only if set_far.
 */
void inject_sync(struct vcpu *vcpu, u64 esr, bool set_far, u64 far);

/* Vector offsets of the four kinds of exception, in each group of vectors. */
enum vector { VECTOR_SYNC = 0x000, VECTOR_IRQ = 0x080, VECTOR_FIQ = 0x100, VECTOR_SERROR = 0x180 };

/*
 * Take an exception to EL1, in the vel2 context to vEL2 (AArch64.TakeException): all that a vcpu
 * takes go through here. It was executing at pc with PSTATE pstate; from_vel1: in the vel1 context,
 * which it has just left for the exception. Sets ESR_EL1 (vector sync or SError), SPSR_EL1 and
 * ELR_EL1, and vcpu->pc and pstate, but not pc_dirty.
 */
void inject_take(struct vcpu *vcpu, enum vector vector, u64 esr, bool from_vel1, u64 pc,
		 u64 pstate);
