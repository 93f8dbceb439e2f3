/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The home of a vcpu's SIMD state, and its moves to and from the registers, always at the VM's
 * largest vector lengths. The only writer of SVCR, ZCR_EL2 and SMCR_EL2.
 */
#include "simd/simd_state.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "simd/simd_regs.h"
#include "state/vcpu.h"

#define V_SIZE 512

static u64 data_size(u32 vl, u32 svl)
{
	u64 longest = MAX(vl, svl);

	return longest ? SIMD_Z_SIZE(longest) : V_SIZE;
}

u64 simd_state_za(u32 vl, u32 svl)
{
	return ALIGN_UP(data_size(vl, svl), 64UL);
}

u64 simd_state_size(u32 vl, u32 svl)
{
	return sizeof(struct simd_state) + simd_state_za(vl, svl) + (u64)svl * svl;
}

u64 simd_zcr(u32 vl)
{
	return vl ? vl / 16 - 1 : 0;
}

u64 simd_smcr(u32 svl)
{
	if (!svl)
		return 0;
	return (svl / 16 - 1) | (feat.sme_fa64 ? SMCR_FA64 : 0) | (feat.sme2 ? SMCR_EZT0 : 0);
}

static u8 *za_of(const struct simd_vcpu *s)
{
	return s->state->data + simd_state_za(s->vl, s->svl);
}

/* In streaming mode FFR exists only with FEAT_SME_FA64. */
static bool ffr_exists(u64 svcr)
{
	return !(svcr & SVCR_SM) || feat.sme_fa64;
}

static u64 save_za(struct simd_vcpu *s)
{
	simd_regs_save_za(za_of(s), s->svl);
	if (feat.sme2)
		simd_regs_save_zt0(s->state->zt0);
	return (u64)s->svl * s->svl;
}

static u64 load_za(const struct simd_vcpu *s)
{
	simd_regs_load_za(za_of(s), s->svl);
	if (feat.sme2)
		simd_regs_load_zt0(s->state->zt0);
	return (u64)s->svl * s->svl;
}

/* FPSR before SVCR is cleared: leaving streaming mode sets it. */
static void save_status(struct simd_state *st)
{
	st->fpcr = sysreg_read(FPCR);
	st->fpsr = sysreg_read(FPSR);
	if (feat.fpmr)
		st->fpmr = sysreg_read(FPMR);
}

static void load_status(const struct simd_state *st)
{
	sysreg_write(FPCR, st->fpcr);
	sysreg_write(FPSR, st->fpsr);
	if (feat.fpmr)
		sysreg_write(FPMR, st->fpmr);
}

void simd_state_limit(struct vcpu *vcpu, u64 zcr, u64 smcr)
{
	sysreg_write(ZCR_EL2, zcr);
	if (vcpu->simd.svl)
		sysreg_write(SMCR_EL2, smcr);
	vcpu->simd.zcr_now = zcr;
	vcpu->simd.smcr_now = smcr;
}

void simd_state_read_lengths(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;

	s->state->zcr_el1 = sysreg_read(ZCR_EL12);
	if (s->svl)
		s->state->smcr_el1 = sysreg_read(SMCR_EL12);
}

void simd_state_write_lengths(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;

	sysreg_write(ZCR_EL12, s->state->zcr_el1);
	if (s->svl)
		sysreg_write(SMCR_EL12, s->state->smcr_el1);
}

u64 simd_state_save(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;
	struct simd_state *st = s->state;
	u64 svcr = 0, bytes;

	save_status(st);
	if (!s->vl) {
		simd_regs_save_v(st->data);
		return V_SIZE;
	}
	/* vEL2 may have limited vEL1: what is above that is still vEL2's. */
	if (s->zcr_now != s->zcr || s->smcr_now != s->smcr) {
		simd_state_limit(vcpu, s->zcr, s->smcr);
		if (s->svl)
			isb(); /* as in simd_state_load() */
	}
	if (s->svl) {
		svcr = sysreg_read(SVCR);
		st->svcr = svcr;
		st->smcr_el1 = sysreg_read(SMCR_EL12);
	}
	st->zcr_el1 = sysreg_read(ZCR_EL12);
	simd_regs_save_z(st->data, ffr_exists(svcr));
	bytes = SIMD_Z_SIZE(svcr & SVCR_SM ? s->svl : s->vl);
	if (svcr & SVCR_ZA)
		bytes += save_za(s);
	/* Another VM may lack SME, and host sections cannot run in streaming mode. */
	if (svcr)
		sysreg_write(SVCR, 0);
	return bytes;
}

void simd_state_forget(const struct vcpu *vcpu)
{
	if (vcpu->simd.svl)
		sysreg_write(SVCR, 0);
}

u64 simd_state_load(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;
	const struct simd_state *st = s->state;
	u64 svcr = 0, bytes;

	if (!s->vl) {
		simd_regs_load_v(st->data);
		load_status(st);
		return V_SIZE;
	}
	/*
	 * The lengths are self-synchronising: an instruction sees the last write before it in
	 * program order.
	 */
	s->zcr_now = s->zcr;
	s->smcr_now = s->smcr;
	sysreg_write(ZCR_EL2, s->zcr);
	sysreg_write(ZCR_EL12, st->zcr_el1);
	if (s->svl) {
		svcr = st->svcr;
		sysreg_write(SMCR_EL2, s->smcr);
		sysreg_write(SMCR_EL12, st->smcr_el1);
		/*
		 * But SMCR_EL2.EZT0 and FA64, which enable ZT0 and FFR, need an ISB like any other
		 * bit.
		 */
		isb();
		/*
		 * Before the data: entering streaming mode zeroes Z, P and FFR and sets FPSR, ZA
		 * on zeroes ZA.
		 */
		if (svcr)
			sysreg_write(SVCR, svcr);
	}
	simd_regs_load_z(st->data, ffr_exists(svcr));
	bytes = SIMD_Z_SIZE(svcr & SVCR_SM ? s->svl : s->vl);
	if (svcr & SVCR_ZA)
		bytes += load_za(s);
	load_status(st);
	return bytes;
}

#define RUBBISH 0x5bd1e995a5c3f00dUL
#define FPCR_RUBBISH 0x03c00000UL /* AHP is clear; DN, FZ, RMode */
#define FPSR_RUBBISH 0x0800009fUL

void simd_scramble(void)
{
	if (feat.sme) {
		sysreg_write(SMCR_EL2, SMCR_LEN);
		sysreg_write(SVCR, SVCR_SM | SVCR_ZA);
		simd_regs_scramble_za(RUBBISH, simd_regs_svl());
		sysreg_write(SVCR, 0);
	}
	if (feat.sve) {
		sysreg_write(ZCR_EL2, ZCR_LEN);
		simd_regs_scramble_z(RUBBISH);
	} else {
		simd_regs_scramble_v(RUBBISH);
	}
	sysreg_write(FPCR, FPCR_RUBBISH);
	sysreg_write(FPSR, FPSR_RUBBISH);
	if (feat.fpmr)
		sysreg_write(FPMR, RUBBISH);
}
