/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In which stage 2 a vcpu runs, with which identity (MIDR_EL1, MPIDR_EL1), and when its VMID's
 * entries in this CPU's TLB may be another vcpu's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "arch/idspace.h"
#include "arch/sysreg.h"
#include "mm/tlb.h"
#include "state/cpu.h"
#include "state/vm.h"
#include "traps/identity.h"

static struct cpu cpu[2];
static u32 here;
static struct vm vm;
static struct vcpu a, b;
static unsigned flushes, loads;

struct cpu *cpu_this(void)
{
	return &cpu[here];
}

void stage2_load(const struct stage2 *s2)
{
	assert_ptr_equal(s2, &vm.stage2);
	loads++;
}

void tlb_invalidate_vmid_local(void)
{
	/* Of the VMID that the registers hold by now. */
	assert_true(loads && fake_isbs);
	flushes++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(cpu, 0, sizeof(cpu));
	cpu[1].index = 1;
	here = 0;
	memset(&vm, 0, sizeof(vm));
	vm.id_regs.v[IDX_MIDR_EL1] = 0x410fd0f0;
	a = (struct vcpu){ .vm = &vm, .vmpidr = 0x80000000 };
	b = (struct vcpu){ .vm = &vm, .vmpidr = 0x80000001 };
	flushes = loads = 0;
	fake_isbs = 0;
	return 0;
}

static unsigned flushes_of(struct vcpu *vcpu, u32 on)
{
	unsigned before = flushes;

	here = on;
	fake_isbs = 0;
	identity_load(vcpu);
	return flushes - before;
}

static void registers(void **state)
{
	(void)state;
	identity_load(&b);
	assert_int_equal(fake_get("VPIDR_EL2"), 0x410fd0f0);
	assert_int_equal(fake_get("VMPIDR_EL2"), 0x80000001);
	identity_load(&b);
	/* no register is written that has the value already */
	assert_int_equal(fake_writes("VPIDR_EL2"), 1);
	assert_int_equal(fake_writes("VMPIDR_EL2"), 1);
	assert_int_equal(loads, 2);
}

static void whose_entries(void **state)
{
	(void)state;
	assert_int_equal(flushes_of(&a, 0), 1);
	assert_int_equal(flushes_of(&a, 0), 0); /* its own */
	assert_int_equal(flushes_of(&b, 0), 1); /* a's */
	assert_int_equal(flushes_of(&a, 0), 1); /* b's */
	assert_int_equal(flushes_of(&b, 1), 1);
	/*
	 * It was the last one here, but what it invalidated locally elsewhere is still cached here.
	 */
	assert_int_equal(flushes_of(&b, 1), 0);
	assert_int_equal(flushes_of(&a, 1), 1);
	assert_int_equal(flushes_of(&a, 0), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(whose_entries, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
