/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the device tree of what ACPI tells together, node by node; the first error stays. */
#pragma once

#include "boot/acpi.h"
#include "mm/machine.h"

#define ACPI_GIC_PHANDLE 1

struct acpi_writer {
	const struct acpi *acpi;
	void *fdt;
	int err;                            /* libfdt's */
	struct acpi_table madt, mcfg, iort; /* size 0: none */
	u64 gicd;
	u32 gicd_count, version;
	struct range gicr[MACHINE_GICR_MAX];
	u32 gicr_count;
	u32 maintenance;
	bool psci;
	u64 uart;
	u32 uart_gsiv, uart_shift, uart_width;
	const char *uart_type; /* in the device tree's words */
};

/* Keep an error of libfdt's, unless there is one. */
void acpi_node_keep(struct acpi_writer *w, int err);
void acpi_node_begin(struct acpi_writer *w, const char *name);
void acpi_node_end(struct acpi_writer *w);
/* Properties: bytes, a string, a cell, ranges of two cells each. */
void acpi_node_put(struct acpi_writer *w, const char *name, const void *data, size_t size);
void acpi_node_string(struct acpi_writer *w, const char *name, const char *s);
void acpi_node_u32(struct acpi_writer *w, const char *name, u32 v);
void acpi_node_range(struct acpi_writer *w, const char *name, struct range r);
/* A node's address and size cells. */
void acpi_node_cells(struct acpi_writer *w, u32 address, u32 size);

/*
 * The next structure of the MADT at *at, which moves behind it: its kind, or -1 at the end. One
 * that is shorter than its head or longer than the table ends the list. Begin at ACPI_MADT_FIRST.
 */
#define ACPI_MADT_FIRST 44
int acpi_node_madt(const struct acpi_writer *w, u32 *at, struct acpi_table *entry);

/* Look for MCFG and IORT, which need not be there: w->mcfg, w->iort. */
void acpi_pci_read(struct acpi_writer *w);
/*
 * The nodes of ITSs (MADT; below the GIC's), SMMUs (IORT), and host bridges (MCFG, IORT). What is
 * wrong gets a line and is left out.
 */
void acpi_pci_its(struct acpi_writer *w);
void acpi_pci_smmus(struct acpi_writer *w);
void acpi_pci_hosts(struct acpi_writer *w);
