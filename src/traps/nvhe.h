/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual EL2 without VHE: HCR_EL2.E2H is RES0 (vcpu->nvhe). It is EL1 with HCR_EL2.{NV2,NV1,NV}
 * = {1,1,1}: the names of EL1's registers are redirected to the VNCR page, and the CPU interprets
 * EL1's tables in EL2's format. Registers with another format trap. vcpu->sr and the CPU have them
 * in the format of E2H = 1, so other code need not distinguish. Only vEL2's own reads return its
 * own format.
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
/* CNTHCTL_EL2, the same. */
u64 nvhe_cnthctl(u64 cnthctl);
u64 nvhe_cnthctl_read(u64 cnthctl);

/* ---- of a vcpu ---- */

/* Part of vel2_reset(): the registers whose reset value differs. */
void nvhe_reset(struct vcpu *vcpu);

/* ---- trapped accesses of such a vEL2 ---- */

/*
 * The encoding whose row serves an access: a timer's EL0 name means what its _EL02 name means with
 * E2H = 1, which is UNDEFINED itself (0), as are other registers of FEAT_VHE. Pure.
 */
u32 nvhe_key(u32 key);

/* The function for an access to this row in place of the row's; NULL: the row's own. */
sysreg_fn *nvhe_fn(enum sysreg_id id);

/* Emulate vEL1's CPACR_EL1, which traps while another vcpu owns the SIMD registers. */
enum verdict nvhe_cpacr(struct vcpu *vcpu, bool write, u64 *value);

/* CNTVCT_EL0 and CNTVCTSS_EL0, which trap only for vEL2 without VHE; UNDEF to others. */
sysreg_fn emul_cntvct;
