/* SPDX-License-Identifier: Apache-2.0 */
/* SVCR, ZCR_ELx, SMCR_ELx and SMIDR_EL1 (DDI 0487). CPTR_EL2 is in hcr.h. */
#pragma once

#include "lib/types.h"

#define SVCR_SM BIT(0)
#define SVCR_ZA BIT(1)

#define ZCR_LEN MASK(3, 0)
#define SMCR_LEN MASK(3, 0)
#define SMCR_EZT0 BIT(30)
#define SMCR_FA64 BIT(31)

#define SMIDR_IMPLEMENTER_REVISION MASK(31, 16)
