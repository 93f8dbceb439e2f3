/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From /chosen to VM configurations: Xen's bindings, loose modules, device passthrough, and every
 * error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "boot/config.h"
#include "mm/stage1.h"
#include "dev/pci.h"
#include "dts.h"

/* stage1.c needs the image's own symbols. */
static struct range donated;
struct range stage1_donated(void)
{
	return donated;
}

#define MUTATIONS 20000

#define CELLS "#address-cells = <2>; #size-cells = <1>;"
#define KERNEL(at)                                                                                 \
	"module@" #at " { compatible = \"multiboot,kernel\", \"multiboot,module\";"                \
	"reg = <0 0x" #at " 0x10000>; bootargs = \"args " #at "\"; };"
#define RAMDISK(at)                                                                                \
	"module@" #at " { compatible = \"multiboot,ramdisk\", \"multiboot,module\";"               \
	"reg = <0 0x" #at " 0x20000>; };"
/* Properties come before nodes, so what a case adds is between the two. */
#define HEAD(name) name " { compatible = \"xen,domain\"; " CELLS
#define SIZE "memory = <0 0x10000>; cpus = <2>;"
#define VM_A(props) HEAD("a") SIZE props KERNEL(50000000) " };"
#define VM_B(props) HEAD("b") SIZE props KERNEL(51000000) " };"
/* As QEMU's guest-loader writes them: four cells, whatever /chosen's #...-cells are. */
#define LOOSE(kind, at, more)                                                                      \
	"module@0x" #at " { compatible = \"multiboot,module\", \"multiboot," kind                  \
	"\"; reg = <0 0x" #at " 0 0x100000>; " more " };"

static struct machine m;
static struct vm_configs c;
static const struct range self = { 0x40080000, 0x40000 };

static void read_machine(const char *machine_source, const char *bootargs, const char *chosen)
{
	char *a = dts_edit(machine_source, "\"nidus.x\"", bootargs);
	char *b = dts_edit(a, "/*CHOSEN*/", chosen);
	size_t size;
	void *fdt = dts_tree(b, &size);
	const char *error = fdt_read_machine(&m, fdt, size);

	free(a);
	free(b);
	if (error)
		fail_msg("machine: %s", error);
	config_read(&c, &m, self);
}

static void read_with(const char *bootargs, const char *chosen)
{
	read_machine(dts_machine, bootargs, chosen);
}

static void read_chosen(const char *chosen)
{
	read_with("\"quiet\"", chosen);
}

static void assert_counts(u32 vms, u32 errors, u32 notes)
{
	if (c.count == vms && c.error_count == errors && c.note_count == notes)
		return;
	for (u32 i = 0; i < c.error_count; i++)
		fprintf(stderr, "error: %s\n", c.error[i]);
	for (u32 i = 0; i < c.note_count; i++)
		fprintf(stderr, "note: %s\n", c.note[i]);
	fail_msg("expected %u VMs, %u errors, %u notes, found %u, %u, %u", vms, errors, notes,
		 c.count, c.error_count, c.note_count);
}

static bool is_reserved(u64 base, u64 size)
{
	for (u32 i = 0; i < m.rsv_count; i++)
		if (m.rsv[i].base == base && m.rsv[i].size == size)
			return true;
	return false;
}

static void test_plain(void **state)
{
	(void)state;
	read_chosen(VM_A("") VM_B("vpl011; sve; bootargs = \"domain\";"));
	assert_counts(2, 0, 0);
	assert_string_equal(c.vm[0].name, "a");
	assert_string_equal(c.vm[0].path, "/chosen/a");
	assert_true(c.vm[0].node > 0);
	assert_int_equal(c.vm[0].mem_size, MIB(64));
	assert_int_equal(c.vm[0].cpus, 2);
	assert_false(c.vm[0].vpl011);
	assert_false(c.vm[0].nested || c.vm[0].direct_map || c.vm[0].simd_switch);
	assert_int_equal(c.vm[0].sve, 0);
	assert_int_equal(c.vm[0].stage2_block, 0);
	assert_int_equal(c.vm[0].affinity[0], ~0UL);
	assert_int_equal(c.vm[0].kernel.base, 0x50000000);
	assert_int_equal(c.vm[0].kernel.size, 0x10000);
	assert_int_equal(c.vm[0].ramdisk.size, 0);
	assert_string_equal(c.vm[0].bootargs, "args 50000000");
	assert_true(c.vm[1].vpl011);
	assert_int_equal(c.vm[1].sve, SVE_MAX);
	/* As in Xen the kernel module's bootargs take precedence. */
	assert_string_equal(c.vm[1].bootargs, "args 51000000");
	assert_true(is_reserved(0x50000000, 0x10000));
	assert_true(is_reserved(0x51000000, 0x10000));
}

static void test_options(void **state)
{
	(void)state;
	read_chosen(
		HEAD("a") SIZE
		"vpl011; sve = <256>; nidus,sme = <512>; nidus,nested; nidus,direct-map; nidus,firmware;"
		"nidus,simd = \"switch\"; nidus,stage2-block = <0x200000>; bootargs = \"domain\";"
		"nidus,passthrough = \"disk\", \"/virtio_mmio@a003c00\", \"/virtio_mmio@a003a00\";"
		"vcpu0 { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0,2\"; };"
		"vcpu1 { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"1-2\"; };"
		"kernel { compatible = \"multiboot,kernel\"; reg = <0 0x50000000 0x1000>; };" RAMDISK(
			52000000) " };"
				  "off { compatible = \"xen,domain\"; status = \"disabled\"; };");
	assert_counts(1, 0, 0);
	assert_true(c.vm[0].nested && c.vm[0].direct_map && c.vm[0].simd_switch && c.vm[0].vpl011);
	assert_true(c.vm[0].firmware);
	assert_int_equal(c.vm[0].sve, 256);
	assert_int_equal(c.vm[0].sme, 512);
	assert_int_equal(c.vm[0].stage2_block, MIB(2));
	assert_int_equal(c.vm[0].affinity[0], 5);
	assert_int_equal(c.vm[0].affinity[1], 6);
	assert_string_equal(c.vm[0].bootargs, "domain");
	assert_int_equal(c.vm[0].ramdisk.base, 0x52000000);
	assert_int_equal(c.vm[0].ramdisk.size, 0x20000);
	assert_int_equal(c.vm[0].pass_count, 3);
	assert_int_equal(c.vm[0].pass[0].reg[0].base, 0xa003e00);
	assert_int_equal(c.vm[0].pass[0].intid[0], 79);
	assert_true(c.vm[0].pass[0].edge[0]);
}

static void test_translated_device(void **state)
{
	(void)state;
	read_chosen(VM_A("nidus,passthrough = \"/soc/gadget@1000\";"));
	assert_counts(1, 0, 0);
	assert_int_equal(c.vm[0].pass[0].reg_count, 2);
	assert_int_equal(c.vm[0].pass[0].reg[0].base, 0x10001000);
	assert_int_equal(c.vm[0].pass[0].reg[1].base, 0x20001000);
	assert_int_equal(c.vm[0].pass[0].reg[1].size, 0x100);
	assert_int_equal(c.vm[0].pass[0].intid_count, 2);
	assert_int_equal(c.vm[0].pass[0].intid[1], 93);
	assert_false(c.vm[0].pass[0].edge[0]);
	assert_true(c.vm[0].pass[0].edge[1]);
}

/* Two VMs may start from one file. */
static void test_shared_kernel(void **state)
{
	(void)state;
	read_chosen(VM_A("") HEAD("b") SIZE KERNEL(50000000) " };");
	assert_counts(2, 0, 0);
	assert_int_equal(c.vm[1].kernel.base, 0x50000000);
	assert_int_equal(m.rsv_count, 4);
}

static void test_neighbours(void **state)
{
	(void)state;
	read_chosen(VM_A("nidus,direct-map; nidus,passthrough = \"disk\";"));
	assert_counts(1, 0, 1);
	assert_string_equal(c.note[0],
			    "/chosen/a: passthrough: this VM also reaches 2 other device(s) in "
			    "the same 4 KiB pages, /virtio_mmio@a003a00 first");
}

static void test_foreign_property(void **state)
{
	(void)state;
	read_chosen(VM_A("nr_spis = <64>; shm { compatible = \"xen,domain-shared-memory-v1\"; };"));
	assert_counts(1, 0, 2);
	assert_string_equal(c.note[1],
			    "/chosen/a: nr_spis: nidus does not know this property and ignores it");
}

static void test_loose(void **state)
{
	(void)state;
	read_chosen(LOOSE("ramdisk", 58000000, "")
			    LOOSE("kernel", 50000000, "bootargs = \"x y\";"));
	assert_counts(1, 0, 0);
	assert_string_equal(c.vm[0].name, "guest");
	assert_string_equal(c.vm[0].path, "/chosen/module@0x50000000");
	assert_int_equal(c.vm[0].node, -1);
	assert_int_equal(c.vm[0].mem_size, MIB(512));
	assert_int_equal(c.vm[0].cpus, 2);
	assert_true(c.vm[0].vpl011);
	assert_string_equal(c.vm[0].bootargs, "x y");
	assert_int_equal(c.vm[0].kernel.size, 0x100000);
	assert_int_equal(c.vm[0].ramdisk.base, 0x58000000);
}

static void test_deep(void **state)
{
	(void)state;
	read_chosen(VM_A("nidus,nested = \"deep\";"));
	assert_counts(1, 0, 0);
	assert_true(c.vm[0].nested && c.vm[0].deep);
	read_with("\"nidus.nested=deep nidus.2.nested=1 nidus.3.nested=0\"",
		  LOOSE("kernel", 50000000, "") LOOSE("kernel", 54000000, "")
			  LOOSE("kernel", 58000000, ""));
	assert_counts(3, 0, 0);
	assert_true(c.vm[0].nested && c.vm[0].deep);
	assert_true(c.vm[1].nested && !c.vm[1].deep);
	assert_false(c.vm[2].nested || c.vm[2].deep);
}

/* Of each VM in turn: the default, on, off. */
static void test_iommu(void **state)
{
	(void)state;
	read_chosen(VM_A(""));
	assert_int_equal(c.vm[0].iommu, VM_IOMMU_DEFAULT);
	read_chosen(VM_A("nidus,iommu;"));
	assert_int_equal(c.count, 1);
	assert_int_equal(c.vm[0].iommu, VM_IOMMU_ON);
	read_chosen(VM_A("nidus,iommu = \"off\";"));
	assert_int_equal(c.count, 1);
	assert_int_equal(c.vm[0].iommu, VM_IOMMU_OFF);
	read_chosen(VM_A("nidus,iommu = \"on\";"));
	assert_int_equal(c.count, 0);
}

static void test_nvhe(void **state)
{
	(void)state;
	read_chosen(VM_A("nidus,nested = \"nvhe\";"));
	assert_counts(1, 0, 0);
	assert_true(c.vm[0].nested && c.vm[0].nvhe && !c.vm[0].deep);
	read_with("\"nidus.nested=nvhe nidus.2.nested=nvhe nidus.2.nested=1 nidus.3.nested=nvhe "
		  "nidus.3.nested=deep\"",
		  LOOSE("kernel", 50000000, "") LOOSE("kernel", 54000000, "")
			  LOOSE("kernel", 58000000, ""));
	assert_counts(3, 0, 0);
	assert_true(c.vm[0].nested && c.vm[0].nvhe && !c.vm[0].deep);
	assert_true(c.vm[1].nested && !c.vm[1].nvhe && !c.vm[1].deep);
	assert_true(c.vm[2].nested && !c.vm[2].nvhe && c.vm[2].deep);
}

static void test_simd_default(void **state)
{
	static const struct {
		const char *said;
		u32 sve, sme;
	} row[] = {
		{ "", 0, 0 },
		{ "nidus,nested;", SVE_MAX, SVE_MAX },
		{ "nidus,nested = \"deep\";", SVE_MAX, SVE_MAX },
		{ "nidus,nested = \"nvhe\";", 0, 0 },
		{ "nidus,nested; sve = <0>;", 0, 0 },
		{ "nidus,nested; sve = <256>;", 256, 0 },
		{ "nidus,nested; sve = <256>; nidus,sme = <0>;", 256, 0 },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		char tree[512];

		snprintf(
			tree, sizeof(tree), "%s%s%s", HEAD("a") SIZE, row[i].said,
			" kernel { compatible = \"multiboot,kernel\"; reg = <0 0x50000000 0x1000>; }; };");
		read_chosen(tree);
		assert_counts(1, 0, 0);
		assert_int_equal(c.vm[0].sve, row[i].sve);
		assert_int_equal(c.vm[0].sme, row[i].sme);
	}
}

static void test_loose_several(void **state)
{
	(void)state;
	read_with("\"nidus.2.mem=32 nidus.mem=64 simd.chaos nidus.cpus=1 nidus.2.nested "
		  "nidus.hard-affinity=1-2 nidus.1.sve=max nidus.sme=128 nidus.1.simd=switch "
		  "nidus.stage2-block=2M nidus.1.vpl011=0 nidus.2.direct-map=1 "
		  "nidus.2.passthrough=disk,/pl031@9010000\"",
		  LOOSE("kernel", 54000000, "") LOOSE("kernel", 50000000, "")
			  LOOSE("ramdisk", 55000000, ""));
	assert_counts(2, 0, 1);
	assert_string_equal(c.vm[0].name, "guest1");
	assert_string_equal(c.vm[1].name, "guest2");
	assert_int_equal(c.vm[0].mem_size, MIB(64));
	assert_int_equal(c.vm[1].mem_size, MIB(32));
	assert_int_equal(c.vm[1].cpus, 1);
	assert_false(c.vm[0].nested);
	assert_true(c.vm[1].nested && !c.vm[1].deep);
	assert_int_equal(c.vm[1].affinity[0], 6);
	assert_int_equal(c.vm[0].sve, SVE_MAX);
	assert_int_equal(c.vm[1].sve, 0);
	assert_int_equal(c.vm[1].sme, 128);
	assert_true(c.vm[0].simd_switch);
	assert_false(c.vm[1].simd_switch);
	assert_int_equal(c.vm[0].stage2_block, MIB(2));
	assert_false(c.vm[0].vpl011);
	assert_true(c.vm[1].vpl011);
	assert_true(c.vm[1].direct_map);
	assert_int_equal(c.vm[0].ramdisk.size, 0);
	assert_int_equal(c.vm[1].ramdisk.base, 0x55000000);
	assert_int_equal(c.vm[1].pass_count, 2);
}

/* Each makes one VM fail with this line; b, which every case has too, must start. */
static const struct {
	const char *chosen, *line;
} faults[] = {
	{ HEAD("a") "cpus = <1>;" KERNEL(50000000) "};",
	  "/chosen/a: memory: expected KiB in two cells (8 bytes), found 0 bytes" },
	{ HEAD("a") "memory = <1>; cpus = <1>;" KERNEL(50000000) "};",
	  "/chosen/a: memory: expected KiB in two cells (8 bytes), found 4 bytes" },
	{ HEAD("a") "memory = <0 0>; cpus = <1>;" KERNEL(50000000) "};",
	  "/chosen/a: memory: expected 1 to 0x100000 KiB (the machine's memory), found 0x0" },
	{ HEAD("a") "memory = <0xffffffff 0xfffffff0>; cpus = <1>;" KERNEL(50000000) "};",
	  "/chosen/a: memory: expected 1 to 0x100000 KiB (the machine's memory), found "
	  "0xfffffffffffffff0" },
	{ HEAD("a") "memory = <0 0x1001>; cpus = <1>;" KERNEL(50000000) "};",
	  "/chosen/a: memory: expected a multiple of 4 KiB, found 0x1001 KiB" },
	{ HEAD("a") "memory = <0 0x1000>;" KERNEL(50000000) "};",
	  "/chosen/a: cpus: expected one cell, found no such property" },
	{ HEAD("a") "memory = <0 0x1000>; cpus = <0>;" KERNEL(50000000) "};",
	  "/chosen/a: cpus: expected 1 to 16 vcpus, found 0" },
	{ HEAD("a") "memory = <0 0x1000>; cpus = <17>;" KERNEL(50000000) "};",
	  "/chosen/a: cpus: expected 1 to 16 vcpus, found 17" },
	{ HEAD("a") "memory = <0 0x1000>; cpus = <0 1>;" KERNEL(50000000) "};",
	  "/chosen/a: cpus: expected one cell (4 bytes), found 8 bytes" },
	{ HEAD("a") SIZE "};",
	  "/chosen/a: multiboot,kernel: expected a module with this compatible, found none" },
	{ HEAD("a") SIZE KERNEL(50000000) KERNEL(52000000) "};",
	  "/chosen/a: multiboot,kernel: expected one module, found a second at 0x52000000" },
	{ HEAD("a") SIZE KERNEL(30000000) "};",
	  "/chosen/a/module@30000000: reg: expected a module inside RAM, found 0x30000000 + 0x10000" },
	{ HEAD("a") SIZE KERNEL(7fff8000) "};",
	  "/chosen/a/module@7fff8000: reg: expected a module inside RAM, found 0x7fff8000 + 0x10000" },
	{ HEAD("a") SIZE KERNEL(40078000) "};",
	  "/chosen/a/module@40078000: reg: expected no overlap with nidus (0x40080000 + 0x40000), found "
	  "0x40078000 + 0x10000" },
	{ HEAD("a") SIZE KERNEL(421ff000) "};",
	  "/chosen/a/module@421ff000: reg: expected no overlap with reserved memory (0x42000000 + "
	  "0x200000), found 0x421ff000 + 0x10000" },
	{ HEAD("a") SIZE KERNEL(50000000) RAMDISK(50008000) "};",
	  "/chosen/a/module@50008000: reg: expected no overlap with a module of /chosen/a (0x50000000 + "
	  "0x10000), found 0x50008000 + 0x20000" },
	{ HEAD("a") SIZE KERNEL(51008000) "};",
	  "/chosen/a/module@51008000: reg: expected no overlap with a module of /chosen/b (0x51000000 + "
	  "0x10000), found 0x51008000 + 0x10000" },
	{ HEAD("a") SIZE "m { compatible = \"multiboot,kernel\"; reg = <0 0x50000000 0>; }; };",
	  "/chosen/a/m: reg: expected a size above 0, found 0" },
	{ HEAD("a") SIZE "m { compatible = \"multiboot,kernel\"; reg = <0 0x50000000>; }; };",
	  "/chosen/a/m: reg: expected a multiple of 12 bytes, found 8 bytes" },
	{ HEAD("a") SIZE "m { compatible = \"multiboot,kernel\"; }; };",
	  "/chosen/a/m: reg: expected an address and a size, found no such property" },
	{ HEAD("a") SIZE
	  "m { compatible = \"multiboot,kernel\"; reg = <0 0x50000000 1>; bootargs = [61]; }; };",
	  "/chosen/a/m: bootargs: expected one string, found 1 bytes of something else" },
	{ HEAD("a") SIZE
	  "m { compatible = \"multiboot,device-tree\", \"multiboot,module\"; };" KERNEL(
		  50000000) "};",
	  "/chosen/a/m: compatible: expected \"multiboot,kernel\" or \"multiboot,ramdisk\" beside "
	  "\"multiboot,module\", found neither" },
	{ "a { compatible = \"xen,domain\"; #address-cells = <3>; #size-cells = <1>;" SIZE KERNEL(
		  50000000) "};",
	  "/chosen/a: #address-cells: expected 1 or 2, found 3" },
	{ VM_A("vpl011 = <1>;"), "/chosen/a: vpl011: expected an empty property, found 4 bytes" },
	{ VM_A("nidus,nested = <0>;"),
	  "/chosen/a: nidus,nested: expected one string, found 4 bytes of something else" },
	{ VM_A("nidus,nested = \"twice\";"),
	  "/chosen/a: nidus,nested: expected an empty property, \"deep\" or \"nvhe\", "
	  "found \"twice\"" },
	{ VM_A("sve = <100>;"),
	  "/chosen/a: sve: expected 0, or 128 to 2048 bits in steps of 128, found 100" },
	{ VM_A("sve = <2176>;"),
	  "/chosen/a: sve: expected 0, or 128 to 2048 bits in steps of 128, found 2176" },
	{ VM_A("sve = <65535>;"),
	  "/chosen/a: sve: expected 0, or 128 to 2048 bits in steps of 128, found 65535" },
	{ VM_A("sve = <0 128>;"), "/chosen/a: sve: expected one cell (4 bytes), found 8 bytes" },
	{ VM_A("nidus,sme = <384>;"),
	  "/chosen/a: nidus,sme: expected 0, or a power of two from 128 to 2048 bits, found 384" },
	{ VM_A("nidus,simd = \"lazy\";"),
	  "/chosen/a: nidus,simd: expected \"live\" or \"switch\", found \"lazy\"" },
	{ VM_A("nidus,stage2-block = <0x10000>;"),
	  "/chosen/a: nidus,stage2-block: expected 0x1000, 0x200000 or 0x40000000, found 0x10000" },
	{ VM_A("nidus,stage2-block = <0 0x1000>;"),
	  "/chosen/a: nidus,stage2-block: expected one cell (4 bytes), found 8 bytes" },
	{ VM_A("nidus,netsed;"),
	  "/chosen/a: nidus,netsed: expected nidus,nested, nidus,sme, nidus,simd, nidus,stage2-block, "
	  "nidus,direct-map, nidus,firmware, nidus,passthrough, nidus,pci, nidus,its or nidus,iommu, found this" },
	{ VM_A("nidus,pci = <1>;"),
	  "/chosen/a: nidus,pci: expected a list of strings, found something else" },
	{ VM_A("nidus,pci = \"0000:00:01.0\", \"0000:00:01.0\";"),
	  "/chosen/a: nidus,pci: expected each device once, found 0000:00:01.0 twice" },
	{ VM_A("nidus,pci = \"0000:00:01.0\", \"0000:00:01.1\", \"0000:00:01.2\", \"0000:00:01.3\","
	       "\"0000:00:01.4\", \"0000:00:01.5\", \"0000:00:01.6\", \"0000:00:01.7\", \"0000:00:02.0\";"),
	  "/chosen/a: nidus,pci: expected at most 8 PCI functions, found more" },
	{ VM_A("v { compatible = \"xen,vcpu\"; };"),
	  "/chosen/a/v: id: expected one cell, found no such property" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <2>; };"),
	  "/chosen/a/v: id: expected a number below 2 not used before, found 2" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <1>; }; w { compatible = \"xen,vcpu\"; id = <1>; };"),
	  "/chosen/a/w: id: expected a number below 2 not used before, found 1" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0-3\"; };"),
	  "/chosen/a/v: hard-affinity: expected CPUs 0 to 2, found 3" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"2-1\"; };"),
	  "/chosen/a/v: hard-affinity: expected a list of CPUs such as \"0-3,5\", found \"2-1\"" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"\"; };"),
	  "/chosen/a/v: hard-affinity: expected a list of CPUs such as \"0-3,5\", found \"\"" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"1,\"; };"),
	  "/chosen/a/v: hard-affinity: expected a list of CPUs such as \"0-3,5\", found \"1,\"" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = <1>; };"),
	  "/chosen/a/v: hard-affinity: expected one string, found 4 bytes of something else" },
	{ VM_A("v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"99999999999999999999\"; };"),
	  "/chosen/a/v: hard-affinity: expected a list of CPUs such as \"0-3,5\", found "
	  "\"99999999999999999999\"" },
};

/* The same for devices; b has pl031 and the gadget. */
#define PASS(list) VM_A("nidus,passthrough = " list ";")
#define PASS_LINE "/chosen/a: nidus,passthrough: expected "
#define UNUSED_LINE PASS_LINE "a device of the machine's that nidus does not use, found "
static const struct {
	const char *chosen, *line;
} pass_faults[] = {
	{ PASS("<1>"), PASS_LINE "a list of strings, found something else" },
	{ PASS("\"/nothing\""), PASS_LINE "the path or alias of a device, found \"/nothing\"" },
	{ PASS("\"\""), PASS_LINE "the path or alias of a device, found \"\"" },
	{ PASS("\"/pl011@9000000\""), UNUSED_LINE "/pl011@9000000: nidus's own UART" },
	{ PASS("\"serial0\""), UNUSED_LINE "serial0: nidus's own UART" },
	{ PASS("\"/intc@8000000\""), UNUSED_LINE "/intc@8000000: a part of the GIC" },
	{ PASS("\"/intc@8000000/its@8080000\""),
	  UNUSED_LINE "/intc@8000000/its@8080000: a part of the GIC" },
	{ PASS("\"/memory@40000000\""), UNUSED_LINE "/memory@40000000: memory" },
	{ PASS("\"/cpus/cpu@1\""), UNUSED_LINE "/cpus/cpu@1: a CPU" },
	{ PASS("\"/timer\""), UNUSED_LINE "/timer: the timer" },
	{ PASS("\"/soc\""), UNUSED_LINE "/soc: one without reg" },
	{ PASS("\"/soc/off@4000\""), UNUSED_LINE "/soc/off@4000: a disabled one" },
	{ PASS("\"/soc/odd@2000\""),
	  PASS_LINE "SPIs (INTID 32 to 1019), found /soc/odd@2000 with 23" },
	{ PASS("\"/soc/far@900000\""),
	  "/soc: ranges: expected an entry for 0x900000 + 0x1000, found none" },
	{ PASS("\"/reserved-memory/secure@42000000\""), PASS_LINE
	  "pages without anything of nidus's, found /reserved-memory/secure@42000000 in a page "
	  "with the machine's RAM" },
	{ PASS("\"disk\""), PASS_LINE
	  "direct-map with a device that masters memory, found /virtio_mmio@a003e00 without" },
	{ PASS("\"/pl011@9040000\", \"/pl011@9040000\""),
	  PASS_LINE "each device once, found /pl011@9040000 twice" },
	{ PASS("\"/pl031@9010000\""),
	  PASS_LINE "a device that no other VM has, found /pl031@9010000: /chosen/b has it" },
};

static void assert_fault(const char *line)
{
	if (c.count != 1 || strcmp(c.vm[0].name, "b"))
		fail_msg("\"%s\": expected b alone to start, found %u VMs", line, c.count);
	if (c.error_count != 1 || strcmp(c.error[0], line))
		fail_msg("expected \"%s\"\nfound    \"%s\" (%u errors)", line,
			 c.error_count ? c.error[0] : "no error", c.error_count);
}

static void test_faults(void **state)
{
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		snprintf(text, sizeof(text), "%s%s", VM_B(""), faults[i].chosen);
		read_chosen(text);
		assert_fault(faults[i].line);
	}
}

/* RAM that nidus took for its own tables before any module was known. */
static void test_module_over_tables(void **state)
{
	(void)state;
	donated = (struct range){ 0x50008000, 0x4000 };
	read_chosen(VM_B("") HEAD("a") SIZE KERNEL(50000000) "};");
	assert_fault(
		"/chosen/a/module@50000000: reg: expected no overlap with nidus's tables (0x50008000 + 0x4000), "
		"found 0x50000000 + 0x10000");
	donated.base = 0x50010000;
	read_chosen(VM_B("") HEAD("a") SIZE KERNEL(50000000) "};");
	assert_int_equal(c.count, 2);
	donated.size = 0;
}

static void test_pass_faults(void **state)
{
	char text[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pass_faults); i++) {
		snprintf(text, sizeof(text), "%s%s",
			 VM_B("nidus,passthrough = \"/pl031@9010000\", \"/soc/gadget@1000\";"),
			 pass_faults[i].chosen);
		read_chosen(text);
		assert_fault(pass_faults[i].line);
	}
}

/* Another VM has the page, or the interrupt. */
static void test_pass_shared(void **state)
{
	(void)state;
	read_chosen(VM_B("nidus,direct-map; nidus,passthrough = \"disk\";") VM_A(
		"nidus,direct-map; nidus,passthrough = \"/virtio_mmio@a003a00\";"));
	assert_fault(PASS_LINE
		     "a device that no other VM has, found /virtio_mmio@a003a00: /chosen/b has "
		     "another in its page");
	read_chosen(VM_B("nidus,passthrough = \"/pl031@9010000\";")
			    VM_A("nidus,passthrough = \"/soc/twin@5000\";"));
	assert_fault(PASS_LINE
		     "a device that no other VM has, found /soc/twin@5000: /chosen/b has its "
		     "interrupt");
}

/*
 * What a faulty VM's loader put into RAM is not freed; a device that it named is free for others.
 */
static void test_faulty_keeps_modules(void **state)
{
	(void)state;
	read_chosen(HEAD("a") "cpus = <1>; nidus,passthrough = \"/pl031@9010000\";" KERNEL(50000000)
			    RAMDISK(52000000) "};" VM_B("nidus,passthrough = \"/pl031@9010000\";"));
	assert_fault("/chosen/a: memory: expected KiB in two cells (8 bytes), found 0 bytes");
	assert_true(is_reserved(0x50000000, 0x10000));
	assert_true(is_reserved(0x52000000, 0x20000));
	assert_int_equal(c.vm[0].pass_count, 1);
}

static const struct {
	const char *args, *line;
} arg_faults[] = {
	{ "nidus.mem=0",
	  "nidus.mem: expected 1 to 0x100000 KiB (the machine's memory), found 0x0" },
	{ "nidus.mem=1G", "nidus.mem: expected MiB as a decimal number, found \"1G\"" },
	{ "nidus.mem=99999999999999999999", "nidus.mem: expected MiB as a decimal number, found "
					    "\"99999999999999999999\"" },
	{ "nidus.mem=", "nidus.mem: expected MiB as a decimal number, found \"\"" },
	{ "nidus.cpus=17", "nidus.cpus: expected 1 to 16 vcpus, found 17" },
	{ "nidus.1.cpus=x", "nidus.1.cpus: expected a decimal number, found \"x\"" },
	{ "nidus.iommu=2", "nidus.iommu: expected 0 or 1, found \"2\"" },
	{ "nidus.nested=yes", "nidus.nested: expected 0, 1, deep or nvhe, found \"yes\"" },
	{ "nidus.nested=deeper", "nidus.nested: expected 0, 1, deep or nvhe, found \"deeper\"" },
	{ "nidus.simd=lazy", "nidus.simd: expected \"live\" or \"switch\", found \"lazy\"" },
	{ "nidus.sve=100",
	  "nidus.sve: expected 0, or 128 to 2048 bits in steps of 128, found 100" },
	{ "nidus.sme=all",
	  "nidus.sme: expected \"max\", 0, or 128 to 2048 bits in steps of 128, found "
	  "\"all\"" },
	{ "nidus.stage2-block=4096", "nidus.stage2-block: expected 4K, 2M or 1G, found \"4096\"" },
	{ "nidus.hard-affinity=3", "nidus.hard-affinity: expected CPUs 0 to 2, found 3" },
	{ "nidus.passthrough=disk",
	  "nidus.passthrough: expected direct-map with a device that masters memory, found "
	  "/virtio_mmio@a003e00 without" },
	{ "nidus.passthrough=/pl031@9010000,",
	  "nidus.passthrough: expected the path or alias of a device, found \"\"" },
	{ "nidus.pci=0000:00:01.0,",
	  "nidus.pci: expected a PCI function such as 0000:00:01.0, found \"\"" },
	{ "nidus.mmm=1",
	  "nidus.mmm: expected mem, cpus, vpl011, sve, sme, simd, nested, stage2-block, "
	  "direct-map, firmware, passthrough, pci, its, iommu or hard-affinity, found \"mmm\"" },
	{ "nidus.",
	  "nidus.: expected mem, cpus, vpl011, sve, sme, simd, nested, stage2-block, "
	  "direct-map, firmware, passthrough, pci, its, iommu or hard-affinity, found \"\"" },
};

/* Names as Linux writes them, and no others: there is one for each function. */
static void test_pci(void **state)
{
	static const char *const bad[] = { "", "0000:00:01", "0000:00:01.8", "0000:00:20.0", "000:00:01.0",
					   "0000:00:01.00", "0000.00:01.0", "0000:0g:01.0", "0000:00:0A.0",
					   "00000:00:01.0", "0000:00:01.0 " };
	char args[512];

	(void)state;
	read_chosen(VM_A("nidus,pci = \"0000:00:01.0\", \"00ff:af:1f.7\";") VM_B("nidus,pci = \"0000:00:01.1\";"));
	assert_counts(2, 0, 0);
	assert_int_equal(c.vm[0].pci_count, 2);
	assert_string_equal(c.vm[0].pci[0], "0000:00:01.0");
	assert_string_equal(c.vm[0].pci[1], "00ff:af:1f.7");
	assert_string_equal(c.vm[1].pci[0], "0000:00:01.1");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(args, sizeof(args), HEAD("a") SIZE "nidus,pci = \"%s\";" KERNEL(50000000) "};", bad[i]);
		read_chosen(args);
		assert_counts(0, 1, 0);
		assert_non_null(strstr(c.error[0], "expected a PCI function such as 0000:00:01.0"));
	}
	read_chosen(VM_A("nidus,pci = \"0000:00:01.0\";") VM_B("nidus,pci = \"0000:00:02.0\", \"0000:00:01.0\";"));
	assert_counts(1, 1, 0);
	assert_string_equal(c.error[0], "/chosen/b: nidus,pci: expected a device that no other VM has, found "
					"0000:00:01.0: /chosen/a has it");
	read_with("\"nidus.pci=0000:00:03.0,0000:01:03.1\"", LOOSE("kernel", 53000000, ""));
	assert_counts(1, 0, 0);
	assert_int_equal(c.vm[0].pci_count, 2);
	assert_string_equal(c.vm[0].pci[1], "0000:01:03.1");
}

static void test_arg_faults(void **state)
{
	char args[128], line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(arg_faults); i++) {
		snprintf(args, sizeof(args), "\"%s\"", arg_faults[i].args);
		snprintf(line, sizeof(line), "/chosen/module@0x53000000: %s", arg_faults[i].line);
		read_with(args, VM_B("") LOOSE("kernel", 53000000, ""));
		assert_fault(line);
	}
}

static void test_loose_faults(void **state)
{
	(void)state;
	read_chosen(VM_B("") LOOSE("ramdisk", 53000000, ""));
	assert_fault(
		"/chosen/module@0x53000000: reg: expected a kernel module at a lower address, found "
		"this ramdisk first");
	read_chosen(VM_B("") LOOSE("kernel", 53000000, "") LOOSE("ramdisk", 54000000, "")
			    LOOSE("ramdisk", 55000000, ""));
	assert_fault(
		"/chosen/module@0x53000000: multiboot,ramdisk: expected one module, found a second "
		"at 0x55000000");
	read_with("\"nidus.mem=64\"", VM_B(""));
	assert_counts(1, 0, 1);
	read_with("\"nidus.2.mem=64\"", LOOSE("kernel", 53000000, ""));
	assert_counts(1, 0, 1);
	assert_int_equal(c.vm[0].mem_size, MIB(512));
}

static void test_too_many(void **state)
{
	char text[16384], *p = text;

	(void)state;
	for (int i = 0; i < VM_CONFIG_MAX + 2; i++)
		p += sprintf(p, HEAD("v%d") SIZE KERNEL(50000000) "};", i);
	read_chosen(text);
	assert_counts(VM_CONFIG_MAX, 2, 0);
	assert_string_equal(c.error[0],
			    "/chosen/v16: compatible: expected at most 16 VMs, found more");
	p = text;
	for (int i = 0; i < 2 * VM_CONFIG_MAX + 5; i++)
		p += sprintf(p, HEAD("v%d") "};", i);
	read_chosen(text);
	assert_counts(0, VM_CONFIG_MAX, 0);
}

static void test_nothing(void **state)
{
	(void)state;
	read_chosen("");
	assert_counts(0, 0, 0);
}

/* Random bytes anywhere in the tree: no read outside it, no VM that breaks the rules. */
static void test_mutations(void **state)
{
	char *source = dts_edit(
		dts_machine, "/*CHOSEN*/",
		HEAD("a") SIZE
		"vpl011; sve; nidus,direct-map;"
		"nidus,passthrough = \"disk\", \"/soc/gadget@1000\";"
		"v { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"0-1\"; };" KERNEL(
			50000000) RAMDISK(52000000) "};" VM_B("") LOOSE("kernel", 53000000, "")
			LOOSE("ramdisk", 54000000, ""));
	u64 seed = 0x123456789abcdef1UL;
	size_t size;
	u8 *tree = dts_compile(source, &size), *at = guard_place(size);
	u32 machines = 0, vms = 0;

	(void)state;
	for (u32 i = 0; i < MUTATIONS; i++) {
		memcpy(at, tree, size);
		for (u32 n = 1 + (u32)(dts_random(&seed) % 3); n; n--)
			at[40 + dts_random(&seed) % (size - 40)] = (u8)dts_random(&seed);
		if (fdt_read_machine(&m, at, size))
			continue;
		machines++;
		config_read(&c, &m, self);
		vms += c.count;
		for (u32 v = 0; v < c.count; v++) {
			assert_in_range(c.vm[v].cpus, 1, VM_VCPUS_MAX);
			assert_true(c.vm[v].mem_size && IS_ALIGNED(c.vm[v].mem_size, 4096));
			assert_true(machine_is_ram(&m, c.vm[v].kernel.base, c.vm[v].kernel.size));
			assert_true(!c.vm[v].ramdisk.size ||
				    machine_is_ram(&m, c.vm[v].ramdisk.base, c.vm[v].ramdisk.size));
			for (u32 p = 0; p < c.vm[v].pass_count; p++)
				for (u32 r = 0; r < c.vm[v].pass[p].reg_count; r++)
					assert_false(
						machine_is_ram(&m, c.vm[v].pass[p].reg[r].base, 1));
		}
	}
	printf("%u mutated trees: %u machines, %u VMs\n", MUTATIONS, machines, vms);
	assert_true(machines > MUTATIONS / 100 && vms > machines);
	free(tree);
	free(source);
}

/* A device behind an SMMU needs no direct-map; one of which that is not sure does. */
static void test_pass_smmu(void **state)
{
	static const struct {
		const char *iommus, *cells;
		u32 streams;
	} cases[] = {
		{ "<0x77 3>", "<1>", 1 },	   { "<0x77 3>, <0x77 9>", "<1>", 2 },
		{ "<0x77 3>, <0x99 9>", "<1>", 0 }, { "<0x77>", "<1>", 0 },
		{ "<0x77 3 4>", "<1>", 0 },	   { "<0x77 3>", "<2>", 0 },
		{ "<0x77 1 0x77 2 0x77 3 0x77 4 0x77 5>", "<1>", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char nodes[512];
		char *machine_source;

		snprintf(nodes, sizeof(nodes),
			 "smmu@9050000 { compatible = \"arm,smmu-v3\"; phandle = <0x77>; "
			 "#iommu-cells = %s; reg = <0 0x9050000 0 0x20000>; };\n"
			 "dma@b000000 { compatible = \"acme,dma\"; iommus = %s; "
			 "reg = <0 0xb000000 0 0x1000>; };\n	aliases {",
			 cases[i].cells, cases[i].iommus);
		machine_source = dts_edit(dts_machine, "	aliases {", nodes);
		read_machine(machine_source, "\"quiet\"", VM_B("nidus,passthrough = \"/dma@b000000\";"));
		free(machine_source);
		if (cases[i].streams) {
			assert_int_equal(c.error_count, 0);
			assert_int_equal(c.vm[0].pass[0].stream_count, cases[i].streams);
			assert_int_equal(c.vm[0].pass[0].stream[0].sid, 3);
			assert_int_equal(c.vm[0].pass[0].stream[0].smmu,
					 fdt_path_offset(m.fdt, "/smmu@9050000"));
		} else {
			assert_int_equal(c.error_count, 1);
			assert_non_null(strstr(c.error[0], "expected direct-map with a device that "
							   "masters memory, found /dma@b000000 without"));
		}
	}
}

/* nidus's own words: of no VM, and each with its own complaint. */
static void test_own_words(void **state)
{
	static const char *const bad[] = { "0000:01:00.0", "0000:01:00.0:", "0000:01:00.0:x", "0:1.0:2",
					   "0000:01:00.0:1,", "0000:01:00.0:1,,0000:01:00.0:2", ",",
					   "0000:01:00.0:99999999999", "0000:01:00.8:1" };
	struct pci_vfs vfs[PCI_VFS_MAX];
	char line[192] = "", text[400];
	u64 mib;

	(void)state;
	assert_int_equal(config_pci_vfs("stats nidus.mem=3", vfs, line, sizeof(line)), 0);
	assert_int_equal(config_pci_vfs("a nidus.pci-vfs=0000:01:00.0:2,0001:02:1f.7:16 b", vfs, line,
					sizeof(line)),
			 2);
	assert_string_equal(vfs[0].name, "0000:01:00.0");
	assert_int_equal(vfs[0].count, 2);
	assert_string_equal(vfs[1].name, "0001:02:1f.7");
	assert_int_equal(vfs[1].count, 16);
	assert_string_equal(line, "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "nidus.pci-vfs=%s", bad[i]);
		line[0] = '\0';
		if (!strcmp(bad[i], "0000:01:00.0:1,")) { /* as in other lists, nothing follows */
			assert_int_equal(config_pci_vfs(text, vfs, line, sizeof(line)), 1);
			continue;
		}
		assert_int_equal(config_pci_vfs(text, vfs, line, sizeof(line)), -1);
		assert_non_null(strstr(line, "nidus.pci-vfs: expected at most 8 PCI functions"));
	}
	/* More than there is room for, or longer than any word. */
	strcpy(text, "nidus.pci-vfs=");
	for (u32 i = 0; i < 9; i++)
		strcat(text, "0000:01:00.0:1,");
	assert_int_equal(config_pci_vfs(text, vfs, line, sizeof(line)), -1);
	for (u32 i = 0; i < 9; i++)
		strcat(text, "0000:01:00.0:1,");
	assert_int_equal(config_pci_vfs(text, vfs, line, sizeof(line)), -1);
	assert_true(config_trace("nidus.pci-vfs=0000:01:00.0:2 nidus.trace=64", &mib) && mib == 64);
	assert_true(config_trace("x", &mib) && mib == 0);
	assert_false(config_trace("nidus.trace=", &mib));
	assert_false(config_trace("nidus.trace=123456789", &mib));
	assert_false(config_trace("nidus.trace=4097", &mib));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_words),
		cmocka_unit_test(test_pass_smmu),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_translated_device),
		cmocka_unit_test(test_shared_kernel),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_foreign_property),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_nvhe),
		cmocka_unit_test(test_iommu),
		cmocka_unit_test(test_simd_default),
		cmocka_unit_test(test_loose_several),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_module_over_tables),
		cmocka_unit_test(test_pass_faults),
		cmocka_unit_test(test_pass_shared),
		cmocka_unit_test(test_faulty_keeps_modules),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_arg_faults),
		cmocka_unit_test(test_loose_faults),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_mutations),
	};

	feat.pa_bits = 48;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
