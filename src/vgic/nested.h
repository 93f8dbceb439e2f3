/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GIC of a vcpu with EL2: which level's interrupts the list registers hold, and the
 * trapped registers of vEL2's virtual interface control (ICH_*).
 *
 * While vEL2 runs they hold vEL2's own interrupts, as an ordinary VM's. While vEL1 runs with vEL2's
 * HCR_EL2.IMO = 1 (vgic_vcpu.where is VGIC_VEL1) they hold what vEL2 wrote to its VNCR page, and
 * vEL2's own are in memory: what becomes pending for vEL2 has to take vEL1 out, if IMO or FMO
 * routes its group to vEL2. With IMO = 0 vEL1 gets vEL2's own, except those of Group 0 with
 * FMO = 1, which take it out.
 *
 * vEL2's list registers with the HW bit name vEL2's own interrupts. nidus ends those when vEL1 has
 * ended them; for a timer that fires meanwhile the hardware does (vgic_inject_ppi_vel2()).
 */
#pragma once

#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/ppi.h"
#include "state/vcpu.h"
#include "state/vncr.h"

/*
 * Level switch, in either direction; vcpu->in_vel2 has changed: exchange the list registers,
 * ICH_VMCR_EL2 and the active priorities if the new level has others. Takes vgic.lock only if vEL2
 * has SPIs in list registers, or had given one to vEL1. Does nothing if in_vel2 has not changed.
 * Loaded, has_vel2; before vtimer_level_switch().
 */
void vgic_level_switch(struct vcpu *vcpu);

/*
 * Whether vgic_vel2_exit() has nothing to do: vEL2's interface is off, its maintenance interrupt
 * low.
 */
static inline bool vgic_vel2_quiet(const struct vcpu *vcpu)
{
	return !((vncr_read(vcpu, VNCR_ICH_HCR_EL2) & ICH_HCR_EN) |
		 (read_once(&vcpu->vgic.priv.line) >> GUEST_PPI_MAINT & 1));
}

/*
 * Whether vEL1, which runs with vEL2's interrupts in memory, must be taken out because one of them
 * would be signalled to vEL2. Then an IRQ (*fiq: an FIQ) exception is to be taken to vEL2 at once,
 * whatever PSTATE says; the result stays true until vgic_level_switch(). Otherwise clears stale,
 * and vgic_flush() does nothing. To be called before vgic_flush(), if vcpu->vgic.stale and
 * has_vel2. Loaded. Lock-free.
 */
bool vgic_wants_vel2(struct vcpu *vcpu, bool *fiq);

/*
 * Whether no interrupt of vEL2's can be held back while vEL2 runs: EL2 takes IRQs and FIQs
 * (vgic_vel2_route()).
 */
static inline bool vgic_vel2_takes_all(const struct vcpu *vcpu)
{
	u64 hcr = vncr_read(vcpu, VNCR_HCR_EL2);

	return (hcr & HCR_TGE) || (hcr & (HCR_IMO | HCR_FMO)) == (HCR_IMO | HCR_FMO);
}

/*
 * Route what is in the list registers as vEL2's HCR_EL2.{TGE,IMO,FMO} say; after vgic_flush(),
 * has_vel2. An interrupt that is pending for another level than the one that runs is held back: the
 * interface is off as soon as it is the most urgent one, until a poll, at each exit and some time
 * later, finds that it may be delivered; and as long as there is one at all the interface's
 * registers trap. True: vEL1 runs with vEL2's own interrupts, and one is an FIQ of vEL2's, to be
 * taken to vEL2 at once. Loaded.
 */
bool vgic_vel2_route(struct vcpu *vcpu);

/*
 * Whether the interface's registers trap because of that; or, while vEL1 runs, because vEL2 wants
 * it.
 */
static inline bool vgic_vel2_iface_traps(const struct vcpu *vcpu)
{
	return vcpu->vgic.hcr_en & ICH_HCR_TALL1;
}

/*
 * If vgic_work_left(), has_vel2: whether there is nothing to do now. Pending list registers without
 * the HW bit only need a check of their routing (vgic_vel2_route()), and they can be delivered,
 * except for vEL2's own mask.
 */
static inline bool vgic_vel2_nothing_to_route(const struct vcpu *vcpu)
{
	const struct vgic_vcpu *v = &vcpu->vgic;

	return vcpu->in_vel2 && !read_once(&v->stale) && !(v->lr_waits & v->lr_hw) &&
	       vgic_vel2_takes_all(vcpu) && !vgic_vel2_iface_traps(vcpu);
}

/*
 * Emulate an access to the register of this key while vgic_vel2_iface_traps(), as with the
 * interface on (pseudocode: ICV_IAR0_EL1 and the like). PASS: not one of the interface's; UNDEF:
 * not in this direction.
 */
enum verdict vgic_vel2_icc(struct vcpu *vcpu, u32 key, bool write, u64 *value);

/* ISR_EL1, which traps from vEL2 while vgic_vel2_iface_traps(): what is held back is pending. */
sysreg_fn emul_isr;

/*
 * After an exit of vEL2: set the level of its maintenance interrupt from its page. Cheap while
 * vEL2's ICH_HCR_EL2.En is 0. Loaded, in vEL2.
 */
void vgic_vel2_exit(struct vcpu *vcpu);

/* vgic_inject_ppi_hw() for the timers of a vcpu that has EL2. */
void vgic_inject_ppi_vel2(struct vcpu *vcpu, u32 intid, u32 pintid);

/*
 * Called by other files of src/vgic while where is VGIC_VEL1: maintenance, others' accesses to
 * vEL2's interrupts, vgic_interrupt_pending(), vgic_put().
 */
void vgic_vel1_maintenance(struct vcpu *vcpu);
void vgic_vel1_sync(struct vcpu *vcpu);
bool vgic_vel1_pending(const struct vcpu *vcpu);
void vgic_enter_vel2(struct vcpu *vcpu);

sysreg_fn emul_ich_vtr_el2, emul_ich_misr_el2, emul_ich_eisr_el2, emul_ich_elrsr_el2;
sysreg_fn emul_icc_sre_el2;
