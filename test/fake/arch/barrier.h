/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers of the fake machine: nothing, but they can be counted. */
#pragma once

extern unsigned fake_isbs, fake_dsbs;

#define isb() ((void)fake_isbs++)
#define dsb(domain) ((void)fake_dsbs++)
#define dmb(domain) ((void)0)
#define wfi() ((void)0)
#define sev() ((void)0)

static inline void cpu_relax(void)
{
}
