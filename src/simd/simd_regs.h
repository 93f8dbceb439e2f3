/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions that move SIMD registers (simd_regs.S). All use EL2's vector length in force,
 * need CPTR_EL2 open for what they access, and do not consider owners.
 */
#pragma once

#include "lib/types.h"

/* Vector length and streaming vector length in force, in bytes (RDVL, RDSVL). */
u64 simd_regs_vl(void);
u64 simd_regs_svl(void);

/* V0-V31: 512 bytes, 16-byte aligned. Not in streaming mode. */
void simd_regs_save_v(void *v);
void simd_regs_load_v(const void *v);

/*
 * Z0-Z31, P0-P15, FFR: SIMD_Z_SIZE(VL) bytes in this order. Without ffr, FFR is not touched
 * (streaming mode without FA64).
 */
void simd_regs_save_z(void *z, bool ffr);
void simd_regs_load_z(const void *z, bool ffr);

/* Bytes of Z, P and FFR at a vector length of vl bytes. */
#define SIMD_Z_SIZE(vl) ((vl) * 32 + (vl) / 8 * 16 + (vl) / 8)

/* ZA, svl rows of svl bytes; PSTATE.ZA is 1 and svl is the streaming vector length in force. */
void simd_regs_save_za(void *za, u64 svl);
void simd_regs_load_za(const void *za, u64 svl);
/* ZT0, 64 bytes; PSTATE.ZA is 1. */
void simd_regs_save_zt0(void *zt0);
void simd_regs_load_zt0(const void *zt0);

/* Fill with garbage: V0-V31; Z, P and FFR; ZA (in streaming mode with PSTATE.ZA 1). */
void simd_regs_scramble_v(u64 seed);
void simd_regs_scramble_z(u64 seed);
void simd_regs_scramble_za(u64 seed, u64 svl);
