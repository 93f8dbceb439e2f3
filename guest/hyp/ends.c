/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SPIs of one CPU that another CPU's L2 ends: this hypervisor puts them into list registers with
 * the HW bit. CPU 1 acknowledges them, CPU 0's L2 deactivates them, and CPU 2 reads CPU 0's
 * redistributor all the time, so that a CPU that waits for another one is waited for itself.
 */
#include "hyp.h"

#define SPIS 3u
#define FIRST_SPI 40u
#define FIRST_L2 50u

static u32 want, ready, over; /* atomic: rounds */
static u64 gicr0;

static void cpu_acknowledges(u32 index)
{
	u32 round = 0, i, id;

	(void)index;
	gic_cpu_init();
	/* EOImode: what is acknowledged stays active until deactivated */
	sysreg_write(ICC_CTLR_EL1, 2);
	isb();
	for (i = 0; i < SPIS; i++) {
		gic_route(FIRST_SPI + i, cpu_self()->mpidr);
		gic_set_edge(FIRST_SPI + i, true);
		gic_enable(FIRST_SPI + i);
	}
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&want, __ATOMIC_ACQUIRE) == round) {
			cpu_relax();
			continue;
		}
		for (i = 0; i < SPIS; i++) {
			gic_pend(FIRST_SPI + i);
			while ((id = gic_ack()) == INTID_SPURIOUS)
				cpu_relax();
			gic_eoi(id);
		}
		__atomic_store_n(&ready, ++round, __ATOMIC_RELEASE);
	}
	sysreg_write(ICC_CTLR_EL1, 0);
	isb();
}

static void cpu_looks(u32 index)
{
	(void)index;
	gic_cpu_init();
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		(void)read32(gicr0 + GICR_SGI + GIC_ISACTIVER);
}

static u64 l2_ends(u64 a, u64 b, u64 c)
{
	u32 i;

	(void)a;
	(void)b;
	(void)c;
	sysreg_write(ICC_CTLR_EL1, 2);
	isb();
	for (i = 0; i < SPIS; i++)
		gic_deactivate(FIRST_L2 + i);
	return 0;
}

static u64 given(u32 i)
{
	return BIT(63) | BIT(61) | BIT(60) | (u64)(FIRST_SPI + i) << 32 | 0xa0UL << 48 |
	       (FIRST_L2 + i);
}

/* Run each round once; an interrupt that is active afterwards was lost. */
static void rounds(struct l2 *l, u32 n)
{
	u32 k, i;

	for (k = 1; k <= n && !test_failed(); k++) {
		__atomic_store_n(&want, k, __ATOMIC_RELEASE);
		while (__atomic_load_n(&ready, __ATOMIC_ACQUIRE) != k)
			cpu_relax();
		sysreg_write(ICH_LR0_EL2, given(0));
		sysreg_write(ICH_LR1_EL2, given(1));
		sysreg_write(ICH_LR2_EL2, given(2));
		l2_run_fn(l, l2_ends, 0, 0, 0);
		for (i = 0; i < SPIS; i++)
			expect(!gic_is_active(FIRST_SPI + i), "round %u: SPI %u is still active", k,
			       FIRST_SPI + i);
	}
}

void group_ends(void)
{
	struct l2 *l = &l2s[0];

	test_begin("ends: of another CPU's interrupts");
	if (dt.cpu_count < 3) {
		test_skip("three CPUs");
		return;
	}
	l2_reset(l, 1);
	l->control[CTL_ICH_HCR] = 0;
	gicr0 = cpu_self()->gicr;
	smp_start(1, cpu_acknowledges);
	smp_start(2, cpu_looks);
	rounds(l, (u32)dt_arg("n", 60));
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	expect(smp_join(1, 600000000) && smp_join(2, 600000000), "CPUs did not end");
}
