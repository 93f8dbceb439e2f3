/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The run loop: what it checks before an entry, and what it does if the guest is not to be entered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "state/vncr.h"
#include "state/cpu.h"
#include "exit/psci.h"
#include "exit/run.h"
#include "traps/traps.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/nested.h"
#include "vgic/vgic.h"
#include "nested/inject.h"
#include "simd/simd.h"

struct cpu cpus[MAX_CPUS];
static struct vm_config config;
static struct vm vm = { .config = &config };
static struct vcpu vcpu;
static u64 page[VNCR_WORDS];
static unsigned entries, looks, settles, serves, resumes;
static bool settled, wake_up, found_owed;

struct cpu *cpu_this(void)
{
	return &cpus[0];
}

/* ---- what the guest does at each entry ---- */

enum step { STEP_IRQ, STEP_PREEMPT, STEP_WFI, STEP_STOP, STEP_RESET, STEP_VERDICT, STEP_END };
static const enum step *script;
static enum verdict verdict, step_verdict;

/* In place of vectors.S: enters until handle() returns how the loop ends. */
u64 vcpu_enter(struct vcpu *v, u64 (*handle)(struct vcpu *v, u64 kind))
{
	u64 end;

	do {
		entries++;
		assert_int_not_equal(*script, STEP_END); /* not to be entered */
		verdict = *script == STEP_WFI	  ? SLEEP
			  : *script == STEP_STOP  ? STOP_VM
			  : *script == STEP_RESET ? RESET_VM
			  : *script == STEP_VERDICT ? step_verdict
						  : RESUME;
		cpus[0].need_resched = *script == STEP_PREEMPT;
		end = handle(v, *script++ >= STEP_WFI ? EXIT_SYNC : EXIT_IRQ);
	} while (!end);
	cpus[0].need_resched = false;
	return end;
}

enum verdict exit_dispatch(struct vcpu *v, const struct exit *exit, enum exit_class *class)
{
	(void)v;
	(void)exit;
	*class = EXIT_CLASS_WFX;
	return verdict;
}

/* ---- what the loop calls ---- */

void irq_handle(void)
{
}

void traps_update(struct vcpu *v)
{
	v->traps_stale = false;
}

void simd_check(struct vcpu *v)
{
	(void)v;
}

/* What waits stays where it is. */
void vgic_flush(struct vcpu *v)
{
	looks++;
	v->vgic.stale = false;
}

bool vgic_vel2_route(struct vcpu *v)
{
	(void)v;
	return false;
}

bool vgic_wants_vel2(struct vcpu *v, bool *fiq)
{
	(void)v;
	(void)fiq;
	return false;
}

bool vgic_finish_deferred(struct vcpu *v)
{
	settles++;
	v->vgic.deferred = !settled;
	return settled;
}

void vgic_serve_sync(struct vcpu *v)
{
	(void)v;
	serves++;
}

static unsigned aborts, syncs;
static bool with_far;

void inject_sync(struct vcpu *v, u64 esr, bool set_far, u64 far)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(esr, 0x96000010);
	if (set_far)
		assert_int_equal(far, 0x1234);
	with_far = set_far;
	syncs++;
}

void inject_external_abort(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	aborts++;
}

static const char *stop_reason;
static enum vm_state stopped_how;

void vm_stop(struct vm *v, enum vm_state how, const char *reason)
{
	assert_ptr_equal(v, &vm);
	stopped_how = how;
	stop_reason = reason;
}

bool psci_resume(struct vcpu *v)
{
	resumes++;
	if (found_owed)
		v->vgic.deferred = v->vgic.stale = v->unfinished = true;
	v->powered_down = !wake_up;
	return wake_up;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(cpus, 0, sizeof(cpus));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(page, 0, sizeof(page));
	vcpu.vm = &vm;
	vcpu.vncr = page;
	cpus[0].loaded = cpus[0].current = &vcpu;
	entries = looks = settles = serves = resumes = aborts = syncs = 0;
	settled = wake_up = true;
	found_owed = false;
	return 0;
}

static enum run_result run(const enum step *steps)
{
	script = steps;
	return vcpu_run(&vcpu);
}

#define RUN(...) run((const enum step[]){ __VA_ARGS__, STEP_END })

/* One waits in list register 0: pending as far as ICH_ELRSR_EL2 says. */
static void wait_for_guest(void)
{
	vcpu.vgic.lr_used = vcpu.vgic.lr_waits = 1;
	vcpu.vgic.waits = 1;
}

/*
 * A line may have fallen while the guest ran, or while a device did; a timer's does not while its
 * guest sleeps.
 */
static void lines_are_looked_at(void **state)
{
	(void)state;
	wait_for_guest();
	assert_int_equal(RUN(STEP_IRQ, STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(entries, 2);
	assert_int_equal(looks, 2); /* before each */
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	assert_int_equal(looks, 3);
	assert_int_equal(RUN(STEP_IRQ, STEP_WFI), RUN_SLEEP);
	assert_int_equal(entries, 5);
	assert_int_equal(looks, 4);
	/* It sleeps with one in the list registers that belongs to a device. */
	vcpu.vgic.waits = VGIC_WAITS_SPI;
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	assert_int_equal(looks, 5);
	vcpu.vgic.waits = 1;
	vcpu.vgic.stale = true;
	assert_int_equal(RUN(STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(looks, 6);
}

/* vEL2 sleeps: its timer's interrupt may be for EL1, and is held back then. */
static void of_vel2_by_where_they_go(void **state)
{
	(void)state;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.timers_trap = true;
	wait_for_guest();
	page[VNCR_HCR_EL2 / 8] = HCR_TGE;
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	looks = 0;
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	assert_int_equal(looks, 0);
	page[VNCR_HCR_EL2 / 8] = HCR_IMO;
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	looks = 0;
	assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
	assert_int_equal(looks, 1);
}

static void looks_before_entries(unsigned n)
{
	looks = 0;
	assert_int_equal(RUN(STEP_IRQ, STEP_IRQ, STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(looks, n);
}

/*
 * While vEL2 masks interrupts, lines of emulated ones need checking only if they may not be vEL2's;
 * hardware-backed ones always.
 */
static void of_vel2_while_it_masks_them(void **state)
{
	static const u64 to_vel2[] = { HCR_TGE, HCR_IMO | HCR_FMO },
			 elsewhere[] = { 0, HCR_IMO, HCR_FMO };

	(void)state;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.timers_trap = true;
	wait_for_guest();
	vcpu.vgic.hcr_en = ICH_HCR_EN;
	for (u32 i = 0; i < ARRAY_SIZE(to_vel2); i++) {
		page[VNCR_HCR_EL2 / 8] = to_vel2[i];
		looks_before_entries(0);
		assert_int_equal(vcpu.vgic.waits, 1); /* for what L1 writes next */
		vcpu.vgic.stale = true;
		looks_before_entries(1);
		vcpu.vgic.lr_hw = 1;
		looks_before_entries(3);
		vcpu.vgic.lr_hw = 0;
		vcpu.vgic.hcr_en = ICH_HCR_TALL0 | ICH_HCR_TALL1; /* held back until now */
		looks_before_entries(3);
		vcpu.vgic.hcr_en = ICH_HCR_EN;
	}
	for (u32 i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		page[VNCR_HCR_EL2 / 8] = elsewhere[i];
		looks_before_entries(3);
	}
	vcpu.in_vel2 = false;
	page[VNCR_HCR_EL2 / 8] = HCR_IMO | HCR_FMO;
	looks_before_entries(3);
}

static unsigned faults_read;

static u64 fault_read(u64 v)
{
	faults_read++;
	return v;
}

/* HPFAR_EL2, which traps at a virtual EL2, and FAR_EL2 are read for aborts and the like only. */
static void faults_only_are_looked_up(void **state)
{
	static const struct {
		u8 class;
		bool has_far;
	} of[] = { { EC_WFX, false },	   { EC_HVC64, false },	  { EC_SYS64, false },
		   { EC_ERET, false },	   { EC_IABT_LOW, true }, { EC_DABT_LOW, true },
		   { EC_PC_ALIGN, true }, { EC_WATCHPT_LOW, true } };

	(void)state;
	fake_on_read("FAR_EL2", fault_read);
	fake_on_read("HPFAR_EL2", fault_read);
	fake_set("FAR_EL2", 0x1234);
	fake_set("HPFAR_EL2", 0x5670);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		faults_read = 0;
		vcpu.exit = (struct exit){ 0 };
		fake_set("ESR_EL2", ESR((u64)of[i].class, 0));
		assert_int_equal(RUN(STEP_WFI), RUN_SLEEP);
		assert_int_equal(faults_read, of[i].has_far ? 2 : 0);
		assert_int_equal(vcpu.exit.far, of[i].has_far ? 0x1234 : 0);
		assert_int_equal(vcpu.exit.hpfar, of[i].has_far ? 0x5670 : 0);
	}
}

/* In a power-down state it serves requests of others, and starts for a wake-up event only. */
static void powered_down(void **state)
{
	(void)state;
	vcpu.powered_down = vcpu.unfinished = true;
	wake_up = false;
	for (unsigned i = 1; i < 4; i++) {
		vcpu.requests = REQ_VGIC_SYNC;
		assert_int_equal(RUN(STEP_END), RUN_SLEEP);
		assert_int_equal(serves, i);
		assert_int_equal(resumes, i);
	}
	assert_int_equal(entries, 0);
	vcpu.requests = REQ_STOP;
	assert_int_equal(RUN(STEP_END), RUN_STOP);
	wake_up = true;
	assert_int_equal(RUN(STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(entries, 1);
	assert_false(vcpu.unfinished);
}

/* Deferred operations come before anything else, even before it sleeps again. */
static void owes(void **state)
{
	(void)state;
	vcpu.vgic.deferred = vcpu.unfinished = true;
	settled = false;
	assert_int_equal(RUN(STEP_END), RUN_PREEMPT);
	assert_int_equal(entries, 0);
	vcpu.powered_down = true;
	wake_up = false;
	assert_int_equal(RUN(STEP_END), RUN_PREEMPT);
	assert_int_equal(resumes, 0);
	settled = true;
	assert_int_equal(RUN(STEP_END), RUN_SLEEP);
	assert_int_equal(resumes, 1);
	assert_true(vcpu.unfinished);
}

/*
 * Deferred operations that its interface finds in the check for a wake-up event are done before it
 * starts, however long they take.
 */
static void owes_as_it_wakes(void **state)
{
	(void)state;
	vcpu.powered_down = vcpu.unfinished = true;
	found_owed = true;
	settled = false;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(RUN(STEP_END), RUN_PREEMPT);
	assert_int_equal(entries, 0);
	settled = true;
	assert_int_equal(RUN(STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(entries, 1);
	assert_int_equal(resumes, 1);
}

/* Handlers return that a VM is to stop, and why; the loop stops it, and ends. */
static void stops_the_vm(void **state)
{
	(void)state;
	vcpu.stop_reason = "a reason";
	assert_int_equal(RUN(STEP_IRQ, STEP_STOP), RUN_STOP);
	assert_int_equal(stopped_how, VM_STOPPING);
	assert_string_equal(stop_reason, "a reason");
	assert_int_equal(RUN(STEP_RESET), RUN_STOP);
	assert_int_equal(stopped_how, VM_RESETTING);
	assert_null(stop_reason);
	assert_int_equal(entries, 3);
}

/*
 * An SError interrupt that was found as the vcpu left a CPU stops its VM before the guest is entered
 * again; work of its own is not done any more.
 */
static void stops_after_serror(void **state)
{
	(void)state;
	vcpu.requests = REQ_STOP | REQ_SERROR | REQ_WORK;
	stopped_how = VM_UNUSED;
	assert_int_equal(RUN(STEP_END), RUN_STOP);
	assert_int_equal(entries, 0);
	assert_int_equal(stopped_how, VM_STOPPING);
	assert_non_null(stop_reason);
	assert_int_equal(vcpu.requests, 0);
}

/* Handlers return which exception the guest gets; the loop injects it, once, and continues. */
static void injects(void **state)
{
	(void)state;
	vcpu.inject_esr = 0x96000010;
	vcpu.inject_far = 0x1234;
	step_verdict = INJECT;
	assert_int_equal(RUN(STEP_VERDICT, STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(syncs, 1);
	assert_false(with_far);
	step_verdict = INJECT_FAR;
	assert_int_equal(RUN(STEP_VERDICT, STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(syncs, 2);
	assert_true(with_far);
	assert_int_equal(aborts, 0);
	step_verdict = ABORT;
	assert_int_equal(RUN(STEP_VERDICT, STEP_PREEMPT), RUN_PREEMPT);
	assert_int_equal(aborts, 1);
	assert_int_equal(syncs, 2);
	assert_int_equal(entries, 6);
}

/*
 * An L2 that is a hypervisor has closed its CPTR_EL2, which is CPACR_EL1, since it was entered
 * last: it is not entered again with the CPU's open. For L1 and any other guest that is not
 * checked.
 */
static void closed_by_a_hypervisor(void **state)
{
	const u64 open = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN | CPTR_TTA;

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		vcpu.has_vel2 = true;
		vcpu.vel1_vncr = i & 1;
		vcpu.in_vel2 = i & 2;
		vcpu.sr[SR_CPACR_EL1] = CPTR_FPEN;
		cpus[0].traps.cptr = open;
		fake_set("CPACR_EL12", CPTR_FPEN);
		assert_int_equal(RUN(STEP_IRQ, STEP_PREEMPT), RUN_PREEMPT);
		assert_int_equal(cpus[0].traps.cptr, i == 1 ? open & ~(CPTR_ZEN | CPTR_SMEN) : open);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines_are_looked_at, setup),
		cmocka_unit_test_setup(of_vel2_by_where_they_go, setup),
		cmocka_unit_test_setup(of_vel2_while_it_masks_them, setup),
		cmocka_unit_test_setup(faults_only_are_looked_up, setup),
		cmocka_unit_test_setup(powered_down, setup),
		cmocka_unit_test_setup(owes, setup),
		cmocka_unit_test_setup(owes_as_it_wakes, setup),
		cmocka_unit_test_setup(stops_the_vm, setup),
		cmocka_unit_test_setup(stops_after_serror, setup),
		cmocka_unit_test_setup(injects, setup),
		cmocka_unit_test_setup(closed_by_a_hypervisor, setup),
	};

	return cmocka_run_group_tests_name("run loop", tests, NULL, NULL);
}
