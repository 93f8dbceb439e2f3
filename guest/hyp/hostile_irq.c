/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupts: random list registers under an L2 that acknowledges and ends them, and with them
 * interrupts of the hypervisor; timers of both levels at random times, with their interrupts
 * enabled.
 */
#include "hostile.h"

#include "timer.h"

#define LR_HW BIT(61)
#define LR_STATE MASK(63, 62)

/* payload.S, hostile.S */
u64 l2_nop(u64 a, u64 b, u64 c);
u64 l2_ack_all(u64 a, u64 b, u64 c);

static const u8 ppis[] = { PPI_MAINTENANCE, PPI_PTIMER_HYP, 27, PPI_VTIMER_HYP, 30 };

/*
 * A list register in any state; one in two names an interrupt of the hypervisor, or one that does
 * not exist.
 */
static u64 list_register(void)
{
	u64 lr = hostile_garbage(), r = random_next(&hostile_seed);

	if (r & 1)
		return lr;
	lr = (lr & ~MASK(41, 32)) | LR_HW | (r >> 8 & (r & 2 ? 31 : 1023)) << 32;
	return r & 4 ? lr : (lr & ~LR_STATE) | BIT(62);
}

static void list_registers(void)
{
	sysreg_write(ICH_LR0_EL2, list_register());
	sysreg_write(ICH_LR1_EL2, list_register());
	sysreg_write(ICH_LR2_EL2, list_register());
	sysreg_write(ICH_LR3_EL2, list_register());
	if (random_next(&hostile_seed) & 1)
		return;
	sysreg_write(ICH_VMCR_EL2, hostile_garbage());
	sysreg_write(ICH_AP0R0_EL2, hostile_garbage());
	sysreg_write(ICH_AP1R0_EL2, hostile_garbage());
}

static void no_list_registers(void)
{
	sysreg_write(ICH_HCR_EL2, 0);
	sysreg_write(ICH_LR0_EL2, 0);
	sysreg_write(ICH_LR1_EL2, 0);
	sysreg_write(ICH_LR2_EL2, 0);
	sysreg_write(ICH_LR3_EL2, 0);
	sysreg_write(ICH_VMCR_EL2, 0);
	sysreg_write(ICH_AP0R0_EL2, 0);
	sysreg_write(ICH_AP1R0_EL2, 0);
	isb();
}

/* Leave no interrupt of the hypervisor active that an L2 was given and did not end. */
static void drain(void)
{
	u32 i, id;

	for (i = 0; i < 32; i++) {
		gic_set_active(i, false);
		if (i < 16)
			gic_unpend(i);
	}
	for (i = 0; i < 32 && (id = gic_ack()) < INTID_SPURIOUS; i++)
		gic_eoi(id);
}

static void acknowledge(struct l2 *l, u64 n)
{
	u64 i, kind;
	u32 k;

	check_begin("hostile", "%lu times list registers of garbage that L2 acknowledges", n);
	hostile_sandbox(l);
	for (i = 0; i < n; i++) {
		hostile_fresh(l);
		l2_call(l, l2_ack_all, 8, 0, 0);
		list_registers();
		l->control[CTL_ICH_HCR] = i & 1 ? 1 : hostile_garbage() | 1;
		for (k = 0; k < 50; k++) {
			kind = hostile_run(l, L2_STEP_US);
			if (kind != EXIT_SYNC || l2_is_hvc(l, kind, L2_DONE))
				break;
			l->elr += 4; /* it traps */
		}
		expect(kind <= EXIT_SERROR, "exit kind %lu", kind);
		no_list_registers();
		if (i % 16 == 0)
			drain();
	}
	drain();
	hostile_recovered();
}

/* ---- timers ---------------------------------------------------------------------------------- */

/* A deadline: in the past, at the ends of the range, or around now, in ticks. */
static u64 some_time(void)
{
	u64 r = random_next(&hostile_seed);

	switch (r & 3) {
	case 0:
		return counter_phys() + (s64)(s32)r / 65536;
	case 1:
		return r & 4 ? ~0UL - (r >> 60) : r >> 60;
	case 2:
		return BIT(63) + (s64)(s32)r;
	}
	return hostile_garbage();
}

static void timers_set(struct l2 *l)
{
	el1_timer_write(CNTV_CVAL, some_time());
	el1_timer_write(CNTP_CVAL, some_time());
	if (!e2h0)
		sysreg_write(CNTHV_CVAL_EL2, some_time());
	if (random_next(&hostile_seed) & 1)
		el1_timer_write(CNTV_TVAL, hostile_garbage());
	el1_timer_write(CNTV_CTL, hostile_garbage());
	el1_timer_write(CNTP_CTL, hostile_garbage());
	if (!e2h0)
		sysreg_write(CNTHV_CTL_EL2, hostile_garbage());
	l->cntvoff = some_time();
}

static void timers_off(void)
{
	el1_timer_write(CNTV_CTL, 0);
	el1_timer_write(CNTP_CTL, 0);
	if (!e2h0)
		sysreg_write(CNTHV_CTL_EL2, 0);
	isb();
}

static void timers(struct l2 *l, u64 n)
{
	u64 i, kind;
	u32 k;

	check_begin("hostile", "%lu times timers at times of garbage", n);
	hostile_sandbox(l);
	for (k = 0; k < ARRAY_SIZE(ppis); k++)
		gic_enable(ppis[k]);
	for (i = 0; i < n; i++) {
		hostile_fresh(l);
		timers_set(l);
		kind = hostile_run(l, L2_STEP_US);
		expect(kind <= EXIT_SERROR, "exit kind %lu", kind);
		if (kind == EXIT_IRQ)
			(void)hostile_run(l, L2_STEP_US);
		timers_off();
		drain();
	}
	for (k = 0; k < ARRAY_SIZE(ppis); k++)
		if (ppis[k] != PPI_PTIMER_HYP)
			gic_disable(ppis[k]);
	hostile_recovered();
}

void hostile_interrupts(void)
{
	acknowledge(&l2s[0], 10 * dt_arg("rounds", 100));
	timers(&l2s[0], 5 * dt_arg("rounds", 100));
}
