/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's LPIs: their property table, and what each redistributor needs to have them. */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

struct pcpu;

/*
 * Make the property table, all disabled. NULL, or why the machine's GIC can't have LPIs. Boot CPU,
 * after gicv3_cpu_init().
 */
const char *lpi_init(const struct machine *m);
/*
 * Enable LPIs at the calling CPU's redistributor, none pending. NULL, or why not: firmware may have
 * left them enabled with tables of its own, which hardware may not allow to be undone (IHI0069,
 * GICR_CTLR.EnableLPIs).
 */
const char *lpi_cpu_init(struct pcpu *cpu);
/* INTIDs for n LPIs, aligned to n, a power of two; 0: there are not so many. */
u32 lpi_alloc(u32 n);
/* Give back the last ones that were given out; others stay used. */
void lpi_free(u32 first, u32 n);
/* Write their bytes of the property table: effective with INVALL or INV. */
void lpi_enable(u32 first, u32 n, bool on);
