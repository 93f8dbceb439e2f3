/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must reach a VM whatever its neighbour does: each of its timer's ticks (ticks=N, and for
 * ms=N milliseconds), and each write to the GIC, also to another CPU's redistributor. How late they
 * come is not judged.
 */
#include "lib/dt.h"
#include "lib/exception.h"
#include "lib/gic.h"
#include "lib/test.h"
#include "lib/timer.h"

const char guest_name[] = "owed";

static u64 ticks;
static u64 gicr1;
static u32 over;

static void on_irq(struct frame *f)
{
	u32 id = gic_ack();

	(void)f;
	if (id == INTID_SPURIOUS)
		return;
	if (id == dt.ppi_virt) {
		ticks++;
		timer_set_ctl(TIMER_VIRT, 0);
	}
	gic_eoi(id);
}

static void busy(u32 index)
{
	(void)index;
	gic_cpu_init();
	__atomic_store_n(&gicr1, cpu_self()->gicr, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		cpu_relax();
}

/* A register of CPU 1's redistributor, and one of the distributor: written, read back. */
static void writes(u64 n)
{
	u64 spi = dt.gicd + GIC_IPRIORITYR + 40;
	u32 v = (u32)n % 31 * 8;

	write8(spi, (u8)v);
	expect_eq(read8(spi), v, "GICD_IPRIORITYR");
	if (!gicr1)
		return;
	write8(gicr1 + GICR_SGI + GIC_IPRIORITYR + 20, (u8)v);
	expect_eq(read8(gicr1 + GICR_SGI + GIC_IPRIORITYR + 20), v, "GICR_IPRIORITYR of CPU 1");
}

void guest_main(void)
{
	u64 n, count = dt_arg("ticks", 200);
	u64 until = counter_virt() + ticks_us(dt_arg("ms", 0) * 1000);

	gic_dist_init();
	gic_cpu_init();
	cpu_self()->irq = on_irq;
	gic_enable(dt.ppi_virt);
	if (dt.cpu_count > 1) {
		smp_start(1, busy);
		while (!__atomic_load_n(&gicr1, __ATOMIC_ACQUIRE))
			cpu_relax();
	}
	test_begin("owed");
	irq_enable();
	for (n = 0; (n < count || (s64)(counter_virt() - until) < 0) && !test_failed(); n++) {
		u64 start = counter_virt();

		timer_set_cval(TIMER_VIRT, start + ticks_us(1000));
		timer_set_ctl(TIMER_VIRT, TIMER_ENABLE);
		writes(n);
		while (__atomic_load_n(&ticks, __ATOMIC_RELAXED) != n + 1)
			if (counter_virt() - start > ticks_us(300000000)) {
				test_fail("tick %lu is lost", n + 1);
				break;
			}
	}
	irq_disable();
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	print("owed: %lu ticks\n", ticks);
}
