/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's emulated NOR flash, for its firmware's variables: two chips of 16 bits side by side that
 * know Intel's command set (CFI, JESD68; vendor 0001H). It is erased when the VM is built and keeps
 * what is written over the VM's resets, in RAM.
 *
 * All accesses trap: as rare as they are, mapping it while it is in its read mode is not worth it.
 * Chips do what they are told at once, together, and are never busy; blocks can't be locked.
 */
#pragma once

#include "exit/mmio.h"
#include "lib/types.h"

struct vm;
struct vflash;

#define VFLASH_SIZE MIB(1)
#define VFLASH_BLOCK KIB(256) /* of both chips: what is erased together */

/* Make vm->flash, at vm->layout.flash in vm->mmio. -ENOMEM, or mmio_add()'s error. */
int vflash_create(struct vm *vm) must_check;
/* Back to reading, after a reset. vm->flash NULL is fine. */
void vflash_reset(struct vm *vm);
/* Free it; no vcpu of the VM runs any more. vm->flash NULL is fine. */
void vflash_destroy(struct vm *vm);

/* An mmio_fn: dev is the struct vflash. Aborts accesses that are not aligned. */
bool vflash_mmio(struct vcpu *vcpu, void *dev, struct mmio *m);
