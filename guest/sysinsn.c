/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile guest: executes every system instruction encoding, at EL1 and EL0, and hypervisor and
 * monitor calls with any immediate and function, and survives. "list" prints each that is not
 * UNDEFINED; "brief" leaves out what rarely adds anything: MSR of ones, and SYSL. Runs with the MMU
 * off, so that translation registers may hold anything for a moment. Left out: WFE and WFI (they
 * would wait), SCTLR_EL1 written with ones, and the calls by which a guest turns itself off.
 */
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/mmu.h"
#include "lib/psci.h"
#include "lib/random.h"
#include "lib/suite.h"

const char guest_name[] = "sysinsn";

#define BATCH 64
#define SLOT_WORDS 8
#define INSN_RET 0xd65f03c0u
#define INSN_ISB 0xd5033fdfu
#define INSN_SVC 0xd4000021u
#define INSN_SPSEL_1 0xd50041bfu
#define INSN_DAIFSET_15 0xd5034fdfu

enum outcome { OK, UNDEFINED, TRAPPED, OTHER, OUTCOMES };

/* One encoding: the fields that MRS, MSR, SYS and SYSL have in common. */
struct enc {
	u32 op0, op1, crn, crm, op2;
};

static u32 code[BATCH * SLOT_WORDS] __attribute__((aligned(4096)));
static u8 scratch[4096] __attribute__((aligned(4096)));
static u32 count[OUTCOMES];
static u32 interrupts;
static bool list, brief;

static struct enc decode(u32 n)
{
	return (struct enc){ n >> 14, n >> 11 & 7, n >> 7 & 15, n >> 3 & 15, n & 7 };
}

/* Make the system instruction with this encoding and register rt; read: MRS or SYSL. */
static u32 insn(struct enc e, bool read, u32 rt)
{
	return 0xd5000000u | (u32)read << 21 | e.op0 << 19 | e.op1 << 16 | e.crn << 12 |
	       e.crm << 8 | e.op2 << 5 | rt;
}

static void sync_code(void)
{
	u64 a;

	for (a = (u64)code; a < (u64)code + sizeof(code); a += 64)
		asm volatile("dc cvau, %0" ::"r"(a) : "memory");
	dsb(ish);
	for (a = (u64)code; a < (u64)code + sizeof(code); a += 64)
		asm volatile("ic ivau, %0" ::"r"(a) : "memory");
	dsb(ish);
	isb();
}

/* Call a slot with x0; returns x0. It may change x1-x18. */
static u64 call_slot(const u32 *slot, u64 value)
{
	register u64 x0 asm("x0") = value;
	register u64 x2 asm("x2") = 0;
	register const u32 *x3 asm("x3") = slot;

	asm volatile("blr x3"
		     : "+r"(x0), "+r"(x2), "+r"(x3)
		     :
		     : "x1", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
		       "x15", "x16", "x17", "x18", "x30", "cc", "memory");
	return x0;
}

static enum outcome outcome_of(u64 ec)
{
	return ec == EC_UNKNOWN ? UNDEFINED : ec == EC_SYS ? TRAPPED : OTHER;
}

static void report(const char *what, struct enc e, enum outcome o, u64 value)
{
	static const char *const name[] = { "ok", "undef", "trap", "other" };

	count[o]++;
	if (list && o != UNDEFINED)
		print("%s S%u_%u_C%u_C%u_%u %s 0x%lx\n", what, e.op0, e.op1, e.crn, e.crm, e.op2,
		      name[o], value);
}

static void totals(const char *what)
{
	print("sysinsn: %s: %u ok, %u undefined, %u trapped, %u other\n", what, count[OK],
	      count[UNDEFINED], count[TRAPPED], count[OTHER]);
	memset(count, 0, sizeof(count));
}

enum form { MRS, MSR_ZERO, MSR_ONES, SYS, SYSL, IMMEDIATE };

static bool left_out(struct enc e, enum form form)
{
	if (form == MSR_ONES)
		return e.op0 == 3 && !e.op1 && e.crn == 1 && !e.crm && !e.op2; /* SCTLR_EL1 */
	return form == IMMEDIATE && e.op1 == 3 && e.crn == 2 && !e.crm &&
	       (e.op2 == 2 || e.op2 == 3);
}

static void emit_el1(u32 *w, struct enc e, enum form form)
{
	switch (form) {
	case MRS:
	case SYSL:
		w[0] = insn(e, true, 0);
		w[1] = INSN_RET;
		break;
	case MSR_ZERO:
	case MSR_ONES:
		w[0] = insn(e, true, 2);
		w[1] = insn(e, false, 0);
		w[2] = insn(e, false, 2);
		w[3] = INSN_ISB;
		w[4] = INSN_RET;
		break;
	case SYS:
		w[0] = insn(e, false, 0);
		w[1] = INSN_RET;
		break;
	case IMMEDIATE:
		w[0] = insn(e, false, 31);
		w[1] = INSN_SPSEL_1;
		w[2] = INSN_DAIFSET_15;
		w[3] = INSN_RET;
		break;
	}
}

static u64 operand(enum form form)
{
	return form == MSR_ONES ? ~0UL : form == SYS ? (u64)scratch : 0;
}

static enum outcome run_el1(const u32 *slot, enum form form, u64 *value)
{
	u64 at = (u64)slot + (form == MSR_ZERO || form == MSR_ONES ? 4 : 0);
	struct trap t;

	trap_arm(&t);
	*value = call_slot(slot, operand(form));
	trap_disarm();
	if (!t.count || t.elr < at)
		return OK;
	*value = t.esr;
	return outcome_of(ESR_EC(t.esr));
}

static void emit_el0(u32 *w, struct enc e, enum form form)
{
	w[0] = insn(e, form == MRS || form == SYSL, form == IMMEDIATE ? 31 : 0);
	w[1] = INSN_SVC;
}

static enum outcome run_el0(const u32 *slot, enum form form, u64 *value)
{
	struct frame f = { .elr = (u64)slot, .spsr = 0x3c0, .sp_el0 = (u64)scratch + 2048 };

	f.x[0] = operand(form);
	el0_run(&f);
	if (ESR_EC(f.esr) == EC_SVC) {
		*value = f.x[0];
		return OK;
	}
	*value = f.esr;
	return outcome_of(ESR_EC(f.esr));
}

/* Every encoding with op0 from first to last, in one form, at one exception level. */
static void sweep(const char *what, u32 first, u32 last, enum form form, u32 el)
{
	u32 n, i;

	if (brief && (form == MSR_ONES || form == SYSL))
		return;
	for (n = first << 14; n < (last + 1) << 14; n += BATCH) {
		for (i = 0; i < BATCH; i++)
			(el ? emit_el1 : emit_el0)(code + i * SLOT_WORDS, decode(n + i), form);
		sync_code();
		for (i = 0; i < BATCH; i++) {
			struct enc e = decode(n + i);
			enum outcome o;
			u64 value;

			if (left_out(e, form))
				continue;
			o = (el ? run_el1 : run_el0)(code + i * SLOT_WORDS, form, &value);
			report(what, e, o, value);
		}
	}
	totals(what);
}

static void test_mrs(void)
{
	sweep("el1 mrs", 2, 3, MRS, 1);
}
static void test_msr_zero(void)
{
	sweep("el1 msr 0", 2, 3, MSR_ZERO, 1);
}
static void test_msr_ones(void)
{
	sweep("el1 msr ~0", 2, 3, MSR_ONES, 1);
}
static void test_sys(void)
{
	sweep("el1 sys", 1, 1, SYS, 1);
}
static void test_sysl(void)
{
	sweep("el1 sysl", 1, 1, SYSL, 1);
}
static void test_immediate(void)
{
	sweep("el1 imm", 0, 0, IMMEDIATE, 1);
}
static void test_el0_mrs(void)
{
	sweep("el0 mrs", 2, 3, MRS, 0);
}
static void test_el0_msr_zero(void)
{
	sweep("el0 msr 0", 2, 3, MSR_ZERO, 0);
}
static void test_el0_msr_ones(void)
{
	sweep("el0 msr ~0", 2, 3, MSR_ONES, 0);
}
static void test_el0_sys(void)
{
	sweep("el0 sys", 1, 1, SYS, 0);
}
static void test_el0_sysl(void)
{
	sweep("el0 sysl", 1, 1, SYSL, 0);
}
static void test_el0_immediate(void)
{
	sweep("el0 imm", 0, 0, IMMEDIATE, 0);
}

static enum outcome mrs(struct enc e, u64 *value)
{
	emit_el1(code, e, MRS);
	sync_code();
	return run_el1(code, MRS, value);
}

/* All of the ID space exists: registers without a meaning yet read as zero. */
static void test_id_space(void)
{
	u32 crm, op2;
	u64 v;

	for (crm = 1; crm < 8; crm++)
		for (op2 = 0; op2 < 8; op2++)
			expect(mrs((struct enc){ 3, 0, 0, crm, op2 }, &v) == OK,
			       "S3_0_C0_C%u_%u is not readable", crm, op2);
}

/*
 * Registers of a feature exist exactly if the ID register has it. Two cannot be hidden from a
 * guest: no trap catches DISR_EL1 (HCR_EL2.AMO turns it into VDISR_EL2), and none catches reads of
 * ALLINT.
 */
static const struct feature {
	const char *name;
	struct enc id;
	u8 shift, least;
	struct enc reg;
} features[] = {
	{ "SVE: ZCR_EL1", { 3, 0, 0, 4, 0 }, 32, 1, { 3, 0, 1, 2, 0 } },
	{ "SME: SMCR_EL1", { 3, 0, 0, 4, 1 }, 24, 1, { 3, 0, 1, 2, 6 } },
	{ "SME: SVCR", { 3, 0, 0, 4, 1 }, 24, 1, { 3, 3, 4, 2, 2 } },
	{ "SME: TPIDR2_EL0", { 3, 0, 0, 4, 1 }, 24, 1, { 3, 3, 13, 0, 5 } },
	{ "SME: SMPRI_EL1", { 3, 0, 0, 4, 1 }, 24, 1, { 3, 0, 1, 2, 4 } },
	{ "RAS: ERRIDR_EL1", { 3, 0, 0, 4, 0 }, 28, 1, { 3, 0, 5, 3, 0 } },
	{ "AMU: AMCR_EL0", { 3, 0, 0, 4, 0 }, 44, 1, { 3, 3, 13, 2, 0 } },
	{ "MPAM: MPAM1_EL1", { 3, 0, 0, 4, 0 }, 40, 1, { 3, 0, 10, 5, 0 } },
	{ "MTE: GCR_EL1", { 3, 0, 0, 4, 1 }, 8, 2, { 3, 0, 1, 0, 6 } },
	{ "MTE: TFSR_EL1", { 3, 0, 0, 4, 1 }, 8, 2, { 3, 0, 5, 6, 0 } },
	{ "CSV2_2: SCXTNUM_EL1", { 3, 0, 0, 4, 0 }, 56, 2, { 3, 0, 13, 0, 7 } },
	{ "CSV2_2: SCXTNUM_EL0", { 3, 0, 0, 4, 0 }, 56, 2, { 3, 3, 13, 0, 7 } },
	{ "DIT: DIT", { 3, 0, 0, 4, 0 }, 48, 1, { 3, 3, 4, 2, 5 } },
	{ "SSBS2: SSBS", { 3, 0, 0, 4, 1 }, 4, 2, { 3, 3, 4, 2, 6 } },
	{ "RNG: RNDR", { 3, 0, 0, 6, 0 }, 60, 1, { 3, 3, 2, 4, 0 } },
	{ "PAN: PAN", { 3, 0, 0, 7, 1 }, 20, 1, { 3, 0, 4, 2, 3 } },
	{ "UAO: UAO", { 3, 0, 0, 7, 2 }, 4, 1, { 3, 0, 4, 2, 4 } },
	{ "TCRX: TCR2_EL1", { 3, 0, 0, 7, 3 }, 0, 1, { 3, 0, 2, 0, 3 } },
	{ "SCTLRX: SCTLR2_EL1", { 3, 0, 0, 7, 3 }, 4, 1, { 3, 0, 1, 0, 3 } },
	{ "S1PIE: PIR_EL1", { 3, 0, 0, 7, 3 }, 8, 1, { 3, 0, 10, 2, 3 } },
	{ "S1POE: POR_EL1", { 3, 0, 0, 7, 3 }, 16, 1, { 3, 0, 10, 2, 4 } },
	{ "GCS: GCSCR_EL1", { 3, 0, 0, 4, 1 }, 44, 1, { 3, 0, 2, 5, 0 } },
	{ "SPE: PMSCR_EL1", { 3, 0, 0, 5, 0 }, 32, 1, { 3, 0, 9, 9, 0 } },
	{ "TRBE: TRBLIMITR_EL1", { 3, 0, 0, 5, 0 }, 44, 1, { 3, 0, 9, 11, 0 } },
	{ "BRBE: BRBCR_EL1", { 3, 0, 0, 5, 0 }, 52, 1, { 2, 1, 9, 0, 0 } },
	{ "LOR: LORID_EL1", { 3, 0, 0, 7, 1 }, 16, 1, { 3, 0, 10, 4, 7 } },
};

static void test_whole_or_absent(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];
		u64 id = 0, v;
		bool has, there;

		if (mrs(f->id, &id) != OK)
			id = 0;
		has = (id >> f->shift & 15) >= f->least;
		there = mrs(f->reg, &v) == OK;
		expect(has == there, "%s is %s, ID register says 0x%lx", f->name,
		       there ? "there" : "not there", id >> f->shift & 15);
	}
}

/* PAuth and the PMU are announced in more than one field. */
static void test_pauth_pmu(void)
{
	u64 isar1 = 0, isar2 = 0, dfr0 = 0, v;
	bool pauth, pmu;

	mrs((struct enc){ 3, 0, 0, 6, 1 }, &isar1);
	mrs((struct enc){ 3, 0, 0, 6, 2 }, &isar2);
	mrs((struct enc){ 3, 0, 0, 5, 0 }, &dfr0);
	pauth = (isar1 & 0xff0) || (isar2 & 0xf000);
	pmu = FIELD(dfr0, 11, 8) && FIELD(dfr0, 11, 8) != 15;
	expect_eq(mrs((struct enc){ 3, 0, 2, 1, 0 }, &v) == OK, pauth, "APIAKeyLo_EL1 is there");
	expect_eq(mrs((struct enc){ 3, 3, 9, 12, 0 }, &v) == OK, pmu, "PMCR_EL0 is there");
}

static void test_el2_registers(void)
{
	u32 n;
	u64 v;

	for (n = 3u << 14; n < 4u << 14; n += 3) {
		struct enc e = decode(n);

		if (e.op1 != 4 && e.op1 != 5 && e.op1 != 6)
			continue;
		expect(mrs(e, &v) != OK, "S3_%u_C%u_C%u_%u can be read at EL1", e.op1, e.crn, e.crm,
		       e.op2);
	}
}

/* Calls with any immediate and any function id, except those that end or change this guest. */
static bool ends_guest(u32 id)
{
	u32 fn = id & 0x3f00ffff;

	return (id & 0x3f000000) == 0x04000000 && (fn & 0xffff) < 0x40;
}

static void test_calls(void)
{
	u64 seed = dt_arg("seed", 1);
	u32 i, answered = 0, undefined = 0;

	for (i = 0; i < 4096; i++) {
		bool smc = i & 1;
		u64 id = random_next(&seed), v;
		struct trap t;

		if (i & 2)
			id = (id & 0x40ffffff) | 0x84000000;
		if (ends_guest((u32)id))
			continue;
		code[0] = (smc ? 0xd4000003u : 0xd4000002u) |
			  (i & 4 ? (u32)(random_next(&seed) & 0xffff) << 5 : 0);
		code[1] = INSN_RET;
		sync_code();
		trap_arm(&t);
		v = call_slot(code, id);
		trap_disarm();
		if (t.count)
			undefined++;
		else if ((s32)v != -1)
			answered++;
	}
	print("sysinsn: calls: %u answered other than -1, %u undefined\n", answered, undefined);
}

static void on_interrupt(struct frame *f)
{
	interrupts++;
	f->spsr |= 0x3c0;
}

static const struct suite_test tests[] = {
	{ "id_space", test_id_space, 1 },
	{ "whole_or_absent", test_whole_or_absent, 1 },
	{ "pauth_pmu", test_pauth_pmu, 1 },
	{ "el2_registers", test_el2_registers, 1 },
	{ "mrs", test_mrs, 1 },
	{ "msr_zero", test_msr_zero, 1 },
	{ "msr_ones", test_msr_ones, 1 },
	{ "sys", test_sys, 1 },
	{ "sysl", test_sysl, 1 },
	{ "immediate", test_immediate, 1 },
	{ "el0_mrs", test_el0_mrs, 1 },
	{ "el0_msr_zero", test_el0_msr_zero, 1 },
	{ "el0_msr_ones", test_el0_msr_ones, 1 },
	{ "el0_sys", test_el0_sys, 1 },
	{ "el0_sysl", test_el0_sysl, 1 },
	{ "el0_immediate", test_el0_immediate, 1 },
	{ "calls", test_calls, 1 },
};

void guest_main(void)
{
	list = dt_flag("list");
	brief = dt_flag("brief");
	mmu_disable();
	cpu_self()->irq = cpu_self()->fiq = on_interrupt;
	/*
	 * Turn FP, SVE and SME on at both levels, so that only their absence makes them UNDEFINED.
	 */
	sysreg_write(CPACR_EL1, 3UL << 16 | 3UL << 20 | 3UL << 24);
	isb();
	suite_run(tests, ARRAY_SIZE(tests), NULL);
	print("sysinsn: %u interrupts on the way\n", interrupts);
}
