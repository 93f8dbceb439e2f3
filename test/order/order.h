/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the lock-free code of src/ on a machine with store buffers. Included before everything else:
 * each __atomic builtin and read_once() is an operation of the model machine below; words that are
 * written in no other way are what the test is about.
 *
 * A CPU has a store buffer. A store may be *late*: it stays there while the CPU executes later
 * operations, until a fence or a wait; other stores may overtake it, but not to the same word, and
 * not if they are releases. The CPU itself sees it. A sequentially consistent load waits for
 * sequentially consistent stores. The store of a read-modify-write may be late as well, because
 * Arm's LDADDAL is no barrier between what precedes and what follows it; it becomes visible at the
 * latest when another CPU reads the word. Loads are never early.
 *
 * explore() runs a scenario in every possible interleaving with at most so many switches away from
 * a CPU that could continue, and so many late stores; when a CPU waits, all others may take over.
 */
#pragma once

#include "lib/types.h"

u64 order_load(const void *at, u32 size, int order);
void order_store(void *at, u32 size, u64 v, int order);
/* Atomic: what is at `at` becomes ((it & and) | or) + add. Returns what it was. */
u64 order_modify(void *at, u32 size, u64 and, u64 or, u64 add, int order);
bool order_cas(void *at, u32 size, void *expected, u64 v, int order);
void order_fence(int order);
void order_relax(void);
/* Another CPU may act here, where nothing is done that it could see. */
void order_turn(void);

/* The result need not be used. */
#define ORDER_MODIFY(p, and, or, add, order)                                                       \
	({                                                                                         \
		__typeof__(*(p)) was_ = (__typeof__(*(p)))order_modify(                            \
			p, sizeof(*(p)), (u64)(and), (u64)(or), (u64)(add), order);                \
		was_;                                                                              \
	})

#undef read_once
#define read_once(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define __atomic_load_n(p, order) ((__typeof__(*(p)))order_load(p, sizeof(*(p)), order))
#define __atomic_store_n(p, v, order) order_store(p, sizeof(*(p)), (u64)(v), order)
#define __atomic_exchange_n(p, v, order) ORDER_MODIFY(p, 0, v, 0, order)
#define __atomic_fetch_or(p, v, order) ORDER_MODIFY(p, ~0UL, v, 0, order)
#define __atomic_fetch_and(p, v, order) ORDER_MODIFY(p, v, 0, 0, order)
#define __atomic_fetch_add(p, v, order) ORDER_MODIFY(p, ~0UL, 0, v, order)
#define __atomic_sub_fetch(p, v, order) (ORDER_MODIFY(p, ~0UL, 0, -(u64)(v), order) - (v))
#define __atomic_compare_exchange_n(p, expected, v, weak, order, failed)                           \
	order_cas(p, sizeof(*(p)), expected, (u64)(v), order)
#define __atomic_thread_fence(order) order_fence(order)

/* ---- scenarios ---- */

#define CPUS 3

struct scenario {
	const char *name;
	u32 cpus;
	u32 switches, late;  /* at most */
	void (*setup)(void); /* before anything runs */
	void (*cpu[CPUS])(void);
	const char *(*wrong)(
		void); /* all CPUs wait or have ended: returns what is wrong, or NULL */
};

/* Run all interleavings; false, with the shortest trace to what is wrong, if anything is. */
bool explore(const struct scenario *s);
/* The CPU that acts. */
extern u32 me;
/* The CPU that acts waits until this is true; its stores become visible. */
void wait_until(bool (*condition)(void));
/* Name the word at `at` in traces. */
const char *order_name(const void *at);
