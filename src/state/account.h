/* SPDX-License-Identifier: Apache-2.0 */
/* Exit statistics: per vcpu and exit class the number of exits and the ticks spent in nidus. */
#pragma once

#include "lib/types.h"
#include "state/exit.h"

/* Where a level's classes begin. */
enum account_level { ACCOUNT_VM, ACCOUNT_NESTED = EXIT_CLASS_COUNT };

/*
 * Written by the CPU that runs the vcpu, read by anyone at any time: a table printed meanwhile may
 * be off by the exit in progress. Memory of zeroes is an empty account.
 */
struct account {
	/* Whose exit it was: a nested guest's is one of a vcpu with EL2 that is not at vEL2. */
	struct account_class {
		u64 count, ticks; /* CNTPCT ticks from exit to next entry */
		u64 not_min, max; /* ~min: so that 0 is more than any */
	} class[2 * EXIT_CLASS_COUNT];
	u64 run_ticks;    /* in the run loop until it ended last, guest and exits */
	u64 begun;        /* CNTPCT when it began; 0: not in the loop */
	u64 left;         /* when the exit began, if a fast path hands it to the run loop */
	enum account_level level; /* of the exit in progress */
	u64 switches;     /* times it was loaded */
	u64 level_entries;  /* level switches from vEL2 to vEL1, each of which has one back */
	u64 level_bytes;    /* of SIMD state moved because of them */
	u64 irq_injected; /* virtual interrupts put into list registers */
	/* What the VM itself is not told, as it was before its last reset. */
	struct {
		u64 exits[2 * EXIT_CLASS_COUNT], ticks[2 * EXIT_CLASS_COUNT], guest_ticks;
	} before;
};

/* Add one exit that took ticks until the next entry. On the CPU that runs the vcpu. */
static inline void account_exit(struct account *a, enum account_level level, enum exit_class class,
				u64 ticks)
{
	struct account_class *c = &a->class[(u32)level + (u32)class];
	u64 count = c->count + 1, sum = c->ticks + ticks, not_min = c->not_min, max = c->max;

	c->count = count;
	c->ticks = sum;
	/* New extremes become rare, so test before storing. */
	if (unlikely(~ticks > not_min || ticks > max)) {
		c->not_min = MAX(not_min, ~ticks);
		c->max = MAX(max, ticks);
	}
}

/* The run loop has begun, or has ended. On the CPU that runs the vcpu. */
static inline void account_begin(struct account *a, u64 now)
{
	a->begun = now;
}

static inline void account_end(struct account *a, u64 now)
{
	__atomic_store_n(&a->run_ticks, a->run_ticks + now - a->begun, __ATOMIC_RELAXED);
	__atomic_store_n(&a->begun, 0, __ATOMIC_RELEASE); /* who sees this sees the sum */
}

/* The VM is reset; the vcpu is in no run loop. The totals that nidus prints are kept. */
void account_reset(struct account *a);
/* perf's name of an enum exit_class. */
const char *account_class_name(u32 class);
/* Ticks of all exits, and those in the run loop that were not spent on exits. Any CPU. */
u64 account_exit_ticks(const struct account *a);
u64 account_guest_ticks(const struct account *a);
