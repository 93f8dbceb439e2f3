/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an exit from vEL1 is a trap that vEL2 has set: by exception class, EC 0x18 by trap.def.
 */
#include "traps/reflect.h"

#include "arch/esr.h"
#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "arch/pstate.h"
#include "arch/simd.h"
#include "state/exit.h"
#include "state/vel2_regs.h"

/* ---- SIMD: EC 0x07, 0x19, 0x1d ---- */

/*
 * Whether a field of CPTR_EL2 traps: 0b00 and 0b10 do; 0b01 does not trap vEL1. A field that vEL2's
 * register lacks traps nothing.
 */
static bool field_traps(const struct vcpu *vcpu, u64 field)
{
	return vcpu->vm->nested.cptr & ~vel2_cptr(vcpu) & field & -field;
}

bool reflect_fp(const struct vcpu *vcpu)
{
	return field_traps(vcpu, CPTR_FPEN);
}

bool reflect_sve(const struct vcpu *vcpu)
{
	return field_traps(vcpu, CPTR_ZEN);
}

bool reflect_sme(const struct vcpu *vcpu)
{
	return field_traps(vcpu, CPTR_SMEN);
}

/*
 * Whether vEL2 traps an instruction of FEAT_SVE or FEAT_SME: with vEL2's FP closed as EC 0x07. If
 * the VM lacks the feature, and so the field in its CPTR_EL2, the instruction is UNDEFINED ahead of
 * any trap.
 */
static bool feature_wanted(const struct vcpu *vcpu, u64 field)
{
	return (vcpu->vm->nested.cptr & field) &&
	       (field_traps(vcpu, field) || field_traps(vcpu, CPTR_FPEN));
}

/* SMTC 4 is ZT0, which SMCR_EL2.EZT0 has to enable; other values of SMTC go to EL1: no exit. */
static bool sme_wanted(const struct vcpu *vcpu, u64 esr)
{
	if (SME_SMTC(esr) == SME_SMTC_ZT0)
		return vcpu->vm->nested.smcr & ~vel2_smcr(vcpu) & SMCR_EZT0;
	return feature_wanted(vcpu, CPTR_SMEN);
}

/* ---- MRS, MSR and SYS: EC 0x18 ---- */

enum coarse {
	COARSE_NONE,
	COARSE_TID1,
	COARSE_TID1_SME,
	COARSE_TID2,
	COARSE_TID2_4,
	COARSE_TID3,
	COARSE_TIDCP,
	COARSE_TACR,
	COARSE_TSW,
	COARSE_TPCP,
	COARSE_POU,
	COARSE_POU_IS,
	COARSE_TTLB,
	COARSE_TTLBIS,
	COARSE_TTLBOS,
	COARSE_TVM,
	COARSE_TDZ,
	COARSE_APK,
	COARSE_AT,
	COARSE_NV,
	COARSE_NV1,
	COARSE_SGI,
	COARSE_TC,
	COARSE_TALL0,
	COARSE_TALL1,
	COARSE_DIR,
	COARSE_TDA,
	COARSE_TDOSA,
	COARSE_TDRA,
	COARSE_TDCC,
	COARSE_TCPAC,
	COARSE_EL1PCTEN,
	COARSE_EL1PTEN,
	COARSE_EL1TVT,
	COARSE_EL1TVCT,
};

enum control_reg { REG_HCR, REG_MDCR, REG_CPTR, REG_CNTHCTL, REG_ICH_HCR };

/* Traps a read (a write) if any of these bits is 1, or any of zero is 0; or if `also` does. */
struct control {
	u64 read, write, zero;
	u8 reg, also;
};

#define ONES(r, bits)                                                                              \
	{                                                                                          \
		.reg = REG_##r, .read = (bits), .write = (bits)                                    \
	}
#define ZERO(r, bits)                                                                              \
	{                                                                                          \
		.reg = REG_##r, .zero = (bits)                                                     \
	}

static const struct control controls[] = {
	[COARSE_TID1] = ONES(HCR, HCR_TID1),
	[COARSE_TID1_SME] = ONES(HCR, HCR_TID1),
	[COARSE_TID2] = ONES(HCR, HCR_TID2),
	[COARSE_TID2_4] = ONES(HCR, HCR_TID2 | HCR_TID4),
	[COARSE_TID3] = ONES(HCR, HCR_TID3),
	[COARSE_TIDCP] = ONES(HCR, HCR_TIDCP),
	[COARSE_TACR] = ONES(HCR, HCR_TACR),
	[COARSE_TSW] = ONES(HCR, HCR_TSW),
	[COARSE_TPCP] = ONES(HCR, HCR_TPCP),
	[COARSE_POU] = ONES(HCR, HCR_TPU | HCR_TOCU),
	[COARSE_POU_IS] = ONES(HCR, HCR_TPU | HCR_TICAB),
	[COARSE_TTLB] = ONES(HCR, HCR_TTLB),
	[COARSE_TTLBIS] = ONES(HCR, HCR_TTLB | HCR_TTLBIS),
	[COARSE_TTLBOS] = ONES(HCR, HCR_TTLB | HCR_TTLBOS),
	[COARSE_TVM] = { .reg = REG_HCR, .read = HCR_TRVM, .write = HCR_TVM },
	[COARSE_TDZ] = ONES(HCR, HCR_TDZ),
	[COARSE_APK] = ZERO(HCR, HCR_APK),
	[COARSE_AT] = ONES(HCR, HCR_AT),
	[COARSE_SGI] = { .reg = REG_HCR, .write = HCR_IMO | HCR_FMO, .also = COARSE_TC },
	[COARSE_TC] = ONES(ICH_HCR, ICH_HCR_TC),
	[COARSE_TALL0] = ONES(ICH_HCR, ICH_HCR_TALL0),
	[COARSE_TALL1] = ONES(ICH_HCR, ICH_HCR_TALL1),
	[COARSE_DIR] = { .reg = REG_ICH_HCR, .write = ICH_HCR_TC | ICH_HCR_TDIR },
	[COARSE_TDA] = ONES(MDCR, MDCR_TDE | MDCR_TDA),
	[COARSE_TDOSA] = ONES(MDCR, MDCR_TDE | MDCR_TDOSA),
	[COARSE_TDRA] = ONES(MDCR, MDCR_TDE | MDCR_TDRA),
	[COARSE_TDCC] = ONES(MDCR, MDCR_TDE | MDCR_TDA | MDCR_TDCC),
	[COARSE_TCPAC] = ONES(CPTR, CPTR_TCPAC),
	[COARSE_EL1PCTEN] = ZERO(CNTHCTL, CNTHCTL_EL1PCTEN),
	[COARSE_EL1PTEN] = ZERO(CNTHCTL, CNTHCTL_EL1PTEN),
	[COARSE_EL1TVT] = ONES(CNTHCTL, CNTHCTL_EL1TVT),
	[COARSE_EL1TVCT] = ONES(CNTHCTL, CNTHCTL_EL1TVCT),
};

static u64 control_value(const struct vcpu *vcpu, enum control_reg reg, u64 *have)
{
	const struct vel2_bits *bits = &vcpu->vm->nested;

	switch (reg) {
	case REG_HCR:
		*have = bits->hcr;
		return vel2_hcr(vcpu);
	case REG_MDCR:
		*have = bits->mdcr;
		return vel2_mdcr(vcpu);
	case REG_CPTR:
		*have = bits->cptr;
		return vel2_cptr(vcpu);
	case REG_CNTHCTL:
		*have = bits->cnthctl;
		return vel2_cnthctl(vcpu);
	case REG_ICH_HCR:
		*have = bits->ich_hcr;
		return vel2_ich_hcr(vcpu);
	}
	return *have = 0;
}

static bool control_traps(const struct vcpu *vcpu, const struct control *c, bool write)
{
	u64 have, v = control_value(vcpu, c->reg, &have);

	return (v & (write ? c->write : c->read)) || (have & ~v & c->zero);
}

/*
 * Whether NV traps an access that vEL1 would make as a hypervisor itself. With NV2 the other
 * registers of NV1 are in memory.
 */
static bool nv_traps(const struct vcpu *vcpu, enum coarse coarse, bool el0)
{
	u64 hcr = vel2_hcr(vcpu);

	if (el0 || !(hcr & HCR_NV))
		return false;
	return coarse == COARSE_NV || (hcr & (HCR_NV1 | HCR_NV2)) == HCR_NV1;
}

static bool coarse_traps(const struct vcpu *vcpu, enum coarse coarse, bool write, bool el0)
{
	const struct control *c = &controls[coarse];

	if (coarse == COARSE_NONE)
		return false;
	if (coarse == COARSE_NV || coarse == COARSE_NV1)
		return nv_traps(vcpu, coarse, el0);
	/* Without SME there is no such register, and UNDEFINED comes ahead of any trap. */
	if (coarse == COARSE_TID1_SME && !(vcpu->vm->nested.hfgrtr & HFGXTR_NTPIDR2_EL0))
		return false;
	return control_traps(vcpu, c, write) ||
	       (c->also && control_traps(vcpu, &controls[c->also], write));
}

enum fine { FINE_NONE, FINE_HFGX, FINE_HFGI, FINE_NXS, FINE_HDFGX };

/* Where each fine-grained bit is: the same in the read and in the write register. */
enum fgt_bit {
	FGT_NONE_NONE,
#define FGT_HFGX(name) FGT_HFGX_##name
#define FGT_HFGR(name) FGT_HFGX_##name
#define FGT_HFGI(name) FGT_HFGI_##name
#define FGT_HDFGX(name) FGT_HDFGX_##name
#define FGT_HDFGR(name) FGT_HDFGX_##name
#define FGT_HDFGW(name) FGT_HDFGX_##name
#define FGT(regs, n, name, polarity, feature) FGT_##regs(name) = (n),
#include "arch/trap.def"
};

#define FINE_BIT_NONE(name) 0
#define FINE_BIT_HFGX(name) FGT_HFGX_##name
#define FINE_BIT_HFGI(name) FGT_HFGI_##name
#define FINE_BIT_NXS(name) FGT_HFGI_##name
#define FINE_BIT_HDFGX(name) FGT_HDFGX_##name

/* The bits of HFGRTR_EL2 and HFGWTR_EL2 that trap while 0. No other register has visible ones. */
static u64 hfgx_negative(void)
{
	u64 negative = 0;

#define NEGATIVE_POS(n)
#define NEGATIVE_NEG(n) negative |= BIT(n);
#define FGT(regs, n, name, polarity, feature) NEGATIVE_##polarity(n)
#include "arch/trap.def"
	return negative;
}

static bool fine_traps(const struct vcpu *vcpu, enum fine fine, u32 n, bool write)
{
	const struct vel2_bits *bits = &vcpu->vm->nested;

	switch (fine) {
	case FINE_NONE:
		break;
	case FINE_HFGX:
		if (write)
			return ((vel2_hfgwtr(vcpu) ^ hfgx_negative()) & bits->hfgwtr) & BIT(n);
		return ((vel2_hfgrtr(vcpu) ^ hfgx_negative()) & bits->hfgrtr) & BIT(n);
	case FINE_NXS:
		if (vel2_hcrx(vcpu) & HCRX_FGTNXS)
			break;
		return vel2_hfgitr(vcpu) & BIT(n);
	case FINE_HFGI:
		return vel2_hfgitr(vcpu) & BIT(n);
	case FINE_HDFGX:
		return (write ? vel2_hdfgwtr(vcpu) : vel2_hdfgrtr(vcpu)) & BIT(n);
	}
	return false;
}

/* An encoding in the order of its fields, which is the order of trap.def. */
#define ORDER(op0, op1, crn, crm, op2) ((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

struct trap_row {
	u16 first, last;
	u8 coarse, fine, bit;
};

static const struct trap_row rows[] = {
#define TRAP(name, op0, op1, crn, crm, op2, coarse, group, bit)                                    \
	{ ORDER(op0, op1, crn, crm, op2), ORDER(op0, op1, crn, crm, op2), COARSE_##coarse,         \
	  FINE_##group, FINE_BIT_##group(bit) },
#define TRAP_RANGE(name, op0, op1, crn, crm, op2, crn2, crm2, op2b, coarse)                        \
	{ ORDER(op0, op1, crn, crm, op2), ORDER(op0, op1, crn2, crm2, op2b), COARSE_##coarse,      \
	  FINE_NONE, 0 },
#include "arch/trap.def"
};

static const struct trap_row *row_find(u32 order)
{
	size_t low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (rows[middle].last < order)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == ARRAY_SIZE(rows) || rows[low].first > order)
		return NULL;
	return &rows[low];
}

static bool sys64_wanted(const struct vcpu *vcpu, const struct exit *exit)
{
	u64 esr = exit->esr;
	bool write = !SYS64_READ(esr);
	const struct trap_row *row = row_find((u32)ORDER(
		SYS64_OP0(esr), SYS64_OP1(esr), SYS64_CRN(esr), SYS64_CRM(esr), SYS64_OP2(esr)));

	if (!row)
		return false;
	return coarse_traps(vcpu, row->coarse, write, PSTATE_IS_EL0(exit->spsr)) ||
	       fine_traps(vcpu, row->fine, row->bit, write);
}

/* ---- by exception class ---- */

static bool svc_wanted(const struct vcpu *vcpu, const struct exit *exit)
{
	return vel2_hfgitr(vcpu) & (PSTATE_IS_EL0(exit->spsr) ? HFGITR_SVC_EL0 : HFGITR_SVC_EL1);
}

/* WFI and WFIT, or WFE and WFET. */
static bool wfx_wanted(const struct vcpu *vcpu, u64 esr)
{
	return vel2_hcr(vcpu) & (WFX_TI(esr) & 1 ? HCR_TWE : HCR_TWI);
}

/*
 * Whether an abort goes to vEL2 by AArch64.DataAbort and InstructionAbort: every fault of stage 2
 * goes to EL2 (IsSecondStage), an external abort or parity error, on a walk or not, by HCR_EL2.TEA
 * (SyncExternalAbortTarget). Faults that a walk of vEL2's tables decides are the shadow's, a TLB
 * conflict is nidus's (abort.c); the rest depends on the attributes that vEL2 gave: alignment,
 * atomics, exclusives.
 */
static bool abort_wanted(const struct vcpu *vcpu, u64 esr)
{
	u64 fsc = ABT_FSC(esr);

	if (fsc < ESR_FSC_SEA)
		return false;
	return fsc < 0x20 ? vel2_hcr(vcpu) & HCR_TEA : fsc != ESR_FSC_TLB_CONFLICT;
}

/* The ranges of trap.def that NV traps: op1 4 and 5 except the IMPLEMENTATION DEFINED ones. */
bool reflect_nv(const struct vcpu *vcpu, u64 esr)
{
	u64 op1 = SYS64_OP1(esr), crn = SYS64_CRN(esr);

	if (!(vel2_hcr(vcpu) & HCR_NV))
		return false;
	if (ESR_EC(esr) == EC_ERET)
		return true;
	if (ESR_EC(esr) != EC_SYS64)
		return false;
	if (SYS64_OP0(esr) == 1)
		return op1 == 4 && (crn == 8 || crn == 9 || (crn == 7 && SYS64_CRM(esr) == 8));
	return SYS64_OP0(esr) == 3 && (op1 == 4 || op1 == 5) && crn != 11 && crn != 15;
}

bool reflect_wanted(const struct vcpu *vcpu, const struct exit *exit)
{
	switch (ESR_EC(exit->esr)) {
	case EC_HVC64:
		return !(vel2_hcr(vcpu) & HCR_HCD);
	case EC_SYS64:
		return sys64_wanted(vcpu, exit);
	case EC_WFX:
		return wfx_wanted(vcpu, exit->esr);
	case EC_FP_ASIMD:
		return reflect_fp(vcpu);
	case EC_SVE:
		return feature_wanted(vcpu, CPTR_ZEN);
	case EC_SME:
		return sme_wanted(vcpu, exit->esr);
	case EC_SMC64:
		return vel2_hcr(vcpu) & HCR_TSC;
	case EC_SVC64:
		return svc_wanted(vcpu, exit);
	case EC_ERET:
		return (vel2_hcr(vcpu) & HCR_NV) || (vel2_hfgitr(vcpu) & HFGITR_ERET);
	case EC_PAC:
		return vcpu->vm->nested.hcr & ~vel2_hcr(vcpu) & HCR_API;
	case EC_MOPS:
		return !PSTATE_IS_EL0(exit->spsr) && (vel2_hcrx(vcpu) & HCRX_MCE2);
	case EC_IABT_LOW:
	case EC_DABT_LOW:
		return abort_wanted(vcpu, exit->esr);
	case EC_BREAKPT_LOW:
	case EC_SOFTSTP_LOW:
	case EC_WATCHPT_LOW:
	case EC_BRK64:
		return vel2_mdcr(vcpu) & MDCR_TDE;
	}
	return false;
}

u64 reflect_esr(const struct vcpu *vcpu, const struct exit *exit)
{
	u64 ec = ESR_EC(exit->esr);
	bool fp = (ec == EC_SVE && !reflect_sve(vcpu)) ||
		  (ec == EC_SME && SME_SMTC(exit->esr) == 0 && !reflect_sme(vcpu));

	return fp ? ESR(EC_FP_ASIMD, FP_COND_ALWAYS) : exit->esr;
}

bool reflect_undefined(const struct vcpu *vcpu, const struct exit *exit)
{
	return ESR_EC(exit->esr) == EC_HVC64 && (vel2_hcr(vcpu) & HCR_HCD);
}
