/* SPDX-License-Identifier: Apache-2.0 */
/* Device registers of the fake machine: every access goes to the test's model of the device. */
#pragma once

#include "lib/types.h"

/* One access of size bytes at address at; a read returns the register, a write is given v. */
typedef u64 fake_mmio_fn(u64 at, unsigned size, bool write, u64 v);

/* Put a device at [base, base+size); an access where there is none fails the test. */
void fake_mmio_add(u64 base, u64 size, fake_mmio_fn *fn);
void fake_mmio_reset(void);

u64 fake_mmio(u64 at, unsigned size, bool write, u64 v);

static inline u8 mmio_read8(const volatile void *p)
{
	return (u8)fake_mmio((u64)p, 1, false, 0);
}

static inline u16 mmio_read16(const volatile void *p)
{
	return (u16)fake_mmio((u64)p, 2, false, 0);
}

static inline u32 mmio_read32(const volatile void *p)
{
	return (u32)fake_mmio((u64)p, 4, false, 0);
}

static inline u64 mmio_read64(const volatile void *p)
{
	return fake_mmio((u64)p, 8, false, 0);
}

static inline void mmio_write8(volatile void *p, u8 v)
{
	fake_mmio((u64)p, 1, true, v);
}

static inline void mmio_write16(volatile void *p, u16 v)
{
	fake_mmio((u64)p, 2, true, v);
}

static inline void mmio_write32(volatile void *p, u32 v)
{
	fake_mmio((u64)p, 4, true, v);
}

static inline void mmio_write64(volatile void *p, u64 v)
{
	fake_mmio((u64)p, 8, true, v);
}
