/* SPDX-License-Identifier: Apache-2.0 */
/* Properties that only running a few instructions at EL1, before any guest, can show. */
#include "boot/probe.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/feat.h"
#include "arch/hcr.h"
#include "arch/pstate.h"
#include "arch/sctlr.h"
#include "arch/sysreg.h"
#include "exit/run.h"
#include "mm/addr.h"
#include "mm/page.h"
#include "simd/simd.h"
#include "state/vcpu.h"
#include "vtimer/vtimer.h"

#define INSN_MRS_X0_CNTPCT 0xd53be020u
#define INSN_MSR_CPACR_X0 0xd5181040u
#define INSN_MRS_X0_CPACR 0xd5381040u
#define INSN_NOP 0xd503201fu
#define INSN_HVC 0xd4000002u
#define PROBE_OFFSET BIT(40)

static u64 end_at_exit(struct vcpu *vcpu, u64 kind)
{
	(void)vcpu;
	(void)kind;
	return 1;
}

/* Run two instructions at EL1 with both stages off: x0 before and after. */
static u64 run_at_el1(struct vcpu *scratch, u64 code, u32 first, u32 second, u64 x0)
{
	u32 *insn = pa_ptr(pa(code));

	insn[0] = first;
	insn[1] = second;
	insn[2] = INSN_HVC;
	/*
	 * To the PoC: with both MMUs and SCTLR_EL1.I off the fetch is Non-cacheable, and bypasses
	 * the caches.
	 */
	cache_clean_line((u64)insn);
	dsb(ish);
	icache_drop_all();
	dsb(ish);
	isb();
	sysreg_write(SCTLR_EL12, SCTLR_EL1_RES1);
	sysreg_write(ELR_EL2, code);
	sysreg_write(SPSR_EL2, PSTATE_EL1H_MASKED);
	scratch->gpr[0] = x0;
	vcpu_enter(scratch, end_at_exit);
	return scratch->gpr[0];
}

/* The same with a vcpu to enter, and a page for the code. False: no memory for them. */
static bool at_el1(u32 first, u32 second, u64 *x0)
{
	u64 page = page_alloc(1);

	if (!page)
		return false;
	page_zero(page, 2 * PAGE_SIZE);
	*x0 = run_at_el1(pa_ptr(pa(page)), page + PAGE_SIZE, first, second, *x0);
	page_free(page, 1);
	return true;
}

/*
 * ID_AA64MMFR0_EL1.ECV can announce an offset that has no effect (an emulator without EL3 that
 * waits for SCR_EL3.ECVEn), so test what EL1 actually reads.
 */
void probe_cntpoff(void)
{
	u64 direct, cnthctl, count = 0;

	if (!feat.ecv_poff)
		return;
	cnthctl = sysreg_read(CNTHCTL_EL2);
	sysreg_write(CNTPOFF_EL2, PROBE_OFFSET);
	sysreg_write(CNTHCTL_EL2, CNTHCTL_EL1PCTEN | CNTHCTL_ECV);
	direct = counter_now();
	vtimer_set_cntpoff(at_el1(INSN_MRS_X0_CNTPCT, INSN_NOP, &count) &&
			   count - direct > PROBE_OFFSET * 2);
	sysreg_write(CNTPOFF_EL2, 0);
	sysreg_write(CNTHCTL_EL2, cnthctl);
}

/*
 * Whether EL1's CPACR_EL1 keeps TCPAC. By the name CPACR_EL12 it would be a word of memory at a
 * virtual EL2 that has FEAT_NV2, which keeps anything.
 */
static bool cpacr_keeps_tcpac(void)
{
	u64 v = CPTR_TCPAC;
	bool ran;

	simd_host_begin(); /* CPACR_EL1 does not trap in between */
	ran = at_el1(INSN_MSR_CPACR_X0, INSN_MRS_X0_CPACR, &v);
	simd_host_end();
	return ran && (v & CPTR_TCPAC);
}

/* Whether the bits of CNTHCTL_EL2 that CNTKCTL_EL1 lacks can be written by that name as well. */
static bool cnthctl_by_cntkctl(void)
{
	u64 was = sysreg_read(CNTHCTL_EL2), kept;
	bool same;

	sysreg_write(CNTHCTL_EL2, CNTHCTL_EL2_ONLY);
	kept = sysreg_read(CNTHCTL_EL2);
	sysreg_write(CNTHCTL_EL2, 0);
	sysreg_write(CNTKCTL_EL1, CNTHCTL_EL2_ONLY);
	same = sysreg_read(CNTHCTL_EL2) == kept;
	sysreg_write(CNTHCTL_EL2, was);
	return same;
}

void probe_el1(void)
{
	feat.cpacr_tcpac = cpacr_keeps_tcpac();
	sysreg_write(CNTKCTL_EL12, CNTHCTL_EL2_ONLY);
	feat.cntkctl_el2 = sysreg_read(CNTKCTL_EL12) & CNTHCTL_EL2_ONLY;
	sysreg_write(CNTKCTL_EL12, 0);
	feat.cnthctl_by_cntkctl = cnthctl_by_cntkctl();
}
