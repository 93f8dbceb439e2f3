/* SPDX-License-Identifier: Apache-2.0 */
/* nidus's own software timers, on CNTHP: per CPU a list by deadline. */
#pragma once

#include "arch/counter.h"
#include "lib/list.h"
#include "lib/types.h"

struct pcpu;

/* A software timer; on one CPU's list while armed. */
struct timer {
	struct list node;
	struct pcpu *cpu; /* whose list; NULL when not armed */
	u64 deadline;    /* CNTPCT */
	void (*fn)(struct timer *t); /* on that CPU, interrupts masked, timer lock not held */
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Arm (or re-arm) on this CPU. */
void timer_set(struct timer *t, u64 deadline);
/*
 * Arm it on this CPU for at or earlier (~0: do nothing). One that is armed here for an earlier time
 * stays so: it fires once without effect.
 */
void timer_set_by(struct timer *t, u64 at);
/* Disarm, wherever it is armed; its function may be running when this returns. */
void timer_cancel(struct timer *t);
/* CNTHP fired on this CPU: run what is due, program the next. */
void timer_interrupt(void);
