/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of vcpu.c's users: what vcpu.c calls, doing nothing. One test includes it once. */
#pragma once

#include "mm/stage2.h"
#include "mm/tlb.h"
#include "simd/simd.h"
#include "vcpu/bank.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

void stage2_load(const struct stage2 *s2) { (void)s2; }
void tlb_invalidate_vmid_local(void) { }
void sysreg_load(struct vcpu *vcpu) { (void)vcpu; }
void sysreg_save(struct vcpu *vcpu) { (void)vcpu; }
void sysreg_reset(struct vcpu *vcpu) { (void)vcpu; }
void simd_flush(struct vcpu *vcpu) { (void)vcpu; }
void simd_vcpu_reset(struct vcpu *vcpu) { (void)vcpu; }
void vtimer_load(struct vcpu *vcpu) { (void)vcpu; }
void vtimer_put(struct vcpu *vcpu) { (void)vcpu; }
void vtimer_reset(struct vcpu *vcpu) { (void)vcpu; }
void vgic_vcpu_reset(struct vcpu *vcpu) { (void)vcpu; }
