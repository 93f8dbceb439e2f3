/* SPDX-License-Identifier: Apache-2.0 */
/* nidus's own lines: formatted on the stack, printed whole; and the last line before a halt. */
#include "lib/log.h"

#include "lib/check.h"
#include "lib/string.h"

#define LINE_MAX 256

static const struct log_sink *sink;

void log_to(const struct log_sink *to)
{
	sink = to;
}

struct line {
	char text[LINE_MAX];
	size_t len;
};

static void line_vadd(struct line *l, const char *fmt, va_list ap)
{
	size_t left = sizeof(l->text) - l->len;
	int n = vsnprintf(l->text + l->len, left, fmt, ap);

	if ((size_t)n < left) {
		l->len += (size_t)n;
		return;
	}
	/* Show that it is cut off. */
	l->len = sizeof(l->text) - 1;
	memcpy(l->text + l->len - 3, "...", 3);
}

static void __attribute__((format(printf, 2, 3))) line_add(struct line *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_vadd(l, fmt, ap);
	va_end(ap);
}

void log_line(const char *fmt, ...)
{
	struct line l;
	va_list ap;

	l.len = 0;
	line_add(&l, "nidus: ");
	va_start(ap, fmt);
	line_vadd(&l, fmt, ap);
	va_end(ap);
	sink->line(l.text, l.len);
}

void panic(const char *fmt, ...)
{
	struct line l;
	va_list ap;

	l.len = 0;
	line_add(&l, "nidus: panic: ");
	va_start(ap, fmt);
	line_vadd(&l, fmt, ap);
	va_end(ap);
	sink->die(l.text, l.len);
}

void check_failed(const char *file, int line, const char *what)
{
	panic("%s:%d: CHECK(%s) failed", file, line, what);
}
