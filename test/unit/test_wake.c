/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ends a vcpu's wait: any request, an interrupt for its level or another one, an operation that
 * it has deferred; and in a power-down state, where its interface is off, the redistributor's
 * WakeRequest in the place of interrupts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exit/vcpu.h"
#include "nested/level.h"
#include "state/vcpu.h"
#include "vgic/vgic.h"

static struct vcpu vcpu;
static bool vgic_pending, level_pending, wake_requested;
static bool defers; /* the check of the GIC finds an operation to be done first */
static unsigned checks;

bool vgic_interrupt_pending(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	checks++;
	v->vgic.deferred |= defers;
	return vgic_pending;
}

bool level_interrupt_pending(const struct vcpu *v)
{
	assert_true(v->has_vel2); /* nobody else has levels */
	checks++;
	return level_pending;
}

bool vgic_wake_request(struct vcpu *v)
{
	assert_true(v->powered_down);
	return wake_requested;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vcpu, 0, sizeof(vcpu));
	vgic_pending = level_pending = wake_requested = defers = false;
	checks = 0;
	return 0;
}

static void nothing_does_not(void **state)
{
	(void)state;
	for (u32 i = 0; i < 8; i++) {
		vcpu.has_vel2 = i & 1;
		vcpu.in_vel2 = i & 1 && i & 2;
		vcpu.unfinished = i & 4;
		assert_false(vcpu_wakes(&vcpu));
		assert_false(vcpu_interrupt_pending(&vcpu));
	}
}

/* Whoever sets one kicks the vcpu once; it must not fall asleep over it, whatever it waits for. */
static void any_request(void **state)
{
	(void)state;
	for (u32 i = 0; i < 4; i++) {
		vcpu.powered_down = i & 1;
		vcpu.unfinished = i;
		for (u32 request = 1; request <= REQ_SERROR; request <<= 1) {
			vcpu.requests = request;
			checks = 0;
			assert_true(vcpu_wakes(&vcpu));
			assert_int_equal(checks, 0); /* it need not ask */
		}
		vcpu.requests = 0;
		assert_false(vcpu_wakes(&vcpu));
	}
}

static void an_interrupt_of_any_level(void **state)
{
	(void)state;
	vgic_pending = true;
	assert_true(vcpu_wakes(&vcpu) && vcpu_interrupt_pending(&vcpu));
	vgic_pending = false;
	level_pending = true; /* of nobody that has no levels */
	assert_false(vcpu_wakes(&vcpu) || vcpu_interrupt_pending(&vcpu));
	vcpu.has_vel2 = true;
	assert_true(vcpu_wakes(&vcpu) && vcpu_interrupt_pending(&vcpu));
	/* The same if its last exit is not finished. */
	vcpu.unfinished = true;
	assert_true(vcpu_wakes(&vcpu));
	level_pending = false;
	assert_false(vcpu_wakes(&vcpu));
	vgic_pending = true;
	assert_true(vcpu_wakes(&vcpu));
}

/* The guest may not run before it is done, and nobody else will kick the vcpu for it. */
static void a_deferred_operation(void **state)
{
	(void)state;
	vcpu.vgic.deferred = vcpu.unfinished = true;
	assert_true(vcpu_wakes(&vcpu));
	vcpu.powered_down = true;
	assert_true(vcpu_wakes(&vcpu));
	assert_int_equal(checks, 0); /* nothing else need be asked */
	/* Found by the check itself, which says that no interrupt is pending. */
	for (u32 i = 0; i < 2; i++) {
		setup(NULL);
		vcpu.unfinished = i;
		defers = true;
		assert_true(vcpu_wakes(&vcpu));
		assert_true(vcpu.vgic.deferred);
	}
}

/* CPU_SUSPEND to a power-down state (PSCI 5.4): its interface is off, whatever it would signal. */
static void powered_down(void **state)
{
	(void)state;
	vcpu.powered_down = vcpu.unfinished = true;
	vcpu.has_vel2 = true;
	vgic_pending = level_pending = true;
	assert_false(vcpu_wakes(&vcpu));
	assert_int_equal(checks, 0);
	wake_requested = true;
	assert_true(vcpu_wakes(&vcpu));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_does_not, setup),
		cmocka_unit_test_setup(any_request, setup),
		cmocka_unit_test_setup(an_interrupt_of_any_level, setup),
		cmocka_unit_test_setup(a_deferred_operation, setup),
		cmocka_unit_test_setup(powered_down, setup),
	};

	return cmocka_run_group_tests_name("wake", tests, NULL, NULL);
}
