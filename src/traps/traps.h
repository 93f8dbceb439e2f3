/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap controls of a guest entry, computed as one pure function of the vcpu and written by one
 * other: HCR_EL2, HCRX_EL2, MDCR_EL2, CPTR_EL2, CNTHCTL_EL2, HSTR_EL2 and the fine-grained traps.
 */
#pragma once

#include "lib/types.h"
#include "state/traps.h"

struct vcpu;

/* The values of the trap registers while vcpu runs. Pure: reads vcpu, its VM and feat. */
struct traps traps_compute(const struct vcpu *vcpu);

/*
 * traps_load(traps_compute()), using cached results for a vcpu with EL2 as far as they are valid;
 * clears vcpu->traps_stale. Its own CPU, loaded.
 */
void traps_update(struct vcpu *vcpu);
void traps_update_nested(struct vcpu *vcpu); /* for a vcpu known to have EL2 */

/*
 * Whether a word of vEL2's that traps_merge_vel1() (apart from CPTR_EL2's), shadow_find() or vEL1's
 * identity depends on differs from from[TRAPS_WORDS]; and copy them there. Loaded, the EL1
 * registers are vEL1's; nothing else writes them meanwhile.
 */
bool vel2_words_changed(const struct vcpu *vcpu, const u64 *from);
void vel2_words_record(const struct vcpu *vcpu, u64 *from);

/*
 * The words changed: swap the cached controls for the new ones into traps.vel1, valid if they are
 * cached. valid says whether those just left, of vcpu->traps.from, may be kept.
 */
void traps_swap_vel1(struct vcpu *vcpu, bool valid);

/*
 * Invalidate the cached trap controls: an input other than vEL2's words (debug_live) is about to
 * change.
 */
void traps_invalidate(struct vcpu *vcpu);

/*
 * Write those of t that differ from what this CPU's registers hold (cpu->traps); the ERET that
 * follows synchronises them.
 */
void traps_load(const struct traps *t);

/*
 * vEL2 changed its CPTR_EL2 (sr[SR_CPTR_EL2]): put that into force, before it is entered again.
 * Loaded, interrupts masked.
 */
void traps_update_cptr(struct vcpu *vcpu);

/*
 * MDCR_EL2 bits to set on top of what a guest entry needs, for nidus's own use of the PMU: HPME
 * lets counters that are nidus's count. Set at boot, before the first entry.
 */
extern u64 traps_mdcr_extra;

/*
 * At boot on each CPU, after feat_init() and simd_boot(): set every trap register for nidus without
 * a guest, and cpu->traps with them; reset values are UNKNOWN.
 */
void traps_boot(void);
