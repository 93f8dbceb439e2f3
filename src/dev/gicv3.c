/* SPDX-License-Identifier: Apache-2.0 */
/* Driver of the machine's GICv3: distributor, redistributors, CPU interface. */
#include "dev/gicv3.h"

#include "arch/barrier.h"
#include "arch/gicv3.h"
#include "arch/mmio_access.h"
#include "arch/spinlock.h"
#include "arch/sysreg.h"
#include "dev/pcpu.h"

#define PRIORITY_DEFAULT 0xa0a0a0a0u /* four interrupts' */

static u8 *gicd;
static u32 intid_count; /* that the distributor implements */
static struct range gicr_region[MACHINE_GICR_MAX];
static u32 gicr_regions;
static u64 gicr_stride;
static struct spinlock icfgr_lock; /* ICFGR is the one register that is read, changed and written */

/* The registers of an SPI are in the distributor, those of a PPI at the same offsets in SGI_base.
 */
static u8 *frame(u32 intid)
{
	return intid < GIC_SPI ? (u8 *)pcpu_this()->gicr + GICR_SGI : gicd;
}

static u8 *bit_reg(u32 intid, u32 offset)
{
	return frame(intid) + offset + intid / 32 * 4;
}

/*
 * Wait until earlier writes have taken effect. Hardware that never finishes would be broken: the
 * wait is bounded.
 */
static void wait_rwp(u32 intid)
{
	u8 *ctlr = intid < GIC_SPI ? (u8 *)pcpu_this()->gicr + GICR_CTLR : gicd + GICD_CTLR;
	u32 rwp = intid < GIC_SPI ? (u32)GICR_CTLR_RWP : (u32)GICD_CTLR_RWP;

	for (u32 i = 0; i < 1000000 && (mmio_read32(ctlr) & rwp); i++)
		cpu_relax();
}

static void init_words(u8 *base, u32 first, u32 end)
{
	for (u32 n = first; n < end; n += 32) {
		mmio_write32(base + GICD_ICENABLER + n / 8, ~0u);
		mmio_write32(base + GICD_ICPENDR + n / 8, ~0u);
		mmio_write32(base + GICD_ICACTIVER + n / 8, ~0u);
		mmio_write32(base + GICD_IGROUPR + n / 8, ~0u);
		mmio_write32(base + GICD_IGRPMODR + n / 8, 0);
	}
	for (u32 n = first; n < end; n += 4)
		mmio_write32(base + GICD_IPRIORITYR + n, PRIORITY_DEFAULT);
}

void gicv3_init(const struct machine *m)
{
	u32 ctlr = GICD_CTLR_ARE | GICD_CTLR_GRP1;

	gicd = (u8 *)m->gicd.base;
	gicr_regions = MIN(m->gicr_count, (u32)MACHINE_GICR_MAX);
	for (u32 i = 0; i < gicr_regions; i++)
		gicr_region[i] = m->gicr[i];
	gicr_stride = m->gicr_stride;

	mmio_write32(gicd + GICD_CTLR, 0);
	wait_rwp(GIC_SPI);
	mmio_write32(gicd + GICD_CTLR, GICD_CTLR_ARE);
	wait_rwp(GIC_SPI);
	intid_count =
		MIN(((mmio_read32(gicd + GICD_TYPER) & GICD_TYPER_LINES) + 1) * 32, GIC_INTID_MAX);
	init_words(gicd, GIC_SPI, intid_count);
	for (u32 n = GIC_SPI; n < intid_count; n += 16)
		mmio_write32(gicd + GICD_ICFGR + n / 4, 0);
	wait_rwp(GIC_SPI);
	mmio_write32(gicd + GICD_CTLR, ctlr);
	wait_rwp(GIC_SPI);
	for (u32 n = GIC_SPI; n < intid_count; n++)
		gicv3_route_spi(n, pcpu_this()->mpidr);
}

/* MPIDR_EL1's affinity fields in the format of GICR_TYPER. */
static u32 pack_affinity(u64 mpidr)
{
	return (u32)(FIELD(mpidr, 39, 32) << 24 | FIELD(mpidr, 23, 0));
}

static u8 *find_redistributor(u64 mpidr)
{
	u32 want = pack_affinity(mpidr);

	for (u32 i = 0; i < gicr_regions; i++) {
		u64 at = gicr_region[i].base, end = at + gicr_region[i].size, typer;

		while (end - at >= GICR_SIZE) {
			u8 *rd = (u8 *)at;

			typer = mmio_read64(rd + GICR_TYPER);
			if (typer >> GICR_TYPER_AFFINITY == want)
				return rd;
			if (typer & GICR_TYPER_LAST)
				break;
			at += gicr_stride                ? gicr_stride
			      : typer & GICR_TYPER_VLPIS ? 2 * GICR_SIZE
							 : GICR_SIZE;
			if (at >= end)
				break;
		}
	}
	return NULL;
}

/*
 * Clear active priorities of interrupts that firmware acknowledged and did not end: they would mask
 * nidus's.
 */
static void forget_active_priorities(void)
{
	u32 bits = (u32)FIELD(sysreg_read(ICC_CTLR_EL1), 10, 8) + 1; /* PRIbits */

	sysreg_write(ICC_AP1R0_EL1, 0);
	if (bits >= 6)
		sysreg_write(ICC_AP1R1_EL1, 0);
	if (bits >= 7) {
		sysreg_write(ICC_AP1R2_EL1, 0);
		sysreg_write(ICC_AP1R3_EL1, 0);
	}
}

static void wake_redistributor(u8 *rd)
{
	/* With two Security states firmware has done this, and WAKER is RAZ/WI here. */
	mmio_write32(rd + GICR_WAKER, mmio_read32(rd + GICR_WAKER) & ~(u32)GICR_WAKER_SLEEP);
	for (u32 i = 0; i < 1000000 && (mmio_read32(rd + GICR_WAKER) & GICR_WAKER_ASLEEP); i++)
		cpu_relax();
}

int gicv3_cpu_init(struct pcpu *cpu)
{
	u8 *rd = find_redistributor(cpu->mpidr);

	if (!rd)
		return -ENOENT;
	cpu->gicr = rd;
	wake_redistributor(rd);
	init_words(rd + GICR_SGI, 0, 32);
	wait_rwp(0);

	sysreg_write(ICC_SRE_EL2, ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB | ICC_SRE_ENABLE);
	isb();
	forget_active_priorities();
	sysreg_write(ICC_PMR_EL1, 0xff);
	sysreg_write(ICC_BPR1_EL1, 7); /* no interrupt of nidus preempts another */
	sysreg_write(ICC_CTLR_EL1, ICC_CTLR_EOIMODE);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	mmio_write32(rd + GICR_SGI + GICD_ISENABLER, (1u << GIC_SGIS) - 1);
	return 0;
}

u32 gicv3_ack(void)
{
	u32 intid = (u32)sysreg_read(ICC_IAR1_EL1);

	/* Orders what the device or the sender of an SGI wrote before it. */
	dsb(sy);
	return intid;
}

void gicv3_eoi(u32 intid)
{
	sysreg_write(ICC_EOIR1_EL1, intid);
	isb();
}

void gicv3_deactivate(u32 intid)
{
	sysreg_write(ICC_DIR_EL1, intid);
	isb();
}

void gicv3_set_enable(u32 intid, bool on)
{
	mmio_write32(bit_reg(intid, on ? GICD_ISENABLER : GICD_ICENABLER), 1u << intid % 32);
	if (!on)
		wait_rwp(intid);
}

void gicv3_set_edge(u32 intid, bool edge)
{
	u8 *reg = frame(intid) + GICD_ICFGR + intid / 16 * 4;
	u32 bit = 2u << intid % 16 * 2, v;

	if (intid < GIC_SGIS)
		return;
	spin_lock(&icfgr_lock);
	v = mmio_read32(reg);
	v = edge ? v | bit : v & ~bit;
	mmio_write32(reg, v);
	spin_unlock(&icfgr_lock);
}

void gicv3_set_active(u32 intid, bool active)
{
	mmio_write32(bit_reg(intid, active ? GICD_ISACTIVER : GICD_ICACTIVER), 1u << intid % 32);
	/* Effective before the GIC can see the guest's or the line's next change. */
	dsb(sy);
}

void gicv3_set_pending(u32 intid, bool pending)
{
	mmio_write32(bit_reg(intid, pending ? GICD_ISPENDR : GICD_ICPENDR), 1u << intid % 32);
}

bool gicv3_is_pending(u32 intid)
{
	return mmio_read32(bit_reg(intid, GICD_ISPENDR)) >> intid % 32 & 1;
}

void gicv3_route_spi(u32 intid, u64 mpidr)
{
	mmio_write64(gicd + GICD_IROUTER + 8ul * intid, mpidr & GIC_AFFINITY);
}

void gicv3_kick(u64 m)
{
	/* The flags that the SGI is about are visible before it. */
	dsb(ishst);
	sysreg_write(ICC_SGI1R_EL1, FIELD(m, 39, 32) << ICC_SGIR_AFF3_SHIFT |
					    FIELD(m, 23, 16) << ICC_SGIR_AFF2_SHIFT |
					    FIELD(m, 15, 8) << ICC_SGIR_AFF1_SHIFT |
					    FIELD(m, 7, 4) << ICC_SGIR_RS_SHIFT |
					    (u64)GICV3_SGI_KICK << ICC_SGIR_INTID_SHIFT |
					    BIT(m & 15));
	isb();
}
