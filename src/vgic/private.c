/* SPDX-License-Identifier: Apache-2.0 */
/* SGIs and PPIs: their inputs, lock-free, and accesses to their state. Deactivation by ICC_DIR_EL1.
 */
#include "arch/gicv3.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "lib/log.h"
#include "simd/simd.h"
#include "state/trace.h"
#include "vgic/internal.h"

/* ---- inputs ---- */

static void sgi_post(struct vcpu *vcpu, struct vcpu *target, u32 sgi, bool group1)
{
	struct vgic_vcpu *t = &target->vgic;
	u32 bit = 1u << sgi;

	if ((__atomic_load_n(&t->priv.group, __ATOMIC_RELAXED) >> sgi & 1) != group1)
		return;
	/* Still in the mailbox: whoever posted it wakes the target. */
	if (__atomic_fetch_or(&t->mail, bit, __ATOMIC_RELEASE) & bit)
		return;
	vgic_mark(t, false);
	if (target != vcpu)
		vcpu_kick(target);
}

enum verdict vgic_sgi(struct vcpu *vcpu, u64 value, bool group1)
{
	struct vm *vm = vcpu->vm;
	u32 sgi = ICC_SGIR_INTID(value);
	u64 cluster;

	if (value & ICC_SGIR_IRM) {
		for (u32 i = 0; i < vm->vcpu_count; i++)
			if (vm->vcpus[i] != vcpu)
				sgi_post(vcpu, vm->vcpus[i], sgi, group1);
		return SKIP;
	}
	cluster = ICC_SGIR_CLUSTER(value);
	for (u32 list = ICC_SGIR_TARGETS(value); list; list &= list - 1) {
		struct vcpu *target = vgic_find_vcpu(vm, cluster | (u32)__builtin_ctz(list));

		if (target)
			sgi_post(vcpu, target, sgi, group1);
	}
	return SKIP;
}

void vgic_set_ppi(struct vcpu *vcpu, u32 intid, bool level)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 bit = 1u << (intid & 31), old;

	if (level) {
		old = __atomic_fetch_or(&v->priv.line, bit, __ATOMIC_RELEASE);
		if (!(old & bit))
			__atomic_fetch_or(&v->mail, bit, __ATOMIC_RELEASE);
	} else {
		old = __atomic_fetch_and(&v->priv.line, ~bit, __ATOMIC_RELEASE);
	}
	if (level == !!(old & bit))
		return;
	/* A falling line has to be noticed too: its interrupt may still be in a list register. */
	vgic_mark(v, false);
	vcpu_kick(vcpu);
}

/* The list register that holds private interrupt intid. */
static u32 lr_of(const struct vgic_vcpu *v, u32 intid)
{
	u32 used = v->lr_used;

	while (v->lr_intid[__builtin_ctz(used)] != intid)
		used &= used - 1;
	return (u32)__builtin_ctz(used);
}

/*
 * Whether the last instance of a hardware-backed PPI left its list register unchanged but for the
 * state: then set it pending again.
 */
static bool rearm(struct vcpu *vcpu, u32 intid, u32 pintid)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 i = lr_of(v, intid), ctlr = __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_RELAXED);
	u64 lr = lr_read(i);

	/* If others wait for a list register, one of a disabled group must not take it from them.
	 */
	if ((v->hcr & VGIC_HCR_OVERFLOW) || (lr & ICH_LR_STATE) || !(v->lr_hw >> i & 1) ||
	    v->priv.pintid[intid] != pintid || (v->priv.edge >> intid & 1) ||
	    !(irq32_deliverable(&v->priv, ctlr) >> intid & 1))
		return false;
	v->lr_latch &= (u16) ~(1u << i);
	v->lr_waits |= (u16)(1u << i);
	v->waits |= 1;
	/* The last instance is over; the next one is acknowledged at a priority of its own. */
	v->priv.active &= ~(1u << intid);
	v->priv.acked &= ~(1u << intid);
	vcpu->account.irq_injected++;
	lr &= ~(0xffUL << ICH_LR_PRIORITY_SHIFT);
	lr |= (u64)v->priv.prio[intid] << ICH_LR_PRIORITY_SHIFT | ICH_LR_PENDING;
	lr_write(i, lr);
	trace_event(vcpu, TRACE_IRQ, 0, lr, 0);
	/*
	 * Only while no other interrupt is pending for the guest and needs a check, and none of
	 * vEL1's may be an FIQ of vEL2's. Never where every exit must take the slow path, nor where
	 * a guest's timer tick is to find what was stolen of the CPU (irq_all()).
	 */
	v->redeliver.mask = 0;
	if (!simd_chaos && !cpu_this()->stolen_from && !(v->lr_waits & ~lr_empty() & ~(1u << i)) &&
	    i < 7 && (lr & ICH_LR_GROUP1))
		v->redeliver = (struct vgic_redeliver){ lr, pintid, 1u << i };
	return true;
}

/*
 * The conditions of rearm() hold as long as the interrupt stays in its list register: any change of
 * its enable, group, priority or pending state, of GICD_CTLR, the level or another need for a list
 * register folds or retires it first. What remains to check is whether the guest has ended it:
 * ICH_ELRSR_EL2 (with the HW bit: State is 0).
 */
bool vgic_redeliver_ppi(struct vcpu *vcpu, u32 pintid)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 mask = v->redeliver.mask;

	if (v->redeliver.pintid != pintid || !(lr_empty() & mask))
		return false;
	v->waits = (u8)mask;
	vcpu->account.irq_injected++;
	/* Mostly it is alone, so in the first. */
	if (likely(mask & 1))
		sysreg_write(ICH_LR0_EL2, v->redeliver.lr);
	else
		lr_write_other((u32)__builtin_ctz(mask), v->redeliver.lr);
	return true;
}

void vgic_inject_ppi_hw(struct vcpu *vcpu, u32 intid, u32 pintid)
{
	struct irq32 *p = &vcpu->vgic.priv;
	u32 bit = 1u << (intid & 31);

	if (!(p->inlr & bit) || !rearm(vcpu, intid & 31, pintid)) {
		if (p->inlr & bit)
			vgic_sync(vcpu);
		p->pintid[intid & 31] = (u16)pintid;
		irq32_hw_arrive(p, bit);
		vgic_mark(&vcpu->vgic, p->active & bit);
	}
	vcpu_kick(vcpu);
}

/* ---- accesses to the state ---- */

u64 private_apply(struct vcpu *vcpu, const struct vgic_op *op, bool loaded)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	struct irq32 *p = &v->priv;
	bool pend = op->reg == VGIC_PEND || op->reg == VGIC_UNPEND;
	u32 over, lines = 0;

	vgic_collect(v);
	if (pend)
		lines = vgic_drop_ppis(vcpu, loaded);
	if (!op->write)
		return irq32_read(p, op, op->mask) | (lines & op->mask);
	over = irq32_write(p, op, op->mask);
	/* Not loaded, the physical PPIs behind its interrupts are inactive already (vgic_put). */
	if (loaded)
		irq32_hw_release(p, over);
	else
		p->hw &= ~over;
	vgic_mark(v, false);
	return 0;
}

/*
 * Whether a write would change nothing, wherever the interrupts are. Linux/KVM deactivates its
 * guest's timers each time it returns to a vcpu, whether they are active or not.
 */
static bool is_idle_write(const struct irq32 *p, const struct vgic_op *op)
{
	u32 set = (u32)op->data & op->mask;

	return op->write && op->reg == VGIC_DEACTIVATE &&
	       !(set & (p->active | p->acked | p->inlr));
}

bool private_access(struct vcpu *self, struct vcpu *target, const struct vgic_op *op, u64 *value)
{
	struct vgic_op part = *op;

	if (self == target && is_idle_write(&self->vgic.priv, op))
		return true;
	if (self != target) {
		bool done = vgic_remote(self, target, &part);

		*value = part.data;
		return done;
	}
	if (vgic_op_needs_fold(op) && (op->mask & self->vgic.priv.inlr))
		vgic_sync(self);
	*value = private_apply(self, op, true);
	return true;
}

/* ---- deactivation ---- */

enum verdict vgic_deactivate(struct vcpu *vcpu, u64 value)
{
	u32 intid = (u32)FIELD(value, 23, 0);
	struct vgic_op op = { .reg = VGIC_DEACTIVATE, .write = true, .word = (u8)(intid / 32) };
	u64 unused;

	if (intid >= vcpu->vm->vgic.intids)
		return SKIP;
	vgic_ask_begin(vcpu);
	op.mask = 1u << intid % 32;
	op.data = op.mask;
	return (intid < 32 ? private_access(vcpu, vcpu, &op, &unused)
			   : spi_access(vcpu, &op, &unused))
		       ? SKIP
		       : AGAIN;
}

enum verdict vgic_dir(struct vcpu *vcpu, u64 value)
{
	/* With EOImode 0 EOIR deactivates, and DIR does nothing. */
	if (!(sysreg_read(ICH_VMCR_EL2) & ICH_VMCR_EOIM))
		return SKIP;
	return vgic_deactivate(vcpu, value);
}

/* Deactivate vEL2's SPIs that vEL1 has ended. */
static bool finish_deferred_spis(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 unused;

	while (v->deferred_words) {
		u32 word = (u32)__builtin_ctz(v->deferred_words);
		struct vgic_op op = { VGIC_DEACTIVATE, (u8)word, true, v->deferred_spis[word],
				      v->deferred_spis[word] };

		if (!spi_access(vcpu, &op, &unused))
			return false;
		v->deferred_spis[word] = 0;
		v->deferred_words &= ~(1u << word);
	}
	return true;
}

/* Find the SPIs of a word that are active at another vcpu, into *bits. False: not known yet. */
static bool active_elsewhere(struct vcpu *vcpu, u32 word, u32 *bits)
{
	struct vgic_op op = { .reg = VGIC_DEACTIVATE, .word = (u8)word, .mask = ~0u };
	struct vgic *g = &vcpu->vm->vgic;
	u64 active;

	if (!spi_access(vcpu, &op, &active))
		return false;
	*bits = 0;
	spin_lock(&g->lock);
	for (; active; active &= active - 1) {
		u32 n = (u32)__builtin_ctzl(active);

		if (g->spis->word[word].owner[n] != vcpu->index)
			*bits |= 1u << n;
	}
	spin_unlock(&g->lock);
	return true;
}

/* From now on a vcpu with EOImode 1 traps, which names the interrupt. */
static void let_dir_trap(struct vm *vm)
{
	if (__atomic_exchange_n(&vm->vgic.dir_traps, true, __ATOMIC_ACQ_REL))
		return;
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vgic_mark(&vm->vcpus[i]->vgic, true);
}

/*
 * Handle deactivations that name no interrupt: if one SPI is active at another vcpu, it is meant.
 */
static bool finish_deferred_eois(struct vcpu *vcpu)
{
	struct vgic_eoi_search *l = &vcpu->vgic.eoi_search;
	struct vm *vm = vcpu->vm;
	u64 unused;

	let_dir_trap(vm);
	for (l->word = MAX(l->word, 1u); l->word * 32 < vm->vgic.intids; l->word++) {
		u32 bits;

		if (!active_elsewhere(vcpu, l->word, &bits))
			return false;
		for (u32 left = bits; left; left &= left - 1)
			l->count++;
		if (bits)
			l->op = (struct vgic_op){ VGIC_DEACTIVATE, (u8)l->word, true, bits, bits };
	}
	if (l->count == 1 && !spi_access(vcpu, &l->op, &unused))
		return false;
	if (l->count > 1 &&
	    !__atomic_exchange_n(&vm->vgic.eoi_ignored_reported, true, __ATOMIC_RELAXED))
		log_line("vm %u: vcpu %u deactivated one of %u SPIs of others: ignored", vm->id,
			 vcpu->index, l->count);
	vcpu->vgic.deferred_eois = 0;
	*l = (struct vgic_eoi_search){ .word = 0 };
	return true;
}

bool vgic_finish_deferred(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	vgic_ask_begin(vcpu);
	/* One may lead to another: SPIs of vEL1's that end while this vcpu serves others. */
	while (v->deferred_words | v->deferred_eois) {
		if (v->deferred_eois ? !finish_deferred_eois(vcpu) : !finish_deferred_spis(vcpu))
			return false;
	}
	v->deferred = false;
	return true;
}

bool vgic_finish(struct vcpu *vcpu)
{
	if (unlikely(vcpu->vgic.where == VGIC_VEL1))
		vgic_vel1_sync(vcpu);
	vgic_sync(vcpu);
	return vgic_finish_deferred(vcpu);
}
