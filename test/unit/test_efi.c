/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The application against a firmware made of functions: what is handed to boot_primary(), a memory
 * map that changes under it, and each thing that can be missing: a line that names it, a status for
 * the firmware, and nothing left allocated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>
#include <libfdt.h>

#include "acpi_tables.h"
#include "arch/sysreg.h"
#include "arch/feat.h"
#include "boot/config.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "dts.h"
#include "mm/stage1.h"

/* Of the files that only the machine links. */
#undef LINE_MAX
#include "../../src/lib/log.c"

#define IMAGE_FILE 0x3000
#define IMAGE_SIZE 0x8000
#define STEP 48
#define PAGES_MAX 16
#define FILES 4

__asm__(".section .rodata\n"
	".globl __image_start, __file_end, __image_end\n"
	"__image_start: .skip 0x3000, 0x5a\n"
	"__file_end: .skip 0x5000\n"
	"__image_end:\n"
	".text\n");
extern char __image_start[];

struct range stage1_donated(void)
{
	return (struct range){ 0, 0 };
}

/* ---- the firmware ---- */

struct fake_file {
	struct efi_file file;
	u32 which;
	u64 at;
	bool is_open;
};

static struct {
	struct efi_boot_services bs;
	struct efi_system_table st;
	struct efi_text_output out;
	struct efi_file_system fs;
	struct efi_loaded_image image;
	struct efi_table table[3];
	struct fake_file root, opened[2];
	struct range pages[PAGES_MAX];
	u32 allocated, frees, exits, stale; /* exits to refuse for a stale key */
	u64 key, space;
	bool no_map, no_fs, no_image, left, over, short_reads;
	char said[8192];
	struct {
		const char *path;
		const void *data;
		u64 size;
		efi_status error;
	} disk[FILES];
} fw;

static jmp_buf left;
static struct {
	u64 image, size, tree, uart;
} gone;

static const struct efi_guid tree_guid = {
	0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 }
};

static efi_status fake_output(struct efi_text_output *self, const u16 *text)
{
	size_t n = strlen(fw.said);

	assert_ptr_equal(self, &fw.out);
	assert_false(fw.over);
	for (; *text && n < sizeof(fw.said) - 1; text++)
		fw.said[n++] = (char)*text;
	fw.said[n] = '\0';
	return EFI_SUCCESS;
}

static efi_status fake_allocate(u32 how, u32 type, u64 count, u64 *at)
{
	void *p;

	assert_int_equal(how, 1); /* nothing that nidus's own tables do not reach */
	assert_int_equal(*at, BIT(feat.pa_bits) - 1);
	assert_int_equal(type, EFI_LOADER_DATA);
	assert_int_equal(fw.exits, 0); /* not allowed since the first try */
	if (count << 12 > fw.space || fw.allocated == PAGES_MAX)
		return EFI_OUT_OF_RESOURCES;
	/* Below what the fake CPU addresses, in the RAM of the map. */
	p = mmap((void *)fw.pages[PAGES_MAX - 1].base, count << 12, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_not_equal(p, MAP_FAILED);
	fw.pages[PAGES_MAX - 1].base += (count + 1) << 12;
	memset(p, 0xa5, count << 12);
	fw.pages[fw.allocated++] = (struct range){ (u64)p, count };
	*at = (u64)p;
	fw.key++;
	return EFI_SUCCESS;
}

static efi_status fake_free(u64 at, u64 count)
{
	for (u32 i = 0; i < fw.allocated; i++)
		if (fw.pages[i].base == at && fw.pages[i].size == count) {
			munmap((void *)at, count << 12);
			fw.pages[i] = (struct range){ 0, 0 };
			fw.frees++;
			return EFI_SUCCESS;
		}
	fail_msg("0x%lx, %lu pages: not allocated", at, count);
	return EFI_INVALID_PARAMETER;
}

/* All of RAM, some of it the firmware's for ever. */
static efi_status fake_map(u64 *size, void *map, u64 *key, u64 *step, u32 *version)
{
	static const struct efi_memory ram[] = {
		{ EFI_CONVENTIONAL, 0x120000000000, 0, 0x60000, 8 },
		{ EFI_RUNTIME_SERVICES_DATA, 0x120060000000, 0, 0x10000, 8 },
	};
	u64 room = *size;

	*size = ARRAY_SIZE(ram) * STEP;
	*step = STEP;
	*version = 1;
	if (fw.no_map)
		return EFI_INVALID_PARAMETER;
	if (room < *size)
		return EFI_BUFFER_TOO_SMALL;
	for (u32 i = 0; i < ARRAY_SIZE(ram); i++)
		memcpy((u8 *)map + i * STEP, &ram[i], sizeof(ram[i]));
	*key = fw.key;
	return EFI_SUCCESS;
}

static efi_status fake_exit_boot_services(efi_handle handle, u64 key)
{
	assert_ptr_equal(handle, &fw);
	fw.exits++;
	if (fw.stale) {
		fw.stale--;
		fw.key++;
	}
	if (key != fw.key)
		return EFI_INVALID_PARAMETER;
	fw.over = true;
	return EFI_SUCCESS;
}

static efi_status fake_watchdog(u64 seconds, u64 code, u64 size, const u16 *text)
{
	(void)code;
	(void)size;
	(void)text;
	assert_int_equal(seconds, 0);
	return EFI_SUCCESS;
}

static efi_status fake_protocol(efi_handle handle, const struct efi_guid *which, void **interface)
{
	if (which->a == 0x5b1b31a1 && which->d[7] == 0x3b) {
		assert_ptr_equal(handle, &fw);
		*interface = &fw.image;
		return fw.no_image ? EFI_UNSUPPORTED : EFI_SUCCESS;
	}
	assert_int_equal(which->a, 0x964e5b22);
	assert_ptr_equal(handle, &fw.disk);
	*interface = &fw.fs;
	return fw.no_fs ? EFI_UNSUPPORTED : EFI_SUCCESS;
}

static efi_status fake_open(struct efi_file *self, struct efi_file **file, const u16 *path, u64 mode,
			    u64 attributes)
{
	char name[256];
	u32 n = 0;

	assert_ptr_equal(self, &fw.root);
	assert_int_equal(mode, 1);
	assert_int_equal(attributes, 0);
	for (; path[n]; n++)
		name[n] = (char)path[n];
	name[n] = '\0';
	for (u32 i = 0; i < FILES; i++)
		if (fw.disk[i].path && !strcmp(fw.disk[i].path, name)) {
			struct fake_file *f = &fw.opened[fw.opened[0].is_open];

			assert_false(f->is_open);
			f->file = fw.root.file;
			f->which = i;
			f->at = 0;
			f->is_open = true;
			*file = &f->file;
			return EFI_SUCCESS;
		}
	return EFI_NOT_FOUND;
}

static efi_status fake_close(struct efi_file *self)
{
	struct fake_file *f = container_of(self, struct fake_file, file);

	assert_true(f->is_open);
	f->is_open = false;
	return EFI_SUCCESS;
}

static efi_status fake_seek(struct efi_file *self, u64 at)
{
	struct fake_file *f = container_of(self, struct fake_file, file);

	f->at = at == ~0UL ? fw.disk[f->which].size : at;
	return EFI_SUCCESS;
}

static efi_status fake_position(struct efi_file *self, u64 *at)
{
	*at = container_of(self, struct fake_file, file)->at;
	return EFI_SUCCESS;
}

static efi_status fake_read(struct efi_file *self, u64 *size, void *to)
{
	struct fake_file *f = container_of(self, struct fake_file, file);
	u64 n = MIN(*size, fw.disk[f->which].size - f->at);

	if (fw.disk[f->which].error)
		return fw.disk[f->which].error;
	if (fw.short_reads)
		n = MIN(n, 100);
	memcpy(to, (const u8 *)fw.disk[f->which].data + f->at, n);
	f->at += n;
	*size = n;
	return EFI_SUCCESS;
}

static efi_status fake_volume(struct efi_file_system *self, struct efi_file **root)
{
	assert_ptr_equal(self, &fw.fs);
	fw.root.is_open = true;
	*root = &fw.root.file;
	return EFI_SUCCESS;
}

void efi_leave(u64 image, u64 size, u64 tree, u64 uart)
{
	assert_true(fw.over);
	gone.image = image;
	gone.size = size;
	gone.tree = tree;
	gone.uart = uart;
	longjmp(left, 1);
}

/* ---- the machine ---- */

static void *machine_tree;
static const char kernel[3000] = "kernel";

#define CONFIG                                                                                     \
	"/dts-v1/; / { chosen { bootargs = \"\"; a { compatible = \"xen,domain\"; memory = <0 "    \
	"0x10000>; cpus = <1>; k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "      \
	"nidus,file = \"Image\"; }; }; }; };"

static void set_config(const char *source)
{
	size_t size;

	free((void *)fw.disk[0].data);
	fw.disk[0].path = "\\EFI\\nidus\\nidus.dtb";
	fw.disk[0].data = dts_compile(source, &size);
	fw.disk[0].size = size;
}

/* A machine that starts, for a test to spoil. */
static int begin(void **state)
{
	static struct fake_file file = {
		.file = { .open = fake_open, .close = fake_close, .read = fake_read,
			  .position = fake_position, .seek = fake_seek },
	};
	const void *config = fw.disk[0].data;
	size_t size;

	(void)state;
	memset(&fw, 0, sizeof(fw));
	memset(&gone, 0, sizeof(gone));
	fw.disk[0].data = config;
	fw.bs = (struct efi_boot_services){
		.allocate_pages = fake_allocate, .free_pages = fake_free, .memory_map = fake_map,
		.protocol = fake_protocol, .exit_boot_services = fake_exit_boot_services,
		.watchdog = fake_watchdog,
	};
	fw.out.output = fake_output;
	fw.fs.open = fake_volume;
	fw.root = file;
	fw.image.device = &fw.disk;
	if (!machine_tree)
		machine_tree = dts_compile(dts_machine, &size);
	fw.table[0] = (struct efi_table){ { 1, 2, 3, { 4 } }, &fw };
	fw.table[1] = (struct efi_table){ tree_guid, machine_tree };
	fw.st = (struct efi_system_table){ .out = &fw.out, .boot = &fw.bs, .tables = 2,
					   .table = fw.table };
	fw.space = 1UL << 30;
	fw.pages[PAGES_MAX - 1].base = 0x120000001000;
	set_config(CONFIG);
	fw.disk[1].path = "\\EFI\\nidus\\Image";
	fw.disk[1].data = kernel;
	fw.disk[1].size = sizeof(kernel);
	fake_set("CurrentEL", 8);
	fake_set("ID_AA64MMFR1_EL1", 0x0110112010312122);
	fake_set("ID_AA64MMFR0_EL1", 0x2100032310201126);
	fake_set("ID_AA64PFR0_EL1", 0x1301001121110222);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (u32 i = 0; i < fw.allocated; i++)
		if (fw.pages[i].base)
			munmap((void *)fw.pages[i].base, fw.pages[i].size << 12);
	return 0;
}

static efi_status start(void)
{
	if (setjmp(left))
		return EFI_SUCCESS;
	return efi_main(&fw, &fw.st);
}

/* It goes on without the firmware. */
static void assert_starts(void)
{
	static struct machine m;
	const char *error;

	if (start())
		fail_msg("%s", fw.said);
	error = fdt_read_machine(&m, (void *)gone.tree, EFI_TREE_MAX);
	if (error)
		fail_msg("%s", error);
	assert_int_equal(gone.tree % MIB(2), 0);
	assert_int_equal(m.mem_count, 1);
	assert_int_equal(m.mem[0].base, 0x120000000000);
	assert_int_equal(m.mem[0].size, 0x60000000);
	assert_int_equal(gone.uart, 0x9000000);
	assert_int_equal(gone.image % MIB(2), 0);
	assert_int_equal(gone.size, IMAGE_SIZE);
	assert_memory_equal((void *)gone.image, __image_start, IMAGE_FILE);
	assert_int_equal(fw.frees, 0);
	assert_false(fw.root.is_open || fw.opened[0].is_open || fw.opened[1].is_open);
}

/* It says a line with this in it and returns, with all memory given back. */
static void assert_refuses(efi_status status, const char *line)
{
	efi_status found = start();

	if (!strstr(fw.said, line))
		fail_msg("expected \"%s\", found: %s", line, fw.said);
	assert_int_equal(found, status);
	assert_false(fw.over);
	assert_int_equal(fw.frees, fw.allocated);
	assert_false(fw.root.is_open || fw.opened[0].is_open || fw.opened[1].is_open);
}

/* ---- tests ---- */

static void test_starts(void **state)
{
	const u32 *reg;
	int node;

	(void)state;
	assert_starts();
	node = fdt_path_offset((void *)gone.tree, "/chosen/a/k");
	reg = fdt_getprop((void *)gone.tree, node, "reg", NULL);
	assert_non_null(reg);
	assert_memory_equal((void *)((u64)__builtin_bswap32(reg[0]) << 32 |
				     __builtin_bswap32(reg[1])),
			    kernel, sizeof(kernel));
	assert_int_equal(__builtin_bswap32(reg[3]), sizeof(kernel));
}

static void test_short_reads(void **state)
{
	fw.short_reads = true;
	test_starts(state);
}

static void test_options(void **state)
{
	static const u16 words[] = { 's', 't', 'a', 't', 's', 0, 'x' };
	static const u16 wide[] = { 's', 0x3b1, 0 };
	const char *text;

	fw.image.options = words;
	fw.image.options_size = sizeof(words);
	assert_starts();
	text = fdt_getprop((void *)gone.tree, fdt_path_offset((void *)gone.tree, "/chosen"),
			   "bootargs", NULL);
	assert_string_equal(text, "stats");
	end(state);
	begin(state);
	fw.image.options = wide;
	fw.image.options_size = sizeof(wide);
	assert_starts();
	assert_non_null(strstr(fw.said, "load options: expected"));
	text = fdt_getprop((void *)gone.tree, fdt_path_offset((void *)gone.tree, "/chosen"),
			   "bootargs", NULL);
	assert_string_equal(text, "");
}

/* 8.3: the firmware's date goes into the tree; without one there is none. */
static efi_status fake_time(struct efi_time *t, void *capabilities)
{
	assert_null(capabilities);
	assert_false(fw.over);
	*t = (struct efi_time){ .year = 2026, .month = 1, .day = 1, .zone = EFI_ZONE_UNKNOWN };
	return EFI_SUCCESS;
}

static efi_status fake_no_time(struct efi_time *t, void *capabilities)
{
	(void)t;
	(void)capabilities;
	return EFI_UNSUPPORTED;
}

static void test_date(void **state)
{
	struct efi_runtime_services rt = { .get_time = fake_time };

	fw.st.runtime = &rt;
	assert_starts();
	assert_int_equal(machine.time, 1767225600);
	end(state);
	begin(state);
	rt.get_time = fake_no_time;
	fw.st.runtime = &rt;
	assert_starts();
	assert_int_equal(machine.time, 0);
}

/* UEFI 2.10, ExitBootServices(): a stale key means to read the map again. */
static void test_stale_key(void **state)
{
	(void)state;
	fw.stale = 3;
	assert_starts();
	assert_int_equal(fw.exits, 4);
}

static void test_always_stale(void **state)
{
	(void)state;
	fw.stale = ~0U;
	assert_int_equal(start(), EFI_INVALID_PARAMETER);
	assert_false(fw.over);
	assert_in_range(fw.exits, 2, 16);
}

static void test_wrong_cpu(void **state)
{
	fake_set("CurrentEL", 4);
	assert_refuses(EFI_UNSUPPORTED, "expected to be started at EL2, found EL1\r\n");
	end(state);
	begin(state);
	fake_set("ID_AA64MMFR1_EL1", 0);
	assert_refuses(EFI_UNSUPPORTED, "CPU lacks FEAT_VHE");
}

static void test_no_volume(void **state)
{
	fw.no_image = true;
	assert_refuses(EFI_UNSUPPORTED, "loaded image's protocol");
	end(state);
	begin(state);
	fw.no_fs = true;
	assert_refuses(EFI_NOT_FOUND, "expected a file system");
	end(state);
	begin(state);
	fw.image.device = NULL;
	assert_refuses(EFI_NOT_FOUND, "expected a file system");
}

static void test_no_files(void **state)
{
	fw.disk[0].path = "\\other";
	assert_refuses(EFI_NOT_FOUND, "nidus: \\EFI\\nidus\\nidus.dtb: can't be opened");
	end(state);
	begin(state);
	fw.disk[1].path = "\\other";
	assert_refuses(EFI_NOT_FOUND, "nidus: Image: can't be opened");
	end(state);
	begin(state);
	fw.disk[1].size = 0;
	assert_refuses(EFI_LOAD_ERROR, "nidus: Image: expected a file that is not empty");
	end(state);
	begin(state);
	fw.disk[1].error = EFI_ERROR(7);
	assert_refuses(EFI_ERROR(7), "nidus: Image: read 0x0 bytes of 0xbb8: UEFI status 0x8");
}

static void test_bad_config(void **state)
{
	char *rubbish;

	fw.disk[0].size -= 8;
	assert_refuses(EFI_LOAD_ERROR, "\\EFI\\nidus\\nidus.dtb: header: expected a size");
	end(state);
	begin(state);
	rubbish = (char *)fw.disk[0].data;
	rubbish[0] = 0;
	assert_refuses(EFI_LOAD_ERROR, "\\EFI\\nidus\\nidus.dtb: header: expected magic");
	end(state);
	begin(state);
	set_config("/dts-v1/; / { chosen { }; };");
	assert_refuses(EFI_LOAD_ERROR, "no VM to run");
	end(state);
	begin(state);
	set_config("/dts-v1/; / { chosen { bootargs = \"\"; a { compatible = \"xen,domain\"; }; }; };");
	assert_refuses(EFI_LOAD_ERROR, "/chosen/a: multiboot,kernel: expected");
	end(state);
	begin(state);
	set_config("/dts-v1/; / { chosen { k { nidus,file = \"a\\b\tc\"; }; }; };");
	assert_refuses(EFI_INVALID_PARAMETER, "expected a path");
}

static void test_bad_machine(void **state)
{
	static u32 rubbish[16];

	fw.table[1].table = rubbish;
	assert_refuses(EFI_LOAD_ERROR, "the firmware's device tree: header: expected magic");
	end(state);
	begin(state);
	fw.st.tables = 1;
	assert_refuses(EFI_UNSUPPORTED, "expected a device tree or ACPI tables, found neither");
	end(state);
	begin(state);
	fw.no_map = true;
	assert_refuses(EFI_LOAD_ERROR, "memory map");
}

/* ACPI's tables in memory that is the firmware's for ever; the list of tables is theirs and `tree`. */
static struct acpi_machine *add_acpi(const void *tree)
{
	static struct acpi_machine *tables;

	if (!tables)
		tables = mmap((void *)0x120060000000, sizeof(*tables), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_ptr_equal(tables, (void *)0x120060000000);
	acpi_machine(tables);
	fw.table[0] = (struct efi_table){
		{ 0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } },
		tables->rsdp,
	};
	fw.table[1].table = tree;
	fw.st.tables = tree ? 2 : 1;
	return tables;
}

static struct machine machine_here;
static struct vm_configs found_here;

static u32 cpus_found(void)
{
	assert_starts();
	assert_null(fdt_read_machine(&machine_here, (void *)gone.tree, EFI_TREE_MAX));
	return machine_here.cpu_count;
}

/* Either is the machine; of both the tree, unless told otherwise. */
static void test_acpi(void **state)
{
	static const u16 force[] = { 'a', 'c', 'p', 'i', '=', 'f', 'o', 'r', 'c', 'e', 0 };
	struct acpi_machine *t = add_acpi(NULL);

	assert_int_equal(cpus_found(), 2);
	end(state);
	begin(state);
	add_acpi(machine_tree);
	assert_int_equal(cpus_found(), 3);
	end(state);
	begin(state);
	add_acpi(machine_tree);
	fw.image.options = force;
	fw.image.options_size = sizeof(force);
	assert_int_equal(cpus_found(), 2);
	end(state);
	begin(state);
	set_config("/dts-v1/; / { chosen { bootargs = \"a acpi=force\"; }; };");
	add_acpi(machine_tree);
	assert_refuses(EFI_LOAD_ERROR, "no VM to run");
	assert_int_equal(machine.cpu_count, 2);
	end(state);
	begin(state);
	set_config(dts_machine);
	add_acpi(NULL);
	assert_refuses(EFI_LOAD_ERROR, "no VM to run");
	assert_int_equal(machine.cpu_count, 3);
	end(state);
	begin(state);
	add_acpi(NULL);
	t->madt[60]++;
	assert_refuses(EFI_LOAD_ERROR, "expected a table APIC (MADT)");
	assert_non_null(strstr(fw.said, "expected a checksum of 0"));
	end(state);
	begin(state);
	add_acpi(NULL);
	acpi_put(t->rsdp, 24, 8, 0x130000000000);
	acpi_sum(t->rsdp, 8, 20);
	acpi_sum(t->rsdp, 32, 36);
	assert_refuses(EFI_LOAD_ERROR, "expected a table in memory, found 0x130000000000");
}

/* A tree of GRUB's, with a module at this place. */
static void *grub_tree(u64 at, u64 module_size)
{
	char source[512];
	size_t size;

	snprintf(source, sizeof(source),
		 "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; chosen { bootargs = \"\"; "
		 "module@0 { compatible = \"multiboot,module\"; reg = <0x%x 0x%x 0x%x 0x%x>; }; "
		 "}; };",
		 (u32)(at >> 32), (u32)at, (u32)(module_size >> 32), (u32)module_size);
	return dts_compile(source, &size);
}

/* Modules of a loader's: no volume is asked for; what they are is looked at. */
static const u16 force_acpi[] = { 'a', 'c', 'p', 'i', '=', 'f', 'o', 'r', 'c', 'e', 0 };

static void *handed_with_cpus(u64 at, u64 module_size, void **tree)
{
	size_t size = 65536;
	int chosen, module;

	*tree = malloc(size);
	assert_int_equal(fdt_open_into(machine_tree, *tree, (int)size), 0);
	chosen = fdt_path_offset(*tree, "/chosen");
	if (chosen < 0)
		chosen = fdt_add_subnode(*tree, 0, "chosen");
	module = fdt_add_subnode(*tree, chosen, "module@0");
	assert_true(module > 0);
	fdt_setprop_string(*tree, module, "compatible", "multiboot,module");
	fdt_setprop_u64(*tree, module, "reg", at);
	fdt_appendprop_u64(*tree, module, "reg", module_size);
	return *tree;
}

static void test_handed(void **state)
{
	struct acpi_machine *t = add_acpi(NULL);
	void *module = t->space + ACPI_SPACE / 2, *tree;

	memcpy(module, kernel, sizeof(kernel));
	tree = grub_tree((u64)module, sizeof(kernel));
	add_acpi(tree);
	fw.no_fs = true;
	assert_int_equal(cpus_found(), 2);
	config_read(&found_here, &machine_here, (struct range){ 0, 0 });
	assert_int_equal(found_here.count, 1);
	assert_memory_equal((void *)found_here.vm[0].kernel.base, kernel, sizeof(kernel));
	assert_ptr_not_equal((void *)found_here.vm[0].kernel.base, module);
	free(tree);
	end(state);
	begin(state);
	/* GRUB adds them to the machine's own tree, if there is one, which acpi=force would set aside. */
	add_acpi(handed_with_cpus((u64)module, sizeof(kernel), &tree));
	fw.image.options = force_acpi;
	fw.image.options_size = sizeof(force_acpi);
	fw.no_fs = true;
	assert_refuses(EFI_UNSUPPORTED, "acpi=force: expected the loader's modules in a tree");
	free(tree);
	end(state);
	begin(state);
	tree = grub_tree((u64)module, 0x7000000000);
	add_acpi(tree);
	assert_refuses(EFI_LOAD_ERROR, "/chosen: module: expected a file in memory, found 0x1200");
	free(tree);
	end(state);
	begin(state);
	tree = grub_tree((u64)module, 0);
	add_acpi(tree);
	assert_refuses(EFI_LOAD_ERROR, "/chosen: module: expected a file in memory");
	free(tree);
}

/* Each allocation in turn fails. */
static void test_no_space(void **state)
{
	static const char *const what[] = { "nidus: nidus: no space", "nidus.dtb: no space",
					    "the VMs' files: no space", "device tree: no space" };
	static const u64 space[] = { 0x100000, 0x206000 };

	for (u32 i = 0; i < ARRAY_SIZE(space); i++) {
		fw.space = space[i];
		assert_refuses(EFI_OUT_OF_RESOURCES, what[0]);
		end(state);
		begin(state);
	}
	fw.space = 0x207000;
	assert_refuses(EFI_OUT_OF_RESOURCES, what[3]);
	end(state);
	begin(state);
	fw.space = 0x400000;
	fw.disk[1].size = 0x400001;
	assert_refuses(EFI_OUT_OF_RESOURCES, what[2]);
	end(state);
	begin(state);
	fw.disk[1].size = BIT(63);
	assert_refuses(EFI_OUT_OF_RESOURCES, "Image: no space");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_starts),     TEST(test_short_reads), TEST(test_options),
		TEST(test_date),       TEST(test_stale_key),   TEST(test_always_stale),
		TEST(test_wrong_cpu),  TEST(test_no_volume),   TEST(test_no_files),
		TEST(test_bad_config), TEST(test_bad_machine), TEST(test_no_space),
		TEST(test_acpi),       TEST(test_handed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
