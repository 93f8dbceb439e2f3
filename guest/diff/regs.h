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

/* The rows there are at this level, known after regs_init(). */
extern struct reg regs[];
extern u32 regs_count;

void regs_init(void);
/* Every register to its first value. */
void regs_reset(void);
/* One of them. */
u32 regs_pick(struct rng *r);
/* A value that it may hold, by what its row says. */
u64 reg_value(const struct reg *g, struct rng *r);
/* Its row by name; there must be one. */
u32 reg_index(const char *name);
