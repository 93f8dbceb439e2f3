/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated distributor: one Security state, affinity routing always; no MBIs. */
#include "arch/its.h"
#include "vgic/internal.h"

/*
 * Fold the list registers of other vcpus: RWP reads as 0, so a disabled group must be out of all
 * list registers when the write completes.
 */
static void fold_others(struct vcpu *vcpu, struct vgic_op *fold, u32 vcpus, struct mmio *m)
{
	struct vgic_ask *a = &vcpu->vgic.ask;

	for (; vcpus; vcpus &= vcpus - 1) {
		struct vcpu *other = vcpu->vm->vcpus[__builtin_ctz(vcpus)];

		if (!a->posted &&
		    (other == vcpu ||
		     __atomic_load_n(&other->vgic.where, __ATOMIC_ACQUIRE) != VGIC_LOADED))
			continue;
		if (!vgic_remote(vcpu, other, fold)) {
			a->op = *fold;
			a->todo = vcpus;
			a->active = true;
			m->waits = true;
			return;
		}
	}
	a->active = false;
}

/*
 * Write GICD_CTLR: every private and shared interrupt may have to be withdrawn, or may be
 * deliverable now.
 */
static __attribute__((noinline)) void ctlr_write(struct vcpu *vcpu, struct mmio *m)
{
	struct vm *vm = vcpu->vm;
	struct vgic *g = &vm->vgic;
	struct vgic_op fold = { .reg = VGIC_NONE };
	u32 value = (u32)m->data & (GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
	u32 all = (1u << vm->vcpu_count) - 1, kicks = 0, old;

	vgic_ask_begin(vcpu);
	if (unlikely(vgic_ask_matches(&vcpu->vgic.ask, &fold))) {
		fold_others(vcpu, &fold, vcpu->vgic.ask.todo, m);
		return;
	}

	spin_lock(&g->lock);
	old = g->ctlr;
	__atomic_store_n(&g->ctlr, value, __ATOMIC_RELEASE);
	for (u32 i = 1; old != value && i < VGIC_WORDS; i++) {
		struct irq32 *s = &g->spis->word[i].s;

		irq32_hw_resample(s, ~s->inlr);
		kicks |= spi_choose(vm, i, (irq32_pending(s, s->line) & s->enabled) | s->active,
				    VGIC_NOBODY);
	}
	spin_unlock(&g->lock);
	if (old == value)
		return;
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vgic_mark(&vm->vcpus[i]->vgic, true);
	vgic_kick_all(vm, kicks | all);
	if (old & ~value)
		fold_others(vcpu, &fold, all, m);
}

/* Access registers below GICD_IGROUPR. Constant ones are answered first. */
static void control_access(struct vcpu *vcpu, struct mmio *m)
{
	const struct vgic *g = &vcpu->vm->vgic;

	if (m->size != 4)
		return;
	if (m->write) {
		if (m->offset == GICD_CTLR)
			ctlr_write(vcpu, m);
		return;
	}
	switch (m->offset) {
	case GICD_IIDR:
		m->data = VGIC_IIDR;
		break;
	case GICD_CTLR:
		m->data =
			GICD_CTLR_DS | GICD_CTLR_ARE | __atomic_load_n(&g->ctlr, __ATOMIC_RELAXED);
		break;
	case GICD_TYPER: /* CPUNumber 0: only without affinity routing. No1N 0: IROUTER.IRM works.
			  */
		m->data = (ALIGN_UP(g->intids, 32u) / 32 - 1) | GICD_TYPER_A3V |
			  (g->its ? GICD_TYPER_IDBITS(GIC_LPI_BITS) | GICD_TYPER_LPIS
				  : GICD_TYPER_IDBITS(10));
		break;
	}
}

static void router_access(struct vcpu *vcpu, struct mmio *m)
{
	u32 intid = (u32)(m->offset - GICD_IROUTER) / 8, shift = m->offset % 8 * 8;
	struct vgic_op op = { .reg = VGIC_ROUTE,
			      .word = (u8)(intid / 32),
			      .mask = 1u << intid % 32 };
	u64 old = 0;

	if ((m->size != 4 && m->size != 8) || intid < GIC_SPI || intid >= vcpu->vm->vgic.intids)
		return;
	vgic_ask_begin(vcpu);
	/* The route is in memory wherever the interrupt is: reading it waits for no other vcpu. */
	if (!(m->write && m->size == 8) && !spi_access(vcpu, &op, &old))
		m->waits = true;
	if (!m->write) {
		m->data = m->size == 8 ? old : old >> shift & 0xffffffff;
		return;
	}
	op.write = true;
	op.data = m->size == 8 ? m->data : (old & ~(0xffffffffUL << shift)) | m->data << shift;
	if (!spi_access(vcpu, &op, &old))
		m->waits = true;
}

/* Bits of a word whose interrupts exist. */
static u32 implemented(const struct vgic *g, u32 word)
{
	u32 first = word * 32;

	if (!word || first >= g->intids)
		return 0; /* private interrupts are at the redistributors */
	return g->intids - first >= 32 ? ~0u : (1u << (g->intids - first)) - 1;
}

static void state_access(struct vcpu *vcpu, struct mmio *m)
{
	struct vgic_op op;
	u64 v;

	if (!vgic_regs_decode((u32)m->offset, m, &op))
		return;
	op.mask &= implemented(&vcpu->vm->vgic, op.word);
	if (!op.mask)
		return;
	vgic_ask_begin(vcpu);
	if (!spi_access(vcpu, &op, &v))
		m->waits = true;
	else if (!m->write)
		m->data = vgic_regs_value((u32)m->offset, m, &op, v);
}

bool vgic_dist_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	(void)dev;
	if (!m->write)
		m->data = 0;
	if (unlikely(m->offset % m->size))
		return false;
	if (m->offset < GICD_IGROUPR)
		control_access(vcpu, m);
	else if (m->offset >= GICD_IROUTER && m->offset < GICD_IROUTER_END)
		router_access(vcpu, m);
	else if (m->offset < GICD_IROUTER)
		state_access(vcpu, m);
	else if (!m->write && m->size == 4)
		m->data = vgic_regs_id((u32)m->offset);
	return true;
}
