/* SPDX-License-Identifier: Apache-2.0 */
/* Address translation instructions of vEL2, which all trap (HCR_EL2.NV and AT). */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

struct at_op {
	bool stage12; /* both stages; else stage 1 */
	bool el2;     /* S1E2: the EL2&0 regime */
	bool el0;
	bool write;
	bool pan; /* respects PSTATE.PAN: S1E1RP, S1E1WP */
};

/* Decode an AT: key of the encoding (SYSREG_KEY). False: not an AT that is known here. Pure. */
bool at_decode(u32 key, struct at_op *op) must_check;

/*
 * Emulate a trapped AT (EC 0x18, op0=1, CRn=7): the result goes to PAR_EL1, which is in the CPU
 * (pseudocode: AArch64.AT). SKIP; UNDEF; INJECT_FAR: an external abort; RESUME: execute it again,
 * because the tables changed under the walk. At most 5 walks of stage 2. Its own CPU, vcpu loaded,
 * in vEL2.
 */
enum verdict at_trap(struct vcpu *vcpu, const struct exit *exit);
