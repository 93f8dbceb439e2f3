/* SPDX-License-Identifier: Apache-2.0 */
/* TLB maintenance instructions: every encoding by hand, operands, and what the hardware is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nested/tlbi.h"
#include "nested_vm.h"

/* DDI 0487, C5.5, one line an instruction: name, op1, CRm, op2. The name says the rest. */
static const struct {
	const char *name;
	u32 op1, crm, op2;
} list[] = {
	{ "VMALLE1OS", 0, 1, 0 },    { "VAE1OS", 0, 1, 1 },     { "ASIDE1OS", 0, 1, 2 },
	{ "VAAE1OS", 0, 1, 3 },      { "VALE1OS", 0, 1, 5 },    { "VAALE1OS", 0, 1, 7 },
	{ "RVAE1IS", 0, 2, 1 },      { "RVAAE1IS", 0, 2, 3 },   { "RVALE1IS", 0, 2, 5 },
	{ "RVAALE1IS", 0, 2, 7 },    { "VMALLE1IS", 0, 3, 0 },  { "VAE1IS", 0, 3, 1 },
	{ "ASIDE1IS", 0, 3, 2 },     { "VAAE1IS", 0, 3, 3 },    { "VALE1IS", 0, 3, 5 },
	{ "VAALE1IS", 0, 3, 7 },     { "RVAE1OS", 0, 5, 1 },    { "RVAAE1OS", 0, 5, 3 },
	{ "RVALE1OS", 0, 5, 5 },     { "RVAALE1OS", 0, 5, 7 },  { "RVAE1", 0, 6, 1 },
	{ "RVAAE1", 0, 6, 3 },       { "RVALE1", 0, 6, 5 },     { "RVAALE1", 0, 6, 7 },
	{ "VMALLE1", 0, 7, 0 },      { "VAE1", 0, 7, 1 },       { "ASIDE1", 0, 7, 2 },
	{ "VAAE1", 0, 7, 3 },        { "VALE1", 0, 7, 5 },      { "VAALE1", 0, 7, 7 },
	{ "IPAS2E1IS", 4, 0, 1 },    { "RIPAS2E1IS", 4, 0, 2 }, { "IPAS2LE1IS", 4, 0, 5 },
	{ "RIPAS2LE1IS", 4, 0, 6 },  { "ALLE2OS", 4, 1, 0 },    { "VAE2OS", 4, 1, 1 },
	{ "ALLE1OS", 4, 1, 4 },      { "VALE2OS", 4, 1, 5 },    { "VMALLS12E1OS", 4, 1, 6 },
	{ "RVAE2IS", 4, 2, 1 },      { "RVALE2IS", 4, 2, 5 },   { "ALLE2IS", 4, 3, 0 },
	{ "VAE2IS", 4, 3, 1 },       { "ALLE1IS", 4, 3, 4 },    { "VALE2IS", 4, 3, 5 },
	{ "VMALLS12E1IS", 4, 3, 6 }, { "IPAS2E1OS", 4, 4, 0 },  { "IPAS2E1", 4, 4, 1 },
	{ "RIPAS2E1", 4, 4, 2 },     { "RIPAS2E1OS", 4, 4, 3 }, { "IPAS2LE1OS", 4, 4, 4 },
	{ "IPAS2LE1", 4, 4, 5 },     { "RIPAS2LE1", 4, 4, 6 },  { "RIPAS2LE1OS", 4, 4, 7 },
	{ "RVAE2OS", 4, 5, 1 },      { "RVALE2OS", 4, 5, 5 },   { "RVAE2", 4, 6, 1 },
	{ "RVALE2", 4, 6, 5 },       { "ALLE2", 4, 7, 0 },      { "VAE2", 4, 7, 1 },
	{ "ALLE1", 4, 7, 4 },        { "VALE2", 4, 7, 5 },      { "VMALLS12E1", 4, 7, 6 },
};

static u32 key_of(u32 op1, u32 crn, u32 crm, u32 op2)
{
	return SYSREG_KEY(1, op1, crn, crm, op2);
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool ends(const char *s, const char *with)
{
	return strlen(s) >= strlen(with) && !strcmp(s + strlen(s) - strlen(with), with);
}

static enum tlbi_kind kind_of(const char *n)
{
	if (*n == 'R')
		n++;
	if (starts(n, "VMALLS12"))
		return TLBI_VMALLS12;
	if (starts(n, "VMALLE1") || starts(n, "ALLE2"))
		return TLBI_VMALL;
	if (starts(n, "ALLE1"))
		return TLBI_ALL;
	if (starts(n, "ASID"))
		return TLBI_ASID;
	if (starts(n, "IPA"))
		return TLBI_IPA;
	return starts(n, "VAA") ? TLBI_VAA : TLBI_VA;
}

static void every_encoding(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		for (u32 crn = 8; crn <= 9; crn++) {
			const char *n = list[i].name;
			struct tlbi_op op;

			if (!tlbi_decode(key_of(list[i].op1, crn, list[i].crm, list[i].op2), 0,
					 &op))
				fail_msg("%s: unknown", n);
			if (op.kind != kind_of(n) || op.el2 != !!strstr(n, "E2") ||
			    op.range != (*n == 'R') ||
			    op.last != !!(strstr(n, "LE1") || strstr(n, "LE2")) -
					       !!strstr(n, "ALLE") ||
			    op.os != ends(n, "OS") ||
			    op.local != !(ends(n, "OS") || ends(n, "IS")) || op.nxs != (crn == 9))
				fail_msg("%s: kind %d el2 %d last %d range %d os %d local %d", n,
					 op.kind, op.el2, op.last, op.range, op.os, op.local);
		}
}

static void nothing_else(void **state)
{
	u32 known = 0;

	(void)state;
	for (u32 op0 = 0; op0 < 4; op0++)
		for (u32 v = 0; v < 1 << 14; v++) {
			u32 op1 = v & 7, crn = v >> 3 & 15, crm = v >> 7 & 15, op2 = v >> 11;
			struct tlbi_op op;

			if (tlbi_decode(SYSREG_KEY(op0, op1, crn, crm, op2), rand(), &op))
				known++;
		}
	assert_int_equal(known, 2 * ARRAY_SIZE(list));
}

static struct tlbi_op decode(const char *name, u64 arg)
{
	struct tlbi_op op;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (!strcmp(list[i].name, name)) {
			assert_true(tlbi_decode(key_of(list[i].op1, 8, list[i].crm, list[i].op2),
						arg, &op));
			return op;
		}
	fail_msg("%s?", name);
	abort();
}

static void operands(void **state)
{
	struct tlbi_op op = decode("VAE1IS", 0x1234600000012345UL);

	(void)state;
	assert_int_equal(op.asid, 0x1234);
	assert_int_equal(op.base, 0x12345000);
	assert_int_equal(op.size, 0x1000);
	assert_int_equal(tlbi_leaf_size(&op), MIB(2)); /* TTL 0110: 4 KiB granule, level 2 */
	op = decode("VAE1IS", 6UL << 44 | 0x12345);
	assert_int_equal(tlbi_leaf_size(&op), MIB(2));
	/* A high address is sign-extended from bit 55. */
	assert_int_equal(decode("VAAE1", 0xffffff0000001UL).base, 0xffffff0000001000UL);
	assert_int_equal(decode("VAAE1", 0xffff0fff00000001UL).asid, 0);
	assert_int_equal(decode("ASIDE1IS", 0xabcd000000000000UL).asid, 0xabcd);
	op = decode("IPAS2E1IS", 0x8000000000080001UL | 7UL << 44);
	assert_int_equal(op.base, 0x80001000);
	assert_int_equal(tlbi_leaf_size(&op), PAGE_SIZE);
	/* TTL: granule and level */
	static const struct {
		u64 ttl, size;
	} t[] = { { 0, 0 },      { 3, 0 },  { 4, 0 },         { 5, GIB(1) },   { 6, MIB(2) },
		  { 7, KIB(4) }, { 8, 0 },  { 9, 0 },         { 10, MIB(32) }, { 11, KIB(16) },
		  { 12, 0 },     { 13, 0 }, { 14, MIB(512) }, { 15, KIB(64) } };
	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		op = decode("IPAS2LE1", t[i].ttl << 44);
		assert_int_equal(tlbi_leaf_size(&op), t[i].size);
	}
	/* Ranges: BADDR, TTL, NUM, SCALE, TG. */
	op = decode("RVAE1IS",
		    0x77UL << 48 | 1UL << 46 | 0UL << 44 | 3UL << 39 | 3UL << 37 | 0x80001);
	assert_int_equal(op.base, 0x80001000);
	assert_int_equal(op.size, 4 * 8192);
	assert_int_equal(op.asid, 0x77);
	assert_int_equal(tlbi_leaf_size(&op), PAGE_SIZE);
	op = decode("RIPAS2E1", 2UL << 46 | 2UL << 44 | 31UL << 39 | 0x11);
	assert_int_equal(op.base, 0x11UL << 14);
	assert_int_equal(op.size, 32UL << (5 * 2 + 1 + 14));
	op = decode("RVAAE1", 3UL << 46 | 3UL << 44 | 31UL << 39 | MASK(36, 0));
	assert_int_equal(op.base, -65536UL);
	assert_int_equal(op.size, 65536); /* it ends with the address space */
	op = decode("RVAE1", 0x5);
	assert_int_equal(op.size, 0); /* TG 0 is reserved: nothing */
}

/* ---- what the hardware is told ---- */

static struct {
	char name[16];
	u64 arg, vttbr;
} told[64];
static u32 tolds;

static void note(const char *name, u64 arg)
{
	assert_true(tolds < ARRAY_SIZE(told));
	strcpy(told[tolds].name, name);
	told[tolds].arg = arg;
	told[tolds++].vttbr = fake_get("VTTBR_EL2");
}

#define NOTE(op)                                                                                   \
	static void on_##op(u64 v)                                                                 \
	{                                                                                          \
		note(#op, v);                                                                      \
	}
NOTE(VMALLE1IS)
NOTE(VAE1IS)
NOTE(VALE1IS)
NOTE(VAAE1IS)
NOTE(VAALE1IS)
NOTE(ASIDE1IS)
NOTE(ALLE1)
NOTE(VMALLS12E1IS)

static int setup(void **state)
{
	(void)state;
	nv_setup(1, 0);
	assert_int_equal(shadow_vm_init(&nv_vm), 0);
	nv_l1(0, 7, nv_table());
	(void)shadow_find(&nv_vcpu[0]);
	nv_vcpu[0].in_vel2 = true;
	fake_set("VTTBR_EL2", nv_vm.stage2.vttbr);
	fake_on_write("TLBI_VMALLE1IS", on_VMALLE1IS);
	fake_on_write("TLBI_VAE1IS", on_VAE1IS);
	fake_on_write("TLBI_VALE1IS", on_VALE1IS);
	fake_on_write("TLBI_VAAE1IS", on_VAAE1IS);
	fake_on_write("TLBI_VAALE1IS", on_VAALE1IS);
	fake_on_write("TLBI_ASIDE1IS", on_ASIDE1IS);
	fake_on_write("TLBI_ALLE1", on_ALLE1);
	fake_on_write("TLBI_VMALLS12E1IS", on_VMALLS12E1IS);
	tolds = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (shadow_vm_destroy_piece(&nv_vm))
		;
	return 0;
}

static enum verdict execute_crn(const char *name, u32 crn, u64 arg)
{
	struct exit e = { .spsr = 9 };

	nv_vcpu[0].gpr[30] = arg;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if (!strcmp(list[i].name, name))
			e.esr = ESR(EC_SYS64,
				    key_of(list[i].op1, crn, list[i].crm, list[i].op2) | 30u << 5);
	return tlbi_trap(&nv_vcpu[0], &e);
}

static enum verdict execute(const char *name, u64 arg)
{
	return execute_crn(name, 8, arg);
}

static void expect(const char *name, u64 arg, u64 vttbr)
{
	if (tolds != 1 || strcmp(told[0].name, name) || told[0].arg != arg ||
	    told[0].vttbr != vttbr)
		fail_msg("%u TLBIs, the first %s %#lx for %#lx; want %s %#lx for %#lx", tolds,
			 told[0].name, told[0].arg, told[0].vttbr, name, arg, vttbr);
	tolds = 0;
}

static void own_regime(void **state)
{
	u64 own = nv_vm.stage2.vttbr;

	(void)state;
	for (int tge = 0; tge < 2; tge++) {
		vncr_write(&nv_vcpu[0], VNCR_HCR_EL2, HCR_E2H | HCR_VM | (tge ? HCR_TGE : 0));
		assert_int_equal(execute("ALLE2IS", 0), SKIP);
		expect("VMALLE1IS", 0, own);
		assert_int_equal(execute("VAE2", 0x0042600000012345UL), SKIP);
		expect("VAE1IS", 0x0042600000012345UL, own);
		assert_int_equal(execute("VALE2OS", 0x00420fff00012345UL & ~MASK(47, 44)), SKIP);
		expect("VALE1IS", 0x00420fff00012345UL & ~MASK(47, 44), own);
		/* 3 * 8 KiB in pages; a large range as one. */
		assert_int_equal(execute("RVALE2IS", 5UL << 48 | 1UL << 46 | 2UL << 39 | 0x100),
				 SKIP);
		assert_int_equal(tolds, 6);
		for (u32 i = 0; i < 6; i++) {
			assert_string_equal(told[i].name, "VALE1IS");
			assert_int_equal(told[i].arg, 5UL << 48 | (0x100 + i));
		}
		tolds = 0;
		assert_int_equal(execute("RVAE2", 1UL << 46 | 3UL << 44 | 31UL << 39), SKIP);
		expect("VMALLE1IS", 0, own);
		assert_int_equal(execute("RVAE2", 1UL << 46 | 19UL << 39), SKIP); /* 40 pages */
		expect("VMALLE1IS", 0, own);
	}
	/* {E2H,TGE} = {1,1}: EL1's forms, too. */
	assert_int_equal(execute("ASIDE1", 0x12UL << 48), SKIP);
	expect("ASIDE1IS", 0x12UL << 48, own);
	assert_int_equal(execute("VAAE1OS", 0x99), SKIP);
	expect("VAAE1IS", 0x99, own);
	assert_int_equal(execute("RVAE1", 0), SKIP); /* TG 0: nothing */
	assert_int_equal(tolds, 0);
}

/* What nidus asks for is L1's ALLE1, of which nothing is done but before the next entry. */
static void all_by_nidus(void **state)
{
	(void)state;
	nv_vcpu[0].shadow.cursor.at = 5;
	nv_vcpu[0].requests = 0;
	tlbi_all(&nv_vcpu[0]);
	assert_int_equal(tolds, 0);
	assert_int_equal(nv_vcpu[0].requests, REQ_WORK);
	assert_int_equal(nv_vcpu[0].shadow.op.kind, TLBI_ALL);
	assert_int_equal(nv_vcpu[0].shadow.cursor.at, 0);
	shadow_work(&nv_vcpu[0]);
	assert_int_equal(nv_vcpu[0].requests & ~REQ_WORK, 0);
}

static void l2s_regime(void **state)
{
	u64 l2 = nv_vcpu[0].shadow.ref[0]->s2.vttbr;

	(void)state;
	assert_int_equal(execute("VMALLE1", 0), SKIP);
	expect("VMALLE1IS", 0, l2);
	assert_int_equal(execute("VAALE1IS", 0x5), SKIP);
	expect("VAALE1IS", 0x5, l2);
	assert_int_equal(execute_crn("VALE1", 9, 3UL << 48 | 5), SKIP);
	expect("VALE1IS", 3UL << 48 | 5, l2);
	assert_int_equal(fake_get("VTTBR_EL2"), nv_vm.stage2.vttbr);
	/* A VMID that no shadow has. */
	vncr_write(&nv_vcpu[0], VNCR_VTTBR_EL2, 99UL << 48);
	assert_int_equal(execute("VMALLE1", 0), SKIP);
	assert_int_equal(tolds, 0);
	/* With nothing mapped there is nothing to invalidate. */
	vncr_write(&nv_vcpu[0], VNCR_VTTBR_EL2, 7UL << 48);
	assert_int_equal(execute("VMALLS12E1IS", 0), SKIP);
	assert_int_equal(execute("ALLE1", 0), SKIP);
	assert_int_equal(execute("IPAS2E1", 0x80000), SKIP);
	assert_int_equal(tolds, 0);
	/* A hint that this machine does not know is not passed on. */
	feat.ttl = false;
	assert_int_equal(execute("VAE1IS", 7UL << 44 | 5), SKIP);
	expect("VAE1IS", 5, l2);
}

static void features(void **state)
{
	(void)state;
	nv_vm.id_regs.v[IDX_ID_AA64ISAR0_EL1] = 1UL << 56;
	assert_int_equal(execute("VMALLE1OS", 0), SKIP);
	assert_int_equal(execute("RVAE1", 0), UNDEF);
	nv_vm.id_regs.v[IDX_ID_AA64ISAR0_EL1] = 0;
	assert_int_equal(execute("VMALLE1OS", 0), UNDEF);
	assert_int_equal(execute("VMALLE1IS", 0), SKIP);
	nv_vm.id_regs.v[IDX_ID_AA64ISAR1_EL1] = 0;
	assert_int_equal(execute_crn("VMALLE1IS", 9, 0), UNDEF);
	/* L2 has no EL2. */
	nv_vcpu[0].in_vel2 = false;
	assert_int_equal(execute("ALLE2", 0), UNDEF);
	assert_int_equal(execute("IPAS2E1", 0), UNDEF);
}

/* As in run.c: requested work is done before the guest is entered; returns how many times. */
static u32 work(void)
{
	struct vcpu *v = &nv_vcpu[0];
	u32 n = 0;

	for (; v->requests & REQ_WORK; n++) {
		v->requests = 0;
		assert_true(n < 500);
		shadow_work(v);
	}
	return n;
}

/*
 * While interrupts wait for the CPU, a long one leaves the rest for later, but before the guest
 * continues.
 */
static void in_pieces(void **state)
{
	struct shadow *s = nv_vcpu[0].shadow.ref[0];
	u64 root = s->vttbr & MASK(47, 1), arg = 1UL << 46 | 3UL << 44 | 31UL << 39;
	u32 n = 0;
	struct pgtable_leaf leaf;
	struct reflection r;

	(void)state;
	for (u64 i = 0; i < 100; i++) {
		struct exit e = nv_abort(i << 30, true, false, 5);

		nv_map(root, i << 30, NV_RAM, 3, NV_RW);
		nv_vcpu[0].in_vel2 = false;
		assert_int_equal(shadow_fault(&nv_vcpu[0], &e, &r), SHADOW_RETRY);
	}
	nv_vcpu[0].in_vel2 = true;
	fake_set("ISR_EL1", 1 << 7);
	fake_on_write("TLBI_VMALLS12E1IS", NULL);
	fake_on_write("TLBI_VMALLE1IS", NULL);
	assert_int_equal(execute("RIPAS2E1IS", arg), SKIP);
	n = work();
	assert_true(n >= 7);
	for (u64 i = 0; i < 100; i++) {
		bool is = pgtable_lookup(&s->s2.pt, i << 30, &leaf);

		/* 32 << 28 bytes from 0 */
		if (is != (i >= 8))
			fail_msg("GiB %lu is%s mapped after %u pieces", i, is ? "" : " not", n);
	}
	fake_set("ISR_EL1", 0);
	assert_int_equal(execute("RIPAS2E1IS", arg), SKIP);
	assert_int_equal(work(), 0);
	fake_set("ISR_EL1", 1 << 6);
	assert_int_equal(execute("VMALLS12E1IS", 0), SKIP);
	assert_true(pgtable_lookup(&s->s2.pt, 90UL << 30, &leaf));
	n = work();
	assert_true(n > 50);
	assert_false(pgtable_lookup(&s->s2.pt, 90UL << 30, &leaf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_encoding),
		cmocka_unit_test(nothing_else),
		cmocka_unit_test(operands),
		cmocka_unit_test_setup_teardown(own_regime, setup, teardown),
		cmocka_unit_test_setup_teardown(all_by_nidus, setup, teardown),
		cmocka_unit_test_setup_teardown(l2s_regime, setup, teardown),
		cmocka_unit_test_setup_teardown(features, setup, teardown),
		cmocka_unit_test_setup_teardown(in_pieces, setup, teardown),
	};

	return cmocka_run_group_tests_name("tlbi", tests, NULL, NULL);
}
