/* SPDX-License-Identifier: Apache-2.0 */
/* Between memory and list registers: flush, fold, load, put. */
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "state/cpu.h"
#include "state/timers.h"
#include "state/trace.h"
#include "vgic/internal.h"
#include "vgic/lpi.h"

void vgic_collect(struct vgic_vcpu *v)
{
	if (__atomic_load_n(&v->mail, __ATOMIC_RELAXED))
		v->priv.latch |= __atomic_exchange_n(&v->mail, 0, __ATOMIC_ACQUIRE) & v->priv.edge;
}

static void hcr_set(struct vgic_vcpu *v, u64 hcr)
{
	if (v->hcr == hcr)
		return;
	sysreg_write(ICH_HCR_EL2, hcr);
	v->hcr = hcr;
}

/*
 * Take vgic.lock if the vcpu holds SPIs or is to get some; false: not taken. A change of want[]
 * after this check marks the vcpu stale, so the next flush finds it; but until then, without the
 * lock, nothing about SPIs may be read again: spi_words().
 */
static bool spis_lock(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (!(v->lr_spi | __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE)))
		return false;
	spin_lock(&vcpu->vm->vgic.lock);
	return true;
}

static void spis_unlock(struct vcpu *vcpu, bool locked)
{
	if (locked)
		spin_unlock(&vcpu->vm->vgic.lock);
}

/* Words of want[] that are not 0; locked: spis_lock() has taken vgic.lock. */
static u32 spi_words(const struct vgic_vcpu *v, bool locked)
{
	return locked ? v->want_words : 0;
}

/* ---- list registers to memory ---- */

/* Fold list register i, which has lr and held interrupt n of b. */
static void fold_one(struct vgic_vcpu *v, struct irq32 *b, u32 n, u32 i, u64 lr)
{
	u32 bit = 1u << n;

	b->inlr &= ~bit;
	if (!(lr & ICH_LR_ACTIVE)) {
		irq32_set(&b->active, b->active & ~bit);
		b->acked &= ~bit;
	} else if (!(b->active & bit)) {
		irq32_set(&b->active, b->active | bit);
		b->acked |= bit;
		b->aprio[n] = (u8)ICH_LR_PRIORITY(lr);
	}
	if ((lr & ICH_LR_PENDING) && (v->lr_latch >> i & 1))
		b->latch |= bit;
	if (!(lr & ICH_LR_STATE) && (b->hw & bit)) {
		/* With the HW bit the hardware has deactivated the physical one too. */
		if (v->lr_hw >> i & 1)
			b->hw &= ~bit;
		else
			irq32_hw_release(b, bit);
	}
}

static u32 fold_spi(struct vcpu *vcpu, u32 intid, u32 i, u64 lr)
{
	struct spi32 *w = spi_word(vcpu->vm, intid);
	u32 bit = 1u << intid % 32;

	fold_one(&vcpu->vgic, &w->s, intid % 32, i, lr);
	if (w->hw_next & bit) {
		w->hw_next &= ~bit;
		irq32_hw_arrive(&w->s, bit);
	}
	return spi_choose(vcpu->vm, intid / 32, bit, vcpu->index);
}

/* Fold the list registers; vgic.lock is held if SPIs are in them. Returns vcpus to kick. */
static u32 fold_lrs(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 kicks = 0;

	for (u32 used = v->lr_used; used; used &= used - 1) {
		u32 i = (u32)__builtin_ctz(used), intid = v->lr_intid[i];
		u64 lr = lr_read(i);

		if (trace_on(vcpu) && !(lr & ICH_LR_STATE))
			trace_add(vcpu, TRACE_IRQ_END, 0, lr, 0);
		if (intid < 32)
			fold_one(v, &v->priv, intid, i, lr);
		else
			kicks |= intid < GIC_LPI ? fold_spi(vcpu, intid, i, lr)
						 : lpi_fold(vcpu, intid, lr);
		if ((lr & ICH_LR_STATE) || (lr & (ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI)
			v->lr_dirty |= (u16)(1u << i);
	}
	v->lr_used = v->lr_spi = v->lr_hw = v->lr_latch = v->lr_waits = 0;
	lpi_none_held(v);
	v->waits = v->lr_any = 0;
	v->redeliver.mask = 0;
	return kicks;
}

/*
 * Find the most urgent interrupt that was acknowledged, is in no list register, and whose priority
 * is no longer among the active ones of f: its EOI has come. False: none.
 */
static bool find_ended(struct vcpu *vcpu, bool locked, const struct vgic_interface *f,
		       struct irq32 **b, u32 *n)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 best = 256;

	for (u32 words = 1 | spi_words(v, locked); words; words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words);
		struct irq32 *s = vgic_word(vcpu, word * 32);
		u32 bits = s->active & s->acked & ~s->inlr & (word ? v->want[word] : ~0u);

		for (; bits; bits &= bits - 1) {
			u32 k = (u32)__builtin_ctz(bits);

			if (s->aprio[k] >= best ||
			    vgic_prio_active(f, s->aprio[k], s->group >> k & 1))
				continue;
			best = s->aprio[k];
			*b = s;
			*n = k;
		}
	}
	return best < 256;
}

/*
 * Handle EOIs of interrupts that are in no list register: hardware counts them, but does not name
 * them. An ICC_DIR (EOImode 1) may be for any active interrupt: those trap, if needed.
 */
static u32 fold_eois(struct vcpu *vcpu, bool locked)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 count = ICH_HCR_EOICOUNT(sysreg_read(ICH_HCR_EL2)), kicks = 0, n;
	struct vgic_interface f;
	struct irq32 *b;

	if (!count)
		return 0;
	/* Each is counted once, however often this runs before the next flush. */
	sysreg_write(ICH_HCR_EL2, v->hcr);
	f = vgic_interface(v);
	if ((f.vmcr & ICH_VMCR_EOIM) && lr_caps.tdir) {
		v->deferred_eois += count;
		v->deferred = vcpu->unfinished = true;
		return 0;
	}
	for (; count && find_ended(vcpu, locked, &f, &b, &n); count--) {
		irq32_set(&b->active, b->active & ~(1u << n));
		b->acked &= ~(1u << n);
		irq32_hw_release(b, 1u << n);
		if (b != &v->priv)
			kicks |= spi_choose(
				vcpu->vm,
				(u32)(container_of(b, struct spi32, s) - vcpu->vm->vgic.spis->word),
				1u << n, vcpu->index);
	}
	return kicks;
}

/* Fold everything. locked: by spis_lock(). Returns vcpus to kick. */
static u32 fold_all(struct vcpu *vcpu, bool locked)
{
	u32 kicks = vcpu->vgic.hcr & ICH_HCR_LRENPIE ? fold_eois(vcpu, locked) : 0;

	return kicks | fold_lrs(vcpu);
}

void vgic_sync(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	bool locked;
	u32 kicks;

	if (v->where != VGIC_LOADED)
		return;
	locked = spis_lock(vcpu);
	kicks = fold_all(vcpu, locked);
	spis_unlock(vcpu, locked);
	vgic_mark(v, false);
	vgic_kick_all(vcpu->vm, kicks);
}

void vgic_serve_sync(struct vcpu *vcpu)
{
	if (unlikely(vcpu->vgic.where == VGIC_VEL1))
		vgic_vel1_sync(vcpu);
	vgic_sync(vcpu);
	vgic_remote_serve(vcpu);
}

void vgic_maintenance_clear(struct vcpu *vcpu)
{
	if (unlikely(vcpu->vgic.where == VGIC_VEL1)) {
		vgic_vel1_maintenance(vcpu);
		return;
	}
	(void)vgic_groups_seen(vcpu, sysreg_read(ICH_VMCR_EL2));
	vgic_sync(vcpu);
	/*
	 * The list registers still hold what raised the interrupt, until the next flush. With the
	 * interface off the line is low, so it does not fire again while this CPU stays in nidus.
	 */
	sysreg_write(ICH_HCR_EL2, 0);
	vcpu->vgic.hcr = 0;
}

void vgic_maintenance(struct vcpu *vcpu)
{
	vgic_maintenance_clear(vcpu);
	/* It may have slept since its EOI, and the interrupt be pending again. */
	vcpu_kick(vcpu);
}

/* ---- memory to list registers ---- */

/*
 * Put interrupt intid of b into list register i. A level-sensitive one whose line is high requests
 * an EOI maintenance interrupt, because it is pending again then; if its line falls before, the
 * flush that follows withdraws it. next: if it is active and pending, hardware may go on to the
 * next instance by itself (if that has the same priority).
 */
static void place(struct vcpu *vcpu, struct irq32 *b, u32 intid, u32 i, u32 line, bool next)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 n = intid % 32, bit = 1u << n;
	bool active = b->active & bit, latch = b->latch & bit;
	bool deliver =
		irq32_deliverable(b, __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_RELAXED)) & bit;
	bool pend = deliver && (irq32_pending(b, line) & bit);
	u64 lr = intid | (u64)(active ? b->aprio[n] : b->prio[n]) << ICH_LR_PRIORITY_SHIFT |
		 (b->group & bit ? ICH_LR_GROUP1 : 0);

	if ((b->hw & bit) && !(active && latch)) {
		lr |= ICH_LR_HW | (u64)b->pintid[n] << ICH_LR_PINTID_SHIFT |
		      (active ? ICH_LR_ACTIVE : ICH_LR_PENDING);
		v->lr_hw |= (u16)(1u << i);
		pend = !active;
		if (pend && !(b->edge & bit))
			vgic_wait_in(v, i);
	} else {
		/* Active and pending cannot have the HW bit: end such an interrupt in software. */
		if ((b->hw & bit) || (active && pend && !(next && b->aprio[n] == b->prio[n]))) {
			lr |= ICH_LR_EOI;
			pend = false;
		}
		if (deliver && (line & ~b->edge & bit))
			lr |= ICH_LR_EOI;
		lr |= (active ? ICH_LR_ACTIVE : 0) | (pend ? ICH_LR_PENDING : 0);
	}
	if (unlikely(vcpu->has_vel2) && pend)
		vgic_wait_in(v, i);
	if (pend && latch) {
		b->latch &= ~bit;
		v->lr_latch |= (u16)(1u << i);
	}
	if (intid < 32)
		v->lr_line = (v->lr_line & ~bit) | (line & bit);
	b->inlr |= bit;
	v->lr_intid[i] = (u16)intid;
	v->lr_used |= (u16)(1u << i);
	v->lr_dirty &= (u16) ~(1u << i);
	vcpu->account.irq_injected += pend;
	lr_write(i, lr);
	if (trace_on(vcpu) && pend)
		trace_add(vcpu, TRACE_IRQ, 0, lr, 0);
}

void vgic_retire(struct vcpu *vcpu, u32 keep)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 done;

	/* ICH_ELRSR_EL2 might not show a list register written since the exit yet. */
	isb();
	done = lr_empty() & v->lr_used & ~(v->lr_spi | keep);
	v->lr_used &= (u16)~done;
	v->lr_waits &= (u16)~done;
	v->redeliver.mask &= ~done;
	for (u32 left = done; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctz(left);

		trace_event(vcpu, TRACE_IRQ_END, 0, v->lr_intid[i], 0);
		if (likely(v->lr_intid[i] < 32))
			fold_one(v, &v->priv, v->lr_intid[i], i, 0);
	}
	v->lr_hw &= (u16)~done;
	v->lr_latch &= (u16)~done;
}

/*
 * Place SGIs, PPIs and LPIs, the frequent case, if there is room for all of them and no SPI. False:
 * not so, nothing is lost, and the list registers have to be folded.
 */
static bool flush_private(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	struct irq32 *p = &v->priv;
	u32 line = irq32_line(p), deliver, need, free;
	u64 vmcr;

	if (__atomic_load_n(&v->full, __ATOMIC_ACQUIRE) ||
	    __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE) ||
	    (v->hcr & (VGIC_HCR_OVERFLOW | ICH_HCR_EN)) != ICH_HCR_EN || v->lr_dirty ||
	    (((line ^ v->lr_line) & ~p->edge) & p->inlr) || (p->active & ~p->inlr))
		return false;
	deliver = irq32_pending(p, line) &
		  irq32_deliverable(p, __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_RELAXED));
	need = deliver &
	       ~(p->inlr & ~p->latch); /* one in a list register counts only if latched again */
	if (!need)
		return likely(!lpi_is_ready(v)) || lpi_flush(vcpu);
	/* The timer keeps its list register for vgic_redeliver_ppi(), as long as there is room. */
	if (v->lr_used)
		vgic_retire(vcpu, v->redeliver.mask);
	free = ~(u32)v->lr_used & ((1u << lr_caps.count) - 1);
	if (unlikely((need & p->inlr) || !vgic_fits(need, free))) {
		vgic_retire(vcpu, 0);
		free = ~(u32)v->lr_used & ((1u << lr_caps.count) - 1);
		if ((need & p->inlr) || !vgic_fits(need, free))
			return false;
	}
	for (; need; need &= need - 1, free &= free - 1)
		place(vcpu, p, (u32)__builtin_ctz(need), (u32)__builtin_ctz(free), line, true);
	vmcr = sysreg_read(ICH_VMCR_EL2);
	if (unlikely(vgic_groups_seen(vcpu, vmcr)))
		return false;
	hcr_set(v, vgic_hcr_base(vcpu, vmcr));
	return likely(!lpi_is_ready(v)) || lpi_flush(vcpu);
}

/* The most urgent interrupts of a kind, best first; total counts them all. */
struct pick {
	u32 key[VGIC_LRS]; /* priority, then INTID; above both: preferably outside */
	u32 count, total;
};

static void pick_add(struct pick *p, u32 key)
{
	u32 i;

	p->total++;
	if (p->count < lr_caps.count)
		p->count++;
	else if (key >= p->key[p->count - 1])
		return;
	for (i = p->count - 1; i && p->key[i - 1] > key; i--)
		p->key[i] = p->key[i - 1];
	p->key[i] = key;
}

static void pick_bits(struct pick *p, const u8 *prio, u32 word, u32 bits, u32 last)
{
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		pick_add(p, (last >> n & 1) << 24 | (u32)prio[n] << 16 | word * 32 | n);
	}
}

/*
 * Pick from the interrupts of a word: those of a group that ICH_VMCR_EL2 disables would only take
 * room; of the active ones first those whose EOI will come.
 */
static void pick_word(const struct irq32 *b, u32 word, u32 ready, u32 active, u64 vmcr,
		      struct pick *pend, struct pick *act)
{
	u32 off = (vmcr & ICH_VMCR_ENG0 ? 0 : ~b->group) | (vmcr & ICH_VMCR_ENG1 ? 0 : b->group);

	pick_bits(pend, b->prio, word, ready, off);
	pick_bits(act, b->aprio, word, active, ~b->acked);
}

/* LPIs: those that are listed, and the number of the others. */
static void pick_lpis(struct vcpu *vcpu, struct pick *pend)
{
	u32 key[VGIC_LRS];
	u32 total = lpi_is_ready(&vcpu->vgic) ? lpi_list(vcpu, key, lr_caps.count) : 0;

	for (u32 i = 0; i < MIN(total, lr_caps.count); i++)
		pick_add(pend, key[i]);
	pend->total += total - MIN(total, lr_caps.count);
}

static void pick_all(struct vcpu *vcpu, bool locked, u64 vmcr, struct pick *pend, struct pick *act)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	const struct irq32 *p = &v->priv;
	u32 ctlr = __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_RELAXED);

	pick_word(p, 0, irq32_pending(p, irq32_line(p)) & irq32_deliverable(p, ctlr) & ~p->active,
		  p->active, vmcr, pend, act);
	for (u32 words = spi_words(v, locked); words; words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words), want = v->want[word];
		const struct irq32 *s = &vcpu->vm->vgic.spis->word[word].s;

		pick_word(s, word, want & ~s->active, want & s->active, vmcr, pend, act);
	}
	pick_lpis(vcpu, pend);
}

static void place_key(struct vcpu *vcpu, u32 key, u32 i, bool tight)
{
	u32 intid = key & 0xffff;
	struct irq32 *b = intid < GIC_LPI ? vgic_word(vcpu, intid) : NULL;

	if (!b) {
		lpi_place(vcpu, key, i);
		return;
	}
	if (intid >= 32) {
		spi_want(vcpu, intid / 32, intid % 32, false);
		vcpu->vgic.lr_spi |= (u16)(1u << i);
		if ((spi_word(vcpu->vm, intid)->any & ~b->active) >> intid % 32 & 1)
			vcpu->vgic.lr_any |=
				b->group >> intid % 32 & 1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0;
	}
	place(vcpu, b, intid, i, irq32_line(b), !tight && (intid < 32 || spi_stays(vcpu, intid)));
}

/*
 * Fill the list registers: the most urgent pending one, so that nothing keeps it from preempting;
 * then active ones, so that their end is seen; then other pending ones. If not all fit, an active
 * one that is also pending must not become pending by itself: it would block what waits outside.
 * The result decides when to choose again.
 */
static u64 place_all(struct vcpu *vcpu, const struct pick *pend, const struct pick *act, u64 vmcr)
{
	u32 n = lr_caps.count, i = 0, a = 0, p = 0;
	u64 hcr = vgic_hcr_base(vcpu, vmcr);
	bool tight = pend->total + act->total > n;

	if (pend->count)
		place_key(vcpu, pend->key[p++], i++, tight);
	while (a < act->count && i < n)
		place_key(vcpu, act->key[a++], i++, tight);
	while (p < pend->count && i < n)
		place_key(vcpu, pend->key[p++], i++, tight);

	if (p < pend->total) {
		lpi_again(&vcpu->vgic); /* one of them may be an LPI */
		hcr |= ICH_HCR_NPIE;
		hcr |= vmcr & ICH_VMCR_ENG1 ? ICH_HCR_GRP1_DIE : ICH_HCR_GRP1_EIE;
		/* QEMU 10.0 uses VENG1 for GRP0_DIE. */
		if (!(vmcr & ICH_VMCR_ENG0))
			hcr |= ICH_HCR_GRP0_EIE;
		else if (vmcr & ICH_VMCR_ENG1)
			hcr |= ICH_HCR_GRP0_DIE;
	}
	/*
	 * A 1 of N interrupt is another's once its group is off here (not Group 0 alone: as above).
	 */
	if (vcpu->vgic.lr_any & vmcr & ICH_VMCR_ENG1)
		hcr |= ICH_HCR_GRP1_DIE;
	if ((vcpu->vgic.lr_any & vmcr & ICH_VMCR_ENG0) && (vmcr & ICH_VMCR_ENG1))
		hcr |= ICH_HCR_GRP0_DIE;
	if (a < act->total) {
		/*
		 * An ICC_DIR that traps names its interrupt; otherwise there is only the count.
		 * (QEMU counts split EOIs too, so not both.)
		 */
		hcr |= lr_caps.tdir ? ICH_HCR_TDIR : 0;
		if (lr_caps.tdir && (vmcr & ICH_VMCR_EOIM))
			hcr &= ~ICH_HCR_LRENPIE;
		else
			hcr |= ICH_HCR_LRENPIE;
	}
	return hcr;
}

static void flush_full(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	struct pick pend, act;
	bool locked;
	u32 kicks;
	u64 vmcr, hcr;

	pend.count = pend.total = act.count = act.total = 0;
	vmcr = sysreg_read(ICH_VMCR_EL2);
	(void)vgic_groups_seen(vcpu, vmcr);
	(void)__atomic_exchange_n(&v->full, false, __ATOMIC_ACQ_REL);
	locked = spis_lock(vcpu);
	kicks = fold_all(vcpu, locked);
	if (unlikely(vgic_waiting(&v->priv)))
		(void)vgic_drop_ppis(vcpu, true);
	if (locked)
		kicks |= vgic_drop_spis(vcpu);
	pick_all(vcpu, locked, vmcr, &pend, &act);
	hcr = place_all(vcpu, &pend, &act, vmcr);
	for (u32 dirty = v->lr_dirty; dirty; dirty &= dirty - 1)
		lr_write((u32)__builtin_ctz(dirty), 0);
	v->lr_dirty = 0;
	spis_unlock(vcpu, locked);
	vgic_kick_all(vcpu->vm, kicks | lpi_owed_kicks(v));
	hcr_set(v, hcr);
}

void vgic_flush(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (v->waits)
		vgic_check_lines(vcpu);
	/* Cleared before the state is read: a later change sets it again. */
	if (!__atomic_exchange_n(&v->stale, false, __ATOMIC_SEQ_CST))
		return;
	vgic_collect(v);
	if (v->priv.hw && vgic_waiting(&v->priv))
		(void)vgic_drop_ppis(vcpu, true);
	if (flush_private(vcpu))
		return;
	if (unlikely(v->where == VGIC_VEL1)) {
		/* Something came after vgic_wants_vel2(): its kick ends this entry at once. */
		vgic_mark(v, false);
		return;
	}
	flush_full(vcpu);
}

/* ---- world switch between vcpus ---- */

static void activate_ppis(const struct irq32 *p, bool active)
{
	for (u32 bits = p->hw; bits; bits &= bits - 1) {
		u32 pintid = p->pintid[__builtin_ctz(bits)];

		if (active)
			gicv3_set_active(pintid, true);
		else
			gicv3_deactivate(pintid);
	}
}

void vgic_load(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u8 where = VGIC_MEMORY;

	/* Claims are short: an access to one register. */
	while (!__atomic_compare_exchange_n(&v->where, &where, VGIC_LOADED, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		where = VGIC_MEMORY;
		cpu_relax();
	}
	if (v->priv.hw)
		activate_ppis(&v->priv, true);
	lr_cpu_load(v->vmcr, v->ap0r, v->ap1r);
	v->hcr = ~0UL;
	hcr_set(v, vgic_hcr_base(vcpu, v->vmcr));
	vgic_mark(v, false);
	if (unlikely(vcpu->has_vel2) && !vcpu->in_vel2)
		vgic_level_switch(vcpu);
}

void vgic_put(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (unlikely(v->where == VGIC_VEL1))
		vgic_enter_vel2(vcpu);
	vgic_sync(vcpu);
	/*
	 * The timers are in memory already, but the interrupts they raised are still active here.
	 */
	if (v->priv.hw)
		irq32_hw_release(&v->priv, vgic_waiting(&v->priv) & ~vtimer_lines(vcpu, false));
	for (u32 dirty = v->lr_dirty; dirty; dirty &= dirty - 1)
		lr_write((u32)__builtin_ctz(dirty), 0);
	v->lr_dirty = 0;
	sysreg_write(ICH_HCR_EL2, 0);
	lr_cpu_save(&v->vmcr, v->ap0r, v->ap1r);
	(void)vgic_groups_seen(vcpu, v->vmcr);
	if (v->priv.hw)
		activate_ppis(&v->priv, false);
	__atomic_store_n(&v->where, VGIC_MEMORY, __ATOMIC_RELEASE);
}
