/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ID register space (op0=3 op1=0 CRn=0 CRm=0..7): which registers exist in AArch64 state and
 * where. An encoding of CRm 1..7 that is not listed reads as zero, as the architecture reserves it.
 */
#pragma once

#include "lib/types.h"

#define IDSPACE_INDEX(crm, op2) ((crm)*8 + (op2))
#define IDSPACE_SIZE 64

/* MPIDR_EL1: Aff3, and Aff2 to Aff0. */
#define MPIDR_AFFINITY (MASK(39, 32) | MASK(23, 0))

/* X(name, CRm, op2) */
#define IDSPACE_REGS(X)                                                                            \
	X(MIDR_EL1, 0, 0)                                                                          \
	X(REVIDR_EL1, 0, 6)                                                                        \
	X(ID_AA64PFR0_EL1, 4, 0)                                                                   \
	X(ID_AA64PFR1_EL1, 4, 1)                                                                   \
	X(ID_AA64PFR2_EL1, 4, 2)                                                                   \
	X(ID_AA64ZFR0_EL1, 4, 4)                                                                   \
	X(ID_AA64SMFR0_EL1, 4, 5)                                                                  \
	X(ID_AA64FPFR0_EL1, 4, 7)                                                                  \
	X(ID_AA64DFR0_EL1, 5, 0)                                                                   \
	X(ID_AA64DFR1_EL1, 5, 1)                                                                   \
	X(ID_AA64DFR2_EL1, 5, 2)                                                                   \
	X(ID_AA64AFR0_EL1, 5, 4)                                                                   \
	X(ID_AA64AFR1_EL1, 5, 5)                                                                   \
	X(ID_AA64ISAR0_EL1, 6, 0)                                                                  \
	X(ID_AA64ISAR1_EL1, 6, 1)                                                                  \
	X(ID_AA64ISAR2_EL1, 6, 2)                                                                  \
	X(ID_AA64ISAR3_EL1, 6, 3)                                                                  \
	X(ID_AA64MMFR0_EL1, 7, 0)                                                                  \
	X(ID_AA64MMFR1_EL1, 7, 1)                                                                  \
	X(ID_AA64MMFR2_EL1, 7, 2)                                                                  \
	X(ID_AA64MMFR3_EL1, 7, 3)                                                                  \
	X(ID_AA64MMFR4_EL1, 7, 4)

/* IDX_MIDR_EL1 and so on: indices into an array of the whole space. */
enum idspace_index {
#define X(name, crm, op2) IDX_##name = IDSPACE_INDEX(crm, op2),
	IDSPACE_REGS(X)
#undef X
};
