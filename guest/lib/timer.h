/* SPDX-License-Identifier: Apache-2.0 */
/* The two EL1 timers, and EL2's by its own name, through one set of functions. */
#pragma once

#include "cpu.h"
#include "lib/types.h"

#define TIMER_ENABLE 1u
#define TIMER_IMASK 2u
#define TIMER_ISTATUS 4u

/* TIMER_HYP: CNTHP, at EL2 only; with VHE that is TIMER_PHYS, too. */
enum timer_kind { TIMER_VIRT, TIMER_PHYS, TIMER_HYP };

static inline void timer_set_ctl(enum timer_kind k, u64 v)
{
	if (k == TIMER_VIRT)
		sysreg_write(CNTV_CTL_EL0, v);
	else if (k == TIMER_PHYS)
		sysreg_write(CNTP_CTL_EL0, v);
	else
		sysreg_write(CNTHP_CTL_EL2, v);
	isb();
}

static inline u64 timer_ctl(enum timer_kind k)
{
	isb();
	return k == TIMER_VIRT ? sysreg_read(CNTV_CTL_EL0) :
	       k == TIMER_PHYS ? sysreg_read(CNTP_CTL_EL0) :
				 sysreg_read(CNTHP_CTL_EL2);
}

static inline void timer_set_cval(enum timer_kind k, u64 v)
{
	if (k == TIMER_VIRT)
		sysreg_write(CNTV_CVAL_EL0, v);
	else if (k == TIMER_PHYS)
		sysreg_write(CNTP_CVAL_EL0, v);
	else
		sysreg_write(CNTHP_CVAL_EL2, v);
	isb();
}

static inline u64 timer_cval(enum timer_kind k)
{
	return k == TIMER_VIRT ? sysreg_read(CNTV_CVAL_EL0) :
	       k == TIMER_PHYS ? sysreg_read(CNTP_CVAL_EL0) :
				 sysreg_read(CNTHP_CVAL_EL2);
}

static inline void timer_set_tval(enum timer_kind k, u64 v)
{
	if (k == TIMER_VIRT)
		sysreg_write(CNTV_TVAL_EL0, v);
	else if (k == TIMER_PHYS)
		sysreg_write(CNTP_TVAL_EL0, v);
	else
		sysreg_write(CNTHP_TVAL_EL2, v);
	isb();
}

static inline u64 timer_tval(enum timer_kind k)
{
	isb();
	return k == TIMER_VIRT ? sysreg_read(CNTV_TVAL_EL0) :
	       k == TIMER_PHYS ? sysreg_read(CNTP_TVAL_EL0) :
				 sysreg_read(CNTHP_TVAL_EL2);
}

static inline u64 timer_now(enum timer_kind k)
{
	return k == TIMER_VIRT ? counter_virt() : counter_phys();
}
