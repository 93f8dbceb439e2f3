/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to device registers: one load or store of exactly this size, in program order with each
 * other (Device memory). test/fake has a file of the same name for the host.
 */
#pragma once

#include "lib/types.h"

static inline u8 mmio_read8(const volatile void *p)
{
	u32 v;

	asm volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return (u8)v;
}

static inline u16 mmio_read16(const volatile void *p)
{
	u32 v;

	asm volatile("ldrh %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return (u16)v;
}

static inline u32 mmio_read32(const volatile void *p)
{
	u32 v;

	asm volatile("ldr %w0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static inline u64 mmio_read64(const volatile void *p)
{
	u64 v;

	asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(p) : "memory");
	return v;
}

static inline void mmio_write8(volatile void *p, u8 v)
{
	asm volatile("strb %w0, [%1]" ::"rZ"((u32)v), "r"(p) : "memory");
}

static inline void mmio_write16(volatile void *p, u16 v)
{
	asm volatile("strh %w0, [%1]" ::"rZ"((u32)v), "r"(p) : "memory");
}

static inline void mmio_write32(volatile void *p, u32 v)
{
	asm volatile("str %w0, [%1]" ::"rZ"(v), "r"(p) : "memory");
}

static inline void mmio_write64(volatile void *p, u64 v)
{
	asm volatile("str %x0, [%1]" ::"rZ"(v), "r"(p) : "memory");
}
