/* SPDX-License-Identifier: Apache-2.0 */
/* Software walks of a vcpu's guests: their registers and memory. */
#pragma once

#include "mm/addr.h"
#include "nested/walk.h"
#include "traps/idreg.h"

struct vcpu;
struct vm;

/* The walk features of the VM's CPUs, from its ID registers; vm->walk_feat caches it. */
struct walk_feat walk_feat_of(const struct idregs *id);
/* The VM's RAM. Any CPU; the VM's memory map does not change while it runs. */
struct walk_mem walk_mem_of(struct vm *vm);

/*
 * vEL2's stage 2 for vEL1, sampled once from what vEL2 wrote (HCR_EL2, VTTBR_EL2, VTCR_EL2,
 * SCTLR_EL2.EE). vcpu is loaded, has_vel2.
 */
struct walk_s2_regs walk_s2_sample(const struct vcpu *vcpu);
/* The same without VTTBR_EL2 and VTCR_EL2: a shadow's are known. vEL1 runs. */
struct walk_s2_regs walk_s2_sample_vel1(const struct vcpu *vcpu);
/* vEL1's EL1&0 stage 1; either context. vcpu is loaded, has_vel2. */
struct walk_s1_regs walk_s1_sample_vel1(const struct vcpu *vcpu);
/* vEL2's own EL2&0 stage 1; either context. vcpu is loaded, has_vel2. */
struct walk_s1_regs walk_s1_sample_vel2(const struct vcpu *vcpu);

/*
 * While vEL1 runs: translate its VA or its IPA to vEL2's IPA, for nidus to read there (an
 * instruction that the syndrome does not describe). -EINVAL: vEL1's or vEL2's tables do not map it.
 * va: for a fetch at the vcpu's Exception level. Does not modify the tables.
 */
int walk_vel1_va(struct vcpu *vcpu, u64 va, ipa_t *to) must_check;
int walk_vel1_ipa(struct vcpu *vcpu, u64 nipa, ipa_t *to) must_check;
/*
 * Translate the loaded vcpu's VA to an address in the VM for an access, as the hardware would now:
 * vEL1's by both stages, an EL1's or vEL2's by one, setting access flag and dirty state. False:
 * *fault says why not.
 */
bool walk_va(struct vcpu *vcpu, u64 va, struct walk_access a, ipa_t *at, struct walk_fault *fault);
