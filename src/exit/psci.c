/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN0022) for guests. */
#include "exit/psci.h"

#include "arch/idspace.h"
#include "arch/psci.h"
#include "arch/smccc.h"
#include "exit/vcpu.h"
#include "state/vcpu.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "state/runq.h"

/* Function numbers: the low bits of 0x8400_00xx and 0xC400_00xx. */
enum {
	PSCI_VERSION = 0,
	PSCI_CPU_SUSPEND = 1,
	PSCI_CPU_OFF = 2,
	PSCI_CPU_ON = 3,
	PSCI_AFFINITY_INFO = 4,
	PSCI_MIGRATE_INFO_TYPE = 6,
	PSCI_SYSTEM_OFF = 8,
	PSCI_SYSTEM_RESET = 9,
	PSCI_FEATURES = 10,
	PSCI_SYSTEM_RESET2 = 18,
};

#define PSCI_VERSION_1_1 0x10001
#define MIGRATE_TOS_NOT_PRESENT 2

enum {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_ALREADY_ON = -4,
	PSCI_INVALID_ADDRESS = -9,
};

enum { AFFINITY_ON, AFFINITY_OFF, AFFINITY_ON_PENDING };

static struct vcpu *find_vcpu(struct vm *vm, u64 mpidr)
{
	for (u32 i = 0; i < vm->vcpu_count; i++)
		if ((vm->vcpus[i]->vmpidr & MPIDR_AFFINITY) == mpidr)
			return vm->vcpus[i];
	return NULL;
}

static bool entry_valid(struct vm *vm, u64 entry)
{
	return IS_ALIGNED(entry, 4) && vm_has_ram(vm, ipa(entry));
}

static s64 cpu_on(struct vcpu *vcpu, u64 mpidr, u64 entry, u64 x0)
{
	struct vcpu *target = find_vcpu(vcpu->vm, mpidr);
	u32 off = VCPU_OFF;

	if (!target)
		return PSCI_INVALID_PARAMETERS;
	/* ALREADY_ON before INVALID_ADDRESS, as firmware does. */
	if (__atomic_load_n(&target->state, __ATOMIC_ACQUIRE) != VCPU_OFF)
		return PSCI_ALREADY_ON;
	if (!entry_valid(vcpu->vm, entry))
		return PSCI_INVALID_ADDRESS;
	/*
	 * The transition to STARTING admits one caller: two CPU_ONs cannot both win, and the vcpu
	 * is not seen as runnable before its registers are set.
	 */
	if (!__atomic_compare_exchange_n(&target->state, &off, VCPU_STARTING, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return PSCI_ALREADY_ON;
	vcpu_reset(target, entry, x0);
	sched_start(target);
	return PSCI_SUCCESS;
}

/* Complete operations on interrupts of other vcpus now, not at the next CPU_ON. */
static enum verdict cpu_off(struct vcpu *vcpu)
{
	if (!vgic_finish(vcpu))
		return AGAIN;
	vcpu->going_off = true;
	return DEAD;
}

static s64 affinity_info(struct vcpu *vcpu, u64 mpidr, u64 level)
{
	bool found = false;

	if (level > 3 || (mpidr & ~MPIDR_AFFINITY))
		return PSCI_INVALID_PARAMETERS;
	/* Level n: all CPUs whose affinity fields above n match; Aff3 lies apart at 39:32. */
	for (u32 i = 0; i < vcpu->vm->vcpu_count; i++) {
		const struct vcpu *v = vcpu->vm->vcpus[i];
		u64 mask = level == 3 ? MASK(39, 32) : MPIDR_AFFINITY & ~(BIT(8 * level) - 1);

		if ((v->vmpidr & mask) != (mpidr & mask))
			continue;
		found = true;
		if (__atomic_load_n(&v->state, __ATOMIC_ACQUIRE) != VCPU_OFF)
			return AFFINITY_ON;
	}
	return found ? AFFINITY_OFF : PSCI_INVALID_PARAMETERS;
}

static enum verdict cpu_suspend(struct vcpu *vcpu, u64 power_state, u64 entry, u64 x0, s64 *ret)
{
	*ret = PSCI_SUCCESS;
	if (power_state & POWER_STATE_RES0) {
		*ret = PSCI_INVALID_PARAMETERS;
		return RESUME;
	}
	if (power_state & POWER_STATE_POWERDOWN) {
		if (!entry_valid(vcpu->vm, entry)) {
			*ret = PSCI_INVALID_ADDRESS;
			return RESUME;
		}
		vcpu->entry_pc = entry;
		vcpu->entry_x0 = x0;
		vcpu->powered_down = true;
		vcpu->unfinished = true;
		return SLEEP;
	}
	if (vcpu_interrupt_pending(vcpu))
		return RESUME;
	vcpu->gpr[0] = PSCI_SUCCESS; /* what it returns once awake */
	return SLEEP;
}

bool psci_resume(struct vcpu *vcpu)
{
	if (!vgic_wake_request(vcpu))
		return false;
	vcpu->powered_down = false;
	vcpu_put(vcpu);
	vcpu_reset(vcpu, vcpu->entry_pc, vcpu->entry_x0);
	vcpu_load(vcpu);
	return true;
}

static s64 psci_features(u32 fid)
{
	switch (fid & ~SMC64) {
	case 0x84000000 + PSCI_CPU_SUSPEND:
	case 0x84000000 + PSCI_CPU_ON:
	case 0x84000000 + PSCI_AFFINITY_INFO:
	case 0x84000000 + PSCI_SYSTEM_RESET2:
		return PSCI_SUCCESS;
	}
	switch (fid) {
	case 0x84000000 + PSCI_VERSION:
	case 0x84000000 + PSCI_CPU_OFF:
	case 0x84000000 + PSCI_MIGRATE_INFO_TYPE:
	case 0x84000000 + PSCI_SYSTEM_OFF:
	case 0x84000000 + PSCI_SYSTEM_RESET:
	case 0x84000000 + PSCI_FEATURES:
	case SMCCC_VERSION:
		return PSCI_SUCCESS;
	}
	return PSCI_NOT_SUPPORTED;
}

static enum verdict system_reset2(u64 type, s64 *ret)
{
	/*
	 * 0 is SYSTEM_WARM_RESET; other architectural ones are reserved, vendor ones (bit 31) not
	 * supported.
	 */
	if ((u32)type != 0) {
		*ret = type & RESET_TYPE_VENDOR ? PSCI_NOT_SUPPORTED : PSCI_INVALID_PARAMETERS;
		return RESUME;
	}
	return RESET_VM;
}

enum verdict psci_call(struct vcpu *vcpu, u32 fid, s64 *ret)
{
	/* A 32-bit call has 32-bit arguments; some of a 64-bit call are 32-bit too. */
	u64 wide = fid & SMC64 ? ~0UL : 0xffffffffUL;
	u64 a1 = vcpu->gpr[1] & wide, a2 = vcpu->gpr[2] & wide, a3 = vcpu->gpr[3] & wide;

	*ret = PSCI_NOT_SUPPORTED;
	switch (fid & 0x1f) {
	case PSCI_CPU_SUSPEND:
		return cpu_suspend(vcpu, (u32)a1, a2, a3, ret);
	case PSCI_CPU_ON:
		*ret = cpu_on(vcpu, a1, a2, a3);
		return RESUME;
	case PSCI_AFFINITY_INFO:
		*ret = affinity_info(vcpu, a1, (u32)a2);
		return RESUME;
	case PSCI_SYSTEM_RESET2:
		return system_reset2(a1, ret);
	}
	if (fid & SMC64)
		return RESUME;
	switch (fid & 0x1f) {
	case PSCI_VERSION:
		*ret = PSCI_VERSION_1_1;
		break;
	case PSCI_MIGRATE_INFO_TYPE:
		*ret = MIGRATE_TOS_NOT_PRESENT;
		break;
	case PSCI_FEATURES:
		*ret = psci_features((u32)a1);
		break;
	case PSCI_CPU_OFF:
		return cpu_off(vcpu);
	case PSCI_SYSTEM_OFF:
		vcpu->stop_reason = NULL;
		return STOP_VM;
	case PSCI_SYSTEM_RESET:
		return RESET_VM;
	}
	return RESUME;
}
