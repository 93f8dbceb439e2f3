/* SPDX-License-Identifier: Apache-2.0 */
/* Events that are less frequent than exits, into this CPU's ring. */
#include "state/trace.h"

#include "arch/counter.h"
#include "arch/irq.h"

static u64 what_of(const struct vcpu *vcpu, enum trace_event event, u32 how)
{
	return vcpu->trace_id | (u64)how << TRACE_HOW_SHIFT | event;
}

void trace_add_at(const struct vcpu *vcpu, u64 time, enum trace_event event, u32 how, u64 detail,
		  u64 data)
{
	trace_put(vcpu->trace, time, what_of(vcpu, event, how), detail, data);
}

void trace_add(const struct vcpu *vcpu, enum trace_event event, u32 how, u64 detail, u64 data)
{
	trace_add_at(vcpu, counter_now(), event, how, detail, data);
}

void trace_add_here(const struct vcpu *vcpu, enum trace_event event, u64 detail)
{
	u64 daif = irq_save();

	trace_put(cpu_this()->trace, counter_now(), what_of(vcpu, event, 0), detail, 0);
	irq_restore(daif);
}
