/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 by the CPU's own instructions, in host sections. */
#include "arch/feat.h"
#include "simd/simd.h"

/* One host section: 16 KiB take about 8000 instructions with interrupts masked. */
#define SECTION_BLOCKS 256
/* A host section may cost a flush and a claim, which shorter input would not earn back. */
#define CE_MIN_BLOCKS 4

void simd_sha256_blocks(u32 state[8], const u8 *data, u64 blocks)
{
	if (!feat.sha256 || blocks < CE_MIN_BLOCKS) {
		sha256_blocks_c(state, data, blocks);
		return;
	}
	while (blocks) {
		u64 n = MIN(blocks, (u64)SECTION_BLOCKS);

		simd_host_begin();
		sha256_blocks_ce(state, data, n);
		simd_host_end();
		blocks -= n;
		data += n * SHA256_BLOCK;
	}
}
