/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap controls of a VM with EL2: which bits its EL2 registers have, and the values in hardware
 * while its hypervisor (vEL2) or that one's guest (vEL1) runs.
 */
#pragma once

#include "lib/types.h"
#include "state/traps.h"

struct idregs;
struct vcpu;

/* Compute the bits from the VM's ID registers. Pure. */
void vel2_bits_init(struct vel2_bits *bits, const struct idregs *id);

/*
 * The trap registers while vEL1 runs (vcpu->in_vel2 is false): everything that own (an ordinary
 * guest's) traps, and everything that vEL2 traps. An enable is set only if both set it. Virtual
 * interrupts that vEL2 asserts by HCR_EL2.{VI,VF,VSE} are passed on if vEL2's {IMO,FMO,AMO} give
 * them a meaning. Pure; each word of vEL2's page is read once.
 */
struct traps traps_merge_vel1(const struct traps *own, const struct vcpu *vcpu);

/*
 * The trap registers while vEL2 or its host EL0 runs (vcpu->in_vel2): own, what makes EL1 look like
 * EL2 (NV, NV2), and traps of what is another register or regime there: CPACR_EL1 where it cannot
 * hold CPTR_EL2 (vcpu->cpacr_native), MDSCR_EL1 if it has an effect at once, EL1's TLBI and AT
 * instructions, and with FEAT_ECV the _EL02 timers; without VHE NV1 too, and EL1's timers. Pure.
 */
struct traps traps_for_vel2(const struct traps *own, const struct vcpu *vcpu);

/* CPTR_EL2 of either context; own: nidus's own requirement. Pure. */
u64 traps_nested_cptr(u64 own, const struct vcpu *vcpu);

/*
 * A vEL1 that is a hypervisor (vcpu->vel1_vncr) is at EL1 as well, where its CPTR_EL2 is CPACR_EL1:
 * what it closes there, its guest's live values with it, has to be closed in the CPU's CPTR_EL2
 * before it is entered again, and vEL2 does not see all exits. What it opens need not be open: its
 * first use traps. Loaded, interrupts masked, after all else that writes CPTR_EL2.
 */
void traps_close_vel1(void);

/*
 * After vEL1 was left with HCR_EL2 = hw_hcr: if it took the virtual SError that vEL2 had asserted
 * by VSE, which cleared the bit, clear vEL2's as well, and the one in loaded (cpu->traps). To be
 * called at a switch from vEL1 to vEL2 if loaded->hcr has HCR_VSE. Its own CPU.
 */
void traps_vse_sync(struct vcpu *vcpu, struct traps *loaded, u64 hw_hcr);
