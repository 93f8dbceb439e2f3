/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a VM's RAM: all of it, in pieces of bounded duration, with the files' digests, and a
 * message if it takes long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "lib/log.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vm/vm_load.h"

#define RAM 0x40000000UL
#define RAM_SIZE MIB(16)
#define HZ 1000000UL
#define PER_ZERO_KIB 1UL /* what operations cost on this machine, in microseconds */
#define PER_COPY_KIB 40UL

static struct vm vm;
static struct vm_config config;
static char *ram, *kernel, *ramdisk, *tree;
static u64 now, cleaned, dropped;
static u64 bytes; /* when the piece began */
static char lines[64][160];
static u32 line_count;

u64 counter_now(void)
{
	return now;
}

void page_zero(u64 at, u64 size)
{
	memset((void *)at, 0, size);
	bytes += size;
	now += size / 1024 * PER_ZERO_KIB;
}

void page_clean(u64 at, u64 size)
{
	(void)at;
	assert_int_equal(dropped, 0);
	cleaned += size;
}

void page_drop_instructions(void)
{
	dropped++;
}

void sha256_update(struct sha256 *s, const void *data, u64 n)
{
	(void)data;
	s->length += n;
	bytes += n;
	now += n * PER_COPY_KIB / 1024;
}

void sha256_final(struct sha256 *s, u8 digest[SHA256_SIZE])
{
	memset(digest, 0, SHA256_SIZE);
	memcpy(digest, &s->length, 8);
}

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(lines[line_count++ % ARRAY_SIZE(lines)], sizeof(lines[0]), fmt, ap);
	va_end(ap);
}

static char *filled(u64 size, char first)
{
	char *p = malloc(size);

	for (u64 i = 0; i < size; i++)
		p[i] = (char)(first + (char)(i * 7 + (i >> 9)));
	return p;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", HZ);
	memset(&vm, 0, sizeof(vm));
	now = cleaned = dropped = line_count = 0;
	if (!ram) {
		ram = aligned_alloc(4096, RAM_SIZE);
		kernel = filled(300001, 1);
		ramdisk = filled(777777, 2);
		tree = filled(5001, 3);
	}
	memset(ram, 0x55, RAM_SIZE);
	config = (struct vm_config){
		.name = "a",
		.kernel = { (u64)kernel, 300001 },
		.ramdisk = { (u64)ramdisk, 777777 },
		.mem_size = RAM_SIZE,
	};
	vm.config = &config;
	/* The upper half of the addresses is the lower half of the memory. */
	vm.ram[0] = (struct vm_ram){ RAM, (u64)ram + RAM_SIZE / 2, RAM_SIZE / 2 };
	vm.ram[1] = (struct vm_ram){ RAM + RAM_SIZE / 2, (u64)ram, RAM_SIZE / 2 };
	vm.ram_chunks = 2;
	/* A segment across the seam, and one without bytes from the file. */
	vm.load.image.segments = 3;
	vm.load.image.segment[0] =
		(struct image_segment){ 16, 200000, RAM + RAM_SIZE / 2 - 4096, 200000 };
	vm.load.image.segment[1] = (struct image_segment){ 0, 0, RAM + 4096, 4096 };
	vm.load.image.segment[2] = (struct image_segment){ 200016, 1000, RAM + 0x2000, 0x2000 };
	vm.load.initrd = RAM + MIB(12);
	vm.fdt_ipa = RAM + MIB(14);
	vm.load.fdt = (u64)tree;
	vm.load.fdt_size = 5001;
	return 0;
}

static char byte_at(u64 offset)
{
	return ram[offset < RAM_SIZE / 2 ? offset + RAM_SIZE / 2 : offset - RAM_SIZE / 2];
}

/* The byte that RAM must hold at an offset. */
static char wanted(u64 o)
{
	const u64 seg = RAM_SIZE / 2 - 4096;

	if (o - seg < 200000)
		return kernel[16 + (o - seg)];
	if (o - 0x2000 < 1000)
		return kernel[200016 + (o - 0x2000)];
	if (o - MIB(12) < 777777)
		return ramdisk[o - MIB(12)];
	if (o - MIB(14) < 5001)
		return tree[o - MIB(14)];
	if (config.handed_count && o - MIB(10) < 200001)
		return kernel[99 + (o - MIB(10))];
	if (config.handed_count && o - MIB(11) < 70000)
		return ramdisk[7 + (o - MIB(11))];
	return 0;
}

static void load(void)
{
	bool more;

	dropped = 0;
	vm_load_begin(&vm);
	do {
		u64 start = now;

		bytes = 0;
		more = vm_load_piece(&vm);
		/* A millisecond, and one unit more, the bytes of which are few. */
		if (now - start > HZ / 1000 + 1024)
			fail_msg("a piece of %lu us", now - start);
		assert_true(bytes <= MIB(1) + KIB(64));
		now += 3000; /* others had the CPU */
	} while (more);
	assert_int_equal(dropped, 1);
	for (u64 o = 0; o < RAM_SIZE; o++)
		if (byte_at(o) != wanted(o))
			fail_msg("at %#lx: expected %#x, found %#x", o, (u8)wanted(o),
				 (u8)byte_at(o));
}

static void says(u32 i, const char *line)
{
	assert_true(i < line_count);
	assert_string_equal(lines[i], line);
}

static void fills_ram_in_pieces(void **state)
{
	(void)state;
	load();
	assert_true(cleaned >= RAM_SIZE + 200000 + 1000 + 777777 + 5001);
	says(0,
	     "vm a: kernel: sha256 e193040000000000000000000000000000000000000000000000000000000000");
	says(1,
	     "vm a: ramdisk: sha256 31de0b0000000000000000000000000000000000000000000000000000000000");
	assert_int_equal(line_count, 2);
}

/* And again, whatever the guest has written to it. */
static void resets(void **state)
{
	(void)state;
	load();
	memset(ram, 0xaa, RAM_SIZE);
	load();
	assert_int_equal(line_count, 4);
}

static void no_ramdisk(void **state)
{
	(void)state;
	config.ramdisk.size = 0;
	vm_load_begin(&vm);
	while (vm_load_piece(&vm))
		;
	assert_int_equal(line_count, 1);
	assert_int_equal(byte_at(MIB(12)), 0);
	assert_int_equal(byte_at(MIB(14)), tree[0]);
}

/* After a second, then every five: what it is doing, and how far it is. */
static void long_waits_are_told(void **state)
{
	u64 begin;

	(void)state;
	vm_load_begin(&vm);
	begin = now;
	while (vm_load_piece(&vm))
		now += HZ / 2;
	assert_true(line_count > 3);
	says(0, "vm a: zeroing its memory: 3 of 16 MiB");
	says(1, "vm a: zeroing its memory: 13 of 16 MiB");
	assert_true(strstr(lines[2], "vm a: kernel: sha256") ||
		    strstr(lines[2], "loading its images"));
	assert_true(line_count <= 3 + (now - begin) / (5 * HZ));
}

/* Modules for the VM's own VMs, one of them named twice: loaded once, and reported once. */
static void handed_down(void **state)
{
	(void)state;
	config.handed_count = 3;
	config.handed[0].file = (struct range){ (u64)kernel + 99, 200001 };
	config.handed[1].file = (struct range){ (u64)kernel + 99, 200001 };
	config.handed[2].file = (struct range){ (u64)ramdisk + 7, 70000 };
	vm.load.handed[0] = vm.load.handed[1] = RAM + MIB(10);
	vm.load.handed[2] = RAM + MIB(11);
	load();
	assert_int_equal(dropped, 1);
	assert_int_equal(line_count, 4); /* kernel, ramdisk and two modules */
	assert_non_null(strstr(lines[2], "vm a: module 0x40a00000: sha256 "));
	assert_non_null(strstr(lines[3], "vm a: module 0x40b00000: sha256 "));
}

/* What is handed down counts, each file once. */
static void handed_down_is_told(void **state)
{
	char *file = filled(MIB(3), 4);
	u32 said = 0;

	(void)state;
	config.handed_count = 3;
	for (u32 i = 0; i < 3; i++) {
		config.handed[i].file = (struct range){ (u64)(i < 2 ? kernel : file),
							i < 2 ? 300001 : MIB(3) };
		vm.load.handed[i] = RAM + (i < 2 ? MIB(8) : MIB(9));
	}
	vm_load_begin(&vm);
	while (vm_load_piece(&vm))
		now += HZ / 2;
	assert_true(line_count < ARRAY_SIZE(lines));
	for (u32 i = 0; i < line_count; i++) {
		char *at = strstr(lines[i], "loading its images: ");

		if (at && !strstr(at, " of 4 MiB"))
			fail_msg("%s", lines[i]);
		said += at && (!strncmp(at + 20, "2 ", 2) || !strncmp(at + 20, "3 ", 2));
	}
	assert_true(said >= 2);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(fills_ram_in_pieces, setup),
		cmocka_unit_test_setup(resets, setup),
		cmocka_unit_test_setup(no_ramdisk, setup),
		cmocka_unit_test_setup(handed_down, setup),
		cmocka_unit_test_setup(handed_down_is_told, setup),
		cmocka_unit_test_setup(long_waits_are_told, setup),
	};

	return cmocka_run_group_tests_name("vm_load", tests, NULL, NULL);
}
