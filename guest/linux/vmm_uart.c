/* SPDX-License-Identifier: Apache-2.0 */
/* A PL011 that transmits at once and never receives. */
#include "vmm.h"

#include <unistd.h>

#define DR 0x00
#define FR 0x18
#define IMSC 0x38
#define RIS 0x3c
#define MIS 0x40
#define ICR 0x44
#define ID 0xfe0

#define FR_RXFE (1u << 4)
#define FR_TXFE (1u << 7)
#define INT_TX (1u << 5)
#define INT_ALL 0x7ffu

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t regs[UART_BYTES / 4]; /* those that only keep what is written */
static uint32_t raw;                  /* RIS */
static bool line;
/* Output is written by lines: a write() per character would take most of a boot. */
static char text[256];
static size_t filled;

static void put_out(void)
{
	size_t done = 0;
	ssize_t n;

	while (done < filled && (n = write(STDOUT_FILENO, text + done, filled - done)) > 0)
		done += (size_t)n;
	filled = 0;
}

void uart_flush(void)
{
	/* The holder of the lock may be the thread that is ending the program. */
	if (pthread_mutex_trylock(&lock))
		return;
	put_out();
	pthread_mutex_unlock(&lock);
}

static void put(char c)
{
	text[filled++] = c;
	if (c == '\n' || filled == sizeof(text))
		put_out();
}

static void update_line(struct vm *vm)
{
	bool level = raw & regs[IMSC / 4];

	if (level != line) {
		line = level;
		gic_line(vm, INTID_UART, level);
	}
}

/* PeriphID and PCellID of a PL011 r1p5, a byte a word. */
static uint32_t id(uint64_t offset)
{
	static const uint8_t bytes[] = { 0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return bytes[(offset - ID) / 4];
}

uint32_t uart_read(struct vm *vm, uint64_t offset)
{
	(void)vm;
	switch (offset) {
	case DR:
		return 0;
	case FR:
		return FR_TXFE | FR_RXFE;
	case RIS:
		return raw;
	case MIS:
		return raw & regs[IMSC / 4];
	default:
		return offset >= ID ? id(offset) : regs[offset / 4];
	}
}

void uart_write(struct vm *vm, uint64_t offset, uint32_t value)
{
	pthread_mutex_lock(&lock);
	switch (offset) {
	case DR:
		put((char)value);
		raw |= INT_TX;
		break;
	case ICR:
		raw &= ~value;
		break;
	case IMSC:
		regs[IMSC / 4] = value & INT_ALL;
		break;
	default:
		regs[offset / 4] = value;
		break;
	}
	update_line(vm);
	pthread_mutex_unlock(&lock);
}
