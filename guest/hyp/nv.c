/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An L2 that is a hypervisor itself: HCR_EL2.{NV,NV2}, and VNCR_EL2 with memory of this hypervisor,
 * mapped by its own stage 1, in both halves. What L2's EL2 registers hold, what traps, what L2
 * believes to be, what an address without a page does; and an L3 below L2 that makes one HVC.
 */
#include "hyp.h"

#include "mmu.h"

#define RET 0xd65f03c0u
#define SYS_WORD(l, op0, op1, n, m, op2)                                                           \
	(0xd5000000u | (l) << 21 | (op0) << 19 | (op1) << 16 | (n) << 12 | (m) << 8 | (op2) << 5)
#define MRS_(...) SYS_WORD(1u, __VA_ARGS__)
#define MSR_(...) SYS_WORD(0u, __VA_ARGS__)
#define ERET 0xd69f03e0u
#define ERETAA 0xd69f0bffu
#define ERETAB 0xd69f0fffu
#define SVC_77 0xd4000ee1u
#define HVC_7 0xd40000e2u
#define SMC_7 0xd40000e3u

#define VNCR_VA 0x3200000000UL            /* 200 GiB: no memory or device of the machine is there */
#define VNCR_LAST 0xfffffffffffff000UL    /* the last page of the range */
#define ESR_VNCR(write, fsc) ESR_OF(0x25, BIT(13) | ((write) ? BIT(6) : 0) | (fsc))
#define LEAF_RW (BIT(54) | BIT(53) | BIT(10) | 3UL << 8 | 1UL << 2 | 3)
#define LEAF_RO (LEAF_RW | BIT(7))

extern const char l2_telling_vectors[], hvc_7[];
u64 l2_nop(u64 a, u64 b, u64 c);

static u64 page[2][512] __attribute__((aligned(4096)));
static u64 low2[512] __attribute__((aligned(4096))), low3[512] __attribute__((aligned(4096)));
static u64 high1[512] __attribute__((aligned(4096))), high2[512] __attribute__((aligned(4096)));
static u64 high3[512] __attribute__((aligned(4096)));

/* ---- registers that have a word in the page ---- */

static const struct slot {
	u32 read[2], write[2];
	u16 at;
	char name[20];
} slots[] = {
#define SLOT(at, name, ...) { { MRS_(__VA_ARGS__), RET }, { MSR_(__VA_ARGS__), RET }, at, name },
	SLOT(0x020, "VTTBR_EL2", 3, 4, 2, 1, 0)
	SLOT(0x040, "VTCR_EL2", 3, 4, 2, 1, 2)
	SLOT(0x050, "VMPIDR_EL2", 3, 4, 0, 0, 5)
	SLOT(0x060, "CNTVOFF_EL2", 3, 4, 14, 0, 3)
	SLOT(0x078, "HCR_EL2", 3, 4, 1, 1, 0)
	SLOT(0x080, "HSTR_EL2", 3, 4, 1, 1, 3)
	SLOT(0x088, "VPIDR_EL2", 3, 4, 0, 0, 0)
	SLOT(0x090, "TPIDR_EL2", 3, 4, 13, 0, 2)
	SLOT(0x0a0, "HCRX_EL2", 3, 4, 1, 2, 2)
	SLOT(0x0b0, "VNCR_EL2", 3, 4, 2, 2, 0)
	SLOT(0x100, "CPACR_EL12", 3, 5, 1, 0, 2)
	SLOT(0x108, "CONTEXTIDR_EL12", 3, 5, 13, 0, 1)
	SLOT(0x110, "SCTLR_EL12", 3, 5, 1, 0, 0)
	SLOT(0x120, "TCR_EL12", 3, 5, 2, 0, 2)
	SLOT(0x128, "AFSR0_EL12", 3, 5, 5, 1, 0)
	SLOT(0x130, "AFSR1_EL12", 3, 5, 5, 1, 1)
	SLOT(0x138, "ESR_EL12", 3, 5, 5, 2, 0)
	SLOT(0x140, "MAIR_EL12", 3, 5, 10, 2, 0)
	SLOT(0x148, "AMAIR_EL12", 3, 5, 10, 3, 0)
	SLOT(0x158, "MDSCR_EL1", 2, 0, 0, 2, 2)
	SLOT(0x160, "SPSR_EL12", 3, 5, 4, 0, 0)
	SLOT(0x168, "CNTV_CVAL_EL02", 3, 5, 14, 3, 2)
	SLOT(0x170, "CNTV_CTL_EL02", 3, 5, 14, 3, 1)
	SLOT(0x178, "CNTP_CVAL_EL02", 3, 5, 14, 2, 2)
	SLOT(0x180, "CNTP_CTL_EL02", 3, 5, 14, 2, 1)
	SLOT(0x1b8, "HFGRTR_EL2", 3, 4, 1, 1, 4)
	SLOT(0x1c0, "HFGWTR_EL2", 3, 4, 1, 1, 5)
	SLOT(0x1c8, "HFGITR_EL2", 3, 4, 1, 1, 6)
	SLOT(0x1d0, "HDFGRTR_EL2", 3, 4, 3, 1, 4)
	SLOT(0x1d8, "HDFGWTR_EL2", 3, 4, 3, 1, 5)
	SLOT(0x200, "TTBR0_EL12", 3, 5, 2, 0, 0)
	SLOT(0x210, "TTBR1_EL12", 3, 5, 2, 0, 1)
	SLOT(0x220, "FAR_EL12", 3, 5, 6, 0, 0)
	SLOT(0x230, "ELR_EL12", 3, 5, 4, 0, 1)
	SLOT(0x240, "SP_EL1", 3, 4, 4, 1, 0)
	SLOT(0x250, "VBAR_EL12", 3, 5, 12, 0, 0)
	SLOT(0x400, "ICH_LR0_EL2", 3, 4, 12, 12, 0)
	SLOT(0x480, "ICH_AP0R0_EL2", 3, 4, 12, 8, 0)
	SLOT(0x4a0, "ICH_AP1R0_EL2", 3, 4, 12, 9, 0)
	SLOT(0x4c0, "ICH_HCR_EL2", 3, 4, 12, 11, 0)
	SLOT(0x4c8, "ICH_VMCR_EL2", 3, 4, 12, 11, 7)
};

#define SLOT_HCR 4

/* ---- what traps ---- */

static const struct word {
	u32 code[2];
	u64 esr; /* 0: that of the encoding */
	u8 need; /* 1 NV without NV2, 2 PAuth */
	char name[24];
} words[] = {
#define TRAPS(name, word) { { word, RET }, 0, 0, name },
#define READS(name, ...) TRAPS("MRS " name, MRS_(__VA_ARGS__))
#define WRITES(name, ...) TRAPS("MSR " name, MSR_(__VA_ARGS__))
#define BOTH(name, ...) READS(name, __VA_ARGS__) WRITES(name, __VA_ARGS__)
#define NV_ONLY(name, ...) { { MRS_(__VA_ARGS__), RET }, 0, 1, "MRS " name },
	BOTH("SCTLR_EL2", 3, 4, 1, 0, 0)
	BOTH("ACTLR_EL2", 3, 4, 1, 0, 1)
	BOTH("MDCR_EL2", 3, 4, 1, 1, 1)
	BOTH("CPTR_EL2", 3, 4, 1, 1, 2)
	BOTH("HACR_EL2", 3, 4, 1, 1, 7)
	BOTH("TTBR0_EL2", 3, 4, 2, 0, 0)
	BOTH("TTBR1_EL2", 3, 4, 2, 0, 1)
	BOTH("TCR_EL2", 3, 4, 2, 0, 2)
	BOTH("AFSR0_EL2", 3, 4, 5, 1, 0)
	BOTH("AFSR1_EL2", 3, 4, 5, 1, 1)
	BOTH("HPFAR_EL2", 3, 4, 6, 0, 4)
	BOTH("MAIR_EL2", 3, 4, 10, 2, 0)
	BOTH("AMAIR_EL2", 3, 4, 10, 3, 0)
	BOTH("VBAR_EL2", 3, 4, 12, 0, 0)
	BOTH("CONTEXTIDR_EL2", 3, 4, 13, 0, 1)
	BOTH("CNTHCTL_EL2", 3, 4, 14, 1, 0)
	BOTH("CNTHP_TVAL_EL2", 3, 4, 14, 2, 0)
	BOTH("CNTHP_CTL_EL2", 3, 4, 14, 2, 1)
	BOTH("CNTHP_CVAL_EL2", 3, 4, 14, 2, 2)
	BOTH("CNTHV_TVAL_EL2", 3, 4, 14, 3, 0)
	BOTH("CNTHV_CTL_EL2", 3, 4, 14, 3, 1)
	BOTH("CNTHV_CVAL_EL2", 3, 4, 14, 3, 2)
	BOTH("CNTV_TVAL_EL02", 3, 5, 14, 3, 0)
	BOTH("CNTP_TVAL_EL02", 3, 5, 14, 2, 0)
	BOTH("CNTKCTL_EL12", 3, 5, 14, 1, 0)
	BOTH("ICC_SRE_EL2", 3, 4, 12, 9, 5)
	READS("ICH_VTR_EL2", 3, 4, 12, 11, 1)
	READS("ICH_MISR_EL2", 3, 4, 12, 11, 2)
	READS("ICH_EISR_EL2", 3, 4, 12, 11, 3)
	READS("ICH_ELRSR_EL2", 3, 4, 12, 11, 5)
	TRAPS("TLBI ALLE2", MSR_(1, 4, 8, 7, 0))
	TRAPS("TLBI ALLE2IS", MSR_(1, 4, 8, 3, 0))
	TRAPS("TLBI VAE2", MSR_(1, 4, 8, 7, 1))
	TRAPS("TLBI VALE2IS", MSR_(1, 4, 8, 3, 5))
	TRAPS("TLBI ALLE1IS", MSR_(1, 4, 8, 3, 4))
	TRAPS("TLBI VMALLS12E1IS", MSR_(1, 4, 8, 3, 6))
	TRAPS("TLBI IPAS2E1IS", MSR_(1, 4, 8, 0, 1))
	TRAPS("AT S1E2R", MSR_(1, 4, 7, 8, 0))
	TRAPS("AT S12E1R", MSR_(1, 4, 7, 8, 4))
	TRAPS("AT S12E0W", MSR_(1, 4, 7, 8, 7))
	{ { ERET, RET }, ESR_OF(EC_ERET_TRAP, 0), 0, "ERET" },
	{ { ERETAA, RET }, ESR_OF(EC_ERET_TRAP, 2), 2, "ERETAA" },
	{ { ERETAB, RET }, ESR_OF(EC_ERET_TRAP, 3), 2, "ERETAB" },
	{ { SMC_7, RET }, ESR_OF(EC_SMC, 7), 0, "SMC" },
	NV_ONLY("HCR_EL2", 3, 4, 1, 1, 0)
	NV_ONLY("VTTBR_EL2", 3, 4, 2, 1, 0)
	NV_ONLY("TPIDR_EL2", 3, 4, 13, 0, 2)
	NV_ONLY("SPSR_EL2", 3, 4, 4, 0, 0)
	NV_ONLY("ELR_EL2", 3, 4, 4, 0, 1)
	NV_ONLY("ESR_EL2", 3, 4, 5, 2, 0)
	NV_ONLY("SP_EL1", 3, 4, 4, 1, 0)
	NV_ONLY("SCTLR_EL12", 3, 5, 1, 0, 0)
	NV_ONLY("ICH_LR0_EL2", 3, 4, 12, 12, 0)
};

/* ---- running L2 ---- */

/* L2 executes code and returns, in its mode, with NV and NV2 as in hcr. */
static void begin(struct l2 *l, const u32 *code, u64 x0, u64 hcr)
{
	l2_call(l, l2_nop, x0, 0, 0);
	l->elr = l2_address(code);
	l2_put();
	l->sys[L2_VBAR] = l2_address(l2_telling_vectors);
	l->hcr = HCR_L2 | hcr;
}

static void redirected(struct l2 *l, const struct slot *s, u64 n)
{
	u64 value = 0x5a00000000000000 | n << 32 | s->at;

	page[0][s->at / 8] = value;
	begin(l, s->read, 0, HCR_NV | HCR_NV2);
	expect_eq(l2_finish(l), value, "read");
	begin(l, s->write, ~value, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(page[0][s->at / 8], ~value, "written");
	page[0][s->at / 8] = 0;
}

static void trapped(struct l2 *l, const struct word *w, u64 hcr)
{
	u64 esr = w->esr ? w->esr : sys_esr(w->code[0]);

	begin(l, w->code, 0, hcr);
	l2_expect_trap(l, esr);
}

/* ---- stage 1 of this hypervisor ---- */

static void leaf_set(bool high, u64 desc)
{
	u64 *leaf = high ? &high3[511] : &low3[0];

	__atomic_store_n(leaf, desc, __ATOMIC_RELEASE);
	dsb(ishst);
}

static u64 va_of(bool high)
{
	return high ? VNCR_LAST : VNCR_VA;
}

static void tables_make(void)
{
	u64 tcr = sysreg_read(TCR_EL1);

	low2[0] = (u64)low3 | 3;
	mmu_set(VNCR_VA, (u64)low2 | 3);
	high1[511] = (u64)high2 | 3;
	high2[511] = (u64)high3 | 3;
	sysreg_write(TTBR1_EL1, (u64)high1);
	/* T1SZ 25, walks write-back and inner shareable, 4 KiB; EPD1 off */
	tcr = (tcr & ~BIT(23)) | 25UL << 16 | 1UL << 24 | 1UL << 26 | 3UL << 28 | 2UL << 30;
	sysreg_write(TCR_EL1, tcr);
	isb();
	leaf_set(false, (u64)page[0] | LEAF_RW);
	leaf_set(true, (u64)page[0] | LEAF_RW);
	asm volatile("tlbi vmalle1is" ::: "memory");
	dsb(ish);
	isb();
}

/* ---- the tests ---- */

/* The EL2 names of the registers of an exception denote EL1's. */
static void el1_by_el2_names(struct l2 *l)
{
	static const u32 code[][2] = {
		{ MSR_(3, 4, 4, 0, 0), RET },
		{ MSR_(3, 4, 4, 0, 1), RET },
		{ MSR_(3, 4, 5, 2, 0), RET },
		{ MSR_(3, 4, 6, 0, 0), RET },
	};

	check_begin("nv", "SPSR, ELR, ESR and FAR_EL2 are EL1's");
	begin(l, code[0], 0x3c4, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(sysreg_read(SPSR_EL12), 0x3c4, "SPSR");
	begin(l, code[1], 0x123456789abc, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(sysreg_read(ELR_EL12), 0x123456789abc, "ELR");
	begin(l, code[2], 0x5600007e, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(sysreg_read(ESR_EL12), 0x5600007e, "ESR");
	begin(l, code[3], 0xffff123456789abc, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(sysreg_read(FAR_EL12), 0xffff123456789abc, "FAR");
}

/* L2's exceptions to itself report EL2h, those to this hypervisor EL1h. */
static void who_it_is(struct l2 *l, const char *name, u64 hcr)
{
	static const u32 current_el[2] = { MRS_(3, 0, 4, 2, 2), RET };
	static const u32 svc[2] = { SVC_77, RET }, hvc[2] = { HVC_7, RET };
	bool nv = hcr & HCR_NV;

	check_begin("nv", "CurrentEL and SPSR_EL1 with %s", name);
	begin(l, current_el, 0, hcr);
	expect_eq(l2_finish(l), nv ? 8 : 4, "CurrentEL");
	begin(l, svc, 0, hcr);
	expect(l2_is_hvc(l, l2_run(l), 0x104), "SVC: esr 0x%lx", l->esr);
	expect_eq(l->spsr & 0x1f, 5, "spsr of the HVC");
	expect_eq(sysreg_read(SPSR_EL12) & 0x1f, nv ? 9 : 5, "SPSR_EL1.M");
	/* UNDEFINED, and not only by the CPU itself. */
	begin(l, hvc, 0, hcr | HCR_HCD);
	l2_put();
	l->sys[L2_VBAR] = L2_SPACE;
	expect(l2_run(l) == EXIT_SYNC && ESR_EC(l->esr) == EC_IABT_LOW, "HVC: esr 0x%lx", l->esr);
	expect_eq(l->elr, L2_SPACE + 0x200, "elr");
	expect_eq(sysreg_read(ESR_EL12), ESR_OF(EC_UNKNOWN, 0), "ESR_EL1");
	expect_eq(sysreg_read(SPSR_EL12) & 0x1f, nv ? 9 : 5, "SPSR_EL1.M");
}

/* An access of L2 to HCR_EL2 that is reported as this fault. */
static void faults(struct l2 *l, bool write, u64 va, u64 fsc)
{
	const struct slot *s = &slots[SLOT_HCR];
	u64 at;

	begin(l, write ? s->write : s->read, 0x77, HCR_NV | HCR_NV2);
	at = l->elr;
	if (!l2_expect(l, ESR_VNCR(write, fsc), "an abort of VNCR_EL2's"))
		return;
	expect_eq(l->far, va + s->at, "far");
	expect_eq(l->elr, at, "elr");
	expect_eq(l->spsr & 0xffff3fff, SPSR_EL1H, "spsr");
}

static void works(struct l2 *l, u64 *on)
{
	u64 value = (u64)on ^ 0x1122334455667788;

	begin(l, slots[SLOT_HCR].write, value, HCR_NV | HCR_NV2);
	l2_finish(l);
	expect_eq(on[0x78 / 8], value, "written");
}

static void flush_all(void)
{
	asm volatile("tlbi alle2is" ::: "memory");
}

static void flush_address(u64 va)
{
	asm volatile("tlbi vae2is, %0" ::"r"(FIELD(va, 55, 12)) : "memory");
}

static void flush_last(u64 va)
{
	asm volatile("tlbi vale2is, %0" ::"r"(FIELD(va, 55, 12)) : "memory");
}

static void flush_local(u64 va)
{
	asm volatile("tlbi vae2, %0" ::"r"(FIELD(va, 55, 12)) : "memory");
}

static void flush_host(u64 va)
{
	asm volatile("tlbi vaae1is, %0" ::"r"(FIELD(va, 55, 12)) : "memory");
}

static void flush_range(u64 va)
{
	/* RVAE2IS: two pages, TG 4 KiB */
	asm volatile("sys #4, c8, c2, #1, %0" ::"r"(FIELD(va & ~BIT(12), 48, 12) | 1UL << 46)
		     : "memory");
}

static void flush_everything(u64 va)
{
	(void)va;
	flush_all();
}

static const struct {
	const char *name;
	void (*flush)(u64 va);
	bool range;
} flushes[] = {
	{ "ALLE2IS", flush_everything, false }, { "VAE2IS", flush_address, false },
	{ "VALE2IS", flush_last, false },       { "VAE2", flush_local, false },
	{ "VAAE1IS of a host", flush_host, false }, { "RVAE2IS", flush_range, true },
};

static void change(bool high, void (*flush)(u64 va), u64 desc)
{
	leaf_set(high, 0);
	dsb(ish);
	flush(va_of(high));
	dsb(ish);
	isb();
	leaf_set(high, desc);
	dsb(ish);
	isb();
}

static void page_of_registers(struct l2 *l, bool high)
{
	const char *half = high ? "the last page" : "the low half";
	u64 va = va_of(high);
	u32 i;

	sysreg_write(VNCR_EL2, va);
	isb();
	change(high, flush_everything, (u64)page[0] | LEAF_RW);
	check_begin("nv", "%s: a page", half);
	works(l, page[0]);
	check_begin("nv", "%s: read-only", half);
	change(high, flush_address, (u64)page[0] | LEAF_RO);
	page[0][0x78 / 8] = 0x99;
	begin(l, slots[SLOT_HCR].read, 0, HCR_NV | HCR_NV2);
	expect_eq(l2_finish(l), 0x99, "read");
	faults(l, true, va, 0x0f);
	expect_eq(page[0][0x78 / 8], 0x99, "not written");
	check_begin("nv", "%s: nothing", half);
	change(high, flush_address, 0);
	faults(l, false, va, 0x07);
	faults(l, true, va, 0x07);
	check_begin("nv", "%s: no access flag", half);
	change(high, flush_address, ((u64)page[0] | LEAF_RW) & ~BIT(10));
	faults(l, true, va, 0x0b);
	for (i = 0; i < ARRAY_SIZE(flushes); i++) {
		check_begin("nv", "%s: another page by %s", half, flushes[i].name);
		if (flushes[i].range && FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) < 2) {
			test_skip("no such feature");
			continue;
		}
		change(high, flush_everything, (u64)page[0] | LEAF_RW);
		works(l, page[0]);
		change(high, flushes[i].flush, (u64)page[1] | LEAF_RW);
		works(l, page[1]);
	}
	change(high, flush_everything, (u64)page[0] | LEAF_RW);
}

/* Five pages in turn, and what belongs to this hypervisor's own registers. */
static void several(struct l2 *l)
{
	u32 round, i;

	check_begin("nv", "VNCR_EL2 at several pages by turns");
	for (i = 1; i < 6; i++) {
		low3[i] = (u64)page[i & 1] | LEAF_RW;
		dsb(ishst);
	}
	for (round = 0; round < 3; round++)
		for (i = 1; i < 6; i++) {
			sysreg_write(VNCR_EL2, VNCR_VA + i * 4096);
			isb();
			works(l, page[i & 1]);
		}
	check_begin("nv", "bits below BADDR mean nothing");
	sysreg_write(VNCR_EL2, (VNCR_VA + 4096) | 0xff8);
	isb();
	works(l, page[1]);
	sysreg_write(VNCR_EL2, VNCR_VA);
	isb();
}

/*
 * L2's ERET enters an L3 at EL1, whose HVC is an exception from a lower level to L2. This
 * hypervisor emulates both, as one does that offers FEAT_NV2.
 */
static void level_three(struct l2 *l)
{
	static const u32 eret[1] = { ERET };
	static const u32 l3[2] = { MRS_(3, 0, 4, 2, 2), HVC_7 };

	check_begin("nv", "L2 runs an L3");
	begin(l, eret, 0, HCR_NV | HCR_NV2);
	l->sys[L2_ELR] = l2_address(l3);
	l->sys[L2_SPSR] = SPSR_EL1H;
	if (!l2_expect(l, ESR_OF(EC_ERET_TRAP, 0), "ERET of L2"))
		return;
	l->elr = sysreg_read(ELR_EL12);
	l->spsr = sysreg_read(SPSR_EL12);
	l->hcr = HCR_L2;
	if (!l2_expect(l, ESR_OF(EC_HVC, 7), "HVC of L3"))
		return;
	expect_eq(l->x[0], 4, "CurrentEL of L3");
	sysreg_write(ESR_EL12, l->esr);
	sysreg_write(ELR_EL12, l->elr);
	sysreg_write(SPSR_EL12, l->spsr);
	l->elr = l2_address(l2_telling_vectors) + 0x400;
	l->spsr = SPSR_EL1H;
	l->hcr = HCR_L2 | HCR_NV | HCR_NV2;
	expect(l2_is_hvc(l, l2_run(l), 0x108), "L2's vector: esr 0x%lx", l->esr);
}

/* What is in force is what the address registers say, with and without a TLBI. */
static void with_the_mmu_off(struct l2 *l)
{
	u64 sctlr = sysreg_read(SCTLR_EL1);

	check_begin("nv", "with stage 1 off VNCR_EL2 is where it says");
	sysreg_write(VNCR_EL2, (u64)page[1]);
	isb();
	works(l, page[1]);
	page[1][0x78 / 8] = 0;
	begin(l, slots[SLOT_HCR].write, 0x4321, HCR_NV | HCR_NV2);
	l2_load(l);
	sysreg_write(SCTLR_EL1, sctlr & ~(BIT(0) | BIT(2)));
	isb();
	l2_run(l);
	sysreg_write(SCTLR_EL1, sctlr);
	isb();
	expect_eq(l->esr, ESR_OF(EC_HVC, L2_DONE), "esr");
	expect_eq(page[1][0x78 / 8], 0x4321, "written");
	sysreg_write(VNCR_EL2, VNCR_VA);
	isb();
}

void group_nv(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	check_begin("nv", "L2 boots");
	if (FIELD(sysreg_read(ID_AA64MMFR2_EL1), 27, 24) < 2) {
		test_skip("no FEAT_NV2");
		return;
	}
	l2_reset(l, 1);
	tables_make();
	sysreg_write(VNCR_EL2, VNCR_VA);
	isb();
	for (i = 0; i < ARRAY_SIZE(slots); i++) {
		check_begin("nv", "%s is in memory", slots[i].name);
		redirected(l, &slots[i], i);
	}
	el1_by_el2_names(l);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		check_begin("nv", "%s traps", words[i].name);
		if (words[i].need == 2 && !has_pauth)
			test_skip("no such feature");
		else if (words[i].need != 1)
			trapped(l, &words[i], HCR_NV | HCR_NV2);
		if (words[i].need != 2 || has_pauth)
			trapped(l, &words[i], HCR_NV);
	}
	who_it_is(l, "NV and NV2", HCR_NV | HCR_NV2);
	who_it_is(l, "NV", HCR_NV);
	who_it_is(l, "NV2 alone, which is nothing", HCR_NV2);
	page_of_registers(l, false);
	page_of_registers(l, true);
	several(l);
	level_three(l);
	with_the_mmu_off(l);
	l->hcr = HCR_L2;
	l2_put();
	mmu_set(VNCR_VA, 0);
}
