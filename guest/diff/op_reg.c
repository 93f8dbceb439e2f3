/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that read and write system registers, at every level by every name (regs.def). */
#include "diff.h"

#include "regs.h"

static const u64 cvals[] = { 0, 1, ~0UL, ~0UL >> 1, 1UL << 60, 1UL << 62 };
static const u64 tvals[] = { 0x80000000, 0xf0000000, 0x7fffffff, 0x70000000 };
static const u64 voffs[] = { 0, 1UL << 20, -(1UL << 40), 1UL << 50, 1UL << 63 };

static u64 some_of(u64 mask, struct rng *r)
{
	u64 v = rng_next(r), w = rng_next(r);

	switch (rng_below(r, 6)) {
	case 0:
		return 0;
	case 1:
		return mask;
	case 2:
		return mask & 1UL << (v & 63);
	case 3:
		return mask & ~(1UL << (v & 63));
	case 4:
		return mask & v & w;
	default:
		return mask & v;
	}
}

static u64 list_register(u32 n, struct rng *r)
{
	u64 v = rng_next(r);

	if (rng_once(r, 5))
		return 0;
	return (v & 0xd000020000000000UL) | (v >> 8 & 0xf8) << 48 | (v & 0x7c) | n;
}

u64 reg_value(const struct reg *g, struct rng *r)
{
	switch (g->kind) {
	case REG_CVAL:
		return cvals[rng_below(r, ARRAY_SIZE(cvals))];
	case REG_TVAL:
		return tvals[rng_below(r, ARRAY_SIZE(tvals))];
	case REG_VOFF:
		return voffs[rng_below(r, ARRAY_SIZE(voffs))];
	case REG_LR:
		return list_register(g->op2, r);
	default:
		return some_of(g->mask, r);
	}
}

static u64 mask_of(const struct reg *g)
{
	return g->mask;
}

enum action { READ, WRITE, WRITE_READ };

/* a[0]: register, a[1]: context, a[2]: value, a[3]: action */
static void reg_gen(struct step *s, struct rng *r)
{
	const struct reg *g;

	s->a[0] = regs_pick(r);
	g = &regs[s->a[0]];
	s->a[1] = rng_context(r);
	s->a[2] = reg_value(g, r);
	s->a[3] = rng_below(r, 3);
	if (g->kind == REG_ANY || g->kind == REG_ID)
		s->a[3] = READ;
	if (g->kind == REG_LOCK)
		s->a[3] = WRITE_READ;
	/*
	 * What EL2 itself depends on may hold anything at lower levels, but at its own changes for
	 * a moment only.
	 */
	if (g->kind == REG_HCR)
		s->a[2] |= HCR_ALWAYS;
}

static bool turns(const struct reg *g, u64 at)
{
	return g->kind == REG_TURN || (g->kind == REG_OWN && at == AT_HOST);
}

static u64 written(const struct step *s)
{
	const struct reg *g = &regs[s->a[0]];

	if (turns(g, s->a[1]))
		return s->a[2] & mask_of(g);
	if (g->kind == REG_RW || g->kind == REG_OWN)
		return s->a[2] | g->fixed;
	return g->kind == REG_HCR ? s->a[2] | HCR_ALWAYS : s->a[2];
}

static void reg_name(const struct step *s)
{
	const struct reg *g = &regs[s->a[0]];

	say("%s: ", context_name[s->a[1]]);
	if (s->a[3] == READ)
		say("read %s", g->name);
	else
		say("%s %s %lx%s", g->name, turns(g, s->a[1]) ? "^=" : "=", written(s),
		    s->a[3] == WRITE_READ ? ", read" : "");
}

static u32 mrs(const struct reg *g, u32 rt)
{
	return SYS_INSN(1, g->op0, g->op1, g->crn, g->crm, g->op2, rt);
}

static u32 msr(const struct reg *g, u32 rt)
{
	return SYS_INSN(0, g->op0, g->op1, g->crn, g->crm, g->op2, rt);
}

/*
 * QEMU 10.0 has debug exceptions while the OS Lock is set, so it is set only while OSLSR_EL1 is
 * read.
 */
static void lock(const struct reg *g)
{
	code_emit(msr(g, 0));
	code_emit(INSN_ISB);
	code_emit(SYS_INSN(1, 2, 0, 1, 1, 4, 1));
	code_emit(msr(g, 31));
	code_emit(INSN_ISB);
}

/* Registers that are read into x1; what an exception leaves in them is printed too. */
static void turn(const struct reg *g)
{
	code_emit(mrs(g, 2));
	code_emit(INSN_EOR(3, 2, 0));
	code_emit(msr(g, 3));
	code_emit(INSN_ISB);
	code_emit(mrs(g, 1));
	code_emit(msr(g, 2));
	code_emit(INSN_ISB);
	code_emit(INSN_EOR(1, 1, 2));
}

static bool is_par(const struct reg *g)
{
	return g->op1 == 0 && g->crn == 7 && g->crm == 4;
}

static bool is_cval(u64 v)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cvals); i++)
		if (v == cvals[i])
			return true;
	return false;
}

/* VBAR and TTBR0: where the tester itself is. */
static bool is_own_address(const struct reg *g)
{
	return (g->crn == 12 && !g->crm && !g->op2) || (g->crn == 2 && !g->crm && !g->op2);
}

static void reg_run(const struct step *s)
{
	const struct reg *g = &regs[s->a[0]];
	u64 x[5] = { written(s), 0x5a5a, 0, 0 };
	bool at_host = s->a[1] == AT_HOST;

	if (g->kind == REG_HCR && at_host && s->a[3] != READ) {
		run_hcr = x[0];
		hcr_write(run_hcr);
	}
	code_begin();
	if (s->a[3] != READ && turns(g, s->a[1])) {
		turn(g);
	} else if (g->kind == REG_LOCK) {
		lock(g);
	} else {
		if (s->a[3] != READ) {
			code_emit(msr(g, 0));
			code_emit(INSN_ISB);
		}
		if (s->a[3] != WRITE)
			code_emit(mrs(g, 1));
	}
	code_run((enum context)s->a[1], x, 4);
	if (s->a[3] == WRITE || g->kind == REG_ANY || g->kind == REG_TVAL)
		return;
	if (s->a[3] == READ && is_own_address(g))
		return;
	if (g->kind == REG_RW && g->mask == SPSR_FREE)
		x[1] &= ~SPSR_ALLINT;
	/*
	 * Of a page of the window that is the tester's own; bit 47 marks one that is beyond smaller
	 * machines.
	 */
	if (is_par(g) && !(x[1] & 1) && memory_data_index(x[1] & MASK(46, 12)) >= 0)
		x[1] &= ~MASK(46, 12);
	if (g->kind == REG_CVAL && !is_cval(x[1]) && x[1] != 0x5a5a)
		say(" a count"); /* from TVAL */
	else
		say_address("value", x[1]);
}

/* Access any encoding in MRS's space: print whether it is an exception, and which. */
/* a[0]: encoding, a[1]: context */
static void any_gen(struct step *s, struct rng *r)
{
	static const u8 op1s[] = { 0, 0, 1, 2, 3, 3, 4, 5, 6, 7 };
	u64 v = rng_next(r);

	/* S3_0 and S3_3 hold most registers; the feature-ID space gets a share of its own. */
	s->a[0] = SYS_INSN(1, 2 + !rng_once(r, 6), op1s[rng_below(r, ARRAY_SIZE(op1s))], v & 15,
			   v >> 4 & 15, v >> 8 & 7, 1);
	if (rng_once(r, 3))
		s->a[0] = SYS_INSN(1, 3, v >> 12 & 3, 0, v >> 4 & 7, v >> 8 & 7, 1);
	s->a[1] = rng_context(r);
}

static void any_name(const struct step *s)
{
	u32 w = (u32)s->a[0];

	say("%s: read S%lu_%lu_C%lu_C%lu_%lu", context_name[s->a[1]], FIELD(w, 20, 19),
	    FIELD(w, 18, 16), FIELD(w, 15, 12), FIELD(w, 11, 8), FIELD(w, 7, 5));
}

static void any_run(const struct step *s)
{
	u64 x[2] = { 0 };

	code_begin();
	code_emit((u32)s->a[0]);
	code_run((enum context)s->a[1], x, 2);
}

/* ---- HCR_EL2: the bits that route interrupts and aborts, and a few of the others ---- */
/* a[0]: value */
static void hcr_gen(struct step *s, struct rng *r)
{
	static const u64 routes[] = { HCR_IMO | HCR_FMO | HCR_AMO,
				      HCR_IMO | HCR_FMO | HCR_AMO,
				      HCR_IMO | HCR_FMO,
				      HCR_IMO,
				      HCR_FMO,
				      HCR_AMO,
				      0,
				      0 };
	static const u64 more[] = { HCR_VI,  HCR_VF,   HCR_VSE,  HCR_DC,   HCR_DC, HCR_TVM,
				    HCR_TSC, HCR_TACR, HCR_TID2, HCR_TID3, 0,      0 };

	s->a[0] = HCR_ALWAYS | HCR_API | HCR_APK | routes[rng_below(r, ARRAY_SIZE(routes))] |
		  more[rng_below(r, ARRAY_SIZE(more))];
	if (rng_once(r, 3))
		s->a[0] |= HCR_TGE;
}

static void hcr_name(const struct step *s)
{
	say("HCR_EL2 = %lx", s->a[0]);
}

static void hcr_run(const struct step *s)
{
	run_hcr = s->a[0];
	hcr_write(run_hcr);
	say_address("value", sysreg_read(HCR_EL2));
}

const struct op ops_hcr[] = {
	{ "hcr", 10, false, hcr_gen, hcr_name, hcr_run },
	{ 0 },
};

const struct op ops_reg[] = {
	{ "register", 40, true, reg_gen, reg_name, reg_run },
	{ "encoding", 4, true, any_gen, any_name, any_run },
	{ 0 },
};
