/* SPDX-License-Identifier: Apache-2.0 */
/* Taking the machine down. */
#include "dev/power.h"

#include "arch/barrier.h"
#include "mm/machine.h"

#define PSCI_SYSTEM_OFF 0x84000008UL

s64 power_psci(u64 fid, u64 a1, u64 a2, u64 a3)
{
	register u64 x0 asm("x0") = fid;
	register u64 x1 asm("x1") = a1;
	register u64 x2 asm("x2") = a2;
	register u64 x3 asm("x3") = a3;

	asm volatile("smc #0"
		     : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)
		     :
		     : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
		       "x16", "x17", "memory");
	return (s64)x0;
}

noreturn void machine_halt(void)
{
	asm volatile("msr DAIFSet, #0xf");
	for (;;)
		wfi();
}

noreturn void machine_off(void)
{
	if (machine.psci_smc)
		power_psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	machine_halt();
}
