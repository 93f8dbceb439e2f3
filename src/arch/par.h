/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PAR_EL1 (DDI 0487): what AT leaves. Bit 11 is RES1 without FEAT_RME; NS is what a Non-secure
 * machine reports.
 */
#pragma once

#include "lib/types.h"

#define PAR_F BIT(0)
#define PAR_FST_SHIFT 1
#define PAR_FST(par) FIELD(par, 6, 1)
#define PAR_SH_SHIFT 7
#define PAR_PTW BIT(8)
#define PAR_S BIT(9)
#define PAR_NS BIT(9)
#define PAR_RES1 BIT(11)
#define PAR_PA MASK(47, 12)
#define PAR_ATTR_SHIFT 56
