/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of a guest's kernel file in its memory. */
#pragma once

#include "lib/types.h"
#include "state/load.h"

/*
 * Decide where the kernel file [data, data+size) goes in RAM [ram, ram+ram_size). arm64 Image:
 * text_offset and image_size as the boot protocol says (2 MiB aligned base + text_offset;
 * image_size 0 is an old kernel: offset 0x80000); ELF64 AArch64 little-endian ET_EXEC (or ET_DYN
 * with p_paddr in RAM): program headers by p_paddr, entry e_entry (converted to physical); else
 * raw: 512 KiB into RAM. Pure. The file may be anything and at any alignment; a plan stays inside
 * file and RAM, and its segments do not overlap. Returns NULL or one line that says what is wrong
 * (expected, found), in static storage: one caller at a time.
 */
const char *image_plan(struct image *out, const void *data, u64 size, u64 ram, u64 ram_size);
/*
 * Whether a file says of itself that it is a kernel, perhaps one that can't be loaded: an arm64
 * Image, an ELF, an EFI application. Pure; of a file as for image_plan().
 */
bool image_is_kernel(const void *data, u64 size);
