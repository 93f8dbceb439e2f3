/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap controls of a VM that has EL2: vEL2's bits, and the merge of vEL2's and nidus's
 * controls.
 */
#include "traps/traps_nested.h"

#include "arch/feat.h"
#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "simd/simd.h"
#include "simd/simd_state.h"
#include "state/cpu.h"
#include "state/vel2_regs.h"
#include "traps/idreg.h"
#include "vgic/nested.h"

/* ---- which bits vEL2's registers have ---- */

#define ID(reg, lsb) ((u32)(id->v[IDX_##reg] >> (lsb)) & 0xf)

struct vm_features {
	bool ALWAYS, PAUTH, SVE, SME, SME2, GIC, RAS, DPB, DPB2, PAN2, TLBIOS, TLBIRANGE, SPECRES;
	bool SPECRES2, FGT, ECV, HCX, EVT, EVT_TLBI, NV, MOPS, XS, CMOW, VH;
};

static struct vm_features vm_features_read(const struct idregs *id)
{
	return (struct vm_features){
		.ALWAYS = true,
		.PAUTH = ID(ID_AA64ISAR1_EL1, 4) || ID(ID_AA64ISAR1_EL1, 8) ||
			 ID(ID_AA64ISAR2_EL1, 12),
		.SVE = ID(ID_AA64PFR0_EL1, 32),
		.SME = ID(ID_AA64PFR1_EL1, 24),
		.SME2 = ID(ID_AA64PFR1_EL1, 24) >= 2,
		.GIC = ID(ID_AA64PFR0_EL1, 24),
		.RAS = ID(ID_AA64PFR0_EL1, 28),
		.DPB = ID(ID_AA64ISAR1_EL1, 0),
		.DPB2 = ID(ID_AA64ISAR1_EL1, 0) >= 2,
		.PAN2 = ID(ID_AA64MMFR1_EL1, 20) >= 2,
		.TLBIOS = ID(ID_AA64ISAR0_EL1, 56),
		.TLBIRANGE = ID(ID_AA64ISAR0_EL1, 56) >= 2,
		.SPECRES = ID(ID_AA64ISAR1_EL1, 40),
		.SPECRES2 = ID(ID_AA64ISAR1_EL1, 40) >= 2,
		.FGT = ID(ID_AA64MMFR0_EL1, 56),
		.ECV = ID(ID_AA64MMFR0_EL1, 60),
		.HCX = ID(ID_AA64MMFR1_EL1, 40),
		.EVT = ID(ID_AA64MMFR2_EL1, 56),
		.EVT_TLBI = ID(ID_AA64MMFR2_EL1, 56) >= 2,
		.NV = ID(ID_AA64MMFR2_EL1, 24),
		.MOPS = ID(ID_AA64ISAR2_EL1, 16),
		.XS = ID(ID_AA64ISAR1_EL1, 56),
		.CMOW = ID(ID_AA64MMFR1_EL1, 56),
		.VH = ID(ID_AA64MMFR1_EL1, 8),
	};
}

/*
 * Absent, as no VM has the features that they belong to: TID0 (AArch32), TME, MIOCNCE, FIEN,
 * AMVOFFEN, EnSCXT, ATA, DCT, TID5, TLOR, GPF, TWEDEn, TWEDEL. FWB as well: the attributes of a
 * shadow come from the code that composes it, which reads FWB itself.
 */
static u64 hcr_bits(const struct vm_features *s)
{
	u64 hcr = HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_VF | HCR_VI |
		  HCR_VSE | HCR_FB | HCR_BSU | HCR_DC | HCR_TWI | HCR_TWE | HCR_TID1 | HCR_TID2 |
		  HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_TPCP | HCR_TPU |
		  HCR_TTLB | HCR_TVM | HCR_TGE | HCR_TDZ | HCR_HCD | HCR_TRVM | HCR_CD | HCR_ID |
		  HCR_RW | (s->VH ? HCR_E2H : 0);

	if (s->PAUTH)
		hcr |= HCR_API | HCR_APK;
	if (s->RAS)
		hcr |= HCR_TERR | HCR_TEA;
	if (s->NV)
		hcr |= HCR_NV | HCR_NV2 | HCR_AT; /* NV1: RES0 without FEAT_E2H0 */
	if (s->EVT)
		hcr |= HCR_TID4 | HCR_TICAB | HCR_TOCU;
	if (s->EVT_TLBI)
		hcr |= HCR_TTLBIS | HCR_TTLBOS;
	return hcr;
}

static u64 hcrx_bits(const struct vm_features *s)
{
	u64 hcrx = 0;

	if (!s->HCX)
		return 0;
	if (s->MOPS)
		hcrx |= HCRX_MSCEN | HCRX_MCE2;
	if (s->XS)
		hcrx |= HCRX_FNXS | (s->FGT ? HCRX_FGTNXS : 0);
	if (s->CMOW)
		hcrx |= HCRX_CMOW;
	return hcrx;
}

static u64 cnthctl_bits(const struct vm_features *s)
{
	u64 cnthctl = CNTHCTL_EVNT | CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN;

	if (s->VH)
		cnthctl |= CNTHCTL_EL0PCTEN | CNTHCTL_EL0VCTEN | CNTHCTL_EL0VTEN | CNTHCTL_EL0PTEN;
	if (s->ECV)
		cnthctl |= CNTHCTL_EL1TVT | CNTHCTL_EL1TVCT | CNTHCTL_EL1NVPCT | CNTHCTL_EL1NVVCT |
			   CNTHCTL_EVNTIS;
	return cnthctl;
}

static void fgt_bits(struct vel2_bits *b, const struct vm_features *s)
{
	u64 HFGR = 0, HFGW = 0, HFGI = 0, HDFGR = 0, HDFGW = 0;

#define ADD_HFGR(n) HFGR |= BIT(n);
#define ADD_HFGW(n) HFGW |= BIT(n);
#define ADD_HFGX(n) ADD_HFGR(n) ADD_HFGW(n)
#define ADD_HFGI(n) HFGI |= BIT(n);
#define ADD_HDFGR(n) HDFGR |= BIT(n);
#define ADD_HDFGW(n) HDFGW |= BIT(n);
#define ADD_HDFGX(n) ADD_HDFGR(n) ADD_HDFGW(n)
#define FGT(regs, n, name, polarity, feature)                                                      \
	if (s->feature) {                                                                          \
		ADD_##regs(n)                                                                      \
	}
#include "arch/trap.def"
	b->hfgrtr = HFGR;
	b->hfgwtr = HFGW;
	b->hfgitr = HFGI;
	b->hdfgrtr = HDFGR;
	b->hdfgwtr = HDFGW;
}

void vel2_bits_init(struct vel2_bits *bits, const struct idregs *id)
{
	struct vm_features s = vm_features_read(id);

	*bits = (struct vel2_bits){
		.hcr = hcr_bits(&s),
		.hcrx = hcrx_bits(&s),
		.mdcr = MDCR_TDE | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | (s.FGT ? MDCR_TDCC : 0),
		.cptr = CPTR_FPEN | (s.SVE ? CPTR_ZEN : 0) | (s.SME ? CPTR_SMEN : 0) | CPTR_TCPAC,
		.cnthctl = cnthctl_bits(&s),
		.ich_hcr = s.GIC ? ICH_HCR_TRAPS : 0,
		.smcr = s.SME2 ? SMCR_EZT0 : 0,
	};
	if (s.FGT)
		fgt_bits(bits, &s);
}

/* ---- the merge ---- */

/*
 * Bits to OR: traps, and controls where 1 is the side that a hypervisor may require: broadcast (FB,
 * BSU; nidus has 0), cacheability (DC, CD, ID), faults (PTW).
 */
#define HCR_OR                                                                                     \
	(HCR_SWIO | HCR_PTW | HCR_FB | HCR_BSU | HCR_DC | HCR_TWI | HCR_TWE | HCR_TID1 |           \
	 HCR_TID2 | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_TPCP | HCR_TPU |     \
	 HCR_TTLB | HCR_TVM | HCR_TDZ | HCR_TRVM | HCR_CD | HCR_ID | HCR_TERR | HCR_TEA | HCR_AT | \
	 HCR_TID4 | HCR_TICAB | HCR_TOCU | HCR_TTLBIS | HCR_TTLBOS)
#define HCR_AND (HCR_API | HCR_APK)

/*
 * FGTnXS removes traps: those of HFGITR_EL2 from the nXS instructions. It may follow vEL2, as nidus
 * sets no bit of HFGITR_EL2 for a TLBI.
 */
#define HCRX_OR (HCRX_FNXS | HCRX_FGTNXS | HCRX_CMOW | HCRX_MCE2)
#define HCRX_AND HCRX_MSCEN

#define MDCR_OR (MDCR_TDE | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TDCC)

/* The event stream is generated for all levels; EL0* have no effect without TGE. */
#define CNTHCTL_OR                                                                                 \
	(CNTHCTL_EL1TVT | CNTHCTL_EL1TVCT | CNTHCTL_EL1NVPCT | CNTHCTL_EL1NVVCT | CNTHCTL_EVNT |   \
	 CNTHCTL_EVNTIS)
#define CNTHCTL_AND (CNTHCTL_EL1PCTEN | CNTHCTL_EL1PTEN)

/*
 * Merge one register. have: the bits that the VM's register has. Bits of `and` that it lacks stay
 * nidus's; vel2 is masked by have already.
 */
static u64 merge(u64 own, u64 vel2, u64 have, u64 or, u64 and)
{
	return (own | (vel2 & or)) & (vel2 | ~(have & and));
}

/* The NV bits for vEL1's own EL2: NV2 has no effect without NV. */
static u64 nv_merge(u64 vel2)
{
	return vel2 & HCR_NV ? vel2 & (HCR_NV | HCR_NV2) : 0;
}

/* HCD stays clear: HVC exits to nidus, which handles it (reflect_undefined()). */
static u64 hcr_merge(u64 own, u64 vel2, u64 have)
{
	u64 hcr = merge(own, vel2, have, HCR_OR, HCR_AND) | nv_merge(vel2);

	if (vel2 & HCR_IMO)
		hcr |= vel2 & HCR_VI;
	if (vel2 & HCR_FMO)
		hcr |= vel2 & HCR_VF;
	if (vel2 & HCR_AMO)
		hcr |= vel2 & HCR_VSE;
	return hcr;
}

_Static_assert((CPTR_LOW | CPTR_LOW << 1) == (CPTR_FPEN | CPTR_ZEN | CPTR_SMEN), "the fields");

/* Both bits of CPTR_EL2's fields whose low one is in low. */
static u64 cptr_fields(u64 low)
{
	return low | low << 1;
}

/*
 * Merge CPTR_EL2. A field is open (0b11) or traps (0b00); what 0b01 traps, EL0 under TGE, is not
 * vEL1.
 */
static u64 cptr_merge(u64 own, u64 vel2, u64 have)
{
	return (own | (vel2 & CPTR_TCPAC)) & ~cptr_fields(have & ~vel2 & CPTR_LOW);
}

/* The bits of a fine-grained trap register that trap while 0. */
enum {
	REG_HFG,
	REG_HFGI,
	REG_HDFG,
};

static u64 fgt_negative(int reg)
{
	u64 HFG = 0, HFGI = 0, HDFG = 0;

#define AT_HFGX(n) HFG |= BIT(n)
#define AT_HFGR(n) HFG |= BIT(n)
#define AT_HFGI(n) HFGI |= BIT(n)
#define AT_HDFGX(n) HDFG |= BIT(n)
#define AT_HDFGR(n) HDFG |= BIT(n)
#define AT_HDFGW(n) HDFG |= BIT(n)
#define IF_POS(x)
#define IF_NEG(x) x;
#define FGT(regs, n, name, polarity, feature) IF_##polarity(AT_##regs(n))
#include "arch/trap.def"
	return reg == REG_HFG ? HFG : reg == REG_HFGI ? HFGI : HDFG;
}

static u64 fgt_merge(u64 own, u64 vel2, u64 have, int reg)
{
	u64 negative = fgt_negative(reg);

	return merge(own, vel2, have, ~negative, negative);
}

/*
 * The fields to close in CPTR_EL2 because vEL2's CPTR_EL2 disables FP, SVE or SME at EL2. Real EL2
 * keeps the registers unchanged then. Under nidus CPACR_EL1, which stands in for it, would at the
 * entry truncate vEL1's live registers to what EL1 may use; with CPTR_EL2 closed as well they are
 * unchanged.
 */
static u64 vel2_closed(const struct vcpu *vcpu)
{
	return cptr_fields(~vel2_cptr(vcpu) & CPTR_LOW);
}

inline __attribute__((always_inline)) u64 traps_nested_cptr(u64 own, const struct vcpu *vcpu)
{
	if (vcpu->in_vel2)
		return (own & ~vel2_closed(vcpu)) | (vcpu->cpacr_native ? 0 : CPTR_TCPAC);
	return cptr_merge(own, vel2_cptr(vcpu), vcpu->vm->nested.cptr);
}

void traps_close_vel1(void)
{
	struct traps *have = &cpu_this()->traps;

	simd_cptr_load(have, have->cptr & ~cptr_fields(~sysreg_read(CPACR_EL12) & CPTR_LOW));
}

/*
 * Trap what MDCR_EL2.TDA traps, except MDSCR_EL1, without TDA: a write of MDCR_EL2 at a virtual EL2
 * is an exit, so it should be the same for both levels.
 */
static void debug_by_fgt(struct traps *t, u64 lent)
{
	u64 debug = HDFGXTR_DEBUG & ~lent;

	t->mdcr &= ~MDCR_TDA;
	t->hdfgrtr |= debug | HDFGRTR_DBGAUTHSTATUS_EL1; /* the debug channel is TDCC's */
	t->hdfgwtr |= debug;
}

/*
 * Traps of MDSCR_EL1 for vEL1. With NV2 that name is redirected to vEL2's memory, and a trap would
 * take precedence: only vEL2's own. (FEAT_FGT exists where NV2 is shown: vm_build().)
 */
static u64 vel1_mdscr(const struct vcpu *vcpu)
{
	return vel2_nv2(vcpu) && !(vel2_mdcr(vcpu) & MDCR_TDA) ? 0 : HDFGXTR_MDSCR_EL1;
}

/* vEL1's timers by their _EL02 names. */
#define CNTHCTL_EL1NV (CNTHCTL_EL1NVPCT | CNTHCTL_EL1NVVCT)

static u64 vel2_timers(const struct vcpu *vcpu)
{
	return vcpu->timers_trap ? CNTHCTL_EL1NV : 0;
}

struct traps traps_merge_vel1(const struct traps *own, const struct vcpu *vcpu)
{
	const struct vel2_bits *have = &vcpu->vm->nested;
	struct traps t = {
		.hcr = hcr_merge(own->hcr, vel2_hcr(vcpu), have->hcr),
		.hcrx = merge(own->hcrx, vel2_hcrx(vcpu), have->hcrx, HCRX_OR, HCRX_AND),
		.mdcr = merge(own->mdcr, vel2_mdcr(vcpu), have->mdcr, MDCR_OR, 0),
		.cptr = traps_nested_cptr(own->cptr, vcpu),
		.cnthctl = merge(own->cnthctl, vel2_cnthctl(vcpu), have->cnthctl, CNTHCTL_OR,
				 CNTHCTL_AND),
		.hfgrtr = fgt_merge(own->hfgrtr, vel2_hfgrtr(vcpu), have->hfgrtr, REG_HFG),
		.hfgwtr = fgt_merge(own->hfgwtr, vel2_hfgwtr(vcpu), have->hfgwtr, REG_HFG),
		.hfgitr = fgt_merge(own->hfgitr, vel2_hfgitr(vcpu), have->hfgitr, REG_HFGI),
		.hdfgrtr = fgt_merge(own->hdfgrtr, vel2_hdfgrtr(vcpu), have->hdfgrtr, REG_HDFG),
		.hdfgwtr = fgt_merge(own->hdfgwtr, vel2_hdfgwtr(vcpu), have->hdfgwtr, REG_HDFG),
	};

	if (feat.fgt && !vcpu->debug_live) {
		debug_by_fgt(&t, 0);
		t.hdfgrtr |= vel1_mdscr(vcpu);
		t.hdfgwtr |= vel1_mdscr(vcpu);
	}
	if (likely(!vel2_nv2(vcpu))) /* as for vEL2: they trap nothing unless NV2 is 1 */
		t.cnthctl = (t.cnthctl & ~CNTHCTL_EL1NV) | vel2_timers(vcpu);
	return t;
}

/*
 * Additional traps without VHE. The timers' EL0 names are vEL1's: its registers are in the page,
 * but TVAL has no slot there, and CNTVCT_EL0 has the CNTVOFF_EL2 that vEL2 wrote to the page last.
 * FEAT_ECV exists (vm_build()).
 */
static void add_nvhe_traps(struct traps *t, const struct vcpu *vcpu)
{
	t->hcr |= HCR_NV1;
	t->cnthctl |= vcpu->sr[SR_CNTHCTL_EL2] & CNTHCTL_STREAM;
	t->cnthctl |= CNTHCTL_EL1TVT | CNTHCTL_EL1TVCT;
	t->cnthctl &= ~CNTHCTL_EL1PTEN;
}

/*
 * AT and TTLB trap whatever vEL2's TGE is, though with TGE = 1 the instructions mean vEL2's own
 * regime and would work: TGE is in memory, and nidus does not see it change. TTLB covers the Inner
 * and the Outer Shareable forms. AT's bit exists with FEAT_NV, as NV does.
 */
struct traps traps_for_vel2(const struct traps *own, const struct vcpu *vcpu)
{
	struct traps t = *own;

	t.hcr |= HCR_NV | HCR_NV2 | HCR_AT | HCR_TTLB;
	t.cptr = traps_nested_cptr(t.cptr, vcpu);
	t.cnthctl |= vel2_timers(vcpu);
	if (feat.fgt && vgic_vel2_iface_traps(vcpu))
		t.hfgrtr |= HFGRTR_ISR_EL1;
	if (!feat.fgt) {
		t.mdcr |= MDCR_TDA;
	} else if (vcpu->debug_live) {
		/* The CPU's control registers differ from vEL2's: debug_control_vel2(). */
		t.hdfgrtr |= HDFGXTR_MDSCR_EL1 | HDFGXTR_CONTROLS;
		t.hdfgwtr |= HDFGXTR_MDSCR_EL1 | HDFGXTR_CONTROLS;
	} else {
		debug_by_fgt(&t, vcpu->mdscr.numbered_lent ? HDFGXTR_NUMBERED : 0);
		t.hdfgwtr |= vcpu->mdscr.write_lent ? 0 : HDFGXTR_MDSCR_EL1;
	}
	if (unlikely(vcpu->nvhe))
		add_nvhe_traps(&t, vcpu);
	return t;
}

void traps_vse_sync(struct vcpu *vcpu, struct traps *loaded, u64 hw_hcr)
{
	if (!(loaded->hcr & ~hw_hcr & HCR_VSE))
		return;
	loaded->hcr &= ~HCR_VSE;
	vncr_write(vcpu, VNCR_HCR_EL2, vncr_read(vcpu, VNCR_HCR_EL2) & ~HCR_VSE);
}
