/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bits of EL2's control registers: HCR_EL2, HCRX_EL2, MDCR_EL2, CPTR_EL2 and CNTHCTL_EL2 in
 * their E2H=1 layouts (and, with NVHE in their names, E2H=0's), MDSCR_EL1, and the fine-grained
 * traps that nidus sets. Names and places are Arm's.
 */
#pragma once

#include "lib/types.h"

#define HCR_VM BIT(0)
#define HCR_SWIO BIT(1)
#define HCR_PTW BIT(2)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_VF BIT(6)
#define HCR_VI BIT(7)
#define HCR_VSE BIT(8)
#define HCR_FB BIT(9)
#define HCR_BSU MASK(11, 10)
#define HCR_DC BIT(12)
#define HCR_TWI BIT(13)
#define HCR_TWE BIT(14)
#define HCR_TID0 BIT(15)
#define HCR_TID1 BIT(16)
#define HCR_TID2 BIT(17)
#define HCR_TID3 BIT(18)
#define HCR_TSC BIT(19)
#define HCR_TIDCP BIT(20)
#define HCR_TACR BIT(21)
#define HCR_TSW BIT(22)
#define HCR_TPCP BIT(23)
#define HCR_TPU BIT(24)
#define HCR_TTLB BIT(25)
#define HCR_TVM BIT(26)
#define HCR_TGE BIT(27)
#define HCR_TDZ BIT(28)
#define HCR_HCD BIT(29)
#define HCR_TRVM BIT(30)
#define HCR_RW BIT(31)
#define HCR_CD BIT(32)
#define HCR_ID BIT(33)
#define HCR_E2H BIT(34)
#define HCR_TLOR BIT(35)
#define HCR_TERR BIT(36)
#define HCR_TEA BIT(37)
#define HCR_APK BIT(40)
#define HCR_API BIT(41)
#define HCR_NV BIT(42)
#define HCR_NV1 BIT(43)
#define HCR_AT BIT(44)
#define HCR_NV2 BIT(45)
#define HCR_FWB BIT(46)
#define HCR_FIEN BIT(47)
#define HCR_TID4 BIT(49)
#define HCR_TICAB BIT(50)
#define HCR_AMVOFFEN BIT(51)
#define HCR_TOCU BIT(52)
#define HCR_ENSCXT BIT(53)
#define HCR_TTLBIS BIT(54)
#define HCR_TTLBOS BIT(55)
#define HCR_ATA BIT(56)
#define HCR_DCT BIT(57)
#define HCR_TID5 BIT(58)

#define HCRX_FNXS BIT(3)
#define HCRX_FGTNXS BIT(4)
#define HCRX_SMPME BIT(5)
#define HCRX_TALLINT BIT(6)
#define HCRX_VINMI BIT(7)
#define HCRX_VFNMI BIT(8)
#define HCRX_CMOW BIT(9)
#define HCRX_MCE2 BIT(10)
#define HCRX_MSCEN BIT(11)
#define HCRX_TCR2EN BIT(14)
#define HCRX_SCTLR2EN BIT(15)
#define HCRX_ENFPM BIT(23)

#define MDCR_HPMN MASK(4, 0)
#define MDCR_TPMCR BIT(5)
#define MDCR_TPM BIT(6)
#define MDCR_HPME BIT(7)
#define MDCR_TDE BIT(8)
#define MDCR_TDA BIT(9)
#define MDCR_TDOSA BIT(10)
#define MDCR_TDRA BIT(11)
#define MDCR_E2PB MASK(13, 12)
#define MDCR_TPMS BIT(14)
#define MDCR_TTRF BIT(19)
#define MDCR_E2TB MASK(25, 24)
#define MDCR_TDCC BIT(27)

/* CPTR_EL2, E2H=1 */
#define CPTR_ZEN MASK(17, 16)
#define CPTR_FPEN MASK(21, 20)
#define CPTR_SMEN MASK(25, 24)
/* The low bits of the three two-bit fields. */
#define CPTR_LOW (BIT(16) | BIT(20) | BIT(24))
#define CPTR_TTA BIT(28)
#define CPTR_TAM BIT(30)
#define CPTR_TCPAC BIT(31)

/* CPTR_EL2, E2H=0: fields that trap if set, and the RES1 bits. */
#define CPTR_NVHE_TZ BIT(8)
#define CPTR_NVHE_TFP BIT(10)
#define CPTR_NVHE_TSM BIT(12)
#define CPTR_NVHE_RES1 (BIT(13) | BIT(9) | MASK(7, 0))

/* CNTHCTL_EL2, E2H=1 */
#define CNTHCTL_EL0PCTEN BIT(0)
#define CNTHCTL_EL0VCTEN BIT(1)
#define CNTHCTL_EVNT MASK(7, 2) /* EVNTEN, EVNTDIR, EVNTI */
#define CNTHCTL_EL0VTEN BIT(8)
#define CNTHCTL_EL0PTEN BIT(9)
#define CNTHCTL_EL1PCTEN BIT(10)
#define CNTHCTL_EL1PTEN BIT(11)
#define CNTHCTL_ECV BIT(12)
#define CNTHCTL_EL1TVT BIT(13)
#define CNTHCTL_EL1TVCT BIT(14)
#define CNTHCTL_EL1NVPCT BIT(15)
#define CNTHCTL_EL1NVVCT BIT(16)
#define CNTHCTL_EVNTIS BIT(17)
#define CNTHCTL_STREAM (CNTHCTL_EVNT | CNTHCTL_EVNTIS)
/* E2H=0: 17:12 and the event stream are the same, these replace EL0PCTEN and EL0VCTEN. */
#define CNTHCTL_NVHE_EL1PCTEN BIT(0)
#define CNTHCTL_NVHE_EL1PCEN BIT(1)
#define CNTHCTL_NVHE_SAME (CNTHCTL_EVNT | MASK(17, 12))
/* CNTKCTL_EL1 has the other bits at the same places; these are RES0 there without FEAT_NV2p1. */
#define CNTHCTL_EL2_ONLY MASK(16, 10)
#define CNTHCTL_IN_CNTKCTL (MASK(9, 0) | CNTHCTL_EVNTIS)

/*
 * MDSCR_EL1: the bits that software may write while the OS Lock is clear, without FEAT_Debugv8p9.
 */
#define MDSCR_SS BIT(0)
#define MDSCR_TDCC BIT(12)
#define MDSCR_KDE BIT(13)
#define MDSCR_MDE BIT(15)

/* HFGRTR_EL2 and HFGWTR_EL2: a bit with n in its name traps while 0. */
#define HFGRTR_ISR_EL1 BIT(18)
#define HFGXTR_NSMPRI_EL1 BIT(54)
#define HFGXTR_NTPIDR2_EL0 BIT(55)

/* HFGITR_EL2: instructions with an exception class of their own; the rest is in arch/trap.def. */
#define HFGITR_ERET BIT(51)
#define HFGITR_SVC_EL0 BIT(52)
#define HFGITR_SVC_EL1 BIT(53)

/* HDFGRTR_EL2 and HDFGWTR_EL2. */
#define HDFGXTR_MDSCR_EL1 BIT(4)
#define HDFGXTR_CONTROLS (BIT(0) | BIT(2)) /* DBGBCRn, DBGWCRn */
#define HDFGXTR_NUMBERED MASK(3, 0)        /* and DBGBVRn, DBGWVRn */
/* DBGBCRn, DBGBVRn, DBGWCRn, DBGWVRn, DBGCLAIM, OSECCR; and DBGAUTHSTATUS, which is read-only. */
#define HDFGXTR_DEBUG (MASK(3, 0) | BIT(5) | BIT(10))
#define HDFGRTR_DBGAUTHSTATUS_EL1 BIT(6)
