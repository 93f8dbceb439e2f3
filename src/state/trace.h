/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace: one ring of records per CPU, which that CPU alone writes and anybody may read. Nobody
 * waits: what is not read in time is overwritten. Off (no nidus.trace on nidus's command line),
 * each place costs a load and a branch.
 */
#pragma once

#include "lib/types.h"
#include "state/cpu.h"
#include "state/trace_format.h"
#include "state/vcpu.h"

struct machine;
struct vm;

/* What readers on this machine begin with; NULL: off. */
extern struct trace_area *trace_area;

/*
 * Take mib MiB for records, and one more, from the top of RAM off what anybody else is given
 * (m->rsv), and begin. False: there is no room, or none for a ring per CPU. Boot CPU, before the
 * page allocator is filled and other CPUs run.
 */
bool trace_begin(struct machine *m, u64 mib, u64 boot) must_check;
/* Have this CPU, which comes up, write. */
void trace_cpu(struct cpu *cpu);
/* Name a VM and its vcpus in the trace. Before they run. */
void trace_vm(struct vm *vm);

/*
 * Write a record: what says event, how, whose and for how long. Its own CPU, interrupts masked.
 */
static inline __attribute__((always_inline)) void trace_put(struct trace_ring *ring, u64 time,
							    u64 what, u64 detail, u64 data)
{
	u64 head = ring->head;
	struct trace_ring *at = (void *)((char *)ring + (head & ring->mask));

	at->record[0] = (struct trace_record){ time, what, detail, data };
	__atomic_store_n(&ring->head, head + sizeof(at->record[0]), __ATOMIC_RELEASE);
}

/* Write the exit that account_exit() has. Its own CPU, interrupts masked. */
static inline __attribute__((always_inline)) void
trace_exit(const struct vcpu *vcpu, enum account_level level, enum exit_class class, u32 how,
	   u64 left, u64 ticks, u64 detail, u64 data)
{
	u64 event = how << TRACE_HOW_SHIFT | ((u32)level + (u32)class);
	/* As these are disjoint, one addition; and one MOVK, as the low half of the sum is 0. */
	u64 what = vcpu->trace_id + (ticks << TRACE_TICKS_SHIFT);

	trace_put(vcpu->trace, left, (what & ~0xffffUL) | event, detail, data);
}

/* Whether an event of this vcpu, which is loaded here, is wanted. */
static inline __attribute__((always_inline)) bool trace_on(const struct vcpu *vcpu)
{
	return unlikely(vcpu->trace != NULL);
}

/* Have the events of a vcpu, which is loaded here, go to its CPU's ring. */
static inline void trace_load(struct vcpu *vcpu, const struct cpu *cpu)
{
	vcpu->trace = cpu->trace;
	vcpu->traced = cpu->trace;
}

/* How a record says that vEL1 is entered; and whether it is. */
static inline u32 trace_nested(const struct vcpu *vcpu)
{
	return TRACE_NESTED | (vcpu->vel1_vncr ? TRACE_NV : 0);
}

static inline u32 trace_level(const struct vcpu *vcpu)
{
	return vcpu_in_vel1(vcpu) ? trace_nested(vcpu) : 0;
}

/* Write an event of a vcpu for which trace_on(); of now, or of a time that was read already. */
void trace_add_at(const struct vcpu *vcpu, u64 time, enum trace_event event, u32 how, u64 detail,
		  u64 data);
void trace_add(const struct vcpu *vcpu, enum trace_event event, u32 how, u64 detail, u64 data);

static inline __attribute__((always_inline)) void
trace_event(const struct vcpu *vcpu, enum trace_event event, u32 how, u64 detail, u64 data)
{
	if (trace_on(vcpu))
		trace_add(vcpu, event, how, detail, data);
}

/*
 * Write an event of a vcpu that may be loaded anywhere, or nowhere; or of a VM, that of its vcpu 0.
 * Any interrupt mask: an interrupt's own record between the parts of another would be lost.
 */
void trace_add_here(const struct vcpu *vcpu, enum trace_event event, u64 detail);

static inline void trace_elsewhere(const struct vcpu *vcpu, enum trace_event event, u64 detail)
{
	if (unlikely(cpu_this()->trace != NULL))
		trace_add_here(vcpu, event, detail);
}
