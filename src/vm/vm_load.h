/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a VM's RAM: zeroes, kernel, ramdisk, device tree; at its start and at each reset. */
#pragma once

#include "lib/types.h"
#include "state/load.h"

struct vm;

/* Begin from the start. No vcpu of the VM is loaded anywhere. */
void vm_load_begin(struct vm *vm);
/*
 * Do a piece: about a millisecond's worth. True: there is more. If it takes longer than a second
 * its progress is logged now and then. Any CPU that has no vcpu loaded, one at a time.
 */
bool vm_load_piece(struct vm *vm);
