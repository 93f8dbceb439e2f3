/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A physical CPU as the drivers know it: the head of struct cpu (state/cpu.h), reached through
 * TPIDR_EL2.
 */
#pragma once

#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "lib/list.h"
#include "lib/types.h"

struct pcpu {
	void *stack_top; /* offset 0: head.S */
	u64 mpidr;
	void *gicr; /* its redistributor, RD_base */
	u16 collection; /* its number at the ITSs, */
	bool lpis;     /* if it has LPIs */

	struct spinlock timer_lock; /* guards the list of nidus's software timers */
	struct list timers;         /* by deadline, earliest first */
	u64 timer_programmed;       /* deadline in CNTHP_CVAL_EL2; ~0 when off */
};

#ifdef NIDUS_FAKE
struct pcpu *pcpu_this(void);
#else
/* The CPU that this runs on. */
static inline struct pcpu *pcpu_this(void)
{
	return (struct pcpu *)sysreg_read(TPIDR_EL2);
}
#endif
