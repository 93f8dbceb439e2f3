/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's CPUs: bringing them up, and taking the machine down. */
#pragma once

#include "lib/types.h"

struct cpu;

#define STACK_SLOT 32768UL /* from one CPU's stack to the next; its lower half is a hole */

/* The boot CPU as cpus[0]: TPIDR_EL2 and its fields. MMU may be off. */
void smp_boot_cpu(void);
/*
 * Start the others by PSCI, one after the other; each that fails to come gets one line and is left
 * out.
 */
void smp_start_others(void);
/* Initialise this CPU once its MMU is on (GIC, timers, SIMD, scheduler). */
void smp_cpu_init(struct cpu *cpu);
/* Release the secondaries into the scheduler, once they know of all VMs. */
void smp_release(void);
