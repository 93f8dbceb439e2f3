/* SPDX-License-Identifier: Apache-2.0 */
/* The ID registers of VMs: the table of features that a VM may see, and its evaluation. */
#include "traps/idreg.h"

#include "arch/feat.h"
#include "state/config.h"
#include "lib/string.h"

/* Which VMs see a field; the others read it as not implemented. */
enum audience { ALL, SVE, SME, SVE_OR_SME, NESTED, NOT_NESTED, VHE, SHALLOW, DEEP };

/* How two values of a field compare (DDI 0487, "Principles of the ID scheme"). */
enum scheme {
	UNSIGNED, /* bigger has more, 0 is nothing */
	SIGNED,   /* the same, two's complement: all ones means nothing */
	EXACT,    /* does not depend on the machine: always the limit */
};

struct field {
	u8 reg, lsb, width;
	u8 scheme, audience;
	u8 limit; /* the most that nidus can give */
};

#define ROW(reg, lsb, width, scheme, limit, audience)                                              \
	{ IDX_##reg, lsb, width, scheme, audience, limit },
#define NIBBLE(reg, lsb, scheme, limit, audience) ROW(reg, lsb, 4, scheme, limit, audience)
#define FLAG(reg, bit, audience) ROW(reg, bit, 1, UNSIGNED, 1, audience)

/*
 * Rows give what works in a guest with nothing done by nidus, or what nidus does. The limit is the
 * newest value whose meaning was checked. Deliberately absent, and why:
 *   EL3. And of EL2, which only nested VMs have: NV (but for deep ones), TWED, FWB, and E2H = 0
 *   where E2H may be 1.
 *   To nested VMs also nTLBPA (a shadow is a cache of vEL2's tables) and SPECRES (FEAT_NV traps
 *   vEL2's). AArch32 in EL0/EL1: HCR_EL2.RW is 1 and nothing below it is looked after.
 *   RAS, IESB, MPAM, AMU, PMU, SPE, TRBE, BRBE, trace, MTE, NMI, LOR, TME, LS64, THE, GCS, PIE,
 *   POE, TCR2, SCTLR2, MEC, D128: registers that nidus neither moves nor emulates.
 *   CSV2_2 and up: SCXTNUM is not moved.
 *   LPA2, 52-bit PA and VA: stage 2 translates 48 bits.
 *   WFxT: a trapped WFIT does not say which register on an emulator that nidus runs on.
 *   ExS: nothing asks for it, and SCTLR_EL1.{EIS,EOS} stay RES1.
 *   FPMR and FP8: part of the SIMD state that no VM is given yet.
 */
static const struct field fields[] = {
	NIBBLE(ID_AA64PFR0_EL1, 0, EXACT, 1, ALL)     /* EL0: AArch64 */
	NIBBLE(ID_AA64PFR0_EL1, 4, EXACT, 1, ALL)     /* EL1: AArch64 */
	NIBBLE(ID_AA64PFR0_EL1, 8, EXACT, 1, NESTED)  /* EL2: AArch64 */
	NIBBLE(ID_AA64PFR0_EL1, 16, SIGNED, 1, ALL)   /* FP */
	NIBBLE(ID_AA64PFR0_EL1, 20, SIGNED, 1, ALL)   /* AdvSIMD */
	NIBBLE(ID_AA64PFR0_EL1, 24, EXACT, 1, ALL)    /* GIC: v3 system registers */
	NIBBLE(ID_AA64PFR0_EL1, 32, UNSIGNED, 1, SVE) /* SVE */
	NIBBLE(ID_AA64PFR0_EL1, 48, UNSIGNED, 1, ALL) /* DIT */
	NIBBLE(ID_AA64PFR0_EL1, 56, UNSIGNED, 1, ALL) /* CSV2 */
	NIBBLE(ID_AA64PFR0_EL1, 60, UNSIGNED, 1, ALL) /* CSV3 */

	NIBBLE(ID_AA64PFR1_EL1, 0, UNSIGNED, 1, ALL)  /* BT */
	NIBBLE(ID_AA64PFR1_EL1, 4, UNSIGNED, 2, ALL)  /* SSBS */
	NIBBLE(ID_AA64PFR1_EL1, 24, UNSIGNED, 2, SME) /* SME */

	NIBBLE(ID_AA64ZFR0_EL1, 0, UNSIGNED, 2, SVE_OR_SME)  /* SVEver */
	NIBBLE(ID_AA64ZFR0_EL1, 4, UNSIGNED, 2, SVE_OR_SME)  /* AES */
	NIBBLE(ID_AA64ZFR0_EL1, 16, UNSIGNED, 1, SVE_OR_SME) /* BitPerm */
	NIBBLE(ID_AA64ZFR0_EL1, 20, UNSIGNED, 2, SVE_OR_SME) /* BF16 */
	NIBBLE(ID_AA64ZFR0_EL1, 24, UNSIGNED, 1, SVE_OR_SME) /* B16B16 */
	NIBBLE(ID_AA64ZFR0_EL1, 32, UNSIGNED, 1, SVE_OR_SME) /* SHA3 */
	NIBBLE(ID_AA64ZFR0_EL1, 40, UNSIGNED, 1, SVE_OR_SME) /* SM4 */
	NIBBLE(ID_AA64ZFR0_EL1, 44, UNSIGNED, 1, SVE_OR_SME) /* I8MM */
	NIBBLE(ID_AA64ZFR0_EL1, 52, UNSIGNED, 1, SVE_OR_SME) /* F32MM */
	NIBBLE(ID_AA64ZFR0_EL1, 56, UNSIGNED, 1, SVE_OR_SME) /* F64MM */

	FLAG(ID_AA64SMFR0_EL1, 32, SME)                  /* F32F32 */
	FLAG(ID_AA64SMFR0_EL1, 33, SME)                  /* BI32I32 */
	FLAG(ID_AA64SMFR0_EL1, 34, SME)                  /* B16F32 */
	FLAG(ID_AA64SMFR0_EL1, 35, SME)                  /* F16F32 */
	NIBBLE(ID_AA64SMFR0_EL1, 36, UNSIGNED, 0xf, SME) /* I8I32 */
	FLAG(ID_AA64SMFR0_EL1, 42, SME)                  /* F16F16 */
	FLAG(ID_AA64SMFR0_EL1, 43, SME)                  /* B16B16 */
	NIBBLE(ID_AA64SMFR0_EL1, 44, UNSIGNED, 0x5, SME) /* I16I32 */
	FLAG(ID_AA64SMFR0_EL1, 48, SME)                  /* F64F64 */
	NIBBLE(ID_AA64SMFR0_EL1, 52, UNSIGNED, 0xf, SME) /* I16I64 */
	NIBBLE(ID_AA64SMFR0_EL1, 56, UNSIGNED, 2, SME)   /* SMEver */
	FLAG(ID_AA64SMFR0_EL1, 63, SME)                  /* FA64 */

	NIBBLE(ID_AA64DFR0_EL1, 0, UNSIGNED, 0xa, ALL)  /* DebugVer: v8.9 adds registers */
	NIBBLE(ID_AA64DFR0_EL1, 12, UNSIGNED, 0xf, ALL) /* BRPs, less one */
	NIBBLE(ID_AA64DFR0_EL1, 20, UNSIGNED, 0xf, ALL) /* WRPs, less one */
	NIBBLE(ID_AA64DFR0_EL1, 28, UNSIGNED, 0xf, ALL) /* CTX_CMPs, less one */
	NIBBLE(ID_AA64DFR0_EL1, 36, EXACT, 0xf, ALL)    /* DoubleLock: none */

	NIBBLE(ID_AA64ISAR0_EL1, 4, UNSIGNED, 2, ALL)  /* AES */
	NIBBLE(ID_AA64ISAR0_EL1, 8, UNSIGNED, 1, ALL)  /* SHA1 */
	NIBBLE(ID_AA64ISAR0_EL1, 12, UNSIGNED, 2, ALL) /* SHA2 */
	NIBBLE(ID_AA64ISAR0_EL1, 16, UNSIGNED, 1, ALL) /* CRC32 */
	NIBBLE(ID_AA64ISAR0_EL1, 20, UNSIGNED, 3, ALL) /* Atomic, with LSE128 */
	NIBBLE(ID_AA64ISAR0_EL1, 28, UNSIGNED, 1, ALL) /* RDM */
	NIBBLE(ID_AA64ISAR0_EL1, 32, UNSIGNED, 1, ALL) /* SHA3 */
	NIBBLE(ID_AA64ISAR0_EL1, 36, UNSIGNED, 1, ALL) /* SM3 */
	NIBBLE(ID_AA64ISAR0_EL1, 40, UNSIGNED, 1, ALL) /* SM4 */
	NIBBLE(ID_AA64ISAR0_EL1, 44, UNSIGNED, 1, ALL) /* DP */
	NIBBLE(ID_AA64ISAR0_EL1, 48, UNSIGNED, 1, ALL) /* FHM */
	NIBBLE(ID_AA64ISAR0_EL1, 52, UNSIGNED, 2, ALL) /* TS */
	NIBBLE(ID_AA64ISAR0_EL1, 56, UNSIGNED, 2, ALL) /* TLB: outer shareable and range */
	NIBBLE(ID_AA64ISAR0_EL1, 60, UNSIGNED, 1, ALL) /* RNDR */

	NIBBLE(ID_AA64ISAR1_EL1, 0, UNSIGNED, 2, ALL)  /* DPB */
	NIBBLE(ID_AA64ISAR1_EL1, 4, UNSIGNED, 5, ALL)  /* APA */
	NIBBLE(ID_AA64ISAR1_EL1, 8, UNSIGNED, 5, ALL)  /* API */
	NIBBLE(ID_AA64ISAR1_EL1, 12, UNSIGNED, 1, ALL) /* JSCVT */
	NIBBLE(ID_AA64ISAR1_EL1, 16, UNSIGNED, 1, ALL) /* FCMA */
	NIBBLE(ID_AA64ISAR1_EL1, 20, UNSIGNED, 3, ALL) /* LRCPC */
	NIBBLE(ID_AA64ISAR1_EL1, 24, UNSIGNED, 1, ALL) /* GPA */
	NIBBLE(ID_AA64ISAR1_EL1, 28, UNSIGNED, 1, ALL) /* GPI */
	NIBBLE(ID_AA64ISAR1_EL1, 32, UNSIGNED, 1, ALL) /* FRINTTS */
	NIBBLE(ID_AA64ISAR1_EL1, 36, UNSIGNED, 1, ALL) /* SB */
	NIBBLE(ID_AA64ISAR1_EL1, 40, UNSIGNED, 2, NOT_NESTED) /* SPECRES */
	NIBBLE(ID_AA64ISAR1_EL1, 44, UNSIGNED, 2, ALL) /* BF16 */
	NIBBLE(ID_AA64ISAR1_EL1, 48, UNSIGNED, 1, ALL) /* DGH */
	NIBBLE(ID_AA64ISAR1_EL1, 52, UNSIGNED, 1, ALL) /* I8MM */
	NIBBLE(ID_AA64ISAR1_EL1, 56, UNSIGNED, 1, ALL) /* XS */

	NIBBLE(ID_AA64ISAR2_EL1, 4, UNSIGNED, 1, ALL)  /* RPRES */
	NIBBLE(ID_AA64ISAR2_EL1, 8, UNSIGNED, 1, ALL)  /* GPA3 */
	NIBBLE(ID_AA64ISAR2_EL1, 12, UNSIGNED, 5, ALL) /* APA3 */
	NIBBLE(ID_AA64ISAR2_EL1, 16, UNSIGNED, 1, ALL) /* MOPS: HCRX_EL2.MSCEn */
	NIBBLE(ID_AA64ISAR2_EL1, 20, UNSIGNED, 1, ALL) /* BC */
	NIBBLE(ID_AA64ISAR2_EL1, 24, UNSIGNED, 1, ALL) /* PAC_frac */
	NIBBLE(ID_AA64ISAR2_EL1, 28, UNSIGNED, 1, ALL) /* CLRBHB */
	NIBBLE(ID_AA64ISAR2_EL1, 40, UNSIGNED, 1, ALL) /* PRFMSLC */
	NIBBLE(ID_AA64ISAR2_EL1, 48, UNSIGNED, 1, ALL) /* RPRFM */
	NIBBLE(ID_AA64ISAR2_EL1, 52, UNSIGNED, 1, ALL) /* CSSC */

	NIBBLE(ID_AA64MMFR0_EL1, 0, UNSIGNED, 5, ALL)  /* PARange: 48 bits */
	NIBBLE(ID_AA64MMFR0_EL1, 4, UNSIGNED, 2, ALL)  /* ASIDBits */
	NIBBLE(ID_AA64MMFR0_EL1, 8, UNSIGNED, 1, ALL)  /* BigEnd */
	NIBBLE(ID_AA64MMFR0_EL1, 16, UNSIGNED, 1, ALL) /* BigEndEL0 */
	NIBBLE(ID_AA64MMFR0_EL1, 20, UNSIGNED, 1, ALL) /* TGran16 */
	NIBBLE(ID_AA64MMFR0_EL1, 24, SIGNED, 0, ALL)   /* TGran64 */
	NIBBLE(ID_AA64MMFR0_EL1, 28, SIGNED, 0, ALL)   /* TGran4 */
	NIBBLE(ID_AA64MMFR0_EL1, 32, UNSIGNED, 2, NESTED) /* TGran16_2 */
	NIBBLE(ID_AA64MMFR0_EL1, 36, UNSIGNED, 2, NESTED) /* TGran64_2 */
	NIBBLE(ID_AA64MMFR0_EL1, 40, UNSIGNED, 2, NESTED) /* TGran4_2 */
	NIBBLE(ID_AA64MMFR0_EL1, 56, UNSIGNED, 1, NESTED) /* FGT */
	NIBBLE(ID_AA64MMFR0_EL1, 60, UNSIGNED, 1, ALL) /* ECV: no CNTPOFF_EL2 */

	NIBBLE(ID_AA64MMFR1_EL1, 0, UNSIGNED, 2, ALL)  /* HAFDBS */
	NIBBLE(ID_AA64MMFR1_EL1, 4, UNSIGNED, 2, NESTED) /* VMIDBits */
	NIBBLE(ID_AA64MMFR1_EL1, 8, UNSIGNED, 1, VHE)  /* VH */
	NIBBLE(ID_AA64MMFR1_EL1, 12, UNSIGNED, 2, ALL) /* HPDS */
	NIBBLE(ID_AA64MMFR1_EL1, 20, UNSIGNED, 3, ALL) /* PAN */
	NIBBLE(ID_AA64MMFR1_EL1, 24, UNSIGNED, 1, ALL) /* SpecSEI */
	NIBBLE(ID_AA64MMFR1_EL1, 28, UNSIGNED, 1, NESTED) /* XNX */
	NIBBLE(ID_AA64MMFR1_EL1, 36, UNSIGNED, 2, ALL) /* ETS */
	NIBBLE(ID_AA64MMFR1_EL1, 40, UNSIGNED, 1, NESTED) /* HCX */
	NIBBLE(ID_AA64MMFR1_EL1, 44, UNSIGNED, 1, ALL) /* AFP */
	NIBBLE(ID_AA64MMFR1_EL1, 48, UNSIGNED, 1, NOT_NESTED) /* nTLBPA */
	NIBBLE(ID_AA64MMFR1_EL1, 52, UNSIGNED, 1, ALL) /* TIDCP1 */
	NIBBLE(ID_AA64MMFR1_EL1, 56, UNSIGNED, 1, ALL) /* CMOW */
	NIBBLE(ID_AA64MMFR1_EL1, 60, UNSIGNED, 1, ALL) /* ECBHB */

	NIBBLE(ID_AA64MMFR2_EL1, 0, UNSIGNED, 1, ALL)  /* CnP */
	NIBBLE(ID_AA64MMFR2_EL1, 4, UNSIGNED, 1, ALL)  /* UAO */
	NIBBLE(ID_AA64MMFR2_EL1, 20, UNSIGNED, 1, ALL) /* CCIDX: the format of CCSIDR_EL1 */
	NIBBLE(ID_AA64MMFR2_EL1, 24, UNSIGNED, 2, DEEP) /* NV: FEAT_NV2 */
	NIBBLE(ID_AA64MMFR2_EL1, 28, UNSIGNED, 1, ALL) /* ST */
	NIBBLE(ID_AA64MMFR2_EL1, 32, UNSIGNED, 1, ALL) /* AT */
	NIBBLE(ID_AA64MMFR2_EL1, 36, UNSIGNED, 1, ALL) /* IDS */
	NIBBLE(ID_AA64MMFR2_EL1, 48, UNSIGNED, 1, ALL) /* TTL */
	NIBBLE(ID_AA64MMFR2_EL1, 52, UNSIGNED, 2, ALL) /* BBM */
	NIBBLE(ID_AA64MMFR2_EL1, 56, UNSIGNED, 2, NESTED) /* EVT */
	NIBBLE(ID_AA64MMFR2_EL1, 60, UNSIGNED, 1, ALL) /* E0PD */

	NIBBLE(ID_AA64MMFR3_EL1, 60, UNSIGNED, 1, ALL) /* Spec_FPACC */

	/* E2H0: HCR_EL2.E2H is RES1; with FEAT_NV, NV1 is RES0. Without VHE E2H is RES0. */
	NIBBLE(ID_AA64MMFR4_EL1, 24, EXACT, 0xf, SHALLOW)
	NIBBLE(ID_AA64MMFR4_EL1, 24, EXACT, 0xe, DEEP)
};

static u32 field_of(const struct field *f, u64 reg)
{
	return (u32)((reg >> f->lsb) & ((1U << f->width) - 1));
}

/* The value of a field as a number that increases with its features. */
static s32 field_rank(const struct field *f, u32 v)
{
	bool negative = f->scheme == SIGNED && (v >> (f->width - 1));

	return negative ? (s32)v - (1 << f->width) : (s32)v;
}

static bool field_seen(const struct field *f, const struct vm_config *config)
{
	switch ((enum audience)f->audience) {
	case ALL:
		return true;
	case SVE:
		return config->sve != 0;
	case SME:
		return config->sme != 0;
	case SVE_OR_SME:
		return config->sve != 0 || config->sme != 0;
	case NESTED:
		return config->nested;
	case NOT_NESTED:
		return !config->nested;
	case VHE:
		return config->nested && !config->nvhe;
	case SHALLOW:
		return config->nested && !config->deep && !config->nvhe;
	case DEEP:
		return config->deep;
	}
	return false;
}

static u32 field_shown(const struct field *f, u64 reg)
{
	u32 have = field_of(f, reg);

	if (f->scheme == EXACT)
		return f->limit;
	return field_rank(f, have) < field_rank(f, f->limit) ? have : f->limit;
}

void idregs_init(struct idregs *id, const struct vm_config *config)
{
	memset(id, 0, sizeof(*id));
	id->v[IDX_MIDR_EL1] = feat_ids[IDX_MIDR_EL1];
	id->v[IDX_REVIDR_EL1] = feat_ids[IDX_REVIDR_EL1];
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (field_seen(f, config))
			id->v[f->reg] |= (u64)field_shown(f, feat_ids[f->reg]) << f->lsb;
	}
}

static const char *idreg_name(u32 index)
{
	switch (index) {
#define X(name, crm, op2)                                                                          \
	case IDX_##name:                                                                           \
		return #name;
		IDSPACE_REGS(X)
#undef X
	}
	return "an ID register";
}

const char *idregs_less(const u64 id[IDSPACE_SIZE])
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		s32 here = field_rank(f, field_shown(f, id[f->reg]));
		s32 boot = field_rank(f, field_shown(f, feat_ids[f->reg]));

		if (here < boot)
			return idreg_name(f->reg);
	}
	return NULL;
}
