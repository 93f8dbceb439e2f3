/* SPDX-License-Identifier: Apache-2.0 */
/* Emulation of the PL011. */
#include "vm/vpl011.h"

#include "dev/pl011_regs.h"
#include "lib/log.h"
#include "lib/string.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/console.h"

#define BACKLOG 1024 /* input that waits for the guest; a power of 2 */

#define MODEM_FR (PL011_FR_RI | PL011_FR_DCD | PL011_FR_DSR | PL011_FR_CTS)

struct vpl011 {
	struct spinlock lock; /* guards all below but vm and port */
	struct vm *vm;        /* NULL: free */
	struct console_port *port;

	u32 rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
	u32 modem;    /* FR's modem status inputs */
	bool managed; /* the guest has set CR.UARTEN since reset */
	bool line;    /* level of the interrupt line */
	bool overrun; /* a character was lost; the next one reports it */

	u16 rx[PL011_FIFO]; /* as read from DR: data and error bits */
	u32 rx_first, rx_count;
	u8 tx[PL011_FIFO];
	u32 tx_first, tx_count;

	u16 back[BACKLOG];
	u32 back_head, back_tail; /* free running; filled at head; atomic for vpl011_rx_room() */
};

static struct vpl011 uarts[MAX_VMS];

/* Entries by IFLS encoding: 1/8, 1/4, 1/2, 3/4, 7/8; the reserved ones as the last. */
static const u8 trigger_level[8] = { 2, 4, 8, 12, 14, 14, 14, 14 };

static u32 fifo_depth(const struct vpl011 *u)
{
	return u->lcr & PL011_LCR_FEN ? PL011_FIFO : 1;
}

static u32 rx_trigger(const struct vpl011 *u)
{
	if (!(u->lcr & PL011_LCR_FEN) || !(u->imsc & PL011_INT_RT))
		return 1;
	return trigger_level[FIELD(u->ifls, 5, 3)];
}

static u32 tx_trigger(const struct vpl011 *u)
{
	return u->lcr & PL011_LCR_FEN ? trigger_level[FIELD(u->ifls, 2, 0)] : 0;
}

/* Whether the half that the CR bit `which` (TXE or RXE) enables is on. */
static bool enabled(const struct vpl011 *u, u32 which)
{
	return !u->managed || (~u->cr & (PL011_CR_UARTEN | which)) == 0;
}

static void update_line(struct vpl011 *u)
{
	bool level = u->ris & u->imsc;

	if (level == u->line)
		return;
	u->line = level;
	vgic_set_spi(u->vm, u->vm->layout.uart_intid, level);
}

/* ---- reception ------------------------------------------------------------------------------ */

/* How many characters wait outside the FIFO. */
static u32 backlog(const struct vpl011 *u)
{
	return __atomic_load_n(&u->back_head, __ATOMIC_RELAXED) -
	       __atomic_load_n(&u->back_tail, __ATOMIC_ACQUIRE);
}

/* A character has come in on the line. */
static void rx_put(struct vpl011 *u, u32 entry)
{
	if (u->rx_count == fifo_depth(u)) {
		u->overrun = true;
		u->rsr |= PL011_RSR_OE;
		u->ris |= PL011_INT_OE;
		return;
	}
	if (u->overrun)
		entry |= PL011_DR_OE;
	u->overrun = false;
	u->rx[(u->rx_first + u->rx_count) % PL011_FIFO] = (u16)entry;
	u->rx_count++;
	u->ris |= PL011_INT_RT;
	if (u->rx_count >= rx_trigger(u))
		u->ris |= PL011_INT_RX;
	if (entry & PL011_DR_BE)
		u->ris |= PL011_INT_BE;
}

/* Let in what waits outside; in loopback the outside is disconnected. */
static void rx_refill(struct vpl011 *u)
{
	if (u->cr & PL011_CR_LBE || !enabled(u, PL011_CR_RXE))
		return;
	while (u->back_head != u->back_tail && u->rx_count < fifo_depth(u)) {
		rx_put(u, u->back[u->back_tail % BACKLOG]);
		__atomic_store_n(&u->back_tail, u->back_tail + 1, __ATOMIC_RELEASE);
	}
}

static void rx_level_fell(struct vpl011 *u)
{
	if (u->rx_count < rx_trigger(u))
		u->ris &= ~PL011_INT_RX;
	if (!u->rx_count)
		u->ris &= ~PL011_INT_RT;
}

static u32 rx_get(struct vpl011 *u)
{
	u32 entry;

	if (!u->rx_count)
		return 0;
	entry = u->rx[u->rx_first];
	u->rx_first = (u->rx_first + 1) % PL011_FIFO;
	u->rx_count--;
	/* An overrun stays until ECR is written; the others are those of the last character. */
	u->rsr = (u->rsr & PL011_RSR_OE) | entry >> 8;
	rx_level_fell(u);
	rx_refill(u);
	return entry;
}

/* ---- transmission --------------------------------------------------------------------------- */

static bool send(struct vpl011 *u, u8 c)
{
	if (!console_putc(u->port, c))
		return false;
	if (u->cr & PL011_CR_LBE && enabled(u, PL011_CR_RXE))
		rx_put(u, c);
	return true;
}

/* Send what the FIFO holds, as far as it goes. */
static void tx_pump(struct vpl011 *u)
{
	u32 before = u->tx_count;

	if (!enabled(u, PL011_CR_TXE))
		return;
	while (u->tx_count && send(u, u->tx[u->tx_first])) {
		u->tx_first = (u->tx_first + 1) % PL011_FIFO;
		u->tx_count--;
	}
	if (u->tx_count < before && u->tx_count <= tx_trigger(u))
		u->ris |= PL011_INT_TX;
}

static void tx_put(struct vpl011 *u, u8 c)
{
	if (u->tx_count == fifo_depth(u))
		return; /* lost, as the manual specifies: the guest could have read TXFF */
	u->tx[(u->tx_first + u->tx_count) % PL011_FIFO] = c;
	u->tx_count++;
	if (u->tx_count > tx_trigger(u))
		u->ris &= ~PL011_INT_TX;
	tx_pump(u);
}

/* ---- registers ------------------------------------------------------------------------------ */

static u32 read_fr(const struct vpl011 *u)
{
	u32 fr = u->modem;

	fr |= u->tx_count ? PL011_FR_BUSY : PL011_FR_TXFE;
	if (u->tx_count == fifo_depth(u))
		fr |= PL011_FR_TXFF;
	if (!u->rx_count)
		fr |= PL011_FR_RXFE;
	if (u->rx_count == fifo_depth(u))
		fr |= PL011_FR_RXFF;
	return fr;
}

static u32 read_id(u32 reg)
{
	/* Part 0x011, designer 0x41 (Arm), revision 1, configuration 0; then PrimeCell's own. */
	static const u8 id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return reg >= PL011_ID ? id[(reg - PL011_ID) / 4] : 0;
}

static u32 reg_read(struct vpl011 *u, u32 reg)
{
	switch (reg) {
	case PL011_DR:
		return rx_get(u);
	case PL011_RSR:
		return u->rsr;
	case PL011_FR:
		return read_fr(u);
	case PL011_ILPR:
		return u->ilpr;
	case PL011_IBRD:
		return u->ibrd;
	case PL011_FBRD:
		return u->fbrd;
	case PL011_LCR_H:
		return u->lcr;
	case PL011_CR:
		return u->cr;
	case PL011_IFLS:
		return u->ifls;
	case PL011_IMSC:
		return u->imsc;
	case PL011_RIS:
		return u->ris;
	case PL011_MIS:
		return u->ris & u->imsc;
	case PL011_DMACR:
		return u->dmacr;
	default:
		return read_id(reg);
	}
}

/* Changing FEN empties both FIFOs; a break in loopback is received as a character 0 with BE. */
static void write_lcr(struct vpl011 *u, u32 v)
{
	u32 changed = u->lcr ^ v;

	u->lcr = v;
	if (changed & PL011_LCR_FEN) {
		u->rx_count = u->tx_count = 0;
		u->overrun = false;
		rx_level_fell(u);
	}
	if (changed & v & PL011_LCR_BRK && u->cr & PL011_CR_LBE)
		rx_put(u, PL011_DR_BE);
	rx_refill(u);
}

/* The modem status inputs: nothing is connected, except for loopback of the outputs. */
static u32 modem_inputs(u32 cr)
{
	u32 fr = 0;

	if (!(cr & PL011_CR_LBE))
		return 0;
	fr |= cr & PL011_CR_DTR ? PL011_FR_DSR : 0;
	fr |= cr & PL011_CR_RTS ? PL011_FR_CTS : 0;
	fr |= cr & PL011_CR_OUT1 ? PL011_FR_DCD : 0;
	fr |= cr & PL011_CR_OUT2 ? PL011_FR_RI : 0;
	return fr;
}

static void write_cr(struct vpl011 *u, u32 v)
{
	u32 modem = modem_inputs(v), changed = modem ^ u->modem;

	u->cr = v;
	u->modem = modem;
	u->managed |= v & PL011_CR_UARTEN;
	u->ris |= changed & PL011_FR_CTS ? PL011_INT_CTS : 0;
	u->ris |= changed & PL011_FR_DSR ? PL011_INT_DSR : 0;
	u->ris |= changed & PL011_FR_DCD ? PL011_INT_DCD : 0;
	u->ris |= changed & PL011_FR_RI ? PL011_INT_RI : 0;
	tx_pump(u);
	rx_refill(u);
}

static void reg_write(struct vpl011 *u, u32 reg, u32 v)
{
	switch (reg) {
	case PL011_DR:
		tx_put(u, (u8)v);
		break;
	case PL011_RSR: /* ECR */
		u->rsr = 0;
		break;
	case PL011_ILPR:
		u->ilpr = v & 0xff;
		break;
	case PL011_IBRD:
		u->ibrd = v & 0xffff;
		break;
	case PL011_FBRD:
		u->fbrd = v & 0x3f;
		break;
	case PL011_LCR_H:
		write_lcr(u, v & 0xff);
		break;
	case PL011_CR:
		write_cr(u, v & 0xff87);
		break;
	case PL011_IFLS:
		u->ifls = v & 0x3f;
		break;
	case PL011_IMSC:
		u->imsc = v & PL011_INT_ALL;
		break;
	case PL011_ICR:
		u->ris &= ~v;
		break;
	case PL011_DMACR:
		u->dmacr = v & 7;
		break;
	default: /* read-only or reserved: ignored */
		break;
	}
}

/* ---- accesses ------------------------------------------------------------------------------- */

/* Finish an access after the UART's lock is released. */
static void after(struct vpl011 *u, u32 reg, bool write)
{
	if (write && (reg == PL011_DR || reg == PL011_CR))
		console_push(u->port);
	/* Half: not an interrupt of the physical UART for each character that the guest reads. */
	if (unlikely(console_rx_paused()) && backlog(u) <= BACKLOG / 2)
		console_rx_resume();
}

/* An access of up to 4 bytes within one register: the bus is 32 bits wide. */
static u32 access(struct vpl011 *u, u64 offset, u32 size, bool write, u32 v)
{
	u32 reg = (u32)offset & ~3U, lane = (u32)offset % 4 * 8;

	/* A guest that waits for the console to take its characters makes it send them. */
	if (reg == PL011_FR && __atomic_load_n(&u->tx_count, __ATOMIC_RELAXED))
		console_push(u->port);
	spin_lock(&u->lock);
	if (write)
		reg_write(u, reg, v << lane);
	else
		v = reg_read(u, reg) >> lane;
	update_line(u);
	spin_unlock(&u->lock);
	after(u, reg, write);
	return size == 4 ? v : v & (u32)MASK(size * 8 - 1, 0);
}

bool vpl011_mmio(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	u64 v = m->data;

	(void)vcpu;
	if (m->size == 8 && IS_ALIGNED(m->offset, 8)) {
		/* A 32-bit bus makes two accesses of it. */
		v = access(dev, m->offset, 4, m->write, (u32)m->data);
		v |= (u64)access(dev, m->offset + 4, 4, m->write, (u32)(m->data >> 32)) << 32;
	} else if (m->offset % 4 + m->size <= 4) {
		v = access(dev, m->offset, m->size, m->write, (u32)m->data);
	} else {
		return false;
	}
	if (!m->write)
		m->data = v;
	return true;
}

bool vpl011_rx_room(const struct vpl011 *u)
{
	return backlog(u) < BACKLOG;
}

bool vpl011_rx(struct vpl011 *u, u16 entry)
{
	bool room;

	spin_lock(&u->lock);
	room = u->vm && vpl011_rx_room(u);
	if (room) {
		u->back[u->back_head % BACKLOG] = entry;
		__atomic_store_n(&u->back_head, u->back_head + 1, __ATOMIC_RELEASE);
		rx_refill(u);
		update_line(u);
	}
	spin_unlock(&u->lock);
	return room;
}

void vpl011_tx_resume(struct vpl011 *u)
{
	spin_lock(&u->lock);
	if (u->vm) {
		tx_pump(u);
		update_line(u);
	}
	spin_unlock(&u->lock);
}

/* ---- life ----------------------------------------------------------------------------------- */

/* The reset values of DDI 0183, table 3-1. */
static void reset(struct vpl011 *u)
{
	u->rsr = u->ilpr = u->ibrd = u->fbrd = u->lcr = u->imsc = u->ris = u->dmacr = 0;
	u->cr = PL011_CR_TXE | PL011_CR_RXE;
	u->ifls = 0x12;
	u->modem = 0;
	u->managed = u->overrun = false;
	u->rx_count = u->tx_count = 0;
	update_line(u);
}

static struct vpl011 *find(const struct vm *vm)
{
	for (u32 i = 0; i < MAX_VMS; i++)
		if (uarts[i].vm == vm)
			return &uarts[i];
	return NULL;
}

/* A VM that is reset keeps its bus. */
static bool on_bus(const struct vm *vm, const struct vpl011 *u)
{
	for (u32 i = 0; i < vm->mmio.count; i++)
		if (vm->mmio.region[i].dev == u)
			return true;
	return false;
}

int vpl011_create(struct vm *vm)
{
	struct vpl011 *u = find(vm);
	int err;

	vm->uart = NULL;
	if (!u)
		u = find(NULL);
	if (!u)
		return -ENOSPC;
	err = on_bus(vm, u) ? 0 : mmio_add(&vm->mmio, vm->layout.uart, PL011_SIZE, vpl011_mmio, u);
	if (err)
		return err;
	if (!u->vm)
		u->port = console_attach(vm, vm->config->name, u);
	if (!u->port)
		return -ENOSPC;
	spin_lock(&u->lock);
	u->vm = vm;
	reset(u);
	spin_unlock(&u->lock);
	vm->uart = u;
	return 0;
}

bool vpl011_drained(struct vm *vm)
{
	struct vpl011 *u = find(vm);

	return !u || console_drained(u->port);
}

void vpl011_destroy(struct vm *vm)
{
	struct vpl011 *u = find(vm);

	if (!u)
		return;
	console_detach(u->port);
	spin_lock(&u->lock);
	u->vm = NULL;
	u->port = NULL;
	u->line = false;
	u->back_head = u->back_tail = 0;
	spin_unlock(&u->lock);
	vm->uart = NULL;
}
