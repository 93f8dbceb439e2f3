/* SPDX-License-Identifier: Apache-2.0 */
/* ID registers of VMs, from one table of features, each complete or absent. */
#pragma once

#include "arch/idspace.h"
#include "lib/types.h"
#include "state/idregs.h"

struct vm_config;

/*
 * Compute the ID registers of a VM of this configuration on this machine: per field the lesser of
 * what the machine has (feat_ids: its boot CPU) and what the table permits; a field that the table
 * does not list reads as not implemented. MPIDR_EL1 is per vcpu and 0 here. Pure.
 */
void idregs_init(struct idregs *id, const struct vm_config *config);

/*
 * Compare a secondary CPU's ID registers with the machine's: returns the name of the first register
 * with a field that some VM may see and that is less there, or NULL.
 */
const char *idregs_less(const u64 id[IDSPACE_SIZE]);
