/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as ACPI's tables describe it (ACPI Specification 6.5; no AML), made into a device
 * tree, which is how nidus knows machines. Needs to read the tables where they are: runs as a part
 * of the UEFI application.
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

#define ACPI_TABLES_MAX 128
#define ACPI_RSDP_SIZE 36 /* of revision 2, from which the sizes of all others follow */

/* A table that was found, checked. Little-endian, of any alignment. */
struct acpi_table {
	const u8 *data;
	u32 size;
};

struct acpi {
	/* Whether memory can be read there: tables name addresses. */
	bool (*readable)(u64 base, u64 size);
	struct acpi_table table[ACPI_TABLES_MAX];
	u32 tables;
};

/*
 * Find the tables of a machine whose root pointer is at rsdp. NULL, or a message. One that is
 * damaged or overlaps another is left out, with a line.
 */
const char *acpi_find(struct acpi *a, u64 rsdp);
/* The first table of this signature; data is NULL without one. */
struct acpi_table acpi_table(const struct acpi *a, const char *signature);
/* The n bytes at an offset of a table as a number; 0 beyond its end. */
u64 acpi_read(struct acpi_table t, u32 at, u32 n);

/*
 * Write a device tree of the machine's CPUs, PSCI, GIC, timer, UART, SMMUs and host bridges of PCI
 * into buf: NULL, or a message that names table and field. Lines say what is left out.
 */
const char *acpi_tree_write(const struct acpi *a, void *buf, size_t size);
