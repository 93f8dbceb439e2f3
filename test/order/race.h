/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has seen what of whom, and accesses that are ordered by nothing. The files of src/ are
 * compiled with -fsanitize=thread, whose calls for each access to memory race.c answers itself.
 */
#pragma once

#include "order.h"

/* For each CPU how many of its releases have been seen. */
struct clock {
	u16 of[CPUS];
};

/* What may be shared: only there accesses are checked. Before any run. */
void race_watch(const char *name, const void *at, u64 size);
/* A run begins: from here on accesses are checked; it is over. */
void race_begin(void);
void race_end(void);

/* CPU me is about to store by an operation of this order: what whoever sees the store sees. */
struct clock race_release(int order);
/* ... and then by a read-modify-write of what is at `at`, which is the last link of a chain. */
struct clock race_release_after(const void *at, int order);
/* The store is seen. */
void race_stored(const void *at, struct clock clock);
/* CPU me has loaded what is at `at`. */
void race_acquire(const void *at, int order);
void race_fence(int order);
/* An atomic access of CPU me. */
void race_atomic(const void *at, u32 size, bool write, const void *pc);
/* order.c: the run is over, with this problem. */
noreturn void order_fail(const char *what);
/* What is at `at`, by the names given to race_watch(); NULL: unknown. */
const char *race_name(const void *at);
