/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Linux program without a libc: pairs of processes on two CPUs send each other numbers, so that
 * each CPU wakes the other by an IPI, over and over. Each number must be answered by the one that
 * is computed from it.
 *
 *   pingcheck [pairs=N] [messages=N] [cpus=N]
 *
 * Ends with "pingcheck: PASS n messages ..." or "pingcheck: FAIL: why".
 */
#include "lib/random.h"
#include "linux/linux.h"

#define SYS_PIPE2 59
#define SYS_READ 63
#define SYS_PRCTL 167
#define PR_SET_PDEATHSIG 1
#define SIGKILL 9

const char program_name[] = "pingcheck";
static u64 messages, cpus;

/* A pipe each way; [0] is for reading. */
struct pair {
	u32 there[2], back[2];
};

static struct pair *pairs;

/* A number that identifies the pair and the message. */
static u64 answer(u64 pair, u64 number)
{
	u64 seed = number + pair;

	return random_next(&seed);
}

static u64 receive(u64 pair, u32 fd)
{
	u64 number;

	if (syscall3(SYS_READ, fd, (u64)&number, sizeof(number)) != sizeof(number))
		failed("pair %lu: nothing to read", pair);
	return number;
}

static void send(u64 pair, u32 fd, u64 number)
{
	if (syscall3(SYS_WRITE, fd, (u64)&number, sizeof(number)) != sizeof(number))
		failed("pair %lu: cannot write", pair);
}

/* The others would wait for a process that failed: they end with the first failure. */
static void begin_on(u64 cpu)
{
	syscall3(SYS_PRCTL, PR_SET_PDEATHSIG, SIGKILL, 0);
	if (!run_on(cpu))
		failed("cannot run on cpu %lu", cpu);
}

static void ping(u64 pair, u64 number)
{
	u64 said = 0;

	begin_on(pair % cpus);
	for (u64 i = 0; i < messages; i++) {
		u64 want = answer(pair, number), got;

		send(pair, pairs[pair].there[1], number);
		got = receive(pair, pairs[pair].back[0]);
		if (got != want)
			failed("pair %lu message %lu: 0x%lx, expected 0x%lx", pair, i, got, want);
		number = answer(pair, got);
		if (!pair)
			progress(&said, i + 1);
	}
}

static void pong(u64 pair, u64 unused)
{
	(void)unused;
	begin_on((pair + 1) % cpus);
	for (u64 i = 0; i < messages; i++)
		send(pair, pairs[pair].back[1], answer(pair, receive(pair, pairs[pair].there[0])));
}

u64 program(char **argv)
{
	u64 count = arg(argv, "pairs", 2), i;
	u32 wrong = 0;

	messages = arg(argv, "messages", 1000);
	cpus = arg(argv, "cpus", 1);
	pairs = map(count * sizeof(*pairs), false);
	for (i = 0; i < count; i++)
		if (syscall3(SYS_PIPE2, (u64)pairs[i].there, 0, 0) ||
		    syscall3(SYS_PIPE2, (u64)pairs[i].back, 0, 0))
			failed("no pipe");
	for (i = 0; i < count; i++)
		if (start(ping, i, i * 1000003) < 0 || start(pong, i, 0) < 0)
			failed("cannot start pair %lu", i);
	for (i = 0; i < 2 * count && !wrong; i++)
		wrong = wait_child();
	if (wrong)
		say("FAIL: a process ended with status 0x%x", wrong);
	else
		say("PASS %lu messages to and fro between %lu cpus", messages * count, cpus);
	return wrong != 0;
}
