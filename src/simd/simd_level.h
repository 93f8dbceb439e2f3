/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIMD state that differs between the levels of a vcpu with EL2: vector lengths. The registers
 * themselves are the vcpu's; no level switch moves them. This is done before each entry, so no
 * other code needs to know.
 */
#pragma once

#include "state/exit.h"
#include "state/vcpu.h"

struct vcpu;

/*
 * Before an entry of a vcpu with EL2, before traps_compute(): give ZCR_EL1 and SMCR_EL1 the level's
 * own values, and while the state is live ZCR_EL2 and SMCR_EL2 the level's limit. Writes only what
 * has changed. With the VM's simd=switch it flushes first if the level differs from the last
 * call's.
 */
void simd_level_full(struct vcpu *vcpu); /* simd_level() of a vcpu whose levels differ at all */
static inline void simd_level(struct vcpu *vcpu)
{
	if (!vcpu->simd.levels_same)
		simd_level_full(vcpu);
}

/*
 * Handle the frequent switch, right after an exit that switches the level: vEL2 limits vEL1 to
 * nothing shorter than it has itself, or the state is in memory. True: neither simd_level() nor
 * simd_check() is needed, but CPTR_EL2 may be open: traps_update_nested() comes next. False:
 * simd_level() has to do it. Interrupts masked since the exit.
 */
bool simd_level_same(struct vcpu *vcpu);

/* ZCR_EL2 and SMCR_EL2 of vEL2, which trap. An SVE (SME) trap of its own is delivered as such. */
sysreg_fn emul_zcr_el2, emul_smcr_el2;
