/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN0022): what a guest passes. */
#pragma once

#include "lib/types.h"

#define SMC64 BIT(30) /* of a function identifier: its arguments have 64 bits */

/* The power_state of CPU_SUSPEND. */
#define POWER_STATE_POWERDOWN BIT(16)
#define POWER_STATE_RES0 (~(u64)(MASK(25, 24) | BIT(16) | MASK(15, 0)))

/* The reset_type of SYSTEM_RESET2: one of the vendor's. */
#define RESET_TYPE_VENDOR BIT(31)
