/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Barriers of the fake machine, counted. A guest that ran leaves table walks under way
 * (fake_walks); only a DSB for more than stores completes them.
 */
#pragma once

#include <stdbool.h>

extern unsigned fake_isbs, fake_dsbs;
/* Set by a test: EL1&0 walks are under way. */
extern bool fake_walks;
/* Writes to registers of the EL1&0 regime during that time. */
extern unsigned fake_walk_races;

void fake_dsb(const char *domain);

#define isb() ((void)fake_isbs++)
#define dsb(domain) fake_dsb(#domain)
#define dmb(domain) ((void)0)
#define wfi() ((void)0)
#define sev() ((void)0)

static inline void cpu_relax(void)
{
}
