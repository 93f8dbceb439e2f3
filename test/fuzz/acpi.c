/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ACPI's tables. The input is tables one behind the other, as long as their headers say; each gets a
 * place that ends where it does, and its checksum put right unless its revision is odd beyond 200.
 */
#include "fuzz.h"

#include "arch/feat.h"
#include "boot/acpi.h"
#include "boot/efi.h"
#include "boot/fdt.h"
#include "unit/acpi_tables.h"

#define TABLES 12
#define OUT_SIZE 65536

static struct range place[TABLES + 2];
static u32 places;

static bool readable(u64 base, u64 size)
{
	for (u32 i = 0; i < places; i++)
		if (base >= place[i].base && base - place[i].base <= place[i].size &&
		    size <= place[i].size - (base - place[i].base))
			return true;
	return false;
}

static u8 *put(const u8 *data, u64 size)
{
	u8 *p = exact_copy(data, size);

	place[places++] = (struct range){ (u64)p, size };
	return p;
}

/* The root pointer and the XSDT, of the tables that the input has. */
static u64 make_root(const uint8_t *data, size_t size)
{
	u8 xsdt[36 + 8 * TABLES] = "XSDT", root[36] = "RSD PTR ";
	u32 n = 0;
	u8 *p;

	while (n < TABLES && size >= 36) {
		u32 length = acpi_size(data);

		length = length < 36 || length > size ? (u32)size : length;
		p = put(data, length);
		if (!(p[8] > 200 && p[8] % 2) && acpi_size(p) == length)
			acpi_seal(p);
		acpi_put(xsdt, 36 + 8 * n++, 8, (u64)p);
		data += length;
		size -= length;
	}
	acpi_put(xsdt, 4, 4, 36 + 8 * n);
	acpi_seal(xsdt);
	root[15] = 2;
	acpi_put(root, 20, 4, 36);
	acpi_put(root, 24, 8, (u64)put(xsdt, 36 + 8 * n));
	acpi_sum(root, 8, 20);
	acpi_sum(root, 32, 36);
	return (u64)put(root, 36);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u64 tree[OUT_SIZE / 8], out[OUT_SIZE / 8];
	static struct machine m;
	static struct acpi a;
	struct efi_machine e = { .tree = tree, .options = "", .ram_count = 1 };

	feat.pa_bits = 48;
	a.readable = readable;
	e.ram[0] = (struct range){ 0x40000000, 0x40000000 };
	if (!acpi_find(&a, make_root(data, size)) && !acpi_tree_write(&a, tree, sizeof(tree))) {
		must(!efi_tree_write(&e, out, sizeof(out)));
		if (!fdt_read_machine(&m, out, sizeof(out)))
			must(m.cpu_count && m.gicr_count && m.gicd.size);
	}
	while (places)
		free((void *)place[--places].base);
	return 0;
}
