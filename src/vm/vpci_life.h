/* SPDX-License-Identifier: Apache-2.0 */
/* How a VM gets its PCI functions, and how they are taken away from it. */
#pragma once

#include "lib/types.h"

struct vm;
struct guest_pci;

/*
 * Claim the functions that the configuration names, before the VM has stage-2 tables. NULL, or why
 * it can't have them (static storage). vm->pci is NULL if there are none.
 */
const char *vpci_claim(struct vm *vm);
/* Pages that stage-2 tables for the BARs can need, wherever the guest puts them. */
u64 vpci_table_pages(const struct vm *vm);
/* The rest, with stage 2 and interrupt controller there. NULL, or why not. */
const char *vpci_build(struct vm *vm);
/* What the guest's device tree is to say, into *pci; returns it, or NULL if there is no bridge. */
const struct guest_pci *guest_pci_of(const struct vm *vm, struct guest_pci *pci);
/* Before the first instruction: the devices work for the VM. False: an SMMU does not answer. */
bool vpci_start(struct vm *vm) must_check;
/*
 * Take the devices away: they master no memory any more, what they were writing has arrived, and
 * they are reset if they can be. A piece at a time; true: there is more. No vcpu is loaded. If an
 * SMMU does not answer, vm->devices_may_write is set: a device may still write.
 */
bool vpci_stop_piece(struct vm *vm) must_check;
/* Free what vpci_claim() took, after vpci_stop_piece(). */
void vpci_destroy(struct vm *vm);
