/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that only running a few instructions at EL1, before any guest, can show. */
#pragma once

/*
 * Whether CNTPOFF_EL2 offsets the counter that EL1 sees; tells vtimer. Boot CPU, before any vcpu
 * runs.
 */
void probe_cntpoff(void);
/*
 * Fill in feat.cpacr_tcpac, cntkctl_el2, cnthctl_by_cntkctl. Boot CPU, before any vcpu is loaded.
 */
void probe_el1(void);
