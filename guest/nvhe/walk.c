/* SPDX-License-Identifier: Apache-2.0 */
/* EL2's translation with E2H = 0, bit by bit: 39-bit addresses, 4 KiB granule, one range. */
#include "nvhe.h"

#define TEST_VA 0x100000000UL /* 4 GiB: level 1 entry 4 */
#define TCR (0x80800000UL | 25 | 1 << 8 | 1 << 10 | 3 << 12 | 2 << 16)
#define SCTLR_OFF 0x30c50830UL
#define SCTLR_ON (SCTLR_OFF | BIT(0) | BIT(2) | BIT(12))

#define TABLE 3UL
#define PAGE 3UL
#define BLOCK 1UL
#define NORMAL (1UL << 2 | 3UL << 8)
#define AP1 BIT(6)
#define AP2 BIT(7)
#define AF BIT(10)
#define NG BIT(11)
#define XN BIT(54)

static u64 l1[512] __attribute__((aligned(4096)));
static u64 l2[512] __attribute__((aligned(4096)));
static u64 l3[512] __attribute__((aligned(4096)));
/* Pages that begin with RET and then differ. */
static u64 pages[2][512] __attribute__((aligned(4096)));

WRITE_EL2(TCR_EL2)
WRITE_EL2(TTBR0_EL2)
WRITE_EL2(MAIR_EL2)
WRITE_EL2(SCTLR_EL2)

static u64 flush_at_el2(u64 va, u64 b, u64 c)
{
	(void)b;
	(void)c;
	dsb(ish);
	if (va)
		asm volatile("tlbi vae2is, %0" ::"r"(va >> 12));
	else
		asm volatile("tlbi alle2is");
	dsb(ish);
	isb();
	return 0;
}

static void build(void)
{
	u64 i;

	for (i = 0; i < 512; i++)
		l1[i] = i << 30 | BLOCK | AP1 | AF | (i ? NORMAL : XN);
	l1[4] = (u64)l2 | TABLE;
	l2[0] = (u64)l3 | TABLE;
	pages[0][0] = pages[1][0] = 0xd65f03c0; /* RET */
	pages[0][1] = 0xaaaa;
	pages[1][1] = 0xbbbb;
	l3[0] = (u64)pages[0] | PAGE | AP1 | AF | NORMAL;
	el2_write(MAIR_EL2, 0xff04);
	el2_write(TCR_EL2, TCR);
	el2_write(TTBR0_EL2, (u64)l1);
	el2_call(flush_at_el2, 0, 0, 0);
	el2_write(SCTLR_EL2, SCTLR_ON);
}

static void off(void)
{
	el2_write(SCTLR_EL2, SCTLR_OFF);
	el2_call(flush_at_el2, 0, 0, 0);
}

enum access { LOAD, STORE, CALL };

static u64 access_at_el2(u64 what, u64 va, u64 c)
{
	(void)c;
	switch (what) {
	case LOAD:
		return try_load(va);
	case STORE:
		try_store(va, 0x1234);
		return 0;
	}
	asm volatile("ic iallu");
	dsb(ish);
	isb();
	try_call(va);
	return 0;
}

/* Do the access at EL2, expecting no fault (fsc 0) or this fault status. */
static void access(const char *name, enum access what, u64 va, u64 fsc)
{
	static const char *const names[] = { "load", "store", "call" };
	u64 at = what == CALL ? va : va + 8;

	el2_arm();
	el2_call(access_at_el2, what, at, 0);
	if (seen.count != (fsc != 0)) {
		test_fail("%s: %s: %u exceptions, esr 0x%lx far 0x%lx", name, names[what],
			  seen.count, seen.esr, seen.far);
		return;
	}
	if (!fsc)
		return;
	expect_eq(seen.kind, EL2_SYNC, name);
	expect_eq(seen.esr, what == CALL ? ESR_OF(EC_IABT, fsc)
					 : ESR_OF(EC_DABT, fsc | (what == STORE ? BIT(6) : 0)),
		  name);
	expect_eq(seen.far, at, name);
}

static u64 at_s1e2(u64 write, u64 va, u64 c)
{
	(void)c;
	if (write)
		asm volatile("at s1e2w, %0" ::"r"(va));
	else
		asm volatile("at s1e2r, %0" ::"r"(va));
	isb();
	return sysreg_read(PAR_EL1);
}

/* AT reports what an access would meet. */
static void translate(const char *name, bool write, u64 va, u64 fsc)
{
	u64 par = el2_call(at_s1e2, write, va, 0);

	if (fsc)
		expect_eq(par & 0x7f, fsc << 1 | 1, name);
	else
		expect_eq(par & (MASK(47, 12) | 1), (u64)pages[0], name);
}

/*
 * Bits of the page and of the table above it: what is flipped or set, and the fault that follows.
 */
static const struct bits {
	const char *name;
	u64 table, page_set, page_clear;
	u8 load, store, call;
} cases[] = {
	{ "plain", 0, 0, 0, 0, 0, 0 },
	{ "AP[2]: read-only", 0, AP2, 0, 0, 0x0f, 0 },
	{ "AP[1] is RES1", 0, 0, AP1, 0, 0, 0 },
	{ "XN", 0, XN, 0, 0, 0, 0x0f },
	{ "53 is RES0", 0, BIT(53), 0, 0, 0, 0 },
	{ "nG is ignored", 0, NG, 0, 0, 0, 0 },
	{ "AF", 0, 0, AF, 0x0b, 0x0b, 0x0b },
	{ "invalid", 0, 0, 1, 0x07, 0x07, 0x07 },
	{ "APTable[1]", BIT(62), 0, 0, 0, 0x0f, 0 },
	{ "APTable[0] is RES0", BIT(61), 0, 0, 0, 0, 0 },
	{ "XNTable", BIT(60), 0, 0, 0, 0, 0x0f },
	{ "PXNTable is RES0", BIT(59), 0, 0, 0, 0, 0 },
};

static void one_case(const struct bits *b)
{
	u64 page = l3[0], table = l2[0];

	l3[0] = (page | b->page_set) & ~b->page_clear;
	l2[0] = table | b->table;
	el2_call(flush_at_el2, 0, 0, 0);
	access(b->name, LOAD, TEST_VA, b->load);
	access(b->name, STORE, TEST_VA, b->store);
	access(b->name, CALL, TEST_VA, b->call);
	translate(b->name, false, TEST_VA, b->load);
	translate(b->name, true, TEST_VA, b->store);
	l3[0] = page;
	l2[0] = table;
	el2_call(flush_at_el2, 0, 0, 0);
}

static void descriptors(void)
{
	u32 i;

	build();
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		one_case(&cases[i]);
	off();
}

static void levels(void)
{
	build();
	l2[0] = 0;
	el2_call(flush_at_el2, 0, 0, 0);
	access("level 2", LOAD, TEST_VA, 0x06);
	l1[4] = 0;
	el2_call(flush_at_el2, 0, 0, 0);
	access("level 1", LOAD, TEST_VA, 0x05);
	access("above T0SZ", LOAD, BIT(39), 0x04);
	access("above T0SZ", CALL, BIT(39), 0x04);
	access("the upper half", LOAD, ~0UL << 39, 0x04);
	access("the upper half", STORE, ~0xfffUL, 0x04);
	off();
}

/* Bits 63:56 of an address are ignored with TBI only. */
static void tags(void)
{
	u64 tagged = TEST_VA | 0x5aUL << 56;

	build();
	access("without TBI", LOAD, tagged, 0x04);
	el2_write(TCR_EL2, TCR | BIT(20));
	el2_call(flush_at_el2, 0, 0, 0);
	access("with TBI", LOAD, tagged, 0);
	access("with TBI", STORE, tagged, 0);
	access("with TBI, bit 55", LOAD, TEST_VA | BIT(55), 0x04);
	el2_write(TCR_EL2, TCR);
	off();
}

/* PAN and unprivileged loads have no effect at an EL2 without EL0. */
static u64 user_at_el2(u64 va, u64 pan, u64 c)
{
	u64 v;

	(void)c;
	sysreg_write(S3_0_C4_C2_3, pan);
	isb();
	v = pan ? try_load(va) : try_ldtr(va);
	sysreg_write(S3_0_C4_C2_3, 0);
	return v;
}

static void user(void)
{
	build();
	el2_arm();
	expect_eq(el2_call(user_at_el2, TEST_VA + 8, BIT(22), 0), 0xaaaa, "with PAN, AP[1] = 1");
	expect_eq(el2_call(user_at_el2, TEST_VA + 8, 0, 0), 0xaaaa, "LDTR, AP[1] = 1");
	l3[0] &= ~AP1;
	el2_call(flush_at_el2, TEST_VA, 0, 0);
	expect_eq(el2_call(user_at_el2, TEST_VA + 8, 0, 0), 0xaaaa, "LDTR, AP[1] = 0");
	expect_eq(seen.count, 0, "exceptions");
	off();
}

/* Invalidation by address and of everything, for entries with and without nG. */
static void tlbi(void)
{
	u64 ng, by_address;

	build();
	for (ng = 0; ng <= NG; ng += NG) {
		for (by_address = 0; by_address < 2; by_address++) {
			u64 va = by_address ? TEST_VA : 0;
			u64 a = (u64)pages[0] | PAGE | AP1 | AF | NORMAL | ng;

			l3[0] = a;
			el2_call(flush_at_el2, va, 0, 0);
			expect_eq(el2_call(access_at_el2, LOAD, TEST_VA + 8, 0), 0xaaaa, "first");
			l3[0] = 0;
			el2_call(flush_at_el2, va, 0, 0);
			l3[0] = a + (u64)pages[1] - (u64)pages[0];
			el2_call(flush_at_el2, va, 0, 0);
			expect_eq(el2_call(access_at_el2, LOAD, TEST_VA + 8, 0), 0xbbbb, "second");
		}
	}
	off();
}

/* EL1's tables are separate: what EL2 maps is not mapped there. */
static void apart(void)
{
	build();
	el2_arm();
	expect_eq(el2_call(access_at_el2, LOAD, TEST_VA + 8, 0), 0xaaaa, "at EL2");
	expect_eq(try_load((u64)pages[1] + 8), 0xbbbb, "at EL1");
	expect_eq(el2_call(access_at_el2, LOAD, TEST_VA + 8, 0), 0xaaaa, "at EL2 again");
	expect_eq(seen.count, 0, "exceptions");
	off();
}

/* Hardware sets the access flag, and marks a page dirty. */
static void hafdbs(void)
{
	u64 have = FIELD(sysreg_read(ID_AA64MMFR1_EL1), 3, 0);

	if (have < 2)
		return;
	build();
	el2_write(TCR_EL2, TCR | BIT(21) | BIT(22));
	l3[0] = ((l3[0] & ~AF) | AP2 | BIT(51));
	el2_call(flush_at_el2, 0, 0, 0);
	access("HA", LOAD, TEST_VA, 0);
	expect_eq(l3[0] & (AF | AP2), AF | AP2, "the descriptor after a load");
	access("HD", STORE, TEST_VA, 0);
	expect_eq(l3[0] & (AF | AP2), AF, "the descriptor after a store");
	el2_write(TCR_EL2, TCR);
	off();
}

static void flat(void)
{
	off();
	access("the MMU off", LOAD, (u64)pages[0], 0);
	/* An address size fault of level 0. */
	el2_arm();
	el2_call(access_at_el2, LOAD, BIT(52), 0);
	expect_eq(seen.count, 1, "exceptions beyond PA");
	expect_eq(seen.esr, ESR_OF(EC_DABT, 0), "ESR_EL2");
	expect_eq(seen.far, BIT(52), "FAR_EL2");
}

void group_walk(void)
{
	static const struct suite_test tests[] = {
		{ "walk: descriptors", descriptors, 1 },
		{ "walk: levels and ranges", levels, 1 },
		{ "walk: TBI", tags, 1 },
		{ "walk: PAN, LDTR", user, 1 },
		{ "walk: TLBI", tlbi, 1 },
		{ "walk: EL1's and EL2's apart", apart, 1 },
		{ "walk: access flag, dirty state", hafdbs, 1 },
		{ "walk: off", flat, 1 },
	};

	suite_run(tests, ARRAY_SIZE(tests), NULL);
}
