/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The controls of EL2 that nobody else sets and that act on nidus or on guests by themselves. Their
 * reset values are UNKNOWN, or what firmware and loader left. By the ID registers of the CPU
 * itself: one of another kind may have more than the boot CPU. Set elsewhere: SCTLR, CPTR, GCSCR
 * (head.S), the translation registers (stage1_enable()), the trap controls (traps_boot()), vector
 * lengths (simd_boot()), the GIC (gicv3_cpu_init()), and what each vcpu brings (VPIDR, VMPIDR,
 * CNTVOFF, VTTBR, VNCR, ICH_VMCR and the like).
 *
 * Left as they are: ACTLR_EL2, in which firmware sets up the CPU; and what takes no effect while a
 * bit elsewhere is 0, which is written whole: PIR, POR, MAIR2, AMAIR2 (TCR2_EL2), S2PIR, HDBSS
 * (VTCR_EL2), MECID (SCTLR2_EL2, TCR2_EL2), SMPRIMAP, GCS, FPMR and THE of guests (HCRX_EL2),
 * SCXTNUM, MTE (HCR_EL2), breakpoints beyond 16 (MDCR_EL2).
 */
#include "boot/el2.h"

#include "arch/barrier.h"
#include "arch/hidden.h"
#include "arch/sysreg.h"

#define HAS(reg, lsb, min) (FIELD(sysreg_read(reg), (lsb) + 3, lsb) >= (min))

/* Partition 0 for nidus and all guests, whose accesses to any of it trap. */
static void mpam_off(void)
{
	u64 idr;

	if (!HAS(ID_AA64PFR0_EL1, 40, 1) && !HAS(ID_AA64PFR1_EL1, 16, 1))
		return;
	idr = sysreg_read(MPAMIDR_EL1);
	sysreg_write(MPAM2_EL2, MPAM2_TRAPS | (idr & MPAMIDR_HAS_TIDR ? MPAM2_TIDR : 0));
	sysreg_write(MPAM1_EL12, 0);
	sysreg_write(MPAM0_EL1, 0);
	if (idr & MPAMIDR_HAS_HCR) {
		sysreg_write(MPAMHCR_EL2, MPAMHCR_TRAP_MPAMIDR);
		sysreg_write(MPAMVPMV_EL2, 0);
	}
}

/* No profile, trace or branch record of nidus or a guest is made or written to memory. */
static void recording_off(void)
{
	if (HAS(ID_AA64DFR0_EL1, 32, 1) && !(sysreg_read(PMBIDR_EL1) & BUFFER_NOT_OURS)) {
		sysreg_write(PMBLIMITR_EL1, 0);
		sysreg_write(PMSCR_EL2, 0);
		sysreg_write(PMSCR_EL12, 0);
	}
	if (HAS(ID_AA64DFR0_EL1, 44, 1) && !(sysreg_read(TRBIDR_EL1) & BUFFER_NOT_OURS))
		sysreg_write(TRBLIMITR_EL1, 0);
	if (HAS(ID_AA64DFR0_EL1, 40, 1)) {
		sysreg_write(TRFCR_EL2, 0);
		sysreg_write(TRFCR_EL12, 0);
	}
	if (HAS(ID_AA64DFR0_EL1, 52, 1)) {
		sysreg_write(BRBCR_EL2, 0);
		sysreg_write(BRBCR_EL12, 0);
	}
}

/* Counters are stopped and raise no interrupt. */
static void counters_off(void)
{
	u64 version = FIELD(sysreg_read(ID_AA64DFR0_EL1), 11, 8);

	if (version == 0 || version == 0xf) /* 15: an implementation's own */
		return;
	sysreg_write(PMCR_EL0, 0);
	/* EL0 accesses are refused before MDCR_EL2.TPM is checked */
	sysreg_write(PMUSERENR_EL0, 0);
	sysreg_write(PMCNTENCLR_EL0, ~0UL);
	sysreg_write(PMINTENCLR_EL1, ~0UL);
}

void el2_boot(void)
{
	sysreg_write(HACR_EL2, 0);
	sysreg_write(AMAIR_EL2, 0);
	sysreg_write(CONTEXTIDR_EL2, 0);
	sysreg_write(CNTHV_CTL_EL2, 0);
	/* traps_boot() writes those of the boot CPU; a CPU of another kind may have more. */
	if (HAS(ID_AA64MMFR1_EL1, 40, 1))
		sysreg_write(HCRX_EL2, 0);
	if (HAS(ID_AA64MMFR0_EL1, 56, 1)) {
		sysreg_write(HFGRTR_EL2, 0);
		sysreg_write(HFGWTR_EL2, 0);
		sysreg_write(HFGITR_EL2, 0);
		sysreg_write(HDFGRTR_EL2, 0);
		sysreg_write(HDFGWTR_EL2, 0);
		if (HAS(ID_AA64PFR0_EL1, 44, 1))
			sysreg_write(HAFGRTR_EL2, 0);
	}
	/*
	 * FEAT_FGT2: as with the older ones a bit with n in its name traps while 0, and those trap
	 * what no VM has.
	 */
	if (HAS(ID_AA64MMFR0_EL1, 56, 2)) {
		sysreg_write(HFGRTR2_EL2, 0);
		sysreg_write(HFGWTR2_EL2, 0);
		sysreg_write(HFGITR2_EL2, 0);
		sysreg_write(HDFGRTR2_EL2, 0);
		sysreg_write(HDFGWTR2_EL2, 0);
	}
	if (HAS(ID_AA64MMFR0_EL1, 60, 2)) /* FEAT_ECV_POFF */
		sysreg_write(CNTPOFF_EL2, 0);
	mpam_off();
	recording_off();
	counters_off();
	isb();
}
