/* SPDX-License-Identifier: Apache-2.0 */
/* Cache lines of the fake machine: zeroing zeroes, maintenance is counted. */
#pragma once

#include <string.h>

#include "lib/types.h"

#define FAKE_ZVA 64 /* bytes; as DCZID_EL0.BS = 4 */

extern u64 fake_lines_cleaned, fake_lines_dropped, fake_mops_bytes, fake_zva_bytes;

static inline void zero_mops(void *p, u64 n)
{
	memset(p, 0, n);
	fake_mops_bytes += n;
}

static inline void zero_zva(u64 p)
{
	memset((void *)p, 0, FAKE_ZVA);
	fake_zva_bytes += FAKE_ZVA;
}

static inline void cache_clean_line(u64 p)
{
	(void)p;
	fake_lines_cleaned++;
}

static inline void cache_drop_line(u64 p)
{
	(void)p;
	fake_lines_dropped++;
}

static inline void icache_drop_local(void)
{
}

static inline void icache_drop_all(void)
{
}
