/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts of L2s through list registers, interrupts of the hypervisor while an L2 runs, timers
 * of both.
 */
#include "hyp.h"

#include "timer.h"

#define LR_PENDING BIT(62)
#define LR_ACTIVE BIT(63)
#define LR_STATE (LR_PENDING | LR_ACTIVE)
#define LR_HW BIT(61)
#define LR_GROUP1 BIT(60)
#define LR_PRIORITY(p) ((u64)(p) << 48)
#define LR_EOI BIT(41)
#define LR_PINTID(n) ((u64)(n) << 32)
#define LR(id, prio) (LR_PENDING | LR_GROUP1 | LR_PRIORITY(prio) | (id))

#define ICH_EN BIT(0)
#define ICH_UIE BIT(1)
#define ICH_LRENPIE BIT(2)
#define ICH_NPIE BIT(3)

#define MISR_EOI BIT(0)
#define MISR_U BIT(1)
#define MISR_LRENP BIT(2)
#define MISR_NP BIT(3)

/* payload.S */
u64 l2_spin(u64 a, u64 b, u64 c);
u64 l2_nop(u64 a, u64 b, u64 c);

/* What L2's handlers recorded. */
static struct {
	u32 count;
	u32 id[16];
	u32 rpr[16];
} taken;

static volatile u64 flag;

static void lr_clear(void)
{
	sysreg_write(ICH_HCR_EL2, 0);
	sysreg_write(ICH_LR0_EL2, 0);
	sysreg_write(ICH_LR1_EL2, 0);
	sysreg_write(ICH_LR2_EL2, 0);
	sysreg_write(ICH_LR3_EL2, 0);
	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	sysreg_write(ICH_VMCR_EL2, 0);
	isb();
}

/* What the interface reports of the list registers, as if L2 still ran. */
static void lr_status(struct l2 *l, u64 *misr, u64 *eisr, u64 *elrsr)
{
	sysreg_write(ICH_HCR_EL2, l->control[CTL_ICH_HCR]);
	isb();
	*misr = sysreg_read(ICH_MISR_EL2);
	*eisr = sysreg_read(ICH_EISR_EL2);
	*elrsr = sysreg_read(ICH_ELRSR_EL2) & 0xf;
	sysreg_write(ICH_HCR_EL2, 0);
	isb();
}

/* ---- L2's side ------------------------------------------------------------------------------- */

static void l2_note(u32 id)
{
	if (taken.count < ARRAY_SIZE(taken.id)) {
		taken.id[taken.count] = id;
		taken.rpr[taken.count] = (u32)sysreg_read(ICC_RPR_EL1);
	}
	taken.count++;
}

static void l2_on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	l2_note(id);
	if (id == 27)
		timer_set_ctl(TIMER_VIRT, 0);
	if (id != INTID_SPURIOUS)
		gic_eoi(id);
}

static void l2_on_fiq(struct frame *f)
{
	u32 id = (u32)sysreg_read(ICC_IAR0_EL1);

	(void)f;
	l2_note(id);
	sysreg_write(ICC_EOIR0_EL1, id);
}

/* Turn the interface on with this priority mask, and take what is pending. */
static u64 l2_take(u64 pmr, u64 eoimode, u64 c)
{
	(void)c;
	cpu_self()->irq = l2_on_irq;
	cpu_self()->fiq = l2_on_fiq;
	sysreg_write(ICC_CTLR_EL1, eoimode << 1);
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_set_pmr(pmr);
	irq_enable();
	isb();
	irq_disable();
	return taken.count;
}

/* Acknowledge with interrupts masked, report to L1, EOI, report to L1, (DIR). */
static u64 l2_by_hand(u64 eoimode, u64 b, u64 c)
{
	u32 id;

	(void)b;
	(void)c;
	sysreg_write(ICC_CTLR_EL1, eoimode << 1);
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_set_pmr(0xf0);
	id = gic_ack();
	l2_hvc_arg(id);
	gic_eoi(id);
	if (eoimode) {
		l2_hvc(2);
		gic_deactivate(id);
	}
	return sysreg_read(ICC_RPR_EL1);
}

static u64 l2_sgi(u64 v, u64 b, u64 c)
{
	(void)b;
	(void)c;
	sysreg_write(ICC_SGI1R_EL1, v);
	return 0;
}

/* ---- irq ------------------------------------------------------------------------------------- */

static void begin(struct l2 *l, const char *name)
{
	check_begin("irq", "%s", name);
	lr_clear();
	memset(&taken, 0, sizeof(taken));
	flag = 0;
	l->hcr = HCR_L2;
	l->control[CTL_ICH_HCR] = ICH_EN;
}

static void one_lr(struct l2 *l)
{
	u64 misr, eisr, elrsr;

	begin(l, "one pending list register");
	sysreg_write(ICH_LR0_EL2, LR(40, 0x80));
	l2_run_fn(l, l2_take, 0xf0, 0, 0);
	expect_eq(taken.count, 1, "interrupts");
	expect_eq(taken.id[0], 40, "INTID");
	expect_eq(taken.rpr[0], 0x80, "running priority");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, 0, "state after");
	lr_status(l, &misr, &eisr, &elrsr);
	expect_eq(misr, 0, "ICH_MISR_EL2");
	expect_eq(elrsr, 0xf, "ICH_ELRSR_EL2");
	expect_eq(FIELD(sysreg_read(ICH_VMCR_EL2), 31, 24), 0xf0, "ICH_VMCR_EL2.VPMR");
	expect_eq(sysreg_read(ICH_VMCR_EL2) & 3, 3, "ICH_VMCR_EL2.VENG");
}

static void priorities(struct l2 *l)
{
	static const u32 want[] = { 43, 41, 40, 42 };
	u32 i;

	begin(l, "four list registers by priority");
	sysreg_write(ICH_LR0_EL2, LR(40, 0x80));
	sysreg_write(ICH_LR1_EL2, LR(41, 0x40));
	sysreg_write(ICH_LR2_EL2, LR(42, 0xa0));
	sysreg_write(ICH_LR3_EL2, LR(43, 0x10));
	l2_run_fn(l, l2_take, 0xf0, 0, 0);
	expect_eq(taken.count, 4, "interrupts");
	for (i = 0; i < 4; i++)
		expect(taken.id[i] == want[i], "interrupt %u is %u, expected %u", i, taken.id[i],
		       want[i]);
	begin(l, "the priority mask holds interrupts back");
	sysreg_write(ICH_LR0_EL2, LR(40, 0x80));
	sysreg_write(ICH_LR1_EL2, LR(41, 0x40));
	l2_run_fn(l, l2_take, 0x80, 0, 0);
	expect_eq(taken.count, 1, "interrupts");
	expect_eq(taken.id[0], 41, "INTID");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, LR_PENDING, "state of the other");
	begin(l, "a group 0 list register is an FIQ");
	sysreg_write(ICH_LR0_EL2, LR(44, 0x80) & ~LR_GROUP1);
	l2_run_fn(l, l2_take, 0xf0, 0, 0);
	expect_eq(taken.count, 1, "interrupts");
	expect_eq(taken.id[0], 44, "INTID");
	begin(l, "nothing with ICH_HCR_EL2.En clear");
	l->control[CTL_ICH_HCR] = 0;
	sysreg_write(ICH_LR0_EL2, LR(40, 0x80));
	l2_run_fn(l, l2_take, 0xf0, 0, 0);
	expect_eq(taken.count, 0, "interrupts");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, LR_PENDING, "state");
}

static void by_hand(struct l2 *l)
{
	begin(l, "pending, active, inactive");
	sysreg_write(ICH_LR0_EL2, LR(50, 0x60));
	l2_call(l, l2_by_hand, 0, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "esr 0x%lx", l->esr);
	expect_eq(l->x[0], 50, "INTID");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, LR_ACTIVE, "state");
	expect_eq(sysreg_read(ICH_AP1R0_EL2), BIT(0x60 >> 3), "ICH_AP1R0_EL2");
	expect_eq(l2_finish(l), 0xff, "idle priority");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, 0, "state after");
	expect_eq(sysreg_read(ICH_AP1R0_EL2), 0, "ICH_AP1R0_EL2 after");
	begin(l, "pending and active");
	sysreg_write(ICH_LR0_EL2, LR(50, 0x60));
	l2_call(l, l2_by_hand, 0, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "esr 0x%lx", l->esr);
	sysreg_write(ICH_LR0_EL2, sysreg_read(ICH_LR0_EL2) | LR_PENDING);
	l2_finish(l);
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, LR_PENDING, "state after EOI");
	begin(l, "EOImode 1: EOIR drops the priority, DIR deactivates");
	sysreg_write(ICH_LR0_EL2, LR(50, 0x60));
	l2_call(l, l2_by_hand, 1, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "esr 0x%lx", l->esr);
	expect_eq(FIELD(sysreg_read(ICH_VMCR_EL2), 9, 9), 1, "ICH_VMCR_EL2.VEOIM");
	expect(l2_is_hvc(l, l2_run(l), 2), "esr 0x%lx", l->esr);
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, LR_ACTIVE, "state after EOIR");
	expect_eq(sysreg_read(ICH_AP1R0_EL2), 0, "ICH_AP1R0_EL2 after EOIR");
	l2_finish(l);
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, 0, "state after DIR");
}

/* Wait for the maintenance interrupt and acknowledge it; the caller then removes its cause. */
static void maintenance(struct l2 *l, u64 kind, u64 want_misr)
{
	u64 misr, eisr, elrsr;
	u32 id;

	if (kind != EXIT_IRQ) {
		test_fail("exit kind %lu esr 0x%lx, expected an interrupt", kind, l->esr);
		return;
	}
	id = gic_ack();
	expect_eq(id, PPI_MAINTENANCE, "INTID");
	lr_status(l, &misr, &eisr, &elrsr);
	expect_eq(misr, want_misr, "ICH_MISR_EL2");
	expect_eq(eisr, want_misr & MISR_EOI ? 1 : 0, "ICH_EISR_EL2");
	gic_eoi(id);
}

static void maintenances(struct l2 *l)
{
	gic_enable(PPI_MAINTENANCE);
	begin(l, "maintenance interrupt by LR.EOI");
	sysreg_write(ICH_LR0_EL2, LR(45, 0x80) | LR_EOI);
	l2_call(l, l2_take, 0xf0, 0, 0);
	maintenance(l, l2_run(l), MISR_EOI);
	sysreg_write(ICH_LR0_EL2, 0);
	expect_eq(l2_finish(l), 1, "interrupts");
	begin(l, "maintenance interrupt by underflow");
	sysreg_write(ICH_LR0_EL2, LR(45, 0x80));
	sysreg_write(ICH_LR1_EL2, LR(46, 0x90));
	l->control[CTL_ICH_HCR] = ICH_EN | ICH_UIE;
	l2_call(l, l2_take, 0xf0, 0, 0);
	maintenance(l, l2_run(l), MISR_U);
	l->control[CTL_ICH_HCR] = ICH_EN;
	expect_eq(l2_finish(l), 2, "interrupts");
	begin(l, "maintenance interrupt by nothing pending");
	sysreg_write(ICH_LR0_EL2, LR(45, 0x80));
	l->control[CTL_ICH_HCR] = ICH_EN | ICH_NPIE;
	l2_call(l, l2_take, 0xf0, 0, 0);
	maintenance(l, l2_run(l), MISR_NP);
	l->control[CTL_ICH_HCR] = ICH_EN;
	expect_eq(l2_finish(l), 1, "interrupts");
	begin(l, "maintenance interrupt by an EOI without list register");
	sysreg_write(ICH_LR0_EL2, LR(45, 0x80));
	l->control[CTL_ICH_HCR] = ICH_EN | ICH_LRENPIE;
	l2_call(l, l2_by_hand, 0, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "esr 0x%lx", l->esr);
	sysreg_write(ICH_LR0_EL2, 0);
	maintenance(l, l2_run(l), MISR_LRENP);
	expect_eq(FIELD(l->control[CTL_ICH_HCR], 31, 27), 1, "ICH_HCR_EL2.EOIcount");
	l->control[CTL_ICH_HCR] = ICH_EN;
	expect_eq(l2_finish(l), 0xff, "idle priority");
	gic_disable(PPI_MAINTENANCE);
}

/* The hypervisor's own interrupts. */
static void physical(struct l2 *l)
{
	u64 elr;

	gic_enable(3);
	begin(l, "an SGI of the hypervisor's ends the run at once");
	l2_call(l, l2_nop, 9, 0, 0);
	elr = l->elr;
	gic_sgi(3, cpu_self()->mpidr);
	expect_eq(l2_run(l), EXIT_IRQ, "exit kind");
	expect_eq(l->elr, elr, "elr");
	expect_eq(gic_ack(), 3, "INTID");
	gic_eoi(3);
	expect_eq(l2_finish(l), 9, "x0");
	begin(l, "with IMO=0 it is L2's");
	l->hcr &= ~(HCR_IMO | HCR_FMO);
	gic_sgi(3, cpu_self()->mpidr);
	expect_eq(l2_run_fn(l, l2_take, 0xff, 0, 0), 1, "interrupts");
	expect_eq(taken.id[0], 3, "INTID");
	l->hcr = HCR_L2;
	gic_cpu_init();
	gic_disable(3);
	begin(l, "L2's own SGI is trapped");
	l2_call(l, l2_sgi, 0x1234, 0, 0);
	l->x[0] = 0x1000001;
	if (l2_run(l) != EXIT_SYNC ||
	    (l->esr & ~(31UL << 5)) !=
		    ESR_OF(EC_SYS, 3UL << 20 | 5UL << 17 | 12UL << 10 | 11UL << 1))
		test_fail("esr 0x%lx", l->esr);
	expect_eq(l->x[FIELD(l->esr, 9, 5)], 0x1000001, "value written");
	l->elr += 4;
	l2_finish(l);
}

/* ---- where HCR_EL2.{TGE,IMO,FMO} route the hypervisor's own interrupts ---- */

#define LATE_US PATIENCE_US /* hosts may be busy */

static volatile u32 own_irq, own_fiq;

static void own_on_irq(struct frame *f)
{
	(void)f;
	own_irq = gic_ack();
	gic_eoi(own_irq);
}

static void own_on_fiq(struct frame *f)
{
	(void)f;
	own_fiq = (u32)sysreg_read(ICC_IAR0_EL1);
	sysreg_write(ICC_EOIR0_EL1, own_fiq);
	isb();
}

/* What is signalled shows whatever HCR_EL2 says of where it goes. */
static void own_pending(u32 group)
{
	expect_eq(sysreg_read(ISR_EL1) & (BIT(6) | BIT(7)), group ? BIT(7) : BIT(6),
		  "ISR_EL1.{F,I}");
}

/* Unmask interrupts for so long, or until one is taken. */
static bool own_taken(u64 us)
{
	u64 from = counter_phys();

	irq_enable();
	asm volatile("msr daifclr, #1");
	while (!own_irq && !own_fiq && counter_phys() - from < ticks_us(us))
		cpu_relax();
	asm volatile("msr daifset, #1");
	irq_disable();
	return own_irq || own_fiq;
}

/*
 * An SGI of this group is pending at EL2 with these bits of HCR_EL2: is it taken, also once TGE =
 * 1?
 */
static void at_el2(u64 bits, u32 group, bool comes)
{
	check_begin("irq", "an SGI of group %u at EL2 with TGE=%u IMO=%u FMO=%u", group,
		    !!(bits & HCR_TGE), !!(bits & HCR_IMO), !!(bits & HCR_FMO));
	own_irq = own_fiq = 0;
	gic_set_group(4, group);
	gic_enable(4);
	sysreg_write(HCR_EL2, (HCR_HOST & ~(HCR_TGE | HCR_IMO | HCR_FMO)) | bits);
	isb();
	if (group)
		gic_sgi(4, cpu_self()->mpidr);
	else
		sysreg_write(ICC_SGI0R_EL1, 4UL << 24 | 1);
	isb();
	expect_eq(own_taken(comes ? LATE_US : 200), comes, "taken");
	if (!comes) {
		own_pending(group);
		expect_eq(group ? sysreg_read(ICC_HPPIR1_EL1) : sysreg_read(ICC_HPPIR0_EL1), 4,
			  "ICC_HPPIR");
		expect(!own_taken(200), "taken after a look at ICC_HPPIR");
		sysreg_write(HCR_EL2, HCR_HOST);
		isb();
		expect(own_taken(LATE_US), "not taken with TGE=1");
	}
	expect_eq(own_irq, group ? 4 : 0, "INTID as an IRQ");
	expect_eq(own_fiq, group ? 0 : 4, "INTID as an FIQ");
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
	gic_disable(4);
	gic_set_group(4, 1);
}

/* Acknowledge it at the CPU interface, which HCR_EL2 cannot prevent. */
static void by_poll(void)
{
	u32 id;

	check_begin("irq", "an SGI at EL2 with TGE=0 IMO=0, acknowledged without being taken");
	gic_enable(4);
	sysreg_write(HCR_EL2, HCR_HOST & ~(HCR_TGE | HCR_IMO | HCR_FMO));
	isb();
	gic_sgi(4, cpu_self()->mpidr);
	isb();
	own_pending(1);
	id = gic_ack();
	expect_eq(id, 4, "ICC_IAR1_EL1");
	expect_eq(sysreg_read(ISR_EL1) & (BIT(6) | BIT(7)), 0, "ISR_EL1.{F,I} once acknowledged");
	gic_eoi(4);
	expect_eq(gic_ack(), INTID_SPURIOUS, "ICC_IAR1_EL1 after the end");
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
	gic_disable(4);
}

static void own_sgi(u32 intid, u32 group)
{
	gic_set_group(intid, group);
	gic_enable(intid);
	if (group)
		gic_sgi(intid, cpu_self()->mpidr);
	else
		sysreg_write(ICC_SGI0R_EL1, (u64)intid << 24 | 1);
	isb();
}

/* From here on everything is as before, and interrupts are masked again. */
static void own_done(void)
{
	sysreg_write(HCR_EL2, HCR_HOST);
	isb();
	expect(own_taken(LATE_US), "not taken with TGE=1");
	gic_disable(4);
	gic_disable(5);
	gic_set_group(4, 1);
	gic_set_group(5, 1);
}

/*
 * One of each group is pending, and the more urgent one is EL2's: the other stays pending behind
 * it.
 */
static void one_of_each(u32 group)
{
	check_begin("irq", "SGIs of both groups at EL2 with TGE=0 IMO=%u FMO=%u", group, !group);
	own_irq = own_fiq = 0;
	sysreg_write(HCR_EL2, (HCR_HOST & ~(HCR_TGE | HCR_IMO | HCR_FMO)) |
				      (group ? HCR_IMO : HCR_FMO));
	isb();
	gic_set_priority(4, 0x40);
	gic_set_priority(5, 0x80);
	own_sgi(4, group);
	own_sgi(5, !group);
	expect(own_taken(LATE_US), "not taken");
	expect_eq(group ? own_irq : own_fiq, 4, "INTID");
	own_irq = own_fiq = 0;
	expect(!own_taken(200), "the other is taken");
	own_pending(!group);
	expect_eq(group ? sysreg_read(ICC_HPPIR0_EL1) : sysreg_read(ICC_HPPIR1_EL1), 5,
		  "ICC_HPPIR");
	own_done();
	expect_eq(group ? own_fiq : own_irq, 5, "INTID with TGE=1");
}

/* HCR_EL2 is written last; no instruction but the ERET could reveal it to a hypervisor below. */
static void route_then_eret(void)
{
	u64 at, spsr = 0x309; /* EL2h, with PSTATE.{I,F} clear */

	check_begin("irq", "an SGI at EL2 that goes to EL1 before an ERET unmasks it");
	own_irq = own_fiq = 0;
	sysreg_write(HCR_EL2, (HCR_HOST & ~HCR_TGE) | HCR_IMO | HCR_FMO);
	isb();
	own_sgi(4, 1);
	sysreg_write(HCR_EL2, HCR_HOST & ~(HCR_TGE | HCR_IMO | HCR_FMO));
	asm volatile("isb\n"
		     "adr %0, 1f\n"
		     "msr elr_el2, %0\n"
		     "msr spsr_el2, %1\n"
		     "eret\n"
		     "1: nop\n"
		     "isb\n"
		     "msr daifset, #3"
		     : "=&r"(at)
		     : "r"(spsr)
		     : "memory");
	expect_eq(own_irq, 0, "INTID taken");
	own_done();
	expect_eq(own_irq, 4, "INTID with TGE=1");
}

/* The same while L2 runs, masked: what is not routed to EL2 does not end the run. */
static void at_el1(struct l2 *l, u64 bits, u32 group, u64 kind)
{
	check_begin("irq", "an SGI of group %u while L2 runs with IMO=%u FMO=%u", group,
		    !!(bits & HCR_IMO), !!(bits & HCR_FMO));
	own_irq = own_fiq = 0;
	l->hcr = (HCR_L2 & ~(HCR_IMO | HCR_FMO)) | bits;
	gic_set_group(4, group);
	gic_enable(4);
	if (group)
		gic_sgi(4, cpu_self()->mpidr);
	else
		sysreg_write(ICC_SGI0R_EL1, 4UL << 24 | 1);
	isb();
	l2_call(l, l2_nop, 7, 0, 0);
	expect_eq(l2_run(l), kind, "exit kind");
	expect(own_taken(LATE_US), "not taken at EL2");
	expect_eq(group ? own_irq : own_fiq, 4, "INTID");
	if (kind != EXIT_SYNC)
		expect_eq(l2_finish(l), 7, "x0");
	l->hcr = HCR_L2;
	gic_disable(4);
	gic_set_group(4, 1);
}

static void routes(struct l2 *l)
{
	void (*irq)(struct frame *f) = cpu_self()->irq, (*fiq)(struct frame *f) = cpu_self()->fiq;
	u64 ich_hcr = sysreg_read(ICH_HCR_EL2), n;
	u32 group;

	gic_cpu_init();
	sysreg_write(ICC_IGRPEN0_EL1, 1);
	cpu_self()->irq = own_on_irq;
	cpu_self()->fiq = own_on_fiq;
	for (group = 0; group < 2; group++)
		for (n = 0; n < 4; n++) {
			u64 bits = (n & 1 ? HCR_IMO : 0) | (n & 2 ? HCR_FMO : 0);
			bool el2 = bits & (group ? HCR_IMO : HCR_FMO);

			at_el2(bits, group, el2);
			at_el2(bits | HCR_TGE, group, true);
			at_el1(l, bits, group, !el2 ? EXIT_SYNC : group ? EXIT_IRQ : EXIT_FIQ);
		}
	by_poll();
	/*
	 * While no virtual interface needs handling, an ERET within EL2 involves no hypervisor
	 * below.
	 */
	sysreg_write(ICH_HCR_EL2, 0);
	one_of_each(0);
	one_of_each(1);
	route_then_eret();
	sysreg_write(ICH_HCR_EL2, ich_hcr);
	cpu_self()->irq = irq;
	cpu_self()->fiq = fiq;
	sysreg_write(ICC_IGRPEN0_EL1, 0);
	gic_cpu_init();
}

static void other_cpu(u32 index)
{
	(void)index;
	gic_cpu_init();
	while (!flag)
		cpu_relax();
	gic_sgi(5, gcpus[0].mpidr);
}

/* Wait for L1's word; tell: first inform CPU 1 through memory. */
static u64 l2_wait(u64 from, u64 tell, u64 c)
{
	(void)c;
	if (tell)
		flag = from;
	while (flag == from)
		cpu_relax();
	return flag;
}

static void from_other_cpu(struct l2 *l)
{
	begin(l, "an SGI from the other CPU while L2 runs");
	if (dt.cpu_count < 2) {
		test_skip("one CPU");
		return;
	}
	gic_enable(5);
	if (smp_start(1, other_cpu)) {
		test_fail("CPU 1 does not start");
		return;
	}
	l2_call(l, l2_wait, 1, 1, 0);
	expect_eq(l2_run(l), EXIT_IRQ, "exit kind");
	expect_eq(gic_ack(), 5, "INTID");
	gic_eoi(5);
	flag = 77;
	expect_eq(l2_finish(l), 77, "result");
	expect(smp_join(1, PATIENCE_US), "CPU 1 does not end");
	gic_disable(5);
}

void group_irq(void)
{
	struct l2 *l = &l2s[0];

	check_begin("irq", "L2 boots");
	l2_reset(l, 1);
	one_lr(l);
	priorities(l);
	by_hand(l);
	maintenances(l);
	physical(l);
	routes(l);
	from_other_cpu(l);
	lr_clear();
}

/* ---- timer ----------------------------------------------------------------------------------- */

static u64 l2_counters(u64 which, u64 b, u64 c)
{
	(void)b;
	(void)c;
	return which ? counter_phys() : counter_virt();
}

static void counters(struct l2 *l)
{
	static const u64 offsets[] = { 0, 1000000000UL, ~0UL << 40, 12345 };
	u64 before, seen, after;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		check_begin("timer", "L2's CNTVCT with CNTVOFF_EL2 0x%lx", offsets[i]);
		l->cntvoff = offsets[i];
		before = counter_phys();
		seen = l2_run_fn(l, l2_counters, 0, 0, 0) + offsets[i];
		after = counter_phys();
		expect(before <= seen && seen <= after, "0x%lx is not in 0x%lx to 0x%lx", seen,
		       before, after);
	}
	l->cntvoff = 0;
	check_begin("timer", "L2's CNTPCT");
	before = counter_phys();
	seen = l2_run_fn(l, l2_counters, 1, 0, 0);
	after = counter_phys();
	expect(before <= seen && seen <= after, "0x%lx is not in 0x%lx to 0x%lx", seen, before,
	       after);
	check_begin("timer", "CNTVCT at EL2 has %s offset", e2h0 ? "the" : "no");
	sysreg_write(CNTVOFF_EL2, 1UL << 50);
	isb();
	before = counter_phys();
	seen = counter_virt() + (e2h0 ? 1UL << 50 : 0);
	after = counter_phys();
	expect(before <= seen && seen <= after, "0x%lx is not in 0x%lx to 0x%lx", seen, before,
	       after);
	sysreg_write(CNTVOFF_EL2, 0);
}

/* Write a timer, report to L1, read it back. */
static u64 l2_timer_both(u64 kind, u64 cval, u64 ctl)
{
	enum timer_kind k = (enum timer_kind)kind;

	timer_set_ctl(k, ctl);
	timer_set_cval(k, cval);
	l2_hvc(3);
	return timer_cval(k) ^ (timer_ctl(k) & 3);
}

/* A timer of the hypervisor, which L2 never uses. */
static u64 own_cval(enum timer_kind k)
{
	return timer_cval(e2h0 ? TIMER_HYP : k);
}

static void by_name(struct l2 *l)
{
#define BOTH(name, k, ctl, cval)                                                                   \
	do {                                                                                       \
		check_begin("timer", "%s by its _EL0%s names", name, e2h0 ? "" : "2");             \
		timer_set_cval(e2h0 ? TIMER_HYP : (k), 0x5555UL);                                  \
		l2_call(l, l2_timer_both, k, 0x7000000012345678, TIMER_IMASK);                     \
		expect(l2_is_hvc(l, l2_run(l), 3), "esr 0x%lx", l->esr);                           \
		expect_eq(el1_timer_read(cval), 0x7000000012345678, #cval);                        \
		expect_eq(el1_timer_read(ctl) & 3, TIMER_IMASK, #ctl);                             \
		expect_eq(own_cval(k), 0x5555, "CVAL of the own one");                             \
		el1_timer_write(cval, 0x7edcba9876543210UL);                                       \
		el1_timer_write(ctl, TIMER_IMASK | TIMER_ENABLE);                                  \
		isb();                                                                             \
		expect_eq(l2_finish(l), 0x7edcba9876543210UL ^ 3, "what L2 reads");                \
		expect_eq(own_cval(k), 0x5555, "CVAL of the own one");                             \
		el1_timer_write(ctl, 0);                                                           \
	} while (0)
	BOTH("CNTV", TIMER_VIRT, CNTV_CTL, CNTV_CVAL);
	BOTH("CNTP", TIMER_PHYS, CNTP_CTL, CNTP_CVAL);
#undef BOTH
}

static void by_host_name(void)
{
	check_begin("timer", "CNTP_CVAL_EL0 at EL2 is CNTHP_CVAL_EL2");
	if (needs_vhe()) {
		sysreg_write(CNTP_CVAL_EL0, 0x123456UL);
		expect_eq(sysreg_read(CNTHP_CVAL_EL2), 0x123456UL, "CNTHP_CVAL_EL2");
	}
	check_begin("timer", "CNTV_CVAL_EL0 at EL2 is CNTHV_CVAL_EL2");
	if (needs_vhe()) {
		sysreg_write(CNTV_CVAL_EL0, 0x654321UL);
		expect_eq(sysreg_read(CNTHV_CVAL_EL2), 0x654321UL, "CNTHV_CVAL_EL2");
	}
}

static void by_tval(void)
{
	check_begin("timer", "TVAL of L2's virtual timer");
	el1_timer_write(CNTV_CTL, 0);
	el1_timer_write(CNTV_TVAL, 0x40000000UL);
	isb();
	expect(el1_timer_read(CNTV_TVAL) <= 0x40000000UL && el1_timer_read(CNTV_TVAL) > 0,
	       "TVAL is 0x%lx", el1_timer_read(CNTV_TVAL));
}

/* One of the hypervisor's timers ends an L2 that spins. */
static void own_timer(struct l2 *l, const char *name, enum timer_kind k, u32 intid)
{
	u64 kind;

	check_begin("timer", "%s fires while L2 runs", name);
	if (k == TIMER_VIRT && !needs_vhe())
		return;
	flag = 1; /* now: the timer may be faster than L2 */
	gic_enable(intid);
	l2_call(l, l2_wait, 1, 0, 0);
	timer_set_cval(k, timer_now(k) + ticks_us(1000));
	timer_set_ctl(k, TIMER_ENABLE);
	kind = l2_run(l);
	expect_eq(kind, EXIT_IRQ, "exit kind");
	expect_eq(gic_ack(), intid, "INTID");
	expect_eq(timer_ctl(k), TIMER_ENABLE | TIMER_ISTATUS, "CTL");
	timer_set_ctl(k, 0);
	gic_eoi(intid);
	flag = 78;
	expect_eq(l2_finish(l), 78, "result");
	gic_disable(intid);
}

static bool irq_signalled(u64 us)
{
	u64 from = counter_phys();

	while (!(sysreg_read(ISR_EL1) & BIT(7)))
		if (counter_phys() - from > ticks_us(us))
			return false;
	return true;
}

/*
 * One of the hypervisor's timers fires while PSTATE.I masks it and is withdrawn before it is
 * acknowledged, with something in between that involves the hypervisor below: the interrupt is no
 * longer pending.
 */
static void withdrawn(const char *name, enum timer_kind k, u32 intid)
{
	static const char *const how[] = { "CTL", "IMASK", "CVAL" };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		check_begin("timer", "%s fires and is withdrawn by %s", name, how[i]);
		if (k == TIMER_VIRT && !needs_vhe())
			continue;
		gic_enable(intid);
		timer_set_cval(k, 0);
		timer_set_ctl(k, TIMER_ENABLE);
		expect(irq_signalled(LATE_US), "it does not fire");
		if (i == 2)
			timer_set_cval(k, ~0UL);
		else
			timer_set_ctl(k, i ? TIMER_ENABLE | TIMER_IMASK : 0);
		isb();
		(void)sysreg_read(HPFAR_EL2);
		expect_eq(gic_ack(), INTID_SPURIOUS, "ICC_IAR1_EL1");
		expect(!(sysreg_read(ISR_EL1) & BIT(7)), "an IRQ is pending");
		timer_set_cval(k, 0);
		timer_set_ctl(k, TIMER_ENABLE);
		expect(irq_signalled(LATE_US), "it does not fire again");
		expect_eq(gic_ack(), intid, "INTID");
		timer_set_ctl(k, 0);
		gic_eoi(intid);
		expect_eq(gic_ack(), INTID_SPURIOUS, "ICC_IAR1_EL1 at the end");
		gic_disable(intid);
	}
}

/* Program the virtual timer, and wait with interrupts unmasked until the handler has run. */
static u64 l2_vtimer(u64 ticks, u64 sleep, u64 c)
{
	(void)c;
	cpu_self()->irq = l2_on_irq;
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	gic_set_pmr(0xf0);
	timer_set_cval(TIMER_VIRT, counter_virt() + ticks);
	timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
	irq_enable();
	while (!__atomic_load_n(&taken.count, __ATOMIC_RELAXED)) {
		if (sleep)
			wfi();
		else
			cpu_relax();
	}
	irq_disable();
	return taken.id[0];
}

/*
 * The way a hypervisor gives L2 its virtual timer: the physical interrupt stays active until L2's
 * EOI.
 */
static void hw_timer(struct l2 *l, bool sleep)
{
	u64 kind, rounds = 0;

	check_begin("timer", "L2's virtual timer by an HW list register%s",
		    sleep ? ", in WFI" : "");
	lr_clear();
	memset(&taken, 0, sizeof(taken));
	l->control[CTL_ICH_HCR] = ICH_EN;
	/* less than now: emulators do not let it wrap as Arm does */
	l->cntvoff = counter_phys() / 2;
	sysreg_write(ICC_CTLR_EL1, 2);
	gic_enable(27);
	l2_call(l, l2_vtimer, ticks_us(500), sleep, 0);
	while ((kind = l2_run(l)) == EXIT_IRQ && rounds++ < 5) {
		u32 id = gic_ack();

		if (id == INTID_SPURIOUS)
			continue;
		expect_eq(id, 27, "INTID");
		gic_eoi(id); /* the priority only */
		expect(gic_is_active(27), "PPI 27 is not active");
		sysreg_write(ICH_LR0_EL2, LR(27, 0x80) | LR_HW | LR_PINTID(27));
		isb();
	}
	expect(l2_is_hvc(l, kind, L2_DONE), "kind %lu esr 0x%lx", kind, l->esr);
	expect_eq(taken.count, 1, "interrupts");
	expect_eq(l->x[0], 27, "INTID in L2");
	expect_eq(sysreg_read(ICH_LR0_EL2) & LR_STATE, 0, "LR state");
	expect(!gic_is_active(27), "PPI 27 is still active");
	sysreg_write(ICC_CTLR_EL1, 0);
	gic_disable(27);
	l->cntvoff = 0;
}

/* L2 leaves its timer running; it fires while the hypervisor runs. */
static u64 l2_start_timer(u64 kind, u64 ticks, u64 c)
{
	enum timer_kind k = (enum timer_kind)kind;

	(void)c;
	timer_set_cval(k, timer_now(k) + ticks);
	timer_set_ctl(k, TIMER_ENABLE);
	return 0;
}

static void fires_in_l1(struct l2 *l, const char *name, enum timer_kind k, u32 intid)
{
	u64 limit;
	u32 id;

	check_begin("timer", "L2's %s fires while the hypervisor runs", name);
	l2_run_fn(l, l2_start_timer, k, ticks_us(500), 0);
	gic_enable(intid); /* no earlier, or it might end the run */
	limit = counter_phys() + ticks_us(PATIENCE_US);
	while ((id = gic_ack()) == INTID_SPURIOUS && counter_phys() < limit)
		cpu_relax();
	expect_eq(id, intid, "INTID");
	expect_eq(k == TIMER_VIRT ? el1_timer_read(CNTV_CTL) : el1_timer_read(CNTP_CTL),
		  TIMER_ENABLE | TIMER_ISTATUS, "CTL");
	if (k == TIMER_VIRT)
		el1_timer_write(CNTV_CTL, 0);
	else
		el1_timer_write(CNTP_CTL, 0);
	isb();
	gic_eoi(id);
	gic_disable(intid);
}

void group_timer(void)
{
	struct l2 *l = &l2s[0];

	check_begin("timer", "L2 boots");
	l2_reset(l, 1);
	counters(l);
	by_name(l);
	by_host_name();
	by_tval();
	own_timer(l, "CNTHP", e2h0 ? TIMER_HYP : TIMER_PHYS, PPI_PTIMER_HYP);
	own_timer(l, "CNTHV", TIMER_VIRT, PPI_VTIMER_HYP);
	withdrawn("CNTHP", e2h0 ? TIMER_HYP : TIMER_PHYS, PPI_PTIMER_HYP);
	withdrawn("CNTHV", TIMER_VIRT, PPI_VTIMER_HYP);
	hw_timer(l, false);
	hw_timer(l, true);
	fires_in_l1(l, "CNTV", TIMER_VIRT, 27);
	fires_in_l1(l, "CNTP", TIMER_PHYS, 30);
	lr_clear();
}
