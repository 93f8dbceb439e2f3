/* SPDX-License-Identifier: Apache-2.0 */
/* The PCI functions of a VM: what its guest sees of them and has set. */
#pragma once

#include "arch/spinlock.h"
#include "lib/types.h"
#include "mm/stage2.h"
#include "state/config.h"

#define VPCI_CFG_WORDS 64 /* of 32 bits: no extended configuration space */
#define VPCI_BARS 6

struct pci_fn;
struct its;
struct vsmmu;

/* Its messages, as read when the VM was built. */
struct vpci_msi {
	u8 cap, msix; /* offsets of the capabilities that are shown; 0: none */
	u32 vectors;  /* of MSI-X: their table and pending bits, by BAR and offset */
	u32 table_bar, table, pba_bar, pba;
	u32 *entry; /* what the guest has written to the table */
};

struct vpci_fn {
	struct pci_fn *dev;
	u32 first[VPCI_CFG_WORDS];    /* at reset, */
	u32 writable[VPCI_CFG_WORDS]; /* the bits that the guest can change, */
	u32 cfg[VPCI_CFG_WORDS];      /* and now */
	struct vpci_msi msi;
	u64 mapped[VPCI_BARS];        /* IPA at which stage 2 has the BAR; 0: nowhere */
};

/* Progress of taking the devices away from a VM (vpci_stop_piece()). */
enum vpci_phase { VPCI_OFF, VPCI_ON, VPCI_WAITING, VPCI_BUS_RESET, VPCI_RESETTING };

struct vpci {
	struct spinlock lock; /* guards cfg[], mapped[] and msi.entry[] of all functions */
	u32 phase;            /* whoever starts or stops the VM */
	u64 since;            /* CNTPCT */
	u64 wide_end;         /* where its wide window ends */
	struct its *its;      /* the machine's that its messages go to; NULL: none do */
	struct vsmmu *smmu;   /* what it sees before them; NULL: nothing */
	struct stage2 dma;    /* what the devices reach */
	bool dma_ready;
	u32 count;
	struct vpci_fn fn[VM_PCI_MAX];
};
