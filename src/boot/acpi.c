/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI's tables: from the root pointer to a list of those that are whole. */
#include "boot/acpi.h"

#include "lib/log.h"
#include "lib/string.h"

#define HEADER_SIZE 36
#define TABLE_MAX MIB(16) /* none of those that are read here is nearly that long */

/* RSDP, of revision 2. */
#define RSDP_REVISION 15
#define RSDP_V1_SIZE 20
#define RSDP_LENGTH 20
#define RSDP_XSDT 24

static char line[160];

static __attribute__((format(printf, 1, 2))) const char *fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return line;
}

u64 acpi_read(struct acpi_table t, u32 at, u32 n)
{
	u64 v = 0;

	if (at > t.size || n > t.size - at)
		return 0;
	while (n--)
		v = v << 8 | t.data[at + n];
	return v;
}

/* The sum of all bytes of a whole table is 0. */
static u8 sum(const u8 *p, u32 n)
{
	u8 s = 0;

	while (n--)
		s = (u8)(s + *p++);
	return s;
}

/* A signature for messages, which may be anything. */
static const char *printable(const u8 *signature, char text[5])
{
	for (u32 i = 0; i < 4; i++)
		text[i] = signature[i] > ' ' && signature[i] <= '~' ? (char)signature[i] : '?';
	text[4] = '\0';
	return text;
}

/* The table at an address, checked but for its signature: NULL, or what is wrong. */
static const char *check(const struct acpi *a, u64 at, struct acpi_table *t)
{
	char name[5];

	if (!at || !a->readable(at, HEADER_SIZE))
		return fail("ACPI: expected a table in memory, found 0x%lx", at);
	t->data = (const u8 *)(uintptr_t)at;
	t->size = HEADER_SIZE;
	t->size = (u32)acpi_read(*t, 4, 4);
	printable(t->data, name);
	if (t->size < HEADER_SIZE || t->size > TABLE_MAX || !a->readable(at, t->size))
		return fail("ACPI: %s at 0x%lx: expected a length of 0x%x or more, in memory, "
			    "found 0x%x",
			    name, at, HEADER_SIZE, t->size);
	if (sum(t->data, t->size))
		return fail("ACPI: %s at 0x%lx: expected a checksum of 0, found 0x%x", name, at,
			    sum(t->data, t->size));
	return NULL;
}

/* Whether a table has a byte in common with one that was found before. */
static const char *check_overlap(const struct acpi *a, struct acpi_table t)
{
	const struct range r = { (uintptr_t)t.data, t.size };
	char name[5], other[5];

	for (u32 i = 0; i < a->tables; i++)
		if (range_overlaps(r, (struct range){ (uintptr_t)a->table[i].data,
						      a->table[i].size }))
			return fail("ACPI: %s at 0x%lx: expected no overlap with another table, "
				    "found %s",
				    printable(t.data, name), r.base,
				    printable(a->table[i].data, other));
	return NULL;
}

static void add(struct acpi *a, u64 at)
{
	struct acpi_table t;
	const char *error = check(a, at, &t);

	if (!error)
		error = check_overlap(a, t);
	if (!error && a->tables == ACPI_TABLES_MAX)
		error = fail("ACPI: XSDT: expected at most %d tables, found more", ACPI_TABLES_MAX);
	if (error)
		log_line("%s; this table is not used", error);
	else
		a->table[a->tables++] = t;
}

static const char *check_root(const struct acpi *a, u64 at)
{
	struct acpi_table t = { (const u8 *)(uintptr_t)at, ACPI_RSDP_SIZE };

	if (!at || !a->readable(at, ACPI_RSDP_SIZE))
		return fail("ACPI: expected a root pointer in memory, found 0x%lx", at);
	if (memcmp(t.data, "RSD PTR ", 8) != 0)
		return fail("ACPI: RSDP: expected the signature \"RSD PTR \"");
	if (acpi_read(t, RSDP_REVISION, 1) < 2 || acpi_read(t, RSDP_LENGTH, 4) < ACPI_RSDP_SIZE)
		return fail("ACPI: RSDP: expected revision 2 or later, found %lu, 0x%lx bytes",
			    acpi_read(t, RSDP_REVISION, 1), acpi_read(t, RSDP_LENGTH, 4));
	t.size = (u32)MIN(acpi_read(t, RSDP_LENGTH, 4), TABLE_MAX);
	if (!a->readable(at, t.size) || sum(t.data, RSDP_V1_SIZE) || sum(t.data, t.size))
		return fail("ACPI: RSDP: expected checksums of 0 over 0x%x and 0x%x bytes",
			    RSDP_V1_SIZE, t.size);
	return NULL;
}

const char *acpi_find(struct acpi *a, u64 rsdp)
{
	const char *error = check_root(a, rsdp);
	struct acpi_table xsdt;

	a->tables = 0;
	if (error)
		return error;
	xsdt = (struct acpi_table){ (const u8 *)(uintptr_t)rsdp, ACPI_RSDP_SIZE };
	error = check(a, acpi_read(xsdt, RSDP_XSDT, 8), &xsdt);
	if (error)
		return error;
	if (memcmp(xsdt.data, "XSDT", 4) != 0)
		return fail("ACPI: XSDT: expected this signature");
	for (u32 at = HEADER_SIZE; at < xsdt.size && xsdt.size - at >= 8; at += 8)
		add(a, acpi_read(xsdt, at, 8));
	return NULL;
}

struct acpi_table acpi_table(const struct acpi *a, const char *signature)
{
	for (u32 i = 0; i < a->tables; i++)
		if (!memcmp(a->table[i].data, signature, 4))
			return a->table[i];
	return (struct acpi_table){ NULL, 0 };
}
