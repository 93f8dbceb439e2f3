/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256: padding, and the engine in plain C. */
#include "lib/sha256.h"

#include "lib/string.h"

const u32 sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,

};

static u32 ror(u32 x, u32 n)
{
	return x >> n | x << (32 - n);
}

static u32 load_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static void store_be32(u8 *p, u32 v)
{
	for (u32 i = 0; i < 4; i++)
		p[i] = (u8)(v >> (24 - 8 * i));
}

static void schedule(u32 w[64], const u8 *data)
{
	for (u32 i = 0; i < 16; i++)
		w[i] = load_be32(data + 4 * i);
	for (u32 i = 16; i < 64; i++) {
		u32 s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		u32 s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
}

static void compress(u32 state[8], const u8 *data)
{
	u32 w[64], v[8];

	schedule(w, data);
	memcpy(v, state, sizeof(v));
	for (u32 i = 0; i < 64; i++) {
		u32 a = v[0], e = v[4];
		u32 s1 = ror(e, 6) ^ ror(e, 11) ^ ror(e, 25);
		u32 t1 = v[7] + s1 + ((e & v[5]) ^ (~e & v[6])) + sha256_k[i] + w[i];
		u32 s0 = ror(a, 2) ^ ror(a, 13) ^ ror(a, 22);
		u32 t2 = s0 + ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (u32 i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256_blocks_c(u32 state[8], const u8 *data, u64 blocks)
{
	for (; blocks; blocks--, data += SHA256_BLOCK)
		compress(state, data);
}

void sha256_init(struct sha256 *s, sha256_blocks_fn *blocks)
{
	static const u32 start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->state, start, sizeof(start));
	s->length = 0;
	s->blocks = blocks;
}

void sha256_update(struct sha256 *s, const void *data, u64 n)
{
	const u8 *p = data;
	u64 have = s->length % SHA256_BLOCK;

	s->length += n;
	if (have) {
		u64 fill = MIN(n, SHA256_BLOCK - have);

		memcpy(s->block + have, p, fill);
		p += fill;
		n -= fill;
		if (have + fill < SHA256_BLOCK)
			return;
		s->blocks(s->state, s->block, 1);
	}
	s->blocks(s->state, p, n / SHA256_BLOCK);
	memcpy(s->block, p + ALIGN_DOWN(n, (u64)SHA256_BLOCK), n % SHA256_BLOCK);
}

void sha256_final(struct sha256 *s, u8 digest[SHA256_SIZE])
{
	static const u8 pad[SHA256_BLOCK] = { 0x80 };
	u64 bits = s->length * 8;
	u64 have = s->length % SHA256_BLOCK;
	u8 length[8];

	store_be32(length, (u32)(bits >> 32));
	store_be32(length + 4, (u32)bits);
	sha256_update(s, pad, (have < 56 ? 56 : 120) - have);
	sha256_update(s, length, sizeof(length));
	for (u32 i = 0; i < 8; i++)
		store_be32(digest + 4 * i, s->state[i]);
}

void sha256(sha256_blocks_fn *blocks, const void *data, u64 n, u8 digest[SHA256_SIZE])
{
	struct sha256 s;

	sha256_init(&s, blocks);
	sha256_update(&s, data, n);
	sha256_final(&s, digest);
}

void sha256_hex(const u8 digest[SHA256_SIZE], char hex[SHA256_HEX_SIZE])
{
	for (u32 i = 0; i < SHA256_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	hex[2 * SHA256_SIZE] = 0;
}
