/* SPDX-License-Identifier: Apache-2.0 */
/* Physical SError interrupts that are pending while nidus, which masks them, runs. */
#pragma once

#include "lib/types.h"

/*
 * Whether an SError interrupt was pending because of what this CPU did until now; if so, it is
 * consumed. After a DSB; PSTATE.A set, at EL2. Without FEAT_RAS ELR_EL2 and SPSR_EL2 are lost if
 * there was one.
 */
bool serror_deferred(void);

/* vectors.S: unmask SError interrupts for a moment; a pending one is taken and ignored. */
void serror_take(void);
