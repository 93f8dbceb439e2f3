/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded pseudo-random numbers: the same run every time. */
#pragma once

#include "lib/types.h"

/* splitmix64: any seed will do; *s is the state. */
static inline u64 random_next(u64 *s)
{
	u64 z = (*s += 0x9e3779b97f4a7c15UL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}
