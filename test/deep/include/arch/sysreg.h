/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers of the deep model's machine. Replaces src/arch/sysreg.h. Each of the two nidus
 * has its own model_read() and model_write(): one is at EL2, the other at EL1 with FEAT_NV2.
 */
#pragma once

#include "arch/pstate.h"
#include "lib/types.h"

enum reg {
#define REG(name, ...) R_##name,
#include "machine.def"
	R_COUNT
};

u64 model_read(enum reg r);
void model_write(enum reg r, u64 v);

/* By the register that is meant: CPTR_EL2 is CPACR_EL1 to nidus. */
#define SYSREG_ID_(name) R_##name
#define SYSREG_ID(name) SYSREG_ID_(name)
#define sysreg_read(name) model_read(SYSREG_ID(name))
#define sysreg_write(name, v) model_write(SYSREG_ID(name), (u64)(v))
