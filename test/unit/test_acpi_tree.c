/* SPDX-License-Identifier: Apache-2.0 */
/* From ACPI's tables to struct machine, by way of the tree: the machine, and what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "acpi_test.h"
#include "arch/feat.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "dts.h"

static struct machine m;
static unsigned char tree[1 << 18] __attribute__((aligned(8)));
static unsigned char whole[1 << 18] __attribute__((aligned(8)));

static const char *read_tables(void)
{
	struct efi_machine e = { .tree = tree, .options = "x" };
	const char *error;

	error = acpi_find(&a, (u64)t.rsdp);
	if (!error)
		error = acpi_tree_write(&a, tree, sizeof(tree));
	e.ram[0] = (struct range){ 0x40000000, 0x40000000 };
	e.ram_count = 1;
	if (!error)
		error = efi_tree_write(&e, whole, sizeof(whole));
	return error ? error : fdt_read_machine(&m, whole, sizeof(whole));
}

static void assert_machine(void)
{
	const char *error = read_tables();

	if (error)
		fail_msg("expected no error, found \"%s\"", error);
}

static void assert_error(const char *like)
{
	const char *error = read_tables();

	if (!error || !strstr(error, like))
		fail_msg("expected \"...%s...\", found \"%s\"", like, error ? error : "no error");
}

static void assert_said(const char *like)
{
	if (!strstr(said, like))
		fail_msg("expected \"...%s...\", found \"%s\"", like, said);
}

static void test_machine(void **state)
{
	(void)state;
	assert_machine();
	assert_string_equal(said, "");
	assert_int_equal(m.mem_count, 1);
	assert_int_equal(m.cpu_count, 2);
	assert_int_equal(m.cpu_mpidr[0], 0);
	assert_int_equal(m.cpu_mpidr[1], 0x100000001);
	assert_false(m.cpu_no_psci[1]);
	assert_true(m.psci_smc);
	assert_int_equal(m.gicd.base, 0x8000000);
	assert_int_equal(m.gicd.size, 0x10000);
	assert_int_equal(m.gicr_count, 1);
	assert_int_equal(m.gicr[0].base, 0x80a0000);
	assert_int_equal(m.gicr[0].size, 0xf60000);
	assert_int_equal(m.ppi_maint, 25);
	assert_int_equal(m.ppi_phys, 30);
	assert_int_equal(m.ppi_virt, 27);
	assert_int_equal(m.ppi_hyp_phys, 26);
	assert_int_equal(m.ppi_hyp_virt, 28);
	assert_int_equal(m.uart.base, 0x9000000);
	assert_int_equal(m.uart_intid, 33);
	assert_string_equal(m.bootargs, "x");
	assert_int_equal(m.note_count, 0);
}

/* The same machine by device tree: one struct machine. */
static void test_same(void **state)
{
	static struct machine by_tree;
	char *source = dts_edit(dts_machine, "cpu@1 { device_type = \"cpu\"; compatible = "
					     "\"arm,armv8\"; reg = <1>; };", "");
	size_t size;

	(void)state;
	assert_machine();
	assert_null(fdt_read_machine(&by_tree, dts_compile(source, &size), size));
	assert_int_equal(m.cpu_count, by_tree.cpu_count);
	assert_memory_equal(&m.gicd, &by_tree.gicd, sizeof(m.gicd));
	assert_memory_equal(&m.gicr, &by_tree.gicr, sizeof(m.gicr));
	assert_int_equal(m.gicr_count, by_tree.gicr_count);
	assert_memory_equal(&m.ppi_maint, &by_tree.ppi_maint, 5 * sizeof(u32));
	assert_memory_equal(&m.uart, &by_tree.uart, sizeof(m.uart));
	assert_int_equal(m.uart_intid, by_tree.uart_intid);
	assert_int_equal(m.psci_smc, by_tree.psci_smc);
	free(source);
}

static void test_no_cpu(void **state)
{
	(void)state;
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	acpi_gicr(&t, 0x80a0000, 0xf60000);
	assert_error("APIC: expected an enabled GICC, found none");
	acpi_gicc(&t, 1, 8, 0);
	assert_error("APIC: expected an enabled GICC, found none");
	acpi_gicc(&t, 1, 1, 0);
	assert_machine();
}

static void test_gicds(void **state)
{
	acpi_gicd(&t, 0x9000000, 3);
	assert_error("expected one GIC distributor, found 2");
	acpi_tables_of(&t);
	acpi_gicc(&t, 0, 1, 0x80a0000);
	assert_error("expected one GIC distributor, found 0");
	acpi_tables_of(&t);
	acpi_gicc(&t, 0, 1, 0);
	acpi_gicd(&t, 0x8000000, 2);
	assert_error("expected a GICv3, found a GICv2");
	/* Version 0 is for the CPU's ID registers to say. */
	acpi_tables_of(&t);
	acpi_gicc(&t, 0, 1, 0x80a0000);
	acpi_gicd(&t, 0x8000000, 0);
	assert_machine();
	acpi_tables_of(&t);
	acpi_gicc(&t, 0, 1, 0);
	acpi_gicd(&t, 0x8000000, 3);
	assert_error("expected redistributors of a GICv3, found none");
	begin(state);
	acpi_put(t.madt + 44, 8, 8, 0x8000100);
	acpi_seal(t.madt);
	assert_error("expected frames at multiples of 0x10000");
}

/* Frames that each CPU has by itself: joined where they touch, of GICv3 or v4. */
static void test_own_frames(void **state)
{
	(void)state;
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	acpi_gicc(&t, 0, 1, 0x80a0000);
	acpi_gicc(&t, 1, 1, 0x80c0000);
	acpi_gicc(&t, 2, 0, 0x80e0000);
	acpi_gicc(&t, 3, 1, 0x8100000);
	assert_machine();
	assert_int_equal(m.cpu_count, 3);
	assert_int_equal(m.gicr_count, 2);
	assert_int_equal(m.gicr[0].size, 0x40000);
	assert_int_equal(m.gicr[1].base, 0x8100000);
	assert_int_equal(m.gicr[1].size, 0x20000);
	acpi_gicc(&t, 4, 1, 0x8100000);
	assert_error("expected redistributors without overlap");
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 4);
	acpi_gicc(&t, 0, 1, 0x80c0000);
	acpi_gicc(&t, 1, 1, 0x8100000);
	assert_machine();
	assert_int_equal(m.gicr_count, 1);
	assert_int_equal(m.gicr[0].size, 0x80000);
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	for (u32 i = 0; i <= MACHINE_GICR_MAX; i++)
		acpi_gicc(&t, i, 1, 0x80a0000 + i * 0x40000UL);
	assert_error("expected at most");
}

/* Two regions that touch are two: each ends with its own GICR_TYPER.Last. CPUs' own frames join. */
static void test_regions_touch(void **state)
{
	(void)state;
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	acpi_gicr(&t, 0x80a0000, 0x40000);
	acpi_gicr(&t, 0x80e0000, 0x40000);
	acpi_gicc(&t, 0, 1, 0);
	assert_machine();
	assert_int_equal(m.gicr_count, 2);
	begin(state);
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	for (u32 i = 0; i < 2; i++)
		acpi_gicc(&t, i, 1, 0x80a0000 + i * 0x20000UL);
	assert_machine();
	assert_int_equal(m.gicr_count, 1);
}

/* More CPUs than nidus has room for are left off, and counted. */
static void test_many_cpus(void **state)
{
	(void)state;
	acpi_tables_of(&t);
	acpi_gicd(&t, 0x8000000, 3);
	acpi_gicr(&t, 0x10000000, 0x4000000);
	for (u32 i = 0; i < 512; i++)
		acpi_gicc(&t, i % 16 | i / 16 << 8, 1, 0);
	assert_machine();
	assert_int_equal(m.cpu_count + m.cpu_ignored, 512);
	assert_int_equal(m.cpu_count, MIN(512, MACHINE_CPUS_MAX));
}

/* A structure with a length of 0, or beyond the table's end, or too short a GICC. */
static void test_bad_structures(void **state)
{
	t.madt[45] = 0;
	acpi_seal(t.madt);
	assert_error("APIC: expected structures up to its end, 0x1a8, found one of 0x0 bytes at 0x2c");
	begin(state);
	acpi_entry(&t, 200, 2)[1] = 3;
	acpi_seal(t.madt);
	assert_error("APIC: expected structures up to its end");
	begin(state);
	acpi_entry(&t, 200, 7);
	assert_machine();
	acpi_entry(&t, 11, 40);
	assert_error("expected GICCs of 0x4c bytes or more, found 0x28");
	begin(state);
	acpi_put(t.madt, 4, 4, 40);
	acpi_seal(t.madt);
	assert_error("APIC: expected structures up to its end");
}

static void test_mpidrs(void **state)
{
	acpi_gicc(&t, 0x100000001, 1, 0);
	assert_error("expected an MPIDR of its own");
	begin(state);
	acpi_gicc(&t, 0x80000002, 1, 0);
	assert_error("expected the affinity bits of MPIDR_EL1");
}

static void test_psci(void **state)
{
	static const u16 without[] = { 0, 2, 3 };

	for (u32 i = 0; i < ARRAY_SIZE(without); i++) {
		begin(state);
		acpi_put(t.fadt, 129, 2, without[i]);
		acpi_seal(t.fadt);
		assert_machine();
		assert_false(m.psci_smc);
		assert_said("ACPI: FACP: expected PSCI by SMC");
	}
	/* An old one, that ends before the field. */
	begin(state);
	acpi_put(t.fadt, 4, 4, 116);
	acpi_seal(t.fadt);
	assert_machine();
	assert_false(m.psci_smc);
}

static void test_timer(void **state)
{
	acpi_put(t.gtdt, 72, 4, 40);
	acpi_seal(t.gtdt);
	assert_error("GTDT: expected a PPI (16 to 31) of the hyp-phys timer, found 40");
	begin(state);
	acpi_put(t.gtdt, 56, 4, 15);
	acpi_seal(t.gtdt);
	assert_error("of the phys timer, found 15");
	begin(state);
	acpi_put(t.gtdt, 64, 4, 0);
	acpi_seal(t.gtdt);
	assert_error("expected the virt timer's interrupt");
	/* Revision 2 has no virtual timer of EL2. */
	begin(state);
	acpi_put(t.gtdt, 4, 4, 96);
	acpi_seal(t.gtdt);
	assert_machine();
	assert_int_equal(m.ppi_hyp_virt, 0);
	assert_int_equal(m.ppi_hyp_phys, 26);
	begin(state);
	t.gtdt[50]++;
	assert_error("expected a table GTDT, found none that is whole");
	assert_said("ACPI: GTDT at 0x");
	begin(state);
	t.madt[50]++;
	assert_error("expected a table APIC (MADT), found none that is whole");
	begin(state);
	for (u32 i = 0; i < 2; i++)
		acpi_put(t.madt + 68 + 80 * i, 56, 4, 32);
	acpi_seal(t.madt);
	assert_error("expected a PPI (16 to 31) for GIC maintenance, found 32");
}

/* A console is no condition. */
static void test_console(void **state)
{
	static const struct {
		u8 type, width, access;
		enum uart_kind kind;
		u32 shift, by;
	} types[] = { { 0x03, 32, 3, UART_PL011, 0, 0 }, { 0x0d, 32, 3, UART_SBSA, 0, 0 },
		      { 0x0e, 32, 0, UART_SBSA, 0, 0 },  { 0x00, 8, 1, UART_8250, 0, 1 },
		      { 0x12, 32, 3, UART_8250, 2, 4 },  { 0x12, 32, 1, UART_8250, 2, 1 },
		      { 0x01, 8, 0, UART_8250, 0, 1 } };

	for (u32 i = 0; i < ARRAY_SIZE(types); i++) {
		t.spcr[36] = types[i].type;
		t.spcr[41] = types[i].width;
		t.spcr[43] = types[i].access;
		acpi_seal(t.spcr);
		assert_machine();
		assert_int_equal(m.uart.base, 0x9000000);
		assert_int_equal(m.uart_kind, types[i].kind);
		assert_int_equal(m.uart_shift, types[i].shift);
		assert_int_equal(m.uart_width, types[i].by);
		begin(state);
	}
	t.spcr[36] = 2;
	acpi_seal(t.spcr);
	assert_machine();
	assert_int_equal(m.uart.size, 0);
	assert_said("SPCR: expected a PL011, SBSA UART or 16550");
	begin(state);
	t.spcr[40] = 1;
	acpi_seal(t.spcr);
	assert_machine();
	assert_int_equal(m.uart.size, 0);
	begin(state);
	t.spcr[52] = 0;
	acpi_seal(t.spcr);
	assert_machine();
	assert_int_equal(m.uart.base, 0x9000000);
	assert_int_equal(m.uart_intid, 0);
	begin(state);
	t.spcr[0] = 'X';
	acpi_seal(t.spcr);
	assert_machine();
	assert_int_equal(m.uart.size, 0);
}

/* Any bit wrong, with the sum put right: an error or a machine, and nothing read elsewhere. */
static void test_any_bit(void **state)
{
	unsigned char **tables[] = { &t.madt, &t.gtdt, &t.fadt, &t.spcr };

	for (u32 i = 0; i < ARRAY_SIZE(tables); i++) {
		begin(state);
		for (u32 at = 4, size = acpi_size(*tables[i]); at < size; at++)
			for (u32 bit = 0; bit < 8; bit++) {
				begin(state);
				(*tables[i])[at] ^= (u8)(1 << bit);
				if (acpi_size(*tables[i]) <= sizeof(t.space) / 2)
					acpi_seal(*tables[i]);
				read_tables();
			}
	}
}

static void test_no_room(void **state)
{
	(void)state;
	assert_machine();
	for (size_t n = 0; n < fdt_totalsize(tree); n += 8)
		assert_non_null(acpi_tree_write(&a, guard_place(n), n));
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_machine),    TEST(test_same),	  TEST(test_no_cpu),
		TEST(test_gicds),      TEST(test_own_frames), TEST(test_many_cpus), TEST(test_regions_touch),
		TEST(test_bad_structures), TEST(test_mpidrs), TEST(test_psci),
		TEST(test_timer),      TEST(test_console),  TEST(test_any_bit),
		TEST(test_no_room),
	};

	feat.pa_bits = 48;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
