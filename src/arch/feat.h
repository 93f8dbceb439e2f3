/* SPDX-License-Identifier: Apache-2.0 */
/* Features of this CPU, read once at boot on each CPU (all must agree on what nidus uses). */
#pragma once

#include "arch/idspace.h"
#include "lib/types.h"

struct feat {
	u32 pa_bits; /* ID_AA64MMFR0_EL1.PARange, capped at 48 */
	bool vmid16;
	bool vhe, nv2, nv1, fgt, hcx, ecv, ecv_poff, pauth, mops, ras, pmu, nmi;
	bool sve, sme, sme_fa64, sme2;
	bool mte; /* FEAT_MTE2: memory has tags; 0 if only its instructions exist */
	bool rng, csv2_2, tidcp1, s2fwb, ttl, bbm2, xnx, lse, sha256, fpmr, wfxt, e0pd;
	bool evt; /* HCR_EL2.TID4 and others */
	bool cpacr_tcpac; /* CPACR_EL1 keeps bit 31, CPTR_EL2's TCPAC: probe_el1() */
	/*
	 * the bits of CNTHCTL_EL2 (E2H=1) that CNTKCTL_EL1 keeps although it does not have them:
	 * probe_el1()
	 */
	u64 cntkctl_el2;
	/* CNTHCTL_EL2 can be written completely by the name CNTKCTL_EL1: probe_el1() */
	bool cnthctl_by_cntkctl;
	/* AFSR0_EL1, AFSR1_EL1 or AMAIR_EL1 keeps a bit of what is written: feat_from_cpu() */
	bool el1_impdef;
	/* Hidden from all VMs, whichever CPU has them: only then do their trap bits exist. */
	bool spe, trbe, tracefilt, amu, trace, any_ras, any_mte, any_nmi;
	u32 sve_vl_mask;   /* bit n: vector length (n+1)*128 bits; filled in by simd_boot() */
	u32 sme_vl_mask;   /* bit n: streaming vector length (n+1)*128 bits; by simd_boot() too */
	bool qemu;         /* MIDR_EL1 names QEMU's own CPU model (implementer 0, part 0x51) */
	u32 lr_count;      /* list registers */
	u32 vgic_pri_bits; /* ICH_VTR_EL2.PRIbits + 1 */
	u32 brps, wrps;    /* breakpoints and watchpoints */
	u32 pmu_counters;  /* PMCR_EL0.N, 0 without FEAT_PMUv3 */
};

extern struct feat feat;
/* The ID registers of the boot CPU, as feat_init() read them. */
extern u64 feat_ids[IDSPACE_SIZE];

/*
 * What the ID registers alone say of this CPU, into feat and feat_ids: without a change to any
 * register, for firmware's sake. NULL, or what nidus can't do without.
 */
const char *feat_identify(void);
/*
 * Read the ID registers into feat (boot CPU). Returns NULL, or one line that names what nidus needs
 * and this CPU lacks (VHE, 4 KiB granule, GICv3 system registers). Enables the GIC's system
 * registers at EL2 on the way (ICC_SRE_EL2), as ICH_VTR_EL2 can't be read otherwise.
 */
const char *feat_init(void);
/*
 * On a secondary CPU: NULL if it has what the boot CPU has, else a line that names the first thing
 * it lacks; the line is valid until the next call. more(): the name of something else that these ID
 * registers lack, or NULL.
 */
const char *feat_check(const char *(*more)(const u64 id[IDSPACE_SIZE]));

/*
 * Read this CPU's ID registers, indexed as in arch/idspace.h; registers that it does not list are
 * 0.
 */
void feat_read_ids(u64 id[IDSPACE_SIZE]);
