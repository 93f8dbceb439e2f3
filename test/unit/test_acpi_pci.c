/* SPDX-License-Identifier: Apache-2.0 */
/* MCFG and IORT in the tree that is made of ACPI's tables: host bridges, SMMUs, ITSs, and who is behind which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "acpi_test.h"

#define HOST "/pcie@4010000000"
#define SMMU "/smmuv3@9050000"
#define ITS "/interrupt-controller@8000000/msi-controller@8080000"

static unsigned char tree[1 << 18] __attribute__((aligned(8)));

static void write_tree(void)
{
	const char *error;

	error = acpi_find(&a, (u64)t.rsdp);
	if (!error)
		error = acpi_tree_write(&a, tree, sizeof(tree));
	if (error)
		fail_msg("%s", error);
	assert_int_equal(fdt_check_full(tree, sizeof(tree)), 0);
}

static int node(const char *path)
{
	int at = fdt_path_offset(tree, path);

	if (at < 0)
		fail_msg("there is no %s", path);
	return at;
}

static bool has(const char *path, const char *prop)
{
	return fdt_getprop(tree, node(path), prop, NULL);
}

static u32 phandle(const char *path)
{
	assert_true(fdt_get_phandle(tree, node(path)));
	return fdt_get_phandle(tree, node(path));
}

/* A property is these cells. */
#define assert_cells(path, prop, ...)                                                              \
	do {                                                                                       \
		const u32 want[] = { __VA_ARGS__ };                                                \
		int len;                                                                           \
		const fdt32_t *c = fdt_getprop(tree, node(path), prop, &len);                      \
		assert_non_null(c);                                                                \
		assert_int_equal(len, sizeof(want));                                               \
		for (size_t i = 0; i < sizeof(want) / 4; i++)                                      \
			assert_int_equal(fdt32_ld(&c[i]), want[i]);                                \
	} while (0)

static void assert_said(const char *like)
{
	write_tree();
	if (!strstr(said, like))
		fail_msg("expected \"...%s...\", found \"%s\"", like, said);
}

static void test_machine(void **state)
{
	(void)state;
	acpi_pci(&t);
	write_tree();
	assert_string_equal(said, "");
	assert_cells(HOST, "reg", 0x40, 0x10000000, 0, 0x10000000);
	assert_cells(HOST, "bus-range", 0, 255);
	assert_cells(HOST, "linux,pci-domain", 0);
	assert_true(has(HOST, "dma-coherent"));
	assert_true(has(HOST, "nidus,bars-placed"));
	assert_false(has(HOST, "ranges"));
	assert_cells(HOST, "iommu-map", 0, phandle(SMMU), 0, 0x10000);
	assert_cells(HOST, "msi-map", 0, phandle(ITS), 0, 0x10000);
	assert_cells(SMMU, "reg", 0, 0x9050000, 0, 0x20000);
	/* Wires of SMMUs are edge-triggered. */
	assert_cells(SMMU, "interrupts", 0, 74, 1, 0, 77, 1);
	assert_int_equal(fdt_stringlist_search(tree, node(SMMU), "interrupt-names", "gerror"), 1);
	assert_cells(ITS, "reg", 0, 0x8080000, 0, 0x20000);
}

static void test_none(void **state)
{
	(void)state;
	write_tree();
	assert_string_equal(said, "");
	assert_true(fdt_node_offset_by_compatible(tree, -1, "pci-host-ecam-generic") < 0);
	assert_true(fdt_node_offset_by_compatible(tree, -1, "arm,smmu-v3") < 0);
	/* Without IORT: a bridge whose devices are behind nothing that is known. */
	t.at = t.madt + 4096;
	t.mcfg = acpi_begin(&t, "MCFG", 44, 1);
	t.at += 1024;
	acpi_segment(&t, 0x4010000000, 0, 0, 255);
	write_tree();
	assert_false(has(HOST, "iommu-map"));
	assert_false(has(HOST, "dma-coherent"));
}

/* Two segments, two SMMUs, parts of a segment behind each or none; messages by one of two ways. */
static void test_maps(void **state)
{
	u32 its, one, two, root;

	(void)state;
	acpi_pci(&t);
	acpi_segment(&t, 0x5000000000, 3, 16, 31);
	its = 48;
	one = its + 24;
	two = acpi_iort_node(&t, 4, 68, 3);
	acpi_put(t.iort, two + 16, 8, 0x9070000);
	acpi_iort_map(&t, two, 0, 0x100, 0x100, 0x5000, its, 0);
	acpi_iort_map(&t, two, 1, 0, 1, 0x7777, its, 1); /* the SMMU's own messages */
	acpi_iort_map(&t, two, 2, 0x200, 0x80, 0x6000, its, 0);
	root = acpi_iort_node(&t, 2, 36, 3);
	t.iort[root + 28] = 3;
	acpi_iort_map(&t, root, 0, 0x1000, 0x200, 0x180, two, 0);
	acpi_iort_map(&t, root, 1, 0x1200, 0x100, 0, one, 0);
	acpi_iort_map(&t, root, 2, 0x1400, 0x100, 0x400, its, 0); /* past all SMMUs */
	write_tree();
	assert_string_equal(said, "");
	/* The address is bus 0's. */
	assert_cells("/pcie@5001000000", "reg", 0x50, 0x1000000, 0, 0x1000000);
	assert_cells("/pcie@5001000000", "bus-range", 16, 31);
	assert_false(has("/pcie@5001000000", "dma-coherent"));
	assert_cells("/pcie@5001000000", "iommu-map", 0x1000, phandle("/smmuv3@9070000"), 0x180, 0x200,
		     0x1200, phandle(SMMU), 0, 0x100);
	assert_cells("/pcie@5001000000", "msi-map", 0x1000, phandle(ITS), 0x5080, 0x80,
		     0x1080, phandle(ITS), 0x6000, 0x80, 0x1200, phandle(ITS), 0, 0x100,
		     0x1400, phandle(ITS), 0x400, 0x100);
	assert_false(has("/smmuv3@9070000", "interrupts"));
}

/* Of entries that can't be right the others stand. */
static void test_bad_mcfg(void **state)
{
	static const struct {
		u64 base;
		u32 segment, first, last;
	} bad[] = {
		{ 0x5000000000, 1, 2, 1 },	    { 0x5000080000, 1, 0, 1 },
		{ 0, 1, 0, 1 },			    { 0xfffffffffff00000, 1, 0, 1 },
		{ 0x4010000000, 1, 255, 255 },	    { 0x5000000000, 0, 255, 255 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(state);
		acpi_pci(&t);
		acpi_segment(&t, bad[i].base, bad[i].segment, bad[i].first, bad[i].last);
		assert_said("ACPI: MCFG: expected a MiB of addresses for each bus, and no overlap");
		assert_true(has(HOST, "iommu-map"));
		assert_int_equal(fdt_node_offset_by_compatible(tree, node(HOST), "pci-host-ecam-generic"),
				 -FDT_ERR_NOTFOUND);
	}
	begin(state);
	acpi_pci(&t);
	acpi_grow(t.mcfg, 7);
	assert_said("ACPI: MCFG: expected entries of 16 bytes, found 0x43 bytes in all");
	begin(state);
	acpi_pci(&t);
	for (u32 i = 1; i <= 16; i++)
		acpi_segment(&t, 0x5000000000 + i * 0x100000, i, 0, 0);
	assert_said("ACPI: MCFG: expected at most 16 host bridges, found more");
}

/* Damaged: a line for the table, and no function is behind anything. */
static void test_damaged(void **state)
{
	(void)state;
	acpi_pci(&t);
	t.iort[50]++;
	assert_said("ACPI: IORT at 0x");
	assert_false(has(HOST, "iommu-map"));
	begin(state);
	acpi_pci(&t);
	t.mcfg[50]++;
	assert_said("ACPI: MCFG at 0x");
	assert_true(fdt_node_offset_by_compatible(tree, -1, "pci-host-ecam-generic") < 0);
	node(SMMU);
}

/* An IORT that is not what it says: not used, with a line. */
static void test_bad_iort(void **state)
{
	static const struct {
		u32 at, size, value;
	} bad[] = {
		{ 36, 4, 4 },		/* one node more than there is */
		{ 36, 4, 0xffffffff },
		{ 40, 4, 0x7fffffff },	/* the first far away */
		{ 40, 4, 8 },		/* or in the head */
		{ 49, 2, 15 },		/* a node shorter than its head */
		{ 49, 2, 0 },
		{ 73, 2, 0xffff },	/* or longer than the table */
		{ 80, 4, 2 },		/* more mappings than fit */
		{ 80, 4, 0xffffffff },
		{ 84, 4, 0xfffffff0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(state);
		acpi_pci(&t);
		acpi_put(t.iort, bad[i].at, bad[i].size, bad[i].value);
		acpi_seal(t.iort);
		assert_said("ACPI: IORT: expected ");
		assert_true(fdt_node_offset_by_compatible(tree, -1, "arm,smmu-v3") < 0);
		assert_false(has(HOST, "iommu-map"));
	}
}

/* References to nothing, or to what is no SMMU and no ITS; mappings of no IDs that devices have. */
static void test_bad_maps(void **state)
{
	static const u32 to[] = { 0, 47, 48 + 24 + 88, 0x10000, 0xffffffff };
	u32 root = 48 + 24 + 88;

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		begin(state);
		acpi_pci(&t);
		acpi_iort_map(&t, root, 0, 0, 0x10000, 0, to[i], 0);
		write_tree();
		assert_false(has(HOST, "iommu-map"));
		assert_false(has(HOST, "msi-map"));
	}
	begin(state);
	acpi_pci(&t);
	acpi_iort_map(&t, root, 0, 0x10000, 0x10000, 0, 72, 0);
	write_tree();
	assert_false(has(HOST, "iommu-map"));
	/* Cut to what a segment has; a count that wraps is no count. */
	acpi_iort_map(&t, root, 0, 0xff00, 0, 0, 72, 0);
	write_tree();
	assert_cells(HOST, "iommu-map", 0xff00, phandle(SMMU), 0, 0x100);
	/* An ITS that the MADT does not have. */
	begin(state);
	acpi_pci(&t);
	t.iort[48 + 20] = 9;
	acpi_seal(t.iort);
	write_tree();
	assert_true(has(HOST, "iommu-map"));
	assert_false(has(HOST, "msi-map"));
	t.iort[48 + 20] = 0;
	t.iort[48 + 16] = 0;
	acpi_seal(t.iort);
	write_tree();
	assert_false(has(HOST, "msi-map"));
}

static void test_many_maps(void **state)
{
	u32 root;

	(void)state;
	acpi_pci(&t);
	root = acpi_iort_node(&t, 2, 36, 64);
	for (u32 i = 0; i < 64; i++)
		acpi_iort_map(&t, root, i, i, 1, i, 72, 0);
	assert_said("ACPI: IORT: expected at most 64 mappings of segment 0, found more");
	assert_false(has(HOST, "iommu-map"));
}

static void test_smmus(void **state)
{
	u32 two;

	(void)state;
	acpi_pci(&t);
	two = acpi_iort_node(&t, 4, 68, 0);
	acpi_put(t.iort, two + 16, 8, 0x9060000);
	acpi_seal(t.iort);
	assert_said("ACPI: IORT: expected an SMMU with registers of its own, found 0x9060000");
	assert_int_equal(fdt_node_offset_by_compatible(tree, node(SMMU), "arm,smmu-v3"),
			 -FDT_ERR_NOTFOUND);
	acpi_put(t.iort, two + 16, 8, 0);
	acpi_seal(t.iort);
	assert_said("registers of its own, found 0x0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_machine, begin),  cmocka_unit_test_setup(test_none, begin),
		cmocka_unit_test_setup(test_maps, begin),     cmocka_unit_test_setup(test_bad_mcfg, begin),
		cmocka_unit_test_setup(test_damaged, begin),  cmocka_unit_test_setup(test_bad_iort, begin),
		cmocka_unit_test_setup(test_bad_maps, begin), cmocka_unit_test_setup(test_many_maps, begin),
		cmocka_unit_test_setup(test_smmus, begin),
	};

	return cmocka_run_group_tests_name("acpi_pci", tests, NULL, NULL);
}
