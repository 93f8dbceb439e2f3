/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address translation instructions: which regime, which walk, and PAR_EL1 as the machine returns
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nested/at.h"
#include "nested_vm.h"
#include "nested/inject.h"

/* DDI 0487, C5.4: op1, CRm, op2. */
enum {
	S1E1R,
	S1E1W,
	S1E0R,
	S1E0W,
	S1E1RP,
	S1E1WP,
	S1E2R,
	S1E2W,
	S12E1R,
	S12E1W,
	S12E0R,
	S12E0W,
	COUNT
};
static const struct {
	const char *name;
	u32 op1, crm, op2;
} list[COUNT] = {
	{ "S1E1R", 0, 8, 0 },  { "S1E1W", 0, 8, 1 },  { "S1E0R", 0, 8, 2 },  { "S1E0W", 0, 8, 3 },
	{ "S1E1RP", 0, 9, 0 }, { "S1E1WP", 0, 9, 1 }, { "S1E2R", 4, 8, 0 },  { "S1E2W", 4, 8, 1 },
	{ "S12E1R", 4, 8, 4 }, { "S12E1W", 4, 8, 5 }, { "S12E0R", 4, 8, 6 }, { "S12E0W", 4, 8, 7 },
};

/* ---- hardware's answer to its own AT ---- */

static const char *asked;
static u64 asked_va, answer;

#define HW(op)                                                                                     \
	static void on_##op(u64 va)                                                                \
	{                                                                                          \
		asked = #op;                                                                       \
		asked_va = va;                                                                     \
		fake_set("PAR_EL1", answer);                                                       \
	}
HW(s1e1r)
HW(s1e1w)
HW(s1e0r)
HW(s1e0w)

/* L2's stage 1: 39 bits, 4 KiB, one level-1 table; its tables in L2's IPAs, from 0x80000000 on. */
#define L2_TABLE 0x80000000UL
#define VA 0x12345UL
#define L2_PAGE 0x80010000UL

static u64 root, *l2_table[3], own_table;

static int setup(void **state)
{
	(void)state;
	nv_setup(1, 0);
	root = nv_table();
	nv_l1(0, 7, root);
	fake_on_write("AT_s1e1r", on_s1e1r);
	fake_on_write("AT_s1e1w", on_s1e1w);
	fake_on_write("AT_s1e0r", on_s1e0r);
	fake_on_write("AT_s1e0w", on_s1e0w);
	asked = NULL;

	nv_vcpu[0].in_vel2 = true;
	/* L1's stage 2 of L2: three pages for tables, one of data. */
	for (u64 i = 0; i < 3; i++) {
		nv_map(root, L2_TABLE + i * PAGE_SIZE, NV_RAM + (5 - i) * PAGE_SIZE, 3, NV_RW);
		l2_table[i] = nv_ptr(NV_RAM + (5 - i) * PAGE_SIZE);
	}
	nv_map(root, L2_PAGE, NV_RAM + 0x20000, 3, NV_RW);
	vncr_write(&nv_vcpu[0], VNCR_SCTLR_EL1, 5);
	vncr_write(&nv_vcpu[0], VNCR_TCR_EL1, 25 | 25 << 16 | 2UL << 30 | 2UL << 32);
	vncr_write(&nv_vcpu[0], VNCR_TTBR0_EL1, L2_TABLE);
	vncr_write(&nv_vcpu[0], VNCR_MAIR_EL1, 0x44ff04);
	l2_table[0][0] = (L2_TABLE + PAGE_SIZE) | 3;
	l2_table[1][0] = (L2_TABLE + 2 * PAGE_SIZE) | 3;
	l2_table[2][0x12] =
		L2_PAGE | BIT(10) | 3UL << 8 | 1 << 2 | 3; /* EL1 read and write, index 1 */
	/* L1's own: the same shape, in L1's IPAs. */
	own_table = nv_table();
	fake_set("SCTLR_EL12", 5);
	fake_set("TCR_EL12", 25 | 25 << 16 | 2UL << 30 | 2UL << 32);
	fake_set("TTBR0_EL12", own_table);
	fake_set("MAIR_EL12", 0xff);
	*nv_ptr(own_table) =
		(NV_RAM & ~(GIB(1) - 1)) | BIT(10) | BIT(6) | 3UL << 8 | 1; /* 1 GiB, EL0 too */
	return 0;
}

static enum verdict at(int which, u64 va)
{
	struct exit e = { .esr = ESR(EC_SYS64, SYSREG_KEY(1, list[which].op1, 7, list[which].crm,
							  list[which].op2) |
						       7u << 5),
			  .spsr = 9 };

	nv_vcpu[0].gpr[7] = va;
	fake_set("PAR_EL1", 0xdead);
	return at_trap(&nv_vcpu[0], &e);
}

static void expect(int which, u64 va, u64 par)
{
	enum verdict v = at(which, va);

	if (v != SKIP || fake_get("PAR_EL1") != par)
		fail_msg("AT %s, %#lx: verdict %d, PAR %#lx; want %#lx", list[which].name, va, v,
			 fake_get("PAR_EL1"), par);
}

static void decoding(void **state)
{
	u32 known = 0;
	struct at_op op;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		const char *n = list[i].name;

		assert_true(
			at_decode(SYSREG_KEY(1, list[i].op1, 7, list[i].crm, list[i].op2), &op));
		if (op.stage12 != !strncmp(n, "S12", 3) || op.el2 != !!strstr(n, "E2") ||
		    op.el0 != !!strstr(n, "E0") || op.write != !!strchr(n, 'W') ||
		    op.pan != !!strchr(n, 'P'))
			fail_msg("%s", n);
	}
	for (u32 v = 0; v < 1 << 16; v++)
		known += at_decode(
			SYSREG_KEY(v >> 14, v & 7, v >> 3 & 15, v >> 7 & 15, v >> 11 & 7), &op);
	assert_int_equal(known, COUNT);
}

#define OK(attr, pa, sh) ((u64)(attr) << 56 | (pa) | BIT(11) | BIT(9) | (u64)(sh) << 7)
#define FAULT(fst, s, ptw) (BIT(11) | (u64)(s) << 9 | (u64)(ptw) << 8 | (u64)(fst) << 1 | 1)

static void l2_stage1(void **state)
{
	(void)state;
	expect(S1E1R, VA, OK(0xff, L2_PAGE, 3));
	expect(S1E1W, VA, OK(0xff, L2_PAGE, 3));
	expect(S1E1RP, VA, OK(0xff, L2_PAGE, 3));
	assert_null(asked);
	/* Not for EL0: permission, level 3. No page: translation, level 3. No table: level 1. */
	expect(S1E0R, VA, FAULT(15, 0, 0));
	expect(S1E1R, VA + PAGE_SIZE, FAULT(7, 0, 0));
	expect(S1E1R, 1UL << 30, FAULT(5, 0, 0));
	l2_table[2][0x12] |= BIT(7);
	expect(S1E1W, VA, FAULT(15, 0, 0));
	/* A page that EL0 can access, with PSTATE.PAN: only the P forms fault. */
	l2_table[2][0x12] |= BIT(6);
	nv_vcpu[0].pstate = BIT(22);
	expect(S1E1R, VA, OK(0xff, L2_PAGE, 3));
	expect(S1E1RP, VA, FAULT(15, 0, 0));
	/* Device is Outer Shareable whatever the descriptor says. */
	l2_table[2][0x12] &= ~(7UL << 2);
	expect(S1E1R, VA, OK(0x04, L2_PAGE, 2));
}

static void l2_both_stages(void **state)
{
	(void)state;
	expect(S12E1R, VA, OK(0xff, NV_RAM + 0x20000, 3));
	expect(S12E1W, VA, OK(0xff, NV_RAM + 0x20000, 3));
	expect(S12E0W, VA, FAULT(15, 0, 0));
	nv_map(root, L2_PAGE, NV_RAM + 0x20000, 3,
	       NV_RO & ~(8UL << 2)); /* outer half Write-Through..: 7 */
	expect(S12E1W, VA, FAULT(15, 1, 0));
	nv_map(root, L2_PAGE, NV_RAM + 0x20000, 3, (NV_RO & ~(15UL << 2)) | 5 << 2);
	expect(S12E1R, VA, OK(0x44, NV_RAM + 0x20000, 2));
	nv_map(root, L2_PAGE, NV_RAM + 0x20000, 3, (NV_RO & ~(15UL << 2)) | 1 << 2);
	expect(S12E1R, VA, OK(0x04, NV_RAM + 0x20000, 2));
	*nv_entry(root, L2_PAGE, 3) = 0;
	expect(S12E1R, VA, FAULT(7, 1, 0));
	/* The stage 1 forms ignore stage 2. */
	expect(S1E1R, VA, OK(0xff, L2_PAGE, 3));
	/* A fault of the walk itself: its second table is not mapped. */
	*nv_entry(root, L2_TABLE + PAGE_SIZE, 3) = 0;
	expect(S12E1R, VA, FAULT(7, 1, 1));
	expect(S1E1R, VA, FAULT(7, 1, 1));
	/* Stage 2 off: L2's addresses are L1's. */
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_RW);
	vncr_write(&nv_vcpu[0], VNCR_SCTLR_EL1, 0);
	expect(S12E1R, VA, OK(0, 0x12000, 2));
	vncr_write(&nv_vcpu[0], VNCR_SCTLR_EL1, 5);
	/* With TGE=1 EL1's MMU and VM count as off. */
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_RW | HCR_VM | HCR_TGE);
	expect(S12E1R, VA, OK(0, 0x12000, 2));
}

static void external_aborts(void **state)
{
	(void)state;
	nv_map(root, L2_TABLE + PAGE_SIZE, NV_DEVICE, 3, NV_RW);
	assert_int_equal(at(S12E1R, VA), INJECT_FAR);
	assert_int_equal(nv_vcpu[0].inject_esr, ESR(EC_DABT_CUR, DABT_CM | DABT_WNR | 0x16));
	assert_int_equal(nv_vcpu[0].inject_far, VA);
	assert_int_equal(fake_get("PAR_EL1"), 0xdead);
}

static void own_regime(void **state)
{
	(void)state;
	answer = OK(0xff, 0x44445000, 3);
	/* EL2's forms with any TGE; EL1's with TGE=1. */
	expect(S1E2R, VA, answer);
	assert_string_equal(asked, "s1e1r");
	assert_int_equal(asked_va, VA);
	expect(S1E2W, VA, answer);
	assert_string_equal(asked, "s1e1w");
	vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_RW | HCR_VM | HCR_TGE);
	expect(S1E0R, VA, answer);
	assert_string_equal(asked, "s1e0r");
	expect(S1E0W, VA, answer);
	assert_string_equal(asked, "s1e0w");
	expect(S1E1RP, VA, answer);
	assert_string_equal(asked, "s1e1r");
	answer = FAULT(7, 0, 0);
	expect(S1E1R, VA, answer);
	/* A fault in nidus's stage 2 is not reported: the walk reports what L1's machine would. */
	answer = FAULT(7, 1, 1);
	expect(S1E1R, NV_RAM & (GIB(1) - 1), OK(0xff, NV_RAM & ~(GIB(1) - 1), 3));
	/* PSTATE.PAN is L1's. */
	asked = NULL;
	nv_vcpu[0].pstate = BIT(22);
	expect(S1E1RP, VA, FAULT(13, 0, 0));
	assert_null(asked);
	/* A table outside RAM: an external abort to vEL2. */
	*nv_ptr(own_table) = NV_DEVICE | 3;
	answer = FAULT(0x16, 0, 0);
	assert_int_equal(at(S1E2R, VA), INJECT_FAR);
	assert_int_equal(nv_vcpu[0].inject_esr, ESR(EC_DABT_CUR, DABT_CM | DABT_WNR | 0x16));
}

static void who_may(void **state)
{
	(void)state;
	nv_vm.id_regs.v[IDX_ID_AA64MMFR1_EL1] = 1UL << 20;
	assert_int_equal(at(S1E1RP, VA), UNDEF);
	nv_vcpu[0].in_vel2 = false;
	assert_int_equal(at(S12E1R, VA), UNDEF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding),
		cmocka_unit_test_setup(l2_stage1, setup),
		cmocka_unit_test_setup(l2_both_stages, setup),
		cmocka_unit_test_setup(external_aborts, setup),
		cmocka_unit_test_setup(own_regime, setup),
		cmocka_unit_test_setup(who_may, setup),
	};

	return cmocka_run_group_tests_name("at", tests, NULL, NULL);
}
