/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only level switch: a nested vcpu between vEL2 and vEL1. It moves the BANK rows of sysreg.def,
 * stage 2, the virtual interrupts and the timers. What both levels share (general and SIMD
 * registers, TPIDRs, PAR_EL1, SP_EL0, PAuth keys) it never touches.
 */
#pragma once

#include "arch/pstate.h"
#include "lib/types.h"
#include "nested/inject.h"
#include "state/exit.h"

struct reflection;
struct vcpu;

/*
 * The bits of PSTATE that a nested ERET may set: those of features that a VM sees. Used by
 * vectors.S
 */
#define LEVEL_SPSR                                                                                 \
	(PSTATE_NZCV | PSTATE_TCO | PSTATE_DIT | PSTATE_UAO | PSTATE_PAN | PSTATE_SS | PSTATE_IL | \
	 PSTATE_SSBS | PSTATE_BTYPE | PSTATE_DAIF | PSTATE_M)

/* Emulate EC 0x1a: an ERET, ERETAA or ERETAB of vEL2 (AArch64.ExceptionReturn). */
enum verdict level_eret(struct vcpu *vcpu, const struct exit *exit);

/*
 * Take an exception to vEL2 (AArch64.TakeException with target EL2), from wherever the vcpu is.
 * esr counts for a synchronous exception and an SError; FAR_EL2 and HPFAR_EL2 stay.
 */
void level_take(struct vcpu *vcpu, enum vector vector, u64 esr);
/*
 * Raise the software step exception after an emulated instruction, at the level that it targets
 * (AArch64.SoftwareStepException).
 */
void level_step(struct vcpu *vcpu);

/* Verdict REFLECT: forward the current exit of vEL1 to vEL2, with its syndrome. */
void level_reflect(struct vcpu *vcpu);
/* Verdict REFLECT_ABORT: give vEL2 the abort that vcpu->reflection describes. */
void level_reflect_abort(struct vcpu *vcpu);

/*
 * Fast versions of frequent switches: an ERET of vEL2 to vEL1, an HVC of vEL1 that goes to vEL2,
 * another trap (esr) that vEL2's controls send there, and an abort of vEL1 that goes to vEL2; and
 * of an ERET of vEL2 to itself or its host EL0. False: it is another case, and nothing has changed.
 * PC and PSTATE are in their registers afterwards. Only right after the exit.
 */
bool level_eret_vel1(struct vcpu *vcpu);
bool level_eret_within(struct vcpu *vcpu);
bool level_hvc(struct vcpu *vcpu, u64 esr);
bool level_trap(struct vcpu *vcpu, u64 esr);
void level_abort(struct vcpu *vcpu, const struct reflection *r);

/* Load stage 2 and identity of the vcpu's context; part of vcpu_load() for a vcpu with EL2. */
void level_load(struct vcpu *vcpu);
/*
 * Part of vcpu_put(), before the CPU gets another vcpu's trap controls: a virtual SError that vEL1
 * has taken is removed from vEL2's HCR_EL2.VSE, and vEL1's virtual interrupts are cleared in the
 * CPU, where they would end an idle wait. Loaded, has_vel2.
 */
void level_put(struct vcpu *vcpu);
/*
 * Whether a virtual interrupt asserted by vEL2's HCR_EL2.{VI,VF,VSE} is pending for vEL1, which
 * wakes it from WFI whatever PSTATE masks. Loaded, has_vel2, after an exit.
 */
bool level_interrupt_pending(const struct vcpu *vcpu);
