/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four timers of a vcpu that has EL2 against the architecture restated: random accesses by L1
 * and L2, level switches, vcpu switches and time; every register read, every interrupt line, and
 * that each comes on time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "boot/fdt.h"
#include "dev/gicv3.h"
#include "state/vncr.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "vtimer/nested.h"
#include "vtimer/vtimer.h"

#define PHYS_VIRT 20 /* this machine's PPIs; the guest's are others */
#define PHYS_PHYS 21

struct cpu cpus[MAX_CPUS];
struct feat feat;
static struct vm vm;
static struct vcpu vcpu;
static u64 page[VNCR_WORDS];
static u64 now;
static bool loaded;
static u32 lines;                /* that nidus drives: bit by INTID */
static u32 hw_active;            /* the machine's: bit by INTID of the machine */
static u32 injected;             /* hardware-backed PPIs of L1, bit by INTID */
static unsigned deactivated, in_vain;

struct cpu *cpu_this(void)
{
	return &cpus[fake_cpu];
}

void vgic_set_ppi(struct vcpu *v, u32 intid, bool level)
{
	assert_ptr_equal(v, &vcpu);
	if (!!(lines >> intid & 1) == level)
		fail_msg("PPI %u set to %d again", intid, level);
	lines ^= 1u << intid;
}

void vgic_inject_ppi_hw(struct vcpu *v, u32 intid, u32 pintid)
{
	(void)v;
	fail_msg("PPI %u (%u) as if of a VM without EL2", intid, pintid);
}

void vgic_inject_ppi_vel2(struct vcpu *v, u32 intid, u32 pintid)
{
	assert_ptr_equal(v, &vcpu);
	assert_true(pintid == PHYS_VIRT || pintid == PHYS_PHYS);
	injected |= 1u << intid;
}

void gicv3_deactivate(u32 intid)
{
	hw_active &= ~(1u << intid);
	deactivated++;
}

void vcpu_request(struct vcpu *v, u32 request)
{
	assert_ptr_equal(v, &vcpu);
	v->requests |= request;
}

/* ---- the machine ---- */

static u64 read_cntpct(u64 stored)
{
	(void)stored;
	return now;
}

static u64 virt_count(void)
{
	return now - fake_get("CNTVOFF_EL2");
}

static u64 phys_count(void)
{
	return now - (vtimer_has_cntpoff() ? fake_get("CNTPOFF_EL2") : 0);
}

static u64 read_cntv_ctl(u64 v)
{
	return v | ((v & 1) && virt_count() >= fake_get("CNTV_CVAL_EL02") ? 4 : 0);
}

static u64 read_cntp_ctl(u64 v)
{
	return v | ((v & 1) && phys_count() >= fake_get("CNTP_CVAL_EL02") ? 4 : 0);
}

static void setup_with(u64 cntoff, bool cntpoff, bool trap)
{
	fake_reset();
	fake_on_read("CNTPCT_EL0", read_cntpct);
	fake_on_read("CNTV_CTL_EL02", read_cntv_ctl);
	fake_on_read("CNTP_CTL_EL02", read_cntp_ctl);
	memset(cpus, 0, sizeof(cpus));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	memset(page, 0, sizeof(page));
	for (int i = 0; i < FAKE_CPUS; i++) {
		list_init(&cpus[i].hw.timers);
		cpus[i].hw.timer_programmed = ~0UL;
	}
	vcpu.vm = &vm;
	vcpu.vncr = page;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vm.cntoff = cntoff;
	vm.nested.cnthctl = MASK(17, 13) | MASK(11, 0);
	now = cntoff + 5000;
	lines = injected = hw_active = 0;
	machine.ppi_virt = PHYS_VIRT;
	machine.ppi_phys = PHYS_PHYS;
	vcpu.timers_trap = trap;
	vcpu.timers_polled = !trap;
	vtimer_set_cntpoff(cntpoff);
	vtimer_reset(&vcpu);
	vtimer_load(&vcpu);
	loaded = true;
	deactivated = in_vain = 0;
}

static int setup(void **state)
{
	(void)state;
	setup_with(0, false, true);
	return 0;
}

/* Everything due on the machine happens, and the run loop does its part. */
static void pump(void)
{
	for (fake_cpu = 0; fake_cpu < 2; fake_cpu++)
		if ((fake_get("CNTHP_CTL_EL2") & 3) == 1 && now >= fake_get("CNTHP_CVAL_EL2"))
			timer_interrupt();
	fake_cpu = 0;
	if (!loaded)
		return;
	injected = 0;
	if ((read_cntv_ctl(fake_get("CNTV_CTL_EL02")) & 7) == 5)
		vtimer_interrupt(&vcpu, PHYS_VIRT);
	if ((read_cntp_ctl(fake_get("CNTP_CTL_EL02")) & 7) == 5)
		vtimer_interrupt(&vcpu, PHYS_PHYS);
	if (vcpu.requests & REQ_TIMER) {
		vcpu.requests = 0;
		vtimer_update(&vcpu);
	}
}

/* ---- the reference ---- */

static struct {
	bool enable, imask;
	u64 cval;
} ref[4];
static u64 ref_voff;
static const u32 ref_ppi[4] = { [TIMER_V] = 27, [TIMER_P] = 30, [TIMER_HV] = 28, [TIMER_HP] = 26 };
static const char *const ref_name[4] = { "CNTV", "CNTP", "CNTHV", "CNTHP" };

static u64 ref_count(u32 t)
{
	return now - vm.cntoff - (t == TIMER_V ? ref_voff : 0);
}

static bool ref_met(u32 t)
{
	return ref[t].enable && ref_count(t) >= ref[t].cval;
}

static bool ref_line(u32 t)
{
	return ref_met(t) && !ref[t].imask;
}

static bool ref_direct(u32 t)
{
	return vcpu.in_vel2 == (t == TIMER_HV || t == TIMER_HP);
}

static char at[80];

static void check_lines(void)
{
	for (u32 t = 0; t < 4; t++) {
		u32 bit = 1u << ref_ppi[t];
		bool direct = ref_direct(t), line = direct ? injected & bit : lines & bit;

		if (line != ref_line(t))
			fail_msg("%s: %s (%s) interrupts: %d, should %d; count %#lx CVAL %#lx", at,
				 ref_name[t], direct ? "direct" : "emulated", line, ref_line(t),
				 ref_count(t), ref[t].cval);
		if (lines & injected & bit)
			fail_msg("%s: %s interrupts twice", at, ref_name[t]);
	}
}

/* ---- what guests do ---- */

static const struct {
	sysreg_fn *ctl, *cval, *tval;
} trapped[4] = {
	[TIMER_V] = { emul_cntv_ctl_el02, emul_cntv_cval_el02, emul_cntv_tval_el02 },
	[TIMER_P] = { emul_cntp_ctl_el02, emul_cntp_cval_el02, emul_cntp_tval_el02 },
	[TIMER_HV] = { emul_cnthv_ctl_el2, emul_cnthv_cval_el2, emul_cnthv_tval_el2 },
	[TIMER_HP] = { emul_cnthp_ctl_el2, emul_cnthp_cval_el2, emul_cnthp_tval_el2 },
};

static sysreg_fn *handler(u32 t, enum vtimer_reg reg)
{
	return reg == VTIMER_CTL    ? trapped[t].ctl
	       : reg == VTIMER_CVAL ? trapped[t].cval
				    : trapped[t].tval;
}

static bool in_page(u32 t, enum vtimer_reg reg)
{
	return !vcpu.timers_trap && vcpu.in_vel2 && (t == TIMER_V || t == TIMER_P) && reg != VTIMER_TVAL;
}

static u32 slot(u32 t, enum vtimer_reg reg)
{
	if (t == TIMER_V)
		return reg == VTIMER_CTL ? VNCR_CNTV_CTL_EL0 : VNCR_CNTV_CVAL_EL0;
	return reg == VTIMER_CTL ? VNCR_CNTP_CTL_EL0 : VNCR_CNTP_CVAL_EL0;
}

/* The CPU's own timers, by the level that runs and has them. */
static void hw_set(u32 t, enum vtimer_reg reg, u64 v)
{
	bool virt = t == TIMER_V || t == TIMER_HV;

	if (reg == VTIMER_CTL)
		fake_set(virt ? "CNTV_CTL_EL02" : "CNTP_CTL_EL02", v & 3);
	else if (reg == VTIMER_CVAL)
		fake_set(virt ? "CNTV_CVAL_EL02" : "CNTP_CVAL_EL02", v);
	else
		fake_set(virt ? "CNTV_CVAL_EL02" : "CNTP_CVAL_EL02",
			 (virt ? virt_count() : phys_count()) + (u64)(s64)(s32)v);
}

static u64 hw_get(u32 t, enum vtimer_reg reg)
{
	bool virt = t == TIMER_V || t == TIMER_HV;
	u64 cval = fake_get(virt ? "CNTV_CVAL_EL02" : "CNTP_CVAL_EL02");

	if (reg == VTIMER_CTL)
		return virt ? read_cntv_ctl(fake_get("CNTV_CTL_EL02"))
			    : read_cntp_ctl(fake_get("CNTP_CTL_EL02"));
	return reg == VTIMER_CVAL ? cval : (u32)(cval - (virt ? virt_count() : phys_count()));
}

/* vEL2 leaves its page for nidus to read. */
static void some_exit(void)
{
	if (!vtimer_vel2_quiet(&vcpu))
		vtimer_vel2_exit(&vcpu);
	assert_true(vtimer_vel2_quiet(&vcpu) && vtimer_vel2_may_wait(&vcpu));
}

static void guest_write(u32 t, enum vtimer_reg reg, u64 v, bool by_trap)
{
	u64 value = v;

	if (reg == VTIMER_CTL) {
		ref[t].enable = v & 1;
		ref[t].imask = v >> 1 & 1;
	} else if (reg == VTIMER_CVAL) {
		ref[t].cval = v;
	} else {
		ref[t].cval = ref_count(t) + (u64)(s64)(s32)v;
	}
	if (in_page(t, reg)) {
		page[slot(t, reg) / 8] = v; /* whatever bits */
		some_exit();
	} else if (ref_direct(t) && !(vcpu.in_vel2 && by_trap)) {
		hw_set(t, reg, v);
	} else {
		assert_int_equal(handler(t, reg)(&vcpu, 0, true, &value), SKIP);
	}
}

static u64 guest_read(u32 t, enum vtimer_reg reg, bool by_trap)
{
	u64 v = 0xbad;

	if (in_page(t, reg)) {
		some_exit();
		return page[slot(t, reg) / 8];
	}
	if (ref_direct(t) && !(vcpu.in_vel2 && by_trap))
		return hw_get(t, reg);
	assert_int_equal(handler(t, reg)(&vcpu, 0, false, &v), SKIP);
	return v;
}

static void check_read(u32 t, enum vtimer_reg reg, bool by_trap)
{
	u64 v = guest_read(t, reg, by_trap), want = ref[t].cval;

	if (reg == VTIMER_CTL) {
		want = ref[t].enable | ref[t].imask << 1 | ref_met(t) << 2;
	} else if (reg == VTIMER_TVAL) {
		want = (u32)(ref[t].cval - ref_count(t));
		if (!ref[t].enable)
			return; /* UNKNOWN */
	}
	if (v != want)
		fail_msg("%s: %s register %d reads %#lx, should %#lx (by trap: %d)", at,
			 ref_name[t], reg, v, want, by_trap);
}

static bool l2_changes; /* whether they trap, between one and the next */
static u64 rnd(u64 n);

static void level_switch(void)
{
	if (l2_changes && vcpu.in_vel2)
		vcpu.timers_trap = rnd(2); /* note_timer_trap(), timers_lent_until() */
	vcpu.in_vel2 = !vcpu.in_vel2;
	vtimer_level_switch(&vcpu);
}

static u64 seed;

static u64 rnd(u64 n)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 24) % n;
}

static u64 random_value(u32 t, enum vtimer_reg reg)
{
	static const u64 extreme[] = { 0, 1, ~0UL, ~0UL - 1, 1UL << 63, 0x7fffffff, 0x80000000 };

	if (reg == VTIMER_CTL)
		return rnd(4) ? 1 : rnd(256);
	if (!rnd(4))
		return extreme[rnd(ARRAY_SIZE(extreme))];
	return (reg == VTIMER_CVAL ? ref_count(t) : 0) + rnd(128) - 30;
}

static void offset_change(void)
{
	static const u64 offsets[] = { 0, 1000, ~0UL, 1UL << 63, ~0UL - 70, 1UL << 40 };

	if (!vcpu.in_vel2)
		return;
	ref_voff = offsets[rnd(ARRAY_SIZE(offsets))] + rnd(64);
	page[VNCR_CNTVOFF_EL2 / 8] = ref_voff;
	/* It is in memory: noticed at the next exit. */
	some_exit();
}

static void move(void)
{
	u64 wake;

	vtimer_put(&vcpu);
	loaded = false;
	assert_int_equal(fake_get("CNTV_CTL_EL02"), 0);
	assert_int_equal(fake_get("CNTP_CTL_EL02"), 0);
	/* While not loaded it is woken when a line rises, not later. */
	for (u32 i = 0; i < 40; i++) {
		u32 before = 0, after = 0;

		for (u32 t = 0; t < 4; t++)
			before |= (u32)ref_line(t) << t;
		now++;
		for (u32 t = 0; t < 4; t++)
			after |= (u32)ref_line(t) << t;
		pump();
		if ((after & ~before) && !(vcpu.requests & REQ_TIMER))
			fail_msg("%s: not woken (lines %#x, then %#x)", at, before, after);
	}
	wake = vcpu.requests;
	vtimer_load(&vcpu);
	loaded = true;
	vcpu.requests = (u32)wake;
	assert_null(vcpu.vtimer.virt_wake.cpu);
}

static void step(void)
{
	u32 t = (u32)rnd(4);
	enum vtimer_reg reg = (enum vtimer_reg)rnd(3);

	switch (rnd(10)) {
	case 0:
	case 1:
		level_switch();
		break;
	case 2:
		offset_change();
		break;
	case 3:
		if (!rnd(8))
			move();
		break;
	case 4:
	case 5:
		now += rnd(64);
		break;
	case 6:
		if (vcpu.in_vel2 || ref_direct(t))
			check_read(t, reg, rnd(2));
		break;
	default:
		/* L2 can access its own only. */
		if (vcpu.in_vel2 || ref_direct(t))
			guest_write(t, reg, random_value(t, reg), rnd(2));
	}
}

static void model(u64 cntoff, bool cntpoff, bool trap, bool changes)
{
	setup_with(cntoff, cntpoff, trap);
	l2_changes = changes;
	memset(ref, 0, sizeof(ref));
	ref_voff = 0;
	seed = cntoff * 4 + cntpoff * 2u + trap;
	for (int i = 0; i < 40000; i++) {
		snprintf(at, sizeof(at), "offset %#lx, CNTPOFF %d, trap %d, step %d, %s", cntoff,
			 cntpoff, vcpu.timers_trap, i, vcpu.in_vel2 ? "vEL2" : "L2");
		step();
		pump();
		check_lines();
		for (u32 t = 0; vcpu.in_vel2 && t < 4; t++)
			for (u32 reg = VTIMER_CTL; reg <= VTIMER_TVAL; reg++)
				check_read(t, (enum vtimer_reg)reg, false);
	}
	assert_int_equal(deactivated, 0);
	l2_changes = false;
}

static void random_model(void **state)
{
	(void)state;
	model(0, false, true, false);
	model(0, false, false, false);
	model(1000, true, true, false);
	model(0xfffffffff0000000UL, true, false, false);
	model(0, false, true, true);
	model(5, true, false, true);
}

/* ---- single cases ---- */

static void map_is_by_level(void **state)
{
	struct timer_map map = timer_map(&vcpu);

	(void)state;
	assert_int_equal(map.virt, TIMER_HV);
	assert_int_equal(map.phys, TIMER_HP);
	assert_int_equal(map.emul_virt, TIMER_V);
	assert_int_equal(map.emul_phys, TIMER_P);
	vcpu.in_vel2 = false;
	map = timer_map(&vcpu);
	assert_int_equal(map.virt, TIMER_V);
	assert_int_equal(map.phys, TIMER_P);
	assert_int_equal(map.emul_virt, TIMER_HV);
	assert_int_equal(map.emul_phys, TIMER_HP);
}

/*
 * With vEL2's tick armed, switches of levels neither program nidus's timer nor write what did not
 * change.
 */
static void switch_is_cheap(void **state)
{
	unsigned before;

	(void)state;
	fake_set("CNTP_CVAL_EL02", now + 100000);
	fake_set("CNTP_CTL_EL02", 1);
	level_switch();
	level_switch();
	before = fake_writes("CNTHP_CVAL_EL2") + fake_writes("CNTHP_CTL_EL2");
	for (int i = 0; i < 10; i++) {
		unsigned total = fake_writes_total();

		level_switch();
		/*
		 * CNTP: off, the other's value; nothing is written of CNTV, because both are equal.
		 */
		assert_int_equal(fake_writes_total() - total, 2);
		total = fake_writes_total();
		level_switch();
		assert_int_equal(fake_writes_total() - total, 2);
	}
	assert_int_equal(fake_writes("CNTHP_CVAL_EL2") + fake_writes("CNTHP_CTL_EL2"), before);
	assert_int_equal(fake_writes("CNTVOFF_EL2"), 0);
}

/* L1's tick while L2 runs: on time, by L1's PPI 26; the switch back lowers its line. */
static void tick_of_l1_in_l2(void **state)
{
	(void)state;
	fake_set("CNTP_CVAL_EL02", 6000);
	fake_set("CNTP_CTL_EL02", 1);
	level_switch();
	assert_int_equal(fake_get("CNTHP_CVAL_EL2"), 6000);
	now = 5999;
	pump();
	assert_int_equal(lines, 0);
	now = 6000;
	pump();
	assert_int_equal(lines, 1u << 26);
	level_switch();
	assert_int_equal(lines, 0);
	pump();
	assert_int_equal(injected, 1u << 26);
}

/* A masked timer has a status, but there is nothing to wait for. */
static void masked_arms_nothing(void **state)
{
	u64 cval = 6000, ctl = 3, v = 0;

	(void)state;
	emul_cntp_cval_el02(&vcpu, 0, true, &cval);
	emul_cntp_ctl_el02(&vcpu, 0, true, &ctl);
	assert_null(vcpu.vtimer.phys.cpu);
	now = 6000;
	emul_cntp_ctl_el02(&vcpu, 0, false, &v);
	assert_int_equal(v, 7);
	assert_int_equal(lines, 0);
}

/* But what L1 reads in its page must be there on time. */
static void masked_shows_in_the_page(void **state)
{
	(void)state;
	setup_with(0, false, false);
	page[VNCR_CNTP_CVAL_EL0 / 8] = 6000;
	page[VNCR_CNTP_CTL_EL0 / 8] = 3;
	some_exit();
	assert_int_equal(page[VNCR_CNTP_CTL_EL0 / 8], 3);
	now = 6000;
	pump();
	assert_int_equal(page[VNCR_CNTP_CTL_EL0 / 8], 7);
	assert_int_equal(lines, 0);
}

/* Once it is armed, it is not checked again: neither at exits nor by switches of levels. */
static void seen_is_quiet(void **state)
{
	static const u32 words[] = { VNCR_CNTV_CVAL_EL0, VNCR_CNTV_CTL_EL0, VNCR_CNTP_CVAL_EL0,
				     VNCR_CNTP_CTL_EL0 };
	unsigned before;

	(void)state;
	setup_with(0, false, false);
	page[VNCR_CNTV_CVAL_EL0 / 8] = 100000;
	page[VNCR_CNTV_CTL_EL0 / 8] = 1;
	assert_false(vtimer_vel2_quiet(&vcpu) || vtimer_vel2_may_wait(&vcpu));
	some_exit();
	before = fake_writes("CNTHP_CVAL_EL2") + fake_writes("CNTHP_CTL_EL2");
	for (int i = 0; i < 10; i++) {
		level_switch();
		level_switch();
		assert_true(vtimer_vel2_quiet(&vcpu));
	}
	assert_int_equal(fake_writes("CNTHP_CVAL_EL2") + fake_writes("CNTHP_CTL_EL2"), before);
	for (u32 i = 0; i < ARRAY_SIZE(words); i++) {
		page[words[i] / 8] ^= 2;
		assert_false(vtimer_vel2_quiet(&vcpu) || vtimer_vel2_may_wait(&vcpu));
		some_exit();
	}
}

/* ---- whether they trap ---- */

#define FREQUENCY 1000000

/*
 * As Linux/KVM does: off and saved after an exit to its user space, restored before the next entry.
 * then: what else L1 does with CNTV before that.
 */
static void kvm_round(void (*then)(void))
{
	u64 v;

	if (vcpu.timers_trap) {
		emul_cntv_ctl_el02(&vcpu, 0, false, &v);
		emul_cntv_cval_el02(&vcpu, 0, false, &v);
		v = 0;
		emul_cntv_ctl_el02(&vcpu, 0, true, &v);
		v = now + 100000;
		emul_cntv_cval_el02(&vcpu, 0, true, &v);
		v = 1;
		emul_cntv_ctl_el02(&vcpu, 0, true, &v);
	}
	if (then)
		then();
	level_switch();
	vcpu.account.level_entries++;
	level_switch();
}

static void kvm_rounds(int n, void (*then)(void))
{
	while (n--)
		kvm_round(then);
}

static void reads_status(void)
{
	u64 v;

	emul_cntv_ctl_el02(&vcpu, 0, false, &v);
}

static void is_due(void)
{
	u64 v = now;

	emul_cntv_cval_el02(&vcpu, 0, true, &v);
}

/* The end of the 10 ms is noticed even if nothing else happens. */
static void lent_for_a_while(void **state)
{
	(void)state;
	fake_set("CNTFRQ_EL0", FREQUENCY);
	for (int i = 0; i < 2; i++) {
		kvm_rounds(15, NULL);
		assert_true(vcpu.timers_trap);
		vcpu.traps.vel2.valid = vcpu.traps.vel1.valid = true;
		vcpu.traps_other[0].vel1.valid = vcpu.traps_other[1].vel1.valid = true;
		vcpu.traps_stale = false;
		kvm_rounds(2, NULL);
		assert_false(vcpu.timers_trap || vcpu.timers_polled);
		assert_true(vcpu.traps_stale);
		assert_false(vcpu.traps.vel2.valid || vcpu.traps.vel1.valid ||
			     vcpu.traps_other[0].vel1.valid || vcpu.traps_other[1].vel1.valid);
		now += FREQUENCY / 100 - 1;
		pump();
		assert_false(vcpu.timers_trap);
		/* A line that is to rise without an exit does not rise later than that. */
		page[VNCR_CNTP_CVAL_EL0 / 8] = now;
		page[VNCR_CNTP_CTL_EL0 / 8] = 1;
		now++;
		pump();
		assert_true(vcpu.timers_trap);
		assert_int_equal(lines, 1u << 30);
		page[VNCR_CNTP_CTL_EL0 / 8] = 0;
		vtimer_vel2_update(&vcpu);
		assert_int_equal(lines, 0);
	}
}

/* An L1 that reads back what it wrote keeps its traps. */
static void not_lent(void **state)
{
	(void)state;
	fake_set("CNTFRQ_EL0", FREQUENCY);
	kvm_rounds(100, reads_status);
	assert_true(vcpu.timers_trap);
	kvm_rounds(100, is_due);
	assert_true(vcpu.timers_trap);
	/* Without an entry of its guest in between. */
	for (int i = 0; i < 100; i++)
		reads_status();
	assert_true(vcpu.timers_trap);
	vcpu.nvhe = true;
	kvm_rounds(100, NULL);
	assert_true(vcpu.timers_trap);
}

static void l2_offset(void **state)
{
	(void)state;
	page[VNCR_CNTVOFF_EL2 / 8] = 700;
	page[VNCR_CNTV_CVAL_EL0 / 8] = 5000; /* at 5700 */
	page[VNCR_CNTV_CTL_EL0 / 8] = 0xf1;
	level_switch();
	assert_int_equal(fake_get("CNTVOFF_EL2"), 700);
	assert_int_equal(fake_get("CNTV_CTL_EL02"), 1);
	now = 5700;
	pump();
	assert_int_equal(injected, 1u << 27);
	level_switch();
	assert_int_equal(fake_get("CNTVOFF_EL2"), 0);
	/* Still pending for L1, and L1 reads why in its page. */
	assert_int_equal(lines, 1u << 27);
	assert_int_equal(page[VNCR_CNTV_CTL_EL0 / 8], 1 | 4);
}

/* One that fires while the timers are exchanged belongs to nobody. */
static void late_interrupt(void **state)
{
	(void)state;
	vtimer_interrupt(&vcpu, PHYS_VIRT);
	assert_int_equal(deactivated, 1);
	fake_set("CNTV_CTL_EL02", 3);
	vtimer_interrupt(&vcpu, PHYS_VIRT);
	assert_int_equal(deactivated, 2);
	assert_int_equal(injected, 0);
}

static void cnthctl_views(void **state)
{
	u64 v = ~0UL;

	(void)state;
	assert_int_equal(emul_cnthctl_el2(&vcpu, SR_CNTHCTL_EL2, true, &v), SKIP);
	assert_int_equal(fake_get("CNTKCTL_EL12"), BIT(17) | MASK(9, 0));
	/* By the other name, without a trap. */
	fake_set("CNTKCTL_EL12", 0x203);
	v = 0;
	assert_int_equal(emul_cnthctl_el2(&vcpu, SR_CNTHCTL_EL2, false, &v), SKIP);
	assert_int_equal(v, MASK(16, 13) | MASK(11, 10) | 0x203);
	/* For L2 it is complete in memory. */
	vcpu.sr[SR_CNTKCTL_EL1] = 0x203;
	level_switch();
	vtimer_cnthctl_complete(&vcpu);
	assert_int_equal(vcpu.sr[SR_CNTHCTL_EL2], MASK(16, 13) | MASK(11, 10) | 0x203);
}

/* A CNTKCTL_EL1 that keeps the bits that only CNTHCTL_EL2 has: L1's writes by that name count. */
static void cnthctl_by_its_el1_name(void **state)
{
	u64 v = ~0UL;

	(void)state;
	feat.cntkctl_el2 = MASK(11, 10);
	assert_int_equal(emul_cnthctl_el2(&vcpu, SR_CNTHCTL_EL2, true, &v), SKIP);
	assert_int_equal(fake_get("CNTKCTL_EL12"), BIT(17) | MASK(11, 0));
	fake_set("CNTKCTL_EL12", 0x403);
	v = 0;
	assert_int_equal(emul_cnthctl_el2(&vcpu, SR_CNTHCTL_EL2, false, &v), SKIP);
	assert_int_equal(v, MASK(16, 13) | 0x403);
	vcpu.sr[SR_CNTKCTL_EL1] = 0x403;
	level_switch();
	vtimer_cnthctl_complete(&vcpu);
	assert_int_equal(vcpu.sr[SR_CNTHCTL_EL2], MASK(16, 13) | 0x403);
	feat.cntkctl_el2 = 0;
}

static void not_for_l2(void **state)
{
	u64 v = 0;

	(void)state;
	level_switch();
	for (u32 t = 0; t < 4; t++)
		for (u32 reg = VTIMER_CTL; reg <= VTIMER_TVAL; reg++)
			assert_int_equal(handler(t, (enum vtimer_reg)reg)(&vcpu, 0, false, &v),
					 UNDEF);
	assert_int_equal(emul_cnthctl_el2(&vcpu, SR_CNTHCTL_EL2, false, &v), UNDEF);
	assert_int_equal(emul_cntkctl_el12(&vcpu, SR_CNTHCTL_EL2, false, &v), UNDEF);
}

/* The two of the level that runs are in the CPU; the others' lines are in priv.line. */
static void line_of_timers(void **state)
{
	static const u32 ppi[2][2] = { { 27, 30 }, { 28, 26 } };

	(void)state;
	for (int hyp = 1; hyp >= 0; hyp--) {
		if (!hyp)
			level_switch();
		fake_set("CNTV_CVAL_EL02", 0);
		fake_set("CNTP_CVAL_EL02", 0);
		for (u64 v = 0; v < 4; v++)
			for (u64 p = 0; p < 4; p++) {
				u32 want = (v == 1 ? 1u << ppi[hyp][0] : 0) |
					   (p == 1 ? 1u << ppi[hyp][1] : 0);

				fake_set("CNTV_CTL_EL02", v);
				fake_set("CNTP_CTL_EL02", p);
				assert_int_equal(vtimer_lines(&vcpu, true), want);
				vtimer_put(&vcpu);
				assert_int_equal(vtimer_lines(&vcpu, false), want);
				vtimer_load(&vcpu);
			}
		fake_set("CNTV_CTL_EL02", 0);
		fake_set("CNTP_CTL_EL02", 0);
	}
}

static void reset_lowers(void **state)
{
	u64 v = 1;

	(void)state;
	emul_cntv_ctl_el02(&vcpu, 0, true, &v); /* CVAL 0: met */
	assert_int_equal(lines, 1u << 27);
	vtimer_put(&vcpu);
	vtimer_reset(&vcpu);
	assert_int_equal(lines, 0);
	assert_int_equal(page[VNCR_CNTV_CTL_EL0 / 8], 0);
	assert_null(vcpu.vtimer.phys.cpu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(map_is_by_level, setup),
		cmocka_unit_test_setup(switch_is_cheap, setup),
		cmocka_unit_test_setup(tick_of_l1_in_l2, setup),
		cmocka_unit_test_setup(masked_arms_nothing, setup),
		cmocka_unit_test_setup(masked_shows_in_the_page, setup),
		cmocka_unit_test_setup(seen_is_quiet, setup),
		cmocka_unit_test_setup(lent_for_a_while, setup),
		cmocka_unit_test_setup(not_lent, setup),
		cmocka_unit_test_setup(l2_offset, setup),
		cmocka_unit_test_setup(late_interrupt, setup),
		cmocka_unit_test_setup(cnthctl_views, setup),
		cmocka_unit_test_setup(cnthctl_by_its_el1_name, setup),
		cmocka_unit_test_setup(not_for_l2, setup),
		cmocka_unit_test_setup(line_of_timers, setup),
		cmocka_unit_test_setup(reset_lowers, setup),
		cmocka_unit_test_setup(random_model, setup),
	};

	return cmocka_run_group_tests_name("vtimer_nested", tests, NULL, NULL);
}
