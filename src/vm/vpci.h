/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's PCI host bridge with its functions: configuration space, which is emulated, and BARs,
 * which stage 2 maps where the guest has put them. The real BARs never move.
 */
#pragma once

#include "lib/types.h"
#include "state/mmio.h"
#include "state/vpci.h"

struct vm;
struct vcpu;

/* Where a VM has its bridge: QEMU virt's places. Each function is a device of its own on bus 0. */
#define VPCI_ECAM 0x3f000000UL
#define VPCI_ECAM_SIZE MIB(1)
#define VPCI_LOW 0x10000000UL
#define VPCI_LOW_SIZE 0x2eff0000UL
#define VPCI_WIDE BIT(39)
#define VPCI_WIDE_SIZE BIT(39) /* less where the VM's addresses end before */
/* Number of the device that is function i of a VM. */
#define VPCI_DEVICE(i) ((i) + 1)

/*
 * Take what the guest is to see of fn from the device: its identity, BARs, and of its capabilities
 * those that are known to be harmless.
 */
void vpci_snapshot(struct vpci_fn *fn);
/* As after a reset of the VM; nothing of it is mapped. Lock held, or no vcpu runs. */
void vpci_fn_reset(struct vm *vm, struct vpci_fn *fn);
/* The configuration space of a VM: for mmio_add(). */
bool vpci_access(struct vcpu *vcpu, void *dev, struct mmio *m);
