/* SPDX-License-Identifier: Apache-2.0 */
/* INTIDs of a VM's PPIs, as BSA recommends them; its device tree says the same. */
#pragma once

#define GUEST_PPI_MAINT 25
#define GUEST_PPI_HYP_PHYS 26 /* the EL2 timers, which vEL2 uses for itself */
#define GUEST_PPI_VIRT 27
#define GUEST_PPI_HYP_VIRT 28
#define GUEST_PPI_SEC_PHYS 29 /* in the tree's list of timers only */
#define GUEST_PPI_PHYS 30
