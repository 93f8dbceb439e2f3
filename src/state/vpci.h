/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI functions of a VM: what its guest sees of them and has set. */
#pragma once

#include "arch/spinlock.h"
#include "lib/types.h"
#include "state/config.h"

#define VPCI_CFG_WORDS 64 /* of 32 bits: no extended configuration space */
#define VPCI_BARS 6

struct pci_fn;

struct vpci_fn {
	struct pci_fn *dev;
	u32 first[VPCI_CFG_WORDS];    /* at reset, */
	u32 writable[VPCI_CFG_WORDS]; /* the bits that the guest can change, */
	u32 cfg[VPCI_CFG_WORDS];      /* and now */
	u64 mapped[VPCI_BARS];        /* IPA at which stage 2 has the BAR; 0: nowhere */
};

/* Progress of taking the devices away from a VM (vpci_stop_piece()). */
enum vpci_phase { VPCI_OFF, VPCI_ON, VPCI_WAITING, VPCI_BUS_RESET, VPCI_RESETTING };

struct vpci {
	struct spinlock lock; /* guards cfg[] and mapped[] of all functions */
	u32 phase;            /* whoever starts or stops the VM */
	u64 since;            /* CNTPCT */
	u64 wide_end;         /* where its wide window ends */
	u32 count;
	struct vpci_fn fn[VM_PCI_MAX];
};
