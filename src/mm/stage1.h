/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nidus's own translation (EL2&0, HCR_EL2.E2H=1): an identity map. Order at boot:
 *
 *   stage1_early()        boot CPU, MMU off: the image, the device tree, an early console
 *   stage1_enable()       every CPU: MMU and caches on
 *   stage1_map_machine()  boot CPU: all RAM and nidus's devices, once the device tree is read
 *
 * The tables that stage1_early() makes are the ones that stay; later steps only add to them. The
 * tree is read with the caches on, because a loader need not clean it to memory.
 */
#pragma once

#include "boot/fdt.h"
#include "lib/types.h"

/*
 * Build the tables: the image by 4 KiB pages (.text read and execute, .rodata read, the rest read
 * and write), the 2 MiB regions that hold [fdt, fdt+fdt_max) as RAM, the page of early_uart (0:
 * none) as a device. Writes only plain aligned words: runs with the MMU off, before any other CPU.
 * head.S has zeroed .bss and relocated.
 */
void stage1_early(u64 fdt, u64 fdt_max, u64 early_uart);
/*
 * On this CPU, HCR_EL2.E2H=1: MMU and caches on, TLBs empty, no stage 2 in force. Reads only what
 * stage1_early() wrote.
 */
void stage1_enable(void);
/*
 * Add all RAM of m (read, write) and the registers of its GIC and UART. CHECKs: without them nidus
 * can't run.
 */
void stage1_map_machine(const struct machine *m);
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
