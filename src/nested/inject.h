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

/*
 * PSTATE at the handler of an exception taken from `old`, bit by bit as AArch64.TakeException sets
 * it. vcpu->in_vel2: at vEL2.
 */
u64 inject_pstate(const struct vcpu *vcpu, u64 old);
/* SPSR_ELx for the vcpu's PSTATE: vEL2, which runs at EL1, is shown as EL2. */
u64 inject_spsr(const struct vcpu *vcpu);
