/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine that a VM has by nidus,passthrough and that master memory behind an SMMU
 * (iommus in their nodes): while the VM runs, their streams are translated by its stage 2.
 */
#pragma once

#include "lib/types.h"

struct vm;

/* With stage 2 there: take the streams. NULL, or why not (static storage). */
const char *vpass_build(struct vm *vm);
/* Before the first instruction: the devices reach the VM. False: an SMMU does not answer. */
bool vpass_start(struct vm *vm) must_check;
/*
 * The devices reach nothing, and what they were writing has arrived; they go on running. Sets
 * vm->devices_may_write if an SMMU does not answer. Idempotent.
 */
void vpass_stop(struct vm *vm);
/* Whether all that the VM has by nidus,passthrough is confined in this way. */
bool vpass_confines(const struct vm *vm);
/* Free what vpass_build() took, after vpass_stop(). */
void vpass_destroy(struct vm *vm);
