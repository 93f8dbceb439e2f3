/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM may see of every ID register field that Arm defines (DDI 0487 and DDI 0601, up to
 * v9.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "boot/config.h"
#include "traps/idreg.h"

/*
 * Written from Arm's register descriptions, not from src/traps/idreg.c. U: unsigned, at most max.
 * S: signed, at most max. Is: always max, whatever the machine has. No: not implemented, reads max.
 */
enum rule { U, S, Is, No };
enum who { All, Sve, Sme, Either, Nested, Plain, Deep }; /* Plain: not nested */

static const struct fact {
	u8 reg, msb, lsb;
	const char *name;
	enum rule rule;
	u32 max;
	enum who who;
} facts[] = {
#define R(reg) IDX_ID_AA64##reg##_EL1
	{ R(PFR0), 63, 60, "CSV3", U, 1, All },
	{ R(PFR0), 59, 56, "CSV2", U, 1, All },
	{ R(PFR0), 55, 52, "RME", No, 0, All },
	{ R(PFR0), 51, 48, "DIT", U, 1, All },
	{ R(PFR0), 47, 44, "AMU", No, 0, All },
	{ R(PFR0), 43, 40, "MPAM", No, 0, All },
	{ R(PFR0), 39, 36, "SEL2", No, 0, All },
	{ R(PFR0), 35, 32, "SVE", U, 1, Sve },
	{ R(PFR0), 31, 28, "RAS", No, 0, All },
	{ R(PFR0), 27, 24, "GIC", Is, 1, All },
	{ R(PFR0), 23, 20, "AdvSIMD", S, 1, All },
	{ R(PFR0), 19, 16, "FP", S, 1, All },
	{ R(PFR0), 15, 12, "EL3", No, 0, All },
	{ R(PFR0), 11, 8, "EL2", Is, 1, Nested },
	{ R(PFR0), 7, 4, "EL1", Is, 1, All },
	{ R(PFR0), 3, 0, "EL0", Is, 1, All },

	{ R(PFR1), 63, 60, "PFAR", No, 0, All },
	{ R(PFR1), 59, 56, "DF2", No, 0, All },
	{ R(PFR1), 55, 52, "MTEX", No, 0, All },
	{ R(PFR1), 51, 48, "THE", No, 0, All },
	{ R(PFR1), 47, 44, "GCS", No, 0, All },
	{ R(PFR1), 43, 40, "MTE_frac", No, 0, All },
	{ R(PFR1), 39, 36, "NMI", No, 0, All },
	{ R(PFR1), 35, 32, "CSV2_frac", No, 0, All },
	{ R(PFR1), 31, 28, "RNDR_trap", No, 0, All },
	{ R(PFR1), 27, 24, "SME", U, 2, Sme },
	{ R(PFR1), 19, 16, "MPAM_frac", No, 0, All },
	{ R(PFR1), 15, 12, "RAS_frac", No, 0, All },
	{ R(PFR1), 11, 8, "MTE", No, 0, All },
	{ R(PFR1), 7, 4, "SSBS", U, 2, All },
	{ R(PFR1), 3, 0, "BT", U, 1, All },

	{ R(PFR2), 35, 32, "FPMR", No, 0, All },
	{ R(PFR2), 19, 16, "UINJ", No, 0, All },
	{ R(PFR2), 11, 8, "MTEFAR", No, 0, All },
	{ R(PFR2), 7, 4, "MTESTOREONLY", No, 0, All },
	{ R(PFR2), 3, 0, "MTEPERM", No, 0, All },

	{ R(ZFR0), 59, 56, "F64MM", U, 1, Either },
	{ R(ZFR0), 55, 52, "F32MM", U, 1, Either },
	{ R(ZFR0), 47, 44, "I8MM", U, 1, Either },
	{ R(ZFR0), 43, 40, "SM4", U, 1, Either },
	{ R(ZFR0), 35, 32, "SHA3", U, 1, Either },
	{ R(ZFR0), 27, 24, "B16B16", U, 1, Either },
	{ R(ZFR0), 23, 20, "BF16", U, 2, Either },
	{ R(ZFR0), 19, 16, "BitPerm", U, 1, Either },
	{ R(ZFR0), 7, 4, "AES", U, 2, Either },
	{ R(ZFR0), 3, 0, "SVEver", U, 2, Either },

	{ R(SMFR0), 63, 63, "FA64", U, 1, Sme },
	{ R(SMFR0), 60, 60, "LUTv2", No, 0, All },
	{ R(SMFR0), 59, 56, "SMEver", U, 2, Sme },
	{ R(SMFR0), 55, 52, "I16I64", U, 15, Sme },
	{ R(SMFR0), 48, 48, "F64F64", U, 1, Sme },
	{ R(SMFR0), 47, 44, "I16I32", U, 5, Sme },
	{ R(SMFR0), 43, 43, "B16B16", U, 1, Sme },
	{ R(SMFR0), 42, 42, "F16F16", U, 1, Sme },
	{ R(SMFR0), 41, 41, "F8F16", No, 0, All },
	{ R(SMFR0), 40, 40, "F8F32", No, 0, All },
	{ R(SMFR0), 39, 36, "I8I32", U, 15, Sme },
	{ R(SMFR0), 35, 35, "F16F32", U, 1, Sme },
	{ R(SMFR0), 34, 34, "B16F32", U, 1, Sme },
	{ R(SMFR0), 33, 33, "BI32I32", U, 1, Sme },
	{ R(SMFR0), 32, 32, "F32F32", U, 1, Sme },
	{ R(SMFR0), 30, 30, "SF8FMA", No, 0, All },
	{ R(SMFR0), 29, 29, "SF8DP4", No, 0, All },
	{ R(SMFR0), 28, 28, "SF8DP2", No, 0, All },

	{ R(FPFR0), 31, 31, "F8CVT", No, 0, All },
	{ R(FPFR0), 30, 30, "F8FMA", No, 0, All },
	{ R(FPFR0), 29, 29, "F8DP4", No, 0, All },
	{ R(FPFR0), 28, 28, "F8DP2", No, 0, All },
	{ R(FPFR0), 1, 1, "F8E4M3", No, 0, All },
	{ R(FPFR0), 0, 0, "F8E5M2", No, 0, All },

	{ R(DFR0), 63, 60, "HPMN0", No, 0, All },
	{ R(DFR0), 59, 56, "ExtTrcBuff", No, 0, All },
	{ R(DFR0), 55, 52, "BRBE", No, 0, All },
	{ R(DFR0), 51, 48, "MTPMU", No, 0, All },
	{ R(DFR0), 47, 44, "TraceBuffer", No, 0, All },
	{ R(DFR0), 43, 40, "TraceFilt", No, 0, All },
	{ R(DFR0), 39, 36, "DoubleLock", No, 15, All },
	{ R(DFR0), 35, 32, "PMSVer", No, 0, All },
	{ R(DFR0), 31, 28, "CTX_CMPs", U, 15, All },
	{ R(DFR0), 27, 24, "SEBEP", No, 0, All },
	{ R(DFR0), 23, 20, "WRPs", U, 15, All },
	{ R(DFR0), 19, 16, "PMSS", No, 0, All },
	{ R(DFR0), 15, 12, "BRPs", U, 15, All },
	{ R(DFR0), 11, 8, "PMUVer", No, 0, All },
	{ R(DFR0), 7, 4, "TraceVer", No, 0, All },
	{ R(DFR0), 3, 0, "DebugVer", U, 10, All },

	{ R(DFR1), 63, 56, "ABL_CMPs", No, 0, All },
	{ R(DFR1), 55, 52, "DPFZS", No, 0, All },
	{ R(DFR1), 51, 48, "EBEP", No, 0, All },
	{ R(DFR1), 47, 44, "ITE", No, 0, All },
	{ R(DFR1), 43, 40, "ABLE", No, 0, All },
	{ R(DFR1), 39, 36, "PMICNTR", No, 0, All },
	{ R(DFR1), 35, 32, "SPMU", No, 0, All },
	{ R(DFR1), 31, 24, "CTX_CMPs", No, 0, All },
	{ R(DFR1), 23, 16, "WRPs", No, 0, All },
	{ R(DFR1), 15, 8, "BRPs", No, 0, All },
	{ R(DFR1), 7, 0, "SYSPMUID", No, 0, All },
	{ R(DFR2), 7, 4, "BWE", No, 0, All },
	{ R(DFR2), 3, 0, "STEP", No, 0, All },
	{ R(AFR0), 31, 0, "IMPLEMENTATION DEFINED", No, 0, All },

	{ R(ISAR0), 63, 60, "RNDR", U, 1, All },
	{ R(ISAR0), 59, 56, "TLB", U, 2, All },
	{ R(ISAR0), 55, 52, "TS", U, 2, All },
	{ R(ISAR0), 51, 48, "FHM", U, 1, All },
	{ R(ISAR0), 47, 44, "DP", U, 1, All },
	{ R(ISAR0), 43, 40, "SM4", U, 1, All },
	{ R(ISAR0), 39, 36, "SM3", U, 1, All },
	{ R(ISAR0), 35, 32, "SHA3", U, 1, All },
	{ R(ISAR0), 31, 28, "RDM", U, 1, All },
	{ R(ISAR0), 27, 24, "TME", No, 0, All },
	{ R(ISAR0), 23, 20, "Atomic", U, 3, All },
	{ R(ISAR0), 19, 16, "CRC32", U, 1, All },
	{ R(ISAR0), 15, 12, "SHA2", U, 2, All },
	{ R(ISAR0), 11, 8, "SHA1", U, 1, All },
	{ R(ISAR0), 7, 4, "AES", U, 2, All },

	{ R(ISAR1), 63, 60, "LS64", No, 0, All },
	{ R(ISAR1), 59, 56, "XS", U, 1, All },
	{ R(ISAR1), 55, 52, "I8MM", U, 1, All },
	{ R(ISAR1), 51, 48, "DGH", U, 1, All },
	{ R(ISAR1), 47, 44, "BF16", U, 2, All },
	{ R(ISAR1), 43, 40, "SPECRES", U, 2, Plain },
	{ R(ISAR1), 39, 36, "SB", U, 1, All },
	{ R(ISAR1), 35, 32, "FRINTTS", U, 1, All },
	{ R(ISAR1), 31, 28, "GPI", U, 1, All },
	{ R(ISAR1), 27, 24, "GPA", U, 1, All },
	{ R(ISAR1), 23, 20, "LRCPC", U, 3, All },
	{ R(ISAR1), 19, 16, "FCMA", U, 1, All },
	{ R(ISAR1), 15, 12, "JSCVT", U, 1, All },
	{ R(ISAR1), 11, 8, "API", U, 5, All },
	{ R(ISAR1), 7, 4, "APA", U, 5, All },
	{ R(ISAR1), 3, 0, "DPB", U, 2, All },

	{ R(ISAR2), 63, 60, "ATS1A", No, 0, All },
	{ R(ISAR2), 59, 56, "LUT", No, 0, All },
	{ R(ISAR2), 55, 52, "CSSC", U, 1, All },
	{ R(ISAR2), 51, 48, "RPRFM", U, 1, All },
	{ R(ISAR2), 47, 44, "PCDPHINT", No, 0, All },
	{ R(ISAR2), 43, 40, "PRFMSLC", U, 1, All },
	{ R(ISAR2), 39, 36, "SYSINSTR_128", No, 0, All },
	{ R(ISAR2), 35, 32, "SYSREG_128", No, 0, All },
	{ R(ISAR2), 31, 28, "CLRBHB", U, 1, All },
	{ R(ISAR2), 27, 24, "PAC_frac", U, 1, All },
	{ R(ISAR2), 23, 20, "BC", U, 1, All },
	{ R(ISAR2), 19, 16, "MOPS", U, 1, All },
	{ R(ISAR2), 15, 12, "APA3", U, 5, All },
	{ R(ISAR2), 11, 8, "GPA3", U, 1, All },
	{ R(ISAR2), 7, 4, "RPRES", U, 1, All },
	{ R(ISAR2), 3, 0, "WFxT", No, 0, All },

	{ R(ISAR3), 15, 12, "PACM", No, 0, All },
	{ R(ISAR3), 11, 8, "TLBIW", No, 0, All },
	{ R(ISAR3), 7, 4, "FAMINMAX", No, 0, All },
	{ R(ISAR3), 3, 0, "CPA", No, 0, All },

	{ R(MMFR0), 63, 60, "ECV", U, 1, All },
	{ R(MMFR0), 59, 56, "FGT", U, 1, Nested },
	{ R(MMFR0), 47, 44, "ExS", No, 0, All },
	{ R(MMFR0), 43, 40, "TGran4_2", U, 2, Nested },
	{ R(MMFR0), 39, 36, "TGran64_2", U, 2, Nested },
	{ R(MMFR0), 35, 32, "TGran16_2", U, 2, Nested },
	{ R(MMFR0), 31, 28, "TGran4", S, 0, All },
	{ R(MMFR0), 27, 24, "TGran64", S, 0, All },
	{ R(MMFR0), 23, 20, "TGran16", U, 1, All },
	{ R(MMFR0), 19, 16, "BigEndEL0", U, 1, All },
	{ R(MMFR0), 15, 12, "SNSMem", No, 0, All },
	{ R(MMFR0), 11, 8, "BigEnd", U, 1, All },
	{ R(MMFR0), 7, 4, "ASIDBits", U, 2, All },
	{ R(MMFR0), 3, 0, "PARange", U, 5, All },

	{ R(MMFR1), 63, 60, "ECBHB", U, 1, All },
	{ R(MMFR1), 59, 56, "CMOW", U, 1, All },
	{ R(MMFR1), 55, 52, "TIDCP1", U, 1, All },
	{ R(MMFR1), 51, 48, "nTLBPA", U, 1, Plain },
	{ R(MMFR1), 47, 44, "AFP", U, 1, All },
	{ R(MMFR1), 43, 40, "HCX", U, 1, Nested },
	{ R(MMFR1), 39, 36, "ETS", U, 2, All },
	{ R(MMFR1), 35, 32, "TWED", No, 0, All },
	{ R(MMFR1), 31, 28, "XNX", U, 1, Nested },
	{ R(MMFR1), 27, 24, "SpecSEI", U, 1, All },
	{ R(MMFR1), 23, 20, "PAN", U, 3, All },
	{ R(MMFR1), 19, 16, "LO", No, 0, All },
	{ R(MMFR1), 15, 12, "HPDS", U, 2, All },
	{ R(MMFR1), 11, 8, "VH", U, 1, Nested },
	{ R(MMFR1), 7, 4, "VMIDBits", U, 2, Nested },
	{ R(MMFR1), 3, 0, "HAFDBS", U, 2, All },

	{ R(MMFR2), 63, 60, "E0PD", U, 1, All },
	{ R(MMFR2), 59, 56, "EVT", U, 2, Nested },
	{ R(MMFR2), 55, 52, "BBM", U, 2, All },
	{ R(MMFR2), 51, 48, "TTL", U, 1, All },
	{ R(MMFR2), 43, 40, "FWB", No, 0, All },
	{ R(MMFR2), 39, 36, "IDS", U, 1, All },
	{ R(MMFR2), 35, 32, "AT", U, 1, All },
	{ R(MMFR2), 31, 28, "ST", U, 1, All },
	{ R(MMFR2), 27, 24, "NV", U, 2, Deep },
	{ R(MMFR2), 23, 20, "CCIDX", U, 1, All },
	{ R(MMFR2), 19, 16, "VARange", No, 0, All },
	{ R(MMFR2), 15, 12, "IESB", No, 0, All },
	{ R(MMFR2), 11, 8, "LSM", No, 0, All },
	{ R(MMFR2), 7, 4, "UAO", U, 1, All },
	{ R(MMFR2), 3, 0, "CnP", U, 1, All },

	{ R(MMFR3), 63, 60, "Spec_FPACC", U, 1, All },
	{ R(MMFR3), 59, 56, "ADERR", No, 0, All },
	{ R(MMFR3), 55, 52, "SDERR", No, 0, All },
	{ R(MMFR3), 47, 44, "ANERR", No, 0, All },
	{ R(MMFR3), 43, 40, "SNERR", No, 0, All },
	{ R(MMFR3), 39, 36, "D128_2", No, 0, All },
	{ R(MMFR3), 35, 32, "D128", No, 0, All },
	{ R(MMFR3), 31, 28, "MEC", No, 0, All },
	{ R(MMFR3), 27, 24, "AIE", No, 0, All },
	{ R(MMFR3), 23, 20, "S2POE", No, 0, All },
	{ R(MMFR3), 19, 16, "S1POE", No, 0, All },
	{ R(MMFR3), 15, 12, "S2PIE", No, 0, All },
	{ R(MMFR3), 11, 8, "S1PIE", No, 0, All },
	{ R(MMFR3), 7, 4, "SCTLRX", No, 0, All },
	{ R(MMFR3), 3, 0, "TCRX", No, 0, All },

	{ R(MMFR4), 27, 24, "E2H0", Is, 15, Nested },
	{ R(MMFR4), 23, 20, "NV_frac", No, 0, All },
	{ R(MMFR4), 19, 16, "FGWTE3", No, 0, All },
	{ R(MMFR4), 15, 12, "HACDBS", No, 0, All },
	{ R(MMFR4), 11, 8, "ASID2", No, 0, All },
	{ R(MMFR4), 7, 4, "EIESB", No, 0, All },
	{ R(MMFR4), 3, 0, "PoPS", No, 0, All },
#undef R
};

static const struct vm_config configs[] = {
	{ .name = "plain" },
	{ .name = "sve", .sve = SVE_MAX },
	{ .name = "sme", .sme = 512 },
	{ .name = "both", .sve = 256, .sme = SVE_MAX },
	{ .name = "nested", .sve = 256, .sme = 256, .nested = true },
	{ .name = "deep", .nested = true, .deep = true },
	{ .name = "nvhe", .nested = true, .nvhe = true },
};

static s32 rank(const struct fact *f, u32 v)
{
	u32 width = f->msb - f->lsb + 1u;

	return f->rule == S && v >> (width - 1) ? (s32)v - (1 << width) : (s32)v;
}

static u32 expected(const struct fact *f, const struct vm_config *c, u32 have)
{
	bool seen = f->who == All || (f->who == Sve && c->sve) || (f->who == Sme && c->sme) ||
		    (f->who == Either && (c->sve || c->sme)) || (f->who == Nested && c->nested) ||
		    (f->who == Plain && !c->nested) || (f->who == Deep && c->deep);

	/* 0b1110: E2H is RES1 as with 0b1111, and where FEAT_NV is there NV1 is RES0. */
	if (f->reg == IDX_ID_AA64MMFR4_EL1 && f->lsb == 24 && c->deep)
		return 14;
	/* Without FEAT_VHE E2H is RES0, and FEAT_E2H0 is there. */
	if (c->nvhe && ((f->reg == IDX_ID_AA64MMFR4_EL1 && f->lsb == 24) ||
			(f->reg == IDX_ID_AA64MMFR1_EL1 && f->lsb == 8)))
		return 0;
	if (f->who == Nested && !seen)
		return 0;
	if (f->rule == Is || f->rule == No)
		return f->max;
	if (!seen)
		return 0;
	return rank(f, have) < rank(f, f->max) ? have : f->max;
}

/* Every field, every value that the machine may have in it, every kind of VM. */
static void fields_are_clamped(void **state)
{
	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(configs); c++)
		for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
			const struct fact *f = &facts[i];
			u32 width = f->msb - f->lsb + 1u;

			for (u32 v = 0; v < (1u << MIN(width, 8u)); v++) {
				struct idregs id;
				u64 got;

				memset(feat_ids, 0, sizeof(feat_ids));
				feat_ids[f->reg] = (u64)v << f->lsb;
				idregs_init(&id, &configs[c]);
				got = FIELD(id.v[f->reg], f->msb, f->lsb);
				if (got != expected(f, &configs[c], v))
					fail_msg(
						"VM %s: index %u %s: machine %u, VM sees %lu, not %u",
						configs[c].name, f->reg, f->name, v,
						(unsigned long)got, expected(f, &configs[c], v));
			}
		}
}

/* Bits that no field of the list above covers read as zero on a machine that has everything. */
static void the_rest_is_zero(void **state)
{
	u64 covered[IDSPACE_SIZE] = { 0 };
	struct idregs id;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		u64 mask = MASK(facts[i].msb, facts[i].lsb);

		if (covered[facts[i].reg] & mask)
			fail_msg("the test's own list: %s overlaps", facts[i].name);
		covered[facts[i].reg] |= mask;
	}
	covered[IDX_MIDR_EL1] = covered[IDX_REVIDR_EL1] = ~0UL;
	memset(feat_ids, 0xff, sizeof(feat_ids));
	for (u32 c = 0; c < ARRAY_SIZE(configs); c++) {
		idregs_init(&id, &configs[c]);
		for (u32 i = 0; i < IDSPACE_SIZE; i++)
			if (id.v[i] & ~covered[i])
				fail_msg("VM %s: index %u shows bits %#lx", configs[c].name, i,
					 (unsigned long)(id.v[i] & ~covered[i]));
	}
}

/* QEMU 10.0's -cpu max: whole registers, as a VM should see them. */
static void a_known_machine(void **state)
{
	struct idregs id;

	(void)state;
	memset(feat_ids, 0, sizeof(feat_ids));
	feat_ids[IDX_MIDR_EL1] = 0x000f0510;
	feat_ids[IDX_ID_AA64PFR0_EL1] = 0x1301001121110222;
	feat_ids[IDX_ID_AA64PFR1_EL1] = 0x0000001001000121;
	feat_ids[IDX_ID_AA64ZFR0_EL1] = 0x0110110100210021;
	feat_ids[IDX_ID_AA64SMFR0_EL1] = 0x80f100fd00000000;
	feat_ids[IDX_ID_AA64DFR0_EL1] = 0x100000001030560a;
	feat_ids[IDX_ID_AA64ISAR0_EL1] = 0x1221111110212120;
	feat_ids[IDX_ID_AA64ISAR1_EL1] = 0x0111211110211502;
	feat_ids[IDX_ID_AA64ISAR2_EL1] = 0x0000000000110012;
	feat_ids[IDX_ID_AA64MMFR0_EL1] = 0x2100032310201126;
	feat_ids[IDX_ID_AA64MMFR1_EL1] = 0x0110112010312122;
	feat_ids[IDX_ID_AA64MMFR2_EL1] = 0x1221011112011011;
	feat_ids[IDX_ID_AA64MMFR3_EL1] = 0x1000000000000000;
	idregs_init(&id, &configs[0]);
	assert_int_equal(id.v[IDX_MIDR_EL1], 0x000f0510);
	assert_int_equal(id.v[IDX_ID_AA64PFR0_EL1], 0x1101000001110011);
	assert_int_equal(id.v[IDX_ID_AA64PFR1_EL1], 0x0000000000000021);
	assert_int_equal(id.v[IDX_ID_AA64ZFR0_EL1], 0);
	assert_int_equal(id.v[IDX_ID_AA64SMFR0_EL1], 0);
	assert_int_equal(id.v[IDX_ID_AA64DFR0_EL1], 0x000000f01030500a);
	assert_int_equal(id.v[IDX_ID_AA64ISAR0_EL1], 0x1221111110212120);
	assert_int_equal(id.v[IDX_ID_AA64ISAR1_EL1], 0x0111211110211502);
	assert_int_equal(id.v[IDX_ID_AA64ISAR2_EL1], 0x0000000000110010);
	assert_int_equal(id.v[IDX_ID_AA64MMFR0_EL1], 0x1000000000100125);
	assert_int_equal(id.v[IDX_ID_AA64MMFR1_EL1], 0x0110102000302002);
	assert_int_equal(id.v[IDX_ID_AA64MMFR2_EL1], 0x1021001110000011);
	assert_int_equal(id.v[IDX_ID_AA64MMFR3_EL1], 0x1000000000000000);
	idregs_init(&id, &configs[3]);
	assert_int_equal(id.v[IDX_ID_AA64PFR0_EL1], 0x1101000101110011);
	assert_int_equal(id.v[IDX_ID_AA64PFR1_EL1], 0x0000000001000021);
	assert_int_equal(id.v[IDX_ID_AA64ZFR0_EL1], 0x0110110100210021);
	assert_int_equal(id.v[IDX_ID_AA64SMFR0_EL1], 0x80f100fd00000000);
	/*
	 * A nested VM: EL2, VHE, FGT, HCX, XNX, 16-bit VMIDs, stage-2 granules; EVT; no E2H = 0,
	 * NV, TWED, FWB.
	 */
	idregs_init(&id, &configs[4]);
	assert_int_equal(id.v[IDX_ID_AA64PFR0_EL1], 0x1101000101110111);
	assert_int_equal(id.v[IDX_ID_AA64ISAR1_EL1], 0x0111201110211502);
	assert_int_equal(id.v[IDX_ID_AA64MMFR0_EL1], 0x1100022200100125);
	assert_int_equal(id.v[IDX_ID_AA64MMFR1_EL1], 0x0110112010302122);
	assert_int_equal(id.v[IDX_ID_AA64MMFR2_EL1], 0x1221001110000011);
	assert_int_equal(id.v[IDX_ID_AA64MMFR4_EL1], 0x000000000f000000);
}

static void a_lesser_cpu_is_named(void **state)
{
	u64 other[IDSPACE_SIZE];

	(void)state;
	memset(feat_ids, 0, sizeof(feat_ids));
	feat_ids[IDX_ID_AA64ISAR0_EL1] = 2 << 20;
	feat_ids[IDX_ID_AA64PFR0_EL1] = 0x2000000000; /* SEL2: nobody's business */
	memcpy(other, feat_ids, sizeof(other));
	assert_null(idregs_less(other));
	other[IDX_ID_AA64PFR0_EL1] = 0;
	other[IDX_ID_AA64MMFR1_EL1] = ~0UL;
	assert_null(idregs_less(other));
	other[IDX_ID_AA64ISAR0_EL1] = 0;
	assert_string_equal(idregs_less(other), "ID_AA64ISAR0_EL1");
	other[IDX_ID_AA64ISAR0_EL1] = feat_ids[IDX_ID_AA64ISAR0_EL1];
	other[IDX_ID_AA64PFR0_EL1] = 0xf0000; /* no FP */
	assert_string_equal(idregs_less(other), "ID_AA64PFR0_EL1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_clamped),
		cmocka_unit_test(the_rest_is_zero),
		cmocka_unit_test(a_known_machine),
		cmocka_unit_test(a_lesser_cpu_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
