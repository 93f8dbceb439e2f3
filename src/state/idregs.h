/* SPDX-License-Identifier: Apache-2.0 */
/* The ID registers of a VM. */
#pragma once

#include "arch/idspace.h"
#include "lib/types.h"

/* op0=3 op1=0 CRn=0 CRm=0..7 op2=0..7: index CRm * 8 + op2. */
struct idregs {
	u64 v[IDSPACE_SIZE];
};
