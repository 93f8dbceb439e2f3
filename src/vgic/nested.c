/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vEL2's virtual interface control (ICH_*) in the hardware's while vEL1 runs, and its trapped
 * registers.
 */
#include "vgic/nested.h"

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "vgic/internal.h"
#include "vgic/lpi.h"

#define PAGE_AP0R(n) (VNCR_ICH_AP0R0_EL2 + 8 * (n))
#define PAGE_AP1R(n) (VNCR_ICH_AP1R0_EL2 + 8 * (n))

/* ---- the maintenance interrupt ---- */

/* The bits of ICH_HCR_EL2 that may raise it: LRENPIE only with an EOIcount. */
static u64 maintenance_causes(u64 hcr)
{
	return hcr & (ICH_HCR_EOICOUNT(hcr) ? ICH_HCR_IES : ICH_HCR_IES & ~ICH_HCR_LRENPIE);
}

static bool line_is(const struct vcpu *vcpu, u32 intid)
{
	return irq32_line(&vcpu->vgic.priv) >> intid & 1;
}

/*
 * Set vEL2's maintenance interrupt from its page. causes: possible ones in ICH_HCR_EL2 and the list
 * registers, mostly none; lrs: the latter, ORed. Returns its level.
 */
static __attribute__((noinline)) bool maintenance_set(struct vcpu *vcpu, u64 causes, u64 lrs)
{
	bool level = false;

	if (unlikely(causes & (ICH_HCR_IES | ICH_LR_EOI)))
		level = vgic_page_maintenance(vcpu, lrs);
	if (unlikely(level != line_is(vcpu, GUEST_PPI_MAINT)))
		vgic_set_ppi(vcpu, GUEST_PPI_MAINT, level);
	return level;
}

/*
 * Whether it is as vgic_page_maintenance() has found it last: Linux/KVM has its interface on while
 * it handles an exit, with empty list registers.
 */
static bool maintenance_known(const struct vcpu *vcpu, u64 hcr)
{
	const struct vgic_page_memo *m = &vcpu->vgic.page_memo;

	return m->valid && m->hcr == hcr && m->vmcr == vncr_read(vcpu, VNCR_ICH_VMCR_EL2) &&
	       !vgic_page_lrs(vcpu) && m->level == line_is(vcpu, GUEST_PPI_MAINT);
}

static bool maintenance_update(struct vcpu *vcpu)
{
	u64 causes = vncr_read(vcpu, VNCR_ICH_HCR_EL2), lrs;

	if (!(causes & ICH_HCR_EN))
		return maintenance_set(vcpu, 0, 0);
	if (likely(maintenance_known(vcpu, causes)))
		return vcpu->vgic.page_memo.level;
	lrs = vgic_page_lrs(vcpu);
	return maintenance_set(vcpu, maintenance_causes(causes) | lrs, lrs);
}

void vgic_vel2_exit(struct vcpu *vcpu)
{
	if (!vgic_vel2_quiet(vcpu))
		maintenance_update(vcpu);
}

/* ---- interrupts of vEL2 that it gave to vEL1 ---- */

/*
 * Defer the end of an SPI of vEL2's to vgic_finish_deferred(), before the next entry: the SPI may
 * be in another vcpu's list registers, and this may be in the middle of a level switch, or of
 * waiting for that very vcpu.
 */
static void owe_end(struct vcpu *vcpu, u32 intid)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	v->deferred_spis[intid / 32] |= 1u << intid % 32;
	v->deferred_words |= 1u << intid / 32;
	v->deferred = vcpu->unfinished = true;
	vgic_mark(v, false);
}

/* End the interrupt of vEL2 that hardware list register i was for, and vEL1 has ended. */
static void end_vel2(struct vcpu *vcpu, u32 i)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 intid = v->lr_intid[i], bit = 1u << intid % 32;
	struct vgic_op op = { .reg = VGIC_DEACTIVATE, .write = true };
	bool by_hw = v->vel1_hw >> i & 1;

	v->vel1_hw &= (u16) ~(1u << i);
	v->vel1_soft &= (u16) ~(1u << i);
	if (by_hw) {
		/* The physical one is inactive already. */
		v->priv.active &= ~bit;
		v->priv.acked &= ~bit;
		v->priv.hw &= ~bit;
		vgic_mark(v, false);
		return;
	}
	if (intid >= 32) {
		owe_end(vcpu, intid);
		return;
	}
	op.mask = bit;
	op.data = bit;
	private_apply(vcpu, &op, true);
}

/* End those that vEL1 has deactivated since. */
void vgic_vel1_sync(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	for (u32 bits = v->vel1_hw | v->vel1_soft; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);

		if (!(lr_read(i) & ICH_LR_STATE))
			end_vel2(vcpu, i);
	}
}

/*
 * The physical interrupt behind vEL2's PPI, which vEL2 gave to vEL1, is active now: link them, so
 * that vEL1's EOI ends both.
 */
static void link_physical(struct vgic_vcpu *v, u32 intid, u32 pintid)
{
	for (u32 bits = v->vel1_soft; bits; bits &= bits - 1) {
		u32 i = (u32)__builtin_ctz(bits);
		u64 lr = lr_read(i);

		/* Pending and active cannot be combined with the HW bit. */
		if (v->lr_intid[i] != intid || (lr & ICH_LR_STATE) == ICH_LR_STATE)
			continue;
		v->vel1_soft &= (u16) ~(1u << i);
		v->vel1_hw |= (u16)(1u << i);
		lr_write(i, (lr & ~ICH_LR_EOI) | ICH_LR_HW | (u64)pintid << ICH_LR_PINTID_SHIFT);
		return;
	}
}

void vgic_inject_ppi_vel2(struct vcpu *vcpu, u32 intid, u32 pintid)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	/* The instance that has ended must not end this one. */
	if (v->where == VGIC_VEL1)
		vgic_vel1_sync(vcpu);
	vgic_inject_ppi_hw(vcpu, intid, pintid);
	if (v->where == VGIC_VEL1 && (v->priv.active >> intid & 1))
		link_physical(v, intid, pintid);
}

/* ---- the switch ---- */

/*
 * Read reg into old, and write new if it differs: both levels' values are often alike, and a write
 * makes the hardware evaluate its list registers again.
 */
#define EXCHANGE(reg, old, new)                                                                    \
	do {                                                                                       \
		(old) = sysreg_read(reg);                                                          \
		if ((old) != (new))                                                                \
			sysreg_write(reg, new);                                                    \
	} while (0)

/* With more than one active priority register for each group: exchange all, without comparisons. */
static __attribute__((noinline)) void exchange_aprs(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 ap0r[4], ap1r[4];

	for (u32 n = 0; n < lr_caps.aprs; n++) {
		ap0r[n] = (u32)vncr_read(vcpu, PAGE_AP0R(n));
		ap1r[n] = (u32)vncr_read(vcpu, PAGE_AP1R(n));
	}
	lr_cpu_save(&v->vmcr, v->ap0r, v->ap1r);
	lr_cpu_load(vncr_read(vcpu, VNCR_ICH_VMCR_EL2) & ICH_VMCR_MASK, ap0r, ap1r);
}

static __attribute__((noinline)) void wide_leave(struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;
	u64 vmcr, ap0r[4], ap1r[4];

	lr_cpu_save(&vmcr, ap0r, ap1r);
	lr_cpu_load(v->vmcr, v->ap0r, v->ap1r);
	vncr_write(vcpu, VNCR_ICH_VMCR_EL2, vmcr);
	for (u32 n = 0; n < lr_caps.aprs; n++) {
		vncr_write(vcpu, PAGE_AP0R(n), ap0r[n]);
		vncr_write(vcpu, PAGE_AP1R(n), ap1r[n]);
	}
}

/*
 * Exchange ICH_VMCR_EL2 and the active priorities: vEL2's to memory, those of its page into the
 * CPU.
 */
static void interface_enter(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 vmcr, ap0r, ap1r;

	if (unlikely(lr_caps.aprs > 1)) {
		exchange_aprs(vcpu);
		return;
	}
	vmcr = vncr_read(vcpu, VNCR_ICH_VMCR_EL2) & ICH_VMCR_MASK;
	ap0r = (u32)vncr_read(vcpu, PAGE_AP0R(0));
	ap1r = (u32)vncr_read(vcpu, PAGE_AP1R(0));
	EXCHANGE(ICH_VMCR_EL2, v->vmcr, vmcr);
	EXCHANGE(ICH_AP0R0_EL2, v->ap0r[0], ap0r);
	EXCHANGE(ICH_AP1R0_EL2, v->ap1r[0], ap1r);
}

static void interface_leave(struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;
	u64 vmcr, ap0r, ap1r;

	if (unlikely(lr_caps.aprs > 1)) {
		wide_leave(vcpu);
		return;
	}
	EXCHANGE(ICH_VMCR_EL2, vmcr, v->vmcr);
	EXCHANGE(ICH_AP0R0_EL2, ap0r, v->ap0r[0]);
	EXCHANGE(ICH_AP1R0_EL2, ap1r, v->ap1r[0]);
	vncr_write(vcpu, VNCR_ICH_VMCR_EL2, vmcr);
	vncr_write(vcpu, PAGE_AP0R(0), ap0r);
	vncr_write(vcpu, PAGE_AP1R(0), ap1r);
}

/*
 * The value of hardware list register i for lr of the page. With the HW bit it names an interrupt
 * of vEL2's: no physical one is behind that now (release_ppis()), so its end requests a maintenance
 * interrupt, or is found when vEL1 leaves if that comes first, as while vEL2's ICH_HCR_EL2.En is 0.
 */
static u64 lr_for_vel1(struct vcpu *vcpu, u64 lr, u32 i)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 soft = lr & (ICH_LR_SOFT | (u64)lr_caps.prio_mask << ICH_LR_PRIORITY_SHIFT);

	if (!(lr & ICH_LR_HW))
		return soft;
	if (ICH_LR_PINTID(lr) >= vcpu->vm->vgic.intids)
		return soft & ~ICH_LR_EOI; /* bit 41 was pINTID's */
	v->lr_intid[i] = (u16)ICH_LR_PINTID(lr);
	v->vel1_soft |= (u16)(1u << i);
	return soft | ICH_LR_EOI;
}

static __attribute__((noinline)) void lrs_place(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 i = 0, dirty = v->lr_dirty;

	for (u32 n = 0; n < lr_caps.count; n++) {
		u64 lr = vncr_read(vcpu, PAGE_LR(n));

		if (!(lr & ICH_LR_STATE))
			continue;
		v->vel1_slot[i] = (u8)n;
		lr_write(i, lr_for_vel1(vcpu, lr, i));
		i++;
	}
	v->vel1_used = (u16)((1u << i) - 1);
	for (dirty &= ~(u32)v->vel1_used; dirty; dirty &= dirty - 1)
		lr_write((u32)__builtin_ctz(dirty), 0);
	v->lr_dirty = 0;
}

/*
 * Load vEL2's list registers that are in use into the hardware's first ones. Returns all of them,
 * ORed.
 */
static u64 lrs_load(struct vcpu *vcpu)
{
	u64 all = vgic_page_lrs(vcpu);

	if ((all & ICH_LR_STATE) || vcpu->vgic.lr_dirty)
		lrs_place(vcpu);
	return all;
}

/*
 * Fold them into vEL2's page. clear: those that may still have an effect are emptied; else only
 * those whose end raises a maintenance interrupt, and the others stay in use.
 */
static void lrs_fold(struct vcpu *vcpu, bool clear)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	for (u32 used = v->vel1_used; used; used &= used - 1) {
		u32 i = (u32)__builtin_ctz(used), bit = 1u << i;
		u64 lr = lr_read(i), page = vncr_read(vcpu, PAGE_LR(v->vel1_slot[i]));
		bool over = !(lr & ICH_LR_STATE);

		if ((lr ^ page) & ICH_LR_STATE)
			vncr_write(vcpu, PAGE_LR(v->vel1_slot[i]),
				   (page & ~ICH_LR_STATE) | (lr & ICH_LR_STATE));
		if (over && ((v->vel1_hw | v->vel1_soft) & bit))
			end_vel2(vcpu, i);
		if (over ? (lr & (ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI : clear)
			lr_write(i, 0);
		if (over)
			v->vel1_used &= (u16)~bit;
	}
}

static __attribute__((noinline)) void lrs_empty(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	lrs_fold(vcpu, true);
	v->vel1_used = v->vel1_hw = v->vel1_soft = 0;
}

/* Add EOIcount of hcr to vEL2's page. */
static void eoicount_fold(struct vcpu *vcpu, u64 hcr)
{
	u64 page = vncr_read(vcpu, VNCR_ICH_HCR_EL2);

	if (likely(!((hcr ^ page) & ICH_HCR_EOICOUNT_FIELD)))
		return;
	page = (page & ~ICH_HCR_EOICOUNT_FIELD) | (hcr & ICH_HCR_EOICOUNT_FIELD);
	vncr_write(vcpu, VNCR_ICH_HCR_EL2, page);
	vcpu->vgic.vel2_causes |= maintenance_causes(page);
}

/*
 * Deactivate the timers' physical PPIs, which change hands with the level. One in flight would stay
 * active, and so keep the other level's timer from firing, until that level's guest is done with
 * it; but the timer's line is sufficient: an interrupt that vEL2 has not acknowledged is pending
 * again by the emulated timer's line, one that it has stays active. No PPI but the timers' is
 * hardware-backed, and none is in a list register here.
 */
static void release_ppis(struct vgic_vcpu *v)
{
	if (unlikely(v->priv.hw))
		irq32_hw_release(&v->priv, v->priv.hw);
}

/*
 * Whether anything in memory may have to reach vEL2: a superset. The mailbox does not count:
 * whoever posts there sets stale after that.
 */
static bool vel2_has_pending(const struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;
	const struct irq32 *p = &v->priv;

	return (irq32_pending(p, irq32_line(p)) & p->enabled & ~p->active) |
	       __atomic_load_n(&v->want_words, __ATOMIC_RELAXED) | lpi_is_ready(v);
}

/* vgic_sync() if there is anything to fold; otherwise the last flush had nothing to place. */
static inline void fold_vel2(struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;

	if (v->waits)
		vgic_check_lines(vcpu);
	if (v->lr_used ||
	    ((v->hcr & ICH_HCR_LRENPIE) && ICH_HCR_EOICOUNT(sysreg_read(ICH_HCR_EL2))))
		vgic_sync(vcpu);
}

/*
 * Without FEAT_GICv3_NMI, vSGIEOICount, DVIM and SEIs: what ICH_VTR_EL2 and the ID registers show.
 */
u64 vgic_page_hcr(const struct vcpu *vcpu)
{
	u64 hcr = vncr_read(vcpu, VNCR_ICH_HCR_EL2);

	if (likely(!(hcr & ~(ICH_HCR_EN | ICH_HCR_IES))))
		return hcr;
	hcr &= ICH_HCR_EN | ICH_HCR_IES | ICH_HCR_EOICOUNT_FIELD | vcpu->vm->nested.ich_hcr;
	return lr_caps.tdir ? hcr : hcr & ~ICH_HCR_TDIR;
}

static void enter_vel1(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 hcr = vgic_page_hcr(vcpu), lrs;

	fold_vel2(vcpu);
	release_ppis(v);
	v->hcr_en = ICH_HCR_EN;
	interface_enter(vcpu);
	lrs = lrs_load(vcpu);
	/* Last: each earlier write makes hardware evaluate maintenance interrupts again. */
	sysreg_write(ICH_HCR_EL2, hcr);
	v->hcr = 0; /* not vEL2's: flush_private() does not use it */
	__atomic_store_n(&v->where, VGIC_VEL1, __ATOMIC_RELEASE);
	v->vel2_causes = (hcr & ICH_HCR_IES) | (lrs & ICH_LR_EOI);
	if (likely(!(v->vel2_causes | irq32_line(&v->priv))))
		return;
	v->vel2_causes &= maintenance_causes(hcr) | ICH_LR_EOI;
	if (v->vel2_causes | irq32_line(&v->priv))
		maintenance_set(vcpu, v->vel2_causes, lrs);
}

/*
 * Whether check_vel2_pending() might find anything but a maintenance interrupt that is asked for.
 */
static inline bool not_idle(const struct vgic_vcpu *v)
{
	const struct irq32 *p = &v->priv;

	return p->latch | irq32_line(p) | p->active | p->hw | read_once(&v->want_words) |
	       lpi_is_ready(v);
}

static __attribute__((noinline)) void check_vel2_pending(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	/* Empty list registers are correct if nothing is pending for them. */
	if (v->priv.active | vel2_has_pending(vcpu))
		vgic_mark(v, false);
	maintenance_set(vcpu, v->vel2_causes, vgic_page_lrs(vcpu));
}

void vgic_enter_vel2(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (v->vel1_used)
		lrs_empty(vcpu);
	eoicount_fold(vcpu, sysreg_read(ICH_HCR_EL2));
	release_ppis(v);
	interface_leave(vcpu);
	v->hcr = vgic_hcr_base(vcpu, v->vmcr);
	sysreg_write(ICH_HCR_EL2, v->hcr);
	__atomic_store_n(&v->where, VGIC_LOADED, __ATOMIC_RELEASE);
	if (unlikely(not_idle(v)))
		check_vel2_pending(vcpu);
	else if (v->vel2_causes && !maintenance_known(vcpu, vncr_read(vcpu, VNCR_ICH_HCR_EL2)))
		maintenance_set(vcpu, v->vel2_causes, vgic_page_lrs(vcpu));
}

u64 vgic_shared_hcr(const struct vcpu *vcpu)
{
	return ICH_HCR_EN | (vcpu->in_vel2 ? 0 : vel2_ich_hcr(vcpu) & vgic_page_hcr(vcpu));
}

/*
 * Apply vEL2's traps of the interrupt controller's registers while vEL1 uses vEL2's own interrupts.
 */
static void apply_vel2_traps(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 en = vgic_shared_hcr(vcpu);

	if (v->hcr_en != en) {
		v->hcr_en = en;
		vgic_mark(v, true);
	}
	if (v->priv.hw) {
		vgic_sync(vcpu);
		release_ppis(v);
	}
	maintenance_update(vcpu);
}

void vgic_level_switch(struct vcpu *vcpu)
{
	bool nested = !vcpu->in_vel2 && (vel2_hcr(vcpu) & HCR_IMO);

	if (nested && vcpu->vgic.where == VGIC_LOADED)
		enter_vel1(vcpu);
	else if (!nested && vcpu->vgic.where == VGIC_VEL1)
		vgic_enter_vel2(vcpu);
	else if (!nested)
		apply_vel2_traps(vcpu);
}

/* ---- while vEL1 runs ---- */

/*
 * Either vEL1 is done with an interrupt of vEL2's, or vEL2 has a maintenance interrupt. If vEL2
 * does not take that (disabled, masked), vEL1 goes on: nothing may raise it again until vEL2 has
 * looked.
 */
void vgic_vel1_maintenance(struct vcpu *vcpu)
{
	u64 hcr = sysreg_read(ICH_HCR_EL2);

	lrs_fold(vcpu, false);
	eoicount_fold(vcpu, hcr);
	vncr_write(vcpu, VNCR_ICH_VMCR_EL2, sysreg_read(ICH_VMCR_EL2));
	isb();
	if (maintenance_update(vcpu) || sysreg_read(ICH_MISR_EL2))
		sysreg_write(ICH_HCR_EL2, hcr & ~ICH_HCR_IES);
}

bool vgic_vel1_pending(const struct vcpu *vcpu)
{
	struct vgic_interface f = { .vmcr = 0 };
	u64 ap0r[4], ap1r[4];

	lr_cpu_save(&f.vmcr, ap0r, ap1r);
	for (u32 n = 0; n < lr_caps.aprs; n++)
		f.active[n] = (u32)(ap0r[n] | ap1r[n]);
	if (!(sysreg_read(ICH_HCR_EL2) & ICH_HCR_EN))
		return false;
	for (u32 used = vcpu->vgic.vel1_used; used; used &= used - 1)
		if (vgic_lr_signals(&f, lr_read((u32)__builtin_ctz(used))))
			return true;
	return false;
}

/* Find the most urgent interrupt of b that would be signalled; *best: its priority, so far. */
static void best_of(const struct vgic_interface *f, const struct irq32 *b, u32 bits, u32 *best,
		    bool *group1)
{
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits), prio = read_once(&b->prio[n]);
		bool g1 = read_once(&b->group) >> n & 1;

		if (prio >= *best || !vgic_can_signal(f, prio, g1))
			continue;
		*best = prio;
		*group1 = g1;
	}
}

/*
 * SPIs without the lock, as in vgic_interrupt_pending(): what changes meanwhile sets stale again.
 */
static __attribute__((noinline)) bool best_for_vel2(struct vcpu *vcpu, bool *group1)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	struct vgic_interface f = vgic_interface(v);
	const struct irq32 *p = &v->priv;
	u32 ctlr = __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_ACQUIRE), best = 256;
	u32 fiqs = vel2_hcr(vcpu) & HCR_FMO ? ~0u : 0;

	/* With IMO = 1; the other group's are vEL1's, and wait for vEL2 to run. */
	best_of(&f, p,
		irq32_pending(p, irq32_line(p)) & irq32_deliverable(p, ctlr) & ~p->active &
			(fiqs | p->group),
		&best, group1);
	for (u32 words = __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE); words;
	     words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words);
		const struct irq32 *s = &vcpu->vm->vgic.spis->word[word].s;
		u32 want = __atomic_load_n(&v->want[word], __ATOMIC_RELAXED);

		want &= fiqs | read_once(&s->group);
		best_of(&f, s, want & ~__atomic_load_n(&s->active, __ATOMIC_RELAXED), &best,
			group1);
	}
	if (lpi_is_ready(v))
		lpi_best(vcpu, &f, &best, group1);
	return best < 256;
}

bool vgic_wants_vel2(struct vcpu *vcpu, bool *fiq)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	bool group1 = true;

	if (v->where != VGIC_VEL1 || !__atomic_exchange_n(&v->stale, false, __ATOMIC_SEQ_CST))
		return false;
	(void)vgic_groups_seen(vcpu, v->vmcr);
	vgic_collect(v);
	if (!vel2_has_pending(vcpu) || !best_for_vel2(vcpu, &group1))
		return false;
	vgic_mark(v, false);
	*fiq = !group1;
	return true;
}
