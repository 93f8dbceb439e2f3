/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Too many of everything: maintenance interrupts, VMIDs, TLB maintenance of enormous ranges, random
 * translations.
 */
#include "hostile.h"

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);

#define ICH_EN BIT(0)
#define LR_EOI BIT(41)
#define VMCR_ENG0 BIT(0)
#define VMCR_ENG1 BIT(1)
#define PAGE_IPA (L2_SPACE + 0x400000UL)

/* ---- maintenance interrupts ------------------------------------------------------------------ */

/*
 * ICH_HCR_EL2, ICH_VMCR_EL2, ICH_LR0_EL2 that request one with no interrupt in any list register.
 */
static const struct {
	char name[20];
	u64 hcr, vmcr, lr;
} asks[] = {
	{ "UIE", BIT(1), 0, 0 },
	{ "LRENPIE", BIT(2) | 1UL << 27, 0, 0 },
	{ "NPIE", BIT(3), 0, 0 },
	{ "VGrp0EIE", BIT(4), VMCR_ENG0, 0 },
	{ "VGrp0DIE", BIT(5), 0, 0 },
	{ "VGrp1EIE", BIT(6), VMCR_ENG1, 0 },
	{ "VGrp1DIE", BIT(7), 0, 0 },
	{ "an ended interrupt", 0, 0, LR_EOI },
	{ "all of them", MASK(7, 1) | 31UL << 27, VMCR_ENG0, LR_EOI },
};

static void ask(struct l2 *l, u32 i)
{
	sysreg_write(ICH_VMCR_EL2, asks[i].vmcr);
	sysreg_write(ICH_LR0_EL2, asks[i].lr);
	l->control[CTL_ICH_HCR] = ICH_EN | asks[i].hcr;
}

static void ask_nothing(struct l2 *l)
{
	sysreg_write(ICH_HCR_EL2, 0);
	sysreg_write(ICH_LR0_EL2, 0);
	sysreg_write(ICH_VMCR_EL2, 0);
	l->control[CTL_ICH_HCR] = 0;
	isb();
}

/* Each entry of L2 ends at once. */
static void flood_l2(struct l2 *l, u32 i, u64 n)
{
	u64 k, kind;

	check_begin("hostile", "%lu maintenance interrupts by %s", n, asks[i].name);
	hostile_fresh(l);
	ask(l, i);
	for (k = 0; k < n; k++) {
		kind = l2_run(l);
		if (kind != EXIT_IRQ)
			test_fail("round %lu: exit kind %lu esr 0x%lx", k, kind, l->esr);
	}
	ask_nothing(l);
	l2_finish(l);
}

static u32 taken, other;

/* The hypervisor never removes the cause. */
static void on_maintenance(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == PPI_MAINTENANCE)
		taken++;
	else
		other++;
	if (id < INTID_SPURIOUS)
		gic_eoi(id);
	if (taken == 2000)
		sysreg_write(ICH_HCR_EL2, 0);
	isb();
}

/* From its own point of view the hypervisor is interrupted for ever. */
static void flood_self(void)
{
	u64 until = counter_virt() + ticks_us(PATIENCE_US);

	check_begin("hostile", "2000 maintenance interrupts within the hypervisor");
	taken = other = 0;
	cpu_self()->irq = on_maintenance;
	sysreg_write(ICH_HCR_EL2, ICH_EN | BIT(1) | BIT(3));
	isb();
	irq_enable();
	while (__atomic_load_n(&taken, __ATOMIC_RELAXED) < 2000 &&
	       (s64)(counter_virt() - until) < 0)
		(void)sysreg_read(ICH_MISR_EL2);
	irq_disable();
	cpu_self()->irq = NULL;
	expect(taken >= 2000, "only %u", taken);
	ask_nothing(&l2s[0]);
	(void)sysreg_read(ICH_MISR_EL2);
}

/* ---- VMIDs ----------------------------------------------------------------------------------- */

#define ROOTS 128

/* Many of all possible VMIDs, each with a table at another address than the previous one. */
static void vmids(struct l2 *l)
{
	u64 roots[ROOTS], i, n = dt_arg("vmids", 4096), mask = l->vtcr & BIT(19) ? 0xffff : 0xff;
	u32 r;

	check_begin("hostile", "%lu VMIDs, with %u tables", n, ROOTS);
	hostile_recovered();
	for (r = 0; r < ROOTS; r++) {
		roots[r] = r % 16 ? roots[r - 1] + 4096 : (u64)pool_alloc();
		memcpy((void *)roots[r], (void *)l->s2.root, 4096);
	}
	dsb(ish);
	for (i = 0; i < n; i++) {
		/* Multiply by an odd factor: each VMID comes once before any comes again. */
		l->vttbr = roots[i % ROOTS] | (i * 40503 & mask) << 48;
		l2_run_fn(l, l2_nop, 0, 0, 0);
		if (i % 64 == 0)
			l2_run_fn(l, l2_nop, 0, 0, 0);
	}
	hostile_recovered();
}

/* ---- memory ---------------------------------------------------------------------------------- */

#define WIDE_FIRST 4  /* GiB of L2's addresses */
#define WIDE_LAST 255
#define WIDE_STRIDE (MIB(2) + 4096)
#define WIDE_PLACES 128000 /* GIB(252) / WIDE_STRIDE, and fewer */

static u64 wide[3][512] __attribute__((aligned(4096)));

static u64 l2_touch(u64 n, u64 value, u64 c)
{
	u64 i, bad = 0;

	(void)c;
	for (i = 0; i < n; i++)
		bad += *(volatile u64 *)(GIB(WIDE_FIRST) + i * WIDE_STRIDE) != value;
	return bad;
}

/*
 * Three pages of tables describe an address space of 252 GiB in which every page is the same. A
 * hypervisor that composes them with its own tables needs 32 million pages of tables if all of it
 * is used.
 */
void hostile_wide(struct l2 *l)
{
	u32 i;

	for (i = 0; i < 512; i++) {
		wide[0][i] = (u64)wide[1] | 3;
		wide[1][i] = (u64)wide[2] | 3 | S2_RO | S2_NORMAL | S2_AF;
		wide[2][i] = 0x123456789UL;
	}
	for (i = WIDE_FIRST; i <= WIDE_LAST; i++)
		((u64 *)l->s2.root)[i] = (u64)wide[0] | 3;
	stage2_flush(l);
}

void hostile_touch(struct l2 *l, u64 n)
{
	expect_eq(l2_run_fn(l, l2_touch, n, 0x123456789UL, 0), 0, "wrong values");
}

static void memory(struct l2 *l, u64 n)
{
	check_begin("hostile", "an L2 with memory at %lu places", n);
	hostile_recovered();
	hostile_wide(l);
	hostile_touch(l, n);
	hostile_touch(l, n);
	stage2_flush(l);
	hostile_touch(l, 10);
	hostile_recovered();
}

/* ---- TLB maintenance ------------------------------------------------------------------------- */

static void tlbi_whole(void)
{
	u64 arg = 0;

	TLBI(4, 3, 4, arg); /* ALLE1IS */
	TLBI(4, 7, 4, arg); /* ALLE1 */
	TLBI(4, 3, 6, arg); /* VMALLS12E1IS */
	TLBI(4, 7, 6, arg); /* VMALLS12E1 */
	TLBI(4, 3, 0, arg); /* ALLE2IS */
	TLBI(0, 3, 0, arg); /* VMALLE1IS */
}

static void tlbi_page(u64 arg)
{
	TLBI(4, 0, 1, arg); /* IPAS2E1IS */
	TLBI(4, 0, 5, arg); /* IPAS2LE1IS */
	TLBI(4, 4, 1, arg); /* IPAS2E1 */
	TLBI(4, 3, 1, arg); /* VAE2IS */
	TLBI(0, 3, 1, arg); /* VAE1IS */
	TLBI(0, 3, 2, arg); /* ASIDE1IS */
	TLBI(0, 3, 3, arg); /* VAAE1IS */
	TLBI(0, 7, 5, arg); /* VALE1 */
}

static void tlbi_range(u64 arg)
{
	TLBI(4, 0, 2, arg); /* RIPAS2E1IS */
	TLBI(4, 0, 6, arg); /* RIPAS2LE1IS */
	TLBI(4, 4, 3, arg); /* RIPAS2E1OS */
	TLBI(4, 2, 1, arg); /* RVAE2IS */
	TLBI(0, 2, 1, arg); /* RVAE1IS */
	TLBI(0, 2, 3, arg); /* RVAAE1IS */
	TLBI(0, 5, 7, arg); /* RVAALE1OS */
}

/* The largest ranges of each granule, from this page number on; random bits in the rest. */
static u64 range_of(u64 tg, u64 base, u64 rest)
{
	return tg << 46 | 3UL << 44 | 31UL << 39 | (base & MASK(36, 0)) |
	       (rest & (MASK(63, 48) | MASK(38, 37)));
}

/* With TGE clear, so that those of EL1 apply to the L2. */
void hostile_tlbi_storm(u64 n)
{
	bool range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	u64 i, tg;

	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	for (i = 0; i < n; i++) {
		tlbi_whole();
		tlbi_page(hostile_garbage());
		tlbi_page(L2_SPACE >> 12);
		for (tg = 1; tg <= 3 && range; tg++) {
			tlbi_range(range_of(tg, 0, hostile_garbage()));
			tlbi_range(range_of(tg, hostile_garbage(), hostile_garbage()));
		}
		dsb(ish);
	}
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}

static void tlbis(struct l2 *l, u64 n)
{
	struct trap t;
	u64 i;

	check_begin("hostile", "%lu times every TLBI, of enormous ranges", n);
	hostile_recovered();
	hostile_wide(l);
	for (i = 0; i < n; i++) {
		hostile_tlbi_storm(1);
		hostile_touch(l, i);
	}
	hostile_recovered();
	check_begin("hostile", "translations of garbage");
	/* Without VHE S1E0W applies to L2, whose tables may be where no memory is. */
	trap_arm(&t);
	for (i = 0; i < 1000; i++) {
		asm volatile("at s1e2r, %0\n\tisb" ::"r"(hostile_garbage()) : "memory");
		asm volatile("at s1e0w, %0\n\tisb" ::"r"(hostile_garbage()) : "memory");
		tlbi_page(hostile_garbage());
		dsb(ish);
	}
	trap_disarm();
	expect(!t.count || (e2h0 && ESR_EC(t.esr) == EC_DABT && (t.esr & 0x3c) == 0x14),
	       "esr 0x%lx", t.esr);
	hostile_recovered();
}

void hostile_floods(void)
{
	struct l2 *l = &l2s[0];
	u32 i;

	hostile_recovered();
	gic_enable(PPI_MAINTENANCE);
	for (i = 0; i < ARRAY_SIZE(asks); i++)
		flood_l2(l, i, 1000);
	flood_self();
	gic_disable(PPI_MAINTENANCE);
	vmids(l);
	memory(l, MIN(1000 * dt_arg("rounds", 100), (u64)WIDE_PLACES));
	tlbis(l, dt_arg("rounds", 100));
}
