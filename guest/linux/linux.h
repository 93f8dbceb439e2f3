/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs for Linux guests share in place of a libc. */
#pragma once

#include "lib/types.h"

#define SYS_WRITE 64
#define SYS_NANOSLEEP 101
#define SYS_CLOCK_GETTIME 113
#define SYS_SCHED_SETAFFINITY 122
#define SYS_SCHED_YIELD 124
#define SYS_GETPID 172
#define SIGILL 4
#define HWCAP_SVE BIT(22)
#define HWCAP2_SME BIT(23)
#define HWCAP2_SME_FA64 BIT(30)
#define HWCAP2_SME2 BIT(37)
#define PAGE_SIZE 4096UL

/* AT_HWCAP and AT_HWCAP2. */
extern u64 linux_hwcap, linux_hwcap2;

/* What each program defines: its name, and its main function, which returns the exit status. */
extern const char program_name[];
u64 program(char **argv);

long syscall6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f);
long syscall3(long nr, u64 a, u64 b, u64 c);

/* End this process. */
noreturn void quit(u64 status);

/*
 * Print one line "NAME: ..." on standard output, by one write: lines of several processes do not
 * mix.
 */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Report progress: print how many are done if the last such line is more than 5 s ago. *said is
 * when that was, 0 at first; several processes may share it.
 */
void progress(u64 *said, u64 done);

/* Report a failure; a process ends at its first. */
#define failed(...)                                                                                \
	({                                                                                         \
		say("FAIL: " __VA_ARGS__);                                                         \
		quit(1);                                                                           \
	})

/* Zeroed memory, for this process and those that it starts, shared with them or not. */
void *map(u64 size, bool shared);

/*
 * Start a child process that runs fn(a, b) and ends with status 0; returns its pid, or an error
 * negated.
 */
long start(void (*fn)(u64, u64), u64 a, u64 b);

/* Wait for the next child to end; its status as wait() gives it. */
u32 wait_child(void);

/* Wait for that many children; returns how many of them did not end with status 0. */
u64 wait_children(u64 count);

/* The number after "name=" among the arguments, in decimal, or else that value. */
u64 arg(char **argv, const char *name, u64 value);

/* Run on this CPU only from now on; false if it does not exist. */
bool run_on(u64 cpu);

/* Nanoseconds of CLOCK_MONOTONIC_RAW, which nobody adjusts. */
u64 clock_ns(void);
