/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only level switch: a nested vcpu between vEL2 and vEL1. It moves the BANK rows of sysreg.def,
 * stage 2, the virtual interrupts and the timers. What both levels share (general and SIMD
 * registers, TPIDRs, PAR_EL1, SP_EL0, PAuth keys) it never touches.
 */
#pragma once

#include "arch/pstate.h"
#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/* Vector offsets of the four kinds of exception. */
enum level_vector {
	LEVEL_SYNC = 0x000,
	LEVEL_IRQ = 0x080,
	LEVEL_FIQ = 0x100,
	LEVEL_SERROR = 0x180
};

/* What a nested ERET may set: all that PSTATE has for the features that a VM sees. vectors.S */
#define LEVEL_SPSR                                                                                 \
	(PSTATE_NZCV | PSTATE_TCO | PSTATE_DIT | PSTATE_UAO | PSTATE_PAN | PSTATE_SS | PSTATE_IL | \
	 PSTATE_SSBS | PSTATE_BTYPE | PSTATE_DAIF | PSTATE_M)

/* EC 0x1a: an ERET, ERETAA or ERETAB of vEL2 (AArch64.ExceptionReturn). */
enum verdict level_eret(struct vcpu *vcpu, const struct exit *exit);

/*
 * Take an exception to vEL2 (AArch64.TakeException with target EL2), from wherever the vcpu is.
 * Sync: esr, and far and hpfar if they are meant to change (else pass what is there).
 */
void level_take(struct vcpu *vcpu, enum level_vector kind, u64 esr);
/* The same for an abort. */
void level_take_abort(struct vcpu *vcpu, u64 esr, u64 far, u64 hpfar);
/*
 * The exception of a software step behind an instruction that was emulated, to the level that it
 * goes to (AArch64.SoftwareStepException).
 */
void level_step(struct vcpu *vcpu);

/*
 * Verdict REFLECT: give the current exit of L2 to L1, with its syndrome, or vcpu->reflection's if
 * there is one.
 */
void level_reflect(struct vcpu *vcpu);

/*
 * The frequent ones without detours: an ERET of vEL2 to L2, an HVC of L2 that is L1's, and what an
 * L2 with HCR_EL2.NV does as a hypervisor itself: its ERET, its access to what is EL2's (esr).
 * False: it is something else, and nothing has happened. PC and PSTATE are in their registers
 * afterwards. Right after the exit.
 */
bool level_eret_vel1(struct vcpu *vcpu);
bool level_hvc(struct vcpu *vcpu, u64 esr);
bool level_nv(struct vcpu *vcpu, u64 esr);

/* Stage 2 and identity of the context that the vcpu is in; vcpu_load() of a vcpu that has EL2. */
void level_load(struct vcpu *vcpu);
/*
 * Before its CPU gets another vcpu's trap controls: a virtual SError that L2 has taken meanwhile is
 * no longer asserted by L1's HCR_EL2.VSE, and none of L2's virtual interrupts stays in the CPU,
 * where it would end an idle wait. Loaded, has_vel2.
 */
void level_put(struct vcpu *vcpu);
/*
 * Whether a virtual interrupt that L1 asserts by HCR_EL2.{VI,VF,VSE} waits for L2, which wakes it
 * from WFI whatever PSTATE masks. Loaded, has_vel2, after an exit.
 */
bool level_interrupt_pending(const struct vcpu *vcpu);
