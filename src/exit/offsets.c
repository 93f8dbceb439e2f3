/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants of C that vectors.S and boot/head.S need. Compiled to assembly only, from which the
 * Makefile makes offsets.h: a definition for each ->NAME VALUE.
 */
#include "arch/esr.h"
#include "arch/gicv3.h"
#include "arch/hcr.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "nested/level.h"
#include "state/vcpu.h"
#include "state/vncr.h"

#define EMIT(name, value) __asm__ volatile(".ascii \"->" name " %0\"" : : "i"((u64)(value)))
#define OFFSET(name, value) EMIT(#name, value)
#define VALUE(name) EMIT(#name, name)

void offsets(void);
void offsets(void)
{
	_Static_assert(offsetof(struct vcpu, gpr) == 0 && DONE == 0, "taken for granted");
	OFFSET(VCPU_VNCR, offsetof(struct vcpu, vncr));
	OFFSET(VCPU_LOCAL_ERETS, offsetof(struct vcpu, local_erets));
	OFFSET(VCPU_TIMERS_POLLED, offsetof(struct vcpu, timers_polled));
	OFFSET(VCPU_HOST_ERETS, offsetof(struct vcpu, host_erets));
	OFFSET(VCPU_FAST, offsetof(struct vcpu, fast));
	_Static_assert(offsetof(struct exit_row, fast) == 0 &&
			       !(sizeof(struct exit_row) & (sizeof(struct exit_row) - 1)),
		       "vectors.S indexes exit_table by a shift");
	OFFSET(EXIT_ROW_SHIFT, __builtin_ctzl(sizeof(struct exit_row)));
	OFFSET(VCPU_IN_VEL2, offsetof(struct vcpu, in_vel2));
	OFFSET(VCPU_MDSCR_QUIET, offsetof(struct vcpu, mdscr_quiet));
	OFFSET(VCPU_CPACR, offsetof(struct vcpu, sr[SR_CPACR_EL1]));
	VALUE(VNCR_HCR_EL2);
	VALUE(VNCR_MDSCR_EL1);
	VALUE(VNCR_ICH_HCR_EL2);
	OFFSET(HCR_TGE_BIT, __builtin_ctzl(HCR_TGE));
	OFFSET(HCR_IMO_FMO, HCR_IMO | HCR_FMO);
	OFFSET(ICH_HCR_EN_BIT, __builtin_ctzl(ICH_HCR_EN));
	VALUE(PSTATE_M);
	VALUE(PSTATE_EL2T);
	VALUE(PSTATE_EL2H);
	VALUE(LEVEL_SPSR);
	VALUE(ESR_EC_SHIFT);
	VALUE(EC_ERET);
	VALUE(ERETA_BIT);
	VALUE(SYS64_RT_SHIFT);
	VALUE(DABT_SRT_SHIFT);
	VALUE(DONE_GPRS);
	VALUE(EXIT_SYNC);
	VALUE(EXIT_IRQ);
	VALUE(EXIT_FIQ);
	VALUE(EXIT_SERROR);
	/* MMU, caches, alignment checks and PAuth off; FP, SVE and SME not trapped. */
	OFFSET(BOOT_HCR, HCR_RW | HCR_AMO | HCR_IMO | HCR_FMO);
	OFFSET(BOOT_HCR_E2H, HCR_E2H);
	OFFSET(BOOT_SCTLR, SCTLR_EL2_RES1);
	OFFSET(EFI_SCTLR_OFF, SCTLR_M | SCTLR_C | SCTLR_I);
	OFFSET(BOOT_CPTR, CPTR_FPEN | CPTR_ZEN | CPTR_SMEN);
}
