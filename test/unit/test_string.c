/* SPDX-License-Identifier: Apache-2.0 */
/* lib/string.c against the C library, at every alignment, with red zones around. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define memcpy my_memcpy
#define memmove my_memmove
#define memset my_memset
#define memcmp my_memcmp
#define memchr my_memchr
#define strlen my_strlen
#define strnlen my_strnlen
#define strcmp my_strcmp
#define strncmp my_strncmp
#define strchr my_strchr
#define strrchr my_strrchr
#include "../../src/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

#define AREA 256
#define MAX_LEN 100

static u8 got[AREA] __attribute__((aligned(16))), want[AREA] __attribute__((aligned(16)));

static u8 pattern(size_t i)
{
	return (u8)(i * 7 + (i >> 3) * 31 + 1);
}

static void prepare(void)
{
	for (size_t i = 0; i < AREA; i++)
		got[i] = want[i] = pattern(i);
}

static void same(const char *what, size_t d, size_t s, size_t n)
{
	for (size_t i = 0; i < AREA; i++)
		if (got[i] != want[i])
			fail_msg("%s: to +%zu from +%zu, %zu bytes: byte %zu is %02x, not %02x",
				 what, d, s, n, i, got[i], want[i]);
}

static void test_memcpy(void **state)
{
	static u8 src[AREA] __attribute__((aligned(16)));

	(void)state;
	for (size_t i = 0; i < AREA; i++)
		src[i] = (u8)~pattern(i);
	for (size_t d = 0; d < 9; d++)
		for (size_t s = 0; s < 9; s++)
			for (size_t n = 0; n <= MAX_LEN; n++) {
				prepare();
				memcpy(want + 16 + d, src + s, n);
				assert_ptr_equal(my_memcpy(got + 16 + d, src + s, n), got + 16 + d);
				same("memcpy", d, s, n);
			}
}

static void test_memmove_overlap(void **state)
{
	(void)state;
	for (size_t d = 0; d < 80; d++)
		for (size_t n = 0; n <= MAX_LEN; n += n < 40 ? 1 : 7)
			for (size_t s = 32; s < 41; s++) {
				prepare();
				memmove(want + d, want + s, n);
				assert_ptr_equal(my_memmove(got + d, got + s, n), got + d);
				same("memmove", d, s, n);
			}
}

static void test_memset(void **state)
{
	(void)state;
	for (size_t d = 0; d < 9; d++)
		for (size_t n = 0; n <= MAX_LEN; n++) {
			int c = (int)(n * 37 + 0x180); /* only the low byte counts */

			prepare();
			memset(want + 16 + d, c, n);
			assert_ptr_equal(my_memset(got + 16 + d, c, n), got + 16 + d);
			same("memset", d, 0, n);
		}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_memcmp(void **state)
{
	(void)state;
	for (size_t d = 0; d < 9; d++)
		for (size_t n = 0; n <= 40; n++)
			for (size_t at = 0; at <= n; at++)
				for (int delta = -1; delta <= 1; delta += 2) {
					prepare();
					memmove(got + d, want, n);
					got[d + at] = (u8)(want[at] + 128 * delta + delta);
					assert_int_equal(sign(my_memcmp(got + d, want, n)),
							 sign(memcmp(got + d, want, n)));
				}
}

/* A copy of exactly this size on the heap: ASan sees a read beyond it. */
static void *exact(const void *s, size_t n)
{
	void *p = malloc(n);

	assert_non_null(p);
	memcpy(p, s, n);
	return p;
}

static void test_reads_stay_inside(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n++) {
		u8 *a = exact(want, n), *b = exact(want, n);

		assert_int_equal(my_memcmp(a, b, n), 0);
		my_memcpy(a, b, n);
		my_memmove(b, a, n);
		assert_null(my_memchr(a, (a[0] ^ 0xff) | 0x100, 1));
		free(a);
		free(b);
	}
}

static void test_strings(void **state)
{
	static const char *const text[] = { "", "a", "b", "ab", "abc", "abcabc", "\xff", "abd" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++) {
		char *s = exact(text[i], strlen(text[i]) + 1);

		assert_int_equal(my_strlen(s), strlen(s));
		for (size_t n = 0; n < 9; n++)
			assert_int_equal(my_strnlen(s, n), MIN(n, strlen(s)));
		for (int c = 0; c < 256; c++) {
			assert_ptr_equal(my_strchr(s, c), strchr(s, c));
			assert_ptr_equal(my_strrchr(s, c), strrchr(s, c));
			assert_ptr_equal(my_memchr(s, c, strlen(s)), memchr(s, c, strlen(s)));
		}
		for (size_t j = 0; j < ARRAY_SIZE(text); j++) {
			char *t = exact(text[j], strlen(text[j]) + 1);

			assert_int_equal(sign(my_strcmp(s, t)), sign(strcmp(s, t)));
			for (size_t n = 0; n < 9; n++)
				assert_int_equal(sign(my_strncmp(s, t, n)), sign(strncmp(s, t, n)));
			free(t);
		}
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove_overlap),
		cmocka_unit_test(test_memset),
		cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_reads_stay_inside),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
