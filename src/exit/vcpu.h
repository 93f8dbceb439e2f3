/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu outside the run loop: reset, load, put, and the end of its wait. */
#pragma once

#include "state/vcpu.h"

/* Put a vcpu into its architectural reset state, to start at pc with x0; it must not be loaded. */
void vcpu_reset(struct vcpu *vcpu, u64 pc, u64 x0);

/* Load its EL1, GIC and timer state into this CPU, which must have none loaded. */
void vcpu_load(struct vcpu *vcpu);
/*
 * Write all of its state back to memory (SIMD too); the CPU then has none loaded. If an SError
 * interrupt of its accesses was pending that it cannot survive, it gets REQ_STOP and REQ_SERROR.
 */
void vcpu_put(struct vcpu *vcpu);

/*
 * Whether it should leave WFI or CPU_SUSPEND: for a request or an interrupt; from a power-down
 * state, for an interrupt that its redistributor would wake it for. On its own CPU, or not running.
 */
bool vcpu_wakes(struct vcpu *vcpu);
/* Whether a pending virtual interrupt would wake it from WFI (pseudocode: InterruptPending). */
bool vcpu_interrupt_pending(struct vcpu *vcpu);
