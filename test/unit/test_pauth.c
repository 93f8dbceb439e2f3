/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ERETAA and ERETAB of vEL2 against Auth() of Arm's pseudocode, restated field by field. The cipher
 * is any function of pointer, modifier and key, of which PACGA shows the upper half.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/insn.h"
#include "arch/sysreg.h"
#include "nested/pauth.h"
#include "nested/inject.h"
#include "state/vcpu.h"
#include "state/vm.h"

static struct vm vm;
static struct vcpu vcpu;
static u64 seed;

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL;
}

static u64 cipher(u64 x, u64 y, u64 hi, u64 lo)
{
	u64 v = x * 0x9e3779b97f4a7c15UL + (y ^ hi) * 0xbf58476d1ce4e5b9UL + lo;

	v = (v ^ v >> 29) * 0x94d049bb133111ebUL;
	return v ^ v >> 32;
}

static u64 pacga(u64 x, u64 y)
{
	return cipher(x, y, fake_get("APGAKeyHi_EL1"), fake_get("APGAKeyLo_EL1")) & ~0xffffffffUL;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	vcpu.in_vel2 = true;
	seed = 0x1234567;
	vcpu.inject_esr = 0;
	fake_pacga = pacga;
	fake_set("APIAKeyLo_EL1", 0x1111111122222222);
	fake_set("APIAKeyHi_EL1", 0x3333333344444444);
	fake_set("APIBKeyLo_EL1", 0x5555555566666666);
	fake_set("APIBKeyHi_EL1", 0x7777777788888888);
	fake_set("APGAKeyLo_EL1", 0xabcdef);
	fake_set("APGAKeyHi_EL1", 0xfedcba);
	fake_set("SP_EL1", 0xffff800012345670);
	fake_set("SP_EL0", 0x0000aaaabbbbccc0);
	return 0;
}

/* One machine and one instruction. */
struct situation {
	u64 tcr;
	u32 level;   /* of FEAT_PAuth: 1, 2: EPAC, 3: PAuth2, 4: FPAC, 5: FPACCOMBINE */
	u32 where;   /* which field says so */
	bool ttst, key_b, sp_el0, enabled;
};

static void put(const struct situation *s)
{
	u64 *id = vm.id_regs.v;

	id[IDX_ID_AA64ISAR1_EL1] = s->where == 0   ? s->level << 4
				   : s->where == 1 ? s->level << 8
						   : 0;
	id[IDX_ID_AA64ISAR2_EL1] = s->where == 2 ? s->level << 12 : 0;
	id[IDX_ID_AA64MMFR2_EL1] = s->ttst ? 1UL << 28 : 0;
	fake_set("TCR_EL12", s->tcr);
	/* EnIA 31, EnIB 30: the other one has no effect. */
	fake_set("SCTLR_EL12", (u64)s->enabled << (s->key_b ? 30 : 31) |
				       (random64() & 1) << (s->key_b ? 31 : 30));
	vcpu.pstate = s->sp_el0 ? 4 : 5;
}

struct layout {
	bool tbi;
	u32 bottom;
};

/* EffectiveTBI(ptr, IsInstr) and CalculateBottomPACBit(ptr[55]). */
static struct layout layout_of(const struct situation *s, u64 ptr)
{
	bool up = ptr >> 55 & 1;
	u32 txsz = (u32)(up ? s->tcr >> 16 : s->tcr) & 63, max = 39;
	bool tbi = s->tcr >> (up ? 38 : 37) & 1, tbid = s->tcr >> (up ? 52 : 51) & 1;

	if (s->ttst)
		max = (up ? (s->tcr >> 30 & 3) == 3 : (s->tcr >> 14 & 3) == 1) ? 47 : 48;
	if (txsz < 16)
		txsz = 16;
	if (txsz > max)
		txsz = max;
	return (struct layout){ tbi && !tbid, 64 - txsz };
}

static u64 bit_copy(u64 to, u64 from, u32 n)
{
	return (to & ~(1UL << n)) | (from & 1UL << n);
}

/* original_ptr of Auth(): bits 54 to bottom, and 63 to 56 without TBI, are copies of bit 55. */
static u64 original(u64 ptr, struct layout l)
{
	for (u32 n = l.bottom; n < 64; n++)
		if (n < 55 || (n > 55 && !l.tbi))
			ptr = bit_copy(ptr, ptr >> 55 & 1 ? ~0UL : 0, n);
	return ptr;
}

static u64 ref_pac(const struct situation *s, u64 orig)
{
	u64 modifier = s->sp_el0 ? 0x0000aaaabbbbccc0 : 0xffff800012345670;

	return s->key_b ? cipher(orig, modifier, 0x7777777788888888, 0x5555555566666666)
			: cipher(orig, modifier, 0x3333333344444444, 0x1111111122222222);
}

/* Auth(); *fail: it raised PACFail. What PACGA does not return, below bit 32, is not compared. */
static u64 ref_auth(const struct situation *s, u64 ptr, bool *fail)
{
	struct layout l = layout_of(s, ptr);
	u64 orig = original(ptr, l), pac = ref_pac(s, orig), result = orig;
	bool same = true;
	u64 code = s->key_b ? 2 : 1; /* key_number:NOT(key_number) */

	for (u32 n = l.bottom < 32 ? 32 : l.bottom; n < 64; n++) {
		if (n == 55 || (n > 55 && l.tbi))
			continue;
		if ((ptr ^ pac) >> n & 1)
			same = false;
		if (s->level >= 3)
			result = bit_copy(result, ptr ^ pac, n);
	}
	*fail = s->level >= 5 && result != orig;
	if (s->level >= 3 || same)
		return result;
	if (l.tbi)
		return (orig & ~(3UL << 53)) | code << 53;
	return (orig & ~(3UL << 61)) | code << 61;
}

/* AddPAC() of an address. */
static u64 ref_sign(const struct situation *s, u64 ptr)
{
	struct layout l = layout_of(s, ptr);
	u64 orig = original(ptr, l), pac = ref_pac(s, orig), result = orig;

	for (u32 n = l.bottom; n < 64; n++) {
		if (n == 55 || (n > 55 && l.tbi))
			continue;
		/*
		 * With FEAT_PAuth2 it is exclusive-ORed: what authenticates is PAC ^ copies of bit
		 * 55.
		 */
		result = bit_copy(result, s->level >= 3 ? pac ^ orig : pac, n);
	}
	return result;
}

static struct situation random_situation(void)
{
	struct situation s = {
		.tcr = random64(),
		.level = 1 + (u32)(random64() % 5),
		.where = (u32)(random64() % 3),
		.ttst = random64() & 1,
		.key_b = random64() & 1,
		.sp_el0 = random64() & 1,
		.enabled = random64() % 8,
	};

	/* Mostly what systems use: 48 or 39 bits. */
	if (random64() & 1)
		s.tcr = (s.tcr & ~(63UL | 63UL << 16)) |
			(random64() & 1 ? 16 | 16 << 16 : 25 | 25 << 16);
	return s;
}

static void check_one(const struct situation *s, u64 ptr, const char *what)
{
	struct exit exit = { .esr = 0x1aUL << 26 | 1UL << 25 | 2 | s->key_b };
	bool fail = false, ok;
	u64 want = s->enabled ? ref_auth(s, ptr, &fail) : ptr, got = ptr;

	put(s);
	vcpu.inject_esr = 0;
	ok = pauth_eret(&vcpu, &exit, &got);
	if (ok == fail || !!vcpu.inject_esr != fail || (ok && got != want))
		fail_msg(
			"%s: %#lx, TCR %#lx, level %u, TTST %d, key %c, SP_EL%d, on %d: %s %#lx, want %s %#lx",
			what, ptr, s->tcr, s->level, s->ttst, s->key_b ? 'B' : 'A', !s->sp_el0,
			s->enabled, ok ? "gives" : "fails", got, fail ? "PACFail" : "",
			want);
	/* EC 0x1c, IL; ISS 0 for key IA, 1 for IB. */
	if (fail)
		assert_int_equal(vcpu.inject_esr, 0x72000000 | s->key_b);
	if (fake_get("APGAKeyLo_EL1") != 0xabcdef || fake_get("APGAKeyHi_EL1") != 0xfedcba)
		fail_msg("%s: the generic key is changed", what);
}

static void random_pointers(void **state)
{
	(void)state;
	for (u32 n = 0; n < 200000; n++) {
		struct situation s = random_situation();

		check_one(&s, random64(), "random");
	}
}

/*
 * What PACIA or PACIB made authenticates to the address; a pointer with one flipped bit does not.
 */
static void signed_pointers(void **state)
{
	(void)state;
	for (u32 n = 0; n < 20000; n++) {
		struct situation s = random_situation();
		u64 at = random64();
		struct layout l;
		u64 ptr, got;
		struct exit exit = { .esr = 0x1aUL << 26 | 1UL << 25 | 2 | s.key_b };

		s.enabled = true;
		l = layout_of(&s, at);
		at = original(at, l);
		ptr = got = ref_sign(&s, at);
		put(&s);
		if (!pauth_eret(&vcpu, &exit, &got) || got != at)
			fail_msg("%#lx for %#lx, TCR %#lx, level %u: %#lx", ptr, at, s.tcr, s.level,
				 got);
		for (u32 bit = 32; bit < 64; bit++) {
			bool of_pac = bit >= l.bottom && bit != 55 && !(bit > 55 && l.tbi);

			check_one(&s, ptr ^ 1UL << bit, "one bit flipped");
			got = ptr ^ 1UL << bit;
			put(&s);
			if (of_pac && pauth_eret(&vcpu, &exit, &got) && got == at)
				fail_msg("%#lx with bit %u flipped authenticates", ptr, bit);
		}
	}
}

/* With the key disabled in SCTLR_EL2 nothing is authenticated and no key is moved. */
static void disabled(void **state)
{
	struct situation s = { .tcr = 16 | 16 << 16, .level = 5, .enabled = false };

	(void)state;
	check_one(&s, 0x1234567812345678, "off");
	assert_int_equal(fake_writes("APGAKeyLo_EL1"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(random_pointers, setup),
		cmocka_unit_test_setup(signed_pointers, setup),
		cmocka_unit_test_setup(disabled, setup),
	};

	return cmocka_run_group_tests_name("pauth", tests, NULL, NULL);
}
