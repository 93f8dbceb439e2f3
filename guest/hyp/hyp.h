/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest hypervisor: a program at (virtual) EL2 with E2H=1 and the guests ("L2") that it runs.
 * An L2 runs the same image at L2_BASE, through a stage 2 of the hypervisor's, with the same
 * library.
 */
#pragma once

/*
 * Things declared elsewhere are in this image too: do not load their addresses from a table, which
 * would hold the hypervisor's.
 */
#pragma GCC visibility push(hidden)

#include "arch/hcr.h"
#include "arch/sysreg.h"
#include "cpu.h"
#include "dt.h"
#include "exception.h"
#include "gic.h"
#include "mmu.h"
#include "level.h"
#include "lib/string.h"
#include "lib/types.h"
#include "psci.h"
#include "random.h"
#include "test.h"

/* HCR_EL2 for the hypervisor itself, and for an L2; without VHE there is no host to route to. */
#define HCR_ANY (HCR_RW | HCR_API | HCR_APK | (e2h0 ? 0 : HCR_E2H))
#define HCR_HOST (HCR_ANY | (e2h0 ? HCR_FMO | HCR_IMO | HCR_AMO : HCR_TGE))
#define HCR_L2 (HCR_ANY | HCR_VM | HCR_FMO | HCR_IMO | HCR_AMO | HCR_TSC)

#define L2_BASE 0x80000000UL     /* where an L2 sees the image: VA = IPA */
#define L2_SPACE 0x100000000UL   /* IPA of memory that tests map as they like */
#define L2_DONE 0xfff            /* HVC: the L2's function has returned */
#define SPSR_EL1H 0x3c5UL
#define SPSR_EL0T 0x3c0UL
#define SPSR_ALLINT BIT(13)      /* a machine with FEAT_NMI sets it; a VM may lack that */

#define PPI_VTIMER_HYP 28u /* CNTHV */
#define PPI_PTIMER_HYP 26u /* CNTHP */
#define PPI_MAINTENANCE 25u

#define EC_ILL 0x0e
#define EC_PAC_TRAP 0x09
#define EC_WFI 0x01
#define EC_ERET_TRAP 0x1a
#define EC_PAC_BAD 0x1c

/* The vector through which an L2 exited. */
enum exit_kind {
	EXIT_HOST_SYNC = 4, /* an exception of the hypervisor itself, taken meanwhile */
	EXIT_SYNC = 8,
	EXIT_IRQ,
	EXIT_FIQ,
	EXIT_SERROR,
};

/*
 * The EL1 registers that belong to an L2: X(name, name from EL2 with VHE, name without). SP_EL1 and
 * CNTKCTL are handled in the same way.
 */
#define L2_BANK(X)                                                                                 \
	X(SCTLR, SCTLR_EL12, SCTLR_EL1)                                                            \
	X(CPACR, CPACR_EL12, CPACR_EL1)                                                            \
	X(TTBR0, TTBR0_EL12, TTBR0_EL1)                                                            \
	X(TTBR1, TTBR1_EL12, TTBR1_EL1)                                                            \
	X(TCR, TCR_EL12, TCR_EL1)                                                                  \
	X(ESR, ESR_EL12, ESR_EL1)                                                                  \
	X(FAR, FAR_EL12, FAR_EL1)                                                                  \
	X(AFSR0, AFSR0_EL12, AFSR0_EL1)                                                            \
	X(AFSR1, AFSR1_EL12, AFSR1_EL1)                                                            \
	X(MAIR, MAIR_EL12, MAIR_EL1)                                                               \
	X(AMAIR, AMAIR_EL12, AMAIR_EL1)                                                            \
	X(VBAR, VBAR_EL12, VBAR_EL1)                                                               \
	X(CONTEXTIDR, CONTEXTIDR_EL12, CONTEXTIDR_EL1)                                             \
	X(ELR, ELR_EL12, ELR_EL1)                                                                  \
	X(SPSR, SPSR_EL12, SPSR_EL1)                                                               \
	X(CNTKCTL, CNTKCTL_EL12, CNTKCTL_EL1)                                                      \
	X(SP1, SP_EL1, SP_EL1)                                                                     \
	X(SP0, SP_EL0, SP_EL0)                                                                     \
	X(TPIDR0, TPIDR_EL0, TPIDR_EL0)                                                            \
	X(TPIDRRO, TPIDRRO_EL0, TPIDRRO_EL0)                                                       \
	X(PAR, PAR_EL1, PAR_EL1)                                                                   \
	X(MDSCR, MDSCR_EL1, MDSCR_EL1)                                                             \
	X(CSSELR, CSSELR_EL1, CSSELR_EL1)

enum l2_bank {
#define X(name, el12, el1) L2_##name,
	L2_BANK(X)
#undef X
	L2_BANK_COUNT,
};

/*
 * Trap controls other than HCR_EL2: X(name, register, whether it exists). CPTR and CNTHCTL are kept
 * in the format of E2H = 1.
 */
#define L2_CONTROLS(X)                                                                             \
	X(HCRX, HCRX_EL2, has_hcx)                                                                 \
	X(MDCR, MDCR_EL2, true)                                                                    \
	X(CPTR, CPTR_EL2, true)                                                                    \
	X(CNTHCTL, CNTHCTL_EL2, true)                                                              \
	X(HFGRTR, HFGRTR_EL2, has_fgt)                                                             \
	X(HFGWTR, HFGWTR_EL2, has_fgt)                                                             \
	X(HFGITR, HFGITR_EL2, has_fgt)                                                             \
	X(HDFGRTR, HDFGRTR_EL2, has_fgt)                                                           \
	X(HDFGWTR, HDFGWTR_EL2, has_fgt)                                                           \
	X(ICH_HCR, ICH_HCR_EL2, true)

enum l2_control {
#define X(name, reg, exists) CTL_##name,
	L2_CONTROLS(X)
#undef X
	CTL_COUNT,
	CTL_HCR = CTL_COUNT,
};

/* Stage 2 of an L2: tables from the pool, of any granule. */
struct stage2 {
	u64 root;
	u32 granule; /* bits: 12, 14, 16 */
	u32 start;   /* level */
	u32 bits;    /* of IPA */
};

/* A CPU of an L2. enter.S knows the part up to the mark. */
struct l2 {
	u64 x[31];
	u64 tpidr;   /* TPIDR_EL1 */
	u64 elr, spsr;
	u64 esr, far, hpfar;
	u64 host_sp, host_tpidr;
	u64 eret;    /* 0 ERET, 1 ERETAA, 2 ERETAB; + 8: with a wrong code */
	/* ---- */
	u64 sys[L2_BANK_COUNT]; /* while another L2 is loaded */
	u64 hcr, vttbr, vtcr, cntvoff;
	u64 hcr_exit; /* HCR_EL2 as it was at the exit */
	u64 control[CTL_COUNT];
	u64 zcr, smcr; /* ZCR_EL1, SMCR_EL1 while another is loaded */
	struct stage2 s2;
	struct gcpu gcpu; /* L2's own, addresses are L2's */
	u32 exits;        /* since l2_call */
};

extern struct l2 l2s[4];
extern bool has_sve, has_sme, has_sme2, has_fa64, has_pauth, has_hcx, has_fgt;
extern const char _head[];

/* ---- enter.S ---- */
u64 l2_enter(struct l2 *l);
void el2_to_e2h0(const struct mmu_registers *r, u64 hcr);
extern const char hyp_vectors[], vectors[], vectors_e2h0[];
/* The hypervisor's own. */
static inline u64 own_vectors(void)
{
	return (u64)(e2h0 ? vectors_e2h0 : vectors);
}
extern const char l2_return[];

/* ---- stage2.c ---- */
#define S2_RW (3UL << 6)
#define S2_RO (1UL << 6)
#define S2_WO (2UL << 6)
#define S2_NORMAL (15UL << 2 | 3UL << 8)
#define S2_DEVICE (1UL << 2)
#define S2_AF BIT(10)
#define S2_XN (2UL << 53)
#define S2_MEMORY (S2_RW | S2_NORMAL | S2_AF)

/* Give all table pages back: no L2 may run on them afterwards. */
void stage2_reset(void);
/* 64 KiB of zeroed memory, aligned, until stage2_reset(). */
void *pool_alloc(void);
/*
 * Begin an empty table of this granule (bits), start level and IPA size; fills VTCR and VTTBR of
 * the L2 too.
 */
void stage2_init(struct l2 *l, u32 granule, u32 start, u32 bits, u32 vmid);
/* Map one leaf of the level: descriptor attributes as given. No TLB maintenance. */
void stage2_map(struct l2 *l, u64 ipa, u64 pa, u32 level, u64 attr);
/* Pointer to the descriptor for ipa at that level; NULL if tables are missing. */
u64 *stage2_slot(struct l2 *l, u64 ipa, u32 level);
/* Map the whole image at L2_BASE. */
void stage2_map_image(struct l2 *l);
void stage2_map_image_at(struct l2 *l, u64 ipa);
/* Invalidate everything of this L2's VMID. */
void stage2_flush(struct l2 *l);

/* ---- frames.c: pages that tests unmap and map again ---- */
#define FRAMES_MAX 64

/* Forget all pages that were given back. */
void frames_forget(void);
/* Give back a page that no translation leads to any more; at most FRAMES_MAX. */
void frame_put(u64 *frame);
/*
 * Take the page that was given back first, and check that nobody has written to it since, by an old
 * translation.
 */
u64 *frame_get(void);
/* Set all words of a page. */
void frame_fill(u64 *frame, u64 value);

/* ---- l2.c ---- */
/*
 * Make an L2 as after boot: stage 2 of 4 KiB pages with the image, MMU on, as few traps as
 * possible.
 */
void l2_reset(struct l2 *l, u32 vmid);
/* The same, with an existing stage 2. */
void l2_reset_cpu(struct l2 *l, u32 index);
/* Let it turn its MMU on. */
void l2_boot_mmu(struct l2 *l);
/* Set it up to call fn(a, b, c) on the next l2_run(). */
void l2_call(struct l2 *l, u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c);
/* Enter it; returns the exit, with ESR's ISS2 and SPSR.ALLINT cleared. */
u64 l2_run(struct l2 *l);
/* Run fn to its end: no exit is permitted on the way; returns its result. */
u64 l2_run_fn(struct l2 *l, u64 (*fn)(u64, u64, u64), u64 a, u64 b, u64 c);
/* Whether the exit is HVC #imm. */
bool l2_is_hvc(const struct l2 *l, u64 kind, u32 imm);
/* Continue, expecting the end of the function. */
u64 l2_finish(struct l2 *l);
/* Continue, expecting a synchronous exit with this ESR. */
bool l2_expect(struct l2 *l, u64 esr, const char *what);
/*
 * Run an l2 whose first instruction traps with this syndrome, continue behind it with another x0,
 * and expect that to be its result.
 */
void l2_expect_trap(struct l2 *l, u64 esr);
/* Set every trap control to the hypervisor's own value. */
void controls_reset(void);
/* Save the EL1 registers of the L2 that is loaded on this CPU, so that none is. */
void l2_put(void);
/* Load its EL1 registers, without running it. */
void l2_load(struct l2 *l);
/* The address that an L2 sees for one of the image. */
static inline u64 l2_address(const void *p)
{
	return (u64)p - (u64)_head + L2_BASE;
}
/*
 * If there is no VHE, skip the check that was begun, which is about a host or registers that only
 * VHE has, and return false.
 */
bool needs_vhe(void);
/* Begin the check "group: ...", which ends the previous one. The first CPU only. */
void check_begin(const char *group, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * A TLBI of an address or a range by its encoding, S1_op1_C8_Cm_op2, as an assembler may not know it.
 */
#define TLBI(op1, m, op2, arg)                                                                     \
	asm volatile("sys #" #op1 ", c8, c" #m ", #" #op2 ", %0" ::"r"(arg) : "memory")

/* HVC from an L2. */
#define l2_hvc(imm) asm volatile("hvc %0" ::"i"(imm) : "memory")
static inline u64 l2_hvc_arg(u64 a)
{
	register u64 x0 asm("x0") = a;

	asm volatile("hvc #1" : "+r"(x0)::"memory");
	return x0;
}

/* A syndrome of a 32-bit instruction. */
#define ESR_OF(ec, iss) ((u64)(ec) << 26 | BIT(25) | (iss))
/* ISS of a trapped MSR, MRS or SYS, from its encoding. */
static inline u64 sys_esr(u32 insn)
{
	return ESR_OF(EC_SYS, (u64)FIELD(insn, 20, 19) << 20 | FIELD(insn, 7, 5) << 17 |
				      FIELD(insn, 18, 16) << 14 | FIELD(insn, 15, 12) << 10 |
				      FIELD(insn, 4, 0) << 5 | FIELD(insn, 11, 8) << 1 |
				      FIELD(insn, 21, 21));
}

/* ---- the groups ---- */
void group_host(void);
void group_call(void);
void group_bank(void);
void group_exception(void);
void group_trap(void);
void group_stage2(void);
void group_mmio(void);
void group_tlb(void);
void group_at(void);
void group_irq(void);
void group_timer(void);
void group_simd(void);
void group_eret(void);
void group_debug(void);
void group_smp(void);
void group_hostile(void);
void group_storm(void);
void group_doom(void);
void group_walk(void);
void group_ends(void);
void group_races(void);
void group_nv(void);
void group_vncr(void);
void group_bench(void);
#pragma GCC visibility pop
