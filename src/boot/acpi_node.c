/* SPDX-License-Identifier: Apache-2.0 */
/* Putting the device tree of what ACPI tells together. */
#include <libfdt.h>

#include "boot/acpi_node.h"

void acpi_node_keep(struct acpi_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

void acpi_node_begin(struct acpi_writer *w, const char *name)
{
	if (!w->err)
		acpi_node_keep(w, fdt_begin_node(w->fdt, name));
}

void acpi_node_end(struct acpi_writer *w)
{
	if (!w->err)
		acpi_node_keep(w, fdt_end_node(w->fdt));
}

void acpi_node_put(struct acpi_writer *w, const char *name, const void *data, size_t size)
{
	if (!w->err)
		acpi_node_keep(w, fdt_property(w->fdt, name, data, (int)size));
}

void acpi_node_string(struct acpi_writer *w, const char *name, const char *s)
{
	acpi_node_put(w, name, s, strlen(s) + 1);
}

void acpi_node_u32(struct acpi_writer *w, const char *name, u32 v)
{
	v = cpu_to_fdt32(v);
	acpi_node_put(w, name, &v, sizeof(v));
}

void acpi_node_range(struct acpi_writer *w, const char *name, struct range r)
{
	r = (struct range){ cpu_to_fdt64(r.base), cpu_to_fdt64(r.size) };
	acpi_node_put(w, name, &r, sizeof(r));
}

void acpi_node_cells(struct acpi_writer *w, u32 address, u32 size)
{
	acpi_node_u32(w, "#address-cells", address);
	acpi_node_u32(w, "#size-cells", size);
}

int acpi_node_madt(const struct acpi_writer *w, u32 *at, struct acpi_table *entry)
{
	u64 size = acpi_read(w->madt, *at + 1, 1);

	if (*at >= w->madt.size || size < 2 || size > w->madt.size - *at)
		return -1;
	*entry = (struct acpi_table){ w->madt.data + *at, (u32)size };
	*at += (u32)size;
	return (int)acpi_read(*entry, 0, 1);
}
