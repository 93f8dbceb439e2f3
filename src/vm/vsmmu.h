/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SMMUv3 that a VM sees before its PCI functions: stage 1 alone, by which a hypervisor in it
 * confines devices that it gives to its own VMs. Its tables are walked by the machine's SMMU,
 * before nidus's stage 2; what is emulated are registers, stream table, commands and events
 * (IHI 0070).
 */
#pragma once

#include "lib/types.h"

struct vm;
struct guest_pci;

/*
 * Decide whether the VM has one, with its functions claimed, and where: vm->layout.smmu and
 * smmu_intid. NULL, or why it can't be (static storage).
 */
const char *vsmmu_claim(struct vm *vm);
/* Make it, after the functions have their streams. NULL, or why not. */
const char *vsmmu_build(struct vm *vm);
/* As after a reset, all streams attached: nothing stands before stage 2. No vcpu runs. */
void vsmmu_start(struct vm *vm);
/* Free it. No stream is attached. */
void vsmmu_destroy(struct vm *vm);
/* What the device tree is to say: its place, and the streams of functions. */
void vsmmu_describe(const struct vm *vm, struct guest_pci *pci);
