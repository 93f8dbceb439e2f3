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
 * Make a vcpu runnable that this CPU alone holds (STARTING, or just taken out of SLEEPING). Takes a
 * run queue's lock.
 */
void sched_start(struct vcpu *vcpu);
/* After an interrupt or a wake-up: is the slice timer needed? Called with IRQs masked. */
void sched_tick(struct cpu *cpu);

/* ---- for the scheduler's loop ---- */

/* Append to cpu's queue. */
void runq_add(struct cpu *cpu, struct vcpu *vcpu);
/*
 * The vcpu that cpu is to run, RUNNING now: of its own queue, else of another's, if not loaded
 * there; NULL: none.
 */
struct vcpu *runq_take(struct cpu *cpu);
/* Have idle CPUs look again that could take vcpus which wait here and are not loaded (any more). */
void runq_offer(struct cpu *cpu);
/* This CPU waits for work, or no longer does. */
void runq_idle(const struct cpu *cpu, bool idle);
