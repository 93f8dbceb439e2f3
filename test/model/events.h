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
/* Let it happen. Violations leave by model_fail(). */
void event_apply(const struct event *e);
/* What must hold in every state. Violations leave by model_fail(). */
void world_check(void);

/* How CPUs and vcpus are called in messages: the explorer folds symmetrical states. */
extern u8 cpu_name[CPUS], vcpu_name[VCPUS];
/* The event in words. */
const char *event_text(const struct event *e);

/*
 * The tag of vcpu v's last write; the vcpu loaded on CPU c; whether nidus says that v's state is
 * live.
 */
tag own(u32 v);
u32 loaded(u32 c);
bool live(u32 v);
/* Of a vcpu with EL2: the values L1 may give CPTR_EL2. */
#define L1_CPTRS 5
extern const u64 l1_cptrs[L1_CPTRS];
/* What it has now; sr[SR_CPTR_EL2] is what nidus knows of it. */
extern u64 vel2_cptr[VCPUS];
/* Whether v has EL2; whether it is in L2. */
bool nested(u32 v);
bool in_l2(u32 v);
/* Segments that v's guest reaches now, of its vectors and of ZA. */
u32 exp_len(u32 v);
u32 exp_svl(u32 v);
