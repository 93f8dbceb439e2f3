/* SPDX-License-Identifier: Apache-2.0 */
/* Events and errors of a VM's SMMU: its event queue, in the VM's RAM, and two edge interrupts. */
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/vsmmu_parts.h"

#define INDEX_BITS ((u32)MASK(19, 0))

enum { IRQ_EVENTS, IRQ_ERRORS };

/* Wires of an SMMU's are pulses. */
static void pulse(const struct vsmmu *v, u32 which)
{
	u32 intid = v->vm->layout.smmu_intid[which];

	vgic_set_spi(v->vm, intid, true);
	vgic_set_spi(v->vm, intid, false);
}

/* ---- errors; events_lock held ---- */

static bool is_active(const struct vsmmu *v, u32 error)
{
	return (v->gerror ^ v->gerrorn) & error;
}

static void raise(struct vsmmu *v, u32 error)
{
	if (is_active(v, error))
		return;
	v->gerror ^= error;
	if (v->irqs & SMMU_IRQ_GERROR)
		pulse(v, IRQ_ERRORS);
}

void vsmmu_error(struct vsmmu *v, u32 error)
{
	spin_lock(&v->events_lock);
	raise(v, error);
	spin_unlock(&v->events_lock);
}

bool vsmmu_has_error(struct vsmmu *v, u32 error)
{
	bool active;

	spin_lock(&v->events_lock);
	active = is_active(v, error);
	spin_unlock(&v->events_lock);
	return active;
}

/* ---- the event queue ---- */

static u32 queue_log2(const struct vsmmu *v)
{
	return MIN(SMMU_Q_LOG2SIZE(v->eventq), (u32)VSMMU_EVENTS_LOG2);
}

/*
 * IHI 0070, 7.2: one that does not fit is lost, and OVFLG then differs from OVACKFLG; one that
 * can't be written is an error, until whose end there are no others.
 */
static void push(struct vsmmu *v, const u64 *record)
{
	u32 size = 1U << queue_log2(v), mask = 2 * size - 1;
	u32 used = (v->events_prod ^ v->events_cons) & mask;
	u64 base = ALIGN_DOWN(v->eventq & MASK(51, 5), SMMU_EVENT * size);

	if (!v->events_on || is_active(v, SMMU_GERROR_EVENTQ_ABT))
		return;
	if (used == size) {
		if (!((v->events_prod ^ v->events_cons) & SMMU_Q_OVERFLOW))
			v->events_prod ^= (u32)SMMU_Q_OVERFLOW;
		return;
	}
	if (vm_write(v->vm, ipa(base + (v->events_prod & (size - 1)) * SMMU_EVENT), record,
		     SMMU_EVENT)) {
		raise(v, SMMU_GERROR_EVENTQ_ABT);
		return;
	}
	v->events_prod = (v->events_prod & (u32)SMMU_Q_OVERFLOW) | ((v->events_prod + 1) & mask);
	if (!used && (v->irqs & SMMU_IRQ_EVENTQ))
		pulse(v, IRQ_EVENTS);
}

static const struct vsmmu_stream *find(const struct vsmmu *v, const struct smmu_stream *real)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->stream[i].real == real)
			return &v->stream[i];
	return NULL;
}

bool vsmmu_event(struct smmu_stream *real, const u64 word[4])
{
	struct vsmmu *v = real->owner;
	const struct vsmmu_stream *t = find(v, real);
	u64 record[4];
	bool mine;

	if (!t || (real->before != SMMU_STAGE1 && real->before != SMMU_REFUSES))
		return false;
	spin_lock(&v->events_lock);
	mine = vsmmu_decode_event(record, word, t->sid, t->bad, t->bad_at);
	if (mine)
		push(v, record);
	spin_unlock(&v->events_lock);
	return mine;
}

/* ---- registers ---- */

static bool event_read(const struct vsmmu *v, u32 reg, u32 *value)
{
	switch (reg) {
	case SMMU_IRQ_CTRL:
	case SMMU_IRQ_CTRLACK:
		*value = v->irqs;
		return true;
	case SMMU_GERROR:
		*value = v->gerror;
		return true;
	case SMMU_GERRORN:
		*value = v->gerrorn;
		return true;
	case SMMU_EVENTQ_BASE:
		*value = (u32)v->eventq;
		return true;
	case SMMU_EVENTQ_BASE + 4:
		*value = (u32)(v->eventq >> 32);
		return true;
	case SMMU_EVENTQ_PROD:
		*value = v->events_prod;
		return true;
	case SMMU_EVENTQ_CONS:
		*value = v->events_cons;
		return true;
	}
	return false;
}

bool vsmmu_event_read(struct vsmmu *v, u32 reg, u32 *value)
{
	bool found;

	spin_lock(&v->events_lock);
	found = event_read(v, reg, value);
	spin_unlock(&v->events_lock);
	return found;
}

/* Where and how large the queue is, and PROD, can be written while it is off. */
static bool event_write(struct vsmmu *v, u32 reg, u32 value)
{
	switch (reg) {
	case SMMU_IRQ_CTRL:
		v->irqs = value & (u32)(SMMU_IRQ_GERROR | SMMU_IRQ_EVENTQ);
		return true;
	case SMMU_GERRORN: /* of an error that is not active: UNPREDICTABLE, and here nothing */
		v->gerrorn ^= (v->gerrorn ^ value) & (v->gerrorn ^ v->gerror);
		return true;
	case SMMU_EVENTQ_BASE:
	case SMMU_EVENTQ_BASE + 4:
		if (!v->events_on)
			vsmmu_write_half(&v->eventq, reg, value, VSMMU_QUEUE_BITS);
		return true;
	case SMMU_EVENTQ_PROD:
		if (!v->events_on)
			v->events_prod = value & ((u32)SMMU_Q_OVERFLOW | INDEX_BITS);
		return true;
	case SMMU_EVENTQ_CONS:
		v->events_cons = value & ((u32)SMMU_Q_OVERFLOW | INDEX_BITS);
		return true;
	}
	return false;
}

bool vsmmu_event_write(struct vsmmu *v, u32 reg, u32 value)
{
	bool found;

	spin_lock(&v->events_lock);
	found = event_write(v, reg, value);
	spin_unlock(&v->events_lock);
	return found;
}

void vsmmu_event_enable(struct vsmmu *v, bool on)
{
	spin_lock(&v->events_lock);
	v->events_on = on;
	spin_unlock(&v->events_lock);
}
