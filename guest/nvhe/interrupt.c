/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts and timers of both levels, and CNTVOFF_EL2. */
#include "nvhe.h"

#define PPI_HYP 26u
#define HCR_IMO BIT(4)
#define HCR_FMO BIT(3)
#define ICH_LR0_EL2 S3_4_C12_C12_0
#define ICH_HCR_EL2 S3_4_C12_C11_0

WRITE_EL2(CNTV_CTL_EL0)
WRITE_EL2(CNTV_CVAL_EL0)
WRITE_EL2(CNTV_TVAL_EL0)
WRITE_EL2(CNTP_CTL_EL0)
WRITE_EL2(CNTP_CVAL_EL0)
WRITE_EL2(CNTHP_CTL_EL2)
WRITE_EL2(CNTHP_CVAL_EL2)
WRITE_EL2(CNTVOFF_EL2)
WRITE_EL2(ICH_LR0_EL2)
WRITE_EL2(ICH_HCR_EL2)

static u32 el1_intid, el1_count;

static void el1_irq(struct frame *f)
{
	u32 intid = gic_ack();

	(void)f;
	if (intid == INTID_SPURIOUS)
		return;
	el1_intid = intid;
	el1_count++;
	if (intid == dt.ppi_virt)
		sysreg_write(CNTV_CTL_EL0, 0);
	else if (intid == dt.ppi_phys)
		sysreg_write(CNTP_CTL_EL0, 0);
	isb();
	gic_eoi(intid);
}

static void before(void)
{
	el2_hcr(0);
	gic_enable(dt.ppi_virt);
	gic_enable(dt.ppi_phys);
	gic_enable(PPI_HYP);
	sysreg_write(CNTV_CTL_EL0, 0);
	sysreg_write(CNTP_CTL_EL0, 0);
	cpu_self()->irq = el1_irq;
	el1_intid = el1_count = 0;
	el2_arm();
}

/* Interrupts are unmasked at EL1 until one was taken at either level. */
static void wait_one(void)
{
	u64 start = counter_virt();

	irq_enable();
	while (!*(volatile u32 *)&el1_count && !*(volatile u32 *)&seen.count &&
	       counter_virt() - start < ticks_us(PATIENCE_US))
		;
	irq_disable();
}

static void only_el1(u32 intid, const char *what)
{
	wait_one();
	expect_eq(el1_count, 1, what);
	expect_eq(el1_intid, intid, what);
	expect_eq(seen.count, 0, what);
}

static void only_el2(u32 intid, u64 kind, const char *what)
{
	expect_eq(seen.count, 1, what);
	expect_eq(seen.kind, kind, what);
	expect_eq(seen.intid, intid, what);
	expect_eq(el1_count, 0, what);
}

static void el1_timers(void)
{
	sysreg_write(CNTV_CVAL_EL0, counter_virt() + ticks_us(1000));
	sysreg_write(CNTV_CTL_EL0, 1);
	only_el1(dt.ppi_virt, "CNTV at EL1");
	before();
	sysreg_write(CNTP_CVAL_EL0, counter_phys() + ticks_us(1000));
	sysreg_write(CNTP_CTL_EL0, 1);
	only_el1(dt.ppi_phys, "CNTP at EL1");
}

/* EL2 arms EL1's timers, by their names. */
static void armed_by_el2(void)
{
	expect_eq(el2_write(CNTV_CVAL_EL0, 1), 1, "CNTV_CVAL_EL0 at EL2");
	expect_eq(el2_write(CNTV_CTL_EL0, 3), 7, "CNTV_CTL_EL0 at EL2");
	expect_eq(sysreg_read(CNTV_CTL_EL0), 7, "CNTV_CTL_EL0 at EL1");
	el2_write(CNTV_CTL_EL0, 1);
	only_el1(dt.ppi_virt, "CNTV from EL2");
	expect_eq(el2_read(CNTV_CTL_EL0) & 1, 0, "CNTV_CTL_EL0.ENABLE");
	before();
	el2_write(CNTP_CVAL_EL0, 1);
	expect_eq(el2_write(CNTP_CTL_EL0, 1), 5, "CNTP_CTL_EL0 at EL2");
	only_el1(dt.ppi_phys, "CNTP from EL2");
}

static void to_el2(void)
{
	el2_hcr(HCR_IMO | HCR_FMO);
	el2_write(CNTV_CVAL_EL0, 1);
	el2_write(CNTV_CTL_EL0, 1);
	wait_one();
	only_el2(dt.ppi_virt, EL1_IRQ, "CNTV with IMO");
}

static void el2_timer(void)
{
	el2_hcr(HCR_IMO | HCR_FMO);
	el2_write(CNTHP_CVAL_EL2, 1);
	el2_write(CNTHP_CTL_EL2, 1);
	wait_one();
	only_el2(PPI_HYP, EL1_IRQ, "CNTHP at EL1");
	el2_arm();
	el2_write(CNTHP_CVAL_EL2, counter_phys() + ticks_us(1000));
	el2_write(CNTHP_CTL_EL2, 1);
	wait_one();
	only_el2(PPI_HYP, EL1_IRQ, "CNTHP at EL1, later");
}

/* Taken at EL2 itself. */
static u64 wait_at_el2(u64 ticks, u64 b, u64 c)
{
	u64 start = counter_phys();

	(void)b;
	(void)c;
	/* Not before: with IMO an interrupt is taken from EL1 whatever its PSTATE masks. */
	sysreg_write(CNTHP_CVAL_EL2, start + ticks_us(1000));
	sysreg_write(CNTHP_CTL_EL2, 1);
	irq_enable();
	while (!*(volatile u32 *)&seen.count && counter_phys() - start < ticks)
		;
	irq_disable();
	return 0;
}

static void at_el2(void)
{
	el2_hcr(HCR_IMO | HCR_FMO);
	el2_call(wait_at_el2, ticks_us(PATIENCE_US), 0, 0);
	only_el2(PPI_HYP, EL2_IRQ, "CNTHP at EL2");
	expect_eq(seen.spsr & 0xf, 9, "SPSR_EL2.M");
}

/* ---- CNTVOFF_EL2 ---- */

static u64 count_at_el2(u64 offset, u64 b, u64 c)
{
	u64 before_it, phys, after;

	(void)b;
	(void)c;
	sysreg_write(CNTVOFF_EL2, offset);
	isb();
	before_it = counter_virt();
	phys = counter_phys();
	after = counter_virt();
	return phys - offset >= before_it && phys - offset <= after;
}

static void offset(void)
{
	u64 v, p, w, off = 0x123456;

	expect_eq(el2_call(count_at_el2, off, 0, 0), 1, "CNTVCT_EL0 at EL2");
	v = counter_virt();
	p = counter_phys();
	w = counter_virt();
	expect(p - off >= v && p - off <= w, "CNTVCT_EL0 at EL1: 0x%lx 0x%lx 0x%lx", v, p, w);
	expect_eq(el2_call(count_at_el2, 0, 0, 0), 1, "CNTVCT_EL0 at EL2, no offset");
}

/* TVAL at EL2 is relative to the counter as EL2 sees it. */
static u64 tval_at_el2(u64 off, u64 b, u64 c)
{
	u64 from, to, cval;

	(void)b;
	(void)c;
	sysreg_write(CNTVOFF_EL2, off);
	isb();
	from = counter_virt();
	sysreg_write(CNTV_TVAL_EL0, 0x10000);
	to = counter_virt();
	cval = sysreg_read(CNTV_CVAL_EL0);
	return cval - 0x10000 >= from && cval - 0x10000 <= to;
}

static void tval(void)
{
	expect_eq(el2_call(tval_at_el2, 0x1000000, 0, 0), 1, "CNTV_CVAL_EL0");
	expect_eq(el2_call(tval_at_el2, 0, 0, 0), 1, "CNTV_CVAL_EL0, no offset");
}

/* ---- virtual interrupts ---- */

#define LR_PENDING (1UL << 62)
#define LR_GROUP1 BIT(60)

static void virtual(void)
{
	el2_hcr(HCR_IMO | HCR_FMO);
	gic_set_pmr(0xff); /* the virtual interface's */
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	el2_write(ICH_HCR_EL2, 1);
	el2_write(ICH_LR0_EL2, LR_PENDING | LR_GROUP1 | 0xa0UL << 48 | 77);
	only_el1(77, "a list register");
	expect_eq(el2_read(ICH_LR0_EL2) >> 62, 0, "its state");
	el2_write(ICH_HCR_EL2, 0);
	el2_hcr(0);
}

void group_interrupt(void)
{
	static const struct suite_test tests[] = {
		{ "interrupt: EL1's timers", el1_timers, 1 },
		{ "interrupt: EL1's timers, armed at EL2", armed_by_el2, 1 },
		{ "interrupt: IMO", to_el2, 1 },
		{ "interrupt: CNTHP", el2_timer, 1 },
		{ "interrupt: at EL2", at_el2, 1 },
		{ "interrupt: CNTVOFF_EL2", offset, 1 },
		{ "interrupt: TVAL at EL2", tval, 1 },
		{ "interrupt: virtual", virtual, 1 },
	};

	suite_run(tests, ARRAY_SIZE(tests), before);
	el2_hcr(0);
}
