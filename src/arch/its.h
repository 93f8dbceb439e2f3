/* SPDX-License-Identifier: Apache-2.0 */
/* LPIs, registers and commands of an ITS (IHI0069): of the machine's and of those that VMs see. */
#pragma once

#include "lib/types.h"

#define GIC_LPI 8192u    /* the first; INTIDs of LPIs have no end but that of the machine's bits */
#define GIC_LPI_BITS 14u /* bits of an INTID: so many nidus uses, and shows */
#define GIC_LPIS (BIT(GIC_LPI_BITS) - GIC_LPI)

/* A byte of a property table. */
#define LPI_ENABLE BIT(0)
#define LPI_RES1 BIT(1)
#define LPI_PRIORITY 0xfcU

#define GICD_TYPER_LPIS BIT(17)
#define GICD_TYPER_IDS(v) ((u32)FIELD(v, 23, 19) + 1)
#define GICR_TYPER_PLPIS BIT(0)
#define GICR_CTLR_LPIS BIT(0) /* EnableLPIs */
#define GICR_CTLR_CES BIT(1)  /* EnableLPIs can be cleared */
#define GICR_PENDBASER_PTZ BIT(62)

/* GICR_PROPBASER, GICR_PENDBASER: memory attributes at the same places. */
#define GICR_BASER_INNER 7
#define GICR_PROPBASER_PA(v) ((v) & MASK(51, 12))
#define GICR_PROPBASER_IDS(v) ((u32)FIELD(v, 4, 0) + 1)

/* Shareability has one place in all bases; values of cacheability. */
#define GIC_BASE_SHARE MASK(11, 10)
#define GIC_BASE_INNER_SHAREABLE BIT(10)
#define GIC_CACHE_NC 1UL
#define GIC_CACHE_RAWAWB 7UL

#define GITS_FRAME KIB(64)
#define GITS_SIZE KIB(128) /* control, then translation */
#define GITS_CTLR 0x0000u
#define GITS_IIDR 0x0004u
#define GITS_TYPER 0x0008u
#define GITS_CBASER 0x0080u
#define GITS_CWRITER 0x0088u
#define GITS_CREADR 0x0090u
#define GITS_BASER 0x0100u /* + 8 * n */
#define GITS_BASERS 8u
#define GITS_TRANSLATER 0x10040u

#define GITS_CTLR_ENABLED BIT(0)
#define GITS_CTLR_QUIESCENT BIT(31)

#define GITS_TYPER_PHYSICAL BIT(0)
#define GITS_TYPER_ITT_ENTRY(v) ((u32)FIELD(v, 7, 4) + 1)
#define GITS_TYPER_EVENT_BITS(v) ((u32)FIELD(v, 12, 8) + 1)
#define GITS_TYPER_DEVICE_BITS(v) ((u32)FIELD(v, 17, 13) + 1)
#define GITS_TYPER_PTA BIT(19)
#define GITS_TYPER_MAKE(itt, events, devices)                                                      \
	(((itt) - 1UL) << 4 | ((events) - 1UL) << 8 | ((devices) - 1UL) << 13)
#define GITS_TYPER_CIL BIT(36)
#define GITS_TYPER_CID_BITS(n) (((n) - 1UL) << 32)

#define GITS_BASE_VALID BIT(63)
#define GITS_BASE_INNER 59 /* of CBASER and BASER<n>, cacheability */
#define GITS_BASE_CACHE_FIELD (MASK(61, 59) | MASK(55, 53))
#define GITS_BASE_SIZE(v) ((u32)FIELD(v, 7, 0) + 1) /* in pages */
#define GITS_CBASER_PA(v) ((v) & MASK(51, 12))
#define GITS_BASER_INDIRECT BIT(62)
#define GITS_BASER_TYPE(v) ((u32)FIELD(v, 58, 56))
#define GITS_BASER_DEVICES 1u
#define GITS_BASER_COLLECTIONS 4u
#define GITS_BASER_TYPE_SHIFT 56
#define GITS_BASER_ENTRY(v) ((u32)FIELD(v, 52, 48) + 1)
#define GITS_BASER_ENTRY_SHIFT 48
#define GITS_BASER_PAGE 8 /* 0: 4 KiB, 1: 16 KiB, 2: 64 KiB */
#define GITS_BASER_PAGE_SIZE(v) (KIB(4) << 2 * MIN(FIELD(v, 9, 8), 2UL))

#define GITS_CREADR_STALLED BIT(0)
#define GITS_QUEUE_MASK MASK(19, 5) /* offsets in CREADR and CWRITER */

/* Commands: four words of 64 bits; the number of the command is in the low byte. */
#define ITS_WORDS 4
#define ITS_COMMAND (8u * ITS_WORDS) /* bytes */
enum its_command {
	ITS_MOVI = 0x01,
	ITS_INT = 0x03,
	ITS_CLEAR = 0x04,
	ITS_SYNC = 0x05,
	ITS_MAPD = 0x08,
	ITS_MAPC = 0x09,
	ITS_MAPTI = 0x0a,
	ITS_MAPI = 0x0b,
	ITS_INV = 0x0c,
	ITS_INVALL = 0x0d,
	ITS_MOVALL = 0x0e,
	ITS_DISCARD = 0x0f,
};
#define ITS_CMD(w) ((u32)FIELD((w)[0], 7, 0))
#define ITS_DEVICE_SHIFT 32
#define ITS_DEVICE(w) ((u32)FIELD((w)[0], 63, 32))
#define ITS_EVENT(w) ((u32)FIELD((w)[1], 31, 0))
#define ITS_PINTID_SHIFT 32
#define ITS_PINTID(w) ((u32)FIELD((w)[1], 63, 32))
#define ITS_EVENT_BITS(w) ((u32)FIELD((w)[1], 4, 0) + 1)
#define ITS_ICID(w) ((u32)FIELD((w)[2], 15, 0))
#define ITS_RDBASE_SHIFT 16
#define ITS_RDBASE(w, n) ((w)[n] & MASK(51, 16)) /* in word 2, MOVALL's second in word 3 */
#define ITS_VALID BIT(63)                        /* in word 2 */
