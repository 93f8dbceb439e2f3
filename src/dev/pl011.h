/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's own PL011. Transmission polls, with a bound; reception is by interrupt. Callers
 * serialise: the console's lock for transmission, its input side for reception.
 */
#pragma once

#include "lib/types.h"

/*
 * Take over the UART at physical address base, keeping the baud rate that the firmware or loader
 * set, with FIFOs on and the receive interrupts unmasked. Before this, and with base 0, output is
 * discarded. May run before the MMU is on.
 */
void pl011_init(u64 base);
/* The same for SBSA's generic UART, which has no registers for what firmware has set up. */
void pl011_init_sbsa(u64 base);
/*
 * The number of characters that can be written now without reading the FIFO's state in between; 0:
 * none.
 */
u32 pl011_tx_room(void);
/* Write one character for which there is room. */
void pl011_tx(u8 c);
/* Wait, for a bounded time, until all has left the UART. */
void pl011_sync(void);

/* The next received character with its error bits 11..8 (PL011_DR_BE ...), or -1. */
int pl011_getc(void);

/* Unmask (on) or mask interrupts PL011_INT_...; any CPU, takes a leaf lock. */
void pl011_irq_set(u32 which, bool on);
/* The unmasked interrupts that are pending. */
u32 pl011_irq_pending(void);
