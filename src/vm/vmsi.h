/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages (MSI, MSI-X) of a VM's PCI functions. A device writes its message to the doorbell of the
 * VM's ITS, where the SMMU has that of the machine's; so the guest's own address and data stand in
 * the device. The machine's ITS knows the device, all of whose events are LPIs of nidus's, and the
 * VM's ITS says what they are for the VM.
 */
#pragma once

#include "state/mmio.h"
#include "state/vpci.h"

struct vm;

/*
 * Give the VM an ITS, if it is to have one or has functions with messages. After its interrupt
 * controller, before vpci_build(). NULL, or why not.
 */
const char *vmsi_build(struct vm *vm);
/* The opposite; of a VM that has run, without what its device may still use. */
void vmsi_done(struct vm *vm);

/* Show the capability at `at` of the function; its size, or 0: it stays hidden. */
u32 vmsi_show_msi(struct vpci_fn *fn, u32 at);
u32 vmsi_show_msix(struct vpci_fn *fn, u32 at);
/* The guest has changed cfg[word]: the device follows. Lock held. */
void vmsi_follow(struct vm *vm, struct vpci_fn *fn, u32 word);
/* Bits of cfg[word] that only the device knows. Lock held. */
u32 vmsi_read(const struct vpci_fn *fn, u32 word);

/* As after a reset: all vectors masked, for the guest; in the device too, which decodes. */
void vmsi_fn_reset(struct vpci_fn *fn);
void vmsi_start(struct vpci_fn *fn);
/* The device sends no messages any more. */
void vmsi_stop(struct vpci_fn *fn);

/*
 * Pages of BAR i that stage 2 has to leave out: the first such range at or behind `from`, size 0:
 * none.
 */
struct range vmsi_hole(const struct vpci_fn *fn, u32 i, u64 from);
/* An access to the windows of the BARs: to the pages that are left out. */
mmio_fn vmsi_access_low, vmsi_access_wide;
