/* SPDX-License-Identifier: Apache-2.0 */
/* Lookup and names of sysreg.def's rows. */
#include "arch/sysreg_table.h"

#include "arch/esr.h"
#include "lib/log.h"

_Static_assert(SR_COUNT <= 256, "SR_<name> in a byte");

/* Two rows with one encoding would not compile. */
#define INDEX_2(...)
#define INDEX_3(id, op1, crn, crm, op2) [SYSREG_INDEX(op1, crn, crm, op2)] = id,

const u8 sysreg_index[SYSREG_INDEX_END] = {
#define SYSREG(name, op0, op1, crn, crm, op2, ...) INDEX_##op0(SR_##name, op1, crn, crm, op2)
#include "arch/sysreg.def"
};

#undef INDEX_2
#undef INDEX_3
#define INDEX_2(id, op1, crn, crm, op2)                                                          \
	[(op1) == 0 || (op1) == 3 ? SYSREG_INDEX2(op1, crn, crm, op2) : -1] = id,
#define INDEX_3(...)

const u8 sysreg_index2[SYSREG_INDEX2_END] = {
#define SYSREG(name, op0, op1, crn, crm, op2, ...) INDEX_##op0(SR_##name, op1, crn, crm, op2)
#include "arch/sysreg.def"
};

const char *sysreg_name(enum sysreg_id id)
{
	switch (id) {
#define SYSREG(name, ...)                                                                          \
	case SR_##name:                                                                            \
		return #name;
#include "arch/sysreg.def"
	case SR_NONE:
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
