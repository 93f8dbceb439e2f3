/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's GICv3. nidus uses Group 1 interrupts with EOImode = 1: gicv3_eoi() drops the
 * priority, and the interrupt stays active, so that it cannot fire again, until it is deactivated:
 * by gicv3_deactivate(), or by a guest through a list register with the HW bit.
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

struct pcpu;

#define GICV3_SGI_KICK 0 /* what gicv3_kick() sends */

/*
 * Bring up the distributor: affinity routing, everything Group 1, SPIs disabled, level-sensitive
 * and at the default priority. Boot CPU, once, before any gicv3_cpu_init().
 */
void gicv3_init(const struct machine *m);
/*
 * Bring up the calling CPU's redistributor and CPU interface; SGIs enabled, PPIs disabled. Its
 * virtual interface is vgic_cpu_init()'s. Sets cpu->gicr. -ENOENT: no redistributor of the machine
 * has this CPU's affinity.
 */
int gicv3_cpu_init(struct pcpu *cpu) must_check;

/* Acknowledge (ICC_IAR1_EL1): an INTID, which is now active, or 1020 and above: none. */
u32 gicv3_ack(void);
/* Drop the priority of the interrupt acknowledged last. */
void gicv3_eoi(u32 intid);
/* Make an active interrupt inactive. SGI or PPI: the calling CPU's own. */
void gicv3_deactivate(u32 intid);

/*
 * For a PPI the next ones mean the calling CPU's own. INTIDs are below 1020; one that the machine
 * does not have is ignored by the hardware. Each is MMIO; none takes a lock but gicv3_set_edge().
 */
void gicv3_set_enable(u32 intid, bool on); /* off: returns when it can't fire any more */
void gicv3_set_edge(u32 intid, bool edge); /* only while disabled */
void gicv3_set_active(u32 intid, bool active);
void gicv3_set_pending(u32 intid, bool pending);
/* Pending: the latch, or the line of a level-sensitive one, also while it is active. */
bool gicv3_is_pending(u32 intid);
/* Route an SPI to the CPU with this MPIDR_EL1. */
void gicv3_route_spi(u32 intid, u64 mpidr);
/* Send GICV3_SGI_KICK to the CPU with this MPIDR_EL1: what was written before is seen there. */
void gicv3_kick(u64 mpidr);
