/* SPDX-License-Identifier: Apache-2.0 */
/* What a vcpu with EL2 keeps about its shadow stage 2, table walks and TLBIs in progress. */
#pragma once

#include "lib/types.h"
#include "mm/addr.h"

struct shadow;

#define SHADOW_REFS 4

/* Features of the CPU that the walk is for, from a VM's ID registers. */
struct walk_feat {
	u8 pa_bits;                 /* 32..48 */
	bool tg4, tg16, tg64;       /* granules */
	bool tg4_2, tg16_2, tg64_2; /* at stage 2 */
	bool ttst;                  /* small tables: T*SZ up to 48 */
	bool lva;                   /* 52-bit addresses with the 64 KiB granule */
	bool haf, hdbs;             /* hardware sets the access flag, the dirty state */
	bool hpds, pan, epan, e0pd;
	bool xnx; /* execute-never by Exception level at stage 2 */
	bool vmid16;
};

/*
 * The table that the last walk ended in. The next walk begins there if its entry is in the same
 * table, like a CPU that caches tables. The owner drops it whenever such a CPU would have to: at
 * each invalidation of stage 2.
 */
struct walk_cache {
	u64 ia;    /* an address that the table resolves */
	u64 table; /* its address */
	u32 shift; /* log2 of what the table resolves */
	u32 level;
};

enum tlbi_kind {
	TLBI_VMALL, /* all of one VMID's stage 1, or all of EL2&0 */
	TLBI_VA,    /* by address and ASID */
	TLBI_VAA,   /* by address, any ASID */
	TLBI_ASID,
	TLBI_VMALLS12, /* both stages of one VMID */
	TLBI_IPA,      /* stage 2 by address */
	TLBI_ALL,      /* all VMIDs: ALLE1 */
};

/* A decoded TLBI. */
struct tlbi_op {
	enum tlbi_kind kind;
	bool el2;  /* of the EL2&0 regime; else of EL1&0 */
	bool last; /* leaf entries only */
	bool range;
	bool nxs;
	bool os;        /* Outer Shareable: FEAT_TLBIOS */
	bool local;     /* not broadcast */
	u64 base,
		size; /* bytes, of kinds with an address; VAs sign-extended. size 0: an empty range
			     (TG is reserved) */
	u16 asid;
	u8 ttl_granule; /* log2; 0: no hint */
	u8 ttl_level;   /* 1..3 */
};

/* Progress of a long operation; zero at the beginning. */
struct shadow_cursor {
	u32 slot;
	u64 at, from, sweep;
};

/* A vcpu's references, most recent first. */
struct shadow_vcpu {
	struct shadow *ref[SHADOW_REFS];
	u32 count;
	/* loaded since the vcpu was: this CPU's TLB has no other vcpu's entries of it */
	struct shadow *mine;
	/* Work to complete before the vcpu is entered again (REQ_WORK). */
	enum { SHADOW_NO_WORK, SHADOW_TLBI, SHADOW_FIND } work;
	struct tlbi_op op; /* SHADOW_TLBI, and how far it got: tlbi.c */
	u16 vmid;
	struct shadow_cursor cursor;
};

/*
 * Where a vcpu's last walk of vEL2's tables for a fault ended: valid for this shadow while its seq
 * is unchanged.
 */
struct shadow_walk {
	const struct shadow *of;
	u64 seq;
	struct walk_cache cache;
};

struct reflection {
	u64 esr, far, hpfar; /* SHADOW_REFLECT: ESR_EL2, FAR_EL2, HPFAR_EL2 for vEL2 */
	ipa_t ipa;           /* SHADOW_DEVICE: vEL2's address of the byte; ISS says the rest */
	bool device;         /* vcpu->reflection: ipa is of the abort that is being handled */
};
