/* SPDX-License-Identifier: Apache-2.0 */
/* SCTLR_EL1 and, at the same places, SCTLR_EL2 with HCR_EL2.E2H = 1 (DDI 0487). */
#pragma once

#include "lib/types.h"

#define SCTLR_M BIT(0)
#define SCTLR_C BIT(2)
#define SCTLR_SA BIT(3)
#define SCTLR_I BIT(12)
#define SCTLR_WXN BIT(19)
#define SCTLR_SPAN BIT(23)
#define SCTLR_E0E BIT(24)
#define SCTLR_EE BIT(25)
#define SCTLR_ENIB BIT(30)
#define SCTLR_ENIA BIT(31)
#define SCTLR_DSSBS BIT(44)
#define SCTLR_EPAN BIT(57)
#define SCTLR_SPINTMASK BIT(62)

/*
 * SCTLR_EL2 as nidus runs: E2H = 1, TGE = 0. Bits that are RES1 there, or RES1 without FEAT_ExS
 * (EOS, EIS).
 */
#define SCTLR_EL2_RES1 0x30c50830UL
