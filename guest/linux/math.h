/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numeric kernels of mathcheck: each once in SVE (math_sve.c) and once with what every CPU has
 * (math_fp.c). Arguments are such that every correct result is exact.
 */
#pragma once

#include "lib/types.h"

struct math {
	/* Sum of a[i] * b[i]. */
	s64 (*dot)(const s16 *a, const s16 *b, u64 n);
	/* c = a * b, n x n matrices by rows, in doubles. */
	void (*matmul)(double *c, const double *a, const double *b, u64 n);
	void (*from_int)(double *to, const s64 *from, u64 n);
	void (*to_int)(s64 *to, const double *from, u64 n);
	/* to[i] = sqrt(a[i] * a[i]) + (a[i] * 3) / 3 */
	void (*roots)(double *to, const double *a, u64 n);
	/* to[index[i]] = from[i], then back[i] = to[index[i]] */
	void (*permute)(u64 *to, u64 *back, const u64 *from, const u64 *index, u64 n);
	/* Count those of a that are above limit, and compact them into to. */
	u64 (*above)(s64 *to, const s64 *a, s64 limit, u64 n);
	/* Bytes before the first MATH_END, at most max. What comes after max need not be mapped. */
	u64 (*length)(const u8 *text, u64 max);
	/* x[i] = x[i] * MATH_MUL + MATH_ADD, `times` times; n is MATH_LANES. */
	void (*iterate)(u64 *x, u64 times);
};

#define MATH_END 0xff
#define MATH_MUL 0x5851f42d4c957f2dUL
#define MATH_ADD 0x14057b7ef767814fUL
/* Eight registers of 2048 bits at most. */
#define MATH_LANES 256UL

extern const struct math math_fp, math_sve;
