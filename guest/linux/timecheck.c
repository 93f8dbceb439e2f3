/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc: checks time on all CPUs. Process n stays on CPU n modulo cpus and
 * for so many milliseconds sleeps, takes the ticks of an interval timer, and reads clocks.
 *
 *   timecheck [procs=N] [cpus=N] [ms=N]
 *
 * Nothing may come early, no clock may be behind what any process read before, no tick of the
 * interval may be missing, and the counter and Linux's clock must run at the same rate. Lateness is
 * printed, not judged, because it depends on what else runs. Ends with "timecheck: PASS n sleeps
 * ..." or "timecheck: FAIL: why".
 */
#include "lib/random.h"
#include "linux/linux.h"

#define SYS_CLOSE 57
#define SYS_READ 63
#define SYS_TIMERFD_CREATE 85
#define SYS_TIMERFD_SETTIME 86
#define CLOCK_MONOTONIC 1
#define MS 1000000UL /* in ns */
#define PERIOD (3 * MS)

const char program_name[] = "timecheck";

/* What all processes saw. */
static struct shared {
	u64 count, ns; /* the latest that any process has read */
	u64 sleeps, ticks, latest, said;
} * all;

static u64 procs, cpus, run_ns;

static u64 counter(void)
{
	u64 v;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(v) : : "memory");
	return v;
}

static u64 frequency(void)
{
	u64 v;

	asm volatile("mrs %0, cntfrq_el0" : "=r"(v));
	return v;
}

/* In ns; the product exceeds 64 bits after some time. */
static u64 ticks_ns(u64 ticks)
{
	u64 hz = frequency();

	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static u64 monotonic_ns(void)
{
	u64 time[2];

	syscall3(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, (u64)time, 0);
	return time[0] * 1000000000 + time[1];
}

static void raise_to(u64 *max, u64 v)
{
	u64 old = __atomic_load_n(max, __ATOMIC_RELAXED);

	while (old < v && !__atomic_compare_exchange_n(max, &old, v, false, __ATOMIC_RELEASE,
						       __ATOMIC_RELAXED))
		;
}

/* A clock read now is not behind what any process, on any CPU, has read before. */
static void forward(const char *what, u64 *seen, u64 (*read)(void))
{
	u64 before = __atomic_load_n(seen, __ATOMIC_ACQUIRE), now = read();

	if (now < before)
		failed("%s is %lu behind what another process read before", what, before - now);
	raise_to(seen, now);
}

static void clocks(void)
{
	for (u64 i = 0; i < 50; i++) {
		forward("the counter", &all->count, counter);
		forward("CLOCK_MONOTONIC", &all->ns, monotonic_ns);
	}
}

/* By the clock and by the counter, a sleep is not shorter than requested. */
static void sleep(u64 ns)
{
	u64 request[2] = { 0, ns }, begin = monotonic_ns(), count = counter(), slept, counted;

	if (syscall3(SYS_NANOSLEEP, (u64)request, 0, 0))
		failed("nanosleep");
	counted = ticks_ns(counter() - count);
	slept = monotonic_ns() - begin;
	/*
	 * The sleep is between the two reads of the counter, too; 1 % allows for a clock that is
	 * being adjusted.
	 */
	if (slept < ns || counted < ns - ns / 100)
		failed("%lu ns of sleep took %lu ns, by the counter %lu", ns, slept, counted);
	raise_to(&all->latest, slept - ns);
	__atomic_fetch_add(&all->sleeps, 1, __ATOMIC_RELAXED);
}

/* An interval timer's ticks are as many as periods have passed. */
static void interval(u64 periods)
{
	u64 spec[4] = { 0, PERIOD, 0, PERIOD }, ticks = 0, n, begin[2], end[2];
	long fd = syscall3(SYS_TIMERFD_CREATE, CLOCK_MONOTONIC, 0, 0);

	begin[0] = monotonic_ns();
	if (fd < 0 || syscall6(SYS_TIMERFD_SETTIME, (u64)fd, 0, (u64)spec, 0, 0, 0))
		failed("timerfd: error %ld", -fd);
	begin[1] = monotonic_ns();
	do {
		end[0] = monotonic_ns();
		if (syscall3(SYS_READ, (u64)fd, (u64)&n, sizeof(n)) != sizeof(n))
			failed("no ticks to read");
		end[1] = monotonic_ns();
		ticks += n;
	} while (ticks < periods);
	syscall3(SYS_CLOSE, (u64)fd, 0, 0);
	if (ticks > (end[1] - begin[0]) / PERIOD || ticks + 1 < (end[0] - begin[1]) / PERIOD)
		failed("%lu ticks of %lu ns in %lu ns", ticks, PERIOD, end[1] - begin[0]);
	__atomic_fetch_add(&all->ticks, ticks, __ATOMIC_RELAXED);
}

/* The counter, read between two reads of Linux's clock. */
struct instant {
	u64 before, count, after;
};

static struct instant now(void)
{
	struct instant t;

	t.before = clock_ns();
	t.count = counter();
	t.after = clock_ns();
	return t;
}

/* Over the whole run, the counter ran at the rate of Linux's clock. */
static void rates(const struct instant *from, const struct instant *to)
{
	u64 ns = ticks_ns(to->count - from->count);
	u64 least = to->before - from->after, most = to->after - from->before;

	if (ns + ns / 1000 < least || ns > most + most / 1000)
		failed("the counter took %lu ns, Linux's clock %lu to %lu", ns, least, most);
}

static void child(u64 seed, u64 unused)
{
	struct instant begin = now(), end;
	u64 random = seed;

	(void)unused;
	do {
		clocks();
		sleep(MS / 10 + random_next(&random) % (8 * MS));
		interval(1 + random_next(&random) % 4);
		progress(&all->said, all->sleeps);
		end = now();
	} while (end.before - begin.before < run_ns);
	rates(&begin, &end);
}

u64 program(char **argv)
{
	u64 i, wrong;

	procs = arg(argv, "procs", 4);
	cpus = arg(argv, "cpus", 1);
	run_ns = arg(argv, "ms", 1000) * MS;
	all = map(sizeof(*all), true);
	for (i = 0; i < procs; i++) {
		/* Its children run on the same CPU. */
		if (!run_on(i % cpus))
			failed("cannot run on cpu %lu", i % cpus);
		if (start(child, i, 0) < 0)
			failed("cannot start process %lu", i);
	}
	wrong = wait_children(procs);
	if (wrong)
		say("FAIL: %lu of %lu processes", wrong, procs);
	else
		say("PASS %lu sleeps, %lu ticks on %lu cpus, the latest %lu us late", all->sleeps,
		    all->ticks, cpus, all->latest / 1000);
	return wrong != 0;
}
