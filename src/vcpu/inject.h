/* SPDX-License-Identifier: Apache-2.0 */
/* Raise an exception at the guest's EL1 (pseudocode: AArch64.TakeException); run loop context, vcpu loaded. */
#pragma once

#include "lib/types.h"

struct vcpu;

void inject_undef(struct vcpu *vcpu);
/* Synchronous external abort for the access described by the current exit. */
void inject_external_abort(struct vcpu *vcpu);
/* A synchronous exception with this ESR (its EC decides nothing here; IL and ISS are given). far only if set_far. */
void inject_sync(struct vcpu *vcpu, u64 esr, bool set_far, u64 far);
