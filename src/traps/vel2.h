/* SPDX-License-Identifier: Apache-2.0 */
/* Creation, reset and trapped registers of a virtual EL2. */
#pragma once

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "lib/types.h"
#include "state/exit.h"
#include "state/vcpu.h"
#include "state/vncr.h"

struct vcpu;

/* Allocate the VNCR page of a new vcpu of a nested VM; -ENOMEM. Freed by vel2_destroy(). */
int vel2_init(struct vcpu *vcpu) must_check;
void vel2_destroy(struct vcpu *vcpu);
/*
 * Reset a vcpu to vEL2 after the reset of its EL1 registers: EL2's registers get their reset
 * values. Its references to shadows stay: they are counted, and do not depend on what vEL2 wants.
 */
void vel2_reset(struct vcpu *vcpu);

/* Registers of vEL2 that trap (EC 0x18); UNDEF to anything but vEL2. */
/* twin_<name>, home TWIN: in the EL1 register that stands for it. */
#define DECLARE_TWIN(function) sysreg_fn function;
#define DECLARE_BANK(function)
#define DECLARE_SWAP(function)
#define DECLARE_LIVE(function)
#define DECLARE_VNCR(function)
#define DECLARE_EMUL(function)
#define SYSREG(name, op0, op1, crn, crm, op2, home, ...) DECLARE_##home(twin_##name)
#include "arch/sysreg.def"
#undef DECLARE_TWIN
#undef DECLARE_BANK
#undef DECLARE_SWAP
#undef DECLARE_LIVE
#undef DECLARE_VNCR
#undef DECLARE_EMUL
sysreg_fn emul_el2;  /* in vcpu->sr only: HPFAR_EL2, MDCR_EL2 */
sysreg_fn emul_cptr; /* CPTR_EL2, and CPACR_EL1 as E2H redirects it */
/*
 * Where CPACR_EL1 can hold CPTR_EL2.TCPAC (as with FEAT_NV2p1), and no field of it must be kept
 * open, vEL2 writes its CPTR_EL2 by that name without a trap. vel2_cptr_quiet(): it has not written
 * it, or it traps. vel2_cptr_exit(): handle a write; after each exit, and before each ERET of its
 * own. vel2_cptr_record(): the same on the way to vEL1, for which CPTR_EL2 is loaded anyway; unless
 * vEL1 is entered, traps_update_cptr() must follow. vEL2, loaded.
 */
static inline bool vel2_cptr_quiet(const struct vcpu *vcpu)
{
	return sysreg_read(CPACR_EL12) == vcpu->sr[SR_CPACR_EL1];
}
void vel2_cptr_exit(struct vcpu *vcpu);
void vel2_cptr_record(struct vcpu *vcpu);

/*
 * Log, once in each boot of its VM, that vEL2's word HCR_EL2 has E2H = 0, or its TCR_EL2 the format
 * of that: nidus has no such EL2 here (E2H reads as written and means 1), and vEL2 will hardly run.
 * vel2_with_vhe() tests the word. Any context.
 */
void vel2_report_vhe(struct vcpu *vcpu);
static inline bool vel2_with_vhe(const struct vcpu *vcpu)
{
	return vncr_read(vcpu, VNCR_HCR_EL2) & HCR_E2H;
}

/* Compute sr[SR_CPACR_EL1] of the vEL2 context from its CPTR_EL2. */
void vel2_cpacr_load(struct vcpu *vcpu);
