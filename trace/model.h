/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace says of each vcpu: which level it is in, how the levels contain one another, and
 * what an exit costs until its level continues. Depth 1 is L1, or a guest that has no guests.
 */
#pragma once

#include "trace.h"

#define DEPTH_MAX 8
#define STACK_MAX 32

/*
 * An exit of a level below L1, until that level is entered again: who used the time. nidus: at EL2;
 * guest[d]: of depth d; asleep: nobody, because the vcpu was not running.
 */
struct cost {
	const struct trace_record *cause; /* NULL: none is open */
	u32 context, depth;
	u64 start, nidus, asleep, guest[DEPTH_MAX + 1];
	bool reflected;
};

enum frame_kind { FRAME_GUEST, FRAME_EXIT, FRAME_NIDUS };

/* The frames of a vcpu, innermost last. */
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
	u32 entered;   /* context that a LEVEL record of this exit named; 0: none */
	bool taken;    /* there was a TAKE from L2 within this exit */
	bool serves;   /* L2 was left for L1, and L1 has not entered it again since */
	u64 served;    /* L1's time since */
	struct cost open[DEPTH_MAX + 1];
	struct frame stack[STACK_MAX];
	u32 frames;
	/* sums of ticks */
	u64 nidus[DEPTH_MAX + 1], guest[DEPTH_MAX + 1], for_nested, asleep, run, run_begun;
	u64 level_entries, level_bytes, local_erets, irqs, loads;
	u64 claims, flushes, bytes, host_sections;
};

/* Contexts: the guests below L1. Number 0 is L1 itself. */
struct context {
	u32 vm, depth;
	u64 vttbr;
	bool nv;
};

struct model;

/* Callbacks of a user of the model; any may be NULL. Times rise per vcpu. */
struct listener {
	void (*begin)(struct model *m, struct vcpu_model *v, u64 time, enum frame_kind kind,
		      u32 depth, const struct trace_record *r, u64 flow);
	void (*end)(struct model *m, struct vcpu_model *v, u64 time);
	void (*instant)(struct model *m, struct vcpu_model *v, const struct trace_record *r);
	/* every exit itself, by its depth */
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
