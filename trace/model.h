/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace tells of each vcpu: which level it is in, how they stand inside one another, and
 * what an exit costs until its level goes on. Depth 1 is L1, or a guest that has no others.
 */
#pragma once

#include "trace.h"

#define DEPTH_MAX 8
#define STACK_MAX 32

/*
 * An exit of a level below L1's, until that level is entered again: who had the time. nidus: at
 * EL2; guest[d]: of depth d; asleep: nobody, as the vcpu was not running.
 */
struct cost {
	const struct trace_record *cause; /* NULL: none is open */
	u32 context, depth;
	u64 start, nidus, asleep, guest[DEPTH_MAX + 1];
	bool reflected;
};

enum frame_kind { FRAME_GUEST, FRAME_EXIT, FRAME_NIDUS };

/* What stands in a vcpu's track, innermost last. */
struct frame {
	enum frame_kind kind;
	u32 depth, context;
};

struct vcpu_model {
	u32 vm, index;
	bool known;   /* there was a record of it */
	bool running; /* the guest has been entered at `since`, at `depth` */
	u64 since, ended;
	u32 depth, context;
	u32 eret_depth; /* the exit before was an ERET of a hypervisor at this depth; 0: not */
	u32 entered;   /* context that LEVEL told of within this exit; 0: none */
	bool taken;    /* TAKE from L2 within this exit */
	struct cost open[DEPTH_MAX + 1];
	struct frame stack[STACK_MAX];
	u32 frames;
	/* sums of ticks */
	u64 nidus[DEPTH_MAX + 1], guest[DEPTH_MAX + 1], for_l2, asleep, run, run_begun;
	u64 level_entries, level_bytes, local_erets, irqs, loads;
	u64 claims, flushes, bytes, host_sections;
};

/* Contexts: what of L1's is below it. Number 0 is L1 itself. */
struct context {
	u32 vm, depth;
	u64 vttbr;
	bool nv;
};

struct model;

/* What a user of the model wants to hear; any may be NULL. Times rise per vcpu. */
struct listener {
	void (*begin)(struct model *m, struct vcpu_model *v, u64 time, enum frame_kind kind,
		      u32 depth, const struct trace_record *r, u64 flow);
	void (*end)(struct model *m, struct vcpu_model *v, u64 time);
	void (*instant)(struct model *m, struct vcpu_model *v, const struct trace_record *r);
	/* every exit of its own, by the depth that had it */
	void (*exit)(struct model *m, struct vcpu_model *v, const struct trace_record *r,
		     u32 depth);
	/* an exit of a depth of 2 or more is over */
	void (*cost)(struct model *m, struct vcpu_model *v, const struct cost *c, u64 end);
};

struct model {
	struct trace *t;
	const struct listener *listen;
	void *user;
	struct vcpu_model vcpu[TRACE_VMS][16];
	struct context context[256];
	u32 contexts;
	u64 first, last; /* times */
	u64 flow;
};

/* Go through the whole trace. */
void model_run(struct model *m, struct trace *t, const struct listener *listen, void *user);
