/* SPDX-License-Identifier: Apache-2.0 */
/* Hypercalls: the SMC Calling Convention (DEN0028) over HVC and SMC. */
#include "exit/hvc.h"

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/insn.h"
#include "arch/smccc.h"
#include "exit/account_call.h"
#include "exit/psci.h"
#include "state/stolen.h"
#include "state/vcpu.h"

#define TRNG_VERSION 0x84000050u
#define TRNG_FEATURES 0x84000051u
#define TRNG_GET_UUID 0x84000052u
#define TRNG_RND32 0x84000053u
#define TRNG_RND64 0xc4000053u

#define TRNG_VERSION_1_0 0x10000
#define TRNG_INVALID_PARAMETERS (-2L)
#define TRNG_NO_ENTROPY (-3L)

/* Whether a function answers that SMCCC_ARCH_FEATURES tells of. */
static bool is_feature(u32 fid)
{
	return fid == SMCCC_VERSION || fid == SMCCC_ARCH_FEATURES || fid == PV_TIME_FEATURES;
}

/* Stolen time (DEN0057). */
static s64 pv_time_call(struct vcpu *vcpu, u32 fid)
{
	u32 of = (u32)vcpu->gpr[1];

	if (fid == PV_TIME_ST)
		return (s64)stolen_publish(vcpu);
	return of == PV_TIME_FEATURES || of == PV_TIME_ST ? 0 : SMCCC_NOT_SUPPORTED;
}

/*
 * Fill words of word_bits with the CPU's random numbers, the lowest first; bits beyond the request
 * are 0.
 */
static s64 trng_fill(u64 words[3], u64 bits, u32 word_bits)
{
	u32 n = (u32)((bits + word_bits - 1) / word_bits);

	for (u32 i = 0; i < n; i++) {
		if (!insn_rndr(&words[i]))
			return TRNG_NO_ENTROPY;
		if (word_bits == 32)
			words[i] = (u32)words[i];
	}
	if (bits % word_bits)
		words[n - 1] &= BIT(bits % word_bits) - 1;
	return 0;
}

/* TRNG (DEN0098): x3 gets the lowest word, x2 and x1 the higher ones; all three are 0 on error. */
static s64 trng_rnd(struct vcpu *vcpu, u32 word_bits)
{
	u64 bits = word_bits == 32 ? (u32)vcpu->gpr[1] : vcpu->gpr[1], words[3] = { 0 };
	s64 ret = TRNG_INVALID_PARAMETERS;

	if (bits != 0 && bits <= 3 * word_bits)
		ret = trng_fill(words, bits, word_bits);
	for (u32 i = 0; i < 3; i++)
		vcpu->gpr[3 - i] = ret ? 0 : words[i];
	return ret;
}

static s64 trng_call(struct vcpu *vcpu, u32 fid)
{
	if (!feat.rng)
		return SMCCC_NOT_SUPPORTED;
	switch (fid) {
	case TRNG_VERSION:
		return TRNG_VERSION_1_0;
	case TRNG_FEATURES: {
		u32 f = (u32)vcpu->gpr[1];

		return f == TRNG_VERSION || f == TRNG_FEATURES || f == TRNG_GET_UUID ||
				       f == TRNG_RND32 || f == TRNG_RND64
			       ? 0
			       : SMCCC_NOT_SUPPORTED;
	}
	case TRNG_GET_UUID:
		/* 6e696475-7300-4e56-a000-54524e470001, as four words. */
		vcpu->gpr[1] = 0x564e0073;
		vcpu->gpr[2] = 0x525400a0;
		vcpu->gpr[3] = 0x0100474e;
		return 0x7564696e;
	case TRNG_RND32:
		return trng_rnd(vcpu, 32);
	case TRNG_RND64:
		return trng_rnd(vcpu, 64);
	}
	return SMCCC_NOT_SUPPORTED;
}

static bool is_psci(u32 fid)
{
	return (fid & ~0x4000001fu) == 0x84000000u;
}

static bool is_trng(u32 fid)
{
	return fid == TRNG_RND64 || (fid >= TRNG_VERSION && fid <= TRNG_RND32);
}

static enum verdict smccc_call(struct vcpu *vcpu)
{
	u32 fid = (u32)vcpu->gpr[0];
	s64 ret = SMCCC_NOT_SUPPORTED;

	if (is_psci(fid)) {
		enum verdict v = psci_call(vcpu, fid, &ret);

		if (v != RESUME)
			return v;
	} else if (fid == SMCCC_VERSION) {
		ret = SMCCC_VERSION_1_1;
	} else if (fid == SMCCC_ARCH_FEATURES) {
		ret = is_feature((u32)vcpu->gpr[1]) ? 0 : SMCCC_NOT_SUPPORTED;
	} else if (is_trng(fid)) {
		ret = trng_call(vcpu, fid);
	} else if (fid == PV_TIME_FEATURES || fid == PV_TIME_ST) {
		ret = pv_time_call(vcpu, fid);
	} else if (is_account_call(fid)) {
		ret = account_call(vcpu, fid);
	}
	vcpu->gpr[0] = (u64)ret;
	return RESUME;
}

static enum verdict call(struct vcpu *vcpu, const struct exit *exit)
{
	/* SMCCC uses immediate 0; nidus has no other hypercalls. */
	if (ESR_HVC_IMM(exit->esr) != 0) {
		vcpu->gpr[0] = (u64)SMCCC_NOT_SUPPORTED;
		return RESUME;
	}
	return smccc_call(vcpu);
}

enum verdict hvc_trap(struct vcpu *vcpu, const struct exit *exit)
{
	/* At vEL2 an HVC is an exception to vEL2 itself. */
	return unlikely(vcpu->in_vel2) ? REFLECT : call(vcpu, exit);
}

enum verdict smc_trap(struct vcpu *vcpu, const struct exit *exit)
{
	enum verdict verdict = call(vcpu, exit);

	if (likely(verdict != AGAIN))
		vcpu_step_over(vcpu, exit);
	return verdict;
}
