/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nidus's own translation (EL2&0, HCR_EL2.E2H=1): an identity map. Order at boot:
 *
 *   stage1_early()        boot CPU, MMU off: the image, the head of the device tree, an early
 *                         console
 *   stage1_enable()       every CPU: MMU and caches on
 *   stage1_map_tree()     boot CPU: the rest of the tree, once its size is read
 *   stage1_map_machine()  boot CPU: RAM and nidus's devices instead, once the tree is read
 *
 * The tables that stage1_early() makes are the ones that stay. The tree is read with the caches on,
 * because a loader need not clean it to memory.
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

/* Indices in MAIR_EL2. */
enum { STAGE1_NORMAL, STAGE1_DEVICE };

/*
 * Build the tables: the image by 4 KiB pages (.text read and execute, .rodata read, the rest read
 * and write), the 2 MiB region that fdt points into as RAM, the page of early_uart (0: none) as a
 * device. Writes only plain aligned words: runs with the MMU off, before any other CPU.
 * head.S has zeroed .bss and relocated.
 */
void stage1_early(u64 fdt, u64 early_uart);
/*
 * On this CPU, HCR_EL2.E2H=1: MMU and caches on, TLBs empty, no stage 2 in force. Reads only what
 * stage1_early() wrote.
 */
void stage1_enable(void);
/*
 * Map the 2 MiB regions of a tree that ends at end. -ENOMEM, or -EINVAL (beyond the machine's
 * addresses).
 */
int stage1_map_tree(u64 end) must_check;
/*
 * Add all RAM of m (read, write) but what may not be mapped, and the registers of its GIC and UART;
 * take out what was mapped to read the tree, but for the tree. m->uart.size becomes 0 if that
 * cannot be mapped; a machine of many ranges gives up RAM for tables (m->rsv). Returns NULL, or
 * what cannot be mapped. No message may be printed meanwhile: the early console is gone.
 */
const char *stage1_map_machine(struct machine *m);
/* The RAM that stage1_map_machine() took for tables; size 0: none. */
struct range stage1_donated(void);
/*
 * Map more RAM, the pages of [base, base+size): a boot module in memory that is reserved. False: no
 * page for tables.
 */
bool stage1_map_ram(u64 base, u64 size) must_check;
/*
 * Make device registers [pa, pa+size), in whole pages, reachable (Device-nGnRE, never executable).
 * -EEXIST if any of it is mapped as something else, -ENOMEM, -EINVAL (beyond the machine's
 * addresses). Takes a lock.
 */
int stage1_map_device(u64 pa, u64 size) must_check;
/*
 * Unmap [va, va+size), page multiples, so that an access faults: a guard below a stack. Inside the
 * image only (-EINVAL), where every page is mapped by itself and nothing else is disturbed.
 */
int stage1_guard(u64 va, u64 size) must_check;
