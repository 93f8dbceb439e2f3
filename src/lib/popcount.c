/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The function that __builtin_popcountl() calls without SIMD. libgcc's own cannot be used: it
 * counts in a vector register.
 */
#include "lib/types.h"

int __popcountdi2(s64 v);

int __popcountdi2(s64 v)
{
	u64 n = (u64)v;

	n -= (n >> 1) & 0x5555555555555555UL;
	n = (n & 0x3333333333333333UL) + ((n >> 2) & 0x3333333333333333UL);
	n = (n + (n >> 4)) & 0x0f0f0f0f0f0f0f0fUL;
	return (int)((n * 0x0101010101010101UL) >> 56);
}
