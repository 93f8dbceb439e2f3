/* SPDX-License-Identifier: Apache-2.0 */
/* CNTP_CTL_EL0, CNTV_CTL_EL0, CNTHP_CTL_EL2 and CNTHV_CTL_EL2 (DDI 0487). */
#pragma once

#include "lib/types.h"

#define CTL_ENABLE BIT(0)
#define CTL_IMASK BIT(1)
#define CTL_ISTATUS BIT(2)
