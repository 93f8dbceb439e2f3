/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 as in DEN0022: function numbers, return codes, argument widths, what becomes of vcpu and
 * VM.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "exit/psci.h"
#include "vm/sched.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "exit/vcpu.h"
#include "vgic/vgic.h"

/* DEN0022, table "return error codes". */
#define SUCCESS 0
#define NOT_SUPPORTED (-1)
#define INVALID_PARAMETERS (-2)
#define ALREADY_ON (-4)
#define INVALID_ADDRESS (-9)

#define RAM 0x40000000UL
#define RAM_SIZE 0x08000000UL
#define ENTRY 0x40080000UL
#define HIGH 0xdead000000000000UL /* random bits above a 32-bit argument */

#define VCPUS 5
static struct vm_config config = { .mem_size = RAM_SIZE };
static struct vm vm;
static struct vcpu vcpus[VCPUS];
static struct vcpu *self = &vcpus[0];

static unsigned resets, starts, puts_, loads;
static struct vcpu *reset_who, *started;
static u64 reset_pc, reset_x0;
static bool pending;
static u32 state_at_reset;

void vcpu_reset(struct vcpu *vcpu, u64 pc, u64 x0)
{
	resets++;
	reset_who = vcpu;
	reset_pc = pc;
	reset_x0 = x0;
	state_at_reset = vcpu->state;
}

void sched_start(struct vcpu *vcpu)
{
	starts++;
	started = vcpu;
	vcpu->state = VCPU_RUNNABLE;
}

bool vcpu_interrupt_pending(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, self);
	return pending;
}

static unsigned unsettled;

bool vgic_finish(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, self);
	return !unsettled || !unsettled--;
}

static bool wake_up;

bool vgic_wake_request(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, self);
	return wake_up;
}

void vcpu_put(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, self);
	assert_int_equal(resets, 0);
	puts_++;
}

void vcpu_load(struct vcpu *vcpu)
{
	assert_ptr_equal(vcpu, self);
	assert_int_equal(resets, 1);
	loads++;
}

/* Affinities: 0.0.0.0, 0.0.0.1, 0.0.1.0, 0.2.0.0, 3.0.0.0 */
static const u64 mpidr[VCPUS] = { 0, 1, 0x100, 0x20000, 0x300000000 };

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	vm.config = &config;
	vm.ram[0] = (struct vm_ram){ RAM, 0x80000000UL, RAM_SIZE };
	vm.ram_chunks = 1;
	vm.vcpu_count = VCPUS;
	vm.state = VM_RUNNING;
	for (u32 i = 0; i < VCPUS; i++) {
		vm.vcpus[i] = &vcpus[i];
		vcpus[i].vm = &vm;
		vcpus[i].index = (u8)i;
		vcpus[i].vmpidr = mpidr[i] | 1UL << 31;
	}
	self->state = VCPU_RUNNING;
	resets = starts = puts_ = loads = 0;
	pending = wake_up = false;
	return 0;
}

static s64 result;

static enum verdict call(u32 fid, u64 a1, u64 a2, u64 a3)
{
	self->gpr[0] = fid;
	self->gpr[1] = a1;
	self->gpr[2] = a2;
	self->gpr[3] = a3;
	result = 0x7777;
	return psci_call(self, fid, &result);
}

static s64 returns(u32 fid, u64 a1, u64 a2, u64 a3)
{
	enum verdict v = call(fid, a1, a2, a3);

	if (v != RESUME)
		fail_msg("%#x: verdict %d, want RESUME", fid, v);
	return result;
}

static void version(void **state)
{
	(void)state;
	assert_int_equal(returns(0x84000000, 0, 0, 0), 0x00010001);
	assert_int_equal(returns(0x84000006, 0, 0, 0), 2); /* no Trusted OS to migrate */
}

/*
 * Which of 0x8400_0000-1f and 0xC400_0000-1f exist; the rest is NOT_SUPPORTED and PSCI_FEATURES
 * says the same.
 */
static void features(void **state)
{
	static const u32 exist[] = { 0x84000000, 0x84000001, 0x84000002, 0x84000003, 0x84000004,
				     0x84000006, 0x84000008, 0x84000009, 0x8400000a, 0x84000012,
				     0xc4000001, 0xc4000003, 0xc4000004, 0xc4000012, 0x80000000 };

	(void)state;
	for (u32 wide = 0; wide < 2; wide++)
		for (u32 n = 0; n <= 0x20; n++) {
			u32 fid = (n == 0x20 ? 0x80000000 : 0x84000000 + n) + wide * 0x40000000;
			bool have = false;
			s64 got;

			for (size_t i = 0; i < ARRAY_SIZE(exist); i++)
				have |= exist[i] == fid;
			/*
			 * 0 also says: CPU_SUSPEND has the original format, no OS-initiated mode.
			 */
			got = returns(0x8400000a, HIGH | fid, 0, 0);
			if (got != (have ? 0 : NOT_SUPPORTED))
				fail_msg("PSCI_FEATURES(%#x): %ld", fid, got);
			if (n < 0x20 && !have && returns(fid, 0, 0, 0) != NOT_SUPPORTED)
				fail_msg("%#x: %ld, want NOT_SUPPORTED", fid, result);
		}
	assert_int_equal(returns(0x8400000a, 0x84000050, 0, 0), NOT_SUPPORTED);
	assert_int_equal(returns(0x8400000a, 0, 0, 0), NOT_SUPPORTED);
	assert_int_equal(resets + starts, 0);
}

static void cpu_on(void **state)
{
	(void)state;
	for (u32 i = 1; i < VCPUS; i++) {
		setup(NULL);
		assert_int_equal(returns(0xc4000003, mpidr[i], ENTRY, 0x1122334455667788), SUCCESS);
		assert_ptr_equal(reset_who, &vcpus[i]);
		assert_ptr_equal(started, &vcpus[i]);
		assert_int_equal(resets, 1);
		assert_int_equal(starts, 1);
		assert_int_equal(reset_pc, ENTRY);
		assert_int_equal(reset_x0, 0x1122334455667788);
		/* While its registers are set, nobody else may start it. */
		assert_int_equal(state_at_reset, VCPU_STARTING);
		/* Twice */
		assert_int_equal(returns(0xc4000003, mpidr[i], ENTRY, 0), ALREADY_ON);
		assert_int_equal(resets, 1);
	}
}

static void cpu_on_32(void **state)
{
	(void)state;
	assert_int_equal(returns(0x84000003, HIGH | 1, HIGH | ENTRY, HIGH | 0x89abcdef), SUCCESS);
	assert_ptr_equal(started, &vcpus[1]);
	assert_int_equal(reset_pc, ENTRY);
	assert_int_equal(reset_x0, 0x89abcdef);
	/* A 32-bit call cannot name Aff3: this is vcpu 0. */
	assert_int_equal(returns(0x84000003, mpidr[4], ENTRY, 0), ALREADY_ON);
}

static void cpu_on_states(void **state)
{
	static const u32 states[] = { VCPU_STARTING, VCPU_RUNNABLE, VCPU_RUNNING, VCPU_SLEEPING,
				      VCPU_DEAD };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		vcpus[1].state = states[i];
		assert_int_equal(returns(0xc4000003, 1, ENTRY, 0), ALREADY_ON);
		assert_int_equal(vcpus[1].state, states[i]);
	}
	/* Itself */
	assert_int_equal(returns(0xc4000003, 0, ENTRY, 0), ALREADY_ON);
	assert_int_equal(resets + starts, 0);
}

static void cpu_on_bad(void **state)
{
	static const u64 target[] = { 2,
				      0x101,
				      0x10000,
				      0x100000000,
				      1UL << 31 | 1,
				      1UL << 24 | 1,
				      1UL << 30 | 1,
				      1UL << 40 | 1,
				      1UL << 63 | 1,
				      ~0UL };
	static const u64 entry[] = { 0,         RAM - 4,   RAM + RAM_SIZE,
				     ENTRY + 1, ENTRY + 2, ENTRY + 3,
				     ~3UL,      ~0UL,      1UL << 63 | ENTRY };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(target); i++)
		if (returns(0xc4000003, target[i], ENTRY, 0) != INVALID_PARAMETERS)
			fail_msg("CPU_ON of %#lx: %ld", target[i], result);
	for (size_t i = 0; i < ARRAY_SIZE(entry); i++)
		if (returns(0xc4000003, 1, entry[i], 0) != INVALID_ADDRESS)
			fail_msg("CPU_ON at %#lx: %ld", entry[i], result);
	assert_int_equal(resets + starts, 0);
	assert_int_equal(vcpus[1].state, VCPU_OFF);
	/* The borders are fine. */
	assert_int_equal(returns(0xc4000003, 1, RAM, 0), SUCCESS);
	assert_int_equal(returns(0xc4000003, 0x100, RAM + RAM_SIZE - 4, 0), SUCCESS);
}

static void affinity_info(void **state)
{
	/* Who is on, the affinity, the level, the answer: 0 ON, 1 OFF. */
	static const struct {
		u32 on;
		u64 affinity, level;
		s64 want;
	} rows[] = {
		{ 1, 0, 0, 0 },
		{ 1, 1, 0, 1 },
		{ 1, 2, 0, INVALID_PARAMETERS },
		{ 1, 0x100, 0, 1 },
		{ 4, 0x100, 0, 0 },
		{ 1, 0x200, 0, INVALID_PARAMETERS },
		{ 1, 0x300000000, 0, 1 },
		{ 1, 0x300000001, 0, INVALID_PARAMETERS },
		/* Level 1: Aff0 is ignored; cluster 0 has vcpus 0 and 1. */
		{ 1, 0, 1, 0 },
		{ 2, 0, 1, 0 },
		{ 2, 0x55, 1, 0 },
		{ 1, 0x155, 1, 1 },
		{ 4, 0x1ff, 1, 0 },
		{ 1, 0x200, 1, INVALID_PARAMETERS },
		/* Level 2: Aff1 too; 0.0 has vcpus 0 to 2. */
		{ 4, 0x7777, 2, 0 },
		{ 1, 0x20000, 2, 1 },
		{ 8, 0x2abcd, 2, 0 },
		{ 1, 0x30000, 2, INVALID_PARAMETERS },
		/* Level 3: only Aff3. */
		{ 8, 0xffffff, 3, 0 },
		{ 1, 0x3000000ff, 3, 1 },
		{ 16, 0x300123456, 3, 0 },
		{ 1, 0x100000000, 3, INVALID_PARAMETERS },
		{ 1, 0, 4, INVALID_PARAMETERS },
		{ 1, 0, 0xffffffff, INVALID_PARAMETERS },
		/* The level is a 32-bit argument of the 64-bit call too. */
		{ 1, 0, HIGH, 0 },
		{ 1, 1, HIGH, 1 },
		{ 1, 1UL << 24, 0, INVALID_PARAMETERS },
		{ 1, 1UL << 31, 0, INVALID_PARAMETERS },
		{ 1, 1UL << 40, 3, INVALID_PARAMETERS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (u32 v = 0; v < VCPUS; v++)
			vcpus[v].state = rows[i].on >> v & 1 ? VCPU_SLEEPING : VCPU_OFF;
		if (returns(0xc4000004, rows[i].affinity, rows[i].level, 0) != rows[i].want)
			fail_msg("row %zu: AFFINITY_INFO(%#lx, %lu): %ld, want %ld", i,
				 rows[i].affinity, rows[i].level, result, rows[i].want);
	}
	/* 32-bit: Aff3 is not included. */
	vcpus[0].state = VCPU_RUNNING;
	assert_int_equal(returns(0x84000004, HIGH, HIGH, 0), 0);
	assert_int_equal(returns(0x84000004, 0x300000001, 0, 0), 1);
}

static void off_and_reset(void **state)
{
	(void)state;
	/* Not before its operations on other vcpus' interrupts are complete. */
	unsettled = 2;
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(call(0x84000002, 0, 0, 0), AGAIN);
		assert_false(self->going_off);
		assert_int_equal(self->gpr[0], 0x84000002);
	}
	assert_int_equal(call(0x84000002, 0, 0, 0), DEAD);
	assert_true(self->going_off);
	self->going_off = false;
	self->stop_reason = "an older one";
	assert_int_equal(call(0x84000008, 0, 0, 0), STOP_VM);
	assert_null(self->stop_reason); /* the guest's own wish */
	assert_int_equal(call(0x84000009, 0, 0, 0), RESET_VM);
	assert_false(self->going_off);
}

static void system_reset2(void **state)
{
	static const u32 fid[] = { 0x84000012, 0xc4000012 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		setup(NULL);
		assert_int_equal(returns(fid[i], 1, 0, 0), INVALID_PARAMETERS);
		assert_int_equal(returns(fid[i], 0x7fffffff, 0, 0), INVALID_PARAMETERS);
		assert_true(returns(fid[i], 0x80000000, 5, 0) < 0); /* vendor-specific: none here */
		assert_true(returns(fid[i], 0xffffffff, 0, 0) < 0);
		/* SYSTEM_WARM_RESET, whatever the cookie; the type is 32 bits wide in both. */
		assert_int_equal(call(fid[i], HIGH, ~0UL, ~0UL), RESET_VM);
	}
}

static void suspend_standby(void **state)
{
	static const u64 power[] = { 0, 0xffff, 1UL << 24, 3UL << 24 | 0x1234 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(power); i++) {
		setup(NULL);
		/* Entry point and context are ignored. */
		assert_int_equal(call(0xc4000001, power[i], ~0UL, 0), SLEEP);
		assert_int_equal(self->gpr[0], SUCCESS); /* what it returns once awake */
		assert_false(self->powered_down);
		pending = true;
		assert_int_equal(returns(0xc4000001, power[i], ~0UL, 0), SUCCESS);
	}
	setup(NULL);
	assert_int_equal(call(0xc4000001, HIGH, 0, 0), SLEEP); /* power_state is 32 bits wide */
}

static void suspend_bad(void **state)
{
	(void)state;
	/* Reserved bits of the original format: 31:26 and 23:17. */
	for (u32 bit = 0; bit < 32; bit++) {
		if (bit <= 16 || bit == 24 || bit == 25)
			continue;
		if (returns(0xc4000001, 1UL << bit, ENTRY, 0) != INVALID_PARAMETERS)
			fail_msg("power_state bit %u: %ld", bit, result);
	}
	assert_int_equal(returns(0xc4000001, 1 << 16, ENTRY + 2, 0), INVALID_ADDRESS);
	assert_int_equal(returns(0xc4000001, 1 << 16, 0x1000, 0), INVALID_ADDRESS);
	assert_int_equal(returns(0x84000001, 1 << 16, RAM + RAM_SIZE, 0), INVALID_ADDRESS);
	assert_false(self->powered_down);
}

static void suspend_powerdown(void **state)
{
	(void)state;
	assert_int_equal(call(0xc4000001, 1 << 16 | 1 << 24, ENTRY, 0x1234567890abcdef), SLEEP);
	assert_true(self->powered_down);
	/* A kick for something else is no wake-up event. */
	assert_false(psci_resume(self));
	assert_int_equal(resets, 0);
	assert_true(self->powered_down);
	wake_up = true;
	assert_true(psci_resume(self));
	/*
	 * Out of reset, at the entry point with the context in x0; written back before, loaded
	 * after.
	 */
	assert_int_equal(puts_, 1);
	assert_int_equal(loads, 1);
	assert_ptr_equal(reset_who, self);
	assert_int_equal(reset_pc, ENTRY);
	assert_int_equal(reset_x0, 0x1234567890abcdef);
	assert_false(self->powered_down);
	setup(NULL);
	assert_int_equal(call(0x84000001, HIGH | 1 << 16, HIGH | ENTRY, HIGH | 0x5678), SLEEP);
	wake_up = true;
	assert_true(psci_resume(self));
	assert_int_equal(reset_pc, ENTRY);
	assert_int_equal(reset_x0, 0x5678);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(version, setup),
		cmocka_unit_test_setup(features, setup),
		cmocka_unit_test_setup(cpu_on, setup),
		cmocka_unit_test_setup(cpu_on_32, setup),
		cmocka_unit_test_setup(cpu_on_states, setup),
		cmocka_unit_test_setup(cpu_on_bad, setup),
		cmocka_unit_test_setup(affinity_info, setup),
		cmocka_unit_test_setup(off_and_reset, setup),
		cmocka_unit_test_setup(system_reset2, setup),
		cmocka_unit_test_setup(suspend_standby, setup),
		cmocka_unit_test_setup(suspend_bad, setup),
		cmocka_unit_test_setup(suspend_powerdown, setup),
	};

	return cmocka_run_group_tests_name("psci", tests, NULL, NULL);
}
