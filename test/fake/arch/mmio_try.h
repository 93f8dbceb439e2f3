/* SPDX-License-Identifier: Apache-2.0 */
/* Device registers of the fake machine, none of which answers with an abort. */
#pragma once

#include "arch/mmio_access.h"

static inline u64 mmio_try_read(volatile void *p, u32 size)
{
	return fake_mmio((u64)p, size, false, 0);
}

static inline void mmio_try_write(volatile void *p, u32 size, u64 v)
{
	fake_mmio((u64)p, size, true, v);
}
