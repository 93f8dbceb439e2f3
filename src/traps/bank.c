/* SPDX-License-Identifier: Apache-2.0 */
/* Save, load and reset of sysreg.def's rows. */
#include "traps/bank.h"

#include "arch/feat.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "arch/sysreg_table.h"
#include "simd/simd.h"
#include "state/vcpu.h"
#include "state/vncr.h"
#include "traps/debug.h"

#define SAVE(id, reg, condition)                                                                   \
	if (condition)                                                                             \
		sr[id] = sysreg_read(reg);
/*
 * Compare first: reading costs next to nothing anywhere, while writing some of these invalidates
 * TLBs in an emulator even if the value is the old one (TCR_EL1), and serialises on many CPUs.
 */
#define LOAD(id, reg, condition)                                                                   \
	if ((condition) && sysreg_read(reg) != sr[id])                                             \
		sysreg_write(reg, sr[id]);
#define NOTHING(...)
/* Only a level switch treats SWAP rows differently. */
#define DO_SWAP DO_BANK

/* Rows whose home is memory are not moved. */
#define DO_TWIN NOTHING
#define DO_VNCR NOTHING
#define DO_EMUL NOTHING

#define BY_ID(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                     \
	DO_##home(SR_##name, accessor, condition)
#define BY_NAME(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                   \
	DO_##home(name, accessor, condition)

void bank_save(u64 *sr)
{
#define DO_BANK SAVE
#define DO_LIVE NOTHING
#define SYSREG BY_ID
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
}

void bank_load(const u64 *sr)
{
#define DO_BANK LOAD
#define DO_LIVE NOTHING
#define SYSREG BY_ID
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
}

/* The same rows of the vEL1 context, which are in the VNCR page while vEL2 runs. */
#define SAVE_VNCR(name, reg, condition)                                                            \
	if (condition)                                                                             \
		vncr_write(vcpu, VNCR_##name, sysreg_read(reg));
#define LOAD_VNCR(name, reg, condition)                                                            \
	if (condition) {                                                                           \
		u64 v = vncr_read(vcpu, VNCR_##name);                                              \
                                                                                                   \
		if (sysreg_read(reg) != v)                                                         \
			sysreg_write(reg, v);                                                      \
	}
/*
 * CPACR_EL1's fields for features that the VM lacks, which are kept open and hidden
 * (simd_cpacr_hidden).
 */
#define HIDDEN(name) (SR_##name == SR_CPACR_EL1 ? vcpu->cpacr_hidden : 0)
/*
 * Save one context and load the other: each register is read once, saved and (except SWAP's)
 * compared.
 */
#define SWAP_TO_VNCR(name, reg, condition)                                                         \
	if (condition) {                                                                           \
		page[VNCR_##name / 8] = sysreg_read(reg);                                          \
		sysreg_write(reg, sr[SR_##name]);                                                  \
	}
#define SWAP_FROM_VNCR(name, reg, condition)                                                       \
	if (condition) {                                                                           \
		sr[SR_##name] = sysreg_read(reg);                                                  \
		sysreg_write(reg, page[VNCR_##name / 8]);                                          \
	}
#define TO_VNCR(name, reg, condition)                                                              \
	if (condition) {                                                                           \
		u64 have = sysreg_read(reg), want = sr[SR_##name];                                 \
                                                                                                   \
		page[VNCR_##name / 8] = have & ~HIDDEN(name);                                      \
		if (have != want)                                                                  \
			sysreg_write(reg, want);                                                   \
	}
#define FROM_VNCR(name, reg, condition)                                                            \
	if (condition) {                                                                           \
		u64 have = sysreg_read(reg), want = page[VNCR_##name / 8] | HIDDEN(name);          \
                                                                                                   \
		sr[SR_##name] = have;                                                              \
		if (have != want)                                                                  \
			sysreg_write(reg, want);                                                   \
	}

void bank_save_vncr(struct vcpu *vcpu)
{
#define DO_BANK SAVE_VNCR
#define DO_LIVE NOTHING
#define SYSREG BY_NAME
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
	vncr_write(vcpu, VNCR_CPACR_EL1, vncr_read(vcpu, VNCR_CPACR_EL1) & ~vcpu->cpacr_hidden);
}

void bank_load_vncr(struct vcpu *vcpu)
{
#define DO_BANK LOAD_VNCR
#define DO_LIVE NOTHING
#define SYSREG BY_NAME
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
	if (unlikely(vcpu->cpacr_hidden))
		sysreg_write(CPACR_EL12, vncr_read(vcpu, VNCR_CPACR_EL1) | vcpu->cpacr_hidden);
}

void bank_enter_vel1(struct vcpu *vcpu)
{
	u64 *page = vcpu->vncr, *sr = vcpu->sr;

#undef DO_SWAP
#define DO_BANK FROM_VNCR
#define DO_SWAP SWAP_FROM_VNCR
#define DO_LIVE NOTHING
#define SYSREG BY_NAME
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
}

void bank_enter_vel2(struct vcpu *vcpu)
{
	u64 *page = vcpu->vncr, *sr = vcpu->sr;

#undef DO_SWAP
#define DO_BANK TO_VNCR
#define DO_SWAP SWAP_TO_VNCR
#define DO_LIVE NOTHING
#define SYSREG BY_NAME
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
}
#undef DO_SWAP
#define DO_SWAP DO_BANK

static void live_save(u64 *sr)
{
#define DO_BANK NOTHING
#define DO_LIVE SAVE
#define SYSREG BY_ID
#include "arch/sysreg.def"
#undef DO_BANK
#undef DO_LIVE
}

static void live_load(const u64 *sr)
{
#define DO_BANK NOTHING
#define DO_LIVE LOAD
#define SYSREG BY_ID
#include "arch/sysreg.def"
}

void sysreg_save(struct vcpu *vcpu)
{
	if (unlikely(vcpu->has_vel2 && !vcpu->in_vel2))
		bank_save_vncr(vcpu);
	else
		bank_save(vcpu->sr);
	live_save(vcpu->sr);
	debug_save(vcpu);
}

void sysreg_load(struct vcpu *vcpu)
{
	if (unlikely(vcpu->has_vel2 && !vcpu->in_vel2))
		bank_load_vncr(vcpu);
	else
		bank_load(vcpu->sr);
	live_load(vcpu->sr);
	debug_load(vcpu);
}

void sysreg_reset(struct vcpu *vcpu)
{
	static const u64 values[SR_COUNT] = {
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, condition, reset)                    \
	[SR_##name] = (reset),
#include "arch/sysreg.def"
	};

	for (u32 i = 0; i < SR_COUNT; i++)
		vcpu->sr[i] = values[i];
	debug_reset(vcpu);
}
