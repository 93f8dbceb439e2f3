/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and exceptions of both levels, traps of EL1 and of EL2, stage 2. */
#include "nvhe.h"

WRITE_EL2(CPTR_EL2)
WRITE_EL2(CNTHCTL_EL2)
WRITE_EL2(VTTBR_EL2)
WRITE_EL2(VTCR_EL2)
WRITE_EL2(CPACR_EL1)
WRITE_EL2(CNTPCT_EL0)

/* Exactly one exception to EL2 since el2_arm(). */
static void took(const char *name, u64 kind, u64 esr)
{
	expect(seen.count == 1, "%s: %u exceptions, esr 0x%lx", name, seen.count, seen.esr);
	expect_eq(seen.kind, kind, name);
	expect_eq(seen.esr, esr, name);
}

/* ---- exceptions ---- */

static void from_el1(void)
{
	el2_arm();
	asm volatile("hvc #0x321" ::: "memory");
	took("HVC", EL1_SYNC, ESR_OF(EC_HVC, 0x321));
	expect_eq(seen.spsr & 0xf, 5, "SPSR_EL2.M");
	expect_eq(seen.handler_spsr, 0x3c0 | 2 << 2 | 1, "the handler's PSTATE");
	sysreg_write(S3_0_C4_C2_3, BIT(22));
	el2_arm();
	asm volatile("hvc #0x322" ::: "memory");
	sysreg_write(S3_0_C4_C2_3, 0);
	took("HVC", EL1_SYNC, ESR_OF(EC_HVC, 0x322));
	expect_eq(seen.spsr & BIT(22), BIT(22), "SPSR_EL2.PAN");
	expect_eq(seen.handler_spsr, BIT(22) | 0x3c0 | 2 << 2 | 1, "the handler's PSTATE");
}

static u64 own_exceptions(u64 what, u64 b, u64 c)
{
	(void)b;
	(void)c;
	switch (what) {
	case 0:
		asm volatile("hvc #0x123" ::: "memory");
		break;
	case 1:
		asm volatile("brk #0x77");
		break;
	case 2:
		asm volatile("udf #0");
		break;
	case 3:
		try_fp();
		break;
	}
	return 0;
}

static void from_el2(void)
{
	static const u64 esr[] = { ESR_OF(EC_HVC, 0x123), ESR_OF(EC_BRK, 0x77), ESR_OF(0, 0) };
	u64 i;

	for (i = 0; i < ARRAY_SIZE(esr); i++) {
		el2_arm();
		el2_call(own_exceptions, i, 0, 0);
		took("at EL2", EL2_SYNC, esr[i]);
		expect_eq(seen.spsr & 0x3cf, 0x3c9, "SPSR_EL2");
		expect_eq(seen.handler_spsr, 0x3c0 | 2 << 2 | 1, "the handler's PSTATE");
	}
}

/* EL1 takes its own exceptions. */
static void at_el1(void)
{
	struct trap t;

	el2_arm();
	trap_arm(&t);
	asm volatile("svc #5" ::: "memory");
	trap_disarm();
	expect_eq(t.count, 1, "exceptions");
	expect_eq(t.esr, ESR_OF(EC_SVC, 5), "ESR_EL1");
	trap_arm(&t);
	asm volatile("mrs x0, tpidr_el2" ::: "x0");
	trap_disarm();
	expect_eq(t.count, 1, "exceptions of an EL2 register");
	expect_eq(t.esr, ESR_OF(0, 0), "ESR_EL1");
	expect_eq(seen.count, 0, "exceptions to EL2");
}

/* ---- traps ---- */

static void fp(void)
{
	sysreg_write(CPACR_EL1, 3 << 20);
	isb();
	el2_arm();
	try_fp();
	el2_call(own_exceptions, 3, 0, 0);
	expect_eq(seen.count, 0, "exceptions without TFP");
	el2_write(CPTR_EL2, CPTR_NVHE | BIT(10));
	el2_arm();
	try_fp();
	took("TFP at EL1", EL1_SYNC, ESR_OF(EC_FP, 1 << 24 | 0xe << 20));
	el2_arm();
	el2_call(own_exceptions, 3, 0, 0);
	took("TFP at EL2", EL2_SYNC, ESR_OF(EC_FP, 1 << 24 | 0xe << 20));
	el2_write(CPTR_EL2, CPTR_NVHE);
	el2_arm();
	try_fp();
	el2_call(own_exceptions, 3, 0, 0);
	expect_eq(seen.count, 0, "exceptions after TFP");
	sysreg_write(CPACR_EL1, 0);
	isb();
	/* EL1's register does not affect EL2. */
	el2_call(own_exceptions, 3, 0, 0);
	expect_eq(seen.count, 0, "exceptions at EL2 with CPACR_EL1 = 0");
}

static void tcpac(void)
{
	el2_write(CPTR_EL2, CPTR_NVHE | BIT(31));
	el2_arm();
	(void)sysreg_read(CPACR_EL1);
	expect_eq(seen.count, 1, "exceptions of CPACR_EL1");
	/* The compiler chooses Rt. */
	expect_eq(seen.esr & ~MASK(9, 5), ESR_OF(EC_SYS, 0x340401UL), "ESR_EL2");
	el2_arm();
	el2_read(CPACR_EL1);
	expect_eq(seen.count, 0, "exceptions of CPACR_EL1 at EL2");
	el2_write(CPTR_EL2, CPTR_NVHE);
}

static void counters(void)
{
	el2_write(CNTHCTL_EL2, 2);
	el2_arm();
	(void)sysreg_read(CNTPCT_EL0);
	expect_eq(seen.count, 1, "exceptions of CNTPCT_EL0");
	expect_eq(ESR_EC(seen.esr), EC_SYS, "EC");
	(void)sysreg_read(CNTP_CTL_EL0);
	el2_read(CNTPCT_EL0);
	expect_eq(seen.count, 1, "exceptions with EL1PCEN, and at EL2");
	el2_write(CNTHCTL_EL2, 1);
	el2_arm();
	(void)sysreg_read(CNTP_CTL_EL0);
	expect_eq(seen.count, 1, "exceptions of CNTP_CTL_EL0");
	(void)sysreg_read(CNTPCT_EL0);
	expect_eq(seen.count, 1, "exceptions with EL1PCTEN");
	el2_write(CNTHCTL_EL2, 3);
	el2_arm();
	(void)sysreg_read(CNTP_CTL_EL0);
	(void)sysreg_read(CNTPCT_EL0);
	expect_eq(seen.count, 0, "exceptions with both");
}

static void by_hcr(void)
{
	el2_hcr(BIT(26)); /* TVM */
	el2_arm();
	sysreg_write(CONTEXTIDR_EL1, 1);
	expect_eq(seen.count, 1, "exceptions with TVM");
	(void)sysreg_read(CONTEXTIDR_EL1);
	expect_eq(seen.count, 1, "exceptions of a read");
	el2_hcr(BIT(19)); /* TSC */
	el2_arm();
	asm volatile("smc #7" ::: "x0", "x1", "x2", "x3", "memory");
	took("TSC", EL1_SYNC, ESR_OF(EC_SMC, 7));
	el2_hcr(BIT(18)); /* TID3 */
	el2_arm();
	(void)sysreg_read(ID_AA64PFR0_EL1);
	expect_eq(ESR_EC(seen.esr), EC_SYS, "EC of TID3");
	el2_hcr(0);
	el2_arm();
	sysreg_write(CONTEXTIDR_EL1, 1);
	(void)sysreg_read(ID_AA64PFR0_EL1);
	expect_eq(seen.count, 0, "exceptions with nothing set");
}

/* ---- stage 2: 39-bit IPAs from level 1 ---- */

#define VTCR (0x80000000UL | 25 | 1 << 6 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16)
#define S2_MEMORY (3UL << 6 | 15UL << 2 | 3UL << 8 | BIT(10))
#define S2_DEVICE (3UL << 6 | 1UL << 2 | BIT(10))
#define TEST_IPA 0x100000000UL

static u64 s2_l1[512] __attribute__((aligned(4096)));
static u64 s2_l2[512] __attribute__((aligned(4096)));
static u64 s2_l3[512] __attribute__((aligned(4096)));
static u64 page[2][512] __attribute__((aligned(4096)));

static u64 flush_at_el2(u64 a, u64 b, u64 c)
{
	(void)a;
	(void)b;
	(void)c;
	dsb(ish);
	asm volatile("tlbi vmalls12e1is");
	dsb(ish);
	isb();
	return 0;
}

static void stage2_on(u64 vmid)
{
	u64 i;

	for (i = 0; i < 512; i++)
		s2_l1[i] = i << 30 | 1 | (i ? S2_MEMORY : S2_DEVICE);
	s2_l1[4] = (u64)s2_l2 | 3;
	s2_l2[0] = (u64)s2_l3 | 3;
	s2_l3[0] = 0;
	page[0][0] = 0xcccc;
	page[1][0] = 0xdddd;
	el2_write(VTCR_EL2, VTCR);
	el2_write(VTTBR_EL2, (u64)s2_l1 | vmid << 48);
	el2_call(flush_at_el2, 0, 0, 0);
	el2_hcr(BIT(0));
}

static void stage2_off(void)
{
	el2_hcr(0);
	el2_call(flush_at_el2, 0, 0, 0);
	el2_write(VTTBR_EL2, 0);
	el2_call(flush_at_el2, 0, 0, 0);
}

static void stage2(void)
{
	stage2_on(5);
	el2_arm();
	(void)try_load(TEST_IPA + 16);
	took("unmapped", EL1_SYNC, ESR_OF(EC_DABT_LOW, 0x07) | (seen.esr & MASK(24, 14)));
	expect_eq(seen.far, TEST_IPA + 16, "FAR_EL2");
	expect_eq(seen.hpfar & MASK(43, 4), TEST_IPA >> 8, "HPFAR_EL2");
	s2_l3[0] = (u64)page[0] | 3 | S2_MEMORY;
	el2_call(flush_at_el2, 0, 0, 0);
	el2_arm();
	expect_eq(try_load(TEST_IPA), 0xcccc, "mapped");
	try_store(TEST_IPA + 8, 0x55);
	expect_eq(page[0][1], 0x55, "what was stored");
	s2_l3[0] = 0;
	el2_call(flush_at_el2, 0, 0, 0);
	s2_l3[0] = (u64)page[1] | 3 | (S2_MEMORY & ~(2UL << 6));
	el2_call(flush_at_el2, 0, 0, 0);
	expect_eq(try_load(TEST_IPA), 0xdddd, "another page");
	expect_eq(seen.count, 0, "exceptions");
	try_store(TEST_IPA, 1);
	expect_eq(seen.count, 1, "exceptions of a store");
	expect_eq(seen.esr & 0x7f, 0x4f, "ISS of a store");
	stage2_off();
}

/* With and without stage 2 alternately, with one VMID and another. */
static void by_turns(void)
{
	u64 i;

	for (i = 0; i < 4; i++) {
		stage2_on(i);
		s2_l3[0] = (u64)page[i & 1] | 3 | S2_MEMORY;
		el2_call(flush_at_el2, 0, 0, 0);
		el2_arm();
		expect_eq(try_load(TEST_IPA), i & 1 ? 0xdddd : 0xcccc, "through stage 2");
		stage2_off();
		expect_eq(try_load((u64)page[i & 1]), i & 1 ? 0xdddd : 0xcccc, "without");
		expect_eq(seen.count, 0, "exceptions");
	}
}

void group_trap(void)
{
	static const struct suite_test tests[] = {
		{ "trap: exceptions from EL1", from_el1, 1 },
		{ "trap: exceptions at EL2", from_el2, 1 },
		{ "trap: exceptions at EL1", at_el1, 1 },
		{ "trap: CPTR_EL2.TFP", fp, 1 },
		{ "trap: CPTR_EL2.TCPAC", tcpac, 1 },
		{ "trap: CNTHCTL_EL2", counters, 1 },
		{ "trap: HCR_EL2", by_hcr, 1 },
		{ "trap: stage 2", stage2, 1 },
		{ "trap: stage 2 by turns", by_turns, 1 },
	};

	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
