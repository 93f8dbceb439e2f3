/* SPDX-License-Identifier: Apache-2.0 */
/* Which driver has the machine's UART. */
#include "dev/uart.h"

#include "arch/barrier.h"
#include "dev/pl011.h"
#include "dev/uart8250.h"

static bool is_8250;
static struct uart_place early; /* uart_early()'s, while nothing was said; base 0: none */
static bool stuck; /* the last character did not leave in time */

void uart_none(void)
{
	is_8250 = stuck = false;
	early.base = 0;
	pl011_init(0);
}

static void take(const struct uart_place *at)
{
	is_8250 = at->kind == UART_8250;
	if (is_8250)
		uart8250_init(at->base, at->shift, at->width);
	else if (at->kind == UART_SBSA)
		pl011_init_sbsa(at->base);
	else
		pl011_init(at->base);
}

void uart_init(const struct machine *m)
{
	struct uart_place at = { m->uart.base, m->uart_kind, m->uart_shift, m->uart_width };

	uart_none();
	if (m->uart.size)
		take(&at);
}

void uart_early(const struct uart_place *at)
{
	uart_none();
	early = *at;
}

/* Before its first character. */
static void take_early(void)
{
	struct uart_place at = early;

	early.base = 0;
	take(&at);
}

u32 uart_tx_room(void)
{
	u32 room;

	if (unlikely(early.base))
		take_early();
	room = is_8250 ? uart8250_tx_room() : pl011_tx_room();
	stuck &= !room;
	return room;
}

void uart_tx(u8 c)
{
	/* There was room while there was no UART. */
	if (unlikely(early.base))
		take_early();
	if (is_8250)
		uart8250_tx(c);
	else
		pl011_tx(c);
}

void uart_putc(u8 c)
{
	u32 polls = stuck ? 1 : UART_POLLS;

	for (u32 i = 0; i < polls; i++) {
		if (uart_tx_room()) {
			uart_tx(c);
			return;
		}
		cpu_relax();
	}
	stuck = true;
}

void uart_sync(void)
{
	if (!is_8250)
		pl011_sync();
	for (u32 i = 0; is_8250 && i < UART_POLLS && !uart8250_idle(); i++)
		cpu_relax();
}

int uart_getc(void)
{
	return is_8250 ? uart8250_getc() : pl011_getc();
}

void uart_irq_set(u32 which, bool on)
{
	if (is_8250)
		uart8250_irq_set(which, on);
	else
		pl011_irq_set(which, on);
}

u32 uart_irq_pending(void)
{
	return is_8250 ? uart8250_irq_pending() : pl011_irq_pending();
}
