/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of SIMD differs between the levels of a vcpu with EL2: vector lengths. The registers
 * themselves are the vcpu's; no level switch moves them. Done before each entry, so nobody else
 * needs to know.
 */
#pragma once

#include "state/exit.h"
#include "state/vcpu.h"

struct vcpu;

/*
 * Before an entry of a vcpu that has EL2, before traps_compute(): ZCR_EL1 and SMCR_EL1 are the
 * level's own, and while the state is live ZCR_EL2 and SMCR_EL2 hold the level's limit. Nothing is
 * written that has not changed. With the VM's simd=switch it flushes first if the level is another
 * than at the last call.
 */
void simd_level_full(struct vcpu *vcpu); /* simd_level() of a vcpu whose levels differ at all */
static inline void simd_level(struct vcpu *vcpu)
{
	if (!vcpu->simd.level_free)
		simd_level_full(vcpu);
}

/*
 * The frequent switch, which moves nothing: right after an exit that ends with a switch of levels,
 * with both levels' lengths the same, or the state in memory. True: simd_level() has nothing to do,
 * and simd_check() neither. False: simd_level() is to do it. Interrupts masked since the exit.
 */
bool simd_level_same(struct vcpu *vcpu);

/* ZCR_EL2 and SMCR_EL2 of vEL2, which trap. An SVE (SME) trap of its own is delivered as such. */
sysreg_fn emul_zcr_el2, emul_smcr_el2;
