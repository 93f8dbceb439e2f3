/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vcpu's reset state (pseudocode: AArch64.TakeReset), and the order in which it is loaded on a
 * CPU and put: translations first and last, SIMD before its owner leaves, timers' lines before
 * others may read the GIC's state, loaded_cpu only when nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/barrier.h"
#include "exit/serror.h"
#include "exit/vcpu.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/vm.h"
#include "traps/bank.h"
#include "traps/identity.h"
#include "traps/vel2.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

static struct cpu cpu;
static struct vm vm;
static struct vcpu vcpu;
static char order[64]; /* a letter for each part, in the order in which they were called */

struct cpu *cpu_this(void)
{
	return &cpu;
}

static void part(char c)
{
	size_t n = strlen(order);

	assert_true(n + 1 < sizeof(order));
	order[n] = c;
}

void identity_load(struct vcpu *v)
{
	(void)v;
	part('I');
}

void level_load(struct vcpu *v)
{
	(void)v;
	part('L');
}

void sysreg_load(struct vcpu *v)
{
	(void)v;
	part('S');
}

void vtimer_load(struct vcpu *v)
{
	(void)v;
	part('T');
}

void vgic_load(struct vcpu *v)
{
	(void)v;
	part('G');
}

void simd_flush(struct vcpu *v)
{
	assert_true(fake_dsbs);
	assert_ptr_equal(v->loaded_cpu, &cpu);
	part('v');
}

void level_put(struct vcpu *v)
{
	(void)v;
	part('l');
}

void vtimer_put(struct vcpu *v)
{
	(void)v;
	part('t');
}

void vgic_put(struct vcpu *v)
{
	(void)v;
	part('g');
}

void sysreg_save(struct vcpu *v)
{
	assert_ptr_equal(v->loaded_cpu, &cpu);
	part('s');
}

/* Before a vcpu is loaded, none is to blame; before it is put, it is. */
void serror_poll(void)
{
	part('!');
	assert_true(!cpu.loaded || (cpu.loaded == &vcpu && fake_dsbs));
}

void sysreg_reset(struct vcpu *v)
{
	memset(v->sr, 0x5a, sizeof(v->sr));
	part('r');
}

void vel2_reset(struct vcpu *v)
{
	assert_int_equal(v->sr[SR_SCTLR_EL1], 0x5a5a5a5a5a5a5a5aUL); /* on top of the rows */
	part('e');
}

void simd_vcpu_reset(struct vcpu *v)
{
	(void)v;
	part('d');
}

void vtimer_reset(struct vcpu *v)
{
	(void)v;
	part('m');
}

void vgic_vcpu_reset(struct vcpu *v)
{
	(void)v;
	part('c');
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&cpu, 0, sizeof(cpu));
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(order, 0, sizeof(order));
	vcpu.vm = &vm;
	fake_dsbs = 0;
	return 0;
}

static void reset(void **state)
{
	(void)state;
	memset(vcpu.gpr, 0xa5, sizeof(vcpu.gpr));
	vcpu.debug_live = vcpu.exit_waits = true;
	vcpu.pair.done = 3;
	vcpu_reset(&vcpu, 0x40080000, 0x48000000);
	assert_int_equal(vcpu.pc, 0x40080000);
	assert_int_equal(vcpu.gpr[0], 0x48000000);
	for (u32 i = 1; i < 32; i++)
		assert_int_equal(vcpu.gpr[i], 0);
	/* EL1 with SP_EL1, D, A, I and F masked, everything else 0. */
	assert_int_equal(vcpu.pstate, 0xf << 6 | 5);
	assert_false(vcpu.debug_live || vcpu.exit_waits || vcpu.pair.done);
	assert_string_equal(order, "rdmc");
}

static void reset_at_vel2(void **state)
{
	(void)state;
	vcpu.has_vel2 = true;
	vcpu_reset(&vcpu, 0x40080000, 0);
	assert_string_equal(order, "redmc");
}

static void load(void **state)
{
	(void)state;
	vcpu_load(&vcpu);
	assert_string_equal(order, "!ISTG");
	assert_ptr_equal(cpu.loaded, &vcpu);
	assert_ptr_equal(vcpu.loaded_cpu, &cpu);
	/* The CPU has another one's ELR_EL2, SPSR_EL2 and trap controls. */
	assert_true(vcpu.pc_dirty && vcpu.traps_stale);
	assert_int_equal(vcpu.account.switches, 1);
}

static void load_with_levels(void **state)
{
	(void)state;
	vcpu.has_vel2 = true;
	vcpu_load(&vcpu);
	assert_string_equal(order, "!LSTG");
}

static void put(void **state)
{
	(void)state;
	cpu.loaded = &vcpu;
	vcpu.loaded_cpu = &cpu;
	vcpu_put(&vcpu);
	assert_string_equal(order, "!vtgs");
	assert_null(cpu.loaded);
	assert_null(vcpu.loaded_cpu);
	assert_int_equal(vcpu.requests, 0);
}

static void put_with_levels(void **state)
{
	(void)state;
	cpu.loaded = &vcpu;
	vcpu.loaded_cpu = &cpu;
	vcpu.has_vel2 = true;
	vcpu_put(&vcpu);
	assert_string_equal(order, "!vltgs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reset, setup),
		cmocka_unit_test_setup(reset_at_vel2, setup),
		cmocka_unit_test_setup(load, setup),
		cmocka_unit_test_setup(load_with_levels, setup),
		cmocka_unit_test_setup(put, setup),
		cmocka_unit_test_setup(put_with_levels, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
