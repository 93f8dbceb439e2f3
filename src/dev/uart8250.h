/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 16550 and its relatives as the machine's UART, DesignWare's among them: registers at multiples
 * of 1 << shift, accessed by bytes or by words. Interrupts and characters are in the PL011's words,
 * and callers serialise, as dev/uart.h says.
 */
#pragma once

#include "lib/types.h"

/* Keeps the baud rate. width: bytes of an access, 1 or 4. */
void uart8250_init(u64 base, u32 shift, u32 width);
u32 uart8250_tx_room(void);
void uart8250_tx(u8 c);
bool uart8250_idle(void);
int uart8250_getc(void);
void uart8250_irq_set(u32 which, bool on);
u32 uart8250_irq_pending(void);
