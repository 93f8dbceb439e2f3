/* SPDX-License-Identifier: Apache-2.0 */
/* PSTATE as SPSR_ELx holds it (DDI 0487, SPSR_EL2; AArch64), and VBAR_ELx. */
#pragma once

#include "lib/types.h"

#define PSTATE_M MASK(4, 0)
#define PSTATE_SPX BIT(0)
#define PSTATE_EL(p) FIELD(p, 3, 2)
#define PSTATE_IS_EL0(p) (((p)&MASK(3, 0)) == 0) /* in either Execution state */
#define PSTATE_AARCH32 BIT(4)
#define PSTATE_EL0T 0x0UL
#define PSTATE_EL1T 0x4UL
#define PSTATE_EL1H 0x5UL
#define PSTATE_EL2T 0x8UL
#define PSTATE_EL2H 0x9UL
#define PSTATE_DAIF MASK(9, 6)
#define PSTATE_D BIT(9)
#define PSTATE_A32_E BIT(9) /* AArch32 */
#define PSTATE_BTYPE MASK(11, 10)
#define PSTATE_SSBS BIT(12)
#define PSTATE_ALLINT BIT(13)
#define PSTATE_IL BIT(20)
#define PSTATE_SS BIT(21)
#define PSTATE_PAN BIT(22)
#define PSTATE_UAO BIT(23)
#define PSTATE_DIT BIT(24)
#define PSTATE_TCO BIT(25)
#define PSTATE_NZCV MASK(31, 28)
/* EL1h with D, A, I and F masked: after a reset (AArch64.TakeReset). */
#define PSTATE_EL1H_MASKED (PSTATE_EL1H | PSTATE_DAIF)

#define VBAR_BASE MASK(63, 11) /* the rest is RES0, though QEMU stores it */
