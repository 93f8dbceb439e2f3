/* SPDX-License-Identifier: Apache-2.0 */
/* TLB maintenance instructions of vEL2, which all trap (HCR_EL2.NV and TTLB). */
#pragma once

#include "lib/types.h"
#include "state/exit.h"
#include "state/shadow.h"

struct vcpu;

/*
 * Decode a TLBI: key of the encoding (SYSREG_KEY), arg of Xt. False: not a TLBI that is known here.
 * Pure.
 */
bool tlbi_decode(u32 key, u64 arg, struct tlbi_op *op) must_check;

/* The size of the leaf that the TTL hint names; 0: no hint, or a reserved one. */
u64 tlbi_leaf_size(const struct tlbi_op *op);

/*
 * Emulate a trapped TLBI (EC 0x18, op0=1, CRn=8 or 9). SKIP: done, except for the guest's own DSB;
 * or an interrupt waits for this CPU, and the rest of a long one is requested (REQ_WORK) and done
 * before the guest is entered again. So it is one instruction to the guest, whose interrupts come
 * before it or after all of it. UNDEF. Its own CPU, vcpu loaded.
 */
enum verdict tlbi_trap(struct vcpu *vcpu, const struct exit *exit);
/*
 * Have all shadows of the VM emptied before this vcpu enters the guest again, as its ALLE1 would:
 * its stage 2 leads elsewhere now. Its own CPU, vcpu loaded, has_vel2, no work of it unfinished.
 */
void tlbi_all(struct vcpu *vcpu);
/*
 * Continue the TLBI in vcpu->shadow until it is done, or shadow_irq_waits(): true, there is more.
 * At least one piece.
 */
bool tlbi_work(struct vcpu *vcpu);
