/* SPDX-License-Identifier: Apache-2.0 */
/* No two parts of a VM have the same guest address or INTID. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

#include "boot/config.h"
#include "dts.h"
#include "state/vm.h"
#include "vm/vm_layout.h"

static struct vm vm;
static struct vm_config config;

/* A VM without options, with one device far from everything. */
static int setup(void **state)
{
	static void *tree;
	size_t size;

	(void)state;
	if (!tree)
		tree = dts_compile(dts_machine, &size);
	memset(&vm, 0, sizeof(vm));
	memset(&config, 0, sizeof(config));
	machine.fdt = tree;
	config.cpus = 2;
	config.vpl011 = true;
	config.pass_count = 1;
	config.pass[0].node = fdt_path_offset(tree, "/pl031@9010000");
	config.pass[0].reg[0] = (struct range){ 0x9010000, 0x1000 };
	config.pass[0].reg_count = 1;
	config.pass[0].intid[0] = 34;
	config.pass[0].intid_count = 1;
	vm.config = &config;
	vm.layout = (struct vm_layout){ .ram = 0x40000000,
					.gicd = 0x08000000,
					.gicr = 0x080a0000,
					.uart = 0x09000000,
					.stolen = 0x090a0000,
					.uart_intid = 33,
					.ram_size = MIB(68) };
	vm.ram[0] = (struct vm_ram){ 0x40000000, 0x80000000, MIB(64) };
	vm.ram[1] = (struct vm_ram){ 0x44000000, 0x90000000, MIB(4) };
	vm.ram_chunks = 2;
	return 0;
}

static void assert_line(const char *part)
{
	const char *error = vm_layout_check(&vm);

	if (!part && error)
		fail_msg("expected no error, found \"%s\"", error);
	if (part && (!error || !strstr(error, part)))
		fail_msg("expected \"...%s...\", found \"%s\"", part, error ? error : "no error");
}

static void fits(void **state)
{
	(void)state;
	assert_line(NULL);
	config.pass_count = 0;
	assert_line(NULL);
}

/* The VM's UART has INTID 33, whatever it is in the machine. */
static void interrupts(void **state)
{
	(void)state;
	config.pass[0].intid[0] = 33;
	assert_line("nidus,passthrough: expected interrupts that the VM has not yet, found "
		    "/pl031@9010000 with 33, which is its UART's");
	config.vpl011 = false;
	assert_line(NULL);
	config.pass[0].intid[1] = 33;
	config.pass[0].intid_count = 2;
	assert_line("found /pl031@9010000 with 33, which the VM has already");
	config.pass[0].intid_count = 1;
	config.pass[1] = config.pass[0];
	config.pass_count = 2;
	assert_line("found /pl031@9010000 with 33, which the VM has already");
	config.pass[1].intid[0] = 1019;
	assert_line(NULL);
}

/* Each part, at its first and last byte, and a page that is shared. */
static void registers(void **state)
{
	static const struct {
		u64 base, size;
		const char *part;
	} cases[] = {
		{ 0x08000000, 1, "a page with its distributor at 0x8000000 + 0x10000" },
		{ 0x0800ff00, 0x100, "its distributor" },
		{ 0x07fff000, 0x1000, NULL },
		{ 0x08010000, 0x90000, NULL },
		{ 0x08010000, 0x90001, "its redistributors at 0x80a0000 + 0x40000" },
		{ 0x080df000, 4, "its redistributors" },
		{ 0x080e0000, 4, NULL },
		{ 0x09000ff0, 4, "its UART" },
		{ 0x08ffffff, 2, "its UART" },
		{ 0x090a0ffc, 4, "its stolen time at 0x90a0000 + 0x1000" },
		{ 0x090a1000, 4, NULL },
		{ 0x09001000, 4, NULL },
		{ 0x43fff000, 4, "its RAM at 0x40000000" },
		{ 0x443fffff, 1, "its RAM at 0x44000000 + 0x400000" },
		{ 0x44400000, 1, NULL },
		{ 0x3fffffff, 1, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		config.pass[0].reg[1] = (struct range){ cases[i].base, cases[i].size };
		config.pass[0].reg_count = 2;
		assert_line(cases[i].part);
	}
	config.vpl011 = false;
	config.pass[0].reg[1] = (struct range){ 0x09000000, 0x1000 };
	assert_line(NULL);
}

/* With nidus,direct-map the parts are where the machine has its own, as many as it has. */
static void direct_map(void **state)
{
	(void)state;
	config.pass_count = 0;
	vm.layout.gicr = 0x08fe0000; /* room for one vcpu below the UART */
	assert_line(
		"found its redistributors at 0x8fe0000 + 0x40000 and its UART at 0x9000000 + 0x1000");
	config.cpus = 1;
	assert_line(NULL);
	vm.ram[1].ipa = 0x08f00000;
	assert_line("its redistributors at 0x8fe0000 + 0x20000 and its RAM at 0x8f00000");
	vm.ram_chunks = 1;
	vm.layout.uart_intid = 0; /* the machine's has none that nidus supports */
	assert_line("vpl011: expected a UART with an interrupt");
	config.vpl011 = false;
	assert_line(NULL);
}

/* Modules for the VM's own VMs: pages of their own below the top, a file named twice once. */
static void handed_down(void **state)
{
	static const struct range files[] = { { 0x1000, 0x1001 }, { 0x9000, 0x1000 },
					      { 0x1000, 0x1001 }, { 0xb000, 1 } };
	u64 at[VM_HANDED_MAX] = { 0 };

	(void)state;
	/* without modules no room is needed */
	assert_true(vm_place_handed(at, &config, 0x1000, 0x1000));
	config.handed_count = 4;
	for (u32 i = 0; i < 4; i++)
		config.handed[i].file = files[i];
	assert_true(vm_place_handed(at, &config, 0x3000, 0x7800));
	assert_int_equal(at[0], 0x6000); /* 0x7800 - 0x1001, down to a page */
	assert_int_equal(at[1], 0x5000);
	assert_int_equal(at[2], at[0]);
	assert_int_equal(at[3], 0x4000);
	/* Exactly enough, and a byte less. */
	assert_true(vm_place_handed(at, &config, 0x4000, 0x7800));
	assert_false(vm_place_handed(at, &config, 0x4001, 0x7800));
	assert_false(vm_place_handed(at, &config, 0x8000, 0x7800));
	config.handed[1].file.size = ~0UL - 0x2000;
	assert_false(vm_place_handed(at, &config, 0, 0x7800));
}

/* The clock keeps clear of what else the VM has. */
static void clock_moves(void **state)
{
	(void)state;
	config.pass_count = 0;
	vm.layout.rtc = 0x09010000;
	vm.layout.rtc_intid = 34;
	assert_null(vm_layout_clock(&vm));
	assert_int_equal(vm.layout.rtc, 0x09010000);
	assert_int_equal(vm.layout.rtc_intid, 34);
	config.pass_count = 1; /* the machine's own clock */
	assert_null(vm_layout_clock(&vm));
	assert_int_equal(vm.layout.rtc, 0x09020000);
	assert_int_equal(vm.layout.rtc_intid, 35);
	assert_line(NULL);
	vm.layout.rtc = 0x09000000;
	vm.layout.rtc_intid = 33; /* the UART's */
	assert_line("found its clock at 0x9000000 + 0x1000 and its UART");
	assert_null(vm_layout_clock(&vm));
	assert_int_equal(vm.layout.rtc, 0x09020000);
	assert_int_equal(vm.layout.rtc_intid, 35);
	vm.layout.rtc = 0x40000000;
	assert_null(vm_layout_clock(&vm));
	assert_int_equal(vm.layout.rtc, 0x09020000);
	config.pass[0].reg[0] = (struct range){ 0x9010000, 0xff0000 };
	assert_non_null(strstr(vm_layout_clock(&vm), "for its clock, found none free"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(clock_moves, setup),
		cmocka_unit_test_setup(handed_down, setup),
		cmocka_unit_test_setup(fits, setup),
		cmocka_unit_test_setup(interrupts, setup),
		cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(direct_map, setup),
	};

	return cmocka_run_group_tests_name("vm_layout", tests, NULL, NULL);
}
