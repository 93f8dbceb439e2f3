/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls: SMCCC 1.1 (DEN0028), TRNG 1.0 (DEN0098), stolen time (DEN0057); by HVC and SMC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/insn.h"
#include "arch/sysreg.h"
#include "nested/level.h"
#include "exit/hvc.h"
#include "exit/psci.h"
#include "state/stolen.h"
#include "state/vm.h"

#define NOT_SUPPORTED (-1L)
#define INVALID_PARAMETERS (-2L) /* TRNG's; SMCCC's own is -3 */
#define NO_ENTROPY (-3L)
#define HIGH 0xabcdef0100000000UL

#define HVC(imm) (0x5a000000UL | (imm))
#define SMC(imm) (0x5e000000UL | (imm))
#define PC 0x40081004UL

struct feat feat;
static struct vcpu vcpu;
static enum verdict psci_verdict;
static s64 psci_ret;
static u32 psci_fid;
static unsigned psci_calls;

enum verdict psci_call(struct vcpu *v, u32 fid, s64 *ret)
{
	assert_ptr_equal(v, &vcpu);
	psci_calls++;
	psci_fid = fid;
	*ret = psci_ret;
	return psci_verdict;
}

static u64 gpr_before(u32 n)
{
	return 0x1111000000000000UL * (n & 7) + 0x1000 + n;
}

static int setup(void **state)
{
	(void)state;
	memset(&feat, 0, sizeof(feat));
	feat.rng = true;
	memset(&vcpu, 0, sizeof(vcpu));
	for (u32 i = 0; i < 31; i++)
		vcpu.gpr[i] = gpr_before(i);
	vcpu.pc = PC;
	vcpu.pstate = 0x5 | 1UL << 21 | 3UL << 10;
	psci_calls = 0;
	psci_verdict = RESUME;
	fake_rndr_left = 0;
	return 0;
}

static u64 call(u64 fid, u64 a1)
{
	struct exit exit = { .esr = HVC(0) };

	vcpu.gpr[0] = fid;
	vcpu.gpr[1] = a1;
	assert_int_equal(hvc_trap(&vcpu, &exit), RESUME);
	return vcpu.gpr[0];
}

/* Registers from n on are the guest's (SMCCC 1.1: x4-x30 are preserved). */
static void preserved(const char *what, u32 n)
{
	for (; n < 31; n++)
		if (vcpu.gpr[n] != gpr_before(n))
			fail_msg("%s: x%u was changed to %#lx", what, n, vcpu.gpr[n]);
}

static void smccc(void **state)
{
	(void)state;
	assert_int_equal(call(0x80000000, 0), 0x00010001);
	preserved("SMCCC_VERSION", 2);
	/* Only w0 names the function. */
	assert_int_equal(call(HIGH | 0x80000000, 0), 0x00010001);
	assert_int_equal(call(0x80000001, 0x80000000), 0);
	assert_int_equal(call(0x80000001, 0x80000001), 0);
	assert_int_equal(call(0x80000001, HIGH | 0x80000001), 0);
	/* SMCCC_ARCH_SOC_ID and the workarounds are not offered. */
	for (u32 fid = 0x80000002; fid < 0x80010000; fid++) {
		assert_int_equal(call(0x80000001, fid), NOT_SUPPORTED);
		assert_int_equal(call(fid, 0), NOT_SUPPORTED);
	}
	preserved("SMCCC_ARCH_FEATURES", 2);
}

static void unknown(void **state)
{
	static const u64 fid[] = { 0,          1,          0x84000020, 0x8400004f,
				   0x84000054, 0xc4000050, 0xc4000051, 0xc4000052,
				   0xc4000020, 0xc0000000, 0x82000000, 0x83000000,
				   0x86000000, 0x8600ff00, 0x85000020, 0xbf00ff01,
				   0x85000021, 0xc5000022, 0x85000022, 0x8500ff01,
				   0x04000000, 0x44000003, 0xffffffff, 0xfffffffffffffffe };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fid); i++) {
		setup(NULL);
		if (call(fid[i], 0) != (u64)NOT_SUPPORTED)
			fail_msg("%#lx: %#lx", fid[i], vcpu.gpr[0]);
		preserved("unknown function", 2);
		assert_int_equal(psci_calls, 0);
	}
}

static void psci_range(void **state)
{
	(void)state;
	for (u32 wide = 0; wide < 2; wide++)
		for (u32 n = 0; n < 0x20; n++) {
			psci_calls = 0;
			psci_ret = -2;
			assert_int_equal(call(0x84000000 + wide * 0x40000000 + n, 0), -2L);
			assert_int_equal(psci_calls, 1);
			assert_int_equal(psci_fid, 0x84000000 + wide * 0x40000000 + n);
		}
	preserved("PSCI", 2);
}

/* If the vcpu does not continue at once, x0 is what PSCI set it to. */
static void psci_verdicts(void **state)
{
	static const enum verdict v[] = { SLEEP, DEAD };
	struct exit exit = { .esr = HVC(0) };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		psci_verdict = v[i];
		vcpu.gpr[0] = 0x84000001;
		assert_int_equal(hvc_trap(&vcpu, &exit), v[i]);
		assert_int_equal(vcpu.gpr[0], 0x84000001);
		vcpu.pc = PC;
		assert_int_equal(smc_trap(&vcpu, &(struct exit){ .esr = SMC(0) }), v[i]);
		assert_int_equal(vcpu.pc, PC + 4);
	}
}

/* If it is handled again later, PC is unchanged: a trapped SMC is at the instruction. */
static void psci_again(void **state)
{
	(void)state;
	psci_verdict = AGAIN;
	vcpu.gpr[0] = 0x84000002;
	assert_int_equal(smc_trap(&vcpu, &(struct exit){ .esr = SMC(0) }), AGAIN);
	assert_int_equal(vcpu.pc, PC);
	assert_int_equal(vcpu.gpr[0], 0x84000002);
	preserved("PSCI, to be handled again", 1);
}

static void immediates(void **state)
{
	(void)state;
	for (u32 imm = 1; imm < 0x10000; imm = imm * 2 + 1) {
		vcpu.gpr[0] = 0x84000000;
		assert_int_equal(hvc_trap(&vcpu, &(struct exit){ .esr = HVC(imm) }), RESUME);
		assert_int_equal(vcpu.gpr[0], NOT_SUPPORTED);
		assert_int_equal(vcpu.pc, PC);
	}
	assert_int_equal(psci_calls, 0);
	preserved("HVC with an immediate", 1);
}

/*
 * HVC is taken after the instruction, a trapped SMC at it: nidus completes it, which clears SS and
 * BTYPE.
 */
static void conduits(void **state)
{
	(void)state;
	call(0x80000000, 0);
	assert_int_equal(vcpu.pc, PC);
	assert_int_equal(vcpu.pstate, 0x5 | 1UL << 21 | 3UL << 10);
	assert_false(vcpu.pc_dirty);
	vcpu.gpr[0] = 0x80000000;
	assert_int_equal(smc_trap(&vcpu, &(struct exit){ .esr = SMC(0) }), RESUME);
	assert_int_equal(vcpu.gpr[0], 0x00010001);
	assert_int_equal(vcpu.pc, PC + 4);
	assert_int_equal(vcpu.pstate, 0x5);
	assert_true(vcpu.pc_dirty);
}

/* ---- stolen time (DEN0057) ---- */

static struct vm vm;
static struct stolen_time page[64] __attribute__((aligned(4096)));

static void with_page(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(page, 0xa5, sizeof(page));
	vm.layout.stolen = 0x90a0000;
	vm.stolen_page = (u64)page;
	vcpu.vm = &vm;
	vcpu.index = 3;
	fake_reset();
	fake_set("CNTFRQ_EL0", 62500000);
}

/* What Linux asks before it believes in stolen time. */
static void pv_time_features(void **state)
{
	(void)state;
	assert_int_equal(call(0x80000001, 0xc5000020), 0);
	assert_int_equal(call(0x80000001, 0x85000020), NOT_SUPPORTED);
	assert_int_equal(call(0xc5000020, 0xc5000021), 0);
	assert_int_equal(call(0xc5000020, HIGH | 0xc5000020), 0);
	assert_int_equal(call(0xc5000020, 0xc5000022), NOT_SUPPORTED);
	assert_int_equal(call(0xc5000020, 0x85000021), NOT_SUPPORTED);
	assert_int_equal(call(0xc5000020, 0), NOT_SUPPORTED);
	preserved("PV_TIME_FEATURES", 2);
	assert_null(vcpu.stolen_record);
}

/* The vcpu's own 64 bytes and no others, revision 0 and attributes 0, kept up to date. */
static void pv_time_st(void **state)
{
	static const u8 untouched[3 * 64] = { [0 ... 3 * 64 - 1] = 0xa5 };

	(void)state;
	with_page();
	vcpu.stolen = 62500000UL * 3 + 1;
	assert_int_equal(call(0xc5000021, 0), 0x90a00c0);
	preserved("PV_TIME_ST", 2);
	assert_int_equal(page[3].revision, 0);
	assert_int_equal(page[3].attributes, 0);
	assert_int_equal(page[3].ns, 3000000016);
	assert_memory_equal(page, untouched, 3 * 64);
	assert_memory_equal(page + 4, untouched, 3 * 64);
	/* Again, after the guest wrote to it: the same place, whole. */
	memset(&page[3], 0xff, sizeof(page[3]));
	assert_int_equal(call(0xc5000021, ~0UL), 0x90a00c0);
	assert_int_equal(page[3].revision, 0);
	assert_int_equal(page[3].ns, 3000000016);
}

/* A vCPU's wait in a queue counts; nothing else does. */
static void pv_time_counts(void **state)
{
	(void)state;
	with_page();
	fake_set("CNTPCT_EL0", 1000000);
	stolen_begin(&vcpu);
	fake_set("CNTPCT_EL0", 1062500);
	stolen_end(&vcpu);
	assert_int_equal(vcpu.stolen, 62500);
	assert_int_equal(page[3].ns, 0xa5a5a5a5a5a5a5a5);
	call(0xc5000021, 0);
	assert_int_equal(page[3].ns, 1000000);
	stolen_begin(&vcpu);
	fake_set("CNTPCT_EL0", 1062500 + 125);
	assert_int_equal(page[3].ns, 1000000);
	stolen_end(&vcpu);
	assert_int_equal(page[3].ns, 1002000);
	/* A counter that is read out of order makes it no less. */
	stolen_begin(&vcpu);
	fake_set("CNTPCT_EL0", 1);
	stolen_end(&vcpu);
	assert_int_equal(page[3].ns, 1002000);
	/* Years of it do not overflow: 2^56 ticks at 1 GHz. */
	fake_set("CNTFRQ_EL0", 1000000000);
	vcpu.stolen = 1UL << 56;
	stolen_begin(&vcpu);
	stolen_end(&vcpu);
	assert_int_equal(page[3].ns, 1UL << 56);
	stolen_reset(&vcpu);
	assert_null(vcpu.stolen_record);
	assert_int_equal(vcpu.stolen, 0);
}

/* What the hypervisor below has taken of the CPU is the loaded vcpu's loss, to the last tick. */
static void pv_time_below(void **state)
{
	static struct stolen_time below;
	static struct cpu cpu;

	(void)state;
	with_page();
	vcpu.stolen = 0;
	call(0xc5000021, 0);
	below.ns = 5000000008;
	cpu = (struct cpu){ .stolen_from = &below, .stolen_seen = 5000000008, .loaded = &vcpu };
	stolen_below(&cpu);
	assert_int_equal(vcpu.stolen, 0);
	/* 16 ns are a tick. */
	for (u32 i = 0; i < 100; i++) {
		below.ns += 24;
		stolen_below(&cpu);
	}
	assert_int_equal(vcpu.stolen, 150);
	assert_int_equal(page[3].ns, 2400);
	/* What nobody was loaded for is nobody's; and it never goes back. */
	cpu.loaded = NULL;
	below.ns += 1000;
	stolen_below(&cpu);
	cpu.loaded = &vcpu;
	stolen_below(&cpu);
	below.ns = 1;
	stolen_below(&cpu);
	below.ns = 5000000008 + 3400;
	stolen_below(&cpu);
	assert_int_equal(vcpu.stolen, 150);
	assert_int_equal(cpu.stolen_seen, 5000003408);
}

/* What a VM's last boot was told, or wrote there itself, the next one does not find. */
static void pv_time_reset(void **state)
{
	static const u8 empty[4096];

	(void)state;
	with_page();
	fake_set("DCZID_EL0", 4);
	stolen_reset_page(&vm);
	assert_memory_equal(page, empty, sizeof(page));
}

/* ---- TRNG ---- */

static void trng_discovery(void **state)
{
	static const u32 have[] = { 0x84000050, 0x84000051, 0x84000052, 0x84000053, 0xc4000053 };

	(void)state;
	assert_int_equal(call(0x84000050, 0), 0x00010000);
	for (size_t i = 0; i < ARRAY_SIZE(have); i++)
		assert_int_equal(call(0x84000051, HIGH | have[i]), 0);
	assert_int_equal(call(0x84000051, 0x84000054), NOT_SUPPORTED);
	assert_int_equal(call(0x84000051, 0xc4000050), NOT_SUPPORTED);
	assert_int_equal(call(0x84000051, 0x84000000), NOT_SUPPORTED);
	assert_int_equal(call(0x84000051, 0), NOT_SUPPORTED);
	preserved("TRNG_FEATURES", 2);
	/* A UUID in w0-w3, bytes in order from the low end; w0 must not look like an error. */
	call(0x84000052, 0);
	assert_true((s32)vcpu.gpr[0] > 0);
	for (u32 i = 0; i < 4; i++)
		assert_int_equal(vcpu.gpr[i] >> 32, 0);
	/*
	 * RFC 4122: version 4 in the high nibble of byte 6, variant 10x in the high bits of byte 8.
	 */
	assert_int_equal(vcpu.gpr[1] >> 20 & 0xf, 4);
	assert_int_equal(vcpu.gpr[2] >> 6 & 3, 2);
	preserved("TRNG_GET_UUID", 4);
}

static void trng_absent(void **state)
{
	(void)state;
	feat.rng = false;
	for (u32 fid = 0x84000050; fid <= 0x84000053; fid++)
		assert_int_equal(call(fid, 32), NOT_SUPPORTED);
	assert_int_equal(call(0xc4000053, 64), NOT_SUPPORTED);
}

/*
 * Every bit count up to beyond the maximum: as many low bits set of {x1, x2, x3} as were asked
 * for, no more.
 */
static void trng_bits(u32 fid, u32 word)
{
	for (u64 bits = 0; bits <= 3 * word + 8; bits++) {
		u32 words = (u32)((bits + word - 1) / word);
		bool good = bits >= 1 && bits <= 3 * word;
		u64 want[4] = { 0 };

		setup(NULL);
		for (u32 i = 0; i < 8; i++)
			fake_rndr[i] = ~0UL;
		fake_rndr_left = good ? (int)words : 8;
		/* Bit b of the number is bit b % word of register 3 - b / word. */
		for (u64 b = 0; good && b < bits; b++)
			want[3 - b / word] |= 1UL << b % word;
		call(fid, bits | (word == 32 ? HIGH : 0));
		if ((s64)vcpu.gpr[0] != (good ? 0 : INVALID_PARAMETERS))
			fail_msg("%u-bit words, %lu bits: x0 = %ld", word, bits, (s64)vcpu.gpr[0]);
		for (u32 i = 1; i < 4; i++)
			if (vcpu.gpr[i] != want[i])
				fail_msg("%u-bit words, %lu bits: x%u = %#lx, want %#lx", word,
					 bits, i, vcpu.gpr[i], want[i]);
		preserved("TRNG_RND", 4);
	}
}

static void trng_rnd32(void **state)
{
	(void)state;
	trng_bits(0x84000053, 32);
}

static void trng_rnd64(void **state)
{
	(void)state;
	trng_bits(0xc4000053, 64);
	assert_int_equal(call(0xc4000053, HIGH | 64), INVALID_PARAMETERS);
	assert_int_equal(call(0xc4000053, ~0UL), INVALID_PARAMETERS);
}

/* Words are different random numbers, each used once. */
static void trng_fresh(void **state)
{
	(void)state;
	fake_rndr[2] = 0x1111111111111111;
	fake_rndr[1] = 0x2222222222222222;
	fake_rndr[0] = 0x3333333333333333;
	fake_rndr_left = 3;
	assert_int_equal(call(0xc4000053, 192), 0);
	assert_int_equal(vcpu.gpr[1] ^ vcpu.gpr[2] ^ vcpu.gpr[3], 0);
	assert_int_not_equal(vcpu.gpr[1], vcpu.gpr[2]);
	assert_int_not_equal(vcpu.gpr[1], 0);
	assert_int_equal(fake_rndr_left, 0);
}

/* RNDR has none: NO_ENTROPY, and no part of a number. */
static void trng_no_entropy(void **state)
{
	(void)state;
	for (int left = 0; left < 3; left++)
		for (u32 wide = 0; wide < 2; wide++) {
			setup(NULL);
			fake_rndr[0] = fake_rndr[1] = ~0UL;
			fake_rndr_left = left;
			assert_int_equal(call(wide ? 0xc4000053 : 0x84000053, wide ? 192 : 96),
					 NO_ENTROPY);
			for (u32 i = 1; i < 4; i++)
				assert_int_equal(vcpu.gpr[i], 0);
			preserved("TRNG_RND without entropy", 4);
		}
}

/*
 * At vEL2 an HVC is an exception to vEL2 itself, which changes nothing else; its SMC is a call to
 * nidus, as its device tree says.
 */
static void at_vel2(void **state)
{
	struct exit exit = { .esr = HVC(7) };

	(void)state;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.gpr[0] = 0x80000000;
	assert_int_equal(hvc_trap(&vcpu, &exit), REFLECT);
	assert_int_equal(vcpu.gpr[0], 0x80000000);
	assert_int_equal(vcpu.pc, PC);
	preserved("HVC at vEL2", 1);
	exit.esr = SMC(0);
	assert_int_equal(smc_trap(&vcpu, &exit), RESUME);
	assert_int_equal(vcpu.gpr[0], 0x00010001);
	assert_int_equal(vcpu.pc, PC + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(smccc, setup),
		cmocka_unit_test_setup(unknown, setup),
		cmocka_unit_test_setup(psci_range, setup),
		cmocka_unit_test_setup(psci_verdicts, setup),
		cmocka_unit_test_setup(psci_again, setup),
		cmocka_unit_test_setup(immediates, setup),
		cmocka_unit_test_setup(conduits, setup),
		cmocka_unit_test_setup(pv_time_features, setup),
		cmocka_unit_test_setup(pv_time_st, setup),
		cmocka_unit_test_setup(pv_time_counts, setup),
		cmocka_unit_test_setup(pv_time_below, setup),
		cmocka_unit_test_setup(pv_time_reset, setup),
		cmocka_unit_test_setup(trng_discovery, setup),
		cmocka_unit_test_setup(trng_absent, setup),
		cmocka_unit_test_setup(trng_rnd32, setup),
		cmocka_unit_test_setup(trng_rnd64, setup),
		cmocka_unit_test_setup(trng_fresh, setup),
		cmocka_unit_test_setup(trng_no_entropy, setup),
		cmocka_unit_test_setup(at_vel2, setup),
	};

	return cmocka_run_group_tests_name("hvc", tests, NULL, NULL);
}
