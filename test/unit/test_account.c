/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts and their table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "vm/account.h"
#include "state/vm.h"

#include "log_text.h"

static struct vm_config config = { .name = "guest" };
static struct vcpu vcpus[2];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", 1000000000);
	memset(vms, 0, sizeof(vms));
	memset(vcpus, 0, sizeof(vcpus));
	fresh();
	vms[0] = (struct vm){ .config = &config, .id = 1, .state = VM_RUNNING, .vcpu_count = 2,
			      .vcpus = { &vcpus[0], &vcpus[1] } };
	vm_count = 1;
	return 0;
}

static void test_exit(void **state)
{
	static struct account a;
	const struct account_class *c = &a.class[EXIT_CLASS_HVC];

	(void)state;
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 50);
	assert_int_equal(~c->not_min, 50);
	assert_int_equal(c->max, 50);
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 10);
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 70);
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 60);
	assert_int_equal(c->count, 4);
	assert_int_equal(c->ticks, 190);
	assert_int_equal(~c->not_min, 10);
	assert_int_equal(c->max, 70);
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 0);
	account_exit(&a, ACCOUNT_VM, EXIT_CLASS_HVC, 5);
	assert_int_equal(~c->not_min, 0);
	assert_int_equal(a.class[EXIT_CLASS_SMC].count, 0);
}

static void test_table(void **state)
{
	(void)state;
	account_exit(&vcpus[0].account, ACCOUNT_VM, EXIT_CLASS_DABT, 1000);
	account_exit(&vcpus[1].account, ACCOUNT_VM, EXIT_CLASS_DABT, 3000);
	account_exit(&vcpus[0].account, ACCOUNT_VM, EXIT_CLASS_SYS, 250);
	account_exit(&vcpus[1].account, ACCOUNT_VM, EXIT_CLASS_WFX, 123456789);
	vcpus[0].account.run_ticks = 5001250;
	vcpus[0].account.switches = 4;
	vcpus[0].account.irq_injected = 77;
	vcpus[1].simd = (struct simd_vcpu){ .claims = 3, .flushes = 2, .bytes = 1040,
					    .host_sections = 1 };
	account_print(&vms[0]);
	assert_string_equal(
		text,
		"Exits of vm 1 guest, L1, all vcpus:\n"
		"   VM-EXIT    Samples  Samples%     Time%      Min Time      Max Time      Avg time          Ticks\n"
		"       WFx          1    25.00%   100.00%   123456.79us   123456.79us   123456.79us      123456789\n"
		"  DABT_LOW          2    50.00%     0.00%        1.00us        3.00us        2.00us           4000\n"
		"     SYS64          1    25.00%     0.00%        0.25us        0.25us        0.25us            250\n"
		"Total Samples:4, Total events handled time:123461.04us.\n"
		"vcpu 0: guest 5000.00us (5000000 ticks), 4 loads, 77 interrupts injected\n"
		"vcpu 0: SIMD 0 claims, 0 flushes, 0 bytes, 0 host sections\n"
		"vcpu 1: guest 0.00us (0 ticks), 0 loads, 0 interrupts injected\n"
		"vcpu 1: SIMD 3 claims, 2 flushes, 1040 bytes, 1 host sections\n");
}

/* A guest hypervisor's VM: a table for each level, and the switches between them. */
static void test_levels(void **state)
{
	(void)state;
	vcpus[0].has_vel2 = vcpus[1].has_vel2 = true;
	account_exit(&vcpus[0].account, ACCOUNT_VM, EXIT_CLASS_ERET, 1000);
	account_exit(&vcpus[1].account, ACCOUNT_NESTED, EXIT_CLASS_HVC, 3000);
	vcpus[0].account.level_entries = 3;
	vcpus[1].account.level_entries = 4;
	vcpus[1].account.level_bytes = 15;
	vcpus[1].local_erets = 9;
	account_print(&vms[0]);
	assert_non_null(strstr(text, "Exits of vm 1 guest, L1, all vcpus:"));
	assert_non_null(strstr(text, "      ERET          1   100.00%"));
	assert_non_null(strstr(text, "Exits of vm 1 guest, L2, all vcpus:"));
	assert_non_null(strstr(text, "     HVC64          1   100.00%"));
	assert_non_null(strstr(
		text,
		"vm 1 guest: 14 level switches, 15 bytes of SIMD state moved by them (1 per switch)\n"
		"vm 1 guest: 9 ERETs within vEL2 besides, 0 of at most 0 pages of shadow stage 2\n"));
}

/* Sorted by time whatever the order of entry, every class by its name, shares as expected. */
static void test_all_classes(void **state)
{
	const char *at = text;

	(void)state;
	for (u32 c = 0; c < EXIT_CLASS_COUNT; c++)
		account_exit(&vcpus[0].account, ACCOUNT_VM, (enum exit_class)c,
			     100 + c * 5 % EXIT_CLASS_COUNT);
	account_print(&vms[0]);
	for (u32 t = EXIT_CLASS_COUNT; t-- > 0;) {
		char cell[32];

		snprintf(cell, sizeof(cell), " 0.%02uus ", 10 + t / 10 + (t % 10 >= 5));
		at = strstr(at, cell);
		if (!at)
			fail_msg("no %s in order in:\n%s", cell, text);
	}
#define X(id, name) assert_non_null(strstr(text, " " name " "));
	EXIT_CLASSES(X)
#undef X
}

static void test_extremes(void **state)
{
	struct account_class *c = &vcpus[0].account.class[EXIT_CLASS_IRQ];

	(void)state;
	account_print(&vms[0]);
	assert_non_null(strstr(text, "Total Samples:0, Total events handled time:0.00us."));
	/* A table without a row; then the largest numbers, and a counter without frequency. */
	*c = (struct account_class){ ~0UL, ~0UL, ~0UL, ~0UL };
	fake_set("CNTFRQ_EL0", 0);
	text[0] = '\0';
	account_print(&vms[0]);
	assert_non_null(strstr(text, "IRQ 18446744073709551615   100.00%   100.00%"));
	assert_non_null(strstr(text, "18446744073709551.62us"));
	fake_set("CNTFRQ_EL0", 0xffffffff);
	account_print(&vms[0]);
	/* Slow counters: 62.5 MHz is 16 ns a tick. */
	setup(NULL);
	fake_set("CNTFRQ_EL0", 62500000);
	account_exit(&vcpus[0].account, ACCOUNT_VM, EXIT_CLASS_IRQ, 100);
	account_print(&vms[0]);
	assert_non_null(strstr(text, "1.60us"));
}

static void test_which_vms(void **state)
{
	(void)state;
	vms[1] = vms[0];
	vms[1].id = 2;
	vms[2] = vms[0];
	vms[2].id = 3;
	vms[2].state = VM_DEAD;
	vms[1].vcpus[1] = NULL;
	vm_count = 4; /* the fourth is unused */
	account_print(NULL);
	assert_non_null(strstr(text, "vm 1 "));
	assert_non_null(strstr(text, "vm 2 "));
	assert_null(strstr(text, "vm 3 "));
	assert_null(strstr(text, "vm 0 "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_exit, setup),
		cmocka_unit_test_setup(test_table, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_all_classes, setup),
		cmocka_unit_test_setup(test_extremes, setup),
		cmocka_unit_test_setup(test_which_vms, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
