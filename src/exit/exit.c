/* SPDX-License-Identifier: Apache-2.0 */
/* The only dispatch of synchronous exits: one row per exception class. */
#include "exit/exit.h"

#include "arch/esr.h"
#include "exit/abort.h"
#include "exit/hvc.h"
#include "exit/sysreg_emul.h"
#include "exit/wfx.h"
#include "nested/level.h"
#include "nested/vncr.h"
#include "simd/simd.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/reflect.h"

struct exit_row {
	enum verdict (*handle)(struct vcpu *vcpu, const struct exit *exit);
	enum exit_class class;
};

/* A class that no trap nidus sets can produce, or that the guest sees as UNDEFINED. */
static enum verdict exit_undef(struct vcpu *vcpu, const struct exit *exit)
{
	(void)vcpu;
	(void)exit;
	return UNDEF;
}

/* Only vEL2's ERETs trap (HCR_EL2.NV). */
static enum verdict eret_trap(struct vcpu *vcpu, const struct exit *exit)
{
	return vcpu->hyp ? level_eret(vcpu, exit) : UNDEF;
}

static const struct exit_row exit_other = { exit_undef, EXIT_CLASS_OTHER };

static const struct exit_row exit_table[64] = {
	[EC_UNKNOWN] = { exit_undef, EXIT_CLASS_UNKNOWN },
	[EC_WFX] = { wfx_trap, EXIT_CLASS_WFX },
	[EC_FP_ASIMD] = { simd_trap, EXIT_CLASS_FP_ASIMD },
	[EC_PAC] = { exit_undef, EXIT_CLASS_PAC },
	[EC_SVE] = { simd_trap, EXIT_CLASS_SVE },
	[EC_SME] = { simd_trap, EXIT_CLASS_SME },
	[EC_HVC64] = { hvc_trap, EXIT_CLASS_HVC },
	[EC_SMC64] = { smc_trap, EXIT_CLASS_SMC },
	[EC_SYS64] = { sysreg_trap, EXIT_CLASS_SYS },
	[EC_ERET] = { eret_trap, EXIT_CLASS_ERET },
	[EC_IABT_LOW] = { iabt_trap, EXIT_CLASS_IABT },
	[EC_DABT_LOW] = { dabt_trap, EXIT_CLASS_DABT },
	[EC_DABT_CUR] = { vncr_trap, EXIT_CLASS_DABT },
};

enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class)
{
	const struct exit_row *row = &exit_table[ESR_EC(exit->esr)];

	if (unlikely(!row->handle))
		row = &exit_other;
	*class = row->class;
	/* What L1 trapped of its guest is L1's, whoever else might want it. */
	if (unlikely(vcpu->has_el2)) {
		if (!vcpu->hyp && reflect_wanted(vcpu, exit))
			return REFLECT;
		if (reflect_undefined(vcpu, exit)) {
			vcpu->pc = exit->elr - 4; /* an HVC, which PC is behind */
			return UNDEF;
		}
	}
	return row->handle(vcpu, exit);
}
