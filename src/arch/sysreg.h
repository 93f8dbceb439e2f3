/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access to system registers: sysreg_read(NAME), sysreg_write(NAME, value). NAME is Arm's; a name
 * that older assemblers lack is given its encoding below. test/fake/arch/sysreg.h has the same two
 * for a machine faked on the host.
 */
#pragma once

#include "lib/types.h"

/*
 * Reads and writes stay in their order. A write is also a barrier to the compiler; a read is not,
 * so that what was loaded from memory need not be loaded again: no register here is read for an
 * effect on memory without a barrier after it.
 */
#define SYSREG_STR_(name) #name
#define SYSREG_STR(name) SYSREG_STR_(name)

#define sysreg_read(name)                                                                          \
	({                                                                                         \
		u64 sysreg_v_;                                                                     \
		asm volatile("mrs %0, " SYSREG_STR(name) : "=r"(sysreg_v_));                       \
		sysreg_v_;                                                                         \
	})
#define sysreg_write(name, v)                                                                      \
	asm volatile("msr " SYSREG_STR(name) ", %x0" ::"rZ"((u64)(v)) : "memory")

/* Registers newer than Armv8.2, and those that need an assembler extension. */
#define ZCR_EL1 S3_0_C1_C2_0
#define ZCR_EL2 S3_4_C1_C2_0
#define ZCR_EL12 S3_5_C1_C2_0
#define SMCR_EL1 S3_0_C1_C2_6
#define SMCR_EL2 S3_4_C1_C2_6
#define SMCR_EL12 S3_5_C1_C2_6
#define SMPRI_EL1 S3_0_C1_C2_4
#define SMPRIMAP_EL2 S3_4_C1_C2_5
#define SMIDR_EL1 S3_1_C0_C0_6
#define SVCR S3_3_C4_C2_2
#define TPIDR2_EL0 S3_3_C13_C0_5
#define FPMR S3_3_C4_C4_2
#define HCRX_EL2 S3_4_C1_C2_2
#define HFGRTR_EL2 S3_4_C1_C1_4
#define HFGWTR_EL2 S3_4_C1_C1_5
#define HFGITR_EL2 S3_4_C1_C1_6
#define HDFGRTR_EL2 S3_4_C3_C1_4
#define HDFGWTR_EL2 S3_4_C3_C1_5
#define HAFGRTR_EL2 S3_4_C3_C1_6
#define HFGRTR2_EL2 S3_4_C3_C1_2
#define HFGWTR2_EL2 S3_4_C3_C1_3
#define HFGITR2_EL2 S3_4_C3_C1_7
#define HDFGRTR2_EL2 S3_4_C3_C1_0
#define HDFGWTR2_EL2 S3_4_C3_C1_1
#define SCTLR2_EL2 S3_4_C1_C0_3
#define TCR2_EL2 S3_4_C2_C0_3
#define MPAMIDR_EL1 S3_0_C10_C4_4
#define MPAM0_EL1 S3_0_C10_C5_1
#define MPAM1_EL12 S3_5_C10_C5_0
#define MPAM2_EL2 S3_4_C10_C5_0
#define MPAMHCR_EL2 S3_4_C10_C4_0
#define MPAMVPMV_EL2 S3_4_C10_C4_1
#define PMBIDR_EL1 S3_0_C9_C10_7
#define PMBLIMITR_EL1 S3_0_C9_C10_0
#define PMSCR_EL2 S3_4_C9_C9_0
#define PMSCR_EL12 S3_5_C9_C9_0
#define TRBIDR_EL1 S3_0_C9_C11_7
#define TRBLIMITR_EL1 S3_0_C9_C11_0
#define TRFCR_EL2 S3_4_C1_C2_1
#define TRFCR_EL12 S3_5_C1_C2_1
#define BRBCR_EL2 S2_4_C9_C0_0
#define BRBCR_EL12 S2_5_C9_C0_0
#define CNTPOFF_EL2 S3_4_C14_C0_6
#define VNCR_EL2 S3_4_C2_C2_0
#define VDISR_EL2 S3_4_C12_C1_1
#define SCXTNUM_EL0 S3_3_C13_C0_7
#define SCXTNUM_EL1 S3_0_C13_C0_7
#define SCXTNUM_EL12 S3_5_C13_C0_7
#define ID_AA64ZFR0_EL1 S3_0_C0_C4_4
#define ID_AA64SMFR0_EL1 S3_0_C0_C4_5
#define ID_AA64FPFR0_EL1 S3_0_C0_C4_7
#define ID_AA64PFR2_EL1 S3_0_C0_C4_2
#define ID_AA64DFR2_EL1 S3_0_C0_C5_2
#define ID_AA64ISAR2_EL1 S3_0_C0_C6_2
#define ID_AA64ISAR3_EL1 S3_0_C0_C6_3
#define ID_AA64MMFR2_EL1 S3_0_C0_C7_2
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define ID_AA64MMFR4_EL1 S3_0_C0_C7_4
#define APIAKeyLo_EL1 S3_0_C2_C1_0
#define APIAKeyHi_EL1 S3_0_C2_C1_1
#define APIBKeyLo_EL1 S3_0_C2_C1_2
#define APIBKeyHi_EL1 S3_0_C2_C1_3
#define APDAKeyLo_EL1 S3_0_C2_C2_0
#define APDAKeyHi_EL1 S3_0_C2_C2_1
#define APDBKeyLo_EL1 S3_0_C2_C2_2
#define APDBKeyHi_EL1 S3_0_C2_C2_3
#define APGAKeyLo_EL1 S3_0_C2_C3_0
#define APGAKeyHi_EL1 S3_0_C2_C3_1
#define SSBS_REG S3_3_C4_C2_6
