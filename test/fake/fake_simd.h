/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake machine's SIMD registers: real bytes, at the lengths that its ZCR_EL2, SMCR_EL2 and
 * SVCR give.
 */
#pragma once

#include "lib/types.h"

#define FAKE_VL_MAX 256

struct fake_simd {
	u8 z[32][FAKE_VL_MAX];
	u8 p[16][FAKE_VL_MAX / 8];
	u8 ffr[FAKE_VL_MAX / 8];
	u8 za[FAKE_VL_MAX][FAKE_VL_MAX];
	u8 zt0[64];
};

extern struct fake_simd fake_simd;
/* Bit n: length (n+1)*128 bits exists. */
extern u32 fake_vl_mask, fake_svl_mask;
/* Length in force at EL2 in bytes: streaming or not. */
u32 fake_vl(bool streaming);
/*
 * All lengths exist, all registers hold zero; a write of SVCR has its effects from now on. After
 * fake_reset().
 */
void fake_simd_reset(void);
