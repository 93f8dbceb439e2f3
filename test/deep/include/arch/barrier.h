/* SPDX-License-Identifier: Apache-2.0 */
/* The deep model's barriers: only ISB means something to its machine. */
#pragma once

void model_isb(void);

#define isb() model_isb()
#define dsb(domain) ((void)0)
#define dmb(domain) ((void)0)
#define wfi() ((void)0)
#define sev() ((void)0)

static inline void cpu_relax(void)
{
}
