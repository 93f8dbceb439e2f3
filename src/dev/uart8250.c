/* SPDX-License-Identifier: Apache-2.0 */
/* Driver of a 16550 (National Semiconductor's PC16550D; DesignWare's DW_apb_uart). */
#include "dev/uart8250.h"

#include "arch/mmio_access.h"
#include "arch/spinlock.h"
#include "dev/pl011_regs.h"
#include "dev/uart.h"
#include "mm/addr.h"

/* Registers, in units of 1 << shift. */
#define RBR_THR 0
#define IER 1
#define IIR 2 /* FCR when written */
#define LCR 3
#define MCR 4
#define LSR 5
#define USR 31 /* DesignWare's; reading it ends a busy interrupt */

#define IER_RX (1U << 0)
#define IER_TX (1U << 1)
#define IER_LINE (1U << 2)
#define FCR_ENABLE 7U /* and empty both FIFOs */
#define IIR_NONE 1U
#define IIR_ID 15U
#define IIR_TX 2U
#define IIR_BUSY 7U
#define IIR_TIMEOUT 12U
#define IIR_FIFOS 0xc0U
#define LCR_8BITS 3U /* with DLAB clear */
#define MCR_ON 11U   /* DTR, RTS, and OUT2, which lets interrupts through where it is wired so */
#define LSR_DATA (1U << 0)
#define LSR_OE (1U << 1)
#define LSR_PE (1U << 2)
#define LSR_FE (1U << 3)
#define LSR_BI (1U << 4)
#define LSR_ERRORS (LSR_OE | LSR_PE | LSR_FE | LSR_BI)
#define LSR_THRE (1U << 5)
#define LSR_TEMT (1U << 6)

#define FIFO 16

static u8 *regs;
static u32 shift, width;
static u32 fifo;                 /* characters that its FIFO takes */
static u32 errors; /* atomic: read from LSR, which forgets them, and not yet handed on */
static struct spinlock irq_lock; /* guards ier */
static u32 ier;

static u32 read(u32 reg)
{
	u8 *at = regs + ((size_t)reg << shift);

	return width == 4 ? mmio_read32(at) & 0xff : mmio_read8(at);
}

static void write(u32 reg, u32 v)
{
	u8 *at = regs + ((size_t)reg << shift);

	if (width == 4)
		mmio_write32(at, v);
	else
		mmio_write8(at, (u8)v);
}

static u32 read_lsr(void)
{
	u32 lsr = read(LSR);

	__atomic_fetch_or(&errors, lsr & LSR_ERRORS, __ATOMIC_RELAXED);
	return lsr;
}

bool uart8250_idle(void)
{
	return read_lsr() & LSR_TEMT;
}

/* Once idle: emptying the FIFO loses characters, and DesignWare's ignores LCR while busy. */
void uart8250_init(u64 base, u32 reg_shift, u32 reg_width)
{
	regs = pa_ptr(pa(base));
	shift = reg_shift;
	width = reg_width;
	errors = 0;
	write(IER, 0);
	for (u32 i = 0; i < UART_POLLS && !uart8250_idle(); i++)
		cpu_relax();
	write(LCR, LCR_8BITS);
	write(IIR, FCR_ENABLE);
	write(MCR, MCR_ON);
	fifo = (read(IIR) & IIR_FIFOS) == IIR_FIFOS ? FIFO : 1;
	ier = IER_RX | IER_LINE;
	write(IER, ier);
}

/* THRE says that the FIFO is empty; there is no sign that it is not full. */
u32 uart8250_tx_room(void)
{
	return read_lsr() & LSR_THRE ? fifo : 0;
}

void uart8250_tx(u8 c)
{
	write(RBR_THR, c);
}

int uart8250_getc(void)
{
	u32 entry, bad;

	if (!(read_lsr() & LSR_DATA)) {
		/* A timeout with nothing to read, as DesignWare's has at times, ends by a read. */
		if ((read(IIR) & IIR_ID) == IIR_TIMEOUT && !(read_lsr() & LSR_DATA))
			(void)read(RBR_THR);
		return -1;
	}
	entry = read(RBR_THR) & 0xff;
	bad = __atomic_exchange_n(&errors, 0, __ATOMIC_RELAXED);
	entry |= bad & LSR_OE ? PL011_DR_OE : 0;
	entry |= bad & LSR_PE ? PL011_DR_PE : 0;
	entry |= bad & LSR_FE ? PL011_DR_FE : 0;
	entry |= bad & LSR_BI ? PL011_DR_BE : 0;
	return (int)entry;
}

void uart8250_irq_set(u32 which, bool on)
{
	u32 bits = (which & (PL011_INT_RX | PL011_INT_RT) ? IER_RX | IER_LINE : 0) |
		   (which & PL011_INT_TX ? IER_TX : 0);

	spin_lock(&irq_lock);
	ier = on ? ier | bits : ier & ~bits;
	write(IER, ier);
	spin_unlock(&irq_lock);
}

u32 uart8250_irq_pending(void)
{
	u32 iir = read(IIR) & IIR_ID;

	if (iir == IIR_BUSY)
		read(USR);
	if (iir & IIR_NONE)
		return 0;
	return iir == IIR_TX ? PL011_INT_TX : PL011_INT_RX;
}
