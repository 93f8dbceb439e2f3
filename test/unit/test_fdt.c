/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the machine from its device tree: valid trees, errors, random bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "boot/fdt.h"
#include "dts.h"

#define MUTATIONS 40000

static struct machine m;

static const char *read_source(const char *source)
{
	size_t size;
	void *fdt = dts_tree(source, &size);

	return fdt_read_machine(&m, fdt, size);
}

static const char *read_edited(const char *from, const char *to)
{
	char *source = dts_edit(dts_machine, from, to);
	const char *error = read_source(source);

	free(source);
	return error;
}

static void assert_range(struct range r, u64 base, u64 size)
{
	if (r.base != base || r.size != size)
		fail_msg("expected 0x%lx + 0x%lx, found 0x%lx + 0x%lx", base, size, r.base, r.size);
}

static void assert_no_error(const char *error)
{
	if (error)
		fail_msg("expected no error, found \"%s\"", error);
}

static bool is_reserved(u64 base, u64 size)
{
	for (u32 i = 0; i < m.rsv_count; i++)
		if (m.rsv[i].base == base && m.rsv[i].size == size)
			return true;
	return false;
}

static void test_machine(void **state)
{
	(void)state;
	assert_no_error(read_source(dts_machine));
	assert_int_equal(m.mem_count, 1);
	assert_range(m.mem[0], 0x40000000, 0x40000000);
	assert_int_equal(m.rsv_count, 3);
	assert_int_equal(m.rsv_fixed, 2);
	assert_true(is_reserved((u64)m.fdt, m.fdt_size));
	assert_true(is_reserved(0x42000000, 0x200000));
	assert_true(is_reserved(0x41000000, 0x1000));
	assert_int_equal(m.cpu_count, 3);
	assert_int_equal(m.cpu_mpidr[2], 0x100);
	assert_int_equal(m.cpu_ignored, 0);
	assert_true(m.psci_smc);
	assert_range(m.gicd, 0x8000000, 0x10000);
	assert_int_equal(m.gicr_count, 1);
	assert_range(m.gicr[0], 0x80a0000, 0xf60000);
	assert_int_equal(m.gicr_stride, 0);
	assert_int_equal(m.ppi_maint, 25);
	assert_int_equal(m.ppi_phys, 30);
	assert_int_equal(m.ppi_virt, 27);
	assert_int_equal(m.ppi_hyp_phys, 26);
	assert_int_equal(m.ppi_hyp_virt, 28);
	assert_range(m.uart, 0x9000000, 0x1000);
	assert_int_equal(m.uart_intid, 33);
	assert_string_equal(m.bootargs, "nidus.x");
}

static void test_is_ram(void **state)
{
	(void)state;
	assert_no_error(read_edited("reg = <0 0x40000000 0 0x40000000>;",
				    "reg = <1 0 0 0x1000>, <0 0x40000000 0 0x2000>,"
				    "<0 0x50000000 0 0>;"));
	assert_int_equal(m.mem_count, 2);
	assert_range(m.mem[0], 0x40000000, 0x2000);
	assert_range(m.mem[1], 0x100000000, 0x1000);
	assert_true(machine_is_ram(&m, 0x40000000, 0x2000));
	assert_true(machine_is_ram(&m, 0x40001fff, 1));
	assert_false(machine_is_ram(&m, 0x40001fff, 2));
	assert_false(machine_is_ram(&m, 0x3fffffff, 2));
	assert_false(machine_is_ram(&m, 0x40000000, ~0UL));
	assert_false(machine_is_ram(&m, ~0UL, 2));
}

/* One and two cells, several nodes, translation by a bus. */
static void test_cells(void **state)
{
	char *a, *b;

	(void)state;
	assert_no_error(read_edited("cpus { #address-cells = <1>;",
				    "bus@0 { #address-cells = <1>;"
				    "#size-cells = <1>; ranges = <0x80000000 1 0 0x10000000>;"
				    "memory@80000000 { device_type = \"memory\";"
				    "reg = <0x80000000 0x100000 0x80200000 0x1000>; }; };"
				    "cpus { #address-cells = <1>;"));
	assert_int_equal(m.mem_count, 3);
	assert_range(m.mem[1], 0x100000000, 0x100000);
	assert_range(m.mem[2], 0x100200000, 0x1000);
	a = dts_edit(dts_machine, "cpus { #address-cells = <1>;", "cpus { #address-cells = <2>;");
	b = dts_edit(a, "reg = <0>;", "reg = <0xff 0x00ffffff>;");
	free(a);
	a = dts_edit(b, "reg = <1>;", "reg = <0 1>;");
	free(b);
	b = dts_edit(a, "reg = <0x100>;", "reg = <0 0x100>;");
	assert_no_error(read_source(b));
	assert_int_equal(m.cpu_mpidr[0], 0xff00ffffffUL);
	free(a);
	free(b);
}

static void test_names_decide_timer_order(void **state)
{
	(void)state;
	assert_no_error(read_edited("<1 13 4>, <1 14 4>, <1 11 4>, <1 10 4>, <1 12 4>;",
				    "<1 11 4>, <1 10 4>, <1 14 4>;"
				    "interrupt-names = \"virt\", \"hyp-phys\", \"phys\";"));
	assert_int_equal(m.ppi_virt, 27);
	assert_int_equal(m.ppi_hyp_phys, 26);
	assert_int_equal(m.ppi_phys, 30);
	assert_int_equal(m.ppi_hyp_virt, 0);
}

static void test_uart_choice(void **state)
{
	(void)state;
	assert_no_error(read_edited("\"serial0:115200\"", "\"/pl011@9040000\""));
	assert_range(m.uart, 0x9040000, 0x1000);
	assert_int_equal(m.uart_intid, 40);
	assert_no_error(read_edited("\"serial0:115200\"", "\"/timer\""));
	assert_range(m.uart, 0x9000000, 0x1000);
	assert_no_error(read_edited("\"serial0:115200\"", "\"nowhere:9600\""));
	assert_range(m.uart, 0x9000000, 0x1000);
	assert_no_error(read_edited("reg = <0 0x9000000 0 0x1000>;",
				    "reg = <0 0x9000000 0 0x1000>; status = \"disabled\";"));
	assert_range(m.uart, 0x9040000, 0x1000);
}

static void test_redistributors(void **state)
{
	(void)state;
	assert_no_error(
		read_edited("#redistributor-regions = <1>;\n"
			    "		reg = <0 0x8000000 0 0x10000>,",
			    "#redistributor-regions = <2>; redistributor-stride = <0 0x40000>;\n"
			    "		reg = <0 0x8000000 0 0x10000>, <1 0 0 0x80000>,"));
	assert_int_equal(m.gicr_count, 2);
	assert_range(m.gicr[0], 0x100000000, 0x80000);
	assert_range(m.gicr[1], 0x80a0000, 0xf60000);
	assert_int_equal(m.gicr_stride, 0x40000);
}

static void test_initrd(void **state)
{
	(void)state;
	assert_no_error(read_edited("/*CHOSEN*/", "linux,initrd-start = <0x44000000>;"
						  "linux,initrd-end = <0 0x44100000>;"));
	assert_true(is_reserved(0x44000000, 0x100000));
}

static void test_too_many_cpus(void **state)
{
	char cpus[8192];
	int n = 0;

	(void)state;
	for (int i = 2; i < 40; i++)
		n += sprintf(cpus + n, "cpu@%x { device_type = \"cpu\"; reg = <%d>; };\n", i, i);
	n += sprintf(cpus + n, "cpu@100 {");
	assert_no_error(read_edited("cpu@100 {", cpus));
	assert_int_equal(m.cpu_count, MACHINE_CPUS_MAX);
	assert_int_equal(m.cpu_ignored, 41 - MACHINE_CPUS_MAX);
}

/* Each: an edit, and the line that it must give. */
static const struct {
	const char *from, *to, *line;
} faults[] = {
	{ "device_type = \"memory\";", "device_type = \"mem\";",
	  "/: memory: expected a node with device_type \"memory\" and a reg, found none" },
	{ "reg = <0 0x40000000 0 0x40000000>;", "reg = <0 0x40000000 0>;",
	  "/memory@40000000: reg: expected a multiple of 16 bytes, found 12 bytes" },
	{ "reg = <0 0x40000000 0 0x40000000>;", "reg = <0xffffffff 0xfffff000 0 0x2000>;",
	  "/memory@40000000: reg: expected an end below 1 << 64, found 0xfffffffffffff000 + 0x2000" },
	{ "reg = <0 0x40000000 0 0x40000000>;", "reg = <0x10000 0 0 0x2000>, <0 0x800 0 0x1000>;",
	  "/: memory: expected a node with device_type \"memory\" and a reg, found none" },
	{ "reg = <0 0x40000000 0 0x40000000>;", "reg = <0 0 0 0x2000>, <0 0x1000 0 0x2000>;",
	  "/memory@40000000: reg: expected memory without overlap, found 0x0 + 0x2000 and 0x1000 "
	  "+ 0x2000" },
	{ "cpus { #address", "cqus { #address", "/: cpus: expected a node /cpus, found none" },
	{ "cpus { #address-cells = <1>", "cpus { #address-cells = <3>",
	  "/cpus: #address-cells: expected 1 or 2, found 3" },
	{ "reg = <1>;", "reg = <0>;",
	  "/cpus/cpu@1: reg: expected an MPIDR of its own, found 0x0 again" },
	{ "reg = <1>;", "reg = <0 1>;", "/cpus/cpu@1: reg: expected 1 cells, found 8 bytes" },
	{ "reg = <1>;", "", "/cpus/cpu@1: reg: expected 1 cells, found 0 bytes" },
	{ "reg = <1>;", "reg = <0x80000001>;",
	  "/cpus/cpu@1: reg: expected the affinity bits of MPIDR_EL1, found 0x80000001" },
	{ "method = \"smc\"", "method = \"call\"",
	  "/psci: method: expected \"smc\" or \"hvc\", found call" },
	{ "\"arm,gic-v3\"", "\"arm,cortex-a15-gic\"",
	  "/intc@8000000: compatible: expected \"arm,gic-v3\", found a GICv2 (arm,cortex-a15-gic)" },
	{ "\"arm,gic-v3\"", "\"arm,nvic\"",
	  "/: interrupt controller: expected a node compatible with \"arm,gic-v3\", found none" },
	{ "#redistributor-regions = <1>", "#redistributor-regions = <2>",
	  "/intc@8000000: reg: expected at least 3 entries, found 2" },
	{ "#redistributor-regions = <1>", "#redistributor-regions = <9>",
	  "/intc@8000000: #redistributor-regions: expected 1 to 8, found 9" },
	{ "#redistributor-regions = <1>", "redistributor-stride = <0x12345>",
	  "/intc@8000000: redistributor-stride: expected a multiple of 0x10000, found 0x12345" },
	{ "0 0xf60000>", "0 0x10000>",
	  "/intc@8000000: reg: expected a redistributor region of at least 0x20000 bytes, found "
	  "0x10000" },
	{ "interrupts = <1 9 4>;", "",
	  "/intc@8000000: interrupts: expected the maintenance interrupt, found no such property" },
	{ "interrupts = <1 9 4>;", "interrupts = <0 9 4>;",
	  "/intc@8000000: interrupts: expected PPIs (INTID 16 to 31), found 41" },
	{ "interrupts = <1 9 4>;", "interrupts = <1 9>;",
	  "/intc@8000000: interrupts: expected whole entries (12 bytes each), found 8 bytes over" },
	{ "reg = <0 0x8000000 0 0x10000>,", "reg = <0 0x8001000 0 0x10000>,",
	  "/intc@8000000: reg: expected frames at multiples of 0x10000 below 1 << 48, found 0x8001000 "
	  "+ 0x10000" },
	{ "<0 0x80a0000 0 0xf60000>", "<0x10000 0 0 0x20000>",
	  "/intc@8000000: reg: expected frames at multiples of 0x10000 below 1 << 48, found "
	  "0x1000000000000 + 0x20000" },
	{ "<0 0x80a0000 0 0xf60000>", "<0 0x4fff0000 0 0x20000>",
	  "/intc@8000000: reg: expected registers that are not in memory, found 0x4fff0000 + 0x20000" },
	{ "interrupts = <1 9 4>;", "interrupts = <1 16 4>;",
	  "/intc@8000000: interrupts: expected an interrupt number below 16 for type 1, found 16" },
	{ "interrupts = <1 9 4>;", "interrupts = <7 9 4>;",
	  "/intc@8000000: interrupts: expected an interrupt type of 0 to 3, found 7" },
	{ "#interrupt-cells = <3>", "#interrupt-cells = <1>",
	  "/intc@8000000: #interrupt-cells: expected 3 or 4, found 1" },
	{ "\"arm,armv8-timer\", ", "",
	  "/: timer: expected a node compatible with \"arm,armv8-timer\", found none" },
	{ "<1 13 4>, <1 14 4>, <1 11 4>, <1 10 4>, <1 12 4>", "<1 13 4>, <1 14 4>, <1 11 4>",
	  "/timer: interrupts: expected the hyp-phys timer's interrupt, found 3 entries" },
	{ "interrupt-parent = <&gic>;", "interrupt-parent = <&clk>;",
	  "/timer: interrupts: expected interrupts of the GICv3, found another interrupt "
	  "parent" },
	{ "bootargs = \"nidus.x\"", "bootargs = <1>",
	  "/chosen: bootargs: expected one string, found 4 bytes of something else" },
	{ "/*CHOSEN*/", "linux,initrd-start = <2>; linux,initrd-end = <1>;",
	  "/chosen: linux,initrd-end: expected at least 0x2, found 0x1" },
	{ "/*CHOSEN*/", "linux,initrd-start = [00];",
	  "/chosen: linux,initrd-start: expected one or two cells (4 or 8 bytes), found 1 bytes" },
};

/* What nidus can do without: an edit, the note, and what is left of the UART. */
static const struct {
	const char *from, *to, *note;
	u64 uart;
	u32 intid;
} notes[] = {
	{ "reg = <0 0x9000000 0 0x1000>;", "reg = <0 0x9000000 0 0x40>;",
	  "/pl011@9000000: reg: expected 0x48 bytes at a multiple of 4 below 1 << 48, found 0x9000000 "
	  "+ 0x40; not used",
	  0, 0 },
	{ "reg = <0 0x9000000 0 0x1000>;", "reg = <0x10000 0 0 0x1000>;",
	  "/pl011@9000000: reg: expected 0x48 bytes at a multiple of 4 below 1 << 48, found "
	  "0x1000000000000 + 0x1000; not used",
	  0, 0 },
	{ "reg = <0 0x9000000 0 0x1000>;", "reg = <0 0x50000000 0 0x1000>;",
	  "/pl011@9000000: reg: expected registers that are not in memory or the GIC, found 0x50000000 "
	  "+ 0x1000; not used",
	  0, 0 },
	{ "reg = <0 0x9000000 0 0x1000>;", "reg = <0 0x8000000 0 0x1000>;",
	  "/pl011@9000000: reg: expected registers that are not in memory or the GIC, found 0x8000000 + "
	  "0x1000; not used",
	  0, 0 },
	{ "reg = <0 0x9000000 0 0x1000>;", "",
	  "/pl011@9000000: reg: expected an address and a size, found no such property", 0, 0 },
	{ "interrupts = <0 1 4>;", "interrupts = <1 1 4>;",
	  "/pl011@9000000: interrupts: expected an SPI (INTID 32 to 1019), found 17; not used",
	  0x9000000, 0 },
	{ "interrupts = <0 1 4>;", "interrupts = <0 1>;",
	  "/pl011@9000000: interrupts: expected whole entries (12 bytes each), found 8 bytes over",
	  0x9000000, 0 },
	{ "interrupts = <0 1 4>;", "interrupt-parent = <0x7777>; interrupts = <0 1 4>;",
	  "/pl011@9000000: interrupts: expected interrupts of the GICv3, found another interrupt parent",
	  0x9000000, 0 },
	{ "reg = <0x100>;", "reg = <0x100>; enable-method = \"spin-table\";",
	  "/cpus/cpu@100: enable-method: expected \"psci\", found \"spin-table\"; nidus does not start "
	  "this CPU",
	  0x9000000, 33 },
	{ "\"arm,psci-1.0\", \"arm,psci-0.2\"", "\"arm,psci\"",
	  "/psci: compatible: expected \"arm,psci-0.2\" or later, found \"arm,psci\" alone; other CPUs "
	  "stay off",
	  0x9000000, 33 },
	{ "0 0x40000000>;", "0 0x40000000>, <0xffff 0xfffff000 0 0x2000>;",
	  "/memory@40000000: reg: expected memory below 1 << 48, found 0xfffffffff000 + 0x2000; what "
	  "lies above is not used",
	  0x9000000, 33 },
};

static void test_notes(void **state)
{
	(void)state;
	assert_no_error(read_source(dts_machine));
	assert_int_equal(m.note_count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		assert_no_error(read_edited(notes[i].from, notes[i].to));
		if (m.note_count != 1 || strcmp(m.note[0], notes[i].note))
			fail_msg("%s -> %s:\n  expected \"%s\"\n  found    \"%s\"", notes[i].from,
				 notes[i].to, notes[i].note, m.note_count ? m.note[0] : "no note");
		assert_int_equal(m.uart.base, notes[i].uart);
		assert_int_equal(m.uart_intid, notes[i].intid);
	}
	assert_int_equal(m.mem_count, 2); /* of the last: one page below the limit */
	assert_range(m.mem[1], BIT(48) - 0x1000, 0x1000);
}

static void test_no_uart(void **state)
{
	char *a = dts_edit(dts_machine, "\"arm,pl011\"", "\"acme,uart\"");
	char *b = dts_edit(a, "\"arm,pl011\"", "\"acme,uart\"");

	(void)state;
	assert_no_error(read_source(b));
	assert_int_equal(m.uart.size, 0);
	assert_int_equal(m.uart_node, -1);
	assert_int_equal(m.note_count, 0);
	free(a);
	free(b);
}

/* Other kinds of UART than the PL011, and how their registers are laid out. */
static void test_uart_kinds(void **state)
{
#define SERIAL(props)                                                                              \
	"serial@9100000 { reg = <0 0x9100000 0 0x100>; interrupts = <0 60 4>; " props "};"
#define WITH(path, props)                                                                          \
	read_edited("\"serial0:115200\"; /*CHOSEN*/ };", "\"" path "\"; }; " SERIAL(props))
	(void)state;
	assert_no_error(read_source(dts_machine));
	assert_int_equal(m.uart_kind, UART_PL011);
	assert_no_error(WITH("/serial@9100000", "compatible = \"ns16550a\";"));
	assert_range(m.uart, 0x9100000, 0x100);
	assert_int_equal(m.uart_kind, UART_8250);
	assert_int_equal(m.uart_intid, 92);
	assert_int_equal(m.uart_shift, 0);
	assert_int_equal(m.uart_width, 1);
	assert_no_error(WITH("/serial@9100000", "compatible = \"x,y\", \"snps,dw-apb-uart\"; "
						"reg-shift = <2>; reg-io-width = <4>;"));
	assert_int_equal(m.uart_kind, UART_8250);
	assert_int_equal(m.uart_shift, 2);
	assert_int_equal(m.uart_width, 4);
	assert_no_error(WITH("/serial@9100000", "compatible = \"arm,sbsa-uart\";"));
	assert_int_equal(m.uart_kind, UART_SBSA);
	/* Without a name the PL011 is preferred. */
	assert_no_error(WITH("/nowhere", "compatible = \"ns16550a\";"));
	assert_int_equal(m.uart_kind, UART_PL011);
	assert_no_error(WITH("/serial@9100000", "compatible = \"ns16550a\"; reg-shift = <5>;"));
	assert_int_equal(m.uart.size, 0);
	assert_non_null(strstr(m.note[0], "reg-shift: expected at most 4, found 5; not used"));
	assert_no_error(WITH("/serial@9100000", "compatible = \"ns16550a\"; reg-io-width = <4>;"));
	assert_non_null(strstr(m.note[0], "reg-io-width: expected 1, or 4 with a reg-shift of 2"));
	/* 128 bytes, of which 0x100 are there, and one time fewer. */
	assert_no_error(WITH("/serial@9100000", "compatible = \"ns16550a\"; reg-shift = <4>;"));
	assert_range(m.uart, 0x9100000, 0x100);
	assert_no_error(read_edited("\"serial0:115200\"; /*CHOSEN*/ };",
				    "\"/serial@9100000\"; }; serial@9100000 { "
				    "reg = <0 0x9100000 0 0x7f>; compatible = \"ns16550a\"; "
				    "reg-shift = <4>; };"));
	assert_int_equal(m.uart.size, 0);
	assert_non_null(strstr(m.note[0], "reg: expected 0x80 bytes"));
}

/* The clock, and the date that firmware told: neither need be there. */
static void test_clock(void **state)
{
	(void)state;
	assert_no_error(read_source(dts_machine));
	assert_range(m.rtc, 0x9010000, 0x1000);
	assert_int_equal(m.rtc_intid, 34);
	assert_int_equal(m.time, 0);
	assert_no_error(read_edited("\"arm,pl031\"", "\"acme,clock\""));
	assert_int_equal(m.rtc.size, 0);
	assert_no_error(
		read_edited("reg = <0 0x9010000 0 0x1000>;", "reg = <0 0x9010000 0 0x10>;"));
	assert_int_equal(m.rtc.size, 0);
	assert_int_equal(m.note_count, 1);
	assert_non_null(strstr(m.note[0], "/pl031@9010000: reg: expected registers"));
	assert_no_error(
		read_edited("reg = <0 0x9010000 0 0x1000>;", "reg = <0 0x40000000 0 0x1000>;"));
	assert_int_equal(m.rtc.size, 0);
	assert_no_error(read_edited("bootargs = \"nidus.x\";",
				    "nidus,time = <1 2 3 4>; bootargs = \"nidus.x\";"));
	assert_int_equal(m.time, 0x100000002);
	assert_int_equal(m.time_ticks, 0x300000004);
	assert_no_error(read_edited("bootargs = \"nidus.x\";",
				    "nidus,time = <1 2>; bootargs = \"nidus.x\";"));
	assert_int_equal(m.time, 0);
}

/* Ranges as firmware gives them: not of whole pages, in any order, adjacent; more than a few. */
static void test_ragged_memory(void **state)
{
	char reg[4096];
	int n = sprintf(reg, "reg = <0 0x40001000 0 0x1000>, <0 0x40003000 0 0x1000>, "
			     "<0 0x40002000 0 0x1000>");

	(void)state;
	for (u32 i = 0; i < 40; i++)
		n += sprintf(reg + n, ", <%u 0x801 0 0x5000>", 80 - i);
	sprintf(reg + n, ", <0 0x50000001 0 0x1ffe>;");
	assert_no_error(read_edited("reg = <0 0x40000000 0 0x40000000>;", reg));
	assert_int_equal(m.mem_count, 41);
	assert_range(m.mem[0], 0x40001000, 0x3000);
	for (u32 i = 0; i < 40; i++)
		assert_range(m.mem[1 + i], (41ul + i) << 32 | 0x1000, 0x4000);
}

static void test_nomap(void **state)
{
	u32 nomap = 0;

	(void)state;
	assert_no_error(read_edited(
		"no-map; };", "no-map; }; free@43000000 { reg = <0 0x43000000 0 0x1000>; };"));
	assert_true(is_reserved(0x43000000, 0x1000));
	for (u32 i = 0; i < m.rsv_count; i++)
		if (m.rsv_nomap[i]) {
			nomap++;
			assert_true(m.rsv[i].base == 0x42000000 || m.rsv[i].base == 0x41000000);
		}
	assert_int_equal(nomap, 2);
}

/*
 * A UART behind bridges, as on Arm's FVP: interrupts of one cell, chip selects, three levels of
 * ranges.
 */
#define FVP(map)                                                                                   \
	"bus@8000000 { #address-cells = <2>; #size-cells = <1>; #interrupt-cells = <1>;"           \
	"	ranges = <0 0x10000000 0 0x10000000 0x20000000>;" map                              \
	"	motherboard { #address-cells = <2>; #size-cells = <1>;"                            \
	"		ranges = <0 0 0 0x18000000 0x4000000>, <3 0 0 0x1c000000 0x4000000>;"      \
	"		io { #address-cells = <1>; #size-cells = <1>; ranges = <0 3 0 0x200000>;"  \
	"			con: uart@90000 { compatible = \"arm,pl011\";"                     \
	"				reg = <0x90000 0x1000>; interrupts = <5>; }; }; }; };"
#define FVP_MASK "interrupt-map-mask = <0 0 63>;"

static const char *read_fvp(const char *more)
{
	char *a = dts_edit(dts_machine, "\"serial0:115200\"", "&con"), *with, *b;
	const char *error;

	with = malloc(strlen(more) + 16);
	sprintf(with, "%s soc {", more);
	b = dts_edit(a, "soc {", with);
	error = read_source(b);
	free(a);
	free(b);
	free(with);
	return error;
}

static void test_interrupt_map(void **state)
{
	(void)state;
	/* The GIC of dts_machine has two address cells. */
	assert_no_error(read_fvp(FVP(FVP_MASK "interrupt-map = <0 0 4 &gic 0 0 0 4 4>,"
					      "<0 0 5 &gic 0 0 0 5 4>;")));
	assert_int_equal(m.note_count, 0);
	assert_range(m.uart, 0x1c090000, 0x1000);
	assert_int_equal(m.uart_intid, 37);
	/* Without a mask the unit address counts: the first two cells of reg. */
	assert_no_error(read_fvp(FVP("interrupt-map = <0 0 5 &gic 0 0 0 9 4>,"
				     "<0x90000 0x1000 5 &gic 0 0 0 7 1>;")));
	assert_int_equal(m.uart_intid, 39);
	/* Two maps, the second with one cell of address and two of interrupt. */
	assert_no_error(
		read_fvp("mid: mid { #address-cells = <1>; #interrupt-cells = <2>;"
			 "interrupt-map-mask = <0 0xff 0>;"
			 "interrupt-map = <0 8 0 &gic 0 0 0 70 4>, <0 9 0 &gic 0 0 0 71 4>; };" FVP(
				 FVP_MASK "interrupt-map = <0 0 5 &mid 0x77 0x109 3>;")));
	assert_int_equal(m.uart_intid, 103);
	/*
	 * As on Juno a narrow mask; an entry for another controller, which has no address, before
	 * ours.
	 */
	assert_no_error(read_fvp("other: other { #interrupt-cells = <2>; interrupt-controller; };"
				 FVP("interrupt-map-mask = <0 0 15>; interrupt-map ="
				     "<0 0 1 &other 1 4>, <0 0 5 &gic 0 0 0 72 4>;")));
	assert_int_equal(m.uart_intid, 104);
}

/* Maps that lead nowhere: a note, the UART without its interrupt, and nothing worse. */
static void test_interrupt_map_faults(void **state)
{
	static const struct {
		const char *tree, *note;
	} cases[] = {
		{ FVP(FVP_MASK "interrupt-map = <0 0 4 &gic 0 0 0 4 4>;"),
		  "/bus@8000000: interrupt-map: expected an entry for interrupt 0x5, found none" },
		{ FVP(FVP_MASK "interrupt-map;"),
		  "/bus@8000000: interrupt-map: expected an entry for interrupt 0x5, found none" },
		{ FVP(FVP_MASK),
		  "/bus@8000000/motherboard/io/uart@90000: interrupts: expected interrupts of the GICv3, "
		  "found another interrupt parent" },
		{ FVP("interrupt-map-mask = <0 63>; interrupt-map = <0 0 5 &gic 0 0 0 4 4>;"),
		  "/bus@8000000: interrupt-map-mask: expected 12 bytes, found 8" },
		{ FVP(FVP_MASK "interrupt-map = <0 0 5 &gic 0 0 0 4>;"),
		  "/bus@8000000: interrupt-map: expected whole entries, found 32 bytes over" },
		{ FVP(FVP_MASK "interrupt-map = <0 0 5>;"),
		  "/bus@8000000: interrupt-map: expected whole entries, found 12 bytes over" },
		{ FVP(FVP_MASK "interrupt-map = <0 0 5 0x7777 0 0 0 4 4>;"),
		  "/bus@8000000: interrupt-map: expected interrupt parents, found phandle 0x7777" },
		{ "a: a { #interrupt-cells = <1>; interrupt-map = <1 &b 1>; };"
		  "b: b { #interrupt-cells = <1>; interrupt-map = <1 &a 1>; };" FVP(
			  FVP_MASK "interrupt-map = <0 0 5 &a 1>;"),
		  "/bus@8000000/motherboard/io/uart@90000: interrupts: expected interrupts of the GICv3, "
		  "found another interrupt parent" },
		{ "a: a { #interrupt-cells = <9>; };" FVP(FVP_MASK "interrupt-map = <0 0 5 &a 1>;"),
		  "/a: #interrupt-cells: expected at most 4, found 9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_no_error(read_fvp(cases[i].tree));
		if (m.note_count != 1 || strcmp(m.note[0], cases[i].note))
			fail_msg("case %zu:\n  expected \"%s\"\n  found    \"%s\"", i,
				 cases[i].note, m.note_count ? m.note[0] : "no note");
		assert_range(m.uart, 0x1c090000, 0x1000);
		assert_int_equal(m.uart_intid, 0);
	}
}

/* A map of n entries before the one that is needed, with so many changes (even) of the parent. */
static void long_map(u32 n, u32 changes, const char *note)
{
	char *map = malloc(64 * (n + 2) + 512), *p = map;

	p += sprintf(
		p, "other: other { #interrupt-cells = <2>; interrupt-controller; };"
		   "bus@8000000 { #address-cells = <2>; #size-cells = <1>; #interrupt-cells = <1>;"
		   "	ranges = <0 0x10000000 0 0x10000000 0x20000000>;" FVP_MASK
		   "interrupt-map = ");
	for (u32 i = 0; i < n; i++)
		p += sprintf(p, i < changes && i % 2 ? "<0 0 4 &other 1 4>,"
						     : "<0 0 4 &gic 0 0 0 4 4>,");
	sprintf(p, "<0 0 5 &gic 0 0 0 5 4>;"
		   "con: uart@9090000 { compatible = \"arm,pl011\";"
		   "	reg = <0 0x1c090000 0x1000>; interrupts = <5>; }; };");
	assert_no_error(read_fvp(map));
	free(map);
	assert_int_equal(m.note_count, !!note);
	if (note)
		assert_string_equal(m.note[0], note);
	assert_int_equal(m.uart_intid, note ? 0 : 37);
}

/* One that would take too long is refused. */
static void test_interrupt_map_long(void **state)
{
	(void)state;
	long_map(2047, 0, NULL);
	long_map(2048, 0, "/bus@8000000: interrupt-map: expected at most 2048 entries, found more");
	long_map(100, 62, NULL);
	long_map(
		100, 64,
		"/bus@8000000: interrupt-map: expected at most 63 changes of interrupt parents, found more");
}

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		const char *line = read_edited(faults[i].from, faults[i].to);

		if (!line || strcmp(line, faults[i].line))
			fail_msg("%s -> %s:\n  expected \"%s\"\n  found    \"%s\"", faults[i].from,
				 faults[i].to, faults[i].line, line ? line : "no error");
	}
}

static void assert_line(const char *line, const char *prefix)
{
	if (!line || strncmp(line, prefix, strlen(prefix)))
		fail_msg("expected \"%s...\", found \"%s\"", prefix, line ? line : "no error");
}

static void test_header(void **state)
{
	size_t size;
	u8 *tree = dts_tree(dts_machine, &size);

	(void)state;
	assert_line(fdt_read_machine(&m, NULL, size), "header: expected an address");
	assert_line(fdt_read_machine(&m, tree + 4, size), "header: expected an address");
	assert_line(fdt_read_machine(&m, tree, size - 1), "header: expected a size of at most");
	tree[23] = 16;
	assert_line(fdt_read_machine(&m, tree, size), "header: expected version 0x11, found 0x10");
	tree[23] = 17;
	tree[0] = 0;
	assert_line(fdt_read_machine(&m, tree, size),
		    "header: expected magic 0xd00dfeed, found 0xdfeed");
}

/* The file ends early: with its original header, and with a header that agrees. */
static void test_truncation(void **state)
{
	size_t size;
	u8 *tree = dts_compile(dts_machine, &size), *at;

	(void)state;
	for (size_t n = 0; n < size; n++) {
		at = guard_place(n);
		memcpy(at, tree, n);
		if (!fdt_read_machine(&m, at, n))
			fail_msg("cut at %zu: expected an error, found none", n);
		if (n < 8)
			continue;
		at[4] = at[5] = 0;
		at[6] = (u8)(n >> 8);
		at[7] = (u8)n;
		(void)fdt_read_machine(&m, at, n);
	}
	free(tree);
}

static void test_mutations(void **state)
{
	u64 seed = 0x9e3779b97f4a7c15UL;
	size_t size;
	u8 *tree = dts_compile(dts_machine, &size), *at = guard_place(size);
	u32 accepted = 0;

	(void)state;
	for (u32 i = 0; i < MUTATIONS; i++) {
		u32 count = 1 + (u32)(dts_random(&seed) % 4);

		memcpy(at, tree, size);
		while (count--) {
			size_t where = dts_random(&seed) % (dts_random(&seed) & 3 ? size : 40);

			at[where] = (u8)dts_random(&seed);
		}
		accepted += fdt_read_machine(&m, at, size) == NULL;
	}
	printf("%u mutated trees, %u still read as machines\n", MUTATIONS, accepted);
	assert_in_range(accepted, MUTATIONS / 100, MUTATIONS - MUTATIONS / 100);
	free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_is_ram),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_names_decide_timer_order),
		cmocka_unit_test(test_uart_choice),
		cmocka_unit_test(test_redistributors),
		cmocka_unit_test(test_initrd),
		cmocka_unit_test(test_too_many_cpus),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_no_uart),
		cmocka_unit_test(test_nomap),
		cmocka_unit_test(test_ragged_memory),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_uart_kinds),
		cmocka_unit_test(test_interrupt_map),
		cmocka_unit_test(test_interrupt_map_faults),
		cmocka_unit_test(test_interrupt_map_long),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_mutations),
	};

	feat.pa_bits = 48;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
