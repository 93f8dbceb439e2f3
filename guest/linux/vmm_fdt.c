/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define FDT_BYTES 0x10000
#define PHANDLE_GIC 1
#define PHANDLE_CLOCK 2
#define LEVEL_HIGH 4

static char *tree;

/* libfdt's first error is kept: running out of room is the only possible one. */
static void ok(int r)
{
	if (r) {
		errno = 0;
		die("device tree: %s", fdt_strerror(r));
	}
}

static void begin(const char *name)
{
	ok(fdt_begin_node(tree, name));
}

static void end(void)
{
	ok(fdt_end_node(tree));
}

static void string(const char *name, const char *value)
{
	ok(fdt_property(tree, name, value, (int)strlen(value) + 1));
}

static void flag(const char *name)
{
	ok(fdt_property(tree, name, NULL, 0));
}

static void cell(const char *name, uint32_t value)
{
	ok(fdt_property_u32(tree, name, value));
}

static void cells(const char *name, const uint32_t *v, unsigned n)
{
	fdt32_t *p;

	ok(fdt_property_placeholder(tree, name, (int)n * 4, (void **)&p));
	while (n--)
		*p++ = cpu_to_fdt32(*v++);
}

/* n pairs of address and size */
static void reg(const uint64_t *v, unsigned n)
{
	fdt64_t *p;

	ok(fdt_property_placeholder(tree, "reg", (int)n * 16, (void **)&p));
	for (n *= 2; n--;)
		*p++ = cpu_to_fdt64(*v++);
}

static void put_chosen(const struct vm *vm)
{
	begin("chosen");
	string("bootargs", vm->cmdline);
	string("stdout-path", "/pl011@9000000");
	if (vm->initrd) {
		ok(fdt_property_u64(tree, "linux,initrd-start", vm->initrd_start));
		ok(fdt_property_u64(tree, "linux,initrd-end", vm->initrd_end));
	}
	end();
}

static void put_cpus(const struct vm *vm)
{
	char name[16];
	unsigned i;

	begin("cpus");
	cell("#address-cells", 1);
	cell("#size-cells", 0);
	for (i = 0; i < vm->cpus; i++) {
		snprintf(name, sizeof(name), "cpu@%x", i);
		begin(name);
		string("device_type", "cpu");
		string("compatible", "arm,armv8");
		string("enable-method", "psci");
		cell("reg", i); /* KVM's MPIDR of vcpu i, as long as i < 16 */
		end();
	}
	end();
}

static void put_memory(const struct vm *vm)
{
	begin("memory@40000000");
	string("device_type", "memory");
	reg((uint64_t[]){ RAM_BASE, vm->ram_bytes }, 1);
	end();
}

static void put_psci(const struct vm *vm)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin("psci");
	ok(fdt_property(tree, "compatible", compatible, sizeof(compatible)));
	/* An HVC of a guest at EL2 is taken at its EL2. */
	string("method", vm->nested ? "smc" : "hvc");
	end();
}

#define PPI(intid) 1, (intid)-16, LEVEL_HIGH

static void put_timer(const struct vm *vm)
{
	static const uint32_t irqs[] = { PPI(INTID_PHYS_SECURE), PPI(INTID_PHYS), PPI(INTID_VIRT),
					 PPI(INTID_HYP_PHYS), PPI(INTID_HYP_VIRT) };

	begin("timer");
	string("compatible", "arm,armv8-timer");
	flag("always-on");
	cells("interrupts", irqs, vm->nested ? 15 : 12);
	end();
}

static void put_gic(const struct vm *vm)
{
	static const uint32_t maintenance[] = { PPI(INTID_MAINTENANCE) };

	begin("intc@8000000");
	string("compatible", "arm,gic-v3");
	flag("interrupt-controller");
	cell("#interrupt-cells", 3);
	reg((uint64_t[]){ GICD_BASE, GICD_BYTES, GICR_BASE, GICR_BYTES * vm->cpus }, 2);
	cell("phandle", PHANDLE_GIC);
	if (vm->nested)
		cells("interrupts", maintenance, 3);
	end();
}

static void put_uart(void)
{
	static const char compatible[] = "arm,pl011\0arm,primecell";
	static const char clocks[] = "uartclk\0apb_pclk";
	static const uint32_t irq[] = { 0, INTID_UART - 32, LEVEL_HIGH };
	static const uint32_t clock[] = { PHANDLE_CLOCK, PHANDLE_CLOCK };

	begin("clock");
	string("compatible", "fixed-clock");
	cell("#clock-cells", 0);
	cell("clock-frequency", 24000000);
	cell("phandle", PHANDLE_CLOCK);
	end();
	begin("pl011@9000000");
	ok(fdt_property(tree, "compatible", compatible, sizeof(compatible)));
	reg((uint64_t[]){ UART_BASE, UART_BYTES }, 1);
	cells("interrupts", irq, 3);
	cells("clocks", clock, 2);
	ok(fdt_property(tree, "clock-names", clocks, sizeof(clocks)));
	end();
}

void fdt_init(struct vm *vm)
{
	tree = (char *)vm->ram + (vm->fdt - RAM_BASE);
	ok(fdt_create(tree, FDT_BYTES));
	ok(fdt_finish_reservemap(tree));
	begin("");
	cell("#address-cells", 2);
	cell("#size-cells", 2);
	string("compatible", "linux,dummy-virt");
	cell("interrupt-parent", PHANDLE_GIC);
	put_chosen(vm);
	put_memory(vm);
	put_cpus(vm);
	put_psci(vm);
	put_timer(vm);
	put_gic(vm);
	put_uart();
	end();
	ok(fdt_finish(tree));
}
