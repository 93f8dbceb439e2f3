/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions raised at a guest's EL1, against AArch64.TakeException restated bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "arch/idspace.h"
#include "arch/sysreg.h"
#include "state/vncr.h"
#include "nested/inject.h"
#include "nested/s1walk.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define VBAR 0xffff800008012800UL
#define PC 0xffff800010abcdecUL

struct feat feat;
static struct vcpu vcpu;
static int walk_level;
static u64 walk_va, walk_ipa;

int s1walk_fault_level(struct vcpu *v, va_t at, u64 fault_ipa)
{
	assert_ptr_equal(v, &vcpu);
	walk_va = at.a;
	walk_ipa = fault_ipa;
	return walk_level;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	memset(&vcpu, 0, sizeof(vcpu));
	fake_set("VBAR_EL12", VBAR);
	vcpu.pc = PC;
	return 0;
}

/*
 * PSTATE of the handler as DDI 0487 gives it, one statement a field, in the order of SPSR_EL1's
 * bits.
 */
static u64 reference_pstate(u64 old, u64 sctlr)
{
	u64 p = 0;

	p |= 5;                               /* M: EL1h, AArch64 */
	p |= 1UL << 6 | 1UL << 7;             /* F, I */
	p |= 1UL << 8 | 1UL << 9;             /* A, D */
					      /* BTYPE 11:10: 0 */
	p |= ((sctlr >> 44) & 1) << 12;       /* SSBS: SCTLR_EL1.DSSBS */
	if (feat.nmi && !((sctlr >> 62) & 1)) /* ALLINT: not SCTLR_EL1.SPINTMASK */
		p |= 1UL << 13;
	/* IL 20, SS 21: 0 */
	if (!((sctlr >> 23) & 1)) /* PAN: set unless SCTLR_EL1.SPAN */
		p |= 1UL << 22;
	else
		p |= old & 1UL << 22;
	/* UAO 23: 0 */
	p |= old & 1UL << 24; /* DIT: kept; SS is bit 21, of AArch32 too */
	if (feat.mte)         /* TCO */
		p |= 1UL << 25;
	p |= old & 0xf0000000UL; /* NZCV: kept */
	return p;
}

static u64 reference_offset(u64 old)
{
	switch (old & 0x1f) {
	case 0x00:
		return 0x400; /* EL0t */
	case 0x04:
		return 0x000; /* EL1t */
	case 0x05:
		return 0x200; /* EL1h */
	}
	return 0x600; /* AArch32 */
}

static void check_state(const char *what, u64 old, u64 sctlr)
{
	u64 want_pc = VBAR + reference_offset(old), want = reference_pstate(old, sctlr);

	if (vcpu.pc != want_pc || vcpu.pstate != want || !vcpu.pc_dirty)
		fail_msg(
			"%s from pstate %#lx, SCTLR %#lx: pc %#lx (%#lx), pstate %#lx (want %#lx)",
			what, old, sctlr, vcpu.pc, want_pc, vcpu.pstate, want);
	if (fake_get("ELR_EL12") != PC || fake_get("SPSR_EL12") != old)
		fail_msg("%s from pstate %#lx: ELR %#lx, SPSR %#lx", what, old,
			 fake_get("ELR_EL12"), fake_get("SPSR_EL12"));
}

static u64 next_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005UL + 1442695040888963407UL;
	return *seed >> 16 ^ *seed << 40;
}

/* Every mode, every SCTLR control, random flags. */
static void take_exception(void **state)
{
	static const u64 modes[] = { 0x00, 0x04, 0x05, 0x10 };
	u64 seed = 1;

	(void)state;
	for (u32 n = 0; n < 64 * 200; n++) {
		u64 old = modes[n % 4] | (next_random(&seed) & 0xfbf01fc0UL & ~0x10UL);
		u64 sctlr = (n & 4 ? 1UL << 23 : 0) | (n & 8 ? 1UL << 44 : 0) |
			    (n & 16 ? 1UL << 62 : 0);

		if (old & 0x10) /* AArch32: of bits 23:10 only PAN, SS mean the same */
			old = 0x10 | (old & 0xf16001c0UL);
		feat.mte = n & 32;
		feat.nmi = next_random(&seed) & 1;
		fake_set("SCTLR_EL12", sctlr);
		vcpu.pc = PC;
		vcpu.pstate = old;
		vcpu.pc_dirty = false;
		inject_undef(&vcpu);
		check_state("undef", old, sctlr);
	}
}

static void undef_syndrome(void **state)
{
	(void)state;
	fake_set("FAR_EL12", 0x1234);
	vcpu.pstate = 5;
	inject_undef(&vcpu);
	/* EC 0, IL 1 (always for EC 0), ISS 0; FAR_EL1 is not written. */
	assert_int_equal(fake_get("ESR_EL12"), 0x02000000);
	assert_int_equal(fake_get("FAR_EL12"), 0x1234);
	assert_int_equal(fake_writes("FAR_EL12"), 0);
}

/*
 * FEAT_IDST: op0 3, op1 0, 1 or 3, CRn 0, CRm 0 to 7, read, where the VM has it in
 * ID_AA64MMFR2_EL1.IDS.
 */
static void undef_id_space(void **state)
{
	static struct vm vm;

	(void)state;
	vcpu.vm = &vm;
	for (u32 n = 0; n < 1u << 16; n++) {
		u64 op0 = n >> 14, op1 = n >> 11 & 7, crn = n >> 7 & 15, crm = n >> 3 & 15,
		    op2 = n & 7;
		u64 iss = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | 7UL << 5 | crm << 1;
		bool space = op0 == 3 && (op1 == 0 || op1 == 1 || op1 == 3) && crn == 0 && crm < 8;

		for (u32 i = 0; i < 4; i++) {
			bool read = i & 1, ids = i & 2;

			vm.id_regs.v[IDX_ID_AA64MMFR2_EL1] = ids ? 1UL << 36 : ~(15UL << 36);
			vcpu.exit.esr = 0x62000000 | iss | read;
			vcpu.pstate = 0;
			inject_undef(&vcpu);
			assert_int_equal(fake_get("ESR_EL12"),
					 space && read && ids ? 0x62000000 | iss | 1 : 0x02000000);
		}
	}
	/* Some other exit with the same bits. */
	vcpu.exit.esr = 0x5e300001;
	inject_undef(&vcpu);
	assert_int_equal(fake_get("ESR_EL12"), 0x02000000);
	vcpu.vm = NULL;
}

static void sync_far(void **state)
{
	(void)state;
	inject_sync(&vcpu, 0xf2000007, true, 0xabcdef0123456789);
	assert_int_equal(fake_get("ESR_EL12"), 0xf2000007);
	assert_int_equal(fake_get("FAR_EL12"), 0xabcdef0123456789);
}

/* VBAR_EL1[10:0] are RES0: if a CPU lets them be written, they still do not move the vector. */
static void vbar_low_bits(void **state)
{
	(void)state;
	fake_set("VBAR_EL12", VBAR | 0x7ff);
	vcpu.pstate = 5;
	inject_undef(&vcpu);
	assert_int_equal(vcpu.pc, VBAR + 0x200);
}

struct abort_case {
	const char *name;
	u64 esr;  /* as taken to EL2 */
	u64 mode; /* M[4:0] at the time */
	int level;
	u64 want; /* ESR_EL1 */
};

/* ESR values: EC << 26 | IL | ISS, written out. S1PTW is bit 7, WnR bit 6, CM bit 8, FnV bit 10. */
static const struct abort_case abort_cases[] = {
	{ "load, EL1", 0x93800004, 0x05, -1, 0x96000010 },
	{ "load, EL1t", 0x93800004, 0x04, -1, 0x96000010 },
	{ "store, EL1", 0x93800044, 0x05, -1, 0x96000050 },
	{ "load, EL0", 0x93800007, 0x00, -1, 0x92000010 },
	{ "store, EL0", 0x93800047, 0x00, -1, 0x92000050 },
	{ "store, AArch32 EL0", 0x93800047, 0x10, -1, 0x92000050 },
	{ "fetch, EL1", 0x82000006, 0x05, -1, 0x86000010 },
	{ "fetch, EL0", 0x82000006, 0x00, -1, 0x82000010 },
	{ "load, walk level 0", 0x92000084, 0x05, 0, 0x96000014 },
	{ "load, walk level 1", 0x92000085, 0x05, 1, 0x96000015 },
	{ "load, walk level 2", 0x92000086, 0x05, 2, 0x96000016 },
	{ "store, walk level 3", 0x920000c7, 0x05, 3, 0x96000057 },
	{ "store, walk level 3, EL0", 0x920000c7, 0x00, 3, 0x92000057 },
	{ "fetch, walk level 2, EL1", 0x82000086, 0x05, 2, 0x86000016 },
	{ "fetch, walk level 1, EL0", 0x82000086, 0x00, 1, 0x82000015 },
	{ "cache maintenance, walk level 3", 0x920001c7, 0x05, 3, 0x96000157 },
	{ "external abort of the machine, FAR not valid", 0x92000410, 0x05, -1, 0x96000410 },
	{ "the same of a fetch", 0x82000410, 0x05, -1, 0x86000410 },
};

static void external_aborts(void **state)
{
	const u64 far = 0xffff00001234567aUL, hpfar = 0x0000000000a12340UL; /* IPA 0xa1234000 */

	(void)state;
	for (size_t i = 0; i < sizeof(abort_cases) / sizeof(abort_cases[0]); i++) {
		const struct abort_case *c = &abort_cases[i];

		vcpu.exit = (struct exit){ .esr = c->esr, .far = far, .hpfar = hpfar };
		vcpu.pc = PC;
		vcpu.pstate = c->mode;
		walk_level = c->level;
		walk_va = walk_ipa = 0;
		inject_external_abort(&vcpu);
		if (fake_get("ESR_EL12") != c->want)
			fail_msg("%s: ESR %#lx, want %#lx", c->name, fake_get("ESR_EL12"), c->want);
		if (fake_get("FAR_EL12") != far)
			fail_msg("%s: FAR %#lx", c->name, fake_get("FAR_EL12"));
		check_state(c->name, c->mode, 0);
		if (c->level >= 0 && (walk_va != far || walk_ipa != 0xa1234000))
			fail_msg("%s: walked %#lx for IPA %#lx", c->name, walk_va, walk_ipa);
		if (c->level < 0 && walk_va)
			fail_msg("%s: walked for nothing", c->name);
	}
}

/*
 * vEL2, which runs at EL1, takes its own exceptions as EL2 would; L2's are those of an ordinary
 * guest, whatever L1's TGE is.
 */
static void both_levels(void **state)
{
	static u64 page[VNCR_WORDS];
	static struct vm vm;
	static const struct {
		bool in_vel2, tge, span;
		u32 nv; /* 1: HCR_EL2.NV; 2: a bit that this VM has not */
		u64 mode, spsr_mode, ec;
		bool pan;
	} cases[] = {
		{ true, false, false, 0, 5, 9, 0x25, false },
		{ true, false, false, 0, 4, 8, 0x25, false },
		{ true, true, false, 0, 5, 9, 0x25, true },
		{ true, true, true, 0, 5, 9, 0x25, false },
		{ true, true, false, 0, 0, 0, 0x24, true },
		{ false, false, false, 0, 5, 5, 0x25, true },
		{ false, true, false, 0, 0, 0, 0x24, true },
		{ false, false, true, 0, 5, 5, 0x25, false },
		{ false, false, true, 1, 5, 9, 0x25, false },
		{ false, false, true, 1, 4, 8, 0x25, false },
		{ false, false, true, 1, 0, 0, 0x24, false },
		{ false, false, true, 2, 5, 5, 0x25, false },
	};

	(void)state;
	vcpu.has_vel2 = true;
	vcpu.vncr = page;
	vcpu.vm = &vm;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		page[0x78 / 8] = (cases[i].tge ? 1UL << 27 : 0) | (cases[i].nv ? 1UL << 42 : 0);
		vm.nested.hcr = cases[i].nv == 2 ? ~(1UL << 42) : ~0UL;
		fake_set("SCTLR_EL12", cases[i].span ? 1UL << 23 : 0);
		vcpu.in_vel2 = cases[i].in_vel2;
		vcpu.pc = PC;
		vcpu.pstate = cases[i].mode;
		vcpu.exit = (struct exit){ .esr = 0x92000004 };
		inject_external_abort(&vcpu);
		if (fake_get("ESR_EL12") != (cases[i].ec << 26 | 1UL << 25 | 0x10) ||
		    fake_get("SPSR_EL12") != cases[i].spsr_mode ||
		    vcpu.pstate != (0x3c5 | (cases[i].pan ? 1UL << 22 : 0)) ||
		    vcpu.pc != VBAR + reference_offset(cases[i].mode))
			fail_msg("case %zu: ESR %#lx, SPSR %#lx, pstate %#lx, pc %#lx", i,
				 fake_get("ESR_EL12"), fake_get("SPSR_EL12"), vcpu.pstate, vcpu.pc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(take_exception, setup),
		cmocka_unit_test_setup(undef_syndrome, setup),
		cmocka_unit_test_setup(undef_id_space, setup),
		cmocka_unit_test_setup(sync_far, setup),
		cmocka_unit_test_setup(vbar_low_bits, setup),
		cmocka_unit_test_setup(external_aborts, setup),
		cmocka_unit_test_setup(both_levels, setup),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
