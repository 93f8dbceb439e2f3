/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the group "hostile" share: random values, L2s that cannot escape and that end,
 * recovery.
 */
#pragma once

#include "hyp.h"

#pragma GCC visibility push(hidden)

/* MSR (read: MRS) of X0 with any register, as instructions that run from memory. */
#define SYSREG_WORD(op0, op1, n, m, op2)                                                           \
	(0xd5000000u | (u32)(op0) << 19 | (u32)(op1) << 16 | (u32)(n) << 12 | (u32)(m) << 8 |      \
	 (u32)(op2) << 5)
#define SYSREG_WORD_READ BIT(21)
#define RET_WORD 0xd65f03c0u

#define L2_STEP_US 200       /* how long an L2 may run that may not end by itself */
#define L2_STUCK_US PATIENCE_US /* the limit of one that does end, which is never reached */

extern u64 hostile_seed;

/* A random value: all bits random, all ones, few bits, or one bit. */
u64 hostile_garbage(void);
/*
 * A random address: of nothing, of the hypervisor's own text, or of a device. The low 12 bits are
 * clear.
 */
u64 hostile_nowhere(u32 i);
#define HOSTILE_NOWHERE 5
/*
 * Check that an ordinary L2 still works, with new tables; the memory of all older tables is reused.
 */
void hostile_recovered(void);
/* An L2 that maps the first 128 KiB of the image read-only, at VMID 1: it can change nothing. */
void hostile_sandbox(struct l2 *l);
/* Give that L2 the registers it has after boot, at l2_nop(). */
void hostile_fresh(struct l2 *l);
/* Run it until it exits, for us microseconds at most; returns the exit. */
u64 hostile_run(struct l2 *l, u64 us);
/* Execute two words at EL2 with v in x0; returns x0. *undef: it took an exception. */
u64 hostile_execute(u32 word, u64 v, bool *undef);

/* ---- the parts ---- */
void hostile_registers(void);
void hostile_controls(void);
void hostile_erets(void);
void hostile_tables(void);
void hostile_stage1(void);
void hostile_floods(void);
void hostile_interrupts(void);
void hostile_host(void);
void hostile_smp(void);
/* hostile_flood.c: run every TLBI n times, of everything, pages and the largest ranges. */
void hostile_tlbi_storm(u64 n);
/* hostile_flood.c: give an L2 252 GiB, and have it read one word at each of n places there. */
void hostile_wide(struct l2 *l);
void hostile_touch(struct l2 *l, u64 n);
#pragma GCC visibility pop
