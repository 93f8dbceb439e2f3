/* SPDX-License-Identifier: Apache-2.0 */
/* lib/printf.c against the C library: fixed cases, then seeded random formats. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define snprintf my_snprintf
#define vsnprintf my_vsnprintf
#include "../../src/lib/printf.c"
#undef snprintf
#undef vsnprintf

#define BUF 512
#define CANARY 0x5a
#define ROUNDS 200000

static char got[BUF + 16], want[BUF + 16];

/* All arguments as longs: each is one general register or stack slot here, as on AArch64. */
static void compare(const char *fmt, size_t size, const long *a)
{
	int g, w;

	memset(got, CANARY, sizeof(got));
	memset(want, CANARY, sizeof(want));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	g = my_snprintf(got, size, fmt, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
	w = snprintf(want, size, fmt, a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8]);
#pragma GCC diagnostic pop
	if (g != w || memcmp(got, want, sizeof(got)))
		fail_msg("format \"%s\" size %zu args %lx %lx %lx: got %d \"%.80s\", expected %d "
			 "\"%.80s\"",
			 fmt, size, (unsigned long)a[0], (unsigned long)a[1], (unsigned long)a[2],
			 g, got, w, want);
}

static u64 seed = 20240229;

/* splitmix64 */
static u64 rnd(void)
{
	u64 z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static const char *const strings[] = { "", "x", "nidus", "a longer string, of 32 characters" };

/* An integer that is likely to be at some edge. */
static long interesting(void)
{
	switch (rnd() % 6) {
	case 0:
		return (long)(rnd() % 3) - 1;
	case 1:
		return INT_MIN;
	case 2:
		return LONG_MIN;
	case 3:
		return (long)(1UL << rnd() % 64);
	default:
		return (long)(rnd() >> rnd() % 64);
	}
}

/* Append one random specification to f and its arguments to a; returns how many arguments. */
static int add_spec(char *f, long *a)
{
	static const char convs[] = "csdiuxXp%";
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z" };
	char conv = convs[rnd() % (sizeof(convs) - 1)];
	bool number = strchr("diuxX", conv);
	int n = 0;

	f += strlen(f);
	*f++ = '%';
	if (conv != '%') {
		if (rnd() % 3 == 0)
			*f++ = '-';
		else if (number && rnd() % 2)
			*f++ = '0';
		if (rnd() % 8 == 0) {
			*f++ = '*';
			a[n++] = (long)(rnd() % 60) - 30;
		} else if (rnd() % 2) {
			f += sprintf(f, "%d", (int)(rnd() % 30) + 1);
		}
		if ((number || conv == 's') && rnd() % 4 == 0)
			f += sprintf(f, ".%d", (int)(rnd() % 25));
		else if ((number || conv == 's') && rnd() % 8 == 0) {
			*f++ = '.';
			*f++ = '*';
			a[n++] = (long)(rnd() % 25) - 2;
		}
		if (number)
			f += sprintf(f, "%s", lengths[rnd() % ARRAY_SIZE(lengths)]);
		if (conv == 's')
			a[n++] = (long)strings[rnd() % ARRAY_SIZE(strings)];
		else if (conv == 'c')
			a[n++] = (long)(rnd() % 256);
		else if (conv == 'p')
			a[n++] = interesting() | 1; /* the C library has a word for NULL */
		else
			a[n++] = interesting();
	}
	*f++ = conv;
	*f = '\0';
	return n;
}

static void test_random(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		char fmt[128] = "";
		long args[9] = { 0 };
		int n = 0;

		for (u64 specs = rnd() % 3 + 1; specs; specs--) {
			strcat(fmt, rnd() % 2 ? "ab " : "");
			n += add_spec(fmt, args + n);
		}
		strcat(fmt, rnd() % 2 ? "." : "");
		compare(fmt, rnd() % 2 ? BUF : rnd() % 64, args);
	}
}

static void expect(const char *want_text, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = my_vsnprintf(got, BUF, fmt, ap);
	va_end(ap);
	assert_string_equal(got, want_text);
	assert_int_equal(n, strlen(want_text));
}

static void test_fixed(void **state)
{
	(void)state;
	expect("vm 1: 0x40000000", "vm %u: %p", 1, (void *)0x40000000);
	expect("0x0", "%p", NULL);
	expect("(null)", "%s", (char *)NULL);
	expect("-9223372036854775808", "%ld", LONG_MIN);
	expect("18446744073709551615", "%zu", (size_t)-1);
	expect("ffffffffffffffff", "%llx", ~0ULL);
	expect("100%", "%d%%", 100);
	expect("0000beef|BEEF    |", "%08x|%-8X|", 0xbeef, 0xbeef);
	/* Unknown conversions are shown, and a lone % at the end too. */
	expect("%q", "%q");
	expect("end%", "end%");
}

static void test_precision_bounds_reading(void **state)
{
	char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	expect("abc", "%.3s", unterminated);
	expect("ab", "%.*s", 2, unterminated);
}

static void test_truncation(void **state)
{
	(void)state;
	for (size_t size = 0; size < 8; size++) {
		memset(got, CANARY, sizeof(got));
		assert_int_equal(my_snprintf(got, size, "%s", "hello"), 5);
		if (size)
			assert_int_equal(strlen(got), MIN(size - 1, 5));
		assert_int_equal(got[MAX(size, 6)], CANARY);
	}
	assert_int_equal(my_snprintf(NULL, 0, "%100d", 1), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_precision_bounds_reading),
		cmocka_unit_test(test_truncation),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
