/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-ins for what the machine's start-up provides: CPUs, and entering a guest and powering off.
 * Weak: a test that checks them defines its own.
 */
#include <stdlib.h>

#include "dev/power.h"
#include "exit/fast.h"
#include "exit/run.h"
#include "arch/counter.h"
#include "arch/sysreg.h"
#include "state/cpu.h"

#define WEAK __attribute__((weak))

WEAK struct cpu cpus[MAX_CPUS];
WEAK u32 cpu_count = 1;

WEAK struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

WEAK struct pcpu *pcpu_this(void)
{
	return &cpu_this()->hw;
}

WEAK void cpu_kick(struct cpu *cpu)
{
	gicv3_kick(cpu->hw.mpidr);
}

WEAK u64 vcpu_enter(struct vcpu *vcpu, u64 (*handle)(struct vcpu *vcpu, u64 kind))
{
	(void)vcpu;
	(void)handle;
	abort();
}

WEAK enum verdict fast_sys_gprs(struct vcpu *vcpu, u64 esr)
{
	return fast_sys(vcpu, esr);
}

WEAK enum verdict fast_mmio_gprs(struct vcpu *vcpu, u64 esr)
{
	return fast_mmio(vcpu, esr);
}

WEAK noreturn void machine_off(void)
{
	abort();
}

WEAK noreturn void machine_halt(void)
{
	abort();
}

WEAK u64 counter_now(void)
{
	return sysreg_read(CNTPCT_EL0);
}
