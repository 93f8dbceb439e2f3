/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nidus uses of UEFI (UEFI Specification 2.10; the sections are named), and the parts of the
 * application that it is there: from efi_main() to the end of boot services (efi*.c). Boot CPU,
 * on the firmware's stack, in its translation; nothing here runs after efi_leave().
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

/* ---- 2.3.1, appendix D: types and status codes ---- */

typedef u64 efi_status;
typedef void *efi_handle;

#define EFI_ERROR(n) (BIT(63) | (n))
#define EFI_SUCCESS 0UL
#define EFI_LOAD_ERROR EFI_ERROR(1)
#define EFI_INVALID_PARAMETER EFI_ERROR(2)
#define EFI_UNSUPPORTED EFI_ERROR(3)
#define EFI_BUFFER_TOO_SMALL EFI_ERROR(5)
#define EFI_OUT_OF_RESOURCES EFI_ERROR(9)
#define EFI_NOT_FOUND EFI_ERROR(14)
#define EFI_ABORTED EFI_ERROR(21)

struct efi_guid {
	u32 a;
	u16 b, c;
	u8 d[8];
};

struct efi_table_header {
	u64 signature;
	u32 revision, size, crc, reserved;
};

/* ---- 7.2: memory ---- */

enum efi_memory_type {
	EFI_RESERVED,
	EFI_LOADER_CODE,
	EFI_LOADER_DATA,
	EFI_BOOT_SERVICES_CODE,
	EFI_BOOT_SERVICES_DATA,
	EFI_RUNTIME_SERVICES_CODE,
	EFI_RUNTIME_SERVICES_DATA,
	EFI_CONVENTIONAL,
	EFI_UNUSABLE,
	EFI_ACPI_RECLAIM,
	EFI_ACPI_NVS,
	EFI_MMIO,
	EFI_MMIO_PORTS,
	EFI_PAL_CODE,
	EFI_PERSISTENT,
	EFI_UNACCEPTED,
};

#define EFI_ALLOCATE_BELOW 1 /* anywhere up to the address that is given */
#define EFI_MEMORY_WB BIT(3)  /* attributes: may be mapped write-back, */
#define EFI_MEMORY_SP BIT(18) /* and is meant for a purpose of its own */

struct efi_memory {
	u32 type;
	u64 base, virt, pages, attributes;
};

/* ---- 12.4, 13.4, 13.5, 9.1: console, files, the loaded image ---- */

struct efi_text_output {
	void *reset;
	efi_status (*output)(struct efi_text_output *self, const u16 *text);
};

#define EFI_FILE_READ 1UL
#define EFI_FILE_END (~0UL) /* a position */

struct efi_file {
	u64 revision;
	efi_status (*open)(struct efi_file *self, struct efi_file **file, const u16 *path, u64 mode,
			   u64 attributes);
	efi_status (*close)(struct efi_file *self);
	void *remove;
	efi_status (*read)(struct efi_file *self, u64 *size, void *to);
	void *write;
	efi_status (*position)(struct efi_file *self, u64 *at);
	efi_status (*seek)(struct efi_file *self, u64 at);
};

struct efi_file_system {
	u64 revision;
	efi_status (*open)(struct efi_file_system *self, struct efi_file **root);
};

struct efi_loaded_image {
	u32 revision;
	efi_handle parent;
	void *system_table;
	efi_handle device;
	void *file_path, *reserved;
	u32 options_size; /* bytes */
	const u16 *options;
};

/* ---- 8.3: the date, of runtime services ---- */

#define EFI_ZONE_UNKNOWN 0x7ff

struct efi_time {
	u16 year;
	u8 month, day, hour, minute, second, pad;
	u32 nanosecond;
	s16 zone; /* minutes that UTC is ahead; EFI_ZONE_UNKNOWN: not told */
	u8 daylight, pad2;
};

struct efi_runtime_services {
	struct efi_table_header header;
	efi_status (*get_time)(struct efi_time *time, void *capabilities);
};

/* ---- 4.4, 4.3, 4.6: boot services, system table, configuration tables ---- */

struct efi_boot_services {
	struct efi_table_header header;
	void *raise_tpl, *restore_tpl;
	efi_status (*allocate_pages)(u32 how, u32 type, u64 pages, u64 *at);
	efi_status (*free_pages)(u64 at, u64 pages);
	efi_status (*memory_map)(u64 *size, void *map, u64 *key, u64 *step, u32 *version);
	void *allocate_pool, *free_pool, *create_event, *set_timer, *wait_for_event, *signal_event,
		*close_event, *check_event, *install_protocol, *reinstall_protocol,
		*uninstall_protocol;
	efi_status (*protocol)(efi_handle handle, const struct efi_guid *which, void **interface);
	void *reserved, *register_notify, *locate_handle, *locate_path, *install_table, *load_image,
		*start_image;
	efi_status (*exit)(efi_handle image, efi_status status, u64 size, const u16 *text);
	void *unload_image;
	efi_status (*exit_boot_services)(efi_handle image, u64 key);
	void *monotonic_count, *stall;
	efi_status (*watchdog)(u64 seconds, u64 code, u64 size, const u16 *text);
};

struct efi_table {
	struct efi_guid which;
	const void *table;
};

struct efi_system_table {
	struct efi_table_header header;
	const u16 *vendor;
	u32 revision;
	efi_handle in_handle;
	void *in;
	efi_handle out_handle;
	struct efi_text_output *out;
	efi_handle error_handle;
	void *error;
	struct efi_runtime_services *runtime;
	struct efi_boot_services *boot;
	u64 tables;
	const struct efi_table *table;
};

/* ---- nidus's ---- */

#define EFI_FILES_MAX 128
#define EFI_PATH_MAX 192
#define EFI_TREE_MAX MIB(2) /* what nidus reads of its tree: FDT_WINDOW of boot.c */
#define EFI_CONFIG "\\EFI\\nidus\\nidus.dtb"

/*
 * A file that the configuration names, or that a loader handed over (GRUB's xen_module), and where
 * it was put.
 */
struct efi_module {
	const char *name; /* as it stands in the configuration; NULL: handed over */
	struct range from; /* where the loader had it */
	struct range at;
	bool kernel; /* of those that were handed over: what it is */
};

/* All that nidus's device tree is made from. */
struct efi_machine {
	const void *tree;    /* the firmware's, or made from ACPI; NULL: none */
	const void *config;  /* EFI_CONFIG; NULL: none */
	const char *options; /* what the application was started with */
	struct efi_module module[EFI_FILES_MAX];
	u32 modules;
	struct range ram[MACHINE_MEM_MAX];
	u32 ram_count;
	u64 ram_lost; /* bytes in ranges for which ram[] had no room */
	u64 time, time_ticks; /* the firmware's date, struct machine's */
};

/*
 * From the entry point: take the firmware's memory map, its tree, configuration and files, and go
 * on at boot_primary(), without the firmware. Returns an error only, which a line has explained.
 */
efi_status efi_main(efi_handle image, struct efi_system_table *st);
/*
 * Go on in the copy of nidus at image, MMU and caches off, with the memory of the copy clean; tree
 * and uart are boot_primary()'s.
 */
noreturn void efi_leave(u64 image, u64 size, u64 tree, u64 uart);

/*
 * RAM of a memory map, descriptors of step bytes each, into m: whole pages, in order, neither
 * overlapping nor touching. What any descriptor says is not RAM is not. Pure.
 */
void efi_map_ram(struct efi_machine *m, const void *map, u64 size, u64 step);

/*
 * Whether all of [base, base+size) is memory of that map, RAM or not: not registers, not nothing.
 * Pure.
 */
bool efi_map_has(const void *map, u64 map_size, u64 step, u64 base, u64 size);

/*
 * List the files that m->config names, each once, in the order in which it names them: NULL, or a
 * message. Pure.
 */
const char *efi_tree_files(struct efi_machine *m);
/*
 * List the modules without a kind in /chosen of a loader's tree, in its order, which is that of
 * GRUB's commands. False: none. Pure.
 */
bool efi_tree_handed(struct efi_machine *m, const void *fdt);
/*
 * Write nidus's device tree into buf: the configuration over the machine's tree, node by node, with
 * a memory node from m->ram, modules where they are, and the command line. NULL, or a message.
 * Pure.
 */
const char *efi_tree_write(const struct efi_machine *m, void *buf, size_t size);

/* Seconds since the beginning of 1970; 0: no date of these years. Pure. */
u64 efi_seconds(const struct efi_time *t);

/* The volume that the application was loaded from, and its files; NULL without one. */
struct efi_file *efi_volume(const struct efi_boot_services *bs, efi_handle device);
/* The size of the file of this name; an error has its line. */
efi_status efi_file_size(struct efi_file *volume, const char *name, u64 *size);
/* Read all of a file, size bytes; an error has its line. */
efi_status efi_file_read(struct efi_file *volume, const char *name, void *to, u64 size);
