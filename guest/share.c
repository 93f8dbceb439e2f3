/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The share of a CPU that this guest gets: reads the counter for ms=N (or seconds=N, 2) on each
 * CPU; a step of more than 200 us is time that somebody else had. min=P: fails if a CPU got less
 * than P percent; gap=US: if it waited longer. Both are for a machine whose time is instructions
 * (--icount): otherwise the host's load counts as well.
 */
#include "lib/dt.h"
#include "lib/test.h"

const char guest_name[] = "share";

static struct {
	u64 total, stolen, longest;
} result[GUEST_CPUS_MAX];

static void watch(u32 index)
{
	u64 start = counter_virt(), last = start,
	    end = start + ticks_us(dt_arg("ms", dt_arg("seconds", 2) * 1000) * 1000);
	u64 now, step = ticks_us(200);

	while ((s64)((now = counter_virt()) - end) < 0) {
		if (now - last > step) {
			result[index].stolen += now - last;
			result[index].longest = MAX(result[index].longest, now - last);
		}
		last = now;
	}
	result[index].total = now - start;
}

void guest_main(void)
{
	u64 min = dt_arg("min", 0), gap = dt_arg("gap", ~0UL);
	u32 i;

	test_begin("share");
	print("share: watching\n");
	smp_run_all(watch, 10 * PATIENCE_US);
	for (i = 0; i < dt.cpu_count; i++) {
		u64 got = (result[i].total - result[i].stolen) * 100 / MAX(result[i].total, 1UL);
		u64 longest = result[i].longest / MAX(ticks_us(1), 1UL);

		print("share: cpu %u got %lu%%, longest wait %lu us\n", i, got, longest);
		expect(got >= min, "cpu %u got %lu%%, expected at least %lu%%", i, got, min);
		expect(longest <= gap, "cpu %u waited %lu us, expected at most %lu", i, longest,
		       gap);
	}
}
