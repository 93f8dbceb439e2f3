/* SPDX-License-Identifier: Apache-2.0 */
/* Emulation of the PL031. */
#include "vm/vpl031.h"

#include "dev/pl031_regs.h"
#include "dev/rtc.h"
#include "dev/timer.h"
#include "state/vm.h"
#include "vgic/vgic.h"

#define ROUND BIT(32) /* seconds after which the counter has the same value again */

struct vpl031 {
	struct spinlock lock; /* guards all below but vm and, with its own lock, alarm */
	struct vm *vm;        /* NULL: free */
	struct timer alarm;   /* armed for `match`, if that then raises the line */
	u32 ahead;            /* the counter is rtc_now() and this */
	u32 mr, lr;
	u64 match; /* rtc_now() when the counter next is mr */
	bool imsc, ris;
	bool line; /* level of the interrupt line */
};

static struct vpl031 clocks[MAX_VMS];

static u32 counter(const struct vpl031 *c, u64 now)
{
	return (u32)now + c->ahead;
}

/* The comparator: RTCRIS is set when the counter reaches RTCMR, once. */
static void catch_up(struct vpl031 *c, u64 now)
{
	if (now < c->match)
		return;
	c->ris = true;
	c->match += ALIGN_DOWN(now - c->match, ROUND) + ROUND;
}

static void update_line(struct vpl031 *c)
{
	bool level = c->ris && c->imsc;

	if (level == c->line)
		return;
	c->line = level;
	vgic_set_spi(c->vm, c->vm->layout.rtc_intid, level);
}

/* Without the interrupt nobody waits: RTCRIS is looked at when it is read. */
static void arm(struct vpl031 *c)
{
	if (c->imsc && !c->ris)
		timer_set(&c->alarm, rtc_ticks_at(c->match));
	else
		timer_cancel(&c->alarm);
}

/* It may be late: after a change of what it was for, or of whose clock it is. */
static void on_alarm(struct timer *t)
{
	struct vpl031 *c = container_of(t, struct vpl031, alarm);

	spin_lock(&c->lock);
	if (c->vm) {
		catch_up(c, rtc_now());
		arm(c);
		update_line(c);
	}
	spin_unlock(&c->lock);
}

/* ---- registers ------------------------------------------------------------------------------ */

static u32 read_id(u32 reg)
{
	/* Part 0x031, designer 0x41 (Arm), revision 1, configuration 0; then PrimeCell's own. */
	static const u8 id[8] = { 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	return reg >= PL031_ID ? id[(reg - PL031_ID) / 4] : 0;
}

static u32 reg_read(const struct vpl031 *c, u32 reg, u64 now)
{
	switch (reg) {
	case PL031_DR:
		return counter(c, now);
	case PL031_MR:
		return c->mr;
	case PL031_LR:
		return c->lr;
	case PL031_CR:
		return PL031_CR_START;
	case PL031_IMSC:
		return c->imsc;
	case PL031_RIS:
		return c->ris;
	case PL031_MIS:
		return c->ris && c->imsc;
	default:
		return read_id(reg);
	}
}

/* The counter or RTCMR has changed: they may be equal at once. */
static void compare(struct vpl031 *c, u64 now)
{
	c->match = now + (u32)(c->mr - counter(c, now));
	catch_up(c, now);
}

static void reg_write(struct vpl031 *c, u32 reg, u32 v, u64 now)
{
	switch (reg) {
	case PL031_MR:
		c->mr = v;
		compare(c, now);
		break;
	case PL031_LR:
		c->lr = v;
		c->ahead = v - (u32)now;
		compare(c, now);
		break;
	case PL031_IMSC:
		c->imsc = v & PL031_INT;
		break;
	case PL031_ICR:
		if (v & PL031_INT)
			c->ris = false;
		break;
	default: /* read-only, reserved, or a start of what runs */
		return;
	}
	arm(c);
}

/* Of a narrow read the bytes that it asks for; EDK2 reads the identification so. */
bool vpl031_mmio(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	u32 reg = (u32)m->offset & ~3U, lane = (u32)m->offset % 4 * 8;
	struct vpl031 *c = dev;
	u64 now;

	(void)vcpu;
	if (m->offset % 4 + m->size > 4)
		return false;
	spin_lock(&c->lock);
	now = rtc_now();
	catch_up(c, now);
	if (m->write)
		reg_write(c, reg, (u32)m->data << lane, now);
	else
		m->data = reg_read(c, reg, now) >> lane & MASK(m->size * 8 - 1, 0);
	update_line(c);
	spin_unlock(&c->lock);
	return true;
}

/* ---- life ----------------------------------------------------------------------------------- */

static struct vpl031 *find(const struct vm *vm)
{
	for (u32 i = 0; i < MAX_VMS; i++)
		if (clocks[i].vm == vm)
			return &clocks[i];
	return NULL;
}

/* All registers are 0; a match is what the counter does next. */
static void reset(struct vpl031 *c)
{
	u64 now = rtc_now();

	c->mr = c->lr = 0;
	c->imsc = c->ris = false;
	c->match = now + (u32)-counter(c, now);
	timer_cancel(&c->alarm);
}

int vpl031_create(struct vm *vm)
{
	struct vpl031 *c = find(NULL);
	int err;

	vm->rtc = NULL;
	if (!c)
		return -ENOSPC;
	err = mmio_add(&vm->mmio, vm->layout.rtc, PL031_SIZE, vpl031_mmio, c);
	if (err)
		return err;
	timer_init(&c->alarm, on_alarm);
	c->ahead = 0;
	c->line = false;
	reset(c);
	c->vm = vm;
	vm->rtc = c;
	return 0;
}

void vpl031_reset(struct vm *vm)
{
	struct vpl031 *c = vm->rtc;

	if (!c)
		return;
	spin_lock(&c->lock);
	reset(c);
	update_line(c);
	spin_unlock(&c->lock);
}

void vpl031_destroy(struct vm *vm)
{
	struct vpl031 *c = vm->rtc;

	if (!c)
		return;
	spin_lock(&c->lock);
	c->vm = NULL;
	timer_cancel(&c->alarm);
	spin_unlock(&c->lock);
	vm->rtc = NULL;
}
