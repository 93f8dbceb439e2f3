/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's ITS: its memory, its registers, and those of the redistributors that are about LPIs. */
#include "vgic/its.h"

#include "dev/its.h"
#include "lib/string.h"
#include "mm/page.h"
#include "vgic/internal.h"
#include "vgic/lpi.h"

#define CACHED (GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GITS_BASE_INNER)
#define GICR_CACHED (GIC_BASE_INNER_SHAREABLE | GIC_CACHE_RAWAWB << GICR_BASER_INNER)

/* ---- life ---- */

int vits_create(struct vm *vm, const struct vits_want *want, u32 count)
{
	u32 events = VITS_SOFT * VITS_SOFT_EVENTS, order, at = 0;
	struct vits *its;
	u64 size, page;

	for (u32 i = 0; i < count; i++)
		events += want[i].phys->events;
	size = ALIGN_UP(sizeof(*its) + events * sizeof(u32), sizeof(u64));
	size += vm->vcpu_count * sizeof(struct vgic_lpis);
	order = page_order(size);
	page = page_alloc(order);
	if (!page)
		return -ENOMEM;
	its = pa_ptr(pa(page));
	memset(its, 0, PAGE_SIZE << order);
	its->order = order;
	its->pending =
		(void *)((char *)its + ALIGN_UP(sizeof(*its) + events * sizeof(u32), sizeof(u64)));
	for (; its->devices < count + VITS_SOFT; its->devices++) {
		struct vits_device *d = &its->device[its->devices];

		d->first = at;
		d->count = VITS_SOFT_EVENTS;
		if (its->devices < count) {
			d->phys = want[its->devices].phys;
			d->id = want[its->devices].id;
			d->count = d->phys->events;
		}
		at += d->count;
	}
	vm->vgic.its = its;
	vits_reset(vm);
	for (u32 i = 0; i < count; i++) {
		want[i].phys->slot = i;
		__atomic_store_n(&want[i].phys->to, vm, __ATOMIC_RELEASE);
	}
	return mmio_add(&vm->mmio, vm->layout.its, GITS_SIZE, vits_access, vm);
}

void vits_reset(struct vm *vm)
{
	struct vits *its = vm->vgic.its;
	u32 events = 0;

	if (!its)
		return;
	spin_lock(&its->lock);
	__atomic_store_n(&its->ctlr, 0, __ATOMIC_SEQ_CST);
	its->cbaser = its->baser[0] = its->baser[1] = its->propbaser = 0;
	its->cwriter = its->creadr = its->progress = its->told = 0;
	memset(its->collection, VITS_NOBODY, sizeof(its->collection));
	for (u32 i = 0; i < its->devices; i++) {
		its->device[i].bits = 0;
		events += its->device[i].count;
	}
	memset(its->event, 0, events * sizeof(its->event[0]));
	memset(its->lpi, 0, sizeof(its->lpi));
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		struct vgic_vcpu *v = &vm->vcpus[i]->vgic;

		v->lpis = &its->pending[i];
		v->lpis_on = false;
		lpi_clear(v);
	}
	spin_unlock(&its->lock);
}

void vits_destroy(struct vm *vm)
{
	struct vits *its = vm->vgic.its;

	if (!its)
		return;
	vits_reset(vm);
	for (u32 i = 0; i < its->devices; i++)
		if (its->device[i].phys)
			__atomic_store_n(&its->device[i].phys->to, NULL, __ATOMIC_RELEASE);
	/* An LPI may be under way to it on another CPU, without a lock, if it ever ran. */
	if (vm->started)
		return;
	vm->vgic.its = NULL;
	page_free(ptr_pa(its).a, its->order);
}

/* ---- registers ---- */

static u64 typer(void)
{
	return GITS_TYPER_PHYSICAL | GITS_TYPER_MAKE(VITS_ITT_ENTRY, 16UL, VITS_DEVICE_BITS) |
	       GITS_TYPER_CIL | GITS_TYPER_CID_BITS(VITS_CID_BITS);
}

/* The tables of devices and collections: no levels, as nidus uses them for their size alone. */
static u64 baser_fixed(u32 n)
{
	return (u64)(n ? GITS_BASER_COLLECTIONS : GITS_BASER_DEVICES) << GITS_BASER_TYPE_SHIFT |
	       (VITS_ITT_ENTRY - 1UL) << GITS_BASER_ENTRY_SHIFT;
}

static u64 register_read(struct vm *vm, u32 reg)
{
	struct vits *its = vm->vgic.its;

	switch (reg) {
	case GITS_CTLR: /* with GITS_IIDR */
		return its->ctlr | (its->ctlr ? 0 : GITS_CTLR_QUIESCENT) | (u64)VGIC_IIDR << 32;
	case GITS_TYPER:
		return typer();
	case GITS_CBASER:
		return its->cbaser;
	case GITS_CWRITER:
		return its->cwriter;
	case GITS_CREADR:
		vits_run(vm);
		return its->creadr;
	case GITS_BASER:
	case GITS_BASER + 8:
		return its->baser[(reg - GITS_BASER) / 8] | baser_fixed((reg - GITS_BASER) / 8);
	}
	return vgic_regs_id(reg) | (u64)vgic_regs_id(reg + 4) << 32;
}

/* Bases can't change while the ITS is enabled (IHI0069: UNPREDICTABLE). */
static void register_write(struct vm *vm, u32 reg, u64 v)
{
	struct vits *its = vm->vgic.its;
	u32 n = (reg - GITS_BASER) / 8;

	switch (reg) {
	case GITS_CTLR:
		__atomic_store_n(&its->ctlr, (u32)(v & GITS_CTLR_ENABLED), __ATOMIC_SEQ_CST);
		break;
	case GITS_CBASER:
		if (its->ctlr)
			break;
		its->cbaser = (v & (GITS_BASE_VALID | MASK(51, 12) | MASK(7, 0))) | CACHED;
		its->creadr = its->cwriter = its->progress = 0;
		break;
	case GITS_CWRITER:
		v &= GITS_QUEUE_MASK;
		if (v < GITS_BASE_SIZE(its->cbaser) * PAGE_SIZE)
			its->cwriter = (u32)v;
		break;
	case GITS_BASER:
	case GITS_BASER + 8:
		if (!its->ctlr)
			its->baser[n] =
				(v & (GITS_BASE_VALID | MASK(47, 12) | MASK(9, 0))) | CACHED;
		break;
	}
}

/* The part of a register of 64 bits that an access of 4 or 8 bytes is about. */
static u64 part_of(u64 v, const struct mmio *m)
{
	return m->size == 8 ? v : v >> m->offset % 8 * 8 & 0xffffffff;
}

static u64 merge(u64 old, const struct mmio *m)
{
	u32 shift = m->offset % 8 * 8;

	return m->size == 8 ? m->data : (old & ~(0xffffffffUL << shift)) | m->data << shift;
}

static u64 register_now(struct vm *vm, u32 reg)
{
	return reg == GITS_CREADR ? vm->vgic.its->creadr : register_read(vm, reg);
}

/*
 * Commands are done by the write that adds them, in pieces: between them interrupts are taken and
 * the CPU may be given up. A write that goes on adds nothing.
 */
static void write_and_run(struct vcpu *vcpu, u32 reg, struct mmio *m)
{
	struct vits *its = vcpu->vm->vgic.its;
	struct vgic_op op = {
		.reg = VGIC_NONE, .word = 0xff, .write = true, .mask = reg, .data = m->data
	};
	struct vgic_ask *a = &vcpu->vgic.ask;

	if (!vgic_ask_matches(a, &op))
		register_write(vcpu->vm, reg, merge(register_now(vcpu->vm, reg), m));
	vits_run(vcpu->vm);
	a->active = vits_has_commands(its);
	a->op = op;
	m->waits = a->active;
}

bool vits_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vm *vm = dev;
	struct vits *its = vm->vgic.its;
	u32 reg = (u32)m->offset & ~7u;

	if (!m->write)
		m->data = 0;
	if (unlikely(m->offset % m->size))
		return false;
	/* A vcpu is no device: its write to the doorbell has no DeviceID, and does nothing. */
	if (m->size < 4 || m->offset >= GITS_FRAME)
		return true;
	spin_lock(&its->lock);
	if (!m->write)
		m->data = part_of(register_read(vm, reg), m);
	else if (reg == GITS_CTLR && m->offset % 8)
		; /* GITS_IIDR */
	else if (reg == GITS_CTLR || reg == GITS_CWRITER)
		write_and_run(vcpu, reg, m);
	else
		register_write(vm, reg, merge(register_now(vm, reg), m));
	spin_unlock(&its->lock);
	return true;
}

/* ---- redistributors ---- */

u64 vits_redist_read(const struct vcpu *target, u32 reg)
{
	const struct vits *its = target->vm->vgic.its;

	if (!its)
		return 0;
	switch (reg) {
	case GICR_CTLR:
		return GICR_CTLR_CES | (target->vgic.lpis_on ? GICR_CTLR_LPIS : 0);
	case GICR_PROPBASER:
		return its->propbaser;
	case GICR_PENDBASER:
		return target->vgic.pendbaser;
	}
	return 0;
}

/* LPIs on or off: none is pending then, whatever the VM's pending table says. */
static void set_lpis(struct vcpu *target, bool on)
{
	struct vgic_vcpu *v = &target->vgic;

	if (v->lpis_on == on)
		return;
	if (on)
		lpi_clear(v);
	__atomic_store_n(&v->lpis_on, on, __ATOMIC_SEQ_CST);
	if (on)
		return;
	lpi_clear(v);
	lpi_recall(target->vm);
}

void vits_redist_write(struct vcpu *target, u32 reg, u64 v)
{
	struct vits *its = target->vm->vgic.its;

	if (!its)
		return;
	spin_lock(&its->lock);
	if (reg == GICR_CTLR)
		set_lpis(target, v & GICR_CTLR_LPIS);
	else if (target->vgic.lpis_on)
		; /* UNPREDICTABLE (IHI0069) */
	else if (reg == GICR_PROPBASER)
		its->propbaser = (v & (MASK(51, 12) | MASK(4, 0))) | GICR_CACHED;
	else if (reg == GICR_PENDBASER)
		target->vgic.pendbaser = (v & MASK(51, 16)) | GICR_CACHED;
	spin_unlock(&its->lock);
}
