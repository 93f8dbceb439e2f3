/* SPDX-License-Identifier: Apache-2.0 */
/* What describes the caches: CTR_EL0, DCZID_EL0, CLIDR_EL1, CSSELR_EL1, CCSIDR_EL1 (DDI 0487). */
#pragma once

#include "lib/types.h"

/* Bytes of the smallest data cache line (DminLine), and of the block that DC ZVA zeroes (BS). */
#define CTR_DLINE(ctr) (4UL << FIELD(ctr, 19, 16))
#define DCZID_BLOCK(dczid) (4UL << FIELD(dczid, 3, 0))
#define DCZID_DZP BIT(4) /* DC ZVA is prohibited */

#define CLIDR_TTYPES MASK(46, 33) /* of tag caches, all levels */
/* Ctype<level + 1> */
#define CLIDR_CTYPE(clidr, level) ((u32)FIELD(clidr, 3 * (level) + 2, 3 * (level)))
#define CTYPE_NONE 0
#define CTYPE_INSTRUCTION 1
#define CTYPE_DATA 2

#define CSSELR_IND BIT(0)
#define CSSELR_LEVEL(v) ((u32)FIELD(v, 3, 1)) /* less one */
#define CSSELR_LEVEL_NONE 7                   /* reserved */
#define CSSELR_MASK MASK(3, 0)                /* without TnD: FEAT_MTE2 */

#define CCSIDR_NUMSETS(v) FIELD(v, 55, 32) /* with FEAT_CCIDX */
