/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc: processes on all CPUs touch memory page by page and check what
 * they wrote.
 *
 *   memcheck [id=N] [mib=N] [procs=N] [cpus=N] [rounds=N]
 *
 * The MiBs are divided among the processes; process n stays on CPU n modulo cpus. In a round it
 * finds zeroes where nothing was written yet, writes each page whole, in the order of addresses or
 * scattered, reads all of it in another order, and gives a part of it back to Linux. Each word
 * depends on its address, the process, the round and id. Ends with "memcheck: PASS n MiB ..." or
 * "memcheck: FAIL: why".
 */
#include "lib/random.h"
#include "linux/linux.h"

#define SYS_MADVISE 233
#define MADV_DONTNEED 4
#define WORDS (PAGE_SIZE / sizeof(u64))
#define STRIDE 509UL /* pages: almost a block of 2 MiB; a prime, so that every page is visited */

const char program_name[] = "memcheck";

static u64 id, pages, cpus, rounds;
static u64 *pages_done; /* by all processes: pages written and read back */

/* The data of a process. */
struct work {
	u64 seed, process, round;
	u64 (*page)[WORDS];
	/* for each page the round + 1 in which it was written; 0: it must read as zeroes */
	u8 *written;
};

static u64 key(const struct work *w, u64 round, u64 i)
{
	u64 seed = id << 48 ^ w->process << 40 ^ round << 32 ^ i;

	return random_next(&seed);
}

/* Visit the pages in the order of addresses, or scattered. */
static u64 nth(u64 n, bool jump)
{
	return jump ? n * STRIDE % pages : n;
}

static void fill_page(struct work *w, u64 i)
{
	u64 value = key(w, w->round, i);

	for (u64 n = 0; n < WORDS; n++)
		w->page[i][n] = value + n * 0x9e3779b97f4a7c15;
	w->written[i] = (u8)(w->round + 1);
}

static void check_page(struct work *w, u64 i)
{
	u64 value = w->written[i] ? key(w, w->written[i] - 1UL, i) : 0;
	u64 step = w->written[i] ? 0x9e3779b97f4a7c15 : 0;

	for (u64 n = 0; n < WORDS; n++)
		if (w->page[i][n] != value + n * step)
			failed("process %lu round %lu: page %lu word %lu is 0x%lx, expected 0x%lx",
			       w->process, w->round, i, n, w->page[i][n], value + n * step);
}

/* Give some pages back to Linux, which provides new ones when they are touched again. */
static void give_back(struct work *w)
{
	u64 count = 1 + random_next(&w->seed) % pages, from;

	from = random_next(&w->seed) % (pages - count + 1);
	if (syscall3(SYS_MADVISE, (u64)w->page[from], count * PAGE_SIZE, MADV_DONTNEED))
		failed("madvise");
	for (u64 i = from; i < from + count; i++)
		w->written[i] = 0;
}

static void one_round(struct work *w)
{
	bool jump = random_next(&w->seed) & 1;
	u64 i;

	/* Half of the rounds read before they write: Linux then maps its zero page first. */
	for (i = 0; i < pages && w->round % 2; i++)
		check_page(w, nth(i, !jump));
	for (i = 0; i < pages; i++) {
		fill_page(w, nth(i, jump));
		if (i % 256 == 0)
			progress(pages_done + 1, *pages_done);
	}
	for (i = 0; i < pages; i++)
		check_page(w, nth(i, !jump));
	__atomic_fetch_add(pages_done, pages, __ATOMIC_RELAXED);
	give_back(w);
}

static void child(u64 process, u64 unused)
{
	struct work w = { .seed = id << 32 ^ process, .process = process };

	(void)unused;
	if (!run_on(process % cpus))
		failed("cannot run on cpu %lu", process % cpus);
	w.page = map(pages * PAGE_SIZE, false);
	w.written = map(pages, false);
	for (; w.round < rounds; w.round++) {
		one_round(&w);
		if (!process && !w.round)
			say("a first round is done");
	}
}

u64 program(char **argv)
{
	u64 procs = arg(argv, "procs", 2), mib = arg(argv, "mib", 64), begin = clock_ns(), i, wrong;

	id = arg(argv, "id", 1);
	cpus = arg(argv, "cpus", 1);
	rounds = arg(argv, "rounds", 2);
	if (!procs || !cpus || rounds > 255)
		failed("procs, cpus at least 1, rounds at most 255");
	pages = (mib << 20) / PAGE_SIZE / procs;
	if (!pages || pages % STRIDE == 0)
		failed("%lu MiB for %lu processes", mib, procs);
	pages_done = map(2 * sizeof(*pages_done), true);
	for (i = 0; i < procs; i++)
		if (start(child, i, 0) < 0)
			failed("cannot start process %lu", i);
	wrong = wait_children(procs);
	if (wrong || *pages_done != procs * pages * rounds)
		say("FAIL: %lu of %lu processes, %lu pages", wrong, procs, *pages_done);
	else
		say("PASS %lu MiB on %lu cpus, %lu rounds in %lu ms", mib, cpus, rounds,
		    (clock_ns() - begin) / 1000000);
	return wrong || *pages_done != procs * pages * rounds;
}
