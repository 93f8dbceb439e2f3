/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spin lock for short sections. nidus runs with interrupts masked wherever it takes one, so a
 * lock is never taken twice on a CPU. Waiters use WFE: it saves power on a CPU, and it hands the
 * turn to the next vCPU on an emulator that runs them one after the other.
 */
#pragma once

#include "arch/barrier.h"
#include "lib/types.h"

struct spinlock {
	u32 held;
};

static inline void spin_lock(struct spinlock *l)
{
	while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&l->held, __ATOMIC_RELAXED))
			cpu_relax();
}

/* Take the lock if it is free; true if taken. */
static inline bool spin_trylock(struct spinlock *l)
{
	return !__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE);
}

static inline void spin_unlock(struct spinlock *l)
{
	__atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}
