/* SPDX-License-Identifier: Apache-2.0 */
/* The report of an exception that nidus took itself. */
#include "lib/check.h"
#include "lib/types.h"

extern char __image_start[];

void el2_panic(u64 kind, u64 esr, u64 elr, u64 far);

/* Report and halt. Called by vectors.S, on whatever stack is usable. */
void el2_panic(u64 kind, u64 esr, u64 elr, u64 far)
{
	panic("unexpected exception in nidus (vector %lu): ESR_EL2 0x%lx ELR_EL2 0x%lx (image + "
	      "0x%lx) "
	      "FAR_EL2 0x%lx%s",
	      kind, esr, elr, elr - (u64)__image_start, far, kind == 8 ? ": stack overflow" : "");
}
