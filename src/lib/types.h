/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-width integers and the few helpers that every file uses. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define BIT(n) (1UL << (n))
/* Bits hi..lo, both inclusive. */
#define MASK(hi, lo) ((~0UL >> (63 - (hi))) & (~0UL << (lo)))
/* The field hi..lo of v, shifted down. */
#define FIELD(v, hi, lo) (((u64)(v) >> (lo)) & (~0UL >> (63 - ((hi) - (lo)))))

/* v with its bit (bits - 1) in all above. */
static inline u64 sign_extend(u64 v, u32 bits)
{
	return (u64)((s64)(v << (64 - bits)) >> (64 - bits));
}

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a) ((x) & ~((a)-1))
#define ALIGN_UP(x, a) (((x) + ((a)-1)) & ~((a)-1))
#define IS_ALIGNED(x, a) (((x) & ((a)-1)) == 0)
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define must_check __attribute__((warn_unused_result))
#define noreturn __attribute__((noreturn))
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* Errors that functions return negated; the numbers are Linux's, so that readers know them. */
enum {
	ENOENT = 2,
	ENOMEM = 12,
	EBUSY = 16,
	EEXIST = 17,
	EINVAL = 22,
	ENOSPC = 28,
	ERANGE = 34,
	ENOTSUP = 95,
};

/*
 * A word that others may write meanwhile, read once, without ordering: __atomic_load_n(p,
 * __ATOMIC_RELAXED), for which some compilers compute the address in an instruction of its own.
 */
#define read_once(p) (*(const volatile __typeof__(*(p)) *)(p))
