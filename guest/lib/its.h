/* SPDX-License-Identifier: Apache-2.0 */
/* A driver of an ITS for guest programs. */
#pragma once

#include "arch/its.h"
#include "lib/types.h"

#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78
#define LPI_NORMAL (0xa0u | LPI_ENABLE) /* what its_init() puts into the property table */

/* A byte for each LPI from 8192 on, which the GIC reads. */
extern u8 its_property[GIC_LPIS];

/* Tables and queue in place, the ITS on; LPIs on at this CPU, which has collection 0. */
void its_init(void);
/* LPIs on at this CPU, and the collection of its number. After gic_cpu_init(). */
void its_cpu_init(void);
/* Add a command; done when this returns. False: the ITS does not take it. */
bool its_command(u64 w0, u64 w1, u64 w2, u64 w3);
/* What stands for a CPU in commands. */
u64 its_target(u32 cpu);

/* Commands by their names; each expects the ITS to take it. */
void its_mapd(u32 device, u32 bits);
void its_mapti(u32 device, u32 event, u32 lpi, u32 collection);
void its_event(u32 command, u32 device, u32 event);
void its_movi(u32 device, u32 event, u32 collection);
void its_invall(u32 collection);
