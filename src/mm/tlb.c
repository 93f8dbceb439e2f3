/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB invalidation. TLBIs of the EL1&0 regime act on the VMID in VTTBR_EL2 while HCR_EL2.TGE=0,
 * which is always so in nidus: for another VM's, VTTBR_EL2 is changed for the moment. At EL2 the
 * EL1&0 regime is out of context: the CPU begins no walk of it. But walks that it began
 * speculatively before the exception go on until a DSB; without one they could end in the tables of
 * the new VTTBR_EL2, with the rest of the old regime, and what they find would be kept under the
 * VMID that is there then.
 */
#include "mm/tlb.h"

#include "arch/barrier.h"
#include "arch/cache.h"
#include "arch/sysreg.h"
#include "arch/tlbi.h"
#include "mm/addr.h"

u64 tlb_vmid_enter(u64 vttbr)
{
	u64 old = sysreg_read(VTTBR_EL2);

	if (old != vttbr) {
		dsb(ish); /* earlier walks end, and stores to tables are seen */
		sysreg_write(VTTBR_EL2, vttbr);
	} else {
		dsb(ishst);
	}
	/*
	 * Even if it was there already: stage2_load() leaves its write to be synchronised by an
	 * ERET.
	 */
	isb();
	return old;
}

void tlb_vmid_leave(u64 vttbr, u64 old)
{
	if (old != vttbr) {
		sysreg_write(VTTBR_EL2, old);
		isb();
	}
}

void tlb_invalidate_vmid(u64 vttbr)
{
	u64 old = tlb_vmid_enter(vttbr);

	tlbi(VMALLS12E1IS);
	dsb(ish);
	isb();
	tlb_vmid_leave(vttbr, old);
}

void tlb_invalidate_vmid_local(void)
{
	dsb(nshst);
	tlbi(VMALLE1);
	/*
	 * Instruction caches that are tagged by VMID and virtual address are as stale as the TLB.
	 */
	icache_drop_local();
	dsb(nsh);
	isb();
}

void tlb_invalidate_ipa(u64 vttbr, u64 ipa, u64 size)
{
	u64 old;

	if (size > TLB_RANGE_PAGES_MAX * PAGE_SIZE) {
		tlb_invalidate_vmid(vttbr);
		return;
	}
	old = tlb_vmid_enter(vttbr);
	for (u64 a = ipa; a < ipa + size; a += PAGE_SIZE)
		tlbi_addr(IPAS2E1IS, a >> PAGE_SHIFT);
	/*
	 * Entries that combine both stages are tagged by virtual address, which is unknown here.
	 * They go second: until the stage-2 entries are gone on all CPUs, new ones could be made
	 * from them.
	 */
	dsb(ish);
	tlbi(VMALLE1IS);
	dsb(ish);
	isb();
	tlb_vmid_leave(vttbr, old);
}

void tlb_invalidate_el2(u64 va, u64 size)
{
	dsb(ishst);
	if (size > TLB_RANGE_PAGES_MAX * PAGE_SIZE) {
		tlbi(ALLE2IS);
	} else {
		/* ASID 0 in the operand: all of nidus's entries are global. */
		for (u64 a = va; a < va + size; a += PAGE_SIZE)
			tlbi_addr(VAE2IS, FIELD(a, 55, 12));
	}
	dsb(ish);
	isb();
}

void tlb_invalidate_all_local(void)
{
	dsb(nshst);
	tlbi(ALLE1);
	dsb(nsh);
	isb();
}
