/* SPDX-License-Identifier: Apache-2.0 */
/* SCTLR_EL1 and, at the same places, SCTLR_EL2 with HCR_EL2.E2H = 1 (DDI 0487). */
#pragma once

#include "lib/types.h"

#define SCTLR_M BIT(0)
#define SCTLR_C BIT(2)
#define SCTLR_SA BIT(3)
#define SCTLR_I BIT(12)
#define SCTLR_DZE BIT(14)
#define SCTLR_UCT BIT(15)
#define SCTLR_NTWI BIT(16)
#define SCTLR_NTWE BIT(18)
#define SCTLR_WXN BIT(19)
#define SCTLR_SPAN BIT(23)
#define SCTLR_E0E BIT(24)
#define SCTLR_EE BIT(25)
#define SCTLR_UCI BIT(26)
#define SCTLR_ENIB BIT(30)
#define SCTLR_ENIA BIT(31)
#define SCTLR_DSSBS BIT(44)
#define SCTLR_EPAN BIT(57)
#define SCTLR_SPINTMASK BIT(62)

/*
 * The RES1 bits of SCTLR_EL1 on a CPU without AArch32, ExS and CSV2_2 (a VM is one): LSMAOE,
 * nTLSMD, SPAN, EIS, TSCXT, EOS, SED, ITD.
 */
#define SCTLR_EL1_RES1 0x30d00980UL

/*
 * The bits of SCTLR_EL2 with E2H = 0 at the same places, as far as a VM may have them: M, A, C, SA,
 * nAA, I, EnDB, WXN, IESB, EE, EnDA, EnIB, EnIA, BT (BT1), ITFSB, TCF, ATA, DSSBS.
 */
#define SCTLR_EL1_EL2                                                                              \
	(SCTLR_M | BIT(1) | SCTLR_C | SCTLR_SA | BIT(6) | SCTLR_I | BIT(13) | SCTLR_WXN |          \
	 BIT(21) | SCTLR_EE | BIT(27) | SCTLR_ENIB | SCTLR_ENIA | MASK(37, 36) | MASK(41, 40) |    \
	 BIT(43) | SCTLR_DSSBS)

/*
 * SCTLR_EL2 while nidus runs: E2H = 1, TGE = 0. Bits that are RES1 there, or RES1 without FEAT_ExS
 * (EOS, EIS).
 */
#define SCTLR_EL2_RES1 0x30c50830UL
