/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page that FEAT_NV2 redirects vEL2's register accesses to (VNCR_EL2): where each register is
 * in it, and how nidus reads and writes it.
 */
#pragma once

#include "lib/types.h"
#include "state/vcpu.h"

#define VNCR_WORDS 512 /* 4 KiB */

/* Byte offsets (DDI 0487, "Enhanced support for nested virtualization"). */
enum vncr_offset {
	VNCR_VTTBR_EL2 = 0x020,
	VNCR_VTCR_EL2 = 0x040,
	VNCR_VMPIDR_EL2 = 0x050,
	VNCR_CNTVOFF_EL2 = 0x060,
	VNCR_HCR_EL2 = 0x078,
	VNCR_HSTR_EL2 = 0x080,
	VNCR_VPIDR_EL2 = 0x088,
	VNCR_TPIDR_EL2 = 0x090,
	VNCR_HCRX_EL2 = 0x0a0,
	VNCR_VNCR_EL2 = 0x0b0,
	VNCR_CPACR_EL1 = 0x100,
	VNCR_CONTEXTIDR_EL1 = 0x108,
	VNCR_SCTLR_EL1 = 0x110,
	VNCR_ACTLR_EL1 = 0x118,
	VNCR_TCR_EL1 = 0x120,
	VNCR_AFSR0_EL1 = 0x128,
	VNCR_AFSR1_EL1 = 0x130,
	VNCR_ESR_EL1 = 0x138,
	VNCR_MAIR_EL1 = 0x140,
	VNCR_AMAIR_EL1 = 0x148,
	VNCR_MDSCR_EL1 = 0x158,
	VNCR_SPSR_EL1 = 0x160,
	VNCR_CNTV_CVAL_EL0 = 0x168,
	VNCR_CNTV_CTL_EL0 = 0x170,
	VNCR_CNTP_CVAL_EL0 = 0x178,
	VNCR_CNTP_CTL_EL0 = 0x180,
	VNCR_SCXTNUM_EL1 = 0x188,
	VNCR_TFSR_EL1 = 0x190,
	VNCR_CNTPOFF_EL2 = 0x1a8,
	VNCR_HFGRTR_EL2 = 0x1b8,
	VNCR_HFGWTR_EL2 = 0x1c0,
	VNCR_HFGITR_EL2 = 0x1c8,
	VNCR_HDFGRTR_EL2 = 0x1d0,
	VNCR_HDFGWTR_EL2 = 0x1d8,
	VNCR_ZCR_EL1 = 0x1e0,
	VNCR_HAFGRTR_EL2 = 0x1e8,
	VNCR_SMCR_EL1 = 0x1f0,
	VNCR_SMPRIMAP_EL2 = 0x1f8,
	VNCR_TTBR0_EL1 = 0x200,
	VNCR_TTBR1_EL1 = 0x210,
	VNCR_FAR_EL1 = 0x220,
	VNCR_ELR_EL1 = 0x230,
	VNCR_SP_EL1 = 0x240,
	VNCR_VBAR_EL1 = 0x250,
	VNCR_ICH_LR0_EL2 = 0x400, /* ICH_LR<n>: + 8 * n, n < 16 */
	VNCR_ICH_AP0R0_EL2 = 0x480, /* ICH_AP0R<n>: + 8 * n, n < 4 */
	VNCR_ICH_AP1R0_EL2 = 0x4a0, /* ICH_AP1R<n>: likewise */
	VNCR_ICH_HCR_EL2 = 0x4c0,
	VNCR_ICH_VMCR_EL2 = 0x4c8,
	VNCR_VDISR_EL2 = 0x500,
	VNCR_VSESR_EL2 = 0x508,
	/* nidus's own: no register has this slot, so no guest reaches it. _EL12 of it traps. */
	VNCR_CNTKCTL_EL1 = 0xff8,
};

/*
 * The word at a byte offset. L1 writes the page with plain stores: whoever decides something by a
 * word reads it once and keeps the value. Of a vcpu that has EL2; the CPU that has it loaded, or
 * any while it is not loaded.
 */
static inline u64 vncr_read(const struct vcpu *vcpu, u32 offset)
{
	return read_once(&vcpu->vncr[offset / 8]);
}

static inline void vncr_write(struct vcpu *vcpu, u32 offset, u64 v)
{
	*(volatile u64 *)&vcpu->vncr[offset / 8] = v;
}
