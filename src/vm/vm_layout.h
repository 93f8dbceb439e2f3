/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that a VM's parts do not overlap, in guest addresses and INTIDs. */
#pragma once

#include "lib/types.h"
#include "state/config.h"

struct vm;

/*
 * Whether vm's RAM, GIC, UART and passed-through devices overlap nowhere: guest addresses by the
 * page, and INTIDs. Needs vm->config, layout and ram[]. Returns NULL, or a line that names the
 * property and both parties (static storage). Pure.
 */
const char *vm_layout_check(const struct vm *vm) must_check;

/*
 * Where the VM has something else, move its clock (vm->layout.rtc, rtc_intid) to an address and an
 * INTID that are free. After vpci_claim(). NULL, or a line: there are none.
 */
const char *vm_layout_clock(struct vm *vm) must_check;

/*
 * Give it an SMMU of its own (vm->layout.smmu, smmu_intid): where QEMU virt has it, or with
 * nidus,direct-map where the machine has `like`. After vpci_claim(), before
 * vm_layout_clock(). NULL, or a line: there are no INTIDs.
 */
struct smmu;
const char *vm_layout_smmu(struct vm *vm, const struct smmu *like) must_check;

/*
 * Place the modules of c->handed[], in pages of their own in [floor, top), from the top down; the
 * same file once. False: there is no room. Pure.
 */
bool vm_place_handed(u64 at[VM_HANDED_MAX], const struct vm_config *c, u64 floor,
		     u64 top) must_check;
