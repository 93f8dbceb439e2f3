/* SPDX-License-Identifier: Apache-2.0 */
/* What a vcpu keeps of the pages that its vEL2's VNCR_EL2 has named (nested/vncr.h). */
#pragma once

#include "arch/spinlock.h"
#include "lib/types.h"

#define VNCR_WINDOWS 4 /* of a vcpu */

/* What decides where VNCR_EL2 leads: as long as it is this, the window is the same. */
struct vncr_key {
	u64 page; /* VNCR_EL2.BADDR, sign-extended */
	u64 ttbr; /* the table of that half of vEL2's EL2&0 */
	u64 tcr, sctlr;
};

struct vncr_entry {
	struct vncr_key key;
	bool used;
	/* The vcpu's own CPU sets the rest, and anybody clears open, both under vm->vncr.lock. */
	bool open;     /* the window has the page in it */
	bool global;   /* vEL2's leaf is */
	u16 asid, asid_mask;
	u64 base, size; /* of the leaf, in vEL2's address space */
};

struct vncr_windows {
	struct vncr_entry entry[VNCR_WINDOWS];
	u8 now;  /* the one that vEL1 runs with */
	u8 next; /* the one to be given up */
};

/* Of a VM. */
struct vncr_vm {
	struct spinlock lock;
	u32 used; /* atomic: a window was asked for, ever */
	u64 seq;  /* atomic: invalidations */
};
