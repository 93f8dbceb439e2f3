/* SPDX-License-Identifier: Apache-2.0 */
/* The physical counter: CNTPCT_EL0 as a test has set it, or a test's own. */
#pragma once

#include "lib/types.h"

u64 counter_now(void);
