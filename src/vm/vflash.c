/* SPDX-License-Identifier: Apache-2.0 */
/* Emulation of a NOR flash with Intel's command set. */
#include "vm/vflash.h"

#include "arch/spinlock.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "mm/page.h"
#include "state/vm.h"

#define BANK 4           /* bytes that both chips have at one address */
#define BUFFER 2048      /* bytes that are programmed together, 2^10 in each chip */
#define ORDER_OF_STORE 8 /* VFLASH_SIZE in pages */

/* Commands, in the low byte of each chip's half. */
#define CMD_PROGRAM_OLD 0x10
#define CMD_ERASE 0x20
#define CMD_PROGRAM 0x40
#define CMD_CLEAR_STATUS 0x50
#define CMD_LOCK 0x60
#define CMD_READ_STATUS 0x70
#define CMD_READ_ID 0x90
#define CMD_QUERY 0x98
#define CMD_CONFIRM 0xd0
#define CMD_BUFFER 0xe8
#define CMD_LOCK_DOWN 0x2f
#define CMD_LOCK_SET 0x01

/* The status register. */
#define SR_READY 0x80
#define SR_ERASE 0x20
#define SR_PROGRAM 0x10

enum reading { READ_ARRAY, READ_STATUS, READ_ID, READ_QUERY };

/* What the next write is. */
enum writing { COMMAND, ERASE, LOCK, PROGRAM, BUFFER_COUNT, BUFFER_DATA, BUFFER_CONFIRM };

struct vflash {
	struct spinlock lock; /* guards all below */
	u8 *store;            /* VFLASH_SIZE bytes */
	enum reading reading;
	enum writing writing;
	u8 status;
	u32 left; /* words that the buffer still takes */
	u32 base; /* where it goes: a multiple of BUFFER */
	u8 buffer[BUFFER];
};

_Static_assert(sizeof(struct vflash) <= PAGE_SIZE, "it has a page");
_Static_assert(PAGE_SIZE << ORDER_OF_STORE == VFLASH_SIZE, "the order of its size");

/* ---- reading -------------------------------------------------------------------------------- */

/* CFI's query structure from 0x10 on, of one chip. */
/* clang-format off */
static const u8 query[] = {
	'Q', 'R', 'Y', 0x01, 0x00, 0x31, 0x00, 0, 0, 0, 0, /* 0x10: Intel's, extended at 0x31 */
	0x17, 0x20, 0, 0,             /* 0x1b: 1.7 to 2.0 V */
	1, 1, 1, 0, 1, 1, 1, 0,       /* 0x1f: 2 us, 2 us, 2 ms; twice that at most */
	0x13,                         /* 0x27: 2^19 bytes */
	0x01, 0x00, 0x0a, 0x00,       /* 0x28: 16 bits wide; a buffer of 2^10 bytes */
	0x01, 0x03, 0x00, 0x00, 0x02, /* 0x2c: one region, 4 blocks of 0x200 * 256 */
	'P', 'R', 'I', '1', '1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 0x31: nothing optional */
};
/* clang-format on */

#define QUERY_FIRST 0x10

/* What a chip says at its address, of 16 bits. */
static u16 chip_read(const struct vflash *f, u32 word)
{
	switch (f->reading) {
	case READ_STATUS:
		return f->status;
	case READ_ID:
		/* Manufacturer, device; and for each block that it is not locked. */
		word %= VFLASH_BLOCK / BANK;
		return word == 0 ? 0x89 : word == 1 ? 0x18 : 0;
	default:
		return word - QUERY_FIRST < sizeof(query) ? query[word - QUERY_FIRST] : 0;
	}
}

static u8 read_byte(const struct vflash *f, u32 at)
{
	if (f->reading == READ_ARRAY)
		return f->store[at];
	return (u8)(chip_read(f, at / BANK) >> at % 2 * 8);
}

/* ---- writing -------------------------------------------------------------------------------- */

/* End of a sequence of commands; with bits of the status that stay until they are cleared. */
static void finish(struct vflash *f, u8 errors)
{
	f->status = (u8)(f->status | errors);
	f->writing = COMMAND;
	f->reading = READ_STATUS;
}

/* Programming makes ones zeroes; only erasing goes the other way. */
static void program(struct vflash *f, u32 at, const u8 *data, u32 n)
{
	for (u32 i = 0; i < n && at + i < VFLASH_SIZE; i++)
		f->store[at + i] &= data[i];
}

static void begin(struct vflash *f, enum writing next)
{
	f->writing = next;
	f->reading = READ_STATUS;
}

static void command(struct vflash *f, u8 cmd)
{
	switch (cmd) {
	case CMD_ERASE:
		begin(f, ERASE);
		break;
	case CMD_LOCK:
		begin(f, LOCK);
		break;
	case CMD_PROGRAM:
	case CMD_PROGRAM_OLD:
		begin(f, PROGRAM);
		break;
	case CMD_BUFFER:
		begin(f, BUFFER_COUNT);
		break;
	case CMD_CLEAR_STATUS:
		f->status = SR_READY;
		break;
	case CMD_READ_STATUS:
		f->reading = READ_STATUS;
		break;
	case CMD_READ_ID:
		f->reading = READ_ID;
		break;
	case CMD_QUERY:
		f->reading = READ_QUERY;
		break;
	default: /* CMD_READ_ARRAY, 0xff, and what is none */
		f->reading = READ_ARRAY;
		break;
	}
}

/* The number of words less one. */
static void buffer_begin(struct vflash *f, u32 at, u32 v)
{
	u32 words = (v & 0xffff) + 1;

	if (words > BUFFER / BANK) {
		finish(f, SR_ERASE | SR_PROGRAM);
		return;
	}
	f->base = ALIGN_DOWN(at, (u32)BUFFER);
	f->left = words;
	f->writing = BUFFER_DATA;
	memset(f->buffer, 0xff, sizeof(f->buffer));
}

static void buffer_add(struct vflash *f, u32 at, const u8 *data, u32 n)
{
	if (at - f->base > BUFFER - n) {
		finish(f, SR_ERASE | SR_PROGRAM);
		return;
	}
	memcpy(f->buffer + (at - f->base), data, n);
	f->left -= MIN(f->left, MAX(n / BANK, 1u));
	if (!f->left)
		f->writing = BUFFER_CONFIRM;
}

static void write(struct vflash *f, u32 at, u64 v, u32 n)
{
	u8 cmd = (u8)v, data[8];

	memcpy(data, &v, sizeof(data));
	switch (f->writing) {
	case COMMAND:
		command(f, cmd);
		break;
	case ERASE:
		if (cmd == CMD_CONFIRM)
			memset(f->store + ALIGN_DOWN(at, (u32)VFLASH_BLOCK), 0xff, VFLASH_BLOCK);
		finish(f, cmd == CMD_CONFIRM ? 0 : SR_ERASE | SR_PROGRAM);
		break;
	case LOCK:
		finish(f, cmd == CMD_CONFIRM || cmd == CMD_LOCK_SET || cmd == CMD_LOCK_DOWN
				  ? 0
				  : SR_ERASE | SR_PROGRAM);
		break;
	case PROGRAM:
		program(f, at, data, n);
		finish(f, 0);
		break;
	case BUFFER_COUNT:
		buffer_begin(f, at, (u32)v);
		break;
	case BUFFER_DATA:
		buffer_add(f, at, data, n);
		break;
	case BUFFER_CONFIRM:
		if (cmd == CMD_CONFIRM)
			program(f, f->base, f->buffer, BUFFER);
		finish(f, cmd == CMD_CONFIRM ? 0 : SR_ERASE | SR_PROGRAM);
		break;
	}
}

bool vflash_mmio(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vflash *f = dev;
	u32 at = (u32)m->offset;
	u64 v = 0;

	(void)vcpu;
	if (!IS_ALIGNED(at, m->size))
		return false;
	spin_lock(&f->lock);
	if (m->write) {
		write(f, at, m->data, m->size);
	} else {
		for (u32 i = 0; i < m->size; i++)
			v |= (u64)read_byte(f, at + i) << i * 8;
		m->data = v;
	}
	spin_unlock(&f->lock);
	return true;
}

/* ---- life ----------------------------------------------------------------------------------- */

static void reset(struct vflash *f)
{
	f->reading = READ_ARRAY;
	f->writing = COMMAND;
	f->status = SR_READY;
}

int vflash_create(struct vm *vm)
{
	u64 page = page_alloc(0), store = page_alloc(ORDER_OF_STORE);
	struct vflash *f;

	if (!page || !store)
		goto nomem;
	page_zero(page, PAGE_SIZE);
	f = pa_ptr(pa(page));
	f->store = pa_ptr(pa(store));
	memset(f->store, 0xff, VFLASH_SIZE);
	reset(f);
	vm->flash = f;
	return mmio_add(&vm->mmio, vm->layout.flash, VFLASH_SIZE, vflash_mmio, f);
nomem:
	if (page)
		page_free(page, 0);
	if (store)
		page_free(store, ORDER_OF_STORE);
	return -ENOMEM;
}

void vflash_reset(struct vm *vm)
{
	if (!vm->flash)
		return;
	spin_lock(&vm->flash->lock);
	reset(vm->flash);
	spin_unlock(&vm->flash->lock);
}

void vflash_destroy(struct vm *vm)
{
	struct vflash *f = vm->flash;

	if (!f)
		return;
	page_free(ptr_pa(f->store).a, ORDER_OF_STORE);
	page_free(ptr_pa(f).a, 0);
	vm->flash = NULL;
}
