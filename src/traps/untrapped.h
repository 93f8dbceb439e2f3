/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that vEL2 makes without a trap, as its registers are in the VNCR page or are the CPU's
 * EL1 registers: one row for each that nidus has to notice, and when it is checked.
 */
#pragma once

#include "traps/debug.h"
#include "traps/vel2.h"
#include "vgic/nested.h"
#include "vtimer/nested.h"

/* When a row is checked; vEL2 ran until then. Loaded. */
enum untrapped_when {
	UNTRAPPED_EXIT = 1,   /* an exit on the slow path */
	UNTRAPPED_STAY = 2,   /* the same, after which vEL2 runs on: not before an ERET to vEL1 */
	UNTRAPPED_SYS = 4,    /* the fast path of a trapped register */
	UNTRAPPED_ERET = 8,   /* that of an ERET to vEL1 */
	UNTRAPPED_IRQ = 16,   /* that of an interrupt, which checks whether all rows are quiet */
	UNTRAPPED_ENTRY = 32, /* an ERET to vEL1 that finds vEL2's words changed */
};

/*
 * ROW(quiet, act, when): quiet(vcpu) costs a read or two and is true if vEL2 has not changed it,
 * else act(vcpu) handles the change. What affects only vEL1 (trap controls, stage 2, identity) is
 * not here, but compared with its old value in each ERET to vEL1: nested_words_changed().
 *
 * An ERET of vEL2 to itself does the same reads in assembly (vectors.S, eret_within), and leaves
 * it to C (fast_eret()) if one of them is not quiet: timers_polled, ICH_HCR_EL2.En, CPACR_EL1,
 * MDSCR_EL1, HCR_EL2.
 */
/* clang-format off */
#define UNTRAPPED(ROW)                                                                             \
	/* CNTVOFF_EL2, vEL1's timers: can wait while it accesses registers, but without ECV */    \
	ROW(vtimer_vel2_quiet, vtimer_vel2_exit, UNTRAPPED_EXIT | UNTRAPPED_IRQ)                   \
	ROW(vtimer_vel2_still, vtimer_vel2_exit, UNTRAPPED_SYS)                                    \
	/* CPTR_EL2, by CPACR_EL1's name */                                                        \
	ROW(vel2_cptr_quiet, vel2_cptr_exit, UNTRAPPED_EXIT | UNTRAPPED_SYS | UNTRAPPED_IRQ)       \
	ROW(vel2_cptr_quiet, vel2_cptr_note, UNTRAPPED_ERET)                                       \
	/* MDSCR_EL1 */                                                                            \
	ROW(debug_vel2_quiet, debug_vel2_exit,                                                     \
	    UNTRAPPED_EXIT | UNTRAPPED_SYS | UNTRAPPED_ERET | UNTRAPPED_IRQ)                       \
	/* HCR_EL2.E2H */                                                                          \
	ROW(vel2_with_vhe, vel2_say_vhe, UNTRAPPED_EXIT | UNTRAPPED_ENTRY)                         \
	/* ICH_*_EL2: its maintenance interrupt */                                                 \
	ROW(vgic_vel2_quiet, vgic_vel2_exit, UNTRAPPED_STAY | UNTRAPPED_SYS | UNTRAPPED_IRQ)       \
	/* HCR_EL2.{TGE,IMO,FMO}, routing: each entry checks it, vgic_vel2_route() */              \
	ROW(vgic_vel2_open, untrapped_later, UNTRAPPED_IRQ)
/* clang-format on */

static inline void untrapped_later(struct vcpu *vcpu)
{
	(void)vcpu;
}

/* Handle the changes that vEL2 has made, of the rows that are checked now. */
static inline __attribute__((always_inline)) void untrapped_check(struct vcpu *vcpu,
								  enum untrapped_when now)
{
#define ROW(quiet, act, when)                                                                      \
	if (((when) & now) && unlikely(!quiet(vcpu)))                                              \
		act(vcpu);
	UNTRAPPED(ROW)
#undef ROW
}

/* Whether it has changed none of them. */
static inline __attribute__((always_inline)) bool untrapped_quiet(const struct vcpu *vcpu,
								  enum untrapped_when now)
{
#define ROW(quiet, act, when)                                                                      \
	if (((when) & now) && unlikely(!quiet(vcpu)))                                              \
		return false;
	UNTRAPPED(ROW)
#undef ROW
	return true;
}
