/* SPDX-License-Identifier: Apache-2.0 */
/* When a vcpu's wait ends. Waking it is in state/runq.c. */
#include "exit/vcpu.h"
#include "nested/level.h"
#include "vgic/vgic.h"

bool vcpu_interrupt_pending(struct vcpu *vcpu)
{
	return vgic_interrupt_pending(vcpu) ||
	       (unlikely(vcpu->has_vel2) && level_interrupt_pending(vcpu));
}

static __attribute__((noinline)) bool unfinished_wakes(struct vcpu *vcpu)
{
	return vcpu->vgic.deferred ||
	       (vcpu->powered_down ? vgic_wake_request(vcpu) : vcpu_interrupt_pending(vcpu));
}

bool vcpu_wakes(struct vcpu *vcpu)
{
	return __atomic_load_n(&vcpu->requests, __ATOMIC_ACQUIRE) ||
	       (unlikely(vcpu->unfinished) ? unfinished_wakes(vcpu)
					   : vcpu_interrupt_pending(vcpu)) ||
	       vcpu->vgic.deferred; /* vcpu_interrupt_pending() may have set it */
}
