/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State of a vcpu's timers: where each one's registers are, when it is due and whether its line is
 * high. A vcpu with EL2 has four, of which the CPU has two.
 */
#pragma once

#include "arch/timer.h"
#include "state/ppi.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"

/* Its line is high; ctl with ISTATUS. */
#define CTL_HIGH(ctl)                                                                              \
	(((ctl) & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS))
#define CTL_FIRES(ctl) (((ctl) & (CTL_ENABLE | CTL_IMASK)) == CTL_ENABLE)

/* Tell whether CNTPOFF_EL2 really offsets what EL1 sees: found out once at boot (boot/probe.c). */
void vtimer_set_cntpoff(bool works);
bool vtimer_has_cntpoff(void);

/*
 * vEL1's virtual and physical timer, kept in vEL2's VNCR page; vEL2's (CNTHV, CNTHP), kept in
 * vcpu->vtimer. The CPU has the current value of a timer that is in it.
 */
enum timer_context { TIMER_V, TIMER_P, TIMER_HV, TIMER_HP };

struct timer_map {
	u8 virt, phys;           /* enum timer_context: in the CPU's CNTV, CNTP */
	u8 emul_virt, emul_phys; /* in memory */
};

/* Which timer is where while vEL2 (in_vel2) or vEL1 runs. Pure. */
static inline struct timer_map timer_map_of(bool in_vel2)
{
	return in_vel2 ? (struct timer_map){ TIMER_HV, TIMER_HP, TIMER_V, TIMER_P }
		   : (struct timer_map){ TIMER_V, TIMER_P, TIMER_HV, TIMER_HP };
}

/* Which timer is where while vcpu is loaded. Pure. */
static inline struct timer_map timer_map(const struct vcpu *vcpu)
{
	return timer_map_of(vcpu->in_vel2);
}

struct timer_regs {
	u64 ctl, cval; /* ctl without ISTATUS */
};

extern const u8 timer_ppi[]; /* by enum timer_context */

/* The registers of a timer that is in memory. */
static inline struct timer_regs timer_home_read(const struct vcpu *vcpu, u32 context)
{
	const struct vtimer *vt = &vcpu->vtimer;
	struct timer_regs r;

	switch (context) {
	case TIMER_V:
		r.ctl = vncr_read(vcpu, VNCR_CNTV_CTL_EL0);
		r.cval = vncr_read(vcpu, VNCR_CNTV_CVAL_EL0);
		break;
	case TIMER_P:
		r.ctl = vncr_read(vcpu, VNCR_CNTP_CTL_EL0);
		r.cval = vncr_read(vcpu, VNCR_CNTP_CVAL_EL0);
		break;
	case TIMER_HV:
		return (struct timer_regs){ vt->cnthv_ctl, vt->cnthv_cval };
	default:
		return (struct timer_regs){ vt->cnthp_ctl, vt->cnthp_cval };
	}
	r.ctl &= CTL_ENABLE | CTL_IMASK;
	return r;
}

/*
 * By how much the counter of a context lags behind CNTPCT. Only vEL1's virtual one has vEL2's
 * CNTVOFF_EL2.
 */
static inline u64 timer_offset(const struct vcpu *vcpu, u32 context)
{
	return vcpu->vm->cntoff + (context == TIMER_V ? vncr_read(vcpu, VNCR_CNTVOFF_EL2) : 0);
}

#define TIMER_NEVER ~0UL
/*
 * When the timer's condition becomes true: CNTPCT. 0: it is; TIMER_NEVER: it stays as it is, or
 * that is beyond what CNTPCT can count. Offsets are vEL2's and may be anything, so only the
 * distance counts.
 */
u64 timer_due(const struct vcpu *vcpu, u32 context, struct timer_regs r);

/*
 * The lines of its timers that are not emulated, bit n for PPI n: whether each is enabled, not
 * masked, and its condition is met (AArch64.CheckTimerConditions). loaded: as this CPU has them;
 * else by their registers in memory.
 */
u32 vtimer_lines(const struct vcpu *vcpu, bool loaded);

/*
 * Make the vcpu leave its guest within 50 us, to check something that the guest may change without
 * a trap. Each further poll is twice as far away, up to 6.4 ms; *polls counts them: where an exit
 * alone takes longer than 50 us, as below other hypervisors, the guest would otherwise make no
 * progress. On its own CPU.
 */
void timers_poll_soon(struct vcpu *vcpu, u8 *polls);
