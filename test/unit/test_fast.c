/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast paths: which exits they complete, which they leave to the slow path, and that nothing is
 * prepared or written that was in place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/gicv3.h"
#include "arch/sysreg.h"
#include "exit/abort.h"
#include "exit/exit.h"
#include "exit/fast.h"
#include "exit/prepare.h"
#include "exit/run.h"
#include "exit/sysreg_emul.h"
#include "nested/level.h"
#include "nested/shadow.h"
#include "simd/simd_level.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"
#include "traps/debug.h"
#include "traps/traps.h"

#define PC 0x40081000UL
#define FAR 0x12345678UL
#define HPFAR 0x54320UL
#define SS_BTYPE (1UL << 21 | 3UL << 10)
#define SYS(rt, read) (0x62000000UL | 3UL << 20 | (u64)(rt) << 5 | (read))

struct cpu cpus[MAX_CPUS];
static struct vm vm;
static struct vcpu vcpu;
static u64 page[VNCR_WORDS];
static enum verdict sys_verdict, trap_verdict;
static unsigned traps, updates, prepares, ticks;
static u64 seen_esr;
static bool same_lengths, switches;
static enum shadow_verdict shadow;
static u32 faults;
static u32 acked;

struct cpu *cpu_this(void)
{
	return &cpus[0];
}

enum verdict sysreg_vel2(struct vcpu *v, u64 esr, u64 pstate)
{
	assert_int_equal(v->pc, PC);
	assert_int_equal(pstate, fake_get("SPSR_EL2"));
	seen_esr = esr;
	return sys_verdict;
}

enum verdict dabt_trap(struct vcpu *v, const struct exit *exit)
{
	assert_ptr_equal(exit, &v->exit);
	assert_int_equal(v->pc, PC);
	assert_int_equal(v->pstate, fake_get("SPSR_EL2"));
	assert_int_equal(exit->esr, seen_esr);
	assert_int_equal(exit->far, FAR);
	assert_int_equal(exit->hpfar, HPFAR);
	assert_int_equal(exit->elr, PC);
	traps++;
	return trap_verdict;
}

enum verdict sysreg_trap(struct vcpu *v, const struct exit *exit)
{
	assert_ptr_equal(exit, &v->exit);
	assert_int_equal(exit->elr, PC);
	assert_int_equal(exit->esr, seen_esr);
	assert_int_equal(exit->spsr, fake_get("SPSR_EL2"));
	traps++;
	return trap_verdict;
}

bool level_eret_vel1(struct vcpu *v)
{
	if (switches)
		v->in_vel2 = false;
	return switches;
}

static bool stays;

bool level_eret_within(struct vcpu *v)
{
	(void)v;
	return stays;
}

bool level_hvc(struct vcpu *v, u64 esr)
{
	assert_int_equal(esr, 0x5a000000);
	if (switches)
		v->in_vel2 = true;
	return switches;
}

static bool is_l1s;

bool level_trap(struct vcpu *v, u64 esr)
{
	(void)esr;
	v->in_vel2 = is_l1s;
	return is_l1s;
}

enum exit_class exit_class(u64 esr)
{
	return esr >> 26 == 0x18 ? EXIT_CLASS_SYS : EXIT_CLASS_ERET;
}

enum shadow_verdict shadow_fault(struct vcpu *v, const struct exit *exit, struct reflection *out)
{
	(void)v;
	faults++;
	assert_int_equal(exit->far, FAR);
	assert_int_equal(exit->hpfar, HPFAR);
	assert_int_equal(exit->elr, PC);
	assert_int_equal(exit->spsr, 5);
	if (shadow == SHADOW_REFLECT)
		*out = (struct reflection){ .esr = exit->esr ^ 1, .far = exit->far, .hpfar = 0x10 };
	if (shadow == SHADOW_DEVICE)
		out->ipa = ipa(0x9000018);
	return shadow;
}

void level_abort(struct vcpu *v, const struct reflection *r)
{
	assert_int_equal(r->esr, seen_esr ^ 1);
	assert_int_equal(r->far, FAR);
	assert_int_equal(r->hpfar, 0x10);
	v->in_vel2 = true;
}

bool simd_level_same(struct vcpu *v)
{
	(void)v;
	return same_lengths;
}

void traps_update_nested(struct vcpu *v)
{
	assert_false(v->traps_stale);
	updates++;
}

static unsigned renewals;

void traps_update_cptr(struct vcpu *v)
{
	(void)v;
	renewals++;
}

void prepare_traps(struct vcpu *v)
{
	assert_true(v->traps_stale);
	v->traps_stale = false;
	prepares++;
}

u32 irq_redeliver(struct vcpu *v)
{
	(void)v;
	return acked;
}

void debug_vel2_tick(struct vcpu *v, u64 now)
{
	(void)v;
	(void)now;
	ticks++;
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
	vcpu.has_vel2 = vcpu.in_vel2 = vcpu.timers_trap = true;
	page[VNCR_HCR_EL2 / 8] = HCR_E2H | HCR_TGE;
	fake_set("ELR_EL2", PC);
	fake_set("SPSR_EL2", 5);
	fake_set("FAR_EL2", FAR);
	fake_set("HPFAR_EL2", HPFAR);
	sys_verdict = SKIP;
	trap_verdict = RESUME;
	traps = updates = prepares = ticks = renewals = 0;
	same_lengths = switches = true;
	is_l1s = stays = false;
	faults = 0;
	acked = INTID_OVER;
	return 0;
}

static u64 counted(enum account_level level, enum exit_class class)
{
	return vcpu.account.class[(u32)level + (u32)class].count;
}

/* An access to a register is complete: PC is behind the instruction, as on the slow path. */
static void a_register(void **state)
{
	(void)state;
	for (u32 rt = 0; rt < 32; rt++)
		for (u32 read = 0; read < 2; read++) {
			setup(NULL);
			/* x18-x29 are in the CPU: a value read into one has to be put there. */
			assert_int_equal(fast_sys(&vcpu, SYS(rt, read)),
					 read && rt >= 18 && rt <= 29 ? DONE_GPRS : DONE);
			assert_int_equal(seen_esr, SYS(rt, read));
			assert_int_equal(fake_get("ELR_EL2"), PC + 4);
			assert_false(vcpu.pc_dirty);
			assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_SYS), 1);
			assert_int_equal(traps, 0);
		}
}

/* The access is done, but the entry has more to do; or another handler decides. */
static void a_register_and_more(void **state)
{
	static const enum verdict others[] = { UNDEF, INJECT, AGAIN, RESUME };

	(void)state;
	vcpu.traps_stale = true;
	assert_int_equal(fast_sys(&vcpu, SYS(1, 0)), SKIP);
	assert_int_equal(vcpu.exit.esr, SYS(1, 0)); /* run_continue() uses it */
	assert_int_equal(vcpu.account.level, ACCOUNT_VM);
	vcpu.traps_stale = false;
	vcpu.vgic.stale = true;
	assert_int_equal(fast_sys(&vcpu, SYS(1, 0)), SKIP);
	vcpu.vgic.stale = false;
	fake_set("SPSR_EL2", 5 | SS_BTYPE); /* a step is due behind it */
	assert_int_equal(fast_sys(&vcpu, SYS(1, 0)), SKIP);
	fake_set("SPSR_EL2", 5);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		sys_verdict = others[i];
		assert_int_equal(fast_sys(&vcpu, SYS(1, 0)), others[i]);
	}
	assert_int_equal(traps, 0);
	sys_verdict = PASS;
	trap_verdict = INJECT;
	assert_int_equal(fast_sys(&vcpu, SYS(1, 1)), INJECT);
	assert_int_equal(traps, 1);
	assert_int_equal(fake_get("ELR_EL2"), PC); /* none of these has moved */
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_SYS), 0);
}

static enum verdict mmio(u64 esr)
{
	seen_esr = esr;
	return fast_mmio(&vcpu, esr);
}

#define MMIO(srt, write) (0x93800007UL | (u64)(srt) << 16 | (write) << 6)

/* An access of vEL2 to an emulated device. */
static void a_device(void **state)
{
	static const enum verdict others[] = { UNDEF, ABORT, AGAIN, RESUME, SKIP };

	(void)state;
	for (u32 srt = 0; srt < 32; srt++)
		for (u64 write = 0; write < 2; write++) {
			setup(NULL);
			trap_verdict = SKIP;
			assert_int_equal(mmio(MMIO(srt, write)),
					 !write && srt >= 18 && srt <= 29 ? DONE_GPRS : DONE);
			assert_int_equal(fake_get("ELR_EL2"), PC + 4);
			assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_DABT), 1);
			assert_int_equal(traps, 1);
		}
	/* Without a syndrome (ISV), or of 2 bytes (IL): the slow path decodes it. */
	setup(NULL);
	assert_int_equal(mmio(MMIO(1, 0UL) & ~(1UL << 24)), PASS);
	assert_int_equal(mmio(MMIO(1, 0UL) & ~(1UL << 25)), PASS);
	assert_int_equal(traps, 0);
	/* It is done, or somebody else's to finish; and more is to be done. */
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		vcpu.vgic.stale = true;
		trap_verdict = others[i];
		assert_int_equal(mmio(MMIO(1, 0UL)), others[i]);
		assert_int_equal(vcpu.account.level, ACCOUNT_VM);
		vcpu.vgic.stale = false;
	}
	trap_verdict = SKIP;
	vcpu.traps_stale = true;
	assert_int_equal(mmio(MMIO(1, 0UL)), SKIP);
	vcpu.traps_stale = false;
	fake_set("SPSR_EL2", 5 | SS_BTYPE);
	assert_int_equal(mmio(MMIO(1, 0UL)), SKIP);
	assert_int_equal(fake_get("ELR_EL2"), PC);
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_DABT), 0);
}

/* Both directions between the levels: whose exit it is, and the trap controls. */
static void levels(void **state)
{
	(void)state;
	assert_int_equal(fast_eret(&vcpu, 0x6a000002), PASS); /* ERETAA */
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), DONE);
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_ERET), 1);
	assert_int_equal(fast_hvc(&vcpu, 0x5a000000), DONE);
	assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_HVC), 1);
	assert_int_equal(updates, 2);
	assert_int_equal(prepares, 0);
	same_lengths = false;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), DONE);
	assert_int_equal(prepares, 1);
	vcpu.simd.levels_same = true;
	assert_int_equal(fast_hvc(&vcpu, 0x5a000000), DONE);
	assert_int_equal(prepares, 1);
	assert_int_equal(updates, 3);
	switches = false;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), PASS);
	assert_int_equal(updates + prepares, 4);
	/* The switch made interrupts due: the level is switched, but the entry must wait. */
	switches = true;
	vcpu.vgic.stale = true;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), RESUME);
	assert_int_equal(vcpu.account.level, ACCOUNT_VM);
	assert_int_equal(vcpu.exit.esr, 0x6a000000);
	assert_true(vcpu.traps_stale);
	assert_int_equal(fast_hvc(&vcpu, 0x5a000000), RESUME);
	assert_int_equal(vcpu.account.level, ACCOUNT_NESTED);
	assert_int_equal(vcpu.exit.esr, 0x5a000000);
	assert_int_equal(updates + prepares, 4);
}

/* vEL2 has changed its CPTR_EL2: in force at once if it is the next to run, else at the switch. */
static void an_eret_after_cptr(void **state)
{
	(void)state;
	vm.nested.cptr = CPTR_FPEN | CPTR_ZEN;
	for (u32 i = 0; i < 3; i++) {
		setup(NULL);
		switches = i == 0;
		stays = i == 1;
		fake_set("CPACR_EL12", CPTR_FPEN | CPTR_TTA);
		assert_int_equal(fast_eret(&vcpu, 0x6a000000), i < 2 ? DONE : PASS);
		assert_int_equal(vcpu.sr[SR_CPTR_EL2], CPTR_FPEN);
		assert_int_equal(vcpu.sr[SR_CPACR_EL1], CPTR_FPEN | CPTR_TTA);
		assert_int_equal(renewals, i > 0);
	}
}

/* vEL2 stays at its level. */
static void an_eret_within(void **state)
{
	(void)state;
	switches = false;
	stays = true;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), DONE);
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_ERET), 1);
	assert_int_equal(updates + prepares, 0);
	vcpu.traps_stale = true;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), RESUME);
	assert_int_equal(vcpu.exit.esr, 0x6a000000);
	assert_int_equal(vcpu.account.level, ACCOUNT_VM);
	vcpu.traps_stale = false;
	vcpu.vgic.stale = true;
	assert_int_equal(fast_eret(&vcpu, 0x6a000000), RESUME);
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_ERET), 1);
}

/* A trap of L2's that L1 wants. */
static void a_trap(void **state)
{
	(void)state;
	vcpu.in_vel2 = false;
	assert_int_equal(fast_trap(&vcpu, SYS(1, 1)), PASS);
	assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_SYS), 0);
	is_l1s = true;
	assert_int_equal(fast_trap(&vcpu, SYS(1, 1)), DONE);
	assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_SYS), 1);
	assert_int_equal(fake_get("ELR_EL2"), PC); /* level_trap() writes it */
	vcpu.in_vel2 = false;
	assert_int_equal(fast_trap(&vcpu, 0x6a000000), DONE);
	assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_ERET), 1);
	assert_int_equal(updates, 2);
}

static enum verdict abort_of(u32 ec, u32 fsc, enum shadow_verdict verdict)
{
	setup(NULL);
	vcpu.in_vel2 = false;
	shadow = verdict;
	seen_esr = (u64)ec << 26 | 1U << 25 | fsc;
	return fast_abort(&vcpu, seen_esr);
}

/*
 * Faults that depend on L1's tables: they are resolved, or L1's; for all others nothing is changed.
 */
static void an_abort(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		u32 ec = i ? 0x20 : 0x24;
		enum exit_class class = i ? EXIT_CLASS_IABT : EXIT_CLASS_DABT;

		for (u32 fsc = 0; fsc < 64; fsc++) {
			bool walks = fsc < 0x10;

			assert_int_equal(abort_of(ec, fsc, SHADOW_RETRY), walks ? DONE : PASS);
			assert_int_equal(faults, walks);
			assert_int_equal(counted(ACCOUNT_NESTED, class), walks);
			assert_int_equal(updates + prepares, 0);
			assert_false(vcpu.in_vel2 || vcpu.pc_dirty);
		}
		assert_int_equal(abort_of(ec, 7, SHADOW_REFLECT), DONE);
		assert_int_equal(counted(ACCOUNT_NESTED, class), 1);
		assert_true(vcpu.in_vel2);
		assert_int_equal(updates, 1);
		assert_int_equal(abort_of(ec, 7, SHADOW_DEAD), PASS);
		assert_false(vcpu.reflection.device);
		/* The slow path need not walk L1's tables again. */
		assert_int_equal(abort_of(ec, 7, SHADOW_DEVICE), PASS);
		assert_true(vcpu.reflection.device);
		assert_int_equal(vcpu.reflection.ipa.a, 0x9000018);
		assert_int_equal(vcpu.reflection.esr, 0);
		assert_int_equal(counted(ACCOUNT_NESTED, class), 0);
	}
}

/* It is resolved, but L2 is not to be entered yet; nor L1. */
static void an_abort_and_more(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		setup(NULL);
		vcpu.in_vel2 = false;
		vcpu.vgic.stale = true;
		shadow = i ? SHADOW_REFLECT : SHADOW_RETRY;
		seen_esr = 0x92000007;
		assert_int_equal(fast_abort(&vcpu, seen_esr), RESUME);
		assert_int_equal(vcpu.exit.esr, seen_esr);
		assert_int_equal(vcpu.account.level, ACCOUNT_NESTED);
		assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_DABT), 0);
		if (i) {
			assert_true(vcpu.traps_stale);
		} else {
			assert_int_equal(vcpu.pc, PC); /* the vcpu may be put */
			assert_int_equal(vcpu.pstate, 5);
		}
	}
}

static enum verdict mapped_abort(void)
{
	shadow = SHADOW_RETRY;
	seen_esr = 0x92000007;
	return fast_abort(&vcpu, seen_esr);
}

/*
 * An L2 that is a hypervisor is entered with what its CPACR_EL1 closes closed in CPTR_EL2, after a
 * level switch as after an interrupt.
 */
static void closed_by_a_hypervisor(void **state)
{
	struct traps *have = &cpu_this()->traps;

	(void)state;
	for (u32 i = 0; i < 6; i++) {
		bool l2 = i != 2; /* an HVC ends in vEL2 */

		setup(NULL);
		vcpu.in_vel2 = i == 0;
		vcpu.vel1_vncr = true;
		vcpu.simd.levels_same = i & 1;
		vcpu.sr[SR_CPACR_EL1] = CPTR_FPEN;
		fake_set("CPACR_EL12", CPTR_FPEN);
		have->cptr = CPTR_FPEN | CPTR_ZEN;
		if (i == 0)
			assert_int_equal(fast_eret(&vcpu, 0x6a000000), DONE);
		else if (i == 2)
			assert_int_equal(fast_hvc(&vcpu, 0x5a000000), DONE);
		else if (i == 3)
			assert_int_equal(mapped_abort(), DONE);
		else
			assert_int_equal(fast_irq(&vcpu), DONE);
		assert_int_equal(have->cptr, l2 ? CPTR_FPEN : CPTR_FPEN | CPTR_ZEN);
	}
}

/*
 * A timer's interrupt is complete unless vEL2 has done something meanwhile: one case for each row
 * of the table.
 */
static void an_interrupt(void **state)
{
	(void)state;
	assert_int_equal(fast_irq(&vcpu), DONE);
	assert_int_equal(counted(ACCOUNT_VM, EXIT_CLASS_IRQ), 1);
	for (u32 i = 0; i < 6; i++) {
		setup(NULL);
		if (i == 0)
			page[VNCR_CNTVOFF_EL2 / 8] = 1;
		if (i == 1)
			fake_set("CPACR_EL12", 1UL << 20);
		if (i == 2)
			page[VNCR_MDSCR_EL1 / 8] = 1;
		if (i == 3)
			page[VNCR_ICH_HCR_EL2 / 8] = ICH_HCR_EN;
		if (i == 4)
			page[VNCR_HCR_EL2 / 8] = HCR_E2H | HCR_IMO;
		if (i == 5)
			vcpu.traps_stale = true;
		if (fast_irq(&vcpu) != PASS || vcpu.intid != 1023)
			fail_msg("%u is not seen", i);
		vcpu.in_vel2 = false; /* L2 has done none of that */
		assert_int_equal(fast_irq(&vcpu), DONE);
		assert_int_equal(counted(ACCOUNT_NESTED, EXIT_CLASS_IRQ), 1);
	}
	setup(NULL);
	vcpu.mdscr.write_lent = true;
	acked = 33;
	assert_int_equal(fast_irq(&vcpu), PASS);
	assert_int_equal(vcpu.intid, 33);
	assert_int_equal(ticks, 1);
	vcpu.mdscr = (struct mdscr){ .numbered_lent = true };
	assert_int_equal(fast_irq(&vcpu), PASS);
	assert_int_equal(ticks, 2);
	acked = 0; /* an SGI's number is one, too */
	assert_int_equal(fast_irq(&vcpu), PASS);
	assert_int_equal(vcpu.intid, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_register, setup),
		cmocka_unit_test_setup(a_register_and_more, setup),
		cmocka_unit_test_setup(a_device, setup),
		cmocka_unit_test_setup(levels, setup),
		cmocka_unit_test_setup(an_eret_within, setup),
		cmocka_unit_test_setup(an_eret_after_cptr, setup),
		cmocka_unit_test_setup(a_trap, setup),
		cmocka_unit_test_setup(an_abort, setup),
		cmocka_unit_test_setup(an_abort_and_more, setup),
		cmocka_unit_test_setup(closed_by_a_hypervisor, setup),
		cmocka_unit_test_setup(an_interrupt, setup),
	};

	return cmocka_run_group_tests_name("fast paths", tests, NULL, NULL);
}
