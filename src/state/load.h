/* SPDX-License-Identifier: Apache-2.0 */
/* The sources of a VM's initial RAM contents, and the progress of loading them. */
#pragma once

#include "lib/sha256.h"
#include "lib/types.h"
#include "state/config.h"

enum image_kind { IMAGE_ARM64, IMAGE_ELF, IMAGE_RAW };

#define IMAGE_SEGMENTS_MAX 8

/* How a kernel is to be laid out in guest RAM. */
struct image {
	enum image_kind kind;
	u64 entry;
	u32 segments;
	struct image_segment {
		u64 offset; /* in the file */
		u64 filesz; /* bytes to copy */
		u64 ipa;    /* to here */
		u64 memsz;  /* bytes it occupies there (the rest is zero) */
	} segment[IMAGE_SEGMENTS_MAX];
	u64 end; /* first IPA after all of it; what a raw binary or an Image before Linux 3.17 uses
		    beyond its file is unknown, so put nothing close behind one */
};

/* The layout of a VM's RAM, decided once when the VM is built, and the progress of loading it. */
struct vm_load {
	struct image image;
	u64 initrd;   /* IPA; config->ramdisk.size bytes */
	u64 handed[VM_HANDED_MAX]; /* IPA of each of config->handed[] */
	u64 fdt;      /* PA of the VM's device tree, kept for resets; 0: none */
	u64 fdt_size;
	u32 phase;    /* of phases[] in vm_load.c */
	u32 part;     /* within the phase: chunk of RAM, or segment of the kernel, */
	u64 at;       /* and how many bytes of that are done */
	struct sha256 sha;
	u64 began, told; /* CNTPCT: at the beginning, and at the last progress message */
};
