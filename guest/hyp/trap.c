/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trap controls, one row for each control and instruction: with the control on, an L2 that executes
 * the instruction exits with the syndrome that the encoding gives; with it off, it does not exit.
 */
#include "hyp.h"

/* payload.S */
extern const char l2_telling_vectors[];
u64 l2_wfi(u64 a, u64 b, u64 c);
u64 l2_nop(u64 a, u64 b, u64 c);

#define RET 0xd65f03c0u
#define NOP 0xd503201fu
#define SYS_WORD(l, op0, op1, n, m, op2)                                                           \
	(0xd5000000u | (l) << 21 | (op0) << 19 | (op1) << 16 | (n) << 12 | (m) << 8 | (op2) << 5)
#define SYS_WORD_(l, ...) SYS_WORD(l, __VA_ARGS__)

enum row_kind {
	READ,    /* MRS: x0 is then what the hypervisor returns */
	WRITE,   /* MSR of the value that the register has */
	ADDRESS, /* an instruction with an address in x0 */
	ZERO,    /* one with 0 in x0 */
	INSIDE,  /* without the trap L2 itself takes an exception at vector 4 */
};

/* When a row applies. */
enum need { ALWAYS, EVT, EVT2, EVT2_OS, ECV, PAUTH, PAN2, NV, SME_ROW, TLBRANGE, DPB };

struct row {
	u32 code[2]; /* executed in L2 */
	u32 read[2]; /* WRITE: where the value comes from */
	u8 control, kind, need;
	bool off;    /* the control traps while it is 0 */
	u64 bits;
	u64 esr;     /* 0: the syndrome of the encoding */
	char name[40];
};

#define SCTLR 3, 0, 1, 0, 0
#define ACTLR 3, 0, 1, 0, 1
#define CPACR 3, 0, 1, 0, 2
#define TTBR0 3, 0, 2, 0, 0
#define TTBR1 3, 0, 2, 0, 1
#define TCR 3, 0, 2, 0, 2
#define AFSR0 3, 0, 5, 1, 0
#define AFSR1 3, 0, 5, 1, 1
#define ESR1 3, 0, 5, 2, 0
#define FAR1 3, 0, 6, 0, 0
#define MAIR 3, 0, 10, 2, 0
#define AMAIR 3, 0, 10, 3, 0
#define VBAR 3, 0, 12, 0, 0
#define ISR 3, 0, 12, 1, 0
#define PAR 3, 0, 7, 4, 0
#define CONTEXTIDR 3, 0, 13, 0, 1
#define TPIDR1 3, 0, 13, 0, 4
#define TPIDR0 3, 3, 13, 0, 2
#define TPIDRRO 3, 3, 13, 0, 3
#define MIDR 3, 0, 0, 0, 0
#define MPIDR 3, 0, 0, 0, 5
#define REVIDR 3, 0, 0, 0, 6
#define AIDR 3, 1, 0, 0, 7
#define CCSIDR 3, 1, 0, 0, 0
#define CLIDR 3, 1, 0, 0, 1
#define CSSELR 3, 2, 0, 0, 0
#define CTR 3, 3, 0, 0, 1
#define DCZID 3, 3, 0, 0, 7
#define MDSCR 2, 0, 0, 2, 2

#define ROW_RD(c, bits, need, off, name, ...)                                                      \
	{ { SYS_WORD_(1u, __VA_ARGS__), RET }, { NOP, RET }, CTL_##c, READ, need, off, bits, 0, name },
#define ROW_WR(c, bits, need, off, name, ...)                                                      \
	{ { SYS_WORD_(0u, __VA_ARGS__), RET }, { SYS_WORD_(1u, __VA_ARGS__), RET },                \
	  CTL_##c, WRITE, need, off, bits, 0, name },
#define RD(c, bits, name, ...) ROW_RD(c, bits, ALWAYS, false, #c " " name ": MRS", __VA_ARGS__)
#define WR(c, bits, name, ...) ROW_WR(c, bits, ALWAYS, false, #c " " name ": MSR", __VA_ARGS__)
#define RW(c, bits, name, ...) RD(c, bits, name, __VA_ARGS__) WR(c, bits, name, __VA_ARGS__)
/* Fine-grained: the same bit in the read and the write register. */
#define FG(bit, name, ...)                                                                         \
	RD(HFGRTR, BIT(bit), name, __VA_ARGS__) WR(HFGWTR, BIT(bit), name, __VA_ARGS__)
#define FGR(bit, name, ...) RD(HFGRTR, BIT(bit), name, __VA_ARGS__)
#define KEY(bit, name, ...)                                                                        \
	ROW_RD(HFGRTR, BIT(bit), PAUTH, false, "HFGRTR " name ": MRS", __VA_ARGS__)                \
	ROW_WR(HFGWTR, BIT(bit), PAUTH, false, "HFGWTR " name ": MSR", __VA_ARGS__)
#define OP(c, bits, kind, need, name, ...)                                                         \
	{ { SYS_WORD_(0u, __VA_ARGS__), RET }, { NOP, RET }, CTL_##c, kind, need, false, bits, 0,  \
	  #c " " name },
#define FGI(bit, kind, need, name, ...) OP(HFGITR, BIT(bit), kind, need, name, __VA_ARGS__)
#define WORD(c, bits, off, kind, need, esr, name, word)                                            \
	{ { word, RET }, { NOP, RET }, CTL_##c, kind, need, off, bits, esr, #c " " name },

static const struct row rows[] __attribute__((aligned(64))) = {
	RD(HCR, HCR_TID1, "TID1 REVIDR", REVIDR)
	RD(HCR, HCR_TID1, "TID1 AIDR", AIDR)
	RD(HCR, HCR_TID2, "TID2 CTR", CTR)
	RD(HCR, HCR_TID2, "TID2 CCSIDR", CCSIDR)
	RD(HCR, HCR_TID2, "TID2 CLIDR", CLIDR)
	RW(HCR, HCR_TID2, "TID2 CSSELR", CSSELR)
	RD(HCR, HCR_TID3, "TID3 ID_PFR0", 3, 0, 0, 1, 0)
	RD(HCR, HCR_TID3, "TID3 MVFR0", 3, 0, 0, 3, 0)
	RD(HCR, HCR_TID3, "TID3 ID_AA64PFR0", 3, 0, 0, 4, 0)
	RD(HCR, HCR_TID3, "TID3 ID_AA64DFR0", 3, 0, 0, 5, 0)
	RD(HCR, HCR_TID3, "TID3 ID_AA64ISAR1", 3, 0, 0, 6, 1)
	RD(HCR, HCR_TID3, "TID3 ID_AA64MMFR2", 3, 0, 0, 7, 2)
	RD(HCR, HCR_TID3, "TID3 a reserved one", 3, 0, 0, 4, 7)
	ROW_RD(HCR, HCR_TID4, EVT, false, "HCR TID4 CCSIDR: MRS", CCSIDR)
	ROW_RD(HCR, HCR_TID4, EVT, false, "HCR TID4 CLIDR: MRS", CLIDR)
	RW(HCR, HCR_TACR, "TACR ACTLR", ACTLR)
	OP(HCR, HCR_TSW, ZERO, ALWAYS, "TSW DC ISW", 1, 0, 7, 6, 2)
	OP(HCR, HCR_TSW, ZERO, ALWAYS, "TSW DC CSW", 1, 0, 7, 10, 2)
	OP(HCR, HCR_TSW, ZERO, ALWAYS, "TSW DC CISW", 1, 0, 7, 14, 2)
	OP(HCR, HCR_TPCP, ADDRESS, ALWAYS, "TPCP DC IVAC", 1, 0, 7, 6, 1)
	OP(HCR, HCR_TPCP, ADDRESS, ALWAYS, "TPCP DC CIVAC", 1, 3, 7, 14, 1)
	OP(HCR, HCR_TPCP, ADDRESS, ALWAYS, "TPCP DC CVAC", 1, 3, 7, 10, 1)
	OP(HCR, HCR_TPCP, ADDRESS, DPB, "TPCP DC CVAP", 1, 3, 7, 12, 1)
	OP(HCR, HCR_TPU, ZERO, ALWAYS, "TPU IC IALLU", 1, 0, 7, 5, 0)
	OP(HCR, HCR_TPU, ZERO, ALWAYS, "TPU IC IALLUIS", 1, 0, 7, 1, 0)
	OP(HCR, HCR_TPU, ADDRESS, ALWAYS, "TPU IC IVAU", 1, 3, 7, 5, 1)
	OP(HCR, HCR_TPU, ADDRESS, ALWAYS, "TPU DC CVAU", 1, 3, 7, 11, 1)
	OP(HCR, HCR_TTLB, ZERO, ALWAYS, "TTLB VMALLE1", 1, 0, 8, 7, 0)
	OP(HCR, HCR_TTLB, ZERO, ALWAYS, "TTLB VAE1", 1, 0, 8, 7, 1)
	OP(HCR, HCR_TTLB, ZERO, ALWAYS, "TTLB ASIDE1", 1, 0, 8, 7, 2)
	OP(HCR, HCR_TTLB, ZERO, ALWAYS, "TTLB VMALLE1IS", 1, 0, 8, 3, 0)
	OP(HCR, HCR_TTLB, ZERO, ALWAYS, "TTLB VALE1IS", 1, 0, 8, 3, 5)
	OP(HCR, HCR_TTLB, ZERO, TLBRANGE, "TTLB VMALLE1OS", 1, 0, 8, 1, 0)
	OP(HCR, HCR_TTLB, ZERO, TLBRANGE, "TTLB RVAE1", 1, 0, 8, 6, 1)
	OP(HCR, HCR_TTLBIS, ZERO, EVT2, "TTLBIS VMALLE1IS", 1, 0, 8, 3, 0)
	OP(HCR, HCR_TTLBOS, ZERO, EVT2_OS, "TTLBOS VMALLE1OS", 1, 0, 8, 1, 0)
	WR(HCR, HCR_TVM, "TVM SCTLR", SCTLR)
	WR(HCR, HCR_TVM, "TVM TTBR0", TTBR0)
	WR(HCR, HCR_TVM, "TVM TTBR1", TTBR1)
	WR(HCR, HCR_TVM, "TVM TCR", TCR)
	WR(HCR, HCR_TVM, "TVM ESR", ESR1)
	WR(HCR, HCR_TVM, "TVM FAR", FAR1)
	WR(HCR, HCR_TVM, "TVM AFSR0", AFSR0)
	WR(HCR, HCR_TVM, "TVM AFSR1", AFSR1)
	WR(HCR, HCR_TVM, "TVM MAIR", MAIR)
	WR(HCR, HCR_TVM, "TVM AMAIR", AMAIR)
	WR(HCR, HCR_TVM, "TVM CONTEXTIDR", CONTEXTIDR)
	RD(HCR, HCR_TRVM, "TRVM SCTLR", SCTLR)
	RD(HCR, HCR_TRVM, "TRVM TTBR0", TTBR0)
	RD(HCR, HCR_TRVM, "TRVM TTBR1", TTBR1)
	RD(HCR, HCR_TRVM, "TRVM TCR", TCR)
	RD(HCR, HCR_TRVM, "TRVM ESR", ESR1)
	RD(HCR, HCR_TRVM, "TRVM FAR", FAR1)
	RD(HCR, HCR_TRVM, "TRVM AFSR0", AFSR0)
	RD(HCR, HCR_TRVM, "TRVM AFSR1", AFSR1)
	RD(HCR, HCR_TRVM, "TRVM MAIR", MAIR)
	RD(HCR, HCR_TRVM, "TRVM AMAIR", AMAIR)
	RD(HCR, HCR_TRVM, "TRVM CONTEXTIDR", CONTEXTIDR)
	OP(HCR, HCR_TDZ, ADDRESS, ALWAYS, "TDZ DC ZVA", 1, 3, 7, 4, 1)
	ROW_RD(HCR, HCR_APK, PAUTH, true, "HCR APK=0 APIAKeyLo: MRS", 3, 0, 2, 1, 0)
	ROW_WR(HCR, HCR_APK, PAUTH, true, "HCR APK=0 APGAKeyHi: MSR", 3, 0, 2, 3, 1)
	WORD(HCR, HCR_API, true, ZERO, PAUTH, ESR_OF(EC_PAC_TRAP, 0), "API=0 PACGA", 0x9ac03000u)
	OP(HCR, HCR_AT, ADDRESS, NV, "AT S1E1R", 1, 0, 7, 8, 0)
	OP(HCR, HCR_AT, ADDRESS, NV, "AT S1E0W", 1, 0, 7, 8, 3)

	RW(MDCR, MDCR_TDA | MDCR_TDRA | MDCR_TDOSA, "TDA MDSCR", MDSCR)
	RW(MDCR, MDCR_TDA | MDCR_TDRA | MDCR_TDOSA, "TDA DBGBVR0", 2, 0, 0, 0, 4)
	RW(MDCR, MDCR_TDA | MDCR_TDRA | MDCR_TDOSA, "TDA DBGWCR0", 2, 0, 0, 0, 7)
	RD(MDCR, MDCR_TDRA, "TDRA MDRAR", 2, 0, 1, 0, 0)
	RD(MDCR, MDCR_TDOSA, "TDOSA OSLSR", 2, 0, 1, 1, 4)
	RW(MDCR, MDCR_TDOSA, "TDOSA OSDLR", 2, 0, 1, 3, 4)
	OP(MDCR, MDCR_TDOSA, ZERO, ALWAYS, "TDOSA OSLAR: MSR", 2, 0, 1, 0, 4)

	RW(CPTR, CPTR_TCPAC, "TCPAC CPACR", CPACR)

	ROW_RD(CNTHCTL, CNTHCTL_EL1PCTEN, ALWAYS, true, "CNTHCTL EL1PCTEN=0 CNTPCT: MRS", 3, 3, 14, 0, 1)
	ROW_RD(CNTHCTL, CNTHCTL_EL1PTEN, ALWAYS, true, "CNTHCTL EL1PTEN=0 CNTP_CTL: MRS", 3, 3, 14, 2, 1)
	ROW_WR(CNTHCTL, CNTHCTL_EL1PTEN, ALWAYS, true, "CNTHCTL EL1PTEN=0 CNTP_CTL: MSR", 3, 3, 14, 2, 1)
	ROW_WR(CNTHCTL, CNTHCTL_EL1PTEN, ALWAYS, true, "CNTHCTL EL1PTEN=0 CNTP_CVAL: MSR", 3, 3, 14, 2, 2)
	ROW_RD(CNTHCTL, CNTHCTL_EL1PTEN, ALWAYS, true, "CNTHCTL EL1PTEN=0 CNTP_TVAL: MRS", 3, 3, 14, 2, 0)
	ROW_RD(CNTHCTL, BIT(13), ECV, false, "CNTHCTL EL1TVT CNTV_CTL: MRS", 3, 3, 14, 3, 1)
	ROW_WR(CNTHCTL, BIT(13), ECV, false, "CNTHCTL EL1TVT CNTV_CVAL: MSR", 3, 3, 14, 3, 2)
	ROW_RD(CNTHCTL, BIT(14), ECV, false, "CNTHCTL EL1TVCT CNTVCT: MRS", 3, 3, 14, 0, 2)
	ROW_RD(CNTHCTL, BIT(14), ECV, false, "CNTHCTL EL1TVCT CNTVCTSS: MRS", 3, 3, 14, 0, 6)

	RD(ICH_HCR, BIT(10), "TC ICC_PMR", 3, 0, 4, 6, 0)
	RD(ICH_HCR, BIT(10), "TC ICC_CTLR", 3, 0, 12, 12, 4)
	RD(ICH_HCR, BIT(10), "TC ICC_RPR", 3, 0, 12, 11, 3)
	RD(ICH_HCR, BIT(11), "TALL0 ICC_IAR0", 3, 0, 12, 8, 0)
	RW(ICH_HCR, BIT(11), "TALL0 ICC_BPR0", 3, 0, 12, 8, 3)
	RD(ICH_HCR, BIT(11), "TALL0 ICC_HPPIR0", 3, 0, 12, 8, 2)
	RD(ICH_HCR, BIT(12), "TALL1 ICC_IAR1", 3, 0, 12, 12, 0)
	RW(ICH_HCR, BIT(12), "TALL1 ICC_IGRPEN1", 3, 0, 12, 12, 7)
	RD(ICH_HCR, BIT(12), "TALL1 ICC_HPPIR1", 3, 0, 12, 12, 2)

	FG(0, "AFSR0", AFSR0)
	FG(1, "AFSR1", AFSR1)
	FGR(2, "AIDR", AIDR)
	FG(3, "AMAIR", AMAIR)
	KEY(4, "APDAKeyLo", 3, 0, 2, 2, 0)
	KEY(5, "APDBKeyHi", 3, 0, 2, 2, 3)
	KEY(6, "APGAKeyLo", 3, 0, 2, 3, 0)
	KEY(7, "APIAKeyHi", 3, 0, 2, 1, 1)
	KEY(8, "APIBKeyLo", 3, 0, 2, 1, 2)
	FGR(9, "CCSIDR", CCSIDR)
	FGR(10, "CLIDR", CLIDR)
	FG(11, "CONTEXTIDR", CONTEXTIDR)
	FG(12, "CPACR", CPACR)
	FG(13, "CSSELR", CSSELR)
	FGR(14, "CTR", CTR)
	FGR(15, "DCZID", DCZID)
	FG(16, "ESR", ESR1)
	FG(17, "FAR", FAR1)
	FGR(18, "ISR", ISR)
	FG(24, "MAIR", MAIR)
	FGR(25, "MIDR", MIDR)
	FGR(26, "MPIDR", MPIDR)
	FG(27, "PAR", PAR)
	FGR(28, "REVIDR", REVIDR)
	FG(29, "SCTLR", SCTLR)
	FG(32, "TCR", TCR)
	FG(33, "TPIDR_EL1", TPIDR1)
	FG(34, "TPIDRRO", TPIDRRO)
	FG(35, "TPIDR_EL0", TPIDR0)
	FG(36, "TTBR0", TTBR0)
	FG(37, "TTBR1", TTBR1)
	FG(38, "VBAR", VBAR)
	FG(39, "ICC_IGRPEN1", 3, 0, 12, 12, 7)
	ROW_RD(HFGRTR, BIT(55), SME_ROW, true, "HFGRTR nTPIDR2=0: MRS", 3, 3, 13, 0, 5)
	ROW_WR(HFGWTR, BIT(55), SME_ROW, true, "HFGWTR nTPIDR2=0: MSR", 3, 3, 13, 0, 5)

	FGI(0, ZERO, ALWAYS, "IC IALLUIS", 1, 0, 7, 1, 0)
	FGI(1, ZERO, ALWAYS, "IC IALLU", 1, 0, 7, 5, 0)
	FGI(2, ADDRESS, ALWAYS, "IC IVAU", 1, 3, 7, 5, 1)
	FGI(3, ADDRESS, ALWAYS, "DC IVAC", 1, 0, 7, 6, 1)
	FGI(4, ZERO, ALWAYS, "DC ISW", 1, 0, 7, 6, 2)
	FGI(5, ZERO, ALWAYS, "DC CSW", 1, 0, 7, 10, 2)
	FGI(6, ZERO, ALWAYS, "DC CISW", 1, 0, 7, 14, 2)
	FGI(7, ADDRESS, ALWAYS, "DC CVAU", 1, 3, 7, 11, 1)
	FGI(8, ADDRESS, DPB, "DC CVAP", 1, 3, 7, 12, 1)
	FGI(10, ADDRESS, ALWAYS, "DC CIVAC", 1, 3, 7, 14, 1)
	FGI(11, ADDRESS, ALWAYS, "DC ZVA", 1, 3, 7, 4, 1)
	FGI(12, ADDRESS, ALWAYS, "AT S1E1R", 1, 0, 7, 8, 0)
	FGI(13, ADDRESS, ALWAYS, "AT S1E1W", 1, 0, 7, 8, 1)
	FGI(14, ADDRESS, ALWAYS, "AT S1E0R", 1, 0, 7, 8, 2)
	FGI(15, ADDRESS, ALWAYS, "AT S1E0W", 1, 0, 7, 8, 3)
	FGI(16, ADDRESS, PAN2, "AT S1E1RP", 1, 0, 7, 9, 0)
	FGI(17, ADDRESS, PAN2, "AT S1E1WP", 1, 0, 7, 9, 1)
	FGI(18, ZERO, TLBRANGE, "TLBI VMALLE1OS", 1, 0, 8, 1, 0)
	FGI(19, ZERO, TLBRANGE, "TLBI VAE1OS", 1, 0, 8, 1, 1)
	FGI(20, ZERO, TLBRANGE, "TLBI ASIDE1OS", 1, 0, 8, 1, 2)
	FGI(21, ZERO, TLBRANGE, "TLBI VAAE1OS", 1, 0, 8, 1, 3)
	FGI(22, ZERO, TLBRANGE, "TLBI VALE1OS", 1, 0, 8, 1, 5)
	FGI(23, ZERO, TLBRANGE, "TLBI VAALE1OS", 1, 0, 8, 1, 7)
	FGI(24, ZERO, TLBRANGE, "TLBI RVAE1OS", 1, 0, 8, 5, 1)
	FGI(25, ZERO, TLBRANGE, "TLBI RVAAE1OS", 1, 0, 8, 5, 3)
	FGI(26, ZERO, TLBRANGE, "TLBI RVALE1OS", 1, 0, 8, 5, 5)
	FGI(27, ZERO, TLBRANGE, "TLBI RVAALE1OS", 1, 0, 8, 5, 7)
	FGI(28, ZERO, ALWAYS, "TLBI VMALLE1IS", 1, 0, 8, 3, 0)
	FGI(29, ZERO, ALWAYS, "TLBI VAE1IS", 1, 0, 8, 3, 1)
	FGI(30, ZERO, ALWAYS, "TLBI ASIDE1IS", 1, 0, 8, 3, 2)
	FGI(31, ZERO, ALWAYS, "TLBI VAAE1IS", 1, 0, 8, 3, 3)
	FGI(32, ZERO, ALWAYS, "TLBI VALE1IS", 1, 0, 8, 3, 5)
	FGI(33, ZERO, ALWAYS, "TLBI VAALE1IS", 1, 0, 8, 3, 7)
	FGI(34, ZERO, TLBRANGE, "TLBI RVAE1IS", 1, 0, 8, 2, 1)
	FGI(35, ZERO, TLBRANGE, "TLBI RVAAE1IS", 1, 0, 8, 2, 3)
	FGI(36, ZERO, TLBRANGE, "TLBI RVALE1IS", 1, 0, 8, 2, 5)
	FGI(37, ZERO, TLBRANGE, "TLBI RVAALE1IS", 1, 0, 8, 2, 7)
	FGI(38, ZERO, TLBRANGE, "TLBI RVAE1", 1, 0, 8, 6, 1)
	FGI(39, ZERO, TLBRANGE, "TLBI RVAAE1", 1, 0, 8, 6, 3)
	FGI(40, ZERO, TLBRANGE, "TLBI RVALE1", 1, 0, 8, 6, 5)
	FGI(41, ZERO, TLBRANGE, "TLBI RVAALE1", 1, 0, 8, 6, 7)
	FGI(42, ZERO, ALWAYS, "TLBI VMALLE1", 1, 0, 8, 7, 0)
	FGI(43, ZERO, ALWAYS, "TLBI VAE1", 1, 0, 8, 7, 1)
	FGI(44, ZERO, ALWAYS, "TLBI ASIDE1", 1, 0, 8, 7, 2)
	FGI(45, ZERO, ALWAYS, "TLBI VAAE1", 1, 0, 8, 7, 3)
	FGI(46, ZERO, ALWAYS, "TLBI VALE1", 1, 0, 8, 7, 5)
	FGI(47, ZERO, ALWAYS, "TLBI VAALE1", 1, 0, 8, 7, 7)
	FGI(54, ADDRESS, ALWAYS, "DC CVAC", 1, 3, 7, 10, 1)
	WORD(HFGITR, BIT(51), false, ZERO, ALWAYS, ESR_OF(EC_ERET_TRAP, 0), "ERET", 0xd69f03e0u)
	WORD(HFGITR, BIT(51), false, ZERO, PAUTH, ESR_OF(EC_ERET_TRAP, 2), "ERETAA", 0xd69f0bffu)
	WORD(HFGITR, BIT(51), false, ZERO, PAUTH, ESR_OF(EC_ERET_TRAP, 3), "ERETAB", 0xd69f0fffu)
	WORD(HFGITR, BIT(53), false, INSIDE, ALWAYS, ESR_OF(EC_SVC, 0x77), "SVC_EL1", 0xd4000ee1u)

	RD(HDFGRTR, BIT(0), "DBGBCR0", 2, 0, 0, 0, 5)
	WR(HDFGWTR, BIT(0), "DBGBCR0", 2, 0, 0, 0, 5)
	RD(HDFGRTR, BIT(1), "DBGBVR0", 2, 0, 0, 0, 4)
	WR(HDFGWTR, BIT(1), "DBGBVR0", 2, 0, 0, 0, 4)
	RD(HDFGRTR, BIT(2), "DBGWCR0", 2, 0, 0, 0, 7)
	WR(HDFGWTR, BIT(2), "DBGWCR0", 2, 0, 0, 0, 7)
	RD(HDFGRTR, BIT(3), "DBGWVR0", 2, 0, 0, 0, 6)
	WR(HDFGWTR, BIT(3), "DBGWVR0", 2, 0, 0, 0, 6)
	RD(HDFGRTR, BIT(4), "MDSCR", MDSCR)
	WR(HDFGWTR, BIT(4), "MDSCR", MDSCR)
	RD(HDFGRTR, BIT(5), "DBGCLAIMCLR", 2, 0, 7, 9, 6)
	WR(HDFGWTR, BIT(5), "DBGCLAIMCLR", 2, 0, 7, 9, 6)
	RD(HDFGRTR, BIT(9), "OSLSR", 2, 0, 1, 1, 4)
	OP(HDFGWTR, BIT(8), ZERO, ALWAYS, "OSLAR: MSR", 2, 0, 1, 0, 4)
	RD(HDFGRTR, BIT(10), "OSECCR", 2, 0, 0, 6, 2)
	RD(HDFGRTR, BIT(11), "OSDLR", 2, 0, 1, 3, 4)
	WR(HDFGWTR, BIT(11), "OSDLR", 2, 0, 1, 3, 4)
};

static u8 scratch[256] __attribute__((aligned(256)));

static bool needed(const struct row *r)
{
	u64 mmfr2 = sysreg_read(ID_AA64MMFR2_EL1), mmfr1 = sysreg_read(ID_AA64MMFR1_EL1);

	/*
	 * OSDLR_EL1's bit is RES0 without FEAT_DoubleLock (ID_AA64DFR0_EL1.DoubleLock is 0b1111).
	 */
	if ((r->control == CTL_HDFGRTR || r->control == CTL_HDFGWTR) && r->bits == BIT(11) &&
	    FIELD(sysreg_read(ID_AA64DFR0_EL1), 39, 36))
		return false;
	if (r->control >= CTL_HFGRTR && r->control <= CTL_HDFGWTR && !has_fgt)
		return false;
	switch (r->need) {
	case EVT:
		return FIELD(mmfr2, 59, 56) >= 1;
	case EVT2:
		return FIELD(mmfr2, 59, 56) >= 2;
	case EVT2_OS:
		return FIELD(mmfr2, 59, 56) >= 2 && FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56);
	case ECV:
		return FIELD(sysreg_read(ID_AA64MMFR0_EL1), 63, 60);
	case PAUTH:
		return has_pauth;
	case PAN2:
		return FIELD(mmfr1, 23, 20) >= 2;
	case NV:
		return FIELD(mmfr2, 27, 24);
	case SME_ROW:
		return has_sme;
	case TLBRANGE:
		return FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	case DPB:
		return FIELD(sysreg_read(ID_AA64ISAR1_EL1), 3, 0);
	}
	return true;
}

static void row_control(struct l2 *l, const struct row *r, bool trap)
{
	u64 *c = r->control == CTL_HCR ? &l->hcr : &l->control[r->control];

	if (trap != r->off)
		*c |= r->bits;
	else
		*c &= ~r->bits;
}

/* Registers as a fresh L2 has them, but its exceptions are reported and its ERET ends the run. */
static void row_begin(struct l2 *l, const struct row *r, const u32 *code)
{
	l2_call(l, l2_nop, r->kind == ADDRESS ? l2_address(scratch) : 0, 0, 0);
	l->elr = l2_address(code);
	l->tpidr = l2_address(&l->gcpu);
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
	l->sys[L2_ELR] = l2_address(l2_return);
	l->sys[L2_SPSR] = SPSR_EL1H;
}

static void row_trapped(struct l2 *l, const struct row *r)
{
	u64 esr = r->esr ? r->esr : sys_esr(r->code[0]);

	row_control(l, r, true);
	row_begin(l, r, r->code);
	l2_expect_trap(l, esr);
}

static void row_free(struct l2 *l, const struct row *r)
{
	u64 value = 0, kind;

	row_control(l, r, false);
	if (r->kind == WRITE) {
		row_begin(l, r, r->read);
		value = l2_finish(l);
	}
	row_begin(l, r, r->code);
	if (r->kind == WRITE)
		l->x[0] = value;
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, r->kind == INSIDE ? 0x104 : L2_DONE),
	       "without the control: exit kind %lu esr 0x%lx elr 0x%lx", kind, l->esr, l->elr);
}

static void wfi_trap(struct l2 *l)
{
	u64 at;

	check_begin("trap", "HCR TWI: WFI");
	l->hcr |= HCR_TWI;
	l2_call(l, l2_wfi, 7, 0, 0);
	at = l->elr;
	if (l2_expect(l, ESR_OF(EC_WFI, 0x1e00000), "WFI")) {
		expect_eq(l->elr, at, "elr");
		l->elr += 4;
		expect_eq(l2_finish(l), 7, "x0");
	}
	check_begin("trap", "HCR TWI: WFI with an interrupt pending");
	l2_call(l, l2_wfi, 7, 0, 0);
	l->hcr = (HCR_L2 | HCR_VI) & ~HCR_TWI;
	expect_eq(l2_finish(l), 7, "x0");
	l->hcr = HCR_L2;
}

/* HVC is undefined for L2 with HCR_EL2.HCD. */
static void hvc_disabled(struct l2 *l)
{
	u64 kind;

	check_begin("trap", "HCR HCD: HVC is undefined");
	l2_call(l, l2_nop, 0, 0, 0);
	l2_put();
	l->hcr |= HCR_HCD;
	/* Its vectors are at an address that stage 2 does not map. */
	l->sys[L2_VBAR] = L2_SPACE;
	kind = l2_run(l);
	expect(kind == EXIT_SYNC && ESR_EC(l->esr) == EC_IABT_LOW, "exit kind %lu esr 0x%lx", kind, l->esr);
	expect_eq(l->elr, L2_SPACE + 0x200, "elr");
	expect_eq(el1_read(ESR), ESR_OF(EC_UNKNOWN, 0), "ESR_EL1");
	expect_eq(el1_read(ELR), l2_address(l2_return), "ELR_EL1");
	l->hcr = HCR_L2;
	l2_put();
	l->sys[L2_VBAR] = l2_address(vectors);
}

/* All the read traps and all the instruction traps at once. */
static void all_at_once(struct l2 *l)
{
	static const u8 controls[] = { CTL_HFGRTR, CTL_HFGWTR, CTL_HFGITR, CTL_HDFGRTR, CTL_HDFGWTR };
	u64 saved[ARRAY_SIZE(controls)];
	u32 i, c, n = 0;

	check_begin("trap", "every fine-grained trap at once");
	if (!has_fgt) {
		test_skip("no such feature");
		return;
	}
	for (c = 0; c < ARRAY_SIZE(controls); c++) {
		saved[c] = l->control[controls[c]];
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			if (rows[i].control == controls[c])
				row_control(l, &rows[i], needed(&rows[i]));
	}
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		if (r->control == CTL_HCR || r->control < CTL_HFGRTR || r->control > CTL_HDFGWTR ||
		    !needed(r))
			continue;
		row_begin(l, r, r->code);
		if (!l2_expect(l, r->esr ? r->esr : sys_esr(r->code[0]), "a trap")) {
			print("row %s\n", r->name);
			break;
		}
		n++;
	}
	expect(n > 100, "only %u rows", n);
	for (c = 0; c < ARRAY_SIZE(controls); c++)
		l->control[controls[c]] = saved[c];
}

void group_trap(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	check_begin("trap", "L2 boots");
	l2_reset(l, 1);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		check_begin("trap", "%s", rows[i].name);
		if (!needed(&rows[i])) {
			test_skip("no such feature");
			continue;
		}
		row_trapped(l, &rows[i]);
		row_free(l, &rows[i]);
	}
	wfi_trap(l);
	all_at_once(l);
	hvc_disabled(l);
}
