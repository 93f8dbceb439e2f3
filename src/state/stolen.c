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

static void tell(const struct vcpu *vcpu)
{
	/* One store: the guest may read meanwhile, on another CPU. */
	__atomic_store_n(&vcpu->stolen_to->ns, nanoseconds(vcpu->stolen), __ATOMIC_RELAXED);
}

void stolen_begin(struct vcpu *vcpu)
{
	vcpu->queued_at = counter_now();
}

void stolen_end(struct vcpu *vcpu)
{
	u64 now = counter_now();

	/* Reads of the counter may be early, on two CPUs too. */
	vcpu->stolen += now - MIN(now, vcpu->queued_at);
	if (vcpu->stolen_to)
		tell(vcpu);
}

void stolen_reset(struct vcpu *vcpu)
{
	vcpu->stolen = 0;
	vcpu->stolen_to = NULL;
}

void stolen_reset_page(struct vm *vm)
{
	page_zero(vm->stolen_page, PAGE_SIZE);
	page_clean(vm->stolen_page, PAGE_SIZE);
}

u64 stolen_publish(struct vcpu *vcpu)
{
	u64 offset = vcpu->index * sizeof(struct stolen_time);

	/* The guest may have written to it since: no harm but its own. */
	vcpu->stolen_to = pa_ptr(pa(vcpu->vm->stolen_page + offset));
	vcpu->stolen_to->revision = 0; /* ns never goes back, also if the guest asks again */
	vcpu->stolen_to->attributes = 0;
	tell(vcpu);
	return vcpu->vm->layout.stolen + offset;
}
