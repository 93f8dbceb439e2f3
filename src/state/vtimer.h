/* SPDX-License-Identifier: Apache-2.0 */
/* A vcpu's timers. */
#pragma once

#include "dev/timer.h"
#include "lib/types.h"

struct vtimer {
	u64 cntv_ctl, cntv_cval; /* while not loaded */
	u64 cntp_ctl, cntp_cval; /* while not loaded, or always if emulated */
	struct timer virt_wake; /* stands for CNTV while not loaded */
	/* stands for CNTP while emulated (or not loaded); for both emulated ones */
	struct timer phys;
	bool phys_line;         /* level of the emulated physical timer */
	/* Of a vcpu that has EL2 (nested.h), whose four timers take turns in CNTV and CNTP. */
	u64 cnthv_ctl, cnthv_cval;  /* while vEL1 runs, or not loaded */
	u64 cnthp_ctl, cnthp_cval;  /* while vEL1 runs, or not loaded */
	u32 vel2_lines;             /* PPIs that emulated ones hold high */
	u64 vel2_cntvoff;           /* vEL2's CNTVOFF_EL2 that the software timer was set by */
	/*
	 * vEL2's words of its guest's timers as they were seen to last, if vEL2's accesses do not
	 * trap: CVAL and CTL of CNTV, then of CNTP, as in the VNCR page.
	 */
	u64 vel2_seen[4];
	/* What vtimer/nested.c decides by whether vEL2's accesses trap: note_timer_trap(). */
	u64 lent_until; /* CNTPCT; 0: they trap */
	u64 entries;    /* account.level_entries at the last one that trapped */
	u8 quiet_entries; /* entries of vEL1 in a row with accesses before that could have waited */
	u8 armed;       /* since the last one, written enabled: bit n, context n */
};
