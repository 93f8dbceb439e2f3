/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain's sub-node `chosen` hands down to the VM's own VMs, and every error in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "boot/config.h"
#include "dts.h"
#include "mm/stage1.h"

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

#define CELLS "#address-cells = <2>; #size-cells = <1>;"
#define MODULE(kind, at, size)                                                                     \
	"module@" #at " { compatible = \"multiboot," kind "\", \"multiboot,module\";"              \
	"reg = <0 0x" #at " " #size ">; };"
#define VM(name, inside)                                                                           \
	name " { compatible = \"xen,domain\"; " CELLS " memory = <0 0x10000>; cpus = <1>;"         \
	     inside " };"
#define INNER(inside) VM("inner", MODULE("kernel", 51000000, 0x2000) inside)
#define OUTER(inside)                                                                              \
	VM("outer", MODULE("kernel", 50000000, 0x1000) "chosen { " CELLS inside " };")

static struct machine m;
static struct vm_configs c;
static void *tree;

static void read_chosen(const char *chosen)
{
	char *source = dts_edit(dts_machine, "/*CHOSEN*/", chosen);
	const char *error;
	size_t size;

	tree = dts_tree(source, &size);
	error = fdt_read_machine(&m, tree, size);
	free(source);
	if (error)
		fail_msg("machine: %s", error);
	config_read(&c, &m, (struct range){ 0x40080000, 0x40000 });
}

static bool is_reserved(u64 base, u64 size)
{
	for (u32 i = 0; i < m.rsv_count; i++)
		if (m.rsv[i].base == base && m.rsv[i].size == size)
			return true;
	return false;
}

static void good(u32 vms)
{
	for (u32 i = 0; i < c.error_count; i++)
		fprintf(stderr, "error: %s\n", c.error[i]);
	assert_int_equal(c.error_count, 0);
	assert_int_equal(c.count, vms);
}

static void refused(const char *chosen, const char *line)
{
	read_chosen(chosen);
	assert_int_equal(c.count, 0);
	assert_int_equal(c.error_count, 1);
	if (!strstr(c.error[0], line))
		fail_msg("expected \"%s\", found \"%s\"", line, c.error[0]);
}

static const char *path_of(int node)
{
	static char path[128];

	assert_int_equal(fdt_get_path(tree, node, path, sizeof(path)), 0);
	return path;
}

static void nothing(void **state)
{
	(void)state;
	read_chosen(VM("outer", MODULE("kernel", 50000000, 0x1000)));
	good(1);
	assert_int_equal(c.vm[0].chosen, 0);
	assert_int_equal(c.vm[0].handed_count, 0);
	/* Empty, and one that is switched off. */
	read_chosen(OUTER(""));
	good(1);
	assert_string_equal(path_of(c.vm[0].chosen), "/chosen/outer/chosen");
	read_chosen(VM("outer", MODULE("kernel", 50000000, 0x1000) "chosen {"
			"status = \"disabled\";" MODULE("kernel", 30000000, 0x1000) "};"));
	good(1);
	assert_int_equal(c.vm[0].chosen, 0);
}

static void modules(void **state)
{
	(void)state;
	/* A domain's, a loose one, and one that nidus has no name for. */
	read_chosen(OUTER(INNER(MODULE("ramdisk", 52000000, 0x3000))
				  MODULE("kernel", 53000000, 0x4000)
					  "dtb@54000000 { compatible = \"multiboot,device-tree\","
					  "\"multiboot,module\"; reg = <0 0x54000000 0x500>; };"));
	good(1);
	/* its own properties are not handed down */
	assert_int_equal(c.vm[0].kernel.base, 0x50000000);
	assert_int_equal(c.vm[0].ramdisk.size, 0);
	assert_int_equal(c.vm[0].handed_count, 4);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(c.vm[0].handed[i].file.base, 0x51000000 + 0x1000000UL * i);
	assert_int_equal(c.vm[0].handed[3].file.size, 0x500);
	assert_string_equal(path_of(c.vm[0].handed[1].node),
			    "/chosen/outer/chosen/inner/module@52000000");
	assert_true(is_reserved(0x51000000, 0x2000) && is_reserved(0x52000000, 0x3000) &&
		    is_reserved(0x53000000, 0x4000) && is_reserved(0x54000000, 0x500));
}

/* A domain in a domain in a domain: all of it belongs to the first one. */
static void deep(void **state)
{
	(void)state;
	read_chosen(OUTER(INNER("chosen { " CELLS VM("innermost",
						      MODULE("kernel", 52000000, 0x1000)) "};")));
	good(1);
	assert_int_equal(c.vm[0].handed_count, 2);
	assert_string_equal(path_of(c.vm[0].handed[1].node),
			    "/chosen/outer/chosen/inner/chosen/innermost/module@52000000");
}

/* Modules are only read, so one file may be used by many: the VM itself, its guests, another VM. */
static void one_file(void **state)
{
	(void)state;
	read_chosen(OUTER(VM("x", MODULE("kernel", 50000000, 0x1000))
				  VM("y", MODULE("kernel", 50000000, 0x1000)))
			    VM("other", MODULE("kernel", 50000000, 0x1000)));
	good(2);
	assert_int_equal(c.vm[0].handed_count, 2);
}

/* Cells are the parent's, or the root's. */
static void cells(void **state)
{
	(void)state;
	read_chosen(VM("outer", MODULE("kernel", 50000000, 0x1000)
			"chosen { k { compatible = \"multiboot,kernel\";"
			"reg = <0 0x51000000 0 0x2000>; };"
			"inner { #address-cells = <1>; #size-cells = <1>;"
			"compatible = \"xen,domain\"; k { compatible = \"multiboot,kernel\";"
			"reg = <0x52000000 0x3000>; }; }; };"));
	good(1);
	assert_int_equal(c.vm[0].handed[0].file.base, 0x51000000);
	assert_int_equal(c.vm[0].handed[0].file.size, 0x2000);
	assert_int_equal(c.vm[0].handed[1].file.base, 0x52000000);
	assert_int_equal(c.vm[0].handed[1].file.size, 0x3000);
}

static void faults(void **state)
{
	(void)state;
	refused(OUTER(INNER(MODULE("ramdisk", 30000000, 0x1000))),
		"/chosen/outer/chosen/inner/module@30000000: reg: expected a module inside RAM, "
		"found 0x30000000 + 0x1000");
	refused(OUTER(MODULE("kernel", 40080000, 0x1000)), "expected no overlap with nidus");
	refused(OUTER(MODULE("kernel", 50000800, 0x1000)),
		"expected no overlap with a module of /chosen/outer");
	refused(OUTER(MODULE("kernel", 51000000, 0)), "expected a size above 0, found 0");
	refused(OUTER("m { compatible = \"multiboot,kernel\"; };"), "reg:");
	refused(OUTER("bootargs = \"x\";"),
		"/chosen/outer/chosen: bootargs: expected it in the domain's node or its modules");
	refused(OUTER("linux,initrd-start = <0 0>;"), "linux,initrd-start: expected it in");
	refused(OUTER("l: x { }; y { z = <&l>; };"), "phandle: expected no references to a node");
	refused(VM("outer", MODULE("kernel", 50000000, 0x1000) "chosen { }; chosen@1 { };"),
		"chosen: expected one, found a second");
}

static void bounds(void **state)
{
	char text[8192] = "", one[256], all[8192 + 512];

	(void)state;
	/* 16 modules, not 17. */
	for (u32 i = 0; i < 17; i++) {
		snprintf(one, sizeof(one),
			 "m%u { compatible = \"multiboot,kernel\"; reg = <0 0x%x 0x1000>; };", i,
			 0x51000000 + i * 0x10000);
		strcat(text, one);
		if (i < 15)
			continue;
		snprintf(all, sizeof(all),
			 VM("outer", MODULE("kernel", 50000000, 0x1000) "chosen { " CELLS "%s };"),
			 text);
		if (i == 16)
			refused(all, "expected at most 16 modules, found more");
		else {
			read_chosen(all);
			good(1);
			assert_int_equal(c.vm[0].handed_count, 16);
		}
	}
	/* And 16 nodes inside one another. */
	for (u32 depth = 16; depth <= 17; depth++) {
		text[0] = '\0';
		for (u32 i = 0; i < depth; i++)
			strcat(text, "n { ");
		for (u32 i = 0; i < depth; i++)
			strcat(text, "}; ");
		snprintf(all, sizeof(all),
			 VM("outer", MODULE("kernel", 50000000, 0x1000) "chosen { " CELLS "%s };"),
			 text);
		if (depth == 16) {
			read_chosen(all);
			good(1);
		} else {
			refused(all, "expected at most 16 nodes inside one another");
		}
	}
}

/* The files of a VM that does not start are not freed either. */
static void faulty_keeps_modules(void **state)
{
	(void)state;
	refused(VM("outer", "chosen { " CELLS INNER("") "};"), "multiboot,kernel: expected a module");
	assert_true(is_reserved(0x51000000, 0x2000));
	refused(OUTER("bootargs = \"x\";" INNER("")), "bootargs");
	assert_true(is_reserved(0x51000000, 0x2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing), cmocka_unit_test(modules),
		cmocka_unit_test(deep),    cmocka_unit_test(one_file),
		cmocka_unit_test(cells),   cmocka_unit_test(faults),
		cmocka_unit_test(bounds),  cmocka_unit_test(faulty_keeps_modules),
	};

	feat.pa_bits = 48;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
