/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masking of interrupts taken to EL2, around sections that they must not interrupt, and which are
 * pending.
 */
#pragma once

#include "arch/sysreg.h"

#define DAIF_F BIT(6)
#define DAIF_I BIT(7)

#define ISR_F BIT(6)
#define ISR_I BIT(7)
#define ISR_A BIT(8)
#define DISR_A BIT(31)

/*
 * Mask IRQ and FIQ; returns what irq_restore() needs. Nests. No write if they are masked, as
 * nearly always.
 */
static inline u64 irq_save(void)
{
	u64 daif = sysreg_read(DAIF);

	if (!(daif & DAIF_I))
		sysreg_write(DAIF, daif | DAIF_I | DAIF_F);
	return daif;
}

/* Undo the irq_save() that returned daif. */
static inline void irq_restore(u64 daif)
{
	if (!(daif & DAIF_I))
		sysreg_write(DAIF, daif);
}
