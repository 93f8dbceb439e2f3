/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables outside memory, that lead to themselves, in loops, on devices: stage 2 of an L2, its stage
 * 1, the hypervisor's own; VNCR_EL2.
 */
#include "hostile.h"

#define FSC_SEA_WALK 0x14
#define FSC_ADDR_SIZE 0x00
#define PAGE_IPA (L2_SPACE + 0x400000UL)
#define DESC_TABLE 3UL

/* payload.S */
extern const char hvc_7[];
u64 l2_nop(u64 a, u64 b, u64 c);
u64 l2_load64(u64 a, u64 b, u64 c);
u64 l2_store64(u64 a, u64 b, u64 c);

static u64 page[512] __attribute__((aligned(4096)));

static const struct {
	char name[4];
	u8 bits, start, ipa_bits;
} granules[] = {
	{ "4K", 12, 1, 39 },
	{ "16K", 14, 2, 40 },
	{ "64K", 16, 2, 40 },
};

static const char nowhere[HOSTILE_NOWHERE][32] = {
	"outside RAM", "beyond all addresses", "the hypervisor's text", "a device", "address 0",
};

/* ---- stage 2 of an L2 ------------------------------------------------------------------------ */

static void any_exit(struct l2 *l, u64 kind)
{
	expect(kind <= EXIT_SERROR, "exit kind %lu esr 0x%lx", kind, l->esr);
}

static void root_nowhere(struct l2 *l, u32 i)
{
	u64 kind;

	check_begin("hostile", "VTTBR_EL2 at %s", nowhere[i]);
	hostile_sandbox(l);
	l->vttbr = hostile_nowhere(i) | 1UL << 48;
	stage2_flush(l);
	kind = hostile_run(l, i < 2 ? L2_STUCK_US : L2_STEP_US);
	any_exit(l, kind);
	if (i == 0) /* no memory there: an external abort on the walk, at the start level */
		expect(kind == EXIT_SYNC && ESR_EC(l->esr) == EC_IABT_LOW &&
			       (l->esr & 0x3f) == FSC_SEA_WALK + 1,
		       "exit kind %lu esr 0x%lx", kind, l->esr);
	if (i == 1) /* above VTCR_EL2.PS, or above the machine's address size */
		expect(kind == EXIT_SYNC && ESR_EC(l->esr) == EC_IABT_LOW,
		       "exit kind %lu esr 0x%lx", kind, l->esr);
	hostile_recovered();
}

/* Every entry of the table leads to the table: L2's memory is then the table itself. */
static void root_loop(struct l2 *l, u32 g)
{
	u32 i, n = (1u << granules[g].bits) / 8;
	u64 *table, kind;

	check_begin("hostile", "VTTBR_EL2 at a table of %s that is its own next level",
		    granules[g].name);
	hostile_sandbox(l);
	stage2_init(l, granules[g].bits, granules[g].start, granules[g].ipa_bits, 1);
	table = (u64 *)l->s2.root;
	for (i = 0; i < n; i++)
		table[i] = (u64)table | DESC_TABLE | S2_MEMORY;
	stage2_flush(l);
	any_exit(l, hostile_run(l, L2_STEP_US));
	/* The same without permission to write or execute it. */
	for (i = 0; i < n; i++)
		table[i] = (u64)table | DESC_TABLE | S2_RO | S2_NORMAL | S2_AF | S2_XN;
	stage2_flush(l);
	hostile_fresh(l);
	kind = hostile_run(l, g ? L2_STEP_US : L2_STUCK_US);
	/* With a granule that the machine lacks, the size is that of another one. */
	if (!g)
		expect(kind == EXIT_SYNC && l->esr == ESR_OF(EC_IABT_LOW, 0xf),
		       "exit kind %lu esr 0x%lx", kind, l->esr);
	hostile_recovered();
}

/* Two tables that lead to each other, and whose other entries are random. */
static void root_ring(struct l2 *l)
{
	u64 *a, *b;
	u32 i;

	check_begin("hostile", "VTTBR_EL2 at tables in a ring, among garbage");
	hostile_sandbox(l);
	stage2_init(l, 12, 1, 39, 1);
	a = (u64 *)l->s2.root;
	b = pool_alloc();
	for (i = 0; i < 512; i++) {
		a[i] = (u64)b | DESC_TABLE;
		b[i] = i & 1 ? (u64)a | DESC_TABLE | S2_MEMORY : hostile_garbage();
	}
	for (i = 0; i < 100; i++) {
		a[random_next(&hostile_seed) & 511] = hostile_garbage();
		stage2_flush(l);
		hostile_fresh(l);
		l->elr = (random_next(&hostile_seed) & MASK(38, 2));
		any_exit(l, hostile_run(l, L2_STEP_US));
	}
	hostile_recovered();
}

/* One leaf that maps no memory, or a device; L2 reads, writes and executes there. */
static void leaf_nowhere(struct l2 *l, u32 i, u64 attr)
{
	u64 ipa = PAGE_IPA;

	stage2_map(l, ipa, hostile_nowhere(i) & MASK(47, 12), 3, attr | S2_AF);
	stage2_flush(l);
	hostile_fresh(l);
	l2_call(l, l2_load64, ipa, 0, 0);
	any_exit(l, hostile_run(l, L2_STEP_US));
	hostile_fresh(l);
	l->elr = ipa;
	any_exit(l, hostile_run(l, L2_STEP_US));
	if (hostile_nowhere(i) == (u64)_head || hostile_nowhere(i) == dt.gicd)
		return;
	hostile_fresh(l);
	l2_call(l, l2_store64, ipa, 0, 0);
	any_exit(l, hostile_run(l, L2_STEP_US));
}

static void leaves(struct l2 *l, u32 i)
{
	check_begin("hostile", "a page of L2's at %s", nowhere[i]);
	hostile_sandbox(l);
	leaf_nowhere(l, i, S2_RW | S2_DEVICE);
	leaf_nowhere(l, i, S2_RW | S2_NORMAL);
	leaf_nowhere(l, i, S2_RO | S2_NORMAL | S2_XN);
	hostile_recovered();
}

/*
 * L2 can write the table that translates it: what was invalid it can make valid without any
 * maintenance.
 */
static void own_tables(struct l2 *l)
{
	u64 *slot, at;
	u32 i;

	check_begin("hostile", "an L2 that writes its own stage 2");
	hostile_sandbox(l);
	stage2_map(l, PAGE_IPA, (u64)page, 3, S2_MEMORY);
	slot = stage2_slot(l, PAGE_IPA, 3);
	at = (u64)slot & ~0xfffUL;
	stage2_map(l, PAGE_IPA, at, 3, S2_MEMORY);
	stage2_flush(l);
	page[0] = 0x1234567;
	for (i = 1; i < 100; i++) {
		hostile_fresh(l);
		l2_call(l, l2_store64, PAGE_IPA + ((u64)slot & 0xfff) + 8 * i,
			(u64)page | DESC_TABLE | S2_MEMORY, 0);
		l2_finish(l);
		expect_eq(l2_run_fn(l, l2_load64, PAGE_IPA + 0x1000UL * i, 0, 0), 0x1234567,
			  "the page that it mapped");
	}
	/* Random entries of its own have no worse effect. */
	for (i = 100; i < 200; i++) {
		hostile_fresh(l);
		l2_call(l, l2_store64, PAGE_IPA + ((u64)slot & 0xfff) + 8 * i,
			(hostile_garbage() & ~MASK(47, 12)) | hostile_nowhere(i % 2), 0);
		l2_finish(l);
		hostile_fresh(l);
		l2_call(l, l2_load64, PAGE_IPA + 0x1000UL * i, 0, 0);
		any_exit(l, hostile_run(l, L2_STEP_US));
	}
	hostile_recovered();
}

/* ---- VNCR_EL2 -------------------------------------------------------------------------------- */

/*
 * With FEAT_NV2 the register has an effect, but only for an L2 that uses registers of EL2. Without
 * it the write is UNDEFINED or, for a hypervisor that is nested by FEAT_NV2 itself, goes to a word
 * that nothing reads.
 */
static void vncr(struct l2 *l)
{
	u64 values[] = {
		hostile_nowhere(0), hostile_nowhere(1), (u64)page, (u64)_head, dt.gicd, 0, ~0UL
	};
	u32 word = SYSREG_WORD(3, 4, 2, 2, 0), i;
	bool undef;

	check_begin("hostile", "VNCR_EL2 at nothing, itself, a device, with HCR_EL2.NV and NV2");
	hostile_sandbox(l);
	page[0xb0 / 8] = (u64)page;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		hostile_execute(word, values[i], &undef);
		hostile_fresh(l);
		any_exit(l, hostile_run(l, L2_STEP_US));
		hostile_fresh(l);
		l->hcr |= HCR_NV | HCR_NV2;
		any_exit(l, hostile_run(l, L2_STEP_US));
		hostile_fresh(l);
		l->hcr |= HCR_NV | HCR_NV1 | HCR_NV2;
		any_exit(l, hostile_run(l, L2_STEP_US));
	}
	hostile_execute(word, 0, &undef);
	hostile_recovered();
}

void hostile_tables(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	for (i = 0; i < HOSTILE_NOWHERE; i++)
		root_nowhere(l, i);
	for (i = 0; i < ARRAY_SIZE(granules); i++)
		root_loop(l, i);
	root_ring(l);
	for (i = 0; i < HOSTILE_NOWHERE; i++)
		leaves(l, i);
	own_tables(l);
	vncr(l);
}
