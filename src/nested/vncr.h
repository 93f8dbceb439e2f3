/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VNCR_EL2 of a vEL2 that has FEAT_NV2: an address in its own EL2&0, where its guest hypervisor's
 * registers are. The hardware's VNCR_EL2 is translated by nidus's tables, once, so it points to one
 * of a few windows (mm/window.h). nidus maps the page there when a first access faults, with vEL2's
 * permissions, and closes the window when vEL2 invalidates what it was made from. An access to a
 * closed window only faults, so a window can be closed without synchronising with the vcpu that
 * uses it.
 */
#pragma once

#include "state/exit.h"
#include "state/shadow.h"
#include "state/window.h"

struct vcpu;

/*
 * The address for VNCR_EL2 while vEL1 runs (vel2_nv2()): the window for the current values of
 * vEL2's VNCR_EL2 and translation registers, open or not. Not in vEL2: the CPU's EL1 registers are
 * vEL1's.
 */
u64 vncr_window(struct vcpu *vcpu);

/*
 * Handle EC 0x25: an access of vEL1's to memory by VNCR_EL2 had no translation. RESUME: it has now,
 * or is to be retried. REFLECT_ABORT: vEL2's tables have none, and vcpu->reflection says so.
 * STOP_VM: it was not such an access.
 */
enum verdict vncr_trap(struct vcpu *vcpu, const struct exit *exit);

/* Handle a TLBI of vEL2's for its own EL2&0: close the windows it affects, of all vcpus. */
void vncr_tlbi(struct vcpu *vcpu, const struct tlbi_op *op);
/* Whether it affects what an open window was made from. Pure. */
bool vncr_concerns(const struct vncr_entry *e, const struct tlbi_op *op);

/* Close and forget a vcpu's windows: its reset, its end. Not loaded. */
void vncr_reset(struct vcpu *vcpu);
