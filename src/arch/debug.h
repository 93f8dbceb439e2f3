/* SPDX-License-Identifier: Apache-2.0 */
/* DBGBCR<n>_EL1, DBGWCR<n>_EL1, DBGWVR<n>_EL1, OSLAR_EL1 and OSLSR_EL1 (DDI 0487). */
#pragma once

#include "lib/types.h"

/* DBGBCR<n>_EL1 and DBGWCR<n>_EL1 have these at the same places. */
#define DBGCR_E BIT(0)
#define DBGCR_EL1 BIT(1) /* of PMC, PAC */
#define DBGCR_EL0 BIT(2)
#define DBGCR_HMC BIT(13)
#define DBGCR_SSC(v) FIELD(v, 15, 14)
#define DBGCR_STATE (DBGCR_E | DBGCR_EL1 | DBGCR_EL0 | DBGCR_HMC | MASK(15, 14))
#define DBGBCR_BT(v) FIELD(v, 23, 20)

/* The bits that are not RES0. */
#define DBGBCR_MASK (MASK(23, 13) | MASK(8, 5) | MASK(2, 0))
#define DBGWCR_MASK (MASK(28, 24) | MASK(20, 0))
#define DBGWVR_MASK MASK(63, 2)

#define OSLAR_OSLK BIT(0)
/* OSLM = 0b10 (bits 3 and 0): the OS Lock is implemented, by OSLAR_EL1. */
#define OSLSR_OSLM BIT(3)
#define OSLSR_OSLK BIT(1)
