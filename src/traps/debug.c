/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's self-hosted debug registers: emulated until they could have an effect, then in the CPU.
 */
#include "traps/debug.h"

#include "arch/debug.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/pstate.h"
#include "arch/sysreg.h"
#include "lib/string.h"
#include "state/vel2_regs.h"
#include "state/vcpu.h"
#include "state/vncr.h"
#include "traps/traps.h"

#define ARMED (MDSCR_MDE | MDSCR_SS)
#define CLAIM_TAGS 0xffUL

/*
 * The other bits of MDSCR_EL1 are views of EDSCR for a debugger that saves it under the OS Lock; a
 * VM has no external debugger, and the machine's own must not lose its state to a guest.
 */
#define MDSCR_SHOWN (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE)

/* vcpu->dbg's rows, in the order of op2 = 4..7. */
enum { BVR, BCR, WVR, WCR, ROWS };

#define IS_CONTROL(row) ((row) & 1)

static u32 row_length(u32 row)
{
	return row < WVR ? feat.brps : feat.wrps;
}

#define NUMBERS(X)                                                                                 \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static u64 cpu_read(u32 row, u32 n)
{
	switch (n * ROWS + row) {
#define X(n)                                                                                       \
	case (n)*ROWS + BVR:                                                                       \
		return sysreg_read(DBGBVR##n##_EL1);                                               \
	case (n)*ROWS + BCR:                                                                       \
		return sysreg_read(DBGBCR##n##_EL1);                                               \
	case (n)*ROWS + WVR:                                                                       \
		return sysreg_read(DBGWVR##n##_EL1);                                               \
	case (n)*ROWS + WCR:                                                                       \
		return sysreg_read(DBGWCR##n##_EL1);
		NUMBERS(X)
#undef X
	}
	return 0;
}

static void cpu_write(u32 row, u32 n, u64 v)
{
	switch (n * ROWS + row) {
#define CASE(row, reg, n)                                                                          \
	case (n)*ROWS + (row):                                                                     \
		sysreg_write(reg##n##_EL1, v);                                                     \
		break;
#define X(n) CASE(BVR, DBGBVR, n) CASE(BCR, DBGBCR, n) CASE(WVR, DBGWVR, n) CASE(WCR, DBGWCR, n)
		NUMBERS(X)
#undef X
#undef CASE
	}
}

/* ---- whom a breakpoint or watchpoint matches ---- */

/*
 * Linked breakpoint types (AArch64.BreakpointMatch): others link to it, by itself it matches
 * nothing.
 */
static bool linked_to(u64 bt)
{
	return (bt & 0xb) == 3 || (bt & 9) == 9;
}

u64 debug_control_vel2(u64 control, bool breakpoint)
{
	u64 ssc = DBGCR_SSC(control), now = control & ~DBGCR_STATE;
	bool hmc = control & DBGCR_HMC;

	if (!(control & DBGCR_E) || (breakpoint && linked_to(DBGBCR_BT(control))))
		return control;
	/* SSC 2 is Secure state; 3 is, unless HMC says otherwise. */
	if (ssc == 2 || (ssc == 3 && !hmc))
		return now;
	if (hmc)
		now |= DBGCR_E | DBGCR_EL1;
	if (control & DBGCR_EL0)
		now |= DBGCR_E | DBGCR_EL0;
	return now;
}

/* The value that the CPU must have for dbg[row][n], in the context that the vcpu is in. */
static u64 value_in_cpu(const struct vcpu *vcpu, u32 row, u32 n)
{
	u64 v = vcpu->dbg[row][n];

	return IS_CONTROL(row) && unlikely(vcpu->in_vel2) ? debug_control_vel2(v, row == BCR) : v;
}

/* ---- where they are ---- */

/* Whether the CPU has dbg[row] as the guest wrote it; what it writes there does not trap. */
static bool home_is_cpu(const struct vcpu *vcpu, u32 row)
{
	return vcpu->debug_live && !(IS_CONTROL(row) && vcpu->in_vel2);
}

static void row_save(struct vcpu *vcpu, u32 row)
{
	for (u32 n = 0; n < row_length(row); n++)
		vcpu->dbg[row][n] = cpu_read(row, n);
}

static void row_load(const struct vcpu *vcpu, u32 row)
{
	for (u32 n = 0; n < row_length(row); n++)
		cpu_write(row, n, value_in_cpu(vcpu, row, n));
}

static void numbered_save(struct vcpu *vcpu)
{
	for (u32 row = 0; row < ROWS; row++)
		if (home_is_cpu(vcpu, row))
			row_save(vcpu, row);
	vcpu->sr[SR_DBGCLAIMSET_EL1] = sysreg_read(DBGCLAIMCLR_EL1) & CLAIM_TAGS;
}

static void numbered_load(const struct vcpu *vcpu)
{
	for (u32 row = 0; row < ROWS; row++)
		row_load(vcpu, row);
	sysreg_write(DBGCLAIMCLR_EL1, CLAIM_TAGS);
	sysreg_write(DBGCLAIMSET_EL1, vcpu->sr[SR_DBGCLAIMSET_EL1]);
}

static bool any_enabled(const struct vcpu *vcpu)
{
	u64 controls = 0;

	for (u32 row = BCR; row < ROWS; row += WCR - BCR)
		for (u32 n = 0; n < row_length(row); n++)
			controls |= vcpu->dbg[row][n];
	return controls & DBGCR_E;
}

static void traps_changed(struct vcpu *vcpu)
{
	vcpu->traps_stale = true;
	traps_invalidate(vcpu);
}

/* Take the lent registers back into memory, where all accesses trap. */
static void take_back(struct vcpu *vcpu)
{
	vcpu->mdscr.trapped_accesses = 0;
	if (!vcpu->mdscr.numbered_lent)
		return;
	vcpu->mdscr.numbered_lent = false;
	for (u32 row = 0; row < ROWS; row++)
		row_save(vcpu, row);
	vcpu->mdscr.enabled = any_enabled(vcpu);
	traps_changed(vcpu);
}

/* Move the registers of a loaded vcpu to the CPU or to memory, as what it last wrote requires. */
static void debug_place(struct vcpu *vcpu, u64 mdscr)
{
	bool live = !vcpu->sr[SR_OSLAR_EL1] && (mdscr & ARMED);

	if (live == vcpu->debug_live)
		return;
	take_back(vcpu);
	if (live)
		numbered_load(vcpu);
	else
		numbered_save(vcpu);
	vcpu->debug_live = live;
	vcpu->mdscr.enabled = any_enabled(vcpu); /* vEL1's writes did not trap */
	traps_changed(vcpu);
}

/* ---- MDSCR_EL1 ---- */

/*
 * AArch64.GenerateDebugExceptionsFrom: whether EL2's debug exceptions are routed to EL2; otherwise
 * they are not generated.
 */
static bool routed_to_el2(const struct vcpu *vcpu)
{
	return (vel2_hcr(vcpu) & HCR_TGE) || (vel2_mdcr(vcpu) & MDCR_TDE);
}

/*
 * The CPU's MDSCR_EL1. To the CPU vEL2 is EL1, whose exceptions need KDE; an EL2 that is not the
 * target has none.
 */
static u64 mdscr_in_cpu(const struct vcpu *vcpu, u64 mdscr)
{
	return unlikely(vcpu->in_vel2) && !routed_to_el2(vcpu) ? mdscr & ~MDSCR_KDE : mdscr;
}

static void mdscr_load(const struct vcpu *vcpu, u64 mdscr)
{
	u64 v = mdscr_in_cpu(vcpu, mdscr);

	if (sysreg_read(MDSCR_EL1) != v)
		sysreg_write(MDSCR_EL1, v);
}

bool debug_vel2_enabled(const struct vcpu *vcpu)
{
	return vcpu->debug_live && (sysreg_read(MDSCR_EL1) & MDSCR_KDE) &&
	       !(vcpu->pstate & PSTATE_D);
}

static void mdscr_retrap(struct vcpu *vcpu)
{
	vcpu->mdscr.quiet_entries = 0;
	if (!vcpu->mdscr.write_lent)
		return;
	vcpu->mdscr.write_lent = false;
	traps_changed(vcpu);
}

/*
 * So many entries to vEL1 in a row, each after a write of MDSCR_EL1 without effect, end its traps.
 */
#define MDSCR_QUIET_ENTRIES 100

/* Count a write of MDSCR_EL1 by vEL2, which trapped. */
static void note_mdscr_write(struct vcpu *vcpu, u64 mdscr)
{
	struct mdscr *m = &vcpu->mdscr;

	if ((mdscr & (ARMED | MDSCR_KDE)) || m->enabled) {
		mdscr_retrap(vcpu);
	} else if (m->entries != vcpu->account.level_entries && !m->write_lent &&
		   !m->numbered_lent) {
		m->entries = vcpu->account.level_entries;
		if (++m->quiet_entries < MDSCR_QUIET_ENTRIES)
			return;
		m->write_lent = true;
		m->since = counter_now();
		traps_changed(vcpu);
	}
}

/* So many accesses to numbered registers without effect lend them to vEL2. */
#define LEND_AFTER 100

/* Count an access of vEL2 to a numbered register, which trapped; lend them after enough. */
static void debug_lend(struct vcpu *vcpu)
{
	struct mdscr *m = &vcpu->mdscr;

	if (vcpu->debug_live || m->enabled || !feat.fgt || ++m->trapped_accesses < LEND_AFTER)
		return;
	mdscr_retrap(vcpu);
	for (u32 row = 0; row < ROWS; row++)
		row_load(vcpu, row);
	m->numbered_lent = true;
	m->since = counter_now();
	traps_changed(vcpu);
}

/* After so long without a vEL1, MDSCR_EL1 traps again; and registers are lent for so long. */
#define MDSCR_LENT_MS 100

void debug_vel2_tick(struct vcpu *vcpu, u64 now)
{
	struct mdscr *m = &vcpu->mdscr;

	if (!m->numbered_lent && m->entries != vcpu->account.level_entries) {
		m->entries = vcpu->account.level_entries;
		m->since = now;
	} else if (now - m->since > sysreg_read(CNTFRQ_EL0) / 1000 * MDSCR_LENT_MS) {
		take_back(vcpu);
		mdscr_retrap(vcpu);
	}
}

/* Apply a new value of MDSCR_EL1, or a change of the OS Lock, of a loaded vcpu. */
static void mdscr_set(struct vcpu *vcpu, u64 mdscr)
{
	mdscr &= MDSCR_SHOWN;
	debug_place(vcpu, mdscr);
	mdscr_load(vcpu, mdscr);
	if (likely(!vcpu->has_vel2))
		return;
	vcpu->sr[SR_MDSCR_EL1] = mdscr;
	vncr_write(vcpu, VNCR_MDSCR_EL1, mdscr);
	vcpu->mdscr_quiet = vcpu->debug_live ? MDSCR_NEVER : mdscr;
}

static u64 mdscr_get(const struct vcpu *vcpu)
{
	u64 mdscr = vcpu->in_vel2 ? vncr_read(vcpu, VNCR_MDSCR_EL1) : sysreg_read(MDSCR_EL1);

	return mdscr & MDSCR_SHOWN;
}

enum verdict debug_mdscr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (!write) {
		*value = mdscr_get(vcpu);
		return SKIP;
	}
	mdscr_set(vcpu, *value);
	if (vcpu->in_vel2)
		note_mdscr_write(vcpu, *value);
	return SKIP;
}

void debug_vel2_exit(struct vcpu *vcpu)
{
	u64 mdscr = vncr_read(vcpu, VNCR_MDSCR_EL1);

	/* The frequent case: debug is not and does not get in use. */
	if (likely(!vcpu->debug_live && !(mdscr & ~MDSCR_TDCC))) {
		sysreg_write(MDSCR_EL1, mdscr);
		vcpu->sr[SR_MDSCR_EL1] = vcpu->mdscr_quiet = mdscr;
		return;
	}
	mdscr_set(vcpu, mdscr);
	if (mdscr & (ARMED | MDSCR_KDE))
		mdscr_retrap(vcpu);
}

void debug_enter_vel2(struct vcpu *vcpu)
{
	u64 mdscr = sysreg_read(MDSCR_EL1);

	for (u32 row = BCR; row < ROWS; row += WCR - BCR) {
		row_save(vcpu, row);
		for (u32 n = 0; n < row_length(row); n++)
			if (value_in_cpu(vcpu, row, n) != vcpu->dbg[row][n])
				cpu_write(row, n, value_in_cpu(vcpu, row, n));
	}
	mdscr_set(vcpu, mdscr);
}

void debug_enter_vel1(struct vcpu *vcpu)
{
	for (u32 row = BCR; row < ROWS; row += WCR - BCR)
		for (u32 n = 0; n < row_length(row); n++)
			if (debug_control_vel2(vcpu->dbg[row][n], row == BCR) != vcpu->dbg[row][n])
				cpu_write(row, n, vcpu->dbg[row][n]);
	mdscr_load(vcpu, vcpu->sr[SR_MDSCR_EL1]);
}

/* ---- the registers that trap ---- */

/*
 * The bits of a numbered register that are not RES0, so that a value kept in memory reads like one
 * from a CPU.
 */
static u64 numbered_mask(u32 row)
{
	switch (row) {
	case BCR:
		return DBGBCR_MASK;
	case WVR:
		return DBGWVR_MASK;
	case WCR:
		return DBGWCR_MASK;
	default: /* a value's format depends on its control register's type */
		return ~0UL;
	}
}

static void numbered_write(struct vcpu *vcpu, u32 row, u32 n, u64 value)
{
	vcpu->dbg[row][n] = value & numbered_mask(row);
	/* A write of vEL2 to MDSCR_EL1 just before may have made it live in this very exit. */
	if (vcpu->debug_live)
		cpu_write(row, n, value_in_cpu(vcpu, row, n));
	if (IS_CONTROL(row)) {
		vcpu->mdscr.enabled = any_enabled(vcpu);
		if (vcpu->mdscr.enabled)
			mdscr_retrap(vcpu);
	}
}

enum verdict debug_numbered(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	u32 row = (u32)FIELD(key, 18, 17); /* op2 without its top bit */
	u32 n = (u32)FIELD(key, 4, 1);

	if (n >= row_length(row))
		return UNDEF;
	/* Lent to vEL2; vEL1's accesses trap. */
	if (unlikely(vcpu->mdscr.numbered_lent))
		take_back(vcpu);
	if (write)
		numbered_write(vcpu, row, n, *value);
	else
		*value = home_is_cpu(vcpu, row) ? cpu_read(row, n) : vcpu->dbg[row][n];
	if (vcpu->in_vel2)
		debug_lend(vcpu);
	return SKIP;
}

enum verdict debug_oslar(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (!write)
		return UNDEF;
	vcpu->sr[id] = *value & OSLAR_OSLK;
	sysreg_write(OSLAR_EL1, *value & OSLAR_OSLK);
	mdscr_set(vcpu, mdscr_get(vcpu));
	return SKIP;
}

enum verdict debug_oslsr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	(void)id;
	if (write)
		return UNDEF;
	*value = OSLSR_OSLM | (vcpu->sr[SR_OSLAR_EL1] ? OSLSR_OSLK : 0);
	return SKIP;
}

enum verdict debug_claim(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	u64 *tags = &vcpu->sr[SR_DBGCLAIMSET_EL1];
	bool set = id == SR_DBGCLAIMSET_EL1;

	if (vcpu->debug_live)
		*tags = sysreg_read(DBGCLAIMCLR_EL1) & CLAIM_TAGS;
	if (!write)
		*value = set ? CLAIM_TAGS : *tags;
	else if (set)
		*tags |= *value & CLAIM_TAGS;
	else
		*tags &= ~*value;
	if (write && vcpu->debug_live && set)
		sysreg_write(DBGCLAIMSET_EL1, *tags);
	else if (write && vcpu->debug_live)
		sysreg_write(DBGCLAIMCLR_EL1, *value & CLAIM_TAGS);
	return SKIP;
}

/*
 * Emulate the channel to an external debugger, which a VM does not have. For vEL2's host EL0 it is
 * EL2's: MDCR_EL2.TDA counts as 1 where TGE is.
 */
enum verdict debug_dcc(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (id == SR_MDCCSR_EL0 && write)
		return UNDEF;
	if (vcpu->in_vel2 && !PSTATE_EL(vcpu->pstate)) {
		vcpu->inject_esr = vcpu->exit.esr;
		return INJECT;
	}
	(void)value; /* reads as zero, ignores writes */
	return SKIP;
}

void debug_load(struct vcpu *vcpu)
{
	bool locked = sysreg_read(OSLSR_EL1) & OSLSR_OSLK;

	if (locked != (bool)vcpu->sr[SR_OSLAR_EL1])
		sysreg_write(OSLAR_EL1, vcpu->sr[SR_OSLAR_EL1]);
	if (likely(!vcpu->debug_live))
		return;
	numbered_load(vcpu);
	mdscr_load(vcpu, vcpu->sr[SR_MDSCR_EL1]);
}

void debug_save(struct vcpu *vcpu)
{
	take_back(vcpu);
	/* vEL2's MDSCR_EL1 in the CPU may lack KDE. */
	if (vcpu->in_vel2)
		vcpu->sr[SR_MDSCR_EL1] = mdscr_get(vcpu);
	if (vcpu->debug_live)
		debug_place(vcpu, vcpu->sr[SR_MDSCR_EL1]);
	if (vcpu->debug_live)
		numbered_save(vcpu);
	if (vcpu->has_vel2 && !vcpu->debug_live) {
		vncr_write(vcpu, VNCR_MDSCR_EL1, vcpu->sr[SR_MDSCR_EL1]);
		vcpu->mdscr_quiet = vcpu->sr[SR_MDSCR_EL1];
	}
}

void debug_reset(struct vcpu *vcpu)
{
	memset(vcpu->dbg, 0, sizeof(vcpu->dbg));
	vcpu->debug_live = false;
	vcpu->mdscr_quiet = 0;
	vcpu->mdscr = (struct mdscr){ .write_lent = false };
	traps_invalidate(vcpu);
}
