/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers and hints. test/fake has a file of the same name for the host. */
#pragma once

#define isb() asm volatile("isb" ::: "memory")
#define dsb(domain) asm volatile("dsb " #domain ::: "memory")
#define dmb(domain) asm volatile("dmb " #domain ::: "memory")
#define wfi() asm volatile("wfi" ::: "memory")
#define sev() asm volatile("sev" ::: "memory")

/* An iteration of a polling loop. YIELD, not WFE: nobody is obliged to send an event. */
static inline void cpu_relax(void)
{
	asm volatile("yield" ::: "memory");
}
