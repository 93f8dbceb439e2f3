/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree that is made under UEFI of the machine's, the configuration and the memory map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "arch/feat.h"
#include "boot/config.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "dts.h"
#include "mm/stage1.h"

#define CONFIG(chosen) "/dts-v1/; / { chosen { " chosen " }; };"
#define DOMAIN(name, modules)                                                                      \
	name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <2>;"            \
	     " memory = <0 0x10000>; cpus = <1>; " modules " };"
#define KERNEL(prop) "k { compatible = \"multiboot,kernel\", \"multiboot,module\"; " prop " };"

/* stage1.c needs the image's own symbols. */
struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

static struct efi_machine e;
static struct machine m;
static struct vm_configs found;
static unsigned char buf[1 << 20] __attribute__((aligned(8)));

/* The machine's tree and a configuration, either NULL; the memory is the tree's own and more. */
static void begin(const char *tree, const char *config)
{
	size_t size;

	free((void *)e.tree);
	free((void *)e.config);
	memset(&e, 0, sizeof(e));
	e.tree = tree ? dts_compile(tree, &size) : NULL;
	e.config = config ? dts_compile(config, &size) : NULL;
	e.options = "";
	e.ram[0] = (struct range){ 0x40000000, 0x20000000 };
	e.ram[1] = (struct range){ 0x880000000, 0x100000000 };
	e.ram_count = 2;
}

/* List the files and give them places, as if read. */
static const char *read_files(void)
{
	const char *error = efi_tree_files(&e);

	for (u32 i = 0; i < e.modules; i++)
		e.module[i].at = (struct range){ 0x48000000 + i * 0x100000UL, 0x1000 + i };
	return error;
}

static void write_tree(void)
{
	const char *error = read_files();

	if (!error)
		error = efi_tree_write(&e, buf, sizeof(buf));
	if (!error)
		error = fdt_read_machine(&m, buf, sizeof(buf));
	if (error)
		fail_msg("%s", error);
	config_read(&found, &m, (struct range){ 0x41000000, 0x200000 });
}

static void assert_error(const char *error, const char *like)
{
	if (!error || !strstr(error, like))
		fail_msg("expected \"...%s...\", found \"%s\"", like, error ? error : "no error");
}

static void assert_string(const char *path, const char *prop, const char *value)
{
	int node = fdt_path_offset(buf, path);
	const char *s = node < 0 ? NULL : fdt_getprop(buf, node, prop, NULL);

	if (!s || strcmp(s, value) != 0)
		fail_msg("%s: %s: expected \"%s\", found \"%s\"", path, prop, value, s ? s : "-");
}

/* The firmware's tree alone: memory from the map, all else as it was. */
static void test_machine_alone(void **state)
{
	(void)state;
	begin(dts_machine, NULL);
	write_tree();
	assert_int_equal(m.mem_count, 2);
	assert_int_equal(m.mem[0].base, 0x40000000);
	assert_int_equal(m.mem[0].size, 0x20000000);
	assert_int_equal(m.mem[1].base, 0x880000000);
	assert_int_equal(m.cpu_count, 3);
	assert_int_equal(m.gicd.base, 0x8000000);
	assert_int_equal(m.uart.base, 0x9000000);
	assert_string_equal(m.bootargs, "nidus.x");
	assert_int_equal(fdt_num_mem_rsv(buf), 0);
	assert_int_equal(fdt_path_offset(buf, "/memory@40000000") >= 0, 1);
	assert_int_equal(found.count, 0);
}

static void test_options(void **state)
{
	(void)state;
	begin(dts_machine, NULL);
	e.options = "one two";
	write_tree();
	assert_string_equal(m.bootargs, "nidus.x one two");
	begin(dts_machine, CONFIG("bootargs = \"three\";"));
	e.options = "four";
	write_tree();
	assert_string_equal(m.bootargs, "three four");
	begin("/dts-v1/; / { };", NULL);
	e.options = "five";
	e.ram_count = 1;
	assert_null(efi_tree_write(&e, buf, sizeof(buf)));
	assert_string("/chosen", "bootargs", "five");
	assert_int_equal(m.time, 0);
	begin(dts_machine, CONFIG("nidus,time = <9 9 9 9>;"));
	write_tree();
	assert_int_equal(m.time, 0);
	e.time = 0x100000002;
	e.time_ticks = 0x300000004;
	write_tree();
	assert_int_equal(m.time, 0x100000002);
	assert_int_equal(m.time_ticks, 0x300000004);
}

/* One file for two VMs, one by Xen's name for it; at the cells of the node or the root. */
static void test_modules(void **state)
{
	(void)state;
	begin(dts_machine,
	      CONFIG(DOMAIN("a", KERNEL("nidus,file = \"Image\"; bootargs = \"x\";")) DOMAIN(
		      "b", KERNEL("xen,uefi-binary = \"Image\"; reg = <1 2 3 4>;")
			      "r { compatible = \"multiboot,ramdisk\"; nidus,file = \"/initrd\"; };")
			     "c { compatible = \"xen,domain\"; memory = <0 0x10000>; cpus = <1>; "
			     "#address-cells = <1>; #size-cells = <1>; " KERNEL(
				     "nidus,file = \"third\";") "};"));
	write_tree();
	assert_int_equal(e.modules, 3);
	assert_string_equal(e.module[1].name, "/initrd");
	if (found.error_count)
		fail_msg("%s", found.error[0]);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.vm[0].kernel.base, 0x48000000);
	assert_int_equal(found.vm[0].kernel.size, 0x1000);
	assert_string_equal(found.vm[0].bootargs, "x");
	assert_int_equal(found.vm[1].kernel.base, 0x48000000);
	assert_int_equal(found.vm[1].ramdisk.base, 0x48100000);
	assert_int_equal(found.vm[1].ramdisk.size, 0x1001);
	assert_int_equal(found.vm[2].kernel.base, 0x48200000);
}

/* Loose modules: a ramdisk belongs to the kernel before it, here in the order of the tree. */
static void test_loose(void **state)
{
	(void)state;
	begin(dts_machine, CONFIG("bootargs = \"\"; z { compatible = \"multiboot,kernel\"; nidus,file = \"k1\"; };"
				  "y { compatible = \"multiboot,ramdisk\"; nidus,file = \"r1\"; };"
				  "x { compatible = \"multiboot,kernel\"; nidus,file = \"k2\"; };"));
	write_tree();
	if (found.error_count)
		fail_msg("%s", found.error[0]);
	assert_int_equal(found.count, 2);
	assert_int_equal(found.vm[0].kernel.base, 0x48000000);
	assert_int_equal(found.vm[0].ramdisk.base, 0x48100000);
	assert_int_equal(found.vm[1].kernel.base, 0x48200000);
	assert_int_equal(found.vm[1].ramdisk.size, 0);
}

/* What a VM hands down to its own VMs, at any depth. */
static void test_handed(void **state)
{
	(void)state;
	begin(dts_machine,
	      CONFIG(DOMAIN("a", KERNEL("nidus,file = \"nidus\";") "chosen { " DOMAIN(
				     "b", KERNEL("nidus,file = \"deep\";")) "};")));
	write_tree();
	assert_int_equal(found.count, 1);
	assert_int_equal(found.vm[0].handed_count, 1);
	assert_int_equal(found.vm[0].handed[0].file.base, 0x48100000);
}

/* Nodes join those of the same path; properties replace. */
static void test_merge(void **state)
{
	(void)state;
	begin(dts_machine, "/dts-v1/; / { model = \"mine\"; compatible = \"other\";"
			   " soc { gadget@1000 { acme,mode = <4>; };"
			   "       more@9000 { compatible = \"acme,more\"; reg = <0x9000 4>; }; }; };");
	write_tree();
	assert_string("/", "model", "mine");
	assert_string("/", "compatible", "other");
	assert_string("/soc/gadget@1000", "compatible", "acme,gadget");
	assert_string("/soc/more@9000", "compatible", "acme,more");
	assert_int_equal(*(const u8 *)fdt_getprop(buf, fdt_path_offset(buf, "/soc/gadget@1000"),
						  "acme,mode", NULL) == 0 &&
				 ((const u8 *)fdt_getprop(buf,
							  fdt_path_offset(buf, "/soc/gadget@1000"),
							  "acme,mode", NULL))[3] == 4,
			 1);
	assert_string("/chosen", "stdout-path", "serial0:115200");
}

/* A whole machine takes the other one's place; RAM is still the map's. */
static void test_replace(void **state)
{
	char *own = dts_edit(dts_machine, "pl031@9010000", "pl031@9020000");

	(void)state;
	begin(dts_machine, own);
	write_tree();
	assert_true(fdt_path_offset(buf, "/pl031@9020000") >= 0);
	assert_true(fdt_path_offset(buf, "/pl031@9010000") < 0);
	assert_int_equal(m.mem_count, 2);
	begin(NULL, own);
	write_tree();
	assert_int_equal(m.cpu_count, 3);
	free(own);
}

/* As GRUB leaves them: modules without a kind, their bytes looked at by others. */
#define GRUB                                                                                       \
	"module@7f000000 { compatible = \"multiboot,module\"; reg = <0 0x7f000000 0 0x3000>;"      \
	" bootargs = \"one two\"; };"                                                              \
	"module@7e000000 { compatible = \"multiboot,module\"; reg = <0 0x7e000000 0 0x100>; };"    \
	"module@7d000000 { compatible = \"multiboot,module\"; reg = <0 0x7d000000 0 0x2000>; };"   \
	"short { compatible = \"multiboot,module\"; reg = <0 1 2>; };"                             \
	"known { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 0x5f000000 0 "  \
	"0x1000>; }; other { reg = <0 0x7e000000 0 0x100>; };"

static void check_handed(bool has_machine)
{
	assert_true(efi_tree_handed(&e, has_machine ? e.tree : e.config));
	assert_int_equal(e.modules, 3);
	for (u32 i = 0; i < 3; i++) {
		assert_int_equal(e.module[i].from.base, 0x7f000000 - i * 0x1000000UL);
		e.module[i].at = (struct range){ 0x48000000 + i * 0x100000UL,
						 e.module[i].from.size };
		e.module[i].kernel = i != 1;
	}
	assert_null(efi_tree_write(&e, buf, sizeof(buf)));
	assert_null(fdt_read_machine(&m, buf, sizeof(buf)));
	config_read(&found, &m, (struct range){ 0x41000000, 0x200000 });
	if (found.error_count)
		fail_msg("%s", found.error[0]);
	assert_int_equal(found.count, 3);
	assert_int_equal(found.vm[0].kernel.base, 0x48000000);
	assert_int_equal(found.vm[0].kernel.size, 0x3000);
	assert_string_equal(found.vm[0].bootargs, "one two");
	assert_int_equal(found.vm[0].ramdisk.base, 0x48100000);
	assert_int_equal(found.vm[0].ramdisk.size, 0x100);
	assert_int_equal(found.vm[1].kernel.base, 0x48200000);
	assert_int_equal(found.vm[2].kernel.base, 0x5f000000);
}

static void test_grub(void **state)
{
	char *plain = dts_edit(dts_machine, "bootargs = \"nidus.x\";", "bootargs = \"\";");
	char *source = dts_edit(plain, "/*CHOSEN*/", GRUB);

	(void)state;
	begin(source, NULL);
	check_handed(true);
	begin(plain, "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; chosen { "
		     "bootargs = \"\"; " GRUB " }; };");
	check_handed(false);
	/* Cells that can't say it. */
	begin("/dts-v1/; / { chosen { #address-cells = <3>; " GRUB " }; };", NULL);
	assert_true(efi_tree_handed(&e, e.tree));
	e.ram_count = 1;
	assert_error(efi_tree_write(&e, buf, sizeof(buf)), "#address-cells: expected 2");
	begin(dts_machine, NULL);
	assert_false(efi_tree_handed(&e, e.tree));
	free(plain);
	free(source);
}

static void test_errors(void **state)
{
	(void)state;
	begin(dts_machine, CONFIG(DOMAIN("a", KERNEL("nidus,file = <1 2>;"))));
	assert_error(read_files(), "/chosen/a/k: nidus,file: ");
	begin(dts_machine, "/dts-v1/; / { a: a { }; chosen { b = <&a>; }; };");
	assert_error(read_files(), "/a: phandle: expected none");
	/* A place beyond what one cell holds. */
	begin(dts_machine, CONFIG("a { compatible = \"xen,domain\"; #address-cells = <1>; "
				  "#size-cells = <1>; " KERNEL("nidus,file = \"x\";") "};"));
	assert_null(efi_tree_files(&e));
	e.module[0].at = (struct range){ 0x880000000, 0x1000 };
	assert_error(efi_tree_write(&e, buf, sizeof(buf)), "/chosen/a/k: nidus,file: expected #addr");
	/* A root of one cell and memory above it. */
	begin("/dts-v1/; / { #address-cells = <1>; #size-cells = <1>; };", NULL);
	assert_error(efi_tree_write(&e, buf, sizeof(buf)), "/: #address-cells: expected 2");
	begin("/dts-v1/; / { #address-cells = <3>; };", NULL);
	assert_error(efi_tree_write(&e, buf, sizeof(buf)), "/: #address-cells: expected 1 or 2");
}

static void test_many_files(void **state)
{
	static char source[64 * 1024];
	int n = sprintf(source, "/dts-v1/; / { chosen {");

	(void)state;
	for (u32 i = 0; i <= EFI_FILES_MAX; i++)
		n += sprintf(source + n, "m%u { nidus,file = \"f%u\"; };", i, i);
	sprintf(source + n, "}; };");
	begin(dts_machine, source);
	assert_error(read_files(), "expected at most 128 files");
}

/* No room: an error for each size, and nothing written behind it. */
static void test_no_room(void **state)
{
	size_t size;
	void *at;

	(void)state;
	begin(dts_machine, CONFIG(DOMAIN("a", KERNEL("nidus,file = \"Image\";"))));
	write_tree();
	size = fdt_totalsize(buf);
	for (size_t n = 0; n < size; n += 8) {
		at = guard_place(n);
		assert_non_null(efi_tree_write(&e, at, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_machine_alone), cmocka_unit_test(test_options),
		cmocka_unit_test(test_modules),	      cmocka_unit_test(test_loose),
		cmocka_unit_test(test_handed),	      cmocka_unit_test(test_merge),
		cmocka_unit_test(test_replace),	      cmocka_unit_test(test_errors),
		cmocka_unit_test(test_many_files),    cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_grub),
	};

	feat.pa_bits = 48;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
