/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projections of sysreg.def: the register enum, the encoding of each, lookup, and names for people.
 */
#pragma once

#include "arch/esr.h"
#include "lib/types.h"

/*
 * op0..op2 packed as in ESR_ELx.ISS of a trapped MRS/MSR, so that a trap needs one AND to be looked
 * up.
 */
#define SYSREG_KEY(op0, op1, crn, crm, op2)                                                        \
	(((op0) << 20) | ((op2) << 17) | ((op1) << 14) | ((crn) << 10) | ((crm) << 1))
#define SYSREG_KEY_MASK 0x3ffc1eu

enum sysreg_id {
	SR_NONE, /* not a row */
#define SYSREG(name, ...) SR_##name,
#include "arch/sysreg.def"
	SR_COUNT
};

/* KEY_SCTLR_EL1 and so on: each row's encoding. */
enum sysreg_key {
#define SYSREG(name, op0, op1, crn, crm, op2, ...) KEY_##name = SYSREG_KEY(op0, op1, crn, crm, op2),
#include "arch/sysreg.def"
};

/*
 * Rows by encoding: SR_<name>. A search would cost a dozen unpredictable branches, for what vEL2
 * does several times in each exit of its guest. A byte for each encoding with op0 = 3; of those
 * with op0 = 2, whose rows have op1 = 0 or 3 and CRn < 8, for as many as that.
 */
#define SYSREG_INDEX(op1, crn, crm, op2) ((op2) << 11 | (op1) << 8 | (crn) << 4 | (crm))
#define SYSREG_INDEX_END SYSREG_INDEX(0, 0, 0, 8)
#define SYSREG_INDEX_KEY(i)                                                                        \
	SYSREG_KEY(3u, (i) >> 8 & 7, (i) >> 4 & 15, (i) & 15, (i) >> 11)
#define SYSREG_INDEX2(op1, crn, crm, op2) ((op2) << 8 | ((op1) & 1) << 7 | (crn) << 4 | (crm))
#define SYSREG_INDEX2_END SYSREG_INDEX2(0, 0, 0, 8)
extern const u8 sysreg_index[SYSREG_INDEX_END], sysreg_index2[SYSREG_INDEX2_END];

/* sysreg_find() of an encoding that is known to have op0 = 3. Three of the fields are adjacent. */
static inline enum sysreg_id sysreg_find_op0_3(u32 esr)
{
	return (enum sysreg_id)sysreg_index[FIELD(esr, 19, 10) << 4 | SYS64_CRM(esr)];
}

/*
 * The row that a trapped access means, by ESR_ELx or a key (as of SYSREG_KEY), or SR_NONE. A row is
 * found whatever its condition.
 */
static inline enum sysreg_id sysreg_find(u32 esr)
{
	u64 op1 = SYS64_OP1(esr), crn = SYS64_CRN(esr);

	if (likely(SYS64_OP0(esr) == 3))
		return sysreg_find_op0_3(esr);
	if (SYS64_OP0(esr) != 2 || (op1 != 0 && op1 != 3) || crn > 7)
		return SR_NONE;
	return (enum sysreg_id)
		sysreg_index2[SYSREG_INDEX2(op1, crn, SYS64_CRM(esr), SYS64_OP2(esr))];
}

/* A row's name as Arm spells it; "?" for SR_NONE. */
const char *sysreg_name(enum sysreg_id id);
/*
 * Write how an assembler spells this encoding: S3_0_C4_C2_7, or for op0=1 SYS #0, C7, C6, #2.
 * buf has at least SYSREG_TEXT_MAX bytes.
 */
#define SYSREG_TEXT_MAX 24
void sysreg_text(char *buf, u32 key);
