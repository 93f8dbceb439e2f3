/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's SMMUv3s. Every stream aborts, from smmu_block() on, but for those of devices that
 * a running VM has: these are translated by that VM's own stage 2, with its VMID. What the CPUs'
 * TLBIs do is never relied on: whatever a VM's tables lose is invalidated by commands as well.
 *
 * An SMMU that does not answer is given up for good (with a line): from then on smmu_detach()
 * fails, and memory that a device had is not to be used again.
 */
#pragma once

#include "arch/spinlock.h"
#include "dev/timer.h"
#include "lib/types.h"
#include "mm/machine.h"
#include "mm/stage2.h"

struct smmu;
struct smmu_stream;

/* What stands before stage 2 for a stream: what its VM wants of an SMMU that it sees. */
enum smmu_before {
	SMMU_NOTHING,
	SMMU_STAGE1,  /* tables of the VM's own: its addresses, and so checked by stage 2, */
	SMMU_ABORTS,  /* nothing passes, */
	SMMU_REFUSES, /* and each access makes an event */
};

/*
 * Gets the events of a stream, under the lock of its SMMU; false: it is nidus's. What it locks is
 * never held by who calls this file's functions.
 */
typedef bool smmu_event_fn(struct smmu_stream *stream, const u64 word[4]);

/* What a device's accesses are known by, and whose memory they reach. */
struct smmu_stream {
	struct smmu *smmu; /* NULL: none */
	u32 sid;
	const char *device; /* for messages, */
	const char *vm;     /* and the VM that has it */
	u32 faults;         /* since smmu_attach(), */
	bool quiet;         /* or until there were too many; */
	bool shut;          /* these went on: it aborts */
	u16 vmid;
	bool attached;
	struct smmu_stream *next; /* of this SMMU */
	u64 vtcr, vttbr;          /* while attached: stage 2, */
	u32 before;               /* enum smmu_before, */
	u64 context, attr;        /* and of stage 1 words 0 and 1 of the entry */
	smmu_event_fn *events;    /* NULL: none are the VM's. After smmu_attach() */
	void *owner;              /* whose they are */
	u64 since;                /* CNTPCT, from when on */
	u32 recent;               /* events of its have come; */
	bool paused;              /* too many: it aborts until */
	struct timer resume;
};

/*
 * Find the SMMUs of the machine's tree and make them abort all accesses. Boot CPU, as soon as nidus
 * has its own map.
 */
void smmu_block(const struct machine *m);
/*
 * Bring them up, all streams aborting. One that nidus can't use stays as it is, with a line that
 * says why. Boot CPU, after the page allocator and the GIC.
 */
void smmu_init(void);
/* The SMMU at a node of the tree, if it is up; else NULL. */
struct smmu *smmu_at(int node);
/* Its SPIs, of which the first *count are set. intid and edge: room for SMMU_IRQS. */
#define SMMU_MAX 4
#define SMMU_IRQS (2 * SMMU_MAX)
u32 smmu_irqs(u32 *intid, bool *edge);
/* Handler of those interrupts: at most 64 events. */
void smmu_interrupt(u32 intid);

/*
 * Make stream ready to be attached; smmu, sid and device are set. Allocates. NULL, or why not (for
 * "expected a device with ..., found X").
 */
const char *smmu_stream_init(struct smmu_stream *stream);
/* The opposite, of a stream that is not attached; nothing if it is, or has no SMMU. */
void smmu_stream_done(struct smmu_stream *stream);
/* NULL, or why devices of this SMMU can't use these tables. */
const char *smmu_stage2_check(const struct smmu *s, const struct stage2 *s2);
/*
 * From now on the stream is translated by s2, for the VM of that name; false: the SMMU does not
 * answer. s2->devices is set. Any CPU.
 */
bool smmu_attach(struct smmu_stream *stream, struct stage2 *s2, const char *vm) must_check;
/*
 * The stream aborts; when this returns true, no access of it is under way, and nothing of the VMID
 * is left in the SMMU's TLBs. False: nobody knows. Any CPU. Idempotent.
 */
bool smmu_detach(struct smmu_stream *stream) must_check;

/* A stream table entry for stage 2 with these register values; record: faults make events. */
void smmu_ste_stage2(u64 ste[8], u64 vtcr, u64 vttbr, bool record);

/* ---- stage 1, of SMMUs that VMs see: smmu_stage1.c ---- */

/* NULL, or why streams of this SMMU can't have a VM's stage 1 before nidus's stage 2. */
const char *smmu_stage1_check(const struct smmu *s);
/* Its identification registers, for what depends on the SMMU that walks the VM's tables. */
u32 smmu_idr0(const struct smmu *s);
u32 smmu_idr5(const struct smmu *s);
/* Where the machine has it, and its interrupts for events and errors (0: none). */
u64 smmu_base(const struct smmu *s);
u32 smmu_intid(const struct smmu *s, u32 i);
/* From now on the events of an attached stream are somebody's, until smmu_detach(). */
void smmu_take_events_of(struct smmu_stream *stream, smmu_event_fn *events, void *owner);
/*
 * Change what stands before stage 2 of an attached stream; context and attr are words 0 and 1 of a
 * stream table entry of the VM's, of which only what is harmless counts. The SMMU knows nothing any
 * more of what was before, nor of the context descriptor. False: it does not answer.
 */
bool smmu_set_before(struct smmu_stream *stream, enum smmu_before before, u64 context,
		     u64 attr) must_check;
/*
 * Queue, for the VM of an attached stream: a TLBI of stage 1 (SMMU_CMD_TLBI_NH_*), with the VMID of
 * the VM, an ASID of its own, and an address with its Leaf bit; that the context descriptor of the
 * stream has changed; a wait until all of this is done. False: the SMMU does not answer.
 */
void smmu_stage1_tlbi(struct smmu_stream *stream, u64 op, u64 asid, u64 address);
void smmu_stage1_changed(struct smmu_stream *stream);
bool smmu_stage1_sync(struct smmu_stream *stream) must_check;
