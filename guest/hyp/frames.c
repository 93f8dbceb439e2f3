/* SPDX-License-Identifier: Apache-2.0 */
/* Pages that nothing maps: filled with poison, so that a write by an old translation is noticed. */
#include "hyp.h"

#define POISON 0xdeadf4a3e0000000UL
#define WORDS 512

static struct {
	struct spinlock lock;
	u32 count;
	u64 *frame[FRAMES_MAX]; /* the one given back first comes first */
} spare;

void frame_fill(u64 *frame, u64 value)
{
	u32 i;

	for (i = 0; i < WORDS; i++)
		__atomic_store_n(&frame[i], value, __ATOMIC_RELAXED);
	dsb(ish);
}

void frames_forget(void)
{
	spare.count = 0;
}

void frame_put(u64 *frame)
{
	frame_fill(frame, POISON);
	spin_lock(&spare.lock);
	spare.frame[spare.count++] = frame;
	spin_unlock(&spare.lock);
}

u64 *frame_get(void)
{
	u64 *frame;
	u32 i;

	spin_lock(&spare.lock);
	frame = spare.frame[0];
	spare.count--;
	for (i = 0; i < spare.count; i++)
		spare.frame[i] = spare.frame[i + 1];
	spin_unlock(&spare.lock);
	for (i = 0; i < WORDS; i++)
		if (__atomic_load_n(&frame[i], __ATOMIC_RELAXED) != POISON) {
			test_fail("CPU %u: a page that nothing maps was written: 0x%lx",
				  cpu_self()->index, frame[i]);
			break;
		}
	return frame;
}
