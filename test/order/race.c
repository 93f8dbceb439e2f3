/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Happens-before, as C has it: a load that acquires, of what a store that releases has written,
 * orders what was before the store before what follows the load; fences make relaxed ones do that.
 * Two accesses of different CPUs to the same byte, one of which writes and one of which is not
 * atomic, are a race unless they are ordered so. What does not race need not be interleaved: that
 * is why the search of order.c has no turns at plain accesses.
 */
#include "race.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGIONS 8
#define WORDS 1024 /* a power of 2 */

enum { PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE, KINDS };

/* When each CPU made its last access of a kind to a byte, by its own count of releases. */
struct cell {
	u32 run;
	u8 cpus; /* that made any in this run */
	u16 at[KINDS][CPUS];
};

static struct {
	const char *name;
	const u8 *at;
	u64 size;
	struct cell *cell;
} region[REGIONS];
static u32 regions;

/* What who loads a word sees, and which run that is of. */
static struct {
	const void *at;
	u32 run;
	struct clock clock;
} words[WORDS];

static u32 run;
static bool checks;
static struct clock now[CPUS];     /* what each CPU has seen; of itself: its count */
static struct clock loaded[CPUS];  /* by relaxed loads: seen at the next fence that acquires */
static struct clock fenced[CPUS];  /* at the last fence that releases */

void race_watch(const char *name, const void *at, u64 size)
{
	region[regions].name = name;
	region[regions].at = at;
	region[regions].size = size;
	region[regions++].cell = calloc(size, sizeof(struct cell));
}

void race_begin(void)
{
	run++;
	checks = true;
	memset(now, 0, sizeof(now));
	memset(loaded, 0, sizeof(loaded));
	memset(fenced, 0, sizeof(fenced));
	for (u32 i = 0; i < CPUS; i++)
		now[i].of[i] = 1;
}

void race_end(void)
{
	checks = false;
}

const char *race_name(const void *at)
{
	static char name[64];
	const u8 *byte = at;

	for (u32 i = 0; i < regions; i++)
		if (byte >= region[i].at && byte < region[i].at + region[i].size) {
			snprintf(name, sizeof(name), "%s+%#lx", region[i].name,
				 (u64)(byte - region[i].at));
			return name;
		}
	return NULL;
}

/* ---- clocks ---- */

static void join(struct clock *c, const struct clock *with)
{
	for (u32 i = 0; i < CPUS; i++)
		c->of[i] = MAX(c->of[i], with->of[i]);
}

static struct clock *word_at(const void *at)
{
	u32 i = (u32)((u64)at * 0x9e3779b97f4a7c15UL >> 54);

	while (words[i].run == run && words[i].at != at)
		i = (i + 1) % WORDS;
	if (words[i].run != run) {
		words[i].run = run;
		words[i].at = at;
		memset(&words[i].clock, 0, sizeof(struct clock));
	}
	return &words[i].clock;
}

static bool acquires(int order)
{
	return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

struct clock race_release(int order)
{
	struct clock c = fenced[me];

	if (releases(order))
		c = now[me];
	now[me].of[me] += releases(order);
	return c;
}

struct clock race_release_after(const void *at, int order)
{
	struct clock c = race_release(order);

	join(&c, word_at(at));
	return c;
}

void race_stored(const void *at, struct clock clock)
{
	*word_at(at) = clock;
}

void race_acquire(const void *at, int order)
{
	join(acquires(order) ? &now[me] : &loaded[me], word_at(at));
}

void race_fence(int order)
{
	if (acquires(order))
		join(&now[me], &loaded[me]);
	if (releases(order)) {
		fenced[me] = now[me];
		now[me].of[me]++;
	}
}

/* ---- accesses ---- */

static const char *const verb[KINDS] = { "reads", "writes", "reads, atomically,",
					 "writes, atomically," };

static void report(const u8 *at, u32 kind, u32 other, u32 other_kind, const void *pc)
{
	static char text[160];

	snprintf(text, sizeof(text), "race: CPU %u %s %s at %p; CPU %u %s it, and nothing orders them",
		 me, verb[kind], race_name(at), pc, other, verb[other_kind]);
	order_fail(text);
}

/* Whether accesses of two kinds may be a race. */
static bool conflict(u32 a, u32 b)
{
	return (a % 2 || b % 2) && (a < ATOMIC_READ || b < ATOMIC_READ);
}

static void compare(const struct cell *c, const u8 *at, u32 kind, const void *pc)
{
	for (u32 i = 0; i < CPUS; i++)
		for (u32 k = 0; i != me && k < KINDS; k++)
			if (c->at[k][i] > now[me].of[i] && conflict(k, kind))
				report(at, kind, i, k, pc);
}

static inline void check_cell(struct cell *c, const u8 *at, u32 kind, const void *pc)
{
	if (c->run != run)
		*c = (struct cell){ .run = run };
	if (c->cpus & ~(1u << me))
		compare(c, at, kind, pc);
	c->cpus |= (u8)(1u << me);
	c->at[kind][me] = now[me].of[me];
}

static void check(const void *at, u64 size, u32 kind, const void *pc)
{
	const u8 *byte = at;

	for (u32 i = 0; checks && i < regions; i++) {
		u64 first = (u64)(byte - region[i].at);

		if (first >= region[i].size)
			continue;
		for (u64 k = 0; k < size && first + k < region[i].size; k++)
			check_cell(&region[i].cell[first + k], byte + k, kind, pc);
		return;
	}
}

void race_atomic(const void *at, u32 size, bool write, const void *pc)
{
	check(at, size, write ? ATOMIC_WRITE : ATOMIC_READ, pc);
}

/* ---- what the compiler calls ---- */

#define PC __builtin_return_address(0)
#define HOOK(size)                                                                                 \
	void __tsan_read##size(void *at);                                                          \
	void __tsan_read##size(void *at)                                                           \
	{                                                                                          \
		check(at, size, PLAIN_READ, PC);                                                   \
	}                                                                                          \
	void __tsan_write##size(void *at);                                                         \
	void __tsan_write##size(void *at)                                                          \
	{                                                                                          \
		check(at, size, PLAIN_WRITE, PC);                                                  \
	}                                                                                          \
	void __tsan_unaligned_read##size(void *at);                                                \
	void __tsan_unaligned_read##size(void *at)                                                 \
	{                                                                                          \
		check(at, size, PLAIN_READ, PC);                                                   \
	}                                                                                          \
	void __tsan_unaligned_write##size(void *at);                                               \
	void __tsan_unaligned_write##size(void *at)                                                \
	{                                                                                          \
		check(at, size, PLAIN_WRITE, PC);                                                  \
	}

HOOK(1)
HOOK(2)
HOOK(4)
HOOK(8)
HOOK(16)

void __tsan_read_range(void *at, u64 size);
void __tsan_read_range(void *at, u64 size)
{
	check(at, size, PLAIN_READ, PC);
}

void __tsan_write_range(void *at, u64 size);
void __tsan_write_range(void *at, u64 size)
{
	check(at, size, PLAIN_WRITE, PC);
}

void __tsan_init(void);
void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}

void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}
