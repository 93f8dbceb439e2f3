/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIMD state: real bytes through claim, flush and host sections; vector lengths; errors in the
 * configuration.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
#include "lib/log.h"
#include "simd/simd.h"
#include "simd/simd_regs.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "traps/traps.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vtimer/vtimer.h"

static struct cpu test_cpus[2];
static struct vm_config config[2];
static struct vm vm[2];
static struct vcpu vcpu[2];
static u64 alloc_size; /* of the last home */
static jmp_buf died;
static char last_words[256];

struct cpu *cpu_this(void)
{
	return &test_cpus[fake_cpu];
}

bool vtimer_has_cntpoff(void)
{
	return true;
}

u64 page_alloc(u32 order)
{
	alloc_size = PAGE_SIZE << order;
	return (u64)memset(aligned_alloc(PAGE_SIZE, alloc_size), 0xee, alloc_size);
}

void page_free(u64 pa, u32 order)
{
	(void)order;
	free((void *)pa);
}

void page_zero(u64 pa, u64 size)
{
	assert_true(size % 64 == 0);
	memset((void *)pa, 0, size);
}

noreturn void check_failed(const char *file, int line, const char *what)
{
	(void)file;
	(void)line;
	snprintf(last_words, sizeof(last_words), "%s", what);
	longjmp(died, 1);
}

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_words, sizeof(last_words), fmt, ap);
	va_end(ap);
	longjmp(died, 1);
}

static char last_line[200];

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_simd_reset();
	memset(&feat, 0, sizeof(feat));
	feat.sve = feat.sme = feat.sme_fa64 = feat.sme2 = feat.fpmr = true;
	memset(test_cpus, 0, sizeof(test_cpus));
	test_cpus[1].index = 1;
	memset(vcpu, 0, sizeof(vcpu));
	assert_true(simd_boot());
	return 0;
}

static void make(u32 i, u32 sve, u32 sme)
{
	snprintf(config[i].path, sizeof(config[i].path), "/chosen/%c", 'a' + (int)i);
	config[i].sve = sve;
	config[i].sme = sme;
	vm[i].config = &config[i];
	vcpu[i].vm = &vm[i];
	assert_int_equal(simd_vcpu_init(&vcpu[i]), 0);
}

static void unmake(u32 i)
{
	simd_vcpu_destroy(&vcpu[i]);
	assert_null(vcpu[i].simd.state);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void fill(void *p, size_t n, u32 seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		((u8 *)p)[i] = (u8)(seed >> 16);
	}
}

/* The guest of v writes to everything it can access; SVCR is set already. */
static void guest_fill(const struct vcpu *v, u64 svcr, u32 seed)
{
	u32 vl = svcr & SVCR_SM ? v->simd.svl : v->simd.vl;

	for (u32 i = 0; i < 32; i++)
		fill(fake_simd.z[i], vl ? vl : 16, seed + i);
	for (u32 i = 0; vl && i < 16; i++)
		fill(fake_simd.p[i], vl / 8, seed + 32 + i);
	if (vl && (!(svcr & SVCR_SM) || feat.sme_fa64))
		fill(fake_simd.ffr, vl / 8, seed + 48);
	for (u32 i = 0; (svcr & SVCR_ZA) && i < v->simd.svl; i++)
		fill(fake_simd.za[i], v->simd.svl, seed + 64 + i);
	if ((svcr & SVCR_ZA) && feat.sme2)
		fill(fake_simd.zt0, 64, seed + 63);
	fake_set("FPCR", seed + 1);
	fake_set("FPSR", seed + 2);
	fake_set("FPMR", seed + 3);
	if (v->simd.vl)
		fake_set("ZCR_EL12", seed & 15);
	if (v->simd.svl)
		fake_set("SMCR_EL12", (seed + 1) & 15);
}

static void same(const char *what, const void *have, const void *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((const u8 *)have)[i] != ((const u8 *)want)[i])
			fail_msg("%s: byte %zu of %zu is %#x, expected %#x", what, i, n,
				 ((const u8 *)have)[i], ((const u8 *)want)[i]);
}

static void guest_check(const struct vcpu *v, u64 svcr, u32 seed)
{
	static struct fake_simd have;

	have = fake_simd;
	assert_int_equal(fake_get("SVCR"), svcr);
	assert_int_equal(fake_get("FPCR"), seed + 1);
	assert_int_equal(fake_get("FPSR"), seed + 2);
	if (feat.fpmr)
		assert_int_equal(fake_get("FPMR"), seed + 3);
	if (v->simd.vl)
		assert_int_equal(fake_get("ZCR_EL12"), seed & 15);
	if (v->simd.svl)
		assert_int_equal(fake_get("SMCR_EL12"), (seed + 1) & 15);
	guest_fill(v, svcr, seed);
	same("Z", have.z, fake_simd.z, sizeof(have.z));
	same("P", have.p, fake_simd.p, sizeof(have.p));
	same("FFR", have.ffr, fake_simd.ffr, sizeof(have.ffr));
	if (svcr & SVCR_ZA) {
		same("ZA", have.za, fake_simd.za, sizeof(have.za));
		same("ZT0", have.zt0, fake_simd.zt0, sizeof(have.zt0));
	}
}

static void round_trip(u32 sve, u32 sme, u64 svcr, u32 seed)
{
	struct vcpu *v = &vcpu[0];
	u64 guard;

	make(0, sve, sme);
	assert_true(simd_state_size(v->simd.vl, v->simd.svl) <= alloc_size);
	guard = simd_state_size(v->simd.vl, v->simd.svl);
	simd_claim(v);
	assert_int_equal(fake_get("FPSR"), 0);
	if (svcr)
		sysreg_write(SVCR, svcr);
	guest_fill(v, svcr, seed);
	simd_flush(v);
	assert_int_equal(fake_get("SVCR"), 0);
	simd_chaos_section();
	/* Nothing was written beyond the home's size. */
	for (u64 i = ALIGN_UP(guard, 64UL); i < alloc_size; i++)
		assert_int_equal(((u8 *)v->simd.state)[i], 0xee);
	/*
	 * A register longer than the VM's is not its concern, but zero here, so that all bytes
	 * compare.
	 */
	memset(&fake_simd, 0, sizeof(fake_simd));
	simd_claim(v);
	guest_check(v, svcr, seed);
	assert_int_equal(v->simd.claims, 2);
	assert_int_equal(v->simd.flushes, 1);
	unmake(0);
}

static void bytes_survive(void **state)
{
	static const u32 vl[] = { 128, 256, 384, 512, 2048 }, svl[] = { 128, 256, 512, 2048 };
	u32 seed = 1;

	(void)state;
	round_trip(0, 0, 0, seed++);
	for (u32 i = 0; i < ARRAY_SIZE(vl); i++) {
		round_trip(vl[i], 0, 0, seed++);
		for (u32 j = 0; j < ARRAY_SIZE(svl); j++)
			for (u64 svcr = 0; svcr < 4; svcr++)
				round_trip(vl[i], svl[j], svcr, seed++);
	}
}

/*
 * ZT0, and FFR in streaming mode, are behind bits of SMCR_EL2 that take effect with an ISB, other
 * than LEN.
 */
static unsigned isbs_at_smcr, early;

static void smcr_written(u64 v)
{
	(void)v;
	isbs_at_smcr = fake_isbs;
}

void simd_regs_load_zt0(const void *zt0)
{
	early += fake_isbs == isbs_at_smcr;
	memcpy(fake_simd.zt0, zt0, sizeof(fake_simd.zt0));
}

void simd_regs_save_zt0(void *zt0)
{
	early += fake_isbs == isbs_at_smcr;
	memcpy(zt0, fake_simd.zt0, sizeof(fake_simd.zt0));
}

static void zt0_waits_for_its_enable(void **state)
{
	(void)state;
	fake_on_write("SMCR_EL2", smcr_written);
	make(0, 256, 512);
	simd_claim(&vcpu[0]);
	sysreg_write(SVCR, 3);
	/* A guest hypervisor may have closed it for its guest. */
	simd_state_limit(&vcpu[0], vcpu[0].simd.zcr, vcpu[0].simd.smcr & ~SMCR_EZT0);
	simd_flush(&vcpu[0]);
	simd_chaos_section();
	simd_claim(&vcpu[0]);
	assert_int_equal(early, 0);
	unmake(0);
}

static void bytes_survive_without_fa64(void **state)
{
	(void)state;
	feat.sme_fa64 = feat.sme2 = feat.fpmr = false;
	for (u64 svcr = 0; svcr < 4; svcr++)
		round_trip(256, 512, svcr, 5);
}

static void all_lengths_of_config(void **state)
{
	(void)state;
	for (u32 bits = 128; bits <= 2048; bits += 128) {
		round_trip(bits, 0, 0, bits);
		assert_int_equal(fake_get("ZCR_EL2"), bits / 128 - 1);
	}
}

/* ---- ownership ------------------------------------------------------------------------------- */

static u64 open_bits(void)
{
	return fake_get("CPTR_EL2") & (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);
}

static void nobody_moves_what_is_live(void **state)
{
	u64 bytes;

	(void)state;
	make(0, 256, 256);
	simd_claim(&vcpu[0]);
	bytes = vcpu[0].simd.bytes;
	assert_int_equal(bytes, 32 * 32 + 16 * 4 + 4);
	simd_claim(&vcpu[0]);
	simd_check(&vcpu[0]);
	assert_int_equal(vcpu[0].simd.bytes, bytes);
	assert_int_equal(vcpu[0].simd.claims, 1);
	assert_false(vcpu[0].traps_stale);
	assert_int_equal(open_bits(), CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);
	assert_int_equal(simd_cptr(&vcpu[0]), fake_get("CPTR_EL2"));
	unmake(0);
	assert_int_equal(open_bits(), 0);
	assert_null(test_cpus[0].simd.owner);
}

static void a_vm_gets_what_it_has(void **state)
{
	static const struct {
		u32 sve, sme;
		u64 open;
	} row[] = {
		{ 0, 0, CPTR_FPEN },
		{ 512, 0, CPTR_FPEN | CPTR_ZEN },
		{ 512, 512, CPTR_FPEN | CPTR_ZEN | CPTR_SMEN },
	};

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(row); i++) {
		struct exit exit = { .esr = ESR(EC_SVE, 0UL) };

		make(0, row[i].sve, row[i].sme);
		assert_int_equal(simd_trap(&vcpu[0], &exit), row[i].sve ? RESUME : UNDEF);
		exit.esr = ESR(EC_SME, 0UL);
		assert_int_equal(simd_trap(&vcpu[0], &exit), row[i].sme ? RESUME : UNDEF);
		exit.esr = ESR(EC_FP_ASIMD, 0UL);
		assert_int_equal(simd_trap(&vcpu[0], &exit), RESUME);
		assert_int_equal(open_bits(), row[i].open);
		unmake(0);
	}
}

static void not_live_here_is_not_open(void **state)
{
	(void)state;
	make(0, 256, 0);
	simd_claim(&vcpu[0]);
	fake_cpu = 1;
	assert_int_equal(simd_cptr(&vcpu[0]) & CPTR_FPEN, 0);
	fake_cpu = 0;
	unmake(0);
}

static void check_repairs(void **state)
{
	u64 before;

	(void)state;
	make(0, 256, 0);
	simd_claim(&vcpu[0]);
	before = simd_cptr(&vcpu[0]);
	simd_chaos_section();
	assert_true(vcpu[0].traps_stale);
	vcpu[0].traps_stale = false;
	simd_cptr_write(before); /* decided before the host section came */
	simd_check(&vcpu[0]);
	assert_int_equal(open_bits(), 0);
	assert_true(vcpu[0].traps_stale);
	unmake(0);
}

static void host_sections_count_and_do_not_nest(void **state)
{
	(void)state;
	make(0, 0, 0);
	test_cpus[0].loaded = &vcpu[0];
	fake_set("DAIF", 0);
	simd_claim(&vcpu[0]);
	simd_host_begin();
	assert_int_equal(fake_get("DAIF") & 0x80, 0x80);
	assert_int_equal(vcpu[0].simd.flushes, 1);
	assert_null(vcpu[0].simd.cpu);
	if (!setjmp(died)) {
		simd_host_begin();
		fail_msg("a second host section was let in");
	}
	assert_string_equal(last_words, "!cpu->simd.host");
	fake_set("DAIF", 0x80);
	simd_host_end();
	assert_int_equal(fake_get("DAIF"), 0);
	assert_int_equal(vcpu[0].simd.host_sections, 1);
	if (!setjmp(died)) {
		simd_host_end();
		fail_msg("a host section that never began has ended");
	}
	unmake(0);
}

static void another_cpu_may_not_touch_it(void **state)
{
	(void)state;
	make(0, 256, 0);
	simd_claim(&vcpu[0]);
	fake_cpu = 1;
	if (!setjmp(died)) {
		simd_flush(&vcpu[0]);
		fail_msg("CPU 1 has flushed what is live on CPU 0");
	}
	fake_cpu = 0;
	unmake(0);
}

static void reset_forgets(void **state)
{
	(void)state;
	make(0, 256, 256);
	simd_claim(&vcpu[0]);
	sysreg_write(SVCR, SVCR_SM | SVCR_ZA);
	guest_fill(&vcpu[0], SVCR_SM | SVCR_ZA, 9);
	simd_vcpu_reset(&vcpu[0]);
	assert_int_equal(vcpu[0].simd.flushes, 0);
	assert_int_equal(fake_get("SVCR"), 0);
	simd_claim(&vcpu[0]);
	assert_int_equal(fake_get("FPCR"), 0);
	assert_int_equal(fake_get("ZCR_EL12"), 0);
	for (u32 i = 0; i < 32; i++)
		for (u32 j = 0; j < 32; j++)
			assert_int_equal(fake_simd.z[i][j], 0);
	unmake(0);
}

static void destroy_before_init(void **state)
{
	(void)state;
	simd_vcpu_destroy(&vcpu[1]);
}

/* ---- lengths --------------------------------------------------------------------------------- */

static void boot_finds_lengths(void **state)
{
	(void)state;
	assert_int_equal(feat.sve_vl_mask, 0xffff);
	assert_int_equal(feat.sme_vl_mask, 0x808b);
	fake_vl_mask = 0xb;
	fake_svl_mask = 0xa; /* no 128 */
	assert_true(simd_boot());
	assert_int_equal(feat.sve_vl_mask, 0xb);
	assert_int_equal(feat.sme_vl_mask, 0xa);
	assert_int_equal(open_bits(), 0);
}

static void cpus_must_agree(void **state)
{
	(void)state;
	fake_cpu = 1;
	assert_true(simd_boot());
	test_cpus[1].hw.mpidr = 0x101;
	fake_vl_mask = 0xb;
	assert_false(simd_boot());
	assert_string_equal(
		last_line,
		"cpu 0x101: left out: longest vectors SVE 512, SME 2048 bits (of lengths 0xb, "
		"0x808b), the boot CPU's SVE 2048, SME 2048 (0xffff, 0x808b)");
	/* For the boot CPU. */
	assert_int_equal(feat.sve_vl_mask, 0xffff);
	assert_int_equal(open_bits(), 0);
}

static void no_sve_no_sme(void **state)
{
	(void)state;
	feat.sve = feat.sme = false;
	assert_true(simd_boot());
	assert_int_equal(feat.sve_vl_mask | feat.sme_vl_mask, 0);
	round_trip(0, 0, 0, 3);
	round_trip(SVE_MAX, SVE_MAX, 0, 4); /* the longest of none */
}

static void told(u32 sve, u32 sme, const char *want)
{
	struct vm_config c = { .path = "/chosen/b", .sve = sve, .sme = sme };
	char buf[160];
	const char *have = simd_config_check(&c, buf, sizeof(buf));

	if (!want)
		assert_null(have);
	else
		assert_string_equal(have, want);
}

static void config_errors(void **state)
{
	char small[24];
	struct vm_config c = { .path = "/chosen/b", .sve = 384 };

	(void)state;
	feat.sve_vl_mask = 0xb;
	feat.sme_vl_mask = 0xa;
	told(0, 0, NULL);
	told(SVE_MAX, SVE_MAX, NULL);
	told(512, 256, NULL);
	told(384, 0, "/chosen/b: sve: wanted 384 bits, available: 128 256 512");
	told(4096, 0, "/chosen/b: sve: wanted 4096 bits, available: 128 256 512");
	told(100, 0, "/chosen/b: sve: wanted 100 bits, available: 128 256 512");
	told(512, 128, "/chosen/b: nidus,sme: wanted 128 bits, available: 256 512");
	told(0, 256, "/chosen/b: nidus,sme: wanted SME, which needs sve, and that is off");
	feat.sve_vl_mask = 0;
	told(128, 0, "/chosen/b: sve: wanted 128 bits, available: none");
	told(SVE_MAX, 0, NULL);
	feat.sve_vl_mask = 0xffff;
	assert_string_equal(simd_config_check(&(struct vm_config){ .sve = 64 }, small,
					      sizeof(small)),
			    ": sve: wanted 64 bits, ");
	assert_null(simd_config_check(&c, small, sizeof(small)));
}

static void machine_maximum(void **state)
{
	(void)state;
	fake_vl_mask = 0xb;
	fake_svl_mask = 0xa;
	assert_true(simd_boot());
	make(0, SVE_MAX, SVE_MAX);
	assert_int_equal(vcpu[0].simd.vl, 64);
	assert_int_equal(vcpu[0].simd.svl, 64);
	assert_int_equal(vcpu[0].simd.zcr, 3);
	assert_int_equal(vcpu[0].simd.smcr, 3 | SMCR_FA64 | SMCR_EZT0);
	unmake(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(bytes_survive, setup),
		cmocka_unit_test_setup(zt0_waits_for_its_enable, setup),
		cmocka_unit_test_setup(bytes_survive_without_fa64, setup),
		cmocka_unit_test_setup(all_lengths_of_config, setup),
		cmocka_unit_test_setup(nobody_moves_what_is_live, setup),
		cmocka_unit_test_setup(a_vm_gets_what_it_has, setup),
		cmocka_unit_test_setup(not_live_here_is_not_open, setup),
		cmocka_unit_test_setup(check_repairs, setup),
		cmocka_unit_test_setup(host_sections_count_and_do_not_nest, setup),
		cmocka_unit_test_setup(another_cpu_may_not_touch_it, setup),
		cmocka_unit_test_setup(reset_forgets, setup),
		cmocka_unit_test_setup(destroy_before_init, setup),
		cmocka_unit_test_setup(boot_finds_lengths, setup),
		cmocka_unit_test_setup(cpus_must_agree, setup),
		cmocka_unit_test_setup(no_sve_no_sme, setup),
		cmocka_unit_test_setup(config_errors, setup),
		cmocka_unit_test_setup(machine_maximum, setup),
	};

	return cmocka_run_group_tests_name("simd", tests, NULL, NULL);
}
