/* SPDX-License-Identifier: Apache-2.0 */
/* A driver for the SMMUv3 that the device tree names: one stream, edu's (lib/edu.h), polled. */
#pragma once

#include "arch/smmu.h"
#include "lib/dt.h"
#include "lib/gic.h"

#define SID_BITS 8
#define CMDS_LOG2 8
#define EVENTS_LOG2 7
#define EVENTS (1u << EVENTS_LOG2)
#define IOVA 0x123456000UL   /* where stage 1 has pages, */
#define IOVA_MSI 0x8000000UL /* and the doorbell */
#define ASID 7UL

extern u64 smmu_strtab[STE_WORDS << SID_BITS], smmu_cmdq[2 << CMDS_LOG2];
extern u64 smmu_eventq[4 << EVENTS_LOG2], smmu_cd[8], smmu_table[3][512], smmu_table_msi[2][512];
extern u32 smmu_prod, smmu_cons; /* of commands, of events */

static inline u32 smmu_get(u32 reg)
{
	return read32(dt.smmu + reg);
}

static inline void smmu_put(u32 reg, u32 v)
{
	write32(dt.smmu + reg, v);
}

/* Put a command into the queue; tell the SMMU of all of them: false, it stopped at one. */
void smmu_add_command(u64 w0, u64 w1);
bool smmu_send(void);
/* Whether the queue comes to its end within a while. */
bool smmu_drained(void);
/* A command and a SYNC; both must be taken. */
void smmu_command(u64 w0, u64 w1);
void smmu_turn_off(void);
/* On, with empty queues, interrupts, and the stream table as it is. */
void smmu_turn_on(void);
/* The stream's entry. */
void smmu_set_entry(u64 w0, u64 w1);
/* Stage 1 of 39 bits with our table: V, AA64, R, A; no TTB1. */
void smmu_make_context(u64 ttb);
/* The stream has stage 1, with no page. */
void smmu_stage1(void);
/* Page i of the IOVAs; with the TLBs still as they were. */
void smmu_map(u32 i, u64 ipa, u64 bits);
void smmu_invalidate(u32 i);
/* The next record, four words; false: there is none. */
bool smmu_next_event(u64 *word);
u32 smmu_drop_events(void);
