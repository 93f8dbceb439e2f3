/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four timers of a vcpu with EL2. The CPU has two (CNTV, CNTP): they serve the level that runs.
 * The other level's are emulated by a software timer, which raises vEL2's PPI on time. Both levels'
 * physical counter is the CPU's own; CNTVOFF_EL2 follows the level.
 */
#pragma once

#include "arch/feat.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/timers.h"
#include "state/vcpu.h"
#include "state/vncr.h"

/*
 * Level switch: vcpu->in_vel2 has changed, and the EL1 registers with it (vcpu->sr has vEL2's
 * CNTKCTL_EL1 if vEL1 is to run). Exchanges the timers in the CPU, CNTVOFF_EL2 and the lines of the
 * emulated ones. Takes the CPU's own timer lock only if an emulated timer is due earlier than any
 * software timer that this vcpu has armed. Loaded, has_vel2; after vgic_level_switch().
 */
void vtimer_level_switch(struct vcpu *vcpu);

/*
 * Complete sr[SR_CNTHCTL_EL2] with the bits that vEL2 writes by CNTKCTL_EL1: on the way to vEL1,
 * when vcpu->sr has vEL2's CNTKCTL_EL1, if either has changed since the last time.
 */
void vtimer_cnthctl_complete(struct vcpu *vcpu);

/*
 * Whether vEL2's accesses to its guest's timers trap, so that their effect is immediate. Where they
 * can (FEAT_ECV) they do, until vEL2 has entered its guest so many times, each with accesses
 * before, and never a sign that it wanted to see at once what became of them: a hypervisor that
 * moves its guest's timers, as Linux/KVM does for each exit to its user space. Then they do not for
 * 10 ms, in which they are looked for at each exit that is no access to a register and no ERET, and
 * at the end. Without FEAT_ECV never, and they are looked for at all exits (vcpu->timers_polled).
 */
static inline bool vtimer_vel2_traps(const struct vcpu *vcpu)
{
	return vcpu->timers_trap;
}

/* Whether the words of vEL1's timers in vEL2's page are unchanged since the last check. */
bool vtimer_vel2_seen(const struct vcpu *vcpu);

/*
 * Whether vtimer_vel2_exit() has nothing to do: vEL2's CNTVOFF_EL2 is unchanged, and either vEL2's
 * accesses to its guest's timers trap, or it has not written to them. The software timer handles
 * what comes with time alone.
 */
static inline bool vtimer_vel2_quiet(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_CNTVOFF_EL2) == vcpu->vtimer.vel2_cntvoff &&
	       (vtimer_vel2_traps(vcpu) || vtimer_vel2_seen(vcpu));
}

/*
 * The same for an access of vEL2 to a trapped register, after which all of it can wait for another
 * exit, except on a machine without FEAT_ECV.
 */
static inline bool vtimer_vel2_may_wait(const struct vcpu *vcpu)
{
	return !vcpu->timers_polled || vtimer_vel2_quiet(vcpu);
}

/* Whether no exit of vEL2 has to look at vEL1's timers, ERETs included. */
static inline bool vtimer_vel2_unpolled(const struct vcpu *vcpu)
{
	return !vcpu->timers_polled;
}

/*
 * After an exit of vEL2: apply what vEL2 wrote to its page to vEL1's timers. That is only
 * CNTVOFF_EL2 where accesses to the timers trap. Loaded, in vEL2.
 */
void vtimer_vel2_exit(struct vcpu *vcpu);

/* vtimer.c's functions for a vcpu that has EL2. */
void vtimer_vel2_reset(struct vcpu *vcpu);
void vtimer_vel2_load(struct vcpu *vcpu);
void vtimer_vel2_put(struct vcpu *vcpu);
void vtimer_vel2_update(struct vcpu *vcpu);
void vtimer_vel2_interrupt(struct vcpu *vcpu, u32 intid);

/* vEL2's registers that trap: the EL2 timers by their EL2 names, vEL1's by the _EL02 names. */
sysreg_fn emul_cnthp_ctl_el2, emul_cnthp_cval_el2, emul_cnthp_tval_el2;
sysreg_fn emul_cnthv_ctl_el2, emul_cnthv_cval_el2, emul_cnthv_tval_el2;
sysreg_fn emul_cntp_ctl_el02, emul_cntp_cval_el02, emul_cntp_tval_el02;
sysreg_fn emul_cntv_ctl_el02, emul_cntv_cval_el02, emul_cntv_tval_el02;
sysreg_fn emul_cnthctl_el2;
/* vEL1's CNTKCTL_EL1, for which the architecture has no VNCR slot: nidus uses a slot of its own. */
sysreg_fn emul_cntkctl_el12;
