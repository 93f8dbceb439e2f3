/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of the trace: where it is, and what readers are told of it. */
#include "arch/sysreg.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "mm/machine.h"
#include "state/cpu.h"
#include "state/trace.h"
#include "state/vm.h"

struct trace_area *trace_area;

/*
 * The last size bytes of the RAM that nobody holds, if its last range has so many; base 0: it has
 * not.
 */
static struct range top_of_ram(const struct machine *m, u64 size)
{
	struct range r = { 0, 0 }, last = { 0, 0 };

	while (machine_next(m, true, &r))
		last = r;
	if (last.size < size)
		return (struct range){ 0, 0 };
	return (struct range){ last.base + last.size - size, size };
}

/* The largest power of two of which size bytes hold one for each CPU; 0: none of use. */
static u64 ring_bytes_of(u64 size, u32 cpu_total)
{
	u64 bytes = GIB(1);

	while (bytes && TRACE_AREA_SIZE + cpu_total * trace_stride(bytes) > size)
		bytes >>= 1;
	return bytes >= 2 * TRACE_MARGIN * sizeof(struct trace_record) ? bytes : 0;
}

static void begin_ring(struct trace_area *area, u32 cpu)
{
	struct trace_ring *ring = trace_ring_of(area, area->ring_bytes, cpu);

	memset(ring, 0, sizeof(*ring));
	ring->mask = area->ring_bytes - 1;
}

void trace_cpu(struct cpu *cpu)
{
	if (trace_area && cpu->index < trace_area->cpus)
		cpu->trace = trace_ring_of(trace_area, trace_area->ring_bytes, cpu->index);
}

bool trace_begin(struct machine *m, u64 mib, u64 boot)
{
	struct range r = top_of_ram(m, MIB(mib + 1));
	u64 bytes = ring_bytes_of(r.size, m->cpu_count);
	struct trace_area *area;

	if (!bytes || m->cpu_count > TRACE_CPUS || !machine_reserve(m, r.base, r.size))
		return false;
	area = pa_ptr(pa(r.base));
	memset(area, 0, TRACE_AREA_SIZE);
	area->record_size = sizeof(struct trace_record);
	area->cpus = m->cpu_count;
	area->ring_bytes = bytes;
	area->hz = sysreg_read(CNTFRQ_EL0) & 0xffffffff;
	area->boot = boot;
	for (u32 i = 0; i < m->cpu_count; i++)
		begin_ring(area, i);
	/* Last: a reader that finds it finds all. */
	__atomic_store_n(&area->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
	trace_area = area;
	return true;
}

void trace_vm(struct vm *vm)
{
	u32 index = vm->id - 1;

	for (u32 i = 0; i < vm->vcpu_count; i++)
		vm->vcpus[i]->trace_id = (u64)(index << 4 | i) << TRACE_ID_SHIFT;
	if (!trace_area)
		return;
	memcpy(trace_area->vm[index].name, vm->config->name,
	       strnlen(vm->config->name, sizeof(trace_area->vm[index].name) - 1));
	trace_area->vm[index].nested = vm->config->nested;
	trace_area->vm[index].vcpus = vm->vcpu_count;
}
