/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of 32 interrupts, register by register (IHI 0069, "Distributor registers"): set and
 * clear pairs, bits that only a write of 1 changes, priorities by byte, and what happens to the
 * physical interrupt behind one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dev/gicv3.h"
#include "vgic/internal.h"

static struct irq32 b;
static u32 pending_pintids; /* bit n: the machine's GIC has PPI n pending */
static u32 deactivated;     /* bit n: PPI n was deactivated */
static unsigned deactivations;

bool gicv3_is_pending(u32 intid)
{
	return pending_pintids >> intid & 1;
}

void gicv3_deactivate(u32 intid)
{
	deactivated |= 1u << intid;
	deactivations++;
}

static int setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	pending_pintids = deactivated = 0;
	deactivations = 0;
	lr_caps.prio_mask = 0xf8;
	for (u32 i = 0; i < 32; i++)
		b.pintid[i] = (u16)(31 - i);
	return 0;
}

static u32 write(u32 reg, u64 data, u32 bits)
{
	struct vgic_op op = { .reg = (u8)reg, .write = true, .mask = bits, .data = data };

	return irq32_write(&b, &op, bits);
}

static u64 read(u32 reg, u32 bits)
{
	struct vgic_op op = { .reg = (u8)reg, .mask = bits };

	return irq32_read(&b, &op, bits);
}

/* A pair: 1 sets or clears, 0 and what is not accessed do not change, both read the same. */
static void pair(u32 set, u32 clear, u32 bits)
{
	assert_int_equal(write(set, 0xffffffff, bits), 0);
	assert_int_equal(read(set, ~0u), bits);
	assert_int_equal(read(clear, ~0u), bits);
	assert_int_equal(read(set, bits & -bits), bits & -bits);
	assert_int_equal(write(set, 0, bits), 0);
	assert_int_equal(read(set, ~0u), bits);
	assert_int_equal(write(clear, 0, bits), 0);
	assert_int_equal(read(set, ~0u), bits);
	assert_int_equal(write(clear, ~0u, bits & 0xff), 0);
	assert_int_equal(read(set, ~0u), bits & ~0xffu);
	assert_int_equal(write(clear, bits, ~0u), 0);
	assert_int_equal(read(clear, ~0u), 0);
}

static void pairs(void **state)
{
	(void)state;
	pair(VGIC_ENABLE, VGIC_DISABLE, 0xf00ff00f);
	pair(VGIC_PEND, VGIC_UNPEND, 0x80000001);
	pair(VGIC_ACTIVATE, VGIC_DEACTIVATE, 0x00018081);
}

/* Plain words: they hold what is written; what is not accessed does not change. */
static void words(void **state)
{
	static const u32 regs[] = { VGIC_GROUP, VGIC_CONFIG };

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
		write(regs[i], 0x12345678, ~0u);
		assert_int_equal(read(regs[i], ~0u), 0x12345678);
		write(regs[i], 0xffffffff, 0xff00);
		assert_int_equal(read(regs[i], ~0u), 0x1234ff78);
		write(regs[i], 0, 0xff);
		assert_int_equal(read(regs[i], ~0u), 0x1234ff00);
	}
}

static void priorities(void **state)
{
	(void)state;
	/* Interrupts 4 to 7 in one word, then 6 by a byte: bits that are not implemented are 0. */
	write(VGIC_PRIORITY, 0xa7b6c5d4, 0xf0);
	assert_int_equal(read(VGIC_PRIORITY, 0xf0), 0xa0b0c0d0);
	write(VGIC_PRIORITY, 0xffffffff, 1u << 6);
	assert_int_equal(read(VGIC_PRIORITY, 0xf0), 0xa0f8c0d0);
	assert_int_equal(read(VGIC_PRIORITY, 1u << 6), 0xf80000);
	assert_int_equal(read(VGIC_PRIORITY, 0xf), 0);
}

/*
 * ISACTIVER records the priority of that moment: a later write of the register is for the next
 * instance.
 */
static void active_priority(void **state)
{
	(void)state;
	write(VGIC_PRIORITY, 0x80, 1);
	write(VGIC_ACTIVATE, 1, 1);
	write(VGIC_PRIORITY, 0x40, 1);
	assert_int_equal(b.aprio[0], 0x80);
	/* Active already: nothing happens. */
	write(VGIC_ACTIVATE, 1, 1);
	assert_int_equal(b.aprio[0], 0x80);
	write(VGIC_DEACTIVATE, 1, 1);
	write(VGIC_ACTIVATE, 1, 1);
	assert_int_equal(b.aprio[0], 0x40);
}

/* Pending: latched, or a level-sensitive line that is high, which ICPENDR does not clear. */
static void pending(void **state)
{
	(void)state;
	b.edge = 0x0f;
	b.line = 0xff;
	assert_int_equal(read(VGIC_PEND, ~0u), 0xf0);
	write(VGIC_PEND, 0x101, ~0u);
	assert_int_equal(read(VGIC_UNPEND, ~0u), 0x1f1);
	write(VGIC_UNPEND, ~0u, ~0u);
	assert_int_equal(read(VGIC_PEND, ~0u), 0xf0);
	b.line = 0;
	assert_int_equal(read(VGIC_PEND, ~0u), 0);
}

/* What an acknowledgement has begun ends with it. */
static void acknowledged(void **state)
{
	(void)state;
	b.active = b.acked = 0x6;
	write(VGIC_DEACTIVATE, 0x2, ~0u);
	assert_int_equal(b.active, 0x4);
	assert_int_equal(b.acked, 0x4);
}

/* A physical interrupt ends with the pending state or the active instance that it stands for. */
static void physical_over(void **state)
{
	(void)state;
	b.hw = 0x7;
	b.active = 0x2;
	assert_int_equal(read(VGIC_PEND, ~0u), 0x5); /* behind the active one none is pending */
	assert_int_equal(write(VGIC_UNPEND, 0x3, ~0u), 0x1);
	assert_int_equal(write(VGIC_DEACTIVATE, 0x6, ~0u), 0x2);
	assert_int_equal(deactivations, 0); /* the caller does that */
	irq32_hw_release(&b, 0x9);
	assert_int_equal(b.hw, 0x6);
	assert_int_equal(deactivated, 1u << 31);
	irq32_hw_release(&b, ~0u);
	assert_int_equal(b.hw, 0);
	assert_int_equal(deactivated, 7u << 29);
	assert_int_equal(deactivations, 3);
}

/* One that fires behind an active instance: an edge is recorded, a level is sampled again. */
static void physical_arrives(void **state)
{
	(void)state;
	b.edge = 0x3;
	b.active = 0x5;
	irq32_hw_arrive(&b, 0x7);
	assert_int_equal(b.hw, 0x7);
	assert_int_equal(b.latch, 0x1);
	assert_int_equal(read(VGIC_PEND, ~0u), 0x3);
	/* One that was waiting becomes active by ISACTIVER: an edge stays pending. */
	setup(NULL);
	b.edge = 0x1;
	b.hw = 0x3;
	write(VGIC_ACTIVATE, 0x3, ~0u);
	assert_int_equal(b.latch, 0x1);
	assert_int_equal(read(VGIC_PEND, ~0u), 0x1);
}

/* Level-sensitive ones that wait while their line has fallen are withdrawn, and no others. */
static void physical_falls(void **state)
{
	(void)state;
	b.hw = 0xf;
	b.edge = 0x1;
	b.active = 0x2;
	pending_pintids = 1u << (31 - 3);
	irq32_hw_resample(&b, ~0u);
	assert_int_equal(b.hw, 0xb);
	assert_int_equal(deactivated, 1u << (31 - 2));
	assert_int_equal(irq32_hw_pending(&b, 0xf), 0x8);
	assert_int_equal(irq32_hw_pending(&b, 0x7), 0);
}

/* Reads whose result is in list registers, and every write, have them folded first. */
static void folds(void **state)
{
	(void)state;
	for (u32 reg = VGIC_NONE; reg <= VGIC_ROUTE; reg++) {
		struct vgic_op op = { .reg = (u8)reg };
		bool state_of_one = reg == VGIC_PEND || reg == VGIC_UNPEND ||
				    reg == VGIC_ACTIVATE || reg == VGIC_DEACTIVATE;

		assert_int_equal(vgic_op_needs_fold(&op), state_of_one);
		op.write = true;
		assert_true(vgic_op_needs_fold(&op));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pairs, setup),
		cmocka_unit_test_setup(words, setup),
		cmocka_unit_test_setup(priorities, setup),
		cmocka_unit_test_setup(active_priority, setup),
		cmocka_unit_test_setup(pending, setup),
		cmocka_unit_test_setup(acknowledged, setup),
		cmocka_unit_test_setup(physical_over, setup),
		cmocka_unit_test_setup(physical_arrives, setup),
		cmocka_unit_test_setup(physical_falls, setup),
		cmocka_unit_test_setup(folds, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
