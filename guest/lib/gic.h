/* SPDX-License-Identifier: Apache-2.0 */
/* A GICv3 driver for guest programs: distributor, redistributor, CPU interface. */
#pragma once

#include "arch/sysreg.h"
#include "cpu.h"
#include "lib/types.h"

#define GICD_CTLR 0x0
#define GICD_TYPER 0x4
#define GICD_IIDR 0x8
#define GICD_TYPER2 0xc
#define GICD_STATUSR 0x10
#define GICD_SETSPI_NSR 0x40
#define GIC_IGROUPR 0x80
#define GIC_ISENABLER 0x100
#define GIC_ICENABLER 0x180
#define GIC_ISPENDR 0x200
#define GIC_ICPENDR 0x280
#define GIC_ISACTIVER 0x300
#define GIC_ICACTIVER 0x380
#define GIC_IPRIORITYR 0x400
#define GICD_ITARGETSR 0x800
#define GIC_ICFGR 0xc00
#define GIC_IGRPMODR 0xd00
#define GIC_NSACR 0xe00
#define GICD_SGIR 0xf00
#define GICD_IROUTER 0x6000
#define GIC_PIDR2 0xffe8
#define GICR_CTLR 0x0
#define GICR_IIDR 0x4
#define GICR_TYPER 0x8
#define GICR_WAKER 0x14
#define GICR_SGI 0x10000 /* SGI_base - RD_base */

#define GICD_CTLR_GRP0 BIT(0)
#define GICD_CTLR_GRP1 BIT(1)
#define GICD_CTLR_ARE BIT(4)
#define GICD_CTLR_DS BIT(6)
#define GICD_CTLR_RWP BIT(31)

#define INTID_SPURIOUS 1023
#define GIC_PRIORITY 0xa0 /* of all interrupts, by gic_dist_init() and gic_cpu_init() */

/* One access of exactly this size. */
#define MMIO_FUNCTIONS(bits, insn, w)                                                              \
	static inline u##bits read##bits(u64 a)                                                    \
	{                                                                                          \
		u##bits v;                                                                         \
		asm volatile("ldr" insn " %" w "0, [%1]" : "=r"(v) : "r"(a) : "memory");           \
		return v;                                                                          \
	}                                                                                          \
	static inline void write##bits(u64 a, u##bits v)                                           \
	{                                                                                          \
		asm volatile("str" insn " %" w "0, [%1]" ::"rZ"(v), "r"(a) : "memory");            \
	}
MMIO_FUNCTIONS(8, "b", "w")
MMIO_FUNCTIONS(16, "h", "w")
MMIO_FUNCTIONS(32, "", "w")
MMIO_FUNCTIONS(64, "", "x")

/*
 * Distributor on: affinity routing, both groups, every SPI disabled, group 1, priority 0xa0, to
 * CPU 0.
 */
void gic_dist_init(void);
/*
 * This CPU's redistributor and CPU interface on: SGIs and PPIs disabled, group 1, priority 0xa0,
 * PMR 0xff.
 */
void gic_cpu_init(void);
/* SPIs that the distributor has: INTIDs 32..gic_spi_end()-1. */
u32 gic_spi_end(void);

/*
 * Address of the 32-bit register with the bit of intid in the array at offset reg (this CPU's for
 * < 32).
 */
u64 gic_reg(u32 intid, u32 reg, u32 bits);
void gic_enable(u32 intid);
void gic_disable(u32 intid);
void gic_pend(u32 intid);
void gic_unpend(u32 intid);
void gic_set_active(u32 intid, bool active);
bool gic_is_pending(u32 intid);
bool gic_is_active(u32 intid);
bool gic_is_enabled(u32 intid);
void gic_set_priority(u32 intid, u8 prio);
u8 gic_priority(u32 intid);
void gic_set_group(u32 intid, u32 group);
void gic_set_edge(u32 intid, bool edge);
/* Route an SPI to the CPU with this MPIDR. */
void gic_route(u32 spi, u64 mpidr);
void gic_wait_rwp(void);

/* SGI (group 1) to the CPU with this MPIDR. */
void gic_sgi(u32 sgi, u64 mpidr);
/* SGI (group 1) to all CPUs but this one. */
void gic_sgi_others(u32 sgi);

static inline u32 gic_ack(void)
{
	u32 v = (u32)sysreg_read(ICC_IAR1_EL1);
	dsb(sy);
	return v;
}

static inline void gic_eoi(u32 intid)
{
	sysreg_write(ICC_EOIR1_EL1, intid);
	isb();
}

static inline void gic_deactivate(u32 intid)
{
	sysreg_write(ICC_DIR_EL1, intid);
	isb();
}

static inline void gic_set_pmr(u64 v)
{
	sysreg_write(ICC_PMR_EL1, v);
	isb();
}
