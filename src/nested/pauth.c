/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication of the return address of a trapped ERETAA or ERETAB. */
#include "nested/pauth.h"

#include "arch/barrier.h"
#include "arch/esr.h"
#include "arch/idspace.h"
#include "arch/insn.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "arch/tcr.h"
#include "state/vcpu.h"
#include "state/vel2_regs.h"
#include "state/vm.h"

/* Levels of ID_AA64ISAR1_EL1.APA and the like. */
enum { PAUTH2 = 3, FPACCOMBINE = 5 };

static u32 pauth_level(const struct vcpu *vcpu)
{
	const u64 *id = vcpu->vm->id_regs.v;
	u32 apa = (u32)FIELD(id[IDX_ID_AA64ISAR1_EL1], 7, 4);
	u32 api = (u32)FIELD(id[IDX_ID_AA64ISAR1_EL1], 11, 8);
	u32 apa3 = (u32)FIELD(id[IDX_ID_AA64ISAR2_EL1], 15, 12);

	return MAX(apa, MAX(api, apa3));
}

/* The largest TxSZ, by the granule: TG0 and TG1 spell 64 KiB differently. */
static u64 txsz_max(const struct vcpu *vcpu, u64 tcr, bool high)
{
	bool tg64 = high ? TCR_TG1(tcr) == TCR_TG1_64K : TCR_TG0(tcr) == TCR_TG0_64K;

	if (!FIELD(vcpu->vm->id_regs.v[IDX_ID_AA64MMFR2_EL1], 31, 28)) /* FEAT_TTST */
		return 39;
	return tg64 ? 47 : 48;
}

/*
 * The bits of a pointer that hold its PAC: 63:56 (unless the top byte is ignored) and 54 down to
 * the VA's size.
 */
static u64 pac_field(const struct vcpu *vcpu, u64 ptr)
{
	u64 tcr = vel2_tcr(vcpu);
	bool high = ptr & VA_UPPER;
	u64 txsz = high ? TCR_T1SZ(tcr) : TCR_T0SZ(tcr);
	bool tbi = (tcr & (high ? TCR_TBI1 : TCR_TBI0)) && !(tcr & (high ? TCR_TBID1 : TCR_TBID0));
	u32 bottom = 64 - (u32)MIN(MAX(txsz, 16UL), txsz_max(vcpu, tcr, high));

	return MASK(54, bottom) | (tbi ? 0 : MASK(63, 56));
}

/*
 * ComputePAC with one of the instruction keys. Only PACGA returns a PAC in plain form, and only its
 * bits 63:32: so the key is put in the generic key's place for the moment.
 */
static u64 compute_pac(u64 ptr, u64 modifier, bool key_b)
{
	u64 lo = sysreg_read(APGAKeyLo_EL1), hi = sysreg_read(APGAKeyHi_EL1), pac;

	sysreg_write(APGAKeyLo_EL1,
		     key_b ? sysreg_read(APIBKeyLo_EL1) : sysreg_read(APIAKeyLo_EL1));
	sysreg_write(APGAKeyHi_EL1,
		     key_b ? sysreg_read(APIBKeyHi_EL1) : sysreg_read(APIAKeyHi_EL1));
	isb();
	pac = insn_pacga(ptr, modifier);
	sysreg_write(APGAKeyLo_EL1, lo);
	sysreg_write(APGAKeyHi_EL1, hi);
	return pac;
}

/* Before FEAT_PAuth2: a PAC that does not match makes the address non-canonical. */
static u64 auth_v1(u64 ptr, u64 canonical, u64 pac, u64 field, bool key_b)
{
	if (!((ptr ^ pac) & field))
		return canonical;
	if (field >> 63)
		return (canonical & ~MASK(62, 61)) | (key_b ? 2UL : 1UL) << 61;
	return (canonical & ~MASK(54, 53)) | (key_b ? 2UL : 1UL) << 53;
}

bool pauth_eret(struct vcpu *vcpu, const struct exit *exit, u64 *elr)
{
	bool key_b = ERET_A(exit->esr);
	u32 level = pauth_level(vcpu);
	u64 all = pac_field(vcpu, *elr), field = all & MASK(63, 32), canonical, pac, ptr, sp;

	if (!(vel2_sctlr(vcpu) & (key_b ? SCTLR_ENIB : SCTLR_ENIA)))
		return true;
	canonical = *elr & VA_UPPER ? *elr | all : *elr & ~all;
	/* Bits that PACGA does not return (VAs of less than 32 bits) are not checked. */
	ptr = (*elr & ~(all ^ field)) | (canonical & (all ^ field));
	sp = vcpu->pstate & PSTATE_SPX ? sysreg_read(SP_EL1) : sysreg_read(SP_EL0);
	pac = compute_pac(canonical, sp, key_b);
	if (level < PAUTH2) {
		*elr = auth_v1(ptr, canonical, pac, field, key_b);
		return true;
	}
	*elr = ptr ^ (pac & field);
	if (level < FPACCOMBINE || *elr == canonical)
		return true;
	vcpu->inject_esr = ESR(EC_PAC_FAIL, (u64)key_b);
	return false;
}
