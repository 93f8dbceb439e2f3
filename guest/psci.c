/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI and SMCCC as a guest's firmware answers. With "nidus" among the boot arguments it also tests
 * what nidus promises beyond QEMU's own firmware; with "reset" it resets the machine for ever.
 */
#include "lib/psci.h"

#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/suite.h"
#include "lib/timer.h"

const char guest_name[] = "psci";

static bool nidus;

static s64 call(u32 fn, u64 a)
{
	return psci_call(fn, a, 0, 0);
}

static void test_version(void)
{
	s64 v = call(PSCI_VERSION, 0);

	expect(v == 0x10001 || v == 0x10000, "PSCI_VERSION is 0x%lx", (u64)v);
}

static void test_features(void)
{
	static const u32 has[] = { PSCI_VERSION,       PSCI_CPU_SUSPEND,     PSCI_CPU_SUSPEND32,
				   PSCI_CPU_OFF,       PSCI_CPU_ON,          PSCI_CPU_ON32,
				   PSCI_AFFINITY_INFO, PSCI_AFFINITY_INFO32, PSCI_SYSTEM_OFF,
				   PSCI_SYSTEM_RESET,  PSCI_FEATURES };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(has); i++)
		expect_eq(call(PSCI_FEATURES, has[i]), 0,
			  "PSCI_FEATURES of a function that is there");
	expect_eq((s32)call(PSCI_FEATURES, 0x8400ffff), PSCI_NOT_SUPPORTED,
		  "PSCI_FEATURES of nonsense");
	expect_eq((s32)call(PSCI_FEATURES, 0), PSCI_NOT_SUPPORTED, "PSCI_FEATURES of 0");
}

static void test_unknown(void)
{
	static const u32 ids[] = { 0x8400ffff, 0xc400ffff, 0x84000080, 0xc4000080, 0x95000000,
				   0x86000000, 0xbf00ff01, 0xff000000, 0,          0x7fffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		s64 r = call(ids[i], 0);

		expect(r == PSCI_NOT_SUPPORTED || r == 0xffffffff, "id 0x%x answers 0x%lx", ids[i],
		       (u64)r);
	}
}

static void test_migrate(void)
{
	s64 r = call(PSCI_MIGRATE_INFO_TYPE, 0);

	expect(r == 2 || (s32)r == PSCI_NOT_SUPPORTED, "MIGRATE_INFO_TYPE answers 0x%lx", (u64)r);
}

static u32 secondary_runs;
static bool hold;

static void secondary(u32 index)
{
	__atomic_fetch_add(&secondary_runs, 1, __ATOMIC_RELAXED);
	if (index != 1)
		test_fail("runs as CPU %u", index);
	if ((sysreg_read(MPIDR_EL1) & 0xff00ffffff) != gcpus[1].mpidr)
		test_fail("MPIDR_EL1 is 0x%lx", sysreg_read(MPIDR_EL1));
	while (__atomic_load_n(&hold, __ATOMIC_ACQUIRE))
		cpu_relax();
}

static bool secondary_came(void)
{
	u64 start = counter_virt();

	while (!__atomic_load_n(&secondary_runs, __ATOMIC_ACQUIRE))
		if (counter_virt() - start > ticks_us(PATIENCE_US))
			return false;
	return true;
}

static void test_cpu_on(void)
{
	u32 i;

	expect_eq(call(PSCI_AFFINITY_INFO, gcpus[0].mpidr), 0, "AFFINITY_INFO of this CPU");
	for (i = 0; i < 5; i++) {
		expect_eq(call(PSCI_AFFINITY_INFO, gcpus[1].mpidr), 1, "AFFINITY_INFO before");
		secondary_runs = 0;
		__atomic_store_n(&hold, true, __ATOMIC_RELEASE);
		expect_eq(smp_start(1, secondary), PSCI_SUCCESS, "CPU_ON");
		expect(secondary_came(), "CPU 1 does not begin");
		expect_eq(psci_call(PSCI_CPU_ON, gcpus[1].mpidr, 0, 0), PSCI_ALREADY_ON,
			  "CPU_ON again");
		expect_eq(call(PSCI_AFFINITY_INFO, gcpus[1].mpidr), 0, "AFFINITY_INFO while on");
		__atomic_store_n(&gcpus[1].state, GCPU_RUNNING, __ATOMIC_RELEASE);
		__atomic_store_n(&hold, false, __ATOMIC_RELEASE);
		expect(smp_join(1, PATIENCE_US), "CPU 1 does not end");
		expect_eq(secondary_runs, 1, "runs of CPU 1");
	}
}

static void test_cpu_on_self(void)
{
	expect_eq(psci_call(PSCI_CPU_ON, gcpus[0].mpidr, 0, 0), PSCI_ALREADY_ON,
		  "CPU_ON of this CPU");
}

static void test_bad_mpidr(void)
{
	static const u64 bad[] = { 0xff, 0x0f0f, 0xff00ffffff, 0x80000000, ~0UL, 1UL << 40 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		expect_eq(psci_call(PSCI_CPU_ON, bad[i], 0x40200000, 0), PSCI_INVALID_PARAMETERS,
			  "CPU_ON of no CPU");
		expect_eq(psci_call(PSCI_AFFINITY_INFO, bad[i], 0, 0), PSCI_INVALID_PARAMETERS,
			  "AFFINITY_INFO of no CPU");
	}
}

/* The entry must be in the guest's memory, else the call fails: nothing may start. */
static void test_bad_entry(void)
{
	static const u64 bad[] = { 0xffffffff000, ~0UL, 0x1000 };
	u32 i;

	if (!nidus)
		return test_skip("QEMU's firmware does not look at the entry address");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s64 r = psci_call(PSCI_CPU_ON, gcpus[1].mpidr, bad[i], 0);

		expect(r == PSCI_INVALID_ADDRESS || r == PSCI_INVALID_PARAMETERS,
		       "CPU_ON at 0x%lx answers %ld", bad[i], (long)r);
	}
	expect_eq(call(PSCI_AFFINITY_INFO, gcpus[1].mpidr), 1, "AFFINITY_INFO");
}

static void test_suspend(void)
{
	u64 at;

	gic_dist_init();
	gic_cpu_init();
	gic_enable(dt.ppi_virt);
	at = counter_virt() + ticks_us(5000);
	timer_set_cval(TIMER_VIRT, at);
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	expect_eq(call(PSCI_CPU_SUSPEND, 0), PSCI_SUCCESS, "CPU_SUSPEND");
	expect(counter_virt() >= at, "CPU_SUSPEND returned %lu us early",
	       (at - counter_virt()) / ticks_us(1));
	expect_eq(gic_ack(), dt.ppi_virt, "IAR");
	timer_set_ctl(TIMER_VIRT, 0);
	gic_eoi(dt.ppi_virt);
}

static void test_smccc(void)
{
	s64 v = call(SMCCC_VERSION, 0);

	if (!nidus && (s32)v == -1)
		return test_skip("QEMU's firmware is before SMCCC 1.1");
	expect(v >= 0x10001 && v < 0x20000, "SMCCC_VERSION is 0x%lx", (u64)v);
	expect_eq(call(PSCI_FEATURES, SMCCC_VERSION), 0, "PSCI_FEATURES of SMCCC_VERSION");
	expect_eq(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION), 0, "ARCH_FEATURES of SMCCC_VERSION");
	expect_eq(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES), 0, "ARCH_FEATURES of itself");
	expect_eq((s32)call(SMCCC_ARCH_FEATURES, 0x8000ffff), -1, "ARCH_FEATURES of nonsense");
}

static void test_trng(void)
{
	struct smccc a = { { TRNG_RND64, 192 } }, b = a, c = { { TRNG_RND32, 96 } };
	void (*conduit)(struct smccc *) = dt.psci_smc ? smccc_smc : smccc_hvc;
	s64 v = call(TRNG_VERSION, 0);

	if ((s32)v == -1)
		return nidus ? test_fail("no TRNG") : test_skip("no TRNG");
	expect_eq(v, 0x10000, "TRNG_VERSION");
	expect_eq(call(TRNG_FEATURES, TRNG_RND64), 0, "TRNG_FEATURES of RND64");
	conduit(&a);
	if ((s32)a.x[0] == -3)
		return test_skip("no entropy");
	conduit(&b);
	expect_eq(a.x[0], 0, "TRNG_RND64");
	expect(a.x[1] != b.x[1] || a.x[2] != b.x[2] || a.x[3] != b.x[3], "twice the same number");
	conduit(&c);
	expect_eq(c.x[0], 0, "TRNG_RND32");
	expect(!(c.x[1] >> 32 | c.x[2] >> 32 | c.x[3] >> 32), "RND32 answers more than 32 bits");
	a = (struct smccc){ { TRNG_RND64, 13 } };
	conduit(&a);
	expect_eq(a.x[0], 0, "TRNG_RND64 of 13 bits");
	expect(!(a.x[1] | a.x[2] | a.x[3] >> 13), "13 bits are 0x%lx 0x%lx 0x%lx", a.x[1], a.x[2],
	       a.x[3]);
	a = (struct smccc){ { TRNG_RND64, 193 } };
	conduit(&a);
	expect_eq((s32)a.x[0], -2, "TRNG_RND64 of 193 bits");
	a = (struct smccc){ { TRNG_RND64, 0 } };
	conduit(&a);
	expect_eq((s32)a.x[0], -2, "TRNG_RND64 of 0 bits");
}

/*
 * Nidus answers both conduits; by either, a call keeps x4-x17 (SMCCC 1.1) and never ends the guest.
 */
static void test_conduits(void)
{
	void (*const conduit[2])(struct smccc *) = { smccc_hvc, smccc_smc };
	u32 i, j, answered = 0;

	for (i = 0; i < 2; i++) {
		struct smccc r = { { PSCI_VERSION } };
		struct trap t;

		for (j = 4; j < 18; j++)
			r.x[j] = 0x5a5a000000000000 + j;
		trap_arm(&t);
		conduit[i](&r);
		trap_disarm();
		if (t.count)
			continue;
		answered++;
		expect(r.x[0] >> 16 == 1, "PSCI_VERSION by conduit %u is 0x%lx", i, r.x[0]);
		for (j = 4; j < 18; j++)
			expect_eq(r.x[j], 0x5a5a000000000000 + j, "x4-x17 after the call");
	}
	expect(answered == 2 || !nidus, "only %u of HVC and SMC are answered", answered);
}

#define CALL_IMM(insn, id, result)                                                                 \
	asm volatile("mov x0, %1\n\t" insn "\n\tmov %0, x0"                                        \
		     : "=r"(result)                                                                \
		     : "r"((u64)(id))                                                              \
		     : "x0", "x1", "x2", "x3", "memory")

/* SMCCC has immediate 0 only: a SYSTEM_OFF with another must have no effect. */
static void test_immediates(void)
{
	struct trap t;
	u64 r;

	if (!nidus)
		return test_skip("QEMU's firmware ignores the immediate");
	trap_arm(&t);
	CALL_IMM("hvc #0x1234", PSCI_SYSTEM_OFF, r);
	trap_disarm();
	expect(t.count || (s32)r == -1, "HVC #0x1234 answers 0x%lx", r);
	trap_arm(&t);
	CALL_IMM("smc #0x1234", PSCI_SYSTEM_OFF, r);
	trap_disarm();
	expect(t.count || (s32)r == -1, "SMC #0x1234 answers 0x%lx", r);
}

extern const char secondary_entry[];
static u32 how; /* which of the suspend_down tests to run: a sum of these */
enum { INTERFACE_OFF = 1, ASLEEP = 2, PENDING = 4 };

static void resumed(u32 index)
{
	(void)index;
}

static void suspends(u32 index)
{
	struct gcpu *cpu = cpu_self();

	(void)index;
	gic_cpu_init();
	gic_enable(dt.ppi_virt);
	gic_enable(3);
	if (!(how & PENDING)) {
		timer_set_tval(TIMER_VIRT, (u32)ticks_us(20000));
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	}
	if (how & INTERFACE_OFF) {
		sysreg_write(ICC_IGRPEN0_EL1, 0);
		sysreg_write(ICC_IGRPEN1_EL1, 0);
		isb();
	}
	if (how & ASLEEP)
		write32(cpu->gicr + GICR_WAKER, 2);
	if (how & PENDING)
		gic_sgi(3, cpu->mpidr);
	cpu->fn = resumed;
	dsb(sy);
	psci_call(PSCI_CPU_SUSPEND, 0x10000, (u64)secondary_entry, (u64)cpu);
}

/*
 * A power-down state ends with an interrupt that the redistributor would forward, whatever the CPU
 * interface, which is off in that state, would let through; also with one that was pending before.
 */
static void test_suspend_down(void)
{
	if (!nidus)
		return test_skip("QEMU's firmware does not power down");
	gic_dist_init();
	for (how = 0; how < 8; how++) {
		expect_eq(smp_start(1, suspends), PSCI_SUCCESS, "CPU_ON");
		expect(smp_join(1, 20000000), "variant %u: not woken", how);
		if (test_failed())
			return;
		sysreg_write(CNTV_CTL_EL0, 0);
	}
}

static const struct suite_test tests[] = {
	{ "version", test_version, 1 },
	{ "features", test_features, 1 },
	{ "unknown", test_unknown, 1 },
	{ "migrate", test_migrate, 1 },
	{ "cpu_on_self", test_cpu_on_self, 1 },
	{ "cpu_on", test_cpu_on, 2 },
	{ "bad_mpidr", test_bad_mpidr, 1 },
	{ "bad_entry", test_bad_entry, 2 },
	{ "suspend", test_suspend, 1 },
	{ "suspend_down", test_suspend_down, 2 },
	{ "smccc", test_smccc, 1 },
	{ "trng", test_trng, 1 },
	{ "conduits", test_conduits, 1 },
	{ "immediates", test_immediates, 1 },
};

void guest_main(void)
{
	nidus = dt_flag("nidus");
	if (dt_flag("reset")) {
		print("psci: booted, resetting\n");
		psci_call(dt_flag("reset2") ? PSCI_SYSTEM_RESET2 : PSCI_SYSTEM_RESET, 0, 0, 0);
		test_abort("SYSTEM_RESET returned");
	}
	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
