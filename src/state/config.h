/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a VM. */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

#define VM_PASSTHROUGH_MAX 16
#define PASS_STREAMS_MAX 4
#define VM_NAME_MAX 32
#define VM_VCPUS_MAX 16
#define VM_HANDED_MAX 16
#define VM_PCI_MAX 8
#define VM_PCI_NAME 16 /* "0000:00:01.0" */

/* Whether a VM sees an SMMU before its PCI functions. */
enum vm_iommu { VM_IOMMU_DEFAULT, VM_IOMMU_ON, VM_IOMMU_OFF };

#define SVE_MAX 0xffff /* sve property empty: the machine's maximum */

/* A device of the machine that one VM gets: registers mapped 1:1, interrupts routed to it. */
struct passthrough {
	int node; /* offset in the machine's device tree */
	struct range reg[4];
	u32 reg_count;
	u32 intid[8];
	bool edge[8];
	u32 intid_count;
	struct {
		int smmu; /* offset of its node */
		u32 sid;
	} stream[PASS_STREAMS_MAX];
	u32 stream_count; /* 0: there is no SMMU before it, or none that is known */
};

/* A module for the VM's own VMs: put into its RAM and named in its /chosen. */
struct handed_module {
	int node;          /* offset in the machine's device tree */
	struct range file; /* physical */
};

struct vm_config {
	char name[VM_NAME_MAX]; /* the node's name; "guest" for QEMU's guest-loader modules alone */
	char path[96];          /* of the node, for messages */
	int node;               /* its offset in the machine's device tree, -1 if it has none */
	u64 mem_size;           /* bytes */
	u32 cpus;
	u64 affinity[VM_VCPUS_MAX]; /* bit n: the CPU with number n (struct cpu) allowed; ~0: any */
	bool vpl011;
	bool nested, direct_map;
	bool deep; /* and nested: its hypervisor is shown FEAT_NV2 as well */
	bool nvhe; /* and nested: its EL2 has no VHE (HCR_EL2.E2H is 0) */
	bool firmware; /* its kernel is firmware, as in a machine's flash, with one for variables */
	bool simd_switch; /* nidus,simd = "switch" */
	u32 sve, sme;     /* largest vector length in bits; 0 off; SVE_MAX the machine's */
	bool simd_said;   /* one of these was given */
	u64 stage2_block; /* largest stage-2 leaf in bytes: 4 KiB, 2 MiB, 1 GiB; 0: the default */
	bool its; /* it has an ITS, also without PCI functions that need one */
	enum vm_iommu iommu;          /* the default: if it is nested */
	struct range kernel, ramdisk; /* physical; size 0: none */
	const char *bootargs;
	struct passthrough pass[VM_PASSTHROUGH_MAX];
	u32 pass_count;
	char pci[VM_PCI_MAX][VM_PCI_NAME]; /* PCI functions that it gets */
	u32 pci_count;
	int chosen; /* offset of the node whose contents go into the VM's /chosen, 0: none */
	struct handed_module handed[VM_HANDED_MAX];
	u32 handed_count;
};
