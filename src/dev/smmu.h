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
#include "lib/types.h"
#include "mm/machine.h"
#include "mm/stage2.h"

struct smmu;

/* What a device's accesses are known by, and whose memory they reach. */
struct smmu_stream {
	struct smmu *smmu; /* NULL: none */
	u32 sid;
	const char *device; /* for messages, */
	const char *vm;     /* and the VM that has it */
	u32 faults;         /* since smmu_attach(), */
	bool quiet;         /* or until there were too many */
	u16 vmid;
	bool attached;
	struct smmu_stream *next; /* of this SMMU */
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
