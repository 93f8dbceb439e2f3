/* SPDX-License-Identifier: Apache-2.0 */
/* The command queue of an ITS (IHI0069, 5.3): added to, and waited for with a limit. */
#include "dev/its_queue.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/counter.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "mm/addr.h"

#define LINE 16UL /* no cache has shorter lines */
#define PATIENCE_PER_SECOND 10

u64 its_read(const struct its *s, u32 reg)
{
	return mmio_read64((const u8 *)pa_ptr(pa(s->regs)) + reg);
}

void its_write(const struct its *s, u32 reg, u64 v)
{
	mmio_write64((u8 *)pa_ptr(pa(s->regs)) + reg, v);
}

void its_publish(const void *p, u64 size, bool clean)
{
	for (u64 a = ALIGN_DOWN((u64)p, LINE); clean && a < (u64)p + size; a += LINE)
		cache_clean_line(a);
	/* The GIC is an observer like a device: ISHST would be enough only for one that snoops. */
	if (clean)
		dsb(sy);
	else
		dsb(ishst);
}

void its_give_up(struct its *s, const char *why)
{
	if (!s->stuck)
		log_line("its at 0x%lx: %s; no more commands, and messages may be lost", s->regs,
			 why);
	s->stuck = true;
}

/* Where the ITS is; a stall is an error in a command of nidus's (IHI0069, GITS_CREADR). */
static bool read_at(struct its *s, u32 *at)
{
	u64 v = its_read(s, GITS_CREADR);

	*at = (u32)(v & GITS_QUEUE_MASK);
	if (v & GITS_CREADR_STALLED)
		its_give_up(s, "it has stalled at a command");
	return !s->stuck;
}

static u32 next(u32 at)
{
	return (u32)((at + ITS_COMMAND) % ITS_QUEUE_BYTES);
}

static bool has_room(struct its *s)
{
	u32 at;

	return read_at(s, &at) && next(s->at) != at;
}

/* Call until, which looks at s, till it is true; false: too late, or there is no use. */
static bool wait_for(struct its *s, bool (*until)(struct its *s))
{
	u64 begin = counter_now(), limit = sysreg_read(CNTFRQ_EL0) / PATIENCE_PER_SECOND;

	while (!s->stuck && !until(s)) {
		if (counter_now() - begin > limit)
			its_give_up(s, "it does not take commands");
		cpu_relax();
	}
	return !s->stuck;
}

static void put(struct its *s, u64 w0, u64 w1, u64 w2)
{
	u64 *w = s->queue + s->at / sizeof(u64);

	w[0] = w0;
	w[1] = w1;
	w[2] = w2;
	w[3] = 0;
	its_publish(w, ITS_COMMAND, s->clean_queue);
	s->at = next(s->at);
	its_write(s, GITS_CWRITER, s->at);
}

bool its_command(struct its *s, u64 w0, u64 w1, u64 w2)
{
	if (!wait_for(s, has_room))
		return false;
	put(s, w0, w1, w2);
	return true;
}

bool its_command_maybe(struct its *s, u64 w0, u64 w1, u64 w2)
{
	if (s->stuck || !has_room(s))
		return false;
	put(s, w0, w1, w2);
	return true;
}

static bool is_done(struct its *s)
{
	u32 at;

	return read_at(s, &at) && at == s->at;
}

bool its_sync(struct its *s, u64 target)
{
	return its_command(s, ITS_SYNC, 0, target) && wait_for(s, is_done);
}
