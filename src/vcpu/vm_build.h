/* SPDX-License-Identifier: Apache-2.0 */
/* Building a VM from its configuration, and taking it apart. */
#pragma once

#include "lib/types.h"

struct vm;

/*
 * Give vm memory, stage-2 tables, devices, vcpus and its images, as vm->config says. Returns NULL, or what is wrong in
 * words (static storage); vm_release() then takes back what was given.
 */
const char *vm_build(struct vm *vm);
/* Put kernel, initrd and device tree into (zeroed) RAM, set vm->entry and vm->fdt_ipa. */
const char *vm_load_images(struct vm *vm);
/* Free RAM, tables and devices; the control blocks stay. No vcpu is loaded anywhere. */
void vm_release(struct vm *vm);
/* After vm_release() of a VM that never started: its vcpus too. */
void vm_free_vcpus(struct vm *vm);
/* The last VM is gone (boot.c): power the machine off. */
void vm_all_gone(void);
