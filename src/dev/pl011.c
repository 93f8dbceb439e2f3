/* SPDX-License-Identifier: Apache-2.0 */
/* Driver of the machine's PL011. */
#include "dev/pl011.h"

#include "arch/mmio_access.h"
#include "arch/spinlock.h"
#include "dev/pl011_regs.h"
#include "dev/uart.h"
#include "mm/addr.h"

static u8 *regs;                 /* NULL: no UART */
static struct spinlock irq_lock; /* guards imsc */
static u32 imsc;

static u32 read(u32 reg)
{
	return mmio_read32(regs + reg);
}

static void write(u32 reg, u32 v)
{
	mmio_write32(regs + reg, v);
}

void pl011_sync(void)
{
	for (u32 i = 0; regs && i < UART_POLLS && read(PL011_FR) & PL011_FR_BUSY; i++)
		cpu_relax();
}

static void take(u64 base)
{
	regs = base ? pa_ptr(pa(base)) : NULL;
	imsc = PL011_INT_RX | PL011_INT_RT;
}

void pl011_init_sbsa(u64 base)
{
	take(base);
	write(PL011_ICR, PL011_INT_ALL);
	write(PL011_IMSC, imsc);
}

/*
 * The order that the manual requires: disable, wait for the last character, set the line up,
 * enable.
 */
void pl011_init(u64 base)
{
	u32 cr;

	take(base);
	if (!regs)
		return;
	write(PL011_IMSC, 0);
	cr = read(PL011_CR);
	pl011_sync();
	write(PL011_CR, 0);
	write(PL011_LCR_H, PL011_LCR_WLEN8 | PL011_LCR_FEN);
	write(PL011_ICR, PL011_INT_ALL);
	cr &= PL011_CR_RTSEN | PL011_CR_CTSEN;
	write(PL011_CR, cr | PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE | PL011_CR_DTR |
				PL011_CR_RTS);
	write(PL011_IMSC, imsc);
}

u32 pl011_tx_room(void)
{
	u32 fr;

	if (!regs)
		return PL011_FIFO;
	fr = read(PL011_FR);
	if (fr & PL011_FR_TXFF)
		return 0;
	return fr & PL011_FR_TXFE ? PL011_FIFO : 1;
}

void pl011_tx(u8 c)
{
	if (regs)
		write(PL011_DR, c);
}

int pl011_getc(void)
{
	if (!regs || (read(PL011_FR) & PL011_FR_RXFE))
		return -1;
	return read(PL011_DR) & 0xfff;
}

void pl011_irq_set(u32 which, bool on)
{
	if (!regs)
		return;
	spin_lock(&irq_lock);
	imsc = on ? imsc | which : imsc & ~which;
	write(PL011_IMSC, imsc);
	spin_unlock(&irq_lock);
}

u32 pl011_irq_pending(void)
{
	return regs ? read(PL011_MIS) : 0;
}
