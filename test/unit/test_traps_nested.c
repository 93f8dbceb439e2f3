/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trap registers while vEL2 and L2 run: never fewer traps than nidus or L1 set, never more
 * enables than both gave, and nothing else; and which bits L1's registers have.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/gicv3.h"
#include "arch/feat.h"
#include "l1_state.h"
#include "traps/traps_nested.h"
#include "state/cpu.h"
#include "traps/traps.h"

static int setup(void **state)
{
	(void)state;
	memset(&feat, 0, sizeof(feat));
	l1_reset();
	return 0;
}

/* ---- the merge, bit by bit, by Arm's bit numbers ---- */

enum kind { KEEP, OR, AND };

struct bit {
	u8 n, kind;
};

static const struct bit hcr_kinds[] = {
	{ 1, OR },  { 2, OR },  { 9, OR },  { 10, OR }, { 11, OR },  { 12, OR },  { 13, OR },
	{ 14, OR }, { 16, OR }, { 17, OR }, { 18, OR }, { 19, OR },  { 20, OR },  { 21, OR },
	{ 22, OR }, { 23, OR }, { 24, OR }, { 25, OR }, { 26, OR },  { 28, OR },  { 30, OR },
	{ 32, OR }, { 33, OR }, { 36, OR }, { 37, OR }, { 40, AND }, { 41, AND }, { 44, OR },
	{ 49, OR }, { 50, OR }, { 52, OR }, { 54, OR }, { 55, OR },
};

static const struct bit hcrx_kinds[] = {
	{ 3, OR }, { 4, OR }, { 9, OR }, { 10, OR }, { 11, AND },
};

static const struct bit mdcr_kinds[] = {
	{ 8, OR }, { 9, OR }, { 10, OR }, { 11, OR }, { 27, OR },
};

static const struct bit cnthctl_kinds[] = {
	{ 2, OR },   { 3, OR },  { 4, OR },  { 5, OR },  { 6, OR },  { 7, OR },  { 10, AND },
	{ 11, AND }, { 13, OR }, { 14, OR }, { 15, OR }, { 16, OR }, { 17, OR },
};

static enum kind kind_of(const struct bit *kinds, size_t count, u32 n)
{
	for (size_t i = 0; i < count; i++)
		if (kinds[i].n == n)
			return kinds[i].kind;
	return KEEP;
}

static bool merged(enum kind kind, bool l0, bool l1, bool have)
{
	if (!have || kind == KEEP)
		return l0;
	return kind == OR ? l0 || l1 : l0 && l1;
}

/* VI, VF, VSE follow L1's IMO, FMO, AMO. */
static bool hcr_virtual(u32 n, u64 l1, bool *want)
{
	static const u8 mask_of[64] = { [6] = 3, [7] = 4, [8] = 5 };

	if (n < 6 || n > 8)
		return false;
	*want = *want || ((l1 & BIT(n)) && (l1 & BIT(mask_of[n])));
	return true;
}

static void compare(const char *name, const struct bit *kinds, size_t count, u64 l0, u64 l1,
		    u64 have, u64 got)
{
	for (u32 n = 0; n < 64; n++) {
		bool want =
			merged(kind_of(kinds, count, n), l0 & BIT(n), l1 & BIT(n), have & BIT(n));

		if (kinds == hcr_kinds && hcr_virtual(n, l1 & have, &want)) {
			/* decided */
		}
		if (want != !!(got & BIT(n)))
			fail_msg("%s bit %u: nidus %d, L1 %d, has it %d: got %d", name, n,
				 !!(l0 & BIT(n)), !!(l1 & BIT(n)), !!(have & BIT(n)), !want);
	}
}

/*
 * All ORed but 54 and 55 of HFG[RW]TR_EL2, which trap while 0; nidus decides about what no VM has.
 */
static void compare_fgt(const char *name, bool hfg, u64 l0, u64 l1, u64 have, u64 got)
{
	for (u32 n = 0; n < 64; n++) {
		bool negative = hfg && (n == 54 || n == 55);
		bool want = merged(negative ? AND : OR, l0 & BIT(n), l1 & BIT(n), have & BIT(n));

		if (want != !!(got & BIT(n)))
			fail_msg("%s bit %u: got %d", name, n, !want);
	}
}

static void random_l0(struct traps *l0)
{
	*l0 = (struct traps){
		.hcr = random_bits(),
		.hcrx = random_bits(),
		.mdcr = random_bits(),
		.cptr = random_bits(),
		.cnthctl = random_bits(),
		.hfgrtr = random_bits(),
		.hfgwtr = random_bits(),
		.hfgitr = random_bits(),
		.hdfgrtr = random_bits(),
		.hdfgwtr = random_bits(),
	};
}

#define KINDS(kinds) kinds, ARRAY_SIZE(kinds)

static void merge_bits(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct traps l0, t;

		random_l0(&l0);
		l1_random();
		*l1_have(HCR) &= ~(HCR_NV | HCR_NV2); /* nv() */
		vcpu.timers_trap = i & 1;
		t = traps_merge_vel1(&l0, &vcpu);
		/* L2's _EL02 timers, which it has with NV2 only: as for vEL2. */
		assert_int_equal(t.cnthctl & MASK(16, 15), i & 1 ? MASK(16, 15) : 0);
		t.cnthctl = (t.cnthctl & ~MASK(16, 15)) | (l0.cnthctl & MASK(16, 15));
		*l1_have(CNTHCTL) &= ~MASK(16, 15);
		compare("HCR_EL2", KINDS(hcr_kinds), l0.hcr, *l1_place(HCR), *l1_have(HCR), t.hcr);
		compare("HCRX_EL2", KINDS(hcrx_kinds), l0.hcrx, vncr_page[0xa0 / 8], vm.nested.hcrx,
			t.hcrx);
		compare("MDCR_EL2", KINDS(mdcr_kinds), l0.mdcr, *l1_place(MDCR), *l1_have(MDCR),
			t.mdcr);
		compare("CNTHCTL_EL2", KINDS(cnthctl_kinds), l0.cnthctl, *l1_place(CNTHCTL),
			*l1_have(CNTHCTL), t.cnthctl);
		compare_fgt("HFGRTR_EL2", true, l0.hfgrtr, *l1_place(HFGRTR), *l1_have(HFGRTR),
			    t.hfgrtr);
		compare_fgt("HFGWTR_EL2", true, l0.hfgwtr, *l1_place(HFGWTR), *l1_have(HFGWTR),
			    t.hfgwtr);
		compare_fgt("HFGITR_EL2", false, l0.hfgitr, *l1_place(HFGITR), *l1_have(HFGITR),
			    t.hfgitr);
		compare_fgt("HDFGRTR_EL2", false, l0.hdfgrtr, *l1_place(HDFGRTR), *l1_have(HDFGRTR),
			    t.hdfgrtr);
		compare_fgt("HDFGWTR_EL2", false, l0.hdfgwtr, *l1_place(HDFGWTR), *l1_have(HDFGWTR),
			    t.hdfgwtr);
	}
}

/* ---- the merge, by its effect on each accessor ---- */

static void values_of(const struct traps *t, u64 value[L1_REGS])
{
	value[HCR] = t->hcr;
	value[MDCR] = t->mdcr;
	value[CPTR] = t->cptr;
	value[CNTHCTL] = t->cnthctl;
	value[HFGRTR] = t->hfgrtr;
	value[HFGWTR] = t->hfgwtr;
	value[HFGITR] = t->hfgitr;
	value[HDFGRTR] = t->hdfgrtr;
	value[HDFGWTR] = t->hdfgwtr;
}

/*
 * Interrupts are nidus's, whose IMO and FMO are always set; ICH_HCR_EL2 belongs to vgic/nested.c.
 */
static bool of_gic(const struct rule *r)
{
	return r->reg == ICH_HCR || (r->reg == HCR && (r->bit == 3 || r->bit == 4));
}

static void merge_rules(void **state)
{
	u64 all[L1_REGS];

	(void)state;
	memset(all, 0xff, sizeof(all));
	for (int i = 0; i < 2000; i++) {
		u64 nidus[L1_REGS] = { 0 }, l1[L1_REGS] = { 0 }, have[L1_REGS] = { 0 };
		u64 both[L1_REGS] = { 0 };
		struct traps l0, t;
		bool l1_fgtnxs, fgtnxs;

		random_l0(&l0);
		l0.hfgitr &= MASK(17, 0); /* no TLBI: see HCRX_OR */
		l0.hcrx &= ~HCRX_FGTNXS;
		l1_random();
		*l1_have(HCR) &= ~(HCR_NV | HCR_NV2); /* nv() */
		t = traps_merge_vel1(&l0, &vcpu);
		for (enum l1_reg reg = HCR; reg < L1_REGS; reg++) {
			l1[reg] = *l1_place(reg);
			have[reg] = *l1_have(reg);
		}
		values_of(&l0, nidus);
		values_of(&t, both);
		l1_fgtnxs = vncr_page[0xa0 / 8] & vm.nested.hcrx & HCRX_FGTNXS;
		fgtnxs = t.hcrx & HCRX_FGTNXS;
		for (size_t a = 0; a < ARRAY_SIZE(accessors); a++)
			for (size_t j = 0; j < ARRAY_SIZE(accessors[a].rule); j++) {
				const struct rule *r = &accessors[a].rule[j];
				bool hw, want;

				if (!r->reg || of_gic(r))
					continue;
				hw = rule_fires(r, both, all, fgtnxs);
				want = rule_fires(r, nidus, all, false) ||
				       rule_fires(r, l1, have, l1_fgtnxs);
				if (hw != want)
					fail_msg("%s, register %d bit %d: %s", accessors[a].name,
						 r->reg, r->bit,
						 want ? "a trap is lost" : "a trap too many");
			}
	}
}

static void merge_cptr(void **state)
{
	static const u8 lsb[] = { 16, 20, 24 };

	(void)state;
	for (u32 f = 0; f < ARRAY_SIZE(lsb); f++)
		for (u32 l1 = 0; l1 < 4; l1++)
			for (u32 open = 0; open < 2; open++)
				for (u32 have = 0; have < 2; have++) {
					struct traps t, l0 = {
						.cptr = 0x50000000 | (open ? 3UL << lsb[f] : 0),
					};
					u64 want = open && (!have || (l1 & 1)) ? 3 : 0;

					l1_reset();
					*l1_place(CPTR) = (u64)l1 << lsb[f];
					*l1_have(CPTR) = have ? ~0UL : 0;
					t = traps_merge_vel1(&l0, &vcpu);
					assert_int_equal(t.cptr >> lsb[f] & 3, want);
					assert_int_equal(t.cptr & 0x50000000, 0x50000000);
				}
	l1_reset();
	*l1_place(CPTR) = BIT(31) | BIT(30) | BIT(28) | BIT(0);
	assert_int_equal(traps_merge_vel1(&(struct traps){ 0 }, &vcpu).cptr, BIT(31));
}

/* What must never come from L1, whatever it writes. */
static void merge_never(void **state)
{
	(void)state;
	for (enum l1_reg reg = HCR; reg < L1_REGS; reg++)
		*l1_place(reg) = ~0UL;
	for (u32 n = 0; n < VNCR_WORDS; n++)
		vncr_page[n] = ~0UL;
	for (int i = 0; i < 2; i++) {
		struct traps l0 = { .hcr = HCR_VM | HCR_E2H | HCR_RW | HCR_IMO | HCR_FMO |
					   HCR_AMO };
		struct traps t = traps_merge_vel1(&l0, &vcpu);

		assert_int_equal(t.hcr & (HCR_TGE | HCR_NV1 | HCR_FWB | HCR_ATA |
					  HCR_FIEN | HCR_AMVOFFEN | HCR_DCT | HCR_HCD | HCR_TID5),
				 0);
		assert_int_equal(t.hcr & l0.hcr, l0.hcr);
		assert_int_equal(t.cnthctl & CNTHCTL_ECV, 0);
		assert_int_equal(t.mdcr & (MDCR_HPMN | MDCR_HPME | MDCR_E2PB | MDCR_E2TB), 0);
		memset(vncr_page, 0, sizeof(vncr_page));
	}
}

/*
 * L1's HCR_EL2.NV, and NV2 with it, if the VM has them; never NV1. With both, MDSCR_EL1 is in
 * memory to L2: it traps if L1 says so, and other debug registers as before. That is what
 * MDCR_EL2.TDA traps, replaced by the fine-grained traps: DBGBCR, DBGBVR, DBGWCR, DBGWVR (3:0),
 * MDSCR (4), DBGCLAIM (5), OSECCR (10), of reads DBGAUTHSTATUS (6).
 */
static void nv(void **state)
{
	const u64 nv2 = HCR_NV | HCR_NV2;

	(void)state;
	feat.fgt = true;
	for (u32 i = 0; i < 512; i++) {
		u64 nv_bits = (i & 1 ? HCR_NV : 0) | (i & 2 ? HCR_NV2 : 0) | HCR_NV1;
		bool has = i & 4, live = i & 8, both = has && (i & 3) == 3;
		bool tda = i & 16, fgt = i & 32, mdscr = live ? fgt : !both || tda || fgt;
		struct traps t, l0 = { .mdcr = MDCR_TDRA | (live ? 0 : MDCR_TDA) };

		l1_reset();
		*l1_place(HCR) |= nv_bits;
		*l1_have(HCR) = has ? ~0UL : ~(nv2 | HCR_NV1);
		vcpu.debug_live = live;
		vcpu.mdscr.write_lent = i & 64;
		vcpu.timers_trap = i & 128;
		*l1_place(MDCR) = tda ? MDCR_TDA : 0;
		*l1_place(HDFGRTR) = *l1_place(HDFGWTR) = fgt ? BIT(4) : 0;
		*l1_place(CNTHCTL) = i & 256 ? MASK(16, 15) : 0;
		t = traps_merge_vel1(&l0, &vcpu);
		assert_int_equal(t.hcr & (nv2 | HCR_NV1),
				 has && (i & 1) ? nv_bits & nv2 : 0);
		assert_int_equal(t.mdcr & MDCR_TDRA, MDCR_TDRA);
		assert_int_equal(t.mdcr & MDCR_TDA, live && tda ? MDCR_TDA : 0);
		/* DBGBCRn and so on still trap to nidus until they are live. */
		assert_int_equal(t.hdfgrtr, (live ? 0 : 0x46f) | (mdscr ? BIT(4) : 0));
		assert_int_equal(t.hdfgwtr, (live ? 0 : 0x42f) | (mdscr ? BIT(4) : 0));
		assert_int_equal(t.cnthctl & MASK(16, 15),
				 i & (both ? 256 : 128) ? MASK(16, 15) : 0);
	}
	feat.fgt = false;
	l1_reset();
}

static void virtual_interrupts(void **state)
{
	struct traps l0 = { .hcr = HCR_IMO | HCR_FMO | HCR_AMO };

	(void)state;
	*l1_place(HCR) = HCR_VI | HCR_VF | HCR_VSE;
	assert_int_equal(traps_merge_vel1(&l0, &vcpu).hcr & MASK(8, 6), 0);
	*l1_place(HCR) |= HCR_IMO;
	assert_int_equal(traps_merge_vel1(&l0, &vcpu).hcr & MASK(8, 6), HCR_VI);
	*l1_place(HCR) |= HCR_FMO | HCR_AMO;
	assert_int_equal(traps_merge_vel1(&l0, &vcpu).hcr & MASK(8, 6), MASK(8, 6));
}

static void vse_sync(void **state)
{
	struct traps loaded = { .hcr = HCR_VSE | HCR_VM };

	(void)state;
	*l1_place(HCR) = HCR_VSE | HCR_AMO | HCR_TWI;
	traps_vse_sync(&vcpu, &loaded, HCR_VSE | HCR_VM);
	assert_int_equal(*l1_place(HCR), HCR_VSE | HCR_AMO | HCR_TWI);
	assert_int_equal(loaded.hcr, HCR_VSE | HCR_VM);
	traps_vse_sync(&vcpu, &loaded, HCR_VM);
	assert_int_equal(*l1_place(HCR), HCR_AMO | HCR_TWI);
	assert_int_equal(loaded.hcr, HCR_VM);
	*l1_place(HCR) |= HCR_VSE; /* asserted anew, not yet loaded */
	traps_vse_sync(&vcpu, &loaded, HCR_VM);
	assert_int_equal(*l1_place(HCR), HCR_VSE | HCR_AMO | HCR_TWI);
}

/*
 * An L2 that is a hypervisor: what CPACR_EL1, its CPTR_EL2, closes (the low bit of a field is 0) is
 * closed; nothing is opened, nothing else changes, and a register that is right already is not
 * written.
 */
static void vel1_shut(void **state)
{
	static const u8 low[] = { 16, 20, 24 };
	struct traps *have = &cpu_this()->traps;

	(void)state;
	for (u64 i = 0; i < 64 * 64; i++) {
		u64 cptr = BIT(31) | BIT(28), cpacr = 0, want;

		for (u32 f = 0; f < 3; f++) {
			cpacr |= (i >> 2 * f & 3) << low[f];
			cptr |= (i >> (6 + 2 * f) & 3) << low[f];
		}
		want = cptr;
		for (u32 f = 0; f < 3; f++)
			if (!(cpacr & BIT(low[f])))
				want &= ~(3UL << low[f]);
		fake_reset();
		fake_set("CPACR_EL12", cpacr);
		fake_set("CPTR_EL2", cptr);
		have->cptr = cptr;
		traps_close_vel1();
		assert_int_equal(have->cptr, want);
		assert_int_equal(fake_get("CPTR_EL2"), want);
		assert_int_equal(fake_writes_total(), want != cptr);
	}
}

/* ---- vEL2 ---- */

static void vel2(void **state)
{
	struct traps l0, t;

	(void)state;
	vcpu.in_vel2 = true;
	for (int i = 0; i < 1000; i++) {
		random_l0(&l0);
		bool live, free, lent;
		u64 kept;

		vcpu.timers_trap = i & 1;
		feat.fgt = i & 2;
		vcpu.debug_live = live = i & 4;
		vcpu.mdscr.write_lent = free = i & 16;
		vcpu.mdscr.numbered_lent = lent = i & 32;
		vcpu.cpacr_native = i & 8;
		vcpu.vgic.hcr_en = i & 64 ? ICH_HCR_TALL1 : 0;
		t = traps_for_vel2(&l0, &vcpu);
		assert_int_equal(t.hcr, l0.hcr | BIT(42) | BIT(45) | BIT(44) | BIT(25));
		assert_int_equal(t.hcrx, l0.hcrx);
		assert_int_equal(t.cptr, l0.cptr | (vcpu.cpacr_native ? 0 : BIT(31)));
		assert_int_equal(t.cnthctl, l0.cnthctl | (i & 1 ? BIT(15) | BIT(16) : 0));
		/*
		 * While debug exceptions are possible MDSCR_EL1 (bit 4) traps, and DBGBCR and
		 * DBGWCR (0 and 2), whose meaning at EL1 is not the one at EL2. Otherwise what
		 * MDCR_EL2.TDA (9) traps: DBGBCR, DBGBVR, DBGWCR, DBGWVR (3:0), DBGCLAIM (5),
		 * OSECCR (10), of reads DBGAUTHSTATUS (6); and writes of MDSCR_EL1, unless vEL2 may
		 * make them freely. What is lent does not trap.
		 */
		kept = lent ? 0xf : 0;
		assert_int_equal(t.mdcr, !feat.fgt ? l0.mdcr | BIT(9)
					 : live    ? l0.mdcr
						   : l0.mdcr & ~BIT(9));
		assert_int_equal(t.hdfgrtr, l0.hdfgrtr | (!feat.fgt ? 0 : live ? 0x15 : 0x46f & ~kept));
		assert_int_equal(t.hdfgwtr, l0.hdfgwtr | (!feat.fgt ? 0
							  : live    ? 0x15
							  : free    ? 0x42f & ~kept
								    : 0x43f & ~kept));
		/* ISR_EL1 (18) while an interrupt for a lower level may be pending. */
		assert_int_equal(t.hfgrtr, l0.hfgrtr | (feat.fgt && (i & 64) ? BIT(18) : 0));
		assert_int_equal(t.hfgwtr, l0.hfgwtr);
		assert_int_equal(t.hfgitr, l0.hfgitr);
	}
	vcpu.vgic.hcr_en = 0;
}

/*
 * The result that traps_update() caches is what traps_compute() returns, whichever of L1's words
 * have changed since.
 */
static void remembered_by(bool sets)
{
	u64 kept = 0, was = 0;

	vcpu.has_vel2 = true;
	vcpu.traps = (struct traps_cache){ .vel1.valid = false };
	vcpu_invalidate_traps(&vcpu);
	feat.fgt = feat.hcx = true;
	for (u32 i = 0; i < 5000; i++) {
		bool live = sets ? i & 64 : !(random_bits() & 7);
		struct traps want;

		vcpu.in_vel2 = random_bits() & 1;
		if (live != vcpu.debug_live)
			traps_invalidate(&vcpu);
		vcpu.debug_live = live;
		if (sets && i % 16) {
			/*
			 * Alternating between three sets of words, as with a guest that is a
			 * hypervisor and has used debug registers.
			 */
			*l1_place(HCR) &= ~(HCR_TSC | HCR_TWE);
			*l1_place(HCR) |= i % 3 ? i % 3 == 1 ? HCR_TSC : HCR_TWE : 0;
		} else if (random_bits() & 1)
			*l1_place((enum l1_reg)(i % L1_REGS)) = random_bits();
		/* Mostly the SIMD registers belong to another vcpu. */
		cpu_this()->simd.owner = i & 3 ? NULL : &vcpu;
		vcpu.simd.cpu = i & 3 ? NULL : cpu_this();
		/* On the way to L2 (level.c). */
		if (!vcpu.in_vel2 && vel2_words_changed(&vcpu, vcpu.traps.from)) {
			if (sets) {
				traps_swap_vel1(&vcpu, vcpu.traps.vel1.valid);
				kept += vcpu.traps.vel1.valid;
			} else {
				vel2_words_record(&vcpu, vcpu.traps.from);
				vcpu.traps.vel1.valid = false;
			}
			was++;
			assert_false(vel2_words_changed(&vcpu, vcpu.traps.from));
		}
		vcpu.traps_stale = true;
		traps_update(&vcpu);
		assert_false(vcpu.traps_stale);
		want = traps_compute(&vcpu);
		assert_memory_equal(&cpu_this()->traps, &want, sizeof(want));
	}
	vcpu.in_vel2 = vcpu.debug_live = false;
	cpu_this()->simd.owner = NULL;
	vcpu.simd.cpu = NULL;
	assert_true(sets ? kept > was / 2 : !kept);
}

static void remembered(void **state)
{
	(void)state;
	remembered_by(false);
	remembered_by(true);
}

/* ---- which bits L1's registers have ---- */

static struct idregs id;

static void show(u32 index, u32 lsb, u64 v)
{
	id.v[index] = (id.v[index] & ~(0xfUL << lsb)) | v << lsb;
}

/* The bits that a feature adds. */
static struct vel2_bits gained(u32 index, u32 lsb, u64 from, u64 to)
{
	struct vel2_bits before, after;
	const u64 *b = (const u64 *)&before;
	u64 *a = (u64 *)&after;

	show(index, lsb, from);
	vel2_bits_init(&before, &id);
	show(index, lsb, to);
	vel2_bits_init(&after, &id);
	for (size_t i = 0; i < sizeof(after) / sizeof(*a); i++) {
		assert_int_equal(b[i] & ~a[i], 0);
		a[i] &= ~b[i];
	}
	return after;
}

static bool none_but(const struct vel2_bits *g, const u64 *field)
{
	const u64 *w = (const u64 *)g;

	for (size_t i = 0; i < sizeof(*g) / sizeof(*w); i++)
		if (&w[i] != field && w[i])
			return false;
	return true;
}

static void bits_plain(void **state)
{
	struct vel2_bits b;

	(void)state;
	memset(&id, 0, sizeof(id));
	vel2_bits_init(&b, &id);
	assert_int_equal(b.hcr, MASK(14, 0) | MASK(33, 16));
	assert_int_equal(b.hcrx, 0);
	assert_int_equal(b.mdcr, MASK(11, 8));
	assert_int_equal(b.cptr, MASK(21, 20) | BIT(31));
	assert_int_equal(b.cnthctl, MASK(11, 10) | MASK(7, 2));
	assert_int_equal(
		b.ich_hcr | b.hfgrtr | b.hfgwtr | b.hfgitr | b.hdfgrtr | b.hdfgwtr | b.smcr, 0);
}

static void bits_by_feature(void **state)
{
	struct vel2_bits g;

	(void)state;
	memset(&id, 0, sizeof(id));
	g = gained(IDX_ID_AA64MMFR1_EL1, 8, 0, 1); /* VH: E2H, EL0's controls of EL2&0 */
	assert_int_equal(g.hcr, BIT(34));
	assert_int_equal(g.cnthctl, MASK(9, 8) | MASK(1, 0));
	g = gained(IDX_ID_AA64MMFR2_EL1, 24, 0, 2); /* NV */
	assert_int_equal(g.hcr, BIT(42) | BIT(44) | BIT(45)); /* no NV1 without FEAT_E2H0 */
	assert_true(none_but(&g, &g.hcr));
	g = gained(IDX_ID_AA64MMFR2_EL1, 56, 0, 1); /* EVT */
	assert_int_equal(g.hcr, BIT(49) | BIT(50) | BIT(52));
	g = gained(IDX_ID_AA64MMFR2_EL1, 56, 1, 2);
	assert_int_equal(g.hcr, BIT(54) | BIT(55));
	g = gained(IDX_ID_AA64PFR0_EL1, 28, 0, 1); /* RAS */
	assert_int_equal(g.hcr, BIT(36) | BIT(37));
	g = gained(IDX_ID_AA64MMFR0_EL1, 60, 0, 1); /* ECV */
	assert_int_equal(g.cnthctl, MASK(17, 13));
	assert_true(none_but(&g, &g.cnthctl));
	g = gained(IDX_ID_AA64MMFR0_EL1, 60, 1, 2);
	assert_true(none_but(&g, NULL));
	g = gained(IDX_ID_AA64PFR0_EL1, 32, 0, 1); /* SVE */
	assert_int_equal(g.cptr, MASK(17, 16));
	g = gained(IDX_ID_AA64PFR1_EL1, 24, 0, 1); /* SME */
	assert_int_equal(g.cptr, MASK(25, 24));
	g = gained(IDX_ID_AA64PFR1_EL1, 24, 1, 2);
	assert_int_equal(g.smcr, BIT(30));
	g = gained(IDX_ID_AA64PFR0_EL1, 24, 0, 1); /* GIC */
	assert_int_equal(g.ich_hcr, BIT(10) | BIT(11) | BIT(12) | BIT(14));
	g = gained(IDX_ID_AA64MMFR1_EL1, 56, 0, 1); /* CMOW, but no HCX */
	assert_true(none_but(&g, NULL));
	g = gained(IDX_ID_AA64MMFR1_EL1, 40, 0, 1); /* HCX */
	assert_int_equal(g.hcrx, BIT(9));
	g = gained(IDX_ID_AA64ISAR2_EL1, 16, 0, 1); /* MOPS */
	assert_int_equal(g.hcrx, BIT(10) | BIT(11));
	g = gained(IDX_ID_AA64ISAR1_EL1, 56, 0, 1); /* XS, no FGT */
	assert_int_equal(g.hcrx, BIT(3));
}

/* FGT with and without the features whose bits it has; SME, GIC are examples. */
static void bits_fgt(void **state)
{
	struct vel2_bits g;

	(void)state;
	memset(&id, 0, sizeof(id));
	g = gained(IDX_ID_AA64MMFR0_EL1, 56, 0, 1);
	assert_int_equal(g.mdcr, BIT(27));
	assert_int_equal(g.hfgrtr, MASK(38, 32) | MASK(29, 24) | MASK(18, 9) | MASK(3, 0));
	assert_int_equal(g.hfgwtr, MASK(38, 32) | BIT(29) | BIT(27) | BIT(24) | MASK(17, 16) |
					   MASK(13, 11) | BIT(3) | MASK(1, 0));
	assert_int_equal(g.hfgitr,
			 MASK(54, 51) | MASK(47, 42) | MASK(33, 28) | MASK(15, 10) | MASK(7, 0));
	assert_int_equal(g.hdfgrtr, MASK(10, 9) | MASK(7, 0));
	assert_int_equal(g.hdfgwtr, BIT(10) | MASK(8, 7) | MASK(5, 0));
	g = gained(IDX_ID_AA64ISAR1_EL1, 8, 0, 5); /* PAuth */
	assert_int_equal(g.hcr, MASK(41, 40));
	assert_int_equal(g.hfgrtr, MASK(8, 4));
	assert_int_equal(g.hfgwtr, MASK(8, 4));
	g = gained(IDX_ID_AA64PFR1_EL1, 24, 0, 1); /* SME */
	assert_int_equal(g.hfgrtr, MASK(55, 54));
	assert_int_equal(g.hfgwtr, MASK(55, 54));
	g = gained(IDX_ID_AA64PFR0_EL1, 24, 0, 1); /* GIC */
	assert_int_equal(g.hfgrtr, BIT(39));
	g = gained(IDX_ID_AA64ISAR0_EL1, 56, 0, 1); /* TLBIOS */
	assert_int_equal(g.hfgitr, MASK(23, 18));
	g = gained(IDX_ID_AA64ISAR0_EL1, 56, 1, 2); /* TLBIRANGE */
	assert_int_equal(g.hfgitr, MASK(27, 24) | MASK(41, 34));
	g = gained(IDX_ID_AA64ISAR1_EL1, 0, 0, 1); /* DPB */
	assert_int_equal(g.hfgitr, BIT(8));
	g = gained(IDX_ID_AA64ISAR1_EL1, 0, 1, 2);
	assert_int_equal(g.hfgitr, BIT(9));
	g = gained(IDX_ID_AA64ISAR1_EL1, 40, 0, 1); /* SPECRES */
	assert_int_equal(g.hfgitr, MASK(50, 48));
	g = gained(IDX_ID_AA64ISAR1_EL1, 40, 1, 2);
	assert_int_equal(g.hfgitr, BIT(60));
	g = gained(IDX_ID_AA64MMFR1_EL1, 20, 1, 2); /* PAN2 */
	assert_int_equal(g.hfgitr, MASK(17, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(merge_bits, setup),
		cmocka_unit_test_setup(merge_rules, setup),
		cmocka_unit_test_setup(merge_cptr, setup),
		cmocka_unit_test_setup(merge_never, setup),
		cmocka_unit_test_setup(nv, setup),
		cmocka_unit_test_setup(virtual_interrupts, setup),
		cmocka_unit_test_setup(vse_sync, setup),
		cmocka_unit_test_setup(vel1_shut, setup),
		cmocka_unit_test_setup(vel2, setup),
		cmocka_unit_test_setup(remembered, setup),
		cmocka_unit_test(bits_plain),
		cmocka_unit_test(bits_by_feature),
		cmocka_unit_test(bits_fgt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
