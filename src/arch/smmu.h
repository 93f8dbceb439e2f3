/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMMUv3: registers, stream table entries, commands and events, as far as nidus uses them or shows
 * them to a VM (IHI 0070). Offsets from the first register page.
 */
#pragma once

#include "lib/types.h"

#define SMMU_SIZE 0x20000UL
#define SMMU_IDR0 0x00
#define SMMU_IDR1 0x04
#define SMMU_IDR5 0x14
#define SMMU_IIDR 0x18
#define SMMU_CR0 0x20
#define SMMU_CR0ACK 0x24
#define SMMU_CR1 0x28
#define SMMU_CR2 0x2c
#define SMMU_GBPA 0x44
#define SMMU_IRQ_CTRL 0x50
#define SMMU_IRQ_CTRLACK 0x54
#define SMMU_GERROR 0x60
#define SMMU_GERRORN 0x64
#define SMMU_GERROR_IRQ_CFG0 0x68
#define SMMU_STRTAB_BASE 0x80
#define SMMU_STRTAB_BASE_CFG 0x88
#define SMMU_CMDQ_BASE 0x90
#define SMMU_CMDQ_PROD 0x98
#define SMMU_CMDQ_CONS 0x9c
#define SMMU_EVENTQ_BASE 0xa0
#define SMMU_EVENTQ_IRQ_CFG0 0xb0
#define SMMU_EVENTQ_PROD 0x100a8 /* page 1 */
#define SMMU_EVENTQ_CONS 0x100ac

#define SMMU_IDR0_S2P BIT(0)
#define SMMU_IDR0_S1P BIT(1)
#define SMMU_IDR0_TTF_AARCH64 BIT(3)
#define SMMU_IDR0_COHACC BIT(4)
#define SMMU_IDR0_HYP BIT(9)
#define SMMU_IDR0_ATS BIT(10)
#define SMMU_IDR0_ASID16 BIT(12)
#define SMMU_IDR0_MSI BIT(13)
#define SMMU_IDR0_VMID16 BIT(18)
#define SMMU_IDR0_TTENDIAN(v) FIELD(v, 22, 21) /* 3: big-endian only */
#define SMMU_IDR0_LITTLE (2UL << 21)
#define SMMU_IDR0_STALL(v) FIELD(v, 25, 24) /* faults stall: 0 as a CD says, 1 never, 2 always */
#define SMMU_IDR0_NO_STALL (1UL << 24)
#define SMMU_IDR0_TERM_MODEL BIT(26)           /* what is terminated aborts always */
#define SMMU_IDR0_ST_LEVEL(v) FIELD(v, 28, 27) /* 1: two-level tables too */
#define SMMU_IDR1_SIDSIZE(v) ((u32)FIELD(v, 5, 0))
#define SMMU_IDR1_EVENTQS(v) ((u32)FIELD(v, 20, 16))
#define SMMU_IDR1_CMDQS(v) ((u32)FIELD(v, 25, 21))
#define SMMU_IDR1_PRESET MASK(30, 29) /* tables or queues where the machine wants them */
#define SMMU_IDR1_EVENTQS_SHIFT 16
#define SMMU_IDR1_CMDQS_SHIFT 21
#define SMMU_IDR5_OAS(v) ((u32)FIELD(v, 2, 0))
#define SMMU_IDR5_GRAN4K BIT(4)
#define SMMU_IDR5_GRAN16K BIT(5)
#define SMMU_IDR5_GRAN64K BIT(6)
/* Implementer (Arm: 0x43b) and product; the variant, or major revision. */
#define SMMU_IIDR_PART(v) ((u32)(FIELD(v, 31, 20) << 12 | FIELD(v, 11, 0)))
#define SMMU_IIDR_VARIANT(v) ((u32)FIELD(v, 19, 16))
#define SMMU_IIDR_MMU600 0x48343bU
#define SMMU_IIDR_MMU700 0x48743bU

#define SMMU_CR0_SMMUEN BIT(0)
#define SMMU_CR0_EVENTQEN BIT(2)
#define SMMU_CR0_CMDQEN BIT(3)
#define SMMU_CR0_ATSCHK BIT(4)
/* Tables and queues: inner shareable, write-back. */
#define SMMU_CR1_CACHED (3UL << 10 | 1UL << 8 | 1UL << 6 | 3UL << 4 | 1UL << 2 | 1UL)
#define SMMU_CR2_RECINVSID BIT(1) /* record streams beyond the table */
#define SMMU_CR2_PTM BIT(2)       /* the CPUs' TLBIs do not count */
#define SMMU_GBPA_INCOMING (1UL << 12) /* SHCFG */
#define SMMU_GBPA_ABORT BIT(20)
#define SMMU_GBPA_UPDATE BIT(31)
#define SMMU_IRQ_GERROR BIT(0)
#define SMMU_IRQ_EVENTQ BIT(2)
#define SMMU_GERROR_CMDQ BIT(0)
#define SMMU_GERROR_EVENTQ_ABT BIT(2)
#define SMMU_GERROR_SFM BIT(8) /* service failure mode */

#define SMMU_BASE_RA BIT(62)        /* of STRTAB_BASE, CMDQ_BASE: allocate in caches */
#define SMMU_STRTAB_2LEVEL BIT(16)  /* of STRTAB_BASE_CFG */
#define SMMU_STRTAB_SPLIT_SHIFT 6
#define SMMU_STRTAB_LOG2SIZE(v) ((u32)FIELD(v, 5, 0))
#define SMMU_Q_LOG2SIZE(v) ((u32)FIELD(v, 4, 0)) /* of CMDQ_BASE, EVENTQ_BASE */
#define SMMU_CMDQ_ERR_SHIFT 24                   /* of CMDQ_CONS */
#define SMMU_CERROR_ILL 1UL
#define SMMU_CERROR_ABT 2UL
#define SMMU_COMMAND 16UL /* bytes */
#define SMMU_EVENT 32UL

/* A stream table entry: 8 words. */
#define STE_WORDS 8
#define STE_V BIT(0)
#define STE_CONFIG MASK(3, 1)
#define STE_ABORT (0UL << 1)
#define STE_BYPASS (4UL << 1)
#define STE_STAGE1 (5UL << 1)
#define STE_STAGE2 (6UL << 1)
#define STE_NESTED (7UL << 1)
#define STE_TRANSLATES BIT(3)     /* of Config; without it all abort */
#define STE_S1CONTEXT MASK(51, 6) /* where the context descriptor is: with stage 2 an IPA */
#define STE1_S1ATTR MASK(7, 2)    /* S1CIR, S1COR, S1CSH: how it is read */
#define STE1_S1STALLD BIT(27)     /* a context descriptor that stalls faults is illegal */
#define STE1_STRW MASK(31, 30)
#define STE1_MEV BIT(19)          /* events may be merged */
#define STE1_STAGE1 (STE1_S1ATTR | STE1_MEV)
#define STE1_SHCFG_INCOMING (1UL << 44)
#define STE2_VTCR_SHIFT 32             /* T0SZ to PS, laid out as in VTCR_EL2 18:0 */
#define STE2_S2AA64 BIT(51)
#define STE2_S2AFFD BIT(53)
#define STE2_S2PTW BIT(54)
#define STE2_S2R BIT(58)               /* record faults */
/* A level-1 descriptor of a two-level table: Span 9 is 256 entries. */
#define STE_L1_SPAN 9UL

#define SMMU_CMD(w) ((u32)FIELD(w, 7, 0))
#define SMMU_CMD_SSEC BIT(10)
#define SMMU_CMD_PREFETCH_CFG 0x01UL
#define SMMU_CMD_PREFETCH_ADDR 0x02UL
#define SMMU_CMD_CFGI_STE 0x03UL
#define SMMU_CMD_CFGI_ALL 0x04UL /* CFGI_STE_RANGE, of all */
#define SMMU_CMD_CFGI_CD 0x05UL
#define SMMU_CMD_CFGI_CD_ALL 0x06UL
#define SMMU_CMD_TLBI_NH_ALL 0x10UL
#define SMMU_CMD_TLBI_NH_ASID 0x11UL
#define SMMU_CMD_TLBI_NH_VA 0x12UL
#define SMMU_CMD_TLBI_NH_VAA 0x13UL
#define SMMU_CMD_TLBI_EL2_ALL 0x20UL
#define SMMU_CMD_TLBI_S12_VMALL 0x28UL
#define SMMU_CMD_TLBI_S2_IPA 0x2aUL
#define SMMU_CMD_TLBI_NSNH_ALL 0x30UL
#define SMMU_CMD_SYNC 0x46UL
#define SMMU_CMD_ALL_STREAMS 31UL /* CFGI_ALL: the range of CFGI_STE_RANGE */
#define SMMU_CMD_RANGE(w1) ((u32)FIELD(w1, 4, 0))
#define SMMU_CMD_VMID_SHIFT 32
#define SMMU_CMD_ASID_SHIFT 48
#define SMMU_CMD_SID_SHIFT 32
#define SMMU_CMD_SID(w) ((u32)FIELD(w, 63, 32))
#define SMMU_CMD_ASID(w) ((u32)FIELD(w, 63, 48))
#define SMMU_CMD_LEAF BIT(0)                        /* of word 1 of TLBI_NH_VA and _VAA, */
#define SMMU_CMD_ADDRESS MASK(63, 12)               /* too */
#define SMMU_CMD_SYNC_CS(w) ((u32)FIELD(w, 13, 12)) /* 3 is reserved */

#define SMMU_Q_OVERFLOW BIT(31) /* of EVENTQ_PROD, acknowledged in EVENTQ_CONS */

#define SMMU_EVENT_TYPE(w) ((u32)FIELD(w, 7, 0))
#define SMMU_EVENT_SID(w) ((u32)FIELD(w, 63, 32))
#define SMMU_EVENT_SID_SHIFT 32
#define SMMU_EVENT_BAD_STREAMID 0x02
#define SMMU_EVENT_STE_FETCH 0x03
#define SMMU_EVENT_BAD_STE 0x04
#define SMMU_EVENT_BAD_SUBSTREAMID 0x08
#define SMMU_EVENT_CD_FETCH 0x09
#define SMMU_EVENT_BAD_CD 0x0a
#define SMMU_EVENT_WALK_EABT 0x0b
#define SMMU_EVENT_TRANSLATION 0x10
#define SMMU_EVENT_ADDR_SIZE 0x11
#define SMMU_EVENT_ACCESS 0x12
#define SMMU_EVENT_PERMISSION 0x13
#define SMMU_EVENT_TLB_CONFLICT 0x20
/* Of word 1: privileged, instruction, read; by stage 2; what was read or written. */
#define SMMU_EVENT1_PNU BIT(33)
#define SMMU_EVENT1_IND BIT(34)
#define SMMU_EVENT1_READ BIT(35)
#define SMMU_EVENT1_S2 BIT(39)
#define SMMU_EVENT1_CLASS MASK(41, 40)
#define SMMU_EVENT1_CLASS_CD (0UL << 40)
#define SMMU_EVENT1_CLASS_TT (1UL << 40)
#define SMMU_EVENT_FETCH MASK(51, 3) /* of word 3: the address that could not be read */
