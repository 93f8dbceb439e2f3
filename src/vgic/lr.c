/* SPDX-License-Identifier: Apache-2.0 */
/* Access to ICH_LR<n>_EL2, ICH_AP<g>R<n>_EL2 and ICH_VMCR_EL2. */
#include "vgic/lr.h"

#include "arch/gicv3.h"
#include "arch/sysreg.h"
#include "vgic/vgic.h"

struct lr_caps lr_caps;

#define EACH_OTHER_LR(X)                                                                           \
	X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

void lr_probe(void)
{
	u64 vtr = sysreg_read(ICH_VTR_EL2);
	u32 count = MIN(ICH_VTR_LRS(vtr), (u32)VGIC_LRS);

	lr_caps.count = lr_caps.count ? MIN(lr_caps.count, count) : count;
	lr_caps.pre_bits = MIN(ICH_VTR_PREBITS(vtr), 7u);
	lr_caps.aprs = lr_caps.pre_bits <= 5 ? 1 : lr_caps.pre_bits == 6 ? 2 : 4;
	lr_caps.prio_mask = (u8)(0xff00 >> ICH_VTR_PRIBITS(vtr));
	lr_caps.tdir = vtr & ICH_VTR_TDS;
}

u64 lr_read_other(u32 n)
{
	switch (n) {
#define X(i)                                                                                       \
	case i:                                                                                    \
		return sysreg_read(ICH_LR##i##_EL2);
		EACH_OTHER_LR(X)
#undef X
	}
	return 0;
}

void lr_write_other(u32 n, u64 v)
{
	switch (n) {
#define X(i)                                                                                       \
	case i:                                                                                    \
		sysreg_write(ICH_LR##i##_EL2, v);                                                  \
		break;
		EACH_OTHER_LR(X)
#undef X
	}
}

u32 lr_empty(void)
{
	return (u32)sysreg_read(ICH_ELRSR_EL2);
}

u64 lr_vmcr_reset(void)
{
	u64 bpr0 = 7 - lr_caps.pre_bits;

	return ICH_VMCR_FIQEN | bpr0 << ICH_VMCR_BPR0_SHIFT | (bpr0 + 1) << ICH_VMCR_BPR1_SHIFT;
}

void lr_cpu_load(u64 vmcr, const u64 *ap0r, const u64 *ap1r)
{
	sysreg_write(ICH_VMCR_EL2, vmcr);
	switch (lr_caps.aprs) {
	case 4:
		sysreg_write(ICH_AP0R3_EL2, ap0r[3]);
		sysreg_write(ICH_AP1R3_EL2, ap1r[3]);
		sysreg_write(ICH_AP0R2_EL2, ap0r[2]);
		sysreg_write(ICH_AP1R2_EL2, ap1r[2]);
		/* fall through */
	case 2:
		sysreg_write(ICH_AP0R1_EL2, ap0r[1]);
		sysreg_write(ICH_AP1R1_EL2, ap1r[1]);
		/* fall through */
	default:
		sysreg_write(ICH_AP0R0_EL2, ap0r[0]);
		sysreg_write(ICH_AP1R0_EL2, ap1r[0]);
	}
}

void lr_cpu_save(u64 *vmcr, u64 *ap0r, u64 *ap1r)
{
	*vmcr = sysreg_read(ICH_VMCR_EL2);
	switch (lr_caps.aprs) {
	case 4:
		ap0r[3] = sysreg_read(ICH_AP0R3_EL2);
		ap1r[3] = sysreg_read(ICH_AP1R3_EL2);
		ap0r[2] = sysreg_read(ICH_AP0R2_EL2);
		ap1r[2] = sysreg_read(ICH_AP1R2_EL2);
		/* fall through */
	case 2:
		ap0r[1] = sysreg_read(ICH_AP0R1_EL2);
		ap1r[1] = sysreg_read(ICH_AP1R1_EL2);
		/* fall through */
	default:
		ap0r[0] = sysreg_read(ICH_AP0R0_EL2);
		ap1r[0] = sysreg_read(ICH_AP1R0_EL2);
	}
}
