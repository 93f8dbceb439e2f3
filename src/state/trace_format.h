/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace in memory, as nidus writes it and host programs (trace/) read it: little-endian, fixed
 * sizes. An area begins with a page, struct trace_area; then one ring per CPU, trace_stride()
 * apart: struct trace_ring, and its records right behind. docs/tracing.md tells what events mean.
 */
#pragma once

#include "lib/types.h"

#define TRACE_MAGIC 0x54534644494e0001UL /* in memory: 01 00 "NIDFST" */
#define TRACE_AREA_SIZE 4096
#define TRACE_VMS 16
#define TRACE_CPUS 32

/*
 * time: CNTPCT_EL0. what: event, how and whose it is in TRACE_*; an exit has its ticks above
 * those. detail, data: by event.
 */
struct trace_record {
	u64 time, what, detail, data;
};

#define TRACE_EVENT(what) ((u32)((what) & 0xff))
#define TRACE_HOW(what) ((u32)((what) >> 8 & 0xff))
#define TRACE_VM(what) ((u32)((what) >> 20 & 15)) /* index of trace_area.vm[] */
#define TRACE_VCPU(what) ((u32)((what) >> 16 & 15))
#define TRACE_TICKS(what) ((what) >> TRACE_TICKS_SHIFT)
#define TRACE_HOW_SHIFT 8
#define TRACE_ID_SHIFT 16
#define TRACE_TICKS_SHIFT 24

/*
 * Events below are exits: the index of struct account's class[] (enum account_level plus enum
 * exit_class). time is when the guest was left. detail: the syndrome, of an interrupt its INTID (or
 * 1023: not one of a fast path). data: PC where the guest was left; of an abort its IPA; of an ERET
 * to vEL1 vEL2's VTTBR_EL2. how: the verdict and these.
 */
#define TRACE_EXITS 64
#define TRACE_VERDICT 0x0f
#define TRACE_NESTED 0x10 /* the guest was entered, or was to be, at the level below vEL2 */
#define TRACE_NV 0x20     /* with vEL2's HCR_EL2.NV: at vEL1's own virtual EL2 */
#define TRACE_FAST 0x40 /* on a fast path: a switch of the level has no event of its own */

/*
 * X(id, name). RUN: the run loop enters a vcpu (data: PC; how as above). END: it has ended; how:
 * enum run_result; detail: ERETs within vEL2 so far; data: bytes of SIMD moved by level switches so
 * far. LEVEL: vEL2 enters vEL1 (data: VTTBR_EL2). TAKE: an exception to vEL2 (how: its vector's
 * offset in 0x80; detail: syndrome; data: PC that it returns to), TRACE_TAKE_NESTED: from vEL1.
 * INJECT: one to EL1, or to vEL2 from itself (detail: syndrome; data: PC). IRQ: into a list
 * register (detail: its value). IRQ_END: out of one. SHADOW: a stage-2 fault of vEL1 (how: enum
 * shadow_verdict; detail: what was mapped; data: vEL1's IPA). TLBI: one of vEL1's translations
 * (detail: encoding; data: operand). CLAIM, FLUSH: bytes of SIMD in detail. HOST: nidus uses SIMD.
 * LOAD, PUT: on this CPU. WAKE: made runnable, by this CPU. START, STOP, RESET: the VM.
 */
#define TRACE_EVENTS(X)                                                                            \
	X(RUN, "run")                                                                              \
	X(END, "end")                                                                              \
	X(LEVEL, "level")                                                                          \
	X(TAKE, "take")                                                                            \
	X(INJECT, "inject")                                                                        \
	X(IRQ, "irq")                                                                              \
	X(IRQ_END, "irq_end")                                                                      \
	X(SHADOW, "shadow")                                                                        \
	X(TLBI, "tlbi")                                                                            \
	X(CLAIM, "claim")                                                                          \
	X(FLUSH, "flush")                                                                          \
	X(HOST, "host")                                                                            \
	X(LOAD, "load")                                                                            \
	X(PUT, "put")                                                                              \
	X(WAKE, "wake")                                                                            \
	X(START, "start")                                                                          \
	X(STOP, "stop")                                                                            \
	X(RESET, "reset")

enum trace_event {
	TRACE_BEFORE_EVENTS = TRACE_EXITS - 1,
#define X(id, name) TRACE_##id,
	TRACE_EVENTS(X)
#undef X
	TRACE_EVENT_END
};

#define TRACE_TAKE_NESTED 0x80

/* head: bytes written ever; the record at byte n is at n & mask. */
struct trace_ring {
	u64 head, mask;
	u64 pad[6];
	struct trace_record record[];
};

/*
 * What a reader leaves alone of a full ring: the record that is being written, and what the CPU's
 * memory order may show of those after it.
 */
#define TRACE_MARGIN 64

struct trace_vm {
	char name[24];
	u32 vcpus;
	u32 nested; /* it has EL2 */
};

struct trace_area {
	u64 magic;
	u32 record_size, cpus;
	u64 ring_bytes; /* of records, of each ring */
	u64 hz;         /* of time */
	u64 boot;       /* time of nidus's first instructions */
	struct trace_vm vm[TRACE_VMS];
};

/*
 * The sum at the end of a line of a dump (vm/trace_print.h), of the line's numbers without the CPU:
 * a UART may lose characters.
 */
static inline u32 trace_line_sum(const u64 *number, u32 count)
{
	u64 sum = count;

	for (u32 i = 0; i < count; i++)
		sum = (sum << 5 | sum >> 59) ^ number[i];
	return (u32)((sum ^ sum >> 16 ^ sum >> 32 ^ sum >> 48) & 0xffff);
}

static inline u64 trace_stride(u64 ring_bytes)
{
	return ring_bytes + TRACE_AREA_SIZE;
}

static inline struct trace_ring *trace_ring_of(struct trace_area *area, u64 ring_bytes, u32 cpu)
{
	return (struct trace_ring *)((char *)area + TRACE_AREA_SIZE +
				     cpu * trace_stride(ring_bytes));
}
