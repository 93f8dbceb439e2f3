/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores to emulated devices whose syndrome does not describe them (ESR_EL2.ISV = 0). */
#pragma once

#include "mm/addr.h"
#include "vcpu/exit.h"

/*
 * Read the instruction at the vcpu's PC, and if it is an LDP/STP or a load/store with write-back of
 * general registers, do its accesses to the device at `at` one after the other and its write-back.
 * False: another instruction, or the device aborted; then nothing was changed but by accesses before.
 */
bool mmio_decode_access(struct vcpu *vcpu, const struct exit *exit, ipa_t at);
