/* SPDX-License-Identifier: Apache-2.0 */
/* What is freed, and what is not, when a VM is taken apart. */
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
#include "vm/vm_build.h"
#include "vm/vm_ram.h"

#define ARENA MIB(64)

static u64 arena;
static struct vm vm;
static struct vm_config config;
static char line[160];

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("DCZID_EL0", 4);
	fake_set("CNTFRQ_EL0", 1000);
	if (!arena)
		arena = (u64)aligned_alloc(ARENA, ARENA);
	memset(&vm, 0, sizeof(vm));
	config = (struct vm_config){ .name = "a", .mem_size = MIB(32) };
	vm.config = &config;
	line[0] = '\0';
	page_init();
	page_region(arena, arena + ARENA);
	page_add(arena, ARENA);
	return 0;
}

/* Returns how many pages such a VM does not give back. */
static u64 kept(bool direct_map, u32 devices, u64 started)
{
	u64 before = page_free_count();
	u32 pieces = 0;

	config.direct_map = direct_map;
	config.pass_count = devices;
	vm.started = started;
	vm.released = 0;
	assert_null(vm_ram_alloc(&vm));
	assert_int_equal(page_free_count(), before - MIB(32) / PAGE_SIZE);
	vm.load.fdt = page_alloc(4);
	while (vm_release_piece(&vm))
		assert_true(pieces++ < 100);
	assert_int_equal(vm.ram_chunks, 0);
	assert_int_equal(vm.load.fdt, 0);
	return before - page_free_count();
}

static void all_goes_back(void **state)
{
	(void)state;
	assert_int_equal(kept(false, 0, 1), 0);
	assert_int_equal(kept(true, 0, 1), 0);
	/* Without direct-map a device cannot write to the RAM: it is given other addresses. */
	assert_int_equal(kept(false, 1, 1), 0);
	/* The VM never ran, so it programmed no device. */
	assert_int_equal(kept(true, 1, 0), 0);
	assert_string_equal(line, "");
}

/* Memory that a device may still write to is never given to another VM. */
static void but_what_devices_know(void **state)
{
	(void)state;
	assert_int_equal(kept(true, 1, 1), MIB(32) / PAGE_SIZE);
	assert_string_equal(
		line,
		"vm a: its 32 MiB of memory stay unused: a device of its may still write there");
}

/* What firmware can't be given, before anything is allocated. */
static void firmware(void **state)
{
	(void)state;
	config.firmware = true;
	config.kernel.size = MIB(3);
	config.direct_map = true;
	assert_string_equal(vm_build(&vm),
			    "nidus,firmware: expected a VM without nidus,direct-map, "
			    "found both: firmware wants its RAM at 0x40000000");
	config.direct_map = false;
	config.ramdisk.size = 1;
	assert_string_equal(vm_build(&vm), "nidus,firmware: expected the firmware as the only "
					   "module, found more");
	config.ramdisk.size = 0;
	config.handed_count = 1;
	assert_string_equal(vm_build(&vm), "nidus,firmware: expected the firmware as the only "
					   "module, found more");
	config.handed_count = 0;
	config.kernel.size = MIB(64) + 1;
	assert_string_equal(vm_build(&vm),
			    "nidus,firmware: expected at most 0x4000000 bytes, found "
			    "0x4000001");
	assert_int_equal(vm.ram_chunks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_goes_back, setup),
		cmocka_unit_test_setup(firmware, setup),
		cmocka_unit_test_setup(but_what_devices_know, setup),
	};

	return cmocka_run_group_tests_name("vm_build", tests, NULL, NULL);
}
