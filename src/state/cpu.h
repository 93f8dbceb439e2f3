/* SPDX-License-Identifier: Apache-2.0 */
/* A physical CPU: the state that belongs to it alone. Reached through TPIDR_EL2. */
#pragma once

#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "dev/gicv3.h"
#include "dev/pcpu.h"
#include "dev/timer.h"
#include "lib/list.h"
#include "lib/types.h"
#include "state/simd.h"
#include "state/traps.h"

#define MAX_CPUS 32
#define CPU_NUMBER_NONE 63 /* not in the tree */

struct vcpu;

/*
 * IDLE_WAITS: in the WFI of sched.c, or in its interrupt. IDLE_OVER: that woke the loaded vcpu,
 * which is RUNNING now.
 */
enum idle { IDLE_NOT, IDLE_WAITS, IDLE_OVER };

struct stolen_time;

struct cpu {
	struct pcpu hw; /* first: TPIDR_EL2 is either's */
	u32 index;  /* of cpus[]: in the order in which they came up */
	/*
	 * the user's: the CPU's place among the enabled ones in /cpus of the tree, or
	 * CPU_NUMBER_NONE
	 */
	u32 number;
	bool online;
	bool refused; /* it lacks features of the boot CPU, and turns off */
	u8 idle; /* enum idle; only this CPU */

	/* Only this CPU touches these, with interrupts masked. */
	struct vcpu *loaded;  /* whose EL1, GIC and timer state is in the registers, or NULL */
	struct vcpu *current; /* the vcpu that the run loop is in, or NULL while idle */
	struct traps traps;   /* what the trap registers hold */
	struct simd_cpu simd; /* who owns the SIMD registers */
	u64 idle_ticks;

	/* Set by anyone, cleared by this CPU. */
	bool need_resched;

	struct spinlock rq_lock; /* guards the three below */
	struct list rq;          /* runnable vcpus that are not running, by vcpu->rq_node */
	u32 rq_len;

	struct timer slice;         /* armed while others wait for this CPU */
	struct trace_ring *trace;   /* state/trace.h; NULL: off */
	/* Where a hypervisor below tells what it takes of this CPU, NULL: nowhere; ns seen there */
	const struct stolen_time *stolen_from;
	u64 stolen_seen;
};

extern struct cpu cpus[MAX_CPUS];
extern u32 cpu_count; /* CPUs that are online; their indices are 0..cpu_count-1 */

#ifdef NIDUS_FAKE
struct cpu *cpu_this(void);
#else
/* The CPU that this runs on. */
static inline struct cpu *cpu_this(void)
{
	return (struct cpu *)sysreg_read(TPIDR_EL2);
}
#endif

/* Make another CPU leave its guest or its idle wait and check its flags: one SGI. No lock. */
#ifdef NIDUS_FAKE
void cpu_kick(struct cpu *cpu);
#else
static inline void cpu_kick(const struct cpu *cpu)
{
	gicv3_kick(cpu->hw.mpidr);
}
#endif
