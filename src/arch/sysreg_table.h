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
#define SYSREG(name, ...) SR_##name,
#include "arch/sysreg.def"
#undef SYSREG
	SR_COUNT
};

/* KEY_SCTLR_EL1 and so on: each row's encoding. */
enum sysreg_key {
#define SYSREG(name, op0, op1, crn, crm, op2, ...) KEY_##name = SYSREG_KEY(op0, op1, crn, crm, op2),
#include "arch/sysreg.def"
#undef SYSREG
};

/*
 * Rows by encoding, for op0 = 3, where nearly all are: SR_<name> + 1. A search costs a dozen
 * unpredictable branches, for what vEL2 does several times in each exit of its guest.
 */
/* as in a key */
#define SYSREG_INDEX(op1, crn, crm, op2) ((op2) << 11 | (op1) << 8 | (crn) << 4 | (crm))
#define SYSREG_INDEX_END SYSREG_INDEX(0, 0, 0, 8)
extern const u8 sysreg_index[SYSREG_INDEX_END + SR_COUNT];

/* SR_<name> + 1, or 0; of an access with op0 = 3. */
static inline u32 sysreg_row(u32 esr)
{
	return sysreg_index[FIELD(esr, 19, 10) << 4 | SYS64_CRM(esr)];
}

/*
 * The row with this key (as of SYSREG_KEY), or SR_COUNT. A row exists here whatever its condition.
 */
enum sysreg_id sysreg_find(u32 key);
/* A row's name as Arm spells it; "?" for what is not a row. */
const char *sysreg_name(enum sysreg_id id);
/*
 * Write how an assembler spells this encoding: S3_0_C4_C2_7, or for op0=1 SYS #0, C7, C6, #2.
 * buf has at least SYSREG_TEXT_MAX bytes.
 */
#define SYSREG_TEXT_MAX 24
void sysreg_text(char *buf, u32 key);
