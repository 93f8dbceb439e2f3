/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap controls of a VM that has EL2: which bits its EL2 registers have, and what the hardware
 * must hold while its hypervisor (L1) or that one's guest (L2) runs.
 */
#pragma once

#include "lib/types.h"
#include "state/traps.h"

struct idregs;
struct vcpu;

/* Compute them, when the VM's ID registers are known. Pure. */
void nested_bits_init(struct nested_bits *bits, const struct idregs *id);

/*
 * What the trap registers hold while L2 runs (vcpu->in_vel2 is false): everything that l0, which is
 * what an ordinary guest gets, traps, and everything that L1 traps. An enable is set only if both
 * set it. Virtual interrupts that L1 asserts by HCR_EL2.{VI,VF,VSE} are passed on if L1's
 * {IMO,FMO,AMO} make them mean something. Pure; each word of L1's page is read once.
 */
struct traps traps_merge_vel1(const struct traps *l0, const struct vcpu *vcpu);

/*
 * What they hold while vEL2 or its host EL0 runs (vcpu->in_vel2): l0 and what makes EL1 look like
 * EL2 (NV, NV2), and traps for what is not the same register or regime there: CPACR_EL1 where it
 * can't stand for CPTR_EL2 (vcpu->cpacr_native), MDSCR_EL1 if it matters at once, EL1's TLBI and AT
 * instructions, and with FEAT_ECV the _EL02 timers; without VHE NV1 too, and EL1's timers. Pure.
 */
struct traps traps_for_vel2(const struct traps *l0, const struct vcpu *vcpu);

/* CPTR_EL2 of either: l0 is what nidus wants of it. Pure. */
u64 traps_nested_cptr(u64 l0, const struct vcpu *vcpu);

/*
 * Whether a word of L1's that traps_merge_vel1() (CPTR_EL2's apart), shadow_find() or L2's identity
 * goes by is not what it is in from[TRAPS_WORDS]; put them there. Loaded, the EL1 registers are
 * L2's; nothing else writes them meanwhile.
 */
bool nested_words_changed(const struct vcpu *vcpu, const u64 *from);
void nested_words_note(const struct vcpu *vcpu, u64 *from);

/*
 * The words are others than vcpu->traps.from, whose trap controls are valid or not: make those of
 * now the ones of traps.l2, valid if they are known from before.
 */
void traps_vel1_other(struct vcpu *vcpu, bool valid);

/*
 * L2 left, and hw_hcr is HCR_EL2 as it is now. Taking the virtual SError that L1 had asserted by
 * VSE cleared the bit: clear L1's as well, and the one in loaded (cpu->traps). To be called at a
 * switch from L2 to vEL2 if loaded->hcr has HCR_VSE. Its own CPU.
 */
void traps_vse_sync(struct vcpu *vcpu, struct traps *loaded, u64 hw_hcr);
