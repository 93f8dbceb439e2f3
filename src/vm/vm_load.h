/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a VM's RAM: zeroes, kernel, ramdisk, device tree; at its start and at each reset. */
#pragma once

#include "vm/image.h"
#include "lib/sha256.h"
#include "lib/types.h"

struct vm;

/* What goes where, decided once when the VM is built, and how far it got. */
struct vm_load {
	struct image image;
	u64 initrd;   /* IPA; config->ramdisk.size bytes */
	u64 fdt;      /* PA of the VM's device tree, kept for resets; 0: none */
	u64 fdt_size;
	u32 phase;    /* of phases[] in vm_load.c */
	u32 part;     /* within the phase: chunk of RAM, or segment of the kernel, */
	u64 at;       /* and how many bytes of that are done */
	struct sha256 sha;
	u64 began, told; /* CNTPCT: at the beginning, and at the last line about it */
};

/* Begin anew. No vcpu of the VM is loaded anywhere. */
void vm_load_begin(struct vm *vm);
/*
 * Do a piece: about a millisecond's worth. True: there is more. What takes longer than a second is told
 * in a line now and then. Any CPU that has no vcpu loaded, one at a time.
 */
bool vm_load_piece(struct vm *vm);
