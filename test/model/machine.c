/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fake machine: what system registers and SIMD instructions do to symbolic tags, and what they
 * require.
 */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/barrier.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "arch/sysreg.h"
#include "lib/check.h"
#include "lib/log.h"
#include "simd/simd.h"
#include "simd/simd_regs.h"
#include "simd/simd_state.h"

#define HOME_SIZE 16384UL

const struct setup *setup;
struct machine_cpu mach[CPUS];
static u8 home_mem[VCPUS][HOME_SIZE] __attribute__((aligned(4096)));
u8 *home[VCPUS] = { home_mem[0], home_mem[1], home_mem[2] };
int cur, inject_at = -1, inject_seen;
u32 saves[VCPUS], loads[VCPUS];
jmp_buf model_out;
char model_why[256];
static bool in_irq;

void model_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(model_why, sizeof(model_why), fmt, ap);
	va_end(ap);
	in_irq = false;
	longjmp(model_out, 1);
}

noreturn void check_failed(const char *file, int line, const char *what)
{
	const char *base = strrchr(file, '/');

	model_fail("CHECK(%s) failed at %s:%d", what, base ? base + 1 : file, line);
}

void log_line(const char *fmt, ...)
{
	model_fail("a line: %s", fmt);
}

void move_reset(void)
{
	memset(saves, 0, sizeof(saves));
	memset(loads, 0, sizeof(loads));
}

u32 vm_of(u32 vcpu)
{
	return vcpu >= setup->vcpus[0];
}

u32 segs_of(u64 len)
{
	len &= 15;
	return len >= 3 ? 3 : len >= 1 ? 2 : 1;
}

static u32 el2_len(const struct machine_cpu *m, bool streaming)
{
	return segs_of(streaming ? m->smcr_el2 : m->zcr_el2);
}

u32 guest_len(const struct machine_cpu *m, bool streaming)
{
	u32 el1 = segs_of(streaming ? m->d.smcr_el1 : m->d.zcr_el1);

	return MIN(el1, el2_len(m, streaming));
}

static void cut(tag *segs, u32 len)
{
	for (u32 i = len; setup->narrow && i < SEGS; i++)
		segs[i] = T_ZERO;
}

void machine_narrow(struct machine_cpu *m, u64 cpacr)
{
	bool sm = m->d.svcr & SVCR_SM;
	u64 field = sm ? CPTR_SMEN : CPTR_ZEN;

	if (!(m->cptr & CPTR_FPEN) || !(cpacr & CPTR_FPEN))
		return;
	if (m->cptr & field)
		cut(m->d.vec, cpacr & field ? guest_len(m, sm) : 1);
	if ((m->cptr & CPTR_SMEN) && (m->d.svcr & SVCR_ZA))
		cut(m->d.za, cpacr & CPTR_SMEN ? guest_len(m, true) : 1);
}

void machine_eret(struct machine_cpu *m)
{
	m->in_guest = m->synced = true;
	m->daif = 0;
	machine_narrow(m, m->cpacr);
}

u64 machine_smcr(u64 len)
{
	if (len != 15)
		return len;
	return len | (setup->fa64 ? SMCR_FA64 : 0) | (setup->sme2 ? SMCR_EZT0 : 0);
}

void machine_set_svcr(struct data *d, u64 v)
{
	if ((d->svcr ^ v) & SVCR_SM) {
		memset(d->vec, T_ZERO, sizeof(d->vec));
		d->pred = d->ffr = d->status[MODEL_FPMR] = T_ZERO;
		d->status[MODEL_FPSR] = T_SMSET;
	}
	if (~d->svcr & v & SVCR_ZA) {
		memset(d->za, T_ZERO, sizeof(d->za));
		d->zt0 = T_ZERO;
	}
	d->svcr = (u8)(v & (SVCR_SM | SVCR_ZA));
}

/* ---- interrupts taken at EL2 ----------------------------------------------------------------- */

void model_chaos_point(void)
{
	struct machine_cpu *m = &mach[cur];
	u64 daif = m->daif;

	if (in_irq || inject_seen++ != inject_at)
		return;
	in_irq = true;
	m->synced = true; /* taking an exception synchronises */
	m->daif = DAIF_I | DAIF_F;
	simd_chaos_section();
	m->daif = daif;
	in_irq = false;
}

void model_irq_point(void)
{
	const struct machine_cpu *m = &mach[cur];

	if (!(m->daif & DAIF_I) && !m->in_guest)
		model_chaos_point();
}

/* ---- system registers, as EL2 sees them ------------------------------------------------------ */

static struct machine_cpu *touch(u64 need, const char *what)
{
	struct machine_cpu *m = &mach[cur];

	model_irq_point();
	if (need && ((m->cptr & need) != need || !m->synced))
		model_fail("EL2 uses %s while CPTR_EL2 traps it%s", what,
			   m->synced ? "" : " (no ISB since it was written)");
	return m;
}

u64 model_read_cptr_el2(void)
{
	return touch(0, "")->cptr;
}

/* No interrupt comes between nidus's record of it and the register: simd_cptr_load(). */
void model_write_cptr_el2(u64 v)
{
	struct machine_cpu *m = &mach[cur];

	m->cptr = v;
	m->synced = false;
}

u64 model_read_cpacr_el12(void)
{
	return mach[cur].cpacr;
}

void model_write_cpacr_el12(u64 v)
{
	mach[cur].cpacr = v;
}

u64 model_read_esr_el2(void)
{
	return mach[cur].esr;
}

void model_isb(void)
{
	touch(0, "")->synced = true;
}

u64 model_read_daif(void)
{
	return touch(0, "")->daif;
}

void model_write_daif(u64 v)
{
	mach[cur].daif = v;
	model_irq_point();
}

u64 model_read_svcr(void)
{
	return touch(CPTR_SMEN, "SVCR")->d.svcr;
}

void model_write_svcr(u64 v)
{
	machine_set_svcr(&touch(CPTR_SMEN, "SVCR")->d, v);
}

u64 model_read_zcr_el12(void)
{
	return touch(CPTR_ZEN | CPTR_FPEN, "ZCR_EL1")->d.zcr_el1;
}

void model_write_zcr_el12(u64 v)
{
	touch(CPTR_ZEN | CPTR_FPEN, "ZCR_EL1")->d.zcr_el1 = (u8)v;
}

u64 model_read_smcr_el12(void)
{
	return machine_smcr(touch(CPTR_SMEN | CPTR_FPEN, "SMCR_EL1")->d.smcr_el1);
}

void model_write_smcr_el12(u64 v)
{
	touch(CPTR_SMEN | CPTR_FPEN, "SMCR_EL1")->d.smcr_el1 = v & SMCR_LEN;
}

void model_write_zcr_el2(u64 v)
{
	struct machine_cpu *m = touch(CPTR_ZEN | CPTR_FPEN, "ZCR_EL2");

	m->zcr_el2 = v;
	if (!(m->d.svcr & SVCR_SM))
		cut(m->d.vec, el2_len(m, false));
}

void model_write_smcr_el2(u64 v)
{
	struct machine_cpu *m = touch(CPTR_SMEN | CPTR_FPEN, "SMCR_EL2");

	m->smcr_el2 = v;
	cut(m->d.za, el2_len(m, true));
	if (m->d.svcr & SVCR_SM)
		cut(m->d.vec, el2_len(m, true));
}

u64 model_read_status(u32 which)
{
	return touch(CPTR_FPEN, "FPCR/FPSR/FPMR")->d.status[which];
}

/* A guest's value is a tag; anything else is nidus's. */
void model_write_status(u32 which, u64 v)
{
	touch(CPTR_FPEN, "FPCR/FPSR/FPMR")->d.status[which] = v < T_OWN + VCPUS ? (tag)v : T_HOST;
}

/* ---- the moves ------------------------------------------------------------------------------- */

/* The vcpu whose home contains p. */
static u32 home_owner(const void *p)
{
	for (u32 v = 0; v < VCPUS; v++)
		if ((const u8 *)p >= home[v] && (const u8 *)p < home[v] + HOME_SIZE)
			return v;
	model_fail("SIMD moved to or from memory that is no vcpu's home");
}

/* A move of vectors is at full length. */
static u32 move_len(u32 v, bool streaming, const char *what)
{
	u32 len = el2_len(&mach[cur], streaming);
	u32 full = streaming ? setup->svl[vm_of(v)] : setup->vl[vm_of(v)];

	if (len != full)
		model_fail("%s of vcpu %u at %u bits, its VM has %u", what, v, 64U << len,
			   full ? 64U << full : 0);
	return len;
}

u64 simd_regs_vl(void)
{
	return 8UL << el2_len(touch(CPTR_ZEN | CPTR_FPEN, "SVE"), false);
}

u64 simd_regs_svl(void)
{
	return 8UL << el2_len(touch(CPTR_SMEN | CPTR_FPEN, "SME"), true);
}

static struct machine_cpu *touch_v(void)
{
	struct machine_cpu *m = touch(CPTR_FPEN, "V registers");

	if (m->d.svcr & SVCR_SM)
		model_fail("EL2 uses Advanced SIMD in streaming mode");
	return m;
}

static struct machine_cpu *touch_z(bool ffr)
{
	bool sm = mach[cur].d.svcr & SVCR_SM;
	struct machine_cpu *m = touch(CPTR_FPEN | (sm ? CPTR_SMEN : CPTR_ZEN), "Z registers");

	if (ffr && sm && !(setup->fa64 && (m->smcr_el2 & SMCR_FA64)))
		model_fail("EL2 uses FFR in streaming mode without FA64");
	return m;
}

/* Writing V zeroes Z up to the length in force; nothing is specified above it. */
static void write_v(struct machine_cpu *m, tag t)
{
	m->d.vec[0] = t;
	for (u32 i = 1; i < (setup->narrow ? SEGS : el2_len(m, false)); i++)
		m->d.vec[i] = T_ZERO;
}

void simd_regs_save_v(void *p)
{
	struct machine_cpu *m = touch_v();
	u8 *to = p;

	to[0] = m->d.vec[0];
	saves[home_owner(p)]++;
}

void simd_regs_load_v(const void *p)
{
	struct machine_cpu *m = touch_v();
	const u8 *from = p;

	write_v(m, from[0]);
	loads[home_owner(p)]++;
}

void simd_regs_save_z(void *p, bool ffr)
{
	struct machine_cpu *m = touch_z(ffr);
	u32 v = home_owner(p), len = move_len(v, m->d.svcr & SVCR_SM, "save");
	u8 *to = p;

	memset(to, T_JUNK, SEGS + 2);
	memcpy(to, m->d.vec, len);
	to[SEGS] = m->d.pred;
	if (ffr)
		to[SEGS + 1] = m->d.ffr;
	saves[v]++;
}

void simd_regs_load_z(const void *p, bool ffr)
{
	struct machine_cpu *m = touch_z(ffr);
	u32 v = home_owner(p), len = move_len(v, m->d.svcr & SVCR_SM, "load");
	const u8 *from = p;

	memcpy(m->d.vec, from, len);
	cut(m->d.vec, len);
	m->d.pred = from[SEGS];
	if (ffr)
		m->d.ffr = from[SEGS + 1];
	loads[v]++;
}

static struct machine_cpu *touch_za(void)
{
	struct machine_cpu *m = touch(CPTR_FPEN | CPTR_SMEN, "ZA");

	if (!(m->d.svcr & SVCR_ZA))
		model_fail("EL2 uses ZA while PSTATE.ZA is 0");
	return m;
}

static u32 za_len(u32 v, u64 svl)
{
	u32 len = move_len(v, true, "move of ZA");

	if (svl != 8UL << len)
		model_fail("ZA moved in rows of %lu bytes, they have %lu", svl, 8UL << len);
	return len;
}

void simd_regs_save_za(void *p, u64 svl)
{
	struct machine_cpu *m = touch_za();

	memset(p, T_JUNK, SEGS);
	memcpy(p, m->d.za, za_len(home_owner(p), svl));
}

void simd_regs_load_za(const void *p, u64 svl)
{
	struct machine_cpu *m = touch_za();
	u32 len = za_len(home_owner(p), svl);

	memcpy(m->d.za, p, len);
	cut(m->d.za, len);
}

void simd_regs_save_zt0(void *p)
{
	struct machine_cpu *m = touch_za();

	if (!(m->smcr_el2 & SMCR_EZT0))
		model_fail("EL2 uses ZT0 while SMCR_EL2 traps it");
	*(u8 *)p = m->d.zt0;
}

void simd_regs_load_zt0(const void *p)
{
	struct machine_cpu *m = touch_za();

	if (!(m->smcr_el2 & SMCR_EZT0))
		model_fail("EL2 uses ZT0 while SMCR_EL2 traps it");
	m->d.zt0 = *(const u8 *)p;
}

void simd_regs_scramble_v(u64 seed)
{
	(void)seed;
	write_v(touch_v(), T_HOST);
}

void simd_regs_scramble_z(u64 seed)
{
	struct machine_cpu *m = touch_z(true);

	(void)seed;
	memset(m->d.vec, T_HOST, el2_len(m, m->d.svcr & SVCR_SM));
	m->d.pred = m->d.ffr = T_HOST;
}

void simd_regs_scramble_za(u64 seed, u64 svl)
{
	struct machine_cpu *m = touch_za();

	(void)seed;
	(void)svl;
	memset(m->d.za, T_HOST, el2_len(m, true));
	m->d.zt0 = T_HOST;
}
