/* SPDX-License-Identifier: Apache-2.0 */
/* Host stand-ins for what nidus's core gives every file. Weak: a test may define its own. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/check.h"
#include "lib/log.h"
#include "mm/addr.h"

#define WEAK __attribute__((weak))

WEAK noreturn void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, what);
	abort();
}

WEAK noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

WEAK void log_line(const char *fmt, ...)
{
	(void)fmt;
}

/* The host's pointers serve as physical addresses. */
WEAK void *pa_ptr(pa_t p)
{
	return (void *)p.a;
}

WEAK pa_t ptr_pa(const void *p)
{
	return pa((u64)p);
}

/* nidus.ld: the parts of the image, for programs that link stage1.c and do not use it. */
extern char __image_start[], __image_end[], __text_start[], __text_end[], __rodata_start[],
	__rodata_end[];
WEAK char __image_start[1], __image_end[1], __text_start[1], __text_end[1], __rodata_start[1],
	__rodata_end[1];

/* vectors.S; a test may define its own. */
void serror_take(void);
__attribute__((weak)) void serror_take(void)
{
}
