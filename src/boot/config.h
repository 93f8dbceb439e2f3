/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations of the VMs: read from /chosen of the machine's device tree (Xen's dom0less
 * bindings).
 */
#pragma once

#include "boot/fdt.h"
#include "lib/types.h"
#include "state/config.h"

#define VM_CONFIG_MAX 16
#define CONFIG_LINE_MAX 192

struct vm_configs {
	struct vm_config vm[VM_CONFIG_MAX];
	u32 count;
	/* Lines for nodes that are wrong; those VMs are not in vm[]. */
	char error[VM_CONFIG_MAX][CONFIG_LINE_MAX];
	u32 error_count;
	/* Notes for the user about VMs that do start; the last one says if there were more. */
	char note[VM_CONFIG_MAX][CONFIG_LINE_MAX];
	u32 note_count;
};

/*
 * Read all VM configurations from m->fdt: nodes compatible with "xen,domain" in /chosen, and the
 * loose boot modules there (QEMU's guest-loader), whose options are words of m->bootargs
 * (docs/config.md). A faulty node gives one error line ("/chosen/a: memory: expected ..., found
 * ...") and no VM; the others are unaffected. Modules of all nodes (also faulty ones) are added to
 * m->rsv.
 * Also refuses: overlapping modules (but two VMs may name one and the same), modules outside RAM or
 * over nidus itself (self), two VMs that claim one device (the second is refused), passthrough of
 * nidus's own UART or GIC. Whether the CPU has what a VM needs (FEAT_NV2, a vector length) is
 * checked by vm_create(). Pure but for m->rsv; boot CPU.
 */
void config_read(struct vm_configs *out, struct machine *m, struct range self);
/* Whether word is one of the words of a command line. */
bool config_has_word(const char *bootargs, const char *word);
/*
 * Read nidus.trace=MiB from nidus's command line; 0 if absent. False: not a number from 1 to 4096.
 */
bool config_trace(const char *bootargs, u64 *mib) must_check;
/*
 * Read nidus.pci-vfs=FUNCTION:N,... from nidus's command line into vfs (room for PCI_VFS_MAX).
 * Returns how many; -1: something else stands there, with a message in line.
 */
struct pci_vfs;
int config_pci_vfs(const char *bootargs, struct pci_vfs *vfs, char *line, size_t size) must_check;
