/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's PCI host bridge in its device tree. */
#pragma once

#include "lib/types.h"
#include "state/config.h"

/* What it says. */
struct guest_pci {
	struct {
		u32 device, pin, intid; /* pin 0: no interrupt */
		u32 stream;             /* at its SMMU */
	} fn[VM_PCI_MAX];
	u32 count;
	bool messages; /* to the VM's ITS */
	u64 smmu;      /* 0: it sees none */
	u32 smmu_intid[2];
	u64 ecam, ecam_size;
	u64 low, low_size, wide, wide_size; /* windows for BARs, each at its own address */
};

/* The numbers by which nodes name its interrupt controller, ITS and SMMU. */
struct guest_phandles {
	u32 gic, its, smmu;
};

/* Write its node, and that of its SMMU if it has one. Returns 0 or a libfdt error. */
int guest_fdt_pci(void *fdt, const struct guest_pci *pci, const struct guest_phandles *at);
/* Write the node of an ITS, below that of its GIC; nothing if `at` is 0. The same. */
int guest_fdt_its(void *fdt, u64 at, u32 phandle);
