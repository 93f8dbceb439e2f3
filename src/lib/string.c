/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory and string functions with general registers only, aligned accesses only (they also run
 * before the MMU is on, where every access is to Device memory).
 */
#include "lib/string.h"

#include "lib/types.h"

typedef u64 __attribute__((may_alias)) word;

#define WORD sizeof(word)

/*
 * Without this a compiler recognises the loops below as the functions that they implement and
 * replaces them by calls to themselves.
 */
#define NOT_AN_IDIOM(p) asm("" : "+r"(p))

static bool same_phase(const void *a, const void *b)
{
	return IS_ALIGNED((uintptr_t)a ^ (uintptr_t)b, WORD);
}

/* Copy upwards; right for overlapping ranges if dst is below src. */
static void copy_up(u8 *d, const u8 *s, size_t n)
{
	if (n >= 2 * WORD && same_phase(d, s)) {
		for (; !IS_ALIGNED((uintptr_t)d, WORD); n--) {
			NOT_AN_IDIOM(d);
			*d++ = *s++;
		}
		for (; n >= 4 * WORD; n -= 4 * WORD, d += 4 * WORD, s += 4 * WORD) {
			const word *from = (const void *)s;
			word *to = (void *)d;
			word w0 = from[0], w1 = from[1], w2 = from[2], w3 = from[3];

			to[0] = w0;
			to[1] = w1;
			to[2] = w2;
			to[3] = w3;
			NOT_AN_IDIOM(d);
		}
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD) {
			NOT_AN_IDIOM(d);
			*(word *)(void *)d = *(const word *)(const void *)s;
		}
	}
	for (; n; n--) {
		NOT_AN_IDIOM(d);
		*d++ = *s++;
	}
}

/* Copy downwards; right for overlapping ranges if dst is above src. */
static void copy_down(u8 *d, const u8 *s, size_t n)
{
	d += n;
	s += n;
	if (n >= 2 * WORD && same_phase(d, s)) {
		for (; !IS_ALIGNED((uintptr_t)d, WORD); n--) {
			NOT_AN_IDIOM(d);
			*--d = *--s;
		}
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			NOT_AN_IDIOM(d);
			*(word *)(void *)d = *(const word *)(const void *)s;
		}
	}
	for (; n; n--) {
		NOT_AN_IDIOM(d);
		*--d = *--s;
	}
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	/* Wraps to a large number if dst is below src: only a dst inside the source needs care. */
	if ((uintptr_t)dst - (uintptr_t)src < n)
		copy_down(dst, src, n);
	else
		copy_up(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u8 *d = dst;

	if (n >= 2 * WORD) {
		word w = (u8)c * 0x0101010101010101UL;

		for (; !IS_ALIGNED((uintptr_t)d, WORD); n--) {
			NOT_AN_IDIOM(d);
			*d++ = (u8)c;
		}
		for (; n >= 4 * WORD; n -= 4 * WORD, d += 4 * WORD) {
			word *to = (void *)d;

			to[0] = w;
			to[1] = w;
			to[2] = w;
			to[3] = w;
			NOT_AN_IDIOM(d);
		}
		for (; n >= WORD; n -= WORD, d += WORD) {
			NOT_AN_IDIOM(d);
			*(word *)(void *)d = w;
		}
	}
	for (; n; n--) {
		NOT_AN_IDIOM(d);
		*d++ = (u8)c;
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	if (same_phase(x, y)) {
		for (; n && !IS_ALIGNED((uintptr_t)x, WORD); n--, x++, y++)
			if (*x != *y)
				return *x - *y;
		/* The bytes of the first word that differs are compared below. */
		for (; n >= WORD; n -= WORD, x += WORD, y += WORD)
			if (*(const word *)(const void *)x != *(const word *)(const void *)y)
				break;
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const u8 *p = s; n; n--, p++)
		if (*p == (u8)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n]) {
		NOT_AN_IDIOM(n);
		n++;
	}
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, PTRDIFF_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		u8 x = (u8)*a, y = (u8)*b;

		if (x != y)
			return x - y;
		if (!x)
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}
