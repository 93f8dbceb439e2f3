/* SPDX-License-Identifier: Apache-2.0 */
/* What can happen in the model world, and what must hold in each of its states. */
#pragma once

#include "machine.h"
#include "state/vcpu.h"

/* The world beside the machine (machine.h) and nidus's own structures. */
extern struct vcpu vcpus[VCPUS];
extern struct data expect[VCPUS]; /* what each vcpu must see: ground truth */
/* Of a vcpu with EL2: the lengths of the level that it is not in. */
struct lengths {
	u8 zcr, smcr;
};
extern struct lengths other[VCPUS];

/* Events are numbered 0..EVENTS-1: a kind with its operands. */
struct event {
	u8 kind, cpu, vcpu;
};
#define EVENTS_MAX 128
extern struct event events[EVENTS_MAX];
extern u32 event_count;

/* Power on: nidus boots on each CPU, VMs and vcpus are made, nobody is loaded. */
void world_boot(const struct setup *s);
/* Whether the event can happen now. */
bool event_possible(const struct event *e);
/* Whether it enters a guest of a VM with EL2, which uses the cached trap controls. */
bool event_enters(const struct event *e);
/* Whether the run loop has run, which has chaos points; whether it, or a fast path, runs. */
extern bool loop_ran, loop_runs;
/* Apply the event. Violations leave by model_fail(). */
void event_apply(const struct event *e);
/* Check what must hold in every state. Violations leave by model_fail(). */
void world_check(void);

/* Names of CPUs and vcpus in messages: the explorer folds symmetrical states. */
extern u8 cpu_name[CPUS], vcpu_name[VCPUS];
/* The event in words. */
const char *event_text(const struct event *e);

/*
 * The tag of vcpu v's last write; the vcpu loaded on CPU c; whether nidus records v's state as
 * live.
 */
tag own(u32 v);
u32 loaded(u32 c);
bool live(u32 v);
/*
 * Of a vcpu with EL2: the values L1 may give CPTR_EL2, where it has these bits, one after the
 * other.
 */
#define L1_CPTRS 5
extern u64 l1_cptrs[L1_CPTRS];
void l1_cptrs_of(u64 have);
u32 l1_cptr_index(u64 value);
u64 next_cptr(u64 now);
/* Its current value; sr[SR_CPTR_EL2] is what nidus knows of it. */
extern u64 l1_cptr[VCPUS];
/* CPACR_EL1 as v's guest, or vEL2, has it. */
u64 cpacr_of(u32 v);
/* L1's HCR_EL2 with, or without, another trap of L2; whether it has that now. */
u64 l1_hcr(bool trap);
bool l1_traps(u32 v);
/* Whether v has EL2; whether it is in L2. */
bool nested(u32 v);
bool in_l2(u32 v);
/*
 * Trap controls cached for v (vcpu->traps): nidus's part of CPTR_EL2 while v is live, or not; which
 * controls these tags stand for, at vEL2 or in L2 with L1's other trap; the controls required as
 * things are now; L1's words with that trap.
 */
struct traps_level;
void controls_boot(void);
u64 controls_l0(u32 v, bool live);
const struct traps *controls_of(u32 v, const struct traps_level *l, bool in_vel2, bool trap);
struct traps controls_now(u32 v);
void controls_note(u32 v, u64 *from, bool trap);
bool controls_trap(const u64 *from);
/* Segments of its vectors and of ZA that v's guest can access now. */
u32 exp_len(u32 v);
u32 exp_svl(u32 v);
