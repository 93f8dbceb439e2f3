/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels in plain C, which the compiler turns into FP and Advanced SIMD instructions. */
#include "linux/math.h"

static s64 dot(const s16 *a, const s16 *b, u64 n)
{
	s64 sum = 0;

	for (u64 i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

static void matmul(double *c, const double *a, const double *b, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		for (u64 j = 0; j < n; j++)
			c[i * n + j] = 0;
		for (u64 k = 0; k < n; k++)
			for (u64 j = 0; j < n; j++)
				c[i * n + j] += a[i * n + k] * b[k * n + j];
	}
}

static void from_int(double *to, const s64 *from, u64 n)
{
	for (u64 i = 0; i < n; i++)
		to[i] = (double)from[i];
}

static void to_int(s64 *to, const double *from, u64 n)
{
	for (u64 i = 0; i < n; i++)
		to[i] = (s64)from[i];
}

static void roots(double *to, const double *a, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		double root;

		asm("fsqrt %d0, %d1" : "=w"(root) : "w"(a[i] * a[i]));
		to[i] = root + a[i] * 3 / 3;
	}
}

static void permute(u64 *to, u64 *back, const u64 *from, const u64 *index, u64 n)
{
	for (u64 i = 0; i < n; i++)
		to[index[i]] = from[i];
	for (u64 i = 0; i < n; i++)
		back[i] = to[index[i]];
}

static u64 above(s64 *to, const s64 *a, s64 limit, u64 n)
{
	u64 count = 0;

	for (u64 i = 0; i < n; i++)
		if (a[i] > limit)
			to[count++] = a[i];
	return count;
}

static u64 length(const u8 *text, u64 max)
{
	u64 n = 0;

	while (n < max && text[n] != MATH_END)
		n++;
	return n;
}

static void iterate(u64 *x, u64 times)
{
	for (u64 i = 0; i < MATH_LANES; i++) {
		u64 v = x[i];

		for (u64 n = 0; n < times; n++) {
			v = v * MATH_MUL + MATH_ADD;
			/* Through a SIMD register each time, because that is what is tested. */
			asm volatile("fmov d7, %0\n\tfmov %0, d7" : "+r"(v) : : "v7");
		}
		x[i] = v;
	}
}

const struct math math_fp = {
	dot, matmul, from_int, to_int, roots, permute, above, length, iterate
};
