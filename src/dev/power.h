/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the machine down, and the firmware below (PSCI by SMC). */
#pragma once

#include "lib/types.h"

/* A PSCI call: x0 of the answer. */
s64 power_psci(u64 fid, u64 a1, u64 a2, u64 a3);
/* PSCI SYSTEM_OFF; halts if the firmware refuses. */
noreturn void machine_off(void);
/* Stop this CPU for good, interrupts masked. */
noreturn void machine_halt(void);
