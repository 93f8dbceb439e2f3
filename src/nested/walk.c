/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software table walks: the way down, which both stages share; a guest hypervisor's stage 2
 * (AArch64.S2Translate, Non-secure), through which stage 1 reads its tables; and how the attributes
 * of both combine.
 */
#include "nested/walk.h"

#include "arch/esr.h"
#include "arch/pgtable.h"
#include "arch/tcr.h"
#include "nested/walk_tables.h"

/* ---- geometry ---- */

/*
 * The granule to use: for one that the CPU lacks the smallest that it has, which the architecture
 * leaves to the CPU.
 */
static u32 grain_of(u32 want, bool has4, bool has16, bool has64)
{
	if (want == 12 ? has4 : want == 14 ? has16 : want == 16 ? has64 : false)
		return want;
	return has4 ? 12 : has16 ? 14 : 16;
}

u32 walk_grain_tg0(u64 tg0, bool has4, bool has16, bool has64)
{
	static const u8 grain[] = { 12, 16, 14, 0 };

	return grain_of(grain[tg0 & 3], has4, has16, has64);
}

u32 walk_grain_tg1(u64 tg1, bool has4, bool has16, bool has64)
{
	static const u8 grain[] = { 0, 14, 12, 16 };

	return grain_of(grain[tg1 & 3], has4, has16, has64);
}

u32 walk_pa_bits(u64 ps, u32 max)
{
	static const u8 bits[] = { PARANGE_SIZES, 52, 56 };

	return MIN((u32)bits[ps & 7], max);
}

u64 walk_base(u64 ttbr, u32 grain, u32 level, u32 ia_bits)
{
	return ttbr & TTBR_BADDR & ~(BIT(ia_bits - walk_shift(grain, level) + 3) - 1);
}

/* Whether an entry that is no table is a block (BlockDescSupported, without 52-bit addresses). */
static bool is_block_level(u32 grain, u32 level)
{
	return level == 2 || (level == 1 && grain == 12);
}

/* log2 of the entries that share a contiguous bit (ContiguousSize). */
static u32 cont_shift(u32 grain, u32 level)
{
	if (grain == 12)
		return 4;
	if (grain == 14)
		return level == 2 ? 5 : 7;
	return 5;
}

/* ---- the way down ---- */

bool walk_fail(struct walk_fault *fault, u64 fsc_type, u32 level)
{
	fault->fsc = (u8)(fsc_type | level);
	fault->level = (u8)level;
	return false;
}

/* Stage 1: translate a table's address through stage 2. */
static bool table_at(struct walk_tables *t, u64 at, bool write, struct walk_fault *fault)
{
	struct walk_access a = { .read = true, .write = write, .ttw = true, .el0 = t->el0 };
	struct walk_s2_out out;
	struct walk_fault f;

	t->at_ipa = at;
	if (!walk_s2(t->s2, t->feat, t->mem, at, a, &out, &f)) {
		f.s1ptw = true;
		*fault = f;
		return false;
	}
	t->at = out.oa;
	return true;
}

static inline bool fetch(struct walk_tables *t, u64 at, u32 level, struct walk_fault *fault)
{
	t->at = at;
	if (t->s2 && !table_at(t, at, false, fault))
		return false;
	if (t->mem->read(t->mem->ctx, t->at, &t->desc))
		return walk_fail(fault, ESR_FSC_SEA_TTW, level);
	if (t->ee)
		t->desc = __builtin_bswap64(t->desc);
	return true;
}

/* Handle a descriptor that is not a table's: a leaf, or invalid. */
static inline bool leaf(struct walk_tables *t, u32 level, u32 shift, struct walk_fault *fault)
{
	const struct walk_shape *s = t->shape;
	u64 in;

	if ((t->desc & DESC_TYPE) != (level == 3 ? DESC_TYPE : DESC_VALID) ||
	    (level < 3 && !is_block_level(s->grain, level)))
		return walk_fail(fault, ESR_FSC_TRANSLATION, level);
	t->size = BIT(shift);
	if (t->desc & DESC_CONT)
		shift += cont_shift(s->grain, level);
	in = BIT(shift) - 1;
	t->oa = (t->desc & MASK(47, 0) & ~in) | (t->ia & in);
	if (t->oa >> s->oa_bits)
		return walk_fail(fault, ESR_FSC_ADDR_SIZE, level);
	if (!(t->desc & DESC_AF) && !s->ha)
		return walk_fail(fault, ESR_FSC_ACCESS, level);
	fault->level = (u8)level;
	return true;
}

void walk_cache_invalidate(struct walk_cache *c)
{
	/* No input address has as many bits. */
	c->ia = ~0UL;
	c->shift = 0;
}

/* Cache what walks of other addresses in the last table, at this level, have in common. */
static void cache_table(struct walk_cache *c, u64 ia, u64 table, u32 level, u32 shift)
{
	c->ia = ia;
	c->table = table;
	c->shift = shift;
	c->level = level;
}

static bool is_table(u64 desc, u32 level)
{
	return level < 3 && (desc & DESC_TYPE) == DESC_TYPE;
}

/* Walk down from the descriptor of a table at this level, t->desc. */
static bool descend(struct walk_tables *t, u32 level, struct walk_fault *fault)
{
	u32 stride = t->shape->grain - 3U, shift = walk_shift(t->shape->grain, level);
	u64 table;

	do {
		t->hier |= t->desc;
		table = t->desc & MASK(47, t->shape->grain);
		if (table >> t->shape->oa_bits)
			return walk_fail(fault, ESR_FSC_ADDR_SIZE, level);
		level++;
		shift -= stride;
		if (!fetch(t, table | (t->ia >> shift & (BIT(stride) - 1)) << 3, level, fault))
			return false;
	} while (is_table(t->desc, level));
	if (t->cache)
		cache_table(t->cache, t->ia, table, level, shift + stride);
	return leaf(t, level, shift, fault);
}

/*
 * The entry of the first table, or of concatenated ones: it resolves all that is left of the
 * address.
 */
static u64 first_entry(const struct walk_tables *t)
{
	const struct walk_shape *s = t->shape;

	return s->base | (t->ia & (BIT(s->ia_bits) - 1)) >> walk_shift(s->grain, s->level) << 3;
}

bool walk_tables(struct walk_tables *t, struct walk_fault *fault)
{
	const struct walk_cache *c = t->cache;
	u32 level = t->shape->level, shift;
	u64 at;

	t->hier = 0;
	if (c && !((t->ia ^ c->ia) >> c->shift)) {
		level = c->level;
		shift = c->shift - (t->shape->grain - 3U);
		at = c->table | (t->ia & (BIT(c->shift) - 1)) >> shift << 3;
	} else {
		shift = walk_shift(t->shape->grain, level);
		at = first_entry(t);
		if (at >> t->shape->oa_bits)
			return walk_fail(fault, ESR_FSC_ADDR_SIZE, 0);
	}
	if (!fetch(t, at, level, fault))
		return false;
	return is_table(t->desc, level) ? descend(t, level, fault) : leaf(t, level, shift, fault);
}

bool walk_update(struct walk_tables *t, u64 new, struct walk_fault *fault)
{
	u32 level = fault->level;
	u64 old = t->desc;
	int err;

	if (new == old || !t->mem->swap)
		return true;
	if (t->s2 && !table_at(t, t->at_ipa, true, fault))
		return false;
	t->desc = new;
	if (t->ee) {
		old = __builtin_bswap64(old);
		new = __builtin_bswap64(new);
	}
	err = t->mem->swap(t->mem->ctx, t->at, old, new);
	if (err == -EBUSY) {
		fault->retry = true;
		return false;
	}
	return err ? walk_fail(fault, ESR_FSC_SEA_TTW, level) : true;
}

/* ---- stage 2 ---- */

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
	return (u16)(f->vmid16 && (vtcr & VTCR_VS) ? VTTBR_VMID16(vttbr) : VTTBR_VMID8(vttbr));
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
	u8 xn = (u8)S2_XN_FIELD(t->desc);

	out->oa = t->oa;
	out->size = t->size;
	out->memattr = (u8)S2_MEMATTR(t->desc);
	if (out->memattr >= MEMATTR_NORMAL && !(out->memattr & 3))
		out->memattr |= 1;
	out->sh = (u8)DESC_SH(t->desc);
	out->ap = (u8)(S2_AP(t->desc) | (dirty_later ? WRITE : 0));
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
	desc |= DESC_AF;
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
	hd = shape->hd && (t.desc & DESC_DBM);
	decode_leaf(&t, hd, out);
	out->level = fault->level;
	if (!allowed(regs, out, a))
		return walk_fail(fault, ESR_FSC_PERMISSION, out->level);
	if (!shape->ha)
		return true;
	new = touched(t.desc, hd, a, out);
	return new == t.desc || walk_update(&t, new, fault);
}

/* ---- attributes ---- */

/* S2CombineS1AttrHints: one half; hints and transience are stage 1's. */
static u8 combine_half(u8 s1, u8 s2)
{
	bool transient = !(s1 & 8) && (s1 & 3);

	if (s1 == ATTR_HALF_NC || s2 == MEMATTR_HALF_NC)
		return ATTR_HALF_NC;
	if (!(s1 & 4) || s2 == MEMATTR_HALF_WT)
		return (u8)((transient ? 0 : 8) | (s1 & 3));
	return (u8)((transient ? 4 : 12) | (s1 & 3));
}

static bool is_device(u8 attr)
{
	return attr < ATTR_NORMAL_MIN;
}

void walk_combine(u8 s1_attr, u8 s1_sh, u8 s2_memattr, u8 s2_sh, bool s2_cd, u8 *attr, u8 *sh)
{
	bool s2_device = s2_memattr < MEMATTR_NORMAL;
	u8 s2_as_attr = (u8)((s2_memattr & 3) << 2);

	if (!s2_device && s2_cd)
		s2_memattr = MEMATTR_HALF_NC << 2 | MEMATTR_HALF_NC;
	if (is_device(s1_attr) && s2_device)
		*attr = MIN(s1_attr, s2_as_attr);
	else if (is_device(s1_attr))
		*attr = s1_attr;
	else if (s2_device)
		*attr = s2_as_attr;
	else
		*attr = (u8)(combine_half(s1_attr >> 4, s2_memattr >> 2) << 4 |
			     combine_half(s1_attr & 15, s2_memattr & 3));
	if (is_device(*attr) || *attr == (ATTR_HALF_NC << 4 | ATTR_HALF_NC) || s1_sh == SH_OUTER ||
	    s2_sh == SH_OUTER)
		*sh = SH_OUTER;
	else
		*sh = s1_sh == SH_INNER || s2_sh == SH_INNER ? SH_INNER : 0;
}
