/* SPDX-License-Identifier: Apache-2.0 */
/* GICv3 registers (IHI0069): offsets and fields, of the machine's GIC and of those that VMs see. */
#pragma once

#include "lib/types.h"

/* INTIDs. */
#define GIC_SGIS 16u
#define GIC_SPI 32u         /* the first */
#define GIC_INTID_MAX 1020u /* one past the last SPI; 1020-1023 are special */
#define INTID_NONE 1023u    /* nothing is pending */
#define INTID_MASK MASK(23, 0) /* as many bits as there may be */

/* Distributor. */
#define GICD_SIZE KIB(64)
#define GICD_CTLR 0x0000u
#define GICD_TYPER 0x0004u
#define GICD_IIDR 0x0008u
#define GICD_IGROUPR 0x0080u
#define GICD_ISENABLER 0x0100u
#define GICD_ICENABLER 0x0180u
#define GICD_ISPENDR 0x0200u
#define GICD_ICPENDR 0x0280u
#define GICD_ISACTIVER 0x0300u
#define GICD_ICACTIVER 0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ITARGETSR 0x0800u
#define GICD_ICFGR 0x0c00u
#define GICD_IGRPMODR 0x0d00u
#define GICD_IROUTER 0x6000u /* + 8 * INTID, INTID >= 32 */
#define GICD_IROUTER_END 0x7fe0u
#define GIC_PIDR4 0xffd0u /* PIDR4-7, PIDR0-3, CIDR0-3 of a 64 KiB frame */
#define GIC_PIDR2 0xffe8u

#define GICD_CTLR_GRP0 BIT(0)  /* EnableGrp0, with DS = 1 */
#define GICD_CTLR_GRP1 BIT(1)  /* EnableGrp1; Non-secure with two Security states: EnableGrp1A */
#define GICD_CTLR_ARE BIT(4)   /* ARE with DS = 1, ARE_NS */
#define GICD_CTLR_DS BIT(6)
#define GICD_CTLR_RWP BIT(31)

#define GICD_TYPER_LINES 0x1fu /* ITLinesNumber: 32 * (n + 1) INTIDs */
#define GICD_TYPER_IDBITS(n) (((n) - 1u) << 19)
#define GICD_TYPER_A3V BIT(24)

#define GICD_IROUTER_IRM BIT(31)
#define GIC_AFFINITY (MASK(39, 32) | MASK(23, 0)) /* of MPIDR_EL1 and GICD_IROUTER */
/* Aff3 to Aff0 of these in 32 bits, as GICR_TYPER has them, and back. */
#define GIC_AFFINITY_PACK(v) (FIELD(v, 39, 32) << 24 | FIELD(v, 23, 0))
#define GIC_AFFINITY_UNPACK(v) ((u64)((v) >> 24) << 32 | ((v)&MASK(23, 0)))

/* Redistributor: RD_base, then SGI_base 64 KiB above; GICv4 has two frames more. */
#define GICR_FRAME KIB(64)
#define GICR_SIZE KIB(128)
#define GICR_CTLR 0x0000u
#define GICR_IIDR 0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_PROPBASER 0x0070u
#define GICR_PENDBASER 0x0078u
#define GICR_SGI 0x10000u /* the same layout as the distributor's, for INTIDs 0-31 */

#define GICR_CTLR_RWP BIT(3)
#define GICR_TYPER_VLPIS BIT(1)
#define GICR_TYPER_LAST BIT(4)
#define GICR_TYPER_NUMBER 8    /* Processor_Number */
#define GICR_TYPER_AFFINITY 32 /* Aff3.Aff2.Aff1.Aff0 */
#define GICR_WAKER_SLEEP BIT(1)  /* ProcessorSleep */
#define GICR_WAKER_ASLEEP BIT(2) /* ChildrenAsleep */

/* ICC_* (physical CPU interface). */
#define ICC_SRE_SRE BIT(0)
#define ICC_SRE_DFB BIT(1)
#define ICC_SRE_DIB BIT(2)
#define ICC_SRE_ENABLE BIT(3)
#define ICC_CTLR_EOIMODE BIT(1)
#define ICC_SGIR_IRM BIT(40)
#define ICC_SGIR_INTID_SHIFT 24
#define ICC_SGIR_INTID(v) ((u32)FIELD(v, 27, 24))
#define ICC_SGIR_AFF1_SHIFT 16
#define ICC_SGIR_AFF2_SHIFT 32
#define ICC_SGIR_RS_SHIFT 44
#define ICC_SGIR_AFF3_SHIFT 48
/* The affinity of the 16 CPUs that TargetList selects from, as in MPIDR_EL1 without Aff0[3:0]. */
#define ICC_SGIR_CLUSTER(v)                                                                        \
	(FIELD(v, 55, 48) << 32 | FIELD(v, 39, 32) << 16 | FIELD(v, 23, 16) << 8 |                 \
	 FIELD(v, 47, 44) << 4)
#define ICC_SGIR_TARGETS(v) ((u32)FIELD(v, 15, 0))

/* ICH_LR<n>_EL2. */
#define ICH_LR_PENDING BIT(62)
#define ICH_LR_ACTIVE BIT(63)
#define ICH_LR_STATE (ICH_LR_PENDING | ICH_LR_ACTIVE)
#define ICH_LR_HW BIT(61)
#define ICH_LR_GROUP1 BIT(60)
#define ICH_LR_PRIORITY_SHIFT 48
#define ICH_LR_PRIORITY(lr) FIELD(lr, 55, 48)
#define ICH_LR_EOI BIT(41) /* HW = 0: maintenance interrupt when it becomes inactive */
#define ICH_LR_PINTID_SHIFT 32 /* HW = 1 */
#define ICH_LR_PINTID(lr) ((u32)FIELD(lr, 44, 32))
/* The fields without the HW bit; no NMI, 24 INTID bits at most. */
#define ICH_LR_SOFT (ICH_LR_STATE | ICH_LR_GROUP1 | ICH_LR_EOI | INTID_MASK)

/* ICH_HCR_EL2. */
#define ICH_HCR_EN BIT(0)
#define ICH_HCR_UIE BIT(1)
#define ICH_HCR_LRENPIE BIT(2)
#define ICH_HCR_NPIE BIT(3)
#define ICH_HCR_GRP0_EIE BIT(4)
#define ICH_HCR_GRP0_DIE BIT(5)
#define ICH_HCR_GRP1_EIE BIT(6)
#define ICH_HCR_GRP1_DIE BIT(7)
#define ICH_HCR_IES MASK(7, 1) /* enables of maintenance interrupts, the seven above */
#define ICH_HCR_TC BIT(10)
#define ICH_HCR_TALL0 BIT(11)
#define ICH_HCR_TALL1 BIT(12)
#define ICH_HCR_TDIR BIT(14)
#define ICH_HCR_TRAPS (ICH_HCR_TC | ICH_HCR_TALL0 | ICH_HCR_TALL1 | ICH_HCR_TDIR)
#define ICH_HCR_EOICOUNT_FIELD MASK(31, 27)
#define ICH_HCR_EOICOUNT(v) ((u32)FIELD(v, 31, 27))

/* ICH_MISR_EL2; bits 4-7 are at their enables' places in ICH_HCR_EL2. */
#define ICH_MISR_EOI BIT(0)
#define ICH_MISR_U BIT(1)
#define ICH_MISR_LRENP BIT(2)
#define ICH_MISR_NP BIT(3)

/* ICH_VMCR_EL2. */
#define ICH_VMCR_ENG0 BIT(0)
#define ICH_VMCR_ENG1 BIT(1)
#define ICH_VMCR_FIQEN BIT(3)
#define ICH_VMCR_CBPR BIT(4)
#define ICH_VMCR_EOIM BIT(9)
#define ICH_VMCR_BPR1(v) ((u32)FIELD(v, 20, 18))
#define ICH_VMCR_BPR1_SHIFT 18
#define ICH_VMCR_BPR1_MASK MASK(20, 18)
#define ICH_VMCR_BPR0(v) ((u32)FIELD(v, 23, 21))
#define ICH_VMCR_BPR0_SHIFT 21
#define ICH_VMCR_BPR0_MASK MASK(23, 21)
#define ICH_VMCR_PMR(v) ((u32)FIELD(v, 31, 24))
/* Without VAckCtl, which is RES0 where there are only system registers. */
#define ICH_VMCR_MASK                                                                              \
	(ICH_VMCR_ENG0 | ICH_VMCR_ENG1 | ICH_VMCR_FIQEN | ICH_VMCR_CBPR | ICH_VMCR_EOIM |          \
	 MASK(31, 18))

/* ICH_VTR_EL2. */
#define ICH_VTR_LRS(v) ((u32)FIELD(v, 4, 0) + 1)
#define ICH_VTR_LISTREGS MASK(4, 0)
#define ICH_VTR_DVIM BIT(18)
#define ICH_VTR_TDS BIT(19)
#define ICH_VTR_NV4 BIT(20)
#define ICH_VTR_SEIS BIT(22)
#define ICH_VTR_PREBITS(v) ((u32)FIELD(v, 28, 26) + 1)
#define ICH_VTR_PRIBITS(v) ((u32)FIELD(v, 31, 29) + 1)
