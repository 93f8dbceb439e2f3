/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's CPUs: bringing them up, and taking the machine down. */
#include "boot/smp.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "boot/below.h"
#include "boot/el2.h"
#include "boot/fdt.h"
#include "dev/gicv3.h"
#include "dev/its.h"
#include "dev/power.h"
#include "exit/hwerror.h"
#include "exit/run.h"
#include "lib/check.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "traps/idreg.h"
#include "traps/traps.h"
#include "vgic/vgic.h"
#include "vm/console.h"
#include "vm/sched.h"

#define PSCI_CPU_OFF 0x84000002UL
#define PSCI_CPU_ON 0xc4000003UL
#define PSCI_AFFINITY_INFO 0xc4000004UL
#define PSCI_AFFINITY_OFF 1
#define START_TIMEOUT_MS 1000

static u32 released; /* atomic */

extern char cpu_stacks[], boot_stack_top[];
extern void secondary(void);

void smp_boot_cpu(void)
{
	cpus[0].hw.stack_top = boot_stack_top;
	cpus[0].hw.mpidr = sysreg_read(MPIDR_EL1) & MPIDR_AFFINITY;
	cpus[0].index = 0;
	cpus[0].online = true;
	cpu_count = 1;
	sysreg_write(TPIDR_EL2, (u64)&cpus[0]);
}

/* The user knows a CPU by its place in /cpus, whichever came up first. */
static u32 number_of(u64 mpidr)
{
	for (u32 i = 0; i < machine.cpu_count; i++)
		if (machine.cpu_mpidr[i] == mpidr)
			return i;
	return CPU_NUMBER_NONE;
}

/*
 * Turn off this CPU, which is unusable; a message has said why. Its struct cpu and its stack can be
 * used for the next one.
 */
static noreturn void leave(struct cpu *cpu)
{
	__atomic_store_n(&cpu->refused, true, __ATOMIC_RELEASE);
	power_psci(PSCI_CPU_OFF, 0, 0, 0);
	machine_halt();
}

static bool has_left(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->refused, __ATOMIC_ACQUIRE) &&
	       power_psci(PSCI_AFFINITY_INFO, cpu->hw.mpidr, 0, 0) == PSCI_AFFINITY_OFF;
}

void smp_cpu_init(struct cpu *cpu)
{
	el2_boot();
	sched_cpu_init(cpu);
	trace_cpu(cpu);
	below_find_stolen(cpu);
	if (gicv3_cpu_init(&cpu->hw) && cpu == &cpus[0])
		panic("cpu 0x%lx: GICv3: expected a redistributor with its affinity, found none",
		      cpu->hw.mpidr);
	if (!cpu->hw.gicr) {
		log_line("cpu 0x%lx: GICv3: expected a redistributor with its affinity, found none",
			 cpu->hw.mpidr);
		leave(cpu);
	}
	vgic_cpu_init();
	if (!simd_boot())
		leave(cpu);
	sysreg_write(CNTHP_CTL_EL2, 0);
	sysreg_write(CNTV_CTL_EL02, 0);
	sysreg_write(CNTP_CTL_EL02, 0);
	traps_boot();
	sysreg_write(VPIDR_EL2, sysreg_read(MIDR_EL1)); /* every VM sees the machine's */
	gicv3_set_enable(machine.ppi_hyp_phys, true);
	gicv3_set_enable(machine.ppi_maint, true);
	gicv3_set_enable(machine.ppi_virt, true);
	gicv3_set_enable(machine.ppi_phys, true);
	its_cpu_init(&cpu->hw);
	hwerror_records();
}

/* Clean to the PoC what a CPU reads while its MMU is off. */
static void clean_to_poc(const void *p, size_t size)
{
	for (u64 a = ALIGN_DOWN((u64)p, 16); a < (u64)p + size; a += 16)
		asm volatile("dc civac, %0" ::"r"(a) : "memory");
	dsb(sy);
}

/* Until it is online, or off again. */
static bool wait_online(const struct cpu *cpu)
{
	u64 end = sysreg_read(CNTPCT_EL0) + sysreg_read(CNTFRQ_EL0) / 1000 * START_TIMEOUT_MS;

	while (!__atomic_load_n(&cpu->online, __ATOMIC_ACQUIRE) && !has_left(cpu)) {
		if (sysreg_read(CNTPCT_EL0) > end)
			return false;
		cpu_relax();
	}
	return true;
}

/*
 * Start a CPU. False: it may still come up, with the struct cpu that it was given; so no other CPU
 * may use that one, or one after it.
 */
static bool start_one(u64 mpidr)
{
	struct cpu *cpu = &cpus[cpu_count];
	s64 err;

	if (cpu_count == MAX_CPUS) {
		log_line("cpu 0x%lx: left out: nidus has room for %d", mpidr, MAX_CPUS);
		return false;
	}
	memset(cpu, 0, sizeof(*cpu)); /* one that was refused may have had it */
	cpu->index = cpu_count;
	cpu->number = number_of(mpidr);
	cpu->hw.mpidr = mpidr;
	cpu->hw.stack_top = cpu_stacks + STACK_SLOT * (cpu->index + 1);
	clean_to_poc(cpu, sizeof(*cpu));
	err = power_psci(PSCI_CPU_ON, mpidr, ptr_pa((const void *)secondary).a, ptr_pa(cpu).a);
	if (err) {
		log_line("cpu 0x%lx: left out: PSCI CPU_ON answered %ld", mpidr, (long)err);
		return true;
	}
	if (!wait_online(cpu)) {
		log_line("cpu 0x%lx: left out, as are those after it: not online after %d ms",
			 mpidr, START_TIMEOUT_MS);
		return false;
	}
	cpu_count += cpu->online;
	return true;
}

void smp_start_others(void)
{
	cpus[0].number = number_of(cpus[0].hw.mpidr);
	if (cpus[0].number == CPU_NUMBER_NONE)
		log_line(
			"cpu 0x%lx: the one that nidus started on is not among the enabled ones in "
			"/cpus; "
			"no hard-affinity names it",
			cpus[0].hw.mpidr);
	if (machine.cpu_count > 1 && !machine.psci_smc) {
		log_line("/psci: method: expected \"smc\"; other CPUs stay off");
		return;
	}
	for (u32 i = 0; i < machine.cpu_count; i++)
		if (machine.cpu_mpidr[i] != cpus[0].hw.mpidr && !machine.cpu_no_psci[i] &&
		    !start_one(machine.cpu_mpidr[i]))
			return;
}

void smp_release(void)
{
	__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
	for (u32 i = 1; i < cpu_count; i++)
		cpu_kick(&cpus[i]);
}

noreturn void boot_secondary(struct cpu *cpu);

/* From head.S: MMU on, on its own stack. */
noreturn void boot_secondary(struct cpu *cpu)
{
	const char *lacks;

	sysreg_write(TPIDR_EL2, (u64)cpu);
	lacks = feat_check(idregs_less);
	if (lacks) {
		log_line("cpu 0x%lx: left out: %s", cpu->hw.mpidr, lacks);
		leave(cpu);
	}
	smp_cpu_init(cpu);
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	/* WFI, not a spin: a waiting CPU must not slow down the one that boots. */
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE)) {
		wfi();
		irq_handle();
	}
	sched_loop();
}
