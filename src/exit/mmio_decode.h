/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores to emulated devices whose syndrome does not describe them (ESR_EL2.ISV = 0). */
#pragma once

#include "exit/exit.h"
#include "mm/addr.h"

/*
 * Read the instruction at the vcpu's PC, and if it is an LDP/STP or a load/store with write-back of
 * general registers, do its accesses one after the other and its write-back. `at` is the address in
 * the VM that the abort is about; the other half of a pair that crosses a page is where the guest's
 * own tables have it, a device or memory.
 *
 * SKIP: done. INJECT_FAR: the other half faults in the guest's own tables. REFLECT_ABORT: vEL2 has
 * no translation for vEL1's other half (vcpu->reflection). ABORT: another instruction, nothing
 * there, or the device aborted. RESUME: execute the instruction again; AGAIN: as everywhere. Unless
 * SKIP is returned nothing has changed, except by earlier accesses.
 */
enum verdict mmio_decode_access(struct vcpu *vcpu, const struct exit *exit, ipa_t at) must_check;
