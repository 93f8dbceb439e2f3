/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SIMD state that differs between the levels of a vcpu with EL2. Each step runs with interrupts
 * masked: a host section of an interrupt would flush the state and close CPTR_EL2 in the middle of
 * it.
 */
#include "simd/simd_level.h"

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "state/config.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vncr.h"

static bool live(const struct vcpu *vcpu)
{
	return vcpu->simd.cpu && vcpu->simd.cpu->simd.owner == vcpu;
}

/* The bits of SMCR_ELx that the VM has: those set in its largest value. */
static u64 smcr_bits(const struct simd_vcpu *s)
{
	return SMCR_LEN | s->smcr;
}

/* Save the level's ZCR_EL1 and SMCR_EL1 to where they are while the other level runs. */
static void put_lengths(struct vcpu *vcpu, u64 zcr, u64 smcr)
{
	if (vcpu->simd.vel1) {
		vncr_write(vcpu, VNCR_ZCR_EL1, zcr);
		vncr_write(vcpu, VNCR_SMCR_EL1, smcr);
	} else {
		vcpu->sr[SR_ZCR_EL2] = zcr;
		vcpu->sr[SR_SMCR_EL2] = smcr;
	}
}

static void get_lengths(const struct vcpu *vcpu, u64 *zcr, u64 *smcr)
{
	const struct simd_vcpu *s = &vcpu->simd;

	*zcr = s->vel1 ? vncr_read(vcpu, VNCR_ZCR_EL1) : vel2_zcr(vcpu);
	*smcr = s->vel1 ? vncr_read(vcpu, VNCR_SMCR_EL1) : vel2_smcr(vcpu);
	*zcr &= ZCR_LEN;
	*smcr &= smcr_bits(s);
}

/*
 * Whether the CPU is to have vEL1's lengths. Where vEL2 lets its guest have neither SVE nor SME, as
 * Linux/KVM mostly does, vEL1 reaches no length of its own and nothing longer than V: vEL2's stay,
 * and a switch has nothing to exchange.
 */
static bool uses_vel1_lengths(const struct vcpu *vcpu)
{
	return !vcpu->in_vel2 && ((vel2_cptr(vcpu) & (CPTR_ZEN | CPTR_SMEN)) ||
				  vcpu->vm->config->simd_switch);
}

/* Interrupts masked. */
static void switch_lengths(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;
	u64 zcr, smcr;

	if (live(vcpu)) {
		simd_open();
		simd_state_read_lengths(vcpu);
	}
	zcr = s->state->zcr_el1;
	smcr = s->state->smcr_el1;
	put_lengths(vcpu, zcr, smcr);
	s->vel1 = !s->vel1;
	get_lengths(vcpu, &s->state->zcr_el1, &s->state->smcr_el1);
	if (live(vcpu) && (zcr != s->state->zcr_el1 || smcr != s->state->smcr_el1))
		simd_state_write_lengths(vcpu);
	/* simd_open() changed CPTR_EL2. */
	vcpu->traps_stale = true;
}

/* The limit that vEL2 puts on vEL1: the shorter length, FA64 and ZT0 only if vEL2 has them on. */
static void compute_limits(const struct vcpu *vcpu, u64 *zcr, u64 *smcr)
{
	const struct simd_vcpu *s = &vcpu->simd;
	u64 vel2;

	*zcr = s->zcr;
	*smcr = s->smcr;
	if (!s->vel1)
		return;
	vel2 = vel2_zcr(vcpu) & ZCR_LEN;
	*zcr = MIN(*zcr, vel2);
	vel2 = vel2_smcr(vcpu);
	*smcr = MIN(*smcr & SMCR_LEN, vel2 & SMCR_LEN) | (*smcr & vel2 & (SMCR_FA64 | SMCR_EZT0));
}

/* Interrupts masked. */
static void apply_limits(struct vcpu *vcpu)
{
	u64 zcr, smcr;

	if (!live(vcpu))
		return;
	compute_limits(vcpu, &zcr, &smcr);
	if (vcpu->simd.zcr_now == zcr && vcpu->simd.smcr_now == smcr)
		return;
	simd_open();
	simd_state_limit(vcpu, zcr, smcr);
	vcpu->traps_stale = true;
}

static void flush_counted(struct vcpu *vcpu)
{
	u64 bytes = vcpu->simd.bytes;

	simd_flush(vcpu);
	vcpu->account.level_bytes += vcpu->simd.bytes - bytes;
}

void simd_level_full(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;
	bool changed = s->vel1 != uses_vel1_lengths(vcpu);
	u64 daif;

	/* With the old level's lengths still in the registers. */
	if (unlikely(changed && vcpu->vm->config->simd_switch))
		flush_counted(vcpu);
	if (!s->vl) {
		s->vel1 = !vcpu->in_vel2;
		return;
	}
	daif = irq_save();
	if (changed)
		switch_lengths(vcpu);
	apply_limits(vcpu);
	irq_restore(daif);
}

/* State in memory: only the saved lengths change places. */
static void exchange_homes(struct vcpu *vcpu)
{
	struct simd_vcpu *s = &vcpu->simd;

	put_lengths(vcpu, s->state->zcr_el1, s->state->smcr_el1);
	s->vel1 = !s->vel1;
	get_lengths(vcpu, &s->state->zcr_el1, &s->state->smcr_el1);
}

/*
 * Exchange the lengths of a live state whose limits stay as they are; false if they do not. While
 * CPTR_EL2 is as the level that was left had it, its lengths can be read if it could change them
 * (open), and without an ISB. Where vEL1 could not, they are what they were.
 */
static bool exchange_live(struct vcpu *vcpu, u64 open, u64 all)
{
	struct simd_vcpu *s = &vcpu->simd;
	struct simd_state *st = s->state;
	u64 zcr = st->zcr_el1, smcr = st->smcr_el1, limit_zcr, limit_smcr;

	if (open & CPTR_ZEN)
		zcr = sysreg_read(ZCR_EL12);
	if (open & CPTR_SMEN)
		smcr = sysreg_read(SMCR_EL12);
	put_lengths(vcpu, zcr, smcr); /* vEL2's are vEL1's limits */
	s->vel1 = !s->vel1;
	compute_limits(vcpu, &limit_zcr, &limit_smcr);
	if (limit_zcr != s->zcr_now || limit_smcr != s->smcr_now) {
		s->vel1 = !s->vel1;
		return false;
	}
	get_lengths(vcpu, &st->zcr_el1, &st->smcr_el1);
	if (zcr != st->zcr_el1 || smcr != st->smcr_el1) {
		if (~open & all)
			simd_open();
		simd_state_write_lengths(vcpu);
	}
	return true;
}

bool simd_level_same(struct vcpu *vcpu)
{
	const struct simd_vcpu *s = &vcpu->simd;
	/* QEMU 10.0 asks FPEN for the lengths as well. */
	u64 open = cpu_this()->traps.cptr, all = CPTR_FPEN | CPTR_ZEN | (s->svl ? CPTR_SMEN : 0);

	if (!s->vl || vcpu->vm->config->simd_switch)
		return false;
	if (s->vel1 == uses_vel1_lengths(vcpu))
		return true;
	if (!live(vcpu)) {
		exchange_homes(vcpu);
		return true;
	}
	if (!s->vel1 && (~open & all)) {
		/* vEL2 may have closed it after it changed a length, as KVM always does. */
		simd_open();
		open = all;
	} else if (!(open & CPTR_FPEN) && (all & open)) {
		return false;
	}
	return exchange_live(vcpu, open, all);
}

/* Whether vEL2's own CPTR_EL2 traps vEL2 (0b01 does not: it is about EL0). */
static bool trapped_at_vel2(const struct vcpu *vcpu, u64 field)
{
	u64 cptr = vel2_cptr_word(vcpu) & field;

	return !(cptr & (field & -field));
}

/*
 * Access a length register; home points into the state's home, which has vEL2's lengths:
 * simd_level() came first.
 */
static enum verdict length_access(struct vcpu *vcpu, u64 *home, bool write, u64 *value, u64 bits)
{
	u64 daif;

	simd_level(vcpu);
	daif = irq_save();
	if (live(vcpu)) {
		simd_open();
		simd_state_read_lengths(vcpu);
		vcpu->traps_stale = true;
	}
	if (write)
		*home = *value & bits;
	else
		*value = *home;
	if (live(vcpu) && write)
		simd_state_write_lengths(vcpu);
	irq_restore(daif);
	return SKIP;
}

enum verdict emul_zcr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2 || !vcpu->simd.vl)
		return UNDEF;
	if (trapped_at_vel2(vcpu, CPTR_ZEN)) {
		vcpu->inject_esr = ESR(EC_SVE, 0UL);
		return INJECT;
	}
	return length_access(vcpu, &vcpu->simd.state->zcr_el1, write, value, ZCR_LEN);
}

enum verdict emul_smcr_el2(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!vcpu->in_vel2 || !vcpu->simd.svl)
		return UNDEF;
	if (trapped_at_vel2(vcpu, CPTR_SMEN)) {
		vcpu->inject_esr = ESR(EC_SME, 0UL);
		return INJECT;
	}
	return length_access(vcpu, &vcpu->simd.state->smcr_el1, write, value,
			     smcr_bits(&vcpu->simd));
}
