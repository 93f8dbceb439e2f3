/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's registers at the level it runs at: EL1's, EL2's with VHE by the names of EL1's, or
 * EL2's without VHE (HCR_EL2.E2H = 0), where both names and formats differ. No other file knows
 * both.
 */
#pragma once

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "lib/types.h"

/*
 * Whether this program's EL2, if it has one, is without VHE. Not to be accessed through an address
 * in a table.
 */
extern bool e2h0 __attribute__((visibility("hidden")));

/*
 * Whether this runs at EL2 without VHE; a guest of a program at EL2, which runs at EL1, is the same
 * image.
 */
static inline bool at_e2h0(void)
{
	return e2h0 && sysreg_read(CurrentEL) == 2 << 2;
}

/* Access a register of the current level, named without it. */
#define own_read(name) (at_e2h0() ? sysreg_read(name##_EL2) : sysreg_read(name##_EL1))
#define own_write(name, v)                                                                         \
	do {                                                                                       \
		if (at_e2h0())                                                                     \
			sysreg_write(name##_EL2, v);                                               \
		else                                                                               \
			sysreg_write(name##_EL1, v);                                               \
	} while (0)

/* Access, from EL2, a register or a timer of EL1, named without the level. */
#define el1_read(name) (e2h0 ? sysreg_read(name##_EL1) : sysreg_read(name##_EL12))
#define el1_write(name, v)                                                                         \
	do {                                                                                       \
		if (e2h0)                                                                          \
			sysreg_write(name##_EL1, v);                                               \
		else                                                                               \
			sysreg_write(name##_EL12, v);                                              \
	} while (0)
#define el1_timer_read(name) (e2h0 ? sysreg_read(name##_EL0) : sysreg_read(name##_EL02))
#define el1_timer_write(name, v)                                                                   \
	do {                                                                                       \
		if (e2h0)                                                                          \
			sysreg_write(name##_EL0, v);                                               \
		else                                                                               \
			sysreg_write(name##_EL02, v);                                              \
	} while (0)

/* Convert CPTR_EL2 and CNTHCTL_EL2 from the format of E2H = 1 into that of this program's EL2. */
static inline u64 cptr_format(u64 v)
{
	const u64 moved = CPTR_FPEN | CPTR_ZEN | CPTR_SMEN | CPTR_TTA | CPTR_NVHE_TFP |
			  CPTR_NVHE_TZ | CPTR_NVHE_TSM;
	u64 to = (v & ~moved) | CPTR_NVHE_RES1;

	if (!e2h0)
		return v;
	/* 0b01 concerns EL0 of a host, which does not exist. */
	to |= v & BIT(20) ? 0 : CPTR_NVHE_TFP;
	to |= v & BIT(16) ? 0 : CPTR_NVHE_TZ;
	to |= v & BIT(24) ? 0 : CPTR_NVHE_TSM;
	return to | (v & CPTR_TTA ? BIT(20) : 0);
}

static inline u64 cnthctl_format(u64 v)
{
	u64 to = v & ~(MASK(1, 0) | MASK(11, 8));

	if (!e2h0)
		return v;
	to |= v & CNTHCTL_EL1PCTEN ? CNTHCTL_NVHE_EL1PCTEN : 0;
	return to | (v & CNTHCTL_EL1PTEN ? CNTHCTL_NVHE_EL1PCEN : 0);
}

/* CPACR_EL1 in the format of the current level's register. */
static inline void own_cpacr(u64 v)
{
	if (at_e2h0())
		sysreg_write(CPTR_EL2, cptr_format(v));
	else
		sysreg_write(CPACR_EL1, v);
}
