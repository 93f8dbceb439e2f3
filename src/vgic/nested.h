/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GIC of a vcpu that has EL2: which level's interrupts the list registers carry, and
 * the registers of vEL2's virtual interface control (ICH_*) that trap.
 *
 * While vEL2 runs they carry L1's own interrupts, as an ordinary VM's. While L2 runs with L1's
 * HCR_EL2.IMO = 1 (vgic_vcpu.where is VGIC_VEL1) they carry what L1 wrote to its VNCR page, and
 * L1's own are in memory: whatever becomes pending for L1 has to take L2 out, if IMO or FMO says
 * that its group is L1's. With IMO = 0 L2 gets L1's own, but for Group 0 with FMO = 1, which takes
 * it out.
 *
 * L1's list registers with the HW bit name L1's own interrupts. nidus ends those when L2 is done
 * with them; of a timer that fires meanwhile the hardware does (vgic_inject_ppi_el2()).
 */
#pragma once

#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/vcpu.h"
#include "state/vncr.h"

/* INTID of L1's GIC maintenance interrupt, as its device tree says. */
#define GUEST_PPI_MAINT 25

/*
 * vcpu->in_vel2 changed, in either direction: exchange the list registers, ICH_VMCR_EL2 and the
 * active priorities if the level that runs now has others. Takes vgic.lock only if L1 has SPIs in
 * list registers, or had given one to L2. Nothing if in_vel2 did not change. Loaded, has_vel2;
 * before vtimer_level_switch().
 */
void vgic_level_switch(struct vcpu *vcpu);

/*
 * Whether vgic_vel2_exit() has nothing to do: L1's interface is off, its maintenance interrupt low.
 */
static inline bool vgic_vel2_quiet(const struct vcpu *vcpu)
{
	return !((vncr_read(vcpu, VNCR_ICH_HCR_EL2) & ICH_HCR_EN) |
		 (read_once(&vcpu->vgic.priv.line) >> GUEST_PPI_MAINT & 1));
}

/*
 * Before vgic_flush(), if vcpu->vgic.stale and has_vel2: while L2 runs with L1's interrupts in
 * memory, whether one of them would be signalled to L1. Then an IRQ (*fiq: an FIQ) exception is to
 * be taken to vEL2 at once, whatever PSTATE says; it says so until vgic_level_switch(). Else stale
 * is false, and vgic_flush() does nothing. Loaded. Lock-free.
 */
bool vgic_wants_vel2(struct vcpu *vcpu, bool *fiq);

/*
 * Whether no interrupt of L1's is held back while vEL2 runs: EL2 takes IRQs and FIQs
 * (vgic_vel2_route()).
 */
static inline bool vgic_vel2_open(const struct vcpu *vcpu)
{
	u64 hcr = vncr_read(vcpu, VNCR_HCR_EL2);

	return (hcr & HCR_TGE) || (hcr & (HCR_IMO | HCR_FMO)) == (HCR_IMO | HCR_FMO);
}

/*
 * After vgic_flush(), has_vel2: have what is in the list registers go where L1's
 * HCR_EL2.{TGE,IMO,FMO} say. What is pending for another level than the one that runs is held back:
 * the interface is off as soon as it is the most urgent one, until a look, one at each exit and one
 * a little later, finds that it may come; and as long as there is one at all the interface's
 * registers trap. True: L2 runs with L1's own interrupts, and one is an FIQ of L1's, to be taken to
 * vEL2 at once. Loaded.
 */
bool vgic_vel2_route(struct vcpu *vcpu);

/* Whether they trap because of that; or, while L2 runs, because L1 wants it. */
static inline bool vgic_vel2_watched(const struct vcpu *vcpu)
{
	return vcpu->vgic.hcr_en & ICH_HCR_TALL1;
}

/*
 * If vgic_work_left(), has_vel2: whether there is nothing to do now. What is pending in list
 * registers of software's only wants a look at where it goes (vgic_vel2_route()), and that is where
 * it can come, but for vEL2's own mask.
 */
static inline bool vgic_vel2_only_waits(const struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;

	return vcpu->in_vel2 && !read_once(&v->stale) && !(v->lr_waits & v->lr_hw) &&
	       vgic_vel2_open(vcpu) && !vgic_vel2_watched(vcpu);
}

/*
 * An access to the register of this key while vgic_vel2_watched(): what it does with the interface
 * on (pseudocode: ICV_IAR0_EL1 and its like). PASS: not one of the interface's; UNDEF: not this
 * way.
 */
enum verdict vgic_vel2_icc(struct vcpu *vcpu, u32 key, bool write, u64 *value);

/*
 * After an exit that vEL2 took: the level of its maintenance interrupt, as its page now says. Costs
 * little while L1's ICH_HCR_EL2.En is 0. Loaded, in vEL2.
 */
void vgic_vel2_exit(struct vcpu *vcpu);

/* vgic_inject_ppi_hw() for the timers of a vcpu that has EL2. */
void vgic_inject_ppi_el2(struct vcpu *vcpu, u32 intid, u32 pintid);

/*
 * Hooks of src/vgic while where is VGIC_VEL1: maintenance, others' accesses to L1's interrupts,
 * vgic_interrupt_pending(), vgic_put().
 */
void vgic_vel1_maintenance(struct vcpu *vcpu);
void vgic_vel1_sync(struct vcpu *vcpu);
bool vgic_vel1_pending(const struct vcpu *vcpu);
void vgic_vel1_leave(struct vcpu *vcpu);

sysreg_fn emul_ich_vtr_el2, emul_ich_misr_el2, emul_ich_eisr_el2, emul_ich_elrsr_el2;
sysreg_fn emul_icc_sre_el2;
