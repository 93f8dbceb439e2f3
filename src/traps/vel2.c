/* SPDX-License-Identifier: Apache-2.0 */
/* Creation, reset and trapped registers of a virtual EL2. */
#include "traps/vel2.h"

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/idspace.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "simd/simd.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"
#include "traps/debug.h"
#include "traps/nvhe.h"
#include "traps/traps.h"
#include "traps/untrapped.h"

int vel2_init(struct vcpu *vcpu)
{
	u64 page = page_alloc_zero();

	if (!page)
		return -ENOMEM;
	vcpu->vncr = pa_ptr(pa(page));
	vcpu->has_vel2 = true;
	vcpu->in_vel2 = true;
	vcpu->nvhe = vcpu->vm->config->nvhe;
	return 0;
}

void vel2_destroy(struct vcpu *vcpu)
{
	if (vcpu->vncr)
		page_free(ptr_pa(vcpu->vncr).a, 0);
	vcpu->vncr = NULL;
}

void vel2_reset(struct vcpu *vcpu)
{
	memset(vcpu->vncr, 0, PAGE_SIZE);
	vcpu->in_vel2 = true;
	vcpu->reflection = (struct reflection){ 0 };
	vcpu->shadow.work = SHADOW_NO_WORK;
	/*
	 * What is RES1 in a machine with FEAT_VHE and without FEAT_E2H0 and AArch32, and the warm
	 * reset values.
	 */
	vncr_write(vcpu, VNCR_HCR_EL2, (vcpu->nvhe ? 0 : HCR_E2H) | HCR_RW);
	vncr_write(vcpu, VNCR_VPIDR_EL2, vcpu->vm->id_regs.v[IDX_MIDR_EL1]);
	vncr_write(vcpu, VNCR_VMPIDR_EL2, vcpu->vmpidr);
	vcpu->cpacr_hidden = simd_cpacr_hidden(&vcpu->simd);
	vcpu->cpacr_native = feat.cpacr_tcpac && !vcpu->cpacr_hidden;
	/*
	 * Without FEAT_ECV vEL2's writes to its guest's timers are found by a check at each exit.
	 */
	vcpu->timers_trap = feat.ecv;
	vcpu->timers_polled = !feat.ecv;
	vcpu->host_erets = untrapped_host_erets(vcpu);
	if (vcpu->nvhe)
		nvhe_reset(vcpu);
	vel2_cpacr_load(vcpu);
}

void vel2_report_vhe(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (!vcpu->nvhe && !__atomic_exchange_n(&vm->e2h_said, true, __ATOMIC_RELAXED))
		log_line(
			"vm %s: its hypervisor uses EL2 without VHE (HCR_EL2.E2H = 0), which this "
			"VM does not have: it needs one that runs with E2H = 1, or "
			"nidus,nested = \"nvhe\"",
			vm->config->name);
}

/* Home TWIN: the registers of vEL2 that are the CPU's EL1 registers while it runs. */
#define ACCESS_TWIN(function, id_, twin)                                                           \
	enum verdict function(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)        \
	{                                                                                          \
		(void)id;                                                                          \
		if (!vcpu->in_vel2)                                                                \
			return UNDEF;                                                              \
		if (write) {                                                                       \
			if ((id_) == SR_TCR_EL2 && unlikely(TCR_EL2_IS_NVHE(*value)))              \
				vel2_report_vhe(vcpu);                                             \
			sysreg_write(twin, *value);                                                \
		} else {                                                                           \
			*value = sysreg_read(twin);                                                \
		}                                                                                  \
		return SKIP;                                                                       \
	}
#define ACCESS_BANK(function, id, accessor)
#define ACCESS_SWAP(function, id, accessor)
#define ACCESS_LIVE(function, id, accessor)
#define ACCESS_VNCR(function, id, accessor)
#define ACCESS_EMUL(function, id, accessor)
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                    \
	ACCESS_##home(twin_##name, SR_##name, accessor)
#include "arch/sysreg.def"

/* Their bits that are not RES0. */
static u64 el2_bits(const struct vcpu *vcpu, enum sysreg_id id)
{
	return id == SR_HPFAR_EL2 ? HPFAR_FIPA : vcpu->vm->nested.mdcr;
}

enum verdict emul_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (!vcpu->in_vel2)
		return UNDEF;
	if (!write) {
		*value = vcpu->sr[id];
		return SKIP;
	}
	vcpu->sr[id] = *value & el2_bits(vcpu, id);
	if (unlikely(vcpu->debug_live)) /* MDCR_EL2.TDE */
		debug_vel2_exit(vcpu);
	return SKIP;
}

/*
 * Bits of CPTR_EL2 (E2H = 1) that CPACR_EL1 has at the same place and with the same effect at vEL2.
 */
#define CPTR_IN_CPACR (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN | CPTR_TTA)

void vel2_cpacr_load(struct vcpu *vcpu)
{
	if (vcpu->cpacr_native && !vcpu->nvhe) {
		vcpu->sr[SR_CPACR_EL1] = vcpu->sr[SR_CPTR_EL2];
		return;
	}
	vcpu->sr[SR_CPACR_EL1] =
		(vcpu->sr[SR_CPTR_EL2] & CPTR_IN_CPACR) | vcpu->cpacr_hidden;
}

enum verdict emul_cptr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2)
		return UNDEF;
	if (write) {
		vcpu->sr[SR_CPTR_EL2] = *value & vcpu->vm->nested.cptr;
		vel2_cpacr_load(vcpu);
		sysreg_write(CPACR_EL12, vcpu->sr[SR_CPACR_EL1]);
		traps_update_cptr(vcpu);
	} else {
		*value = vcpu->sr[SR_CPTR_EL2];
	}
	return SKIP;
}

void vel2_cptr_record(struct vcpu *vcpu)
{
	vcpu->sr[SR_CPACR_EL1] = sysreg_read(CPACR_EL12);
	vcpu->sr[SR_CPTR_EL2] = vcpu->sr[SR_CPACR_EL1] & vcpu->vm->nested.cptr;
}

void vel2_cptr_exit(struct vcpu *vcpu)
{
	vel2_cptr_record(vcpu);
	traps_update_cptr(vcpu);
}
