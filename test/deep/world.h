/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world of the deep model: l0 has two vcpus, l1 and B; l1 has two, V and W. V is a hypervisor,
 * L2, with its guest, L3; W and B are ordinary guests. Between events a guest runs: L2, L3 or W.
 */
#pragma once

#include "below.h"
#include "machine.h"

#define HOME_SIZE 16384UL

/* Whose code runs: its vectors are at n << 16, everything else it does is at CODE(n). */
enum who { WHO_L1 = 1, WHO_L2, WHO_L3, WHO_W, WHO_B };
#define VBAR(who) ((u64)(who) << 16)
#define CODE(who) (VBAR(who) | 0x8000)
#define PC_L1 CODE(WHO_L1)

extern const struct below l0_below, l1_below;
extern const struct below *const belows[NIDUS];
extern u64 pages[NIDUS][512]; /* the VNCR pages of l1 and of V */

/* What a guest wrote last: ground truth. */
struct truth {
	struct data d;
	u8 zcr[2], smcr[2]; /* its own lengths; of V: L2's, L3's */
	u64 cptr;           /* L2's CPTR_EL2 */
	bool tvm;           /* L2 has set HCR_EL2.TVM for L3 */
};
extern struct truth truth[GUESTS];
extern u64 now;     /* who runs: WHO_L2, WHO_L3 or WHO_W */
extern u64 v_level; /* V's level: WHO_L2 or WHO_L3 */

void world_boot(const struct setup *s);

/* vectors.S of one of the two, and its callers. */
void vectors(u32 nidus, enum exit_kind kind);
/* An exception to EL2 from the running guest; if it is l1's, l1 handles it. */
void guest_exit(enum exit_kind kind, u64 esr);
/* Between two instructions of l1's an interrupt of l0's may come. */
void l0_interrupt_point(void);

/* What the next interrupt that one of the two acknowledges means to it. */
enum action {
	ACT_NOTHING,
	ACT_HOST,    /* its handler uses SIMD */
	ACT_RESCHED, /* another vcpu wants its CPU */
	ACT_TO_VEL2, /* it is l1's */
};
extern u8 action[NIDUS];

/* Called before an event. */
void world_begin(void);
/* B runs, and uses SIMD if it is to (in l0's turn). */
extern bool b_uses;
bool live(u32 nidus, u32 v);
/* Whose SIMD state vcpu v of a nidus is; which of l1's vcpus the CPU runs. */
u32 guest_of(enum who who);
