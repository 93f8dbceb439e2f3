/* SPDX-License-Identifier: Apache-2.0 */
/* WFI, WFE, WFIT and WFET (EC 0x01). What ends a vcpu's wait is test_wake's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "exit/vcpu.h"
#include "exit/wfx.h"
#include "nested/level.h"
#include "state/cpu.h"
#include "traps/debug.h"
#include "vgic/vgic.h"

#define PC 0x40080000UL
/* ISS of EC 0x01: TI is bits 1:0. */
enum { WFI, WFE, WFIT, WFET };

static struct cpu cpu;
static struct vcpu vcpu;
static bool vgic_pending, level_pending;
static unsigned ticks;

struct cpu *cpu_this(void)
{
	return &cpu;
}

bool vgic_interrupt_pending(struct vcpu *v)
{
	(void)v;
	return vgic_pending;
}

bool level_interrupt_pending(const struct vcpu *v)
{
	assert_true(v->has_vel2); /* nobody else has levels */
	return level_pending;
}

void debug_vel2_tick(struct vcpu *v, u64 now)
{
	(void)now;
	assert_true(v->in_vel2);
	ticks++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&cpu, 0, sizeof(cpu));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.pc = PC;
	vgic_pending = level_pending = false;
	ticks = 0;
	return 0;
}

static enum verdict trap(u32 ti)
{
	struct exit exit = { .esr = 1UL << 26 | ESR_IL | 0x1e00000 | ti, .elr = PC };

	cpu.need_resched = false;
	vcpu.pc = PC;
	return wfx_trap(&vcpu, &exit);
}

static void sleeps(void **state)
{
	(void)state;
	assert_int_equal(trap(WFI), SLEEP);
	assert_int_equal(vcpu.pc, PC + 4); /* whatever wakes it, it continues behind the WFI */
	assert_false(cpu.need_resched);
}

static void does_not_sleep(void **state)
{
	(void)state;
	vgic_pending = true;
	assert_int_equal(trap(WFI), RESUME);
	assert_int_equal(vcpu.pc, PC + 4);
	assert_false(cpu.need_resched);
	/* An interrupt of another level wakes a vcpu that has levels. */
	vgic_pending = false;
	level_pending = vcpu.has_vel2 = true;
	assert_int_equal(trap(WFI), RESUME);
}

/*
 * They may end at any time (Arm ARM: "for any reason"): other vcpus get the CPU, if there are any.
 */
static void the_others_yield(void **state)
{
	(void)state;
	for (u32 ti = WFE; ti <= WFET; ti++) {
		assert_int_equal(trap(ti), RESUME);
		assert_int_equal(vcpu.pc, PC + 4);
		assert_true(cpu.need_resched);
	}
}

static void software_step_of_vel2(void **state)
{
	(void)state;
	vcpu.has_vel2 = true;
	vcpu.mdscr.write_lent = true;
	trap(WFI);
	assert_int_equal(ticks, 0);
	vcpu.in_vel2 = true;
	trap(WFI);
	assert_int_equal(ticks, 1);
	vcpu.mdscr.write_lent = false;
	trap(WFI);
	assert_int_equal(ticks, 1);
	vcpu.mdscr.numbered_lent = true;
	trap(WFI);
	assert_int_equal(ticks, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sleeps, setup),
		cmocka_unit_test_setup(does_not_sleep, setup),
		cmocka_unit_test_setup(the_others_yield, setup),
		cmocka_unit_test_setup(software_step_of_vel2, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
