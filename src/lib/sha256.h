/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4). */
#pragma once

#include "lib/types.h"

#define SHA256_SIZE 32
#define SHA256_BLOCK 64
#define SHA256_HEX_SIZE (2 * SHA256_SIZE + 1)

/* An engine: hash blocks * 64 bytes into state. */
typedef void sha256_blocks_fn(u32 state[8], const u8 *data, u64 blocks);

struct sha256 {
	sha256_blocks_fn *blocks;
	u32 state[8];
	u64 length; /* bytes so far */
	u8 block[SHA256_BLOCK]; /* the last length % 64 of them */
};

/*
 * Start; add n bytes, any number of times; finish and give the digest. Any context that the engine
 * may run in.
 */
void sha256_init(struct sha256 *s, sha256_blocks_fn *blocks);
void sha256_update(struct sha256 *s, const void *data, u64 n);
void sha256_final(struct sha256 *s, u8 digest[SHA256_SIZE]);

/* All three at once. */
void sha256(sha256_blocks_fn *blocks, const void *data, u64 n, u8 digest[SHA256_SIZE]);
/* The digest as 64 lower-case digits and a NUL. */
void sha256_hex(const u8 digest[SHA256_SIZE], char hex[SHA256_HEX_SIZE]);

/* The engine in plain C. */
sha256_blocks_fn sha256_blocks_c;
/* The round constants, for simd/sha256_ce.S. */
extern const u32 sha256_k[64];
