/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication of the return address of a trapped ERETAA or ERETAB. */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/*
 * Authenticate *elr with the SP that vEL2 uses as the modifier, by the instruction key that the
 * exit's ISS names (pseudocode: AuthIA, AuthIB, AArch64.PACFail). False: the PE would have raised
 * PACFail, and vcpu->inject_esr is its syndrome. Else *elr is what the PE would return to, which
 * need not be a good address. The keys are the vcpu's, in the CPU; they are as before. Of a VA of
 * less than 32 bits, bits 63:32 alone are looked at.
 */
bool pauth_eret(struct vcpu *vcpu, const struct exit *exit, u64 *elr);
