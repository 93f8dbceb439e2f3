/* SPDX-License-Identifier: Apache-2.0 */
/* The model machine of order.h, and the search. */
#include "race.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#define STACK (64 * 1024)
#define BUFFER 16
#define CHOICES 4096
#define UNDO 4096
#define SHOWN 256

u32 me;
extern int fake_cpu; /* whose registers sysreg_read() reads */

static const struct scenario *scenario;
static jmp_buf search;
static const char *problem;
static u32 switches, late; /* what is left of the limits in this run */
static u64 version;        /* of memory: changes by all */

static struct {
	jmp_buf base, at; /* in cpu_main(), at the bottom of its stack; where it was left */
	char *stack;
	bool ended;
	bool (*until)(void); /* it waits for that; NULL: it does not */
	u64 changes;         /* its own */
	u64 seen;            /* those of others at the last turn of a polling loop */
	bool polls;          /* waits for another */
	struct late_store {
		u8 *at;
		u32 size;
		u64 v;
		int order;
		bool modify; /* of a read-modify-write: no other CPU gets between its two halves */
		struct clock clock;
	} buffer[BUFFER];
	u32 count;
} cpu[CPUS];

static void be(u32 i)
{
	me = i;
	fake_cpu = (int)i;
}

void order_fail(const char *what)
{
	problem = what;
	_longjmp(search, 1);
}

/* ---- the search: each run makes other choices than those before ---- */

static struct {
	u8 taken, of;
} choice[CHOICES];
static u32 made, known;

static u32 choose(u32 of)
{
	if (made == CHOICES)
		order_fail("no end");
	if (made == known)
		choice[known++] = (__typeof__(choice[0])){ 0, (u8)of };
	return choice[made++].taken;
}

/* Choose the next run; false: there is none. */
static bool next_run(void)
{
	while (known && choice[known - 1].taken + 1 == choice[known - 1].of)
		known--;
	if (!known)
		return false;
	choice[known - 1].taken++;
	return true;
}

/* ---- the trace of a run ---- */

static bool telling;
static char told[SHOWN][80];
static u32 lines;

#define TELL(...)                                                                                  \
	do {                                                                                       \
		if (telling && lines < SHOWN)                                                      \
			snprintf(told[lines++], sizeof(told[0]), __VA_ARGS__);                     \
	} while (0)

/* ---- which CPU acts ---- */

static u64 by_others(u32 i)
{
	return version - cpu[i].changes;
}

static bool ready(u32 i)
{
	u32 self = me;
	bool can = !cpu[i].ended && !(cpu[i].polls && cpu[i].seen == by_others(i));

	be(i); /* the condition is of its own */
	can = can && (!cpu[i].until || cpu[i].until());
	be(self);
	return can;
}

static void switch_to(u32 to)
{
	u32 from = me;

	if (to == from)
		return;
	be(to);
	if (!_setjmp(cpu[from].at))
		_longjmp(cpu[to].at, 1);
}

/* CPU me cannot continue; ends the run if no other can either. */
static void give_way(void)
{
	u32 can[CPUS], n = 0;

	for (u32 i = 0; i < scenario->cpus; i++)
		if (ready(i))
			can[n++] = i;
	if (!n)
		_longjmp(search, 1);
	switch_to(can[n > 1 ? choose(n) : 0]);
}

/* Before each operation: may another CPU take over? */
static void turn(void)
{
	u32 can[CPUS], n = 0, k;

	if (!switches)
		return;
	for (u32 i = 0; i < scenario->cpus; i++)
		if (i != me && ready(i))
			can[n++] = i;
	k = n ? choose(n + 1) : 0;
	if (!k)
		return;
	switches--;
	switch_to(can[k - 1]);
}

/* ---- memory: whatever is written is undone after the run ---- */

static struct {
	u8 *at;
	u64 was;
	u32 size;
} undo[UNDO];
static u32 undos;

/* CPU c writes. */
static void memory_write(u32 c, u8 *at, u32 size, u64 v)
{
	if (undos == UNDO)
		order_fail("too much is written");
	undo[undos].at = at;
	undo[undos].size = size;
	memcpy(&undo[undos++].was, at, size);
	if (memcmp(at, &v, size)) {
		version++;
		cpu[c].changes++;
	}
	memcpy(at, &v, size);
}

static void memory_undo(void)
{
	for (; undos; undos--)
		memcpy(undo[undos - 1].at, &undo[undos - 1].was, undo[undos - 1].size);
}

static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

static bool overlaps(const struct late_store *s, const u8 *at, u32 size)
{
	return s->at < at + size && at < s->at + s->size;
}

static void drain_one(u32 c, u32 n);

/* Commit late stores of CPU c to the word at `at`; modify: those of read-modify-writes alone. */
static void drain_place(u32 c, const u8 *at, u32 size, bool modify)
{
	for (u32 i = 0; i < cpu[c].count;)
		if (overlaps(&cpu[c].buffer[i], at, size) && (!modify || cpu[c].buffer[i].modify)) {
			drain_one(c, i);
			i = 0;
		} else {
			i++;
		}
}

/* CPU c is about to read or write the word at `at`. */
static void complete_others(u32 c, const u8 *at, u32 size)
{
	for (u32 i = 0; i < scenario->cpus; i++)
		if (i != c)
			drain_place(i, at, size, true);
}

/* Store n of CPU c's buffer becomes visible; if it is a release, the ones before it do first. */
static void drain_one(u32 c, u32 n)
{
	struct late_store s = cpu[c].buffer[n];

	for (; n && releases(s.order); n--)
		drain_one(c, 0);
	memmove(&cpu[c].buffer[n], &cpu[c].buffer[n + 1], (--cpu[c].count - n) * sizeof(s));
	if (!s.modify)
		complete_others(c, s.at, s.size);
	memory_write(c, s.at, s.size, s.v);
	race_stored(s.at, s.clock);
	TELL("CPU %u:     %s is seen", c, order_name(s.at));
}

static void drain(void)
{
	while (cpu[me].count)
		drain_one(me, 0);
}

static void begin(const void *at, u32 size)
{
	turn();
	complete_others(me, at, size);
}

/* Write now or late. */
static void write(void *at, u32 size, u64 v, int order, bool modify)
{
	struct clock clock = modify ? race_release_after(at, order) : race_release(order);
	struct late_store s = { at, size, v, order, modify, clock };

	if (late && cpu[me].count < BUFFER && choose(2)) {
		late--;
		cpu[me].buffer[cpu[me].count++] = s;
		TELL("CPU %u: %s = %#lx, late", me, order_name(at), v);
		return;
	}
	if (releases(order))
		drain();
	drain_place(me, at, size, false);
	memory_write(me, at, size, v);
	race_stored(at, clock);
	TELL("CPU %u: %s = %#lx", me, order_name(at), v);
}

/* The value that CPU me sees at `at`: its own late stores take precedence. */
static u64 own(const void *at, u32 size)
{
	u64 v = 0;

	memcpy(&v, at, size);
	for (u32 i = 0; i < cpu[me].count; i++) {
		const struct late_store *s = &cpu[me].buffer[i];

		for (u32 k = 0; k < s->size; k++)
			if (s->at + k >= (const u8 *)at && s->at + k < (const u8 *)at + size)
				((u8 *)&v)[s->at + k - (const u8 *)at] = ((const u8 *)&s->v)[k];
	}
	return v;
}

u64 order_load(const void *at, u32 size, int order)
{
	u64 v;

	begin(at, size);
	for (u32 i = 0; order == __ATOMIC_SEQ_CST && i < cpu[me].count; i++)
		if (cpu[me].buffer[i].order == __ATOMIC_SEQ_CST) {
			drain();
			break;
		}
	v = own(at, size);
	race_atomic(at, size, false, __builtin_return_address(0));
	race_acquire(at, order);
	TELL("CPU %u: %s is %#lx", me, order_name(at), v);
	return v;
}

void order_store(void *at, u32 size, u64 v, int order)
{
	begin(at, size);
	race_atomic(at, size, true, __builtin_return_address(0));
	write(at, size, v, order, false);
}

u64 order_modify(void *at, u32 size, u64 and, u64 or, u64 add, int order)
{
	u64 v;

	begin(at, size);
	drain_place(me, at, size, false);
	v = own(at, size);
	race_atomic(at, size, true, __builtin_return_address(0));
	race_acquire(at, order);
	TELL("CPU %u: %s was %#lx", me, order_name(at), v);
	write(at, size, ((v & and) | or) + add, order, true);
	return v;
}

bool order_cas(void *at, u32 size, void *expected, u64 v, int order)
{
	begin(at, size);
	drain_place(me, at, size, false);
	race_acquire(at, order);
	if (memcmp(at, expected, size)) {
		race_atomic(at, size, false, __builtin_return_address(0));
		memcpy(expected, at, size);
		TELL("CPU %u: %s does not become %#lx", me, order_name(at), v);
		return false;
	}
	race_atomic(at, size, true, __builtin_return_address(0));
	write(at, size, v, order, true);
	return true;
}

void order_fence(int order)
{
	turn();
	if (releases(order))
		drain();
	race_fence(order);
}

void order_turn(void)
{
	turn();
}

void wait_until(bool (*condition)(void))
{
	drain();
	if (condition())
		return;
	cpu[me].until = condition;
	TELL("CPU %u: waits", me);
	give_way();
	cpu[me].until = NULL;
}

void order_relax(void)
{
	drain();
	/* A turn in which nothing else changed would be followed by the same. */
	cpu[me].polls = cpu[me].seen == by_others(me);
	if (cpu[me].polls)
		give_way();
	cpu[me].polls = false;
	cpu[me].seen = by_others(me);
}

/* ---- runs ---- */

static ucontext_t boot;

static void cpu_main(void)
{
	if (!_setjmp(cpu[me].base))
		setcontext(&boot);
	scenario->cpu[me]();
	drain();
	cpu[me].ended = true;
	give_way();
}

/* A stack of its own, allocated once: later runs begin at its bottom again. */
static void make_stack(u32 i)
{
	ucontext_t context;

	cpu[i].stack = malloc(STACK);
	getcontext(&context);
	context.uc_stack.ss_sp = cpu[i].stack;
	context.uc_stack.ss_size = STACK;
	context.uc_link = NULL;
	makecontext(&context, cpu_main, 0);
	be(i);
	swapcontext(&boot, &context);
}

static void start(u32 i)
{
	if (!cpu[i].stack)
		make_stack(i);
	memcpy(cpu[i].at, cpu[i].base, sizeof(jmp_buf));
	cpu[i].ended = cpu[i].polls = false;
	cpu[i].until = NULL;
	cpu[i].seen = ~0UL;
	cpu[i].changes = 0;
	cpu[i].count = 0;
}

static void run_once(void)
{
	for (u32 i = 0; i < scenario->cpus; i++)
		start(i);
	be(0);
	made = lines = undos = 0;
	version = 0;
	problem = NULL;
	switches = late = 0;
	race_begin();
	race_end();
	scenario->setup();
	switches = scenario->switches;
	late = scenario->late;
	race_begin();
	if (!_setjmp(search)) {
		be(choose(scenario->cpus));
		_longjmp(cpu[me].at, 1);
	}
	race_end();
	if (!problem)
		problem = scenario->wrong();
	memory_undo();
}

bool explore(const struct scenario *s)
{
	u64 runs = 0;

	scenario = s;
	known = 0;
	do {
		run_once();
		runs++;
	} while (!problem && next_run());
	printf("%s: %lu ways, %s\n", s->name, runs, problem ? problem : "all right");
	if (!problem)
		return true;
	telling = true;
	run_once();
	telling = false;
	printf("  violation: %s: %s\n", s->name, problem);
	for (u32 i = 0; i < lines; i++)
		printf("  %s\n", told[i]);
	return false;
}
