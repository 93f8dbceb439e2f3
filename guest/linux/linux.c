/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/linux.h"

#include <stdarg.h>

#include "lib/log.h"
#include "lib/string.h"

#define SYS_EXIT_GROUP 94
#define SYS_CLONE 220
#define SYS_MMAP 222
#define SYS_WAIT4 260
#define SIGCHLD 17
#define AT_HWCAP 16
#define AT_HWCAP2 26
#define CLOCK_MONOTONIC_RAW 4

u64 linux_hwcap, linux_hwcap2;

/* Called by start.S with the stack as Linux hands it over: argc, argv, environment, auxv. */
u64 linux_start(u64 *sp);

long syscall6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register long x8 asm("x8") = nr;
	register u64 x0 asm("x0") = a;
	register u64 x1 asm("x1") = b;
	register u64 x2 asm("x2") = c;
	register u64 x3 asm("x3") = d;
	register u64 x4 asm("x4") = e;
	register u64 x5 asm("x5") = f;

	asm volatile("svc #0"
		     : "+r"(x0)
		     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
		     : "memory");
	return (long)x0;
}

long syscall3(long nr, u64 a, u64 b, u64 c)
{
	return syscall6(nr, a, b, c, 0, 0, 0);
}

noreturn void quit(u64 status)
{
	for (;;)
		syscall3(SYS_EXIT_GROUP, status, 0, 0);
}

void say(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n = snprintf(line, sizeof(line), "%s: ", program_name);

	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n = MIN(n, (int)sizeof(line) - 2);
	line[n] = '\n';
	syscall3(SYS_WRITE, 1, (u64)line, (u64)n + 1);
}

void progress(u64 *said, u64 done)
{
	u64 last = __atomic_load_n(said, __ATOMIC_RELAXED), now = clock_ns();

	if (last && (s64)(now - last) < 5000000000)
		return;
	if (__atomic_compare_exchange_n(said, &last, now, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED) &&
	    last)
		say("%lu done", done);
}

void *map(u64 size, bool shared)
{
	/* PROT_READ | PROT_WRITE; MAP_ANONYMOUS and MAP_SHARED or MAP_PRIVATE */
	long p = syscall6(SYS_MMAP, 0, size, 3, shared ? 0x21 : 0x22, ~0UL, 0);

	if (p < 0 && p > -4096)
		failed("no memory: error %ld", -p);
	return (void *)p;
}

long start(void (*fn)(u64, u64), u64 a, u64 b)
{
	long pid = syscall6(SYS_CLONE, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid)
		return pid;
	fn(a, b);
	quit(0);
}

u32 wait_child(void)
{
	u32 status = 0;
	long pid = syscall6(SYS_WAIT4, ~0UL, (u64)&status, 0, 0, 0, 0);

	return pid > 0 ? status : ~0u;
}

u64 wait_children(u64 count)
{
	u64 wrong = 0;

	while (count--)
		wrong += wait_child() != 0;
	return wrong;
}

u64 arg(char **argv, const char *name, u64 value)
{
	size_t len = strlen(name);

	for (; *argv; argv++) {
		const char *p = *argv + len + 1;

		if (strncmp(*argv, name, len) || (*argv)[len] != '=')
			continue;
		for (value = 0; *p >= '0' && *p <= '9'; p++)
			value = value * 10 + (u64)(*p - '0');
	}
	return value;
}

bool run_on(u64 cpu)
{
	u64 set = BIT(cpu);

	return cpu < 64 && syscall3(SYS_SCHED_SETAFFINITY, 0, sizeof(set), (u64)&set) == 0;
}

u64 clock_ns(void)
{
	u64 time[2];

	syscall3(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC_RAW, (u64)time, 0);
	return time[0] * 1000000000 + time[1];
}

u64 linux_start(u64 *sp)
{
	char **argv = (char **)(sp + 1);
	u64 *p = sp + 1 + sp[0] + 1; /* the environment */

	while (*p++)
		;
	for (; p[0]; p += 2) {
		if (p[0] == AT_HWCAP)
			linux_hwcap = p[1];
		if (p[0] == AT_HWCAP2)
			linux_hwcap2 = p[1];
	}
	return program(argv);
}
