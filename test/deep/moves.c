/* SPDX-License-Identifier: Apache-2.0 */
/* The instructions of both nidus that move SIMD registers: simd/simd_regs.h. */
#include <string.h>

#include "arch/esr.h"
#include "machine.h"
#include "arch/simd.h"
#include "simd/simd_state.h"
#include "world.h"

u8 saves[NIDUS][2], loads[NIDUS][2];

/* The vcpu whose home contains p. */
static u32 home_owner(u32 nidus, const void *p)
{
	for (u32 v = 0; v < 2; v++)
		if ((const u8 *)p >= home[nidus][v] && (const u8 *)p < home[nidus][v] + HOME_SIZE)
			return v;
	model_fail("%s moves SIMD to or from memory that is no vcpu's home", nidus_name[nidus]);
}

/* The full length of that vcpu's VM. */
static u32 full_len(u32 nidus, u32 v, bool streaming)
{
	if (nidus == L1)
		return streaming ? setup->svl[v] : setup->vl[v];
	if (v)
		return streaming ? setup->svl[G_B] : setup->vl[G_B];
	return streaming ? setup->svl1 : setup->vl1;
}

/* A move of vectors is at full length. */
static u32 move_len(u32 nidus, u32 v, bool streaming, const char *what)
{
	u32 len = machine_len(streaming), full = full_len(nidus, v, streaming);

	if (len != full)
		model_fail("%s's %s of vcpu %u at %u bits, its VM has %u", nidus_name[nidus], what,
			   v, 64U << len, full ? 64U << full : 0);
	return len;
}

static u64 regs_vl(u32 nidus)
{
	machine_needs(nidus, CPTR_ZEN | CPTR_FPEN, EC_SVE, "SVE");
	return 8UL << machine_len(false);
}

static u64 regs_svl(u32 nidus)
{
	machine_needs(nidus, CPTR_SMEN | CPTR_FPEN, EC_SME, "SME");
	return 8UL << machine_len(true);
}

static void needs_v(u32 nidus)
{
	machine_needs(nidus, CPTR_FPEN, EC_FP_ASIMD, "V registers");
	if (m.d.svcr & SVCR_SM)
		model_fail("%s uses Advanced SIMD in streaming mode", nidus_name[nidus]);
}

/* FA64 is ANDed over the levels. */
static bool has_extra(u64 bit)
{
	return (m.reg[R_SMCR_EL2] & bit) && (m.at_el2 || (m.reg[R_SMCR_EL1] & bit));
}

static void needs_z(u32 nidus, bool ffr)
{
	bool sm = m.d.svcr & SVCR_SM;

	machine_needs(nidus, CPTR_FPEN | (sm ? CPTR_SMEN : CPTR_ZEN), sm ? EC_SME : EC_SVE,
		      "Z registers");
	if (ffr && sm && !(setup->fa64 && has_extra(SMCR_FA64)))
		model_fail("%s uses FFR in streaming mode without FA64", nidus_name[nidus]);
}

/* Writing V zeroes Z up to the length in force; nothing is specified above it. */
static void write_v(tag t)
{
	m.d.vec[0] = t;
	for (u32 i = 1; i < (setup->narrow ? SEGS : machine_len(false)); i++)
		m.d.vec[i] = T_ZERO;
}

static void save_v(u32 nidus, u8 *to)
{
	needs_v(nidus);
	to[0] = m.d.vec[0];
	saves[nidus][home_owner(nidus, to)]++;
}

static void load_v(u32 nidus, const u8 *from)
{
	needs_v(nidus);
	write_v(from[0]);
	loads[nidus][home_owner(nidus, from)]++;
}

static void save_z(u32 nidus, u8 *to, bool ffr)
{
	u32 v, len;

	needs_z(nidus, ffr);
	v = home_owner(nidus, to);
	len = move_len(nidus, v, m.d.svcr & SVCR_SM, "save");
	memset(to, T_JUNK, SEGS + 2);
	memcpy(to, m.d.vec, len);
	to[SEGS] = m.d.pred;
	if (ffr)
		to[SEGS + 1] = m.d.ffr;
	saves[nidus][v]++;
}

static void load_z(u32 nidus, const u8 *from, bool ffr)
{
	u32 v, len;

	needs_z(nidus, ffr);
	v = home_owner(nidus, from);
	len = move_len(nidus, v, m.d.svcr & SVCR_SM, "load");
	memcpy(m.d.vec, from, len);
	machine_cut(m.d.vec, len);
	m.d.pred = from[SEGS];
	if (ffr)
		m.d.ffr = from[SEGS + 1];
	loads[nidus][v]++;
}

static void needs_za(u32 nidus)
{
	machine_needs(nidus, CPTR_FPEN | CPTR_SMEN, EC_SME, "ZA");
	if (!(m.d.svcr & SVCR_ZA))
		model_fail("%s uses ZA while PSTATE.ZA is 0", nidus_name[nidus]);
}

static u32 za_len(u32 nidus, u32 v, u64 svl)
{
	u32 len = move_len(nidus, v, true, "move of ZA");

	if (svl != 8UL << len)
		model_fail("%s moves ZA in rows of %lu bytes, they have %lu", nidus_name[nidus],
			   svl, 8UL << len);
	return len;
}

static void save_za(u32 nidus, u8 *to, u64 svl)
{
	needs_za(nidus);
	memset(to, T_JUNK, SEGS);
	memcpy(to, m.d.za, za_len(nidus, home_owner(nidus, to), svl));
}

static void load_za(u32 nidus, const u8 *from, u64 svl)
{
	u32 len;

	needs_za(nidus);
	len = za_len(nidus, home_owner(nidus, from), svl);
	memcpy(m.d.za, from, len);
	machine_cut(m.d.za, len);
}

static void needs_zt0(u32 nidus)
{
	needs_za(nidus);
	if (!has_extra(SMCR_EZT0))
		model_fail("%s uses ZT0 while SMCR_ELx traps it", nidus_name[nidus]);
}

static void scramble_z(u32 nidus)
{
	needs_z(nidus, true);
	memset(m.d.vec, T_HOST, machine_len(m.d.svcr & SVCR_SM));
	m.d.pred = m.d.ffr = T_HOST;
}

static void scramble_za(u32 nidus)
{
	needs_za(nidus);
	memset(m.d.za, T_HOST, machine_len(true));
	m.d.zt0 = T_HOST;
}

/* The functions that simd_regs.h declares, for each nidus. */
#define FOR(p, n)                                                                                  \
	u64 p##_simd_regs_vl(void);                                                                \
	u64 p##_simd_regs_svl(void);                                                               \
	void p##_simd_regs_save_v(void *v);                                                        \
	void p##_simd_regs_load_v(const void *v);                                                  \
	void p##_simd_regs_save_z(void *z, bool ffr);                                              \
	void p##_simd_regs_load_z(const void *z, bool ffr);                                        \
	void p##_simd_regs_save_za(void *za, u64 svl);                                             \
	void p##_simd_regs_load_za(const void *za, u64 svl);                                       \
	void p##_simd_regs_save_zt0(void *zt0);                                                    \
	void p##_simd_regs_load_zt0(const void *zt0);                                              \
	void p##_simd_regs_scramble_v(u64 seed);                                                   \
	void p##_simd_regs_scramble_z(u64 seed);                                                   \
	void p##_simd_regs_scramble_za(u64 seed, u64 svl);                                         \
	u64 p##_simd_regs_vl(void)                                                                 \
	{                                                                                          \
		return regs_vl(n);                                                                 \
	}                                                                                          \
	u64 p##_simd_regs_svl(void)                                                                \
	{                                                                                          \
		return regs_svl(n);                                                                \
	}                                                                                          \
	void p##_simd_regs_save_v(void *v)                                                         \
	{                                                                                          \
		save_v(n, v);                                                                      \
	}                                                                                          \
	void p##_simd_regs_load_v(const void *v)                                                   \
	{                                                                                          \
		load_v(n, v);                                                                      \
	}                                                                                          \
	void p##_simd_regs_save_z(void *z, bool ffr)                                               \
	{                                                                                          \
		save_z(n, z, ffr);                                                                 \
	}                                                                                          \
	void p##_simd_regs_load_z(const void *z, bool ffr)                                         \
	{                                                                                          \
		load_z(n, z, ffr);                                                                 \
	}                                                                                          \
	void p##_simd_regs_save_za(void *za, u64 svl)                                              \
	{                                                                                          \
		save_za(n, za, svl);                                                               \
	}                                                                                          \
	void p##_simd_regs_load_za(const void *za, u64 svl)                                        \
	{                                                                                          \
		load_za(n, za, svl);                                                               \
	}                                                                                          \
	void p##_simd_regs_save_zt0(void *zt0)                                                     \
	{                                                                                          \
		needs_zt0(n);                                                                      \
		*(u8 *)zt0 = m.d.zt0;                                                              \
	}                                                                                          \
	void p##_simd_regs_load_zt0(const void *zt0)                                               \
	{                                                                                          \
		needs_zt0(n);                                                                      \
		m.d.zt0 = *(const u8 *)zt0;                                                        \
	}                                                                                          \
	void p##_simd_regs_scramble_v(u64 seed)                                                    \
	{                                                                                          \
		(void)seed;                                                                        \
		needs_v(n);                                                                        \
		write_v(T_HOST);                                                                   \
	}                                                                                          \
	void p##_simd_regs_scramble_z(u64 seed)                                                    \
	{                                                                                          \
		(void)seed;                                                                        \
		scramble_z(n);                                                                     \
	}                                                                                          \
	void p##_simd_regs_scramble_za(u64 seed, u64 svl)                                          \
	{                                                                                          \
		(void)seed;                                                                        \
		(void)svl;                                                                         \
		scramble_za(n);                                                                    \
	}
FOR(l0, L0)
FOR(l1, L1)
