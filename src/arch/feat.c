/* SPDX-License-Identifier: Apache-2.0 */
/* Features of this CPU: the only reader of the machine's ID registers. */
#include "arch/feat.h"

#include "arch/barrier.h"
#include "arch/pgtable.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "lib/string.h"

struct feat feat;
u64 feat_ids[IDSPACE_SIZE];

/* One feature, one field of one ID register: present if the field (unsigned) is at least min. */
#define FEATURES(X)                                                                                \
	X(vhe, ID_AA64MMFR1_EL1, 8, 1)                                                             \
	X(vmid16, ID_AA64MMFR1_EL1, 4, 2)                                                          \
	X(hcx, ID_AA64MMFR1_EL1, 40, 1)                                                            \
	X(tidcp1, ID_AA64MMFR1_EL1, 52, 1)                                                         \
	X(xnx, ID_AA64MMFR1_EL1, 28, 1)                                                            \
	X(nv2, ID_AA64MMFR2_EL1, 24, 2)                                                            \
	X(s2fwb, ID_AA64MMFR2_EL1, 40, 1)                                                          \
	X(ttl, ID_AA64MMFR2_EL1, 48, 1)                                                            \
	X(bbm2, ID_AA64MMFR2_EL1, 52, 2)                                                           \
	X(evt, ID_AA64MMFR2_EL1, 56, 1)                                                            \
	X(e0pd, ID_AA64MMFR2_EL1, 60, 1)                                                           \
	X(fgt, ID_AA64MMFR0_EL1, 56, 1)                                                            \
	X(ecv, ID_AA64MMFR0_EL1, 60, 1)                                                            \
	X(ecv_poff, ID_AA64MMFR0_EL1, 60, 2)                                                       \
	X(sve, ID_AA64PFR0_EL1, 32, 1)                                                             \
	X(ras, ID_AA64PFR0_EL1, 28, 1)                                                             \
	X(csv2_2, ID_AA64PFR0_EL1, 56, 2)                                                          \
	X(sme, ID_AA64PFR1_EL1, 24, 1)                                                             \
	X(sme2, ID_AA64PFR1_EL1, 24, 2)                                                            \
	X(mte, ID_AA64PFR1_EL1, 8, 2)                                                              \
	X(nmi, ID_AA64PFR1_EL1, 36, 1)                                                             \
	X(fpmr, ID_AA64PFR2_EL1, 32, 1)                                                            \
	X(lse, ID_AA64ISAR0_EL1, 20, 2)                                                            \
	X(sha256, ID_AA64ISAR0_EL1, 12, 1)                                                         \
	X(rng, ID_AA64ISAR0_EL1, 60, 1)                                                            \
	X(mops, ID_AA64ISAR2_EL1, 16, 1)                                                           \
	X(wfxt, ID_AA64ISAR2_EL1, 0, 2)

/*
 * The same for features that no VM has and that nidus only hides from guests: they are trapped on
 * all CPUs if one has them.
 */
#define FEATURES_HIDDEN(X)                                                                         \
	X(any_ras, ID_AA64PFR0_EL1, 28, 1)                                                         \
	X(any_mte, ID_AA64PFR1_EL1, 8, 2)                                                          \
	X(any_nmi, ID_AA64PFR1_EL1, 36, 1)                                                         \
	X(amu, ID_AA64PFR0_EL1, 44, 1)                                                             \
	X(trace, ID_AA64DFR0_EL1, 4, 1)                                                            \
	X(spe, ID_AA64DFR0_EL1, 32, 1)                                                             \
	X(tracefilt, ID_AA64DFR0_EL1, 40, 1)                                                       \
	X(trbe, ID_AA64DFR0_EL1, 44, 1)

void feat_read_ids(u64 id[IDSPACE_SIZE])
{
	memset(id, 0, IDSPACE_SIZE * sizeof(id[0]));
#define X(name, crm, op2) id[IDX_##name] = sysreg_read(name);
	IDSPACE_REGS(X)
#undef X
}

static u32 nibble(const u64 *id, enum idspace_index reg, u32 lsb)
{
	return (u32)FIELD(id[reg], lsb + 3, lsb);
}

/* The features of a CPU with these ID registers, as far as no other register is needed. */
static void feat_from_ids(struct feat *f, const u64 *id)
{
#define X(name, reg, lsb, min) f->name = nibble(id, IDX_##reg, lsb) >= (min);
	FEATURES(X)
	FEATURES_HIDDEN(X)
#undef X
	u32 pmuver = nibble(id, IDX_ID_AA64DFR0_EL1, 8);

	f->pa_bits = parange_bits(nibble(id, IDX_ID_AA64MMFR0_EL1, 0));
	f->pauth = nibble(id, IDX_ID_AA64ISAR1_EL1, 4) || nibble(id, IDX_ID_AA64ISAR1_EL1, 8) ||
		   nibble(id, IDX_ID_AA64ISAR2_EL1, 12);
	/* FEAT_NV2 without FEAT_NV1: MMFR2.NV is 0, and MMFR4.NV_frac announces it. */
	f->nv2 |= nibble(id, IDX_ID_AA64MMFR4_EL1, 20) >= 1;
	/* MMFR4.E2H0 says that HCR_EL2.NV1 is RES0, or that E2H is and NV1 is not. */
	f->nv1 = nibble(id, IDX_ID_AA64MMFR2_EL1, 24) >= 2 &&
		 nibble(id, IDX_ID_AA64MMFR4_EL1, 24) != 0xe;
	/* Without SCXTNUM in CSV2 proper, CSV2_frac 2 (FEAT_CSV2_1p2) adds it. */
	f->csv2_2 |= nibble(id, IDX_ID_AA64PFR0_EL1, 56) == 1 &&
		     nibble(id, IDX_ID_AA64PFR1_EL1, 32) >= 2;
	f->sme_fa64 = f->sme && FIELD(id[IDX_ID_AA64SMFR0_EL1], 63, 63);
	f->pmu = pmuver != 0 && pmuver != 0xf; /* 15: an implementation's own */
	f->brps = nibble(id, IDX_ID_AA64DFR0_EL1, 12) + 1;
	f->wrps = nibble(id, IDX_ID_AA64DFR0_EL1, 20) + 1;
	f->qemu = FIELD(id[IDX_MIDR_EL1], 31, 24) == 0 && FIELD(id[IDX_MIDR_EL1], 15, 4) == 0x51;
}

/* Whether a register keeps bits of what is written to it; no guest has used it yet. */
#define KEEPS(reg)                                                                                 \
	({                                                                                         \
		sysreg_write(reg, ~0UL);                                                           \
		sysreg_read(reg) != 0;                                                             \
	})

/*
 * The registers of EL1 whose content is IMPLEMENTATION DEFINED: in most implementations they are
 * RES0, and there is nothing to move.
 */
static bool has_el1_impdef(void)
{
	bool keeps = KEEPS(AFSR0_EL12) | KEEPS(AFSR1_EL12) | KEEPS(AMAIR_EL12);

	sysreg_write(AFSR0_EL12, 0);
	sysreg_write(AFSR1_EL12, 0);
	sysreg_write(AMAIR_EL12, 0);
	return keeps;
}

/* Features that need other registers, which exist only if the ID registers say so. */
static void feat_from_cpu(struct feat *f)
{
	sysreg_write(ICC_SRE_EL2, 0xf); /* SRE, DFB, DIB, Enable */
	isb();
	u64 vtr = sysreg_read(ICH_VTR_EL2);

	f->lr_count = (u32)FIELD(vtr, 4, 0) + 1;
	f->vgic_pri_bits = (u32)FIELD(vtr, 31, 29) + 1;
	f->el1_impdef = has_el1_impdef();
	f->pmu_counters = f->pmu ? (u32)FIELD(sysreg_read(PMCR_EL0), 15, 11) : 0;
}

/* NULL, or a feature that nidus needs and this CPU lacks. */
static const char *feat_missing(const u64 *id)
{
	u32 s2 = nibble(id, IDX_ID_AA64MMFR0_EL1, 40);

	if (nibble(id, IDX_ID_AA64MMFR1_EL1, 8) == 0)
		return "CPU lacks FEAT_VHE: ID_AA64MMFR1_EL1.VH is 0";
	if (nibble(id, IDX_ID_AA64MMFR0_EL1, 28) >= 8)
		return "CPU lacks the 4 KiB granule: ID_AA64MMFR0_EL1.TGran4 is 15";
	if (s2 == 1 || s2 >= 8)
		return "CPU lacks the 4 KiB granule at stage 2: ID_AA64MMFR0_EL1.TGran4_2 is 1";
	if (nibble(id, IDX_ID_AA64PFR0_EL1, 24) == 0)
		return "CPU lacks GICv3 system registers: ID_AA64PFR0_EL1.GIC is 0";
	return NULL;
}

const char *feat_identify(void)
{
	feat_read_ids(feat_ids);
	feat_from_ids(&feat, feat_ids);
	return feat_missing(feat_ids);
}

const char *feat_init(void)
{
	const char *missing = feat_identify();

	if (!missing)
		feat_from_cpu(&feat);
	return missing;
}

/* The first feature that the boot CPU has and f lacks, or NULL. */
static const char *feat_less(const struct feat *f, const struct feat *boot)
{
#define X(name, reg, lsb, min)                                                                     \
	if (f->name < boot->name)                                                                  \
		return #reg "[" #lsb "+3:" #lsb "] (" #name ")";
	FEATURES(X)
#undef X
	if (f->pauth < boot->pauth)
		return "pointer authentication";
	if (f->sme_fa64 < boot->sme_fa64)
		return "FEAT_SME_FA64";
	if (f->pa_bits < boot->pa_bits)
		return "physical address bits";
	if (f->brps < boot->brps || f->wrps < boot->wrps)
		return "breakpoints or watchpoints";
	if (f->lr_count < boot->lr_count || f->vgic_pri_bits != boot->vgic_pri_bits)
		return "GIC list registers or priority bits";
	if (f->pmu_counters < boot->pmu_counters)
		return "PMU counters";
	return NULL;
}

/*
 * Set the traps for features that this CPU has and the boot CPU lacks; on a CPU without them the
 * bits are RES0.
 */
static void feat_join(const struct feat *f)
{
#define X(name, reg, lsb, min) feat.name |= f->name;
	FEATURES_HIDDEN(X)
#undef X
	feat.el1_impdef |= f->el1_impdef;
	if (!feat.pmu)
		feat.pmu_counters = f->pmu_counters;
	feat.pmu |= f->pmu;
}

const char *feat_check(const char *(*more)(const u64 id[IDSPACE_SIZE]))
{
	static char line[120];
	u64 id[IDSPACE_SIZE];
	struct feat f = { 0 };
	const char *less;

	feat_read_ids(id);
	less = feat_missing(id);
	if (less)
		return less;
	feat_from_ids(&f, id);
	feat_from_cpu(&f);
	less = feat_less(&f, &feat);
	if (!less)
		less = more(id);
	if (!less) {
		feat_join(&f); /* no vcpu has run yet */
		return NULL;
	}
	snprintf(line, sizeof(line), "CPU has less than the boot CPU: %s", less);
	return line;
}
