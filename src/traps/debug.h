/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's self-hosted debug: breakpoints, watchpoints, software step and the OS Lock.
 *
 * vcpu->debug_live says where the numbered registers and the claim tags are. False: in memory,
 * every access traps (MDCR_EL2.TDA), and the CPU's own are never looked at. True: in the CPU while
 * the vcpu is loaded, not trapped. A vcpu becomes live when a debug exception could come of what it
 * wrote: the OS Lock is clear and MDSCR_EL1.MDE or SS is set. One that only initialises its debug
 * registers, as kernels do at boot, never does, and nothing is moved for it. MDSCR_EL1 (whose TDCC
 * acts without) and the OS Lock are always in the CPU.
 */
#pragma once

#include "state/exit.h"
#include "state/vncr.h"

/*
 * Any DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n> (op0=2 op1=0 CRn=0 op2=4..7): these bits of the
 * key.
 */
#define DEBUG_NUMBERED_MASK SYSREG_KEY(3u, 7u, 15u, 0u, 4u)
#define DEBUG_NUMBERED SYSREG_KEY(2u, 0u, 0u, 0u, 4u)

/* Emulate a trapped access to a numbered register; UNDEF for one that the CPU lacks. */
enum verdict debug_numbered(struct vcpu *vcpu, u32 key, bool write, u64 *value);

/*
 * The CPU's value of a DBGBCR<n>_EL1 (breakpoint) or DBGWCR<n>_EL1 at vEL2; pure. There the CPU is
 * at EL1, and EL0 is vEL2's host, so the CPU gets a control register that matches EL1 where vEL2's
 * matches EL2. dbg[] has vEL2's; accesses to control registers trap at vEL2 even if live. A
 * register that matches nothing has E clear.
 */
u64 debug_control_vel2(u64 control, bool breakpoint);

/*
 * MDSCR_EL1 of a vcpu that has EL2 is in its VNCR page too, where vEL2 reads it. vEL2's writes
 * trap, since they take effect at once; but Linux/KVM has two in each exit of its guest, none of
 * which matters. So they do not trap (vcpu->mdscr.write_lent) once vEL2 has entered its guest a
 * hundred times with a write before, no breakpoint or watchpoint is enabled, and SS, KDE and MDE
 * have been 0 all the time. They trap again once such a change is seen at an exit of vEL2, or when
 * no guest has been entered for 100 ms. Meanwhile breakpoints and watchpoints stay exact, as
 * enabling one traps; only a software step of vEL2 itself begins as late as the next exit.
 *
 * The numbered registers are lent to vEL2 (vcpu->mdscr.numbered_lent), in the CPU and without a
 * trap, for 100 ms after it has accessed them a hundred times and none was enabled: Linux/KVM moves
 * all of them in each exit of a guest that is a hypervisor, as such a guest writes MDSCR_EL1.
 * Meanwhile MDSCR_EL1's writes trap, and as soon as MDE is set there things are as they are for a
 * live vcpu; so nothing can come of what vEL2 enables before that.
 *
 * debug_vel2_quiet(): whether MDSCR_EL1 is unchanged and debug is not in use. debug_vel2_exit():
 * handle a change; after each exit and before each ERET of its own if not quiet, and when vEL2's
 * MDCR_EL2 changed. debug_vel2_tick(): let them trap again if it is time, now and then while
 * something does not. Loaded, in vEL2.
 */
#define MDSCR_NEVER ~0UL
static inline bool debug_vel2_quiet(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_MDSCR_EL1) == vcpu->mdscr_quiet;
}
void debug_vel2_exit(struct vcpu *vcpu);
void debug_vel2_tick(struct vcpu *vcpu, u64 now);
/* Part of a level switch for a live vcpu, which is in the new context already. */
void debug_enter_vel2(struct vcpu *vcpu);
void debug_enter_vel1(struct vcpu *vcpu);
/* AArch64.GenerateDebugExceptions at vEL2, with vcpu->pstate. */
bool debug_vel2_enabled(const struct vcpu *vcpu);

sysreg_fn debug_mdscr; /* MDSCR_EL1 */
sysreg_fn debug_oslar;
sysreg_fn debug_oslsr;
sysreg_fn debug_claim; /* DBGCLAIMSET_EL1, DBGCLAIMCLR_EL1 */
sysreg_fn debug_dcc;   /* MDCCSR_EL0, DBGDTR_EL0, DBGDTRRX_EL0 and DBGDTRTX_EL0 */

/* After MDSCR_EL1 was loaded: the OS Lock, and a live vcpu's registers. */
void debug_load(struct vcpu *vcpu);
/*
 * After MDSCR_EL1 was saved: a live vcpu's registers; it stops being live if it uses them no more.
 */
void debug_save(struct vcpu *vcpu);
/* Reset all of it in memory; not while loaded. */
void debug_reset(struct vcpu *vcpu);
