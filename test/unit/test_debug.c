/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug registers of a vcpu with a virtual EL2: which are in the CPU, when MDSCR_EL1 traps, where
 * values are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "state/vncr.h"
#include "traps/debug.h"
#include "state/vcpu.h"
#include "state/vm.h"

static struct vm vm;
static struct vcpu vcpu;
static u64 page[VNCR_WORDS] __attribute__((aligned(4096)));

#define SS 1UL
#define TDCC (1UL << 12)
#define KDE (1UL << 13)
#define MDE (1UL << 15)
#define HMC (1UL << 13)
#define PAGE_MDSCR page[0x158 / 8]
#define PAGE_HCR page[0x78 / 8]
#define TGE (1UL << 27)
#define TDE (1UL << 8)

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(page, 0, sizeof(page));
	feat = (struct feat){ .brps = 6, .wrps = 4, .fgt = true };
	fake_set("CNTFRQ_EL0", 1000000);
	vm.nested.hcr = TGE;
	vm.nested.mdcr = TDE;
	vcpu.vm = &vm;
	vcpu.vncr = page;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	debug_reset(&vcpu);
	PAGE_HCR = TGE;
	fake_set("OSLSR_EL1", 8);
	return 0;
}

/* An access of vEL2 that traps. */
static void numbered(u32 n, u32 op2, u64 v)
{
	assert_int_equal(debug_numbered(&vcpu, (u32)SYSREG_KEY(2u, 0u, 0u, n, op2), true, &v),
			 SKIP);
}

static u64 number(u32 n, u32 op2)
{
	u64 v = 0;

	assert_int_equal(debug_numbered(&vcpu, (u32)SYSREG_KEY(2u, 0u, 0u, n, op2), false, &v),
			 SKIP);
	return v;
}

static void mdscr(u64 v)
{
	assert_int_equal(debug_mdscr(&vcpu, SR_MDSCR_EL1, true, &v), SKIP);
}

/* An access that does not trap, and the next exit. */
static void mdscr_by_page(u64 v)
{
	PAGE_MDSCR = v;
	if (!debug_vel2_quiet(&vcpu))
		debug_vel2_exit(&vcpu);
}

/*
 * ---- at which level a breakpoint matches: AArch64.StateMatch, restated for Non-secure state ---
 */

static bool matches(u64 control, u32 el)
{
	u64 ssc = control >> 14 & 3, pxc = control >> 1 & 3;
	bool hmc = control & HMC, priv, ss;

	if (!(control & 1))
		return false;
	priv = el == 2 ? (hmc && (ssc << 2 | pxc) != 8) || ssc == 3 : pxc & (el == 1 ? 1 : 2);
	ss = ssc == 0 ? true : ssc == 1 ? true : ssc == 2 ? false : hmc;
	return priv && ss;
}

static void state_match(void **state)
{
	(void)state;
	for (u64 bits = 0; bits < 64; bits++) {
		u64 control = (bits & 7) | (bits >> 3) << 13 | 0x001201e0, cpu;

		for (u32 breakpoint = 0; breakpoint < 2; breakpoint++) {
			cpu = debug_control_vel2(control, breakpoint);
			/* vEL2 is EL1 to the CPU, its host is EL0; EL2 is nidus. */
			assert_int_equal(matches(cpu, 1), matches(control, 2));
			assert_int_equal(matches(cpu, 0), matches(control, 0));
			assert_false(matches(cpu, 2));
			assert_int_equal(cpu & ~0xe007UL, control & ~0xe007UL);
		}
	}
	/* Context breakpoints that others link to: where they match does not matter. */
	for (u64 bt = 0; bt < 16; bt++) {
		u64 control = bt << 20 | 0x1e7;
		bool linked_to = bt == 3 || bt == 7 || bt == 9 || bt == 11 || bt == 13 || bt == 15;

		assert_int_equal(debug_control_vel2(control, true) == control, linked_to);
		assert_int_not_equal(debug_control_vel2(control | HMC, false), control | HMC);
	}
}

/* ---- the CPU's registers ---- */

/*
 * MDSCR_EL1 was written without a trap, then a register that traps: the exit makes the registers
 * live, and the write must not be lost.
 */
static void first_write(void **state)
{
	(void)state;
	for (u32 op2 = 4; op2 < 8; op2++) {
		static const char *const name[] = { "DBGBVR3_EL1", "DBGBCR3_EL1", "DBGWVR3_EL1",
						    "DBGWCR3_EL1" };

		setup(NULL);
		vcpu.mdscr.write_lent = true;
		mdscr_by_page(MDE | KDE);
		assert_true(vcpu.debug_live);
		assert_false(vcpu.mdscr.write_lent);
		numbered(3, op2, 0x2064);
		assert_int_equal(fake_get(name[op2 - 4]), 0x2064);
		assert_int_equal(number(3, op2), 0x2064);
	}
}

static void controls_are_vel2s(void **state)
{
	(void)state;
	numbered(0, 5, HMC | 3 << 14 | 0x1e1); /* EL2 */
	numbered(1, 5, 0x1e3);                 /* EL1 */
	numbered(0, 7, 0x1ff5);                /* EL0 */
	assert_int_equal(fake_writes("DBGBCR0_EL1"), 0);
	mdscr(MDE);
	assert_int_equal(fake_get("DBGBCR0_EL1"), 0x1e3);
	assert_int_equal(fake_get("DBGBCR1_EL1"), 0x1e0);
	assert_int_equal(fake_get("DBGWCR0_EL1"), 0x1ff5);
	assert_int_equal(number(0, 5), HMC | 3 << 14 | 0x1e1);
	/* Values are in the CPU, and vEL2 writes them there. */
	fake_set("DBGBVR0_EL1", 0x1234);
	assert_int_equal(number(0, 4), 0x1234);
	/* L2 has them unchanged, and L1 can read what it writes. */
	vcpu.in_vel2 = false;
	debug_enter_vel1(&vcpu);
	assert_int_equal(fake_get("DBGBCR0_EL1"), HMC | 3 << 14 | 0x1e1);
	assert_int_equal(fake_get("DBGBCR1_EL1"), 0x1e3);
	fake_set("DBGBCR2_EL1", 0x1e7);
	fake_set("MDSCR_EL1", MDE | TDCC);
	vcpu.in_vel2 = true;
	debug_enter_vel2(&vcpu);
	assert_int_equal(number(2, 5), 0x1e7);
	assert_int_equal(fake_get("DBGBCR2_EL1"), 0x1e5);
	assert_int_equal(fake_get("DBGBCR0_EL1"), 0x1e3);
	assert_int_equal(PAGE_MDSCR, MDE | TDCC);
	/* When they are off, the CPU's values are moved to memory. */
	fake_set("DBGWVR1_EL1", 0x5678);
	mdscr(0);
	assert_false(vcpu.debug_live);
	assert_int_equal(number(0, 4), 0x1234);
	assert_int_equal(number(1, 6), 0x5678);
	assert_int_equal(number(2, 5), 0x1e7);
}

/* A vcpu switch at vEL2 and in L2: the same values come back. */
static void vcpu_switch(void **state)
{
	(void)state;
	for (u32 hyp = 0; hyp < 2; hyp++) {
		setup(NULL);
		PAGE_HCR = 0; /* KDE is not in the CPU at vEL2 */
		numbered(0, 5, 0x1e3);
		numbered(0, 4, 0x4000);
		mdscr(MDE | KDE);
		vcpu.in_vel2 = hyp;
		if (!hyp)
			debug_enter_vel1(&vcpu);
		vcpu.sr[SR_MDSCR_EL1] = fake_get("MDSCR_EL1");
		debug_save(&vcpu);
		fake_set("DBGBCR0_EL1", 0);
		fake_set("DBGBVR0_EL1", 0);
		fake_set("MDSCR_EL1", vcpu.sr[SR_MDSCR_EL1]);
		debug_load(&vcpu);
		assert_int_equal(fake_get("DBGBCR0_EL1"), hyp ? 0x1e0 : 0x1e3);
		assert_int_equal(fake_get("DBGBVR0_EL1"), 0x4000);
		assert_int_equal(fake_get("MDSCR_EL1"), hyp ? MDE : MDE | KDE);
		assert_int_equal(vcpu.sr[SR_MDSCR_EL1], MDE | KDE);
	}
	/*
	 * L2 wrote MDSCR_EL1 while live, without a trap, and was put: the page has the value too,
	 * where L1 reads it.
	 */
	fake_set("MDSCR_EL1", 0);
	vcpu.in_vel2 = false;
	vcpu.sr[SR_MDSCR_EL1] = TDCC;
	debug_save(&vcpu);
	assert_false(vcpu.debug_live);
	assert_int_equal(PAGE_MDSCR, TDCC);
	assert_true(debug_vel2_quiet(&vcpu));
}

/* ---- MDSCR_EL1 ---- */

/* AArch64.GenerateDebugExceptionsFrom(EL2): with TGE or TDE, and then by KDE and PSTATE.D. */
static void target(void **state)
{
	(void)state;
	for (u32 i = 0; i < 16; i++) {
		bool to_el2 = i & 3;

		setup(NULL);
		PAGE_HCR = i & 1 ? TGE : 0;
		vcpu.sr[SR_MDCR_EL2] = i & 2 ? TDE : 0;
		mdscr(MDE | SS | (i & 4 ? KDE : 0));
		vcpu.pstate = i & 8 ? 0x205 : 5;
		assert_int_equal(fake_get("MDSCR_EL1") & KDE, to_el2 && (i & 4) ? KDE : 0);
		assert_int_equal(debug_vel2_enabled(&vcpu), to_el2 && (i & 4) && !(i & 8));
		assert_int_equal(PAGE_MDSCR, MDE | SS | (i & 4 ? KDE : 0));
	}
	/* TGE is written without a trap: it is noticed at the next exit. */
	PAGE_HCR = 0;
	assert_false(debug_vel2_quiet(&vcpu));
	vcpu.sr[SR_MDCR_EL2] = 0;
	debug_vel2_exit(&vcpu);
	assert_int_equal(fake_get("MDSCR_EL1"), MDE | SS);
	/* In L2 the merged MDCR_EL2 determines the target of exceptions. */
	vcpu.in_vel2 = false;
	debug_enter_vel1(&vcpu);
	assert_int_equal(fake_get("MDSCR_EL1"), MDE | SS | KDE);
}

/*
 * Writes trap until vEL2 has entered its guest often, each time after a write, and none mattered.
 */
static void calm(u32 times)
{
	for (u32 i = 0; i < times; i++) {
		assert_false(vcpu.mdscr.write_lent);
		vcpu.account.level_entries++;
		mdscr(TDCC);
		mdscr(TDCC);
	}
}

static void free_when_calm(void **state)
{
	(void)state;
	/* Writes without entries do not count. */
	for (u32 i = 0; i < 1000; i++)
		mdscr(i & 1 ? TDCC : 0);
	assert_false(vcpu.mdscr.write_lent);
	calm(99);
	mdscr(KDE); /* the count begins anew */
	calm(100);
	assert_true(vcpu.mdscr.write_lent && vcpu.traps_stale);
	mdscr_by_page(0);
	mdscr_by_page(TDCC);
	assert_true(vcpu.mdscr.write_lent);
	/* What matters, and when it is seen. */
	mdscr_by_page(KDE);
	assert_false(vcpu.mdscr.write_lent);
	calm(100);
	numbered(0, 4, 0x4000);
	numbered(0, 5, 0x1e2);
	assert_true(vcpu.mdscr.write_lent);
	numbered(0, 5, 0x1e3); /* enabled: from now on MDE takes effect at once */
	assert_false(vcpu.mdscr.write_lent);
	vcpu.account.level_entries += 200;
	for (u32 i = 0; i < 200; i++, vcpu.account.level_entries++)
		mdscr(TDCC);
	assert_false(vcpu.mdscr.write_lent);
	numbered(0, 5, 0);
	calm(100);
	assert_true(vcpu.mdscr.write_lent);
}

static void traps_again_without_guest(void **state)
{
	u64 ms = 1000, now = 7;

	(void)state;
	calm(100);
	vcpu.mdscr.since = now;
	for (u32 i = 0; i < 50; i++) {
		vcpu.account.level_entries++;
		debug_vel2_tick(&vcpu, now += 90 * ms);
		assert_true(vcpu.mdscr.write_lent);
	}
	debug_vel2_tick(&vcpu, now + 100 * ms);
	assert_true(vcpu.mdscr.write_lent);
	vcpu.traps_stale = false;
	debug_vel2_tick(&vcpu, now + 101 * ms);
	assert_false(vcpu.mdscr.write_lent);
	assert_true(vcpu.traps_stale);
}

/* vEL2 moves all of them again and again. */
static void asked(u32 times)
{
	for (u32 i = 0; i < times; i++) {
		assert_false(vcpu.mdscr.numbered_lent);
		if (i & 1)
			numbered(i % 4, 4 + i / 4 % 4, 0x100 * (i % 4) + 0x1e0);
		else
			number(i % 6, 4);
	}
}

static void lent_when_asked(void **state)
{
	(void)state;
	calm(100);
	numbered(5, 4, 0x7770);
	asked(99);
	assert_true(vcpu.mdscr.numbered_lent && vcpu.traps_stale);
	assert_false(vcpu.debug_live || vcpu.mdscr.write_lent);
	/* They are in the CPU, the last write too, and vEL2 continues there. MDSCR_EL1 traps. */
	assert_int_equal(fake_get("DBGBVR5_EL1"), 0x7770);
	assert_int_equal(fake_get("DBGBVR3_EL1"), 0x4e0);
	fake_set("DBGBVR5_EL1", 0x8880);
	fake_set("DBGBCR5_EL1", HMC | 3 << 14 | 0x1e1);
	for (u32 i = 0; i < 200; i++, vcpu.account.level_entries++)
		mdscr(TDCC);
	assert_true(vcpu.mdscr.numbered_lent && !vcpu.mdscr.write_lent);
	/* Now a breakpoint can match. */
	mdscr(MDE | KDE);
	assert_true(vcpu.debug_live && !vcpu.mdscr.numbered_lent);
	assert_int_equal(fake_get("DBGBVR5_EL1"), 0x8880);
	assert_int_equal(fake_get("DBGBCR5_EL1"), 0x1e3);
	assert_int_equal(number(5, 5), HMC | 3 << 14 | 0x1e1);
	/* Registers that are enabled are not lent, nor are live ones. */
	for (u32 i = 0; i < 300; i++)
		number(5, 5);
	assert_false(vcpu.mdscr.numbered_lent);
	mdscr(0);
	for (u32 i = 0; i < 300; i++)
		number(5, 5);
	assert_false(vcpu.mdscr.numbered_lent);
	numbered(5, 5, 0);
	for (u32 i = 0; i < 99; i++)
		number(5, 5);
	assert_true(vcpu.mdscr.numbered_lent);
}

static void taken_back(void **state)
{
	u64 v = 0x99;

	(void)state;
	/* L2 has the same registers, and its accesses trap. */
	asked(100);
	fake_set("DBGWVR1_EL1", 0x5550);
	vcpu.in_vel2 = false;
	assert_int_equal(number(1, 6), 0x5550);
	assert_false(vcpu.mdscr.numbered_lent);
	/* Without in_vel2 nothing is lent. */
	for (u32 i = 0; i < 300; i++)
		number(1, 6);
	assert_false(vcpu.mdscr.numbered_lent);
	/* The vcpu leaves the CPU. */
	vcpu.in_vel2 = true;
	asked(100);
	fake_set("DBGWVR1_EL1", 0x6660);
	debug_save(&vcpu);
	fake_set("DBGWVR1_EL1", 0x9990); /* another's */
	assert_false(vcpu.mdscr.numbered_lent);
	assert_int_equal(number(1, 6), 0x6660);
	/* Time passes. */
	asked(99);
	fake_set("DBGWCR2_EL1", 0x1e1);
	vcpu.traps_stale = false;
	debug_vel2_tick(&vcpu, vcpu.mdscr.since + 100000);
	assert_true(vcpu.mdscr.numbered_lent);
	debug_vel2_tick(&vcpu, vcpu.mdscr.since + 100001);
	assert_false(vcpu.mdscr.numbered_lent);
	assert_true(vcpu.traps_stale && vcpu.mdscr.enabled);
	assert_int_equal(number(2, 7), 0x1e1);
	/* A machine without fine-grained traps cannot separate them from others. */
	setup(NULL);
	feat.fgt = false;
	for (u32 i = 0; i < 300; i++)
		debug_numbered(&vcpu, (u32)SYSREG_KEY(2u, 0u, 0u, 0u, 4u), false, &v);
	assert_false(vcpu.mdscr.numbered_lent);
}

/*
 * MDCR_EL2.TDA is treated as 1 if HCR_EL2.TGE is; so host EL0 traps to vEL2, from a lower level,
 * with the access's syndrome.
 */
static void dcc_of_host_el0(void **state)
{
	const u64 esr = 0x18UL << 26 | 1UL << 25 | 0x20c023; /* an MRS of MDCCSR_EL0 */
	u64 v = 0;

	(void)state;
	vcpu.exit.esr = esr;
	vcpu.pstate = 0x3c0;
	assert_int_equal(debug_dcc(&vcpu, SR_MDCCSR_EL0, false, &v), INJECT);
	assert_int_equal(vcpu.inject_esr, esr);
	/*
	 * At vEL2 itself, and in an L2 whose L1 does not trap it, it reads as if there were no
	 * debugger.
	 */
	vcpu.pstate = 0x3c5;
	assert_int_equal(debug_dcc(&vcpu, SR_MDCCSR_EL0, false, &v), SKIP);
	assert_int_equal(v, 0);
	vcpu.in_vel2 = false;
	vcpu.pstate = 0x3c0;
	assert_int_equal(debug_dcc(&vcpu, SR_MDCCSR_EL0, false, &v), SKIP);
	/* Read-only at every level. */
	assert_int_equal(debug_dcc(&vcpu, SR_MDCCSR_EL0, true, &v), UNDEF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(state_match, setup),
		cmocka_unit_test_setup(first_write, setup),
		cmocka_unit_test_setup(controls_are_vel2s, setup),
		cmocka_unit_test_setup(vcpu_switch, setup),
		cmocka_unit_test_setup(target, setup),
		cmocka_unit_test_setup(free_when_calm, setup),
		cmocka_unit_test_setup(traps_again_without_guest, setup),
		cmocka_unit_test_setup(lent_when_asked, setup),
		cmocka_unit_test_setup(taken_back, setup),
		cmocka_unit_test_setup(dcc_of_host_el0, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
