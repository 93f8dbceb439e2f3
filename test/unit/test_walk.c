/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Software table walks against a slow reference, which is written from the tables of the Arm ARM
 * (which address bits index which level) instead of from its pseudocode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/types.h"
#include "nested/walk.h"

/* ---- memory full of random descriptors ---- */

static u64 ram_at = 0x40000000UL; /* 0 as well: a table there is like any other */
#define RAM ram_at
#define PIECE 0x10000UL
#define PIECES 12UL
static u64 ram[PIECES * PIECE / 8], before[PIECES * PIECE / 8];
static unsigned reads, swaps;

static int mem_read(void *ctx, u64 at, u64 *word)
{
	(void)ctx;
	reads++;
	assert_int_equal(at & 7, 0);
	if (at < RAM || at >= RAM + sizeof(ram))
		return -EINVAL;
	*word = ram[(at - RAM) / 8];
	return 0;
}

static int mem_swap(void *ctx, u64 at, u64 old, u64 new)
{
	(void)ctx;
	swaps++;
	if (at < RAM || at >= RAM + sizeof(ram))
		return -EINVAL;
	if (ram[(at - RAM) / 8] != old)
		return -EBUSY;
	ram[(at - RAM) / 8] = new;
	return 0;
}

static const struct walk_mem mem = { mem_read, mem_swap, NULL };

static u64 seed = 1;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dUL;
}

static bool one_in(u64 n)
{
	return (rnd() >> 20) % n == 0;
}

/* Mostly plausible: a table, or a leaf with any attributes, whose address is in RAM. */
static u64 random_desc(void)
{
	u64 where = RAM + (rnd() >> 8) % PIECES * PIECE;
	u64 attrs = rnd() & (MASK(11, 2) | MASK(63, 51));

	if (one_in(10))
		return rnd() & ~1UL;
	if (one_in(12))
		where |= BIT(32 + (rnd() >> 9) % 16);
	if (!one_in(6))
		attrs |= BIT(10);
	if (one_in(2))
		attrs &= ~BIT(52);
	return where | attrs | (one_in(3) ? 1 : 3) | (one_in(8) ? MASK(15, 12) & rnd() : 0);
}

static void random_memory(bool big_endian)
{
	for (size_t i = 0; i < ARRAY_SIZE(ram); i++) {
		u64 d = random_desc();

		ram[i] = big_endian ? __builtin_bswap64(d) : d;
	}
	memcpy(before, ram, sizeof(ram));
}

/* ---- the reference: geometry ---- */

/* DDI 0487, D8.2: which bits of the input address index a level; hi 0: no such level. */
struct bits {
	u32 hi, lo;
};
struct granule {
	const char *name;
	u32 page;
	struct bits index[4];
	bool block[4];
	u32 cont[4]; /* log2 of the entries that one contiguous bit is about */
	u64 tg0, tg1;
	int s2_start[4];       /* by SL0; -1 reserved */
	struct bits s2_ipa[4]; /* by level: least and most bits of IPA */
	u32 s2_pa_least[4];    /* by level: PA size without which it is reserved */
};

static const struct granule granules[3] = {
	{ "4K",
	  12,
	  { { 47, 39 }, { 38, 30 }, { 29, 21 }, { 20, 12 } },
	  { 0, 1, 1, 1 },
	  { 0, 4, 4, 4 },
	  0,
	  2,
	  { 2, 1, 0, 3 },
	  { { 52, 40 }, { 43, 31 }, { 34, 22 }, { 25, 13 } },
	  { 44, 0, 0, 0 } },
	{ "16K",
	  14,
	  { { 47, 47 }, { 46, 36 }, { 35, 25 }, { 24, 14 } },
	  { 0, 0, 1, 1 },
	  { 0, 0, 5, 7 },
	  2,
	  1,
	  { 3, 2, 1, -1 },
	  { { 0, 0 }, { 51, 37 }, { 40, 26 }, { 29, 15 } },
	  { 0, 42, 0, 0 } },
	{ "64K",
	  16,
	  { { 0, 0 }, { 51, 42 }, { 41, 29 }, { 28, 16 } },
	  { 0, 0, 1, 1 },
	  { 0, 0, 5, 5 },
	  1,
	  3,
	  { 3, 2, 1, -1 },
	  { { 0, 0 }, { 59, 43 }, { 46, 30 }, { 33, 17 } },
	  { 0, 44, 0, 0 } },
};

static const u32 ps_bits[8] = { 32, 36, 40, 42, 44, 48, 52, 56 };

/* Bits hi..lo of v, in place; hi above 63 means 63. */
static u64 keep(u64 v, u32 hi, u32 lo)
{
	u64 out = 0;

	for (u32 b = lo; b <= hi && b < 64; b++)
		out |= v & (1UL << b);
	return out;
}

struct answer {
	bool ok, stage2, s1ptw;
	u32 fsc, level;
	u64 oa, size, ipa;
	u64 desc_at, desc;
	u64 tables[4];
	u32 ntables;
};

enum { F_SIZE = 0, F_TRANS = 4, F_AF = 8, F_PERM = 12, F_SEA = 0x14 };

static struct answer fault(u32 type, int level)
{
	return (struct answer){ .fsc = type | (u32)level, .level = (u32)level };
}

struct s2_setup {
	u64 vtcr, vttbr;
	bool ee, ptw;
	struct walk_feat f;
	/* Decoded once, and with a cache of the last table; or decoded for each walk. */
	const struct walk_shape *shape;
	struct walk_cache *cache;
};

/* The address of a stage-1 table: used by nested walks. */
static const struct s2_setup *under;
static struct answer ref_s2(const struct s2_setup *s, u64 ipa, struct walk_access a, bool update);

/* From the first table down, one level an iteration. */
static struct answer ref_down(const struct granule *g, int first, u32 ia_bits, u64 ttbr,
			      u32 oa_bits, bool be, bool ha, u64 ia, bool el0)
{
	struct answer r = { 0 };
	u32 top = ia_bits - 1, n = top - g->index[first].lo + 1 + 3;
	u64 table = keep(ttbr, 47, n);

	for (int level = first; level < 4; level++) {
		struct bits ix = { level == first ? top : g->index[level].hi, g->index[level].lo };
		u64 at = table + (keep(ia, ix.hi, ix.lo) >> ix.lo) * 8, at_pa = at, d;

		if (at >> oa_bits)
			return fault(F_SIZE, level == first ? 0 : level - 1);
		if (under) {
			struct answer t = ref_s2(
				under, at,
				(struct walk_access){ .read = true, .ttw = true, .el0 = el0 },
				true);

			if (!t.ok) {
				t.s1ptw = true;
				return t;
			}
			at_pa = t.oa;
		}
		if (at_pa < RAM || at_pa >= RAM + sizeof(ram)) {
			struct answer f = fault(F_SEA, level);
			return f;
		}
		d = ram[(at_pa - RAM) / 8];
		if (be)
			d = __builtin_bswap64(d);
		if (!(d & 1) || (!(d & 2) && (level == 3 || !g->block[level])))
			return fault(F_TRANS, level);
		if ((d & 2) && level < 3) {
			r.tables[r.ntables++] = d;
			table = keep(d, 47, g->page);
			continue;
		}
		r.size = 1UL << ix.lo;
		r.oa = keep(d, 47, ix.lo) | keep(ia, ix.lo - 1, 0);
		if (d & (1UL << 52)) {
			u32 lo = ix.lo + g->cont[level];
			r.oa = keep(d, 47, lo) | keep(ia, lo - 1, 0);
		}
		if (r.oa >> oa_bits)
			return fault(F_SIZE, level);
		if (!(d & (1UL << 10)) && !ha)
			return fault(F_AF, level);
		r.level = (u32)level;
		r.desc = d;
		r.desc_at = at_pa;
		r.ipa = at;
		r.ok = true;
		return r;
	}
	abort();
}

static void put_desc(u64 at, u64 d, bool be)
{
	ram[(at - RAM) / 8] = be ? __builtin_bswap64(d) : d;
}

/* ---- the reference: stage 2 ---- */

static const struct granule *granule_tg0(u64 tg0)
{
	for (size_t i = 0; i < 3; i++)
		if (granules[i].tg0 == tg0)
			return &granules[i];
	return &granules[0];
}

static const struct granule *granule_tg1(u64 tg1)
{
	for (size_t i = 0; i < 3; i++)
		if (granules[i].tg1 == tg1)
			return &granules[i];
	return &granules[0];
}

struct perm {
	bool r, w, px, ux;
};

static struct perm s2_perm(const struct s2_setup *s, u64 d)
{
	bool hw = s->f.haf && s->f.hdbs && FIELD(s->vtcr, 22, 21) == 3;
	struct perm p = { d & BIT(6), (d & BIT(7)) || (hw && (d & BIT(51))), true, true };
	u64 xn = FIELD(d, 54, 53);

	if (!s->f.xnx)
		xn &= 2;
	switch (xn) {
	case 1:
		p.px = false;
		break;
	case 2:
		p.px = p.ux = false;
		break;
	case 3:
		p.ux = false;
		break;
	}
	return p;
}

static struct answer ref_s2(const struct s2_setup *s, u64 ipa, struct walk_access a, bool update)
{
	const struct granule *g = granule_tg0(FIELD(s->vtcr, 15, 14));
	u32 t0sz = (u32)FIELD(s->vtcr, 5, 0), bits = 64 - t0sz;
	u32 least = s->f.ttst ? (g->page == 16 ? 17 : 16) : 25;
	int first = g->s2_start[FIELD(s->vtcr, 7, 6)];
	bool ha = s->f.haf && (s->vtcr & BIT(21)), hd = ha && s->f.hdbs && (s->vtcr & BIT(22));
	const struct s2_setup *was = under;
	struct answer r, none = fault(F_TRANS, 0);
	struct perm p;
	u64 d;

	none.stage2 = true;
	none.ipa = ipa;
	if (bits > s->f.pa_bits)
		return none;
	if (bits < least)
		bits = least;
	if (first < 0 || (first == 3 && g->page == 12 && !s->f.ttst) ||
	    s->f.pa_bits < g->s2_pa_least[first] || bits < g->s2_ipa[first].lo ||
	    bits > g->s2_ipa[first].hi || ipa >> bits)
		return none;
	under = NULL;
	r = ref_down(g, first, bits, s->vttbr,
		     MIN(ps_bits[FIELD(s->vtcr, 18, 16)], (u32)s->f.pa_bits), s->ee, ha, ipa,
		     false);
	under = was;
	r.stage2 = true;
	if (!r.ok) {
		r.ipa = ipa;
		return r;
	}
	p = s2_perm(s, r.desc);
	if ((a.ttw && s->ptw && FIELD(r.desc, 5, 4) == 0) || (a.read && !p.r) ||
	    (a.write && !p.w) || (a.exec && !(a.el0 ? p.ux : p.px))) {
		r = fault(F_PERM, (int)r.level);
		r.stage2 = true;
		r.ipa = ipa;
		return r;
	}
	d = r.desc;
	if (ha)
		d |= BIT(10);
	if (hd && (d & BIT(51)) && a.write && !a.at)
		d |= BIT(7);
	if (update)
		put_desc(r.desc_at, d, s->ee);
	r.desc = d;
	return r;
}

static struct walk_feat random_feat(void)
{
	static const u8 pa[] = { 40, 42, 44, 48 };

	return (struct walk_feat){
		.pa_bits = pa[rnd() >> 11 & 3],
		.tg4 = true,
		.tg16 = true,
		.tg64 = true,
		.tg4_2 = true,
		.tg16_2 = true,
		.tg64_2 = true,
		.ttst = one_in(2),
		.haf = !one_in(3),
		.hdbs = one_in(2),
		.hpds = one_in(2),
		.pan = !one_in(4),
		.epan = one_in(2),
		.e0pd = one_in(2),
		.xnx = one_in(2),
		.vmid16 = one_in(2),
	};
}

/* Any VTCR_EL2, but most often one with a start level that fits. */
static struct s2_setup random_s2(void)
{
	struct s2_setup s = { .f = random_feat(), .ee = one_in(4), .ptw = one_in(3) };
	const struct granule *g = &granules[(rnd() >> 9) % 3];
	u64 sl0 = (rnd() >> 7) % 4;
	int level = g->s2_start[sl0];

	s.vtcr = (rnd() & (MASK(22, 16) | MASK(13, 8))) | g->tg0 << 14 | sl0 << 6;
	if (one_in(8) || level < 0) {
		s.vtcr |= rnd() & 63;
	} else {
		u32 lo = MAX(g->s2_ipa[level].lo, 16U),
		    hi = MIN(g->s2_ipa[level].hi, (u32)s.f.pa_bits);

		s.vtcr |= 64 - (hi > lo ? lo + (rnd() >> 5) % (hi - lo + 1) : 40);
	}
	if (!one_in(4))
		s.vtcr = (s.vtcr & ~MASK(18, 16)) | 5UL << 16;
	s.vttbr = (RAM + (rnd() >> 8) % PIECES * PIECE) | 0x1200000000000001UL;
	if (one_in(10))
		s.vttbr |= BIT(45);
	return s;
}

static struct walk_s2_regs regs_of(const struct s2_setup *s)
{
	return (struct walk_s2_regs){
		/* With a shape they are ignored. */
		.vttbr = s->shape ? 0x5a5a5a5a5a5a : s->vttbr,
		.vtcr = s->shape ? ~0UL : s->vtcr,
		.vm = true,
		.ee = s->ee,
		.ptw = s->ptw,
		.shape = s->shape,
		.cache = s->cache,
	};
}

static struct walk_access random_access(void)
{
	struct walk_access a = { .el0 = one_in(2) };

	switch ((rnd() >> 9) % 5) {
	case 0:
		a.exec = true;
		break;
	case 1:
		a.write = true;
		break;
	case 2:
		a.read = a.write = true;
		break;
	case 3:
		a.read = true;
		break;
	}
	a.at = one_in(4);
	a.pan = one_in(2);
	return a;
}

static unsigned ok_count, fault_count[64];

static void count(bool ok, u32 fsc)
{
	if (ok)
		ok_count++;
	else
		fault_count[fsc]++;
}

static void same_fault(const struct answer *want, const struct walk_fault *got, const char *what,
		       u64 ia)
{
	if (got->retry || got->fsc != want->fsc || got->stage2 != want->stage2 ||
	    got->s1ptw != want->s1ptw || got->level != want->level ||
	    (want->stage2 && got->ipa != want->ipa))
		fail_msg("%s %#lx: FSC %#x stage2 %d s1ptw %d ipa %#lx, want FSC %#x %d %d %#lx",
			 what, ia, got->fsc, got->stage2, got->s1ptw, got->ipa, want->fsc,
			 want->stage2, want->s1ptw, want->ipa);
}

/*
 * Run the walk on a fresh copy of the memory that the reference had; both must leave it in the same
 * state.
 */
static u64 after[PIECES * PIECE / 8];

static void start_reference(void)
{
	memcpy(before, ram, sizeof(ram));
}

static void start_walk(void)
{
	memcpy(after, ram, sizeof(ram));
	memcpy(ram, before, sizeof(ram));
	reads = swaps = 0;
}

static void same_memory(const char *what, u64 ia)
{
	if (!memcmp(ram, after, sizeof(ram)))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(ram); i++)
		if (ram[i] != after[i])
			fail_msg("%s %#lx: descriptor at %#lx is %#lx, want %#lx (was %#lx)", what,
				 ia, RAM + i * 8, ram[i], after[i], before[i]);
}

static void check_s2(const struct s2_setup *s, u64 ipa, struct walk_access a)
{
	struct walk_s2_regs regs = regs_of(s);
	struct walk_s2_out out;
	struct walk_fault f;
	struct answer want;
	struct perm p;
	bool ok;

	start_reference();
	want = ref_s2(s, ipa, a, true);
	start_walk();
	ok = walk_s2(&regs, &s->f, &mem, ipa, a, &out, &f);
	count(ok, f.fsc);
	if (ok != want.ok)
		fail_msg("IPA %#lx, VTCR %#lx: %s (FSC %#x), want %s (FSC %#x)", ipa, s->vtcr,
			 ok ? "a translation" : "a fault", f.fsc,
			 want.ok ? "a translation" : "a fault", want.fsc);
	same_memory("IPA", ipa);
	if (reads > 4 || swaps > 1)
		fail_msg("IPA %#lx: %u reads, %u updates", ipa, reads, swaps);
	if (!ok) {
		same_fault(&want, &f, "IPA", ipa);
		return;
	}
	p = s2_perm(s, want.desc);
	/* A leaf that a write makes dirty is not writable before. */
	p.w = want.desc & BIT(7);
	assert_int_equal(out.oa, want.oa);
	assert_int_equal(out.size, want.size);
	assert_int_equal(out.level, want.level);
	assert_int_equal(out.ap & 1, p.r);
	assert_int_equal(out.ap >> 1, p.w);
	/* XN[1:0] of the four kinds. */
	assert_int_equal(out.xn, p.ux ? (p.px ? 0 : 1) : p.px ? 3 : 2);
	assert_int_equal(out.sh, FIELD(want.desc, 9, 8));
	if (FIELD(want.desc, 5, 4) == 0 || FIELD(want.desc, 3, 2))
		assert_int_equal(out.memattr, FIELD(want.desc, 5, 2));
}

static void stage2_random(void **state)
{
	(void)state;
	for (u32 n = 0; n < 600; n++) {
		struct s2_setup s = random_s2();
		u32 bits = MIN(48U, 64 - (u32)FIELD(s.vtcr, 5, 0));

		if (n % 20 == 0)
			random_memory(s.ee);
		else
			s.ee = false;
		for (u32 k = 0; k < 6; k++) {
			struct walk_access a = random_access();

			a.ttw = one_in(4);
			if (a.ttw)
				a.exec = false;
			check_s2(&s, one_in(20) ? rnd() >> 8 : rnd() & (BIT(bits) - 1), a);
		}
		if (n % 20 == 0)
			random_memory(false);
	}
	/* The random tables must reach everything they are meant to test. */
	assert_true(ok_count > 300);
	for (u32 fsc = 4; fsc < 16; fsc++)
		if (fsc != 8 && fsc != 12 && !fault_count[fsc])
			fail_msg("no walk ended with FSC %#x", fsc);
	assert_true(fault_count[0x14] + fault_count[0x15] + fault_count[0x16] + fault_count[0x17]);
	assert_true(fault_count[0] + fault_count[1] + fault_count[2] + fault_count[3]);
}

/*
 * A walk that begins in the table where the last one ended has the result of the whole walk, leaf
 * or fault, and reads one descriptor.
 */
static void stage2_cached(void **state)
{
	unsigned fast_paths = 0, long_ways = 0;

	(void)state;
	memset(fault_count, 0, sizeof(fault_count));
	ok_count = 0;
	for (u32 n = 0; n < 600; n++) {
		struct s2_setup s = random_s2();
		struct walk_shape shape = walk_s2_shape(s.vttbr, s.vtcr, &s.f);
		struct walk_cache cache;
		u32 bits = MIN(48U, 64 - (u32)FIELD(s.vtcr, 5, 0));
		u64 ipa = rnd() & (BIT(bits) - 1);

		if (n % 20 == 0)
			random_memory(false);
		s.ee = false;
		s.shape = &shape;
		s.cache = &cache;
		walk_cache_invalidate(&cache);
		for (u32 k = 0; k < 12; k++) {
			struct walk_access a = random_access();
			struct walk_cache was = cache;

			check_s2(&s, ipa, a);
			if (reads > 1)
				long_ways++;
			else if (reads && was.ia == cache.ia && was.shift)
				fast_paths++;
			/* Near it, or anywhere. */
			ipa = one_in(5) ? rnd() & (BIT(bits) - 1)
					: ipa ^ (rnd() & (BIT(12 + (rnd() >> 9) % 20) - 1));
		}
	}
	if (ok_count < 300 || fast_paths < 300 || long_ways < 300)
		fail_msg("%u translations, %u walks of one read, %u of more", ok_count, fast_paths,
			 long_ways);
	for (u32 fsc = 1; fsc < 16; fsc++)
		if (fsc != 4 && fsc != 8 && fsc != 12 && !fault_count[fsc])
			fail_msg("no walk ended with FSC %#x", fsc);
}

/*
 * A table is replaced: noticed when the cache is told to forget, as by a TLBI. A leaf is replaced:
 * noticed at once.
 */
static void cached_until_told(void **state)
{
	struct walk_feat f = { .pa_bits = 40, .tg4 = true, .tg4_2 = true };
	struct walk_shape shape = walk_s2_shape(RAM, 25 | 1 << 6 | 2UL << 16, &f);
	struct walk_cache cache;
	struct walk_s2_regs r = { .shape = &shape, .cache = &cache, .vm = true };
	struct walk_access a = { .read = true };
	struct walk_s2_out out;
	struct walk_fault fa;

	(void)state;
	memset(ram, 0, sizeof(ram));
	walk_cache_invalidate(&cache);
	ram[0] = (RAM + 0x1000) | 3;
	ram[512] = (RAM + 0x2000) | 3;
	assert_false(walk_s2(&r, &f, &mem, 0x1000, a, &out, &fa));
	assert_int_equal(fa.fsc, 7);
	ram[1024 + 1] = 0x50001000 | BIT(10) | 0xff;
	ram[1536 + 1] = 0x60001000 | BIT(10) | 0xff;
	reads = 0;
	assert_true(walk_s2(&r, &f, &mem, 0x1008, a, &out, &fa));
	assert_int_equal(out.oa, 0x50001008);
	assert_int_equal(out.level, 3);
	assert_int_equal(reads, 1);
	ram[512] = (RAM + 0x3000) | 3;
	assert_true(walk_s2(&r, &f, &mem, 0x1000, a, &out, &fa));
	assert_int_equal(out.oa, 0x50001000);
	/* The next 2 MiB belong to another table. */
	assert_false(walk_s2(&r, &f, &mem, 0x201000, a, &out, &fa));
	assert_int_equal(fa.fsc, 6);
	assert_true(walk_s2(&r, &f, &mem, 0x1000, a, &out, &fa));
	assert_int_equal(out.oa, 0x60001000);
	walk_cache_invalidate(&cache);
	ram[512] = (RAM + 0x2000) | 3;
	assert_true(walk_s2(&r, &f, &mem, 0x1000, a, &out, &fa));
	assert_int_equal(out.oa, 0x50001000);
}

/* ---- the reference: stage 1 ---- */

struct s1_setup {
	struct walk_s1_regs r;
	struct walk_feat f;
};

static bool ref_s1_allowed(const struct s1_setup *s, const struct answer *r, struct walk_access a,
			   bool upper)
{
	u64 sctlr = s->r.sctlr, tcr = s->r.tcr, d = r->desc;
	bool hd = s->f.haf && s->f.hdbs && FIELD(tcr, 40, 39) == 3;
	bool hpd = s->f.hpds && (tcr & (upper ? BIT(42) : BIT(41)));
	bool read_only = (d & BIT(7)) && !(hd && (d & BIT(51))), for_el0 = d & BIT(6);
	bool uxn = d & BIT(54), pxn = d & BIT(53), wxn = sctlr & BIT(19);
	bool el0_writes, pr = true, pw;

	for (u32 i = 0; !hpd && i < r->ntables; i++) {
		read_only |= !!(r->tables[i] & BIT(62));
		for_el0 &= !(r->tables[i] & BIT(61));
		uxn |= !!(r->tables[i] & BIT(60));
		pxn |= !!(r->tables[i] & BIT(59));
	}
	if (s->r.nv1) { /* one range, no EL0: XN is 54, XNTable 60; PAN is ignored */
		pxn = d & BIT(54);
		for (u32 i = 0; !hpd && i < r->ntables; i++)
			pxn |= !!(r->tables[i] & BIT(60));
		pxn |= wxn && !read_only;
		return !(a.write && read_only) && !(a.exec && pxn);
	}
	el0_writes = for_el0 && !read_only;
	if (a.el0) {
		if (wxn && el0_writes)
			uxn = true;
		return !(a.read && !for_el0) && !(a.write && !el0_writes) && !(a.exec && uxn);
	}
	pw = !read_only;
	if (s->f.pan && a.pan && (for_el0 || (s->f.epan && (sctlr & BIT(57)) && !uxn)))
		pr = pw = false;
	if (el0_writes || (wxn && pw))
		pxn = true;
	return !(a.read && !pr) && !(a.write && !pw) && !(a.exec && pxn);
}

static struct answer ref_s1(const struct s1_setup *s, u64 va, struct walk_access a)
{
	u64 tcr = s->r.tcr;
	bool upper = va & BIT(55), ha = s->f.haf && (tcr & BIT(39)),
	     hd = ha && s->f.hdbs && (tcr & BIT(40));
	const struct granule *g =
		upper ? granule_tg1(FIELD(tcr, 31, 30)) : granule_tg0(FIELD(tcr, 15, 14));
	u32 bits = 64 - (u32)(upper ? FIELD(tcr, 21, 16) : FIELD(tcr, 5, 0));
	u32 least = s->f.ttst ? (g->page == 16 ? 17 : 16) : 25;
	bool tbi = tcr & (upper ? BIT(38) : BIT(37));
	int first = 0;
	struct answer r;
	u64 d;

	bits = bits > 48 ? 48 : bits < least ? least : bits;
	for (u32 b = bits; b < (tbi ? 56U : 64U); b++)
		if (!!(va & BIT(b)) != upper)
			return fault(F_TRANS, 0);
	if (a.el0 && s->f.e0pd && (tcr & (upper ? BIT(56) : BIT(55))))
		return fault(F_TRANS, 0);
	if (tcr & (upper ? BIT(23) : BIT(7)))
		return fault(F_TRANS, 0);
	while (!g->index[first].hi || bits - 1 < g->index[first].lo)
		first++;
	r = ref_down(g, first, bits, upper ? s->r.ttbr1 : s->r.ttbr0,
		     MIN(ps_bits[FIELD(tcr, 34, 32)], (u32)s->f.pa_bits), s->r.sctlr & BIT(25), ha,
		     va, a.el0);
	if (!r.ok)
		return r;
	if (!ref_s1_allowed(s, &r, a, upper))
		return fault(F_PERM, (int)r.level);
	d = r.desc;
	if (ha)
		d |= BIT(10);
	if (hd && (d & BIT(51)) && a.write && !a.at)
		d &= ~BIT(7);
	if (d != r.desc && under) {
		struct answer t =
			ref_s2(under, r.ipa,
			       (struct walk_access){
				       .read = true, .write = true, .ttw = true, .el0 = a.el0 },
			       true);

		if (!t.ok) {
			t.s1ptw = true;
			return t;
		}
	}
	put_desc(r.desc_at, d, s->r.sctlr & BIT(25));
	r.desc = d;
	return r;
}

static struct s1_setup random_s1(bool ee)
{
	struct s1_setup s = { .f = random_feat() };
	u64 t0 = one_in(10) ? rnd() & 63 : 16 + (rnd() >> 9) % 24,
	    t1 = one_in(10) ? rnd() & 63 : 16 + (rnd() >> 9) % 24;

	s.r.sctlr = 1 | (one_in(2) ? BIT(2) : 0) | (one_in(3) ? BIT(19) : 0) | (ee ? BIT(25) : 0) |
		    (one_in(2) ? BIT(57) : 0);
	s.r.tcr = t0 | t1 << 16 | granules[(rnd() >> 7) % 3].tg0 << 14 |
		  granules[(rnd() >> 7) % 3].tg1 << 30 | (one_in(12) ? BIT(7) : 0) |
		  (one_in(12) ? BIT(23) : 0) | (one_in(4) ? rnd() & 7 : 5UL) << 32 |
		  (rnd() & MASK(42, 37)) | (one_in(4) ? BIT(55) : 0) | (one_in(4) ? BIT(56) : 0);
	s.r.ttbr0 = (RAM + (rnd() >> 8) % PIECES * PIECE) | 0xab00000000000001UL;
	s.r.ttbr1 = (RAM + (rnd() >> 8) % PIECES * PIECE) | 0xcd00000000000001UL;
	if (one_in(10))
		s.r.ttbr0 = s.r.ttbr1 | BIT(45);
	s.r.mair = 0xff4400bb04f00c4fUL;
	s.r.nv1 = (t0 ^ t1) % 4 == 0;
	return s;
}

static u64 random_va(const struct s1_setup *s)
{
	bool upper = one_in(2), tbi = s->r.tcr & (upper ? BIT(38) : BIT(37));
	u32 bits = 64 - (u32)(upper ? FIELD(s->r.tcr, 21, 16) : FIELD(s->r.tcr, 5, 0));
	u64 va = rnd() & (bits >= 64 ? ~0UL : BIT(bits) - 1);

	bits = MIN(bits, 48U);
	va &= BIT(bits) - 1;
	if (upper)
		va |= ~0UL << bits;
	if (one_in(16))
		va ^= BIT(40 + (rnd() >> 7) % 24);
	if (tbi && one_in(2))
		va ^= rnd() << 56;
	return va;
}

static void check_s1(const struct s1_setup *s, const struct s2_setup *s2, u64 va,
		     struct walk_access a)
{
	struct walk_s2_regs regs2 = s2 ? regs_of(s2) : (struct walk_s2_regs){ 0 };
	struct walk_s1_out out;
	struct walk_fault f;
	struct answer want;
	bool ok;

	start_reference();
	under = s2;
	want = ref_s1(s, va, a);
	under = NULL;
	start_walk();
	ok = walk_s1(&s->r, s2 ? &regs2 : NULL, &s->f, &mem, va, a, &out, &f);
	count(ok, f.fsc);
	if (ok != want.ok)
		fail_msg("VA %#lx, TCR %#lx: %s (FSC %#x), want %s (FSC %#x)", va, s->r.tcr,
			 ok ? "a translation" : "a fault", f.fsc,
			 want.ok ? "a translation" : "a fault", want.fsc);
	same_memory("VA", va);
	if (reads > (s2 ? 24U : 4U))
		fail_msg("VA %#lx: %u reads", va, reads);
	if (!ok) {
		same_fault(&want, &f, "VA", va);
		return;
	}
	assert_int_equal(out.oa, want.oa);
	assert_int_equal(out.size, want.size);
	assert_int_equal(out.sh, FIELD(want.desc, 9, 8));
	{
		u8 attr = (u8)(s->r.mair >> 8 * FIELD(want.desc, 4, 2));

		assert_int_equal(out.attr, (attr >> 4) && !(s->r.sctlr & 4) ? 0x44 : attr);
	}
}

/* EL2 without VHE has no EL0. */
static struct walk_access access_of(const struct s1_setup *s)
{
	struct walk_access a = random_access();

	a.el0 &= !s->r.nv1;
	return a;
}

static void stage1_random(void **state)
{
	(void)state;
	ok_count = 0;
	memset(fault_count, 0, sizeof(fault_count));
	for (u32 n = 0; n < 600; n++) {
		bool ee = n % 20 == 0;
		struct s1_setup s = random_s1(ee);

		if (n % 20 < 2)
			random_memory(ee);
		for (u32 k = 0; k < 6; k++)
			check_s1(&s, NULL, random_va(&s), access_of(&s));
	}
	assert_true(ok_count > 200);
	for (u32 fsc = 4; fsc < 16; fsc++)
		if (fsc != 8 && fsc != 12 && !fault_count[fsc])
			fail_msg("no walk ended with FSC %#x", fsc);
}

/* A stage 2 that maps most of memory, so that stage 1 walks succeed. */
static void nested_random(void **state)
{
	unsigned ptw = 0;

	(void)state;
	ok_count = 0;
	for (u32 n = 0; n < 1500; n++) {
		struct s1_setup s = random_s1(false);
		struct s2_setup s2 = random_s2();

		s.r.nv1 = false; /* EL1&0, as EL2's regime has no stage 2 */
		if (n % 20 == 0)
			random_memory(false);
		/*
		 * 4 KiB, three levels, 40 bits; the first table maps 1 GiB blocks, a few of them
		 * not.
		 */
		s2.f = s.f;
		s2.f.pa_bits = s.f.pa_bits = 48;
		s2.ee = false;
		s2.vtcr = 24 | 1UL << 6 | 5UL << 16 | (rnd() & MASK(22, 21));
		s2.vttbr = RAM;
		for (u64 i = 0; i < 1024; i++)
			if (!one_in(8))
				ram[i] = RAM | BIT(6) | (one_in(4) ? 0 : BIT(7)) |
					 (one_in(6) ? 0 : BIT(10)) | 15 << 2 | 1 |
					 (one_in(3) ? BIT(51) : 0);
		for (u32 k = 0; k < 6; k++) {
			check_s1(&s, &s2, random_va(&s), random_access());
			ptw++;
		}
	}
	assert_true(ptw && ok_count > 100);
}

/* ---- cases by hand ---- */

static void other_things(void **state)
{
	struct walk_feat f = { .pa_bits = 40, .tg4 = true, .tg4_2 = true, .vmid16 = true };
	struct walk_s2_regs off = { 0 };
	struct walk_s1_regs s1 = { .tcr = 0 };
	struct walk_s1_out o1;
	struct walk_s2_out o2;
	struct walk_fault fa;

	(void)state;
	/* MMU off: the address itself, Device; a bit above the PA size is an address size fault. */
	assert_true(walk_s1(&s1, NULL, &f, &mem, 0x12345678, (struct walk_access){ .read = true },
			    &o1, &fa));
	assert_int_equal(o1.oa, 0x12345678);
	assert_int_equal(o1.attr, 0);
	assert_int_equal(o1.sh, 2);
	assert_false(walk_s1(&s1, NULL, &f, &mem, BIT(40), (struct walk_access){ .read = true },
			     &o1, &fa));
	assert_int_equal(fa.fsc, 0);
	s1.tcr = BIT(37);
	assert_true(walk_s1(&s1, NULL, &f, &mem, 0xaa00000000001000, (struct walk_access){ 0 }, &o1,
			    &fa));
	assert_int_equal(o1.oa, 0x1000);
	/* HCR_EL2.DC: Normal, and the MMU counts as off. */
	s1 = (struct walk_s1_regs){ .sctlr = 1, .el10 = true, .dc = true };
	assert_true(walk_s1(&s1, &off, &f, &mem, 0x1000, (struct walk_access){ .write = true }, &o1,
			    &fa));
	assert_int_equal(o1.attr, 0xff);
	assert_int_equal(o1.sh, 0);
	/* Stage 2 off. */
	assert_true(walk_s2(&off, &f, &mem, 0xfffff000, (struct walk_access){ .write = true }, &o2,
			    &fa));
	assert_int_equal(o2.oa, 0xfffff000);
	/* A granule that does not exist is taken for one that does. */
	assert_int_equal(walk_s2_granule(1UL << 14, &f), 12);
	assert_int_equal(walk_vmid(0x1234000000000000, BIT(19), &f), 0x1234);
	assert_int_equal(walk_vmid(0x1234000000000000, 0, &f), 0x34);
	f.vmid16 = false;
	assert_int_equal(walk_vmid(0x1234000000000000, BIT(19), &f), 0x34);
}

static int busy_swap(void *ctx, u64 at, u64 old, u64 new)
{
	(void)ctx;
	(void)at;
	(void)old;
	(void)new;
	return -EBUSY;
}

static void changed_meanwhile(void **state)
{
	struct walk_mem m = { mem_read, busy_swap, NULL };
	struct walk_feat f = { .pa_bits = 40, .tg4 = true, .tg4_2 = true, .haf = true };
	struct walk_s2_regs r = { .vm = true,
				  .vttbr = RAM,
				  .vtcr = 24 | 1 << 6 | 2UL << 16 | BIT(21) };
	struct walk_s2_out out;
	struct walk_fault fa;

	(void)state;
	ram[1] = RAM | 0xfd; /* a block without its access flag */
	assert_false(walk_s2(&r, &f, &m, RAM, (struct walk_access){ .read = true }, &out, &fa));
	assert_true(fa.retry);
	m.swap = NULL;
	assert_true(walk_s2(&r, &f, &m, RAM, (struct walk_access){ .read = true }, &out, &fa));
	assert_int_equal(ram[1], RAM | 0xfd);
}

/* Stage 1 attribute, stage 2 MemAttr, SH of both: the combination. */
static void attributes(void **state)
{
	static const struct {
		u8 s1, sh1, s2, sh2, attr, sh;
		bool cd;
	} t[] = {
		{ 0xff, 3, 15, 3, 0xff, 3, false }, { 0xff, 0, 15, 0, 0xff, 0, false },
		{ 0xff, 0, 15, 3, 0xff, 3, false }, { 0xff, 3, 15, 2, 0xff, 2, false },
		{ 0xff, 3, 5, 3, 0x44, 2, false },  { 0xff, 3, 10, 3, 0xbb, 3, false },
		{ 0xbb, 3, 15, 3, 0xbb, 3, false }, { 0x44, 2, 15, 3, 0x44, 2, false },
		{ 0x04, 2, 15, 3, 0x04, 2, false }, { 0xff, 3, 1, 3, 0x04, 2, false },
		{ 0x0c, 2, 0, 0, 0x00, 2, false },  { 0x00, 2, 3, 0, 0x00, 2, false },
		{ 0xff, 3, 15, 3, 0x44, 2, true },  { 0x7f, 0, 11, 0, 0x3f, 0, false },
		{ 0xf4, 3, 15, 3, 0xf4, 3, false }, { 0xff, 3, 13, 3, 0xf4, 3, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		u8 attr, sh;

		walk_combine(t[i].s1, t[i].sh1, t[i].s2, t[i].sh2, t[i].cd, &attr, &sh);
		if (attr != t[i].attr || sh != t[i].sh)
			fail_msg("row %zu: attribute %#x, shareability %u; want %#x, %u", i, attr,
				 sh, t[i].attr, t[i].sh);
	}
}

static int at_zero(void **state)
{
	(void)state;
	ram_at = 0;
	ok_count = 0;
	memset(fault_count, 0, sizeof(fault_count));
	return 0;
}

int main(void)
{
#define ZERO(f) { #f " at 0", f, at_zero, NULL, NULL }
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stage2_random),     cmocka_unit_test(stage1_random),
		cmocka_unit_test(stage2_cached),     cmocka_unit_test(cached_until_told),
		cmocka_unit_test(nested_random),     cmocka_unit_test(other_things),
		cmocka_unit_test(changed_meanwhile), cmocka_unit_test(attributes),
		ZERO(stage2_random),		     ZERO(stage1_random),
		ZERO(stage2_cached),		     ZERO(cached_until_told),
		ZERO(nested_random),
	};

	return cmocka_run_group_tests_name("walk", tests, NULL, NULL);
}
