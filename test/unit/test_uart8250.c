/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's UART of each kind on a model of its registers, written from their manuals
 * (PC16550D, DW_apb_uart, SBSA's appendix B): what is sent and received, errors, interrupts, and
 * that nothing else is touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/mmio_access.h"
#include "dev/pl011_regs.h"
#include "dev/uart.h"

#define BASE 0x10000000UL

/* ---- a 16550 ---- */

static struct machine m;
static u8 ier, fcr, lcr, mcr;
static char sent[256];
static u32 sent_count, in_fifo, busy; /* polls until the transmitter is empty */
static const char *in;
static u32 in_errors; /* of LSR, with the first character */
static bool thri, dw_busy, dw_timeout, has_fifos;
static u32 usr_reads;

static u8 lsr(void)
{
	u8 v = (u8)((*in ? 1U : 0U) | in_errors);

	in_errors = 0;
	if (busy && busy != ~0U)
		busy--;
	if (!busy)
		in_fifo = 0;
	return (u8)(v | (busy ? 0 : 0x60));
}

static u8 iir(void)
{
	u8 fifos = has_fifos && fcr & 1 ? 0xc0 : 0;

	if (dw_busy)
		return fifos | 7;
	if (dw_timeout)
		return fifos | 12;
	if (*in && ier & 1)
		return fifos | 4;
	if (thri && ier & 2) {
		thri = false;
		return fifos | 2;
	}
	return fifos | 1;
}

static u64 read_8250(u32 reg)
{
	switch (reg) {
	case 0:
		dw_timeout = false;
		return *in ? (u8)*in++ : 0xee;
	case 1:
		return ier;
	case 2:
		return iir();
	case 3:
		return lcr;
	case 5:
		return lsr();
	case 31:
		usr_reads++;
		dw_busy = false;
		return 0;
	default:
		fail_msg("register %u is read", reg);
		return 0;
	}
}

static void write_8250(u32 reg, u8 v)
{
	switch (reg) {
	case 0:
		assert_int_equal(lcr & 0x80, 0); /* not the divisor */
		assert_true(in_fifo < (fcr & 1 && has_fifos ? 16U : 1U));
		sent[sent_count++] = (char)v;
		in_fifo++;
		busy = busy ? busy : 3;
		break;
	case 1:
		thri |= ~ier & v & 2;
		ier = v;
		break;
	case 2:
		assert_int_equal(busy, 0); /* nothing is lost */
		fcr = v;
		break;
	case 3:
		lcr = v;
		break;
	case 4:
		mcr = v;
		break;
	default:
		fail_msg("register %u is written", reg);
	}
}

static u64 uart_8250(u64 at, unsigned size, bool write, u64 v)
{
	assert_int_equal(size, m.uart_width);
	assert_int_equal((at - BASE) % (1U << m.uart_shift), 0);
	if (write)
		write_8250((u32)(at - BASE) >> m.uart_shift, (u8)v);
	else
		v = read_8250((u32)(at - BASE) >> m.uart_shift);
	/* What is above a register's byte may be anything. */
	return size == 4 ? v | 0xabcdef00 : v;
}

static void begin(u32 shift, u32 width)
{
	fake_mmio_reset();
	fake_mmio_add(BASE, 0x400, uart_8250);
	m = (struct machine){ .uart = { BASE, 0x400 },
			      .uart_kind = UART_8250,
			      .uart_shift = shift,
			      .uart_width = width };
	ier = fcr = mcr = 0;
	lcr = 0x1b;
	sent_count = in_fifo = usr_reads = in_errors = 0;
	in = "";
	busy = 5; /* firmware's last characters */
	thri = dw_busy = false;
	has_fifos = true;
	uart_init(&m);
}

static void says(const char *s)
{
	sent[sent_count] = '\0';
	assert_string_equal(sent, s);
}

static void sends(void **state)
{
	static const struct {
		u32 shift, width;
	} layouts[] = { { 0, 1 }, { 2, 4 }, { 2, 1 } };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(layouts); i++) {
		begin(layouts[i].shift, layouts[i].width);
		assert_int_equal(lcr, 3); /* 8 bits; the divisor stays */
		assert_int_equal(mcr & 3, 3);
		assert_int_equal(fcr & 1, 1);
		assert_int_equal(ier, 5);
		assert_int_equal(uart_tx_room(), 16);
		for (const char *p = "sixteen of these"; *p; p++)
			uart_tx((u8)*p);
		assert_int_equal(uart_tx_room(), 0);
		uart_putc('!');
		uart_sync();
		assert_int_equal(busy, 0);
		says("sixteen of these!");
	}
	/* A part whose FIFO does not work is one without. */
	begin(0, 1);
	has_fifos = false;
	uart_init(&m);
	assert_int_equal(uart_tx_room(), 1);
}

/* One that never has room costs the wait once. */
static void gets_stuck(void **state)
{
	(void)state;
	begin(2, 4);
	busy = ~0U;
	uart_putc('a');
	uart_putc('b');
	says("");
	uart_sync();
	busy = 0;
	uart_putc('c');
	says("c");
}

static void receives(void **state)
{
	(void)state;
	begin(2, 4);
	assert_int_equal(uart_getc(), -1);
	in = "xyz";
	in_errors = 0x10;
	uart_tx_room(); /* reads LSR, which forgets the error */
	assert_int_equal(uart_getc(), 'x' | PL011_DR_BE);
	in_errors = 0x0e;
	assert_int_equal(uart_getc(), 'y' | PL011_DR_OE | PL011_DR_PE | PL011_DR_FE);
	assert_int_equal(uart_getc(), 'z');
	assert_int_equal(uart_getc(), -1);
}

static void interrupts(void **state)
{
	(void)state;
	begin(2, 4);
	assert_int_equal(uart_irq_pending(), 0);
	in = "a";
	assert_int_equal(uart_irq_pending() & PL011_INT_TX, 0);
	assert_int_not_equal(uart_irq_pending() & PL011_INT_RX, 0);
	uart_irq_set(PL011_INT_RX | PL011_INT_RT, false);
	assert_int_equal(ier, 0);
	assert_int_equal(uart_irq_pending(), 0);
	uart_irq_set(PL011_INT_TX, true);
	assert_int_equal(ier, 2);
	assert_int_equal(uart_irq_pending(), PL011_INT_TX);
	assert_int_equal(uart_irq_pending(), 0);
	uart_irq_set(PL011_INT_TX, false);
	uart_irq_set(PL011_INT_RX | PL011_INT_RT, true);
	assert_int_equal(ier, 5);
	/* DesignWare's complaint of a write of LCR while busy. */
	dw_busy = true;
	assert_int_equal(uart_irq_pending(), 0);
	assert_int_equal(usr_reads, 1);
	assert_false(dw_busy);
	/* And its timeout with nothing to read; one with a character is that character's. */
	dw_timeout = true;
	in = "";
	assert_int_equal(uart_irq_pending(), PL011_INT_RX);
	assert_int_equal(uart_getc(), -1);
	assert_false(dw_timeout);
	assert_int_equal(uart_irq_pending(), 0);
	dw_timeout = true;
	in = "b";
	assert_int_equal(uart_irq_pending(), PL011_INT_RX);
	assert_int_equal(uart_getc() & 0xff, 'b');
	assert_int_equal(uart_getc(), -1);
}

/* ---- SBSA's: a PL011 without registers for what firmware has set up ---- */

static u32 sbsa_imsc;

static u64 uart_sbsa(u64 at, unsigned size, bool write, u64 v)
{
	assert_int_equal(size, 4);
	switch (at - BASE) {
	case PL011_DR:
		if (write)
			sent[sent_count++] = (char)v;
		return 0;
	case PL011_FR:
		return PL011_FR_TXFE | PL011_FR_RXFE;
	case PL011_IMSC:
		sbsa_imsc = (u32)v;
		return 0;
	case PL011_ICR:
		return 0;
	default:
		fail_msg("register 0x%lx is not SBSA's", at - BASE);
		return 0;
	}
}

static void sbsa(void **state)
{
	(void)state;
	fake_mmio_reset();
	fake_mmio_add(BASE, 0x1000, uart_sbsa);
	m = (struct machine){ .uart = { BASE, 0x1000 }, .uart_kind = UART_SBSA };
	sent_count = 0;
	uart_init(&m);
	assert_int_equal(sbsa_imsc, PL011_INT_RX | PL011_INT_RT);
	uart_putc('s');
	uart_sync();
	assert_int_equal(uart_getc(), -1);
	says("s");
	m.uart.size = 0;
	uart_init(&m);
	uart_putc('x');
	says("s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sends),    cmocka_unit_test(gets_stuck),
		cmocka_unit_test(receives), cmocka_unit_test(interrupts),
		cmocka_unit_test(sbsa),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
