/* SPDX-License-Identifier: Apache-2.0 */
/*
 * L1's virtual interface control in the hardware's: what L2 sees, what L1 finds in its page
 * afterwards, and who gets which interrupt. One behaviour at a time, then random guests against a
 * reference model of a PE that has these registers itself.
 */
#include "arch/hcr.h"
#include "state/vncr.h"
#include "vgic/nested.h"

#include "gic_model.h"

#define MI GUEST_PPI_MAINT
#define TIMER 27u
#define LRS 4u
#define EN ICH_HCR_EN

static u64 page[VNCR_WORDS];
static struct vcpu *const v = &vcpu[0];
static bool took_fiq;

static u64 *word(u32 offset)
{
	return &page[offset / 8];
}

static u64 *page_lr(u32 n)
{
	return word(VNCR_ICH_LR0_EL2 + 8 * n);
}

static u64 lr(u32 intid, u32 prio, u64 bits)
{
	return intid | (u64)prio << ICH_LR_PRIORITY_SHIFT | ICH_LR_GROUP1 | bits;
}

static u64 lr_of_l1(u32 intid, u32 pintid, u64 bits)
{
	return lr(intid, 0xa0, bits) | ICH_LR_HW | (u64)pintid << ICH_LR_PINTID_SHIFT;
}

static u64 vmcr_value(u32 pmr, bool eoim)
{
	return (u64)pmr << 24 | 2UL << 21 | 3UL << 18 | (eoim ? ICH_VMCR_EOIM : 0) | ICH_VMCR_ENG0 |
	       ICH_VMCR_ENG1 | ICH_VMCR_FIQEN;
}

static int up(void **state)
{
	(void)state;
	vm_up(2, LRS);
	memset(page, 0, sizeof(page));
	vm.nested.hcr = ~0UL;
	vm.nested.ich_hcr = ICH_HCR_TRAPS;
	v->vncr = page;
	v->has_vel2 = v->in_vel2 = true;
	open_up();
	fake_cpu = 0;
	vmcr_set(0xf8, true);
	*word(VNCR_HCR_EL2) = HCR_IMO | HCR_FMO;
	*word(VNCR_ICH_HCR_EL2) = EN;
	*word(VNCR_ICH_VMCR_EL2) = vmcr_value(0xf8, false);
	enter(v);
	phys_mmio = 0;
	return 0;
}

static int down(void **state)
{
	(void)state;
	vm_down();
	return 0;
}

static void level(bool hyp)
{
	fake_cpu = cpu_of(v);
	v->in_vel2 = hyp;
	vgic_level_switch(v);
}

/* The run loop before an entry of L2: maintenance interrupts come at once. True: L1 must run. */
static bool l2_runs(void)
{
	fake_cpu = cpu_of(v);
	for (int i = 0; hw_maintenance(); i++) {
		assert_true(i < 2);
		vgic_maintenance(v);
	}
	if (v->vgic.stale) {
		if (vgic_wants_vel2(v, &took_fiq))
			return true;
		vgic_flush(v);
		if (v->vgic.deferred) {
			assert_true(vgic_finish_deferred(v));
			return l2_runs();
		}
	}
	return false;
}

static void l1_runs(void)
{
	vgic_vel2_exit(v);
	enter(v);
}

static bool l1_active(u32 intid)
{
	return bit_rd(v, 0, intid, GICD_ISACTIVER);
}

static bool line(u32 intid)
{
	return v->vgic.priv.line >> intid & 1;
}

/* L1 acknowledges intid, drops its priority, and keeps it active. */
static void l1_takes(u32 intid)
{
	l1_runs();
	assert_int_equal(hw_ack(1), intid);
	hw_eoi(intid, 1);
}

static void l1_ends(u32 intid)
{
	l1_runs();
	hw_dir(v, intid);
	l1_runs();
}

/* ---- L2's interrupts ---- */

static void l2_sees_its_own(void **state)
{
	(void)state;
	vgic_set_ppi(v, 20, true); /* L1's: pending, masked by priority */
	vmcr_set(0x80, true);
	*page_lr(1) = lr(40, 0x90, ICH_LR_PENDING);
	*page_lr(3) = lr(41, 0x40, ICH_LR_PENDING) | BIT(59) | MASK(47, 45) | BIT(31);
	l1_runs();
	level(false);
	assert_false(l2_runs());
	/* Packed, in order, without what is reserved. */
	assert_int_equal(lr_get(0), lr(40, 0x90, ICH_LR_PENDING));
	assert_int_equal(lr_get(1), lr(41, 0x40, ICH_LR_PENDING));
	assert_int_equal(lr_get(2) & ICH_LR_STATE, 0);
	assert_int_equal(fake_get("ICH_HCR_EL2"), EN);
	assert_int_equal(hw_ack(1), 41);
	assert_int_equal(hw_ack(1), SPURIOUS);
	fake_set("ICH_VMCR_EL2", vmcr_value(0x98, false));
	level(true);
	assert_int_equal(*page_lr(1), lr(40, 0x90, ICH_LR_PENDING));
	assert_int_equal(*page_lr(3) & ICH_LR_STATE, ICH_LR_ACTIVE);
	assert_int_equal(*word(VNCR_ICH_VMCR_EL2), vmcr_value(0x98, false));
	assert_int_equal(*word(VNCR_ICH_AP1R0_EL2), BIT(8));
	assert_int_equal(fake_get("ICH_AP1R0_EL2"), 0);
	assert_int_equal(ICH_VMCR_PMR(fake_get("ICH_VMCR_EL2")), 0x80);
	/* L1's own again, and nothing of L2's. */
	l1_runs();
	vmcr_set(0xf8, true);
	assert_int_equal(hw_ack(1), 20);
	assert_int_equal(hw_ack(1), SPURIOUS);
	/* Back in L2, where it left off. */
	level(false);
	assert_int_equal(fake_get("ICH_AP1R0_EL2"), BIT(8));
	hw_eoi(41, 1);
	assert_int_equal(hw_ack(1), 40);
	hw_eoi(40, 1);
	level(true);
	assert_int_equal((*page_lr(1) | *page_lr(3)) & ICH_LR_STATE, 0);
	assert_int_equal(phys_mmio, 0);
}

/* A switch with nothing pending on either side: these writes and no more. */
static void switch_is_cheap(void **state)
{
	(void)state;
	level(false);
	assert_false(l2_runs());
	for (int i = 0; i < 10; i++) {
		unsigned before = fake_writes_total();

		level(true);
		l1_runs();
		/* ICH_VMCR_EL2 (EOImode differs), ICH_HCR_EL2 */
		assert_int_equal(fake_writes_total() - before, 2);
		before = fake_writes_total();
		level(false);
		assert_false(l2_runs());
		assert_int_equal(fake_writes_total() - before, 2);
	}
	assert_int_equal(phys_mmio, 0);
}

static void all_ones(void **state)
{
	(void)state;
	memset(page, 0xff, sizeof(page));
	for (int i = 0; i < 4; i++) {
		/* lr_check() checks every list register that is written. */
		level(false);
		assert_int_equal(fake_get("ICH_VMCR_EL2"), ICH_VMCR_MASK);
		assert_int_equal(fake_get("ICH_AP1R0_EL2"), 0xffffffff);
		assert_int_equal(fake_get("ICH_HCR_EL2") & ~(0xf8005cffUL), 0);
		for (u32 n = 0; n < LRS; n++)
			assert_int_equal(lr_get(n) & (MASK(47, 42) | MASK(40, 24) | MASK(59, 56) |
						      MASK(50, 48)),
					 0);
		(void)l2_runs();
		assert_false(hw_maintenance());
		level(true);
		vgic_vel2_exit(v);
		memset(page, 0xff, sizeof(page));
		if (i & 1)
			*word(VNCR_ICH_HCR_EL2) = EN | ICH_HCR_TDIR;
		lr_caps.tdir = !lr_caps.tdir;
	}
	level(false);
	put(v);
	load(v, 0);
	level(true);
}

static void traps_of_l1(void **state)
{
	(void)state;
	*word(VNCR_ICH_HCR_EL2) = EN | ICH_HCR_TRAPS;
	level(false);
	assert_int_equal(fake_get("ICH_HCR_EL2"), EN | ICH_HCR_TRAPS);
	level(true);
	assert_int_equal(fake_get("ICH_HCR_EL2") & ICH_HCR_TRAPS, 0);
	/* Also if L2 uses L1's interrupts. */
	*word(VNCR_HCR_EL2) = 0;
	level(false);
	enter(v);
	assert_int_equal(fake_get("ICH_HCR_EL2") & ICH_HCR_TRAPS, ICH_HCR_TRAPS);
	put(v);
	load(v, 0);
	enter(v);
	assert_int_equal(fake_get("ICH_HCR_EL2") & ICH_HCR_TRAPS, ICH_HCR_TRAPS);
	level(true);
	l1_runs();
	assert_int_equal(fake_get("ICH_HCR_EL2") & ICH_HCR_TRAPS, 0);
}

static void without_imo(void **state)
{
	(void)state;
	*word(VNCR_HCR_EL2) = 0;
	/* The timers are exchanged all the same. */
	level(false);
	assert_true(phys_fire(TIMER, true));
	vgic_inject_ppi_vel2(v, TIMER, TIMER);
	enter(v);
	assert_true(lr_get(0) & ICH_LR_HW);
	level(true);
	assert_false(phys_active(TIMER, 0));
	l1_runs();
	assert_false(hw_signal());
	*page_lr(0) = lr(40, 0x10, ICH_LR_PENDING);
	level(false);
	vgic_set_ppi(v, 20, true);
	assert_false(vgic_wants_vel2(v, &took_fiq));
	enter(v);
	assert_int_equal(hw_ack(1), 20);
	level(true);
	l1_runs();
	assert_int_equal(hw_running(), 0xa0);
	hw_eoi(20, 1);
	vgic_set_ppi(v, 20, false);
	l1_ends(20);
	assert_int_equal(*page_lr(0), lr(40, 0x10, ICH_LR_PENDING));
}

/* ---- interrupts for L1 while L2 runs ---- */

static void l1_interrupt_ends_l2(void **state)
{
	(void)state;
	level(false);
	assert_false(l2_runs());
	vgic_set_ppi(v, 20, true);
	assert_true(l2_runs());
	assert_false(took_fiq);
	assert_true(l2_runs()); /* until L1 runs */
	level(true);
	l1_takes(20);
	/* While it is active: nothing new. */
	level(false);
	assert_false(l2_runs());
	level(true);
	l1_ends(20);
	/* Already pending when L2 is entered. */
	level(false);
	assert_true(l2_runs());
	/* Its line falls before it is taken. */
	vgic_set_ppi(v, 20, false);
	assert_false(l2_runs());
	/* An SGI from another vcpu; an SPI. */
	fake_cpu = 1;
	vgic_sgi(&vcpu[1], 3UL << ICC_SGIR_INTID_SHIFT | 1, true);
	assert_true(l2_runs());
	level(true);
	l1_takes(3);
	l1_ends(3);
	bit_wr(v, 0, 40, GICD_ISENABLER);
	level(false);
	assert_false(l2_runs());
	vgic_set_spi(&vm, 40, true);
	assert_true(l2_runs());
}

static void l1_masks_them(void **state)
{
	(void)state;
	vmcr_set(0xa0, true); /* PMR: 0xa0 itself is masked */
	level(false);
	vgic_set_ppi(v, 20, true);
	assert_false(l2_runs());
	assert_false(v->vgic.stale); /* and not checked again at every entry */
	assert_false(l2_runs());
	level(true);
	/* While in list registers of vEL2, it is in none of L2. */
	l1_runs();
	level(false);
	for (u32 n = 0; n < LRS; n++)
		assert_int_equal(lr_get(n) & ICH_LR_STATE, 0);
	assert_false(l2_runs());
	/* Nor does it get there if the run loop checks too late. */
	vgic_set_ppi(v, 22, true);
	vgic_flush(v);
	for (u32 n = 0; n < LRS; n++)
		assert_int_equal(lr_get(n) & ICH_LR_STATE, 0);
	assert_true(v->vgic.stale);
	assert_false(l2_runs());
	vgic_set_ppi(v, 22, false);
	level(true);
	/* Priorities that L1 has not dropped. */
	vmcr_set(0xf8, true);
	l1_runs();
	assert_int_equal(hw_ack(1), 20);
	vgic_set_ppi(v, 21, true);
	level(false);
	assert_false(l2_runs());
	/* More urgent. */
	set_prio(v, 0, 21, 0x50);
	assert_true(l2_runs());
	level(true);
	/* A disabled one. */
	bit_wr(v, 0, 21, GICD_ICENABLER);
	level(false);
	assert_false(l2_runs());
}

static void most_urgent_decides_the_kind(void **state)
{
	u64 group = GICR_AT + GICR_SGI + GICD_IGROUPR;

	(void)state;
	wr(v, group, 4, ~BIT(21));
	set_prio(v, 0, 21, 0x40);
	level(false);
	vgic_set_ppi(v, 20, true);
	vgic_set_ppi(v, 21, true);
	assert_true(l2_runs());
	assert_true(took_fiq);
	set_prio(v, 0, 21, 0xc0);
	took_fiq = true;
	assert_true(l2_runs());
	assert_false(took_fiq);
}

/* WFI of L2 that nidus handles: interrupts of either level end it. */
static void what_wakes_l2(void **state)
{
	(void)state;
	level(false);
	assert_false(vgic_interrupt_pending(v));
	vgic_set_ppi(v, 20, true);
	assert_true(vgic_interrupt_pending(v));
	vgic_set_ppi(v, 20, false);
	level(true);
	*page_lr(2) = lr(40, 0x90, ICH_LR_PENDING);
	level(false);
	assert_true(vgic_interrupt_pending(v));
	fake_set("ICH_VMCR_EL2", vmcr_value(0x90, false));
	assert_false(vgic_interrupt_pending(v));
	fake_set("ICH_VMCR_EL2", vmcr_value(0xf8, false));
	fake_set("ICH_HCR_EL2", 0);
	assert_false(vgic_interrupt_pending(v));
}

/*
 * L2 ends what L1 gave it and goes to sleep before the maintenance interrupt comes: L1 must be told
 * at once.
 */
static void what_l2_ended_wakes_l1(void **state)
{
	(void)state;
	*page_lr(0) = lr(50, 0xa0, ICH_LR_PENDING | ICH_LR_EOI);
	level(false);
	assert_false(l2_runs());
	assert_int_equal(hw_ack(1), 50);
	hw_eoi(50, 1);
	assert_true(vgic_interrupt_pending(v));
	assert_true(line(MI));
	assert_true(l2_runs());
	level(true);
	*page_lr(0) = 0;
	l1_runs();
	vgic_set_ppi(v, 20, true);
	l1_takes(20);
	*page_lr(0) = lr_of_l1(50, 20, ICH_LR_PENDING);
	level(false);
	assert_false(l2_runs());
	assert_int_equal(hw_ack(1), 50);
	hw_eoi(50, 1);
	assert_true(vgic_interrupt_pending(v));
	assert_false(l1_active(20));
}

/* ---- interrupts of L1 that it gives to L2 ---- */

static void given_software(void **state)
{
	(void)state;
	vgic_set_ppi(v, 20, true);
	l1_takes(20);
	*page_lr(0) = lr_of_l1(50, 20, ICH_LR_PENDING);
	level(false);
	assert_false(l2_runs());
	assert_int_equal(hw_ack(1), 50);
	assert_true(l1_active(20));
	level(true);
	assert_int_equal(*page_lr(0), lr_of_l1(50, 20, ICH_LR_ACTIVE));
	l1_runs();
	level(false);
	hw_eoi(50, 1);
	/* The line is still high: pending again, at once. */
	assert_true(l2_runs());
	assert_false(line(MI));
	assert_false(l1_active(20));
	level(true);
	assert_int_equal(*page_lr(0), lr_of_l1(50, 20, 0));
	l1_takes(20);
	/* Ended without L2 having continued: found when it leaves. */
	vgic_set_ppi(v, 20, false);
	*page_lr(0) = lr_of_l1(50, 20, ICH_LR_PENDING);
	level(false);
	hw_ack(1);
	hw_eoi(50, 1);
	level(true);
	assert_false(l1_active(20));
}

static void given_timer(void **state)
{
	(void)state;
	level(false);
	assert_true(phys_fire(TIMER, true));
	vgic_inject_ppi_vel2(v, TIMER, TIMER);
	assert_true(l2_runs());
	level(true);
	/* Not the hardware's while vEL2 runs: the physical timer is another one there. */
	assert_false(phys_active(TIMER, 0));
	vgic_set_ppi(v, TIMER, true); /* vtimer */
	l1_takes(TIMER);
	*page_lr(2) = lr_of_l1(TIMER, TIMER, ICH_LR_PENDING);
	level(false);
	vgic_set_ppi(v, TIMER, false);
	assert_false(l2_runs());
	/* Its line is high: it fires, and from then on L2's EOI ends it without an exit. */
	assert_true(phys_fire(TIMER, true));
	vgic_inject_ppi_vel2(v, TIMER, TIMER);
	assert_false(l2_runs());
	assert_true(lr_get(0) & ICH_LR_HW);
	assert_int_equal(hw_ack(1), TIMER);
	phys[0][0].pending = 0;
	hw_eoi(TIMER, 1);
	assert_false(hw_maintenance());
	assert_false(phys_active(TIMER, 0));
	/* The next one, before nidus looked. */
	assert_true(phys_fire(TIMER, true));
	vgic_inject_ppi_vel2(v, TIMER, TIMER);
	assert_true(l2_runs());
	assert_true(phys_active(TIMER, 0));
	level(true);
	assert_int_equal(*page_lr(2), lr_of_l1(TIMER, TIMER, 0));
	assert_false(phys_active(TIMER, 0));
	assert_int_equal(phys_mmio, 0);
	assert_false(l1_active(TIMER));
}

/* PPI intid by the machine's timer, until it takes the fast path. */
static void timer_settles(u32 intid)
{
	fake_cpu = 0;
	for (int i = 0; i < 3; i++) {
		bool again;

		assert_true(phys_fire(TIMER, true));
		again = vgic_redeliver_ppi(v, TIMER);
		assert_int_equal(again, i == 2);
		if (!again)
			vgic_inject_ppi_vel2(v, intid, TIMER);
		enter(v);
		assert_int_equal(hw_ack(1), intid);
		phys[0][0].pending = 0;
		hw_eoi(intid, 1);
		hw_dir(v, intid);
	}
}

/*
 * The machine's timer is another one's after each switch: what was in the list register does not
 * count.
 */
static void timers_of_both_levels(void **state)
{
	static const u64 hcr[] = { HCR_IMO | HCR_FMO, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hcr); i++) {
		*word(VNCR_HCR_EL2) = hcr[i];
		timer_settles(28);
		level(false);
		assert_false(vgic_redeliver_ppi(v, TIMER));
		assert_false(l2_runs());
		if (!hcr[i])
			timer_settles(TIMER);
		level(true);
		assert_false(vgic_redeliver_ppi(v, TIMER));
		l1_runs();
	}
	timer_settles(28);
}

/* Invalid contents: both states, INTIDs that L1 does not have. */
static void given_nonsense(void **state)
{
	static const u32 intids[] = { 1019, 1020, 1023, 4095, 8191 };

	(void)state;
	vgic_set_ppi(v, TIMER, true);
	l1_takes(TIMER);
	*page_lr(0) = lr_of_l1(TIMER, TIMER, ICH_LR_STATE);
	level(false);
	vgic_set_ppi(v, TIMER, false);
	assert_true(phys_fire(TIMER, true));
	vgic_inject_ppi_vel2(v, TIMER, TIMER);
	assert_false(lr_get(0) & ICH_LR_HW);
	assert_false(l2_runs());
	level(true);
	for (size_t i = 0; i < ARRAY_SIZE(intids); i++) {
		*page_lr(0) = lr_of_l1(50, intids[i], ICH_LR_PENDING);
		level(false);
		assert_int_equal(hw_ack(1), 50);
		hw_eoi(50, 1);
		assert_false(hw_maintenance());
		assert_false(l2_runs());
		level(true);
		assert_int_equal(*page_lr(0), lr_of_l1(50, intids[i], 0));
	}
}

static void given_spi(void **state)
{
	(void)state;
	assert_int_equal(vgic_assign_spi(&vm, 40, 60, false), 0);
	bit_wr(v, 0, 40, GICD_ISENABLER);
	assert_true(phys_fire(60, true));
	vgic_inject_spi_hw(60);
	l1_takes(40);
	*page_lr(0) = lr_of_l1(40, 40, ICH_LR_PENDING);
	level(false);
	assert_false(l2_runs());
	assert_int_equal(hw_ack(1), 40);
	assert_true(phys_active(60, 0));
	hw_eoi(40, 1);
	assert_false(l2_runs());
	assert_false(phys_active(60, 0));
	level(true);
	l1_runs();
	assert_false(hw_signal());
}

/*
 * SPIs that another vcpu of L1 has acknowledged, ended by this one's L2. The level switch waits for
 * nobody, and neither does serving others, in the middle of which the same may become due; but
 * nothing is entered before it is done, however late the answer.
 */
static void given_spi_of_another(void **state)
{
	struct vcpu *other = &vcpu[1];

	(void)state;
	for (u32 n = 40; n < 42; n++) {
		bit_wr(v, 0, n, GICD_ISENABLER);
		wr(v, GICD_AT + GICD_IROUTER + 8 * n, 8, 1);
		vgic_set_spi(&vm, n, true);
		enter(other);
		assert_int_equal(hw_ack(1), n);
		vgic_set_spi(&vm, n, false);
		fake_set("ICH_AP1R0_EL2", 0);
		*page_lr(n - 40) = lr_of_l1(n, n, ICH_LR_PENDING);
	}
	level(false);
	for (u32 n = 40; n < 42; n++) {
		assert_int_equal(hw_ack(1), n);
		hw_eoi(n, 1);
	}
	deaf = true;
	kicks[1] = 0;
	vgic_serve_sync(v);
	level(true);
	assert_int_equal(kicks[1], 0);
	assert_true(v->vgic.deferred && v->vgic.stale);
	for (int i = 0; i < 3; i++) {
		assert_false(vgic_finish_deferred(v));
		vgic_serve_sync(v);
	}
	fake_cpu = cpu_of(other);
	vgic_serve_sync(other);
	fake_cpu = cpu_of(v);
	assert_true(vgic_finish_deferred(v));
	assert_false(v->vgic.deferred);
	assert_int_equal(rd(v, GICD_AT + GICD_ISACTIVER + 4, 4), 0);
	deaf = false;
}

/* ---- L1's maintenance interrupt ---- */

static void maintenance(void **state)
{
	static const struct {
		u64 hcr;
		u32 groups;
		u64 lr;
		u64 misr;
	} rows[] = {
		{ EN, 3, 0, 0 },
		{ EN | ICH_HCR_UIE, 3, 0, 2 },
		{ EN | ICH_HCR_UIE, 3, ICH_LR_PENDING, 2 },
		{ EN | ICH_HCR_NPIE, 3, ICH_LR_PENDING, 0 },
		{ EN | ICH_HCR_NPIE, 3, ICH_LR_ACTIVE, 8 },
		{ EN | ICH_HCR_NPIE, 3, ICH_LR_STATE, 8 },
		{ EN | ICH_HCR_LRENPIE, 3, 0, 0 },
		{ EN | ICH_HCR_LRENPIE | BIT(28), 3, 0, 4 },
		{ EN, 3, ICH_LR_EOI, 1 },
		{ EN | ICH_HCR_GRP0_EIE, 3, 0, 0x10 },
		{ EN | ICH_HCR_GRP0_EIE, 2, 0, 0 },
		{ EN | ICH_HCR_GRP0_DIE, 2, 0, 0x20 },
		{ EN | ICH_HCR_GRP1_EIE, 1, 0, 0 },
		{ EN | ICH_HCR_GRP1_EIE, 2, 0, 0x40 },
		{ EN | ICH_HCR_GRP1_DIE, 1, 0, 0x80 },
		{ EN | ICH_HCR_GRP1_DIE, 3, 0, 0 },
	};
	u64 m = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		*word(VNCR_ICH_HCR_EL2) = rows[i].hcr;
		*word(VNCR_ICH_VMCR_EL2) = (vmcr_value(0xf8, false) & ~3UL) | rows[i].groups;
		*page_lr(1) = rows[i].lr ? lr(40, 0xf8, rows[i].lr) : 0;
		assert_int_equal(emul_ich_misr_el2(v, 0, false, &m), SKIP);
		if (m != rows[i].misr)
			fail_msg("row %zu: MISR %#lx, should %#lx", i, m, rows[i].misr);
		vgic_vel2_exit(v);
		if (line(MI) != !!m)
			fail_msg("row %zu: line %d", i, line(MI));
		/* The same by hardware, in L2: L1 gets it at once. */
		*word(VNCR_ICH_HCR_EL2) &= ~EN;
		vgic_vel2_exit(v);
		assert_false(line(MI));
		enter(v);
		*word(VNCR_ICH_HCR_EL2) |= EN;
		level(false);
		if (l2_runs() != !!m)
			fail_msg("row %zu: L2 goes on", i);
		assert_false(hw_maintenance());
		level(true);
		*word(VNCR_ICH_HCR_EL2) = 0;
		l1_runs();
	}
}

static void maintenance_not_taken(void **state)
{
	(void)state;
	bit_wr(v, 0, MI, GICD_ICENABLER);
	*word(VNCR_ICH_HCR_EL2) = EN | ICH_HCR_NPIE;
	*page_lr(0) = lr(40, 0x90, ICH_LR_PENDING | ICH_LR_EOI);
	level(false);
	assert_false(l2_runs());
	assert_false(line(MI));
	hw_ack(1);
	assert_true(hw_maintenance());
	/* L2 continues undisturbed, and L1's line says what happened. */
	assert_false(l2_runs());
	assert_false(hw_maintenance());
	assert_true(line(MI));
	hw_eoi(40, 1);
	assert_false(l2_runs());
	hw_eoi(99, 1); /* nothing active: not counted */
	level(true);
	assert_int_equal(*page_lr(0), lr(40, 0x90, ICH_LR_EOI));
	assert_true(line(MI));
	*page_lr(0) = 0;
	*word(VNCR_ICH_HCR_EL2) = EN;
	vgic_vel2_exit(v);
	assert_false(line(MI));
}

/* L2 changes what it depends on. */
static void maintenance_by_l2(void **state)
{
	(void)state;
	*word(VNCR_ICH_HCR_EL2) = EN | ICH_HCR_GRP1_DIE;
	level(false);
	assert_false(l2_runs());
	fake_set("ICH_VMCR_EL2", vmcr_value(0xf8, false) & ~ICH_VMCR_ENG1);
	assert_true(l2_runs());
	assert_true(line(MI));
	level(true);
	*word(VNCR_ICH_VMCR_EL2) = vmcr_value(0xf8, false);
	l1_runs();
	assert_false(line(MI));
	/* L2 may end it as well: L1 finds the line low. */
	bit_wr(v, 0, MI, GICD_ICENABLER);
	*word(VNCR_ICH_HCR_EL2) = EN | ICH_HCR_NPIE;
	*word(VNCR_ICH_AP1R0_EL2) = BIT(18);
	*page_lr(0) = lr(40, 0x90, ICH_LR_STATE);
	level(false);
	assert_false(l2_runs());
	assert_true(line(MI));
	hw_eoi(40, 1);
	level(true);
	assert_false(line(MI));
}

static void eoi_count(void **state)
{
	(void)state;
	*word(VNCR_ICH_HCR_EL2) = EN | 2UL << 27;
	*word(VNCR_ICH_AP1R0_EL2) = BIT(4) | BIT(8);
	level(false);
	hw_eoi(70, 1);
	level(true);
	assert_int_equal(*word(VNCR_ICH_HCR_EL2), EN | 3UL << 27);
	assert_int_equal(*word(VNCR_ICH_AP1R0_EL2), BIT(8));
}

/* ---- registers ---- */

static void registers(void **state)
{
	u64 x = 0;

	(void)state;
	fake_set("ICH_VTR_EL2", 0x90ac001f);
	assert_int_equal(emul_ich_vtr_el2(v, 0, false, &x), SKIP);
	assert_int_equal(x, 0x90b80003 & ~BIT(18)); /* 4 list registers; nV4; no DVIM */
	assert_int_equal(emul_ich_vtr_el2(v, 0, true, &x), UNDEF);
	*page_lr(0) = lr(40, 0, ICH_LR_EOI);
	*page_lr(1) = lr(40, 0, ICH_LR_EOI | ICH_LR_PENDING);
	*page_lr(2) = lr_of_l1(40, 512 + 20, 0); /* bit 41 is pINTID's */
	*page_lr(3) = 0;
	emul_ich_eisr_el2(v, 0, false, &x);
	assert_int_equal(x, 1);
	emul_ich_elrsr_el2(v, 0, false, &x);
	assert_int_equal(x, 0xc);
	emul_icc_sre_el2(v, 0, false, &x);
	assert_int_equal(x, 0xf);
	x = 0;
	assert_int_equal(emul_icc_sre_el2(v, 0, true, &x), SKIP);
	v->in_vel2 = false;
	/* An ordinary VM has no page to read. */
	v->vncr = NULL;
	assert_int_equal(emul_ich_vtr_el2(v, 0, false, &x), UNDEF);
	assert_int_equal(emul_ich_misr_el2(v, 0, false, &x), UNDEF);
	assert_int_equal(emul_ich_eisr_el2(v, 0, false, &x), UNDEF);
	assert_int_equal(emul_ich_elrsr_el2(v, 0, false, &x), UNDEF);
	assert_int_equal(emul_icc_sre_el2(v, 0, false, &x), UNDEF);
	v->in_vel2 = true;
}

/* ---- vcpu switches, other vcpus ---- */

static void moves_while_l2_runs(void **state)
{
	(void)state;
	*page_lr(1) = lr(40, 0x90, ICH_LR_PENDING);
	vmcr_set(0x88, true);
	level(false);
	assert_int_equal(hw_ack(1), 40);
	put(v);
	assert_int_equal(*page_lr(1), lr(40, 0x90, ICH_LR_ACTIVE));
	assert_int_equal(fake_get("ICH_HCR_EL2"), 0);
	load(v, 2);
	assert_false(l2_runs());
	assert_int_equal(lr_get(0), lr(40, 0x90, ICH_LR_ACTIVE));
	assert_int_equal(fake_get("ICH_AP1R0_EL2"), BIT(18));
	hw_eoi(40, 1);
	level(true);
	assert_int_equal(*page_lr(1), lr(40, 0x90, 0));
	assert_int_equal(ICH_VMCR_PMR(fake_get("ICH_VMCR_EL2")), 0x88);
	fake_cpu = 2;
	put(v);
	load(v, 0);
}

static void others_reach_l1s_state(void **state)
{
	(void)state;
	vgic_set_ppi(v, 20, true);
	l1_takes(20);
	level(false);
	*page_lr(0) = 0;
	assert_true(bit_rd(&vcpu[1], 0, 20, GICD_ISACTIVER));
	bit_wr(&vcpu[1], 0, 20, GICD_ICACTIVER);
	assert_true(l2_runs()); /* the line is high */
	bit_wr(&vcpu[1], 0, 20, GICD_ICENABLER);
	assert_false(l2_runs());
	assert_false(bit_rd(&vcpu[1], 0, 20, GICD_ISACTIVER));
}

/* ---- random guests ---- */

static struct {
	u64 lr[LRS], hcr, vmcr, ap[2];
	bool line[32], active[32]; /* L1's private interrupts */
} ref;
static u32 seed, steps, entries, given_ended, bound_ended;

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

#define expect(cond, ...)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "step %u: ", steps);                                       \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			fail();                                                                    \
		}                                                                                  \
	} while (0)

static bool ref_mi(void)
{
	u32 valid = 0, pending = 0;
	bool mi = false;

	for (u32 n = 0; n < LRS; n++) {
		valid += !!(ref.lr[n] & ICH_LR_STATE);
		pending += (ref.lr[n] & ICH_LR_STATE) == ICH_LR_PENDING;
		mi |= (ref.lr[n] & (ICH_LR_STATE | ICH_LR_HW | ICH_LR_EOI)) == ICH_LR_EOI;
	}
	mi |= (ref.hcr & ICH_HCR_UIE) && valid < 2;
	mi |= (ref.hcr & ICH_HCR_NPIE) && !pending;
	mi |= (ref.hcr & ICH_HCR_LRENPIE) && ICH_HCR_EOICOUNT(ref.hcr);
	return mi && (ref.hcr & EN);
}

static u32 ref_running(void)
{
	u64 ap = ref.ap[0] | ref.ap[1];

	return ap ? (u32)__builtin_ctzl(ap) << 3 : 0x100;
}

static int ref_best(void)
{
	u32 prio = MIN(ICH_VMCR_PMR(ref.vmcr), ref_running());
	int best = -1;

	for (u32 n = 0; n < LRS && (ref.hcr & EN); n++)
		if ((ref.lr[n] & ICH_LR_STATE) == ICH_LR_PENDING &&
		    FIELD(ref.lr[n], 55, 48) < prio) {
			prio = (u32)FIELD(ref.lr[n], 55, 48);
			best = (int)n;
		}
	return best;
}

static void l2_acks(void)
{
	int n = ref_best();
	u32 got = hw_ack(1), want = n < 0 ? SPURIOUS : (u32)ref.lr[n];

	expect(got == want, "L2 acknowledged %u, should %u", got, want);
	if (n < 0)
		return;
	ref.lr[n] ^= ICH_LR_STATE;
	ref.ap[1] |= BIT(FIELD(ref.lr[n], 55, 51));
}

/* L2 ends the interrupt of slot n (LRS: one that is in no list register). */
static void l2_ends(u32 n)
{
	bool was = phys_active(TIMER, 0), phys_ended;
	bool found = n < LRS && (ref.lr[n] & ICH_LR_ACTIVE);
	u32 drop;

	hw_eoi(n < LRS ? (u32)ref.lr[n] : 500, 1);
	phys_ended = was && !phys_active(TIMER, 0);
	if (!ref.ap[1])
		return;
	drop = (u32)__builtin_ctzl(ref.ap[1]);
	ref.ap[1] &= ref.ap[1] - 1;
	if (!found) {
		ref.hcr += BIT(27);
		return;
	}
	if (FIELD(ref.lr[n], 55, 51) != drop)
		return;
	ref.lr[n] &= ~ICH_LR_ACTIVE;
	/*
	 * Both states with the HW bit is a mistake of the hypervisor; nidus ends it with the last
	 * state.
	 */
	if ((ref.lr[n] & (ICH_LR_HW | ICH_LR_STATE)) == ICH_LR_HW) {
			ref.active[FIELD(ref.lr[n], 44, 32)] = false;
		given_ended++;
		bound_ended += phys_ended;
	}
}

static u32 ref_most_urgent_active(void)
{
	u32 best = LRS;

	for (u32 n = 0; n < LRS; n++)
		if ((ref.lr[n] & ICH_LR_ACTIVE) &&
		    (best == LRS || FIELD(ref.lr[n], 55, 48) < FIELD(ref.lr[best], 55, 48)))
			best = n;
	return best;
}

static bool ref_l1_pending(void)
{
	for (u32 i = 16; i < 32; i++)
		if (ref.line[i] && !ref.active[i])
			return true;
	return false;
}

/* The timer's line: the machine's while L2 runs, emulated while vEL2 does. */
static void timer_tick(void)
{
	fake_cpu = 0;
	phys[0][0].pending &= ~(1u << TIMER);
	if (!v->in_vel2 && ref.line[TIMER] && phys_fire(TIMER, true) &&
	    !vgic_redeliver_ppi(v, TIMER))
		vgic_inject_ppi_vel2(v, TIMER, TIMER);
}

static void ref_line_set(u32 i, bool on)
{
	ref.line[i] = on;
	if (i != TIMER || v->in_vel2)
		vgic_set_ppi(v, i, on);
}

static void to_l2(void)
{
	entries++;
	*word(VNCR_ICH_HCR_EL2) = ref.hcr;
	*word(VNCR_ICH_VMCR_EL2) = ref.vmcr;
	*word(VNCR_ICH_AP0R0_EL2) = ref.ap[0];
	*word(VNCR_ICH_AP1R0_EL2) = ref.ap[1];
	for (u32 n = 0; n < LRS; n++)
		*page_lr(n) = ref.lr[n];
	level(false);
	vgic_set_ppi(v, TIMER, false);
}

static void to_l1(void)
{
	level(true);
	vgic_set_ppi(v, TIMER, ref.line[TIMER]);
	for (u32 n = 0; n < LRS; n++)
		expect(*page_lr(n) == ref.lr[n], "list register %u: %#lx, should %#lx", n,
		       *page_lr(n), ref.lr[n]);
	expect(*word(VNCR_ICH_HCR_EL2) == ref.hcr, "ICH_HCR %#lx, should %#lx",
	       *word(VNCR_ICH_HCR_EL2), ref.hcr);
	expect(*word(VNCR_ICH_AP1R0_EL2) == ref.ap[1], "AP1R");
	expect(*word(VNCR_ICH_VMCR_EL2) == ref.vmcr, "VMCR");
	expect(line(MI) == ref_mi(), "maintenance line %d", line(MI));
	expect(!phys_active(TIMER, 0), "the timer is still L2's");
	for (u32 i = 19; i <= TIMER; i += 2)
		expect(i == MI || l1_active(i) == ref.active[i], "L1's %u: active %d", i,
		       l1_active(i));
}

/* L1 writes a list register: empty, software, or an interrupt of its own that is active. */
static void l1_sets_lr(u32 n)
{
	static const u64 states[] = { 0, ICH_LR_PENDING, ICH_LR_PENDING, ICH_LR_ACTIVE,
				      ICH_LR_STATE };
	u32 i = 19 + 2 * n; /* PPIs 19, 21, 23, 25: not 25 */

	if (ref.lr[n] & ICH_LR_STATE)
		return;
	if (n == 3)
		i = TIMER;
	if (rnd(2) && ref.active[i])
		ref.lr[n] = lr_of_l1(i, i, rnd(8) ? ICH_LR_PENDING : ICH_LR_STATE);
	else
		ref.lr[n] = lr(100 + n, rnd(4) * 0x40 & 0xf8, states[rnd(ARRAY_SIZE(states))]) |
			    (rnd(4) ? 0 : ICH_LR_EOI);
	/* A state without its active priority would never end. */
	if (ref.lr[n] & ICH_LR_ACTIVE)
		ref.ap[1] |= BIT(FIELD(ref.lr[n], 55, 51));
}

/* L1 resets L2, and ends what it had given to it. */
static void l1_resets_l2(void)
{
	memset(ref.lr, 0, sizeof(ref.lr));
	ref.ap[0] = ref.ap[1] = 0;
	l1_runs();
	for (u32 i = 19; i <= TIMER; i += 2) {
		if (ref.active[i])
			hw_dir(v, i);
		ref.active[i] = false;
	}
}

/* What L1 does in a maintenance interrupt. */
static void l1_looks_at_l2(void)
{
	for (u32 n = 0; n < LRS; n++)
		if (!(ref.lr[n] & ICH_LR_STATE))
			ref.lr[n] = 0;
	ref.hcr &= EN;
}

static void l1_step(void)
{
	u32 got;

	switch (rnd(25) ? rnd(6) : 6) {
	case 6:
		l1_resets_l2();
		break;
	case 0:
	case 1:
		l1_sets_lr(rnd(LRS));
		break;
	case 2:
		ref.hcr = (ref.hcr & ICH_HCR_EOICOUNT_FIELD & ~BIT(31)) | (rnd(4) ? EN : 0) |
			  (rnd(8) ? 0 : ICH_HCR_UIE) | (rnd(8) ? 0 : ICH_HCR_NPIE) |
			  (rnd(8) ? 0 : ICH_HCR_LRENPIE);
		ref.vmcr = vmcr_value(rnd(4) ? 0xf8 : 0x80, false);
		if (ICH_HCR_EOICOUNT(ref.hcr) > 8)
			ref.hcr &= ~ICH_HCR_EOICOUNT_FIELD;
		break;
	case 3:
	case 4:
		l1_runs();
		got = hw_ack(1);
		if (got == SPURIOUS) {
			bool pending = ref_l1_pending() || (line(MI) && !l1_active(MI));

			expect(!pending, "L1 gets none of its interrupts");
			break;
		}
		hw_eoi(got, 1);
		if (got == MI) {
			l1_looks_at_l2();
			hw_dir(v, MI);
			break;
		}
		expect(ref.line[got] && !ref.active[got], "L1 gets %u", got);
		ref.active[got] = true;
		break;
	default:
		to_l2();
	}
}

static void l2_step(void)
{
	bool wants;

	timer_tick();
	(void)l2_runs();
	timer_tick(); /* what that ended may fire again */
	wants = l2_runs();
	expect(wants == (ref_l1_pending() || line(MI)), "L1 is %s",
	       wants ? "disturbed" : "not told");
	expect(!ref_mi() || line(MI), "no maintenance interrupt");
	if (wants || !rnd(20)) {
		to_l1();
		return;
	}
	if (rnd(2))
		l2_acks();
	else if (ref.hcr & EN) /* else only found when L2 leaves */
		l2_ends(rnd(16) ? ref_most_urgent_active() : rnd(LRS + 1));
}

static void random_guests(void **state)
{
	(void)state;
	ref.vmcr = vmcr_value(0xf8, false);
	ref.hcr = EN;
	for (steps = 0; steps < 200000; steps++) {
		if (!rnd(40)) {
			static const u32 lines[] = { 19, 21, 23, TIMER };

			ref_line_set(lines[rnd(ARRAY_SIZE(lines))], rnd(2));
		} else if (!rnd(30)) {
			fake_cpu = 0;
			put(v);
			load(v, 0);
		} else if (v->in_vel2) {
			l1_step();
		} else {
			l2_step();
		}
	}
	/* The run covered what it is meant to. */
	expect(given_ended > 500 && bound_ended > 50, "only %u given, %u by hardware (%u)",
	       given_ended, bound_ended, entries);
}

/*
 * L1 closed its groups and entered L2: a 1 of N interrupt that had chosen it goes to another vcpu.
 */
static void any_vcpu_but_one_whose_l2_runs(void **state)
{
	(void)state;
	wr(v, GICD_AT + GICD_ICFGR + 8, 4, ~0u);
	bit_wr(v, 0, 40, GICD_ISENABLER);
	wr(v, GICD_AT + GICD_IROUTER + 8 * 40, 8, GICD_IROUTER_IRM);
	for (u32 i = 0; i < 2; i++) {
		vgic_sgi(&vcpu[i], 1UL << ICC_SGIR_INTID_SHIFT | 1u << i, true);
		enter(&vcpu[i]);
		assert_int_equal(hw_ack(1), 1);
		hw_eoi(1, 1);
		hw_dir(&vcpu[i], 1);
	}
	fake_cpu = 0;
	fake_set("ICH_VMCR_EL2", fake_get("ICH_VMCR_EL2") & ~(u64)ICH_VMCR_ENG1);
	level(false);
	bit_wr(&vcpu[1], 0, 40, GICD_ISPENDR);
	assert_false(l2_runs());
	enter(&vcpu[1]);
	assert_int_equal(hw_ack(1), 40);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(l2_sees_its_own),
		TEST(switch_is_cheap),
		TEST(all_ones),
		TEST(traps_of_l1),
		TEST(without_imo),
		TEST(l1_interrupt_ends_l2),
		TEST(l1_masks_them),
		TEST(most_urgent_decides_the_kind),
		TEST(what_wakes_l2),
		TEST(what_l2_ended_wakes_l1),
		TEST(given_software),
		TEST(given_timer),
		TEST(timers_of_both_levels),
		TEST(given_nonsense),
		TEST(given_spi),
		TEST(given_spi_of_another),
		TEST(maintenance),
		TEST(maintenance_not_taken),
		TEST(maintenance_by_l2),
		TEST(eoi_count),
		TEST(registers),
		TEST(moves_while_l2_runs),
		TEST(others_reach_l1s_state),
		TEST(random_guests),
		TEST(any_vcpu_but_one_whose_l2_runs),
	};

	return cmocka_run_group_tests_name("vgic_nested", tests, NULL, NULL);
}
