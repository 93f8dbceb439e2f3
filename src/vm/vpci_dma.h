/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM's devices reach: tables of their own, with the VM's RAM and the doorbell of its ITS.
 * Those of the vcpus do not have it, so that a vcpu can't make a message: who sent one is known to
 * the machine's ITS by the bus alone, and what it makes of a CPU's write is not defined.
 */
#pragma once

#include "lib/types.h"

struct vm;

/* Make them, with the VM's RAM and vmsi_build() done. NULL, or why not. */
const char *vpci_dma_build(struct vm *vm);
/* Free a piece of them; true: there is more. No device uses them. */
bool vpci_dma_destroy_piece(struct vm *vm) must_check;
