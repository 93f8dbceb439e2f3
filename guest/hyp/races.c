/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Races: all CPUs of the hypervisor use the same stage 2, GIC, timers and PSCI at once, each in its
 * own random order (seed=N), for ms=N. Whatever the interleaving, three things hold: an L2 reads
 * and writes only what is mapped once the TLBI for the previous page is complete, every interrupt
 * arrives, and afterwards everything still works.
 */
#include "hyp.h"

#include "arch/spinlock.h"
#include "timer.h"

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);

#define CPUS ARRAY_SIZE(l2s)
#define SETTLE_US 60000000 /* the host may be slow; when all is well the wait is short */

/*
 * ---- a stage 2 that all CPUs change -----------------------------------------------------------
 */

#define WINDOW (L2_SPACE + 0x400000UL)
#define SLOTS 32
#define FRAMES FRAMES_MAX
#define VMIDS 3 /* CPUs that may have the window in a TLB */
#define MARK 0x5107a11000000000UL
#define WIDE_FIRST 16 /* GiB of L2's addresses, all of which map one page */
#define WIDE_LAST 79

static struct slot {
	struct spinlock lock;
	u64 *frame; /* the page that it maps, or NULL */
} slots[SLOTS];

static u32 stop;
static u64 until;
static bool has_range;
static u64 (*wide)[512];

static u64 pick(u64 *seed, u64 n)
{
	return random_next(seed) % n;
}

/* Invalidate one page of the VMID in force, in one of the possible ways. */
static void tlbi_one(u64 *seed, u64 ipa)
{
	u64 page = ipa >> 12;

	switch (pick(seed, has_range ? 5 : 4)) {
	case 0:
		TLBI(4, 0, 1, page); /* IPAS2E1IS */
		break;
	case 1:
		TLBI(4, 0, 5, page); /* IPAS2LE1IS */
		break;
	case 2:
		TLBI(4, 0, 1, page | 7UL << 44); /* TTL: level 3 of 4 KiB */
		break;
	case 3:
		TLBI(4, 3, 6, 0); /* VMALLS12E1IS */
		return;
	case 4:
		TLBI(4, 0, 2, page | 1UL << 46); /* RIPAS2E1IS: two pages */
	}
	dsb(ish);
	TLBI(0, 3, 0, 0); /* VMALLE1IS: what combines both stages */
}

static void tlbi(u64 *seed, u64 ipa)
{
	u64 root = l2s[0].s2.root, v;

	dsb(ish);
	sysreg_write(HCR_EL2, HCR_L2);
	isb();
	if (pick(seed, 8) == 0) {
		TLBI(4, 3, 4, 0); /* ALLE1IS */
	} else {
		for (v = 1; v <= VMIDS; v++) {
			sysreg_write(VTTBR_EL2, root | v << 48);
			isb();
			tlbi_one(seed, ipa);
		}
	}
	dsb(ish);
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
}

static u64 slot_ipa(u64 i)
{
	return WINDOW + i * 4096;
}

static u64 *descriptor(u64 i)
{
	return stage2_slot(&l2s[0], slot_ipa(i), 3);
}

static void describe(u64 i, u64 attr)
{
	__atomic_store_n(descriptor(i), attr ? (u64)slots[i].frame | attr | 3 : 0,
			 __ATOMIC_RELEASE);
	dsb(ishst);
}

static u64 random_attr(u64 *seed)
{
	return pick(seed, 3) ? S2_MEMORY : S2_RO | S2_NORMAL | S2_AF;
}

static void unmap(u64 *seed, u64 i)
{
	u64 *frame = slots[i].frame;

	if (!frame)
		return;
	describe(i, 0);
	tlbi(seed, slot_ipa(i));
	slots[i].frame = NULL;
	frame_put(frame);
}

static void map(u64 *seed, u64 i)
{
	slots[i].frame = frame_get();
	frame_fill(slots[i].frame, MARK | i);
	describe(i, random_attr(seed));
}

/* Unmap the page, map another one, or change its permissions: that needs no break, but the TLBI. */
static void change(u64 *seed)
{
	u64 i = pick(seed, SLOTS), how = pick(seed, 4);

	spin_lock(&slots[i].lock);
	if (how < 3)
		unmap(seed, i);
	if (how && !slots[i].frame) {
		map(seed, i);
	} else if (how == 3) {
		describe(i, random_attr(seed));
		tlbi(seed, slot_ipa(i));
	}
	spin_unlock(&slots[i].lock);
}

/* L2 has faulted at slot i: give it the page, writable. */
static void give(u64 *seed, u64 i)
{
	spin_lock(&slots[i].lock);
	if (!slots[i].frame) {
		map(seed, i);
	} else if (!(__atomic_load_n(descriptor(i), __ATOMIC_RELAXED) & (2UL << 6))) {
		describe(i, S2_MEMORY);
		tlbi(seed, slot_ipa(i));
	}
	spin_unlock(&slots[i].lock);
}

/*
 * ---- interrupts that L2 has to end ------------------------------------------------------------
 */

#define SGI_MAIL 1
#define SPI_FIRST 40u
#define SPIS 6
#define PPI_VTIMER 27u
#define LR_STATE (3UL << 62)
#define LR_HW(id) (BIT(62) | BIT(61) | BIT(60) | 0x80UL << 48 | (u64)(id) << 32 | (id))

static struct {
	u32 mail; /* an SGI is under way */
	u32 timer[2];
	u32 passed; /* to its L2 */
} owed[CPUS];
static u32 owed_spi[SPIS];
static u32 online[CPUS];
static u64 seeds[CPUS];

static u64 lr_read(u32 n)
{
	switch (n) {
	case 0:
		return sysreg_read(ICH_LR0_EL2);
	case 1:
		return sysreg_read(ICH_LR1_EL2);
	}
	return sysreg_read(ICH_LR2_EL2);
}

static void lr_write(u32 n, u64 v)
{
	switch (n) {
	case 0:
		sysreg_write(ICH_LR0_EL2, v);
		return;
	case 1:
		sysreg_write(ICH_LR1_EL2, v);
		return;
	}
	sysreg_write(ICH_LR2_EL2, v);
}

#define LRS 3

/* Let this CPU's L2 have the interrupt: its deactivation ends the hypervisor's. */
static bool pass(u32 id)
{
	u32 n;

	for (n = 0; n < LRS; n++)
		if (!(lr_read(n) & LR_STATE)) {
			lr_write(n, LR_HW(id));
			return true;
		}
	return false;
}

static bool lrs_in_use(void)
{
	u32 n;

	for (n = 0; n < LRS; n++)
		if (lr_read(n) & LR_STATE)
			return true;
	return false;
}

/* The hypervisor's own timers: 0 CNTHV, 1 CNTHP, which is the only one without VHE. */
static enum timer_kind own_timer(u32 which)
{
	return !which ? TIMER_VIRT : e2h0 ? TIMER_HYP : TIMER_PHYS;
}

static void take(void)
{
	u32 me = cpu_self()->index, id = gic_ack();
	bool passed = false;

	if (id >= INTID_SPURIOUS - 3)
		return;
	if (id == SGI_MAIL) {
		__atomic_store_n(&owed[me].mail, 0, __ATOMIC_SEQ_CST);
	} else if (id == PPI_VTIMER_HYP || id == PPI_PTIMER_HYP) {
		timer_set_ctl(own_timer(id == PPI_PTIMER_HYP), 0);
		owed[me].timer[id == PPI_PTIMER_HYP] = 0;
	} else if (id == PPI_VTIMER) {
		passed = pass(id);
		if (!passed)
			el1_timer_write(CNTV_CTL, 0);
	} else if (id - SPI_FIRST < SPIS) {
		__atomic_store_n(&owed_spi[id - SPI_FIRST], 0, __ATOMIC_SEQ_CST);
		passed = pick(&seeds[me], 2) && pass(id);
	} else {
		test_fail("CPU %u: interrupt %u", me, id);
	}
	gic_eoi(id);
	if (!passed)
		gic_deactivate(id);
}

static void on_irq(struct frame *f)
{
	(void)f;
	take();
}

static void irq_window(void)
{
	irq_enable();
	isb();
	irq_disable();
}

static void send(u64 *seed)
{
	u32 to = (u32)pick(seed, CPUS);

	if (!__atomic_load_n(&online[to], __ATOMIC_SEQ_CST))
		return;
	__atomic_store_n(&owed[to].mail, 1, __ATOMIC_SEQ_CST);
	gic_sgi(SGI_MAIL, gcpus[to].mpidr);
}

/* Any CPU changes the distributor: pending, another target, off and on, another priority. */
static void spi(u64 *seed)
{
	u32 n = (u32)pick(seed, SPIS), id = SPI_FIRST + n;

	switch (pick(seed, 6)) {
	case 0:
		gic_disable(id);
		gic_enable(id);
		break;
	case 1:
		gic_set_priority(id, (u8)(0x80 + 8 * pick(seed, 8)));
		break;
	case 2:
	case 3:
		if (pick(seed, 4))
			gic_route(id, gcpus[pick(seed, CPUS) % MIN(dt.cpu_count, (u32)CPUS)].mpidr);
		else
			write64(dt.gicd + GICD_IROUTER + 8 * id, BIT(31)); /* any of them */
		break;
	default:
		__atomic_store_n(&owed_spi[n], 1, __ATOMIC_SEQ_CST);
		gic_pend(id);
	}
}

static void arm(u64 *seed)
{
	u32 me = cpu_self()->index, which = (u32)pick(seed, 2) | e2h0;
	enum timer_kind k = own_timer(which);

	if (owed[me].timer[which])
		return;
	owed[me].timer[which] = 1;
	timer_set_tval(k, pick(seed, ticks_us(200)));
	timer_set_ctl(k, TIMER_ENABLE);
}

/* ---- L2 -------------------------------------------------------------------------------------- */

static void l2_on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == PPI_VTIMER)
		timer_set_ctl(TIMER_VIRT, 0);
	if (id < INTID_SPURIOUS - 3)
		gic_eoi(id);
}

/*
 * Read and write the window, with a timer of its own; returns how many words were not what is
 * mapped there.
 */
static u64 l2_race(u64 seed, u64 n, u64 timer)
{
	u64 i, bad = 0;

	cpu_self()->irq = l2_on_irq;
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_set_pmr(0xf0);
	if (timer) {
		timer_set_tval(TIMER_VIRT, timer);
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	}
	for (i = 0; i < n; i++) {
		u64 r = random_next(&seed), slot = r % SLOTS;
		volatile u64 *p = (u64 *)(slot_ipa(slot) + (r >> 8 & 0xff8));

		if (r & BIT(7))
			*p = MARK | slot;
		bad += *p != (MARK | slot);
		if (!(r & (3UL << 20))) {
			irq_enable();
			isb();
			irq_disable();
		}
	}
	return bad;
}

static u64 l2_wide(u64 n, u64 b, u64 c)
{
	u64 i, sum = 0;

	(void)b;
	(void)c;
	for (i = 0; i < n; i++)
		sum += *(volatile u64 *)(GIB(WIDE_FIRST) +
					 i * (GIB(WIDE_LAST - WIDE_FIRST) / n & ~4095UL));
	return sum;
}

static void run(struct l2 *l, u64 *seed)
{
	u64 kind;

	for (;;) {
		kind = l2_run(l);
		if (l2_is_hvc(l, kind, L2_DONE))
			break;
		if (kind == EXIT_IRQ) {
			take();
		} else if (kind == EXIT_SYNC && ESR_EC(l->esr) == EC_DABT_LOW &&
			   (l->hpfar << 8) - WINDOW < SLOTS * 4096) {
			give(seed, ((l->hpfar << 8) - WINDOW) >> 12);
		} else {
			test_fail("CPU %u: exit kind %lu esr 0x%lx elr 0x%lx far 0x%lx hpfar 0x%lx",
				  cpu_self()->index, kind, l->esr, l->elr, l->far, l->hpfar);
			return;
		}
	}
	expect_eq(l->x[0], 0, "words that are not what is mapped");
}

static void enter(u64 *seed, u64 n)
{
	struct l2 *l = &l2s[cpu_self()->index];
	u64 root = l->s2.root;

	/*
	 * Seldom a space that has not been used before, so that caches of it are reused; large ones
	 * now and then.
	 */
	if (pick(seed, 16) == 0) {
		l->vttbr = root | (100 + pick(seed, 100)) << 48;
		l2_call(l, l2_wide, 1 + pick(seed, pick(seed, 4) ? 8 : 128), 0, 0);
	} else {
		l->vttbr = root | (1 + pick(seed, VMIDS)) << 48;
		l2_call(l, l2_race, random_next(seed), n,
			pick(seed, 2) ? 1 + pick(seed, ticks_us(50)) : 0);
	}
	run(l, seed);
}

/* ---- PSCI ------------------------------------------------------------------------------------ */

static bool over(void)
{
	if ((s64)(counter_virt() - until) >= 0)
		__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}



static struct spinlock psci_lock;

static void race_cpu(u32 index);

/* Start a CPU that went off, or query the state of one that did not. */
static void cpu_on(u64 *seed)
{
	u32 k = (u32)pick(seed, MIN(dt.cpu_count, (u32)CPUS));

	if (!k) /* it stays on */
		expect_eq(psci_call(PSCI_CPU_ON, gcpus[0].mpidr, 0, 0), -4,
			  "CPU_ON of a CPU that is on");
	if (!k || !spin_trylock(&psci_lock))
		return;
	if (__atomic_load_n(&gcpus[k].state, __ATOMIC_ACQUIRE) == GCPU_DONE && !over() &&
	    psci_call(PSCI_AFFINITY_INFO, gcpus[k].mpidr, 0, 0) == 1)
		expect_eq(smp_start(k, race_cpu), 0, "CPU_ON");
	spin_unlock(&psci_lock);
}

/*
 * ---- all together -----------------------------------------------------------------------------
 */

static void begin_cpu(u32 me)
{
	gic_cpu_init();
	sysreg_write(ICC_CTLR_EL1, 2); /* EOImode: an interrupt that goes to L2 stays active */
	sysreg_write(ICH_VMCR_EL2, 0);
	lr_write(0, 0);
	lr_write(1, 0);
	lr_write(2, 0);
	gic_enable(SGI_MAIL);
	gic_enable(PPI_VTIMER_HYP);
	gic_enable(PPI_PTIMER_HYP);
	gic_enable(PPI_VTIMER);
	isb();
	cpu_self()->irq = on_irq;
	__atomic_store_n(&online[me], 1, __ATOMIC_SEQ_CST);
	/* What came while it was off was lost with the redistributor's reset. */
	if (__atomic_load_n(&owed[me].mail, __ATOMIC_SEQ_CST))
		gic_sgi(SGI_MAIL, cpu_self()->mpidr);
}

/* Wait until all interrupts due to this CPU have come, and L2 has ended those that it has. */
static void settle(u32 me)
{
	u64 limit = counter_virt() + ticks_us(SETTLE_US);

	__atomic_store_n(&online[me], 0, __ATOMIC_SEQ_CST);
	for (;;) {
		irq_window();
		if (lrs_in_use()) {
			l2_call(&l2s[me], l2_race, 1, 64, 0);
			run(&l2s[me], &seeds[me]);
		} else if (!__atomic_load_n(&owed[me].mail, __ATOMIC_SEQ_CST) &&
			   !owed[me].timer[0] && !owed[me].timer[1]) {
			break;
		}
		if ((s64)(counter_virt() - limit) > 0) {
			test_fail("CPU %u: SGI %u, timers %u %u, L2 has interrupts: %u", me,
				  owed[me].mail, owed[me].timer[0], owed[me].timer[1],
				  lrs_in_use());
			break;
		}
	}
	el1_timer_write(CNTV_CTL, 0);
	irq_window();
	if (lrs_in_use()) {
		l2_call(&l2s[me], l2_race, 1, 64, 0);
		run(&l2s[me], &seeds[me]);
	}
	l2_put();
}

static void race_cpu(u32 me)
{
	u64 *seed = &seeds[me];

	if (me >= CPUS)
		return;
	begin_cpu(me);
	while (!over() && !test_failed()) {
		u64 what = pick(seed, 64);

		if (what < 16)
			change(seed);
		else if (what < 28)
			send(seed);
		else if (what < 40)
			spi(seed);
		else if (what < 44)
			arm(seed);
		else if (what < 45)
			cpu_on(seed);
		else if (what == 45 && me && pick(seed, 4) == 0)
			break;
		else
			enter(seed, 1 + pick(seed, 100));
		irq_window();
	}
	settle(me);
}

static void prepare(void)
{
	u32 i, n = MIN(dt.cpu_count, (u32)CPUS);
	u64 *piece = NULL;

	l2_reset(&l2s[0], 1);
	for (i = 0; i < FRAMES; i++) {
		if (i % 16 == 0)
			piece = pool_alloc();
		frame_put(piece + i % 16 * 512);
	}
	stage2_map(&l2s[0], WINDOW, 0, 3, S2_MEMORY); /* so that there are tables */
	for (i = 0; i < SLOTS; i++)
		describe(i, 0);
	wide = pool_alloc();
	for (i = 0; i < 512; i++) {
		wide[0][i] = (u64)wide[1] | 3;
		wide[1][i] = (u64)wide[2] | 3 | S2_RO | S2_NORMAL | S2_AF;
	}
	for (i = WIDE_FIRST; i <= WIDE_LAST; i++)
		((u64 *)l2s[0].s2.root)[i] = (u64)wide[0] | 3;
	stage2_flush(&l2s[0]);
	for (i = 0; i < n; i++) {
		seeds[i] = dt_arg("seed", 1) * 1000 + i;
		if (i) {
			l2_reset_cpu(&l2s[i], i);
			l2s[i].s2 = l2s[0].s2;
			l2s[i].vttbr = l2s[0].vttbr;
			l2s[i].vtcr = l2s[0].vtcr;
			l2_boot_mmu(&l2s[i]);
		}
		l2s[i].control[CTL_ICH_HCR] = BIT(0);
	}
	l2_put();
	for (i = 0; i < SPIS; i++) {
		gic_set_edge(SPI_FIRST + i, true);
		gic_enable(SPI_FIRST + i);
	}
}

/* With all other CPUs off, SPIs that have not come yet belong to this CPU. */
static void settle_spis(void)
{
	u64 limit = counter_virt() + ticks_us(SETTLE_US);
	u32 i, left;

	for (i = 0; i < SPIS; i++) {
		gic_enable(SPI_FIRST + i);
		gic_route(SPI_FIRST + i, gcpus[0].mpidr);
	}
	do {
		irq_window();
		if (lrs_in_use()) {
			l2_call(&l2s[0], l2_race, 1, 64, 0);
			run(&l2s[0], &seeds[0]);
		}
		for (i = left = 0; i < SPIS; i++)
			left |= (u32)(owed_spi[i] || gic_is_pending(SPI_FIRST + i) ||
				      gic_is_active(SPI_FIRST + i))
				<< i;
	} while (left && (s64)(counter_virt() - limit) < 0);
	for (i = 0; i < SPIS; i++) {
		expect(!(left >> i & 1), "SPI %u: owed %u, pending %u, active %u", SPI_FIRST + i,
		       owed_spi[i], gic_is_pending(SPI_FIRST + i), gic_is_active(SPI_FIRST + i));
		gic_disable(SPI_FIRST + i);
	}
	l2_put();
}

void group_races(void)
{
	u32 i, n = MIN(dt.cpu_count, (u32)CPUS);

	check_begin("races", "L2s boot");
	has_range = FIELD(sysreg_read(ID_AA64ISAR0_EL1), 59, 56) >= 2;
	prepare();
	check_begin("races", "all CPUs at once");
	until = counter_virt() + ticks_us(dt_arg("ms", 2000) * 1000);
	for (i = 1; i < n; i++)
		expect_eq(smp_start(i, race_cpu), 0, "CPU_ON");
	race_cpu(0);
	for (i = 1; i < n; i++)
		if (!smp_join(i, SETTLE_US))
			test_abort("CPU %u is lost", i);
	check_begin("races", "every SPI came");
	begin_cpu(0);
	settle_spis();
	cpu_self()->irq = NULL;
	gic_cpu_init();
	check_begin("races", "after it");
	stage2_reset();
	l2_reset(&l2s[0], 1);
	expect_eq(l2_run_fn(&l2s[0], l2_nop, 7, 0, 0), 7, "x0");
}
