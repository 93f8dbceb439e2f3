/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication of the return address of a trapped ERETAA or ERETAB. */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/*
 * Authenticate *elr with the SP that vEL2 uses as the modifier and the instruction key that the
 * exit's ISS names (pseudocode: AuthIA, AuthIB, AArch64.PACFail). True: *elr is the PE's return
 * address, which may be non-canonical. False: the PE would have raised PACFail, and
 * vcpu->inject_esr is its syndrome. The keys are the vcpu's, in the CPU, and unchanged afterwards.
 * With a VA of less than 32 bits, only bits 63:32 are checked.
 */
bool pauth_eret(struct vcpu *vcpu, const struct exit *exit, u64 *elr);
