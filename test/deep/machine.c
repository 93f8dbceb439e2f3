/* SPDX-License-Identifier: Apache-2.0 */
/* The machine: what its registers do at each Exception level, and its exceptions. */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "arch/esr.h"
#include "arch/hcr.h"
#include "arch/irq.h"
#include "arch/simd.h"
#include "arch/sysreg_table.h"
#include "simd/simd_state.h"
#include "world.h"

const struct setup *setup;
struct processor m;
u32 exits;
jmp_buf model_out;
char model_why[256];

void model_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(model_why, sizeof(model_why), fmt, ap);
	va_end(ap);
	longjmp(model_out, 1);
}

/* ---- lengths --------------------------------------------------------------------------------- */

u32 segs_of(u64 len)
{
	len &= 15;
	return len >= 3 ? 3 : len >= 1 ? 2 : 1;
}

static u32 el2_len(bool streaming)
{
	return segs_of(m.reg[streaming ? R_SMCR_EL2 : R_ZCR_EL2]);
}

u32 el1_len(bool streaming)
{
	u32 el1 = segs_of(m.reg[streaming ? R_SMCR_EL1 : R_ZCR_EL1]);

	return MIN(el1, el2_len(streaming));
}

u32 machine_len(bool streaming)
{
	return m.at_el2 ? el2_len(streaming) : el1_len(streaming);
}

void machine_cut(tag *segs, u32 len)
{
	for (u32 i = len; setup->narrow && i < SEGS; i++)
		segs[i] = T_ZERO;
}

/*
 * QEMU: nothing is zeroed while FP traps, nor if what CPTR_EL2 traps (at EL2 as well) had a length
 * of 0 before; CPACR_EL1 is checked at the ERET.
 */
static void narrow(u64 cpacr)
{
	u64 cptr = m.reg[R_CPTR_EL2];
	bool sm = m.d.svcr & SVCR_SM;
	u64 field = sm ? CPTR_SMEN : CPTR_ZEN;

	if (!(cptr & CPTR_FPEN) || !(cpacr & CPTR_FPEN))
		return;
	if (cptr & field)
		machine_cut(m.d.vec, cpacr & field ? el1_len(sm) : 1);
	if ((cptr & CPTR_SMEN) && (m.d.svcr & SVCR_ZA))
		machine_cut(m.d.za, cpacr & CPTR_SMEN ? el1_len(true) : 1);
}

void machine_narrow(void)
{
	narrow(CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);
}

u64 machine_smcr(u64 len)
{
	if (len != LEN_LONG)
		return len;
	return len | (setup->fa64 ? SMCR_FA64 : 0) | (setup->sme2 ? SMCR_EZT0 : 0);
}

void machine_set_svcr(struct data *d, u64 v)
{
	if ((d->svcr ^ v) & SVCR_SM) {
		memset(d->vec, T_ZERO, sizeof(d->vec));
		d->pred = d->ffr = d->status[2] = T_ZERO;
		d->status[1] = T_SMSET;
	}
	if (~d->svcr & v & SVCR_ZA) {
		memset(d->za, T_ZERO, sizeof(d->za));
		d->zt0 = T_ZERO;
	}
	d->svcr = (u8)(v & (SVCR_SM | SVCR_ZA));
}

/* ---- exceptions ------------------------------------------------------------------------------ */

void machine_exit_for_good(enum exit_kind kind, u64 esr)
{
	if (m.at_el2)
		model_fail("an exception from EL2");
	exits++;
	m.reg[R_ELR_EL2] = m.pc;
	m.reg[R_SPSR_EL2] = m.pstate;
	m.reg[R_ESR_EL2] = esr;
	m.at_el2 = m.synced = true;
	m.daif = DAIF_I | DAIF_F;
	vectors(L0, kind);
}

void machine_exit(enum exit_kind kind, u64 esr)
{
	machine_exit_for_good(kind, esr);
	if (m.at_el2)
		model_fail("l0 does not come back to its guest");
}

void machine_eret(void)
{
	if (!m.at_el2)
		model_fail("l0's ERET at EL1");
	m.at_el2 = false;
	m.synced = true;
	m.pc = m.reg[R_ELR_EL2];
	m.pstate = m.reg[R_SPSR_EL2];
	narrow(m.reg[R_CPACR_EL1]);
}

void machine_eret_el1(u64 iss)
{
	if (!(m.reg[R_HCR_EL2] & HCR_NV))
		model_fail("an ERET at what calls itself EL2 does not trap");
	machine_exit(EXIT_SYNC, ESR(EC_ERET, iss));
}

/* ---- registers by their names ---------------------------------------------------------------- */

enum kind { OWN, TWIN, PAGE, TRAP, EL12 };
static const struct row {
	const char *name;
	u32 key;
	u8 kind, op1;
	enum reg el1;
	u16 offset;
} rows[] = {
#define REG(name, op0, op1, crn, crm, op2, kind, el1, offset)                                      \
	[R_##name] = { #name, SYSREG_KEY(op0, op1, crn, crm, op2), kind, op1, R_##el1, offset },
#include "machine.def"
};

static struct route exits_by(enum reg r, bool write)
{
	return (struct route){ EXITS, NULL, ESR(EC_SYS64, (u64)rows[r].key | !write) };
}

static struct route allowed(u64 *place)
{
	return (struct route){ ALLOWED, place, 0 };
}

/* Traps that take precedence over NV's meaning of a name. */
static bool traps_ahead(enum reg r, bool write)
{
	u64 hcr = m.reg[R_HCR_EL2], mdcr = m.reg[R_MDCR_EL2];
	u64 fine = m.reg[write ? R_HDFGWTR_EL2 : R_HDFGRTR_EL2];

	switch (r) {
	case R_CPACR_EL1:
		return m.reg[R_CPTR_EL2] & CPTR_TCPAC;
	case R_SCTLR_EL1:
		return write && (hcr & HCR_TVM);
	case R_MDSCR_EL1:
		return (mdcr & MDCR_TDA) || (fine & HDFGXTR_MDSCR_EL1);
	case R_PMCR_EL0:
		return mdcr & (MDCR_TPM | MDCR_TPMCR);
	case R_CNTV_CTL_EL02:
		return (hcr & HCR_NV2) && (m.reg[R_CNTHCTL_EL2] & CNTHCTL_EL1NVVCT);
	case R_CNTP_CTL_EL02:
		return (hcr & HCR_NV2) && (m.reg[R_CNTHCTL_EL2] & CNTHCTL_EL1NVPCT);
	default:
		return false;
	}
}

static u64 *page_word(u16 offset)
{
	if (!m.reg[R_VNCR_EL2])
		model_fail("a register in memory, and VNCR_EL2 is 0");
	return (u64 *)(m.reg[R_VNCR_EL2] + offset);
}

/* A register of EL2, or one hidden from EL2's software, while HCR_EL2.NV2 is 1. */
static struct route nv2_route(enum reg r, bool write)
{
	const struct row *row = &rows[r];

	if (row->kind == TWIN)
		return allowed(&m.reg[row->el1]);
	if (row->kind == PAGE || (row->kind == EL12 && row->offset))
		return allowed(page_word(row->offset));
	return exits_by(r, write);
}

struct route machine_route(enum reg r, bool write)
{
	const struct row *row = &rows[r];
	u64 hcr = m.reg[R_HCR_EL2];

	if ((row->op1 == 4 || row->op1 == 5) && !(hcr & HCR_NV))
		return (struct route){ UNDEFINED, NULL, 0 };
	if (traps_ahead(r, write))
		return exits_by(r, write);
	if (r == R_ZCR_EL1 || r == R_SMCR_EL1) {
		struct route route = machine_simd(r == R_ZCR_EL1 ? CPTR_ZEN : CPTR_SMEN,
						  r == R_ZCR_EL1 ? EC_SVE : EC_SME);

		route.place = &m.reg[r];
		return route;
	}
	if (row->kind == OWN || (row->op1 == 0 && !(hcr & HCR_NV)))
		return allowed(&m.reg[r]);
	if (!(hcr & HCR_NV2))
		return exits_by(r, write);
	return nv2_route(r, write);
}

/* CPACR_EL1 first, then CPTR_EL2; each checks ZEN or SMEN first, then FPEN. */
struct route machine_simd(u64 need, u64 ec)
{
	u64 el1 = m.reg[R_CPACR_EL1], el2 = m.reg[R_CPTR_EL2], other = need & ~CPTR_FPEN;

	if ((el1 & need) != need)
		return (struct route){ UNDEFINED, NULL, 0 };
	if ((el2 & other) != other)
		return (struct route){ EXITS, NULL, ESR(ec, 0UL) };
	if ((el2 & need) != need)
		return (struct route){ EXITS, NULL, ESR(EC_FP_ASIMD, FP_COND_ALWAYS) };
	return allowed(NULL);
}

/* ---- what the two nidus do ------------------------------------------------------------------- */

/* A name for what the one at EL2 does. */
const char *const nidus_name[] = { "l0", "l1" };

/* Between two instructions of l1. */
static void l1_point(void)
{
	if (mode == MODE_L0_OTHER)
		l0_interrupt_point();
}

/* An instruction of l1 exits; afterwards it is executed again, or is done (true). */
static bool l1_exit(u64 esr, const char *what)
{
	m.pc = PC_L1;
	machine_exit(EXIT_SYNC, esr);
	if (m.pc != PC_L1 && m.pc != PC_L1 + 4)
		model_fail("l1's access to %s ends at %#lx", what, m.pc);
	return m.pc != PC_L1;
}

/* Check that nidus may use what CPTR_EL2 governs by these fields. */
void machine_needs(u32 nidus, u64 need, u64 ec, const char *what)
{
	struct route route;
	u32 tries = 0;

	if (nidus == L1)
		l1_point();
	if (!m.synced)
		model_fail("%s uses %s without an ISB after CPTR_EL2 was written",
			   nidus_name[nidus], what);
	if (nidus == L0) {
		if ((m.reg[R_CPTR_EL2] & need) != need)
			model_fail("l0 uses %s while CPTR_EL2 traps it", what);
		return;
	}
	while ((route = machine_simd(need, ec)).outcome != ALLOWED) {
		if (route.outcome == UNDEFINED)
			model_fail("l1 uses %s while its CPTR_EL2 traps it", what);
		if (l1_exit(route.esr, what) || ++tries > (mode > MODE_FULL ? 2 : 1))
			model_fail("l1's use of %s traps again", what);
	}
}

/* Those at EL2, by the names that HCR_EL2.E2H gives them; CPTR_EL2 governs some. */
static u64 *el2_place(enum reg r)
{
	if (r == R_ZCR_EL2 || r == R_ZCR_EL12)
		machine_needs(L0, CPTR_ZEN | CPTR_FPEN, EC_SVE, rows[r].name);
	if (r == R_SMCR_EL2 || r == R_SMCR_EL12)
		machine_needs(L0, CPTR_SMEN | CPTR_FPEN, EC_SME, rows[r].name);
	if (r == R_CPACR_EL1)
		return &m.reg[R_CPTR_EL2];
	if (r == R_CNTKCTL_EL1)
		return &m.reg[R_CNTHCTL_EL2];
	return &m.reg[rows[r].kind == EL12 ? rows[r].el1 : r];
}

/* FPCR, FPSR, FPMR and SVCR are data. */
static tag *status(u32 nidus, enum reg r)
{
	if (r != R_FPCR && r != R_FPSR && r != R_FPMR)
		return NULL;
	machine_needs(nidus, CPTR_FPEN, EC_FP_ASIMD, rows[r].name);
	return &m.d.status[r - R_FPCR];
}

/* A guest's value is a tag; anything else is nidus's. */
static tag status_tag(u64 v)
{
	return v < T_OWN + GUESTS ? (tag)v : T_HOST;
}

/* Writing a length cuts what is above it (EL2's: QEMU does so at once). */
static void el2_written(enum reg r)
{
	if (r == R_CPACR_EL1)
		m.synced = false;
	if (r == R_SMCR_EL2)
		machine_cut(m.d.za, el2_len(true));
	if ((r == R_ZCR_EL2 && !(m.d.svcr & SVCR_SM)) || (r == R_SMCR_EL2 && (m.d.svcr & SVCR_SM)))
		machine_cut(m.d.vec, el2_len(m.d.svcr & SVCR_SM));
}

static u64 el2_read(enum reg r)
{
	return r == R_DAIF ? m.daif : *el2_place(r);
}

static void el2_write(enum reg r, u64 v)
{
	if (r == R_DAIF) {
		m.daif = v;
		return;
	}
	*el2_place(r) = v;
	el2_written(r);
}

/* The means to know what an instruction of l1 touches. */
static bool l1_relevant(enum reg r)
{
	return r == R_CPACR_EL1 || r == R_HCR_EL2 || r == R_ZCR_EL12 || r == R_SMCR_EL12;
}

static u64 l1_access(enum reg r, bool write, u64 v)
{
	struct route route = machine_route(r, write);

	if (l1_relevant(r) || route.outcome == EXITS)
		l1_point();
	if (route.outcome == UNDEFINED)
		model_fail("l1's access to %s is UNDEFINED", rows[r].name);
	if (route.outcome == EXITS) {
		m.x0 = v;
		if (!l1_exit(route.esr, rows[r].name))
			model_fail("l1's access to %s is to be executed again", rows[r].name);
		return m.x0;
	}
	if (write && r == R_CPACR_EL1)
		m.synced = false;
	if (write)
		*route.place = v;
	return *route.place;
}

static u64 nidus_read(u32 nidus, enum reg r)
{
	const tag *t = status(nidus, r);

	if (t)
		return *t;
	if (r == R_SVCR) {
		machine_needs(nidus, CPTR_SMEN, EC_SME, "SVCR");
		return m.d.svcr;
	}
	if (nidus == L0)
		return el2_read(r);
	if (r == R_DAIF)
		return m.pstate & PSTATE_DAIF;
	return l1_access(r, false, 0);
}

static void nidus_write(u32 nidus, enum reg r, u64 v)
{
	tag *t = status(nidus, r);

	if (t) {
		*t = status_tag(v);
	} else if (r == R_SVCR) {
		machine_needs(nidus, CPTR_SMEN, EC_SME, "SVCR");
		machine_set_svcr(&m.d, v);
	} else if (nidus == L0) {
		el2_write(r, v);
	} else if (r == R_DAIF) {
		m.pstate = (m.pstate & ~PSTATE_DAIF) | (v & PSTATE_DAIF);
	} else {
		l1_access(r, true, v);
	}
}

static void nidus_isb(void)
{
	m.synced = true;
}

/* The functions that below.h declares, for each nidus. */
#define FOR(p, n)                                                                                  \
	u64 p##_model_read(enum reg r);                                                            \
	void p##_model_write(enum reg r, u64 v);                                                   \
	void p##_model_isb(void);                                                                  \
	u64 p##_model_read(enum reg r)                                                             \
	{                                                                                          \
		return nidus_read(n, r);                                                           \
	}                                                                                          \
	void p##_model_write(enum reg r, u64 v)                                                    \
	{                                                                                          \
		nidus_write(n, r, v);                                                              \
	}                                                                                          \
	void p##_model_isb(void)                                                                   \
	{                                                                                          \
		nidus_isb();                                                                       \
	}
FOR(l0, L0)
FOR(l1, L1)
