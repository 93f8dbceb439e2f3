/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vEL2's EL2 control registers as they take effect for vEL1: read once, RES0 and RES1 applied. For
 * a vcpu that has EL2; valid whether vEL2 or vEL1 runs, except where said.
 */
#pragma once

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "arch/sysreg_table.h"
#include "state/vm.h"
#include "state/vncr.h"

/*
 * RW is RES1: no AArch32. E2H is, whatever it is to vEL2: vcpu->sr and the CPU have registers of
 * vEL2 in the format of E2H = 1 (traps/nvhe.h).
 */
static inline u64 vel2_hcr(const struct vcpu *vcpu)
{
	return (vncr_read(vcpu, VNCR_HCR_EL2) & vcpu->vm->nested.hcr) | HCR_E2H | HCR_RW;
}

/* ---- what a virtual EL2 without VHE (E2H = 0) lacks; its formats: traps/nvhe.h ---- */

/* It can be a host, with an EL0 of its own (HCR_EL2.TGE). */
static inline bool vel2_has_host(const struct vcpu *vcpu)
{
	return !vcpu->nvhe;
}

/* EL2's translation regime has one address range, no ASIDs, and no EL0. */
static inline bool vel2_one_range(const struct vcpu *vcpu)
{
	return vcpu->nvhe;
}

/* CNTKCTL_EL1 is one register, whichever context runs, and CNTHCTL_EL2 all in its own. */
static inline bool vel2_shares_cntkctl(const struct vcpu *vcpu)
{
	return vcpu->nvhe;
}

/* HCR_EL2.{E2H,TGE} = {1,1}: EL2 is a host, and the instructions that name EL1 mean EL2&0. */
static inline bool vel2_is_host(const struct vcpu *vcpu)
{
	return (vel2_hcr(vcpu) & HCR_TGE) && vel2_has_host(vcpu);
}

/* Whether vEL1 has registers in memory: HCR_EL2.{NV,NV2} = {1,1}. */
static inline bool vel2_nv2(const struct vcpu *vcpu)
{
	return !(~vel2_hcr(vcpu) & (HCR_NV | HCR_NV2));
}

static inline u64 vel2_hcrx(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HCRX_EL2) & vcpu->vm->nested.hcrx;
}

static inline u64 vel2_hfgrtr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HFGRTR_EL2) & vcpu->vm->nested.hfgrtr;
}

static inline u64 vel2_hfgwtr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HFGWTR_EL2) & vcpu->vm->nested.hfgwtr;
}

static inline u64 vel2_hfgitr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HFGITR_EL2) & vcpu->vm->nested.hfgitr;
}

static inline u64 vel2_hdfgrtr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HDFGRTR_EL2) & vcpu->vm->nested.hdfgrtr;
}

static inline u64 vel2_hdfgwtr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HDFGWTR_EL2) & vcpu->vm->nested.hdfgwtr;
}

/* vEL2's stage 2 as it wrote it: what it comes to on the VM's CPUs is walk_s2_shape()'s to say. */
static inline u64 vel2_vttbr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_VTTBR_EL2);
}

static inline u64 vel2_vtcr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_VTCR_EL2);
}

/* What vEL1's MIDR_EL1 and MPIDR_EL1 are. */
static inline u64 vel2_vpidr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_VPIDR_EL2) & MASK(31, 0);
}

static inline u64 vel2_vmpidr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_VMPIDR_EL2);
}

static inline u64 vel2_ich_hcr(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_ICH_HCR_EL2) & vcpu->vm->nested.ich_hcr;
}

static inline u64 vel2_mdcr(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_MDCR_EL2] & vcpu->vm->nested.mdcr;
}

/* ---- EL2&0's translation, in the format of E2H = 1: in the CPU while vEL2 runs ---- */
#define VEL2_VIEW(function, name)                                                                  \
	static inline u64 function(const struct vcpu *vcpu)                                        \
	{                                                                                          \
		return vcpu->in_vel2 ? sysreg_read(name##_EL12) : vcpu->sr[SR_##name##_EL1];       \
	}
VEL2_VIEW(vel2_sctlr, SCTLR)
VEL2_VIEW(vel2_tcr, TCR)
VEL2_VIEW(vel2_mair, MAIR)
VEL2_VIEW(vel2_ttbr0, TTBR0)
VEL2_VIEW(vel2_ttbr1, TTBR1)
#undef VEL2_VIEW

/* While vEL1 runs: vEL2 may have newer values in the CPU's CPACR_EL1 and CNTKCTL_EL1. */
static inline u64 vel2_cptr(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_CPTR_EL2] & vcpu->vm->nested.cptr;
}

/* CPTR_EL2 to compare with what it was, and for vEL2 itself: the same, without bits to remove. */
static inline u64 vel2_cptr_word(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_CPTR_EL2];
}

static inline u64 vel2_cnthctl(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_CNTHCTL_EL2] & vcpu->vm->nested.cnthctl;
}

/*
 * vEL2's ZCR_EL2 and SMCR_EL2, which limit vEL1's vector lengths, FA64 and EZT0: as last written.
 */
static inline u64 vel2_zcr(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_ZCR_EL2];
}

static inline u64 vel2_smcr(const struct vcpu *vcpu)
{
	return vcpu->sr[SR_SMCR_EL2];
}
