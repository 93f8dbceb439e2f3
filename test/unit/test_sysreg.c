/* SPDX-License-Identifier: Apache-2.0 */
/* Trapped system registers, the table behind them, and moving a vcpu's registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/esr.h"
#include "arch/feat.h"
#include "arch/gicv3.h"
#include "arch/sysreg.h"
#include "lib/log.h"
#include "traps/bank.h"
#include "traps/debug.h"
#include "exit/sysreg_emul.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "state/vncr.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

static struct vm_config config;
static struct vm vm, other_vm;
static struct vcpu vcpu;

static char last_line[256];
static unsigned lines;
static u64 sgi_value, dir_value, timer_value;
static int sgi_group1, sgis;
static enum vtimer_reg timer_reg;

void log_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(last_line, sizeof(last_line), fmt, ap);
	va_end(ap);
	lines++;
}

enum verdict vgic_sgi(struct vcpu *v, u64 value, bool group1)
{
	assert_ptr_equal(v, &vcpu);
	sgi_value = value;
	sgi_group1 = group1;
	sgis++;
	return SKIP;
}

enum verdict vgic_dir(struct vcpu *v, u64 value)
{
	assert_ptr_equal(v, &vcpu);
	dir_value = value;
	return SKIP;
}

u64 vtimer_phys_read(struct vcpu *v, enum vtimer_reg reg)
{
	assert_ptr_equal(v, &vcpu);
	return 0x100 + (u64)reg;
}

void vtimer_phys_write(struct vcpu *v, enum vtimer_reg reg, u64 value)
{
	assert_ptr_equal(v, &vcpu);
	timer_reg = reg;
	timer_value = value;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&feat, 0, sizeof(feat));
	feat.brps = 6;
	feat.wrps = 4;
	feat.ecv = feat.pauth = true;
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&vm, 0, sizeof(vm));
	memset(&other_vm, 0, sizeof(other_vm));
	config = (struct vm_config){ .name = "a" };
	vm.config = other_vm.config = &config;
	vcpu.vm = &vm;
	vcpu.vmpidr = 0x80000001;
	sysreg_reset(&vcpu);
	lines = 0;
	sgis = 0;
	return 0;
}

/* The ISS of MRS x5 / MSR x5 with this encoding. */
static u64 iss(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, bool read)
{
	return (op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (5 << 5) | (crm << 1) | read;
}

#define EL1H 5
#define EL0T 0

static enum verdict trap(u64 spsr, u64 s)
{
	struct exit exit = { .esr = ESR(EC_SYS64, s), .spsr = spsr, .elr = 0xffff800080001234 };

	return sysreg_trap(&vcpu, &exit);
}

static enum verdict mrs(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 *v)
{
	enum verdict verdict;

	vcpu.gpr[5] = 0xdead;
	verdict = trap(EL1H, iss(op0, op1, crn, crm, op2, true));
	*v = vcpu.gpr[5];
	return verdict;
}

static enum verdict msr(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 v)
{
	vcpu.gpr[5] = v;
	return trap(EL1H, iss(op0, op1, crn, crm, op2, false));
}

static void reads(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2, u64 want)
{
	u64 v;
	enum verdict verdict = mrs(op0, op1, crn, crm, op2, &v);

	if (verdict != SKIP || v != want)
		fail_msg("S%u_%u_C%u_C%u_%u: verdict %d, value %#lx; expected %d, %#lx", op0, op1,
			 crn, crm, op2, (int)verdict, (unsigned long)v, (int)SKIP,
			 (unsigned long)want);
}

static void undef(u32 op0, u32 op1, u32 crn, u32 crm, u32 op2)
{
	u64 v;

	if (mrs(op0, op1, crn, crm, op2, &v) != UNDEF || msr(op0, op1, crn, crm, op2, 0) != UNDEF)
		fail_msg("S%u_%u_C%u_C%u_%u is not UNDEFINED", op0, op1, crn, crm, op2);
	assert_int_equal(v, 0xdead); /* mrs() ran: nothing was written to the register */
}

/* ---- the table ---- */

static const struct {
	const char *name;
	u32 op0, op1, crn, crm, op2;
} rows[] = {
#define SYSREG(name, op0, op1, crn, crm, op2, ...) { #name, op0, op1, crn, crm, op2 },
#include "arch/sysreg.def"
};

static void lookup(void **state)
{
	char text[SYSREG_TEXT_MAX];
	u32 found = 0;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u32 key = (u32)iss(rows[i].op0, rows[i].op1, rows[i].crn, rows[i].crm, rows[i].op2,
				   true) &
			  SYSREG_KEY_MASK;

		assert_int_equal(sysreg_find(key), i + 1);
		assert_string_equal(sysreg_name((enum sysreg_id)(i + 1)), rows[i].name);
	}
	/* Every other encoding is found nowhere. */
	for (u32 k = 0; k < 1u << 22; k++)
		if ((k & SYSREG_KEY_MASK) == k && sysreg_find(k) != SR_NONE)
			found++;
	assert_int_equal(found, SR_COUNT - 1);
	sysreg_text(text, SYSREG_KEY(3u, 0u, 4u, 2u, 7u));
	assert_string_equal(text, "S3_0_C4_C2_7");
	sysreg_text(text, SYSREG_KEY(1u, 7u, 15u, 14u, 6u));
	assert_string_equal(text, "SYS #7, C15, C14, #6");
	assert_string_equal(sysreg_name(SR_NONE), "?");
}

/* Encodings of some registers, copied from the Arm ARM once more. */
static void encodings(void **state)
{
	(void)state;
	assert_int_equal(sysreg_find(0x300000), SR_NONE); /* MIDR_EL1: not a row */
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 0u, 1u, 0u, 0u)), SR_SCTLR_EL1);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 0u, 12u, 11u, 5u)), SR_ICC_SGI1R_EL1);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 0u, 12u, 11u, 1u)), SR_ICC_DIR_EL1);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 3u, 14u, 2u, 1u)), SR_CNTP_CTL_EL0);
	assert_int_equal(sysreg_find(SYSREG_KEY(2u, 0u, 1u, 1u, 4u)), SR_OSLSR_EL1);
	assert_int_equal(sysreg_find(SYSREG_KEY(2u, 3u, 0u, 1u, 0u)), SR_MDCCSR_EL0);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 2u, 0u, 0u, 0u)), SR_CSSELR_EL1);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 0u, 2u, 3u, 1u)), SR_APGAKeyHi_EL1);
}

/* Places in the VNCR page, from the Arm ARM. */
static void vncr_offsets(void **state)
{
	(void)state;
	assert_int_equal(VNCR_VTTBR_EL2, 0x20);
	assert_int_equal(VNCR_VTCR_EL2, 0x40);
	assert_int_equal(VNCR_VMPIDR_EL2, 0x50);
	assert_int_equal(VNCR_CNTVOFF_EL2, 0x60);
	assert_int_equal(VNCR_HCR_EL2, 0x78);
	assert_int_equal(VNCR_VPIDR_EL2, 0x88);
	assert_int_equal(VNCR_HCRX_EL2, 0xa0);
	assert_int_equal(VNCR_SCTLR_EL1, 0x110);
	assert_int_equal(VNCR_MDSCR_EL1, 0x158);
	assert_int_equal(VNCR_CNTP_CTL_EL0, 0x180);
	assert_int_equal(VNCR_HFGITR_EL2, 0x1c8);
	assert_int_equal(VNCR_HDFGWTR_EL2, 0x1d8);
	assert_int_equal(VNCR_VBAR_EL1, 0x250);
	assert_int_equal(VNCR_ICH_AP1R0_EL2, 0x4a0);
	assert_int_equal(VNCR_ICH_VMCR_EL2, 0x4c8);
	/* Their encodings are rows, though none traps. */
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 4u, 1u, 1u, 0u)), SR_HCR_EL2);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 4u, 2u, 1u, 0u)), SR_VTTBR_EL2);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 4u, 3u, 1u, 5u)), SR_HDFGWTR_EL2);
	assert_int_equal(sysreg_find(SYSREG_KEY(3u, 4u, 12u, 11u, 7u)), SR_ICH_VMCR_EL2);
}

/* ---- traps ---- */

static void idspace(void **state)
{
	(void)state;
	for (u32 i = 0; i < IDSPACE_SIZE; i++)
		vm.id_regs.v[i] = 0x1000 + i;
	for (u32 crm = 1; crm < 8; crm++)
		for (u32 op2 = 0; op2 < 8; op2++) {
			reads(3, 0, 0, crm, op2, 0x1000 + crm * 8 + op2);
			assert_int_equal(msr(3, 0, 0, crm, op2, 0), UNDEF);
		}
	reads(3, 0, 0, 0, 0, 0x1000);
	reads(3, 0, 0, 0, 5, 0x80000001);
	reads(3, 0, 0, 0, 6, 0x1006);
	undef(3, 0, 0, 0, 1);
	undef(3, 0, 0, 0, 7);
	undef(3, 0, 0, 8, 0);
	undef(3, 0, 0, 15, 7);
}

static void xzr(void **state)
{
	(void)state;
	vm.id_regs.v[32] = 7;
	/* MRS xzr, ID_AA64PFR0_EL1: no register changes, and gpr[31] does not exist. */
	assert_int_equal(trap(EL1H, iss(3, 0, 0, 4, 0, true) | 31 << 5), SKIP);
	for (u32 i = 0; i < 31; i++)
		assert_int_equal(vcpu.gpr[i], 0);
	/* MSR OSLAR_EL1, xzr writes 0. */
	assert_int_equal(vcpu.sr[SR_OSLAR_EL1], 1);
	assert_int_equal(trap(EL1H, (iss(2, 0, 1, 0, 4, false) & ~0x3e0UL) | 31 << 5), SKIP);
	assert_int_equal(vcpu.sr[SR_OSLAR_EL1], 0);
}

static void interrupts_and_timers(void **state)
{
	u64 v;

	(void)state;
	assert_int_equal(msr(3, 0, 12, 11, 5, 0x1234), SKIP);
	assert_int_equal(sgi_value, 0x1234);
	assert_int_equal(sgi_group1, true);
	assert_int_equal(msr(3, 0, 12, 11, 6, 0x1235), SKIP);
	assert_int_equal(sgi_value, 0x1235);
	assert_int_equal(sgi_group1, false);
	assert_int_equal(msr(3, 0, 12, 11, 7, 0x1236), SKIP);
	assert_int_equal(sgi_value, 0x1236);
	assert_int_equal(sgi_group1, false);
	assert_int_equal(mrs(3, 0, 12, 11, 5, &v), UNDEF);
	vcpu.gpr[5] = 1;
	assert_int_equal(trap(EL0T, iss(3, 0, 12, 11, 5, false)), UNDEF);
	assert_int_equal(sgis, 3);
	assert_int_equal(msr(3, 0, 12, 11, 1, 27), SKIP);
	assert_int_equal(dir_value, 27);
	assert_int_equal(mrs(3, 0, 12, 11, 1, &v), UNDEF);

	reads(3, 3, 14, 0, 1, 0x100 + VTIMER_COUNT);
	reads(3, 3, 14, 0, 5, 0x100 + VTIMER_COUNT);
	reads(3, 3, 14, 2, 0, 0x100 + VTIMER_TVAL);
	reads(3, 3, 14, 2, 1, 0x100 + VTIMER_CTL);
	reads(3, 3, 14, 2, 2, 0x100 + VTIMER_CVAL);
	assert_int_equal(msr(3, 3, 14, 2, 0, 55), SKIP);
	assert_int_equal(timer_reg, VTIMER_TVAL);
	assert_int_equal(msr(3, 3, 14, 2, 1, 56), SKIP);
	assert_int_equal(timer_reg, VTIMER_CTL);
	assert_int_equal(msr(3, 3, 14, 2, 2, 57), SKIP);
	assert_int_equal(timer_reg, VTIMER_CVAL);
	assert_int_equal(timer_value, 57);
	assert_int_equal(msr(3, 3, 14, 0, 1, 1), UNDEF);
	feat.ecv = false;
	undef(3, 3, 14, 0, 5);
}

static void caches(void **state)
{
	(void)state;
	/*
	 * Levels 1 (split) and 2 (unified); a level 4 that does not count; a tag cache, which MTE
	 * hides.
	 */
	fake_set("CLIDR_EL1", 3 | 4 << 3 | 4 << 9 | 2UL << 33 | 3 << 21);
	fake_set("CCSIDR_EL1", 0x7007);
	fake_set("CTR_EL0", 0xb444c004);
	reads(3, 1, 0, 0, 1, 3 | 4 << 3 | 4 << 9 | 3 << 21);
	reads(3, 3, 0, 0, 1, 0xb444c004);
	assert_int_equal(msr(3, 2, 0, 0, 0, ~0UL), SKIP);
	reads(3, 2, 0, 0, 0, 0xf);
	static const struct {
		u64 csselr;
		bool exists;
	} sel[] = { { 0, true },  { 1, true },   { 2, true },   { 3, false },  { 4, false },
		    { 6, false }, { 12, false }, { 13, false }, { 14, false }, { 15, false } };

	for (size_t i = 0; i < ARRAY_SIZE(sel); i++) {
		unsigned before = fake_writes("CSSELR_EL1");

		assert_int_equal(msr(3, 2, 0, 0, 0, sel[i].csselr), SKIP);
		reads(3, 1, 0, 0, 0, sel[i].exists ? 0x7007 : 0);
		assert_int_equal(fake_writes("CSSELR_EL1") - before, sel[i].exists);
		if (sel[i].exists)
			assert_int_equal(fake_get("CSSELR_EL1"), sel[i].csselr);
	}
	/*
	 * Seven levels, the first of instructions only; there is no eighth, whatever is behind the
	 * field.
	 */
	fake_set("CLIDR_EL1", 04444444UL << 3 | 1);
	assert_int_equal(msr(3, 2, 0, 0, 0, 0), SKIP);
	reads(3, 1, 0, 0, 0, 0);
	assert_int_equal(msr(3, 2, 0, 0, 0, 1), SKIP);
	reads(3, 1, 0, 0, 0, 0x7007);
	assert_int_equal(msr(3, 2, 0, 0, 0, 14), SKIP);
	reads(3, 1, 0, 0, 0, 0);
	assert_int_equal(msr(3, 1, 0, 0, 0, 0), UNDEF);
	assert_int_equal(msr(3, 1, 0, 0, 1, 0), UNDEF);
	fake_set("AIDR_EL1", 9);
	reads(3, 1, 0, 0, 7, 9);
	undef(3, 1, 0, 0, 4);                             /* GMID_EL1 */
	assert_int_equal(msr(3, 0, 1, 0, 1, 0x55), SKIP); /* ACTLR_EL1 */
	reads(3, 0, 1, 0, 1, 0);
}

/*
 * CCSIDR2_EL1 exists with FEAT_CCIDX (ID_AA64MMFR2_EL1[23:20]): NumSets, which CCSIDR_EL1 has in
 * bits 55:32.
 */
static void sets_of_a_cache(void **state)
{
	(void)state;
	fake_set("CLIDR_EL1", 3);
	fake_set("CCSIDR_EL1", 0xffabcdef1234567a);
	undef(3, 1, 0, 0, 2);
	vm.id_regs.v[7 * 8 + 2] = 1UL << 20;
	assert_int_equal(msr(3, 2, 0, 0, 0, 0), SKIP);
	reads(3, 1, 0, 0, 2, 0xabcdef);
	assert_int_equal(msr(3, 2, 0, 0, 0, 2), SKIP); /* no such cache */
	reads(3, 1, 0, 0, 2, 0);
	assert_int_equal(msr(3, 1, 0, 0, 2, 0), UNDEF);
}

static void sme_is_whole_or_absent(void **state)
{
	(void)state;
	fake_set("SMIDR_EL1", 0x41018fff);
	undef(3, 1, 0, 0, 6);
	feat.sme = true;
	undef(3, 1, 0, 0, 6);
	undef(3, 0, 1, 2, 4);
	config.sme = 512;
	reads(3, 1, 0, 0, 6, 0x41010000);
	assert_int_equal(msr(3, 0, 1, 2, 4, 3), SKIP);
	reads(3, 0, 1, 2, 4, 0);
}

static void hidden_registers(void **state)
{
	static const u8 hidden[][5] = {
		{ 3, 3, 9, 12, 0 },  /* PMCR_EL0 */
		{ 3, 3, 9, 14, 0 },  /* PMUSERENR_EL0 */
		{ 3, 3, 14, 15, 7 }, /* PMCCFILTR_EL0 */
		{ 3, 0, 5, 3, 0 },   /* ERRIDR_EL1 */
		{ 3, 0, 5, 4, 2 },   /* ERXSTATUS_EL1 */
		{ 3, 0, 10, 4, 7 },  /* LORID_EL1 */
		{ 3, 0, 10, 4, 3 },  /* LORC_EL1 */
		{ 3, 0, 13, 0, 7 },  /* SCXTNUM_EL1 */
		{ 3, 3, 13, 0, 7 },  /* SCXTNUM_EL0 */
		{ 3, 0, 1, 0, 6 },   /* GCR_EL1 */
		{ 3, 0, 5, 6, 0 },   /* TFSR_EL1 */
		{ 3, 0, 4, 3, 0 },   /* ALLINT */
		{ 3, 0, 9, 9, 0 },   /* PMSCR_EL1 */
		{ 3, 0, 9, 11, 0 },  /* TRBLIMITR_EL1 */
		{ 3, 3, 13, 2, 0 },  /* AMCR_EL0 */
		{ 3, 0, 10, 5, 0 },  /* MPAM1_EL1 */
		{ 3, 0, 1, 2, 1 },   /* TRFCR_EL1 */
		{ 2, 1, 0, 4, 0 },   /* TRCCONFIGR or so */
		{ 2, 1, 9, 0, 0 },   /* BRBCR_EL1 */
		{ 3, 0, 2, 0, 3 },   /* TCR2_EL1 */
		{ 3, 0, 10, 2, 3 },  /* PIR_EL1 */
		{ 3, 3, 2, 5, 1 },   /* GCSPR_EL0 */
		{ 3, 0, 13, 0, 5 },  /* ACCDATA_EL1 */
		{ 3, 3, 4, 4, 2 },   /* FPMR */
		{ 3, 0, 15, 2, 0 },  /* an implementation's own */
		{ 3, 7, 11, 15, 7 }, { 1, 0, 15, 0, 0 }, { 1, 0, 7, 6, 4 }, /* DC IGSW: tags */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		undef(hidden[i][0], hidden[i][1], hidden[i][2], hidden[i][3], hidden[i][4]);
}

/* No encoding, direction, level or CPU does harm, and exactly the table's registers exist. */
static void every_encoding(void **state)
{
	(void)state;
	vm.id_regs.v[32] = 0x11;
	for (u32 el = 0; el < 2; el++)
		for (u32 k = 0; k < 1u << 22; k++) {
			enum verdict verdict;

			if ((k & (SYSREG_KEY_MASK | 1)) != k)
				continue;
			vcpu.gpr[5] = 0x5a5a;
			verdict = trap(el ? EL1H : EL0T, k | 5 << 5);
			if (verdict != SKIP && verdict != UNDEF)
				fail_msg("ISS %#x: verdict %d", k, (int)verdict);
			if (!el && verdict == SKIP && FIELD(k, 16, 14) != 3)
				fail_msg("ISS %#x is let to EL0", k);
			if (verdict == UNDEF && vcpu.gpr[5] != 0x5a5a)
				fail_msg("ISS %#x is UNDEFINED and changed x5", k);
		}
	assert_true(lines <= 256); /* bounded, whatever a guest tries */
}

/* EL2's SPSR_{irq,abt,und,fiq} are RES0, not UNDEFINED, where EL1 has no AArch32. */
static void spsrs_of_aarch32(void **state)
{
	(void)state;
	vcpu.has_vel2 = vcpu.in_vel2 = true;
	vcpu.vgic.hcr_en = ICH_HCR_EN; /* no interrupt is held back */
	for (u32 op2 = 0; op2 < 4; op2++) {
		assert_int_equal(msr(3, 4, 4, 3, op2, ~0UL), SKIP);
		reads(3, 4, 4, 3, op2, 0);
	}
	undef(3, 4, 4, 3, 4);
	undef(3, 4, 3, 0, 0); /* DACR32_EL2, IFSR32_EL2, FPEXC32_EL2 do not exist at all */
	undef(3, 4, 5, 0, 1);
	undef(3, 4, 5, 3, 0);
}

static void said_once(void **state)
{
	(void)state;
	undef(3, 0, 4, 2, 7);
	assert_int_equal(lines, 1);
	assert_string_equal(last_line, "vm a: UNDEF: MRS S3_0_C4_C2_7 at 0xffff800080001234");
	undef(3, 0, 4, 2, 7);
	assert_int_equal(lines, 1);
	assert_int_equal(msr(1, 3, 11, 0, 1, 0), UNDEF);
	assert_int_equal(lines, 2);
	assert_string_equal(last_line, "vm a: UNDEF: SYS #3, C11, C0, #1 at 0xffff800080001234");
	vcpu.vm = &other_vm;
	undef(3, 0, 4, 2, 7);
	assert_int_equal(lines, 3);
}

/* ---- debug ---- */

static void debug_at_boot_stays_in_memory(void **state)
{
	u64 v;

	(void)state;
	fake_set("OSLSR_EL1", 0xa);
	reads(2, 0, 1, 1, 4, 0xa); /* locked after reset */
	assert_int_equal(msr(2, 0, 1, 3, 4, 0), SKIP);
	assert_int_equal(msr(2, 0, 1, 0, 4, 0), SKIP);
	reads(2, 0, 1, 1, 4, 0x8);
	assert_int_equal(fake_get("OSLAR_EL1"), 0);
	assert_int_equal(msr(2, 0, 0, 2, 2, 1 << 12), SKIP); /* MDSCR_EL1.TDCC */
	assert_int_equal(fake_get("MDSCR_EL1"), 1 << 12);
	for (u32 n = 0; n < 16; n++)
		for (u32 op2 = 4; op2 < 8; op2++) {
			bool exists = n < (op2 < 6 ? 6u : 4u);

			assert_int_equal(msr(2, 0, 0, n, op2, 0), exists ? SKIP : UNDEF);
			assert_int_equal(mrs(2, 0, 0, n, op2, &v), exists ? SKIP : UNDEF);
		}
	assert_false(vcpu.debug_live);
	assert_false(vcpu.traps_stale);
	assert_int_equal(fake_writes("DBGBCR0_EL1"), 0);
	/* Reserved bits read as zero as they would from a CPU. */
	assert_int_equal(msr(2, 0, 0, 1, 5, ~0UL), SKIP);
	reads(2, 0, 0, 1, 5, 0xffe1e7);
	assert_int_equal(msr(2, 0, 0, 1, 6, ~0UL), SKIP);
	reads(2, 0, 0, 1, 6, ~3UL);
	assert_int_equal(msr(2, 0, 0, 1, 7, ~0UL), SKIP);
	reads(2, 0, 0, 1, 7, 0x1f1fffff);
	/* Registers of the external debugger do not exist for the guest. */
	assert_int_equal(msr(2, 0, 0, 2, 2, ~0UL & ~0x8001UL), SKIP);
	assert_int_equal(fake_get("MDSCR_EL1"), 0x3000);
	fake_set("MDSCR_EL1", ~0UL);
	reads(2, 0, 0, 2, 2, 0xb001);
}

static void debug_becomes_live(void **state)
{
	(void)state;
	fake_set("OSLSR_EL1", 0xa);
	assert_int_equal(msr(2, 0, 0, 5, 4, 0x4000), SKIP); /* DBGBVR5_EL1 */
	assert_int_equal(msr(2, 0, 0, 5, 5, 0x1e5), SKIP);
	assert_int_equal(msr(2, 0, 0, 3, 7, 0x1ff5), SKIP); /* DBGWCR3_EL1 */
	assert_int_equal(msr(2, 0, 7, 8, 6, 0x103), SKIP);  /* DBGCLAIMSET_EL1 */
	reads(2, 0, 7, 8, 6, 0xff);
	reads(2, 0, 7, 9, 6, 3);
	/* MDE under the OS Lock enables nothing. */
	assert_int_equal(msr(2, 0, 0, 2, 2, 0xa000), SKIP);
	assert_false(vcpu.debug_live);
	/* Clearing the lock does. */
	assert_int_equal(msr(2, 0, 1, 0, 4, 0), SKIP);
	fake_set("OSLSR_EL1", 0x8);
	assert_true(vcpu.debug_live);
	assert_true(vcpu.traps_stale);
	assert_int_equal(fake_get("DBGBVR5_EL1"), 0x4000);
	assert_int_equal(fake_get("DBGBCR5_EL1"), 0x1e5);
	assert_int_equal(fake_get("DBGWCR3_EL1"), 0x1ff5);
	assert_int_equal(fake_get("DBGCLAIMSET_EL1"), 3);
	assert_int_equal(fake_writes("DBGBCR6_EL1"), 0);
	assert_int_equal(fake_writes("DBGWCR4_EL1"), 0);
	/* The guest continues without traps; a vcpu switch saves its registers. */
	fake_set("DBGBVR5_EL1", 0x5000);
	fake_set("DBGCLAIMCLR_EL1", 1);
	sysreg_save(&vcpu);
	assert_true(vcpu.debug_live);
	assert_int_equal(vcpu.dbg[0][5], 0x5000);
	fake_set("DBGBVR5_EL1", 0xbad);
	fake_set("DBGBCR5_EL1", 0xbad);
	fake_set("MDSCR_EL1", 0);
	sysreg_load(&vcpu);
	assert_int_equal(fake_get("DBGBVR5_EL1"), 0x5000);
	assert_int_equal(fake_get("DBGBCR5_EL1"), 0x1e5);
	assert_int_equal(fake_get("DBGCLAIMCLR_EL1"), 0xff);
	assert_int_equal(fake_get("DBGCLAIMSET_EL1"), 1);
	assert_int_equal(fake_get("MDSCR_EL1"), 0xa000);
	/*
	 * It disables them, without a trap: the next switch notices, and nothing is moved from then
	 * on.
	 */
	fake_set("MDSCR_EL1", 0x1000);
	fake_set("DBGBVR5_EL1", 0x6000);
	vcpu.traps_stale = false;
	sysreg_save(&vcpu);
	assert_false(vcpu.debug_live);
	assert_true(vcpu.traps_stale);
	reads(2, 0, 0, 5, 4, 0x6000);
	unsigned before = fake_writes("DBGBVR5_EL1");

	sysreg_load(&vcpu);
	assert_int_equal(fake_writes("DBGBVR5_EL1"), before);
}

static void software_step_and_lock(void **state)
{
	(void)state;
	fake_set("OSLSR_EL1", 0x8);
	vcpu.sr[SR_OSLAR_EL1] = 0;
	assert_int_equal(msr(2, 0, 0, 2, 2, 1), SKIP);
	assert_true(vcpu.debug_live);
	fake_set("DBGBVR0_EL1", 0x77);
	assert_int_equal(msr(2, 0, 1, 0, 4, 1), SKIP); /* lock: back to memory */
	assert_false(vcpu.debug_live);
	reads(2, 0, 0, 0, 4, 0x77);
}

static void os_lock_follows_the_vcpu(void **state)
{
	(void)state;
	fake_set("OSLSR_EL1", 0x8);
	sysreg_load(&vcpu); /* locked since reset */
	assert_int_equal(fake_get("OSLAR_EL1"), 1);
	fake_set("OSLSR_EL1", 0xa);
	sysreg_load(&vcpu);
	assert_int_equal(fake_writes("OSLAR_EL1"), 1);
}

static void dcc_is_never_ready(void **state)
{
	(void)state;
	vcpu.gpr[5] = 7;
	assert_int_equal(trap(EL0T, iss(2, 3, 0, 1, 0, true)), SKIP); /* MDCCSR_EL0 at EL0 */
	assert_int_equal(vcpu.gpr[5], 0);
	assert_int_equal(trap(EL0T, iss(2, 3, 0, 5, 0, false)), SKIP);
	assert_int_equal(msr(2, 3, 0, 1, 0, 0), UNDEF);
	assert_int_equal(trap(EL0T, iss(2, 0, 0, 2, 2, true)), UNDEF);
}

/* ---- moving ---- */

static void save_load_round_trip(void **state)
{
	static struct vcpu b;

	(void)state;
	memset(&b, 0, sizeof(b));
	b.vm = &vm;
	sysreg_reset(&b);
	feat.sme = true;
	fake_set("OSLSR_EL1", 0xa);
	fake_set("TCR_EL12", 0x123);
	fake_set("SP_EL0", 0x8000);
	fake_set("APGAKeyHi_EL1", 0x99);
	fake_set("TPIDR2_EL0", 0x22);
	sysreg_save(&vcpu);
	assert_int_equal(vcpu.sr[SR_TCR_EL1], 0x123);
	assert_int_equal(vcpu.sr[SR_APGAKeyHi_EL1], 0x99);
	sysreg_load(&b);
	assert_int_equal(fake_get("TCR_EL12"), 0);
	assert_int_equal(fake_get("SCTLR_EL12"), 0x30d00980);
	assert_int_equal(fake_get("TPIDR2_EL0"), 0);
	sysreg_save(&b);
	sysreg_load(&vcpu);
	assert_int_equal(fake_get("TCR_EL12"), 0x123);
	assert_int_equal(fake_get("SP_EL0"), 0x8000);
	assert_int_equal(fake_get("APGAKeyHi_EL1"), 0x99);
	assert_int_equal(fake_get("TPIDR2_EL0"), 0x22);
	unsigned before = fake_writes_total();

	sysreg_load(&vcpu);
	assert_int_equal(fake_writes_total(), before); /* nothing differs, nothing is written */
}

/* Each row in the CPU has a register and a slot of its own. */
static void every_row_moves(void **state)
{
#define DO_BANK(name, reg) { SR_##name, #reg, true, true },
#define DO_SWAP DO_BANK
#define DO_LIVE(name, reg) { SR_##name, #reg, true, false },
#define DO_EMUL(name, reg) { SR_##name, #name, false, false },
#define DO_TWIN(name, reg)
#define DO_VNCR(name, reg)
#define SYSREG(name, op0, op1, crn, crm, op2, home, accessor, ...) DO_##home(name, accessor)
	static const struct {
		enum sysreg_id id;
		const char *reg;
		bool in_cpu, bank;
	} moves[] = {
#include "arch/sysreg.def"
	};
	u64 sr[SR_COUNT] = { 0 };

	(void)state;
	feat.sme = true;
	feat.ras = true;
	feat.el1_impdef = true;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].in_cpu)
			fake_set(moves[i].reg, 0x1000 + i);
	bank_save(sr);
	sysreg_save(&vcpu);
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		if (sr[moves[i].id] != (moves[i].bank ? 0x1000 + i : 0))
			fail_msg("bank_save: %s: %#lx", moves[i].reg,
				 (unsigned long)sr[moves[i].id]);
		if (moves[i].in_cpu && vcpu.sr[moves[i].id] != 0x1000 + i)
			fail_msg("sysreg_save: %s: %#lx", moves[i].reg,
				 (unsigned long)vcpu.sr[moves[i].id]);
		sr[moves[i].id] = 0x2000 + i;
		vcpu.sr[moves[i].id] = 0x3000 + i;
	}
	bank_load(sr);
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].in_cpu &&
		    fake_get(moves[i].reg) != (moves[i].bank ? 0x2000 : 0x1000) + i)
			fail_msg("bank_load: %s: %#lx", moves[i].reg,
				 (unsigned long)fake_get(moves[i].reg));
	sysreg_load(&vcpu);
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].in_cpu && fake_get(moves[i].reg) != 0x3000 + i)
			fail_msg("sysreg_load: %s: %#lx", moves[i].reg,
				 (unsigned long)fake_get(moves[i].reg));
}

static void absent_rows_are_left_alone(void **state)
{
	(void)state;
	feat.pauth = feat.sme = feat.el1_impdef = false;
	fake_set("AFSR0_EL12", 4);
	fake_set("APIAKeyLo_EL1", 5);
	fake_set("TPIDR2_EL0", 6);
	sysreg_save(&vcpu);
	assert_int_equal(vcpu.sr[SR_APIAKeyLo_EL1], 0);
	sysreg_load(&vcpu);
	assert_int_equal(fake_get("AFSR0_EL12"), 4);
	assert_int_equal(fake_get("APIAKeyLo_EL1"), 5);
	assert_int_equal(fake_get("TPIDR2_EL0"), 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lookup, setup),
		cmocka_unit_test_setup(encodings, setup),
		cmocka_unit_test_setup(vncr_offsets, setup),
		cmocka_unit_test_setup(idspace, setup),
		cmocka_unit_test_setup(xzr, setup),
		cmocka_unit_test_setup(interrupts_and_timers, setup),
		cmocka_unit_test_setup(caches, setup),
		cmocka_unit_test_setup(sets_of_a_cache, setup),
		cmocka_unit_test_setup(sme_is_whole_or_absent, setup),
		cmocka_unit_test_setup(hidden_registers, setup),
		cmocka_unit_test_setup(every_encoding, setup),
		cmocka_unit_test_setup(spsrs_of_aarch32, setup),
		cmocka_unit_test_setup(said_once, setup),
		cmocka_unit_test_setup(debug_at_boot_stays_in_memory, setup),
		cmocka_unit_test_setup(debug_becomes_live, setup),
		cmocka_unit_test_setup(software_step_and_lock, setup),
		cmocka_unit_test_setup(os_lock_follows_the_vcpu, setup),
		cmocka_unit_test_setup(dcc_is_never_ready, setup),
		cmocka_unit_test_setup(save_load_round_trip, setup),
		cmocka_unit_test_setup(every_row_moves, setup),
		cmocka_unit_test_setup(absent_rows_are_left_alone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
