/* SPDX-License-Identifier: Apache-2.0 */
/* The UART for errors that come before the device tree is read, found in the tree itself. */
#pragma once

#include "dev/uart.h"
#include "lib/types.h"

/*
 * What is used until the tree is read: EARLYCON_FOUND sets *at. EARLYCON_NONE: the tree names none
 * that nidus knows. EARLYCON_UNREADABLE: this is no tree, or it breaks off before it names one.
 *
 * As Linux has it, the command line's earlycon=TYPE,ADDRESS comes first, TYPE being pl011 or
 * uart8250, each with ",mmio" or ",mmio32" in between or not; without one that is understood it is
 * the node of stdout-path, whose ancestors have to translate addresses one to one. limit: how many
 * bytes may be read. Reads bytes alone, as it runs before the MMU is on, without libfdt; touches no
 * device; bounded by limit.
 */
enum earlycon { EARLYCON_FOUND, EARLYCON_NONE, EARLYCON_UNREADABLE };
enum earlycon earlycon_find(const void *fdt, u64 limit, struct uart_place *at);

/* The value, of *len characters, of an earlycon= that is not understood; NULL: there is none. */
const char *earlycon_refused(const char *bootargs, int *len);

/* What nidus has drivers for; of several UARTs without a stdout-path the first here. */
#define UART_BINDINGS 5
extern const struct uart_binding {
	char compatible[20];
	enum uart_kind kind;
} uart_bindings[UART_BINDINGS];
