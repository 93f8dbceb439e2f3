/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2 without VHE (HCR_EL2.E2H = 0), at real or virtual EL2: the formats of its registers, EL1's
 * registers by their own names, its translation bit by bit, traps of EL1, stage 2, timers,
 * interrupts. Everything printed is the same on the bare machine.
 */
#include "nvhe/nvhe.h"

const char guest_name[] = "nvhe";

struct el2_seen seen;

/* PSTATE of the handler of a taken exception. */
static u64 handler_state(void)
{
	u64 pan = sysreg_read(S3_0_C4_C2_3); /* PAN */

	return pan | sysreg_read(DAIF) | sysreg_read(SPSel) | sysreg_read(CurrentEL);
}

static void note(const struct el2_frame *f, u64 kind)
{
	seen.count++;
	seen.kind = kind;
	seen.elr = f->elr;
	seen.spsr = f->spsr;
	seen.esr = f->esr;
	seen.far = f->far;
	seen.hpfar = f->hpfar;
	seen.handler_spsr = handler_state();
}

/* The exception returns to what the frame says. */
void el2_exception(struct el2_frame *f, u64 kind)
{
	u64 ec = ESR_EC(f->esr);

	if (kind == EL1_SYNC && f->esr == ESR_OF(EC_HVC, 1)) {
		u64 (*fn)(u64, u64, u64) = (u64(*)(u64, u64, u64))f->x[0];

		f->x[0] = fn(f->x[1], f->x[2], f->x[3]);
		return;
	}
	note(f, kind);
	if (kind == EL2_IRQ || kind == EL1_IRQ) {
		seen.intid = gic_ack();
		if (seen.intid == dt.ppi_virt) /* a level */
			sysreg_write(CNTV_CTL_EL0, 0);
		else if (seen.intid == 26)
			sysreg_write(CNTHP_CTL_EL2, 0);
		isb();
		gic_eoi(seen.intid);
	} else if (ec == EC_IABT || ec == EC_IABT_LOW || ec == EC_PC_ALIGN) {
		f->elr = f->x[30];
	} else if (ec != EC_HVC) {
		f->elr += 4;
	}
	if (seen.count > 1000)
		test_abort("EL2: kind %lu esr 0x%lx elr 0x%lx far 0x%lx", kind, f->esr, f->elr,
			   f->far);
}

WRITE_EL2(HCR_EL2)

void el2_hcr(u64 bits)
{
	el2_write(HCR_EL2, HCR_NVHE | bits);
}

void guest_main(void)
{
	if (sysreg_read(CurrentEL) != 1 << 2)
		test_abort("not at EL1");
	gic_dist_init();
	gic_cpu_init();
	group_register();
	group_walk();
	group_trap();
	group_interrupt();
}
