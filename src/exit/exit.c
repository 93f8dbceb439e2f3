/* SPDX-License-Identifier: Apache-2.0 */
/* The only dispatch of synchronous exits: a row per exception class, with its fast paths if any. */
#include "exit/exit.h"

#include "arch/esr.h"
#include "exit/abort.h"
#include "exit/fast.h"
#include "exit/hvc.h"
#include "exit/hwerror.h"
#include "exit/sysreg_emul.h"
#include "exit/wfx.h"
#include "nested/level.h"
#include "nested/vncr.h"
#include "simd/simd.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "traps/reflect.h"

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
	return vcpu->in_vel2 ? level_eret(vcpu, exit) : UNDEF;
}

static const struct exit_row exit_other = { .handle = exit_undef, .class = EXIT_CLASS_OTHER };

/* ROW(exception class, handler, fast paths of vEL1 and of vEL2 or NULL, class for accounting) */
#define ROW(ec, handle, vel1, vel2, class) [ec] = { { vel1, vel2 }, handle, EXIT_CLASS_##class },
/* clang-format off */
const struct exit_row exit_table[64] = {
	ROW(EC_UNKNOWN, exit_undef, NULL, NULL, UNKNOWN)
	ROW(EC_WFX, wfx_trap, fast_trap, NULL, WFX)
	ROW(EC_FP_ASIMD, simd_trap, fast_trap, NULL, FP_ASIMD)
	ROW(EC_PAC, exit_undef, NULL, NULL, PAC)
	ROW(EC_SVE, simd_trap, fast_trap, NULL, SVE)
	ROW(EC_SME, simd_trap, fast_trap, NULL, SME)
	ROW(EC_HVC64, hvc_trap, fast_hvc, NULL, HVC)
	ROW(EC_SMC64, smc_trap, NULL, NULL, SMC)
	ROW(EC_SYS64, sysreg_trap, fast_trap, fast_sys_gprs, SYS)
	ROW(EC_ERET, eret_trap, fast_trap, fast_eret, ERET)
	ROW(EC_IABT_LOW, iabt_trap, fast_abort, NULL, IABT)
	ROW(EC_DABT_LOW, dabt_trap, fast_abort, fast_mmio_gprs, DABT)
	ROW(EC_DABT_CUR, vncr_trap, NULL, NULL, DABT)
};
/* clang-format on */
#undef ROW

static const struct exit_row *row_of(u64 esr)
{
	const struct exit_row *row = &exit_table[ESR_EC(esr)];

	return likely(row->handle) ? row : &exit_other;
}

enum exit_class exit_class(u64 esr)
{
	return row_of(esr)->class;
}

enum verdict exit_dispatch(struct vcpu *vcpu, const struct exit *exit, enum exit_class *class)
{
	const struct exit_row *row = row_of(exit->esr);

	*class = row->class;
	/* A trap that vEL2 set for its guest goes to vEL2, whoever else might want it. */
	if (unlikely(vcpu->has_vel2)) {
		if (!vcpu->in_vel2 && reflect_wanted(vcpu, exit)) {
			if (ESR_HAS_FAR(exit->esr))
				hwerror_abort(vcpu, exit);
			return REFLECT;
		}
		if (reflect_undefined(vcpu, exit)) {
			vcpu->pc = exit->elr - 4; /* an HVC, which PC is behind */
			return UNDEF;
		}
	}
	return row->handle(vcpu, exit);
}
