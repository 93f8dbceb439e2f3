/* SPDX-License-Identifier: Apache-2.0 */
/* An access of a guest to an emulated device. */
#pragma once

#include "lib/types.h"
#include "mm/addr.h"
#include "state/mmio.h"

struct vcpu;

/*
 * Find the device that owns [at, at+size) and let it handle the access; false: none, or it aborted.
 */
bool mmio_access(struct vcpu *vcpu, ipa_t at, struct mmio *m);
/* The same for the VM's RAM; false: there is none. For an instruction that accesses both. */
bool mmio_ram_access(struct vcpu *vcpu, ipa_t at, struct mmio *m);
