/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtual GIC, one behaviour at a time: delivery through list registers, hardware-backed
 * interrupts, other vcpus.
 */
#include "gic_model.h"

#include "lib/log.h"
#include "simd/simd.h"

static int up(void **state)
{
	(void)state;
	vm_up(2, 4);
	open_up();
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	return 0;
}

static u64 sgi1r(u32 intid, u32 list)
{
	return (u64)intid << ICC_SGIR_INTID_SHIFT | list;
}

static void sgi(struct vcpu *from, u32 intid, u32 list)
{
	fake_cpu = cpu_of(from);
	assert_int_equal(vgic_sgi(from, sgi1r(intid, list), true), SKIP);
}

/* v enters and acknowledges exactly intid. */
static void expect_ack(struct vcpu *v, u32 intid)
{
	enter(v);
	assert_int_equal(hw_ack(1), intid);
}

static void expect_none(struct vcpu *v)
{
	enter(v);
	assert_false(hw_signal());
	assert_false(vgic_interrupt_pending(v));
}

static void eoi(struct vcpu *v, u32 intid)
{
	fake_cpu = cpu_of(v);
	if (intid == 27)
		phys[fake_cpu][0].pending &= ~(1u << 27); /* serviced: its line is low */
	hw_eoi(intid, 1);
}

static void sgi_reaches_its_targets(void **state)
{
	(void)state;
	kicks[0] = kicks[1] = 0;
	sgi(&vcpu[0], 5, 2);
	assert_int_equal(kicks[1], 1);
	expect_none(&vcpu[0]);
	expect_ack(&vcpu[1], 5);
	/* Again while active: it is pending once more, however often. */
	sgi(&vcpu[0], 5, 2);
	sgi(&vcpu[0], 5, 2);
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(1), SPURIOUS);
	eoi(&vcpu[1], 5);
	expect_ack(&vcpu[1], 5);
	eoi(&vcpu[1], 5);
	expect_none(&vcpu[1]);

	/* To itself, without a kick. */
	kicks[0] = 0;
	sgi(&vcpu[0], 3, 1);
	assert_int_equal(kicks[0], 0);
	expect_ack(&vcpu[0], 3);
	eoi(&vcpu[0], 3);

	/* All but self; absent vcpus; another cluster; a range without vcpus. */
	fake_cpu = 0;
	vgic_sgi(&vcpu[0], sgi1r(1, 0) | ICC_SGIR_IRM, true);
	vgic_sgi(&vcpu[0], sgi1r(2, 0xfffc), true);
	vgic_sgi(&vcpu[0], sgi1r(2, 3) | 1UL << ICC_SGIR_AFF1_SHIFT, true);
	vgic_sgi(&vcpu[0], sgi1r(2, 3) | 1UL << ICC_SGIR_AFF2_SHIFT, true);
	vgic_sgi(&vcpu[0], sgi1r(2, 3) | 1UL << ICC_SGIR_AFF3_SHIFT, true);
	vgic_sgi(&vcpu[0], sgi1r(2, 3) | 1UL << ICC_SGIR_RS_SHIFT, true);
	vgic_sgi(&vcpu[0], sgi1r(2, 3), false); /* SGI 2 is Group 1 at both */
	expect_none(&vcpu[0]);
	expect_ack(&vcpu[1], 1);
	eoi(&vcpu[1], 1);
	expect_none(&vcpu[1]);
}

static void repeated_sgi_takes_no_fold(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		sgi(&vcpu[0], (u32)i % 8, 2);
		unsigned before = fake_writes_total();

		enter(&vcpu[1]);
		assert_int_equal(fake_writes_total() - before, 1); /* one list register */
		expect_ack(&vcpu[1], (u32)i % 8);
		eoi(&vcpu[1], (u32)i % 8);
	}
	assert_int_equal(phys_mmio, 0);
}

/*
 * A list register that was written reads as empty until a context synchronization event: as late as
 * hardware may.
 */
static u32 late_empty;
static unsigned isbs_then;

static void late_write(u64 v)
{
	lr_check(v);
	late_empty = 0xf; /* as all were before */
	isbs_then = fake_isbs;
}

static u64 late_elrsr(u64 stored)
{
	if (fake_isbs != isbs_then)
		late_empty = 0;
	return read_elrsr(stored) | late_empty;
}

static void a_list_register_just_written_is_not_taken_for_empty(void **state)
{
	(void)state;
	fake_on_read("ICH_ELRSR_EL2", late_elrsr);
	for (u32 i = 0; i < 4; i++)
		fake_on_write(lr_name[i], late_write);
	sgi(&vcpu[0], 5, 2);
	enter(&vcpu[1]);
	/* Another one before the ERET. */
	sgi(&vcpu[0], 6, 2);
	enter(&vcpu[1]);
	late_empty = 0;
	expect_ack(&vcpu[1], 5);
	eoi(&vcpu[1], 5);
	expect_ack(&vcpu[1], 6);
	eoi(&vcpu[1], 6);
}

static void group0_is_apart(void **state)
{
	(void)state;
	wr(&vcpu[1], GICR_AT + GICR_SIZE + GICR_SGI + GICD_IGROUPR, 4, ~(1u << 4));
	sgi(&vcpu[0], 4, 2); /* Group 1 register, SGI of Group 0: nothing */
	expect_none(&vcpu[1]);
	fake_cpu = 0;
	vgic_sgi(&vcpu[0], sgi1r(4, 2), false);
	enter(&vcpu[1]);
	assert_true(hw_signal());
	assert_int_equal(hw_ack(1), SPURIOUS);
	assert_int_equal(hw_ack(0), 4);
	hw_eoi(4, 0);

	/*
	 * The group off at the distributor: it stays pending, is not signalled, and comes when the
	 * group is on.
	 */
	fake_cpu = 0;
	vgic_sgi(&vcpu[0], sgi1r(4, 2), false);
	enter(&vcpu[1]);
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 2);
	expect_none(&vcpu[1]);
	assert_true(bit_rd(&vcpu[1], 1, 4, GICD_ISPENDR));
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 3);
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(0), 4);
	hw_eoi(4, 0);
}

static void most_urgent_first_beyond_the_list_registers(void **state)
{
	(void)state;
	/* SPIs 32-47 at falling INTID rising priority, pairs equal: order by priority, then INTID.
	 */
	for (u32 n = 32; n < 48; n++) {
		set_prio(&vcpu[0], 0, n, (0xf0 - (n - 32) / 2 * 8) & 0xf8);
		bit_wr(&vcpu[0], 0, n, GICD_ISENABLER);
	}
	for (u32 n = 32; n < 48; n++)
		bit_wr(&vcpu[0], 0, n, GICD_ISPENDR);
	for (u32 pair = 8; pair-- > 0;) {
		expect_ack(&vcpu[0], 32 + pair * 2);
		eoi(&vcpu[0], 32 + pair * 2);
		expect_ack(&vcpu[0], 33 + pair * 2);
		eoi(&vcpu[0], 33 + pair * 2);
	}
	expect_none(&vcpu[0]);
}

static void urgent_newcomer_displaces(void **state)
{
	(void)state;
	for (u32 n = 0; n < 4; n++)
		sgi(&vcpu[1], n, 1);
	enter(&vcpu[0]);
	set_prio(&vcpu[0], 0, 9, 0x10);
	sgi(&vcpu[1], 9, 1);
	expect_ack(&vcpu[0], 9);
	eoi(&vcpu[0], 9);
	for (u32 n = 0; n < 4; n++) {
		expect_ack(&vcpu[0], n);
		eoi(&vcpu[0], n);
	}
	expect_none(&vcpu[0]);
}

/* More nested handlers than list registers; each EOI ends its interrupt. */
static void nest(bool split)
{
	fake_cpu = 0;
	vmcr_set(0xf8, split);
	for (u32 n = 0; n < 10; n++)
		set_prio(&vcpu[0], 0, n, 0xe0 - 8 * n);
	for (u32 n = 0; n < 10; n++) {
		sgi(&vcpu[1], n, 1);
		expect_ack(&vcpu[0], n);
	}
	for (u32 n = 10; n-- > 0;) {
		enter(&vcpu[0]);
		hw_eoi(n, 1);
		enter(&vcpu[0]);
		assert_int_equal(bit_rd(&vcpu[0], 0, n, GICD_ISACTIVER), split);
		enter(&vcpu[0]);
		if (!split)
			continue;
		hw_dir(&vcpu[0], n);
		assert_false(bit_rd(&vcpu[0], 0, n, GICD_ISACTIVER));
	}
	assert_int_equal(rd(&vcpu[0], bit_at(0, 0, GICD_ISACTIVER), 4), 0);
	sgi(&vcpu[1], 0, 1);
	expect_ack(&vcpu[0], 0);
}

static void nesting_beyond_the_list_registers(void **state)
{
	(void)state;
	nest(false);
}

static void nesting_with_split_eoi(void **state)
{
	(void)state;
	nest(true);
}

/* EOImode 1, every priority dropped first, deactivated in another order. */
static void deactivation_in_any_order(void **state)
{
	(void)state;
	fake_cpu = 0;
	vmcr_set(0xf8, true);
	for (u32 n = 0; n < 9; n++) {
		sgi(&vcpu[1], n, 1);
		expect_ack(&vcpu[0], n);
		hw_eoi(n, 1);
	}
	for (u32 i = 0; i < 9; i++) {
		u32 n = i * 4 % 9;

		enter(&vcpu[0]);
		hw_dir(&vcpu[0], n);
		enter(&vcpu[0]);
		for (u32 k = 0; k < 9; k++) {
			bool gone = false;

			for (u32 j = 0; j <= i; j++)
				gone |= j * 4 % 9 == k;
			assert_int_equal(bit_rd(&vcpu[0], 0, k, GICD_ISACTIVER), !gone);
		}
	}
}

static void level_line(void **state)
{
	(void)state;
	/* A PPI, then an SPI, of an emulated device. */
	for (u32 intid = 30; intid <= 33; intid += 3) {
		bit_wr(&vcpu[0], 0, intid, GICD_ISENABLER);
		if (intid < 32)
			vgic_set_ppi(&vcpu[0], intid, true);
		else
			vgic_set_spi(&vm, intid, true);
		expect_ack(&vcpu[0], intid);
		/* Not serviced: pending again after EOI. */
		eoi(&vcpu[0], intid);
		expect_ack(&vcpu[0], intid);
		assert_true(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
		/* ICPENDR does not lower a line. */
		bit_wr(&vcpu[0], 0, intid, GICD_ICPENDR);
		assert_true(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
		if (intid < 32)
			vgic_set_ppi(&vcpu[0], intid, false);
		else
			vgic_set_spi(&vm, intid, false);
		enter(&vcpu[0]);
		assert_false(bit_rd(&vcpu[0], 0, intid, GICD_ISPENDR));
		enter(&vcpu[0]);
		eoi(&vcpu[0], intid);
		assert_false(hw_maintenance()); /* the line fell in time: its end takes no exit */
		expect_none(&vcpu[0]);

		/* A line that rises and falls unseen leaves nothing. */
		if (intid < 32)
			vgic_set_ppi(&vcpu[0], intid, true);
		else
			vgic_set_spi(&vm, intid, true);
		enter(&vcpu[0]);
		if (intid < 32)
			vgic_set_ppi(&vcpu[0], intid, false);
		else
			vgic_set_spi(&vm, intid, false);
		expect_none(&vcpu[0]);

		/* ISPENDR of a level-sensitive one: pending until acknowledged, or ICPENDR. */
		bit_wr(&vcpu[0], 0, intid, GICD_ISPENDR);
		expect_ack(&vcpu[0], intid);
		eoi(&vcpu[0], intid);
		expect_none(&vcpu[0]);
		bit_wr(&vcpu[0], 0, intid, GICD_ISPENDR);
		enter(&vcpu[0]);
		bit_wr(&vcpu[0], 0, intid, GICD_ICPENDR);
		expect_none(&vcpu[0]);
	}
}

static void edge_line(void **state)
{
	(void)state;
	for (u32 intid = 21; intid <= 41; intid += 20) {
		bit_wr(&vcpu[0], 0, intid, GICD_ISENABLER);
		wr(&vcpu[0],
		   intid < 32 ? GICR_AT + GICR_SGI + GICD_ICFGR + 4 : GICD_AT + GICD_ICFGR + 8, 4,
		   ~0u);
		for (int again = 0; again < 2; again++) {
			for (int i = 0; i < 2; i++) {
				if (intid < 32) {
					vgic_set_ppi(&vcpu[0], intid, true);
					vgic_set_ppi(&vcpu[0], intid, false);
				} else {
					vgic_set_spi(&vm, intid, true);
					vgic_set_spi(&vm, intid, false);
				}
				if (!i)
					expect_ack(&vcpu[0], intid);
			}
			/* The second edge came while active. */
			enter(&vcpu[0]);
			eoi(&vcpu[0], intid);
			expect_ack(&vcpu[0], intid);
			eoi(&vcpu[0], intid);
			expect_none(&vcpu[0]);
		}
	}
}

static void disable_withdraws(void **state)
{
	(void)state;
	sgi(&vcpu[0], 6, 2);
	enter(&vcpu[1]);
	assert_true(hw_signal());
	/* Deactivated by itself, and by the other vcpu. */
	bit_wr(&vcpu[1], 1, 6, GICD_ICENABLER);
	expect_none(&vcpu[1]);
	assert_true(bit_rd(&vcpu[0], 1, 6, GICD_ISPENDR));
	bit_wr(&vcpu[0], 1, 6, GICD_ISENABLER);
	enter(&vcpu[1]);
	assert_true(hw_signal());
	bit_wr(&vcpu[0], 1, 6, GICD_ICENABLER);
	expect_none(&vcpu[1]);
	bit_wr(&vcpu[0], 1, 6, GICD_ICPENDR);
	bit_wr(&vcpu[0], 1, 6, GICD_ISENABLER);
	expect_none(&vcpu[1]);

	/* Disabled while active: its end is still seen, and what came meanwhile waits. */
	sgi(&vcpu[0], 6, 2);
	expect_ack(&vcpu[1], 6);
	bit_wr(&vcpu[0], 1, 6, GICD_ICENABLER);
	sgi(&vcpu[0], 6, 2);
	enter(&vcpu[1]);
	eoi(&vcpu[1], 6);
	expect_none(&vcpu[1]);
	bit_wr(&vcpu[1], 1, 6, GICD_ISENABLER);
	expect_ack(&vcpu[1], 6);
	eoi(&vcpu[1], 6);
}

static void spi_moves_with_its_route(void **state)
{
	(void)state;
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	vgic_set_spi(&vm, 40, true);
	enter(&vcpu[0]);
	assert_true(hw_signal());
	wr(&vcpu[1], GICD_AT + GICD_IROUTER + 8 * 40, 8, 1);
	expect_none(&vcpu[0]);
	expect_ack(&vcpu[1], 40);
	/* While active, it stays with the vcpu that acknowledged it. */
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 40, 8, 0);
	expect_none(&vcpu[0]);
	enter(&vcpu[1]);
	assert_true(bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER));
	enter(&vcpu[1]);
	eoi(&vcpu[1], 40);
	enter(&vcpu[1]); /* the line is still high */
	expect_ack(&vcpu[0], 40);
	vgic_set_spi(&vm, 40, false);
	enter(&vcpu[0]);
	eoi(&vcpu[0], 40);
	/* Routed to no vcpu; to any. */
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 40, 8, 77);
	vgic_set_spi(&vm, 40, true);
	expect_none(&vcpu[0]);
	expect_none(&vcpu[1]);
	vcpu[0].state = VCPU_OFF;
	wr(&vcpu[1], GICD_AT + GICD_IROUTER + 8 * 40, 8, BIT(31));
	vcpu[0].state = VCPU_RUNNING;
	expect_none(&vcpu[0]);
	expect_ack(&vcpu[1], 40);
}

static void other_vcpus_list_registers_are_seen(void **state)
{
	(void)state;
	sgi(&vcpu[0], 7, 2);
	expect_ack(&vcpu[1], 7);
	assert_true(bit_rd(&vcpu[0], 1, 7, GICD_ISACTIVER));
	assert_false(bit_rd(&vcpu[0], 1, 7, GICD_ISPENDR));
	enter(&vcpu[1]);
	bit_wr(&vcpu[0], 1, 7, GICD_ICACTIVER);
	assert_false(bit_rd(&vcpu[0], 1, 7, GICD_ISACTIVER));

	/* Neither is loaded: its state is in memory. */
	put(&vcpu[1]);
	bit_wr(&vcpu[0], 1, 8, GICD_ISPENDR);
	assert_true(bit_rd(&vcpu[0], 1, 8, GICD_ISPENDR));
	fake_cpu = 3;
	assert_true(kicks[1]);
	load(&vcpu[1], 2);
	fake_set("ICH_AP1R0_EL2", 0);
	expect_ack(&vcpu[1], 8);
}

/* A loaded vcpu serves its requests. */
static void serve(struct vcpu *v)
{
	int self = fake_cpu;

	fake_cpu = cpu_of(v);
	assert_true(v->requests & REQ_VGIC_SYNC);
	v->requests = 0;
	vgic_serve_sync(v);
	fake_cpu = self;
}

/* A vcpu that has not answered yet is neither waited for with interrupts masked nor given up. */
static void late_answer_is_waited_for(void **state)
{
	(void)state;
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 40, 8, 1);
	vgic_set_spi(&vm, 40, true);
	expect_ack(&vcpu[1], 40);
	deaf = true;
	for (int i = 0; i < 3; i++) {
		(void)bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER);
		assert_true(waits);
	}
	serve(&vcpu[1]);
	assert_true(bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER));
	assert_false(waits);
	/* A private interrupt, and a write. */
	set_prio(&vcpu[0], 1, 20, 0x48);
	assert_true(waits);
	serve(&vcpu[1]);
	set_prio(&vcpu[0], 1, 20, 0x48);
	assert_false(waits);
	deaf = false;
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_SGI + GICD_IPRIORITYR + 20, 1),
			 0x48);
}

static void waker(u32 i, bool awake)
{
	wr(&vcpu[0], GICR_AT + GICR_SIZE * i + GICR_WAKER, 4, awake ? 0 : GICR_WAKER_SLEEP);
	/* One vcpu folds it, the other gets it. */
	for (u32 k = 0; k < 4; k++)
		enter(&vcpu[k % 2]);
}

static void pending_at(u32 i)
{
	fake_cpu = !i;
	assert_false(hw_signal());
	fake_cpu = (int)i;
	assert_true(hw_signal());
}

/* 1 of N: never left with a vcpu that cannot take it, if another one could. */
static void any_vcpu(void **state)
{
	(void)state;
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 40, 8, GICD_IROUTER_IRM);
	for (u32 i = 0; i < 2; i++)
		sgi(&vcpu[i], 1, 3); /* their CPUs have seen their groups */
	for (u32 i = 0; i < 2; i++) {
		expect_ack(&vcpu[i], 1);
		eoi(&vcpu[i], 1);
	}
	bit_wr(&vcpu[0], 0, 40, GICD_ISPENDR);
	enter(&vcpu[0]);
	enter(&vcpu[1]);
	pending_at(0); /* both asleep, as for software that does not use it */
	waker(1, true);
	pending_at(1);
	waker(0, true);
	pending_at(0);
	waker(0, false);
	pending_at(1);
	waker(0, true);
	pending_at(0);
	/* The guest switches its group off: without an exit, but with a maintenance interrupt. */
	fake_cpu = 0;
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~ICH_VMCR_ENG1);
	assert_true(hw_maintenance());
	enter(&vcpu[0]);
	enter(&vcpu[1]);
	pending_at(1);
	fake_cpu = 0;
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") | ICH_VMCR_ENG1);
	/* vcpu 1 goes off. */
	put(&vcpu[1]);
	vgic_vcpu_off(&vcpu[1]);
	vcpu[1].state = VCPU_OFF;
	enter(&vcpu[0]);
	expect_ack(&vcpu[0], 40);
	/* What is active stays with the vcpu that will end it. */
	wr(&vcpu[0], GICR_AT + GICR_WAKER, 4, GICR_WAKER_SLEEP);
	enter(&vcpu[0]);
	eoi(&vcpu[0], 40);
	assert_false(bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER));
}

static void groups_set(u32 i, u64 on)
{
	fake_cpu = (int)i;
	fake_set("ICH_VMCR_EL2",
		 (fake_get("ICH_VMCR_EL2") & ~(u64)(ICH_VMCR_ENG0 | ICH_VMCR_ENG1)) | on);
}

/* The groups' state has been read on both vcpus' CPUs. */
static void groups_told(void)
{
	for (u32 i = 0; i < 2; i++)
		sgi(&vcpu[i], 1, 3);
	for (u32 i = 0; i < 2; i++) {
		expect_ack(&vcpu[i], 1);
		eoi(&vcpu[i], 1);
	}
}

/*
 * Its group is closed or opened without an exit: noticed at the first flush, and an interrupt goes
 * to a vcpu that can take it.
 */
static void any_vcpu_by_groups_seen_late(void **state)
{
	(void)state;
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 40, 8, GICD_IROUTER_IRM);
	groups_told();
	groups_set(0, 0);
	bit_wr(&vcpu[1], 0, 40, GICD_ISPENDR);
	enter(&vcpu[0]);
	enter(&vcpu[1]);
	pending_at(1);
	/*
	 * No vcpu can take it; then vcpu 1 can again, which it finds out by an interrupt of its
	 * own.
	 */
	groups_set(1, 0);
	enter(&vcpu[1]);
	for (u32 i = 0; i < 2; i++)
		sgi(&vcpu[i], 1, 1u << i);
	enter(&vcpu[0]);
	enter(&vcpu[1]);
	assert_false(hw_signal());
	groups_set(1, ICH_VMCR_ENG1);
	sgi(&vcpu[0], 2, 2);
	enter(&vcpu[1]);
	enter(&vcpu[0]);
	enter(&vcpu[1]);
	for (u32 intid = 1; intid < 3; intid++) {
		assert_int_equal(hw_ack(1), intid);
		eoi(&vcpu[1], intid);
	}
	pending_at(1);
	/* It leaves its CPU with the group closed. */
	groups_set(0, ICH_VMCR_ENG1);
	groups_set(1, 0);
	put(&vcpu[1]);
	enter(&vcpu[0]);
	pending_at(0);
}

/*
 * What ends a power-down state: the CPU interface's masks are ignored, the distributor's are not.
 */
static void wake_request(void **state)
{
	(void)state;
	fake_cpu = 0;
	fake_set("ICH_VMCR_EL2", 0);
	assert_false(vgic_wake_request(&vcpu[0]));
	sgi(&vcpu[1], 4, 1);
	fake_cpu = 0;
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	assert_true(vgic_wake_request(&vcpu[0]));
	bit_wr(&vcpu[0], 0, 4, GICD_ICENABLER);
	assert_false(vgic_wake_request(&vcpu[0]));
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	vgic_set_spi(&vm, 40, true);
	assert_true(vgic_wake_request(&vcpu[0]));
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 0);
	assert_false(vgic_wake_request(&vcpu[0]));
}

/*
 * A write that waits in the middle is done once for each interrupt: what is done is not repeated.
 */
static void late_answer_repeats_nothing(void **state)
{
	(void)state;
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	for (u32 n = 40; n < 42; n++)
		bit_wr(&vcpu[0], 0, n, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 41, 8, 1);
	bit_wr(&vcpu[0], 0, 41, GICD_ISPENDR);
	expect_ack(&vcpu[1], 41);
	deaf = true;
	wr(&vcpu[0], GICD_AT + GICD_ISPENDR + 4, 4, 3u << 8);
	assert_true(waits);
	/* Not from inside the guest, but another vcpu might have taken it so. */
	enter(&vcpu[0]);
	assert_int_equal(hw_ack(1), 40);
	serve(&vcpu[1]);
	wr(&vcpu[0], GICD_AT + GICD_ISPENDR + 4, 4, 3u << 8);
	assert_false(waits);
	deaf = false;
	assert_false(bit_rd(&vcpu[0], 0, 40, GICD_ISPENDR));
	assert_true(bit_rd(&vcpu[0], 0, 41, GICD_ISPENDR));
}

/* An operation that is not repeated is withdrawn: others find the slot free. */
static void late_answer_not_wanted(void **state)
{
	(void)state;
	deaf = true;
	set_prio(&vcpu[0], 1, 20, 0x48);
	assert_true(waits);
	vgic_ask_drop(&vcpu[0]);
	serve(&vcpu[1]);
	set_prio(&vcpu[0], 1, 21, 0x50);
	/* Another access follows instead, without a word: it is withdrawn too. */
	set_prio(&vcpu[0], 1, 22, 0x58);
	serve(&vcpu[1]);
	set_prio(&vcpu[0], 1, 22, 0x58);
	assert_false(waits);
	deaf = false;
	assert_int_equal(rd(&vcpu[1], GICR_AT + GICR_SIZE + GICR_SGI + GICD_IPRIORITYR + 20, 4),
			 0xa058a0a0);
}

/*
 * GICD_CTLR: when the write is complete, a group that is switched off is in no vcpu's list
 * registers.
 */
static void late_fold_is_waited_for(void **state)
{
	(void)state;
	sgi(&vcpu[0], 5, 2);
	enter(&vcpu[1]);
	assert_true(hw_signal());
	fake_cpu = 0;
	deaf = true;
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 0);
	assert_true(waits);
	serve(&vcpu[1]);
	enter(&vcpu[1]);
	assert_false(hw_signal());
	wr(&vcpu[0], GICD_AT + GICD_CTLR, 4, 0);
	assert_false(waits);
	deaf = false;
}

static void hardware_ppi(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		unsigned writes;

		fake_cpu = 0;
		assert_true(phys_fire(27, true));
		writes = fake_writes_total();
		vgic_inject_ppi_hw(&vcpu[0], 27, 27);
		expect_ack(&vcpu[0], 27);
		if (i)
			assert_int_equal(fake_writes_total() - writes, 1);
		assert_false(phys_fire(27, true));
		phys[0][0].pending = 0;
		assert_true(phys_active(27, 0));
		eoi(&vcpu[0], 27);
		assert_false(phys_active(27, 0));
	}
	expect_none(&vcpu[0]);
	assert_int_equal(phys_mmio, 0);
}

/* The timer of vcpu 0 fires, as in irq.c; true: by the fast path. */
static bool timer_fires(void)
{
	fake_cpu = cpu_of(&vcpu[0]);
	assert_true(phys_fire(27, true));
	if (vgic_redeliver_ppi(&vcpu[0], 27))
		return true;
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	return false;
}

static void timer_served(void)
{
	expect_ack(&vcpu[0], 27);
	eoi(&vcpu[0], 27);
	assert_false(phys_active(27, fake_cpu));
}

/* Until it takes the fast path. */
static void timer_again(void)
{
	for (int i = 0; !timer_fires(); i++) {
		assert_true(i < 2);
		timer_served();
	}
	timer_served();
}

static void hardware_ppi_again(void **state)
{
	unsigned writes, waked;

	(void)state;
	/* Nothing has fired yet; 0 is an SGI of other CPUs. */
	assert_false(vgic_redeliver_ppi(&vcpu[0], 27));
	assert_false(vgic_redeliver_ppi(&vcpu[0], 0));
	timer_again();
	for (int i = 0; i < 3; i++) {
		waked = kicks[0];
		writes = fake_writes_total();
		assert_true(timer_fires());
		assert_int_equal(fake_writes_total() - writes, 1);
		assert_int_equal(kicks[0], waked);
		assert_false(vcpu[0].vgic.stale);
		/* Pending, then active: not again before its end. */
		assert_false(vgic_redeliver_ppi(&vcpu[0], 27));
		assert_int_equal(hw_ack(1), 27);
		assert_false(vgic_redeliver_ppi(&vcpu[0], 27));
		assert_false(vgic_redeliver_ppi(&vcpu[0], 30));
		eoi(&vcpu[0], 27);
		assert_false(phys_active(27, 0));
	}
	assert_false(vgic_redeliver_ppi(&vcpu[0], 30));
	assert_false(vgic_redeliver_ppi(&vcpu[0], 0));
	assert_false(vgic_redeliver_ppi(&vcpu[1], 27));
	expect_none(&vcpu[0]);
	assert_int_equal(phys_mmio, 0);
}

/* Its state in memory changed: nothing is written as it was. */
static void hardware_ppi_not_again(void **state)
{
	(void)state;
	/* Where SIMD is to be tried at every point, always the slow path. */
	simd_chaos = true;
	for (int i = 0; i < 4; i++) {
		assert_false(timer_fires());
		timer_served();
	}
	simd_chaos = false;
	timer_again();
	bit_wr(&vcpu[0], 0, 27, GICD_ICENABLER);
	assert_false(timer_fires());
	expect_none(&vcpu[0]);
	bit_wr(&vcpu[0], 0, 27, GICD_ISENABLER);
	timer_served();

	timer_again();
	set_prio(&vcpu[0], 0, 27, 0x20);
	assert_false(timer_fires());
	enter(&vcpu[0]);
	assert_int_equal(FIELD(lr_get((u32)hw_best()), 55, 48), 0x20);
	timer_served();

	timer_again();
	wr(&vcpu[1], GICR_AT + GICR_SGI + GICD_IGROUPR, 4, 0); /* by another vcpu */
	assert_false(timer_fires());
	enter(&vcpu[0]);
	assert_int_equal(hw_ack(0), 27);
	hw_eoi(27, 0);
	wr(&vcpu[0], GICR_AT + GICR_SGI + GICD_IGROUPR, 4, ~0u);

	timer_again();
	wr(&vcpu[1], GICD_AT + GICD_CTLR, 4, 0);
	assert_false(timer_fires());
	expect_none(&vcpu[0]);
	wr(&vcpu[1], GICD_AT + GICD_CTLR, 4, 3);
	timer_served();

	timer_again();
	bit_wr(&vcpu[0], 0, 27, GICD_ISPENDR);
	timer_served();
	assert_false(timer_fires());
	timer_served();

	timer_again();
	put(&vcpu[0]);
	assert_false(vgic_redeliver_ppi(&vcpu[0], 27));
	load(&vcpu[0], 2);
	assert_false(timer_fires());
	timer_served();
}

/* Others leave it its list register while there is room, and take it if there is none. */
static void hardware_ppi_again_among_others(void **state)
{
	unsigned waiting = 0;

	(void)state;
	timer_again();
	for (u32 n = 0; n < 8; n++) {
		sgi(&vcpu[0], n, 1);
		expect_ack(&vcpu[0], n);
		eoi(&vcpu[0], n);
		assert_true(timer_fires());
		timer_served();
	}
	/* As many as there are list registers. */
	for (u32 n = 0; n < hw_lrs; n++)
		sgi(&vcpu[0], n, 1);
	enter(&vcpu[0]);
	for (u32 i = 0; i < hw_lrs; i++)
		waiting += (lr_get(i) & ICH_LR_STATE) == ICH_LR_PENDING;
	assert_int_equal(waiting, hw_lrs);
	for (u32 n = 0; n < hw_lrs; n++) {
		assert_int_equal(hw_ack(1), n);
		eoi(&vcpu[0], n);
	}
	assert_false(timer_fires());
	timer_served();
	/* More than list registers: what waits in memory comes first, if it is more urgent. */
	timer_again();
	for (u32 n = 0; n <= hw_lrs; n++)
		sgi(&vcpu[0], n, 1);
	enter(&vcpu[0]);
	assert_false(timer_fires());
	for (u32 n = 0; n <= hw_lrs; n++) {
		expect_ack(&vcpu[0], n);
		eoi(&vcpu[0], n);
	}
	timer_served();
}

/*
 * Folded while active, it keeps the priority at which it was acknowledged; the next instance has
 * another.
 */
static void hardware_ppi_priority_of_each_instance(void **state)
{
	(void)state;
	timer_fires();
	expect_ack(&vcpu[0], 27);
	set_prio(&vcpu[0], 0, 27, 0x80);
	enter(&vcpu[0]);
	eoi(&vcpu[0], 27);
	assert_false(phys_active(27, 0));
	timer_fires();
	expect_ack(&vcpu[0], 27);
	assert_int_equal(hw_running(), 0x80);
	bit_rd(&vcpu[0], 0, 27, GICD_ISPENDR);
	enter(&vcpu[0]);
	eoi(&vcpu[0], 27);
	assert_false(phys_active(27, 0));
	expect_none(&vcpu[0]);
}

static void hardware_ppi_moves_with_its_vcpu(void **state)
{
	(void)state;
	fake_cpu = 0;
	phys_fire(27, true);
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	enter(&vcpu[0]);
	put(&vcpu[0]); /* pending */
	assert_false(phys_active(27, 0));
	put(&vcpu[1]);
	load(&vcpu[1], 0);
	expect_none(&vcpu[1]);
	put(&vcpu[1]);
	load(&vcpu[0], 1);
	phys[1][0].pending |= 1u << 27; /* the timer comes with it */
	assert_true(phys_active(27, 1));
	expect_ack(&vcpu[0], 27);
	put(&vcpu[0]); /* active */
	assert_false(phys_active(27, 1));
	load(&vcpu[0], 2);
	assert_true(phys_active(27, 2));
	enter(&vcpu[0]);
	eoi(&vcpu[0], 27);
	assert_false(phys_active(27, 2));
	put(&vcpu[0]);
	phys_mmio = 0;
	load(&vcpu[0], 2);
	put(&vcpu[0]);
	assert_int_equal(phys_mmio, 0);
}

static void hardware_ppi_and_the_registers(void **state)
{
	(void)state;
	/* Cleared or deactivated by a register: the physical one may fire again. */
	fake_cpu = 0;
	phys_fire(27, true);
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	enter(&vcpu[0]);
	assert_true(bit_rd(&vcpu[0], 0, 27, GICD_ISPENDR));
	bit_wr(&vcpu[0], 0, 27, GICD_ICPENDR);
	assert_false(phys_active(27, 0));
	expect_none(&vcpu[0]);
	/* Its line fell while it waited: no longer pending. */
	assert_true(phys_fire(27, true));
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	enter(&vcpu[0]);
	phys[0][0].pending = 0;
	assert_false(bit_rd(&vcpu[0], 0, 27, GICD_ISPENDR));
	assert_false(phys_active(27, 0));
	expect_none(&vcpu[0]);
	/* Active, and made pending by software: its end must come to nidus's notice. */
	phys_fire(27, true);
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	expect_ack(&vcpu[0], 27);
	phys[0][0].pending = 0;
	bit_wr(&vcpu[0], 0, 27, GICD_ISPENDR);
	enter(&vcpu[0]);
	assert_false(hw_signal());
	eoi(&vcpu[0], 27);
	expect_ack(&vcpu[0], 27);
	assert_false(phys_active(27, 0));
	/* Made active by software when the hardware fires. */
	assert_true(phys_fire(27, true));
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	enter(&vcpu[0]);
	assert_false(hw_signal());
	eoi(&vcpu[0], 27);
	assert_false(phys_active(27, 0));
	expect_none(&vcpu[0]);
	/* Deactivated by ICACTIVER. */
	phys_fire(27, true);
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	expect_ack(&vcpu[0], 27);
	bit_wr(&vcpu[0], 0, 27, GICD_ICACTIVER);
	assert_false(phys_active(27, 0));
	/* Once more: there is nothing to deactivate, nor to be done before the next entry. */
	enter(&vcpu[0]);
	assert_false(vcpu[0].vgic.stale);
	bit_wr(&vcpu[0], 0, 27, GICD_ICACTIVER);
	assert_false(vcpu[0].vgic.stale);
	bit_wr(&vcpu[0], 0, 27, GICD_ISACTIVER);
	assert_true(vcpu[0].vgic.stale);
	bit_wr(&vcpu[0], 0, 27, GICD_ICACTIVER);
	assert_false(bit_rd(&vcpu[0], 0, 27, GICD_ISACTIVER));
}

static void hardware_spi(void **state)
{
	(void)state;
	assert_int_equal(vgic_assign_spi(&vm, 31, 50, false), -EINVAL);
	assert_int_equal(vgic_assign_spi(&vm, 300, 50, false), -EINVAL);
	assert_int_equal(vgic_assign_spi(&vm, 50, 1020, false), -EINVAL);
	assert_int_equal(vgic_assign_spi(&vm, 50, 70, false), 0);
	assert_int_equal(vgic_assign_spi(&vm, 51, 70, false), -EBUSY);
	assert_int_equal(vgic_assign_spi(&vm, 50, 71, false), -EBUSY);
	fake_cpu = 3;
	assert_false(phys_fire(70, true));
	/* Disabled, but the guest can read that it is pending. */
	assert_true(bit_rd(&vcpu[0], 0, 50, GICD_ISPENDR));
	bit_wr(&vcpu[0], 0, 50, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * 50, 8, 1);
	for (int i = 0; i < 3; i++) {
		fake_cpu = 3;
		assert_true(phys_fire(70, true));
		kicks[1] = 0;
		vgic_inject_spi_hw(70);
		assert_int_equal(kicks[1], 1);
		expect_ack(&vcpu[1], 50);
		assert_true(phys_active(70, 0));
		phys[0][2].pending = 0;
		eoi(&vcpu[1], 50);
		assert_false(phys_active(70, 0));
	}
	bit_wr(&vcpu[0], 0, 50, GICD_ICENABLER);
	assert_false(phys_fire(70, true));
	bit_wr(&vcpu[0], 0, 50, GICD_ISENABLER);
	assert_true(phys_fire(70, true));
	vgic_inject_spi_hw(70);
	/* The VM is freed with one in flight. */
	vm_down();
	assert_false(phys_active(70, 0));
	assert_false(phys_fire(70, true));
	/* Nobody has it: disabled for good. */
	gicv3_set_enable(70, true);
	assert_true(phys_fire(70, true));
	vgic_inject_spi_hw(70);
	assert_false(phys_active(70, 0));
	assert_false(phys_fire(70, true));
}

/* EOImode 1: an SPI acknowledged by one vcpu, deactivated by another. */
static void deactivation_by_another_vcpu(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		fake_cpu = (int)i;
		vmcr_set(0xf8, true);
		sgi(&vcpu[i], 1, 1u << i);
		expect_ack(&vcpu[i], 1);
		eoi(&vcpu[i], 1);
		hw_dir(&vcpu[i], 1);
	}
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	for (int i = 0; i < 3; i++) {
		vgic_set_spi(&vm, 40, true);
		vgic_set_spi(&vm, 40, false);
		expect_ack(&vcpu[0], 40);
		eoi(&vcpu[0], 40);
		enter(&vcpu[1]);
		hw_dir(&vcpu[1], 40);
		enter(&vcpu[1]);
		enter(&vcpu[0]);
		assert_false(bit_rd(&vcpu[1], 0, 40, GICD_ISACTIVER));
		enter(&vcpu[0]);
	}
	assert_true(vm.vgic.dir_traps);
}

/*
 * An end that was counted is handled once, however often its vcpu's list registers are folded
 * before it runs again.
 */
static void deactivation_by_another_vcpu_counts_once(void **state)
{
	(void)state;
	for (u32 i = 0; i < 2; i++) {
		fake_cpu = (int)i;
		vmcr_set(0xf8, true);
		sgi(&vcpu[i], 1, 1u << i);
		expect_ack(&vcpu[i], 1);
		eoi(&vcpu[i], 1);
		hw_dir(&vcpu[i], 1);
	}
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	for (u32 n = 40; n < 42; n++)
		bit_wr(&vcpu[0], 0, n, GICD_ISENABLER);
	bit_wr(&vcpu[0], 0, 40, GICD_ISPENDR);
	expect_ack(&vcpu[0], 40);
	eoi(&vcpu[0], 40);
	enter(&vcpu[1]);
	hw_dir(&vcpu[1], 40);
	vgic_sync(&vcpu[1]);
	assert_int_equal(vcpu[1].vgic.deferred_eois, 1);
	while (!vgic_finish_deferred(&vcpu[1]))
		;
	/* Before it runs again vcpu 0 acknowledges another. */
	bit_wr(&vcpu[0], 0, 41, GICD_ISPENDR);
	expect_ack(&vcpu[0], 41);
	eoi(&vcpu[0], 41);
	enter(&vcpu[1]);
	assert_false(bit_rd(&vcpu[1], 0, 40, GICD_ISACTIVER));
	assert_true(bit_rd(&vcpu[1], 0, 41, GICD_ISACTIVER));
}

/*
 * vcpu 1 has deactivated SPI 40, which vcpu 0 has acknowledged and ended; nidus has not noticed
 * yet.
 */
static void owe_40(void)
{
	for (u32 i = 0; i < 2; i++) {
		fake_cpu = (int)i;
		vmcr_set(0xf8, true);
		sgi(&vcpu[i], 1, 1u << i);
		expect_ack(&vcpu[i], 1);
		eoi(&vcpu[i], 1);
		hw_dir(&vcpu[i], 1);
	}
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	vgic_set_spi(&vm, 40, true);
	expect_ack(&vcpu[0], 40);
	vgic_set_spi(&vm, 40, false);
	eoi(&vcpu[0], 40);
	enter(&vcpu[1]);
	hw_dir(&vcpu[1], 40);
}

/* Nor is it left for the next CPU_ON of a vcpu that goes off. */
static void deactivation_before_going_off(void **state)
{
	(void)state;
	owe_40();
	deaf = true;
	assert_false(vgic_finish(&vcpu[1]));
	deaf = false;
	serve(&vcpu[0]);
	while (!vgic_finish(&vcpu[1]))
		;
	put(&vcpu[1]);
	assert_false(vcpu[1].vgic.deferred);
	assert_false(bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER));
}

/* Nor does a reset of its interface (CPU_SUSPEND to a power-down state) undo it. */
static void deactivation_before_a_reset(void **state)
{
	(void)state;
	owe_40();
	put(&vcpu[1]);
	vgic_vcpu_reset(&vcpu[1]);
	load(&vcpu[1], 1);
	enter(&vcpu[1]);
	assert_false(bit_rd(&vcpu[0], 0, 40, GICD_ISACTIVER));
}

/*
 * A vcpu that went to sleep after an EOI is woken by the maintenance interrupt, which makes it
 * pending again.
 */
static void maintenance_wakes(void **state)
{
	(void)state;
	vgic_set_ppi(&vcpu[0], 30, true);
	expect_ack(&vcpu[0], 30);
	eoi(&vcpu[0], 30);
	assert_true(hw_maintenance());
	kicks[0] = 0;
	vgic_maintenance(&vcpu[0]);
	assert_int_equal(kicks[0], 1);
	assert_true(vgic_interrupt_pending(&vcpu[0]));
}

static u32 lines;

void log_line(const char *fmt, ...)
{
	(void)fmt;
	lines++;
}

/*
 * If it cannot be known which of two SPIs is meant, neither is deactivated, and the console reports
 * it once.
 */
static void lost_deactivations_are_told_once(void **state)
{
	(void)state;
	fake_cpu = 0;
	vmcr_set(0xf8, true);
	wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	for (u32 n = 40; n < 42; n++) {
		bit_wr(&vcpu[0], 0, n, GICD_ISENABLER);
		vgic_set_spi(&vm, n, true);
		expect_ack(&vcpu[0], n);
		eoi(&vcpu[0], n);
	}
	enter(&vcpu[0]);
	lines = 0;
	fake_cpu = 1;
	for (int i = 0; i < 3; i++) {
		vcpu[1].vgic.deferred_eois = 1;
		vcpu[1].vgic.deferred = vcpu[1].unfinished = true;
		enter(&vcpu[1]);
	}
	assert_int_equal(lines, 1);
	assert_true(bit_rd(&vcpu[1], 0, 40, GICD_ISACTIVER));
	assert_true(bit_rd(&vcpu[1], 0, 41, GICD_ISACTIVER));
}

/* Other vcpus answer 15 microseconds after they are asked, and then continue. */
static u64 clock_us, asked_us[4];

static u64 slow_answers(u64 stored)
{
	int self = fake_cpu;

	(void)stored;
	clock_us++;
	for (u32 i = 1; i < 4; i++) {
		if (!(vcpu[i].requests & REQ_VGIC_SYNC)) {
			asked_us[i] = clock_us;
		} else if (clock_us - asked_us[i] >= 15) {
			serve(&vcpu[i]);
			fake_cpu = (int)i;
			vgic_flush(&vcpu[i]);
			fake_cpu = self;
		}
	}
	return clock_us;
}

/* Each of vcpus 1 to 3 has an SPI of each of words 1 to 4 active in its list registers. */
static void spread_spis(void)
{
	for (u32 i = 0; i < 4; i++) {
		fake_cpu = (int)i;
		vmcr_set(0xf8, true);
		asked_us[i] = 0;
	}
	for (u32 word = 1; word < 5; word++) {
		wr(&vcpu[0], GICD_AT + GICD_IGROUPR + 4 * word, 4, ~0u);
		wr(&vcpu[0], GICD_AT + GICD_ICFGR + 8 * word, 4, ~0u);
		for (u32 i = 1; i < 4; i++) {
			u32 n = word * 32 + i;

			set_prio(&vcpu[0], 0, n, 0xa0);
			bit_wr(&vcpu[0], 0, n, GICD_ISENABLER);
			wr(&vcpu[0], GICD_AT + GICD_IROUTER + 8 * n, 8, i);
			bit_wr(&vcpu[0], 0, n, GICD_ISPENDR);
			expect_ack(&vcpu[i], n);
			hw_eoi(n, 1);
		}
	}
}

/*
 * However many others are involved, interrupts are masked for some 20 microseconds at a time, and
 * it completes.
 */
static void waits_for_many_in_pieces(void **state)
{
	u64 since, active, calls = 0;
	bool done = false;

	(void)state;
	vm_down();
	vm_up(4, 4);
	open_up();
	spread_spis();
	deaf = true; /* they answer by the clock */
	for (u32 i = 0; i < 4; i++) {
		fake_cpu = (int)i;
		fake_set("CNTFRQ_EL0", 1000000);
	}
	fake_on_read("CNTPCT_EL0", slow_answers);
	do {
		since = clock_us;
		active = rd(&vcpu[0], bit_at(0, 32, GICD_ISACTIVER), 4);
		assert_in_range(clock_us - since, 0, 25);
	} while (waits && ++calls < 20);
	assert_int_equal(active, 14);
	fake_cpu = 0;
	vcpu[0].vgic.deferred_eois = 1;
	vcpu[0].vgic.deferred = vcpu[0].unfinished = true;
	for (calls = 0; !done && calls < 40; calls++) {
		since = clock_us;
		done = vgic_finish_deferred(&vcpu[0]);
		assert_in_range(clock_us - since, 0, 25);
	}
	assert_true(done);
	assert_int_equal(vcpu[0].vgic.deferred_eois, 0);
}

/* A group that the guest's CPU interface disables does not starve the other one. */
static void disabled_group_does_not_clog(void **state)
{
	(void)state;
	fake_cpu = 0;
	wr(&vcpu[0], GICR_AT + GICR_SGI + GICD_IGROUPR, 4, 0x0f00);
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~ICH_VMCR_ENG0);
	fake_cpu = 1;
	for (u32 n = 0; n < 8; n++)
		vgic_sgi(&vcpu[1], sgi1r(n, 1), false);
	enter(&vcpu[0]);
	assert_false(hw_signal());
	sgi(&vcpu[1], 9, 1);
	expect_ack(&vcpu[0], 9);
	eoi(&vcpu[0], 9);
	enter(&vcpu[0]);
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") | ICH_VMCR_ENG0);
	for (u32 n = 0; n < 8; n++) {
		enter(&vcpu[0]);
		assert_int_equal(hw_ack(0), n);
		hw_eoi(n, 0);
	}
}

/* Nor does one that is hardware-backed and fires again while others wait for its list register. */
static void disabled_group_refired_does_not_clog(void **state)
{
	(void)state;
	vm_down();
	vm_up(2, 2);
	open_up();
	wr(&vcpu[0], GICR_AT + GICR_SGI + GICD_IGROUPR, 4, ~(1u << 27));
	fake_cpu = 0;
	phys_fire(27, true);
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	enter(&vcpu[0]);
	assert_int_equal(hw_ack(0), 27);
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~ICH_VMCR_ENG0);
	for (u32 n = 1; n < 4; n++)
		sgi(&vcpu[1], n, 1);
	enter(&vcpu[0]);
	hw_eoi(27, 0);
	assert_true(phys_fire(27, true));
	vgic_inject_ppi_hw(&vcpu[0], 27, 27);
	for (u32 n = 1; n < 4; n++) {
		expect_ack(&vcpu[0], n);
		eoi(&vcpu[0], n);
	}
	expect_none(&vcpu[0]);
}

/*
 * A priority changed while active: the EOI still finds the instance, and the next one has the new
 * priority.
 */
static void priority_of_an_active_one(void **state)
{
	(void)state;
	set_prio(&vcpu[0], 0, 3, 0x80);
	sgi(&vcpu[1], 3, 1);
	expect_ack(&vcpu[0], 3);
	set_prio(&vcpu[0], 0, 3, 0x20);
	sgi(&vcpu[1], 3, 1);
	sgi(&vcpu[1], 2, 1);
	enter(&vcpu[0]);
	eoi(&vcpu[0], 3);
	enter(&vcpu[0]);
	assert_false(bit_rd(&vcpu[0], 0, 3, GICD_ISACTIVER));
	expect_ack(&vcpu[0], 3);
	eoi(&vcpu[0], 3);
	expect_ack(&vcpu[0], 2);
}

static void wfi_sees_what_hardware_would_signal(void **state)
{
	(void)state;
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	sgi(&vcpu[1], 2, 1);
	fake_cpu = 0;
	assert_true(vgic_interrupt_pending(&vcpu[0]));
	vmcr_set(0xa0, false); /* priority 0xa0 is masked by 0xa0 */
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	vmcr_set(0xa8, false);
	assert_true(vgic_interrupt_pending(&vcpu[0]));
	put(&vcpu[0]);
	assert_true(vgic_interrupt_pending(&vcpu[0]));
	load(&vcpu[0], 0);
	expect_ack(&vcpu[0], 2);
	sgi(&vcpu[1], 3, 1); /* as urgent as the running one */
	fake_cpu = 0;
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	put(&vcpu[0]);
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	sgi(&vcpu[1], 4, 1);
	set_prio(&vcpu[1], 0, 4, 0x20);
	assert_true(vgic_interrupt_pending(&vcpu[0]));
	bit_wr(&vcpu[1], 0, 4, GICD_ICENABLER);
	assert_false(vgic_interrupt_pending(&vcpu[0]));
	bit_wr(&vcpu[1], 0, 40, GICD_ISENABLER);
	set_prio(&vcpu[1], 0, 40, 0x20);
	vgic_set_spi(&vm, 40, true);
	assert_true(vgic_interrupt_pending(&vcpu[0]));
}

/*
 * The guest's EOI, then its WFI: the maintenance interrupt comes after that, and not at all once
 * another vcpu is loaded.
 */
static void wfi_sees_what_maintenance_would_tell(void **state)
{
	(void)state;
	for (u32 intid = 30; intid <= 40; intid += 10) {
		bit_wr(&vcpu[0], 0, intid, GICD_ISENABLER);
		for (u32 last = 0; last < 2; last++) {
			if (intid < 32)
				vgic_set_ppi(&vcpu[0], intid, true);
			else
				vgic_set_spi(&vm, intid, true);
			expect_ack(&vcpu[0], intid);
			eoi(&vcpu[0], intid);
			assert_true(hw_maintenance());
			assert_true(last ? vgic_wake_request(&vcpu[0])
					 : vgic_interrupt_pending(&vcpu[0]));
			if (intid < 32)
				vgic_set_ppi(&vcpu[0], intid, false);
			else
				vgic_set_spi(&vm, intid, false);
			expect_none(&vcpu[0]);
		}
	}
	/* One that did not fit comes when the last of those that did is done. */
	for (u32 n = 0; n <= hw_lrs; n++)
		sgi(&vcpu[0], n, 1);
	enter(&vcpu[0]);
	for (u32 n = 0; n < hw_lrs; n++) {
		assert_int_equal(hw_ack(1), n);
		eoi(&vcpu[0], n);
	}
	assert_false(hw_signal());
	assert_true(vgic_interrupt_pending(&vcpu[0]));
	expect_ack(&vcpu[0], hw_lrs);
}

static void nothing_to_do_touches_nothing(void **state)
{
	unsigned before;

	(void)state;
	enter(&vcpu[0]);
	before = fake_writes_total();
	phys_mmio = 0;
	assert_false(vcpu[0].vgic.stale);
	rd(&vcpu[0], GICD_AT + GICD_IIDR, 4);
	rd(&vcpu[0], GICD_AT + GICD_TYPER, 4);
	rd(&vcpu[0], GICR_AT + GICR_SIZE + GICR_TYPER, 8);
	assert_false(vcpu[0].vgic.stale);
	assert_int_equal(fake_writes_total(), before);
	assert_int_equal(phys_mmio, 0);
}

static void reset_forgets(void **state)
{
	(void)state;
	sgi(&vcpu[0], 7, 3);
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	vgic_set_spi(&vm, 40, true);
	expect_ack(&vcpu[0], 7);
	put(&vcpu[0]);
	put(&vcpu[1]);
	for (int c = 0; c < 2; c++) {
		fake_cpu = c;
		for (u32 i = 0; i < 4; i++)
			assert_int_equal(lr_get(i), 0); /* nothing is left for the next vcpu */
		assert_int_equal(fake_get("ICH_HCR_EL2"), 0);
	}
	/* CPU_OFF and CPU_ON: the redistributor keeps its state, the interface does not. */
	vgic_vcpu_reset(&vcpu[0]);
	load(&vcpu[0], 0);
	assert_int_equal(fake_get("ICH_AP1R0_EL2"), 0);
	assert_true(bit_rd(&vcpu[0], 0, 7, GICD_ISACTIVER));
	put(&vcpu[0]);
	vgic_vm_reset(&vm);
	load(&vcpu[0], 0);
	load(&vcpu[1], 1);
	for (u32 i = 0; i < 2; i++)
		for (u32 reg = GICD_IGROUPR; reg < GICD_IPRIORITYR; reg += 0x80) {
			assert_int_equal(rd(&vcpu[0], bit_at(i, 0, reg), 4), 0);
			assert_int_equal(rd(&vcpu[0], bit_at(i, 40, reg), 4), 0);
		}
	assert_int_equal(rd(&vcpu[0], GICD_AT + GICD_CTLR, 4), 0x50);
	assert_int_equal(rd(&vcpu[0], GICR_AT + GICR_WAKER, 4), 6);
}

/*
 * A device's line that changes in the middle of a reset is noticed when the guest enables it, not
 * before.
 */
static bool input_during_reset;

u64 lr_vmcr_reset(void)
{
	if (input_during_reset) {
		vgic_set_spi(&vm, 40, false);
		vgic_set_spi(&vm, 40, true);
	}
	return ICH_VMCR_FIQEN | 2UL << ICH_VMCR_BPR0_SHIFT | 3UL << ICH_VMCR_BPR1_SHIFT;
}

static void reset_with_an_input(void **state)
{
	(void)state;
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	put(&vcpu[0]);
	put(&vcpu[1]);
	input_during_reset = true;
	vgic_vm_reset(&vm);
	input_during_reset = false;
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(vcpu[i].vgic.want_words, 0);
	open_up();
	expect_none(&vcpu[0]);
	assert_true(bit_rd(&vcpu[0], 0, 40, GICD_ISPENDR));
	bit_wr(&vcpu[0], 0, 40, GICD_ISENABLER);
	expect_ack(&vcpu[0], 40);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
		T(sgi_reaches_its_targets),
		T(repeated_sgi_takes_no_fold),
		T(a_list_register_just_written_is_not_taken_for_empty),
		T(group0_is_apart),
		T(most_urgent_first_beyond_the_list_registers),
		T(urgent_newcomer_displaces),
		T(nesting_beyond_the_list_registers),
		T(nesting_with_split_eoi),
		T(deactivation_in_any_order),
		T(level_line),
		T(edge_line),
		T(disable_withdraws),
		T(spi_moves_with_its_route),
		T(other_vcpus_list_registers_are_seen),
		T(late_answer_is_waited_for),
		T(any_vcpu),
		T(any_vcpu_by_groups_seen_late),
		T(wake_request),
		T(late_answer_repeats_nothing),
		T(late_answer_not_wanted),
		T(late_fold_is_waited_for),
		T(hardware_ppi),
		T(hardware_ppi_again),
		T(hardware_ppi_not_again),
		T(hardware_ppi_again_among_others),
		T(hardware_ppi_priority_of_each_instance),
		T(hardware_ppi_moves_with_its_vcpu),
		T(hardware_ppi_and_the_registers),
		T(hardware_spi),
		T(deactivation_by_another_vcpu),
		T(deactivation_by_another_vcpu_counts_once),
		T(deactivation_before_going_off),
		T(deactivation_before_a_reset),
		T(maintenance_wakes),
		T(lost_deactivations_are_told_once),
		T(waits_for_many_in_pieces),
		T(disabled_group_does_not_clog),
		T(disabled_group_refired_does_not_clog),
		T(priority_of_an_active_one),
		T(wfi_sees_what_hardware_would_signal),
		T(wfi_sees_what_maintenance_would_tell),
		T(nothing_to_do_touches_nothing),
		T(reset_forgets),
		T(reset_with_an_input),
	};

	return cmocka_run_group_tests_name("vgic: delivery", tests, NULL, NULL);
}
