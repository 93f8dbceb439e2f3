/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's timers: what is moved at load and put, and the emulated CNTP against the architecture
 * restated.
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
#include "boot/fdt.h"
#include "dev/gicv3.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

struct cpu cpus[MAX_CPUS];
static struct vm vm;
static struct vcpu vcpu;
static u64 now;
static bool ppi_level;
static unsigned ppi_calls, hw_calls;
static u32 hw_intid, hw_pintid;

struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

void vgic_set_ppi(struct vcpu *v, u32 intid, bool level)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(intid, 30);
	ppi_level = level;
	ppi_calls++;
}

void vgic_inject_ppi_hw(struct vcpu *v, u32 intid, u32 pintid)
{
	assert_ptr_equal(v, &vcpu);
	hw_calls++;
	hw_intid = intid;
	hw_pintid = pintid;
}

void vgic_inject_ppi_vel2(struct vcpu *v, u32 intid, u32 pintid)
{
	(void)v;
	fail_msg("PPI %u (%u) as if of a VM with EL2", intid, pintid);
}

void gicv3_deactivate(u32 intid)
{
	fail_msg("PPI %u deactivated", intid);
}

void vcpu_request(struct vcpu *v, u32 request)
{
	assert_ptr_equal(v, &vcpu);
	v->requests |= request;
}

static u64 read_cntpct(u64 stored)
{
	(void)stored;
	return now;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_on_read("CNTPCT_EL0", read_cntpct);
	memset(cpus, 0, sizeof(cpus));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	for (int i = 0; i < FAKE_CPUS; i++) {
		list_init(&cpus[i].hw.timers);
		cpus[i].hw.timer_programmed = ~0UL;
	}
	vcpu.vm = &vm;
	vm.cntoff = 1000;
	now = 5000;
	ppi_level = false;
	vtimer_set_cntpoff(false);
	vtimer_reset(&vcpu);
	ppi_calls = hw_calls = 0;
	machine.ppi_virt = 27;
	machine.ppi_phys = 30;
	return 0;
}

/* The machine's part: CNTHP if it is due, then the request that a run loop would serve. */
static void pump(void)
{
	if ((fake_get("CNTHP_CTL_EL2") & 3) == 1 && now >= fake_get("CNTHP_CVAL_EL2"))
		timer_interrupt();
	if (vcpu.requests & REQ_TIMER) {
		vcpu.requests = 0;
		vtimer_update(&vcpu);
	}
}

/* ---- emulated CNTP ---- */

static struct {
	bool enable, imask;
	u64 cval;
} ref;

static u64 ref_count(void)
{
	return now - vm.cntoff;
}

/* DDI 0487: TimerConditionMet is CompareValue <= CounterValue, both 64-bit unsigned. */
static bool ref_met(void)
{
	return ref_count() >= ref.cval;
}

static void check_regs(const char *what)
{
	u64 ctl = vtimer_phys_read(&vcpu, VTIMER_CTL), cval = vtimer_phys_read(&vcpu, VTIMER_CVAL);

	if ((ctl & 3) != (u64)(ref.enable | ref.imask << 1) || ctl >> 3)
		fail_msg("%s: CTL %#lx", what, ctl);
	/* ISTATUS ignores IMASK, and is UNKNOWN while ENABLE is 0. */
	if (ref.enable && (ctl >> 2 & 1) != ref_met())
		fail_msg("%s: ISTATUS %lu, count %#lx, CVAL %#lx", what, ctl >> 2 & 1, ref_count(),
			 ref.cval);
	if (cval != ref.cval)
		fail_msg("%s: CVAL %#lx, want %#lx", what, cval, ref.cval);
	if (vtimer_phys_read(&vcpu, VTIMER_COUNT) != ref_count())
		fail_msg("%s: CNTPCT %#lx", what, vtimer_phys_read(&vcpu, VTIMER_COUNT));
	/* TVAL reads are 32 bits of the difference, zero-extended; UNKNOWN while ENABLE is 0. */
	if (ref.enable && vtimer_phys_read(&vcpu, VTIMER_TVAL) != (u32)(ref.cval - ref_count()))
		fail_msg("%s: TVAL %#lx", what, vtimer_phys_read(&vcpu, VTIMER_TVAL));
}

static void check_line(const char *what)
{
	bool want = ref.enable && !ref.imask && ref_met();

	if (ppi_level != want)
		fail_msg("%s: line %d, want %d (CTL %d%d, count %#lx, CVAL %#lx)", what, ppi_level,
			 want, ref.imask, ref.enable, ref_count(), ref.cval);
}

static void ref_write(enum vtimer_reg reg, u64 v)
{
	switch (reg) {
	case VTIMER_CTL:
		ref.enable = v & 1;
		ref.imask = v >> 1 & 1;
		break;
	case VTIMER_CVAL:
		ref.cval = v;
		break;
	case VTIMER_TVAL:
		ref.cval = ref_count() + (u64)(int64_t)(int32_t)(uint32_t)v;
		break;
	case VTIMER_COUNT: /* read-only */
		break;
	}
	vtimer_phys_write(&vcpu, reg, v);
}

static u64 seed;

static u64 next_random(void)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return seed >> 16 ^ seed << 45;
}

static u64 random_value(enum vtimer_reg reg)
{
	static const u64 extreme[] = { 0,         1,          ~0UL,       ~0UL - 1,
				       1UL << 63, 0x7fffffff, 0x80000000, 0xffffffff };
	u64 r = next_random();

	if (reg == VTIMER_CTL)
		return r & 0xff;
	if (r & 1)
		return extreme[(r >> 8) % ARRAY_SIZE(extreme)];
	/* Something that comes due soon */
	return (reg == VTIMER_CVAL ? ref_count() : 0) + (r >> 8 & 127) - 30;
}

static void model(u64 offset)
{
	setup(NULL);
	memset(&ref, 0, sizeof(ref));
	vm.cntoff = offset;
	now = offset + 100;
	seed = offset + 1;
	for (int step = 0; step < 30000; step++) {
		enum vtimer_reg reg = (enum vtimer_reg)(next_random() & 3);
		char what[64];

		snprintf(what, sizeof(what), "offset %#lx, step %d", offset, step);
		if (next_random() & 1) {
			now += next_random() & 63;
		} else {
			ref_write(reg, random_value(reg));
			/* A write affects the line at once. */
			check_line(what);
		}
		check_regs(what);
		pump();
		check_line(what);
		if (vcpu.requests)
			fail_msg("%s: requests left", what);
	}
}

static void phys_model(void **state)
{
	(void)state;
	model(0);
	model(1000);
	model(1UL << 40);
	model(0xfffffffff0000000UL);
}

/*
 * A deadline beyond the end of the machine's counter never comes; it must not wrap round to the
 * past.
 */
static void phys_saturates(void **state)
{
	static const u64 cval[] = { ~0UL, ~0UL - 1, ~0UL - 999 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cval); i++) {
		setup(NULL);
		vtimer_phys_write(&vcpu, VTIMER_CVAL, cval[i]);
		vtimer_phys_write(&vcpu, VTIMER_CTL, 1);
		assert_null(vcpu.vtimer.phys.cpu);
		pump();
		assert_false(ppi_level);
		assert_int_equal(fake_get("CNTHP_CTL_EL2"), 0);
	}
	/* Just below: armed at the very end. */
	vtimer_phys_write(&vcpu, VTIMER_CVAL, ~0UL - 1002);
	assert_ptr_equal(vcpu.vtimer.phys.cpu, &cpus[0]);
	assert_int_equal(vcpu.vtimer.phys.deadline, ~0UL - 2);
}

/* No needless software timer: none if masked, disabled or already met. */
static void phys_unarmed(void **state)
{
	static const struct {
		u64 ctl, cval;
		bool armed;
	} rows[] = { { 0, 9000, false }, { 2, 9000, false }, { 3, 9000, false }, { 1, 9000, true },
		     { 1, 10, false },   { 5, 9000, true },  { 1, 4000, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(NULL);
		vtimer_phys_write(&vcpu, VTIMER_CVAL, rows[i].cval);
		vtimer_phys_write(&vcpu, VTIMER_CTL, rows[i].ctl);
		if (!!vcpu.vtimer.phys.cpu != rows[i].armed)
			fail_msg("row %zu: armed %d", i, !rows[i].armed);
	}
}

static void reset(void **state)
{
	(void)state;
	vtimer_phys_write(&vcpu, VTIMER_CVAL, 10);
	vtimer_phys_write(&vcpu, VTIMER_CTL, 1);
	assert_true(ppi_level);
	/*
	 * The redistributor keeps its state over CPU_OFF and CPU_ON, so the line has to be lowered.
	 */
	vtimer_reset(&vcpu);
	assert_false(ppi_level);
	assert_int_equal(vtimer_phys_read(&vcpu, VTIMER_CTL), 0);
	setup(NULL);
	vtimer_phys_write(&vcpu, VTIMER_CVAL, 9000);
	vtimer_phys_write(&vcpu, VTIMER_CTL, 1);
	vtimer_reset(&vcpu);
	assert_null(vcpu.vtimer.phys.cpu);
	now = 20000;
	pump();
	assert_false(ppi_level);
}

/* ---- load and put ---- */

static void virt_moves(void **state)
{
	(void)state;
	vcpu.vtimer.cntv_ctl = 1;
	vcpu.vtimer.cntv_cval = 7000;
	vtimer_load(&vcpu);
	assert_int_equal(fake_get("CNTVOFF_EL2"), 1000);
	assert_int_equal(fake_get("CNTV_CVAL_EL02"), 7000);
	assert_int_equal(fake_get("CNTV_CTL_EL02"), 1);
	assert_int_equal(fake_writes("CNTP_CTL_EL02"), 0); /* emulated: not the guest's */
	/* The guest goes on; ISTATUS is not state. */
	fake_set("CNTV_CVAL_EL02", 8000);
	fake_set("CNTV_CTL_EL02", 1 | 4);
	vtimer_put(&vcpu);
	assert_int_equal(vcpu.vtimer.cntv_ctl, 1);
	assert_int_equal(vcpu.vtimer.cntv_cval, 8000);
	assert_int_equal(fake_get("CNTV_CTL_EL02"), 0); /* it must not fire for the next vcpu */
	/* While not loaded it is woken when the timer is due: at 8000 by its own count. */
	assert_ptr_equal(vcpu.vtimer.virt_wake.cpu, &cpus[0]);
	assert_int_equal(vcpu.vtimer.virt_wake.deadline, 9000);
	now = 9000;
	timer_interrupt();
	assert_int_equal(vcpu.requests, REQ_TIMER);
	/* An unchanged offset is not written again. */
	vtimer_load(&vcpu);
	assert_int_equal(fake_writes("CNTVOFF_EL2"), 1);
}

/*
 * The line is ENABLE, not IMASK, and the condition (AArch64.CheckTimerConditions), wherever the
 * registers are.
 */
static void line_of_timers(void **state)
{
	(void)state;
	for (u64 ctl = 0; ctl < 8; ctl++)
		for (u64 cval = 3998; cval < 4003; cval++) {
			bool high = (ctl & 3) == 1 && cval <= 4000;
			u64 status = (ctl & 1) && cval <= 4000 ? 4 : 0;

			vtimer_set_cntpoff(false);
			vcpu.vtimer.cntv_ctl = vcpu.vtimer.cntp_ctl = ctl & 3;
			vcpu.vtimer.cntv_cval = vcpu.vtimer.cntp_cval = cval;
			fake_set("CNTV_CTL_EL02", (ctl & 3) | status);
			fake_set("CNTP_CTL_EL02", (ctl & 3) | status);
			/* The emulated one's is in priv.line. */
			assert_int_equal(vtimer_lines(&vcpu, true), high ? 1u << 27 : 0);
			assert_int_equal(vtimer_lines(&vcpu, false), high ? 1u << 27 : 0);
			vtimer_set_cntpoff(true);
			assert_int_equal(vtimer_lines(&vcpu, true), high ? 1u << 27 | 1u << 30 : 0);
			assert_int_equal(vtimer_lines(&vcpu, false),
					 high ? 1u << 27 | 1u << 30 : 0);
		}
}

static void virt_wake(void **state)
{
	static const struct {
		u64 ctl, cval;
		bool armed;
	} rows[] = { { 0, 7000, false }, { 3, 7000, false }, { 2, 7000, false },
		     { 1, 7000, true },  { 1, 0, true },     { 1, ~0UL, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(NULL);
		vtimer_load(&vcpu);
		fake_set("CNTV_CTL_EL02", rows[i].ctl);
		fake_set("CNTV_CVAL_EL02", rows[i].cval);
		vtimer_put(&vcpu);
		if (!!vcpu.vtimer.virt_wake.cpu != rows[i].armed)
			fail_msg("row %zu: armed %d", i, !rows[i].armed);
		/* Loaded on another CPU, it no longer needs the software timer. */
		fake_cpu = 1;
		vtimer_load(&vcpu);
		assert_null(vcpu.vtimer.virt_wake.cpu);
		fake_cpu = 0;
	}
}

/* The emulated timer's software timer stays armed while the vcpu moves. */
static void phys_while_moving(void **state)
{
	(void)state;
	vtimer_load(&vcpu);
	vtimer_phys_write(&vcpu, VTIMER_CVAL, 7000);
	vtimer_phys_write(&vcpu, VTIMER_CTL, 1);
	vtimer_put(&vcpu);
	fake_cpu = 1;
	vtimer_load(&vcpu);
	assert_ptr_equal(vcpu.vtimer.phys.cpu, &cpus[0]);
	fake_cpu = 0;
	now = 8000;
	timer_interrupt();
	assert_int_equal(vcpu.requests, REQ_TIMER);
	fake_cpu = 1;
	vtimer_update(&vcpu);
	assert_true(ppi_level);
	fake_cpu = 0;
}

/* Where CNTPOFF works, CNTP moves like CNTV. */
static void phys_direct(void **state)
{
	(void)state;
	vtimer_set_cntpoff(true);
	assert_true(vtimer_has_cntpoff());
	vcpu.vtimer.cntp_ctl = 1;
	vcpu.vtimer.cntp_cval = 6000;
	vtimer_load(&vcpu);
	assert_int_equal(fake_get("CNTPOFF_EL2"), 1000);
	assert_int_equal(fake_get("CNTP_CVAL_EL02"), 6000);
	assert_int_equal(fake_get("CNTP_CTL_EL02"), 1);
	fake_set("CNTP_CTL_EL02", 5);
	vtimer_put(&vcpu);
	assert_int_equal(fake_get("CNTP_CTL_EL02"), 0);
	assert_int_equal(vcpu.vtimer.cntp_ctl, 1);
	assert_int_equal(vcpu.vtimer.phys.deadline, 7000);
	vtimer_load(&vcpu);
	assert_null(vcpu.vtimer.phys.cpu);
	vtimer_update(&vcpu); /* nothing to emulate */
	assert_int_equal(ppi_calls, 0);
}

static void interrupts(void **state)
{
	(void)state;
	/* The machine's INTIDs may differ from the guest's. */
	machine.ppi_virt = 20;
	machine.ppi_phys = 21;
	vtimer_interrupt(&vcpu, 20);
	assert_int_equal(hw_intid, 27);
	assert_int_equal(hw_pintid, 20);
	vtimer_interrupt(&vcpu, 21);
	assert_int_equal(hw_intid, 30);
	assert_int_equal(hw_pintid, 21);
	assert_int_equal(hw_calls, 2);
}

/*
 * Checks of what the guest may change without a trap: the first after 50 us; one that came makes
 * the next interval twice as long, because a guest under other hypervisors may need longer for an
 * entry.
 */
static void looks(void **state)
{
	struct timer *t = &vcpu.vtimer.phys;
	u64 want = 50;
	u8 n = 0;

	(void)state;
	fake_set("CNTFRQ_EL0", 1000000);
	for (u32 i = 0; i < 12; i++) {
		timers_poll_soon(&vcpu, &n);
		assert_int_equal(t->deadline, now + want);
		/* Other exits meanwhile neither delay it nor count. */
		now += 10;
		timers_poll_soon(&vcpu, &n);
		assert_int_equal(t->deadline, now - 10 + want);
		now += want;
		timer_interrupt();
		assert_null(t->cpu);
		want = MIN(2 * want, 6400u);
	}
	/* One that is armed for an earlier time stays. */
	timer_set(t, now + 20);
	timers_poll_soon(&vcpu, &n);
	assert_int_equal(t->deadline, now + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(phys_model, setup),
		cmocka_unit_test_setup(phys_saturates, setup),
		cmocka_unit_test_setup(phys_unarmed, setup),
		cmocka_unit_test_setup(looks, setup),
		cmocka_unit_test_setup(reset, setup),
		cmocka_unit_test_setup(virt_moves, setup),
		cmocka_unit_test_setup(line_of_timers, setup),
		cmocka_unit_test_setup(virt_wake, setup),
		cmocka_unit_test_setup(phys_while_moving, setup),
		cmocka_unit_test_setup(phys_direct, setup),
		cmocka_unit_test_setup(interrupts, setup),
	};

	return cmocka_run_group_tests_name("vtimer", tests, NULL, NULL);
}
