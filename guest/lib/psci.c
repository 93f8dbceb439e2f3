/* SPDX-License-Identifier: Apache-2.0 */
/* SMCCC calls. */
#include "psci.h"

#include "dt.h"

#define SMCCC_CALL(insn)                                                                           \
	asm volatile(                                                                              \
		"ldp x0, x1, [%0]\n\tldp x2, x3, [%0, #16]\n\tldp x4, x5, [%0, #32]\n\t"           \
		"ldp x6, x7, [%0, #48]\n\tldp x8, x9, [%0, #64]\n\tldp x10, x11, [%0, #80]\n\t"    \
		"ldp x12, x13, [%0, #96]\n\tldp x14, x15, [%0, #112]\n\t"                          \
		"ldp x16, x17, [%0, #128]\n\t" insn " #0\n\t"                                      \
		"stp x0, x1, [%0]\n\tstp x2, x3, [%0, #16]\n\tstp x4, x5, [%0, #32]\n\t"           \
		"stp x6, x7, [%0, #48]\n\tstp x8, x9, [%0, #64]\n\tstp x10, x11, [%0, #80]\n\t"    \
		"stp x12, x13, [%0, #96]\n\tstp x14, x15, [%0, #112]\n\t"                          \
		"stp x16, x17, [%0, #128]"                                                         \
		:                                                                                  \
		: "r"(p)                                                                           \
		: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", \
		  "x13", "x14", "x15", "x16", "x17", "memory")

void smccc_hvc(struct smccc *r)
{
	register u64 *p asm("x19") = r->x;

	SMCCC_CALL("hvc");
}

void smccc_smc(struct smccc *r)
{
	register u64 *p asm("x19") = r->x;

	SMCCC_CALL("smc");
}

s64 psci_call(u32 fn, u64 a, u64 b, u64 c)
{
	struct smccc r = { { fn, a, b, c } };

	if (dt.psci_smc)
		smccc_smc(&r);
	else
		smccc_hvc(&r);
	return (s64)r.x[0];
}

void psci_system_off(void)
{
	psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		asm volatile("wfi");
}
