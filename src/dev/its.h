/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's ITSs: messages of devices become LPIs of the CPUs. A device's events are LPIs that
 * follow one another, all enabled, from its_device_init() on; each arrival looks up whose it is.
 *
 * An ITS that does not answer is given up for good, with a line.
 */
#pragma once

#include "dev/timer.h"
#include "lib/types.h"
#include "mm/machine.h"

struct its;
struct pcpu;

/* A device that sends messages. Never freed: an LPI of its may arrive at any time. */
struct its_device {
	struct its *its; /* NULL: it can't send any */
	u32 id;          /* DeviceID */
	u32 events;      /* a power of two, from 2 on; 0: not mapped */
	u32 lpi;         /* INTID of event 0 */
	u64 itt;
	u32 itt_order;
	bool held, told; /* atomic: its LPIs are disabled, until: */
	struct timer again;
	/* Its user's: atomic; `to` NULL: its events are dropped. */
	void *to;
	u32 slot;
};

/*
 * Find the ITSs of the machine's tree and bring them up, with LPIs on this CPU; a line for each.
 * Each is tried with an INT command. Boot CPU, before interrupts of others are enabled.
 */
void its_init(const struct machine *m);
/* Let the calling CPU have LPIs too; nothing if there is no ITS. */
void its_cpu_init(struct pcpu *cpu);
/* The ITS at a node of the tree, if it is up; else NULL. */
struct its *its_at(int node);
/* PA of the first ITS that is up, 0: there is none. */
u64 its_base(void);
/* PA of the page with GITS_TRANSLATER. */
u64 its_doorbell(const struct its *s);
/* Largest number of events that a device of this ITS can have. */
u32 its_events_max(const struct its *s);

/*
 * Map the device: its, id and events are set. Its LPIs go to the boot CPU. Allocates. NULL, or why
 * not (for "expected a device with ..., found X").
 */
const char *its_device_init(struct its_device *d);
/* The opposite. Its LPIs are used again only if they were the last ones given out. */
void its_device_done(struct its_device *d);
/* The device whose LPI this is, or NULL: nobody's. */
struct its_device *its_lpi(u32 intid);
/*
 * Have the device's messages wait until then (CNTPCT), as there are more than can be handled: its
 * LPIs are disabled, and none is lost. A hint too. Any CPU to which they go, interrupts masked.
 */
void its_hold(struct its_device *d, u64 until);
/*
 * Have an event's LPI go to the CPU from now on: a hint, which is dropped if the command queue is
 * full. Any CPU.
 */
void its_route(struct its_device *d, u32 event, const struct pcpu *cpu);
