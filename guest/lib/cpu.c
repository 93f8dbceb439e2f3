/* SPDX-License-Identifier: Apache-2.0 */
/* A guest program's CPUs and its way from start.S to guest_main(). */
#include "cpu.h"

#include "dt.h"
#include "exception.h"
#include "level.h"
#include "mmu.h"
#include "psci.h"
#include "test.h"

struct gcpu gcpus[GUEST_CPUS_MAX];
/* Other CPUs read it before their memory is set up for C. */
bool e2h0 __attribute__((section(".data")));
static u8 stacks[GUEST_CPUS_MAX][GUEST_STACK_SIZE] __attribute__((aligned(16)));

/* start.S */
extern const char secondary_entry[];
struct gcpu *gcpu_address(u32 index);
void guest_start(const void *fdt);
void secondary_start(void);

/* A program may read the machine's state before libfdt has touched the SIMD registers. */
__attribute__((weak)) void guest_early(void)
{
}

/* Called without a usable stack: a leaf function without locals. */
struct gcpu *gcpu_address(u32 index)
{
	gcpus[index].stack_top = (u64)stacks[index] + GUEST_STACK_SIZE;
	return &gcpus[index];
}

/*
 * libfdt as Debian builds it uses SIMD registers; no other part of a guest program does so
 * unintentionally.
 */
static const char *read_tree(const void *fdt)
{
	const char *error;

	own_cpacr(3UL << 20);
	isb();
	error = dt_read(fdt);
	own_cpacr(0);
	isb();
	return error;
}

void guest_start(const void *fdt)
{
	const char *error;
	u32 i;

	e2h0 = sysreg_read(CurrentEL) == 2 << 2 && !(sysreg_read(HCR_EL2) & HCR_E2H);
	mmu_build();
	mmu_enable();
	guest_early();
	error = read_tree(fdt);
	if (dt.uart)
		mmu_device(dt.uart);
	if (dt.gicd)
		mmu_device(dt.gicd);
	for (i = 0; i < GUEST_CPUS_MAX; i++) {
		gcpu_address(i);
		gcpus[i].index = i;
		gcpus[i].mpidr = dt.mpidr[i];
	}
	gcpus[0].state = GCPU_RUNNING;
	if (error)
		test_abort("device tree: %s", error);
	guest_main();
	test_finish(guest_name);
}

void secondary_start(void)
{
	struct gcpu *cpu = cpu_self();

	mmu_enable();
	cpu->fn(cpu->index);
	irq_disable();
	__atomic_store_n(&cpu->state, GCPU_DONE, __ATOMIC_RELEASE);
	psci_call(PSCI_CPU_OFF, 0, 0, 0);
	test_abort("CPU_OFF returned on CPU %u", cpu->index);
}

void delay_us(u64 n)
{
	u64 until = counter_virt() + ticks_us(n);

	while ((s64)(counter_virt() - until) < 0)
		cpu_relax();
}

s64 smp_start(u32 index, void (*fn)(u32 index))
{
	struct gcpu *cpu = &gcpus[index];
	s64 r;

	cpu->fn = fn;
	cpu->trap = NULL;
	cpu->el0 = NULL;
	cpu->irq = cpu->fiq = NULL;
	__atomic_store_n(&cpu->state, GCPU_RUNNING, __ATOMIC_RELEASE);
	dsb(sy);
	r = psci_call(PSCI_CPU_ON, cpu->mpidr, (u64)secondary_entry, (u64)cpu);
	if (r)
		__atomic_store_n(&cpu->state, GCPU_OFF, __ATOMIC_RELEASE);
	return r;
}

bool smp_join(u32 index, u64 timeout_us)
{
	u64 start = counter_virt(), limit = ticks_us(timeout_us);

	while (__atomic_load_n(&gcpus[index].state, __ATOMIC_ACQUIRE) != GCPU_DONE ||
	       psci_call(PSCI_AFFINITY_INFO, gcpus[index].mpidr, 0, 0) != 1) {
		if (counter_virt() - start > limit)
			return false;
		cpu_relax();
	}
	return true;
}

bool smp_run_all(void (*fn)(u32 index), u64 timeout_us)
{
	u32 i, n = MIN(dt.cpu_count, (u32)GUEST_CPUS_MAX);
	bool ok = true;

	for (i = 1; i < n; i++) {
		s64 r = smp_start(i, fn);

		if (r) {
			test_fail("CPU_ON of CPU %u answers %ld", i, (long)r);
			return false;
		}
	}
	fn(0);
	for (i = 1; i < n; i++) {
		if (!smp_join(i, timeout_us)) {
			test_fail("CPU %u did not finish", i);
			ok = false;
		}
	}
	return ok;
}
