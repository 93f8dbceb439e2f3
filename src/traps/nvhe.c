/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual EL2 without VHE: register formats, and trapped accesses. */
#include "traps/nvhe.h"

#include "arch/hcr.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "simd/simd.h"
#include "state/timers.h"
#include "state/vm.h"
#include "traps/traps.h"
#include "traps/vel2.h"

/* ---- formats (DDI 0487: the registers' own pages) ---- */

/*
 * EL2's only address range as TCR_EL1: the upper range is off (EPD1), with a valid size and
 * granule. TBI applies to all addresses, as does TBID.
 */
u64 nvhe_tcr(u64 tcr)
{
	u64 v = (tcr & TCR_EL2_LOW) | TCR_EL2_PS(tcr) << TCR_IPS_SHIFT | TCR_EPD1 |
		TCR_MAKE_T1SZ(39) | TCR_MAKE_TG1_4K;

	if (tcr & TCR_EL2_TBI)
		v |= TCR_TBI0 | TCR_TBI1;
	if (tcr & TCR_EL2_TBID)
		v |= TCR_TBID0 | TCR_TBID1;
	if (tcr & TCR_EL2_HPD)
		v |= TCR_HPD0;
	return v | (tcr & (TCR_EL2_HA_HD | TCR_EL2_HWU)) << TCR_EL2_HIGH_SHIFT;
}

/*
 * Bits that only SCTLR_EL1 has are about EL0, which does not exist here, or RES1: no trap for EL0,
 * and an exception does not set PAN (SPAN), which it does at EL2 only with a host EL0.
 */
#define EL0_BITS                                                                                   \
	(SCTLR_EL1_RES1 | SCTLR_DZE | SCTLR_UCT | SCTLR_NTWI | SCTLR_NTWE | SCTLR_UCI)

u64 nvhe_sctlr(u64 sctlr)
{
	return (sctlr & SCTLR_EL1_EL2) | EL0_BITS;
}

u64 nvhe_cptr(u64 cptr)
{
	u64 v = cptr & (CPTR_TCPAC | CPTR_TAM);

	v |= cptr & CPTR_NVHE_TFP ? 0 : CPTR_FPEN;
	v |= cptr & CPTR_NVHE_TZ ? 0 : CPTR_ZEN;
	v |= cptr & CPTR_NVHE_TSM ? 0 : CPTR_SMEN;
	return v;
}

/* TZ and TSM are RES1 without SVE and SME. */
u64 nvhe_cptr_read(u64 cptr, u64 have)
{
	u64 v = (cptr & (CPTR_TCPAC | CPTR_TAM)) | CPTR_NVHE_RES1;

	v |= cptr & CPTR_FPEN ? 0 : CPTR_NVHE_TFP;
	v |= cptr & have & CPTR_ZEN ? 0 : CPTR_NVHE_TZ;
	v |= cptr & have & CPTR_SMEN ? 0 : CPTR_NVHE_TSM;
	return v;
}

u64 nvhe_cnthctl(u64 cnthctl)
{
	return (cnthctl & CNTHCTL_NVHE_SAME) |
	       (cnthctl & CNTHCTL_NVHE_EL1PCTEN ? CNTHCTL_EL1PCTEN : 0) |
	       (cnthctl & CNTHCTL_NVHE_EL1PCEN ? CNTHCTL_EL1PTEN : 0);
}

u64 nvhe_cnthctl_read(u64 cnthctl)
{
	return (cnthctl & CNTHCTL_NVHE_SAME) |
	       (cnthctl & CNTHCTL_EL1PCTEN ? CNTHCTL_NVHE_EL1PCTEN : 0) |
	       (cnthctl & CNTHCTL_EL1PTEN ? CNTHCTL_NVHE_EL1PCEN : 0);
}

/* ---- reset ---- */

void nvhe_reset(struct vcpu *vcpu)
{
	u64 *sr = vcpu->sr;

	/* Registers that read as written: vEL2's own format, kept where no TWIN needs it. */
	sr[SR_SCTLR_EL2] = SCTLR_EL2_RES1;
	sr[SR_TCR_EL2] = TCR_EL2_RES1;
	sr[SR_SCTLR_EL1] = nvhe_sctlr(sr[SR_SCTLR_EL2]);
	sr[SR_TCR_EL1] = nvhe_tcr(sr[SR_TCR_EL2]);
	sr[SR_CPTR_EL2] = nvhe_cptr(CPTR_NVHE_RES1) & vcpu->vm->nested.cptr;
	/*
	 * CPACR_EL1 is redirected to a word of the page: it need not trap, nor does it change the
	 * CPU's.
	 */
	vcpu->cpacr_native = true;
}

/* ---- registers of vEL2 that trap; it runs ---- */

/*
 * Access a register that reads as written but has another format in the CPU: SCTLR_EL2 and TCR_EL2.
 */
static enum verdict access_format(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (!write) {
		*value = vcpu->sr[id];
		return SKIP;
	}
	vcpu->sr[id] = *value;
	if (id == SR_TCR_EL2)
		sysreg_write(TCR_EL12, nvhe_tcr(*value));
	else
		sysreg_write(SCTLR_EL12, nvhe_sctlr(*value));
	return SKIP;
}

/* There is no ASID. */
static enum verdict access_ttbr0(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)vcpu;
	(void)id;
	if (write)
		sysreg_write(TTBR0_EL12, *value & TTBR_NO_ASID);
	else
		*value = sysreg_read(TTBR0_EL12);
	return SKIP;
}

static enum verdict access_cptr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 have = vcpu->vm->nested.cptr;

	if (!write) {
		*value = nvhe_cptr_read(vcpu->sr[id], have);
		return SKIP;
	}
	*value = nvhe_cptr(*value);
	return emul_cptr(vcpu, id, true, value);
}

enum verdict nvhe_cpacr(struct vcpu *vcpu, bool write, u64 *value)
{
	if (write)
		vncr_write(vcpu, VNCR_CPACR_EL1, *value);
	else
		*value = vncr_read(vcpu, VNCR_CPACR_EL1);
	return SKIP;
}

/* The event stream also affects vEL2 at once; other bits take effect at the ERET to vEL1. */
static enum verdict access_cnthctl(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 old = vcpu->sr[id];

	if (!write) {
		*value = nvhe_cnthctl_read(old);
		return SKIP;
	}
	vcpu->sr[id] = nvhe_cnthctl(*value) & vcpu->vm->nested.cnthctl;
	if ((vcpu->sr[id] ^ old) & CNTHCTL_STREAM) {
		vcpu->traps.vel2.valid = false;
		vcpu->traps_stale = true;
	}
	return SKIP;
}

/* AArch64.SysRegRead of CNTVCT_EL0 at EL2: minus CNTVOFF_EL2 unless E2H is 1. */
enum verdict emul_cntvct(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (write || !vcpu->nvhe || !vcpu->in_vel2)
		return UNDEF;
	*value = counter_now() - timer_offset(vcpu, TIMER_V);
	return SKIP;
}

u32 nvhe_key(u32 key)
{
	u64 op1 = SYS64_OP1(key), crn = SYS64_CRN(key), crm = SYS64_CRM(key);

	/* FEAT_VHE's: what ends in _EL12 and _EL02, CNTHV_*, TTBR1_EL2. */
	if (op1 == 5 || (op1 == 4 && crn == 14 && crm == 3) || key == KEY_TTBR1_EL2)
		return 0;
	if (op1 == 3 && crn == 14 && crm >= 2)
		return key ^ SYSREG_KEY(0u, 3u ^ 5u, 0u, 0u, 0u);
	return key;
}

sysreg_fn *nvhe_fn(enum sysreg_id id)
{
	switch ((u32)id) {
	case SR_SCTLR_EL2:
	case SR_TCR_EL2:
		return access_format;
	case SR_TTBR0_EL2:
		return access_ttbr0;
	case SR_CPTR_EL2:
		return access_cptr;
	case SR_CNTHCTL_EL2:
		return access_cnthctl;
	}
	return NULL;
}
