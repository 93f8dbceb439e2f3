/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of the lock-free words of src/ on a machine that lets stores pass. Included ahead of
 * everything: each __atomic builtin and read_once() is an operation of the model machine below, and
 * what is written in no other way than by them is what the test is about.
 *
 * A CPU has a store buffer. A store may be *late*: it stays there, past what the CPU does next,
 * until a fence or a wait; other stores may pass it, but not to the same place, and not if they
 * release. The CPU itself sees it. A sequentially consistent load waits for stores of that kind.
 * The store of a read-modify-write may be late as well, as Arm's LDADDAL is no barrier between what
 * stands before and after it; it is seen at the latest when another CPU looks at the word. Loads
 * are never early.
 *
 * explore() runs a scenario in every way there is with so many switches of the CPU that acts where
 * it could go on, and so many late stores; whenever a CPU waits all others have their turn.
 */
#pragma once

#include "lib/types.h"

u64 order_load(const void *at, u32 size, int order);
void order_store(void *at, u32 size, u64 v, int order);
/* Atomic: what is at `at` becomes (it & and) | or. Returns what it was. */
u64 order_modify(void *at, u32 size, u64 and, u64 or, int order);
bool order_cas(void *at, u32 size, void *expected, u64 v, int order);
void order_fence(int order);
void order_relax(void);

/* Its value need not be used. */
#define ORDER_MODIFY(p, and, or, order)                                                            \
	({                                                                                         \
		__typeof__(*(p)) was_ = (__typeof__(*(p)))order_modify(                            \
			p, sizeof(*(p)), (u64)(and), (u64)(or), order);                            \
		was_;                                                                              \
	})

#undef read_once
#define read_once(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define __atomic_load_n(p, order) ((__typeof__(*(p)))order_load(p, sizeof(*(p)), order))
#define __atomic_store_n(p, v, order) order_store(p, sizeof(*(p)), (u64)(v), order)
#define __atomic_exchange_n(p, v, order) ORDER_MODIFY(p, 0, v, order)
#define __atomic_fetch_or(p, v, order) ORDER_MODIFY(p, ~0UL, v, order)
#define __atomic_fetch_and(p, v, order) ORDER_MODIFY(p, v, 0, order)
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
		void); /* all wait or have ended: what is not as it should be, or NULL */
};

/* Runs it all; false and the shortest way to what is wrong, if anything is. */
bool explore(const struct scenario *s);
/* Which CPU acts. */
extern u32 me;
/* The CPU that acts waits until this is true; its stores are seen. */
void wait_until(bool (*condition)(void));
/* For what is told of a run: the word at `at`. */
const char *order_name(const void *at);
