/* SPDX-License-Identifier: Apache-2.0 */
/* Physical SError interrupts that are pending while nidus, which masks them, runs. */
#pragma once

#include "lib/types.h"

/*
 * Whether an SError interrupt was pending for what this CPU did until now; it no longer is. After a
 * DSB; PSTATE.A set, at EL2. Without FEAT_RAS ELR_EL2 and SPSR_EL2 are lost if there was one.
 */
bool serror_deferred(void);

/*
 * vectors.S: unmask SError interrupts for a moment; one that is pending is taken, and nothing comes
 * of it.
 */
void serror_take(void);
