/* SPDX-License-Identifier: Apache-2.0 */
/* A guest program's CPUs: what belongs to each, how the others are started, locks and delays. */
#pragma once

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "arch/spinlock.h"
#include "lib/types.h"

#define GUEST_CPUS_MAX 16
#define GUEST_STACK_SIZE 16384

struct trap;
struct frame;

struct gcpu {
	u64 stack_top; /* start.S knows the offsets of these two */
	u64 el0_sp;
	u32 index;
	u64 mpidr;
	u64 gicr;                    /* RD_base of its redistributor; 0 before gic_cpu_init() */
	struct trap *trap;           /* where the next synchronous exception goes, or NULL */
	struct frame *el0;           /* where an exception from EL0 goes, or NULL */
	void (*irq)(struct frame *); /* NULL: an interrupt is a failure */
	void (*fiq)(struct frame *);
	void (*fn)(u32 index);
	u32 state; /* atomic: enum gcpu_state */
};

enum gcpu_state { GCPU_OFF, GCPU_RUNNING, GCPU_DONE };

extern struct gcpu gcpus[GUEST_CPUS_MAX];

/* The CPU that this runs on. */
static inline struct gcpu *cpu_self(void)
{
	return (struct gcpu *)sysreg_read(TPIDR_EL1);
}

static inline u64 counter_virt(void)
{
	isb();
	return sysreg_read(CNTVCT_EL0);
}

static inline u64 counter_phys(void)
{
	isb();
	return sysreg_read(CNTPCT_EL0);
}

/*
 * By then, an event that must come has come, however slow and busy the host is: time is the host's.
 * A test that fails waits so long. Latency is tested only where time counts instructions
 * (--icount).
 */
#define PATIENCE_US 60000000UL

/* Counter ticks of n microseconds. */
static inline u64 ticks_us(u64 n)
{
	return sysreg_read(CNTFRQ_EL0) / 1000 * n / 1000;
}

/* Poll the counter for n microseconds. */
void delay_us(u64 n);

static inline void irq_enable(void)
{
	asm volatile("msr daifclr, #3" ::: "memory");
}

static inline void irq_disable(void)
{
	asm volatile("msr daifset, #3" ::: "memory");
}

/*
 * Start CPU index with fn(index); it turns itself off (PSCI CPU_OFF) when fn returns, and can be
 * started again. Returns PSCI's answer.
 */
s64 smp_start(u32 index, void (*fn)(u32 index));
/*
 * Wait until a started CPU's fn has returned and PSCI reports that it is off; false after
 * timeout_us.
 */
bool smp_join(u32 index, u64 timeout_us);
/*
 * Run fn on all CPUs, this one included, and wait for all. False if one did not start or end in
 * time.
 */
bool smp_run_all(void (*fn)(u32 index), u64 timeout_us);
