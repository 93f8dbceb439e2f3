/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptor stores of the fake machine: a test may define its own fake_desc_store() to watch them.
 */
#pragma once

#include "lib/types.h"

void fake_desc_store(u64 *p, u64 v);

static inline u64 desc_load(const u64 *p)
{
	return *p;
}

static inline void desc_store(u64 *p, u64 v)
{
	fake_desc_store(p, v);
}
