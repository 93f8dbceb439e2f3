/* SPDX-License-Identifier: Apache-2.0 */
/* What the guests do: L2 and L3 of V, W, and B. */
#pragma once

#include "world.h"

/* Their first instructions; `now` is WHO_L2 then. */
void guests_boot(void);
/* B's turn. */
void b_acts(void);
/* l1 as far as the model plays it: an access to a register. */
void l1_write(enum reg r, u64 v);

/* How an instruction of a guest ends. */
enum ends {
	COMPLETES,
	ABSENT, /* UNDEFINED, or a trap of the guest's own CPACR_EL1: no hypervisor is involved */
	RAISES, /* an exception at its own EL1 (or virtual EL2), injected by one of the two nidus */
	TO_L2,  /* L3's instruction is taken to L2 */
};
/*
 * The running guest accesses a register: *v is written or read. Exits that its instructions took:
 * traps.
 */
enum ends guest_access(enum reg r, bool write, u64 *v);
extern u32 traps;

/* Uses of SIMD: all registers that can be reached are written; PSTATE.SM, PSTATE.ZA change. */
void guest_use(void);
void guest_svcr(u64 bit);
/* ZCR_EL1 and SMCR_EL1 by these names, which are L2's ZCR_EL2 and SMCR_EL2. */
void guest_lengths(void);

void l2_cptr(void);
void l2_zcr(void);
void l2_smcr(void);
void l2_lengths_of_l3(void);
void l2_trap(void);
void l2_registers(void);
void l2_eret(void);
void l3_hvc(void);
void l3_registers(void);
/* An instruction that neither nidus emulates for it. */
void guest_undefined(void);

/* The values L2 may give CPTR_EL2, where its VM has these bits, one after the other. */
u64 next_cptr(u64 now_);
/* Segments of its vectors and of ZA that the running guest can access now. */
u32 exp_len(enum who who);
u32 exp_svl(enum who who);
tag own(u32 g);
