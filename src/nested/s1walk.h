/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which level of a guest's stage-1 walk met a bad address: the only software walk that ordinary
 * guests need.
 */
#pragma once

#include "mm/addr.h"

struct vcpu;

/*
 * The level of the EL1&0 stage-1 walk of at whose descriptor lies in the page of fault_ipa (from
 * HPFAR_EL2): what the fault status code of an external abort on a walk must say. vcpu is loaded.
 * At most 4 reads, and while vEL1 runs as many again of vEL2's tables for each.
 */
int s1walk_fault_level(struct vcpu *vcpu, va_t at, u64 fault_ipa);
