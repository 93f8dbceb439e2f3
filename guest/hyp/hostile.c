/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hypervisor that does anything at all: what the parts of it (hostile_*.c) share, and L2s that
 * run random instructions. After each test it must still work, as must everything else on the
 * machine.
 */
#include "hostile.h"

#include "timer.h"

/* payload.S */
u64 l2_nop(u64 a, u64 b, u64 c);

u64 hostile_seed;

static u64 l2_seven(u64 a, u64 b, u64 c)
{
	(void)b;
	(void)c;
	return l2_hvc_arg(a) + 7;
}

void hostile_recovered(void)
{
	struct l2 *l = &l2s[0];

	sysreg_write(ICH_LR0_EL2, 0);
	sysreg_write(ICH_LR1_EL2, 0);
	sysreg_write(ICH_LR2_EL2, 0);
	sysreg_write(ICH_LR3_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_VMCR_EL2, 0);
	controls_reset();
	stage2_reset();
	l2_reset(l, 1);
	l2_call(l, l2_seven, 1, 0, 0);
	expect(l2_is_hvc(l, l2_run(l), 1), "an ordinary L2 after it: esr 0x%lx", l->esr);
	l->x[0] = 3;
	expect_eq(l2_finish(l), 10, "an ordinary L2's result");
}

u64 hostile_garbage(void)
{
	u64 v = random_next(&hostile_seed);

	switch (random_next(&hostile_seed) & 3) {
	case 0:
		return v & random_next(&hostile_seed);
	case 1:
		return v | random_next(&hostile_seed);
	case 2:
		return v & 1 ? ~0UL : 1UL << (v >> 1 & 63);
	}
	return v;
}

u64 hostile_nowhere(u32 i)
{
	switch (i) {
	case 0: /* an address, but beyond all memory */
		return dt.ram + GIB(200);
	case 1: /* more bits than addresses have */
		return MASK(47, 44) | 0x5000;
	case 2:
		return (u64)_head;
	case 3:
		return dt.gicd;
	}
	return 0;
}

u64 hostile_run(struct l2 *l, u64 us)
{
	enum timer_kind own = e2h0 ? TIMER_HYP : TIMER_PHYS;
	u64 kind;
	u32 id;

	timer_set_cval(own, counter_phys() + ticks_us(us));
	timer_set_ctl(own, TIMER_ENABLE);
	kind = l2_run(l);
	timer_set_ctl(own, 0);
	/* If it was already pending, it may still be. */
	id = gic_ack();
	if (id < INTID_SPURIOUS)
		gic_eoi(id);
	/*
	 * An L2 that has the interrupts to itself (HCR_EL2.IMO clear) may have acknowledged it and
	 * ended nothing. Left active, it would never stop an L2 again.
	 */
	else if (sysreg_read(ICC_RPR_EL1) == GIC_PRIORITY)
		gic_eoi(PPI_PTIMER_HYP);
	return kind;
}

void hostile_sandbox(struct l2 *l)
{
	u64 off;

	stage2_reset();
	l2_reset_cpu(l, 0);
	stage2_init(l, 12, 1, 39, 1);
	for (off = 0; off < 0x20000; off += 0x1000)
		stage2_map(l, L2_BASE + off, (u64)_head + off, 3, S2_RO | S2_NORMAL | S2_AF);
	stage2_flush(l);
	hostile_fresh(l);
}

void hostile_fresh(struct l2 *l)
{
	l2_reset_cpu(l, 0);
	l2_call(l, l2_nop, 0, 0, 0);
}

u64 hostile_execute(u32 word, u64 v, bool *undef)
{
	static u32 code[16] __attribute__((aligned(64)));
	struct trap t;

	((volatile u32 *)code)[0] = word;
	((volatile u32 *)code)[1] = RET_WORD;
	asm volatile("dc cvau, %0\n\tdsb ish\n\tic ivau, %0\n\tdsb ish\n\tisb" ::"r"(code)
		     : "memory");
	trap_arm(&t);
	v = ((u64(*)(u64))(u64)code)(v);
	trap_disarm();
	*undef = t.count;
	return v;
}

/* ---- an L2 of random instructions ------------------------------------------------------------ */

enum what { G_VTTBR, G_VTCR, G_HCR, G_CONTROLS, G_EL1, G_RETURN, G_ICH, G_ALL, G_COUNT };
static const char what_names[G_COUNT][32] = {
	"VTTBR_EL2", "VTCR_EL2", "HCR_EL2", "the trap controls", "the EL1 bank", "ELR and SPSR",
	"the list registers", "all together",
};

static void garbage_control(struct l2 *l)
{
	u32 i;

	for (i = 0; i < CTL_ICH_HCR; i++)
		l->control[i] = hostile_garbage();
	l->control[CTL_MDCR] &= ~MASK(4, 0);
	l->cntvoff = hostile_garbage();
}

static void garbage_bank(struct l2 *l)
{
	u32 i;

	l2_put();
	for (i = 0; i < L2_BANK_COUNT; i++)
		l->sys[i] = hostile_garbage();
	for (i = 0; i < 31; i++)
		l->x[i] = hostile_garbage();
	l->sys[L2_MDSCR] = 0;
}

static void garbage_ich(struct l2 *l)
{
	sysreg_write(ICH_LR0_EL2, hostile_garbage() & ~BIT(61));
	sysreg_write(ICH_LR1_EL2, hostile_garbage() & ~BIT(61));
	sysreg_write(ICH_LR2_EL2, hostile_garbage() & ~BIT(61));
	sysreg_write(ICH_LR3_EL2, hostile_garbage() & ~BIT(61));
	sysreg_write(ICH_VMCR_EL2, hostile_garbage());
	sysreg_write(ICH_AP0R0_EL2, hostile_garbage());
	sysreg_write(ICH_AP1R0_EL2, hostile_garbage());
	l->control[CTL_ICH_HCR] = hostile_garbage();
}

static void garbage_one(struct l2 *l, u32 what)
{
	switch (what) {
	case G_VTTBR:
		l->vttbr = hostile_garbage() << 48 |
			   hostile_nowhere((u32)random_next(&hostile_seed) % HOSTILE_NOWHERE);
		break;
	case G_VTCR:
		l->vtcr = hostile_garbage();
		break;
	/* interrupts stay the hypervisor's, else nothing ends the run; nor does it run nested */
	case G_HCR:
		l->hcr = hostile_garbage() & ~(HCR_TGE | HCR_NV | HCR_NV1 | HCR_NV2 | HCR_E2H);
		l->hcr |= HCR_L2 & ~(HCR_API | HCR_APK);
		break;
	case G_CONTROLS:
		garbage_control(l);
		break;
	case G_EL1:
		garbage_bank(l);
		break;
	case G_RETURN: /* it would execute a host address */
		l->elr = hostile_garbage() | 1UL << 45;
		l->spsr = hostile_garbage() | 0x3c0;
		break;
	case G_ICH:
		garbage_ich(l);
		break;
	}
}

static void l2_garbage(u32 what, u64 n)
{
	struct l2 *l = &l2s[0];
	u64 i, kind;
	u32 k;

	check_begin("hostile", "%lu L2s with garbage in %s", n, what_names[what]);
	for (i = 0; i < n; i++) {
		if (i % 16 == 0)
			hostile_sandbox(l);
		hostile_fresh(l);
		garbage_one(l, what);
		for (k = 0; what == G_ALL && k < G_ALL; k++)
			if (random_next(&hostile_seed) & 1)
				garbage_one(l, k);
		kind = hostile_run(l, L2_STEP_US);
		expect(kind <= 15, "exit kind %lu", kind);
		sysreg_write(VTTBR_EL2, 0);
		sysreg_write(VTCR_EL2, 0);
	}
	hostile_recovered();
}

void group_hostile(void)
{
	u64 n = dt_arg("rounds", 100);
	u32 what;

	hostile_seed = dt_arg("seed", 1);
	check_begin("hostile", "an L2 boots");
	hostile_recovered();
	gic_enable(PPI_PTIMER_HYP);
	hostile_registers();
	hostile_controls();
	hostile_erets();
	hostile_tables();
	hostile_stage1();
	hostile_floods();
	hostile_interrupts();
	hostile_host();
	for (what = 0; what < G_COUNT; what++)
		l2_garbage(what, n);
	hostile_smp();
	gic_disable(PPI_PTIMER_HYP);
}
