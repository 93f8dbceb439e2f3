/* SPDX-License-Identifier: Apache-2.0 */
/* TLB maintenance instructions of vEL2, which all trap (HCR_EL2.NV and TTLB). */
#pragma once

#include "lib/types.h"
#include "exit/exit.h"

struct vcpu;

enum tlbi_kind {
	TLBI_VMALL, /* all of one VMID's stage 1, or all of EL2&0 */
	TLBI_VA,    /* by address and ASID */
	TLBI_VAA,   /* by address, any ASID */
	TLBI_ASID,
	TLBI_VMALLS12, /* both stages of one VMID */
	TLBI_IPA,      /* stage 2 by address */
	TLBI_ALL,      /* all VMIDs: ALLE1 */
};

/* One TLBI, taken apart. */
struct tlbi_op {
	enum tlbi_kind kind;
	bool el2;  /* of the EL2&0 regime; else of EL1&0 */
	bool last; /* leaf entries only */
	bool range;
	bool nxs;
	bool os;        /* Outer Shareable: FEAT_TLBIOS */
	bool local;     /* not broadcast */
	u64 base, size; /* bytes, of kinds with an address; VAs sign-extended. size 0: a range that
			     is none (TG reserved) */
	u16 asid;
	u8 ttl_granule; /* log2; 0: no hint */
	u8 ttl_level;   /* 1..3 */
};

/*
 * Take a TLBI apart: key of the encoding (SYSREG_KEY), arg of Xt. False: no TLBI that is known here.
 * Pure.
 */
bool tlbi_decode(u32 key, u64 arg, struct tlbi_op *op) must_check;

/* The size of the leaf that the TTL hint names; 0: no hint, or one that means nothing. */
u64 tlbi_leaf_size(const struct tlbi_op *op);

/*
 * A trapped TLBI (EC 0x18, op0=1, CRn=8 or 9). SKIP: done, but for the guest's own DSB; or an interrupt
 * waits for this CPU, and what is left of a long one is asked for (REQ_WORK) and done before the guest is
 * entered again. So it is one instruction to the guest, whose interrupts come before it or after all of it.
 * UNDEF. Its own CPU, vcpu loaded.
 */
enum verdict tlbi_trap(struct vcpu *vcpu, const struct exit *exit);
/* Go on with the TLBI in vcpu->shadow until it is done, or shadow_yields(): true, there is more. At least one piece. */
bool tlbi_work(struct vcpu *vcpu);
