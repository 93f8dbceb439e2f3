/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an exit from vEL1 is a trap that vEL2 has set. Pure: evaluates arch/trap.def and vEL2's
 * registers, with no effects.
 */
#pragma once

#include "lib/types.h"

struct exit;
struct vcpu;

/*
 * Whether vEL2's controls send this synchronous exception, taken while vEL1 ran (!vcpu->in_vel2),
 * to vEL2. Not for the stage-2 aborts that tables decide (translation, access flag, permission,
 * address size), nor for a TLB conflict. Bounded: one search of a sorted table, a few words of
 * vEL2's page.
 */
bool reflect_wanted(const struct vcpu *vcpu, const struct exit *exit);

/*
 * Without a search: whether it is an ERET (EC 0x1a) or an access (EC 0x18) that vEL2's HCR_EL2.NV,
 * and no other control, traps of vEL1 at EL1. False: reflect_wanted() decides. Pure.
 */
bool reflect_nv(const struct vcpu *vcpu, u64 esr);

/*
 * The ESR that vEL2 gets for an exit that vEL2 wants. It is exit->esr, except where nidus's lazy
 * SIMD trap hid which of vEL2's controls it was: an SVE or SME access that vEL2 traps by FPEN alone
 * is EC 0x07.
 */
u64 reflect_esr(const struct vcpu *vcpu, const struct exit *exit);

/*
 * For an exit of vEL2, or one of vEL1 that vEL2 does not want: whether vEL2's controls make the
 * instruction UNDEFINED. If not, the rules of an ordinary guest apply. (HVC with HCR_EL2.HCD, at
 * EL2 too.)
 */
bool reflect_undefined(const struct vcpu *vcpu, const struct exit *exit);

/*
 * Whether vEL2's CPTR_EL2 traps vEL1's use of FP and Advanced SIMD, of SVE, of SME (pseudocode:
 * AArch64.CheckFPAdvSIMDTrap, CheckSVEEnabled, CheckSMEEnabled). By that control alone: an SVE or
 * SME access is also subject to reflect_fp(). vEL1's EL0 and EL1 do not differ, as 0b01 traps EL0
 * only under TGE.
 */
bool reflect_fp(const struct vcpu *vcpu);
bool reflect_sve(const struct vcpu *vcpu);
bool reflect_sme(const struct vcpu *vcpu);
