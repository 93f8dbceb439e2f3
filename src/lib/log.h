/* SPDX-License-Identifier: Apache-2.0 */
/* nidus's own lines on the console: each begins with "nidus: ". */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

/* Where lines go. line: any context and CPU. die: the last one, after which the machine is off. */
struct log_sink {
	void (*line)(const char *text, size_t n);
	noreturn void (*die)(const char *text, size_t n);
};

/* Before the first line, and before the first panic(). Boot CPU. */
void log_to(const struct log_sink *to);

/*
 * Print one line "nidus: ...\n" on the machine's console; the newline is added. May be called from
 * any context and CPU; takes only the console's own lock (a leaf).
 */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * snprintf and vsnprintf as in C11, for %c %s %d %i %u %x %X %p %% with flags 0 and -, width,
 * precision of strings, and the lengths hh, h, l, ll, z. Returns the length that the whole text
 * has.
 */
int snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
