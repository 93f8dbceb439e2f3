/* SPDX-License-Identifier: Apache-2.0 */
/* nidus's own lines: formatted on the stack, printed whole; and its last words. */
#include "lib/log.h"

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "boot/smp.h"
#include "vm/console.h"
#include "lib/check.h"
#include "lib/string.h"

#define LINE_MAX 256

/* Turns of cpu_relax() that a second panic gives the first one to print: a second or so. */
#define PANIC_POLLS 100000000

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
	/* Cut off: show that it is. */
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
	console_log(l.text, l.len);
}

/* Whether this is the first panic; before the MMU is on no exclusive access works, and one CPU. */
static bool first_to_die(void)
{
	static u32 dying;
	u32 before = dying;

	if (sysreg_read(SCTLR_EL2) & 1)
		before = __atomic_exchange_n(&dying, 1, __ATOMIC_SEQ_CST);
	else
		dying = 1;
	return !before;
}

/*
 * The first CPU to get here prints and switches the machine off. Another, or the same one again
 * because printing itself failed, must not cut that short, but does it if the first does not.
 */
static noreturn void die(const struct line *l)
{
	if (first_to_die())
		console_panic(l->text, l->len);
	else
		for (u32 i = 0; i < PANIC_POLLS; i++)
			cpu_relax();
	machine_off();
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
	die(&l);
}

void check_failed(const char *file, int line, const char *what)
{
	panic("%s:%d: CHECK(%s) failed", file, line, what);
}
