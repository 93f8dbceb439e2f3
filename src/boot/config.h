/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM is to be: read from /chosen of the machine's device tree (Xen's dom0less bindings). */
#pragma once

#include "boot/fdt.h"
#include "lib/types.h"

#define VM_CONFIG_MAX 16
#define VM_PASSTHROUGH_MAX 16
#define VM_NAME_MAX 32
#define VM_VCPUS_MAX 16

#define CONFIG_LINE_MAX 192

#define SVE_MAX 0xffff /* sve property empty: the machine's maximum */

/* A device of the machine that one VM gets: registers mapped 1:1, interrupts routed to it. */
struct passthrough {
	int node; /* offset in the machine's device tree */
	struct range reg[4];
	u32 reg_count;
	u32 intid[8];
	bool edge[8];
	u32 intid_count;
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
	bool simd_switch; /* nidus,simd = "switch" */
	u32 sve, sme;     /* largest vector length in bits; 0 off; SVE_MAX the machine's */
	u64 stage2_block; /* largest stage-2 leaf in bytes: 4 KiB, 2 MiB, 1 GiB; 0: the default */
	struct range kernel, ramdisk; /* physical; size 0: none */
	const char *bootargs;
	struct passthrough pass[VM_PASSTHROUGH_MAX];
	u32 pass_count;
};

struct vm_configs {
	struct vm_config vm[VM_CONFIG_MAX];
	u32 count;
	/* Lines for nodes that are wrong; those VMs are not in vm[]. */
	char error[VM_CONFIG_MAX][CONFIG_LINE_MAX];
	u32 error_count;
	/* Lines for the user to know of VMs that do start; the last says so if there were more. */
	char note[VM_CONFIG_MAX][CONFIG_LINE_MAX];
	u32 note_count;
};

/*
 * Read all VM configurations from m->fdt: nodes compatible with "xen,domain" in /chosen, and the
 * loose boot modules there (QEMU's guest-loader), whose options are words of m->bootargs
 * (docs/config.md). A faulty node gives one error line ("/chosen/a: memory: expected ..., found ...")
 * and no VM; the others are unaffected. Modules of all nodes (also faulty ones) are added to m->rsv.
 * Also refuses: overlapping modules (but two VMs may name one and the same), modules outside RAM or
 * over nidus itself (self), two VMs that claim one device (the second is refused), passthrough of
 * nidus's own UART or GIC. What the CPU lacks (FEAT_NV2, a vector length) is vm_create()'s to say.
 * Pure but for m->rsv; boot CPU.
 */
void config_read(struct vm_configs *out, struct machine *m, struct range self);
