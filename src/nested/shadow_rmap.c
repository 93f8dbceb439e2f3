/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shadow stage 2: removing translations. By vEL1's IPA for TLBIs, by vEL2's IPA through the reverse
 * map, and all of them; each in pieces.
 */
#include "arch/pgtable.h"
#include "lib/check.h"
#include "nested/shadow.h"
#include "nested/shadow_tables.h"
#include "state/vm.h"

/* Lookups in one piece of work. */
#define STEPS_MAX 4096
/* Reverse entries that a block may overlap before all of them count as several. */
#define RMAP_STEPS_MAX 512

/* ---- vEL2's leaf sizes ---- */

/* 4, 16, 64 KiB; 2, 32, 512 MiB; 1 GiB: what the three granules have. */
static const u8 tag_shift[8] = { 12, 14, 16, 21, 25, 29, 30, 12 };

u64 shadow_tag(u64 size)
{
	static const u8 tag[] = {
		[12] = 0, [14] = 1, [16] = 2, [21] = 3, [25] = 4, [29] = 5, [30] = 6
	};
	u32 shift = (u32)__builtin_ctzl(size);

	/* No stage 2 of vEL2's (a size of ~0): page by page. */
	return shift < ARRAY_SIZE(tag) ? (u64)tag[shift] << LEAF_TAG_SHIFT : 0;
}

u64 shadow_tag_size(u64 attr)
{
	return BIT(tag_shift[(attr & LEAF_TAG) >> LEAF_TAG_SHIFT]);
}

/* ---- pieces ---- */

/* The end of the mapping of the byte before `end`: end, or beyond if a leaf extends over it. */
static u64 whole_end(struct pgtable *pt, u64 end)
{
	struct pgtable_leaf leaf;

	if (end >> pt->ia_bits || !pgtable_lookup(pt, end - 1, &leaf))
		return end;
	return ALIGN_UP(end, leaf.size);
}

bool shadow_unmap_piece(struct pgtable *pt, u64 *at, u64 end)
{
	struct pgtable_leaf leaf;
	u64 start = *at;

	for (u32 n = 0; n < STEPS_MAX && *at < end; n++) {
		u64 from, to;

		if (!pgtable_lookup(pt, *at, &leaf)) {
			*at = ALIGN_DOWN(*at, leaf.size) + leaf.size;
			continue;
		}
		from = ALIGN_DOWN(*at, leaf.size);
		to = ALIGN_DOWN(from, GIB(1)) + GIB(1);
		to = to < end ? to : whole_end(pt, end);
		/* With the empty entries before it, it may be a whole table. */
		if (ALIGN_DOWN(from, GIB(1)) >= start)
			from = ALIGN_DOWN(from, GIB(1));
		/* Whole leaves need no page to be split. */
		CHECK(!pgtable_unmap(pt, from, to - from));
		*at = to;
		return *at < end;
	}
	return *at < end;
}

/* ---- the reverse map ---- */

static void rmap_invalidate(struct pgtable *pt, u64 ia, u64 size)
{
	(void)pt;
	(void)ia;
	(void)size;
}

/* No hardware reads this table. */
const struct pgtable_ops shadow_rmap_ops = { .invalidate = rmap_invalidate };

/* The VM's address of its RAM at this PA; false: it isn't RAM. */
static bool ram_ipa(const struct vm *vm, u64 at, u64 *ipa)
{
	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (at - vm->ram[i].pa < vm->ram[i].size) {
			*ipa = vm->ram[i].ipa + (at - vm->ram[i].pa);
			return true;
		}
	return false;
}

/* Whether vEL1's address nipa still maps to the VM's ipa. */
static bool is_live(const struct vm *vm, struct shadow *s, u64 ipa, u64 nipa)
{
	struct pgtable_leaf leaf;
	u64 now;

	if (!pgtable_lookup(&s->s2.pt, nipa, &leaf))
		return false;
	return !ram_ipa(vm, leaf.oa, &now) || now == ipa;
}

/*
 * Whether part of [ipa, ipa+size) is also mapped elsewhere than delta says. *same tells whether all
 * of it is recorded already.
 */
static bool is_elsewhere(const struct vm *vm, struct shadow *s, u64 ipa, u64 size, u64 delta,
			 bool *same)
{
	u64 end = ipa + size;

	*same = true;
	for (u32 n = 0; ipa < end; n++) {
		struct pgtable_leaf leaf;
		bool found = pgtable_lookup(&s->rmap, ipa, &leaf);

		if (n == RMAP_STEPS_MAX)
			return true;
		if (!found)
			*same = false;
		else if (leaf.attr & RMAP_MANY)
			return true;
		else if (leaf.oa - ipa != delta) {
			*same = false;
			if (is_live(vm, s, ipa, leaf.oa))
				return true;
		}
		ipa = ALIGN_DOWN(ipa, leaf.size) + leaf.size;
	}
	return false;
}

int shadow_rmap_add(struct vm *vm, struct shadow *s, u64 ipa, u64 nipa, u64 size)
{
	bool same, many;

	if (size == PAGE_SIZE && pgtable_fill(&s->rmap, ipa, nipa, DESC_AF))
		return 0;
	many = is_elsewhere(vm, s, ipa, size, nipa - ipa, &same);
	if (same && !many)
		return 0;
	return pgtable_map(&s->rmap, ipa, nipa, size, DESC_AF | (many ? RMAP_MANY : 0));
}

/* ---- everything ---- */

bool shadow_clear_locked(struct shadow *s)
{
	/*
	 * With each piece: an invalidation that joins later may have another reason, and a walk
	 * that saw the first increment may not know of it.
	 */
	__atomic_fetch_add(&s->seq, 1, __ATOMIC_RELEASE);
	if (s->clearing == SHADOW_STAYS) {
		if (!s->leaf_sizes) /* nothing mapped since the last time */
			return false;
		s->clearing = SHADOW_CLEARS_TABLES;
		s->clear_at = s->map_lo;
	}
	if (s->clearing == SHADOW_CLEARS_TABLES) {
		if (!shadow_unmap_piece(&s->s2.pt, &s->clear_at, s->map_hi)) {
			s->clearing = SHADOW_CLEARS_RMAP;
			s->clear_at = s->rmap_lo;
		}
		return true;
	}
	if (shadow_unmap_piece(&s->rmap, &s->clear_at, s->rmap_hi))
		return true;
	s->clearing = SHADOW_STAYS;
	s->leaf_sizes = 0;
	return false;
}

/* Out of line: where it is called it is hardly ever wanted. */
__attribute__((noinline)) bool shadow_clear(struct shadow *s)
{
	bool more;

	spin_lock(&s->s2.lock);
	more = shadow_clear_locked(s);
	spin_unlock(&s->s2.lock);
	return more;
}

/* ---- by vEL1's address ---- */

/*
 * Whether anything in [lo, lo+size) came from one leaf of vEL2's of that size: a CPU would have it
 * as one TLB entry, so it must be dropped as one. The rest may have another size: with FEAT_BBM
 * level 2 vEL2 may replace a block by a table, or a table by a block, without break-before-make,
 * and both are here until its TLBI. If finding out takes too long, yes: dropping more is never
 * wrong.
 */
static bool has_leaf(struct shadow *s, u64 lo, u64 size)
{
	struct pgtable_leaf leaf;
	u32 n = 0;

	for (u64 at = lo; at < lo + size; at = ALIGN_DOWN(at, leaf.size) + leaf.size)
		if (n++ == STEPS_MAX ||
		    (pgtable_lookup(&s->s2.pt, at, &leaf) && shadow_tag_size(leaf.attr) == size))
			return true;
	return false;
}

/* The size of vEL2's leaf that at is in, as far as the shadow has any of it; else 4 KiB. */
static u64 leaf_size_at(struct shadow *s, u64 at)
{
	for (u64 sizes = s->leaf_sizes; sizes > PAGE_SIZE;) {
		u64 size = BIT(63 - (u32)__builtin_clzl(sizes));

		if (has_leaf(s, ALIGN_DOWN(at, size), size))
			return size;
		sizes -= size;
	}
	return PAGE_SIZE;
}

bool shadow_invalidate(struct shadow *s, u64 lo, u64 hi, u64 leaf, struct shadow_cursor *c)
{
	u64 limit = BIT(s->s2.pt.ia_bits);
	bool more = false;

	/* Walks are cached even for addresses that the shadow cannot map. */
	spin_lock(&s->s2.lock);
	__atomic_fetch_add(&s->seq, 1, __ATOMIC_RELEASE);
	if (lo >= limit) {
		spin_unlock(&s->s2.lock);
		return false;
	}
	hi = MIN(hi, limit);
	if (!c->at)
		c->at = ALIGN_DOWN(lo, leaf ? leaf : leaf_size_at(s, lo)) + 1;
	if (leaf)
		hi = ALIGN_UP(hi, leaf);
	else
		hi = ALIGN_DOWN(hi - 1, leaf_size_at(s, hi - 1)) + leaf_size_at(s, hi - 1);
	/* The cursor holds the address plus one, as zero is the beginning. */
	c->at--;
	more = shadow_unmap_piece(&s->s2.pt, &c->at, MIN(hi, limit));
	c->at++;
	spin_unlock(&s->s2.lock);
	return more;
}

/* ---- by vEL2's address ---- */

/* Search a piece of the tables for what maps to [lo, hi) of the VM; true: more to search. */
static bool sweep(struct vm *vm, struct shadow *s, u64 lo, u64 hi, u64 *at)
{
	u64 end = BIT(s->s2.pt.ia_bits);

	for (u32 n = 0; n < STEPS_MAX && *at < end; n++) {
		struct pgtable_leaf leaf;
		u64 from, ipa;

		if (pgtable_lookup(&s->s2.pt, *at, &leaf)) {
			from = ALIGN_DOWN(*at, leaf.size);
			if (ram_ipa(vm, leaf.oa - (*at - from), &ipa) && ipa < hi &&
			    lo < ipa + leaf.size)
				CHECK(!pgtable_unmap(&s->s2.pt, from, leaf.size));
		}
		*at = ALIGN_DOWN(*at, leaf.size) + leaf.size;
	}
	return *at < end;
}

/* Unmap the leaf of vEL1's that the reverse entry at ipa names, if it still maps there. */
static void unmap_at(struct vm *vm, struct shadow *s, u64 ipa, u64 nipa, u64 end)
{
	while (ipa < end) {
		struct pgtable_leaf leaf;
		bool found = pgtable_lookup(&s->s2.pt, nipa, &leaf);
		u64 step = leaf.size - (nipa & (leaf.size - 1));

		if (found && is_live(vm, s, ipa, nipa))
			CHECK(!pgtable_unmap(&s->s2.pt, ALIGN_DOWN(nipa, leaf.size), leaf.size));
		ipa += step;
		nipa += step;
	}
}

/* Handle one entry of the reverse map from c->from on. True: more in this shadow. */
static bool unmap_entry(struct vm *vm, struct shadow *s, u64 lo, u64 hi, struct shadow_cursor *c)
{
	struct pgtable_leaf leaf;
	u64 at = c->from, end;

	if (!pgtable_lookup(&s->rmap, at, &leaf)) {
		c->from = ALIGN_DOWN(at, leaf.size) + leaf.size;
		return c->from < hi;
	}
	end = MIN(ALIGN_DOWN(at, leaf.size) + leaf.size, hi);
	if (leaf.attr & RMAP_MANY) {
		/* All mappings are found by a search of everything, once for the whole range. */
		if (sweep(vm, s, lo, hi, &c->sweep))
			return true;
		c->from = hi;
		return false;
	}
	unmap_at(vm, s, at, leaf.oa, end);
	c->from = end;
	return end < hi;
}

bool shadow_unmap_ipa(struct vm *vm, ipa_t at, u64 size, struct shadow_cursor *c)
{
	u64 hi = at.a + size;

	for (u32 n = 0; c->slot < shadow_count(vm); c->slot++, c->from = c->sweep = 0) {
		struct shadow *s = shadow_at(vm, c->slot);
		bool more = true;

		spin_lock(&s->s2.lock);
		__atomic_fetch_add(&s->seq, 1, __ATOMIC_RELEASE);
		c->from = MAX(c->from, at.a);
		for (; more && n < RMAP_STEPS_MAX && !c->sweep; n++)
			more = unmap_entry(vm, s, at.a, hi, c);
		if (more && c->sweep) {
			more = unmap_entry(vm, s, at.a, hi, c);
			n = RMAP_STEPS_MAX;
		}
		spin_unlock(&s->s2.lock);
		if (more)
			return true;
	}
	return false;
}
