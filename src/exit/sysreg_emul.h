/* SPDX-License-Identifier: Apache-2.0 */
/* Trapped MRS, MSR and SYS instructions: decoding, lookup, and the EMUL rows of sysreg.def. */
#pragma once

#include "arch/sysreg_table.h"
#include "lib/types.h"
#include "state/exit.h"

struct vcpu;

/*
 * Handle a trapped MRS, MSR or SYS (EC 0x18). SKIP: emulated. UNDEF: the register does not exist
 * for this VM, is not accessible in this direction or at EL0; logged once per VM and encoding. Else
 * the handler's verdict. Run loop of a loaded vcpu.
 */
enum verdict sysreg_trap(struct vcpu *vcpu, const struct exit *exit);
/*
 * The same for frequent accesses of vEL2, from ESR_EL2 and PSTATE alone; vcpu->pc and exit.esr are
 * set. PASS: nothing was done, sysreg_trap() decides.
 */
enum verdict sysreg_vel2(struct vcpu *vcpu, u64 esr, u64 pstate);
/* vcpu->vel2_fn of a vEL2 with VHE or without. */
sysreg_fn *const *sysreg_vel2_table(bool nvhe);

sysreg_fn emul_raz_wi; /* reads as zero, ignores writes */
sysreg_fn emul_raz;    /* reads as zero, read-only */
sysreg_fn emul_sgi;    /* ICC_SGI1R_EL1, ICC_SGI0R_EL1, ICC_ASGI1R_EL1 */
sysreg_fn emul_dir;    /* ICC_DIR_EL1 */
sysreg_fn emul_count;  /* CNTPCT_EL0, CNTPCTSS_EL0 */
sysreg_fn emul_timer;  /* CNTP_{TVAL,CTL,CVAL}_EL0 */
sysreg_fn emul_aidr;
sysreg_fn emul_smidr;
sysreg_fn emul_ccsidr;
sysreg_fn emul_ccsidr2;
sysreg_fn emul_clidr;
sysreg_fn emul_csselr;
sysreg_fn emul_ctr;
sysreg_fn emul_smpri;
