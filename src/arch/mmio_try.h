/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to registers of a device that somebody else controls: it may answer with an abort, for
 * an access of that size or because it was turned off. test/fake has a file of the same name.
 */
#pragma once

#include "lib/types.h"

#define MMIO_TRY_WRITE 0x100

/*
 * One load, or one store of v, of how & 15 bytes (1, 2, 4 or 8), aligned. Returns what was read;
 * all ones where a synchronous external abort was taken instead (AArch64.Abort), as a device that
 * is not there would give. Changes no register of an exception that is being handled.
 * mmio_try.S, and the vector for synchronous exceptions of EL2.
 */
u64 mmio_try(volatile void *p, u64 v, u32 how);

static inline u64 mmio_try_read(volatile void *p, u32 size)
{
	u64 v = mmio_try(p, 0, size);

	return size < 8 ? v & (BIT(8 * size) - 1) : v;
}

static inline void mmio_try_write(volatile void *p, u32 size, u64 v)
{
	mmio_try(p, v, size | MMIO_TRY_WRITE);
}
