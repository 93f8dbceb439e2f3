/* SPDX-License-Identifier: Apache-2.0 */
/* What can only be found out by running a few instructions at EL1, before any guest. */
#include "boot/probe.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "exit/run.h"
#include "mm/addr.h"
#include "mm/page.h"
#include "state/vcpu.h"
#include "vtimer/vtimer.h"

#define INSN_MRS_X0_CNTPCT 0xd53be020u
#define INSN_HVC 0xd4000002u
#define PSTATE_EL1H_MASKED 0x3c5
#define SCTLR_EL1_OFF 0x30d00980UL
#define FAR_OFFSET BIT(40)

static u64 end_at_exit(struct vcpu *vcpu, u64 kind)
{
	(void)vcpu;
	(void)kind;
	return 1;
}

/* Run MRS X0, CNTPCT_EL0 at EL1 with both stages off, and give what it read. */
static u64 el1_counter(struct vcpu *scratch, u64 code)
{
	u32 *insn = pa_ptr(pa(code));

	insn[0] = INSN_MRS_X0_CNTPCT;
	insn[1] = INSN_HVC;
	/*
	 * To the PoC: with both MMUs and SCTLR_EL1.I off the fetch is Non-cacheable, and looks in
	 * no cache before memory.
	 */
	cache_clean_line((u64)insn);
	dsb(ish);
	icache_drop_all();
	dsb(ish);
	isb();
	sysreg_write(SCTLR_EL12, SCTLR_EL1_OFF);
	sysreg_write(ELR_EL2, code);
	sysreg_write(SPSR_EL2, PSTATE_EL1H_MASKED);
	vcpu_enter(scratch, end_at_exit);
	return scratch->gpr[0];
}

/*
 * ID_AA64MMFR0_EL1.ECV can promise an offset that never comes (an emulator without EL3 that waits
 * for SCR_EL3.ECVEn), so look at what EL1 really reads.
 */
void probe_cntpoff(void)
{
	u64 page, direct, cnthctl;

	if (!feat.ecv_poff)
		return;
	page = page_alloc(1); /* a vcpu to enter with, and a page of code behind it */
	if (!page)
		return;
	page_zero(page, 2 * PAGE_SIZE);
	cnthctl = sysreg_read(CNTHCTL_EL2);
	sysreg_write(CNTPOFF_EL2, FAR_OFFSET);
	sysreg_write(CNTHCTL_EL2, CNTHCTL_EL1PCTEN | CNTHCTL_ECV);
	direct = counter_now();
	vtimer_set_cntpoff(el1_counter(pa_ptr(pa(page)), page + PAGE_SIZE) - direct >
			   FAR_OFFSET * 2);
	sysreg_write(CNTPOFF_EL2, 0);
	sysreg_write(CNTHCTL_EL2, cnthctl);
	page_free(page, 1);
}

/*
 * At a virtual EL2 that has FEAT_NV2 the _EL12 names are words of memory, which keep anything, RES0
 * bits as well, and say nothing of the registers. VBAR_EL1's low bits are the ones that no CPU
 * keeps (of CPACR_EL1's, QEMU 10.0 keeps all).
 */
static bool el12_is_memory(void)
{
	u64 vbar = sysreg_read(VBAR_EL12);
	bool kept;

	sysreg_write(VBAR_EL12, vbar ^ BIT(0));
	kept = (sysreg_read(VBAR_EL12) ^ vbar) & BIT(0);
	sysreg_write(VBAR_EL12, vbar);
	return kept;
}

void probe_el1(void)
{
	u64 cpacr = sysreg_read(CPACR_EL12);

	sysreg_write(CPACR_EL12, cpacr | CPTR_TCPAC);
	feat.cpacr_tcpac = (sysreg_read(CPACR_EL12) & CPTR_TCPAC) && !el12_is_memory();
	sysreg_write(CPACR_EL12, cpacr);
	sysreg_write(CNTKCTL_EL12, CNTHCTL_EL2_ONLY);
	feat.cntkctl_el2 = sysreg_read(CNTKCTL_EL12) & CNTHCTL_EL2_ONLY;
	sysreg_write(CNTKCTL_EL12, 0);
}
