/* SPDX-License-Identifier: Apache-2.0 */
/* Moving a vcpu's system registers between the CPU and memory: expansions of sysreg.def. */
#pragma once

#include "lib/types.h"

struct vcpu;

/*
 * The rows of home BANK, between the CPU and an array of SR_COUNT values.
 */
void bank_save(u64 *sr);
void bank_load(const u64 *sr);
/* The same for the vEL1 context, with the slots of vcpu->vncr. */
void bank_save_vncr(struct vcpu *vcpu);
void bank_load_vncr(struct vcpu *vcpu);

/*
 * A level switch: vEL2's rows into vcpu->sr and vEL1's from vcpu->vncr into the CPU, and back. No
 * register is written that has the value already.
 */
void bank_enter_vel1(struct vcpu *vcpu);
void bank_enter_vel2(struct vcpu *vcpu);

/*
 * Save or load all of a vcpu's rows that are in the CPU, and its debug registers if they are live.
 * Load writes only what differs. What is loaded takes effect at the next ERET. On the CPU that has,
 * or is to have, the vcpu loaded.
 */
void sysreg_save(struct vcpu *vcpu);
void sysreg_load(struct vcpu *vcpu);

/* Reset every row in memory, and the debug registers; not while loaded. */
void sysreg_reset(struct vcpu *vcpu);
