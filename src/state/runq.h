/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which vcpu runs on which CPU: round robin per CPU, a time slice when others wait; an idle CPU
 * takes waiting vcpus from others.
 *
 *          CPU_ON                 picked              WFI
 *   OFF ----------> RUNNABLE <-----------> RUNNING ---------> SLEEPING
 *    ^              (on a run queue)  preempted |               | vcpu_kick()
 *    +----------------- CPU_OFF ----------------+               v
 *                              VM stops: DEAD               RUNNABLE
 */
#pragma once

#include "lib/types.h"

struct cpu;
struct vcpu;

/* Once per CPU, before sched_loop(). */
void sched_cpu_init(struct cpu *cpu);
/*
 * Make a vcpu runnable that only this CPU refers to (STARTING, or just taken out of SLEEPING).
 * Takes a run queue's lock.
 */
void sched_start(struct vcpu *vcpu);
/* After an interrupt or a wake-up: is the slice timer needed? Called with IRQs masked. */
void sched_tick(struct cpu *cpu);

/* ---- for the scheduler's loop ---- */

/* Append to cpu's queue. */
void runq_add(struct cpu *cpu, struct vcpu *vcpu);
/*
 * Pick the next vcpu for cpu and make it RUNNING: from its own queue, else from another's if not
 * loaded there; NULL: none.
 */
struct vcpu *runq_take(struct cpu *cpu);
/* Wake idle CPUs that could take vcpus which wait here and are not loaded (any more). */
void runq_offer(struct cpu *cpu);
/* Mark this CPU as waiting for work, or as no longer waiting. */
void runq_idle(const struct cpu *cpu, bool idle);
