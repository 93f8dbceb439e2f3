/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 against published digests, its padding at every length, and when it opens host
 * sections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/feat.h"
#include "lib/sha256.h"
#include "simd/simd.h"

static u32 sections, ce_blocks;
static bool section_open;

void simd_host_begin(void)
{
	assert_false(section_open);
	section_open = true;
	sections++;
}

void simd_host_end(void)
{
	assert_true(section_open);
	section_open = false;
}

void sha256_blocks_ce(u32 state[8], const u8 *data, u64 blocks)
{
	assert_true(section_open);
	assert_in_range(blocks, 1, 256);
	ce_blocks += (u32)blocks;
	sha256_blocks_c(state, data, blocks);
}

static int setup(void **state)
{
	(void)state;
	memset(&feat, 0, sizeof(feat));
	sections = ce_blocks = 0;
	return 0;
}

static void expect_digest(const void *data, u64 n, const char *want)
{
	u8 digest[SHA256_SIZE];
	char hex[SHA256_HEX_SIZE];

	sha256(simd_sha256_blocks, data, n, digest);
	sha256_hex(digest, hex);
	assert_string_equal(hex, want);
}

static void published(void **state)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *a = malloc(1000000);

	(void)state;
	for (u32 ce = 0; ce < 2; ce++) {
		feat.sha256 = ce;
		expect_digest("", 0,
			      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
		expect_digest("abc", 3,
			      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
		expect_digest(two, 56,
			      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
		expect_digest(memset(a, 'a', 1000000), 1000000,
			      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
	free(a);
}

/* The padding by its definition: a bit, zeroes, the length, in whole blocks. */
static void padded(const u8 *data, u64 n, u8 digest[SHA256_SIZE])
{
	u8 block[512] = { 0 };
	u64 size = ALIGN_UP(n + 9, 64UL);
	struct sha256 s;

	memcpy(block, data, n);
	block[n] = 0x80;
	for (u32 i = 0; i < 8; i++)
		block[size - 1 - i] = (u8)(n * 8 >> (8 * i));
	sha256_init(&s, simd_sha256_blocks);
	sha256_blocks_c(s.state, block, size / 64);
	for (u32 i = 0; i < SHA256_SIZE; i++)
		digest[i] = (u8)(s.state[i / 4] >> (24 - i % 4 * 8));
}

static void every_length_and_split(void **state)
{
	u8 data[300], want[SHA256_SIZE], have[SHA256_SIZE];

	(void)state;
	for (u32 i = 0; i < sizeof(data); i++)
		data[i] = (u8)(i * 7 + 3);
	for (u32 n = 0; n <= sizeof(data); n++) {
		padded(data, n, want);
		for (u32 split = 0; split <= n; split += 13) {
			struct sha256 s;

			sha256_init(&s, simd_sha256_blocks);
			sha256_update(&s, data, split);
			sha256_update(&s, data + split, n - split);
			sha256_final(&s, have);
			assert_memory_equal(have, want, SHA256_SIZE);
		}
	}
}

static void sections_only_where_they_pay(void **state)
{
	static u8 data[100 * 1024];
	u8 digest[SHA256_SIZE];

	(void)state;
	sha256(simd_sha256_blocks, data, sizeof(data), digest);
	assert_int_equal(sections, 0);
	feat.sha256 = true;
	sha256(simd_sha256_blocks, data, 200, digest);
	assert_int_equal(sections, 0);
	sha256(simd_sha256_blocks, data, sizeof(data), digest);
	assert_int_equal(sections, 7); /* 16 KiB each, interrupts in between */
	assert_int_equal(ce_blocks, sizeof(data) / 64);
	assert_false(section_open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(published, setup),
		cmocka_unit_test_setup(every_length_and_split, setup),
		cmocka_unit_test_setup(sections_only_where_they_pay, setup),
	};

	return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
