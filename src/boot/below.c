/* SPDX-License-Identifier: Apache-2.0 */
/* What a hypervisor below nidus offers it, if nidus is a guest itself. */
#include "boot/below.h"

#include "arch/smccc.h"
#include "dev/power.h"
#include "lib/log.h"
#include "mm/addr.h"
#include "mm/machine.h"
#include "mm/stage1.h"
#include "state/cpu.h"
#include "state/stolen.h"

#define PSCI_FEATURES 0x8400000aUL

/*
 * Whether stolen time may be asked for. In this order, as each call tells that the next one is
 * known (DEN0028, 7; DEN0057, 3): firmware may take any other for an undefined instruction.
 */
static bool has_stolen(void)
{
	return machine.psci_smc && power_psci(PSCI_FEATURES, SMCCC_VERSION, 0, 0) >= 0 &&
	       power_psci(SMCCC_VERSION, 0, 0, 0) >= SMCCC_VERSION_1_1 &&
	       power_psci(SMCCC_ARCH_FEATURES, PV_TIME_FEATURES, 0, 0) >= 0 &&
	       power_psci(PV_TIME_FEATURES, PV_TIME_ST, 0, 0) >= 0;
}

/* CPUs may share a page of structures, and others may be reading it. */
static bool map(const struct cpu *cpu, u64 at)
{
	u64 first = cpus[0].stolen_from ? ptr_pa(cpus[0].stolen_from).a : 0;

	if (cpu != &cpus[0] && first && ALIGN_DOWN(first, PAGE_SIZE) == ALIGN_DOWN(at, PAGE_SIZE))
		return true;
	return stage1_map_ram(at, sizeof(struct stolen_time));
}

void below_find_stolen(struct cpu *cpu)
{
	s64 at = has_stolen() ? power_psci(PV_TIME_ST, 0, 0, 0) : SMCCC_NOT_SUPPORTED;
	const struct stolen_time *s;

	if (at <= 0)
		return;
	if (!IS_ALIGNED((u64)at, sizeof(*s)) || !map(cpu, (u64)at)) {
		log_line("cpu 0x%lx: stolen time at 0x%lx: expected 64 bytes of memory, aligned",
			 cpu->hw.mpidr, (u64)at);
		return;
	}
	s = pa_ptr(pa((u64)at));
	if (s->revision || s->attributes) {
		log_line("cpu 0x%lx: stolen time: expected revision 0, attributes 0, found %u, %u",
			 cpu->hw.mpidr, s->revision, s->attributes);
		return;
	}
	cpu->stolen_seen = s->ns;
	cpu->stolen_from = s;
	if (cpu == &cpus[0])
		log_line("stolen time of the hypervisor below is passed on");
}
