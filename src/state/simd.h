/* SPDX-License-Identifier: Apache-2.0 */
/* The owner of a CPU's SIMD registers, and the SIMD state of a vcpu: only src/simd writes these. */
#pragma once

#include "lib/types.h"

struct cpu;
struct simd_state;
struct vcpu;

/* Per physical CPU; only that CPU touches it, with interrupts masked. */
struct simd_cpu {
	struct vcpu *owner; /* whose state is in the registers; NULL: nobody's */
	bool host;          /* inside a host section */
	u64 daif;           /* in a host section: the interrupt masks to restore */
};

/* Per vcpu; only the CPU that has it loaded touches it. */
struct simd_vcpu {
	struct cpu *cpu;          /* where its state is live, or NULL: it is in memory */
	struct simd_state *state; /* its save area in memory, the home */
	u32 vl, svl;              /* the VM's largest vector lengths in bytes; 0: no SVE, no SME */
	u64 zcr, smcr, cptr;      /* what ZCR_EL2, SMCR_EL2 and CPTR_EL2 hold while it is live */
	/*
	 * If it has EL2 (simd_level.c): what ZCR_EL2, SMCR_EL2 hold now; the home's EL1 lengths are
	 * vEL1's.
	 */
	u64 zcr_now, smcr_now;
	bool vel1;
	bool levels_same; /* nothing differs between its levels: no SVE, no SME, no simd=switch */
	/* Times loaded, times written back, bytes moved by both, host sections while loaded. */
	u64 claims, flushes, bytes, host_sections;
};
