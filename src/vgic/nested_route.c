/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where L1's interrupts go while they are in the list registers: L1's HCR_EL2.{TGE,IMO,FMO} say
 * which level takes them, and one that goes to a lower level than the one that runs stays pending
 * (Arm ARM, asynchronous exception routing).
 */
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "state/cpu.h"
#include "state/l1regs.h"
#include "state/timers.h"
#include "vgic/internal.h"

#define INTID_NONE 1023u

/* The virtual interface off, and a trap for what L1 does to it: see vgic_el2_icc(). */
#define HELD (ICH_HCR_TALL0 | ICH_HCR_TALL1)
/* Of ICC_<x>0_EL1 and ICC_AP0R<n>; ICC_AP1R<n>; ICC_<x>1_EL1, ICC_IGRPEN0_EL1. */
#define KEY_ICC(crm, op2) SYSREG_KEY(3, 0, 12, crm, op2)
#define KEY_CRM(key) ((key) & ~SYSREG_KEY(0, 0, 0, 0, 7))
enum { OP2_IAR, OP2_EOIR, OP2_HPPIR };

/*
 * The list register of the most urgent pending one, of those that would be signalled or (masked) of
 * those whose group is enabled: -1: none.
 */
static int best_pending(const struct vgic_vcpu *v, const struct vgic_interface *f, bool masked)
{
	u64 best = 256;
	int at = -1;

	for (u32 used = v->lr_used; used; used &= used - 1) {
		u32 i = (u32)__builtin_ctz(used);
		u64 lr = lr_read(i), prio = FIELD(lr, 55, 48);

		if (prio >= best || (lr & ICH_LR_STATE) != ICH_LR_PENDING)
			continue;
		if (masked ? !(f->vmcr & (lr & ICH_LR_GROUP1 ? ICH_VMCR_ENG1 : ICH_VMCR_ENG0))
			   : !vgic_lr_signals(f, lr))
			continue;
		best = prio;
		at = (int)i;
	}
	return at;
}

static bool best_signalled(const struct vgic_vcpu *v, bool *group1)
{
	struct vgic_interface f = vgic_interface(v);
	int i = best_pending(v, &f, false);

	if (i >= 0)
		*group1 = lr_read((u32)i) & ICH_LR_GROUP1;
	return i >= 0;
}

static void hold(struct vcpu *vcpu, bool held)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	if (vgic_el2_held(vcpu) != held) {
		v->hcr_en = held ? HELD : ICH_HCR_EN;
		vgic_mark(v, true);
		vgic_flush(vcpu);
	}
	if (held) {
		v->waits |= 1;
		timers_look_soon(vcpu);
	}
}

bool vgic_el2_route(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	bool lifted = v->lifted, group1;
	u64 hcr;

	v->lifted = false;
	if (likely(v->where != VGIC_LOADED ||
		   (vcpu->hyp && vgic_el2_open(vcpu) && !vgic_el2_held(vcpu))))
		return false;
	hcr = l1_hcr(vcpu);
	if (unlikely(lifted)) {
		v->waits |= 1;
		return false;
	}
	if (!vcpu->hyp)
		return (hcr & HCR_FMO) && best_signalled(v, &group1) && !group1;
	hold(vcpu, PSTATE_EL(vcpu->pstate) && best_signalled(v, &group1) &&
			   !(hcr & (HCR_TGE | (group1 ? HCR_IMO : HCR_FMO))));
	return false;
}

/* ICV_HPPIR<group>_EL1. */
static u32 highest_pending(const struct vgic_vcpu *v, bool group1)
{
	struct vgic_interface f = vgic_interface(v);
	int i = best_pending(v, &f, true);
	u64 lr;

	if (i < 0)
		return INTID_NONE;
	lr = lr_read((u32)i);
	return !(lr & ICH_LR_GROUP1) == group1 ? INTID_NONE : (u32)lr & 0xffffff;
}

/* ICV_IAR<group>_EL1: the list register becomes active, and its priority. */
static u32 acknowledge(struct vgic_vcpu *v, bool group1)
{
	struct vgic_interface f = vgic_interface(v);
	int i = best_pending(v, &f, false);
	u64 vmcr, ap0r[4], ap1r[4], lr;
	u32 bit;

	if (i < 0)
		return INTID_NONE;
	lr = lr_read((u32)i);
	if (!(lr & ICH_LR_GROUP1) == group1)
		return INTID_NONE;
	lr_write((u32)i, (lr & ~ICH_LR_STATE) | ICH_LR_ACTIVE);
	bit = vgic_prio_bit(&f, (u32)FIELD(lr, 55, 48), group1);
	lr_cpu_save(&vmcr, ap0r, ap1r);
	(group1 ? ap1r : ap0r)[bit / 32] |= BIT(bit % 32);
	lr_cpu_load(vmcr, ap0r, ap1r);
	return (u32)lr & 0xffffff;
}

enum verdict vgic_el2_icc(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	struct vgic_vcpu *v = &vcpu->vgic;
	u32 crm = KEY_CRM(key);
	bool group1 = crm == KEY_ICC(12, 0);

	if (crm != KEY_ICC(8, 0) && crm != KEY_ICC(9, 0) && !group1)
		return UNDEF;
	if (!write &&
	    (key == (crm | KEY_ICC(0, OP2_IAR)) || key == (crm | KEY_ICC(0, OP2_HPPIR))) &&
	    crm != KEY_ICC(9, 0)) {
		*value = key == crm ? acknowledge(v, group1) : highest_pending(v, group1);
		return SKIP;
	}
	v->hcr_en = ICH_HCR_EN;
	v->lifted = true;
	vgic_mark(v, true);
	return RESUME;
}
