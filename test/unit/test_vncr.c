/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's VNCR_EL2: which window, what a fault maps in it or reports to L1, and what shuts it. L1's
 * tables are made here, from the architecture's bits; a window's contents are read from the tables
 * that the hardware would walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mm/window.h"
#include "nested/vncr.h"
#include "nested/walk_tables.h"
#include "nested_vm.h"

#define PAGE_AT (NV_RAM + MIB(3))
#define OTHER (NV_RAM + MIB(5))
#define TGE BIT(27)
/* 48 bits in both halves, 4 KiB, 40 bits out, ASIDs of 16 bits. */
#define TCR (16UL | 16UL << 16 | 2UL << 30 | 2UL << 32 | BIT(36))
#define AF BIT(10)
#define NG BIT(11)
#define RO BIT(7)
#define LOW 0x0000123456789000UL
#define HIGH 0xffff876543210000UL
#define LAST 0xfffffffffffff000UL

static void (*in_the_walk)(void);
static u64 root0, root1;

/* The hardware's update of a leaf, with an event after the walk has read it. */
bool walk_update(struct walk_tables *t, u64 new, struct walk_fault *fault)
{
	if (in_the_walk)
		in_the_walk();
	fault->retry = new != t->desc && t->mem->swap(t->mem->ctx, t->at, t->desc, new);
	return !fault->retry;
}

/* ---- L1 ---- */

static struct vcpu *v;

static u64 *stage1_entry(u64 at, u32 level)
{
	u64 *e = nv_ptr(at & BIT(55) ? root1 : root0) + (at >> 39 & 511);

	for (u32 l = 0; l < level; l++) {
		if ((*e & 3) != 3)
			*e = nv_table() | 3;
		e = nv_ptr(*e & MASK(47, 12)) + (at >> (30 - 9 * l) & 511);
	}
	return e;
}

static void map(u64 at, u64 to, u32 level, u64 attr)
{
	*stage1_entry(at, level) = to | attr | (level == 3 ? 3 : 1);
}

static void vncr(u64 value)
{
	nv_vncr[v->index][0xb0 / 8] = value;
}

static void asid(u16 n)
{
	v->sr[SR_TTBR0_EL1] = (v->sr[SR_TTBR0_EL1] & MASK(47, 0)) | (u64)n << 48;
}

static void l1_begin(u32 i)
{
	v = &nv_vcpu[i];
	v->in_vel2 = false;
	v->vel1_vncr = true;
	v->sr[SR_SCTLR_EL1] = 1;
	v->sr[SR_TCR_EL1] = TCR;
	v->sr[SR_TTBR0_EL1] = root0;
	v->sr[SR_TTBR1_EL1] = root1;
	asid(1);
}

static int setup(void **state)
{
	(void)state;
	for (u32 n = 0; n < WINDOWS; n++)
		window_close(n);
	nv_setup(2, 0);
	nv_vm.id = 3;
	nv_vm.id_regs.v[IDX_ID_AA64ISAR0_EL1] = 2UL << 56;
	in_the_walk = NULL;
	root0 = nv_table();
	root1 = nv_table();
	l1_begin(1);
	l1_begin(0);
	return 0;
}

/* ---- what the hardware sees ---- */

static u64 desc_at(u64 window)
{
	u64 n = (window - window_address(0)) / PAGE_SIZE;
	u64 table = ((u64 *)window_table())[n / 512];

	assert_true(n < WINDOWS);
	return table ? ((u64 *)(table & MASK(47, 12)))[n % 512] : 0;
}

/*
 * An access of L2, repeated as often as it faults and nidus says RESUME; returns the last verdict.
 */
static enum verdict access(bool write, u64 offset)
{
	u64 window = vncr_window(v), desc;
	enum verdict verdict = RESUME;

	for (int i = 0; i < 3; i++) {
		struct exit exit = { .far = window + offset };

		desc = desc_at(window);
		if ((desc & 3) == 3 && !(write && (desc & RO)))
			return RESUME;
		exit.esr = ESR(EC_DABT_CUR, DABT_VNCR | (write ? DABT_WNR : 0) |
						    ((desc & 3) == 3 ? 0x0f : 0x07));
		verdict = vncr_trap(v, &exit);
		if (verdict != RESUME)
			return verdict;
	}
	fail_msg("no end of faults");
	return verdict;
}

/* Whether the window that L2 would run with maps this page of L1's. */
static bool is_on(u64 page, bool writable)
{
	u64 desc = desc_at(vncr_window(v));

	/* Valid page, AF, inner shareable, MAIR 0, never executable; of this page. */
	return desc == ((u64)nv_ptr(page) | 3 | AF | 3UL << 8 | 3UL << 53 | (writable ? 0 : RO));
}

static bool is_shut(void)
{
	return !(desc_at(vncr_window(v)) & 1);
}

static void told(u64 fsc, bool write, u64 far)
{
	assert_int_equal(v->reflection.esr,
			 0x25UL << 26 | BIT(25) | BIT(13) | (write ? BIT(6) : 0) | fsc);
	assert_int_equal(v->reflection.far, far);
	assert_int_equal(v->reflection.hpfar, v->sr[SR_HPFAR_EL2]);
}

/* ---- tests ---- */

static void first_accesses(void **state)
{
	(void)state;
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW);
	assert_true(is_shut());
	assert_int_equal(access(false, 0x78), RESUME);
	assert_true(is_on(PAGE_AT, false));
	assert_int_equal(access(true, 0x78), RESUME);
	assert_true(is_on(PAGE_AT, true));
	/* With another VM's or vcpu's number it would not be the same window. */
	assert_int_not_equal(vncr_window(&nv_vcpu[0]), vncr_window(&nv_vcpu[1]));
	/* BADDR is 56:12; 63:57 are ignored, 56 is the sign. */
	vncr(LOW | MASK(63, 57) | 0xfff);
	assert_true(is_on(PAGE_AT, true));
	vncr(LOW | BIT(56));
	assert_int_equal(access(false, 8), REFLECT_ABORT);
	told(0x04, false, LOW | MASK(63, 56) | 8);
	vncr(LOW | BIT(55));
	assert_int_equal(access(false, 8), REFLECT_ABORT);
	told(0x04, false, LOW | BIT(55) | 8);
}

static void permissions(void **state)
{
	(void)state;
	v->sr[SR_HPFAR_EL2] = 0x12340;
	map(LOW, PAGE_AT, 3, AF | RO);
	vncr(LOW);
	assert_int_equal(access(false, 0x10), RESUME);
	assert_true(is_on(PAGE_AT, false));
	assert_int_equal(access(true, 0x200), REFLECT_ABORT);
	told(0x0f, true, LOW + 0x200);
	assert_true(is_on(PAGE_AT, false));
	/* By the table above it: everything below is read-only. */
	map(HIGH, PAGE_AT, 3, AF);
	*stage1_entry(HIGH, 1) |= BIT(62);
	vncr(HIGH);
	assert_int_equal(access(true, 0), REFLECT_ABORT);
	told(0x0f, true, HIGH);
	/* A page that EL0 may use as well, whatever PSTATE.PAN is. */
	v->pstate = 5 | BIT(22);
	map(LOW + 0x1000, OTHER, 3, AF | BIT(6));
	vncr(LOW + 0x1000);
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(OTHER, true));
}

static void nothing_there(void **state)
{
	(void)state;
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW + 0x1000);
	assert_int_equal(access(false, 0xff8), REFLECT_ABORT);
	told(0x07, false, LOW + 0x1ff8);
	vncr(LOW + GIB(1));
	assert_int_equal(access(true, 0), REFLECT_ABORT);
	told(0x05, true, LOW + GIB(1));
	vncr(HIGH);
	assert_int_equal(access(true, 0), REFLECT_ABORT);
	told(0x04, true, HIGH);
	/* A device, a hole; a table outside memory. */
	map(HIGH, NV_DEVICE, 3, AF);
	assert_int_equal(access(false, 0), REFLECT_ABORT);
	told(0x10, false, HIGH);
	map(HIGH, NV_RAM + NV_RAM_SIZE, 3, AF);
	assert_int_equal(access(true, 0x28), REFLECT_ABORT);
	told(0x10, true, HIGH + 0x28);
	*stage1_entry(HIGH, 2) = NV_DEVICE | 3;
	assert_int_equal(access(true, 0), REFLECT_ABORT);
	told(0x17, true, HIGH);
	/* Beyond PARange. */
	*stage1_entry(HIGH, 2) = 0;
	map(HIGH, 1UL << 40, 3, AF);
	assert_int_equal(access(true, 0), REFLECT_ABORT);
	told(0x03, true, HIGH);
	assert_true(is_shut());
}

static void access_flag_and_dirty_state(void **state)
{
	(void)state;
	map(LOW, PAGE_AT, 3, RO | BIT(51));
	vncr(LOW);
	assert_int_equal(access(false, 0), REFLECT_ABORT);
	told(0x0b, false, LOW);
	v->sr[SR_TCR_EL1] |= BIT(39) | BIT(40); /* HA, HD */
	assert_int_equal(access(false, 0), RESUME);
	assert_int_equal(*stage1_entry(LOW, 3) & (AF | RO), AF | RO);
	assert_true(is_on(PAGE_AT, false));
	assert_int_equal(access(true, 0), RESUME);
	assert_int_equal(*stage1_entry(LOW, 3) & (AF | RO), AF);
	assert_true(is_on(PAGE_AT, true));
}

static void mmu_off(void **state)
{
	u64 window;

	(void)state;
	map(PAGE_AT, OTHER, 3, AF);
	vncr(PAGE_AT);
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(OTHER, true));
	window = vncr_window(v);
	v->sr[SR_SCTLR_EL1] = 0;
	assert_true(is_shut());
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(PAGE_AT, true));
	vncr(1UL << 40);
	assert_int_equal(access(false, 0), REFLECT_ABORT);
	told(0x00, false, 1UL << 40);
	/* Switched back: what was mapped still is. */
	v->sr[SR_SCTLR_EL1] = 1;
	vncr(PAGE_AT);
	assert_int_equal(vncr_window(v), window);
	assert_true(is_on(OTHER, true));
}

/* Any other input of the translation makes it another window at once, without a TLBI. */
static void keys(void **state)
{
	u64 window, root = root0;

	(void)state;
	map(LOW, PAGE_AT, 3, AF | NG);
	vncr(LOW);
	assert_int_equal(access(true, 0), RESUME);
	window = vncr_window(v);
	asid(2);
	assert_true(is_shut());
	asid(1);
	assert_int_equal(vncr_window(v), window);
	v->sr[SR_TCR_EL1] ^= BIT(37); /* TBI0 */
	assert_true(is_shut());
	v->sr[SR_TCR_EL1] = TCR;
	/* The other half's table does not matter; its ASID does if A1 says so. */
	v->sr[SR_TTBR1_EL1] = 7UL << 48 | 0x1000;
	assert_true(is_on(PAGE_AT, true));
	v->sr[SR_TCR_EL1] |= BIT(22);
	assert_true(is_shut());
	v->sr[SR_TCR_EL1] = TCR;
	root0 = nv_table();
	map(LOW, OTHER, 3, AF);
	v->sr[SR_TTBR0_EL1] = root0 | 1; /* and CnP, which is no address */
	asid(1);
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(OTHER, true));
	window = vncr_window(v);
	v->sr[SR_TTBR0_EL1] = root0;
	v->sr[SR_SCTLR_EL1] |= BIT(25); /* EE: the tables mean something else */
	assert_true(is_shut());
	v->sr[SR_SCTLR_EL1] = 1;
	/* A global leaf is valid for every ASID. */
	asid(9);
	assert_int_equal(vncr_window(v), window);
	root0 = root;
}

static void five_in_four(void **state)
{
	u64 window[5];

	(void)state;
	for (u64 i = 0; i < 5; i++)
		map(LOW + i * PAGE_SIZE, PAGE_AT + i * PAGE_SIZE, 3, AF);
	for (u32 round = 0; round < 3; round++)
		for (u64 i = 0; i < 5; i++) {
			vncr(LOW + i * PAGE_SIZE);
			assert_int_equal(access(true, 0), RESUME);
			assert_true(is_on(PAGE_AT + i * PAGE_SIZE, true));
			window[i] = vncr_window(v);
		}
	for (u32 i = 1; i < 5; i++)
		for (u32 j = i + 1; j < 5; j++)
			assert_int_not_equal(window[i], window[j]);
	/* The last four are unchanged. */
	for (u64 i = 1; i < 5; i++) {
		vncr(LOW + i * PAGE_SIZE);
		assert_int_equal(vncr_window(v), window[i]);
		assert_true(is_on(PAGE_AT + i * PAGE_SIZE, true));
	}
}

/* ---- invalidation ---- */

static void tlbi_by(struct vcpu *by, u32 op1, u32 crm, u32 op2, u64 arg)
{
	struct exit exit = { .esr = ESR(EC_SYS64, SYSREG_KEY(1u, op1, 8u, crm, op2) | 3 << 5) };

	by->gpr[3] = arg;
	by->in_vel2 = true;
	assert_int_equal(tlbi_trap(by, &exit), SKIP);
	by->in_vel2 = false;
}

#define VA(at, asid) (FIELD(at, 55, 12) | (u64)(asid) << 48)
/* TG 4 KiB, SCALE 0: 2 * (num + 1) pages. */
#define RANGE(at, asid, num) (FIELD(at, 48, 12) | (u64)(asid) << 48 | 1UL << 46 | (u64)(num) << 39)

static const struct {
	const char *name;
	u32 op1, crm, op2;
	u64 arg;
	u64 at;       /* of a page of ASID 1's or a global one */
	bool global, tge, gone;
} cases[] = {
	{ "ALLE2", 4, 7, 0, 0, LOW, true, false, true },
	{ "ALLE2IS", 4, 3, 0, 0, LAST, true, false, true },
	{ "ALLE2OS", 4, 1, 0, 0, LOW, true, false, true },
	{ "VMALLE1 of a host", 0, 7, 0, 0, LOW, true, true, true },
	{ "VMALLE1IS of a host", 0, 3, 0, 0, LOW, false, true, true },
	{ "VMALLE1IS", 0, 3, 0, 0, LOW, false, false, false },
	{ "VAE2IS", 4, 3, 1, VA(LOW, 1), LOW, false, false, true },
	{ "VAE2, local", 4, 7, 1, VA(LOW, 1), LOW, false, false, true },
	{ "VAE2IS, another page", 4, 3, 1, VA(LOW + 0x1000, 1), LOW, false, false, false },
	{ "VAE2IS, another ASID", 4, 3, 1, VA(LOW, 2), LOW, false, false, false },
	{ "VAE2IS, another ASID, global", 4, 3, 1, VA(LOW, 2), LOW, true, false, true },
	{ "VAE2IS of the last page", 4, 3, 1, VA(LAST, 1), LAST, false, false, true },
	{ "VAE2IS before the last page", 4, 3, 1, VA(LAST - 0x1000, 1), LAST, false, false, false },
	{ "VALE2IS", 4, 3, 5, VA(HIGH, 0), HIGH, true, false, true },
	{ "VALE2OS", 4, 1, 5, VA(HIGH, 0), HIGH, true, false, true },
	{ "VAE1IS of a host", 0, 3, 1, VA(HIGH, 1), HIGH, false, true, true },
	{ "VAE1IS", 0, 3, 1, VA(HIGH, 1), HIGH, false, false, false },
	{ "VALE1 of a host", 0, 7, 5, VA(HIGH, 1), HIGH, false, true, true },
	{ "VAAE1IS of a host", 0, 3, 3, VA(HIGH, 9), HIGH, false, true, true },
	{ "VAAE1IS", 0, 3, 3, VA(HIGH, 9), HIGH, false, false, false },
	{ "VAALE1IS of a host", 0, 3, 7, VA(LAST, 9), LAST, false, true, true },
	{ "RVAE2IS", 4, 2, 1, RANGE(LOW - 0x3000, 1, 1), LOW, false, false, true },
	{ "RVAE2IS, ends before", 4, 2, 1, RANGE(LOW - 0x4000, 1, 1), LOW, false, false, false },
	{ "RVAE2IS, begins after", 4, 2, 1, RANGE(LOW + 0x1000, 1, 31), LOW, false, false, false },
	{ "RVAE2IS, high", 4, 2, 1, RANGE(HIGH, 1, 0), HIGH, false, false, true },
	{ "RVAE2IS to the end", 4, 2, 1, RANGE(LAST - 0x1000, 1, 0), LAST, false, false, true },
	{ "RVAE2, local", 4, 6, 1, RANGE(LAST, 1, 31), LAST, false, false, true },
	{ "RVALE2OS", 4, 5, 5, RANGE(HIGH, 1, 0), HIGH, false, false, true },
	{ "RVAE2IS, another ASID", 4, 2, 1, RANGE(HIGH, 2, 0), HIGH, false, false, false },
	{ "RVAE2IS past the end of the low half", 4, 2, 1,
	  RANGE(0x0000fffffffff000, 1, 31) | 3UL << 44, HIGH, false, false, false },
	{ "RVAAE1IS of a host", 0, 2, 3, RANGE(LAST, 5, 0), LAST, false, true, true },
	{ "RVALE1IS of a host", 0, 2, 5, RANGE(LOW, 1, 0), LOW, false, true, true },
	{ "RVAE1IS", 0, 2, 1, RANGE(LOW, 1, 0), LOW, false, false, false },
	{ "RVAE2IS past the last page", 4, 2, 1, RANGE(LAST, 1, 31) | 3UL << 44, MIB(2), false,
	  false, false },
	{ "RVAE2IS of 64 KiB twice", 4, 2, 1, FIELD(HIGH, 52, 16) | 1UL << 48 | 3UL << 46,
	  HIGH + 0x1f000, false, false, true },
	{ "RVAE2IS without a granule", 4, 2, 1, 1UL << 48, 0, false, false, false },
	{ "ASIDE1IS of a host", 0, 3, 2, 1UL << 48, LOW, false, true, true },
	{ "ASIDE1IS of a host, another", 0, 3, 2, 2UL << 48, LOW, false, true, false },
	{ "ASIDE1IS of a host, global", 0, 3, 2, 1UL << 48, LOW, true, true, false },
	{ "ASIDE1IS", 0, 3, 2, 1UL << 48, LOW, false, false, false },
};

/* Each by the vcpu itself, and by another one; the first and the last vcpu. */
static void every_tlbi(void **state)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct vcpu *by = &nv_vcpu[i & 1];

		setup(state);
		l1_begin(i / 2 & 1);
		map(cases[i / 2].at, PAGE_AT, 3, AF | (cases[i / 2].global ? 0 : NG));
		vncr(cases[i / 2].at);
		assert_int_equal(access(true, 0), RESUME);
		nv_vncr[by->index][0x78 / 8] = cases[i / 2].tge ? TGE : 0;
		tlbi_by(by, cases[i / 2].op1, cases[i / 2].crm, cases[i / 2].op2, cases[i / 2].arg);
		if (is_shut() != cases[i / 2].gone)
			fail_msg("%s by vcpu %u: %s", cases[i / 2].name, by->index,
				 is_shut() ? "shut" : "open");
		/* A window that was shut is filled with what is mapped now. */
		*stage1_entry(cases[i / 2].at, 3) = 0;
		assert_int_equal(access(true, 0), cases[i / 2].gone ? REFLECT_ABORT : RESUME);
	}
}

/* The windows that L2 does not use at the moment are shut as well. */
static void not_in_use(void **state)
{
	(void)state;
	for (u64 i = 0; i < VNCR_WINDOWS; i++) {
		map(LOW + i * PAGE_SIZE, PAGE_AT, 3, AF);
		vncr(LOW + i * PAGE_SIZE);
		assert_int_equal(access(true, 0), RESUME);
	}
	tlbi_by(&nv_vcpu[1], 4, 3, 1, VA(LOW + PAGE_SIZE, 1));
	for (u64 i = 0; i < VNCR_WINDOWS; i++) {
		vncr(LOW + i * PAGE_SIZE);
		assert_int_equal(is_shut(), i == 1);
	}
}

/* TCR_EL2.AS = 0: eight bits, whatever is above them; A1: TTBR1_EL2's. */
static void which_asid(void **state)
{
	(void)state;
	map(LOW, PAGE_AT, 3, AF | NG);
	vncr(LOW);
	v->sr[SR_TCR_EL1] = TCR & ~BIT(36);
	asid(0x7701);
	assert_int_equal(access(true, 0), RESUME);
	asid(0x8801);
	assert_false(is_shut());
	tlbi_by(v, 4, 3, 1, VA(LOW, 0x9902));
	assert_false(is_shut());
	tlbi_by(v, 4, 3, 1, VA(LOW, 0x9901));
	assert_true(is_shut());
	v->sr[SR_TCR_EL1] = TCR | BIT(22);
	v->sr[SR_TTBR1_EL1] = root1 | 5UL << 48;
	assert_int_equal(access(true, 0), RESUME);
	tlbi_by(v, 4, 3, 1, VA(LOW, 1));
	assert_false(is_shut());
	asid(2);
	assert_false(is_shut());
	v->sr[SR_TTBR1_EL1] = root1 | 6UL << 48;
	assert_true(is_shut());
	v->sr[SR_TTBR1_EL1] = root1 | 5UL << 48;
	assert_false(is_shut());
	tlbi_by(v, 4, 3, 1, VA(LOW, 5));
	assert_true(is_shut());
}

/*
 * With TBI bit 56 is ignored, and bit 55 alone says which half, and which addresses a TLBI names.
 */
static void top_byte(void **state)
{
	u64 root = root1;

	(void)state;
	v->sr[SR_TCR_EL1] = TCR | BIT(37) | BIT(38);
	map(LOW, PAGE_AT, 3, AF);
	map(HIGH, OTHER, 3, AF);
	vncr(LOW | BIT(56));
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(PAGE_AT, true));
	tlbi_by(v, 4, 3, 1, VA(LOW, 1));
	assert_true(is_shut());
	vncr(HIGH & ~BIT(56));
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(OTHER, true));
	v->sr[SR_TTBR1_EL1] = nv_table();
	assert_true(is_shut());
	v->sr[SR_TTBR1_EL1] = root;
	assert_false(is_shut());
	tlbi_by(v, 4, 2, 1, RANGE(HIGH, 1, 0));
	assert_true(is_shut());
}

/* TLBIs of stage 2 and of EL1&0; EL2&0 is not affected. */
static void not_concerned(void **state)
{
	static const enum tlbi_kind kinds[] = { TLBI_ALL, TLBI_VMALLS12, TLBI_IPA };
	struct vncr_entry e = { .open = true, .global = true, .base = 0, .size = ~0UL };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct tlbi_op op = { .kind = kinds[i], .size = ~0UL };

		assert_false(vncr_concerns(&e, &op));
	}
}

/*
 * A leaf is invalidated as a whole, by any address of it: a block, contiguous pages, everything
 * with M = 0.
 */
static void by_a_neighbour(void **state)
{
	(void)state;
	map(HIGH & ~(MIB(2) - 1), NV_RAM + MIB(2), 2, AF);
	vncr(HIGH);
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(NV_RAM + MIB(2) + (HIGH & (MIB(2) - 1)), true));
	tlbi_by(v, 4, 3, 1, VA((HIGH & ~(MIB(2) - 1)) + MIB(2), 0));
	assert_false(is_shut());
	tlbi_by(v, 4, 3, 1, VA((HIGH & ~(MIB(2) - 1)) + MIB(2) - 0x1000, 0));
	assert_true(is_shut());
	map(LOW & ~0xffffUL, PAGE_AT, 3, AF | BIT(52));
	vncr(LOW & ~0xffffUL);
	assert_int_equal(access(true, 0), RESUME);
	tlbi_by(v, 4, 3, 1, VA((LOW & ~0xffffUL) + 0xf000, 0));
	assert_true(is_shut());
	v->sr[SR_SCTLR_EL1] = 0;
	vncr(PAGE_AT);
	assert_int_equal(access(true, 0), RESUME);
	tlbi_by(v, 4, 3, 1, VA(LAST, 0));
	assert_true(is_shut());
}

static void invalidate_meanwhile(void)
{
	in_the_walk = NULL;
	map(LOW, OTHER, 3, AF);
	tlbi_by(&nv_vcpu[1], 4, 3, 1, VA(LOW, 0));
}

/*
 * A walk that another vcpu's TLBI overtakes installs nothing; the next one sees the current tables.
 */
static void a_tlbi_against_a_fault(void **state)
{
	struct exit exit = { .esr = ESR(EC_DABT_CUR, DABT_VNCR | DABT_WNR | 7) };

	(void)state;
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW);
	exit.far = vncr_window(v);
	in_the_walk = invalidate_meanwhile;
	assert_int_equal(vncr_trap(v, &exit), RESUME);
	assert_null(in_the_walk);
	assert_true(is_shut());
	assert_int_equal(access(true, 0), RESUME);
	assert_true(is_on(OTHER, true));
}

static void change_meanwhile(void)
{
	in_the_walk = NULL;
	*stage1_entry(LOW, 3) ^= BIT(55);
}

/* The access flag is set in the descriptor that was read; by then it is another one. */
static void a_store_against_a_fault(void **state)
{
	struct exit exit = { .esr = ESR(EC_DABT_CUR, DABT_VNCR | DABT_WNR | 7) };

	(void)state;
	v->sr[SR_TCR_EL1] |= BIT(39); /* HA */
	map(LOW, PAGE_AT, 3, 0);
	vncr(LOW);
	exit.far = vncr_window(v);
	in_the_walk = change_meanwhile;
	assert_int_equal(vncr_trap(v, &exit), RESUME);
	assert_true(is_shut());
	assert_int_equal(*stage1_entry(LOW, 3), PAGE_AT | BIT(55) | 3);
	assert_int_equal(access(true, 0), RESUME);
	assert_int_equal(*stage1_entry(LOW, 3), PAGE_AT | BIT(55) | AF | 3);
}

/* Before the window maps another page, the break of break-before-make has reached all CPUs. */
static u64 seen_at_tlbi;
static void on_tlbi(u64 arg)
{
	assert_int_equal(arg, FIELD(vncr_window(v), 55, 12));
	/* Its own vcpu reuses a window that it finds shut for another key, without the lock. */
	assert_true(__atomic_load_n(&v->windows.entry[v->windows.now].open, __ATOMIC_RELAXED));
	seen_at_tlbi = desc_at(vncr_window(v)) | BIT(63);
}

static void break_before_make(void **state)
{
	(void)state;
	fake_on_write("TLBI_VAE2IS", on_tlbi);
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW);
	seen_at_tlbi = 0;
	assert_int_equal(access(false, 0), RESUME);
	assert_int_equal(seen_at_tlbi, 0); /* nothing was there */
	assert_int_equal(access(true, 0), RESUME);
	assert_int_equal(seen_at_tlbi, BIT(63));
	seen_at_tlbi = 0;
	tlbi_by(&nv_vcpu[1], 4, 3, 0, 0);
	assert_int_equal(seen_at_tlbi, BIT(63));
	fake_on_write("TLBI_VAE2IS", NULL);
}

static void reset(void **state)
{
	u64 window;

	(void)state;
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW);
	assert_int_equal(access(true, 0), RESUME);
	window = vncr_window(v);
	vncr_reset(v);
	assert_int_equal(desc_at(window), 0);
	assert_true(is_shut());
	assert_int_equal(access(true, 0), RESUME);
}

/* Faults in it other than a missing translation. */
static void other_aborts(void **state)
{
	struct exit exit = { .esr = ESR(EC_DABT_CUR, DABT_VNCR | DABT_WNR | 0x10) };

	(void)state;
	map(LOW, PAGE_AT, 3, AF);
	vncr(LOW);
	assert_int_equal(access(true, 0), RESUME);
	exit.far = vncr_window(v) + 0x118;
	assert_int_equal(vncr_trap(v, &exit), REFLECT_ABORT);
	told(0x10, true, LOW + 0x118);
	/* In a walk of nidus's tables, and ECC errors: never retried for ever. */
	for (u64 fsc = 0x13; fsc < 0x20; fsc++) {
		exit.esr = ESR(EC_DABT_CUR, DABT_VNCR | fsc);
		assert_int_equal(vncr_trap(v, &exit), REFLECT_ABORT);
		told(0x10, false, LOW + 0x118);
	}
	exit.esr = ESR(EC_DABT_CUR, DABT_VNCR | 0x30);
	assert_int_equal(vncr_trap(v, &exit), RESUME);
	assert_true(is_on(PAGE_AT, true));
	assert_null(v->stop_reason);
	/* A fault in nidus's own page, or outside all pages of registers. */
	v->in_vel2 = true;
	assert_int_equal(vncr_trap(v, &exit), STOP_VM);
	assert_non_null(v->stop_reason);
	v->in_vel2 = false;
	v->vel1_vncr = false;
	assert_int_equal(vncr_trap(v, &exit), STOP_VM);
	v->vel1_vncr = true;
	exit.esr = ESR(EC_DABT_CUR, 7);
	assert_int_equal(vncr_trap(v, &exit), STOP_VM);
	v->has_vel2 = false;
	exit.esr |= DABT_VNCR;
	assert_int_equal(vncr_trap(v, &exit), STOP_VM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_accesses, setup),
		cmocka_unit_test_setup(permissions, setup),
		cmocka_unit_test_setup(nothing_there, setup),
		cmocka_unit_test_setup(access_flag_and_dirty_state, setup),
		cmocka_unit_test_setup(mmu_off, setup),
		cmocka_unit_test_setup(keys, setup),
		cmocka_unit_test_setup(five_in_four, setup),
		cmocka_unit_test_setup(every_tlbi, setup),
		cmocka_unit_test_setup(not_in_use, setup),
		cmocka_unit_test_setup(which_asid, setup),
		cmocka_unit_test_setup(top_byte, setup),
		cmocka_unit_test_setup(not_concerned, setup),
		cmocka_unit_test_setup(by_a_neighbour, setup),
		cmocka_unit_test_setup(a_tlbi_against_a_fault, setup),
		cmocka_unit_test_setup(a_store_against_a_fault, setup),
		cmocka_unit_test_setup(break_before_make, setup),
		cmocka_unit_test_setup(reset, setup),
		cmocka_unit_test_setup(other_aborts, setup),
	};

	return cmocka_run_group_tests_name("vncr", tests, NULL, NULL);
}
