/* SPDX-License-Identifier: Apache-2.0 */
/* TLB maintenance by L2 and for L2, VMIDs and ASIDs, address translation instructions. */
#include "hyp.h"

/* payload.S */
u64 l2_load64(u64 a, u64 b, u64 c);
u64 l2_nop(u64 a, u64 b, u64 c);

#define RET 0xd65f03c0u
#define WINDOW 0x300000000UL /* VA of a page by L2's own level-3 table */
#define TEST_IPA (L2_SPACE + 0x200000UL)
#define S1_LEAF (3UL | 1UL << 2 | 3UL << 8 | 1UL << 10) /* page, Normal, inner shareable, AF */
#define S1_NG BIT(11)
#define S1_RO BIT(7)
#define S1_EL0 BIT(6)

/* Two L2s' own stage 1: the library's level 1, and one window. */
static u64 level1[2][512] __attribute__((aligned(4096)));
static u64 level2[2][512] __attribute__((aligned(4096)));
static u64 level3[2][512] __attribute__((aligned(4096)));
static u64 pages[4][512] __attribute__((aligned(4096)));

static u64 page_ipa(u32 i)
{
	return l2_address(pages[i]);
}

/* Give an L2 its own stage 1, ASID in TTBR0. */
static void own_stage1(struct l2 *l, u32 n, u64 asid)
{
	memcpy(level1[n], mmu_table(), 4096);
	memset(level2[n], 0, 4096);
	memset(level3[n], 0, 4096);
	level1[n][WINDOW >> 30] = l2_address(level2[n]) | 3;
	level2[n][0] = l2_address(level3[n]) | 3;
	dsb(ish);
	l2_put();
	l->sys[L2_TTBR0] = l2_address(level1[n]) | asid << 48;
	l->sys[L2_TCR] |= BIT(36); /* 16-bit ASIDs */
	stage2_flush(l);
}

/* ---- TLBI by L2 ------------------------------------------------------------------------------ */

enum arg { NONE, VA, ASID, VA_ALL, RANGE };
struct form {
	u32 code[2];
	u8 arg;
	bool range; /* FEAT_TLBIRANGE and TLBIOS */
	char name[16];
};
#define T(m, op2, arg, range, name)                                                                \
	{ { 0xd5080000u | 8u << 12 | (m) << 8 | (op2) << 5, RET }, arg, range, name },
static const struct form forms[] = {
	T(7, 0, NONE, false, "VMALLE1")
	T(7, 1, VA, false, "VAE1")
	T(7, 2, ASID, false, "ASIDE1")
	T(7, 3, VA_ALL, false, "VAAE1")
	T(7, 5, VA, false, "VALE1")
	T(7, 7, VA_ALL, false, "VAALE1")
	T(3, 0, NONE, false, "VMALLE1IS")
	T(3, 1, VA, false, "VAE1IS")
	T(3, 2, ASID, false, "ASIDE1IS")
	T(3, 3, VA_ALL, false, "VAAE1IS")
	T(3, 5, VA, false, "VALE1IS")
	T(3, 7, VA_ALL, false, "VAALE1IS")
	T(1, 0, NONE, true, "VMALLE1OS")
	T(1, 1, VA, true, "VAE1OS")
	T(1, 2, ASID, true, "ASIDE1OS")
	T(1, 3, VA_ALL, true, "VAAE1OS")
	T(1, 5, VA, true, "VALE1OS")
	T(1, 7, VA_ALL, true, "VAALE1OS")
	T(6, 1, RANGE, true, "RVAE1")
	T(6, 3, RANGE, true, "RVAAE1")
	T(6, 5, RANGE, true, "RVALE1")
	T(6, 7, RANGE, true, "RVAALE1")
	T(2, 1, RANGE, true, "RVAE1IS")
	T(5, 1, RANGE, true, "RVAE1OS")
};
#undef T

/* Read through the window, map another page there, TLBI by fn(arg), read again. */
static u64 l2_remap(u64 fn, u64 arg, u64 n)
{
	volatile u64 *p = (u64 *)WINDOW;
	u64 first = p[0], second, asid = level3[n][0] & S1_NG;

	level3[n][0] = 0;
	dsb(ish);
	((void (*)(u64))fn)(arg);
	dsb(ish);
	isb();
	level3[n][0] = page_ipa(1) | S1_LEAF | asid;
	dsb(ish);
	isb();
	second = p[0];
	return first << 32 | second;
}

static u64 form_arg(const struct form *f, u64 asid)
{
	switch (f->arg) {
	case VA:
		return WINDOW >> 12 | asid << 48;
	case ASID:
		return asid << 48;
	case VA_ALL:
		return WINDOW >> 12;
	case RANGE: /* TG 4K, SCALE 0, NUM 1: 4 pages */
		return WINDOW >> 12 | 1UL << 39 | 1UL << 46 | asid << 48;
	}
	return 0;
}

static void by_l2(struct l2 *l)
{
	bool range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		check_begin("tlb", "L2's TLBI %s", f->name);
		if (f->range && !range) {
			test_skip("no such feature");
			continue;
		}
		level3[0][0] = page_ipa(0) | S1_LEAF | S1_NG;
		dsb(ish);
		stage2_flush(l);
		expect_eq(l2_run_fn(l, l2_remap, l2_address(f->code), form_arg(f, 5), 0),
			  0x10000000101, "what L2 read before and after");
		expect_eq(l->exits, 1, "exits");
	}
}

/* ---- TLBI for L2 ----------------------------------------------------------------------------- */

enum ipa_form {
	IPAS2E1IS,
	IPAS2LE1IS,
	IPAS2E1,
	VMALLS12E1IS,
	VMALLS12E1,
	ALLE1IS,
	ALLE1,
	RIPAS2E1IS,
	IPA_FORMS
};
static const char *const ipa_names[] = { "IPAS2E1IS and VMALLE1IS", "IPAS2LE1IS and VMALLE1IS",
					 "IPAS2E1 and VMALLE1",	"VMALLS12E1IS", "VMALLS12E1",
					 "ALLE1IS", "ALLE1", "RIPAS2E1IS and VMALLE1IS" };

static void invalidate(struct l2 *l, enum ipa_form f, u64 ipa)
{
	u64 range = ipa >> 12 | 1UL << 39 | 1UL << 46;

	sysreg_write(VTTBR_EL2, l->vttbr);
	sysreg_write(VTCR_EL2, l->vtcr);
	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	dsb(ish);
	switch (f) {
	case IPAS2E1IS:
		asm volatile("tlbi ipas2e1is, %0\n\tdsb ish\n\ttlbi vmalle1is" ::"r"(ipa >> 12)
			     : "memory");
		break;
	case IPAS2LE1IS:
		asm volatile("tlbi ipas2le1is, %0\n\tdsb ish\n\ttlbi vmalle1is" ::"r"(ipa >> 12)
			     : "memory");
		break;
	case IPAS2E1:
		asm volatile("tlbi ipas2e1, %0\n\tdsb ish\n\ttlbi vmalle1" ::"r"(ipa >> 12)
			     : "memory");
		break;
	case VMALLS12E1IS:
		asm volatile("tlbi vmalls12e1is" ::: "memory");
		break;
	case VMALLS12E1:
		asm volatile("tlbi vmalls12e1" ::: "memory");
		break;
	case ALLE1IS:
		asm volatile("tlbi alle1is" ::: "memory");
		break;
	case ALLE1:
		asm volatile("tlbi alle1" ::: "memory");
		break;
	case RIPAS2E1IS: /* S1_4_C8_C0_2 */
		asm volatile("sys #4, c8, c0, #2, %0\n\tdsb ish\n\ttlbi vmalle1is" ::"r"(range)
			     : "memory");
		break;
	case IPA_FORMS:
		break;
	}
	dsb(ish);
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}

static u64 l2_read_twice(u64 va, u64 b, u64 c)
{
	volatile u64 *p = (u64 *)va;
	u64 first = p[0];

	(void)b;
	(void)c;
	l2_hvc(9);
	return first << 32 | p[0];
}

static void for_nested(struct l2 *l)
{
	bool range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	u64 kind;
	u32 f;

	for (f = 0; f < IPA_FORMS; f++) {
		check_begin("tlb", "a page moved, then %s", ipa_names[f]);
		if (f == RIPAS2E1IS && !range) {
			test_skip("no such feature");
			continue;
		}
		stage2_map(l, TEST_IPA, (u64)pages[0], 3, S2_MEMORY);
		stage2_flush(l);
		l2_call(l, l2_read_twice, TEST_IPA, 0, 0);
		kind = l2_run(l);
		expect(l2_is_hvc(l, kind, 9), "kind %lu esr 0x%lx", kind, l->esr);
		*stage2_slot(l, TEST_IPA, 3) = 0;
		invalidate(l, (enum ipa_form)f, TEST_IPA);
		stage2_map(l, TEST_IPA, (u64)pages[2], 3, S2_MEMORY);
		expect_eq(l2_finish(l), 0x10000000102, "what L2 read before and after");
		check_begin("tlb", "a page unmapped, then %s", ipa_names[f]);
		l2_call(l, l2_load64, TEST_IPA, 0, 0);
		expect_eq(l2_finish(l), 0x102, "what L2 read");
		*stage2_slot(l, TEST_IPA, 3) = 0;
		invalidate(l, (enum ipa_form)f, TEST_IPA);
		l2_call(l, l2_load64, TEST_IPA, 0, 0);
		l2_expect(l, ESR_OF(EC_DABT_LOW, 1UL << 24 | 3UL << 22 | 1UL << 15 | 7), "a fault");
	}
	check_begin("tlb", "a page moved without TLBI: the old or the new");
	stage2_map(l, TEST_IPA, (u64)pages[0], 3, S2_MEMORY);
	stage2_flush(l);
	l2_call(l, l2_read_twice, TEST_IPA, 0, 0);
	kind = l2_run(l);
	expect(l2_is_hvc(l, kind, 9), "kind %lu esr 0x%lx", kind, l->esr);
	stage2_map(l, TEST_IPA, (u64)pages[2], 3, S2_MEMORY);
	kind = l2_finish(l);
	expect(kind == 0x10000000102 || kind == 0x10000000100, "what L2 read is 0x%lx", kind);
	stage2_flush(l);
}

/*
 * The last table of stage 2 is replaced: pages that L2 has not touched yet come from the new one,
 * and so do those that it had.
 */
static void for_tables(struct l2 *l)
{
	bool range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	u64 *slot = stage2_slot(l, TEST_IPA, 2), old = *slot, *table = pool_alloc();
	u32 f;

	for (f = 0; f < IPA_FORMS; f++) {
		/* A TLBI of leaves only. */
		if (f == IPAS2LE1IS)
			continue;
		check_begin("tlb", "a table moved, then %s", ipa_names[f]);
		if (f == RIPAS2E1IS && !range) {
			test_skip("no such feature");
			continue;
		}
		stage2_map(l, TEST_IPA, (u64)pages[0], 3, S2_MEMORY);
		stage2_map(l, TEST_IPA + 8192, (u64)pages[0], 3, S2_MEMORY);
		/* The old table maps nothing beside it, which a TLB could hold. */
		*stage2_slot(l, TEST_IPA + 4096, 3) = 0;
		stage2_flush(l);
		memcpy(table, (void *)(old & MASK(47, 12)), 4096);
		expect_eq(l2_run_fn(l, l2_load64, TEST_IPA, 0, 0), 0x100, "what L2 read before");
		/* Its code has been fetched: the last table walked is now this one. */
		expect_eq(l2_run_fn(l, l2_load64, TEST_IPA + 8192, 0, 0), 0x100,
			  "what else L2 read");
		*slot = 0;
		invalidate(l, (enum ipa_form)f, TEST_IPA);
		__atomic_store_n(slot, (u64)table | 3, __ATOMIC_RELEASE);
		stage2_map(l, TEST_IPA, (u64)pages[2], 3, S2_MEMORY);
		stage2_map(l, TEST_IPA + 4096, (u64)pages[2], 3, S2_MEMORY);
		expect_eq(l2_run_fn(l, l2_load64, TEST_IPA + 4096, 0, 0), 0x102,
			  "what L2 read next to it");
		expect_eq(l2_run_fn(l, l2_load64, TEST_IPA, 0, 0), 0x102, "what L2 read after");
		*slot = 0;
		stage2_flush(l);
		__atomic_store_n(slot, old, __ATOMIC_RELEASE);
	}
	stage2_flush(l);
}

/* ---- VMIDs and ASIDs ------------------------------------------------------------------------- */

static void vmids(struct l2 *a, struct l2 *b)
{
	u32 i;

	check_begin("tlb", "two VMIDs, the same VA, ASID and IPA");
	stage2_map(a, TEST_IPA, (u64)pages[0], 3, S2_MEMORY);
	stage2_map(b, TEST_IPA, (u64)pages[3], 3, S2_MEMORY);
	stage2_flush(a);
	stage2_flush(b);
	for (i = 0; i < 20; i++) {
		expect_eq(l2_run_fn(a, l2_load64, TEST_IPA, 0, 0), 0x100, "first L2's word");
		expect_eq(l2_run_fn(b, l2_load64, TEST_IPA, 0, 0), 0x103, "second L2's word");
	}
	check_begin("tlb", "two VMIDs, the same VA and ASID by own tables");
	own_stage1(a, 0, 5);
	own_stage1(b, 1, 5);
	level3[0][0] = page_ipa(0) | S1_LEAF | S1_NG;
	level3[1][0] = page_ipa(1) | S1_LEAF | S1_NG;
	dsb(ish);
	for (i = 0; i < 20; i++) {
		expect_eq(l2_run_fn(a, l2_load64, WINDOW, 0, 0), 0x100, "first L2's word");
		expect_eq(l2_run_fn(b, l2_load64, WINDOW, 0, 0), 0x101, "second L2's word");
	}
	check_begin("tlb", "one VMID's invalidation leaves the other right");
	for (i = 0; i < 20; i++) {
		stage2_flush(i & 1 ? a : b);
		expect_eq(l2_run_fn(a, l2_load64, WINDOW, 0, 0), 0x100, "first L2's word");
		expect_eq(l2_run_fn(b, l2_load64, WINDOW, 0, 0), 0x101, "second L2's word");
	}
}

/* 0 is a valid address: of L2's first table, and of one that another leads to. */
static void tables_at_zero(struct l2 *l)
{
	u32 i;

	for (i = 1; i < 4; i++) {
		check_begin("tlb", "L2's table of level %u at IPA 0", i);
		own_stage1(l, 0, 5);
		stage2_map(l, 0, (u64)(i == 1 ? level1 : i == 2 ? level2 : level3), 3, S2_MEMORY);
		if (i == 1)
			l->sys[L2_TTBR0] = 5UL << 48;
		if (i == 2)
			level1[0][WINDOW >> 30] = 3;
		if (i == 3)
			level2[0][0] = 3;
		level3[0][0] = page_ipa(0) | S1_LEAF;
		level3[0][1] = (TEST_IPA + 0x5000) | S1_LEAF; /* where stage 2 maps nothing */
		dsb(ish);
		expect_eq(l2_run_fn(l, l2_load64, WINDOW, 0, 0), 0x100, "L2's word");
		l2_call(l, l2_load64, WINDOW + 0x1008, 0, 0);
		expect_eq(l2_run(l), EXIT_SYNC, "exit kind");
		expect_eq(l->hpfar, (TEST_IPA + 0x5000) >> 8, "HPFAR_EL2");
		expect_eq(l->far, WINDOW + 0x1008, "FAR_EL2");
		level3[0][0] = page_ipa(1) | S1_LEAF;
		stage2_flush(l);
		expect_eq(l2_run_fn(l, l2_load64, WINDOW, 0, 0), 0x101, "L2's other word");
	}
}

/* Two address spaces in one L2. */
static void asids(struct l2 *l)
{
	u32 i;

	check_begin("tlb", "two ASIDs in one L2");
	own_stage1(l, 0, 5);
	own_stage1(l, 1, 6);
	level3[0][0] = page_ipa(0) | S1_LEAF | S1_NG;
	level3[1][0] = page_ipa(1) | S1_LEAF | S1_NG;
	dsb(ish);
	for (i = 0; i < 20; i++) {
		u32 n = i & 1;

		l2_put();
		l->sys[L2_TTBR0] = l2_address(level1[n]) | (5UL + n) << 48;
		expect_eq(l2_run_fn(l, l2_load64, WINDOW, 0, 0), 0x100 + n, "word");
	}
}

/* Many VMIDs, one after the other, each with its own page. */
static void many_vmids(struct l2 *l)
{
	u64 vttbr = l->vttbr & MASK(47, 0);
	u32 i;

	check_begin("tlb", "200 VMIDs in turn");
	for (i = 0; i < 200; i++) {
		l->vttbr = vttbr | (u64)(i % 250 + 1) << 48;
		stage2_map(l, TEST_IPA, (u64)pages[i & 3], 3, S2_MEMORY);
		stage2_flush(l);
		if (l2_run_fn(l, l2_load64, TEST_IPA, 0, 0) != 0x100 + (i & 3))
			test_fail("VMID %u: x0 is 0x%lx", i % 250 + 1, l->x[0]);
	}
	l->vttbr = vttbr | 1UL << 48;
	stage2_flush(l);
}

void group_tlb(void)
{
	struct l2 *a = &l2s[0], *b = &l2s[1];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		pages[i][0] = 0x100 + i;
	check_begin("tlb", "two L2s boot");
	l2_reset(a, 1);
	l2_reset(b, 2);
	own_stage1(a, 0, 5);
	by_l2(a);
	for_nested(a);
	for_tables(a);
	vmids(a, b);
	asids(a);
	tables_at_zero(a);
	many_vmids(a);
}

/* ---- at: address translation ----------------------------------------------------------------- */

#define AT_FN(name, op)                                                                            \
	static u64 at_##name(u64 va)                                                               \
	{                                                                                          \
		asm volatile("at " op ", %0\n\tisb" ::"r"(va) : "memory");                         \
		return sysreg_read(PAR_EL1);                                                       \
	}
AT_FN(s1e1r, "s1e1r")
AT_FN(s1e1w, "s1e1w")
AT_FN(s1e0r, "s1e0r")
AT_FN(s1e0w, "s1e0w")
AT_FN(s1e2r, "s1e2r")
AT_FN(s1e2w, "s1e2w")
AT_FN(s12e1r, "s12e1r")
AT_FN(s12e1w, "s12e1w")
AT_FN(s12e0r, "s12e0r")
AT_FN(s12e0w, "s12e0w")

#define PAR_FAULT(stage2, ptw, fst) (1UL | (u64)(stage2) << 9 | (u64)(ptw) << 8 | (u64)(fst) << 1)

/* What the architecture specifies: the page, or the fault. */
static u64 par(u64 v)
{
	return v & 1 ? v & 0x37f : v & (MASK(47, 12) | 1);
}

/* Execute one instruction for an L2, with its registers in place. */
static u64 at_l2(struct l2 *l, u64 (*at)(u64), u64 va)
{
	u64 v;

	l2_load(l);
	sysreg_write(VTTBR_EL2, l->vttbr);
	sysreg_write(VTCR_EL2, l->vtcr);
	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	v = at(va);
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
	return par(v);
}

#define CHECK_AT(l, name, va, want)                                                                \
	do {                                                                                       \
		check_begin("at", "%s 0x%lx", #name, (u64)(va));                                   \
		expect_eq(at_l2(l, at_##name, va), want, "PAR_EL1");                               \
	} while (0)

static u64 l2_at(u64 va, u64 what, u64 c)
{
	u64 v;

	(void)c;
	switch (what) {
	case 0:
		v = at_s1e1r(va);
		break;
	case 1:
		v = at_s1e1w(va);
		break;
	case 2:
		v = at_s1e0r(va);
		break;
	default:
		v = at_s1e0w(va);
		break;
	}
	return par(v);
}

static void at_in_l2(struct l2 *l, const char *name, u64 what, u64 va, u64 want)
{
	check_begin("at", "L2's own S1E%s 0x%lx", name, va);
	expect_eq(l2_run_fn(l, l2_at, va, what, 0), want, "PAR_EL1");
	expect_eq(l->exits, 1, "exits");
}

static void at_stage1(struct l2 *l)
{
	CHECK_AT(l, s1e1r, WINDOW, TEST_IPA);
	CHECK_AT(l, s1e1w, WINDOW, TEST_IPA);
	CHECK_AT(l, s1e0r, WINDOW, PAR_FAULT(0, 0, 0x0f));
	CHECK_AT(l, s1e1w, WINDOW + 0x1000, PAR_FAULT(0, 0, 0x0f));
	CHECK_AT(l, s1e0r, WINDOW + 0x1000, TEST_IPA + 0x1000);
	CHECK_AT(l, s1e0w, WINDOW + 0x1000, PAR_FAULT(0, 0, 0x0f));
	CHECK_AT(l, s1e0w, WINDOW + 0x2000, TEST_IPA + 0x2000);
	CHECK_AT(l, s1e1r, WINDOW + 0x4000, PAR_FAULT(0, 0, 0x07));
	CHECK_AT(l, s1e1r, WINDOW + 0x200000, PAR_FAULT(0, 0, 0x06));
	CHECK_AT(l, s1e1r, 1UL << 39, PAR_FAULT(0, 0, 0x04));
	at_in_l2(l, "1R", 0, WINDOW, TEST_IPA);
	at_in_l2(l, "1W", 1, WINDOW + 0x1000, PAR_FAULT(0, 0, 0x0f));
	at_in_l2(l, "0R", 2, WINDOW, PAR_FAULT(0, 0, 0x0f));
	at_in_l2(l, "0W", 3, WINDOW + 0x2000, TEST_IPA + 0x2000);
	at_in_l2(l, "1R", 0, WINDOW + 0x4000, PAR_FAULT(0, 0, 0x07));
}

static void at_stage12(struct l2 *l)
{
	stage2_map(l, TEST_IPA, (u64)pages[0], 3, S2_MEMORY);
	stage2_map(l, TEST_IPA + 0x1000, (u64)pages[1], 3, S2_RO | S2_NORMAL | S2_AF);
	stage2_map(l, TEST_IPA + 0x2000, (u64)pages[2], 3, S2_RW | S2_NORMAL);
	stage2_flush(l);
#define CHECK_PA(name, va, page)                                                                   \
	do {                                                                                       \
		check_begin("at", "%s 0x%lx gives the page", #name, (u64)(va));                    \
		expect_eq(at_l2(l, at_##name, va), (u64)(page), "PAR_EL1");                        \
	} while (0)
	CHECK_PA(s12e1r, WINDOW, pages[0]);
	CHECK_PA(s12e1w, WINDOW, pages[0]);
	CHECK_PA(s12e0r, WINDOW + 0x1000, pages[1]);
	CHECK_PA(s12e1r, TEST_IPA, pages[0]);
	CHECK_AT(l, s12e0w, WINDOW + 0x1000, PAR_FAULT(0, 0, 0x0f));
	CHECK_AT(l, s12e0r, WINDOW, PAR_FAULT(0, 0, 0x0f));
	CHECK_AT(l, s12e1r, WINDOW + 0x2000, PAR_FAULT(1, 0, 0x0b));
	CHECK_AT(l, s12e1r, WINDOW + 0x3000, PAR_FAULT(1, 0, 0x07));
	CHECK_AT(l, s12e1r, WINDOW + 0x4000, PAR_FAULT(0, 0, 0x07));
	CHECK_AT(l, s12e1r, WINDOW + 0x600000, PAR_FAULT(1, 1, 0x07));
#undef CHECK_PA
}

static void at_host(void)
{
	check_begin("at", "S1E2R of the hypervisor's own memory");
	expect_eq(par(at_s1e2r((u64)pages[0])), (u64)pages[0], "PAR_EL1");
	expect_eq(par(at_s1e2w((u64)pages[1])), (u64)pages[1], "PAR_EL1");
	check_begin("at", "S1E2R of an unmapped address");
	expect_eq(par(at_s1e2r(1UL << 40)), PAR_FAULT(0, 0, 4), "PAR_EL1");
	check_begin("at", "S1E0R of memory of EL2's, in the host");
	if (!needs_vhe())
		return;
	expect_eq(par(at_s1e0r((u64)pages[0])), PAR_FAULT(0, 0, 0x0d), "PAR_EL1");
	expect_eq(par(at_s1e0w((u64)pages[0] + (1UL << 38))), (u64)pages[0], "PAR_EL1");
	check_begin("at", "S1E1R is the host's own regime with TGE");
	expect_eq(par(at_s1e1r((u64)pages[0])), (u64)pages[0], "PAR_EL1");
}

void group_at(void)
{
	struct l2 *l = &l2s[0];

	check_begin("at", "L2 boots");
	l2_reset(l, 1);
	own_stage1(l, 0, 5);
	level3[0][0] = TEST_IPA | S1_LEAF;
	level3[0][1] = (TEST_IPA + 0x1000) | S1_LEAF | S1_RO | S1_EL0;
	level3[0][2] = (TEST_IPA + 0x2000) | S1_LEAF | S1_EL0;
	level3[0][3] = (TEST_IPA + 0x3000) | S1_LEAF;
	level2[0][3] = (TEST_IPA + 0x9000) | 3; /* a table that stage 2 does not map */
	dsb(ish);
	/* Tables of stage 2 down to level 3 */
	stage2_map(l, TEST_IPA + 0xa000, (u64)pages[3], 3, S2_MEMORY);
	stage2_flush(l);
	at_stage1(l);
	at_stage12(l);
	at_host();
}
