/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage-2 aborts: which are device accesses, what the syndrome's fields mean, which become
 * external aborts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/sysreg.h"
#include "mm/tlb.h"
#include "exit/abort.h"
#include "exit/hwerror.h"
#include "nested/inject.h"
#include "exit/mmio.h"
#include "exit/mmio_decode.h"
#include "nested/shadow.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define FAR 0xffff8000123456bcUL
#define HPFAR 0x000000000090a4d0UL /* IPA[47:12] = 0x90a4d */
#define IPA 0x90a4d6bcUL
#define VTTBR 0x0007000048001000UL

static struct vcpu vcpu;
static struct vm vm;
static unsigned decoded, accesses, flushes, walks;
static enum shadow_verdict shadow;
static bool answer;
static u64 device_data;
static struct mmio got;
static u64 got_at;

enum verdict mmio_decode_access(struct vcpu *v, const struct exit *exit, ipa_t at)
{
	assert_ptr_equal(v, &vcpu);
	assert_ptr_equal(exit, &vcpu.exit);
	decoded++;
	got_at = at.a;
	return answer ? SKIP : ABORT;
}

static unsigned external;

void hwerror_abort(struct vcpu *v, const struct exit *exit)
{
	assert_ptr_equal(v, &vcpu);
	assert_ptr_equal(exit, &vcpu.exit);
	external++;
}

static bool waits;

bool mmio_access(struct vcpu *v, ipa_t at, struct mmio *m)
{
	assert_ptr_equal(v, &vcpu);
	accesses++;
	got = *m;
	got_at = at.a;
	if (!m->write)
		m->data = device_data;
	m->waits = waits;
	return answer;
}

static u64 gpr_before(u32 n)
{
	return 0xfedcba9876543210UL ^ n * 0x0101010101010101UL;
}

void tlb_invalidate_vmid(u64 vttbr)
{
	assert_int_equal(vttbr, VTTBR);
	flushes++;
}

enum shadow_verdict shadow_fault(struct vcpu *v, const struct exit *exit, struct reflection *out)
{
	assert_ptr_equal(v, &vcpu);
	assert_ptr_equal(exit, &vcpu.exit);
	walks++;
	if (shadow == SHADOW_DEVICE)
		out->ipa = ipa(IPA + 0x1000);
	else if (shadow == SHADOW_REFLECT)
		out->esr = exit->esr;
	return shadow;
}

static int setup(void **state)
{
	(void)state;
	walks = 0;
	fake_set("VTTBR_EL2", VTTBR);
	flushes = 0;
	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.vm = &vm;
	for (u32 i = 0; i < 31; i++)
		vcpu.gpr[i] = gpr_before(i);
	vcpu.pc = 0x40080000;
	decoded = accesses = external = 0;
	answer = true;
	return 0;
}

static enum verdict data_abort(u64 iss)
{
	vcpu.exit = (struct exit){ .esr = 0x92000000 | iss, .far = FAR, .hpfar = HPFAR };
	return dabt_trap(&vcpu, &vcpu.exit);
}

/*
 * ISS of a described access: ISV | SAS | SSE | SRT | SF | AR | WnR | translation fault at level 3.
 */
static u64 iss(u32 sas, bool sse, u32 srt, bool sf, bool write)
{
	return 1UL << 24 | (u64)sas << 22 | (u64)sse << 21 | (u64)srt << 16 | (u64)sf << 15 |
	       (u64)write << 6 | 7;
}

static void untouched(const char *what, u32 except)
{
	for (u32 n = 0; n < 31; n++)
		if (n != except && vcpu.gpr[n] != gpr_before(n))
			fail_msg("%s: x%u was changed to %#lx", what, n, vcpu.gpr[n]);
	if (vcpu.pc != 0x40080000)
		fail_msg("%s: the PC is run.c's to move", what);
}

/* LDRB, LDRSB (W, X), ... as C's own types extend. */
static u64 loaded(u32 sas, bool sse, bool sf, u64 v)
{
	switch (sas << 2 | sse << 1 | sf) {
	case 0:
	case 1:
		return (uint8_t)v;
	case 2:
		return (uint32_t)(int32_t)(int8_t)v;
	case 3:
		return (uint64_t)(int64_t)(int8_t)v;
	case 4:
	case 5:
		return (uint16_t)v;
	case 6:
		return (uint32_t)(int32_t)(int16_t)v;
	case 7:
		return (uint64_t)(int64_t)(int16_t)v;
	case 8:
	case 9:
	case 10:
		return (uint32_t)v;
	case 11:
		return (uint64_t)(int64_t)(int32_t)v;
	case 13:
		return v;
	}
	return 0;
}

static void loads(void **state)
{
	static const u64 data[] = { 0,
				    0x7f,
				    0x80,
				    0xff,
				    0x7fff,
				    0x8000,
				    0xffff8080,
				    0x7fffffff,
				    0x80000000,
				    0xffffffff7fff7f7f,
				    0x8000000080008080,
				    ~0UL };

	(void)state;
	for (u32 kind = 0; kind <= 13; kind++)
		for (u32 srt = 0; srt < 32; srt++)
			for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
				u32 sas = kind >> 2;
				bool sse = kind & 2, sf = kind & 1;
				char what[64];

				if (kind == 12)
					continue; /* no 64-bit load into a W register */
				snprintf(what, sizeof(what), "SAS %u SSE %d SF %d SRT %u data %#lx",
					 sas, sse, sf, srt, data[i]);
				setup(NULL);
				device_data = data[i];
				if (data_abort(iss(sas, sse, srt, sf, false)) != SKIP ||
				    accesses != 1 || decoded)
					fail_msg("%s: not one access", what);
				if (got.size != 1 << sas || got.write || got_at != IPA)
					fail_msg("%s: %u bytes at %#lx", what, got.size, got_at);
				untouched(what, srt);
				if (srt != 31 && vcpu.gpr[srt] != loaded(sas, sse, sf, data[i]))
					fail_msg("%s: register %#lx, want %#lx", what,
						 vcpu.gpr[srt], loaded(sas, sse, sf, data[i]));
			}
}

static void stores(void **state)
{
	(void)state;
	for (u32 sas = 0; sas < 4; sas++)
		for (u32 srt = 0; srt < 32; srt++) {
			u64 v = srt == 31 ? 0 : gpr_before(srt); /* 31 is XZR, not SP */
			u64 want = sas == 0   ? (uint8_t)v
				   : sas == 1 ? (uint16_t)v
				   : sas == 2 ? (uint32_t)v
					      : v;

			setup(NULL);
			assert_int_equal(data_abort(iss(sas, false, srt, sas == 3, true)), SKIP);
			if (accesses != 1 || !got.write || got.size != 1 << sas ||
			    got.data != want || got_at != IPA)
				fail_msg("SAS %u SRT %u: %#lx, want %#lx", sas, srt, got.data,
					 want);
			untouched("store", 32);
		}
}

static void device_aborts(void **state)
{
	(void)state;
	answer = false;
	device_data = 0x55;
	assert_int_equal(data_abort(iss(2, false, 3, false, false)), ABORT);
	assert_int_equal(accesses, 1);
	untouched("nobody there", 32);
	assert_int_equal(data_abort(iss(3, false, 3, true, true)), ABORT);
}

/* A device that waits for other vcpus has not answered yet. */
static void device_waits(void **state)
{
	(void)state;
	waits = true;
	for (u32 write = 0; write < 2; write++) {
		assert_int_equal(data_abort(iss(3, false, 5, true, write)), AGAIN);
		untouched("a device that waits", 31);
	}
	waits = false;
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), SKIP);
	untouched("a device that has answered", 5);
	assert_int_equal(vcpu.gpr[5], device_data);
}

static void undescribed(void **state)
{
	(void)state;
	assert_int_equal(data_abort(7), SKIP);
	assert_int_equal(decoded, 1);
	assert_int_equal(got_at, IPA);
	answer = false;
	assert_int_equal(data_abort(0x47), ABORT);
	assert_int_equal(decoded, 2);
	assert_int_equal(accesses, 0);
}

static void cache_maintenance(void **state)
{
	(void)state;
	/* CM; WnR is 1 for it. There is nothing to maintain: the instruction is complete. */
	assert_int_equal(data_abort(0x147), SKIP);
	/* But the walk for its address may fault: S1PTW. */
	assert_int_equal(data_abort(0x1c7), ABORT);
	assert_int_equal(accesses + decoded, 0);
}

/*
 * Every fault status code: only translation and permission faults of the access itself can be a
 * device's. A TLB conflict (30) is resolved by invalidating the VMID's entries.
 */
static void status_codes(void **state)
{
	(void)state;
	for (u64 s1ptw = 0; s1ptw < 2; s1ptw++)
		for (u64 fsc = 0; fsc < 64; fsc++) {
			bool device =
				!s1ptw && ((fsc >= 4 && fsc <= 7) || (fsc >= 12 && fsc <= 15));
			enum verdict v;

			setup(NULL);
			v = data_abort((iss(2, false, 1, false, true) & ~0x3fUL) | fsc |
				       s1ptw << 7);
			if (v != (device        ? SKIP
				  : fsc == 0x30 ? RESUME
						: ABORT) ||
			    accesses != device || flushes != (fsc == 0x30) ||
			    external != (!device && fsc != 0x30))
				fail_msg("FSC %#lx, S1PTW %lu: verdict %d, %u accesses", fsc, s1ptw,
					 v, accesses);
		}
}

/* HPFAR_EL2.FIPA is IPA[51:12] in bits 43:4; NS (63) and the rest are not address. */
static void wide_ipa(void **state)
{
	(void)state;
	vcpu.exit = (struct exit){ .esr = 0x92000000 | iss(0, false, 0, false, false),
				   .far = 0xfff,
				   .hpfar = 0x80000ffffffffff0UL };
	dabt_trap(&vcpu, &vcpu.exit);
	assert_int_equal(got_at, 0x000fffffffffffffUL);
}

static void instruction_aborts(void **state)
{
	(void)state;
	for (u64 fsc = 0; fsc < 64; fsc++) {
		setup(NULL);
		vcpu.exit = (struct exit){ .esr = 0x82000000 | fsc, .far = FAR, .hpfar = HPFAR };
		assert_int_equal(iabt_trap(&vcpu, &vcpu.exit), fsc == 0x30 ? RESUME : ABORT);
		assert_int_equal(flushes, fsc == 0x30);
		assert_int_equal(external, fsc != 0x30); /* which looks at FSC */
		assert_int_equal(accesses + decoded, 0);
	}
}

/*
 * Of L2: a device access is one at the address to which L1 maps it. L1's tables are not walked
 * again if the fast path has just done so, but are for every other abort.
 */
static void of_l2(void **state)
{
	(void)state;
	vcpu.has_vel2 = true;
	shadow = SHADOW_DEVICE;
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), SKIP);
	assert_int_equal(got_at, IPA + 0x1000);
	assert_int_equal(walks, 1);
	vcpu.reflection = (struct reflection){ .ipa = ipa(IPA + 0x2000), .device = true };
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), SKIP);
	assert_int_equal(got_at, IPA + 0x2000);
	assert_int_equal(walks, 1);
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), SKIP);
	assert_int_equal(got_at, IPA + 0x1000);
	assert_int_equal(walks, 2);
	vcpu.reflection = (struct reflection){ .ipa = ipa(IPA + 0x2000), .device = true };
	assert_int_equal(data_abort(7), SKIP);
	assert_int_equal(decoded, 1);
	assert_int_equal(got_at, IPA + 0x2000);
	assert_int_equal(walks, 2);
	shadow = SHADOW_RETRY;
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), RESUME);
	shadow = SHADOW_REFLECT;
	assert_int_equal(data_abort(iss(3, false, 5, true, false)), REFLECT_ABORT);
	assert_int_equal(walks, 4);
	assert_int_equal(accesses, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads, setup),
		cmocka_unit_test_setup(stores, setup),
		cmocka_unit_test_setup(device_aborts, setup),
		cmocka_unit_test_setup(device_waits, setup),
		cmocka_unit_test_setup(undescribed, setup),
		cmocka_unit_test_setup(cache_maintenance, setup),
		cmocka_unit_test_setup(status_codes, setup),
		cmocka_unit_test_setup(wide_ipa, setup),
		cmocka_unit_test_setup(instruction_aborts, setup),
		cmocka_unit_test_setup(of_l2, setup),
	};

	return cmocka_run_group_tests_name("abort", tests, NULL, NULL);
}
