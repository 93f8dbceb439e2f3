/* SPDX-License-Identifier: Apache-2.0 */
/* Where kernels go: the rules of each format, every error, and random values in every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/image.h"
#include "dts.h"

#define RAM 0x40000000UL
#define RAM_SIZE MIB(64)
#define MUTATIONS 200000

static struct image image;

static void put64(u8 *at, u64 v)
{
	memcpy(at, &v, 8);
}

/* A file of size bytes before the guard page, all zero. */
static u8 *new_file(size_t size)
{
	u8 *f = guard_place(size);

	memset(f, 0, size);
	return f;
}

static u8 *new_image(size_t size, u64 text_offset, u64 image_size, u64 flags)
{
	u8 *f = new_file(size);

	put64(f + 8, text_offset);
	put64(f + 16, image_size);
	put64(f + 24, flags);
	memcpy(f + 56, "ARM\x64", 4);
	return f;
}

/* An ELF with phnum program headers behind its header, all zero but for the size of an entry. */
static u8 *new_elf(size_t size, u16 phnum, u64 entry)
{
	static const u8 ident[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	u8 *f = new_file(size);

	memcpy(f, ident, sizeof(ident));
	f[16] = 2;
	f[18] = 183;
	put64(f + 24, entry);
	put64(f + 32, 64);
	f[54] = 56;
	f[56] = (u8)phnum;
	return f;
}

static void put_load(u8 *f, u32 i, u64 offset, u64 vaddr, u64 paddr, u64 filesz, u64 memsz)
{
	u8 *ph = f + 64 + 56 * i;

	ph[0] = 1;
	put64(ph + 8, offset);
	put64(ph + 16, vaddr);
	put64(ph + 24, paddr);
	put64(ph + 32, filesz);
	put64(ph + 40, memsz);
}

static void assert_plan(const u8 *f, size_t size, enum image_kind kind, u64 entry, u64 end)
{
	const char *error = image_plan(&image, f, size, RAM, RAM_SIZE);

	if (error)
		fail_msg("expected a plan, found \"%s\"", error);
	assert_int_equal(image.kind, kind);
	assert_int_equal(image.entry, entry);
	assert_int_equal(image.end, end);
}

static void assert_refused(const u8 *f, size_t size, const char *line)
{
	const char *error = image_plan(&image, f, size, RAM, RAM_SIZE);

	if (!error || strcmp(error, line))
		fail_msg("expected \"%s\"\nfound    \"%s\"", line, error ? error : "no error");
}

static void test_arm64(void **state)
{
	(void)state;
	assert_plan(new_image(0x1000, 0, 0x3000, 0xa), 0x1000, IMAGE_ARM64, RAM, RAM + 0x3000);
	assert_int_equal(image.segments, 1);
	assert_int_equal(image.segment[0].offset, 0);
	assert_int_equal(image.segment[0].filesz, 0x1000);
	assert_int_equal(image.segment[0].memsz, 0x3000);
	assert_plan(new_image(0x1000, 0x80000, 0x1000, 2), 0x1000, IMAGE_ARM64, RAM + 0x80000,
		    RAM + 0x81000);
	/* Before Linux 3.17: no image_size, and a text_offset that cannot be relied on. */
	assert_plan(new_image(0x1000, 0x800, 0, 0), 0x1000, IMAGE_ARM64, RAM + 0x80000,
		    RAM + 0x81000);
}

static void test_arm64_unaligned_ram(void **state)
{
	const u8 *f = new_image(0x1000, 0x1000, 0x2000, 0);

	(void)state;
	assert_null(image_plan(&image, f, 0x1000, RAM + 0x1000, RAM_SIZE));
	assert_int_equal(image.entry, RAM + MIB(2) + 0x1000);
}

static void test_arm64_faults(void **state)
{
	(void)state;
	assert_refused(
		new_image(0x1000, 0, 0x1000, 1), 0x1000,
		"Image header: flags: expected a little-endian kernel (bit 0 clear), found 0x1");
	assert_refused(
		new_image(0x1000, 0, 0xfff, 0), 0x1000,
		"Image header: image_size: expected at least the file's 0x1000 bytes, found 0xfff");
	assert_refused(new_image(0x1000, 2, 0x1000, 0), 0x1000,
		       "Image header: text_offset: expected a multiple of 4, found 0x2");
	assert_refused(
		new_image(0x1000, ~3UL, 0x1000, 0), 0x1000,
		"Image header: text_offset: expected less than the memory's 0x4000000 bytes, found "
		"0xfffffffffffffffc");
	assert_refused(
		new_image(0x1000, 0, RAM_SIZE + 1, 0), 0x1000,
		"expected at most 0x4000000 bytes of memory from 0x40000000 on, found a kernel of "
		"0x4000001 at 0x40000000");
	assert_refused(
		new_image(0x1000, 0x1000, RAM_SIZE, 0), 0x1000,
		"expected at most 0x4000000 bytes of memory from 0x40000000 on, found a kernel of "
		"0x4000000 at 0x40001000");
	assert_refused(
		new_image(0x1000, 0, ~0UL, 0), 0x1000,
		"expected at most 0x4000000 bytes of memory from 0x40000000 on, found a kernel of "
		"0xffffffffffffffff at 0x40000000");
}

static void test_raw(void **state)
{
	u8 *f = new_file(128);

	(void)state;
	assert_plan(f, 100, IMAGE_RAW, RAM + 0x80000, RAM + 0x80064);
	assert_plan(f, 4, IMAGE_RAW, RAM + 0x80000, RAM + 0x80004);
	assert_refused(f, 3, "expected at least one instruction, found 3 bytes");
	assert_refused(f, 0, "expected at least one instruction, found 0 bytes");
	/* Its contents are not read: only sizes matter. */
	assert_refused(f, RAM_SIZE,
		       "expected at most 0x4000000 bytes of memory from 0x40000000 on, "
		       "found a kernel of 0x4000000 at 0x40080000");
}

static void test_wrapped(void **state)
{
	static const struct {
		const char *magic, *name;
	} known[] = {
		{ "\x1f\x8b", "a gzip file" },
		{ "\x28\xb5\x2f\xfd", "a zstd file" },
		{ "\xfd"
		  "7zXZ",
		  "an xz file" },
		{ "MZ", "an EFI application (compressed kernel?) without an arm64 Image header" },
	};
	char line[160];

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
		u8 *f = new_file(64);

		memcpy(f, known[i].magic, strlen(known[i].magic));
		snprintf(line, sizeof(line),
			 "expected an arm64 Image, an ELF or a raw binary, found %s",
			 known[i].name);
		assert_refused(f, 64, line);
	}
}

static void test_elf(void **state)
{
	u8 *f = new_elf(0x1000, 3, 0xffff000000001010);

	(void)state;
	put_load(f, 0, 0x200, 0xffff000000001000, RAM + 0x1000, 0x100, 0x200);
	put_load(f, 2, 0x400, 0xffff000000005000, RAM + 0x5000, 0x300, 0x2000);
	assert_plan(f, 0x1000, IMAGE_ELF, RAM + 0x1010, RAM + 0x7000);
	assert_int_equal(image.segments, 2);
	assert_int_equal(image.segment[1].ipa, RAM + 0x5000);
	assert_int_equal(image.segment[1].offset, 0x400);
	assert_int_equal(image.segment[1].filesz, 0x300);
	assert_int_equal(image.segment[1].memsz, 0x2000);
	f[16] = 3;
	assert_plan(f, 0x1000, IMAGE_ELF, RAM + 0x1010, RAM + 0x7000);
}

/* One byte or word of a good ELF changed. */
static void test_elf_header_faults(void **state)
{
	static const struct {
		u32 at;
		u64 value;
		u32 size;
		const char *line;
	} faults[] = {
		{ 4, 1, 1,
		  "ELF header: expected class 2 (64-bit) and data 1 (little-endian), found 1 and 1" },
		{ 5, 2, 1,
		  "ELF header: expected class 2 (64-bit) and data 1 (little-endian), found 2 and 2" },
		{ 18, 62, 2, "ELF header: e_machine: expected 183 (AArch64), found 62" },
		{ 16, 1, 2, "ELF header: e_type: expected 2 (EXEC) or 3 (DYN), found 1" },
		{ 54, 32, 2, "ELF header: e_phentsize: expected 56, found 32" },
		{ 56, 0, 2, "ELF header: e_phnum: expected 1 to 64, found 0" },
		{ 56, 65535, 2, "ELF header: e_phnum: expected 1 to 64, found 65535" },
		{ 32, 0xfc9, 8,
		  "ELF header: e_phoff: expected program headers inside the file's 0x1000 "
		  "bytes, found 1 at 0xfc9" },
		{ 32, ~0UL, 8,
		  "ELF header: e_phoff: expected program headers inside the file's 0x1000 "
		  "bytes, found 1 at 0xffffffffffffffff" },
		{ 24, RAM + 0x1100, 8,
		  "ELF header: e_entry: expected an instruction inside a segment, "
		  "found 0x40001100" },
		{ 24, RAM + 0x1002, 8,
		  "ELF header: e_entry: expected an instruction inside a segment, "
		  "found 0x40001002" },
		{ 64, 4, 4, "ELF header: expected a segment to load, found none" },
		{ 72, 0xf01, 8,
		  "ELF segment 0: expected it inside the file's 0x1000 bytes, found 0x100 at "
		  "0xf01" },
		{ 72, ~0UL, 8,
		  "ELF segment 0: expected it inside the file's 0x1000 bytes, found 0x100 at "
		  "0xffffffffffffffff" },
		{ 96, ~0UL, 8,
		  "ELF segment 0: expected it inside the file's 0x1000 bytes, found "
		  "0xffffffffffffffff at 0x200" },
		{ 104, 0xff, 8,
		  "ELF segment 0: p_memsz: expected at least p_filesz 0x100, found 0xff" },
		{ 104, ~0UL, 8,
		  "ELF segment 0: p_paddr: expected memory 0x40000000 + 0x4000000, found "
		  "0x40001000 + 0xffffffffffffffff" },
		{ 88, 0x1000, 8,
		  "ELF segment 0: p_paddr: expected memory 0x40000000 + 0x4000000, found "
		  "0x1000 + 0x200" },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(faults); i++) {
		u8 *f = new_elf(0x1000, 1, RAM + 0x1000);

		put_load(f, 0, 0x200, RAM + 0x1000, RAM + 0x1000, 0x100, 0x200);
		memcpy(f + faults[i].at, &faults[i].value, faults[i].size);
		assert_refused(f, 0x1000, faults[i].line);
	}
	assert_refused(new_elf(64, 1, 0), 63, "ELF header: expected 64 bytes, found 63");
}

static void test_elf_segments(void **state)
{
	u8 *f = new_elf(0x1000, 9, RAM);

	(void)state;
	put_load(f, 0, 0, RAM, RAM, 0x1000, 0x2000);
	put_load(f, 1, 0, RAM + 0x1fff, RAM + 0x1fff, 1, 1);
	assert_refused(f, 0x1000,
		       "ELF segment 1: expected no overlap, found 0x40001fff + 0x1 and "
		       "0x40000000 + 0x2000");
	for (u32 i = 0; i < 9; i++)
		put_load(f, i, 0, RAM + 0x1000 * i, RAM + 0x1000 * i, 0x1000, 0x1000);
	assert_refused(f, 0x1000, "ELF header: expected at most 8 segments to load, found more");
}

/* What the caller's copying relies on. */
static void check_plan(size_t size)
{
	assert_in_range(image.segments, 1, IMAGE_SEGMENTS_MAX);
	assert_in_range(image.entry, RAM, RAM + RAM_SIZE - 1);
	assert_in_range(image.end, RAM, RAM + RAM_SIZE);
	for (u32 i = 0; i < image.segments; i++) {
		const struct image_segment *s = &image.segment[i];

		assert_true(s->offset <= size && s->filesz <= size - s->offset);
		assert_true(s->filesz <= s->memsz);
		assert_true(s->ipa >= RAM && s->ipa <= RAM + RAM_SIZE &&
			    s->memsz <= RAM + RAM_SIZE - s->ipa);
		assert_true(s->ipa + s->memsz <= image.end);
		for (u32 j = 0; j < i; j++)
			assert_true(s->ipa + s->memsz <= image.segment[j].ipa ||
				    image.segment[j].ipa + image.segment[j].memsz <= s->ipa);
	}
}

static u32 mutate(u8 *f, size_t size, size_t header, u64 *seed)
{
	static u8 good[0x400];
	u32 accepted = 0;

	memcpy(good, f, size);
	for (u32 i = 0; i < MUTATIONS; i++) {
		u64 n = 1 + dts_random(seed) % 3,
		    cut = dts_random(seed) % 8 ? size : dts_random(seed) % size;
		u8 *at = guard_place(cut);

		memcpy(at, good, cut);
		while (n-- && cut)
			at[dts_random(seed) % MIN(cut, header)] = (u8)dts_random(seed);
		if (image_plan(&image, at, cut, RAM, RAM_SIZE))
			continue;
		check_plan(cut);
		accepted++;
	}
	return accepted;
}

/* What a file says of itself, to tell a kernel from a ramdisk: nothing of a raw binary. */
static void test_is_kernel(void **state)
{
	static const struct {
		u32 at;
		char bytes[5];
		bool kernel;
	} files[] = {
		{ 56, "ARM\x64", true }, { 0, "\x7f" "ELF", true }, { 0, "MZ", true },
		{ 0, "\x1f\x8b", false }, { 0, "0707", false },	    { 55, "ARM\x64", false },
		{ 1, "MZ", false },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(files); i++) {
		u8 file[64] = { 0 };

		memcpy(file + files[i].at, files[i].bytes, strlen(files[i].bytes));
		assert_int_equal(image_is_kernel(file, sizeof(file)), files[i].kernel);
		assert_false(image_is_kernel(file, sizeof(file) - 1));
	}
}

static void test_mutations(void **state)
{
	u64 seed = 0xfeedfacecafebeefUL;
	u32 images, elfs;
	u8 *f = new_image(0x100, 0x1000, 0x2000, 2);

	(void)state;
	images = mutate(f, 0x100, 64, &seed);
	f = new_elf(0x400, 3, RAM + 0x1010);
	put_load(f, 0, 0x200, RAM + 0x1000, RAM + 0x1000, 0x100, 0x200);
	put_load(f, 1, 0x300, RAM + 0x3000, RAM + 0x3000, 0x80, 0x80);
	put_load(f, 2, 0x380, RAM + 0x5000, RAM + 0x5000, 0x80, 0x4000);
	elfs = mutate(f, 0x400, 64 + 3 * 56, &seed);
	printf("%u mutated files each: %u Images, %u ELFs still have a plan\n", MUTATIONS, images,
	       elfs);
	assert_in_range(images, MUTATIONS / 100, MUTATIONS - MUTATIONS / 100);
	assert_in_range(elfs, MUTATIONS / 100, MUTATIONS - MUTATIONS / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_arm64_unaligned_ram),
		cmocka_unit_test(test_arm64_faults),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_header_faults),
		cmocka_unit_test(test_elf_segments),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_is_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
