/* SPDX-License-Identifier: Apache-2.0 */
/* The input of viewers, whatever their format: slices, instants and counters, with names. */
#pragma once

#include "model.h"

/* Counters of a VM's vcpu, a value each millisecond in which it changes. */
enum counter { COUNTER_SWITCHES, COUNTER_EXITS, COUNTER_SIMD, COUNTERS };

struct slice {
	u64 ns;
	const char *name, *category;
	const struct trace_record *record; /* NULL: none */
	u64 flow;	     /* an arrow begins or, of a guest, ends here; 0: none */
	enum frame_kind kind;
};

struct viewer {
	void (*vm)(void *user, const struct trace *t, u32 vm, const char *name);
	void (*vcpu)(void *user, u32 vm, u32 vcpu, const char *name);
	void (*begin)(void *user, u32 vm, u32 vcpu, const struct slice *s);
	void (*end)(void *user, u32 vm, u32 vcpu, u64 ns);
	void (*instant)(void *user, u32 vm, u32 vcpu, const struct slice *s);
	void (*counter)(void *user, u32 vm, u32 vcpu, u64 ns, enum counter which, u64 value);
};

const char *counter_name(enum counter which);
const char *counter_unit(enum counter which);
/* Show the whole trace. */
void slices_show(struct trace *t, const struct viewer *viewer, void *user);
