/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model machine's system registers. Replaces src/arch/sysreg.h; names are resolved by the
 * compiler.
 */
#pragma once

#include "arch/pstate.h"
#include "lib/types.h"

u64 model_read_cptr_el2(void);
u64 model_read_svcr(void);
u64 model_read_zcr_el12(void);
u64 model_read_smcr_el12(void);
u64 model_read_status(u32 which);
u64 model_read_daif(void);
u64 model_read_cpacr_el12(void);
u64 model_read_esr_el2(void);

void model_write_cptr_el2(u64 v);
void model_write_zcr_el2(u64 v);
void model_write_zcr_el12(u64 v);
void model_write_smcr_el2(u64 v);
void model_write_smcr_el12(u64 v);
void model_write_svcr(u64 v);
void model_write_status(u32 which, u64 v);
void model_write_daif(u64 v);
void model_write_cpacr_el12(u64 v);

enum { MODEL_FPCR, MODEL_FPSR, MODEL_FPMR };

static inline __attribute__((always_inline)) u64 model_sysreg_read(const char *name)
{
#define IF(n, f) \
	if (!__builtin_strcmp(name, n)) \
		return f
	IF("CPTR_EL2", model_read_cptr_el2());
	IF("SVCR", model_read_svcr());
	IF("ZCR_EL12", model_read_zcr_el12());
	IF("SMCR_EL12", model_read_smcr_el12());
	IF("FPCR", model_read_status(MODEL_FPCR));
	IF("FPSR", model_read_status(MODEL_FPSR));
	IF("FPMR", model_read_status(MODEL_FPMR));
	IF("DAIF", model_read_daif());
	IF("CPACR_EL12", model_read_cpacr_el12());
	IF("ESR_EL2", model_read_esr_el2());
	/* All guests run at EL1h, and vEL2 returns to that. */
	IF("SPSR_EL2", PSTATE_EL1H);
	IF("SPSR_EL12", PSTATE_EL1H);
	return 0;
#undef IF
}

static inline __attribute__((always_inline)) void model_sysreg_write(const char *name, u64 v)
{
#define IF(n, f) \
	if (!__builtin_strcmp(name, n)) \
		f
	IF("CPTR_EL2", model_write_cptr_el2(v));
	IF("ZCR_EL2", model_write_zcr_el2(v));
	IF("ZCR_EL12", model_write_zcr_el12(v));
	IF("SMCR_EL2", model_write_smcr_el2(v));
	IF("SMCR_EL12", model_write_smcr_el12(v));
	IF("SVCR", model_write_svcr(v));
	IF("FPCR", model_write_status(MODEL_FPCR, v));
	IF("FPSR", model_write_status(MODEL_FPSR, v));
	IF("FPMR", model_write_status(MODEL_FPMR, v));
	IF("DAIF", model_write_daif(v));
	IF("CPACR_EL12", model_write_cpacr_el12(v));
#undef IF
}

#define sysreg_read(name) model_sysreg_read(#name)
#define sysreg_write(name, v) model_sysreg_write(#name, (u64)(v))
