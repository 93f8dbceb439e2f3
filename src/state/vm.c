/* SPDX-License-Identifier: Apache-2.0 */
/* The VMs; stopping one, and the queue of VMs that wait for work. */
#include "state/vm.h"

#include "state/trace.h"

struct vm vms[MAX_VMS];
u32 vm_count;
/*
 * Atomic: bit n while vms[n] waits for work. Whoever clears the bit owns the VM until it sets it
 * again.
 */
static u32 work_waits;
static u32 work_next; /* atomic: which VM's turn it is */

void vm_hand_over(struct vm *vm)
{
	__atomic_fetch_or(&work_waits, 1U << (vm - vms), __ATOMIC_RELEASE);
}

void vm_drop_vcpu(struct vm *vm)
{
	if (__atomic_sub_fetch(&vm->vcpus_alive, 1, __ATOMIC_ACQ_REL) == 0)
		vm_hand_over(vm);
}

void vm_kill_if_off(struct vcpu *vcpu)
{
	u32 off = VCPU_OFF;

	if (__atomic_compare_exchange_n(&vcpu->state, &off, VCPU_DEAD, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		vm_drop_vcpu(vcpu->vm);
}

void vm_stop(struct vm *vm, enum vm_state how, const char *reason)
{
	u32 running = VM_RUNNING;

	if (!__atomic_compare_exchange_n(&vm->state, &running, how, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	vm->stop_reason = reason;
	if (vm->vcpu_count)
		trace_elsewhere(vm->vcpus[0], how == VM_RESETTING ? TRACE_RESET : TRACE_STOP, 0);
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vcpu_request(vm->vcpus[i], REQ_STOP);
		vm_kill_if_off(vm->vcpus[i]);
	}
}

u64 vm_work_cpus(void)
{
	u32 waits = __atomic_load_n(&work_waits, __ATOMIC_ACQUIRE);
	u64 mask = 0;

	for (; unlikely(waits); waits &= waits - 1)
		mask |= vms[__builtin_ctz(waits)].work_cpus;
	return mask;
}

bool vm_work_pending(void)
{
	return vm_work_cpus() & BIT(cpu_this()->index);
}

struct vm *vm_take_work(u64 where)
{
	u32 next = __atomic_load_n(&work_next, __ATOMIC_RELAXED);

	for (u32 i = 0; i < vm_count; i++) {
		u32 n = (next + i) % vm_count, bit = 1U << n;

		if (!(__atomic_load_n(&work_waits, __ATOMIC_ACQUIRE) & bit) ||
		    !(vms[n].work_cpus & where) ||
		    !(__atomic_fetch_and(&work_waits, ~bit, __ATOMIC_ACQUIRE) & bit))
			continue;
		__atomic_store_n(&work_next, n + 1, __ATOMIC_RELAXED);
		return &vms[n];
	}
	return NULL;
}
