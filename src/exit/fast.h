/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fast paths: handlers of frequent exits that mostly need a single action. In vcpu->gpr are x0-x17
 * and x30; the others are in the CPU, preserved by C. No snapshot is taken, and what was in place
 * at the last entry still is: interrupts are masked from the vector to the ERET, so requests to the
 * vcpu come with an interrupt, right after it. Loaded, with vcpu->fast.
 *
 * DONE: all is in place for the ERET; DONE_GPRS: the same, with x18-x29 in vcpu->gpr. PASS: nothing
 * was done, and the slow path has to follow. Any other: the exit was handled, with that verdict,
 * but more is to be done before the entry; vcpu->exit.esr and account.{left,level} are set.
 */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/* Exits of vEL2. */
/*
 * EC 0x18: it accessed a trapped register. If Rt is one of x18-x29 they are in vcpu->gpr too:
 * fast_sys_gprs() in vectors.S saves them there and continues with fast_sys().
 */
enum verdict fast_sys(struct vcpu *vcpu, u64 esr);
enum verdict fast_sys_gprs(struct vcpu *vcpu, u64 esr);
/* EC 0x24: an access to an emulated device, with registers as for fast_sys(). */
enum verdict fast_mmio(struct vcpu *vcpu, u64 esr);
enum verdict fast_mmio_gprs(struct vcpu *vcpu, u64 esr);
/* EC 0x1a: an ERET (not ERETAA, ERETAB). */
enum verdict fast_eret(struct vcpu *vcpu, u64 esr);

/* Exits of vEL1. */
/* EC 0x16: an HVC, which goes to vEL2. */
enum verdict fast_hvc(struct vcpu *vcpu, u64 esr);
/*
 * EC 0x01, 0x07, 0x18, 0x19, 0x1a, 0x1d: a trap that goes to vEL2 (WFI, SIMD, a register, an ERET
 * of a vEL1 that is a hypervisor itself).
 */
enum verdict fast_trap(struct vcpu *vcpu, u64 esr);
/* EC 0x20, 0x24: a stage-2 fault that is resolved in the shadow, or that vEL2's tables have too. */
enum verdict fast_abort(struct vcpu *vcpu, u64 esr);

/*
 * Called by vectors.S for every vcpu: a physical interrupt took the guest out. DONE, or PASS:
 * vcpu->intid is acknowledged and to be handled.
 */
enum verdict fast_irq(struct vcpu *vcpu);
