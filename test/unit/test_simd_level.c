/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIMD across the levels of a vcpu with EL2: each level's own lengths, L1's limit on L2, real bytes
 * over level switches, ZCR_EL2 and SMCR_EL2 of vEL2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "fake_simd.h"
#include "lib/check.h"
#include "mm/page.h"
#include "nested/level.h"
#include "state/vncr.h"
#include "simd/simd.h"
#include "simd/simd_level.h"
#include "simd/simd_regs.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "traps/traps.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vtimer/vtimer.h"

#define OPEN (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN)

static struct cpu test_cpu;
static struct vm_config config;
static struct vm vm;
static struct vcpu vcpu;
static u64 vncr_page[VNCR_WORDS];
static u32 writes; /* of ZCR_ELx, SMCR_ELx */

struct cpu *cpu_this(void)
{
	return &test_cpu;
}

bool vtimer_has_cntpoff(void)
{
	return true;
}

u64 page_alloc(u32 order)
{
	return (u64)memset(aligned_alloc(PAGE_SIZE, PAGE_SIZE << order), 0xee, PAGE_SIZE << order);
}

void page_free(u64 pa, u32 order)
{
	(void)order;
	free((void *)pa);
}

void page_zero(u64 pa, u64 size)
{
	memset((void *)pa, 0, size);
}

noreturn void check_failed(const char *file, int line, const char *what)
{
	fail_msg("CHECK(%s) failed at %s:%d", what, file, line);
	abort();
}

noreturn void panic(const char *fmt, ...)
{
	fail_msg("panic: %s", fmt);
	abort();
}

static void count_write(u64 v)
{
	(void)v;
	writes++;
}

/* A vcpu at vEL2 that traps nothing; lengths in bits. */
static void make(u32 sve, u32 sme)
{
	config = (struct vm_config){ .sve = sve, .sme = sme };
	vm.config = &config;
	vm.nested.cptr = OPEN | CPTR_TCPAC;
	vcpu.vm = &vm;
	vcpu.vncr = vncr_page;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.sr[SR_CPTR_EL2] = OPEN;
	assert_int_equal(simd_vcpu_init(&vcpu), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_simd_reset();
	memset(&feat, 0, sizeof(feat));
	feat.sve = feat.sme = feat.sme_fa64 = feat.sme2 = feat.fpmr = true;
	memset(&test_cpu, 0, sizeof(test_cpu));
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(vncr_page, 0, sizeof(vncr_page));
	writes = 0;
	assert_true(simd_boot());
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	simd_vcpu_destroy(&vcpu);
	return 0;
}

static void to_l2(void)
{
	vcpu.in_vel2 = false;
	simd_level(&vcpu);
}

static void to_vel2(void)
{
	vcpu.in_vel2 = true;
	simd_level(&vcpu);
}

/* ---- lengths --------------------------------------------------------------------------------- */

/* live: in the CPU, else in the home. */
static void own_lengths(bool live)
{
	u64 *zcr = &vcpu.simd.state->zcr_el1, *smcr = &vcpu.simd.state->smcr_el1;

	vncr_write(&vcpu, VNCR_ZCR_EL1, 5);
	vncr_write(&vcpu, VNCR_SMCR_EL1, 7 | SMCR_FA64);
	*zcr = 3;
	*smcr = 1 | SMCR_EZT0;
	if (live)
		simd_claim(&vcpu);
	to_l2();
	assert_int_equal(live ? fake_get("ZCR_EL12") : *zcr, 5);
	assert_int_equal(live ? fake_get("SMCR_EL12") : *smcr, 7 | SMCR_FA64);
	assert_int_equal(vcpu.sr[SR_ZCR_EL2], 3);
	assert_int_equal(vcpu.sr[SR_SMCR_EL2], 1 | SMCR_EZT0);
	/* L2's own writes are there for L1, by the names ZCR_EL12 and SMCR_EL12. */
	if (live)
		fake_set("ZCR_EL12", 9);
	else
		*zcr = 9;
	to_vel2();
	assert_int_equal(vncr_read(&vcpu, VNCR_ZCR_EL1), 9);
	assert_int_equal(vncr_read(&vcpu, VNCR_SMCR_EL1), 7 | SMCR_FA64);
	assert_int_equal(live ? fake_get("ZCR_EL12") : *zcr, 3);
	assert_int_equal(live ? fake_get("SMCR_EL12") : *smcr, 1 | SMCR_EZT0);
}

static void lengths_in_memory(void **state)
{
	(void)state;
	make(2048, 2048);
	own_lengths(false);
}

static void lengths_in_the_cpu(void **state)
{
	(void)state;
	make(2048, 2048);
	own_lengths(true);
}

static void what_l1_leaves_in_its_page_is_masked(void **state)
{
	(void)state;
	feat.sme_fa64 = false;
	make(512, 512);
	simd_claim(&vcpu);
	vncr_write(&vcpu, VNCR_ZCR_EL1, ~0UL);
	vncr_write(&vcpu, VNCR_SMCR_EL1, ~0UL);
	to_l2();
	assert_int_equal(fake_get("ZCR_EL12"), ZCR_LEN);
	assert_int_equal(fake_get("SMCR_EL12"), SMCR_LEN | SMCR_EZT0);
}

static void limit_of_l2(void **state)
{
	static const struct {
		u64 zcr, smcr, want_zcr, want_smcr; /* L1's; in force in L2 */
	} row[] = {
		{ 0, 0, 0, 0 },
		{ 1, 1, 1, 1 },
		{ 3, 3 | SMCR_FA64, 3, 3 | SMCR_FA64 },
		{ 15, 15 | SMCR_EZT0, 3, 3 | SMCR_EZT0 },
		{ 2, 15 | SMCR_EZT0 | SMCR_FA64, 2, 3 | SMCR_EZT0 | SMCR_FA64 },
	};

	(void)state;
	make(512, 512);
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		vcpu.simd.state->zcr_el1 = row[i].zcr;
		vcpu.simd.state->smcr_el1 = row[i].smcr;
		simd_claim(&vcpu);
		to_l2();
		assert_int_equal(fake_get("ZCR_EL2"), row[i].want_zcr);
		assert_int_equal(fake_get("SMCR_EL2"), row[i].want_smcr);
		/* A claim in L2 loads at full length; the limit is applied before the entry. */
		simd_flush(&vcpu);
		simd_claim(&vcpu);
		assert_int_equal(fake_get("ZCR_EL2"), 3);
		simd_level(&vcpu);
		assert_int_equal(fake_get("ZCR_EL2"), row[i].want_zcr);
		assert_int_equal(fake_get("SMCR_EL2"), row[i].want_smcr);
		to_vel2();
		assert_int_equal(fake_get("ZCR_EL2"), 3);
		assert_int_equal(fake_get("SMCR_EL2"), 3 | SMCR_EZT0 | SMCR_FA64);
		simd_flush(&vcpu);
	}
}

static void nothing_is_written_that_has_not_changed(void **state)
{
	(void)state;
	make(512, 512);
	simd_claim(&vcpu);
	simd_level(&vcpu);
	vcpu.traps_stale = false;
	fake_on_write("ZCR_EL2", count_write);
	fake_on_write("SMCR_EL2", count_write);
	fake_on_write("ZCR_EL12", count_write);
	fake_on_write("SMCR_EL12", count_write);
	simd_level(&vcpu);
	assert_int_equal(writes, 0);
	assert_false(vcpu.traps_stale);
	/* Both levels at the longest: a switch has nothing to write. */
	fake_set("ZCR_EL12", 15);
	fake_set("SMCR_EL12", 15 | SMCR_FA64 | SMCR_EZT0);
	vncr_write(&vcpu, VNCR_ZCR_EL1, 15);
	vncr_write(&vcpu, VNCR_SMCR_EL1, 15 | SMCR_FA64 | SMCR_EZT0);
	to_l2();
	to_vel2();
	assert_int_equal(writes, 0);
}

static void without_sve(void **state)
{
	(void)state;
	make(0, 0);
	fake_on_write("ZCR_EL2", count_write);
	fake_on_write("ZCR_EL12", count_write);
	simd_claim(&vcpu);
	to_l2();
	to_vel2();
	assert_int_equal(writes, 0);
	assert_int_equal(vcpu.simd.flushes, 0);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void fill(u32 seed)
{
	u8 *z = &fake_simd.z[0][0];

	for (u32 i = 0; i < sizeof(fake_simd.z); i++)
		z[i] = i % FAKE_VL_MAX < 64 ? (u8)(i * 7 + i / 256 + seed) : 0;
	memset(fake_simd.p, (int)seed, 8);
	memset(fake_simd.ffr, (int)seed + 1, 8);
}

/* L2 limited to 128 bits; a flush then has all 512 that vEL2 wrote. */
static void a_switch_moves_nothing_a_flush_all(void **state)
{
	static struct fake_simd want;

	(void)state;
	make(512, 512);
	simd_claim(&vcpu);
	fill(5);
	want = fake_simd;
	vcpu.simd.bytes = 0;
	to_l2();
	assert_int_equal(fake_get("ZCR_EL2"), 0);
	to_vel2();
	to_l2();
	assert_int_equal(vcpu.simd.bytes, 0);
	assert_int_equal(vcpu.simd.flushes, 0);
	simd_chaos_section();
	assert_int_equal(vcpu.simd.bytes, SIMD_Z_SIZE(64));
	memset(&fake_simd, 0, sizeof(fake_simd));
	simd_claim(&vcpu);
	assert_memory_equal(fake_simd.z, want.z, sizeof(want.z));
	assert_memory_equal(fake_simd.p[0], want.p[0], 8);
	assert_memory_equal(fake_simd.ffr, want.ffr, 8);
}

static void switch_flushes(void **state)
{
	static struct fake_simd want;

	(void)state;
	make(512, 0);
	config.simd_switch = true;
	vncr_write(&vcpu, VNCR_ZCR_EL1, 2);
	simd_claim(&vcpu);
	fake_set("ZCR_EL12", 3);
	fill(9);
	want = fake_simd;
	simd_level(&vcpu);
	assert_int_equal(vcpu.simd.flushes, 0);
	to_l2();
	assert_int_equal(vcpu.simd.flushes, 1);
	assert_null(vcpu.simd.cpu);
	assert_int_equal(vcpu.sr[SR_ZCR_EL2], 3);
	memset(&fake_simd, 0x33, sizeof(fake_simd));
	simd_claim(&vcpu);
	simd_level(&vcpu);
	assert_int_equal(fake_get("ZCR_EL12"), 2);
	for (u32 i = 0; i < 32; i++)
		assert_memory_equal(fake_simd.z[i], want.z[i], 64);
	to_vel2();
	assert_int_equal(vcpu.simd.flushes, 2);
	assert_int_equal(vcpu.simd.claims, 2);
}

/* ---- traps ----------------------------------------------------------------------------------- */

static u64 fields_of_entry(void)
{
	simd_level(&vcpu);
	return traps_compute(&vcpu).cptr & (OPEN | CPTR_TCPAC);
}

/* L1 traps a field: closed in L2, and in vEL2 too, which must not narrow what it cannot use. */
static void l1_traps_come_on_top(void **state)
{
	static const u64 fields[] = { CPTR_FPEN, CPTR_ZEN, CPTR_SMEN };

	(void)state;
	make(512, 512);
	for (u32 i = 0; i < 3; i++) {
		vcpu.in_vel2 = true;
		vcpu.sr[SR_CPTR_EL2] = OPEN & ~fields[i];
		assert_int_equal(fields_of_entry(), CPTR_TCPAC);
		simd_claim(&vcpu);
		assert_true(vcpu.traps_stale);
		assert_int_equal(fields_of_entry(), (OPEN & ~fields[i]) | CPTR_TCPAC);
		vcpu.in_vel2 = false;
		assert_int_equal(fields_of_entry(), OPEN & ~fields[i]);
		vcpu.sr[SR_CPTR_EL2] |= CPTR_TCPAC;
		assert_int_equal(fields_of_entry(), (OPEN & ~fields[i]) | CPTR_TCPAC);
		simd_flush(&vcpu);
	}
}

/* FP trapped by L1, SVE and SME not: open for state that a host section flushed meanwhile. */
static void check_closes_every_field(void **state)
{
	struct traps traps;

	(void)state;
	make(512, 512);
	vcpu.sr[SR_CPTR_EL2] = OPEN & ~CPTR_FPEN;
	simd_claim(&vcpu);
	to_l2();
	traps = traps_compute(&vcpu);
	simd_chaos_section();
	traps_load(&traps);
	simd_check(&vcpu);
	assert_int_equal(fake_get("CPTR_EL2") & OPEN, 0);
}

/* A host section leaves CPACR_EL1 trapped: as vEL2's CPTR_EL2 it must not change unnoticed. */
static void host_section_keeps_cpacr_trapped(void **state)
{
	(void)state;
	make(512, 512);
	simd_chaos_section();
	assert_true(fake_get("CPTR_EL2") & CPTR_TCPAC);
	simd_check(&vcpu);
	assert_true(fake_get("CPTR_EL2") & CPTR_TCPAC);
}

/* ---- ZCR_EL2 and SMCR_EL2 -------------------------------------------------------------------- */

static u64 read_of(sysreg_fn *emul, enum sysreg_id id)
{
	u64 value = ~0UL;

	assert_int_equal(emul(&vcpu, id, false, &value), SKIP);
	return value;
}

static void write_to(sysreg_fn *emul, enum sysreg_id id, u64 value)
{
	assert_int_equal(emul(&vcpu, id, true, &value), SKIP);
}

static void vel2_lengths(bool live)
{
	make(512, 512);
	if (live)
		simd_claim(&vcpu);
	write_to(emul_zcr_el2, SR_ZCR_EL2, ~0UL);
	write_to(emul_smcr_el2, SR_SMCR_EL2, ~0UL);
	assert_int_equal(read_of(emul_zcr_el2, SR_ZCR_EL2), ZCR_LEN);
	assert_int_equal(read_of(emul_smcr_el2, SR_SMCR_EL2), SMCR_LEN | SMCR_FA64 | SMCR_EZT0);
	write_to(emul_zcr_el2, SR_ZCR_EL2, 1);
	if (live) {
		assert_int_equal(fake_get("ZCR_EL12"), 1);
		assert_int_equal(fake_get("SMCR_EL12"), SMCR_LEN | SMCR_FA64 | SMCR_EZT0);
		fake_set("ZCR_EL12", 2); /* vEL2 by the name ZCR_EL1: no exit */
		assert_int_equal(read_of(emul_zcr_el2, SR_ZCR_EL2), 2);
	}
	assert_int_equal(vcpu.simd.claims, live);
}

static void vel2_lengths_in_the_cpu(void **state)
{
	(void)state;
	vel2_lengths(true);
}

static void vel2_lengths_in_memory(void **state)
{
	(void)state;
	vel2_lengths(false);
}

/* Right after the exception to vEL2, before any entry: not L2's lengths. */
static void vel2_lengths_before_an_entry(void **state)
{
	(void)state;
	make(512, 512);
	simd_claim(&vcpu);
	write_to(emul_zcr_el2, SR_ZCR_EL2, 1);
	to_l2();
	fake_set("ZCR_EL12", 3);
	vcpu.in_vel2 = true;
	assert_int_equal(read_of(emul_zcr_el2, SR_ZCR_EL2), 1);
	assert_int_equal(vncr_read(&vcpu, VNCR_ZCR_EL1), 3);
}

static void vel2_traps_itself(void **state)
{
	u64 value = 2;

	(void)state;
	make(512, 512);
	vcpu.sr[SR_CPTR_EL2] = OPEN & ~CPTR_ZEN;
	assert_int_equal(emul_zcr_el2(&vcpu, SR_ZCR_EL2, true, &value), INJECT);
	assert_int_equal(vcpu.inject_esr, ESR(EC_SVE, 0UL));
	assert_int_equal(read_of(emul_smcr_el2, SR_SMCR_EL2), 0);
	vcpu.sr[SR_CPTR_EL2] = (OPEN & ~CPTR_SMEN) | BIT(25); /* 0b10 traps as 0b00 does */
	assert_int_equal(emul_smcr_el2(&vcpu, SR_SMCR_EL2, true, &value), INJECT);
	assert_int_equal(vcpu.inject_esr, ESR(EC_SME, 0UL));
	assert_int_equal(read_of(emul_zcr_el2, SR_ZCR_EL2), 0);
	/* 0b01 affects EL0 only. */
	vcpu.sr[SR_CPTR_EL2] = BIT(16) | BIT(24);
	write_to(emul_zcr_el2, SR_ZCR_EL2, 1);
	write_to(emul_smcr_el2, SR_SMCR_EL2, 1);
}

static void not_there_is_undefined(void **state)
{
	u64 value = 0;

	(void)state;
	make(512, 0);
	assert_int_equal(emul_smcr_el2(&vcpu, SR_SMCR_EL2, false, &value), UNDEF);
	vcpu.in_vel2 = false;
	assert_int_equal(emul_zcr_el2(&vcpu, SR_ZCR_EL2, false, &value), UNDEF);
	vcpu.in_vel2 = true;
	vcpu.simd.vl = 0;
	assert_int_equal(emul_zcr_el2(&vcpu, SR_ZCR_EL2, false, &value), UNDEF);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(lengths_in_memory),
		TEST(lengths_in_the_cpu),
		TEST(what_l1_leaves_in_its_page_is_masked),
		TEST(limit_of_l2),
		TEST(nothing_is_written_that_has_not_changed),
		TEST(without_sve),
		TEST(a_switch_moves_nothing_a_flush_all),
		TEST(switch_flushes),
		TEST(l1_traps_come_on_top),
		TEST(check_closes_every_field),
		TEST(host_section_keeps_cpacr_trapped),
		TEST(vel2_lengths_in_the_cpu),
		TEST(vel2_lengths_in_memory),
		TEST(vel2_lengths_before_an_entry),
		TEST(vel2_traps_itself),
		TEST(not_there_is_undefined),
	};

	return cmocka_run_group_tests_name("simd_level", tests, NULL, NULL);
}
