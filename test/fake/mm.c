/* SPDX-License-Identifier: Apache-2.0 */
/* The fake machine's memory system: counters, and the store of a descriptor. */
#include "arch/cache.h"
#include "arch/desc.h"

u64 fake_lines_cleaned, fake_lines_dropped, fake_mops_bytes, fake_zva_bytes;

__attribute__((weak)) void fake_desc_store(u64 *p, u64 v)
{
	*p = v;
}
