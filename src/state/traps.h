/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the trap controls of a CPU hold, and what a vcpu keeps of those that were computed for it.
 */
#pragma once

#include "lib/types.h"

struct traps {
	u64 hcr, hcrx, mdcr, cptr, cnthctl;
	u64 hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr;
};

/*
 * What traps_update() computed last, and from what: a level switch seldom finds L1's controls
 * changed. Zeroed memory is empty. Its vcpu's alone.
 */
#define TRAPS_WORDS 14
struct traps_level {
	struct traps t;
	u64 cptr_l0, cptr_vel2; /* what t.cptr was made of: nidus's, and L1's */
	bool valid;
};
struct traps_cache {
	u64 from[TRAPS_WORDS]; /* L1's words behind l2 and all else that a switch to L2 goes by */
	struct traps_level l2, vel2;
	/* What these two were before: a hypervisor's guest alternates between two sets (deep). */
	u64 from_other[TRAPS_WORDS];
	struct traps_level vel1_other;
};

/*
 * The bits of L1's control registers that are not RES0 for this VM, by what its ID registers show.
 * What L1 leaves in any other bit of its VNCR page, or writes to it, means nothing.
 */
struct nested_bits {
	u64 hcr, hcrx, mdcr, cptr, cnthctl, ich_hcr; /* CPTR_EL2, CNTHCTL_EL2: E2H = 1 layout */
	u64 hfgrtr, hfgwtr, hfgitr, hdfgrtr, hdfgwtr;
	u64 smcr; /* SMCR_EL2 without LEN */
};
