/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast paths: exits that are frequent and mostly over with one thing. Of vcpu->gpr x0-x17 and
 * x30 are there, the others are in the CPU, as C keeps them. No snapshot is taken and nothing
 * prepared that was in place at the entry: interrupts are masked from the vector to the ERET, so
 * what others ask of the vcpu comes with an interrupt, right after it. Loaded, with vcpu->fast.
 *
 * DONE: all is in place for the ERET; DONE_GPRS: likewise, with x18-x29 in vcpu->gpr. PASS:
 * nothing was done, and the full exit has to follow. Else it was handled, with that verdict, but
 * something is left to be done before the entry; vcpu->exit.esr and account.{left,level} are set.
 */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/*
 * EC 0x18: vEL2 accessed a register that traps; or an L2 that is a hypervisor, with HCR_EL2.NV,
 * what is EL2's, which is L1's. If Rt is one of x18-x29 they are in vcpu->gpr too:
 * fast_sys_gprs() is vectors.S's, puts them there and goes on with fast_sys().
 */
enum verdict fast_sys(struct vcpu *vcpu, u64 esr);
enum verdict fast_sys_gprs(struct vcpu *vcpu, u64 esr);
/* EC 0x1a: an ERET of vEL2, to L2 if it is DONE (not ERETAA, ERETAB). Of L2: as EC 0x18. */
enum verdict fast_eret(struct vcpu *vcpu, u64 esr);
/* EC 0x16: an HVC of L2, which is L1's. */
enum verdict fast_hvc(struct vcpu *vcpu, u64 esr);

/*
 * vectors.S, of every vcpu: a physical interrupt took the guest out. DONE, or PASS: vcpu->intid is
 * acknowledged and to be handled.
 */
enum verdict fast_irq(struct vcpu *vcpu);
