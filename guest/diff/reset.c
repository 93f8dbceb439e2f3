/* SPDX-License-Identifier: Apache-2.0 */
/* The state that every program begins with. */
#include "diff.h"

#include "regs.h"

u64 reset_gicr;

void reset_init(void)
{
	gic_dist_init();
	gic_cpu_init();
	reset_gicr = cpu_self()->gicr;
	run_hcr = HCR_ALWAYS | HCR_TGE | HCR_API | HCR_APK;
	sysreg_write(VBAR_EL1, (u64)run_vectors);
	isb();
	regs_init();
	memory_init();
	stage1_init();
}

/* Nothing enabled, pending or active, all in group 1, nothing masked except by PSTATE. */
static void interrupts_reset(void)
{
	u64 sgi = reset_gicr + GICR_SGI, i;

	sysreg_write(ICC_CTLR_EL1, 0);
	sysreg_write(ICC_AP0R0_EL1, 0);
	sysreg_write(ICC_AP1R0_EL1, 0);
	isb();
	write32(sgi + GIC_ICENABLER, ~0u);
	write32(sgi + GIC_ICPENDR, ~0u);
	write32(sgi + GIC_ICACTIVER, ~0u);
	write32(sgi + GIC_IGROUPR, ~0u);
	for (i = 0; i < 32; i++)
		write8(sgi + GIC_IPRIORITYR + i, own_priority((u32)i, 1));
	while (read32(reset_gicr + GICR_CTLR) & BIT(3))
		cpu_relax();
	sysreg_write(ICC_BPR0_EL1, 0);
	sysreg_write(ICC_BPR1_EL1, 0);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	sysreg_write(ICC_PMR_EL1, 0xf8);
	isb();
}

void reset_all(void)
{
	run_hcr = HCR_ALWAYS | HCR_TGE | HCR_API | HCR_APK;
	hcr_write(run_hcr);
	regs_reset();
	if (diff_el2)
		sysreg_write(VBAR_EL12, L2_VECTORS);
	interrupts_reset();
	memory_reset();
	stage1_reset();
	debug_reset();
	gic_reset();
}
