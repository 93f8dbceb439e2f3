/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 driver of the guest programs. */
#include "gic.h"

#include "dt.h"
#include "test.h"

/* MPIDR affinities as GICR_TYPER has them: Aff3.Aff2.Aff1.Aff0. */
static u32 packed_affinity(u64 mpidr)
{
	return (u32)(FIELD(mpidr, 39, 32) << 24 | FIELD(mpidr, 23, 0));
}

static u64 find_redistributor(u64 base, u64 size, u64 mpidr)
{
	u64 rd, stride;

	for (rd = base; rd < base + size; rd += stride) {
		u64 typer = read64(rd + GICR_TYPER);

		stride = typer & BIT(1) ? 0x40000 : 0x20000;
		if (typer >> 32 == packed_affinity(mpidr))
			return rd;
		if (typer & BIT(4))
			break;
	}
	return 0;
}

void gic_wait_rwp(void)
{
	while (read32(dt.gicd + GICD_CTLR) & GICD_CTLR_RWP)
		cpu_relax();
}

u32 gic_spi_end(void)
{
	return MIN(32 * ((read32(dt.gicd + GICD_TYPER) & 31) + 1), 1020u);
}

u64 gic_reg(u32 intid, u32 reg, u32 bits)
{
	u64 base = intid < 32 ? cpu_self()->gicr + GICR_SGI : dt.gicd;

	return base + reg + (u64)intid * bits / 32 * 4;
}

void gic_dist_init(void)
{
	u32 i, end = gic_spi_end();

	write32(dt.gicd + GICD_CTLR, 0);
	gic_wait_rwp();
	write32(dt.gicd + GICD_CTLR, GICD_CTLR_ARE);
	gic_wait_rwp();
	for (i = 32; i < end; i += 32) {
		write32(dt.gicd + GIC_ICENABLER + i / 8, ~0u);
		write32(dt.gicd + GIC_ICPENDR + i / 8, ~0u);
		write32(dt.gicd + GIC_ICACTIVER + i / 8, ~0u);
		write32(dt.gicd + GIC_IGROUPR + i / 8, ~0u);
	}
	for (i = 32; i < end; i += 4)
		write32(dt.gicd + GIC_IPRIORITYR + i, GIC_PRIORITY * 0x01010101u);
	for (i = 32; i < end; i++)
		gic_route(i, gcpus[0].mpidr);
	write32(dt.gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
	gic_wait_rwp();
}

void gic_cpu_init(void)
{
	struct gcpu *cpu = cpu_self();
	u64 rd, sgi, i;

	rd = find_redistributor(dt.gicr, dt.gicr_size, cpu->mpidr);
	if (!rd && dt.gicr2_size) {
		rd = find_redistributor(dt.gicr2, dt.gicr2_size, cpu->mpidr);
	}
	if (!rd)
		test_abort("no redistributor for CPU %u", cpu->index);
	cpu->gicr = rd;
	sgi = rd + GICR_SGI;
	write32(rd + GICR_WAKER, read32(rd + GICR_WAKER) & ~2u);
	while (read32(rd + GICR_WAKER) & 4)
		cpu_relax();
	write32(sgi + GIC_ICENABLER, ~0u);
	write32(sgi + GIC_ICPENDR, ~0u);
	write32(sgi + GIC_ICACTIVER, ~0u);
	write32(sgi + GIC_IGROUPR, ~0u);
	for (i = 0; i < 32; i += 4)
		write32(sgi + GIC_IPRIORITYR + i, GIC_PRIORITY * 0x01010101u);
	sysreg_write(ICC_SRE_EL1, 7);
	isb();
	sysreg_write(ICC_CTLR_EL1, 0);
	sysreg_write(ICC_BPR0_EL1, 0);
	sysreg_write(ICC_BPR1_EL1, 0);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_set_pmr(0xff);
}

static void set_bit(u32 intid, u32 reg)
{
	write32(gic_reg(intid, reg, 1), 1u << (intid & 31));
	dsb(sy);
}

static bool get_bit(u32 intid, u32 reg)
{
	return read32(gic_reg(intid, reg, 1)) >> (intid & 31) & 1;
}

static void wait_rwp(u32 intid)
{
	if (intid >= 32)
		gic_wait_rwp();
	else
		while (read32(cpu_self()->gicr + GICR_CTLR) & BIT(3))
			cpu_relax();
}

void gic_enable(u32 intid)
{
	set_bit(intid, GIC_ISENABLER);
}

void gic_disable(u32 intid)
{
	set_bit(intid, GIC_ICENABLER);
	wait_rwp(intid);
}

void gic_pend(u32 intid)
{
	set_bit(intid, GIC_ISPENDR);
}
void gic_unpend(u32 intid)
{
	set_bit(intid, GIC_ICPENDR);
}
bool gic_is_pending(u32 intid)
{
	return get_bit(intid, GIC_ISPENDR);
}
bool gic_is_active(u32 intid)
{
	return get_bit(intid, GIC_ISACTIVER);
}
bool gic_is_enabled(u32 intid)
{
	return get_bit(intid, GIC_ISENABLER);
}

void gic_set_active(u32 intid, bool active)
{
	set_bit(intid, active ? GIC_ISACTIVER : GIC_ICACTIVER);
}

void gic_set_priority(u32 intid, u8 prio)
{
	write8(gic_reg(intid, GIC_IPRIORITYR, 8) + (intid & 3), prio);
	dsb(sy);
}

u8 gic_priority(u32 intid)
{
	return read8(gic_reg(intid, GIC_IPRIORITYR, 8) + (intid & 3));
}

void gic_set_group(u32 intid, u32 group)
{
	u64 a = gic_reg(intid, GIC_IGROUPR, 1);
	u32 bit = 1u << (intid & 31);

	write32(a, group ? read32(a) | bit : read32(a) & ~bit);
	dsb(sy);
}

void gic_set_edge(u32 intid, bool edge)
{
	u64 a = gic_reg(intid, GIC_ICFGR, 2);
	u32 bit = 2u << (intid % 16 * 2);

	write32(a, edge ? read32(a) | bit : read32(a) & ~bit);
	dsb(sy);
}

void gic_route(u32 spi, u64 mpidr)
{
	write64(dt.gicd + GICD_IROUTER + (u64)spi * 8, mpidr & 0xff00ffffffUL);
}

void gic_sgi(u32 sgi, u64 mpidr)
{
	u64 v = FIELD(mpidr, 39, 32) << 48 | FIELD(mpidr, 23, 16) << 32 |
		FIELD(mpidr, 15, 8) << 16 | FIELD(mpidr, 7, 4) << 44 | BIT(FIELD(mpidr, 3, 0)) |
		(u64)sgi << 24;

	dsb(ishst);
	sysreg_write(ICC_SGI1R_EL1, v);
	isb();
}

void gic_sgi_others(u32 sgi)
{
	dsb(ishst);
	sysreg_write(ICC_SGI1R_EL1, BIT(40) | (u64)sgi << 24);
	isb();
}
