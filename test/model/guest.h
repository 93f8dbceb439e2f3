/* SPDX-License-Identifier: Apache-2.0 */
/* What guests do in the model world, and what surrounds nidus's SIMD code, in miniature. */
#pragma once

#include "events.h"
#include "exit/sysreg_emul.h"

#define LEN_LONG 15

/*
 * nidus's scheduler, as far as it matters, and its run loop: enter the guest, leave it. put needs a
 * loaded vcpu.
 */
void load(u32 c, u32 v);
void put(u32 c);
void enter(u32 c);
void leave(u32 c);
/* An interrupt took the guest out: it is handled, and the guest entered again at once. */
void interrupted(u32 c);
/* A level switch of what is loaded, with or without leaving its guest; and by the fast path. */
void level_switch(u32 c);
void level_fast(u32 c);
/* The class of an instruction of the L2 on c that L1 traps, 0: there is none; the fast path of it. */
u64 trap_of_l1(u32 c);
void trap_fast(u32 c);
/* Instructions that were UNDEFINED to a guest. */
extern u32 undefined;
/* The same, if it runs. */
void leave_if_running(u32 c);

/* Instructions of the guest that runs on c; each may trap instead. */
void guest_fp(u32 c);
void guest_sve(u32 c);
void guest_svcr(u32 c, u64 bit);
void guest_len_change(u32 c);

/* vEL2 on c writes the next value to CPTR_EL2; reads, then writes ZCR_EL2 (SMCR_EL2), at once. */
void l1_changes_cptr(u32 c);
void l1_changes_trap(u32 c);
void l1_changes_length(u32 c, sysreg_fn *emul, u64 field, u8 *now, bool smcr);

/* v's vectors are cut to len segments: what it may see above. */
void exp_cut(u32 v, tag *segs, u32 len);
