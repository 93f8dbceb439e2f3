/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's device tree: checked by dtc and libfdt, and what each option changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "vm/guest_fdt.h"
#include "vm/guest_fdt_pci.h"
#include "dts.h"
#include "boot/fdt.h"

#define FDT_ROOM 0x4000

static struct machine m;
static struct vm_config config;
static struct guest_layout layout;
static const u64 mpidrs[] = { 0, 1, 0x100, 0xff00000003 };
static void *machine_tree;
static u8 out[FDT_ROOM] __attribute__((aligned(8)));

static int setup(void **state)
{
	size_t size;
	const char *error;

	(void)state;
	feat.pa_bits = 48;
	machine_tree = dts_compile(dts_machine, &size);
	error = fdt_read_machine(&m, machine_tree, size);
	if (error)
		fail_msg("machine: %s", error);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(machine_tree);
	return 0;
}

static void defaults(void)
{
	memset(&config, 0, sizeof(config));
	config.node = -1;
	config.cpus = 2;
	config.vpl011 = true;
	config.bootargs = "console=ttyAMA0 root=/dev/vda";
	layout = (struct guest_layout){
		.ram = 0x40000000,
		.ram_size = 0x180000000,
		.gicd = 0x8000000,
		.gicr = 0x80a0000,
		.uart = 0x9000000,
		.uart_intid = 33,
		.rtc = 0x9020000,
		.rtc_intid = 35,
		.initrd = 0x1b0000000,
		.initrd_size = 0x123456,
		.mpidr = mpidrs,
	};
}

static void pass(const char *path, u64 base, u64 size, u32 intid, bool edge)
{
	struct passthrough *p = &config.pass[config.pass_count++];

	p->node = fdt_path_offset(machine_tree, path);
	assert_true(p->node > 0);
	p->reg[0] = (struct range){ base, size };
	p->reg_count = 1;
	p->intid[0] = intid;
	p->edge[0] = edge;
	p->intid_count = intid ? 1 : 0;
}

/* dtc must print no warning about the tree. */
static void lint(void)
{
	char path[] = "/tmp/nidus-guest-XXXXXX", command[256], line[256];
	int fd = mkstemp(path);
	size_t size = fdt_totalsize(out);
	FILE *f;

	if (fd < 0 || write(fd, out, size) != (ssize_t)size)
		abort();
	close(fd);
	snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1", path);
	f = popen(command, "r");
	if (!f)
		abort();
	while (fgets(line, sizeof(line), f))
		fail_msg("dtc: %s", line);
	assert_int_equal(pclose(f), 0);
	unlink(path);
}

static void make(void)
{
	int size = guest_fdt_make(out, sizeof(out), &config, &layout, &m);

	if (size < 0)
		fail_msg("expected a tree, found error %d (%s)", size, fdt_strerror(size));
	assert_int_equal(size, fdt_totalsize(out));
	assert_int_equal(fdt_check_full(out, (size_t)size), 0);
	lint();
}

static int node_at(const char *path)
{
	int node = fdt_path_offset(out, path);

	if (node < 0)
		fail_msg("expected a node %s, found %s", path, fdt_strerror(node));
	return node;
}

static void assert_string(const char *path, const char *prop, const char *value)
{
	int len;
	const char *s = fdt_getprop(out, node_at(path), prop, &len);

	if (!s || len != (int)strlen(value) + 1 || strcmp(s, value))
		fail_msg("%s: %s: expected \"%s\", found \"%.*s\"", path, prop, value, s ? len : 4,
			 s ? s : "none");
}

static void assert_cells(const char *path, const char *prop, const u32 *cells, int n)
{
	int len;
	const fdt32_t *c = fdt_getprop(out, node_at(path), prop, &len);

	if (!c || len != 4 * n)
		fail_msg("%s: %s: expected %d cells, found %d bytes", path, prop, n, len);
	for (int i = 0; i < n; i++)
		if (fdt32_ld(c + i) != cells[i])
			fail_msg("%s: %s: cell %d: expected 0x%x, found 0x%x", path, prop, i,
				 cells[i], fdt32_ld(c + i));
}

#define CELLS(path, prop, ...)                                                                     \
	assert_cells(path, prop, (u32[]){ __VA_ARGS__ },                                           \
		     (int)(sizeof((u32[]){ __VA_ARGS__ }) / sizeof(u32)))

static void assert_absent(const char *path, const char *prop)
{
	if (fdt_getprop(out, node_at(path), prop, NULL))
		fail_msg("%s: %s: expected no such property, found one", path, prop);
}

static u32 phandle_of(const char *path)
{
	return fdt_get_phandle(out, node_at(path));
}

static void test_plain(void **state)
{
	u32 clock;

	(void)state;
	defaults();
	make();
	clock = phandle_of("/clock-0");
	assert_true(fdt_node_check_compatible(out, 0, "linux,dummy-virt") == 0);
	CELLS("/", "interrupt-parent", phandle_of("/intc@8000000"));
	CELLS("/memory@40000000", "reg", 0, 0x40000000, 1, 0x80000000);
	assert_string("/memory@40000000", "device_type", "memory");
	CELLS("/cpus", "#address-cells", 1);
	CELLS("/cpus/cpu@1", "reg", 1);
	assert_string("/cpus/cpu@0", "enable-method", "psci");
	assert_true(fdt_path_offset(out, "/cpus/cpu@100") < 0);
	assert_string("/psci", "method", "hvc");
	assert_int_equal(fdt_node_check_compatible(out, node_at("/psci"), "arm,psci-0.2"), 0);
	CELLS("/intc@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0x40000);
	CELLS("/intc@8000000", "#interrupt-cells", 3);
	assert_absent("/intc@8000000", "interrupts");
	CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	CELLS("/pl011@9000000", "reg", 0, 0x9000000, 0, 0x1000);
	CELLS("/pl011@9000000", "interrupts", 0, 1, 4);
	CELLS("/pl031@9020000", "reg", 0, 0x9020000, 0, 0x1000);
	CELLS("/pl031@9020000", "interrupts", 0, 3, 4);
	CELLS("/pl031@9020000", "clocks", clock);
	assert_string("/pl031@9020000", "clock-names", "apb_pclk");
	assert_int_equal(fdt_node_check_compatible(out, node_at("/pl031@9020000"), "arm,primecell"),
			 0);
	CELLS("/pl011@9000000", "clocks", clock, clock);
	CELLS("/clock-0", "clock-frequency", 24000000);
	assert_string("/chosen", "bootargs", "console=ttyAMA0 root=/dev/vda");
	assert_string("/chosen", "stdout-path", "/pl011@9000000");
	CELLS("/chosen", "linux,initrd-start", 1, 0xb0000000);
	CELLS("/chosen", "linux,initrd-end", 1, 0xb0123456);
	assert_string("/aliases", "serial0", "/pl011@9000000");
}

/* All of its RAM is the guest's to use. */
static void test_nothing_reserved(void **state)
{
	(void)state;
	defaults();
	make();
	assert_int_equal(fdt_num_mem_rsv(out), 0);
}

static void test_nested(void **state)
{
	(void)state;
	defaults();
	config.nested = true;
	make();
	assert_string("/psci", "method", "smc");
	CELLS("/intc@8000000", "interrupts", 1, 9, 4);
	CELLS("/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4, 1, 12, 4);
}

/* Firmware's flash for variables, and whom it asks what to do. */
static void test_firmware(void **state)
{
	(void)state;
	defaults();
	make();
	assert_true(fdt_path_offset(out, "/flash@4000000") < 0);
	layout.flash = 0x4000000;
	layout.flash_size = 0x100000;
	layout.fw_cfg = 0x9030000;
	make();
	assert_string("/flash@4000000", "compatible", "cfi-flash");
	CELLS("/flash@4000000", "reg", 0, 0x4000000, 0, 0x100000);
	CELLS("/flash@4000000", "bank-width", 4);
	assert_string("/fw-cfg@9030000", "compatible", "qemu,fw-cfg-mmio");
	CELLS("/fw-cfg@9030000", "reg", 0, 0x9030000, 0, 0x10);
}

static void test_bare(void **state)
{
	(void)state;
	defaults();
	config.vpl011 = false;
	config.bootargs = "";
	config.cpus = 4;
	layout.initrd_size = 0;
	make();
	assert_true(fdt_path_offset(out, "/pl011@9000000") < 0);
	assert_true(fdt_path_offset(out, "/aliases") < 0);
	CELLS("/pl031@9020000", "clocks", phandle_of("/clock-0"));
	assert_absent("/chosen", "bootargs");
	assert_absent("/chosen", "stdout-path");
	assert_absent("/chosen", "linux,initrd-start");
	/* An Aff3 needs a second cell, for all. */
	CELLS("/cpus", "#address-cells", 2);
	CELLS("/cpus/cpu@100", "reg", 0, 0x100);
	CELLS("/cpus/cpu@ff00000003", "reg", 0xff, 3);
}

static void test_passthrough(void **state)
{
	const char *gadget = "/gadget@10001000";

	(void)state;
	defaults();
	pass("/virtio_mmio@a003e00", 0xa003e00, 0x200, 79, true);
	pass("/pl031@9010000", 0x9010000, 0x1000, 34, false);
	pass("/soc/gadget@1000", 0x10001000, 0x1000, 92, false);
	config.pass[2].reg[1] = (struct range){ 0x20001000, 0x100 };
	config.pass[2].reg_count = 2;
	config.pass[2].intid[1] = 93;
	config.pass[2].edge[1] = true;
	config.pass[2].intid_count = 2;
	pass("/soc/quiet@3000", 0x10003000, 0x1000, 0, false);
	make();
	assert_string("/virtio_mmio@a003e00", "compatible", "virtio,mmio");
	CELLS("/virtio_mmio@a003e00", "reg", 0, 0xa003e00, 0, 0x200);
	CELLS("/virtio_mmio@a003e00", "interrupts", 0, 47, 1);
	assert_non_null(fdt_getprop(out, node_at("/virtio_mmio@a003e00"), "dma-coherent", NULL));
	CELLS("/pl031@9010000", "interrupts", 0, 2, 4);
	CELLS("/pl031@9010000", "clocks", phandle_of("/clock-0"));
	assert_string("/pl031@9010000", "clock-names", "apb_pclk");
	assert_absent("/pl031@9010000", "dma-coherent");
	CELLS(gadget, "reg", 0, 0x10001000, 0, 0x1000, 0, 0x20001000, 0, 0x100);
	CELLS(gadget, "interrupts", 0, 60, 4, 0, 61, 1);
	CELLS(gadget, "acme,mode", 3);
	CELLS(gadget, "clocks", phandle_of("/clock-1"), phandle_of("/clock-0"));
	CELLS("/clock-1", "clock-frequency", 100000000);
	/* The bus had the property for all of its devices. */
	assert_non_null(fdt_getprop(out, node_at(gadget), "dma-coherent", NULL));
	assert_absent(gadget, "vdd-supply");
	assert_absent(gadget, "reset-gpios");
	assert_absent(gadget, "interrupts-extended");
	assert_absent("/quiet@10003000", "clocks");
	assert_absent("/quiet@10003000", "clock-names");
	assert_absent("/quiet@10003000", "interrupts");
}

static void assert_error(int found, int expected)
{
	if (found != expected)
		fail_msg("expected %s, found %d", fdt_strerror(expected), found);
}

static void test_collisions(void **state)
{
	static const struct range where[] = {
		{ 0x40000000, 0x1000 }, { 0x1bffff000, 0x1000 }, { 0x800ff00, 0x200 },
		{ 0x80dff00, 0x100 },   { 0x9000000, 0x1000 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(where); i++) {
		defaults();
		pass("/soc/quiet@3000", where[i].base, where[i].size, 0, false);
		assert_error(guest_fdt_make(out, sizeof(out), &config, &layout, &m),
			     -FDT_ERR_EXISTS);
	}
	/* Where the UART would be, if the VM had one. */
	config.vpl011 = false;
	make();
}

/* Too little room, by every amount: an error, and nothing is written behind the end. */
static void test_room(void **state)
{
	int need;

	(void)state;
	defaults();
	pass("/pl031@9010000", 0x9010000, 0x1000, 34, false);
	make();
	need = (int)fdt_totalsize(out);
	for (int room = 0; room < need; room++)
		assert_error(guest_fdt_make(guard_place((size_t)room), (size_t)room, &config,
					    &layout, &m),
			     -FDT_ERR_NOSPACE);
	assert_int_equal(
		guest_fdt_make(guard_place((size_t)need), (size_t)need, &config, &layout, &m),
		need);
}

/* RAM in several pieces: that with the images first, each a node. */
static void more_ram(void **state)
{
	static const struct range more[] = { { 0x50000000, 0x1000 }, { 0x8080000000, 0x40000000 } };
	int node = -1, n = 0;

	(void)state;
	defaults();
	layout.more = more;
	layout.more_count = 2;
	make();
	assert_cells("/memory@40000000", "reg", (const u32[]){ 0, 0x40000000, 1, 0x80000000 }, 4);
	assert_cells("/memory@50000000", "reg", (const u32[]){ 0, 0x50000000, 0, 0x1000 }, 4);
	assert_cells("/memory@8080000000", "reg", (const u32[]){ 0x80, 0x80000000, 0, 0x40000000 },
		     4);
	while ((node = fdt_node_offset_by_prop_value(out, node, "device_type", "memory", 7)) >= 0)
		if (n++ == 0)
			assert_string_equal(fdt_get_name(out, node, NULL), "memory@40000000");
	assert_int_equal(n, 3);
	/* A device over any of it is refused. */
	pass("/pl031@9010000", 0x8080000000, 0x1000, 0, false);
	assert_int_equal(guest_fdt_make(out, sizeof(out), &config, &layout, &m), -FDT_ERR_EXISTS);
}

/* ---- what is handed down: a machine of its own, with a domain in a domain ---- */

#define HANDED                                                                                     \
	"a { compatible = \"xen,domain\"; chosen { #address-cells = <1>; #size-cells = <1>;"       \
	"xen,xen-bootargs = \"dom0\"; k@51000000 { compatible = \"multiboot,kernel\";"             \
	"reg = <0x51000000 0x2000>; bootargs = \"loose\"; };"                                      \
	"b { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; cpus = <3>;"    \
	"memory = <0 0x400>; sve; k@51000000 { compatible = \"multiboot,kernel\";"                 \
	"reg = <0 0x51000000 0x2000>; }; r@52000000 { compatible = \"multiboot,ramdisk\";"                  \
	"reg = <0 0x52000000 0x333>; }; vcpu0 { compatible = \"xen,vcpu\"; id = <0>; }; }; }; };"

static void handed_down(void **state)
{
	static const char *const modules[] = { "k@51000000", "b/k@51000000", "b/r@52000000" };
	static const u64 at[] = { 0x1b0010000, 0x1b0010000, 0x1a0000000 };
	char *source = dts_edit(dts_machine, "/*CHOSEN*/", HANDED), path[64];
	void *kept = machine_tree;
	struct machine kept_machine = m;
	size_t size;

	(void)state;
	machine_tree = dts_compile(source, &size);
	m.fdt = machine_tree;
	defaults();
	layout.handed = at;
	config.chosen = fdt_path_offset(machine_tree, "/chosen/a/chosen");
	assert_true(config.chosen > 0);
	for (u32 i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/chosen/a/chosen/%s", modules[i]);
		config.handed[i].node = fdt_path_offset(machine_tree, path);
		config.handed[i].file = (struct range){ 1, i < 2 ? 0x2000 : 0x333 };
	}
	config.handed_count = 3;
	make();
	/* The rest of its own tree is unchanged. */
	assert_string("/chosen", "bootargs", "console=ttyAMA0 root=/dev/vda");
	assert_string("/chosen", "xen,xen-bootargs", "dom0");
	/* Modules by their new addresses, in cells of the guest's root. */
	assert_string("/chosen/k@1b0010000", "bootargs", "loose");
	CELLS("/chosen/k@1b0010000", "reg", 1, 0xb0010000, 0, 0x2000);
	CELLS("/chosen/b/k@1b0010000", "reg", 1, 0xb0010000, 0, 0x2000);
	CELLS("/chosen/b/r@1a0000000", "reg", 1, 0xa0000000, 0, 0x333);
	CELLS("/chosen/b", "#address-cells", 2);
	CELLS("/chosen/b", "#size-cells", 2);
	/* Everything else is unchanged. */
	assert_string("/chosen/b", "compatible", "xen,domain");
	CELLS("/chosen/b", "cpus", 3);
	CELLS("/chosen/b", "memory", 0, 0x400);
	assert_true(fdt_getprop(out, node_at("/chosen/b"), "sve", NULL) != NULL);
	CELLS("/chosen/b/vcpu0", "id", 0);
	assert_true(fdt_path_offset(out, "/chosen/a") < 0);
	free(machine_tree);
	machine_tree = kept;
	m = kept_machine;
	free(source);
}

/* A host bridge: its windows, and each device's pin with its SPI. */
static void pci_bridge(void **state)
{
	const struct guest_pci pci = { .fn = { { 1, 1, 36, 0 }, { 2, 0, 0, 0 }, { 3, 4, 300, 0 } },
				       .count = 3,
				       .ecam = 0x3f000000,
				       .ecam_size = 0x100000,
				       .low = 0x10000000,
				       .low_size = 0x2eff0000,
				       .wide = 0x8000000000,
				       .wide_size = 0x4000000000 };

	(void)state;
	defaults();
	layout.pci = &pci;
	make();
	assert_string("/pcie@3f000000", "compatible", "pci-host-ecam-generic");
	assert_string("/pcie@3f000000", "device_type", "pci");
	CELLS("/pcie@3f000000", "reg", 0, 0x3f000000, 0, 0x100000);
	CELLS("/pcie@3f000000", "bus-range", 0, 0);
	CELLS("/pcie@3f000000", "ranges", 0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x2eff0000,
	      0x3000000, 0x80, 0, 0x80, 0, 0x40, 0);
	CELLS("/pcie@3f000000", "#interrupt-cells", 1);
	CELLS("/pcie@3f000000", "interrupt-map-mask", 0xf800, 0, 0, 7);
	CELLS("/pcie@3f000000", "interrupt-map", 0x800, 0, 0, 1, 1, 0, 0, 0, 4, 4, 0x1800, 0, 0, 4,
	      1, 0, 0, 0, 268, 4);
	CELLS("/intc@8000000", "phandle", 1);
	assert_true(fdt_getprop(out, node_at("/pcie@3f000000"), "dma-coherent", NULL) != NULL);
	assert_absent("/pcie@3f000000", "iommu-map");
}

/* Functions 1 and 3 share a stream. */
static void pci_smmu(void **state)
{
	const struct guest_pci pci = { .fn = { { .device = 1, .stream = 8 },
					       { .device = 2, .stream = 16 },
					       { .device = 3, .stream = 8 } },
				       .count = 3,
				       .smmu = 0x9050000,
				       .smmu_intid = { 106, 109 },
				       .ecam = 0x3f000000,
				       .ecam_size = 0x100000 };

	(void)state;
	defaults();
	layout.pci = &pci;
	make();
	assert_string("/iommu@9050000", "compatible", "arm,smmu-v3");
	CELLS("/iommu@9050000", "reg", 0, 0x9050000, 0, 0x20000);
	CELLS("/iommu@9050000", "interrupts", 0, 74, 1, 0, 77, 1);
	CELLS("/iommu@9050000", "#iommu-cells", 1);
	assert_true(fdt_getprop(out, node_at("/iommu@9050000"), "dma-coherent", NULL) != NULL);
	assert_int_equal(
		fdt_stringlist_search(out, node_at("/iommu@9050000"), "interrupt-names", "gerror"),
		1);
	CELLS("/pcie@3f000000", "iommu-map", 8, phandle_of("/iommu@9050000"), 8, 1, 16,
	      phandle_of("/iommu@9050000"), 16, 1, 24, phandle_of("/iommu@9050000"), 8, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_bridge),
		cmocka_unit_test(pci_smmu),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_nothing_reserved),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_room),
		cmocka_unit_test(more_ram),
		cmocka_unit_test(handed_down),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
