/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nidus as a UEFI application: files and memory map from the firmware, a device tree for
 * boot_primary() from them, and the end of boot services. All that can be wrong with the machine or
 * the configuration is looked for while the firmware is still there to return to: the tree is read
 * here once, and again by whom it is for.
 */
#include <libfdt.h>

#include "boot/efi.h"

#include "arch/counter.h"
#include "arch/feat.h"
#include "arch/sysreg.h"
#include "boot/acpi.h"
#include "boot/config.h"
#include "boot/fdt.h"
#include "dev/dt.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "vm/image.h"

#define COPY_ALIGN MIB(2) /* as a loader of arm64 Images has it */
#define EXIT_TRIES 8       /* each with a new memory map */
#define OPTIONS_MAX 1024
#define PAGES(size) (ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT)

extern char __image_start[], __file_end[], __image_end[];

/* What the application holds, all of it given back when it returns. */
struct efi_app {
	efi_handle handle;
	const struct efi_system_table *st;
	const struct efi_boot_services *bs;
	struct efi_machine m;
	struct range got[8]; /* allocated */
	u32 got_count;
	struct range image; /* where nidus is to run */
	struct range files; /* the configuration's, one behind the other */
	struct range map;   /* for the firmware's memory map, */
	u64 map_size, map_step, map_key; /* and what is there */
	char options[OPTIONS_MAX];
};

static struct efi_app app;
static struct vm_configs found;
static struct acpi acpi;

/* ---- lines, by the firmware's console ---- */

static void say(const char *text, size_t n)
{
	u16 wide[256];
	u32 out = 0;

	for (size_t i = 0; i < n && out < ARRAY_SIZE(wide) - 3; i++)
		wide[out++] = (u8)text[i];
	wide[out++] = '\r';
	wide[out++] = '\n';
	wide[out] = 0;
	if (app.st->out)
		app.st->out->output(app.st->out, wide);
}

/* A CHECK that failed: the firmware unwinds the application. */
static noreturn void die(const char *text, size_t n)
{
	say(text, n);
	for (;;)
		app.bs->exit(app.handle, EFI_ABORTED, 0, NULL);
}

static const struct log_sink efi_sink = { say, die };

/* Say why, and return the status. */
static efi_status fail(efi_status status, const char *what)
{
	log_line("%s", what);
	return status;
}

/* ---- memory ---- */

/* Pages at a multiple of align (a power of two); a failure has its line. */
static efi_status get_pages(u64 size, u64 align, const char *what, struct range *r)
{
	u64 pages = PAGES(size), more = (align - PAGE_SIZE) >> PAGE_SHIFT;
	u64 at = BIT(feat.pa_bits) - 1; /* what nidus's own tables reach */

	if (app.got_count == ARRAY_SIZE(app.got) ||
	    app.bs->allocate_pages(EFI_ALLOCATE_BELOW, EFI_LOADER_DATA, pages + more, &at)) {
		log_line("%s: no space for 0x%lx bytes", what, size);
		return EFI_OUT_OF_RESOURCES;
	}
	app.got[app.got_count++] = (struct range){ at, (pages + more) << PAGE_SHIFT };
	*r = (struct range){ ALIGN_UP(at, align), pages << PAGE_SHIFT };
	return EFI_SUCCESS;
}

static void free_all(void)
{
	while (app.got_count) {
		const struct range *r = &app.got[--app.got_count];

		app.bs->free_pages(r->base, r->size >> PAGE_SHIFT);
	}
}

/* Keep a copy of the image as it was loaded: .data is still what the linker made. */
static efi_status copy_image(void)
{
	efi_status status = get_pages((u64)(__image_end - __image_start), COPY_ALIGN, "nidus",
				      &app.image);

	if (!status)
		memcpy(pa_ptr(pa(app.image.base)), __image_start,
		       (u64)(__file_end - __image_start));
	return status;
}

/* The memory map into app.map, and RAM into app.m. */
static efi_status read_map(void)
{
	efi_status status;
	u32 version;

	app.map_size = app.map.size;
	status = app.bs->memory_map(&app.map_size, pa_ptr(pa(app.map.base)), &app.map_key,
				    &app.map_step, &version);
	if (!status)
		efi_map_ram(&app.m, pa_ptr(pa(app.map.base)), app.map_size, app.map_step);
	return status;
}

/* Room for the memory map, and for as much again: it grows until the end of boot services. */
static efi_status get_map(void)
{
	u64 size = 0, key, step;
	efi_status status;
	u32 version;

	if (app.bs->memory_map(&size, NULL, &key, &step, &version) != EFI_BUFFER_TOO_SMALL)
		return fail(EFI_LOAD_ERROR, "UEFI: expected the size of the memory map");
	status = get_pages(2 * size + PAGE_SIZE, PAGE_SIZE, "memory map", &app.map);
	if (status)
		return status;
	status = read_map();
	if (status)
		return fail(status, "UEFI: expected a memory map");
	if (app.m.ram_lost)
		log_line("memory: %d ranges are used; 0x%lx bytes in smaller ones are not",
			 MACHINE_MEM_MAX, app.m.ram_lost);
	return EFI_SUCCESS;
}

/* ---- what the firmware and the volume have ---- */

/* The command line: UTF-16, of which nidus's words are ASCII. */
static void read_options(const struct efi_loaded_image *image)
{
	u32 n = image->options ? image->options_size / 2 : 0;

	app.m.options = app.options;
	for (u32 i = 0; i < n && image->options[i]; i++) {
		u16 c = image->options[i];

		if (i == OPTIONS_MAX - 1 || c < ' ' || c > '~') {
			log_line("load options: expected at most %d ASCII characters; not used",
				 OPTIONS_MAX - 1);
			app.options[0] = '\0';
			return;
		}
		app.options[i] = (char)c;
		app.options[i + 1] = '\0';
	}
}

static const void *find_table(const struct efi_guid *which)
{
	for (u64 i = 0; i < app.st->tables; i++)
		if (!memcmp(&app.st->table[i].which, which, sizeof(*which)))
			return app.st->table[i].table;
	return NULL;
}

/* The firmware's or the loader's device tree, whole: NULL without one; false with a line. */
static bool find_tree(const void **fdt)
{
	static const struct efi_guid which = {
		0xb1b621d5, 0xf19c, 0x41a5, { 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69, 0xaa, 0xe0 }
	};
	char line[160] = "";
	const struct dt dt = { .fdt = find_table(&which), .err = line, .err_size = sizeof(line) };

	*fdt = dt.fdt;
	if (!dt.fdt || dt_check(&dt, EFI_TREE_MAX))
		return true;
	log_line("the firmware's device tree: %s", line);
	return false;
}

static bool readable(u64 base, u64 size)
{
	return efi_map_has(pa_ptr(pa(app.map.base)), app.map_size, app.map_step, base, size);
}

/* A tree made from ACPI's tables. */
static efi_status use_acpi(const void *rsdp)
{
	const char *error;
	struct range tree;
	efi_status status = get_pages(EFI_TREE_MAX, PAGE_SIZE, "a device tree for ACPI", &tree);

	if (status)
		return status;
	acpi.readable = readable;
	app.m.tree = pa_ptr(pa(tree.base));
	error = acpi_find(&acpi, (uintptr_t)rsdp);
	if (!error)
		error = acpi_tree_write(&acpi, pa_ptr(pa(tree.base)), tree.size);
	if (!error)
		return EFI_SUCCESS;
	log_line("%s", error);
	return EFI_LOAD_ERROR;
}

/* Whether a word is on the command line, the configuration's or the application's. */
static bool has_word(const char *word)
{
	const struct dt dt = { .fdt = app.m.config };
	int chosen = dt.fdt ? fdt_subnode_offset(dt.fdt, 0, "chosen") : -1;
	const char *own = chosen >= 0 ? dt_string(&dt, chosen, "bootargs") : NULL;

	return config_has_word(app.m.options, word) || (own && config_has_word(own, word));
}

static bool describes_machine(const void *fdt)
{
	return fdt && fdt_subnode_offset(fdt, 0, "cpus") >= 0;
}

/*
 * Where both are offered the device tree is used, as by Linux, unless acpi=force says otherwise;
 * the firmware's tree, if it is whole, is fdt.
 */
static efi_status find_machine(const void *fdt)
{
	static const struct efi_guid which = {
		0x8868e871, 0xe4f1, 0x11d3, { 0xbc, 0x22, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 }
	};
	const void *rsdp = find_table(&which);

	if (describes_machine(app.m.config))
		return EFI_SUCCESS;
	if (rsdp && describes_machine(fdt) && app.m.modules &&
	    !app.m.module[0].name && has_word("acpi=force"))
		return fail(EFI_UNSUPPORTED,
			    "acpi=force: expected the loader's modules in a tree without "
			    "/cpus, found them in the machine's");
	if (rsdp && (!describes_machine(fdt) || has_word("acpi=force")))
		return use_acpi(rsdp);
	app.m.tree = fdt;
	if (fdt)
		return EFI_SUCCESS;
	return fail(EFI_UNSUPPORTED, "UEFI: expected a device tree or ACPI tables, found neither");
}

/* EFI_CONFIG, whole and checked. */
static efi_status read_config(struct efi_file *volume)
{
	char line[160] = "";
	struct dt dt = { .err = line, .err_size = sizeof(line) };
	struct range at;
	efi_status status;
	u64 size;

	status = efi_file_size(volume, EFI_CONFIG, &size);
	if (status)
		return status;
	if (size > EFI_TREE_MAX) {
		log_line(EFI_CONFIG ": expected at most 0x%lx bytes, found 0x%lx", EFI_TREE_MAX,
			 size);
		return EFI_LOAD_ERROR;
	}
	status = get_pages(size, PAGE_SIZE, EFI_CONFIG, &at);
	if (!status)
		status = efi_file_read(volume, EFI_CONFIG, pa_ptr(pa(at.base)), size);
	if (status)
		return status;
	dt.fdt = pa_ptr(pa(at.base));
	if (!dt_check(&dt, size)) {
		log_line(EFI_CONFIG ": %s", line);
		return EFI_LOAD_ERROR;
	}
	app.m.config = dt.fdt;
	return EFI_SUCCESS;
}

/* How long a file is: of the volume, or one that was handed over. */
static efi_status size_of(struct efi_file *volume, struct efi_module *f)
{
	if (f->name)
		return efi_file_size(volume, f->name, &f->at.size);
	f->at.size = f->from.size;
	if (f->from.size && readable(f->from.base, f->from.size))
		return EFI_SUCCESS;
	log_line("/chosen: module: expected a file in memory, found 0x%lx + 0x%lx", f->from.base,
		 f->from.size);
	return EFI_LOAD_ERROR;
}

/* Where each file goes: one behind the other in the order of the configuration. */
static efi_status place_files(struct efi_file *volume, u64 *total)
{
	efi_status status;

	*total = 0;
	for (u32 i = 0; i < app.m.modules; i++) {
		struct efi_module *f = &app.m.module[i];

		f->at.base = *total;
		status = size_of(volume, f);
		if (status)
			return status;
		if (f->at.size > BIT(48) - *total) {
			log_line("%s: no space for 0x%lx bytes", f->name, f->at.size);
			return EFI_OUT_OF_RESOURCES;
		}
		*total += ALIGN_UP(f->at.size, PAGE_SIZE);
	}
	return EFI_SUCCESS;
}

/*
 * Put a file in its place. What was handed over is a kernel if it says so, or as the first: no
 * ramdisk comes before a kernel.
 */
static efi_status read_file(struct efi_file *volume, struct efi_module *f)
{
	void *to = pa_ptr(pa(f->at.base));

	if (f->name)
		return efi_file_read(volume, f->name, to, f->at.size);
	memcpy(to, pa_ptr(pa(f->from.base)), f->from.size);
	f->kernel = f == &app.m.module[0] || image_is_kernel(to, f->from.size);
	return EFI_SUCCESS;
}

static efi_status read_files(struct efi_file *volume)
{
	efi_status status;
	u64 total;

	status = place_files(volume, &total);
	if (!status && total)
		status = get_pages(total, PAGE_SIZE, "the VMs' files", &app.files);
	for (u32 i = 0; !status && i < app.m.modules; i++) {
		app.m.module[i].at.base += app.files.base;
		status = read_file(volume, &app.m.module[i]);
	}
	return status;
}

static efi_status read_volume(efi_handle device)
{
	struct efi_file *volume = efi_volume(app.bs, device);
	const char *error;
	efi_status status;

	if (!volume)
		return fail(EFI_NOT_FOUND, "UEFI: expected a file system to read " EFI_CONFIG
					   " from, where nidus was loaded from");
	status = read_config(volume);
	error = status ? NULL : efi_tree_files(&app.m);
	if (error) {
		log_line(EFI_CONFIG ": %s", error);
		status = EFI_LOAD_ERROR;
	}
	if (!status)
		status = read_files(volume);
	volume->close(volume);
	return status;
}

/*
 * What is to run, and nidus's command line. Modules that a loader handed over, in the tree that is
 * fdt, stand for the configuration of the volume.
 */
static efi_status read_guests(const void *fdt)
{
	static const struct efi_guid which = {
		0x5b1b31a1, 0x9562, 0x11d2, { 0x8e, 0x3f, 0x00, 0xa0, 0xc9, 0x69, 0x72, 0x3b }
	};
	struct efi_loaded_image *image;
	efi_status status = app.bs->protocol(app.handle, &which, (void **)&image);

	if (status)
		return fail(status, "UEFI: expected the loaded image's protocol");
	read_options(image);
	if (!fdt || !efi_tree_handed(&app.m, fdt))
		return read_volume(image->device);
	if (!describes_machine(fdt))
		app.m.config = fdt; /* no machine: for ACPI's to be laid over */
	return read_files(NULL);
}

/* ---- the tree for boot_primary() ---- */

/* Each line that there is when no VM can start. */
static efi_status fail_no_vm(void)
{
	for (u32 i = 0; i < found.note_count; i++)
		log_line("%s", found.note[i]);
	for (u32 i = 0; i < found.error_count; i++)
		log_line("%s", found.error[i]);
	return fail(EFI_LOAD_ERROR, "no VM to run: expected \"xen,domain\" nodes or boot modules "
				    "under /chosen of " EFI_CONFIG ", found none that is usable");
}

/* Write it, and read it as boot_primary() will. */
static efi_status make_tree(const struct range *tree)
{
	const char *error = efi_tree_write(&app.m, pa_ptr(pa(tree->base)), tree->size);

	if (!error)
		error = fdt_read_machine(&machine, pa_ptr(pa(tree->base)), tree->size);
	if (error) {
		log_line("device tree: %s", error);
		return EFI_LOAD_ERROR;
	}
	config_read(&found, &machine, app.image);
	return found.count ? EFI_SUCCESS : fail_no_vm();
}

/* The date, if the firmware has one: without it the machine may have a clock that nidus knows. */
static void read_time(void)
{
	struct efi_time t;

	if (!app.st->runtime || app.st->runtime->get_time(&t, NULL))
		return;
	app.m.time = efi_seconds(&t);
	app.m.time_ticks = counter_now();
}

/* All that can fail for a reason, with the firmware still there. */
static efi_status prepare(struct range *tree)
{
	const char *lacks = feat_identify(); /* writes .bss only: the copy is as it was linked */
	efi_status status = copy_image();
	const void *fdt;

	if (!status && FIELD(sysreg_read(CurrentEL), 3, 2) != 2)
		return fail(EFI_UNSUPPORTED, "expected to be started at EL2, found EL1");
	if (!status && lacks)
		return fail(EFI_UNSUPPORTED, lacks);
	if (!status && !find_tree(&fdt))
		status = EFI_LOAD_ERROR;
	if (!status)
		status = get_pages(EFI_TREE_MAX, EFI_TREE_MAX, "device tree", tree);
	if (!status)
		read_time();
	if (!status)
		status = get_map();
	if (!status)
		status = read_guests(fdt);
	if (!status)
		status = find_machine(fdt);
	return status ? status : make_tree(tree);
}

/*
 * A memory map that has changed since it was read is refused; from the first try on nothing but
 * reading it again is allowed.
 */
static efi_status end_boot_services(const struct range *tree)
{
	efi_status status = EFI_ABORTED;

	for (u32 i = 0; status && i < EXIT_TRIES; i++) {
		status = read_map();
		if (!status && efi_tree_write(&app.m, pa_ptr(pa(tree->base)), tree->size))
			status = EFI_LOAD_ERROR;
		if (status)
			break;
		status = app.bs->exit_boot_services(app.handle, app.map_key);
	}
	return status;
}

efi_status efi_main(efi_handle handle, struct efi_system_table *st)
{
	struct range tree;
	efi_status status;

	memset(&app, 0, sizeof(app));
	app.handle = handle;
	app.st = st;
	app.bs = st->boot;
	log_to(&efi_sink);
	app.bs->watchdog(0, 0, 0, NULL);
	status = prepare(&tree);
	if (!status) {
		log_line("ending UEFI's boot services");
		status = end_boot_services(&tree);
	}
	if (!status)
		efi_leave(app.image.base, app.image.size, tree.base,
			  machine.uart_kind == UART_PL011 ? machine.uart.base : 0);
	free_all();
	return status;
}
