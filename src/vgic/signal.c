/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a virtual interrupt would be signalled: the CPU interface's rules, applied by nidus. */
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "vgic/internal.h"
#include "vgic/lpi.h"

struct vgic_interface vgic_interface(const struct vgic_vcpu *v)
{
	struct vgic_interface f = { .vmcr = v->vmcr };
	u64 ap0r[4], ap1r[4];
	bool loaded = v->where == VGIC_LOADED;

	if (loaded)
		lr_cpu_save(&f.vmcr, ap0r, ap1r);
	for (u32 i = 0; i < lr_caps.aprs; i++)
		f.active[i] = (u32)(loaded ? ap0r[i] | ap1r[i] : v->ap0r[i] | v->ap1r[i]);
	return f;
}

/* Which bits of a priority decide preemption (pseudocode: VGroupBits). */
static u32 group_mask(const struct vgic_interface *f, bool group1)
{
	if (!group1 || (f->vmcr & ICH_VMCR_CBPR))
		return ~0u << (ICH_VMCR_BPR0(f->vmcr) + 1);
	/* 0 is less than what the binary point of Group 1 can be; written anyway, it counts as 1.
	 */
	return ~0u << MAX(ICH_VMCR_BPR1(f->vmcr), 1u);
}

u32 vgic_prio_bit(const struct vgic_interface *f, u32 prio, bool group1)
{
	return (prio & group_mask(f, group1)) >> (8 - lr_caps.pre_bits);
}

bool vgic_prio_active(const struct vgic_interface *f, u32 prio, bool group1)
{
	u32 n = vgic_prio_bit(f, prio, group1);

	return f->active[n / 32] >> n % 32 & 1;
}

/*
 * Priority of the most urgent active interrupt, 0x100: nothing is active (pseudocode:
 * GetHighestActivePriority).
 */
static u32 running_priority(const struct vgic_interface *f)
{
	for (u32 i = 0; i < lr_caps.aprs; i++)
		if (f->active[i])
			return (i * 32 + (u32)__builtin_ctz(f->active[i]))
			       << (8 - lr_caps.pre_bits);
	return 0x100;
}

/* Pseudocode: CanSignalVirtualInterrupt. */
bool vgic_can_signal(const struct vgic_interface *f, u32 prio, bool group1)
{
	u32 running = running_priority(f), mask = group_mask(f, group1);

	if (!(f->vmcr & (group1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0)) || prio >= ICH_VMCR_PMR(f->vmcr))
		return false;
	return running > 0xff || (prio & mask) < (running & mask);
}

static bool any_can_signal(const struct vgic_interface *f, const struct irq32 *b, u32 bits)
{
	for (; bits; bits &= bits - 1) {
		u32 n = (u32)__builtin_ctz(bits);

		if (vgic_can_signal(f, read_once(&b->prio[n]), read_once(&b->group) >> n & 1))
			return true;
	}
	return false;
}

bool vgic_lr_signals(const struct vgic_interface *f, u64 lr)
{
	return (lr & ICH_LR_STATE) == ICH_LR_PENDING &&
	       vgic_can_signal(f, (u32)ICH_LR_PRIORITY(lr), lr & ICH_LR_GROUP1);
}

static bool lr_can_signal(const struct vgic_vcpu *v, const struct vgic_interface *f)
{
	for (u32 used = v->lr_used; used; used &= used - 1)
		if (vgic_lr_signals(f, lr_read((u32)__builtin_ctz(used))))
			return true;
	return false;
}

/* Check SPIs in memory. Read without the lock: a change meanwhile makes the vcpu check again. */
static bool spis_can_signal(struct vcpu *vcpu, const struct vgic_interface *f)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	for (u32 words = __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE); words;
	     words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words);
		const struct irq32 *s = &vcpu->vm->vgic.spis->word[word].s;
		u32 want = __atomic_load_n(&v->want[word], __ATOMIC_RELAXED);

		if (any_can_signal(f, s, want & ~__atomic_load_n(&s->active, __ATOMIC_RELAXED)))
			return true;
	}
	return false;
}

/*
 * Catch up with the guest's last actions, which may have made something pending whose maintenance
 * interrupt has not been taken: for instance it ended a level-sensitive interrupt whose line is
 * high. A vcpu that sleeps would not get that interrupt once another vcpu is loaded.
 */
static void catch_up(struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;

	if ((v->where == VGIC_LOADED || v->where == VGIC_VEL1) &&
	    unlikely(sysreg_read(ICH_MISR_EL2)))
		vgic_maintenance_clear(vcpu);
}

/* Whether the list registers alone decide; what stays outside them is less urgent. */
static bool lrs_may_signal(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	catch_up(vcpu);
	if (v->where != VGIC_LOADED)
		return v->where == VGIC_VEL1;
	if (vgic_work(v) && vgic_work_left(v))
		vgic_flush(vcpu);
	isb(); /* what was written since the exit */
	return v->lr_used & ~lr_empty();
}

bool vgic_interrupt_pending(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	const struct irq32 *p = &v->priv;
	bool lrs = lrs_may_signal(vcpu);
	struct vgic_interface f;
	u32 ctlr, pend;

	ctlr = __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_ACQUIRE);
	pend = irq32_pending(p, irq32_line(p)) |
	       (__atomic_load_n(&v->mail, __ATOMIC_ACQUIRE) & p->edge);
	pend &= irq32_deliverable(p, ctlr) & ~p->active & ~p->inlr;
	/* The usual case: a vcpu that is to wait has nothing pending. */
	if (!(pend | lrs | __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE) | lpi_is_ready(v)))
		return false;
	f = vgic_interface(v);
	return lr_can_signal(v, &f) || any_can_signal(&f, p, pend) || spis_can_signal(vcpu, &f) ||
	       (unlikely(lpi_is_ready(v)) && lpi_can_signal(vcpu, &f)) ||
	       (unlikely(v->where == VGIC_VEL1) && vgic_vel1_pending(vcpu));
}

bool vgic_wake_request(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	const struct irq32 *p = &v->priv;
	u32 ctlr = __atomic_load_n(&vcpu->vm->vgic.ctlr, __ATOMIC_ACQUIRE);
	bool pending;

	catch_up(vcpu);
	vgic_sync(vcpu);
	vgic_collect(v);
	pending = irq32_pending(p, irq32_line(p)) & irq32_deliverable(p, ctlr) & ~p->active;
	for (u32 words = __atomic_load_n(&v->want_words, __ATOMIC_ACQUIRE); words && !pending;
	     words &= words - 1) {
		u32 word = (u32)__builtin_ctz(words);
		const struct irq32 *s = &vcpu->vm->vgic.spis->word[word].s;

		pending = __atomic_load_n(&v->want[word], __ATOMIC_RELAXED) &
			  ~__atomic_load_n(&s->active, __ATOMIC_RELAXED);
	}
	return pending || lpi_is_ready(v);
}
