/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the SMMU driver: its state, commands, events. */
#pragma once

#include "arch/mmio_access.h"
#include "arch/smmu.h"
#include "dev/smmu.h"
#include "mm/addr.h"

/* Each queue is a page. */
#define SMMU_CMDS_LOG2 8
#define SMMU_EVENTS_LOG2 7

struct smmu {
	struct spinlock lock; /* guards queues, stream table, streams */
	u64 regs;             /* PA of the register pages; 0: none */
	int node;
	bool ready;
	bool stuck; /* given up */
	bool two_level;
	bool vmid16;
	bool stalls;  /* faults would stall if a context descriptor says so */
	u32 sid_bits; /* streams in the table: below 1 << this */
	u32 oas_bits;
	u64 *strtab;
	u64 aborting; /* PA of a level-2 table of entries that abort, for all that have no own */
	u64 *cmdq, *eventq;
	u32 prod, cons; /* of commands and of events, with the wrap bit */
	u32 strays;     /* events of streams that no VM has */
	u32 intid[2];   /* events, errors; 0: none */
	bool edge[2];
	struct smmu_stream *streams;
};

static inline u32 smmu_read(const struct smmu *s, u32 reg)
{
	return mmio_read32(pa_ptr(pa(s->regs + reg)));
}

static inline void smmu_write(const struct smmu *s, u32 reg, u64 v)
{
	mmio_write32(pa_ptr(pa(s->regs + reg)), (u32)v);
}

static inline void smmu_write64(const struct smmu *s, u32 reg, u64 v)
{
	mmio_write64(pa_ptr(pa(s->regs + reg)), v);
}

/* Poll until the register's bits of mask are value; false after 100 ms. */
bool smmu_wait(const struct smmu *s, u32 reg, u64 mask, u64 value) must_check;
/* Give the SMMU up: what stands in a line. Lock held or boot CPU. */
void smmu_give_up(struct smmu *s, const char *why);
/* Queue a command; nothing if the SMMU is given up. Lock held. */
void smmu_command(struct smmu *s, u64 word0, u64 word1);
/* Wait until all commands are complete; false: the SMMU is given up. Lock held. */
bool smmu_sync(struct smmu *s) must_check;
/* Handle events, 64 at most. */
void smmu_take_events(struct smmu *s);
/* The stream's entry says no more about faults; called again: the stream aborts. Lock held. */
void smmu_quiet(struct smmu *s, struct smmu_stream *stream);
/*
 * Write the entry of an attached stream anew, by what the stream says; nothing else of the SMMU's
 * TLBs. False: the SMMU does not answer. Lock held.
 */
bool smmu_put_entry(struct smmu *s, struct smmu_stream *stream) must_check;
/* An event of the stream went to its VM: of too many at once the rest has to wait. Lock held. */
void smmu_stage1_count(struct smmu *s, struct smmu_stream *stream);
/* Not attached: none of stage 1's, and no pause. Lock held. */
void smmu_stage1_reset(struct smmu_stream *stream);
