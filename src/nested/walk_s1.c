/* SPDX-License-Identifier: Apache-2.0 */
/* Stage 1 of a guest, walked in software: AArch64.S1Translate for EL1&0 and EL2&0 (E2H=1). */
#include "arch/esr.h"
#include "arch/pgtable.h"
#include "arch/sctlr.h"
#include "arch/tcr.h"
#include "nested/walk.h"
#include "nested/walk_tables.h"

/* The half of the address space that va lies in. */
struct half {
	u64 ttbr;
	u32 txsz, grain;
	bool epd, tbi, hpd, e0pd;
};

static struct half half_of(const struct walk_s1_regs *regs, const struct walk_feat *f, u64 va)
{
	u64 tcr = regs->tcr;

	if (va & VA_UPPER)
		return (struct half){
			.ttbr = regs->ttbr1,
			.txsz = (u32)TCR_T1SZ(tcr),
			.grain = walk_grain_tg1(TCR_TG1(tcr), f->tg4, f->tg16, f->tg64),
			.epd = tcr & TCR_EPD1,
			.tbi = tcr & TCR_TBI1,
			.hpd = f->hpds && (tcr & TCR_HPD1),
			.e0pd = f->e0pd && (tcr & TCR_E0PD1),
		};
	return (struct half){
		.ttbr = regs->ttbr0,
		.txsz = (u32)TCR_T0SZ(tcr),
		.grain = walk_grain_tg0(TCR_TG0(tcr), f->tg4, f->tg16, f->tg64),
		.epd = tcr & TCR_EPD0,
		.tbi = tcr & TCR_TBI0,
		.hpd = f->hpds && (tcr & TCR_HPD0),
		.e0pd = f->e0pd && (tcr & TCR_E0PD0),
	};
}

/* Bits of the half's addresses; T*SZ beyond a limit counts as the limit (S1TxSZFaults: none). */
static u32 va_bits(const struct half *h, const struct walk_feat *f)
{
	u32 bits = 64 - h->txsz, most = f->lva && h->grain == 16 ? 52 : 48;
	u32 least = f->ttst ? (h->grain == 16 ? 17 : 16) : 25;

	return MIN(MAX(bits, least), most);
}

/* AArch64.VAIsOutOfRange: the bits above are not all like bit 55. */
static bool out_of_range(u64 va, u32 bits, bool tbi)
{
	u64 above = MASK(tbi ? 55 : 63, bits);

	return va & VA_UPPER ? (va & above) != above : va & above;
}

/* AArch64.S1DisabledOutput. */
static bool flat(const struct walk_s1_regs *regs, const struct walk_feat *f, u64 va,
		 struct walk_s1_out *out, struct walk_fault *fault)
{
	bool tbi = regs->tcr & (va & VA_UPPER ? TCR_TBI1 : TCR_TBI0);
	bool dc = regs->el10 && regs->dc;

	if (va & MASK(tbi ? 55 : 63, f->pa_bits))
		return walk_fail(fault, ESR_FSC_ADDR_SIZE, 0);
	*out = (struct walk_s1_out){ .oa = va & MASK(55, 0),
				     .size = ~0UL,
				     .attr = dc ? ATTR_NORMAL_WB : 0,
				     .sh = dc ? 0 : SH_OUTER,
				     .pr = true,
				     .pw = true,
				     .px = true,
				     .ur = true,
				     .uw = true,
				     .ux = true };
	return true;
}

/* EL2's format as EL1&0 has it: no AP[1] and nothing for EL0, XN at UXN's place is PXN. */
static u64 from_el2(u64 desc)
{
	return (desc & ~(S1_AP_EL0 | S1_PXN)) | (desc & S1_UXN) >> 1 | S1_UXN;
}

static u64 from_el2_table(u64 hier)
{
	return (hier & ~(S1_TABLE_NO_EL0 | S1_TABLE_PXN)) | (hier & S1_TABLE_UXN) >> 1;
}

/* AArch64.S1DirectBasePermissions, before PAN and WXN. hier is 0 with HPD. */
static void permissions(u64 desc, u64 hier, bool dirty_later, struct walk_s1_out *out)
{
	bool ro = ((desc & S1_AP_RO) && !dirty_later) || (hier & S1_TABLE_RO);
	bool user = (desc & S1_AP_EL0) && !(hier & S1_TABLE_NO_EL0);

	out->pr = true;
	out->pw = !ro;
	out->ur = user;
	out->uw = user && !ro;
	out->px = !(desc & S1_PXN) && !(hier & S1_TABLE_PXN) && !out->uw;
	out->ux = !(desc & S1_UXN) && !(hier & S1_TABLE_UXN);
}

static bool allowed(const struct walk_s1_regs *regs, const struct walk_feat *f,
		    struct walk_s1_out *out, struct walk_access a)
{
	bool r, w, x;

	if (f->pan && a.pan &&
	    (out->ur || out->uw || (f->epan && (regs->sctlr & SCTLR_EPAN) && out->ux)))
		out->pr = out->pw = false;
	if (regs->sctlr & SCTLR_WXN) {
		out->px = out->px && !out->pw;
		out->ux = out->ux && !out->uw;
	}
	r = a.el0 ? out->ur : out->pr;
	w = a.el0 ? out->uw : out->pw;
	x = a.el0 ? out->ux : out->px;
	return !(a.read && !r) && !(a.write && !w) && !(a.exec && !x);
}

/* MAIR_ELx attribute of the leaf; with the data cache off all Normal memory is Non-cacheable. */
static u8 attribute(const struct walk_s1_regs *regs, u64 desc)
{
	u8 attr = (u8)(regs->mair >> 8 * S1_ATTR_INDEX(desc));

	return attr >= ATTR_NORMAL_MIN && !(regs->sctlr & SCTLR_C) ? ATTR_NORMAL_NC : attr;
}

/* Everything before the first table is read; false: a translation fault of level 0. */
static bool setup(const struct walk_s1_regs *regs, const struct walk_feat *f, u64 va,
		  const struct half *h, bool el0, struct walk_shape *s)
{
	u32 bits = va_bits(h, f);
	/* AArch64.S1StartLevel */
	u32 level = 3 - (bits - 1 - h->grain) / (h->grain - 3);

	if (out_of_range(va, bits, h->tbi) || (el0 && h->e0pd) || h->epd)
		return false;
	*s = (struct walk_shape){ .base = walk_base(h->ttbr, h->grain, level, bits),
				  .ia_bits = (u8)bits,
				  .oa_bits = (u8)walk_pa_bits(TCR_IPS(regs->tcr), f->pa_bits),
				  .grain = (u8)h->grain,
				  .level = (u8)level,
				  .ha = f->haf && (regs->tcr & TCR_HA),
				  .hd = f->haf && f->hdbs && (regs->tcr & TCR_HA) &&
					(regs->tcr & TCR_HD) };
	return true;
}

bool walk_s1(const struct walk_s1_regs *regs, const struct walk_s2_regs *s2,
	     const struct walk_feat *f, const struct walk_mem *mem, u64 va, struct walk_access a,
	     struct walk_s1_out *out, struct walk_fault *fault)
{
	struct walk_shape shape;
	struct walk_tables t = { .ia = va,
				 .shape = &shape,
				 .mem = mem,
				 .s2 = s2,
				 .feat = f,
				 .ee = regs->sctlr & SCTLR_EE,
				 .el0 = a.el0 };
	struct half h = half_of(regs, f, va);
	bool hd;
	u64 new;

	*fault = (struct walk_fault){ 0 };
	if (!(regs->sctlr & SCTLR_M) || (regs->el10 && regs->dc))
		return flat(regs, f, va, out, fault);
	if (!setup(regs, f, va, &h, a.el0, &shape))
		return walk_fail(fault, ESR_FSC_TRANSLATION, 0);
	if (!walk_tables(&t, fault))
		return false;
	hd = shape.hd && (t.desc & DESC_DBM);
	*out = (struct walk_s1_out){ .oa = t.oa,
				     .size = t.size,
				     .level = fault->level,
				     .attr = attribute(regs, t.desc),
				     .sh = (u8)FIELD(t.desc, 9, 8),
				     .global = !(t.desc & S1_NG),
				     .cont = t.desc & DESC_CONT };
	t.hier = h.hpd ? 0 : t.hier;
	if (regs->nv1)
		permissions(from_el2(t.desc), from_el2_table(t.hier), hd, out);
	else
		permissions(t.desc, t.hier, hd, out);
	if (!allowed(regs, f, out, a))
		return walk_fail(fault, ESR_FSC_PERMISSION, out->level);
	new = t.desc;
	if (shape.ha)
		new |= DESC_AF;
	if (hd && a.write && !a.at)
		new &= ~S1_AP_RO;
	return walk_update(&t, new, fault);
}
