/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores of translation table descriptors that a table walk may see at any moment: one
 * 64-bit single-copy atomic access each. test/fake has a file of the same name that watches stores.
 */
#pragma once

#include "lib/types.h"

static inline u64 desc_load(const u64 *p)
{
	return *(const volatile u64 *)p;
}

static inline void desc_store(u64 *p, u64 v)
{
	*(volatile u64 *)p = v;
}
