/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: addresses of nidus's own in the half of TTBR1_EL2, by number, each mapping a page of RAM
 * or nothing. Only hardware uses them (VNCR_EL2). The same number: one caller at a time.
 */
#pragma once

#include "lib/types.h"

#define WINDOWS 1024
#define WINDOW_BITS 25 /* of an address: the least without FEAT_TTST, from a table of level 2 */

/* TTBR1_EL2. */
u64 window_table(void);
/* The address of a window. */
u64 window_address(u32 n);
/* Map it, which is shut, to the page at pa. */
void window_open(u32 n, u64 pa, bool writable);
/* Unmap the page; returns when no CPU sees it any more. */
void window_close(u32 n);
