/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's self-hosted debug registers: emulated until they could matter, then its own. */
#include "vcpu/debug.h"

#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "lib/string.h"
#include "nested/vncr.h"
#include "vcpu/vcpu.h"

#define ARMED (MDSCR_MDE | MDSCR_SS)
#define CLAIM_TAGS 0xffUL

/* vcpu->dbg's rows, in the order of op2 = 4..7. */
enum { BVR, BCR, WVR, WCR };

#define NUMBERS(X)                                                                                 \
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void numbered_save(struct vcpu *vcpu)
{
#define X(n)                                                                                       \
	if (n < feat.brps) {                                                                       \
		vcpu->dbg[BVR][n] = sysreg_read(DBGBVR##n##_EL1);                                  \
		vcpu->dbg[BCR][n] = sysreg_read(DBGBCR##n##_EL1);                                  \
	}                                                                                          \
	if (n < feat.wrps) {                                                                       \
		vcpu->dbg[WVR][n] = sysreg_read(DBGWVR##n##_EL1);                                  \
		vcpu->dbg[WCR][n] = sysreg_read(DBGWCR##n##_EL1);                                  \
	}
	NUMBERS(X)
#undef X
	vcpu->sr[SR_DBGCLAIMSET_EL1] = sysreg_read(DBGCLAIMCLR_EL1) & CLAIM_TAGS;
}

static void numbered_load(const struct vcpu *vcpu)
{
#define X(n)                                                                                       \
	if (n < feat.brps) {                                                                       \
		sysreg_write(DBGBVR##n##_EL1, vcpu->dbg[BVR][n]);                                  \
		sysreg_write(DBGBCR##n##_EL1, vcpu->dbg[BCR][n]);                                  \
	}                                                                                          \
	if (n < feat.wrps) {                                                                       \
		sysreg_write(DBGWVR##n##_EL1, vcpu->dbg[WVR][n]);                                  \
		sysreg_write(DBGWCR##n##_EL1, vcpu->dbg[WCR][n]);                                  \
	}
	NUMBERS(X)
#undef X
	sysreg_write(DBGCLAIMCLR_EL1, CLAIM_TAGS);
	sysreg_write(DBGCLAIMSET_EL1, vcpu->sr[SR_DBGCLAIMSET_EL1]);
}

/* Move the registers of a loaded vcpu to where what it last wrote wants them. */
static void debug_settle(struct vcpu *vcpu, u64 mdscr)
{
	bool live = !vcpu->sr[SR_OSLAR_EL1] && (mdscr & ARMED);

	if (live == vcpu->debug_live)
		return;
	if (live)
		numbered_load(vcpu);
	else
		numbered_save(vcpu);
	vcpu->debug_live = live;
	vcpu->traps_stale = true;
	traps_forget(vcpu);
}

/*
 * What of a numbered register is not RES0, so that a value kept in memory reads as one from a CPU
 * would.
 */
static u64 numbered_mask(u32 row)
{
	switch (row) {
	case BCR:
		return MASK(23, 13) | MASK(8, 5) | MASK(2, 0);
	case WVR:
		return ~3UL;
	case WCR:
		return MASK(28, 24) | MASK(20, 0);
	default: /* a value's format depends on its control register's type */
		return ~0UL;
	}
}

enum verdict debug_numbered(struct vcpu *vcpu, u32 key, bool write, u64 *value)
{
	u32 row = (u32)FIELD(key, 18, 17); /* op2 without its top bit */
	u32 n = (u32)FIELD(key, 4, 1);

	if (n >= (row < WVR ? feat.brps : feat.wrps))
		return UNDEF;
	if (write)
		vcpu->dbg[row][n] = *value & numbered_mask(row);
	else
		*value = vcpu->dbg[row][n];
	return SKIP;
}

enum verdict debug_mdscr(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	/*
	 * The other bits are views of EDSCR for a debugger that saves it under the OS Lock; a VM
	 * has no external debugger, and the machine's own must not lose its state to a guest.
	 */
	const u64 mask = MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE;

	(void)id;
	if (!write) {
		*value = sysreg_read(MDSCR_EL1) & mask;
		return SKIP;
	}
	debug_settle(vcpu, *value);
	sysreg_write(MDSCR_EL1, *value & mask);
	if (unlikely(vcpu->has_el2)) {
		vcpu->sr[SR_MDSCR_EL1] = *value & mask;
		vncr_write(vcpu, VNCR_MDSCR_EL1, *value & mask);
	}
	return SKIP;
}

void debug_el2_exit(struct vcpu *vcpu)
{
	u64 mdscr = vncr_read(vcpu, VNCR_MDSCR_EL1);

	(void)debug_mdscr(vcpu, SR_MDSCR_EL1, true, &mdscr);
}

void debug_l2_exit(struct vcpu *vcpu)
{
	u64 mdscr;

	(void)debug_mdscr(vcpu, SR_MDSCR_EL1, false, &mdscr);
	vcpu->sr[SR_MDSCR_EL1] = mdscr;
	vncr_write(vcpu, VNCR_MDSCR_EL1, mdscr);
}

enum verdict debug_oslar(struct vcpu *vcpu, enum sysreg_id id, bool write, u64 *value)
{
	if (!write)
		return UNDEF;
	vcpu->sr[id] = *value & 1;
	sysreg_write(OSLAR_EL1, *value & 1);
	debug_settle(vcpu, sysreg_read(MDSCR_EL1));
	return SKIP;
}

/* OSLM = 0b10 (bits 3 and 0): the OS Lock is implemented, by OSLAR_EL1. */
#define OSLSR_OSLM BIT(3)
#define OSLSR_OSLK BIT(1)

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

	if (!write)
		*value = set ? CLAIM_TAGS : *tags;
	else if (set)
		*tags |= *value & CLAIM_TAGS;
	else
		*tags &= ~*value;
	return SKIP;
}

void debug_load(struct vcpu *vcpu)
{
	bool locked = sysreg_read(OSLSR_EL1) & OSLSR_OSLK;

	if (locked != (bool)vcpu->sr[SR_OSLAR_EL1])
		sysreg_write(OSLAR_EL1, vcpu->sr[SR_OSLAR_EL1]);
	if (vcpu->debug_live)
		numbered_load(vcpu);
}

void debug_save(struct vcpu *vcpu)
{
	if (vcpu->debug_live)
		debug_settle(vcpu, vcpu->sr[SR_MDSCR_EL1]);
	if (vcpu->debug_live)
		numbered_save(vcpu);
}

void debug_reset(struct vcpu *vcpu)
{
	memset(vcpu->dbg, 0, sizeof(vcpu->dbg));
	vcpu->debug_live = false;
	traps_forget(vcpu);
}
