/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translation tables as the architecture defines them (VMSAv8-64, 4 KiB granule): descriptors,
 * memory attributes, MAIR_EL2. The registers that select formats are in tcr.h and sctlr.h.
 */
#pragma once

#include "lib/types.h"

#define PGTABLE_LEVELS 4 /* 0..3 */
#define PGTABLE_ENTRIES 512
#define PGTABLE_CONT 16 /* entries that share a contiguous hint, at every level */

/* Input address bits that a descriptor of this level resolves, from the lowest. */
static inline u32 level_shift(u32 level)
{
	return 12 + 9 * (3 - level);
}

static inline u64 level_size(u32 level)
{
	return 1UL << level_shift(level);
}

/* Descriptors: both stages. */
#define DESC_VALID BIT(0)
#define DESC_TABLE                                                                                 \
	BIT(1) /* levels 0-2: next-level table, else block; level 3: page (must be set) */
#define DESC_TYPE MASK(1, 0)
#define DESC_ADDR MASK(47, 12)
#define DESC_SH(desc) FIELD(desc, 9, 8)
#define DESC_SH_OUTER (2UL << 8)
#define DESC_SH_INNER (3UL << 8)
#define DESC_AF BIT(10)
#define DESC_DBM BIT(51)
#define DESC_CONT BIT(52)
#define DESC_SW_SHIFT 55 /* 58:55: hardware ignores them */
/* The bits that the caller chooses for a leaf. */
#define DESC_ATTRS (MASK(11, 2) | (MASK(63, 50) & ~DESC_CONT))
/*
 * The bits that may change in a live leaf without break-before-make: access permissions,
 * execute-never, the access flag, DBM and the bits that hardware ignores. (Memory type,
 * cacheability, shareability, output address, size, nG and the contiguous bit may not.)
 */
#define DESC_PERMS (MASK(7, 6) | DESC_AF | DESC_DBM | MASK(54, 53) | MASK(58, 55))

/* Stage 1, a regime with EL0 in it (EL2&0). */
#define S1_ATTR(index) ((u64)(index) << 2) /* of MAIR */
#define S1_ATTR_INDEX(desc) FIELD(desc, 4, 2)
#define S1_AP_EL0 BIT(6)
#define S1_AP_RO BIT(7)
#define S1_NG BIT(11)
#define S1_PXN BIT(53)
#define S1_UXN BIT(54)
/* A table's: they bind what is below it. */
#define S1_TABLE_PXN BIT(59)
#define S1_TABLE_UXN BIT(60)
#define S1_TABLE_NO_EL0 BIT(61)
#define S1_TABLE_RO BIT(62)

/* Stage 2, without FEAT_S2FWB and FEAT_S2PIE. */
#define S2_MEMATTR_SHIFT 2
#define S2_MEMATTR(desc) FIELD(desc, 5, 2)
#define S2_MEMATTR_DEVICE_nGnRE (1UL << S2_MEMATTR_SHIFT)
#define S2_MEMATTR_NORMAL_WB (15UL << S2_MEMATTR_SHIFT)
#define S2_AP_SHIFT 6
#define S2_AP(desc) FIELD(desc, 7, 6)
#define S2_AP_READ BIT(6)
#define S2_AP_WRITE BIT(7)
#define S2_XN BIT(54)
#define S2_XN_SHIFT 53 /* XN[1:0], with FEAT_XNX */
#define S2_XN_FIELD(desc) FIELD(desc, 54, 53)

/* MemAttr. Below MEMATTR_NORMAL are the types of Device memory, strictest first. */
#define MEMATTR_NORMAL 4
#define MEMATTR_NC 5
/* A half of Normal memory's, outer or inner; 3 is Write-Back. */
#define MEMATTR_HALF_NC 1
#define MEMATTR_HALF_WT 2

/* The shareability field of descriptors and of PAR_EL1. */
#define SH_OUTER 2
#define SH_INNER 3

/* Memory attributes as a byte of MAIR_ELx and PAR_EL1.ATTR hold them. */
#define ATTR_NORMAL_NC 0x44
#define ATTR_NORMAL_WB 0xff
#define ATTR_NORMAL_MIN 0x10 /* below are Device memory's */
#define ATTR_HALF_NC 4       /* a half of Normal memory's, outer or inner */

/* MAIR_ELx: one byte an index. */
#define MAIR_DEVICE_nGnRE 0x04UL
#define MAIR_NORMAL_WB 0xffUL

/* Physical address sizes in bits, by encoding (ID_AA64MMFR0_EL1.PARange, TCR.IPS, VTCR.PS). */
#define PARANGE_SIZES 32, 36, 40, 42, 44, 48

/* The encoding of the largest size not above bits. */
static inline u64 parange_encode(u32 bits)
{
	static const u8 size[] = { PARANGE_SIZES };
	u64 e = 0;

	for (u32 i = 1; i < ARRAY_SIZE(size); i++)
		if (size[i] <= bits)
			e = i;
	return e;
}

/* An encoding in bits; undefined ones are at least the largest that is known. */
static inline u8 parange_bits(u32 parange)
{
	static const u8 bits[] = { PARANGE_SIZES };

	return parange < ARRAY_SIZE(bits) ? bits[parange] : 48;
}
