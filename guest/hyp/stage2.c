/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest hypervisor's stage-2 tables: any granule, one leaf at a time, from a pool of 64 KiB
 * pieces.
 */
#include "hyp.h"

#define POOL_PIECE 0x10000UL
#define POOL_PIECES 96

static u8 pool[POOL_PIECES][POOL_PIECE] __attribute__((aligned(0x10000)));
static u32 pool_used;

extern const char _bss_end[];

void stage2_reset(void)
{
	l2_put();
	pool_used = 0;
}

void *pool_alloc(void)
{
	if (pool_used == POOL_PIECES)
		test_abort("the pool is empty");
	memset(pool[pool_used], 0, POOL_PIECE);
	return pool[pool_used++];
}

static u32 level_bits(const struct stage2 *s, u32 level)
{
	return s->granule + (3 - level) * (s->granule - 3);
}

/*
 * The tables of the start level, side by side: VTTBR_EL2 must hold an address that is a multiple of
 * their size.
 */
static u64 root_alloc(const struct stage2 *s)
{
	u64 size = 8UL << (s->bits - level_bits(s, s->start)), root, end;

	while (pool_used < POOL_PIECES && ((u64)pool[pool_used] & (size - 1)))
		pool_used++;
	root = (u64)pool_alloc();
	for (end = root + POOL_PIECE; end < root + size; end += POOL_PIECE)
		pool_alloc();
	return root;
}

void stage2_init(struct l2 *l, u32 granule, u32 start, u32 bits, u32 vmid)
{
	static const u8 tg[] = { [12] = 0, [14] = 2, [16] = 1 };
	/* SL0 of start levels 0 to 3, by granule */
	u64 sl0 = granule == 12 ? (start == 3 ? 3 : 2 - start) : 3 - start;
	u64 ps = MIN(FIELD(sysreg_read(ID_AA64MMFR0_EL1), 3, 0), 5UL);

	l->s2.granule = granule;
	l->s2.start = start;
	l->s2.bits = bits;
	l->s2.root = root_alloc(&l->s2);
	l->vttbr = l->s2.root | (u64)vmid << 48;
	l->vtcr = (64 - bits) | sl0 << 6 | 1UL << 8 | 1UL << 10 | 3UL << 12 |
		  (u64)tg[granule] << 14 | ps << 16 | BIT(31);
	if (FIELD(sysreg_read(ID_AA64MMFR1_EL1), 7, 4) == 2)
		l->vtcr |= BIT(19); /* 16-bit VMIDs */
}

static u64 *slot(const struct stage2 *s, u64 table, u64 ipa, u32 level)
{
	u64 index = ipa >> level_bits(s, level);

	if (level != s->start)
		index &= (1UL << (s->granule - 3)) - 1;
	return (u64 *)table + index;
}

static u64 *walk(struct l2 *l, u64 ipa, u32 level, bool build)
{
	u64 table = l->s2.root;
	u32 i;

	for (i = l->s2.start; i < level; i++) {
		u64 *d = slot(&l->s2, table, ipa, i);

		if ((*d & 3) != 3) {
			if (!build)
				return NULL;
			__atomic_store_n(d, (u64)pool_alloc() | 3, __ATOMIC_RELEASE);
		}
		table = *d & MASK(47, 12) & ~((1UL << l->s2.granule) - 1);
	}
	return slot(&l->s2, table, ipa, level);
}

void stage2_map(struct l2 *l, u64 ipa, u64 pa, u32 level, u64 attr)
{
	__atomic_store_n(walk(l, ipa, level, true), pa | attr | (level == 3 ? 3 : 1),
			 __ATOMIC_RELEASE);
	dsb(ishst);
}

u64 *stage2_slot(struct l2 *l, u64 ipa, u32 level)
{
	return walk(l, ipa, level, false);
}

void stage2_map_image_at(struct l2 *l, u64 ipa)
{
	u64 page = 1UL << l->s2.granule, off, size = (u64)_bss_end - (u64)_head;

	for (off = 0; off < size; off += page)
		stage2_map(l, ipa + off, (u64)_head + off, 3, S2_MEMORY);
}

void stage2_map_image(struct l2 *l)
{
	stage2_map_image_at(l, L2_BASE);
}

void stage2_flush(struct l2 *l)
{
	sysreg_write(VTTBR_EL2, l->vttbr);
	sysreg_write(VTCR_EL2, l->vtcr);
	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	dsb(ish);
	asm volatile("tlbi vmalls12e1is" ::: "memory");
	dsb(ish);
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}
