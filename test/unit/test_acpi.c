/* SPDX-License-Identifier: Apache-2.0 */
/* ACPI's tables: found, refused one by one when damaged, never read beyond what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "acpi_test.h"

static const char *find(void)
{
	return acpi_find(&a, (u64)t.rsdp);
}

static void assert_error(const char *like)
{
	const char *error = find();

	if (!error || !strstr(error, like))
		fail_msg("expected \"...%s...\", found \"%s\"", like, error ? error : "no error");
}

/* All but this table are there, and a line tells of it. */
static void assert_left_out(const char *signature, const char *like)
{
	assert_null(find());
	assert_null(acpi_table(&a, signature).data);
	assert_int_equal(a.tables, 3);
	if (!strstr(said, like) || !strstr(said, "this table is not used"))
		fail_msg("expected \"...%s...\", found \"%s\"", like, said);
}

static void test_found(void **state)
{
	(void)state;
	assert_null(find());
	assert_int_equal(a.tables, 4);
	assert_ptr_equal(acpi_table(&a, "APIC").data, t.madt);
	assert_int_equal(acpi_table(&a, "SPCR").size, 80);
	assert_null(acpi_table(&a, "IORT").data);
	assert_string_equal(said, "");
}

static void test_read(void **state)
{
	static const u8 bytes[] = { 1, 2, 3, 0x84 };
	const struct acpi_table table = { bytes, 4 };

	(void)state;
	assert_int_equal(acpi_read(table, 0, 4), 0x84030201);
	assert_int_equal(acpi_read(table, 3, 1), 0x84);
	assert_int_equal(acpi_read(table, 2, 4), 0);
	assert_int_equal(acpi_read(table, 4, 1), 0);
	assert_int_equal(acpi_read(table, ~0U, 8), 0);
	assert_int_equal(acpi_read((struct acpi_table){ NULL, 0 }, 0, 8), 0);
}

static void test_root(void **state)
{
	t.rsdp[0] = 'X';
	assert_error("RSDP: expected the signature");
	begin(state);
	t.rsdp[10]++;
	assert_error("RSDP: expected checksums");
	begin(state);
	t.rsdp[30]++; /* of the second sum only */
	assert_error("RSDP: expected checksums");
	begin(state);
	t.rsdp[15] = 0;
	assert_error("RSDP: expected revision 2");
	begin(state);
	acpi_put(t.rsdp, 20, 4, 35);
	assert_error("RSDP: expected revision 2");
	begin(state);
	acpi_put(t.rsdp, 20, 4, 0x7fffffff);
	assert_error("RSDP: expected checksums");
	begin(state);
	readable_end = (u64)t.rsdp + 35;
	assert_error("expected a root pointer in memory");
	assert_non_null(acpi_find(&a, 0));
}

static void test_xsdt(void **state)
{
	t.xsdt[0] = 'R';
	acpi_seal(t.xsdt);
	assert_error("XSDT: expected this signature");
	begin(state);
	t.xsdt[40]++;
	assert_error("XSDT at 0x");
	begin(state);
	readable_end = (u64)t.xsdt + 40;
	assert_error("XSDT at 0x");
	/* A cut-off last entry is none. */
	begin(state);
	acpi_put(t.xsdt, 4, 4, acpi_size(t.xsdt) - 1);
	acpi_seal(t.xsdt);
	assert_null(find());
	assert_int_equal(a.tables, 3);
}

static void test_damaged(void **state)
{
	t.spcr[50]++;
	assert_left_out("SPCR", "ACPI: SPCR at 0x");
	assert_non_null(strstr(said, "expected a checksum of 0, found 0x1"));
	begin(state);
	acpi_put(t.gtdt, 4, 4, 35);
	assert_left_out("GTDT", "expected a length of 0x24 or more");
	begin(state);
	acpi_put(t.gtdt, 4, 4, 0xffffffff);
	assert_left_out("GTDT", "expected a length");
	begin(state);
	readable_end = (u64)t.madt + acpi_size(t.madt) - 1;
	assert_left_out("APIC", "ACPI: APIC at 0x");
	begin(state);
	acpi_put(t.xsdt, 36, 8, 0x1234);
	acpi_seal(t.xsdt);
	assert_left_out("FACP", "expected a table in memory, found 0x1234");
	begin(state);
	acpi_put(t.xsdt, 36, 8, 0);
	acpi_seal(t.xsdt);
	assert_left_out("FACP", "expected a table in memory, found 0x0");
}

/* One whose end is in the next, and one that is named twice. */
static void test_overlaps(void **state)
{
	acpi_put(t.gtdt, 4, 4, (u32)(t.spcr - t.gtdt) + 4);
	acpi_seal(t.gtdt);
	assert_left_out("SPCR", "expected no overlap with another table, found GTDT");
	begin(state);
	acpi_put(t.xsdt, 36, 8, (u64)t.madt);
	acpi_seal(t.xsdt);
	assert_left_out("FACP", "expected no overlap with another table, found APIC");
}

static void test_many(void **state)
{
	(void)state;
	for (u32 i = 0; i < ACPI_TABLES_MAX; i++)
		acpi_seal(acpi_begin(&t, "SSDT", 36, 2));
	assert_null(find());
	assert_int_equal(a.tables, ACPI_TABLES_MAX);
	assert_non_null(strstr(said, "expected at most 128 tables"));
}

/* Whatever a byte is, an error or a list. */
static void test_any_byte(void **state)
{
	u32 size = (u32)(t.at - t.space);

	for (u32 i = 0; i < size; i++)
		for (u32 bit = 0; bit < 8; bit++) {
			begin(state);
			t.space[i] ^= (u8)(1 << bit);
			find();
		}
}

#define TEST(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_found),   TEST(test_read),	 TEST(test_root), TEST(test_xsdt),
		TEST(test_damaged), TEST(test_overlaps), TEST(test_many), TEST(test_any_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
