/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Masks all interrupts and spins for ms=N (or seconds=N, 2) on every CPU: other VMs must not
 * suffer.
 */
#include "lib/dt.h"
#include "lib/test.h"

const char guest_name[] = "spin";

static u64 us;

static void spin(u32 index)
{
	u64 until = counter_virt() + ticks_us(us);

	(void)index;
	asm volatile("msr daifset, #15");
	while ((s64)(counter_virt() - until) < 0)
		;
}

void guest_main(void)
{
	us = dt_arg("ms", dt_arg("seconds", 2) * 1000) * 1000;
	print("spin: %u cpus with interrupts masked for %lu us\n", dt.cpu_count, us);
	test_begin("spin");
	smp_run_all(spin, 10 * us + PATIENCE_US);
}
