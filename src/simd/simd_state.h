/* SPDX-License-Identifier: Apache-2.0 */
/* The home of a vcpu's SIMD state and the moves between it and the registers. For src/simd only. */
#pragma once

#include "lib/types.h"

struct simd_vcpu;
struct vcpu;

struct simd_state {
	u64 fpcr, fpsr, fpmr;
	u64 zcr_el1;            /* if the VM has SVE */
	u64 smcr_el1, svcr;     /* if the VM has SME */
	u8 zt0[64] __attribute__((aligned(16))); /* valid if SVCR.ZA, on a machine with SME2 */
	/*
	 * Z, P and FFR as simd_regs_save_z() leaves them, at the VM's largest vector length, or
	 * the largest streaming one if svcr has SM; V0-V31 if the VM has no SVE. Then ZA, valid
	 * if SVCR.ZA.
	 */
	u8 data[] __attribute__((aligned(64)));
};

/*
 * Bytes of the home of a VM with these largest lengths (bytes; 0: none), and where in data[] its
 * ZA is.
 */
u64 simd_state_size(u32 vl, u32 svl);
u64 simd_state_za(u32 vl, u32 svl);

/*
 * Registers to home. CPTR_EL2 is open and synchronised, ZCR_EL2 and SMCR_EL2 hold the VM's
 * largest lengths. Leaves SVCR 0. Returns bytes moved.
 */
u64 simd_state_save(struct vcpu *vcpu);
/*
 * Home to registers; also puts ZCR_EL2 and SMCR_EL2 to the VM's largest lengths. SVCR must be 0.
 * Returns bytes moved.
 */
u64 simd_state_load(struct vcpu *vcpu);

/* Discard the register contents; leaves SVCR 0. CPTR_EL2 is open. */
void simd_state_forget(const struct vcpu *vcpu);

/* The home: to reset state (if there is one); freed. */
void simd_state_reset(struct vcpu *vcpu);
void simd_state_free(struct vcpu *vcpu);

/* ZCR_EL1 and SMCR_EL1 between the CPU and the home of a live vcpu; CPTR_EL2 open. */
void simd_state_read_lengths(struct vcpu *vcpu);
void simd_state_write_lengths(struct vcpu *vcpu);
/*
 * Set limits, no larger than the VM's, in ZCR_EL2 and SMCR_EL2 while the state is live; CPTR_EL2
 * open.
 */
void simd_state_limit(struct vcpu *vcpu, u64 zcr, u64 smcr);

/* ZCR_EL2 and SMCR_EL2 of a VM with these largest lengths; 0 for a length of 0. */
u64 simd_zcr(u32 vl);
u64 simd_smcr(u32 svl);

/* Compute the values of CPTR_EL2 below, once feat is known. */
void simd_cptr_init(void);
/* CPTR_EL2 for a guest whose state is live, of a VM with these lengths. */
u64 simd_cptr_granted(const struct simd_vcpu *s);
/* Open CPTR_EL2 for EL2 itself: everything that the machine has. Synchronised. */
void simd_open(void);
/* Set all traps in CPTR_EL2. */
void simd_close(void);
/* Fill every register with garbage; inside a host section. */
void simd_scramble(void);
