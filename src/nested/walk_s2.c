/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 2 of a guest hypervisor, walked in software: AArch64.S2Translate, Non-secure. */
#include "arch/esr.h"
#include "arch/pgtable.h"
#include "arch/tcr.h"
#include "nested/walk.h"
#include "nested/walk_tables.h"

#define S2AP(desc) FIELD(desc, 7, 6)
#define READ 1
#define WRITE 2

u32 walk_s2_granule(u64 vtcr, const struct walk_feat *f)
{
	return walk_grain_tg0(VTCR_TG0(vtcr), f->tg4_2, f->tg16_2, f->tg64_2);
}

u64 walk_s2_leaf_size(u64 vtcr, const struct walk_feat *f, u32 level)
{
	u32 grain = walk_s2_granule(vtcr, f);

	if (level < 1 || level > 3 || (level == 1 && grain != 12))
		return 0;
	return BIT(walk_shift(grain, level));
}

u16 walk_vmid(u64 vttbr, u64 vtcr, const struct walk_feat *f)
{
	return (u16)(f->vmid16 && (vtcr & VTCR_VS) ? FIELD(vttbr, 63, 48) : FIELD(vttbr, 55, 48));
}

/*
 * The level that SL0 names, or -1 where it is reserved, not for this CPU, or not for this T0SZ
 * (S2StartLevel, S2InvalidSL, S2InconsistentSL).
 */
static int start_level(u64 vtcr, u32 grain, u32 ia_bits, const struct walk_feat *f)
{
	static const s8 level4[] = { 2, 1, 0, 3 }, level16[] = { 3, 2, 1, -1 },
			level64[] = { 3, 2, 1, -1 };
	u32 sl0 = VTCR_SL0(vtcr), min, max, need;
	int level = grain == 12 ? level4[sl0] : grain == 14 ? level16[sl0] : level64[sl0];

	if (level < 0)
		return -1;
	if (grain == 12 && level == 3 && !f->ttst)
		return -1;
	need = sl0 == 2 ? (grain == 14 ? 42 : 44) : 0;
	if (f->pa_bits < need)
		return -1;
	min = walk_shift(grain, (u32)level) + 1;
	max = min + (grain - 3 - 1) + 4; /* up to 16 concatenated tables */
	return ia_bits < min || ia_bits > max ? -1 : level;
}

/* T0SZ in bits of IPA; 0: a translation fault, because it is more than the CPU has. */
static u32 ipa_bits(u64 vtcr, u32 grain, const struct walk_feat *f)
{
	u32 bits = 64 - VTCR_T0SZ(vtcr);
	u32 least = f->ttst ? (grain == 16 ? 17 : 16) : 25;

	if (bits > f->pa_bits)
		return 0;
	return MAX(bits, least);
}

static void decode_leaf(const struct walk_tables *t, bool dirty_later, struct walk_s2_out *out)
{
	u8 xn = (u8)FIELD(t->desc, 54, 53);

	out->oa = t->oa;
	out->size = t->size;
	out->memattr = (u8)FIELD(t->desc, 5, 2);
	if (out->memattr >= 4 && !(out->memattr & 3))
		out->memattr |= 1;
	out->sh = (u8)FIELD(t->desc, 9, 8);
	out->ap = (u8)(S2AP(t->desc) | (dirty_later ? WRITE : 0));
	out->xn = t->shape->xnx ? xn : xn & 2;
}

/* AArch64.S2CheckPermissions. */
static bool allowed(const struct walk_s2_regs *regs, const struct walk_s2_out *out,
		    struct walk_access a)
{
	if (a.ttw && regs->ptw && out->memattr < 4)
		return false;
	if (a.exec && (a.el0 ? out->xn & 2 : out->xn == 1 || out->xn == 2))
		return false;
	return !(a.read && !(out->ap & READ)) && !(a.write && !(out->ap & WRITE));
}

/* Stage 2 off: the output is the input, and stage 1 alone decides. */
static bool flat(u64 ipa, struct walk_s2_out *out)
{
	*out = (struct walk_s2_out){ .oa = ipa, .size = ~0UL, .memattr = 15, .ap = READ | WRITE };
	return true;
}

struct walk_shape walk_s2_shape(u64 vttbr, u64 vtcr, const struct walk_feat *f)
{
	u32 grain = walk_s2_granule(vtcr, f), bits = ipa_bits(vtcr, grain, f);
	int level = bits ? start_level(vtcr, grain, bits, f) : -1;

	if (level < 0)
		return (struct walk_shape){ 0 };
	return (struct walk_shape){ .base = walk_base(vttbr, grain, (u32)level, bits),
				    .ia_bits = (u8)bits,
				    .oa_bits = (u8)walk_pa_bits(VTCR_PS(vtcr), f->pa_bits),
				    .grain = (u8)grain,
				    .level = (u8)level,
				    .ha = f->haf && (vtcr & VTCR_HA),
				    .hd = f->haf && f->hdbs && (vtcr & VTCR_HA) && (vtcr & VTCR_HD),
				    .xnx = f->xnx };
}

/* Walk after decoding VTTBR_EL2 and VTCR_EL2. */
static __attribute__((noinline)) bool walk_decoded(const struct walk_s2_regs *regs,
						   const struct walk_feat *f,
						   const struct walk_mem *mem, u64 ipa,
						   struct walk_access a, struct walk_s2_out *out,
						   struct walk_fault *fault)
{
	struct walk_shape shape = walk_s2_shape(regs->vttbr, regs->vtcr, f);
	struct walk_s2_regs decoded = *regs;

	decoded.shape = &shape;
	return walk_s2(&decoded, f, mem, ipa, a, out, fault);
}

/* With HA: the leaf's descriptor as hardware leaves it. hd: it sets the dirty state as well. */
static u64 touched(u64 desc, bool hd, struct walk_access a, struct walk_s2_out *out)
{
	desc |= WALK_AF;
	if (!hd || (desc & S2_AP_WRITE))
		return desc;
	if (a.write && !a.at)
		return desc | S2_AP_WRITE;
	/* Until a write makes the page dirty, writes must fault. */
	out->ap &= READ;
	return desc;
}

bool walk_s2(const struct walk_s2_regs *regs, const struct walk_feat *f, const struct walk_mem *mem,
	     u64 ipa, struct walk_access a, struct walk_s2_out *out, struct walk_fault *fault)
{
	const struct walk_shape *shape = regs->shape;
	/* No stage below, no access level: these fields stay 0. */
	struct walk_tables t;
	bool hd;
	u64 new;

	*fault = (struct walk_fault){ .stage2 = true, .ipa = ipa };
	if (!regs->vm)
		return flat(ipa, out);
	if (!shape)
		return walk_decoded(regs, f, mem, ipa, a, out, fault);
	if (!shape->ia_bits || ipa >> shape->ia_bits)
		return walk_fail(fault, ESR_FSC_TRANSLATION, 0);
	t.ia = ipa;
	t.shape = shape;
	t.mem = mem;
	t.cache = regs->cache;
	t.s2 = NULL;
	t.ee = regs->ee;
	if (!walk_tables(&t, fault))
		return false;
	hd = shape->hd && (t.desc & WALK_DBM);
	decode_leaf(&t, hd, out);
	out->level = fault->level;
	if (!allowed(regs, out, a))
		return walk_fail(fault, ESR_FSC_PERMISSION, out->level);
	if (!shape->ha)
		return true;
	new = touched(t.desc, hd, a, out);
	return new == t.desc || walk_update(&t, new, fault);
}
