/* SPDX-License-Identifier: Apache-2.0 */
/* The table of regs.def. */
#pragma once

#include "diff.h"

enum reg_kind {
	REG_RO,
	REG_ID,
	REG_ANY,
	REG_RW,
	REG_OWN,
	REG_TURN,
	REG_LOCK,
	REG_CVAL,
	REG_TVAL,
	REG_VOFF,
	REG_LR,
	REG_HCR
};

struct reg {
	const char *name;
	u8 op0, op1, crn, crm, op2;
	u8 kind;
	u64 mask, fixed;
};

/* The rows that exist at this level, known after regs_init(). */
extern struct reg regs[];
extern u32 regs_count;

void regs_init(void);
/* Set every register to its initial value. */
void regs_reset(void);
/* A random row. */
u32 regs_pick(struct rng *r);
/* A random value that the register may hold, by its row. */
u64 reg_value(const struct reg *g, struct rng *r);
/* The row of this name, which must exist. */
u32 reg_index(const char *name);
