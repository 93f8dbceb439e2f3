/* SPDX-License-Identifier: Apache-2.0 */
/* VMIDs: the tags of stage-2 translations in the TLBs. */
#pragma once

#include "lib/types.h"

/*
 * Allocate a VMID: 1..255, or 1..65535 where the CPU has 16 bits (feat.vmid16); 0 means none.
 * -ENOSPC. Any CPU; takes a lock, a leaf. Least recently freed first, more or less: a full turn
 * lies between two uses of one.
 */
int vmid_alloc(u16 *vmid) must_check;
/* Give it back; nothing with it is left in any TLB (tlb_invalidate_vmid() comes first). */
void vmid_free(u16 vmid);
