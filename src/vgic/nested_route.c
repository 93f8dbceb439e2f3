/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routing of vEL2's interrupts in the list registers: vEL2's HCR_EL2.{TGE,IMO,FMO} say which level
 * takes them, and one that is routed to a lower level than the one that runs stays pending (Arm
 * ARM, asynchronous exception routing).
 */
#include "arch/esr.h"
#include "arch/irq.h"
#include "arch/its.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "state/timers.h"
#include "vgic/internal.h"

/* Traps while the routing may change by what the running level does: see vgic_vel2_icc(). */
#define WATCHED (ICH_HCR_TALL0 | ICH_HCR_TALL1)
/* Keys of ICC_<x>0_EL1 and ICC_AP0R<n>; ICC_AP1R<n>; ICC_<x>1_EL1, ICC_IGRPEN<n>_EL1. */
#define KEY_ICC(crm) SYSREG_KEY(3, 0, 12, crm, 0)
#define KEY_CRM(key) ((key) & ~SYSREG_KEY(0, 0, 0, 0, 7))
enum { OP2_IAR, OP2_EOIR, OP2_HPPIR, OP2_BPR, OP2_AP0R, OP2_IGRPEN0 = 6, OP2_IGRPEN1 };

/* ---- which level ---- */

/* Whether an interrupt of this group is routed to another level than the one that runs. */
static bool goes_elsewhere(const struct vcpu *vcpu, u64 lr)
{
	u64 hcr = vel2_hcr(vcpu), el2 = hcr & (lr & ICH_LR_GROUP1 ? HCR_IMO : HCR_FMO);

	if (!vcpu->in_vel2)
		return el2;
	return PSTATE_EL(vcpu->pstate) && !el2 && !(hcr & HCR_TGE);
}

/*
 * ICV_HPPIR<n>_EL1 without a group: the list register of the most urgent pending one of those whose
 * group is enabled; -1: none.
 */
static int best_pending(const struct vgic_vcpu *v, u64 vmcr)
{
	u64 best = 256;
	int at = -1;

	for (u32 used = v->lr_used; used; used &= used - 1) {
		u32 i = (u32)__builtin_ctz(used);
		u64 lr = lr_read(i), prio = ICH_LR_PRIORITY(lr);

		if (prio >= best || (lr & ICH_LR_STATE) != ICH_LR_PENDING ||
		    !(vmcr & (lr & ICH_LR_GROUP1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0)))
			continue;
		best = prio;
		at = (int)i;
	}
	return at;
}

/* Whether the list registers have one for another level, even if it may have to wait. */
static bool any_elsewhere(const struct vcpu *vcpu)
{
	for (u32 used = vcpu->vgic.lr_used; used; used &= used - 1) {
		u64 lr = lr_read((u32)__builtin_ctz(used));

		if ((lr & ICH_LR_PENDING) && goes_elsewhere(vcpu, lr))
			return true;
	}
	return false;
}

/*
 * Compute vgic_vcpu.hcr_en: only the most urgent pending interrupt is ever signalled, whatever
 * masks it. If that one is for another level, the interface is off. If another one waits behind
 * it, whatever could make that the most urgent has to trap: an acknowledge, a group's enable; masks
 * and running priority do not.
 */
static u64 interface_for(const struct vcpu *vcpu)
{
	u64 hcr = vgic_shared_hcr(vcpu);
	int best;

	if (!any_elsewhere(vcpu))
		return hcr;
	best = best_pending(&vcpu->vgic, sysreg_read(ICH_VMCR_EL2));
	if (best >= 0 && goes_elsewhere(vcpu, lr_read((u32)best)))
		hcr &= ~ICH_HCR_EN;
	/* The end of one that is pending again. */
	return hcr | WATCHED | (lr_caps.tdir ? ICH_HCR_TDIR : 0);
}

static bool best_signals(const struct vgic_vcpu *v)
{
	struct vgic_interface f = vgic_interface(v);
	int i = best_pending(v, f.vmcr);

	return i >= 0 && vgic_lr_signals(&f, lr_read((u32)i));
}

bool vgic_vel2_route(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u64 hcr_en;

	if (likely(v->where != VGIC_LOADED ||
		   (vcpu->in_vel2 ? vgic_vel2_takes_all(vcpu) && !vgic_vel2_iface_traps(vcpu)
				  : !(vel2_hcr(vcpu) & HCR_FMO))))
		return false;
	hcr_en = interface_for(vcpu);
	if (v->hcr_en != hcr_en) {
		v->hcr_en = hcr_en;
		vcpu->traps.vel2.valid = false; /* ISR_EL1 */
		vcpu->traps_stale = true;
		v->polls = 0;
		vgic_mark(v, true);
		vgic_flush(vcpu);
	}
	if (hcr_en & ICH_HCR_EN)
		return false;
	timers_poll_soon(vcpu, &v->polls);
	return !vcpu->in_vel2 && best_signals(v);
}

/* ---- what traps meanwhile ---- */

/* ICV_HPPIR<group>_EL1. */
static u32 highest_pending(const struct vgic_vcpu *v, bool group1)
{
	int i = best_pending(v, sysreg_read(ICH_VMCR_EL2));
	u64 lr = i < 0 ? 0 : lr_read((u32)i);

	return i < 0 || !(lr & ICH_LR_GROUP1) == group1 ? INTID_NONE : (u32)(lr & INTID_MASK);
}

/* Pseudocode: the IRQ and FIQ that the interface signals, wherever HCR_EL2 sends them. */
enum verdict emul_isr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	struct vgic_interface f = vgic_interface(&vcpu->vgic);
	int i = best_pending(&vcpu->vgic, f.vmcr);
	u64 lr = i < 0 ? 0 : lr_read((u32)i);

	(void)id;
	if (write)
		return UNDEF;
	*value = !vgic_lr_signals(&f, lr) ? 0 : lr & ICH_LR_GROUP1 ? ISR_I : ISR_F;
	return SKIP;
}

/* ICV_IAR<group>_EL1: the list register becomes active, and its priority. */
static u32 acknowledge(struct vgic_vcpu *v, bool group1)
{
	struct vgic_interface f = vgic_interface(v);
	int i = best_pending(v, f.vmcr);
	u64 lr = i < 0 ? 0 : lr_read((u32)i), vmcr, apr[2][4];
	u32 bit;

	if (!vgic_lr_signals(&f, lr) || !(lr & ICH_LR_GROUP1) == group1)
		return INTID_NONE;
	lr_write((u32)i, (lr & ~ICH_LR_STATE) | ICH_LR_ACTIVE);
	bit = vgic_prio_bit(&f, (u32)ICH_LR_PRIORITY(lr), group1);
	lr_cpu_save(&vmcr, apr[0], apr[1]);
	apr[group1][bit / 32] |= BIT(bit % 32);
	lr_cpu_load(vmcr, apr[0], apr[1]);
	return (u32)(lr & INTID_MASK);
}

/* Drop the highest active priority, if it is of the group of apr. Returns whether it was. */
static bool drop(u64 *apr, const u64 *other)
{
	for (u32 i = 0; i < lr_caps.aprs; i++) {
		u64 both = apr[i] | other[i], highest = both & -both;

		apr[i] ^= highest;
		if (both)
			return !(apr[i] & highest);
	}
	return false;
}

/* ICV_EOIR<group>_EL1. */
static enum verdict end(struct vcpu *vcpu, bool group1, u64 value)
{
	u32 intid = (u32)FIELD(value, 23, 0);
	enum verdict verdict = SKIP;
	u64 vmcr, apr[2][4];

	lr_cpu_save(&vmcr, apr[0], apr[1]);
	/* Another order than that of acknowledgement is UNPREDICTABLE. */
	if ((intid >= vcpu->vm->vgic.intids && intid < GIC_LPI) ||
	    !drop(apr[group1], apr[!group1]))
		return SKIP;
	/* An LPI is not active; its list register is folded before the next entry. */
	if (!(vmcr & ICH_VMCR_EOIM) && intid < GIC_LPI)
		verdict = vgic_deactivate(vcpu, value);
	if (verdict == SKIP)
		lr_cpu_load(vmcr, apr[0], apr[1]);
	return verdict;
}

/* ICV_AP<group>R<n>_EL1. */
static enum verdict active_priorities(bool group1, u32 n, bool write, u64 *value)
{
	u64 vmcr, apr[2][4];

	if (n >= lr_caps.aprs)
		return UNDEF;
	lr_cpu_save(&vmcr, apr[0], apr[1]);
	if (write)
		apr[group1][n] = (u32)*value;
	else
		*value = apr[group1][n];
	lr_cpu_load(vmcr, apr[0], apr[1]);
	return SKIP;
}

/* Access a register that is a field of ICH_VMCR_EL2. */
static void vmcr_field(u64 field, bool write, u64 *value)
{
	u64 vmcr = sysreg_read(ICH_VMCR_EL2), low = field & -field;

	if (write)
		sysreg_write(ICH_VMCR_EL2, (vmcr & ~field) | (*value * low & field));
	else
		*value = (vmcr & field) / low;
}

/* ICV_BPR<group>_EL1. With CBPR that of Group 1 is one more than the other, and not written. */
static void binary_point(bool group1, bool write, u64 *value)
{
	bool common = group1 && (sysreg_read(ICH_VMCR_EL2) & ICH_VMCR_CBPR);

	if (common && write)
		return;
	vmcr_field(group1 && !common ? ICH_VMCR_BPR1_MASK : ICH_VMCR_BPR0_MASK, write, value);
	if (common)
		*value = MIN(*value + 1, 7UL);
}

static enum verdict icc(struct vcpu *vcpu, bool group1, u32 op2, bool write, u64 *value)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (op2 < OP2_BPR && write != (op2 == OP2_EOIR))
		return UNDEF;
	switch (op2) {
	case OP2_IAR:
		*value = acknowledge(v, group1);
		return SKIP;
	case OP2_EOIR:
		return end(vcpu, group1, *value);
	case OP2_HPPIR:
		*value = highest_pending(v, group1);
		return SKIP;
	case OP2_BPR:
		binary_point(group1, write, value);
		return SKIP;
	}
	if (!group1)
		return active_priorities(false, op2 - OP2_AP0R, write, value);
	if (op2 < OP2_IGRPEN0)
		return UNDEF;
	vmcr_field(op2 == OP2_IGRPEN1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0, write, value);
	return SKIP;
}

enum verdict vgic_vel2_icc(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	u32 crm = KEY_CRM(key), op2 = (u32)SYS64_OP2(key);

	if (crm != KEY_ICC(8) && crm != KEY_ICC(9) && crm != KEY_ICC(12))
		return PASS;
	vgic_mark(&vcpu->vgic, true);
	if (crm == KEY_ICC(9))
		return active_priorities(true, op2, write, value);
	return icc(vcpu, crm == KEY_ICC(12), op2, write, value);
}
