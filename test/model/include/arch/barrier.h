/* SPDX-License-Identifier: Apache-2.0 */
/* The barriers of both models' machines: only an ISB has an effect. */
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
