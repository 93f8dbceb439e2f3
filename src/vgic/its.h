/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's ITS: registers (its.c) and commands (its_cmd.c). What the VM keeps in its RAM for it is
 * never relied on: devices, collections and events are nidus's own, as many as were reserved when
 * the VM was built. Of the VM's memory only commands and bytes of the property table are read.
 */
#pragma once

#include "arch/its.h"
#include "arch/spinlock.h"
#include "state/mmio.h"
#include "state/vgic.h"
#include "state/vm.h"

struct its_device;

#define VITS_COLLECTIONS 32u /* more than there are vcpus */
#define VITS_CID_BITS 5u
#define VITS_NOBODY 0xffu
#define VITS_DEVICE_BITS 16u
/* Devices that are none, for software that makes messages with INT; each with so many events. */
#define VITS_SOFT 4u
#define VITS_SOFT_EVENTS 256u
#define VITS_DEVICES (VM_PCI_MAX + VITS_SOFT)
#define VITS_ITT_ENTRY 8u

/* An event: atomic. */
#define VITS_EVENT_VALID 0x80000000u
#define VITS_EVENT_LPI(v) ((u32)(u16)(v)) /* INTID - 8192 */

struct vits_device {
	u32 id;
	u32 first, count;        /* its events: event[first + 0..count) */
	u32 bits;                /* of EventIDs, as MAPD said; 0: not mapped */
	struct its_device *phys; /* NULL: a soft one */
};

struct vits {
	struct spinlock lock; /* guards what is not atomic */
	u32 ctlr;             /* atomic: GITS_CTLR.Enabled */
	u64 cbaser, baser[2];
	u32 cwriter, creadr;
	u32 progress; /* of INVALL: LPIs that are done */
	u32 told;     /* commands that were no good: a line for the first ones */
	u64 spent, since; /* atomic: CNTPCT ticks that messages have taken, and from when on */
	u64 propbaser;
	u32 devices;
	u8 collection[VITS_COLLECTIONS]; /* atomic: index of the vcpu, or VITS_NOBODY */
	struct vits_device device[VITS_DEVICES];
	u32 lpi[GIC_LPIS]; /* VLPI_*: lpi.h */
	struct vgic_lpis *pending;
	u32 order; /* of this memory */
	u32 event[];
};

/* The vcpu of a collection, or VITS_NOBODY. */
static inline u32 vits_target(const struct vits *its, u32 icid)
{
	return __atomic_load_n(&its->collection[icid % VITS_COLLECTIONS], __ATOMIC_ACQUIRE);
}

/* Event e of a device that sends it: *n is its LPI, less 8192. False: it has none. */
static inline bool vits_event(const struct vits *its, u32 slot, u32 e, u32 *n)
{
	u32 v = __atomic_load_n(&its->event[its->device[slot].first + e], __ATOMIC_ACQUIRE);

	*n = VITS_EVENT_LPI(v);
	return (v & VITS_EVENT_VALID) && __atomic_load_n(&its->ctlr, __ATOMIC_RELAXED);
}

mmio_fn vits_access;
/* Redistributors: EnableLPIs, and the base registers. Offsets as arch/gicv3.h. */
u64 vits_redist_read(const struct vcpu *target, u32 reg);
void vits_redist_write(struct vcpu *target, u32 reg, u64 v);
/* Whether it has work and may do it. Lock held. */
bool vits_has_commands(const struct vits *its);
/* Do a bounded number of commands. Lock held. */
void vits_run(struct vm *vm);
/* As after a reset. No input arrives: GITS_CTLR is 0. */
void vits_reset(struct vm *vm);
