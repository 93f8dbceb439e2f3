/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's UART, of any kind that nidus knows. What concerns one character or one interrupt is
 * said in the PL011's words (dev/pl011_regs.h): PL011_INT_RX, _RT and _TX, and the bits of its DR.
 * Callers serialise as dev/pl011.h says.
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

/*
 * Reads of a status register before the UART counts as stuck. One takes 0.1 us or more on a real
 * bus: this is many times what a character takes at 9600 baud.
 */
#define UART_POLLS 200000

/* Take over m->uart, keeping its baud rate; size 0: none, output is discarded. */
void uart_init(const struct machine *m);
/* No UART: output is discarded. */
void uart_none(void);
/* A UART: shift and width are an 8250's (struct machine). */
struct uart_place {
	u64 base; /* 0: none */
	enum uart_kind kind;
	u32 shift, width;
};

/*
 * Assume this one until uart_init(). It is not accessed before the first character, which does
 * what uart_init() does. May run before the MMU is on.
 */
void uart_early(const struct uart_place *at);

/* How many characters can be written now without asking again. */
u32 uart_tx_room(void);
/* Write one for which there is room. */
void uart_tx(u8 c);
/*
 * Write one, waiting for room for a bounded time. A UART that never has room (flow control without
 * a receiver) costs that wait once; until it has room again, output is discarded.
 */
void uart_putc(u8 c);
/* Wait, for a bounded time, until all has left the UART. */
void uart_sync(void);
/* The next received character with its error bits, or -1. */
int uart_getc(void);
/* Unmask (on) or mask interrupts; any CPU, takes a leaf lock. */
void uart_irq_set(u32 which, bool on);
/* The unmasked interrupts that are pending. */
u32 uart_irq_pending(void);
