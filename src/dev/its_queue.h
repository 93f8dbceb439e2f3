/* SPDX-License-Identifier: Apache-2.0 */
/* An ITS as its driver knows it, and its command queue. */
#pragma once

#include "arch/its.h"
#include "arch/spinlock.h"
#include "dev/its.h"

#define ITS_QUEUE_ORDER 4 /* 64 KiB, which is how CBASER is aligned as well */
#define ITS_QUEUE_BYTES (PAGE_SIZE << ITS_QUEUE_ORDER)

struct its {
	u64 regs;
	int node;
	bool ready, stuck;
	bool clean_queue, clean_tables; /* it does not see the CPUs' caches */
	bool pta;                       /* redistributors are known by address */
	bool indirect;                  /* the device table has two levels */
	u32 device_bits, event_bits, itt_entry;
	u32 table_page, table_entry; /* of the device table, in bytes */
	u64 *devices;                /* its first (or only) level */
	u64 *queue;
	u32 at; /* where the next command goes, in bytes */
	struct spinlock lock; /* guards the queue and devices[] */
};

u64 its_read(const struct its *s, u32 reg);
void its_write(const struct its *s, u32 reg, u64 v);
/* Make what was written at p visible to a reader that does not see caches, if clean says so. */
void its_publish(const void *p, u64 size, bool clean);
/* The ITS is of no use any more: a line, once. */
void its_give_up(struct its *s, const char *why);
/*
 * Add a command. Waits a tenth of a second at most for room, then gives the ITS up. False: it is.
 * Lock held.
 */
bool its_command(struct its *s, u64 w0, u64 w1, u64 w2);
/* The same if there is room, without a wait; false: it was dropped. */
bool its_command_maybe(struct its *s, u64 w0, u64 w1, u64 w2);
/* Wait until all commands are done, their effects at the redistributor of `target` included. */
bool its_sync(struct its *s, u64 target);
