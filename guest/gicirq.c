/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GICv3 as a guest sees it, one CPU: interrupts as exceptions, groups 0 and 1, a device's
 * level-sensitive interrupt, stray EOIs, and a storm.
 */
#include "lib/gic_suite.h"
#include "lib/random.h"

const char guest_name[] = "gicirq";

#define UART_IMSC 0x38
#define UART_RIS 0x3c
#define UART_ICR 0x44
#define UART_TX BIT(5)

/*
 * A level-sensitive interrupt of a real device: the UART's transmit interrupt, raised by sending a
 * character, held until cleared.
 */
static void test_level_device(void)
{
	u32 id = dt.uart_intid;

	gic_set_edge(id, false);
	write32(dt.uart + UART_IMSC, 0);
	print("gic: a line to raise the UART's transmit interrupt\n");
	if (!(read32(dt.uart + UART_RIS) & UART_TX))
		return test_skip("the UART has no transmit interrupt");
	gic_enable(id);
	NONE();
	write32(dt.uart + UART_IMSC, UART_TX);
	ACK(id);
	STATE(id, 1, 1);
	NONE();
	gic_eoi(id);
	ACK(id);
	gic_eoi(id);
	gic_unpend(id); /* the line still says pending */
	expect_eq(gic_is_pending(id), 1, "pending");
	write32(dt.uart + UART_IMSC, 0);
	expect_eq(gic_is_pending(id), 0, "pending after the line fell");
	NONE();
	write32(dt.uart + UART_IMSC, UART_TX);
	ACK(id);
	write32(dt.uart + UART_IMSC, 0);
	gic_eoi(id);
	NONE();
	write32(dt.uart + UART_ICR, UART_TX);
}

static volatile u32 irqs, fiqs, last;

static void on_irq(struct frame *f)
{
	(void)f;
	last = gic_ack();
	irqs = irqs + 1;
	if (last != INTID_SPURIOUS)
		gic_eoi(last);
}

static void on_fiq(struct frame *f)
{
	(void)f;
	last = (u32)sysreg_read(ICC_IAR0_EL1);
	fiqs = fiqs + 1;
	if (last != INTID_SPURIOUS)
		sysreg_write(ICC_EOIR0_EL1, last);
	isb();
}

static void handlers(void)
{
	cpu_self()->irq = on_irq;
	cpu_self()->fiq = on_fiq;
	irqs = fiqs = last = 0;
}

static void test_irq_exception(void)
{
	u32 i;

	handlers();
	for (i = 0; i < MANY; i++) {
		gic_enable(spi(i));
		gic_pend(spi(i));
	}
	expect_eq(sysreg_read(ISR_EL1) & BIT(7), BIT(7), "ISR_EL1.I");
	expect_eq(irqs, 0, "IRQs while masked");
	irq_enable();
	delay_us(2000);
	irq_disable();
	expect_eq(irqs, MANY, "IRQs taken");
	expect_eq(fiqs, 0, "FIQs taken");
	expect_eq(sysreg_read(ISR_EL1) & BIT(7), 0, "ISR_EL1.I");
}

static void test_group0_fiq(void)
{
	handlers();
	gic_set_group(spi(14), 0);
	if (read32(gic_reg(spi(14), GIC_IGROUPR, 1)) >> (spi(14) & 31) & 1)
		return test_skip("no group 0 here");
	gic_enable(spi(14));
	gic_enable(spi(15));
	gic_pend(spi(14));
	NONE();
	expect_eq(sysreg_read(ISR_EL1) & (BIT(6) | BIT(7)), BIT(6), "ISR_EL1.{F,I}");
	expect_eq(sysreg_read(ICC_HPPIR0_EL1), spi(14), "HPPIR0");
	expect_eq(sysreg_read(ICC_HPPIR1_EL1), INTID_SPURIOUS, "HPPIR1");
	irq_enable();
	delay_us(100);
	irq_disable();
	expect_eq(fiqs, 1, "FIQs taken");
	expect_eq(irqs, 0, "IRQs taken");
	expect_eq(last, spi(14), "INTID of the FIQ");
	gic_pend(spi(15));
	irq_enable();
	delay_us(100);
	irq_disable();
	expect_eq(fiqs, 1, "FIQs taken");
	expect_eq(irqs, 1, "IRQs taken");
	sysreg_write(ICC_IGRPEN0_EL1, 0);
	gic_pend(spi(14));
	expect_eq(sysreg_read(ISR_EL1) & BIT(6), 0, "ISR_EL1.F with group 0 off");
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	isb();
	expect_eq(sysreg_read(ISR_EL1) & BIT(6), BIT(6), "ISR_EL1.F with group 0 on");
	irq_enable();
	delay_us(100);
	irq_disable();
	expect_eq(fiqs, 2, "FIQs taken");
}

static void test_dist_disabled(void)
{
	gic_enable(spi(16));
	gic_pend(spi(16));
	write32(dt.gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP0);
	gic_wait_rwp();
	NONE();
	STATE(spi(16), 1, 0);
	write32(dt.gicd + GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
	gic_wait_rwp();
	ACK(spi(16));
	gic_eoi(spi(16));
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
	gic_pend(spi(16));
	NONE();
	expect_eq(sysreg_read(ISR_EL1) & BIT(7), 0, "ISR_EL1.I");
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	ACK(spi(16));
	gic_eoi(spi(16));
}

static void on_nested(struct frame *f)
{
	u32 id = gic_ack(), n = id - spi0;

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	last = last << 4 | (n + 1);
	irqs = irqs + 1;
	if (n < 3) {
		/* One of higher priority, which preempts, and one that must wait. */
		gic_pend(spi(n + 1));
		irq_enable();
		delay_us(50);
		irq_disable();
		last = last << 4 | (n + 9);
	}
	gic_eoi(id);
}

/* Real exceptions: each handler unmasks and is preempted by the next. */
static void test_irq_preemption(void)
{
	u32 i;

	handlers();
	cpu_self()->irq = on_nested;
	for (i = 0; i < 4; i++) {
		gic_set_priority(spi(i), (u8)(0xc0 - 0x20 * i));
		gic_enable(spi(i));
	}
	gic_pend(spi(0));
	irq_enable();
	delay_us(2000);
	irq_disable();
	expect_eq(irqs, 4, "IRQs taken");
	expect_eq(last, 0x1234ba9, "order of handlers");
	for (i = 0; i < 4; i++)
		STATE(spi(i), 0, 0);
}

static void test_wfi_masked(void)
{
	handlers();
	gic_enable(spi(17));
	gic_pend(spi(17));
	wfi();
	wfi();
	expect_eq(irqs, 0, "IRQs taken while masked");
	ACK(spi(17));
	gic_eoi(spi(17));
}

/* Invalid writes at the CPU interface: EOI and DIR of what is not active change nothing. */
static void test_stray_eoi(void)
{
	u32 i;

	gic_enable(spi(18));
	gic_pend(spi(18));
	ACK(spi(18));
	eoimode1();
	for (i = 0; i < 1024; i += 3)
		if (i != spi(18))
			gic_deactivate(i);
	STATE(spi(18), 0, 1);
	gic_deactivate(spi(18));
	STATE(spi(18), 0, 0);
	gic_eoi(spi(18));
	gic_eoi(0xffffff);
	gic_deactivate(0xffffff);
	sysreg_write(ICC_CTLR_EL1, 0);
	isb();
	gic_pend(spi(18));
	ACK(spi(18));
	gic_eoi(spi(18));
	NONE();
}

static void test_storm(void)
{
	u64 seed = 7;
	u32 i, taken = 0, sent = 0;

	for (i = 0; i < MANY; i++) {
		gic_set_priority(spi(i), (u8)(random_next(&seed) & 0xf0));
		gic_enable(spi(i));
	}
	for (i = 0; i < 2000; i++) {
		u32 id, n = (u32)(random_next(&seed) % MANY);

		if (!gic_is_pending(spi(n))) {
			gic_pend(spi(n));
			sent++;
		}
		if (random_next(&seed) & 1 || (id = gic_ack()) == INTID_SPURIOUS)
			continue;
		taken++;
		gic_eoi(id);
	}
	for (;;) {
		u32 id = gic_ack();

		if (id == INTID_SPURIOUS)
			break;
		taken++;
		gic_eoi(id);
	}
	expect_eq(taken, sent, "interrupts taken");
}

static const struct suite_test tests[] = {
	{ "level_device", test_level_device, 1 },     { "irq_exception", test_irq_exception, 1 },
	{ "group0_fiq", test_group0_fiq, 1 },         { "dist_disabled", test_dist_disabled, 1 },
	{ "irq_preemption", test_irq_preemption, 1 }, { "wfi_masked", test_wfi_masked, 1 },
	{ "stray_eoi", test_stray_eoi, 1 },           { "storm", test_storm, 1 },
};

void guest_main(void)
{
	gic_suite_run(tests, ARRAY_SIZE(tests));
}
