/* SPDX-License-Identifier: Apache-2.0 */
/* What the GIC tests share: taking interrupts by polling, states, a clean start for each test. */
#pragma once

#include "exception.h"
#include "gic.h"
#include "suite.h"

#define PPI 22 /* no device of QEMU's machine or of nidus has it */
#define MANY 20
static u32 spi0; /* the first of 24 SPIs that no device has */

static inline u32 spi(u32 n)
{
	return spi0 + n;
}

/* Poll until the INTID can be acknowledged; or that none can. */
static inline u32 ack_wait(void)
{
	u64 start = counter_virt();
	u32 id;

	do
		id = gic_ack();
	while (id == INTID_SPURIOUS && counter_virt() - start < ticks_us(PATIENCE_US));
	return id;
}

/* Check that nothing is signalled, now or after the time of a few exits. */
static inline void expect_none(int line)
{
	u32 i, id;

	for (i = 0; i < 3; i++) {
		id = gic_ack();
		if (id != INTID_SPURIOUS) {
			test_fail("line %d: INTID %u signalled, expected none", line, id);
			gic_eoi(id);
			return;
		}
		delay_us(20);
	}
}
#define NONE() expect_none(__LINE__)

static inline void expect_ack(int line, u32 want)
{
	u32 id = ack_wait();

	if (id != want)
		test_fail("line %d: INTID %u signalled, expected %u", line, id, want);
}
#define ACK(id) expect_ack(__LINE__, id)

#define STATE(id, pending, active)                                                                 \
	do {                                                                                       \
		expect_eq(gic_is_pending(id), pending, "pending");                                 \
		expect_eq(gic_is_active(id), active, "active");                                    \
	} while (0)

/* Make every interrupt inactive and the running priority idle, whatever the previous test left. */
static inline void clean(void)
{
	u32 i, end = gic_spi_end();

	irq_disable();
	sysreg_write(ICC_CTLR_EL1, 0);
	isb();
	for (i = 0; i < 64 && sysreg_read(ICC_RPR_EL1) < 0xf8; i++) {
		gic_eoi(INTID_SPURIOUS - 3);
		sysreg_write(ICC_AP1R0_EL1, 0);
		sysreg_write(ICC_AP0R0_EL1, 0);
		isb();
	}
	for (i = 32; i < end; i += 16)
		write32(gic_reg(i, GIC_ICFGR, 2), 0xaaaaaaaa);
	gic_dist_init();
	gic_cpu_init();
	cpu_self()->irq = cpu_self()->fiq = NULL;
}

static inline void eoimode1(void)
{
	sysreg_write(ICC_CTLR_EL1, BIT(1));
	isb();
	expect_eq(sysreg_read(ICC_CTLR_EL1) & 2, 2, "ICC_CTLR_EL1.EOImode");
}

/* Choose the SPIs and run the suite. */
static inline void gic_suite_run(const struct suite_test *tests, u32 count)
{
	spi0 = gic_spi_end() >= 128 ? 96 : 40;
	suite_run(tests, count, clean);
	clean();
}
