/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a guest's kernel file go in its memory. */
#pragma once

#include "lib/types.h"

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

/*
 * Decide where the kernel file [data, data+size) goes in RAM [ram, ram+ram_size). arm64 Image:
 * text_offset and image_size as the boot protocol says (2 MiB aligned base + text_offset; image_size 0 is an
 * old kernel: offset 0x80000); ELF64 AArch64 little-endian ET_EXEC (or ET_DYN with p_paddr in RAM): program headers by p_paddr,
 * entry e_entry (converted to physical); else raw: 512 KiB into RAM. Pure. The file may be anything
 * and at any alignment; a plan stays inside file and RAM, and its segments do not overlap.
 * Returns NULL or one line that says what is wrong (expected, found), in static storage: one caller
 * at a time.
 */
const char *image_plan(struct image *out, const void *data, u64 size, u64 ram, u64 ram_size);
