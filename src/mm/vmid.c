/* SPDX-License-Identifier: Apache-2.0 */
/* VMIDs: a bitmap of those in use, searched from where the last search ended. */
#include "mm/vmid.h"

#include "arch/feat.h"
#include "arch/spinlock.h"
#include "lib/check.h"

#define WORD_BITS 64

static struct {
	struct spinlock lock; /* guards the rest */
	u32 next;
	u64 used[65536 / WORD_BITS];
} vmids;

static u32 vmid_count(void)
{
	return feat.vmid16 ? 65536 : 256;
}

/* The first free one in [from, to), or to. */
static u32 find_free(u32 from, u32 to)
{
	while (from < to) {
		u64 free = ~vmids.used[from / WORD_BITS] & ~0UL << from % WORD_BITS;

		from = ALIGN_DOWN(from, (u32)WORD_BITS);
		if (free)
			return MIN(from + (u32)__builtin_ctzl(free), to);
		from += WORD_BITS;
	}
	return to;
}

int vmid_alloc(u16 *vmid)
{
	u32 count = vmid_count(), v;
	int err = -ENOSPC;

	spin_lock(&vmids.lock);
	v = find_free(MAX(vmids.next, 1U), count);
	if (v == count)
		v = find_free(1, count);
	if (v < count) {
		vmids.used[v / WORD_BITS] |= BIT(v % WORD_BITS);
		vmids.next = v + 1;
		*vmid = (u16)v;
		err = 0;
	}
	spin_unlock(&vmids.lock);
	return err;
}

void vmid_free(u16 vmid)
{
	u64 *word = &vmids.used[vmid / WORD_BITS], bit = BIT(vmid % WORD_BITS);
	bool had;

	spin_lock(&vmids.lock);
	had = *word & bit;
	*word &= ~bit;
	spin_unlock(&vmids.lock);
	CHECK(had);
}
