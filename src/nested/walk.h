/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software walks of a guest's translation tables, stage 1 and stage 2, as the architecture's own
 * pseudocode does them: pure functions of register values and of memory read through a callback.
 */
#pragma once

#include "lib/types.h"
#include "state/shadow.h"

/* Memory accesses of a walk. Addresses are the output of the last stage: vEL2's IPAs. */
struct walk_mem {
	/*
	 * Load the 64-bit word at the aligned address at, single-copy atomic; -EINVAL: no RAM
	 * there.
	 */
	int (*read)(void *ctx, u64 at, u64 *word);
	/*
	 * Replace it by new if it still is old: the hardware's update of access flag and dirty
	 * state. -EBUSY: it was something else; -EINVAL. NULL: a walk that changes nothing.
	 */
	int (*swap)(void *ctx, u64 at, u64 old, u64 new);
	void *ctx;
};

/* The access to translate; none of read, write, exec: needs no permission. */
struct walk_access {
	bool read : 1, write : 1, exec : 1;
	bool el0 : 1; /* else the regime's privileged level */
	bool pan : 1; /* PSTATE.PAN, if it holds for this access */
	bool at : 1;  /* an AT instruction: dirty state is not changed */
	bool ttw : 1; /* stage 2: the access is a stage-1 walk's */
};

/* Why there is no translation. */
struct walk_fault {
	u8 fsc; /* as in ESR_ELx.ISS, with its level */
	u8 level;
	bool stage2; /* else stage 1's */
	bool s1ptw;  /* stage 2's, of a table that stage 1 walked */
	bool retry;  /* none of these: the tables are changing, walk again */
	u64 ipa;     /* stage 2: the input address that has none */
};

/*
 * The geometry of a set of tables, decoded from TCR_ELx or VTCR_EL2 and TTBRn_ELx or VTTBR_EL2 for
 * a CPU.
 */
struct walk_shape {
	u64 base; /* of the first table, or the first of concatenated ones */
	/* of the input address; 0: a translation fault of level 0, whatever the address */
	u8 ia_bits;
	u8 oa_bits;  /* output addresses and tables are below 1 << oa_bits */
	u8 grain;    /* log2 of the granule: 12, 14, 16 */
	u8 level;    /* to start at */
	bool ha, hd; /* hardware sets the access flag, the dirty state */
	bool xnx;    /* stage 2: execute-never by Exception level */
};

void walk_cache_invalidate(struct walk_cache *c);

/* ---- stage 2: AArch64.S2Translate ---- */

struct walk_s2_regs {
	u64 vttbr, vtcr;
	/* The two decoded, if known; NULL: each walk decodes them. */
	const struct walk_shape *shape;
	struct walk_cache *cache; /* of these tables only, or NULL */
	bool vm;                  /* HCR_EL2.VM or DC; else every address is its own */
	bool ee;                  /* SCTLR_EL2.EE: tables are big-endian */
	bool ptw;                 /* HCR_EL2.PTW */
	bool cd;                  /* HCR_EL2.CD */
};

struct walk_s2_out {
	u64 oa;   /* the byte asked for */
	u64 size; /* of the leaf, without its contiguous neighbours; ~0 with vm off */
	u8 level;
	/* MemAttr[3:0]; reserved values replaced by Normal Non-cacheable in that half */
	u8 memattr;
	u8 sh;      /* SH[1:0] */
	/*
	 * S2AP[1:0]: 1 read, 2 write; not 2 for a page that hardware would have to make dirty first
	 */
	u8 ap;
	u8 xn; /* XN[1:0]: 0 all may execute, 1 EL0, 2 nobody, 3 EL1; 0 or 2 without FEAT_XNX */
};

/*
 * Translate ipa; false: *fault says why not. Sets the access flag and the dirty state in memory as
 * hardware does. At most 4 reads and 1 swap.
 */
bool walk_s2(const struct walk_s2_regs *regs, const struct walk_feat *f, const struct walk_mem *mem,
	     u64 ipa, struct walk_access access, struct walk_s2_out *out, struct walk_fault *fault);

/* Decode VTTBR_EL2 and VTCR_EL2 for a CPU with f. */
struct walk_shape walk_s2_shape(u64 vttbr, u64 vtcr, const struct walk_feat *f);
/*
 * The size of a leaf of a level (0..3) in tables with this VTCR_EL2.TG0; 0 if there can be none.
 */
u64 walk_s2_leaf_size(u64 vtcr, const struct walk_feat *f, u32 level);
/* log2 of the granule that this VTCR_EL2 selects. */
u32 walk_s2_granule(u64 vtcr, const struct walk_feat *f);
/* VTTBR_EL2.VMID as VTCR_EL2.VS has it. */
u16 walk_vmid(u64 vttbr, u64 vtcr, const struct walk_feat *f);

/* ---- stage 1: AArch64.S1Translate ---- */

struct walk_s1_regs {
	u64 sctlr, tcr, ttbr0, ttbr1, mair; /* of the regime, TCR_EL1's format */
	bool el10; /* EL1&0: s2 translates the tables' addresses; else EL2&0 */
	bool dc;   /* HCR_EL2.DC, EL1&0 only */
	bool nv1;  /* EL2 without VHE: no EL0, one execute-never bit */
};

struct walk_s1_out {
	u64 oa;
	u64 size; /* of the leaf; ~0 with the MMU off */
	u8 level;
	u8 attr; /* as a byte of MAIR_ELx; SCTLR_ELx.C applied */
	u8 sh;   /* SH[1:0] */
	bool global; /* nG is 0 */
	bool cont;   /* contiguous hint */
	bool pr, pw, px, ur, uw, ux;
};

/*
 * Translate va; false: *fault says why not. s2 NULL: the tables' addresses are mem's (EL2&0). At
 * most 4 reads of stage 1, each with a walk of stage 2, and one update of each leaf.
 */
bool walk_s1(const struct walk_s1_regs *regs, const struct walk_s2_regs *s2,
	     const struct walk_feat *f, const struct walk_mem *mem, u64 va,
	     struct walk_access access, struct walk_s1_out *out, struct walk_fault *fault);

/* ---- attributes ---- */

/* Attribute and shareability of both stages together, without FEAT_S2FWB (S2CombineS1MemAttrs). */
void walk_combine(u8 s1_attr, u8 s1_sh, u8 s2_memattr, u8 s2_sh, bool s2_cd, u8 *attr, u8 *sh);
