/* SPDX-License-Identifier: Apache-2.0 */
/* Which level of a guest's stage-1 walk met an address with nothing behind it. */
#include "vcpu/s1walk.h"

#include "arch/sysreg.h"
#include "vcpu/vcpu.h"
#include "vcpu/vm.h"

#define DESC_VALID 1UL
#define DESC_TABLE 2UL
#define TCR_T0SZ(tcr) FIELD(tcr, 5, 0)
#define TCR_T1SZ(tcr) FIELD(tcr, 21, 16)
#define TCR_TG0(tcr) FIELD(tcr, 15, 14) /* 0: 4 KiB, 1: 64 KiB, 2: 16 KiB */
#define TCR_TG1(tcr) FIELD(tcr, 31, 30) /* 2: 4 KiB, 3: 64 KiB, 1: 16 KiB */

struct walk {
	u64 table;
	u32 grain;   /* log2 of the granule */
	u32 va_bits;
};

/*
 * A size outside what the granule allows is as good as the nearest one that it does allow:
 * hardware that walked at all did so too, and the guest may have written TCR_EL1 since. The walk
 * below relies on it.
 */
static u32 va_bits_of(u64 txsz, u32 grain)
{
	u32 bits = 64 - (u32)txsz, most = grain == 16 ? 52 : 48;

	return bits > most ? most : MAX(bits, grain + 1);
}

static struct walk walk_of(va_t at)
{
	static const u8 grain0[4] = { 12, 16, 14, 12 }, grain1[4] = { 12, 14, 12, 16 };
	u64 tcr = sysreg_read(TCR_EL12);
	bool upper = at.a & BIT(55);
	u32 grain = upper ? grain1[TCR_TG1(tcr)] : grain0[TCR_TG0(tcr)];

	if (upper)
		return (struct walk){ sysreg_read(TTBR1_EL12), grain,
				      va_bits_of(TCR_T1SZ(tcr), grain) };
	return (struct walk){ sysreg_read(TTBR0_EL12), grain, va_bits_of(TCR_T0SZ(tcr), grain) };
}

int s1walk_fault_level(struct vcpu *vcpu, va_t at, u64 fault_ipa)
{
	struct walk w = walk_of(at);
	u32 bits = w.grain - 3; /* of index per level */
	u64 page = ALIGN_DOWN(fault_ipa, PAGE_SIZE);
	u64 va_in = at.a & (BIT(w.va_bits) - 1);
	/* AArch64.S1StartLevel: as many levels as the address bits above the granule need. */
	int level = 4 - (int)((w.va_bits - w.grain + bits - 1) / bits);
	u64 table = w.table & MASK(47, 1);

	for (; level < 3; level++) {
		u32 shift = w.grain + bits * (u32)(3 - level);
		u64 at_desc = table + ((va_in >> shift) & (BIT(bits) - 1)) * 8, desc;

		if (ALIGN_DOWN(at_desc, PAGE_SIZE) == page)
			return level;
		if (vm_read(vcpu->vm, ipa(at_desc), &desc, sizeof(desc)) ||
		    (desc & (DESC_VALID | DESC_TABLE)) != (DESC_VALID | DESC_TABLE))
			return level;
		table = desc & MASK(47, 0) & ~(BIT(w.grain) - 1);
	}
	return 3;
}
