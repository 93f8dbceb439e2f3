/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a CPU's features, refusing one that lacks what nidus needs, comparing CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "traps/idreg.h"
#include "arch/sysreg.h"

/* QEMU 10.0's -cpu max, on the fake CPU in force. */
static void set_max(void)
{
	fake_set("MIDR_EL1", 0x000f0510);
	fake_set("ID_AA64PFR0_EL1", 0x1301001121110222);
	fake_set("ID_AA64PFR1_EL1", 0x0000001001000121);
	fake_set("ID_AA64ZFR0_EL1", 0x0110110100210021);
	fake_set("ID_AA64SMFR0_EL1", 0x80f100fd00000000);
	fake_set("ID_AA64DFR0_EL1", 0x100000001030560a);
	fake_set("ID_AA64ISAR0_EL1", 0x1221111110212120);
	fake_set("ID_AA64ISAR1_EL1", 0x0111211110211502);
	fake_set("ID_AA64ISAR2_EL1", 0x0000000000110012);
	fake_set("ID_AA64MMFR0_EL1", 0x2100032310201126);
	fake_set("ID_AA64MMFR1_EL1", 0x0110112010312122);
	fake_set("ID_AA64MMFR2_EL1", 0x1221011112011011);
	fake_set("ID_AA64MMFR3_EL1", 0x1000000000000000);
	fake_set("ICH_VTR_EL2", 0x90b80003);
	fake_set("PMCR_EL0", 6 << 11);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	set_max();
	return 0;
}

static void max_has_it_all(void **state)
{
	(void)state;
	assert_null(feat_init());
	assert_int_equal(feat.pa_bits, 48);
	assert_true(feat.vhe && feat.vmid16 && feat.nv2 && feat.fgt && feat.hcx && feat.ecv &&
		    feat.ecv_poff);
	assert_true(feat.pauth && feat.mops && feat.sve && feat.sme && feat.sme_fa64 && feat.ras &&
		    feat.pmu);
	assert_true(feat.nmi && feat.rng && feat.csv2_2 && feat.tidcp1 && feat.evt && feat.s2fwb &&
		    feat.ttl);
	assert_true(feat.bbm2 && feat.xnx && feat.lse && feat.sha256 && feat.wfxt && feat.e0pd &&
		    feat.qemu);
	assert_false(feat.sme2 || feat.mte || feat.fpmr || feat.spe || feat.trbe || feat.tracefilt);
	assert_false(feat.amu || feat.trace);
	assert_int_equal(feat.lr_count, 4);
	assert_int_equal(feat.vgic_pri_bits, 5);
	assert_int_equal(feat.brps, 6);
	assert_int_equal(feat.wrps, 4);
	assert_int_equal(feat.pmu_counters, 6);
	assert_int_equal(fake_get("ICC_SRE_EL2"), 0xf);
	assert_int_equal(feat_ids[IDX_ID_AA64MMFR2_EL1], 0x1221011112011011);
}

static void a_bare_v8_2_has_little(void **state)
{
	(void)state;
	fake_reset();
	fake_set("MIDR_EL1", 0x410fd0b1);
	fake_set("ID_AA64PFR0_EL1", 0x01001111);
	fake_set("ID_AA64MMFR0_EL1", 0x00001122);
	fake_set("ID_AA64MMFR1_EL1", 0x100);
	fake_set("ID_AA64DFR0_EL1", 0x10305f08); /* a PMU of its own kind */
	fake_set("ICH_VTR_EL2", 0x80000001);
	assert_null(feat_init());
	assert_true(feat.vhe);
	assert_false(feat.nv2 || feat.fgt || feat.hcx || feat.ecv || feat.pauth || feat.sve ||
		     feat.sme);
	assert_false(feat.pmu || feat.vmid16 || feat.ras || feat.qemu || feat.sme_fa64 ||
		     feat.csv2_2);
	assert_int_equal(feat.pa_bits, 40);
	assert_int_equal(feat.lr_count, 2);
	assert_int_equal(feat.pmu_counters, 0);
}

static void features_from_several_fields(void **state)
{
	(void)state;
	fake_set("ID_AA64ISAR1_EL1", 0x50); /* APA alone */
	assert_null(feat_init());
	assert_true(feat.pauth);
	fake_set("ID_AA64ISAR1_EL1", 0);
	fake_set("ID_AA64ISAR2_EL1", 0x5000); /* APA3 alone */
	assert_null(feat_init());
	assert_true(feat.pauth);
	fake_set("ID_AA64ISAR2_EL1", 0);
	fake_set("ID_AA64MMFR2_EL1", 1 << 24);           /* NV without NV2 */
	fake_set("ID_AA64PFR0_EL1", 0x0100000001000011); /* CSV2 1, CSV2_frac as follows */
	fake_set("ID_AA64PFR1_EL1", 0x0000000200000200); /* CSV2_1p2, MTE2 */
	assert_null(feat_init());
	assert_false(feat.pauth || feat.nv2);
	assert_true(feat.csv2_2 && feat.mte);
	fake_set("ID_AA64MMFR2_EL1", 0);
	fake_set("ID_AA64MMFR4_EL1", 1 << 20); /* NV_frac */
	assert_null(feat_init());
	assert_true(feat.nv2);
}

static void what_nidus_needs(void **state)
{
	const char *line;

	(void)state;
	fake_set("ID_AA64MMFR1_EL1", 0x0110112010312022);
	assert_string_equal(feat_init(), "CPU lacks FEAT_VHE: ID_AA64MMFR1_EL1.VH is 0");
	setup(NULL);
	fake_set("ID_AA64MMFR0_EL1", 0x21000323f0201126);
	line = feat_init();
	assert_non_null(line);
	assert_non_null(strstr(line, "4 KiB granule: ID_AA64MMFR0_EL1.TGran4 "));
	setup(NULL);
	fake_set("ID_AA64MMFR0_EL1", 0x2100012310201126);
	line = feat_init();
	assert_non_null(line);
	assert_non_null(strstr(line, "stage 2: ID_AA64MMFR0_EL1.TGran4_2 "));
	setup(NULL);
	fake_set("ID_AA64MMFR0_EL1", 0x2100002310201126); /* 0: as at stage 1 */
	assert_null(feat_init());
	fake_set("ID_AA64PFR0_EL1", 0x1301001120110222);
	assert_string_equal(feat_init(),
			    "CPU lacks GICv3 system registers: ID_AA64PFR0_EL1.GIC is 0");
	/* A CPU without them must not be asked for them. */
	fake_reset();
	assert_non_null(feat_init());
	assert_int_equal(fake_writes("ICC_SRE_EL2"), 0);
}

static void secondary_cpus(void **state)
{
	static const struct {
		const char *reg, *says;
		u64 value;
	} lesser[] = {
		{ "ID_AA64MMFR1_EL1", "FEAT_VHE", 0 },
		{ "ID_AA64MMFR2_EL1", "nv2", 0x1221011110011011 },
		{ "ID_AA64PFR0_EL1", "sve", 0x1301001021110222 },
		{ "ID_AA64ISAR1_EL1", "pointer authentication", 0 },
		{ "ID_AA64MMFR0_EL1", "physical address", 0x2100032310201122 },
		{ "ID_AA64DFR0_EL1", "breakpoints", 0x100000001030260a },
		{ "ID_AA64ISAR0_EL1", "ID_AA64ISAR0_EL1",
		  0x1221111110202120 }, /* CRC32: only VMs use it */
		{ "ICH_VTR_EL2", "list registers", 0x90b80001 },
	};

	(void)state;
	assert_null(feat_init());
	fake_cpu = 1;
	set_max();
	assert_null(feat_check(idregs_less));
	fake_set("ID_AA64PFR1_EL1", 0x0000001002000121); /* more than the boot CPU */
	fake_set("ICH_VTR_EL2", 0x90b8000f);
	assert_null(feat_check(idregs_less));
	for (size_t i = 0; i < ARRAY_SIZE(lesser); i++) {
		const char *line;

		set_max();
		fake_set(lesser[i].reg, lesser[i].value);
		line = feat_check(idregs_less);
		if (!line || !strstr(line, lesser[i].says))
			fail_msg("lesser %s: expected \"%s\", got \"%s\"", lesser[i].reg,
				 lesser[i].says, line ? line : "nothing");
	}
	/* The boot CPU's features are still what counts. */
	assert_true(feat.sve && feat.pauth && feat.nv2);
}

/*
 * A feature that no VM has is trapped on all CPUs if one of them has it; a CPU without it is not
 * refused.
 */
static void hidden_of_any_cpu(void **state)
{
	(void)state;
	fake_set("ID_AA64DFR0_EL1", 0x100000000030500a);
	fake_set("ID_AA64PFR0_EL1", 0x1301001101110222);
	fake_set("ID_AA64PFR1_EL1", fake_get("ID_AA64PFR1_EL1") & ~(15UL << 36 | 15UL << 8));
	assert_null(feat_init());
	assert_false(feat.spe || feat.tracefilt || feat.trbe || feat.amu || feat.trace || feat.pmu);
	assert_false(feat.ras || feat.any_ras || feat.any_mte || feat.any_nmi);
	fake_cpu = 1;
	set_max();
	fake_set("ID_AA64DFR0_EL1", 0x100011110030561a);
	fake_set("ID_AA64PFR0_EL1", 0x1301101121110222);
	fake_set("ID_AA64PFR1_EL1", fake_get("ID_AA64PFR1_EL1") | 1UL << 36 | 2UL << 8);
	assert_null(feat_check(idregs_less));
	assert_true(feat.any_ras && feat.any_mte && feat.any_nmi);
	/* nidus itself may use a feature that the boot CPU has. */
	assert_false(feat.ras || feat.mte || feat.nmi);
	assert_true(feat.spe && feat.tracefilt && feat.trbe && feat.amu && feat.trace && feat.pmu);
	assert_int_equal(feat.pmu_counters, 6);
	fake_cpu = 2;
	set_max();
	assert_null(feat_check(idregs_less));
	assert_true(feat.spe);
	/* A CPU that is refused adds nothing. */
	memset(&feat, 0, sizeof(feat));
	fake_cpu = 0;
	assert_null(feat_init());
	fake_cpu = 1;
	fake_set("ID_AA64ISAR1_EL1", 0);
	assert_non_null(feat_check(idregs_less));
	assert_false(feat.spe || feat.pmu);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(max_has_it_all, setup),
		cmocka_unit_test_setup(a_bare_v8_2_has_little, setup),
		cmocka_unit_test_setup(features_from_several_fields, setup),
		cmocka_unit_test_setup(what_nidus_needs, setup),
		cmocka_unit_test_setup(secondary_cpus, setup),
		cmocka_unit_test_setup(hidden_of_any_cpu, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
