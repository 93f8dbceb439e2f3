/* SPDX-License-Identifier: Apache-2.0 */
/* The trap controls: with which bits a guest runs, and that only what differs is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "state/cpu.h"
#include "traps/traps.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "simd/simd.h"
#include "state/timers.h"

static struct cpu test_cpus[2];
static struct vm_config config;
static struct vm vm;
static struct vcpu vcpu;
static u64 cptr;
static bool cntpoff;

struct cpu *cpu_this(void)
{
	return &test_cpus[fake_cpu];
}

u64 simd_cptr(const struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	return cptr;
}

bool vtimer_has_cntpoff(void)
{
	return cntpoff;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	memset(test_cpus, 0, sizeof(test_cpus));
	memset(&vcpu, 0, sizeof(vcpu));
	config = (struct vm_config){ .name = "a" };
	vm.config = &config;
	vcpu.vm = &vm;
	cptr = 0x50000000;
	cntpoff = false;
	traps_mdcr_extra = 0;
	return 0;
}

static void has(const char *what, u64 v, u64 set, u64 clear)
{
	if ((v & set) != set)
		fail_msg("%s is %#lx and lacks %#lx", what, (unsigned long)v,
			 (unsigned long)(set & ~v));
	if (v & clear)
		fail_msg("%s is %#lx and must not have %#lx", what, (unsigned long)v,
			 (unsigned long)(v & clear));
}

static void hcr(void **state)
{
	/* Bit numbers as in the Arm ARM's HCR_EL2 page, not arch/hcr.h's names. */
	const u64 always = BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(13) | BIT(16) |
			   BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(31) | BIT(34) | BIT(35);
	const u64 never = BIT(6) | BIT(7) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) |
			  BIT(14) | BIT(22) | BIT(26) | BIT(27) | BIT(29) | BIT(30) | BIT(32) |
			  BIT(33) | BIT(42) | BIT(43) | BIT(45) | BIT(46) | BIT(47) | BIT(51) |
			  BIT(53) | BIT(56) | BIT(57);

	(void)state;
	has("HCR_EL2 of a plain CPU", traps_compute(&vcpu).hcr, always | BIT(17),
	    never | BIT(36) | BIT(37) | BIT(40) | BIT(41) | BIT(49) | BIT(58));
	feat.any_ras = feat.any_mte = true; /* of another CPU */
	has("HCR_EL2 beside a richer CPU", traps_compute(&vcpu).hcr,
	    always | BIT(17) | BIT(36) | BIT(37) | BIT(58), never | BIT(40) | BIT(41) | BIT(49));
	memset(&feat, 0x01, sizeof(feat)); /* every bool true */
	has("HCR_EL2 of a rich CPU", traps_compute(&vcpu).hcr,
	    always | BIT(36) | BIT(37) | BIT(40) | BIT(41) | BIT(49) | BIT(58), never | BIT(17));
}

static void hcrx_only_where_it_exists(void **state)
{
	(void)state;
	feat.mops = feat.any_nmi = true;
	assert_int_equal(traps_compute(&vcpu).hcrx, 0);
	feat.hcx = true;
	assert_int_equal(traps_compute(&vcpu).hcrx, BIT(11) | BIT(6));
	feat.mops = feat.any_nmi = false;
	assert_int_equal(traps_compute(&vcpu).hcrx, 0);
}

static void mdcr(void **state)
{
	(void)state;
	assert_int_equal(traps_compute(&vcpu).mdcr, BIT(9) | BIT(10) | BIT(11));
	vcpu.debug_live = true;
	assert_int_equal(traps_compute(&vcpu).mdcr, BIT(10) | BIT(11));
	feat.pmu = true;
	feat.pmu_counters = 6;
	assert_int_equal(traps_compute(&vcpu).mdcr, BIT(10) | BIT(11) | BIT(5) | BIT(6) | 6);
	traps_mdcr_extra = MDCR_HPME;
	assert_int_equal(traps_compute(&vcpu).mdcr,
			 BIT(10) | BIT(11) | BIT(5) | BIT(6) | BIT(7) | 6);
	traps_mdcr_extra = 0;
	feat.pmu = false;
	feat.spe = feat.tracefilt = feat.fgt = true;
	assert_int_equal(traps_compute(&vcpu).mdcr,
			 BIT(10) | BIT(11) | BIT(14) | BIT(19) | BIT(27));
}

static void timers_and_simd(void **state)
{
	(void)state;
	assert_int_equal(traps_compute(&vcpu).cnthctl, 0);
	cntpoff = true;
	assert_int_equal(traps_compute(&vcpu).cnthctl, BIT(10) | BIT(11) | BIT(12));
	assert_int_equal(traps_compute(&vcpu).cptr, 0x50000000);
}

static void fine_grained(void **state)
{
	struct traps t;

	(void)state;
	vcpu.simd.svl = 64;
	feat.sme = true;
	assert_int_equal(traps_compute(&vcpu).hfgrtr, 0);
	feat.fgt = true;
	t = traps_compute(&vcpu);
	assert_int_equal(t.hfgrtr, BIT(55));
	assert_int_equal(t.hfgwtr, BIT(55));
	assert_int_equal(t.hfgitr | t.hdfgrtr | t.hdfgwtr, 0);
	vcpu.simd.svl = 0;
	t = traps_compute(&vcpu);
	assert_int_equal(t.hfgrtr | t.hfgwtr, 0);
}

static void only_what_differs_is_written(void **state)
{
	struct traps t;

	(void)state;
	memset(&feat, 0x01, sizeof(feat));
	fake_set("CPTR_EL2", 0x111);
	traps_boot();
	assert_int_equal(fake_get("HCR_EL2"),
			 BIT(34) | BIT(31) | BIT(19) | BIT(5) | BIT(4) | BIT(3));
	assert_int_equal(test_cpus[0].traps.cptr, 0x111);
	assert_int_equal(fake_writes("HFGITR_EL2"), 1);
	assert_int_equal(fake_writes("HCRX_EL2"), 1);
	t = traps_compute(&vcpu);
	traps_load(&t);
	assert_int_equal(fake_get("HCR_EL2"), t.hcr);
	assert_int_equal(fake_get("HCRX_EL2"), t.hcrx);
	assert_int_equal(fake_get("MDCR_EL2"), t.mdcr);
	assert_int_equal(fake_get("CPTR_EL2"), t.cptr);
	assert_memory_equal(&t, &test_cpus[0].traps, sizeof(t));
	unsigned before = fake_writes_total();

	traps_load(&t);
	assert_int_equal(fake_writes_total(), before);
	vcpu.debug_live = true;
	t = traps_compute(&vcpu);
	traps_load(&t);
	assert_int_equal(fake_writes_total(), before + 1);
	assert_int_equal(fake_get("MDCR_EL2"), t.mdcr);
	/* Each register has its own field: change one at a time. */
	static const char *const names[] = { "HCR_EL2",    "HCRX_EL2",    "MDCR_EL2",
					     "CPTR_EL2",   "CNTHCTL_EL2", "HFGRTR_EL2",
					     "HFGWTR_EL2", "HFGITR_EL2",  "HDFGRTR_EL2",
					     "HDFGWTR_EL2" };
	u64 *field = &t.hcr;

	feat.cnthctl_by_cntkctl = false;
	_Static_assert(sizeof(t) == sizeof(names) / sizeof(names[0]) * sizeof(u64),
		       "a field without a name");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		before = fake_writes_total();
		field[i] ^= 1UL << (20 + i);
		traps_load(&t);
		assert_int_equal(fake_writes_total(), before + 1);
		if (fake_get(names[i]) != field[i])
			fail_msg("%s is %#lx, not %#lx", names[i],
				 (unsigned long)fake_get(names[i]), (unsigned long)field[i]);
	}
	/* By its other name. */
	feat.cnthctl_by_cntkctl = true;
	t.cnthctl ^= BIT(10);
	before = fake_writes_total();
	traps_load(&t);
	assert_int_equal(fake_writes_total(), before + 1);
	assert_int_equal(fake_get("CNTKCTL_EL1"), t.cnthctl);
}

static void a_plain_cpu_is_not_asked_for_more(void **state)
{
	struct traps t;

	(void)state;
	traps_boot();
	t = traps_compute(&vcpu);
	traps_load(&t);
	assert_int_equal(fake_writes("HCRX_EL2"), 0);
	assert_int_equal(fake_writes("HFGRTR_EL2"), 0);
	assert_int_equal(fake_writes("HDFGWTR_EL2"), 0);
}

static void cptr_alone(void **state)
{
	(void)state;
	test_cpus[0].traps.cptr = 5;
	test_cpus[1].traps.cptr = 7;
	simd_cptr_write(5);
	assert_int_equal(fake_writes("CPTR_EL2"), 0);
	simd_cptr_write(7);
	assert_int_equal(fake_get("CPTR_EL2"), 7);
	assert_int_equal(test_cpus[0].traps.cptr, 7);
	fake_cpu = 1;
	simd_cptr_write(7);
	assert_int_equal(fake_writes("CPTR_EL2"), 1);
	assert_int_equal(fake_isbs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(hcr, setup),
		cmocka_unit_test_setup(hcrx_only_where_it_exists, setup),
		cmocka_unit_test_setup(mdcr, setup),
		cmocka_unit_test_setup(timers_and_simd, setup),
		cmocka_unit_test_setup(fine_grained, setup),
		cmocka_unit_test_setup(only_what_differs_is_written, setup),
		cmocka_unit_test_setup(a_plain_cpu_is_not_asked_for_more, setup),
		cmocka_unit_test_setup(cptr_alone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
