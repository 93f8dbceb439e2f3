/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Barriers of the fake machine: they can be counted. What a DSB does to table walks is kept as
 * well: a guest that ran leaves some under way (fake_walks), which only a DSB for more than stores
 * brings to an end.
 */
#pragma once

#include <stdbool.h>

extern unsigned fake_isbs, fake_dsbs;
/* Set by a test: EL1&0 walks are under way. */
extern bool fake_walks;
/* Writes of the EL1&0 regime's registers while they were. */
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
