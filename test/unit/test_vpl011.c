/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The emulated PL011 as its manual describes it and as common drivers use it; the console is faked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vm/console.h"
#include "dev/pl011_regs.h"
#include "vm/vpl011.h"
#include "state/vm.h"
#include "vgic/vgic.h"

#define INTID 33

/* ---- the console's and the vgic's side ------------------------------------------------------ */

struct console_port {
	int dummy;
};

static struct console_port port;
static char out[4096];
static size_t out_len, out_room;
static unsigned attached, detached, pushes, resumes, irq_changes;
static bool line, rx_paused;

struct console_port *console_attach(const struct vm *vm, const char *name, struct vpl011 *uart)
{
	(void)vm;
	(void)uart;
	assert_string_equal(name, "guest");
	attached++;
	return &port;
}

void console_detach(struct console_port *p)
{
	assert_ptr_equal(p, &port);
	detached++;
}

bool console_putc(struct console_port *p, u8 c)
{
	assert_ptr_equal(p, &port);
	if (out_len == out_room)
		return false;
	out[out_len++] = (char)c;
	return true;
}

void console_push(struct console_port *p)
{
	assert_ptr_equal(p, &port);
	pushes++;
}

bool console_rx_paused(void)
{
	return rx_paused;
}

void console_rx_resume(void)
{
	resumes++;
	rx_paused = false;
}

void vgic_set_spi(struct vm *vm, u32 intid, bool level)
{
	(void)vm;
	assert_int_equal(intid, INTID);
	assert_int_not_equal(level, line); /* only changes are reported */
	line = level;
	irq_changes++;
}

/* ---- the guest's side ----------------------------------------------------------------------- */

static struct vm_config config = { .name = "guest" };
static struct vm vm;

int mmio_add(struct mmio_bus *bus, u64 base, u64 size, mmio_fn *fn, void *dev)
{
	assert_non_null(bus);
	assert_int_equal(base, 0x09000000);
	assert_int_equal(size, PL011_SIZE);
	assert_ptr_equal(fn, vpl011_mmio);
	assert_non_null(dev);
	bus->region[bus->count++].dev = dev;
	return 0;
}

static u64 rd_sized(u64 offset, u8 size)
{
	struct mmio m = { .offset = offset, .size = size };

	assert_true(vpl011_mmio(NULL, vm.uart, &m));
	return m.data;
}

static u32 rd(u64 offset)
{
	return (u32)rd_sized(offset, 4);
}

static void wr_sized(u64 offset, u64 v, u8 size)
{
	struct mmio m = { .offset = offset, .data = v, .size = size, .write = true };

	assert_true(vpl011_mmio(NULL, vm.uart, &m));
}

static void wr(u64 offset, u32 v)
{
	wr_sized(offset, v, 4);
}

static void type(const char *s)
{
	for (; *s; s++)
		assert_true(vpl011_rx(vm.uart, (u8)*s));
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	vm.config = &config;
	vm.layout.uart = 0x09000000;
	vm.layout.uart_intid = INTID;
	out_len = 0;
	out_room = sizeof(out);
	attached = detached = pushes = resumes = irq_changes = 0;
	line = rx_paused = false;
	return vpl011_create(&vm);
}

static int teardown(void **state)
{
	(void)state;
	vpl011_destroy(&vm);
	return 0;
}

/* The way Linux's driver starts it. */
static void start(u32 lcr, u32 ifls, u32 imsc)
{
	wr(PL011_CR, 0);
	wr(PL011_LCR_H, lcr);
	wr(PL011_IFLS, ifls);
	wr(PL011_ICR, PL011_INT_ALL);
	wr(PL011_IMSC, imsc);
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
}

#define FIFO_ON (PL011_LCR_FEN | PL011_LCR_WLEN8)

static void test_reset_values(void **state)
{
	static const u8 id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	assert_int_equal(rd(PL011_CR), PL011_CR_TXE | PL011_CR_RXE);
	assert_int_equal(rd(PL011_IFLS), 0x12);
	for (u64 r = 0; r < PL011_ID; r += 4)
		if (r != PL011_FR && r != PL011_CR && r != PL011_IFLS)
			assert_int_equal(rd(r), 0);
	for (u64 i = 0; i < 8; i++)
		assert_int_equal(rd(PL011_ID + 4 * i), id[i]);
	assert_int_equal(attached, 1);
	assert_false(line);
}

static void test_register_masks(void **state)
{
	static const struct {
		u32 reg, mask;
	} row[] = {
		{ PL011_ILPR, 0xff }, { PL011_IBRD, 0xffff }, { PL011_FBRD, 0x3f },
		{ PL011_LCR_H, 0xff }, { PL011_CR, 0xff87 }, { PL011_IFLS, 0x3f },
		{ PL011_IMSC, 0x7ff }, { PL011_DMACR, 7 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		wr(row[i].reg, ~0U);
		assert_int_equal(rd(row[i].reg), row[i].mask);
		wr(row[i].reg, 0);
		assert_int_equal(rd(row[i].reg), 0);
	}
	/* Read-only and reserved registers. */
	for (u32 r = 0x4c; r < PL011_SIZE; r += 4) {
		u32 before = rd(r);

		wr(r, ~before);
		assert_int_equal(rd(r), before);
	}
	wr(PL011_FR, 0);
	wr(PL011_RIS, 0);
	assert_int_equal(rd(PL011_FR) & PL011_FR_TXFE, PL011_FR_TXFE);
}

/* An early console accesses nothing but FR and DR. */
static void test_output_before_setup(void **state)
{
	(void)state;
	for (const char *s = "hello\n"; *s; s++) {
		assert_false(rd(PL011_FR) & PL011_FR_TXFF);
		wr_sized(PL011_DR, (u8)*s, s[1] ? 1 : 4);
		assert_false(rd(PL011_FR) & PL011_FR_BUSY);
	}
	assert_int_equal(out_len, 6);
	assert_memory_equal(out, "hello\n", 6);
	assert_int_equal(pushes, 6);
}

static void test_tx_interrupt(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_TX);
	assert_false(line); /* a transition sets it, not the empty FIFO */
	wr(PL011_DR, 'a');
	assert_true(line);
	assert_int_equal(rd(PL011_MIS), PL011_INT_TX);
	wr(PL011_ICR, PL011_INT_TX);
	assert_false(line);
	wr(PL011_DR, 'b');
	wr(PL011_IMSC, 0);
	assert_false(line);
	assert_int_equal(rd(PL011_RIS), PL011_INT_TX);
	assert_int_equal(rd(PL011_MIS), 0);
	wr(PL011_IMSC, PL011_INT_TX);
	assert_true(line);
	assert_int_equal(irq_changes, 5);
}

/* The console accepts nothing more: the FIFO fills, TXFF is set, nothing is lost or reordered. */
static void test_back_pressure(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_TX);
	out_room = 2;
	for (int i = 0; i < 18; i++) {
		assert_false(rd(PL011_FR) & PL011_FR_TXFF);
		wr(PL011_DR, (u32)('a' + i));
	}
	assert_int_equal(rd(PL011_FR) & (PL011_FR_TXFF | PL011_FR_TXFE | PL011_FR_BUSY),
			 PL011_FR_TXFF | PL011_FR_BUSY);
	assert_false(line); /* filled above the trigger level */
	wr(PL011_DR, '!');  /* into a full FIFO: lost, as on the real one */
	out_room = 9;
	vpl011_tx_resume(vm.uart);
	assert_false(line); /* 9 are left, above 8 */
	assert_int_equal(rd(PL011_FR) & (PL011_FR_TXFF | PL011_FR_BUSY), PL011_FR_BUSY);
	out_room = 10;
	vpl011_tx_resume(vm.uart);
	assert_true(line);
	out_room = 100;
	vpl011_tx_resume(vm.uart);
	assert_int_equal(out_len, 18);
	assert_memory_equal(out, "abcdefghijklmnopqr", 18);
	assert_int_equal(rd(PL011_FR) & (PL011_FR_TXFE | PL011_FR_BUSY), PL011_FR_TXFE);
	/* A guest that polls FR makes the console send, but only while something waits. */
	pushes = 0;
	rd(PL011_FR);
	assert_int_equal(pushes, 0);
	out_room = out_len;
	wr(PL011_DR, 'x');
	pushes = 0;
	rd(PL011_FR);
	assert_int_equal(pushes, 1);
}

static void test_disabled_transmitter(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, 0);
	wr(PL011_CR, PL011_CR_TXE | PL011_CR_RXE);
	wr(PL011_DR, 'a');
	assert_int_equal(out_len, 0);
	assert_int_equal(rd(PL011_RIS), 0);
	wr(PL011_CR, PL011_CR_UARTEN);
	assert_int_equal(out_len, 0);
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE);
	assert_int_equal(out_len, 1);
	assert_int_equal(rd(PL011_RIS), PL011_INT_TX);
	/* Turning FEN off flushes what is held. */
	wr(PL011_CR, 0);
	wr(PL011_DR, 'b');
	wr(PL011_LCR_H, 0);
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE);
	assert_int_equal(out_len, 1);
}

static void test_rx_single_character(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_RX | PL011_INT_RT);
	type("k");
	assert_true(line);
	assert_int_equal(rd(PL011_MIS), PL011_INT_RT); /* below the trigger level of 8 */
	assert_false(rd(PL011_FR) & PL011_FR_RXFE);
	assert_int_equal(rd(PL011_DR), 'k');
	assert_false(line);
	assert_int_equal(rd(PL011_RIS), 0);
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	assert_int_equal(rd(PL011_DR), 0);
}

static void test_rx_trigger_levels(void **state)
{
	static const u32 level[] = { 2, 4, 8, 12, 14 };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(level); i++) {
		start(0, i << 3, PL011_INT_RX | PL011_INT_RT);
		wr(PL011_LCR_H, FIFO_ON);
		for (u32 n = 1; n <= PL011_FIFO; n++) {
			type("x");
			assert_int_equal(!!(rd(PL011_RIS) & PL011_INT_RX), n >= level[i]);
		}
		assert_true(rd(PL011_FR) & PL011_FR_RXFF);
		for (u32 n = PL011_FIFO; n; n--) {
			assert_int_equal(!!(rd(PL011_RIS) & PL011_INT_RX), n >= level[i]);
			assert_int_equal(!!(rd(PL011_RIS) & PL011_INT_RT), 1);
			rd(PL011_DR);
		}
		assert_int_equal(rd(PL011_RIS), 0);
	}
}

/* A driver that ignores the timeout interrupt gets the receive interrupt for each character. */
static void test_rx_without_timeout_interrupt(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_RX);
	type("k");
	assert_true(line);
	assert_int_equal(rd(PL011_MIS), PL011_INT_RX);
	wr(PL011_ICR, PL011_INT_RX);
	assert_false(line);
	type("l");
	assert_true(line);
	assert_int_equal(rd(PL011_DR), 'k');
	assert_int_equal(rd(PL011_DR), 'l');
	assert_false(line);
}

static void test_rx_without_fifo(void **state)
{
	(void)state;
	start(PL011_LCR_WLEN8, 0x12, PL011_INT_RX | PL011_INT_RT);
	type("ab");
	assert_int_equal(rd(PL011_FR) & (PL011_FR_RXFF | PL011_FR_RXFE), PL011_FR_RXFF);
	assert_true(rd(PL011_MIS) & PL011_INT_RX);
	assert_int_equal(rd(PL011_DR), 'a');
	assert_true(line);
	assert_int_equal(rd(PL011_DR), 'b');
	assert_false(line);
	assert_int_equal(rd(PL011_FR) & (PL011_FR_RXFF | PL011_FR_RXFE), PL011_FR_RXFE);
}

/* Input that the guest does not read waits, up to a bound; nothing is lost or overruns. */
static void test_rx_backlog(void **state)
{
	unsigned n = 0;

	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_RX | PL011_INT_RT);
	while (n < 100000 && vpl011_rx(vm.uart, (u8)n))
		n++;
	assert_in_range(n, 512, 4096);
	assert_false(vpl011_rx_room(vm.uart));
	rx_paused = true;
	for (unsigned i = 0; i < n; i++) {
		if (i == PL011_FIFO)
			assert_int_equal(resumes, 0);
		assert_true(line);
		assert_int_equal(rd(PL011_DR), i & 0xff);
	}
	assert_int_equal(resumes, 1);
	assert_false(line);
	assert_int_equal(rd(PL011_RIS) & PL011_INT_OE, 0);
}

/* The same if the guest discards it without reading DR. */
static void test_rx_backlog_flushed(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, 0);
	while (vpl011_rx(vm.uart, 'x'))
		;
	rx_paused = true;
	for (int i = 0; i < 4096 && rx_paused; i++)
		wr(PL011_LCR_H, i & 1 ? FIFO_ON : 0);
	assert_int_equal(resumes, 1);
}

static void test_rx_disabled_waits(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_RT);
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE);
	type("a");
	assert_false(line);
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
	assert_true(line);
	assert_int_equal(rd(PL011_DR), 'a');
}

static void test_loopback(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, 0);
	wr(PL011_CR, rd(PL011_CR) | PL011_CR_LBE);
	type("outside");
	wr(PL011_DR, 0x41);
	wr(PL011_DR, 0xff);
	assert_int_equal(rd(PL011_DR), 0x41);
	assert_int_equal(rd(PL011_DR), 0xff);
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	/* Modem outputs are looped back as inputs, and changes interrupt. */
	wr(PL011_ICR, PL011_INT_ALL);
	wr(PL011_CR, rd(PL011_CR) | PL011_CR_RTS | PL011_CR_DTR);
	assert_int_equal(rd(PL011_FR) & 0x107, PL011_FR_CTS | PL011_FR_DSR);
	assert_int_equal(rd(PL011_RIS), PL011_INT_CTS | PL011_INT_DSR);
	wr(PL011_ICR, PL011_INT_ALL);
	wr(PL011_CR, rd(PL011_CR) | PL011_CR_OUT1 | PL011_CR_OUT2);
	assert_int_equal(rd(PL011_FR) & 0x107, 0x107);
	assert_int_equal(rd(PL011_RIS), PL011_INT_DCD | PL011_INT_RI);
	/* A break. */
	wr(PL011_LCR_H, FIFO_ON | PL011_LCR_BRK);
	assert_true(rd(PL011_RIS) & PL011_INT_BE);
	assert_int_equal(rd(PL011_DR), PL011_DR_BE);
	assert_int_equal(rd(PL011_RSR), 4);
	wr(PL011_LCR_H, FIFO_ON); /* its end is not received */
	assert_true(rd(PL011_FR) & PL011_FR_RXFE);
	wr(PL011_RSR, 0);
	assert_int_equal(rd(PL011_RSR), 0);
	/* What was typed meanwhile arrives when loopback ends. */
	wr(PL011_CR, PL011_CR_UARTEN | PL011_CR_TXE | PL011_CR_RXE);
	assert_int_equal(rd(PL011_FR) & 0x107, 0);
	assert_int_equal(rd(PL011_DR), 'o');
}

static void test_loopback_overrun(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, 0);
	wr(PL011_CR, rd(PL011_CR) | PL011_CR_LBE);
	for (u32 i = 0; i < PL011_FIFO + 3; i++)
		wr(PL011_DR, 'a' + i);
	assert_true(rd(PL011_RIS) & PL011_INT_OE);
	assert_true(rd(PL011_RSR) & PL011_RSR_OE);
	assert_int_equal(rd(PL011_DR), 'a');
	wr(PL011_DR, 'z'); /* the next character received reports the loss */
	for (u32 i = 1; i < PL011_FIFO; i++)
		assert_int_equal(rd(PL011_DR), 'a' + i);
	assert_int_equal(rd(PL011_DR), 'z' | PL011_DR_OE);
	assert_true(rd(PL011_RSR) & PL011_RSR_OE);
	wr(PL011_RSR, 0);
	wr(PL011_DR, 'y');
	assert_int_equal(rd(PL011_DR), 'y');
	assert_int_equal(rd(PL011_RSR), 0);
}

static void test_break_from_console(void **state)
{
	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_BE);
	assert_true(vpl011_rx(vm.uart, PL011_DR_BE));
	assert_true(line);
	assert_int_equal(rd(PL011_DR), PL011_DR_BE);
	wr(PL011_ICR, PL011_INT_BE);
	assert_false(line);
}

static void test_access_sizes(void **state)
{
	struct mmio m = { .offset = 2, .size = 4 };

	(void)state;
	wr_sized(PL011_IBRD, 0x1234, 2);
	assert_int_equal(rd_sized(PL011_IBRD, 2), 0x1234);
	assert_int_equal(rd_sized(PL011_IBRD, 1), 0x34);
	assert_int_equal(rd_sized(PL011_IBRD + 1, 1), 0x12);
	assert_int_equal(rd_sized(PL011_IBRD + 2, 2), 0);
	wr_sized(PL011_IBRD + 1, 0x56, 1);
	assert_int_equal(rd(PL011_IBRD), 0x5600);
	wr_sized(PL011_IBRD, 0xaa, 1);
	assert_int_equal(rd(PL011_IBRD), 0xaa);
	/* 64 bits: two registers. */
	wr_sized(PL011_ILPR, 0x0000555500000077, 8);
	assert_int_equal(rd_sized(PL011_ILPR, 8), 0x0000555500000077);
	assert_false(vpl011_mmio(NULL, vm.uart, &m));
	m.size = 8;
	m.offset = 4 * 3;
	assert_false(vpl011_mmio(NULL, vm.uart, &m));
	m.size = 2;
	m.offset = 3;
	assert_false(vpl011_mmio(NULL, vm.uart, &m));
}

/*
 * Whatever a guest writes anywhere, in any size, the model stays within its bounds (ASan, UBSan).
 */
static void test_rubbish(void **state)
{
	u64 x = 88172645463325252;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct mmio m;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		m.size = (u8)(1 << (x >> 60) % 4);
		m.offset = x % 3 ? x / 3 % 0x50 : x / 3 % (PL011_SIZE - m.size + 1);
		m.write = x >> 20 & 1;
		m.data = m.size == 8 ? x : x & MASK(m.size * 8 - 1, 0);
		out_len = 0;
		out_room = x >> 30 & 1 ? sizeof(out) : 0;
		vpl011_mmio(NULL, vm.uart, &m);
		if (x >> 40 & 1)
			vpl011_rx(vm.uart, (u16)(x >> 8 & 0x7ff));
		if (x >> 41 & 1)
			vpl011_tx_resume(vm.uart);
		assert_int_equal(line, rd(PL011_MIS) != 0);
	}
}

static void test_reset(void **state)
{
	struct vpl011 *before = vm.uart;

	(void)state;
	start(FIFO_ON, 0x12, PL011_INT_RT);
	type("a");
	assert_true(line);

	assert_int_equal(vpl011_create(&vm), 0);
	assert_ptr_equal(vm.uart, before);
	assert_int_equal(attached, 1);
	assert_int_equal(vm.mmio.count, 1);
	assert_false(line);
	assert_int_equal(rd(PL011_IMSC), 0);
	assert_int_equal(rd(PL011_FR), PL011_FR_TXFE | PL011_FR_RXFE);
	vpl011_destroy(&vm);
	assert_int_equal(detached, 1);
	assert_null(vm.uart);
	assert_false(vpl011_rx(before, 'x')); /* the console may be late */
	vpl011_tx_resume(before);
}

/* More VMs than possible: refused, without an overrun. */
static void test_too_many(void **state)
{
	static struct vm others[MAX_VMS];
	u32 n = 0;

	(void)state;
	for (; n < MAX_VMS; n++) {
		others[n].config = &config;
		others[n].layout.uart = vm.layout.uart;
		if (vpl011_create(&others[n]))
			break;
	}
	assert_int_equal(n, MAX_VMS - 1);
	assert_null(others[n].uart);
	for (u32 i = 0; i <= n; i++)
		vpl011_destroy(&others[i]);
	assert_int_equal(detached, n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reset_values),
		TEST(test_register_masks),
		TEST(test_output_before_setup),
		TEST(test_tx_interrupt),
		TEST(test_back_pressure),
		TEST(test_disabled_transmitter),
		TEST(test_rx_single_character),
		TEST(test_rx_trigger_levels),
		TEST(test_rx_without_timeout_interrupt),
		TEST(test_rx_without_fifo),
		TEST(test_rx_backlog),
		TEST(test_rx_backlog_flushed),
		TEST(test_rx_disabled_waits),
		TEST(test_loopback),
		TEST(test_loopback_overrun),
		TEST(test_break_from_console),
		TEST(test_access_sizes),
		TEST(test_rubbish),
		TEST(test_reset),
		TEST(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
