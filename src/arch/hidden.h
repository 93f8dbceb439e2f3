/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of features that no VM has: MPAM, SPE and the trace buffer (DDI 0487, DDI 0598). */
#pragma once

#include "lib/types.h"

#define MPAMIDR_HAS_HCR BIT(17)
#define MPAMIDR_HAS_TIDR BIT(58)
/* TRAPMPAM1EL1, TRAPMPAM0EL1; EnMPAMSM is 0 and traps as well */
#define MPAM2_TRAPS (BIT(48) | BIT(49))
#define MPAM2_TIDR BIT(58)
#define MPAMHCR_TRAP_MPAMIDR BIT(31)

/* PMBIDR_EL1.P, TRBIDR_EL1.P: owned by a higher Exception level, which accesses trap to */
#define BUFFER_NOT_OURS BIT(4)
