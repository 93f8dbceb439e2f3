/* SPDX-License-Identifier: Apache-2.0 */
/* Physical SError interrupts that are pending while nidus, which masks them, runs. */
#pragma once

#include "lib/types.h"

/*
 * Consume an SError interrupt that is pending because of what this CPU did, and report it: of all
 * that came before its last DSB, of later accesses as far as they are complete. If a vcpu is
 * loaded, it is taken to be of its accesses, and unless they survive it, the vcpu gets REQ_STOP and
 * REQ_SERROR. PSTATE.A set, at EL2. Without FEAT_RAS ELR_EL2, SPSR_EL2 and ESR_EL2 are lost if
 * there was one.
 */
void serror_poll(void);

/* vectors.S: unmask SError interrupts for a moment; a pending one is taken and ignored. */
void serror_take(void);
