/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of a VM's SMMU: its state, and what is decided without it. */
#pragma once

#include "arch/smmu.h"
#include "arch/spinlock.h"
#include "dev/smmu.h"
#include "state/config.h"
#include "state/mmio.h"

/* Stream IDs are requester IDs, of one bus; queues are of at most a page. */
#define VSMMU_SID_BITS 8
#define VSMMU_CMDS_LOG2 8
#define VSMMU_EVENTS_LOG2 7
/* What can be written of a queue's base register. */
#define VSMMU_QUEUE_BITS (SMMU_BASE_RA | MASK(51, 5) | MASK(4, 0))

/* A stream of the VM's. */
struct vsmmu_stream {
	u32 sid; /* what the VM calls it */
	struct smmu_stream *real;
	u32 bad;    /* events_lock: the event of an access, if it is refused, */
	u64 bad_at; /* and its address */
};

struct vsmmu {
	struct vm *vm;
	u32 idr0, idr5, oas_bits;
	struct spinlock
		lock; /* guards registers but for those below; taken before an SMMU's lock */
	u32 cr0, cr1, cr2, gbpa;
	u64 strtab, cmdq; /* the base registers */
	u32 strtab_cfg, cmdq_prod, cmdq_cons;
	u32 told;                    /* commands that are illegal: a line for the first one */
	bool stuck;                  /* the machine's SMMU does not answer: no command is done */
	struct spinlock events_lock; /* guards what follows; taken after an SMMU's lock */
	bool events_on;              /* CR0.EVENTQEN */
	u32 irqs, gerror, gerrorn;
	u64 eventq;
	u32 events_prod, events_cons;
	u32 count, smmus;
	struct vsmmu_stream stream[VM_PCI_MAX];
	struct smmu_stream *of_smmu[SMMU_MAX]; /* one of each SMMU */
};

/* What an entry of the VM's stream table asks for. */
struct vsmmu_entry {
	enum smmu_before before;
	u64 context, attr; /* of stage 1 */
	u32 bad;           /* refused: the event of an access, */
	u64 bad_at;        /* and its address */
};

/* A command, as far as it is done. */
enum vsmmu_op {
	VSMMU_ILLEGAL,
	VSMMU_NOTHING,
	VSMMU_STREAMS,
	VSMMU_CONTEXT,
	VSMMU_TLBI,
	VSMMU_SYNC
};
struct vsmmu_command {
	enum vsmmu_op op;
	u32 sid, sid_last; /* STREAMS, CONTEXT: these */
	u64 tlbi, asid, address;
};

/* Write the half of a base register that is at reg; of it these bits can be written. */
static inline void vsmmu_write_half(u64 *base, u32 reg, u32 value, u64 bits)
{
	u32 shift = reg % 8 * 8;

	*base = (*base & ~(0xffffffffUL << shift)) | (((u64)value << shift) & bits);
}

/* ---- vsmmu_decode.c: pure ---- */

/* An entry of the stream table, for an SMMU with stage 1 alone and this many address bits. */
struct vsmmu_entry vsmmu_decode_entry(const u64 ste[STE_WORDS], u32 oas_bits);
/* A command; ASIDs have 16 bits, or 8. */
struct vsmmu_command vsmmu_decode_command(const u64 word[2], bool asid16);
/*
 * The record that the VM gets for an event of the machine's SMMU about a stream that it calls sid,
 * whose accesses, if refused, are answered by `bad` at `at`. False: the event is nidus's.
 */
bool vsmmu_decode_event(u64 record[4], const u64 word[4], u32 sid, u32 bad, u64 at);

/* ---- vsmmu_command.c ---- */

/* Read the stream table again for the streams from sid on to last. Lock held. */
void vsmmu_read_streams(struct vsmmu *v, u32 sid, u32 last);
/* Whether commands are left that can be done. Lock held. */
bool vsmmu_has_commands(struct vsmmu *v);
/* Do a bounded number of them. Lock held. */
void vsmmu_run(struct vsmmu *v);

/* ---- vsmmu_event.c ---- */

smmu_event_fn vsmmu_event;
/* An error, as GERROR has them. */
void vsmmu_error(struct vsmmu *v, u32 error);
/* Whether it has been acknowledged. */
bool vsmmu_has_error(struct vsmmu *v, u32 error);
/* The registers that events_lock guards; false: it is none of them. */
bool vsmmu_event_read(struct vsmmu *v, u32 reg, u32 *value);
bool vsmmu_event_write(struct vsmmu *v, u32 reg, u32 value);
/* CR0.EVENTQEN. */
void vsmmu_event_enable(struct vsmmu *v, bool on);
