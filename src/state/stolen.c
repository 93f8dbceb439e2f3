/* SPDX-License-Identifier: Apache-2.0 */
/* Stolen time: its count, and its structure in a page of the VM's. */
#include "state/stolen.h"

#include "arch/counter.h"
#include "arch/sysreg.h"
#include "mm/page.h"
#include "state/vm.h"

/* Seconds and rest apart, so that nothing overflows: hz is below 2^32. */
static u64 nanoseconds(u64 ticks)
{
	u64 hz = sysreg_read(CNTFRQ_EL0) & 0xffffffff;

	hz = hz ? hz : 1000000000;
	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static u64 ticks(u64 ns)
{
	u64 hz = sysreg_read(CNTFRQ_EL0) & 0xffffffff;

	return ns / 1000000000 * hz + ns % 1000000000 * hz / 1000000000;
}

static void tell(const struct vcpu *vcpu)
{
	/* One store: the guest may read meanwhile, on another CPU. */
	__atomic_store_n(&vcpu->stolen_record->ns, nanoseconds(vcpu->stolen), __ATOMIC_RELAXED);
}

static void add(struct vcpu *vcpu, u64 n)
{
	vcpu->stolen += n;
	if (vcpu->stolen_record)
		tell(vcpu);
}

void stolen_begin(struct vcpu *vcpu)
{
	vcpu->queued_at = counter_now();
}

void stolen_end(struct vcpu *vcpu)
{
	u64 now = counter_now();

	/* Reads of the counter may be early, on two CPUs too. */
	add(vcpu, now - MIN(now, vcpu->queued_at));
}

__attribute__((noinline, cold)) void stolen_below(struct cpu *cpu)
{
	u64 seen = cpu->stolen_seen, ns = __atomic_load_n(&cpu->stolen_from->ns, __ATOMIC_RELAXED);

	/* It never goes back, if the hypervisor below is right. */
	cpu->stolen_seen = MAX(seen, ns);
	/* Sums, not differences: what is less than a tick is not lost. */
	if (cpu->loaded && ns > seen)
		add(cpu->loaded, ticks(ns) - ticks(seen));
}

void stolen_reset(struct vcpu *vcpu)
{
	vcpu->stolen = 0;
	vcpu->stolen_record = NULL;
}

void stolen_reset_page(struct vm *vm)
{
	page_zero(vm->stolen_page, PAGE_SIZE);
	page_clean(vm->stolen_page, PAGE_SIZE);
}

u64 stolen_publish(struct vcpu *vcpu)
{
	u64 offset = vcpu->index * sizeof(struct stolen_time);

	if (cpu_this()->stolen_from)
		stolen_below(cpu_this());
	/* The guest may have written to it since: no harm but its own. */
	vcpu->stolen_record = pa_ptr(pa(vcpu->vm->stolen_page + offset));
	vcpu->stolen_record->revision = 0; /* ns never goes back, also if the guest asks again */
	vcpu->stolen_record->attributes = 0;
	tell(vcpu);
	return vcpu->vm->layout.stolen + offset;
}
