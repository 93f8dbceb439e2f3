/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine's start-up gives the rest: CPUs, and the ways into a guest and out of the machine.
 * Weak: a test that looks at them brings its own.
 */
#include <stdlib.h>

#include "boot/smp.h"
#include "state/cpu.h"
#include "exit/run.h"
#include "state/vm.h"
#include "vm/vm_build.h"

#define WEAK __attribute__((weak))

WEAK struct cpu cpus[MAX_CPUS];
WEAK u32 cpu_count = 1;
WEAK u64 boot_ticks;

WEAK struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

WEAK u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind))
{
	(void)vcpu;
	(void)handle;
	abort();
}

WEAK void vm_all_gone(void)
{
}

WEAK noreturn void machine_off(void)
{
	abort();
}

WEAK noreturn void machine_halt(void)
{
	abort();
}
