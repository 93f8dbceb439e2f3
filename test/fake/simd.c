/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What simd_regs.S and sha256_ce.S do, on the fake machine's registers. Weak: a test may define its
 * own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/simd.h"
#include "arch/sysreg.h"
#include "fake_simd.h"
#include "lib/sha256.h"
#include "simd/simd_regs.h"
#include "simd/simd_state.h"
#include "simd/simd.h"

#define WEAK __attribute__((weak))

struct fake_simd fake_simd;
u32 fake_vl_mask = 0xffff, fake_svl_mask = 0x808b;
static u64 svcr;

static void need(const char *what, u64 cptr_bits)
{
	if ((fake_get("CPTR_EL2") & cptr_bits) == cptr_bits)
		return;
	fprintf(stderr, "fake: %s used at EL2 while CPTR_EL2 traps it\n", what);
	abort();
}

static u32 length(u64 len, u32 mask)
{
	u32 below = mask & (u32)((2UL << (len & 15)) - 1);

	/* If none is as short as requested, the shortest that exists. */
	return ((below ? 31 - (u32)__builtin_clz(below) : (u32)__builtin_ctz(mask)) + 1) * 16;
}

u32 fake_vl(bool streaming)
{
	return streaming ? length(fake_get("SMCR_EL2"), fake_svl_mask)
			 : length(fake_get("ZCR_EL2"), fake_vl_mask);
}

static u32 vl_now(void)
{
	bool sm = fake_get("SVCR") & SVCR_SM;

	need("SVE", sm ? MASK(25, 24) | MASK(21, 20) : MASK(17, 16) | MASK(21, 20));
	return fake_vl(sm);
}

static void svcr_written(u64 v)
{
	need("SVCR", MASK(25, 24));
	if ((v ^ svcr) & SVCR_SM) {
		memset(fake_simd.z, 0, sizeof(fake_simd.z));
		memset(fake_simd.p, 0, sizeof(fake_simd.p));
		memset(fake_simd.ffr, 0, sizeof(fake_simd.ffr));
		fake_set("FPSR", 0x0800009f);
		fake_set("FPMR", 0);
	}
	if (v & ~svcr & SVCR_ZA) {
		memset(fake_simd.za, 0, sizeof(fake_simd.za));
		memset(fake_simd.zt0, 0, sizeof(fake_simd.zt0));
	}
	svcr = v;
}

void fake_simd_reset(void)
{
	memset(&fake_simd, 0, sizeof(fake_simd));
	fake_vl_mask = 0xffff;
	fake_svl_mask = 0x808b;
	svcr = 0;
	fake_on_write("SVCR", svcr_written);
}

WEAK u64 simd_regs_vl(void)
{
	need("RDVL", MASK(17, 16) | MASK(21, 20));
	return fake_vl(false);
}

WEAK u64 simd_regs_svl(void)
{
	need("RDSVL", MASK(25, 24));
	return fake_vl(true);
}

WEAK void simd_regs_save_v(void *v)
{
	need("Advanced SIMD", MASK(21, 20));
	for (u32 i = 0; i < 32; i++)
		memcpy((u8 *)v + 16 * i, fake_simd.z[i], 16);
}

WEAK void simd_regs_load_v(const void *v)
{
	need("Advanced SIMD", MASK(21, 20));
	for (u32 i = 0; i < 32; i++) {
		memset(fake_simd.z[i], 0, FAKE_VL_MAX);
		memcpy(fake_simd.z[i], (const u8 *)v + 16 * i, 16);
	}
}

WEAK void simd_regs_save_z(void *z, bool ffr)
{
	u32 vl = vl_now();
	u8 *to = z;

	for (u32 i = 0; i < 32; i++, to += vl)
		memcpy(to, fake_simd.z[i], vl);
	for (u32 i = 0; i < 16; i++, to += vl / 8)
		memcpy(to, fake_simd.p[i], vl / 8);
	if (ffr)
		memcpy(to, fake_simd.ffr, vl / 8);
}

WEAK void simd_regs_load_z(const void *z, bool ffr)
{
	u32 vl = vl_now();
	const u8 *from = z;

	memset(fake_simd.z, 0, sizeof(fake_simd.z));
	for (u32 i = 0; i < 32; i++, from += vl)
		memcpy(fake_simd.z[i], from, vl);
	for (u32 i = 0; i < 16; i++, from += vl / 8)
		memcpy(fake_simd.p[i], from, vl / 8);
	if (ffr)
		memcpy(fake_simd.ffr, from, vl / 8);
}

static void need_za(u64 svl)
{
	need("ZA", MASK(25, 24) | MASK(21, 20));
	if ((fake_get("SVCR") & SVCR_ZA) && svl == fake_vl(true))
		return;
	fprintf(stderr, "fake: ZA moved while off, or in rows of %lu bytes\n", svl);
	abort();
}

WEAK void simd_regs_save_za(void *za, u64 svl)
{
	need_za(svl);
	for (u64 i = 0; i < svl; i++)
		memcpy((u8 *)za + i * svl, fake_simd.za[i], svl);
}

WEAK void simd_regs_load_za(const void *za, u64 svl)
{
	need_za(svl);
	for (u64 i = 0; i < svl; i++)
		memcpy(fake_simd.za[i], (const u8 *)za + i * svl, svl);
}

WEAK void simd_regs_save_zt0(void *zt0)
{
	memcpy(zt0, fake_simd.zt0, sizeof(fake_simd.zt0));
}

WEAK void simd_regs_load_zt0(const void *zt0)
{
	memcpy(fake_simd.zt0, zt0, sizeof(fake_simd.zt0));
}

WEAK void simd_regs_scramble_v(u64 seed)
{
	need("Advanced SIMD", MASK(21, 20));
	memset(fake_simd.z, (int)(seed | 1) & 0xff, sizeof(fake_simd.z));
}

WEAK void simd_regs_scramble_z(u64 seed)
{
	vl_now();
	memset(fake_simd.z, (int)(seed | 1) & 0xff, sizeof(fake_simd.z));
	memset(fake_simd.p, 0x55, sizeof(fake_simd.p));
	memset(fake_simd.ffr, 0x55, sizeof(fake_simd.ffr));
}

WEAK void simd_regs_scramble_za(u64 seed, u64 svl)
{
	need_za(svl);
	memset(fake_simd.za, (int)(seed | 1) & 0xff, sizeof(fake_simd.za));
	memset(fake_simd.zt0, 0x55, sizeof(fake_simd.zt0));
}

/* The instructions give the plain engine's result. */
WEAK void sha256_blocks_ce(u32 state[8], const u8 *data, u64 blocks)
{
	need("SHA256H", MASK(21, 20));
	sha256_blocks_c(state, data, blocks);
}
