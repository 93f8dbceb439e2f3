/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3 as a guest sees it, one CPU, by polling: states, priorities, preemption, EOI modes,
 * more interrupts than any list-register file holds. gicirq.c takes exceptions, gicregs.c has the
 * registers, smp.c the SGIs.
 */
#include "lib/gic_suite.h"
#include "lib/random.h"

const char guest_name[] = "gic";

static void test_spurious(void)
{
	NONE();
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), INTID_SPURIOUS, "HPPIR1");
	expect(sysreg_read(ICC_RPR_EL1) >= 0xf8, "idle RPR is 0x%lx", sysreg_read(ICC_RPR_EL1));
	gic_eoi(INTID_SPURIOUS);
	NONE();
}

static void test_sgi_self(void)
{
	u32 i;

	for (i = 0; i < 16; i++) {
		gic_enable(i);
		gic_sgi(i, cpu_self()->mpidr);
		ACK(i);
		STATE(i, 0, 1);
		gic_eoi(i);
		STATE(i, 0, 0);
	}
	NONE();
}

static void test_sgi_again_while_active(void)
{
	gic_enable(5);
	gic_sgi(5, cpu_self()->mpidr);
	ACK(5);
	gic_sgi(5, cpu_self()->mpidr);
	STATE(5, 1, 1);
	NONE();
	gic_eoi(5);
	ACK(5);
	gic_eoi(5);
	NONE();
}

static void pend_ack_eoi(u32 id)
{
	gic_pend(id);
	STATE(id, 1, 0);
	NONE();
	gic_enable(id);
	ACK(id);
	STATE(id, 0, 1);
	gic_pend(id);
	STATE(id, 1, 1);
	NONE();
	gic_eoi(id);
	STATE(id, 1, 0);
	ACK(id);
	gic_eoi(id);
	STATE(id, 0, 0);
	NONE();
}

static void test_pend_sgi(void)
{
	pend_ack_eoi(7);
}
static void test_pend_ppi(void)
{
	pend_ack_eoi(PPI);
}
static void test_pend_spi(void)
{
	pend_ack_eoi(spi(0));
}

static void test_enable(void)
{
	gic_pend(spi(1));
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), INTID_SPURIOUS, "HPPIR1 while disabled");
	gic_enable(spi(1));
	expect_eq(gic_is_enabled(spi(1)), 1, "enabled");
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), spi(1), "HPPIR1 while enabled");
	gic_disable(spi(1));
	expect_eq(gic_is_enabled(spi(1)), 0, "enabled");
	NONE();
	STATE(spi(1), 1, 0);
	gic_enable(spi(1));
	ACK(spi(1));
	gic_disable(spi(1));
	STATE(spi(1), 0, 1);
	gic_eoi(spi(1));
	STATE(spi(1), 0, 0);
}

static void test_clear_pending(void)
{
	gic_enable(spi(2));
	gic_enable(PPI);
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	gic_pend(spi(2));
	gic_pend(PPI);
	gic_unpend(spi(2));
	gic_unpend(PPI);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	STATE(spi(2), 0, 0);
	STATE(PPI, 0, 0);
	NONE();
}

static void test_set_active(void)
{
	gic_enable(spi(3));
	gic_set_active(spi(3), true);
	gic_pend(spi(3));
	STATE(spi(3), 1, 1);
	NONE();
	gic_set_active(spi(3), false);
	STATE(spi(3), 1, 0);
	ACK(spi(3));
	gic_set_active(spi(3), false);
	STATE(spi(3), 0, 0);
	gic_eoi(spi(3));
}

/*
 * Make MANY SPIs pending at once, each with its own priority, and take them all: they must come in
 * order of priority.
 */
static void test_priority_order(void)
{
	u64 seed = 1;
	u32 i, taken = 0;
	u8 prio[MANY];

	for (i = 0; i < MANY; i++)
		prio[i] = (u8)(8 * (i + 1));
	for (i = MANY - 1; i; i--) {
		u32 j = (u32)(random_next(&seed) % (i + 1));
		u8 t = prio[i];

		prio[i] = prio[j];
		prio[j] = t;
	}
	for (i = 0; i < MANY; i++) {
		gic_set_priority(spi(i), prio[i]);
		gic_enable(spi(i));
	}
	gic_set_pmr(0);
	for (i = 0; i < MANY; i++)
		gic_pend(spi(i));
	gic_set_pmr(0xff);
	for (i = 0; i < MANY; i++) {
		u32 id = ack_wait();

		expect(id != INTID_SPURIOUS, "only %u of %u signalled", i, MANY);
		if (id == INTID_SPURIOUS)
			return;
		expect_eq(sysreg_read(ICC_RPR_EL1), 8 * (i + 1), "running priority");
		expect_eq(prio[id - spi0], 8 * (i + 1), "priority taken");
		taken |= 1u << (id - spi0);
		gic_eoi(id);
	}
	expect_eq(taken, (1u << MANY) - 1, "set taken");
	NONE();
}

/* One write of GICD_ISPENDR, the same priority for all: each comes exactly once. */
static void test_pend_20_at_once(void)
{
	u32 i, seen = 0, first = spi0 & ~31u;
	u32 all = ((1u << MANY) - 1) << (spi0 & 31);

	if ((spi0 & 31) + MANY > 32)
		return test_fail("SPIs 0x%x straddle a register", spi0);
	write32(dt.gicd + GIC_ISENABLER + first / 8, all);
	write32(dt.gicd + GIC_ISPENDR + first / 8, all);
	expect_eq(read32(dt.gicd + GIC_ISPENDR + first / 8) & all, all, "ISPENDR");
	for (i = 0; i < MANY; i++) {
		u32 id = ack_wait();

		if (id == INTID_SPURIOUS)
			break;
		expect(!(seen & 1u << (id & 31)), "INTID %u came twice", id);
		seen |= 1u << (id & 31);
		expect_eq(read32(dt.gicd + GIC_ISPENDR + first / 8) & all, all & ~seen,
			  "left pending");
		expect_eq(read32(dt.gicd + GIC_ISACTIVER + first / 8) & all, 1u << (id & 31),
			  "active");
		gic_eoi(id);
	}
	expect_eq(seen, all, "set taken");
	NONE();
}

/* A dozen active at once, each preempting the one before; each EOI goes back one level. */
static void test_nested_activation(void)
{
	u32 i, depth = 12;

	for (i = 0; i < depth; i++) {
		gic_set_priority(spi(i), (u8)(0xf0 - 16 * i));
		gic_enable(spi(i));
	}
	for (i = 0; i < depth; i++) {
		gic_pend(spi(i));
		ACK(spi(i));
		expect_eq(sysreg_read(ICC_RPR_EL1), 0xf0 - 16 * i, "running priority");
	}
	for (i = 0; i < depth; i++)
		STATE(spi(i), 0, 1);
	NONE();
	for (i = depth; i-- > 0;) {
		gic_eoi(spi(i));
		STATE(spi(i), 0, 0);
		if (i)
			expect_eq(sysreg_read(ICC_RPR_EL1), 0xf0 - 16 * (i - 1),
				  "running priority");
	}
	expect(sysreg_read(ICC_RPR_EL1) >= 0xf8, "RPR is not idle at the end");
}

/*
 * All of a dozen nested interrupts become pended again while active: after the EOIs each comes once
 * more.
 */
static void test_nested_repend(void)
{
	u32 i, depth = 12;

	for (i = 0; i < depth; i++) {
		gic_set_priority(spi(i), (u8)(0xf0 - 16 * i));
		gic_enable(spi(i));
		gic_pend(spi(i));
		ACK(spi(i));
		gic_pend(spi(i));
	}
	for (i = depth; i-- > 0;) {
		STATE(spi(i), 1, 1);
		gic_eoi(spi(i));
		ACK(spi(i));
		gic_eoi(spi(i));
		STATE(spi(i), 0, 0);
	}
	NONE();
}

static void test_pmr(void)
{
	u32 p;

	gic_enable(spi(4));
	for (p = 0x10; p < 0xf0; p += 0x20) {
		gic_set_priority(spi(4), (u8)p);
		gic_set_pmr(p);
		gic_pend(spi(4));
		NONE();
		expect_eq(sysreg_read(ISR_EL1) & BIT(7), 0, "ISR_EL1.I");
		gic_set_pmr(p + 8);
		ACK(spi(4));
		gic_eoi(spi(4));
	}
	gic_set_pmr(0);
	gic_pend(spi(4));
	NONE();
	gic_set_pmr(0xff);
	ACK(spi(4));
	gic_eoi(spi(4));
}

static void test_preempt(void)
{
	gic_set_priority(spi(5), 0x80);
	gic_set_priority(spi(6), 0x80);
	gic_set_priority(spi(7), 0x40);
	gic_enable(spi(5));
	gic_enable(spi(6));
	gic_enable(spi(7));
	gic_pend(spi(5));
	ACK(spi(5));
	gic_pend(spi(6));
	NONE();
	gic_pend(spi(7));
	ACK(spi(7));
	expect_eq(sysreg_read(ICC_RPR_EL1), 0x40, "running priority");
	gic_eoi(spi(7));
	NONE();
	gic_eoi(spi(5));
	ACK(spi(6));
	gic_eoi(spi(6));
}

/* Group 1 with ICC_BPR1_EL1 = b: bits 7..b are the group priority (Non-secure view). */
static void test_bpr(void)
{
	u32 b, p;

	gic_enable(spi(8));
	gic_enable(spi(9));
	for (b = 3; b <= 7; b++) {
		sysreg_write(ICC_BPR1_EL1, b);
		isb();
		expect_eq(sysreg_read(ICC_BPR1_EL1), b, "BPR1");
		for (p = 0x40; p <= 0xa0; p += 8) {
			bool preempts = (p >> b) < (0xa0u >> b);

			gic_set_priority(spi(8), 0xa0);
			gic_set_priority(spi(9), (u8)p);
			gic_pend(spi(8));
			ACK(spi(8));
			gic_pend(spi(9));
			if (preempts) {
				ACK(spi(9));
				gic_eoi(spi(9));
				gic_eoi(spi(8));
			} else {
				NONE();
				gic_eoi(spi(8));
				ACK(spi(9));
				gic_eoi(spi(9));
			}
		}
	}
}

static void test_priority_of_pending(void)
{
	gic_set_priority(spi(0), 0x60);
	gic_set_priority(spi(1), 0x80);
	gic_enable(spi(0));
	gic_enable(spi(1));
	gic_set_pmr(0);
	gic_pend(spi(0));
	gic_pend(spi(1));
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), spi(0), "HPPIR1");
	gic_set_priority(spi(1), 0x20);
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), spi(1), "HPPIR1 after the change");
	gic_set_pmr(0xff);
	ACK(spi(1));
	gic_eoi(spi(1));
	ACK(spi(0));
	gic_eoi(spi(0));
}

static void test_eoimode1(void)
{
	eoimode1();
	gic_enable(spi(10));
	gic_enable(spi(11));
	gic_pend(spi(10));
	ACK(spi(10));
	gic_eoi(spi(10));
	STATE(spi(10), 0, 1);
	expect(sysreg_read(ICC_RPR_EL1) >= 0xf8, "priority not dropped");
	gic_pend(spi(10));
	NONE();
	gic_pend(spi(11));
	ACK(spi(11));
	gic_eoi(spi(11));
	gic_deactivate(spi(10));
	STATE(spi(10), 1, 0);
	ACK(spi(10));
	gic_eoi(spi(10));
	gic_deactivate(spi(10));
	gic_deactivate(spi(11));
	STATE(spi(10), 0, 0);
	STATE(spi(11), 0, 0);
}

/* MANY dropped but still active, while more arrive; deactivated in another order. */
static void test_eoimode1_many(void)
{
	u32 i;

	eoimode1();
	for (i = 0; i < MANY; i++) {
		gic_enable(spi(i));
		gic_pend(spi(i));
		ACK(spi(i));
		gic_eoi(spi(i));
	}
	for (i = 0; i < MANY; i++)
		STATE(spi(i), 0, 1);
	for (i = 0; i < MANY; i++)
		gic_deactivate(spi(i * 7 % MANY));
	for (i = 0; i < MANY; i++)
		STATE(spi(i), 0, 0);
	for (i = 0; i < MANY; i++) {
		gic_pend(spi(i));
		ACK(spi(i));
		gic_eoi(spi(i));
		gic_set_active(spi(i), false);
		STATE(spi(i), 0, 0);
	}
	NONE();
}

static void test_edge(void)
{
	gic_set_edge(spi(12), true);
	gic_enable(spi(12));
	gic_pend(spi(12));
	gic_pend(spi(12));
	ACK(spi(12));
	gic_eoi(spi(12));
	NONE();
}

static void test_level_latch(void)
{
	gic_set_edge(spi(13), false);
	gic_enable(spi(13));
	gic_pend(spi(13));
	ACK(spi(13));
	STATE(spi(13), 0, 1);
	gic_eoi(spi(13));
	NONE();
}

static const struct suite_test tests[] = {
	{ "spurious", test_spurious, 1 },
	{ "sgi_self", test_sgi_self, 1 },
	{ "sgi_again_while_active", test_sgi_again_while_active, 1 },
	{ "pend_sgi", test_pend_sgi, 1 },
	{ "pend_ppi", test_pend_ppi, 1 },
	{ "pend_spi", test_pend_spi, 1 },
	{ "enable", test_enable, 1 },
	{ "clear_pending", test_clear_pending, 1 },
	{ "set_active", test_set_active, 1 },
	{ "priority_order", test_priority_order, 1 },
	{ "pend_20_at_once", test_pend_20_at_once, 1 },
	{ "nested_activation", test_nested_activation, 1 },
	{ "nested_repend", test_nested_repend, 1 },
	{ "pmr", test_pmr, 1 },
	{ "preempt", test_preempt, 1 },
	{ "bpr", test_bpr, 1 },
	{ "priority_of_pending", test_priority_of_pending, 1 },
	{ "eoimode1", test_eoimode1, 1 },
	{ "eoimode1_many", test_eoimode1_many, 1 },
	{ "edge", test_edge, 1 },
	{ "level_latch", test_level_latch, 1 },
};

void guest_main(void)
{
	gic_suite_run(tests, ARRAY_SIZE(tests));
}
