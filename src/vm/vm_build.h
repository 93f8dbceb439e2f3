/* SPDX-License-Identifier: Apache-2.0 */
/* Building a VM from its configuration, and taking it apart. */
#pragma once

#include "lib/types.h"

struct vm;

/*
 * Build vm from vm->config: memory, stage-2 tables, devices, vcpus and device tree; decide where
 * its images go. Returns NULL, or a message (static storage); vm_release_piece() then frees what
 * was allocated.
 */
const char *vm_build(struct vm *vm);
/*
 * Whether a device may know addresses of the VM's RAM: one that is passed through to a VM that ran
 * and whose addresses are physical ones. Nothing protects memory from such a device, and only the
 * guest can stop it. So the RAM of a VM that is off is never reused; and a VM that is reset finds
 * its devices as it left them.
 */
bool vm_devices_know_ram(const struct vm *vm);
/*
 * Free RAM (but see above), tables and devices, a piece at a time; true: there is more. The control
 * blocks stay. No vcpu is loaded anywhere.
 */
bool vm_release_piece(struct vm *vm) must_check;
/* After that, free the vcpus of a VM that never started. */
void vm_free_vcpus(struct vm *vm);
/* Power the machine off, after the last VM. */
void vm_all_gone(void);
