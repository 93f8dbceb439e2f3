/* SPDX-License-Identifier: Apache-2.0 */
/* The physical CPUs. */
#include "state/cpu.h"

struct cpu cpus[MAX_CPUS];
u32 cpu_count;
