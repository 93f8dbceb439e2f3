/* SPDX-License-Identifier: Apache-2.0 */
/* The identity that a VM sees: ID registers as one table of features, whole or absent. */
#pragma once

#include "arch/idspace.h"
#include "lib/types.h"
#include "state/idregs.h"

struct vm_config;

/*
 * Compute what a VM of this configuration sees on this machine: per field the lesser of what the
 * machine has (feat_ids: its boot CPU) and what the table allows; a field that the
 * table does not list reads as not implemented. MPIDR_EL1 is each vcpu's own and is 0 here.
 * Pure.
 */
void idregs_init(struct idregs *id, const struct vm_config *config);

/*
 * Compare a secondary CPU's ID registers with the machine's: the name of the first register with a
 * field that some VM may see and that is less there, or NULL.
 */
const char *idregs_less(const u64 id[IDSPACE_SIZE]);
