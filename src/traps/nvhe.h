/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual EL2 without VHE: HCR_EL2.E2H is RES0 (vcpu->nvhe). It is EL1 with HCR_EL2.{NV2,NV1,NV}
 * = {1,1,1}: the names of EL1's registers are words of the VNCR page, and the CPU reads EL2's
 * descriptors from EL1's tables. What is left are registers whose format is another; they trap.
 * vcpu->sr has them as E2H = 1 has them, as do CPU registers that stand for them, so nothing else
 * need know. Only vEL2's own reads give its own format.
 */
#pragma once

#include "state/exit.h"
#include "state/vcpu.h"

/* ---- from E2H = 0's format. Pure. ---- */

/* TCR_EL2 as TCR_EL1: one range of addresses, which is the lower one. */
u64 nvhe_tcr(u64 tcr_el2);
/* SCTLR_EL2 as SCTLR_EL1. */
u64 nvhe_sctlr(u64 sctlr_el2);
/* CPTR_EL2 as with E2H = 1, and back; have: the fields that the VM's register has with E2H = 1. */
u64 nvhe_cptr(u64 cptr);
u64 nvhe_cptr_read(u64 cptr, u64 have);
/* CNTHCTL_EL2 likewise. */
u64 nvhe_cnthctl(u64 cnthctl);
u64 nvhe_cnthctl_read(u64 cnthctl);

/* ---- of a vcpu ---- */

/* vel2_reset() of such a vcpu: the registers whose reset value is another. */
void nvhe_reset(struct vcpu *vcpu);

/* ---- trapped accesses of such a vEL2 ---- */

/*
 * The encoding whose row serves an access: a timer's EL0 name means what its _EL02 name means with
 * E2H = 1, which is UNDEFINED itself (0), as are other registers of FEAT_VHE. Pure.
 */
u32 nvhe_key(u32 key);

/* What serves an access to this row instead of what the row says; NULL: the row's. */
sysreg_fn *nvhe_fn(enum sysreg_id id);

/* vel1's CPACR_EL1: it traps while the SIMD registers are somebody else's. */
enum verdict nvhe_cpacr(struct vcpu *vcpu, bool write, u64 *value);

/* CNTVCT_EL0 and CNTVCTSS_EL0, which trap for vEL2 without VHE alone; UNDEF to others. */
sysreg_fn emul_cntvct;
