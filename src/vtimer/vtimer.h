/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's generic timers. The virtual timer is the guest's own (CNTV, HW-bit list register);
 * the physical one too where CNTPOFF_EL2 works, else emulated. A VM that has EL2 has four timers:
 * nested.h.
 */
#pragma once

#include "lib/types.h"
#include "state/timers.h"
#include "state/vtimer.h"

struct vcpu;
struct cpu;

void vtimer_reset(struct vcpu *vcpu);
void vtimer_load(struct vcpu *vcpu);
void vtimer_put(struct vcpu *vcpu);
/* The virtual (or direct physical) timer of the loaded vcpu fired: INTID of this machine. */
void vtimer_interrupt(struct vcpu *vcpu, u32 intid);
/*
 * The emulated physical timer: CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTP_TVAL_EL0 and CNTPCT_EL0 as they
 * trap.
 */
enum vtimer_reg { VTIMER_CTL, VTIMER_CVAL, VTIMER_TVAL, VTIMER_COUNT };
u64 vtimer_phys_read(struct vcpu *vcpu, enum vtimer_reg reg);
void vtimer_phys_write(struct vcpu *vcpu, enum vtimer_reg reg, u64 v);
/* Serve REQ_TIMER: an emulated timer came due; set its line. In the vcpu's own run loop. */
void vtimer_update(struct vcpu *vcpu);
