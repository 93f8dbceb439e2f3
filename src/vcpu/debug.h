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

#include "nested/vncr.h"
#include "vcpu/sysreg_emul.h"

/*
 * Any DBGBVR<n>, DBGBCR<n>, DBGWVR<n>, DBGWCR<n> (op0=2 op1=0 CRn=0 op2=4..7): these bits of the
 * key.
 */
#define DEBUG_NUMBERED_MASK SYSREG_KEY(3u, 7u, 15u, 0u, 4u)
#define DEBUG_NUMBERED SYSREG_KEY(2u, 0u, 0u, 0u, 4u)

/* A trapped access to a numbered register; UNDEF for one that the CPU lacks. */
enum verdict debug_numbered(struct vcpu *vcpu, u32 key, bool write, u64 *value);

/*
 * MDSCR_EL1 of a vcpu that has EL2 is in its VNCR page too, where vEL2 reads it and, while debug_live is false, writes it
 * without a trap: it matters only to a live one, and to an ERET (software step). sr[SR_MDSCR_EL1] is what the CPU has.
 * debug_el2_quiet(): vEL2 has not written it. debug_el2_exit(): it has; after each exit and before each ERET of its own.
 * debug_l2_exit(): a live L2, which has it in the CPU alone, leaves. Loaded.
 */
static inline bool debug_el2_quiet(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_MDSCR_EL1) == vcpu->sr[SR_MDSCR_EL1];
}
void debug_el2_exit(struct vcpu *vcpu);
void debug_l2_exit(struct vcpu *vcpu);

sysreg_fn debug_mdscr; /* MDSCR_EL1 while not live */
sysreg_fn debug_oslar;
sysreg_fn debug_oslsr;
sysreg_fn debug_claim; /* DBGCLAIMSET_EL1, DBGCLAIMCLR_EL1 */

/* Before MDSCR_EL1 is loaded: the OS Lock, and a live vcpu's registers. */
void debug_load(struct vcpu *vcpu);
/*
 * After MDSCR_EL1 was saved: a live vcpu's registers; it stops being live if it uses them no more.
 */
void debug_save(struct vcpu *vcpu);
/* All of it as after reset, in memory; not while loaded. */
void debug_reset(struct vcpu *vcpu);
