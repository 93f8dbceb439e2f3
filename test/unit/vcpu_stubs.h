/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of vcpu.c's users: what vcpu.c calls, doing nothing. Weak: if a test comes to need the
 * real file of one of these, that file's own functions take over.
 */
#pragma once

#include "mm/stage2.h"
#include "mm/tlb.h"
#include "simd/simd.h"
#include "vcpu/bank.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

#define STUB __attribute__((weak))

STUB bool simd_chaos;
STUB void simd_chaos_section(void) { }
STUB u64 simd_cpacr_hidden(const struct simd_vcpu *s) { (void)s; return 0; }
STUB void simd_flush(struct vcpu *vcpu) { (void)vcpu; }
STUB void simd_vcpu_reset(struct vcpu *vcpu) { (void)vcpu; }
STUB void stage2_load(const struct stage2 *s2) { (void)s2; }
STUB void tlb_invalidate_vmid_local(void) { }
STUB void sysreg_load(struct vcpu *vcpu) { (void)vcpu; }
STUB void sysreg_save(struct vcpu *vcpu) { (void)vcpu; }
STUB void sysreg_reset(struct vcpu *vcpu) { (void)vcpu; }
STUB void vtimer_load(struct vcpu *vcpu) { (void)vcpu; }
STUB void vtimer_put(struct vcpu *vcpu) { (void)vcpu; }
STUB void vtimer_reset(struct vcpu *vcpu) { (void)vcpu; }
STUB void vgic_vcpu_reset(struct vcpu *vcpu) { (void)vcpu; }
