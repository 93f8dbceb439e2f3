/* SPDX-License-Identifier: Apache-2.0 */
/* From the first line of C to the first guest: the order of boot. */
#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/cacheid.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "boot/config.h"
#include "boot/earlycon.h"
#include "boot/fdt.h"
#include "boot/probe.h"
#include "boot/smp.h"
#include "dev/gicv3.h"
#include "dev/its.h"
#include "dev/pci.h"
#include "dev/uart.h"
#include "dev/power.h"
#include "dev/rtc.h"
#include "dev/smmu.h"
#include "exit/hwerror.h"
#include "exit/run.h"
#include "lib/check.h"
#include "lib/log.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/timers.h"
#include "state/trace.h"
#include "vm/console.h"
#include "vm/sched.h"
#include "vm/vm.h"
#include "vm/vm_build.h"

/*
 * The UART for errors before the device tree is read, or if it is unusable: QEMU virt's PL011, or
 * CONFIG's. Not accessed without a message.
 */
#ifndef NIDUS_EARLYCON
#define NIDUS_EARLYCON 0x09000000UL
#endif
#define FDT_WINDOW MIB(2)
#define UART_GUESS (~0UL) /* from the tree */

static struct vm_configs configs;

extern char __image_start[], __image_end[], boot_stack_top[];

noreturn void boot_primary(u64 fdt, u64 uart);

/* Not at EL2, so no EL2 register may be accessed: panic() cannot be used. */
static noreturn void wrong_el(void)
{
	static const char text[] =
		"nidus: panic: expected to be started at EL2, found EL1 (QEMU: -M "
		"virt,virtualization=on)\r\n";

	for (const char *p = text; *p; p++)
		uart_putc((u8)*p);
	machine_halt();
}

/* Before the MMU is on: plain loads and stores only, and messages to the early console. */
static void check_cpu(void)
{
	const char *lacks;

	if (FIELD(sysreg_read(CurrentEL), 3, 2) != 2)
		wrong_el();
	lacks = feat_init();
	if (lacks)
		panic("%s", lacks);
}

/* Unmap the lower half of every stack's slot (vectors.S). */
static void guard_stacks(void)
{
	for (u32 i = 0; i <= MAX_CPUS; i++)
		if (stage1_guard((u64)boot_stack_top - STACK_SLOT + (u64)i * STACK_SLOT,
				 STACK_SLOT / 2))
			panic("the stacks can't be guarded");
}

/* The end of the tree, by its header, which stage1_early() mapped. */
static void map_tree(const void *fdt)
{
	const u32 *header = fdt;

	if (!fdt || !IS_ALIGNED((u64)fdt, 8) || (u64)fdt >> feat.pa_bits)
		panic("device tree: expected an address below 1 << %u that is a multiple of 8, "
		      "found 0x%lx",
		      feat.pa_bits, (u64)fdt);
	if (stage1_map_tree((u64)fdt + MIN(__builtin_bswap32(header[1]), FDT_WINDOW)))
		panic("device tree: it can't be mapped");
}

static void read_machine(const void *fdt, struct range self)
{
	const char *error;

	map_tree(fdt);
	error = fdt_read_machine(&machine, fdt, FDT_WINDOW);
	if (error)
		panic("device tree: %s", error);
	if (!machine_reserve(&machine, self.base, self.size))
		panic("device tree: too many reserved ranges: expected at most %d",
		      MACHINE_RSV_MAX);
	/* Addresses that the tree does not describe may be anything, RAM as well. */
	uart_none();
	error = stage1_map_machine(&machine);
	uart_init(&machine);
	if (error)
		panic("device tree: %s", error);
	for (u32 i = 0; i < machine.note_count; i++)
		log_line("%s", machine.note[i]);
}

/* Modules may lie in memory that is only reserved for them, and so was not mapped. */
static void map_module(struct range r)
{
	if (r.size && !stage1_map_ram(r.base, r.size))
		panic("boot module at 0x%lx: no page for the tables that map it", r.base);
}

static void read_configs(struct range self)
{
	config_read(&configs, &machine, self);
	for (u32 i = 0; i < configs.count; i++) {
		map_module(configs.vm[i].kernel);
		map_module(configs.vm[i].ramdisk);
	}
}

/* Give the allocator all RAM that is not reserved. */
static void add_free_ram(void)
{
	struct range r = { 0, 0 };

	while (machine_next(&machine, true, &r))
		page_add(r.base, r.size);
}

/* nidus.trace: records that have no room are left out. */
static void begin_trace(void)
{
	u64 mib;

	if (!config_trace(machine.bootargs, &mib))
		log_line("nidus.trace: expected 1 to 4096 MiB; there is no trace");
	else if (mib && !trace_begin(&machine, mib, boot_ticks))
		log_line("nidus.trace: no %lu MiB at the end of RAM; there is no trace", mib + 1);
	else if (mib)
		log_line("trace: %lu MiB at 0x%lx, %lu records per CPU", mib, (u64)trace_area,
			 trace_area->ring_bytes / sizeof(struct trace_record));
}

static void init_memory(void)
{
	_Static_assert(PAGE_REGIONS >= MACHINE_MEM_MAX, "each memory range may be one");
	page_init();
	for (u32 i = 0; i < machine.mem_count; i++)
		page_region(machine.mem[i].base, machine.mem[i].base + machine.mem[i].size);
	add_free_ram();
}

/* Behind SMMUs that let nothing through: what VMs can have. */
static void begin_devices(void)
{
	u32 intid[SMMU_IRQS], n;
	bool edge[SMMU_IRQS];
	struct pci_vfs vfs[PCI_VFS_MAX];
	char line[192];
	int count;

	_Static_assert(SMMU_IRQS <= IRQ_OWN_MAX, "each may have a handler");
	smmu_init();
	its_init(&machine);
	n = smmu_irqs(intid, edge);
	for (u32 i = 0; i < n; i++)
		irq_own(intid[i], edge[i], smmu_interrupt);
	count = config_pci_vfs(machine.bootargs, vfs, line, sizeof(line));
	if (count < 0)
		log_line("%s; none is turned on", line);
	pci_init(&machine, vfs, (u32)MAX(count, 0));
}

static void create_vms(void)
{
	for (u32 i = 0; i < configs.note_count; i++)
		log_line("%s", configs.note[i]);
	for (u32 i = 0; i < configs.error_count; i++)
		log_line("%s; this VM does not start", configs.error[i]);
	for (u32 i = 0; i < configs.count; i++)
		if (vm_create(&configs.vm[i]) == 0)
			log_line("vm %s: %u vcpus, %lu MiB", configs.vm[i].name, configs.vm[i].cpus,
				 configs.vm[i].mem_size >> 20);
	pci_list();
	if (!vm_count)
		panic("no VM to run: expected \"xen,domain\" nodes or boot modules under /chosen, "
		      "found "
		      "%u usable",
		      vm_count);
}

/* Write the lines of a range back to the PoC. */
static void clean(u64 base, u64 size)
{
	u64 line = CTR_DLINE(sysreg_read(CTR_EL0));

	for (u64 p = ALIGN_DOWN(base, line); p < base + size; p += line)
		cache_clean_line(p);
	dsb(sy);
}

/*
 * The UART for errors until the tree is read: what the tree names; if it can't be read,
 * NIDUS_EARLYCON. By the boot protocol the tree need not be cleaned to the PoC, and the MMU is off.
 */
static u64 early_console(u64 fdt)
{
	struct uart_place at = { .base = NIDUS_EARLYCON };
	u64 limit = ALIGN_DOWN(fdt, FDT_WINDOW) + FDT_WINDOW - fdt;

	/* Anything else gets its own message. */
	if (fdt && !(fdt >> 48) && IS_ALIGNED(fdt, 8)) {
		clean(fdt, 2 * sizeof(u32));
		limit = MIN(__builtin_bswap32(((const u32 *)fdt)[1]), limit);
		clean(fdt, limit);
		if (earlycon_find((const void *)fdt, limit, &at) == EARLYCON_NONE)
			at.base = 0;
	}
	uart_early(&at);
	return at.base;
}

/* uart: a PL011 for errors until the tree is read; 0: none, UART_GUESS: nobody told. */
noreturn void boot_primary(u64 fdt, u64 uart)
{
	struct range self = { (u64)__image_start, (u64)(__image_end - __image_start) };
	const char *refused;
	int len;

	if (uart == UART_GUESS)
		uart = early_console(fdt);
	else
		uart_early(&(struct uart_place){ .base = uart });
	log_to(&console_sink);
	check_cpu();
	smp_boot_cpu();
	boot_ticks = counter_now();
	stage1_early(fdt, uart);
	stage1_enable();
	guard_stacks();
	read_machine((const void *)fdt, self);
	refused = earlycon_refused(machine.bootargs, &len);
	if (refused)
		log_line("earlycon: expected pl011 or uart8250 and an address as 0x9000000, found "
			 "\"%.*s\"; not used",
			 len, refused);
	smmu_block(&machine);
	read_configs(self);
	begin_trace();
	init_memory();
	gicv3_init(&machine);
	hwerror_use_records = config_has_word(machine.bootargs, "ras=records");
	smp_cpu_init(&cpus[0]);
	begin_devices();
	rtc_init(&machine);
	/* With the trap controls and the GIC set up: neither may change in between. */
	probe_cntpoff();
	probe_el1();
	log_line("nidus on %u CPUs, %lu MiB, %s%s", machine.cpu_count, page_total() >> 8,
		 feat.nv2 ? "FEAT_NV2" : "no FEAT_NV2: no nested VMs",
		 vtimer_has_cntpoff() ? "" : ", physical timers emulated");
	if (machine.uart_intid)
		irq_uart(console_rx);
	if (machine.cpu_ignored)
		log_line("%u CPUs left out: nidus has room for %d", machine.cpu_ignored,
			 MACHINE_CPUS_MAX);
	smp_start_others();
	simd_chaos = config_has_word(machine.bootargs, "simd.chaos");
	vm_stats_at_end = config_has_word(machine.bootargs, "stats");
	create_vms();
	smp_release();
	sched_loop(); /* which fills the VMs' memory and starts them, as other CPUs do */
}
