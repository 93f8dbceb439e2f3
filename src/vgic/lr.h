/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual CPU interface's hardware: ICH_* registers by number. No policy. */
#pragma once

#include "arch/sysreg.h"
#include "lib/types.h"

/* Properties of this machine's virtual CPU interface, from ICH_VTR_EL2. */
struct lr_caps {
	u32 count;    /* list registers */
	u32 aprs;     /* active priority registers of each group: 1, 2 or 4 */
	u32 pre_bits; /* preemption bits of a priority */
	u8 prio_mask; /* implemented priority bits */
	bool tdir;    /* ICH_HCR_EL2.TDIR works */
};
extern struct lr_caps lr_caps;

/* Read ICH_VTR_EL2 into lr_caps; CPUs must agree, the least count stays in force. */
void lr_probe(void);

/* n not 0: lr_read(), lr_write(). */
u64 lr_read_other(u32 n);
void lr_write_other(u32 n, u64 v);

/* ICH_LR<n>_EL2, n < lr_caps.count. Mostly an interrupt is alone, and in the first. */
static inline u64 lr_read(u32 n)
{
	return likely(!n) ? sysreg_read(ICH_LR0_EL2) : lr_read_other(n);
}
static inline void lr_write(u32 n, u64 v)
{
	if (likely(!n))
		sysreg_write(ICH_LR0_EL2, v);
	else
		lr_write_other(n, v);
}
/* Bit n: list register n is empty and needs no maintenance (ICH_ELRSR_EL2). */
u32 lr_empty(void);

/* ICH_VMCR_EL2 after reset: all masked, binary points at their minimum. */
u64 lr_vmcr_reset(void);
/* ICH_VMCR_EL2 and the active priority registers; ap0r and ap1r have lr_caps.aprs elements. */
void lr_cpu_load(u64 vmcr, const u64 *ap0r, const u64 *ap1r);
void lr_cpu_save(u64 *vmcr, u64 *ap0r, u64 *ap1r);
