/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold before an entry, whatever happened since the last one: interrupts are placed and
 * deferred operations done, at the level that runs; then PC and PSTATE are in their registers; then
 * the trap controls are the level's; simd_check() is the last that may write CPTR_EL2, but for what
 * a vEL1 that is a hypervisor has closed. And nothing is done that need not be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "exit/prepare.h"
#include "nested/level.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "state/vgic.h"
#include "state/vncr.h"
#include "traps/traps.h"
#include "traps/traps_nested.h"

#include "did.h"

#define PC 0x40080000UL
#define PSTATE 0x3c5UL
#define VECTOR_PC 0x40001400UL
#define VECTOR_PSTATE 0x3c9UL

bool simd_chaos;
static struct vcpu vcpu;
static bool wants, wants_fiq, vel2_fiq;
static unsigned settles;   /* calls of vgic_finish_deferred() that do not finish */
static unsigned more_owed; /* flushes that find another deferred operation */
static bool settle_pends;  /* a deferred operation makes an interrupt pending */
static unsigned corrects;  /* calls of simd_check() that make the trap controls stale */

/* ---- what it calls ---- */

void vgic_flush(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	did("flush ");
	v->vgic.stale = false;
	if (more_owed) {
		more_owed--;
		v->vgic.deferred = true;
	}
}

bool vgic_wants_vel2(struct vcpu *v, bool *fiq)
{
	assert_int_equal(v->vgic.where, VGIC_VEL1);
	did("wants ");
	if (!wants)
		v->vgic.stale = false;
	*fiq = wants_fiq;
	return wants;
}

bool vgic_vel2_route(struct vcpu *v)
{
	assert_true(v->has_vel2);
	assert_int_not_equal(v->vgic.where, VGIC_VEL1);
	did("route ");
	return vel2_fiq && !v->in_vel2;
}

bool vgic_finish_deferred(struct vcpu *v)
{
	assert_true(v->vgic.deferred);
	did("settle ");
	if (settles) {
		settles--;
		return false;
	}
	v->vgic.deferred = false;
	v->vgic.stale = settle_pends;
	settle_pends = false;
	return true;
}

/* An exception taken to vEL2, which runs from then on. */
void level_take(struct vcpu *v, enum vector vector, u64 esr)
{
	assert_int_equal(esr, 0);
	did("%s ", vector == VECTOR_FIQ ? "FIQ" : vector == VECTOR_IRQ ? "IRQ" : "?");
	v->in_vel2 = v->pc_dirty = v->traps_stale = true;
	v->vgic.where = VGIC_LOADED;
	v->pc = VECTOR_PC;
	v->pstate = VECTOR_PSTATE;
}

void simd_level_full(struct vcpu *v)
{
	assert_true(v->has_vel2);
	did("level ");
}

void traps_update(struct vcpu *v)
{
	did("traps ");
	v->traps_stale = false;
}

void simd_check(struct vcpu *v)
{
	did("simd ");
	if (corrects) {
		corrects--;
		v->traps_stale = true;
	}
}

void simd_chaos_maybe(void)
{
	did("chaos ");
}

void traps_close_vel1(void)
{
	assert_false(vcpu.in_vel2);
	did("close ");
}

static void pc_written(u64 pc)
{
	did("pc=%lx ", pc);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.pc = PC;
	vcpu.pstate = PSTATE;
	vcpu.vgic.where = VGIC_LOADED;
	vcpu.simd.levels_same = true;
	wants = wants_fiq = vel2_fiq = settle_pends = simd_chaos = false;
	settles = more_owed = corrects = 0;
	fake_on_write("ELR_EL2", pc_written);
	done[0] = 0;
	return 0;
}

static void nested(bool in_vel2)
{
	vcpu.has_vel2 = true;
	vcpu.in_vel2 = in_vel2;
	vcpu.vgic.where = in_vel2 ? VGIC_LOADED : VGIC_VEL1;
}

/* What an entry does; false: it must not follow. */
#define ENTRY_DOES(entered, what)                                                                  \
	do {                                                                                       \
		done[0] = 0;                                                                       \
		assert_int_equal(prepare_entry(&vcpu), entered);                                   \
		assert_string_equal(done, what);                                                   \
	} while (0)

/* ---- nothing that need not be ---- */

static void an_ordinary_entry_writes_nothing(void **state)
{
	(void)state;
	for (u32 i = 0; i < 3; i++) {
		if (i)
			nested(i == 1);
		vcpu.vgic.where = VGIC_LOADED;
		ENTRY_DOES(true, "simd ");
		done[0] = 0;
		assert_true(prepare_first(&vcpu));
		assert_string_equal(done, "simd ");
	}
	assert_int_equal(fake_writes_total(), 0);
}

/* The guest has taken what was placed (ICH_ELRSR_EL2: empty): that is found out once. */
static void what_the_guest_has_taken(void **state)
{
	(void)state;
	vcpu.vgic.waits = 1;
	vcpu.vgic.lr_waits = 6;
	fake_set("ICH_ELRSR_EL2", 0xfd); /* list register 1 is in use */
	ENTRY_DOES(true, "flush simd ");
	assert_int_equal(vcpu.vgic.waits, 1);
	fake_set("ICH_ELRSR_EL2", 0xff);
	ENTRY_DOES(true, "simd ");
	assert_int_equal(vcpu.vgic.waits, 0);
	fake_set("ICH_ELRSR_EL2", 0);
	ENTRY_DOES(true, "simd ");
}

/* After a sleep the lines that cannot have fallen are left alone; what is new is not. */
static void the_first_entry_trusts_the_sleep(void **state)
{
	static const struct {
		u8 waits;
		bool stale;
		u16 checked;
		bool looks;
	} of[] = {
		{ 1, false, VGIC_WORK_TIMERS, false },
		{ 0x40, false, VGIC_WORK_TIMERS, false },
		{ VGIC_WAITS_SPI, false, VGIC_WORK_TIMERS, true },
		{ 1, true, VGIC_WORK_TIMERS, true },
		{ 1, false, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		vcpu.vgic.waits = of[i].waits;
		vcpu.vgic.lr_waits = 1;
		vcpu.vgic.stale = of[i].stale;
		vcpu.checked = of[i].checked;
		done[0] = 0;
		assert_true(prepare_first(&vcpu));
		assert_string_equal(done, of[i].looks ? "flush simd " : "simd ");
		/* Later entries, of a guest that has run, do not. */
		ENTRY_DOES(true, "flush simd ");
	}
	fake_set("ICH_ELRSR_EL2", 1); /* taken before the sleep began */
	vcpu.vgic.waits = 1;
	vcpu.checked = 0;
	done[0] = 0;
	assert_true(prepare_first(&vcpu));
	assert_string_equal(done, "simd ");
}

/* ---- interrupts, at the level that gets them ---- */

static void interrupts_are_placed(void **state)
{
	(void)state;
	vcpu.vgic.stale = true;
	ENTRY_DOES(true, "flush simd ");
	nested(true);
	vcpu.vgic.stale = true;
	ENTRY_DOES(true, "flush route simd ");
	/* vEL1 with vEL2's own interrupts: the list registers hold those. */
	vcpu.in_vel2 = false;
	vcpu.vgic.stale = true;
	ENTRY_DOES(true, "flush route simd ");
	/* One of these is an FIQ that vEL2 takes: what it gets is placed for vEL2 then. */
	vcpu.vgic.stale = vel2_fiq = true;
	ENTRY_DOES(true, "flush route FIQ flush pc=40001400 traps simd ");
	assert_int_equal(fake_get("SPSR_EL2"), VECTOR_PSTATE);
}

/* vEL1 with its own in the list registers: nothing of vEL2's is placed before vEL2 runs. */
static void an_interrupt_for_vel2_takes_vel1_out(void **state)
{
	(void)state;
	nested(false);
	vcpu.vgic.stale = true;
	ENTRY_DOES(true, "wants simd ");
	assert_false(vcpu.in_vel2);
	for (u32 fiq = 0; fiq < 2; fiq++) {
		nested(false);
		vcpu.vgic.stale = wants = true;
		wants_fiq = fiq;
		ENTRY_DOES(true, fiq ? "wants FIQ flush route pc=40001400 traps simd "
				     : "wants IRQ flush route pc=40001400 traps simd ");
		assert_true(vcpu.in_vel2);
	}
}

/*
 * Placed for vEL2, which masks them: only routing would have to be checked, and HCR_EL2.{IMO,FMO}
 * or TGE says that all are its own.
 */
static void what_vel2_masks_waits(void **state)
{
	static u64 page[VNCR_WORDS];

	(void)state;
	nested(true);
	vcpu.vncr = page;
	vcpu.vgic.waits = 1;
	vcpu.vgic.lr_waits = 1;
	page[VNCR_HCR_EL2 / 8] = HCR_IMO | HCR_FMO;
	ENTRY_DOES(true, "simd ");
	assert_int_equal(vcpu.vgic.waits, 1);
	page[VNCR_HCR_EL2 / 8] = HCR_IMO;
	ENTRY_DOES(true, "flush route simd ");
	assert_true(work_left_vel2(&vcpu));
	page[VNCR_HCR_EL2 / 8] = HCR_TGE;
	ENTRY_DOES(true, "simd ");
	assert_false(work_left_vel2(&vcpu));
	vcpu.vgic.lr_hw = 1; /* a line that may have fallen */
	ENTRY_DOES(true, "flush route simd ");
	vcpu.vgic.lr_hw = 0;
	vcpu.vgic.stale = true;
	assert_true(work_left_vel2(&vcpu));
	ENTRY_DOES(true, "flush route simd ");
	page[VNCR_HCR_EL2 / 8] = 0;
}

/* ---- deferred operations ---- */

static void deferred_operations_come_first(void **state)
{
	(void)state;
	vcpu.pc_dirty = vcpu.traps_stale = true;
	vcpu.vgic.stale = vcpu.vgic.deferred = true;
	ENTRY_DOES(true, "flush settle pc=40080000 traps simd ");
	/* What becomes pending by one is placed, and may reveal another one. */
	vcpu.vgic.stale = vcpu.vgic.deferred = settle_pends = true;
	more_owed = 2;
	ENTRY_DOES(true, "flush settle flush settle simd ");
	assert_int_equal(more_owed, 0);
	/* Found by the flush itself. */
	vcpu.vgic.stale = true;
	more_owed = 1;
	ENTRY_DOES(true, "flush settle simd ");
	assert_false(vcpu.vgic.deferred);
}

/* One waits for another vcpu: no entry, and nothing of it has been prepared. */
static void one_waits_for_others(void **state)
{
	bool (*const of[])(struct vcpu * v) = { prepare_entry, prepare_first };

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		vcpu.pc_dirty = vcpu.traps_stale = true;
		vcpu.vgic.stale = vcpu.vgic.deferred = true;
		settles = 1;
		done[0] = 0;
		assert_false(of[i](&vcpu));
		assert_string_equal(done, "flush settle ");
		assert_true(vcpu.vgic.deferred && vcpu.pc_dirty && vcpu.traps_stale);
	}
	/* The second one. */
	vcpu.vgic.stale = vcpu.vgic.deferred = settle_pends = true;
	more_owed = 2;
	settles = 0;
	ENTRY_DOES(true, "flush settle flush settle pc=40080000 traps simd ");
	/* An interrupt that vEL2 is to take as the operation is done. */
	nested(false);
	vcpu.vgic.stale = vcpu.vgic.deferred = settle_pends = wants = true;
	vcpu.vgic.where = VGIC_LOADED;
	vel2_fiq = true;
	ENTRY_DOES(true, "flush route FIQ flush settle flush route pc=40001400 traps simd ");
}

/* ---- registers ---- */

static void pc_and_pstate_once(void **state)
{
	(void)state;
	vcpu.pc_dirty = true;
	ENTRY_DOES(true, "pc=40080000 simd ");
	assert_int_equal(fake_get("ELR_EL2"), PC);
	assert_int_equal(fake_get("SPSR_EL2"), PSTATE);
	ENTRY_DOES(true, "simd ");
	assert_int_equal(fake_writes_total(), 2);
}

static void stale_trap_controls(void **state)
{
	(void)state;
	vcpu.traps_stale = true;
	ENTRY_DOES(true, "traps simd ");
	ENTRY_DOES(true, "simd ");
	/* Vector lengths of the level, which the trap controls depend on, before these. */
	nested(true);
	vcpu.traps_stale = true;
	ENTRY_DOES(true, "traps simd ");
	vcpu.simd.levels_same = false;
	vcpu.traps_stale = true;
	ENTRY_DOES(true, "level traps simd ");
	ENTRY_DOES(true, "simd ");
}

/*
 * simd_check() may find the state live again, and opens all that the VM has: right for a VM of one
 * level, but vEL2's traps and lengths have to be applied again, until it corrects nothing.
 */
static void a_correction_opens_too_much(void **state)
{
	(void)state;
	corrects = 1;
	ENTRY_DOES(true, "simd ");
	ENTRY_DOES(true, "traps simd "); /* no harm in between */
	nested(false);
	vcpu.simd.levels_same = false;
	corrects = 1;
	ENTRY_DOES(true, "simd level traps simd ");
	assert_false(vcpu.traps_stale);
	vcpu.traps_stale = true;
	corrects = 2;
	ENTRY_DOES(true, "level traps simd level traps simd level traps simd ");
	assert_false(vcpu.traps_stale);
}

/* A host section may come anywhere before simd_check(), but not after it. */
static void host_sections(void **state)
{
	(void)state;
	simd_chaos = true;
	ENTRY_DOES(true, "chaos chaos simd ");
	vcpu.traps_stale = true;
	ENTRY_DOES(true, "chaos traps chaos simd ");
	nested(true);
	vcpu.simd.levels_same = false;
	corrects = 1;
	ENTRY_DOES(true, "chaos chaos simd chaos level traps chaos simd ");
}

/* A vEL1 that is a hypervisor: what it has closed by itself is closed after all else. */
static void a_hypervisor_in_vel1(void **state)
{
	(void)state;
	nested(false);
	vcpu.vel1_vncr = vcpu.traps_stale = true;
	ENTRY_DOES(true, "traps simd close ");
	ENTRY_DOES(true, "simd close ");
	vcpu.in_vel2 = true; /* its CPACR_EL1 is no CPTR_EL2 then */
	ENTRY_DOES(true, "simd ");
	/* An interrupt takes it out during the preparation. */
	nested(false);
	vcpu.vgic.stale = wants = true;
	ENTRY_DOES(true, "wants IRQ flush route pc=40001400 traps simd ");
	/* A trace is the other rare condition. */
	nested(false);
	vcpu.vel1_vncr = false;
	vcpu.traced = true;
	ENTRY_DOES(true, "simd ");
	vcpu.vel1_vncr = true;
	ENTRY_DOES(true, "simd close ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_ordinary_entry_writes_nothing, setup),
		cmocka_unit_test_setup(what_the_guest_has_taken, setup),
		cmocka_unit_test_setup(the_first_entry_trusts_the_sleep, setup),
		cmocka_unit_test_setup(interrupts_are_placed, setup),
		cmocka_unit_test_setup(an_interrupt_for_vel2_takes_vel1_out, setup),
		cmocka_unit_test_setup(what_vel2_masks_waits, setup),
		cmocka_unit_test_setup(deferred_operations_come_first, setup),
		cmocka_unit_test_setup(one_waits_for_others, setup),
		cmocka_unit_test_setup(pc_and_pstate_once, setup),
		cmocka_unit_test_setup(stale_trap_controls, setup),
		cmocka_unit_test_setup(a_correction_opens_too_much, setup),
		cmocka_unit_test_setup(host_sections, setup),
		cmocka_unit_test_setup(a_hypervisor_in_vel1, setup),
	};

	return cmocka_run_group_tests_name("prepare", tests, NULL, NULL);
}
