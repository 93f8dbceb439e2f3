/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookup and names of sysreg.def's rows. Searches are switches: the compiler makes balanced trees
 * of them.
 */
#include "arch/sysreg_table.h"

#include "arch/esr.h"
#include "lib/log.h"

enum sysreg_id sysreg_find(u32 key)
{
	/* Two rows with one encoding would not compile here. */
	switch (key) {
#define SYSREG(name, ...)                                                                          \
	case KEY_##name:                                                                           \
		return SR_##name;
#include "arch/sysreg.def"
#undef SYSREG
	}
	return SR_COUNT;
}

const char *sysreg_name(enum sysreg_id id)
{
	switch (id) {
#define SYSREG(name, ...)                                                                          \
	case SR_##name:                                                                            \
		return #name;
#include "arch/sysreg.def"
#undef SYSREG
	case SR_COUNT:
		break;
	}
	return "?";
}

void sysreg_text(char *buf, u32 key)
{
	u32 op0 = (u32)SYS64_OP0(key), op1 = (u32)SYS64_OP1(key);
	u32 crn = (u32)SYS64_CRN(key), crm = (u32)SYS64_CRM(key), op2 = (u32)SYS64_OP2(key);

	if (op0 == 1)
		snprintf(buf, SYSREG_TEXT_MAX, "SYS #%u, C%u, C%u, #%u", op1, crn, crm, op2);
	else
		snprintf(buf, SYSREG_TEXT_MAX, "S%u_%u_C%u_C%u_%u", op0, op1, crn, crm, op2);
}
