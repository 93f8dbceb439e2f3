/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a CPU's trap controls, and a vcpu's cache of those computed for it. */
#pragma once

#include "lib/types.h"

struct traps {
	u64 hcr, hcrx, mdcr, cptr, cnthctl;
	u64 hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr;
};

/*
 * What traps_update() computed last, and from what: a level switch seldom finds vEL2's controls
 * changed. Zeroed memory is empty. Its vcpu's alone.
 */
#define TRAPS_WORDS 14
struct traps_level {
	struct traps t;
	u64 cptr_own, cptr_vel2; /* the inputs of t.cptr: nidus's, and vEL2's */
	bool valid;
};
struct traps_cache {
	u64 from[TRAPS_WORDS]; /* inputs from vEL2 of vel1 and of all of a switch to vEL1 */
	struct traps_level vel1, vel2;
};
/*
 * Previous values of the first two (deep): a guest that is a hypervisor has one set and its own
 * guest another, and Linux/KVM gives the former a third once it has used a debug register.
 */
#define TRAPS_OTHERS 2
struct traps_other {
	u64 from[TRAPS_WORDS];
	struct traps_level vel1;
};

/*
 * The bits of vEL2's control registers that are not RES0 for this VM according to its ID registers.
 * Other bits that vEL2 writes, in its VNCR page or by a trap, have no effect.
 */
struct vel2_bits {
	u64 hcr, hcrx, mdcr, cptr, cnthctl, ich_hcr; /* CPTR_EL2, CNTHCTL_EL2: E2H = 1 layout */
	u64 hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr;
	u64 smcr; /* SMCR_EL2 without LEN */
};
