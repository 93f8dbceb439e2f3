/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of vEL2's virtual interface in its VNCR page (maintenance, status), and the trapped
 * ICH_* and ICC_* registers of vEL2.
 */
#include "arch/sysreg.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "vgic/internal.h"
#include "vgic/nested.h"

/* The inputs of vEL2's maintenance interrupt and status registers, read once. */
struct page_view {
	u64 hcr, vmcr;
	u32 valid, pending; /* list registers in any state but inactive; pending and not active */
	u32 eisr, elrsr;    /* as the registers have them */
};

static inline struct page_view page_view(const struct vcpu *vcpu)
{
	struct page_view v = {
		.hcr = vgic_page_hcr(vcpu),
		.vmcr = vncr_read(vcpu, VNCR_ICH_VMCR_EL2),
	};

	/* Frequent with a hypervisor that empties list registers not in use. */
	if (!vgic_page_lrs(vcpu)) {
		v.elrsr = (u32)BIT(lr_caps.count) - 1;
		return v;
	}
	for (u32 n = 0; n < lr_caps.count; n++) {
		u64 lr = vncr_read(vcpu, PAGE_LR(n));
		u32 bit = 1u << n;

		if (lr & ICH_LR_STATE) {
			v.valid |= bit;
			v.pending |= (lr & ICH_LR_STATE) == ICH_LR_PENDING ? bit : 0;
		} else if ((lr & (ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI) {
			v.eisr |= bit;
		} else {
			v.elrsr |= bit;
		}
	}
	return v;
}

/* ICH_MISR_EL2. */
static inline u64 misr(const struct page_view *v)
{
	u64 groups = v->vmcr & (ICH_VMCR_ENG0 | ICH_VMCR_ENG1), m = 0;

	if (v->eisr)
		m |= ICH_MISR_EOI;
	if ((v->hcr & ICH_HCR_UIE) && !(v->valid & (v->valid - 1)))
		m |= ICH_MISR_U;
	if ((v->hcr & ICH_HCR_LRENPIE) && ICH_HCR_EOICOUNT(v->hcr))
		m |= ICH_MISR_LRENP;
	if ((v->hcr & ICH_HCR_NPIE) && !v->pending)
		m |= ICH_MISR_NP;
	/* The enables and the status bits of both groups are in the same order. */
	if (groups & ICH_VMCR_ENG0)
		m |= v->hcr & ICH_HCR_GRP0_EIE;
	else
		m |= v->hcr & ICH_HCR_GRP0_DIE;
	if (groups & ICH_VMCR_ENG1)
		m |= v->hcr & ICH_HCR_GRP1_EIE;
	else
		m |= v->hcr & ICH_HCR_GRP1_DIE;
	return m;
}

bool vgic_page_maintenance(struct vcpu *vcpu, u64 lrs)
{
	struct vgic_page_memo *m = &vcpu->vgic.page_memo;
	u64 hcr = vncr_read(vcpu, VNCR_ICH_HCR_EL2), vmcr = vncr_read(vcpu, VNCR_ICH_VMCR_EL2);
	struct page_view v;

	/*
	 * With empty list registers these two decide, and they are unchanged at most level
	 * switches.
	 */
	if (likely(!lrs && m->valid && m->hcr == hcr && m->vmcr == vmcr))
		return m->level;
	v = page_view(vcpu);
	m->valid = !lrs;
	m->hcr = hcr;
	m->vmcr = vmcr;
	return m->level = (v.hcr & ICH_HCR_EN) && misr(&v);
}

/* ---- registers of vEL2 that trap ---- */

/*
 * The machine's, with as many list registers as all its CPUs have. No SEIs to inject; no virtual
 * LPIs or SGIs injected directly (nV4, no DVIM).
 */
enum verdict emul_ich_vtr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 vtr = sysreg_read(ICH_VTR_EL2) & ~(ICH_VTR_LISTREGS | ICH_VTR_SEIS | ICH_VTR_DVIM);

	(void)id;
	if (!vcpu->in_vel2 || write)
		return UNDEF;
	*value = vtr | ICH_VTR_NV4 | (lr_caps.count - 1);
	return SKIP;
}

static enum verdict status_read(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value,
				u64 (*of)(const struct page_view *v))
{
	struct page_view v;

	(void)id;
	if (!vcpu->in_vel2 || write)
		return UNDEF;
	v = page_view(vcpu);
	*value = of(&v);
	return SKIP;
}

static u64 eisr(const struct page_view *v)
{
	return v->eisr;
}

static u64 elrsr(const struct page_view *v)
{
	return v->elrsr;
}

enum verdict emul_ich_misr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	/* Some hypervisors read this in each exit: 0 without a search if no cause is enabled. */
	if (likely(vcpu->in_vel2 && !write &&
		   !((vncr_read(vcpu, VNCR_ICH_HCR_EL2) & ICH_HCR_IES) |
		     (vgic_page_lrs(vcpu) & ICH_LR_EOI)))) {
		*value = 0;
		return SKIP;
	}
	return status_read(vcpu, id, write, value, misr);
}

enum verdict emul_ich_eisr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	return status_read(vcpu, id, write, value, eisr);
}

enum verdict emul_ich_elrsr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	return status_read(vcpu, id, write, value, elrsr);
}

/* Enable, DIB, DFB and SRE read as one: there is neither a memory-mapped interface nor a bypass. */
enum verdict emul_icc_sre_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2)
		return UNDEF;
	if (!write)
		*value = ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB | ICC_SRE_ENABLE;
	return SKIP;
}
