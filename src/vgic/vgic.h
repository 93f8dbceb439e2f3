/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GICv3 of a VM: distributor, redistributors, and how pending interrupts reach the list
 * registers. The CPU interface (ICC_*) is the hardware's own; SGI generation traps, and ICC_DIR_EL1
 * while hardware could not tell which interrupt it means.
 */
#pragma once

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/vgic.h"

struct vm;
struct vcpu;
struct its_device;

/* ---- life ---- */

/* This CPU, after gicv3_cpu_init(): empty its list registers, virtual interface off. */
void vgic_cpu_init(void);
/*
 * Create vm's GIC, in reset state: memory for the SPIs, distributor and redistributors on vm->mmio
 * at vm->layout. Needs vm->config, layout, vcpu_count and vcpus[]. 256 SPIs, or as many as the
 * devices of the configuration need. -ENOMEM, and mmio_add()'s errors. VM creation only.
 */
int vgic_vm_init(struct vm *vm) must_check;
/*
 * Architectural reset of distributor and redistributors; assigned SPIs stay assigned, disabled. No
 * vcpu is loaded.
 */
void vgic_vm_reset(struct vm *vm);
/*
 * Release assigned SPIs (physically disabled, inactive) and free memory. No vcpu is loaded.
 * Idempotent.
 */
void vgic_vm_destroy(struct vm *vm);
/*
 * Give vm an ITS at vm->layout.its, with these devices: the DeviceID that the VM uses, and the
 * device of the machine that its messages come from. After vgic_vm_init(). -ENOMEM, and
 * mmio_add()'s errors.
 */
struct vits_want {
	u32 id;
	struct its_device *phys;
};
int vits_create(struct vm *vm, const struct vits_want *want, u32 count) must_check;
/* Its devices' messages are dropped from now on. Idempotent. */
void vits_destroy(struct vm *vm);
/*
 * Reset a vcpu's CPU interface, like a PE that comes out of reset; its redistributor keeps its
 * state, as the machine's does over CPU_OFF and CPU_ON. Not loaded.
 */
void vgic_vcpu_reset(struct vcpu *vcpu);

/* ---- run loop; the vcpu's own CPU ---- */

/*
 * Load the vcpu's GIC state into this CPU, and put it back to memory. Hardware-backed PPIs in
 * flight become active at this CPU's redistributor, and inactive. Neither touches MMIO unless there
 * is one.
 */
void vgic_load(struct vcpu *vcpu);
void vgic_put(struct vcpu *vcpu);
/* Whether (and by which of vgic_vcpu.work) vgic_flush() has something to do. */
static inline u16 vgic_work(const struct vgic_vcpu *v)
{
	return read_once(&v->work); /* the flush takes stale in order */
}
/* The same, if vgic_work(): mostly not, if the guest has handled what was placed. Loaded. */
static inline bool vgic_work_left(struct vgic_vcpu *v)
{
	if (read_once(&v->stale))
		return true;
	isb(); /* list registers may have been written since the exit */
	if (v->lr_waits & ~sysreg_read(ICH_ELRSR_EL2))
		return true;
	v->waits = 0;
	return false;
}
/*
 * Update the list registers before an entry, if vgic_work(): withdraw pending interrupts whose
 * physical line has fallen; place pending interrupts, the most urgent ones first (ties: lowest
 * INTID); set ICH_HCR_EL2 for those that do not fit. The cost depends on the number pending, not on
 * the number of INTIDs. Takes vgic.lock only if SPIs are involved. Loaded.
 */
void vgic_flush(struct vcpu *vcpu);
/* Fold the list registers back into memory; stale afterwards. Nothing if not loaded. */
void vgic_sync(struct vcpu *vcpu);
/* Serve REQ_VGIC_SYNC: vgic_sync(), and the operation that another vcpu has posted. Loaded. */
void vgic_serve_sync(struct vcpu *vcpu);
/* Handle the maintenance interrupt of the loaded vcpu; its line is low when this returns. */
void vgic_maintenance(struct vcpu *vcpu);
/*
 * Whether a virtual IRQ or FIQ would be signalled: pending, enabled, and urgent enough (pseudocode:
 * CanSignalVirtualInterrupt). The calling CPU has the vcpu loaded, or no CPU has.
 */
bool vgic_interrupt_pending(struct vcpu *vcpu);
/*
 * Send the SGIs of a write of value to ICC_SGI1R_EL1 (group1), or to ICC_SGI0R_EL1 or
 * ICC_ASGI1R_EL1 (!group1). Absent CPUs and SGIs of the other group at their target are ignored.
 * Lock-free.
 */
enum verdict vgic_sgi(struct vcpu *vcpu, u64 value, bool group1);
/*
 * Whether the redistributor would wake a PE whose interface is powered down (WakeRequest): an
 * interrupt that it would forward is pending, whatever the interface's masks and groups are.
 * Loaded, or its CPU's.
 */
bool vgic_wake_request(struct vcpu *vcpu);
/*
 * The vcpu turns off: reroute its waiting 1 of N interrupts, until vgic_vcpu_reset(). Not loaded;
 * on its CPU, before vcpu->state says so and others may tear the VM down.
 */
void vgic_vcpu_off(struct vcpu *vcpu);
/*
 * Emulate a trapped write to ICC_DIR_EL1 (ICH_HCR_EL2.TDIR): deactivate an interrupt wherever it
 * is.
 */
enum verdict vgic_dir(struct vcpu *vcpu, u64 value);

/*
 * Do the vcpu's deferred operations (vgic.deferred): deactivations that its guest has made, of SPIs
 * that may be in list registers of other vcpus. False: not done yet, and the guest must not run
 * before; the caller takes interrupts and serves requests, then calls again. Loaded.
 */
bool vgic_finish_deferred(struct vcpu *vcpu) must_check;
/*
 * The vcpu is about to turn off: complete the deactivations of its guest, at other vcpus too.
 * False: not yet, like vgic_finish_deferred(). Loaded.
 */
bool vgic_finish(struct vcpu *vcpu) must_check;
/* Withdraw a waiting access (vcpu->exit_waits) that will not be repeated. Loaded. */
void vgic_ask_drop(struct vcpu *vcpu);

/* ---- inputs ---- */

/*
 * Set the level of an emulated PPI's line (intid 16-31). Any CPU; lock-free; kicks the vcpu if it
 * must see it.
 */
void vgic_set_ppi(struct vcpu *vcpu, u32 intid, bool level);
/*
 * Inject physical PPI pintid as PPI intid of the loaded vcpu; it was acknowledged and
 * priority-dropped on this CPU, and stays active until the guest deactivates intid. Lock-free, one
 * ICH_LR write if the last instance has ended. Wakes the vcpu.
 */
void vgic_inject_ppi_hw(struct vcpu *vcpu, u32 intid, u32 pintid);
/*
 * The fast path of vgic_inject_ppi_hw() for one that fires in the same state as last time, with
 * nothing else pending. False: it is not so, and nothing was done. One ICH_LR write; wakes nobody.
 * vcpu is loaded.
 */
bool vgic_redeliver_ppi(struct vcpu *vcpu, u32 pintid);
/* Set the level of an emulated device's SPI. Any CPU; takes vgic.lock. */
void vgic_set_spi(struct vm *vm, u32 intid, bool level);
/*
 * Assign physical SPI pintid to the VM as intid; physically enabled while the guest has intid
 * enabled. -EINVAL: the VM's GIC has no such INTID; -EBUSY: taken. After vgic_vm_init().
 */
int vgic_assign_spi(struct vm *vm, u32 intid, u32 pintid, bool edge) must_check;
/*
 * Inject physical SPI pintid, which was acknowledged and priority-dropped on this CPU. One that no
 * VM has is disabled.
 */
void vgic_inject_spi_hw(u32 pintid);
/*
 * Physical LPI pintid has arrived, acknowledged and priority-dropped: the LPI that its event has at
 * the VM's ITS becomes pending. Lock-free. One that no VM has is dropped.
 */
void vgic_inject_lpi(u32 pintid);
/*
 * The fast path of vgic_inject_lpi(), from an exit of the loaded vcpu that the LPI is for, with
 * nothing else to do for it: into a list register at once. False: it is not so, and nothing was
 * done. One ICH_LR write; wakes nobody.
 */
bool vgic_lpi_now(struct vcpu *vcpu, u32 pintid);
