/* SPDX-License-Identifier: Apache-2.0 */
/* Waking a vcpu: requests, kicks, and what ends its wait. The other half is fall_asleep() of sched.c. */
#include "nested/level.h"
#include "state/cpu.h"
#include "vm/sched.h"
#include "state/vcpu.h"
#include "vgic/vgic.h"

void vcpu_kick(struct vcpu *vcpu)
{
	u32 state;

	/* What the caller wrote, before the look at the state (see fall_asleep). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	state = __atomic_load_n(&vcpu->state, __ATOMIC_ACQUIRE);
	if (state == VCPU_RUNNING) {
		if (vcpu->cpu != cpu_this())
			cpu_kick(vcpu->cpu);
	} else if (state == VCPU_SLEEPING) {
		if (__atomic_compare_exchange_n(&vcpu->state, &state, VCPU_STARTING, false,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			sched_start(vcpu);
	}
}

void vcpu_request(struct vcpu *vcpu, u32 request)
{
	__atomic_fetch_or(&vcpu->requests, request, __ATOMIC_RELEASE);
	vcpu_kick(vcpu);
}

bool vcpu_interrupt_pending(struct vcpu *vcpu)
{
	return vgic_interrupt_pending(vcpu) ||
	       (unlikely(vcpu->has_el2) && level_interrupt_pending(vcpu));
}

static __attribute__((noinline)) bool unfinished_wakes(struct vcpu *vcpu)
{
	return vcpu->vgic.owes || (vcpu->powered_down ? vgic_wake_request(vcpu) : vcpu_interrupt_pending(vcpu));
}

bool vcpu_wakes(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) ||
	       (unlikely(vcpu->unfinished) ? unfinished_wakes(vcpu) : vcpu_interrupt_pending(vcpu)) ||
	       vcpu->vgic.owes; /* the look may have found it */
}
