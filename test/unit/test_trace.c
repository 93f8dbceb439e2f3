/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace: where its memory is, what its records contain, and that each CPU writes to its own
 * ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/sysreg.h"
#include "mm/machine.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "state/vm.h"

#define RAM_MIB 8

static struct vm_config config = { .name = "a name that is longer than 24", .nested = true };
static struct vcpu vcpus[2];
static struct machine m;
static char *ram;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_set("CNTFRQ_EL0", 62500000);
	fake_set("CNTPCT_EL0", 1000);
	fake_cpu = 0;
	memset(cpus, 0, sizeof(cpus));
	memset(vcpus, 0, sizeof(vcpus));
	trace_area = NULL;
	if (!ram)
		ram = aligned_alloc(MIB(1), MIB(RAM_MIB));
	memset(ram, 0x5a, MIB(RAM_MIB));
	m = (struct machine){ .cpu_count = 2, .mem_count = 1, .mem = { { (u64)ram, MIB(RAM_MIB) } } };
	vms[0] = (struct vm){ .config = &config, .id = 1, .vcpu_count = 2,
			      .vcpus = { &vcpus[0], &vcpus[1] } };
	return 0;
}

/* As the CPUs come up. */
static bool begin(u64 mib, u64 boot)
{
	bool begun = trace_begin(&m, mib, boot);

	for (u32 i = 0; i < 4; i++) {
		memset(&cpus[i], 0, sizeof(cpus[i]));
		cpus[i].index = i;
		trace_cpu(&cpus[i]);
	}
	return begun;
}

static const struct trace_record *record(u32 cpu, u32 n)
{
	return &cpus[cpu].trace->record[n];
}

/*
 * The last MiB of RAM is reserved for it, and nothing else; the description in the area is right.
 */
static void area(void **state)
{
	struct range free = { 0, 0 };

	(void)state;
	assert_true(begin(3, 77));
	assert_ptr_equal(trace_area, ram + MIB(RAM_MIB - 4));
	assert_true(machine_next(&m, true, &free));
	assert_int_equal(free.base, (u64)ram);
	assert_int_equal(free.size, MIB(RAM_MIB - 4));
	assert_false(machine_next(&m, true, &free));
	assert_int_equal(trace_area->magic, TRACE_MAGIC);
	assert_int_equal(trace_area->record_size, 32);
	assert_int_equal(trace_area->cpus, 2);
	assert_int_equal(trace_area->ring_bytes, MIB(1));
	assert_int_equal(trace_area->hz, 62500000);
	assert_int_equal(trace_area->boot, 77);
	for (u32 i = 0; i < 2; i++) {
		const char *ring = (const char *)cpus[i].trace;

		assert_ptr_equal(ring, ram + MIB(RAM_MIB - 4) + 4096 + i * (MIB(1) + 4096));
		assert_int_equal(cpus[i].trace->head, 0);
		assert_true((const char *)record(i, MIB(1) / 32) <= ram + MIB(RAM_MIB));
	}
	assert_null(cpus[2].trace);
	assert_int_equal(ram[MIB(RAM_MIB - 4) - 1], 0x5a);
}

/* There is no room behind what is reserved, and nothing is taken. */
static void no_room(void **state)
{
	(void)state;
	assert_false(begin(RAM_MIB, 0));
	assert_true(machine_reserve(&m, (u64)ram + MIB(6), MIB(1)));
	assert_false(begin(1, 0));
	assert_int_equal(m.rsv_count, 1);
	assert_null(trace_area);
	assert_null(cpus[0].trace);
	m.cpu_count = 33;
	m.rsv_count = 0;
	assert_false(begin(1, 0));
	m.cpu_count = 2;
	m.rsv_count = MACHINE_RSV_MAX;
	assert_false(begin(1, 0));
	assert_null(trace_area);
}

static void names(void **state)
{
	(void)state;
	vms[0].id = 3;
	trace_vm(&vms[0]); /* without a trace: the vcpus all the same */
	assert_int_equal(vcpus[1].trace_id, 0x210000);
	assert_true(begin(1, 0));
	trace_vm(&vms[0]);
	assert_string_equal(trace_area->vm[2].name, "a name that is longer t");
	assert_int_equal(trace_area->vm[2].vcpus, 2);
	assert_int_equal(trace_area->vm[2].nested, 1);
	assert_int_equal(trace_area->vm[0].vcpus, 0);
	assert_int_equal(TRACE_VM(vcpus[1].trace_id), 2);
	assert_int_equal(TRACE_VCPU(vcpus[1].trace_id), 1);
}

static void off(void **state)
{
	(void)state;
	trace_vm(&vms[0]);
	trace_event(&vcpus[0], TRACE_LOAD, 0, 0, 0);
	trace_elsewhere(&vcpus[0], TRACE_WAKE, 0);
	assert_false(trace_on(&vcpus[0]));
}

static void records(void **state)
{
	const struct trace_record *r;

	(void)state;
	assert_true(begin(1, 0));
	trace_vm(&vms[0]);
	trace_load(&vcpus[1], &cpus[1]);
	trace_event(&vcpus[1], TRACE_TAKE, TRACE_TAKE_NESTED | 1, 0x5a000000, 0x40080000);
	r = record(1, 0);
	assert_int_equal(r->time, 1000);
	assert_int_equal(TRACE_EVENT(r->what), TRACE_TAKE);
	assert_int_equal(TRACE_HOW(r->what), 0x81);
	assert_int_equal(TRACE_VM(r->what), 0);
	assert_int_equal(TRACE_VCPU(r->what), 1);
	assert_int_equal(TRACE_TICKS(r->what), 0);
	assert_int_equal(r->detail, 0x5a000000);
	assert_int_equal(r->data, 0x40080000);
	assert_int_equal(cpus[1].trace->head, 32);
	trace_exit(&vcpus[1], ACCOUNT_NESTED, EXIT_CLASS_OTHER, 0x7f, 5, MASK(39, 0), 6, 7);
	r = record(1, 1);
	assert_int_equal(r->time, 5);
	assert_int_equal(TRACE_EVENT(r->what), EXIT_CLASS_COUNT + EXIT_CLASS_OTHER);
	assert_int_equal(TRACE_HOW(r->what), 0x7f);
	assert_int_equal(TRACE_VCPU(r->what), 1);
	assert_int_equal(TRACE_TICKS(r->what), MASK(39, 0));
	/* An event that another CPU causes is in that CPU's ring. */
	trace_elsewhere(&vcpus[1], TRACE_WAKE, 9);
	r = record(0, 0);
	assert_int_equal(TRACE_EVENT(r->what), TRACE_WAKE);
	assert_int_equal(TRACE_VCPU(r->what), 1);
	assert_int_equal(r->detail, 9);
	assert_int_equal(cpus[0].trace->head, 32);
	assert_int_equal(cpus[1].trace->head, 64);
}

/* A full ring is overwritten from its beginning; the next ring and the area are unchanged. */
static void round_and_round(void **state)
{
	u64 n;

	(void)state;
	assert_true(begin(1, 0));
	n = trace_area->ring_bytes / sizeof(struct trace_record);
	trace_load(&vcpus[0], &cpus[0]);
	for (u64 i = 0; i < 2 * n + 3; i++)
		trace_event(&vcpus[0], TRACE_IRQ, 0, i, 0);
	assert_int_equal(cpus[0].trace->head, (2 * n + 3) * 32);
	assert_int_equal(record(0, 2)->detail, 2 * n + 2);
	assert_int_equal(record(0, 3)->detail, n + 3);
	assert_int_equal(record(0, (u32)n - 1)->detail, 2 * n - 1);
	assert_int_equal(cpus[0].trace->mask, n * 32 - 1);
	assert_int_equal(cpus[1].trace->head, 0);
	assert_int_equal(*(const u8 *)record(0, (u32)n), 0x5a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(area, setup),    cmocka_unit_test_setup(no_room, setup),
		cmocka_unit_test_setup(names, setup),   cmocka_unit_test_setup(off, setup),
		cmocka_unit_test_setup(records, setup), cmocka_unit_test_setup(round_and_round, setup),
	};

	_Static_assert(TRACE_EVENT_END <= 256 && 2 * EXIT_CLASS_COUNT <= TRACE_EXITS, "events fit");
	_Static_assert(PASS <= TRACE_VERDICT && MAX_VMS <= TRACE_VMS && MAX_VCPUS <= 16, "so do these");
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
