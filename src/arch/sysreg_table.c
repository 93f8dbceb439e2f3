/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lookup and names of sysreg.def's rows: a table for op0 = 3, for the few others a switch, of which
 * the compiler makes a balanced tree.
 */
#include "arch/sysreg_table.h"

#include "arch/esr.h"
#include "lib/log.h"

_Static_assert(SR_COUNT < 255, "SR_<name> + 1 in a byte");

/*
 * Two rows with one encoding would not compile, here or below. Behind the end: where other rows'
 * entries do no harm.
 */
const u8 sysreg_index[SYSREG_INDEX_END + SR_COUNT] = {
#define SYSREG(name, op0, op1, crn, crm, op2, ...)                                                 \
	[(op0) == 3 ? SYSREG_INDEX(op1, crn, crm, op2) : SYSREG_INDEX_END + SR_##name] =           \
		SR_##name + 1,
#include "arch/sysreg.def"
#undef SYSREG
};

enum sysreg_id sysreg_find(u32 key)
{
	u32 row;

	if (likely(SYS64_OP0(key) == 3)) {
		row = sysreg_row(key);
		return row ? (enum sysreg_id)(row - 1) : SR_COUNT;
	}
	switch (key) {
#define CASE_2(name)                                                                               \
	case KEY_##name:                                                                           \
		return SR_##name;
#define CASE_3(name)
#define SYSREG(name, op0, ...) CASE_##op0(name)
#include "arch/sysreg.def"
#undef SYSREG
#undef CASE_2
#undef CASE_3
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
