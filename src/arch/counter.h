/* SPDX-License-Identifier: Apache-2.0 */
/* The physical counter, CNTPCT_EL0. */
#pragma once

#include "arch/sysreg.h"
#include "lib/types.h"

static inline u64 counter_now(void)
{
	return sysreg_read(CNTPCT_EL0);
}
