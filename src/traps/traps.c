/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap controls of a guest entry, and the only writer of their registers except CPTR_EL2, which
 * src/simd writes.
 */
#include "traps/traps.h"

#include "arch/barrier.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "simd/simd.h"
#include "state/cpu.h"
#include "state/vcpu.h"
#include "state/vel2_regs.h"
#include "state/vm.h"
#include "traps/traps_nested.h"
#include "vtimer/vtimer.h"

u64 traps_mdcr_extra;

/* With or without a guest: nidus runs with E2H, and takes the interrupts. */
#define HCR_ALWAYS (HCR_E2H | HCR_RW | HCR_AMO | HCR_IMO | HCR_FMO | HCR_TSC)

/*
 * An ordinary guest. The bits that are a decision:
 *   PTW   A guest's table walk through what stage 2 calls Device takes a permission fault:
 *         speculative walks must not touch device registers. RAM is Normal at stage 2.
 *   SWIO  Set/way maintenance is not trapped (no TSW): it acts on the caches of the CPU that the
 *         vcpu is on, which is all the architecture promises for it, and SWIO makes an invalidate
 *         a clean and invalidate, so that it can't undo another VM's stores.
 *   TEA   An external abort may come from what nidus mapped; abort.c makes it the guest's.
 *   TWE   Not set: waiting for an event is short, and who spins is preempted by the time slice.
 *   FB, BSU  Not set. A guest's local TLBI and IC need not be broadcast, as vcpu_load() cleans the
 *         VMID's entries whenever a vcpu comes to a CPU where it was not its VM's last, or that it
 *         had left since; vcpu_put() completes what it had begun. Guests then pay for a migration,
 *         not for each local invalidation.
 *   TPCP, TPU, TTLB, TVM, TRVM, TDZ, TID0, TICAB, TOCU, TTLBIS, TTLBOS  Not set: all of it works
 *         natively.
 *   ATA, ENSCXT, FIEN, AMVOFFEN  Clear: MTE, SCXTNUM, RAS fault injection and AMU are hidden.
 *   FWB   Clear: stage 2 attributes are in the format without it.
 */
#define HCR_GUEST                                                                                  \
	(HCR_ALWAYS | HCR_VM | HCR_PTW | HCR_SWIO | HCR_TWI | HCR_TID1 | HCR_TID3 | HCR_TIDCP |    \
	 HCR_TACR | HCR_TLOR)

static u64 hcr_compute(void)
{
	u64 hcr = HCR_GUEST;

	/* TID2 would trap CTR_EL0 as well, which programs read at EL0. */
	hcr |= feat.evt ? HCR_TID4 : HCR_TID2;
	if (feat.any_ras)
		hcr |= HCR_TERR | HCR_TEA;
	if (feat.pauth)
		hcr |= HCR_APK | HCR_API;
	if (feat.any_mte)
		hcr |= HCR_TID5;
	return hcr;
}

static u64 hcrx_compute(void)
{
	u64 hcrx = 0;

	if (!feat.hcx)
		return 0;
	if (feat.mops)
		hcrx |= HCRX_MSCEN;
	if (feat.any_nmi) /* hidden: ALLINT is UNDEFINED to the guest */
		hcrx |= HCRX_TALLINT;
	return hcrx;
}

static u64 mdcr_compute(bool debug_live)
{
	/*
	 * TDE is clear: debug exceptions are the guest's. E2PB, E2TB clear: buffers are EL2's and
	 * trap.
	 */
	u64 mdcr = MDCR_TDRA | MDCR_TDOSA | traps_mdcr_extra;

	if (!debug_live)
		mdcr |= MDCR_TDA;
	if (feat.pmu) /* all counters in the guest range, as after reset, and trapped */
		mdcr |= MDCR_TPM | MDCR_TPMCR | feat.pmu_counters;
	if (feat.spe)
		mdcr |= MDCR_TPMS;
	if (feat.tracefilt)
		mdcr |= MDCR_TTRF;
	if (feat.fgt)
		mdcr |= MDCR_TDCC;
	return mdcr;
}

static u64 cnthctl_compute(const struct vcpu *vcpu)
{
	/* EVNTEN, EL1TVT, EL1TVCT clear: nothing of the virtual timer traps. */
	if (vtimer_has_cntpoff())
		return CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN | CNTHCTL_ECV;
	/* A nested VM's offset is 0 then: its physical counter and timer are the CPU's. */
	return vcpu->has_vel2 ? CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN : 0;
}

struct traps traps_compute(const struct vcpu *vcpu)
{
	struct traps t = {
		.hcr = hcr_compute(),
		.hcrx = hcrx_compute(),
		.mdcr = mdcr_compute(vcpu->debug_live),
		.cptr = simd_cptr(vcpu),
		.cnthctl = cnthctl_compute(vcpu),
	};

	/*
	 * Fine-grained traps: none of the positive ones; of those that trap while 0, what the VM
	 * has. The others stay 0 and so hide GCS, PIE, POE, THE, LS64_ACCDATA, BRBE and what is yet
	 * to come. nSMPRI_EL1 stays 0 as well: a VM has no streaming priorities.
	 */
	if (feat.fgt && vcpu->simd.svl)
		t.hfgrtr = t.hfgwtr = HFGXTR_NTPIDR2_EL0;
	if (unlikely(vcpu->has_vel2))
		return vcpu->in_vel2 ? traps_for_vel2(&t, vcpu) : traps_merge_vel1(&t, vcpu);
	return t;
}

#define LOAD(field, reg)                                                                           \
	if (have->field != t->field) {                                                             \
		have->field = t->field;                                                            \
		sysreg_write(reg, t->field);                                                       \
	}
#define DIFFER(field) (have->field ^ t->field)

/*
 * Write CNTHCTL_EL2 by CNTKCTL_EL1's name, as HCR_EL2.E2H permits, if that does not trap at a
 * virtual EL2.
 */
static inline void cnthctl_write(u64 v)
{
	if (feat.cnthctl_by_cntkctl)
		sysreg_write(CNTKCTL_EL1, v);
	else
		sysreg_write(CNTHCTL_EL2, v);
}

static inline void load(struct traps *have, const struct traps *t)
{
	LOAD(hcr, HCR_EL2)
	LOAD(hdfgrtr, HDFGRTR_EL2)
	simd_cptr_load(have, t->cptr);
	if (DIFFER(cnthctl) | DIFFER(hdfgwtr)) {
		if (DIFFER(cnthctl))
			cnthctl_write(t->cnthctl);
		have->cnthctl = t->cnthctl;
		LOAD(hdfgwtr, HDFGWTR_EL2)
	}
	/* Those that seldom differ, together. */
	if (!(DIFFER(mdcr) | DIFFER(hcrx) | DIFFER(hfgrtr) | DIFFER(hfgwtr) | DIFFER(hfgitr)))
		return;
	LOAD(mdcr, MDCR_EL2)
	LOAD(hcrx, HCRX_EL2)
	LOAD(hfgrtr, HFGRTR_EL2)
	LOAD(hfgwtr, HFGWTR_EL2)
	LOAD(hfgitr, HFGITR_EL2)
}

void traps_load(const struct traps *t)
{
	load(&cpu_this()->traps, t);
}

void traps_invalidate(struct vcpu *vcpu)
{
	vcpu_invalidate_traps(vcpu);
}

/* ---- the cache of a vcpu with EL2: by vEL2's words, and by whose SIMD state is live ---- */

/* The words of vEL2's page that determine vEL1's machine, in no particular order. */
#define WORD_HCR 0
static const u16 page_words[] = {
	[WORD_HCR] = VNCR_HCR_EL2, VNCR_HCRX_EL2,	  VNCR_HFGRTR_EL2, VNCR_HFGWTR_EL2,
	VNCR_HFGITR_EL2, VNCR_HDFGRTR_EL2, VNCR_HDFGWTR_EL2, VNCR_VTTBR_EL2,
	VNCR_VTCR_EL2,	 VNCR_VPIDR_EL2,   VNCR_VMPIDR_EL2,
};
/* And the registers that trap, both copies of CNTHCTL_EL2 among them. */
static const u16 other_words[] = { SR_MDCR_EL2, SR_CNTHCTL_EL2, SR_CNTKCTL_EL1 };

_Static_assert(ARRAY_SIZE(page_words) + ARRAY_SIZE(other_words) == TRAPS_WORDS, "all");

/* Read word i of vEL2's. */
static inline u64 control_word(const struct vcpu *vcpu, size_t i)
{
	if (i < ARRAY_SIZE(page_words))
		return vcpu->vncr[page_words[i] / 8];
	return vcpu->sr[other_words[i - ARRAY_SIZE(page_words)]];
}

bool vel2_words_changed(const struct vcpu *vcpu, const u64 *from)
{
	u64 differ = 0;

	/* The words that differ between a hypervisor and its guest, which take turns. */
	if (control_word(vcpu, WORD_HCR) != from[WORD_HCR])
		return true;
#pragma GCC unroll 16
	for (size_t i = 1; i < TRAPS_WORDS; i++)
		differ |= control_word(vcpu, i) ^ from[i];
	return differ;
}

void vel2_words_record(const struct vcpu *vcpu, u64 *from)
{
	for (size_t i = 0; i < TRAPS_WORDS; i++)
		from[i] = control_word(vcpu, i);
}

/* Of whatever type. A loop, as calls of memcpy() are three times as long. */
typedef u64 __attribute__((may_alias)) any_word;

static inline __attribute__((always_inline)) void swap_words(any_word *a, any_word *b, size_t size)
{
#pragma GCC unroll 16
	for (size_t i = 0; i < size / sizeof(*a); i++) {
		u64 first = a[i], second = b[i];

		a[i] = second;
		b[i] = first;
	}
}

static inline __attribute__((always_inline)) void swap_sets(u64 *from, struct traps_level *vel1,
							    struct traps_other *other)
{
	swap_words(from, other->from, sizeof(other->from));
	swap_words((any_word *)vel1, (any_word *)&other->vel1, sizeof(*vel1));
}

/* Make room in other[0]: what has been there for long goes. */
static __attribute__((noinline)) void make_room(struct traps_other *other)
{
	swap_sets(other[1].from, &other[1].vel1, &other[0]);
	other[0].vel1.valid = false;
}

void traps_swap_vel1(struct vcpu *vcpu, bool valid)
{
	struct traps_cache *c = &vcpu->traps;
	struct traps_other *o = vcpu->traps_other;
	u32 i = 0;

	c->vel1.valid = valid;
	while (i < TRAPS_OTHERS && (!o[i].vel1.valid || vel2_words_changed(vcpu, o[i].from)))
		i++;
	if (unlikely(i == TRAPS_OTHERS)) {
		make_room(o);
		i = 0;
	}
	swap_sets(c->from, &c->vel1, &o[i]);
	if (!c->vel1.valid)
		vel2_words_record(vcpu, c->from);
}

/* An input has changed; which one decides how much is recomputed. */
static __attribute__((noinline)) void update_level(const struct vcpu *vcpu, struct traps_level *l,
						   u64 own, u64 vel2)
{
	if (!l->valid)
		l->t = traps_compute(vcpu);
	l->valid = true;
	l->cptr_own = own;
	l->cptr_vel2 = vel2;
	l->t.cptr = traps_nested_cptr(own, vcpu);
	traps_load(&l->t);
}

/* CPTR_EL2 depends on more than the others: whose the SIMD registers are, and vEL2's CPTR_EL2. */
void traps_update_nested(struct vcpu *vcpu)
{
	struct traps_level *l = vcpu->in_vel2 ? &vcpu->traps.vel2 : &vcpu->traps.vel1;
	u64 own = simd_cptr(vcpu), vel2 = vel2_cptr_word(vcpu);

	vcpu->traps_stale = false;
	if (likely(l->valid) && likely(!((l->cptr_own ^ own) | (l->cptr_vel2 ^ vel2))))
		load(&cpu_this()->traps, &l->t);
	else
		update_level(vcpu, l, own, vel2);
}

static inline void traps_update_ordinary(struct vcpu *vcpu)
{
	struct traps t = traps_compute(vcpu);

	vcpu->traps_stale = false;
	load(&cpu_this()->traps, &t);
}

void traps_update(struct vcpu *vcpu)
{
	if (vcpu->has_vel2)
		traps_update_nested(vcpu);
	else
		traps_update_ordinary(vcpu);
}

void traps_update_cptr(struct vcpu *vcpu)
{
	/* An ERET comes before the guest uses what this opens; nidus opens what it uses itself. */
	simd_cptr_write(traps_nested_cptr(simd_cptr(vcpu), vcpu));
}

/* Set registers that never change after boot, and those that cpu->traps mirrors. */
void traps_boot(void)
{
	struct traps *have = &cpu_this()->traps;

	*have = (struct traps){
		.hcr = HCR_ALWAYS,
		.mdcr = mdcr_compute(false),
		.cptr = sysreg_read(CPTR_EL2), /* simd_boot()'s */
	};
	sysreg_write(HCR_EL2, have->hcr);
	sysreg_write(MDCR_EL2, have->mdcr);
	cnthctl_write(have->cnthctl);
	sysreg_write(HSTR_EL2, 0);
	if (feat.hcx)
		sysreg_write(HCRX_EL2, have->hcrx);
	if (feat.fgt) {
		sysreg_write(HFGRTR_EL2, have->hfgrtr);
		sysreg_write(HFGWTR_EL2, have->hfgwtr);
		sysreg_write(HFGITR_EL2, have->hfgitr);
		sysreg_write(HDFGRTR_EL2, have->hdfgrtr);
		sysreg_write(HDFGWTR_EL2, have->hdfgwtr);
	}
	isb();
}
