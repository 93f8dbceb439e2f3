/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESR_ELx: exception classes and the syndrome fields that nidus reads or makes up.
 * Values are Arm's (DDI 0487, ESR_EL2); ISS encodings are named after their exception class.
 */
#pragma once

#include "lib/types.h"

#define ESR_EC_SHIFT 26
#define ESR_EC(esr) FIELD(esr, 31, 26)
#define ESR_IL BIT(25) /* 32-bit instruction */
#define ESR_ISS(esr) FIELD(esr, 24, 0)
#define ESR_ISS2(esr) FIELD(esr, 55, 32)

#define EC_UNKNOWN 0x00UL
#define EC_WFX 0x01UL
#define EC_FP_ASIMD 0x07UL
#define EC_PAC 0x09UL
#define EC_LS64 0x0aUL
#define EC_BTI 0x0dUL
#define EC_ILLEGAL 0x0eUL
#define EC_SVC64 0x15UL
#define EC_HVC64 0x16UL
#define EC_SMC64 0x17UL
#define EC_SYS64 0x18UL
#define EC_SVE 0x19UL
#define EC_ERET 0x1aUL
#define EC_PAC_FAIL 0x1cUL
#define EC_SME 0x1dUL
#define EC_IABT_LOW 0x20UL
#define EC_IABT_CUR 0x21UL
#define EC_PC_ALIGN 0x22UL
#define EC_DABT_LOW 0x24UL
#define EC_DABT_CUR 0x25UL
#define EC_SP_ALIGN 0x26UL
#define EC_MOPS 0x27UL
#define EC_FP_EXC64 0x2cUL
#define EC_GCS 0x2dUL
#define EC_SERROR 0x2fUL
#define EC_BREAKPT_LOW 0x30UL
#define EC_BREAKPT_CUR 0x31UL
#define EC_SOFTSTP_LOW 0x32UL
#define EC_SOFTSTP_CUR 0x33UL
#define EC_WATCHPT_LOW 0x34UL
#define EC_WATCHPT_CUR 0x35UL
#define EC_BRK64 0x3cUL

/*
 * Whether FAR_EL2 may be valid, and HPFAR_EL2 for aborts: some classes from 0x20 on have it
 * (aborts, misaligned PC and SP, debug exceptions). Those below are traps of instructions, which
 * have neither.
 */
#define ESR_HAS_FAR(esr) ((esr) & BIT(31))

#define ESR(ec, iss) (((ec) << ESR_EC_SHIFT) | ESR_IL | (iss))

/* EC_WFX. RN is valid for the T variants if RV is set. */
#define WFX_TI(esr) FIELD(esr, 1, 0) /* 0 WFI, 1 WFE, 2 WFIT, 3 WFET */
#define WFX_RV(esr) FIELD(esr, 2, 2)
#define WFX_RN(esr) FIELD(esr, 9, 5)

/* EC_HVC64, EC_SMC64, EC_SVC64 */
#define ESR_HVC_IMM(esr) FIELD(esr, 15, 0)

/* EC_SYS64. The five encoding fields together: SYSREG_KEY_MASK of arch/sysreg_table.h. */
#define SYS64_READ(esr) FIELD(esr, 0, 0)
#define SYS64_CRM(esr) FIELD(esr, 4, 1)
#define SYS64_RT_SHIFT 5
#define SYS64_RT(esr) FIELD(esr, 9, 5)
#define SYS64_CRN(esr) FIELD(esr, 13, 10)
#define SYS64_OP1(esr) FIELD(esr, 16, 14)
#define SYS64_OP2(esr) FIELD(esr, 19, 17)
#define SYS64_OP0(esr) FIELD(esr, 21, 20)

/* EC_FP_ASIMD of an A64 instruction: CV, COND = always */
#define FP_COND_ALWAYS (BIT(24) | 0xeUL << 20)

/* EC_ERET. ERETA_BIT: ERET_ERETA() */
#define ERETA_BIT 1
#define ERET_A(esr) FIELD(esr, 0, 0)    /* which key, if ERETA */
#define ERET_ERETA(esr) FIELD(esr, ERETA_BIT, ERETA_BIT)

/* EC_SME: what was wrong */
#define SME_SMTC(esr) FIELD(esr, 2, 0)
#define SME_SMTC_ZT0 4UL

/* EC_IABT_*, EC_DABT_* */
#define ABT_FSC(esr) FIELD(esr, 5, 0)
#define ABT_FSC_MASK MASK(5, 0)
#define ABT_S1PTW BIT(7)
#define ABT_EA BIT(9)
#define ABT_FNV BIT(10) /* FAR not valid */
#define DABT_WNR BIT(6)
#define DABT_CM BIT(8)
#define DABT_VNCR BIT(13)
#define DABT_AR BIT(14)
#define DABT_SF BIT(15)
#define DABT_SRT_SHIFT 16
#define DABT_SRT(esr) FIELD(esr, 20, 16)
#define DABT_SSE BIT(21)
#define DABT_SAS(esr) FIELD(esr, 23, 22)
#define DABT_ISV BIT(24)

/* Fault status codes; the low two bits of the first four and of SEA_TTW are the level. */
#define ESR_FSC_ADDR_SIZE 0x00UL
#define ESR_FSC_TRANSLATION 0x04UL
#define ESR_FSC_ACCESS 0x08UL
#define ESR_FSC_PERMISSION 0x0cUL
#define ESR_FSC_SEA 0x10UL     /* synchronous external abort, not on a walk */
#define ESR_FSC_SEA_TTW 0x14UL /* on a walk, plus level */
/* Those of the memory system, parity and ECC among them; 0x11 is MTE's. */
#define ESR_FSC_EXTERNAL(fsc) ((fsc) >= ESR_FSC_SEA && (fsc) < 0x20 && (fsc) != 0x11)
#define ESR_FSC_ALIGNMENT 0x21UL
#define ESR_FSC_TLB_CONFLICT 0x30UL
#define ESR_FSC_DEBUG 0x22UL
#define STEP_ISV BIT(24) /* EC_SOFTSTP: the instruction was stepped, and ISS.EX says what it was */
#define ESR_FSC_EXCLUSIVE 0x35UL
#define ESR_FSC_TYPE(esr) (ABT_FSC(esr) & 0x3c)
#define ESR_FSC_LEVEL(esr) (ABT_FSC(esr) & 3)

/* HPFAR_EL2.FIPA is IPA[51:12] in bits 43:4. */
#define HPFAR_FIPA MASK(43, 4)
#define HPFAR_IPA(hpfar) (((hpfar)&HPFAR_FIPA) << 8)
#define HPFAR_MAKE(ipa) ((ipa) >> 12 << 4)
