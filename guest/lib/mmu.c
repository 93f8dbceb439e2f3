/* SPDX-License-Identifier: Apache-2.0 */
/* One level-1 table of 1 GiB blocks, 39-bit addresses. */
#include "mmu.h"

#include "cpu.h"
#include "exception.h"
#include "level.h"

#define DESC_BLOCK 1UL
#define DESC_ATTR(n) ((u64)(n) << 2)
#define DESC_EL0 BIT(6)
#define DESC_AP1 BIT(6)
#define DESC_SH_INNER (3UL << 8)
#define DESC_AF BIT(10)
#define DESC_PXN BIT(53)
#define DESC_UXN BIT(54)

#define ATTR_DEVICE 0 /* Device-nGnRE */
#define ATTR_NORMAL 1 /* write-back */
#define MAIR 0xff04UL
#define SCTLR_E2H0 0x30c50830UL /* its RES1 bits */

/*
 * 39-bit addresses by TTBR0 only, 4 KiB granule, write-back inner shareable walks, 16-bit ASIDs
 * off.
 */
#define TCR (25UL | 1UL << 8 | 1UL << 10 | 3UL << 12 | 1UL << 23)

static u64 table[512] __attribute__((aligned(4096)));
/* The format of EL2 without VHE: bit 54 is XN, 53 RES0, AP[1] RES1; there is no lower level. */
static u64 table_e2h0[512] __attribute__((aligned(4096)));

static u64 device(u64 index)
{
	return index << 30 | DESC_BLOCK | DESC_ATTR(ATTR_DEVICE) | DESC_AF | DESC_UXN | DESC_PXN;
}

static u64 device_e2h0(u64 index)
{
	return (device(index) & ~DESC_PXN) | DESC_AP1;
}

void mmu_build(void)
{
	u64 i;

	for (i = 0; i < 256; i++) {
		u64 normal =
			i << 30 | DESC_BLOCK | DESC_ATTR(ATTR_NORMAL) | DESC_SH_INNER | DESC_AF;

		table[i] = i ? normal | DESC_UXN : device(0);
		table[256 + i] = i ? normal | DESC_EL0 | DESC_PXN : device(0) | DESC_EL0;
		table_e2h0[i] = i ? normal | DESC_AP1 : device_e2h0(0);
	}
}

const u64 *mmu_table(void)
{
	return table;
}

static void invalidate(void)
{
	dsb(ish);
	if (at_e2h0())
		asm volatile("tlbi alle2is");
	else
		asm volatile("tlbi vmalle1is");
	dsb(ish);
	isb();
}

/* The registers that turn on the MMU of EL2 without VHE. */
void mmu_e2h0(struct mmu_registers *r)
{
	u64 range = FIELD(sysreg_read(ID_AA64MMFR0_EL1), 3, 0);

	r->mair = MAIR;
	r->tcr = (TCR & MASK(15, 0)) | MIN(range, 5UL) << 16 | BIT(31) | BIT(23);
	r->ttbr0 = (u64)table_e2h0;
	r->sctlr = SCTLR_E2H0 | BIT(0) | BIT(2) | BIT(3) | BIT(12);
}

static void enable_e2h0(void)
{
	struct mmu_registers r;

	mmu_e2h0(&r);
	sysreg_write(MAIR_EL2, r.mair);
	sysreg_write(TCR_EL2, r.tcr);
	sysreg_write(TTBR0_EL2, r.ttbr0);
	isb();
	invalidate();
	sysreg_write(SCTLR_EL2, r.sctlr);
	isb();
}

void mmu_enable(void)
{
	u64 range = FIELD(sysreg_read(ID_AA64MMFR0_EL1), 3, 0);

	if (at_e2h0()) {
		enable_e2h0();
		return;
	}
	sysreg_write(MAIR_EL1, MAIR);
	sysreg_write(TCR_EL1, TCR | MIN(range, 5UL) << 32);
	sysreg_write(TTBR0_EL1, (u64)table);
	isb();
	invalidate();
	/* M, C, I; SA, and EL0 may use DC ZVA, WFI, WFE, CTR_EL0 and cache maintenance. */
	sysreg_write(SCTLR_EL1, 0x30d00800UL | BIT(0) | BIT(2) | BIT(3) | BIT(12) | BIT(14) |
					BIT(15) | BIT(16) | BIT(18) | BIT(26));
	isb();
}

void mmu_disable(void)
{
	sysreg_write(SCTLR_EL1, 0x30d00800UL);
	isb();
	invalidate();
}

void mmu_device(u64 a)
{
	u64 i = a >> 30 & 255;

	if (i && i != (u64)table >> 30) {
		table[i] = device(i);
		table[256 + i] = device(i) | DESC_EL0;
		table_e2h0[i] = device_e2h0(i);
		invalidate();
	}
}

u64 mmu_set(u64 va, u64 descriptor)
{
	u64 old = table[va >> 30 & 511];

	table[va >> 30 & 511] = descriptor;
	invalidate();
	return old;
}
