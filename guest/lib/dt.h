/* SPDX-License-Identifier: Apache-2.0 */
/* The machine as the guest's device tree describes it, and the program's arguments. */
#pragma once

#include "cpu.h"
#include "lib/types.h"

#define DT_VIRTIO_MAX 32
#define DT_PCI_MAX 32

struct dt {
	u64 ram, ram_size; /* the first /memory range */
	u64 uart;
	u32 uart_intid;
	u64 rtc; /* a PL031; 0: none */
	u32 rtc_intid;
	u64 gicd, gicr, gicr_size; /* the first redistributor region */
	u64 gicr2, gicr2_size;     /* the second; size 0: none */
	u64 its; /* 0: none */
	u64 smmu;                     /* an SMMUv3; 0: none */
	u32 smmu_eventq, smmu_gerror; /* INTIDs */
	bool psci, psci_smc;
	u32 cpu_count; /* those in the tree; only GUEST_CPUS_MAX are used */
	u64 mpidr[GUEST_CPUS_MAX];
	u32 ppi_phys, ppi_virt; /* INTIDs */
	u64 initrd, initrd_size;
	struct {
		u64 base;
		u32 intid;
	} virtio[DT_VIRTIO_MAX]; /* virtio-mmio slots, with a device or without */
	u32 virtio_count;
	struct {
		u64 ecam; /* 0: no host bridge with one */
		u64 low, low_size, wide, wide_size; /* its windows, 32 and 64 bits */
		struct {
			u32 devfn, pin, intid;
		} irq[DT_PCI_MAX];
		u32 irq_count;
	} pci;
	char bootargs[512];
};

extern struct dt dt;

/* Read the tree into dt; returns NULL, or what is wrong with it. */
const char *dt_read(const void *fdt);
/* The number after "name=" among the boot arguments (decimal or 0x), or otherwise. */
u64 dt_arg(const char *name, u64 otherwise);
/* Whether the word is among the boot arguments. */
bool dt_flag(const char *name);
