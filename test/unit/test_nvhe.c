/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtual EL2 without VHE: the formats of its registers by the bit numbers in the Arm ARM, what
 * traps to nidus, and what an access does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/sysreg.h"
#include "exit/sysreg_emul.h"
#include "lib/types.h"
#include "nested_vm.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/nvhe.h"
#include "traps/traps_nested.h"

static u64 seed = 7;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL;
}

/* ---- formats: pairs of a bit of EL2's and where it is in EL1's, or with E2H = 1 ---- */

struct place {
	u8 from, to;
};

static u64 moved(u64 v, const struct place *p, size_t n)
{
	u64 r = 0;

	for (size_t i = 0; i < n; i++)
		if (v & BIT(p[i].from))
			r |= BIT(p[i].to);
	return r;
}

/* TCR_EL2: PS 18:16, TBI 20, HA 21, HD 22, HPD 24, HWU 28:25, TBID 29. */
static void tcr(void **state)
{
	static const struct place p[] = {
		{ 0, 0 },   { 1, 1 },	{ 2, 2 },   { 3, 3 },	{ 4, 4 },   { 5, 5 },
		{ 8, 8 },   { 9, 9 },	{ 10, 10 }, { 11, 11 }, { 12, 12 }, { 13, 13 },
		{ 14, 14 }, { 15, 15 }, { 16, 32 }, { 17, 33 }, { 18, 34 }, { 20, 37 },
		{ 20, 38 }, { 21, 39 }, { 22, 40 }, { 24, 41 }, { 25, 43 }, { 26, 44 },
		{ 27, 45 }, { 28, 46 }, { 29, 51 }, { 29, 52 },
	};

	(void)state;
	for (u32 i = 0; i < 1000; i++) {
		u64 v = rnd(), got = nvhe_tcr(v);

		/* The upper range: a valid size and granule, and no walk (EPD1). */
		assert_int_equal(got & MASK(31, 16), 25 << 16 | 1 << 23 | 2UL << 30);
		assert_int_equal(got & ~MASK(31, 16), moved(v, p, ARRAY_SIZE(p)));
	}
}

/* SCTLR_EL2 and SCTLR_EL1: one place; the rest as EL1 needs it, whatever EL2's says. */
static void sctlr(void **state)
{
	static const u8 same[] = { 0,  1,  2,  3,  6,  12, 13, 19, 21, 25, 27,
				   30, 31, 36, 37, 40, 41, 43, 44 };
	/* EOS, DZE, UCT, nTWI, nTWE, TSCXT, EIS, SPAN, UCI, nTLSMD, LSMAOE; SED, ITD */
	u64 ones = BIT(11) | BIT(14) | BIT(15) | BIT(16) | BIT(18) | BIT(20) | BIT(22) | BIT(23) |
		   BIT(26) | BIT(28) | BIT(29) | BIT(8) | BIT(7);

	(void)state;
	for (u32 i = 0; i < 1000; i++) {
		u64 v = rnd(), want = ones;

		for (size_t k = 0; k < ARRAY_SIZE(same); k++)
			want |= v & BIT(same[k]);
		assert_int_equal(nvhe_sctlr(v), want);
	}
}

static void cptr(void **state)
{
	const u64 all = MASK(21, 20) | MASK(17, 16) | MASK(25, 24) | BIT(31);

	(void)state;
	assert_int_equal(nvhe_cptr(0x22ff), MASK(21, 20) | MASK(17, 16) | MASK(25, 24));
	assert_int_equal(nvhe_cptr(BIT(10)), MASK(17, 16) | MASK(25, 24));          /* TFP */
	assert_int_equal(nvhe_cptr(BIT(8)), MASK(21, 20) | MASK(25, 24));           /* TZ */
	assert_int_equal(nvhe_cptr(BIT(12)), MASK(21, 20) | MASK(17, 16));          /* TSM */
	assert_int_equal(nvhe_cptr(BIT(31) | BIT(12) | BIT(10) | BIT(8)), BIT(31)); /* TCPAC */
	for (u32 i = 0; i < 16; i++) {
		u64 v = 0x22ff | (i & 1 ? BIT(8) : 0) | (i & 2 ? BIT(10) : 0) |
			(i & 4 ? BIT(12) : 0) | (i & 8 ? BIT(31) : 0);

		assert_int_equal(nvhe_cptr_read(nvhe_cptr(v) & all, all), v);
		/* Without SVE and SME TZ and TSM are RES1. */
		assert_int_equal(nvhe_cptr_read(nvhe_cptr(v) & MASK(21, 20), MASK(21, 20)),
				 (v & ~BIT(31)) | BIT(8) | BIT(12));
	}
}

static void cnthctl(void **state)
{
	(void)state;
	assert_int_equal(nvhe_cnthctl(1), BIT(10));           /* EL1PCTEN */
	assert_int_equal(nvhe_cnthctl(2), BIT(11));           /* EL1PCEN */
	assert_int_equal(nvhe_cnthctl(0xfc), 0xfc);           /* the event stream */
	assert_int_equal(nvhe_cnthctl(MASK(17, 12)), MASK(17, 12));
	assert_int_equal(nvhe_cnthctl(MASK(11, 8)), 0);
	for (u32 i = 0; i < 256; i++)
		assert_int_equal(nvhe_cnthctl_read(nvhe_cnthctl(i)), i);
}

/* ---- which register an access means ---- */

static u32 key(u32 op1, u32 crn, u32 crm, u32 op2)
{
	return SYSREG_KEY(3u, op1, crn, crm, op2);
}

static void keys(void **state)
{
	(void)state;
	for (u32 op2 = 0; op2 < 3; op2++) {
		assert_int_equal(nvhe_key(key(3, 14, 2, op2)), key(5, 14, 2, op2)); /* CNTP */
		assert_int_equal(nvhe_key(key(3, 14, 3, op2)), key(5, 14, 3, op2)); /* CNTV */
		assert_int_equal(nvhe_key(key(5, 14, 2, op2)), 0);
		assert_int_equal(nvhe_key(key(5, 14, 3, op2)), 0);
		assert_int_equal(nvhe_key(key(4, 14, 3, op2)), 0);                  /* CNTHV */
		assert_int_equal(nvhe_key(key(4, 14, 2, op2)), key(4, 14, 2, op2)); /* CNTHP */
	}
	assert_int_equal(nvhe_key(key(5, 1, 0, 0)), 0);  /* SCTLR_EL12 */
	assert_int_equal(nvhe_key(key(5, 14, 1, 0)), 0); /* CNTKCTL_EL12 */
	assert_int_equal(nvhe_key(key(4, 2, 0, 1)), 0);  /* TTBR1_EL2 */
	assert_int_equal(nvhe_key(key(4, 2, 0, 0)), key(4, 2, 0, 0));
	assert_int_equal(nvhe_key(key(3, 14, 0, 2)), key(3, 14, 0, 2)); /* CNTVCT_EL0 */
	assert_int_equal(sysreg_find(0), SR_NONE);
}

/* ---- accesses ---- */

static struct vcpu *v;

static int setup(void **state)
{
	static const struct vm_config config = { .name = "a", .nested = true, .nvhe = true };

	(void)state;
	nv_setup(1, KIB(4));
	nv_vm.config = &config;
	v = &nv_vcpu[0];
	v->in_vel2 = v->nvhe = v->timers_trap = true;
	v->vm->nested.cptr = MASK(21, 20) | MASK(17, 16) | MASK(25, 24) | BIT(31);
	v->vm->nested.cnthctl = MASK(17, 10) | MASK(7, 2);
	return 0;
}

static u32 quick_ones; /* accesses that the fast path served */

/* MSR or MRS of vEL2, x1. */
static enum verdict access(u32 k, bool write, u64 *value)
{
	struct exit exit = { .esr = 0x18UL << 26 | BIT(25) | k | 1 << 5 | !write, .spsr = 0x3c5 };
	enum verdict verdict, quick = PASS;
	u64 read = 0;

	v->exit = exit;
	if (v->in_vel2) {
		v->vel2_fn = sysreg_vel2_table(v->nvhe);
		v->gpr[1] = *value;
		quick = sysreg_vel2(v, exit.esr, exit.spsr);
		read = v->gpr[1];
	}
	v->gpr[1] = *value;
	verdict = sysreg_trap(v, &exit);
	/* The fast path passes or does the same. */
	if (quick != PASS) {
		assert_int_equal(quick, verdict);
		assert_int_equal(read, v->gpr[1]);
	}
	quick_ones += quick == SKIP;
	*value = v->gpr[1];
	return verdict;
}

static void put(u32 k, u64 value)
{
	assert_int_equal(access(k, true, &value), SKIP);
}

static u64 get(u32 k)
{
	u64 value = 0;

	assert_int_equal(access(k, false, &value), SKIP);
	return value;
}

static void registers(void **state)
{
	(void)state;
	put(key(4, 1, 0, 0), 0x30c51835);
	assert_int_equal(fake_get("SCTLR_EL12"), nvhe_sctlr(0x30c51835));
	assert_int_equal(get(key(4, 1, 0, 0)), 0x30c51835);
	put(key(4, 2, 0, 2), 0x80853519);
	assert_int_equal(fake_get("TCR_EL12"), nvhe_tcr(0x80853519));
	assert_int_equal(get(key(4, 2, 0, 2)), 0x80853519);
	put(key(4, 2, 0, 0), 0x1234000041234001);
	assert_int_equal(fake_get("TTBR0_EL12"), 0x41234001); /* no ASID */
	assert_int_equal(get(key(4, 2, 0, 0)), 0x41234001);
	put(key(4, 10, 2, 0), 0xff44);
	assert_int_equal(fake_get("MAIR_EL12"), 0xff44);
	put(key(4, 1, 1, 2), 0x22ff | BIT(10));
	assert_int_equal(v->sr[SR_CPTR_EL2], MASK(17, 16) | MASK(25, 24));
	/* FPEN of vEL2 itself is closed, and no trap of CPACR_EL1 is in force. */
	assert_int_equal(fake_get("CPACR_EL12") & MASK(21, 20), 0);
	assert_int_equal(get(key(4, 1, 1, 2)), 0x22ff | BIT(10));
	v->traps.vel2.valid = true;
	put(key(4, 14, 1, 0), 0xf5);
	assert_int_equal(v->sr[SR_CNTHCTL_EL2], 0xf4 | BIT(10));
	assert_int_equal(get(key(4, 14, 1, 0)), 0xf5);
	assert_false(v->traps.vel2.valid); /* vEL2 takes part in its event stream too */
	assert_true(v->traps_stale);
	/* Its other bits are used by the ERET to L2 in any case. */
	v->traps.vel2.valid = true;
	v->traps_stale = false;
	put(key(4, 14, 1, 0), 0xf6);
	assert_int_equal(get(key(4, 14, 1, 0)), 0xf6);
	assert_true(v->traps.vel2.valid);
	assert_false(v->traps_stale);
	/* Every one of these accesses, by the fast path as well. */
	assert_int_equal(quick_ones, 13);
}

/* vel1's timers by their EL0 names; CNTVCT_EL0 less CNTVOFF_EL2. */
static void timers(void **state)
{
	(void)state;
	fake_set("CNTPCT_EL0", 1000000);
	put(key(3, 14, 3, 2), 0x123456789);
	assert_int_equal(v->vncr[0x168 / 8], 0x123456789);
	put(key(3, 14, 3, 1), 3);
	assert_int_equal(v->vncr[0x170 / 8] & 3, 3);
	put(key(3, 14, 2, 2), 0x987654321);
	assert_int_equal(v->vncr[0x178 / 8], 0x987654321);
	v->vncr[0x60 / 8] = 1000;
	assert_int_equal(get(key(3, 14, 0, 2)), 1000000 - 1000);
	put(key(3, 14, 3, 0), 5);
	assert_int_equal(v->vncr[0x168 / 8], 1000000 - 1000 + 5);
}

/* If it traps nonetheless (CPTR_EL2.TCPAC), CPACR_EL1 is vel1's all the same. */
static void cpacr(void **state)
{
	(void)state;
	v->sr[SR_CPTR_EL2] = MASK(21, 20);
	v->vncr[0x100 / 8] = 0x300000;
	assert_int_equal(get(key(0, 1, 0, 2)), 0x300000);
	put(key(0, 1, 0, 2), 0x10000);
	assert_int_equal(v->vncr[0x100 / 8], 0x10000);
	assert_int_equal(v->sr[SR_CPTR_EL2], MASK(21, 20));
}

static void undefined(void **state)
{
	static const u32 of_vhe[] = {
		SYSREG_KEY(3, 5, 1, 0, 0),  SYSREG_KEY(3, 5, 14, 1, 0), SYSREG_KEY(3, 5, 14, 2, 1),
		SYSREG_KEY(3, 5, 14, 3, 2), SYSREG_KEY(3, 4, 14, 3, 1), SYSREG_KEY(3, 4, 2, 0, 1),
	};
	u64 value = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of_vhe); i++) {
		assert_int_equal(access(of_vhe[i], true, &value), UNDEF);
		assert_int_equal(access(of_vhe[i], false, &value), UNDEF);
	}
	/* What traps for vEL2 alone is UNDEFINED to everybody else. */
	v->nvhe = false;
	assert_int_equal(access(key(3, 14, 0, 2), false, &value), UNDEF);
	assert_int_equal(access(key(3, 14, 3, 1), false, &value), UNDEF);
	v->nvhe = true;
	v->in_vel2 = false;
	assert_int_equal(access(key(3, 14, 0, 2), false, &value), UNDEF);
	assert_int_equal(access(key(4, 1, 0, 0), false, &value), UNDEF);
}

/* ---- reset, traps ---- */

static void reset(void **state)
{
	(void)state;
	nvhe_reset(v);
	assert_int_equal(get(key(4, 1, 0, 0)), 0x30c50830);
	assert_int_equal(v->sr[SR_SCTLR_EL1] & 1, 0);
	assert_int_equal(v->sr[SR_TCR_EL1] & BIT(23), BIT(23));
	assert_int_equal(v->sr[SR_CPTR_EL2], MASK(21, 20) | MASK(17, 16) | MASK(25, 24));
}

static void traps(void **state)
{
	struct traps l0 = { .cnthctl = BIT(10) | BIT(11) }, t;

	(void)state;
	v->cpacr_native = true;
	v->sr[SR_CPTR_EL2] = MASK(21, 20);
	v->sr[SR_CNTHCTL_EL2] = 0x14;
	t = traps_for_vel2(&l0, v);
	/* HCR_EL2.NV, NV1, NV2 */
	assert_int_equal(t.hcr & (BIT(42) | BIT(43) | BIT(45)), BIT(42) | BIT(43) | BIT(45));
	/* CNTPCT_EL0 does not trap; CNTP, CNTV, CNTVCT_EL0 do; its event stream is made */
	assert_int_equal(t.cnthctl & (MASK(14, 13) | MASK(11, 10) | MASK(7, 2)),
			 MASK(14, 13) | BIT(10) | 0x14);
	/* CPACR_EL1 is a word of memory. */
	assert_int_equal(t.cptr & BIT(31), 0);
	v->nvhe = false;
	t = traps_for_vel2(&l0, v);
	assert_int_equal(t.hcr & BIT(43), 0);
	assert_int_equal(t.cnthctl & (MASK(14, 13) | MASK(11, 10)), BIT(10) | BIT(11));
}

/* Debug registers (op0 = 2) that trap have no need of the slow path, in either kind of vEL2. */
static void debug_is_quick(void **state)
{
	static const u32 keys[] = {
		SYSREG_KEY(2u, 0u, 0u, 2u, 0u), /* MDCCINT_EL1 */
		SYSREG_KEY(2u, 0u, 0u, 2u, 2u), /* MDSCR_EL1 */
		SYSREG_KEY(2u, 0u, 0u, 1u, 4u), /* DBGBVR1_EL1 */
		SYSREG_KEY(2u, 0u, 0u, 1u, 7u), /* DBGWCR1_EL1 */
		SYSREG_KEY(2u, 0u, 1u, 3u, 4u), /* OSDLR_EL1 */
	};
	u64 value;

	(void)state;
	for (u32 i = 0; i < 2 * ARRAY_SIZE(keys); i++) {
		u32 before = quick_ones, k = keys[i / 2];

		feat.brps = feat.wrps = 4;
		v->nvhe = i & 1;
		value = 0x1000;
		assert_int_equal(access(k, true, &value), SKIP);
		assert_int_equal(access(k, false, &value), SKIP);
		assert_int_equal(quick_ones - before, 2);
		/* Of vEL2's host EL0 they are not. */
		v->exit.esr = 0x18UL << 26 | BIT(25) | k | 1 << 5;
		assert_int_equal(sysreg_vel2(v, v->exit.esr, 0x3c0), PASS);
	}
	/* What is none: DBGBVR9_EL1 of a CPU with four, TLBI VMALLE1, an encoding of nothing. */
	assert_int_equal(access(SYSREG_KEY(2u, 0u, 0u, 9u, 4u), false, &value), UNDEF);
	v->exit.esr = 0x18UL << 26 | SYSREG_KEY(1u, 0u, 8u, 7u, 0u);
	assert_int_equal(sysreg_vel2(v, v->exit.esr, 0x3c5), PASS);
	v->exit.esr = 0x18UL << 26 | SYSREG_KEY(2u, 1u, 0u, 2u, 2u);
	assert_int_equal(sysreg_vel2(v, v->exit.esr, 0x3c5), PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcr),
		cmocka_unit_test(sctlr),
		cmocka_unit_test(cptr),
		cmocka_unit_test(cnthctl),
		cmocka_unit_test(keys),
		cmocka_unit_test_setup(registers, setup),
		cmocka_unit_test_setup(timers, setup),
		cmocka_unit_test_setup(cpacr, setup),
		cmocka_unit_test_setup(undefined, setup),
		cmocka_unit_test_setup(reset, setup),
		cmocka_unit_test_setup(traps, setup),
		cmocka_unit_test_setup(debug_is_quick, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
