/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB invalidation, each complete (DSB, ISB) when it returns. Inner Shareable unless it says local.
 */
#pragma once

#include "lib/types.h"

/*
 * A range of more pages is invalidated by one TLBI of everything: cheaper than one a page, and
 * bounded.
 */
#define TLB_RANGE_PAGES_MAX 32

/*
 * Put vttbr into VTTBR_EL2 for TLBIs of its VMID, after the CPU's earlier table walks are complete
 * and all stores to tables are visible to walks; returns the previous value, for tlb_vmid_leave().
 * Nothing is entered in between; TLBIs must be complete (DSB) before the latter. Both synchronised
 * (ISB).
 */
u64 tlb_vmid_enter(u64 vttbr);
void tlb_vmid_leave(u64 vttbr, u64 old);
/*
 * All stage-1 and stage-2 entries of one VMID (TLBI VMALLS12E1IS); vttbr names it. Saves and
 * restores VTTBR_EL2.
 */
void tlb_invalidate_vmid(u64 vttbr);
/*
 * The VMID in force (VTTBR_EL2): stage-1 and combined entries and instruction cache, this CPU only.
 */
void tlb_invalidate_vmid_local(void);
/*
 * Stage-2 entries of [ipa, ipa+size) of a VMID and the combined entries made from them (IPAS2E1IS,
 * then VMALLE1IS).
 */
void tlb_invalidate_ipa(u64 vttbr, u64 ipa, u64 size);
/* nidus's own translations of [va, va+size) (TLBI VAE2IS). */
void tlb_invalidate_el2(u64 va, u64 size);
/* Everything of EL1&0 on this CPU (TLBI ALLE1). */
void tlb_invalidate_all_local(void);
