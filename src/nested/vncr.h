/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VNCR_EL2 of an L1 that has FEAT_NV2: an address of its own EL2&0, where its guest hypervisor's
 * registers are. The hardware's VNCR_EL2 is nidus's and translated once, so it gets one of a few
 * windows (mm/window.h) that nidus puts on the page when a first access faults, with L1's
 * permissions, and shuts when L1 invalidates what the window was made of. A shut window is a fault
 * and no more, so whoever shuts one needs no agreement with who runs on it.
 */
#pragma once

#include "state/exit.h"
#include "state/shadow.h"
#include "state/window.h"

struct vcpu;

/*
 * The address for VNCR_EL2 while L2 runs (vel2_nv2()): the window that stands for what L1's
 * VNCR_EL2 and translation registers say now, open or not. Not in vEL2: the CPU's EL1
 * registers are L2's.
 */
u64 vncr_window(struct vcpu *vcpu);

/*
 * EC 0x25: an access of L2's to memory by VNCR_EL2 had no translation. RESUME: it has now, or is to
 * be tried again. REFLECT: L1's tables have none, and vcpu->reflection says so. STOP_VM: it was no
 * such access.
 */
enum verdict vncr_trap(struct vcpu *vcpu, const struct exit *exit);

/* A TLBI of L1's that is about its own EL2&0: shut the windows of all vcpus that it concerns. */
void vncr_tlbi(struct vcpu *vcpu, const struct tlbi_op *op);
/* Whether it concerns what an open window was made of. Pure. */
bool vncr_concerns(const struct vncr_entry *e, const struct tlbi_op *op);

/* Shut and forget a vcpu's windows: its reset, its end. Not loaded. */
void vncr_reset(struct vcpu *vcpu);
