/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCR_EL1 and, at the same places, TCR_EL2 with HCR_EL2.E2H = 1; TTBRn_ELx; VTCR_EL2 and VTTBR_EL2
 * (DDI 0487).
 */
#pragma once

#include "lib/types.h"

#define TCR_MAKE_T0SZ(bits) (64UL - (bits))
#define TCR_T0SZ(tcr) FIELD(tcr, 5, 0)
#define TCR_EPD0 BIT(7)
#define TCR_IRGN0_WB (1UL << 8)
#define TCR_ORGN0_WB (1UL << 10)
#define TCR_SH0_INNER (3UL << 12)
#define TCR_TG0(tcr) FIELD(tcr, 15, 14)
#define TCR_TG0_64K 1UL
#define TCR_MAKE_T1SZ(bits) ((64UL - (bits)) << 16)
#define TCR_T1SZ(tcr) FIELD(tcr, 21, 16)
#define TCR_A1 BIT(22)
#define TCR_EPD1 BIT(23)
#define TCR_IRGN1_WB (1UL << 24)
#define TCR_ORGN1_WB (1UL << 26)
#define TCR_SH1_INNER (3UL << 28)
#define TCR_TG1(tcr) FIELD(tcr, 31, 30)
#define TCR_TG1_64K 3UL
#define TCR_MAKE_TG1_4K (2UL << 30)
#define TCR_IPS_SHIFT 32
#define TCR_IPS(tcr) FIELD(tcr, 34, 32)
#define TCR_IPS_MASK MASK(34, 32)
#define TCR_AS BIT(36)
#define TCR_TBI0 BIT(37)
#define TCR_TBI1 BIT(38)
#define TCR_HA BIT(39)
#define TCR_HD BIT(40)
#define TCR_HPD0 BIT(41)
#define TCR_HPD1 BIT(42)
#define TCR_TBID0 BIT(51)
#define TCR_TBID1 BIT(52)
#define TCR_E0PD0 BIT(55)
#define TCR_E0PD1 BIT(56)

/* TCR_EL2 with E2H = 0. T0SZ, IRGN0, ORGN0, SH0 and TG0 are TCR_EL1's. */
#define TCR_EL2_LOW (MASK(15, 8) | MASK(5, 0))
#define TCR_EL2_PS(v) FIELD(v, 18, 16)
#define TCR_EL2_TBI BIT(20)
#define TCR_EL2_HA_HD MASK(22, 21)
#define TCR_EL2_HIGH_SHIFT 18 /* from HA, HD and HWU to TCR_EL1's */
#define TCR_EL2_HPD BIT(24)
#define TCR_EL2_HWU MASK(28, 25)
#define TCR_EL2_TBID BIT(29)
#define TCR_EL2_RES1 (BIT(31) | BIT(23))
/* A value for E2H = 0: the RES1 bits, and nothing where with E2H = 1 IPS and the like are. */
#define TCR_EL2_IS_NVHE(v) (((v) & (MASK(63, 32) | TCR_EL2_RES1)) == TCR_EL2_RES1)

/* The bit of an address that selects TTBR1_ELx. */
#define VA_UPPER BIT(55)

#define TTBR_ASID(ttbr) FIELD(ttbr, 63, 48)
#define TTBR_NO_ASID MASK(47, 0)
#define TTBR_BADDR MASK(47, 1)

/* VTCR_EL2. TG0 = 0 is the 4 KiB granule. */
#define VTCR_MAKE_T0SZ(bits) (64UL - (bits))
#define VTCR_MAKE_SL0(start_level) ((u64)(2 - (start_level)) << 6)
#define VTCR_T0SZ(v) ((u32)FIELD(v, 5, 0))
#define VTCR_T0SZ_MASK MASK(5, 0)
#define VTCR_SL0(v) ((u32)FIELD(v, 7, 6))
#define VTCR_SL0_MASK MASK(7, 6)
#define VTCR_IRGN0_WB (1UL << 8)
#define VTCR_ORGN0_WB (1UL << 10)
#define VTCR_SH0_INNER (3UL << 12)
#define VTCR_TG0(v) FIELD(v, 15, 14)
#define VTCR_TG0_MASK MASK(15, 14)
#define VTCR_PS_SHIFT 16
#define VTCR_PS(v) FIELD(v, 18, 16)
#define VTCR_PS_MASK MASK(18, 16)
#define VTCR_VS BIT(19) /* 16-bit VMIDs */
#define VTCR_HA BIT(21)
#define VTCR_HD BIT(22)
#define VTCR_RES1 BIT(31)

#define VTTBR_VMID_SHIFT 48
#define VTTBR_VMID MASK(63, 48)
#define VTTBR_VMID16(v) ((u16)FIELD(v, 63, 48)) /* with VTCR_EL2.VS */
#define VTTBR_VMID8(v) ((u16)FIELD(v, 55, 48))
#define VTTBR_CNP BIT(0)
