/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's life: building, starting, stopping, resetting. */
#include "vm/vm.h"

#include "arch/barrier.h"
#include "exit/vcpu.h"
#include "lib/log.h"
#include "lib/string.h"
#include "nested/shadow.h"
#include "simd/simd.h"
#include "state/stolen.h"
#include "state/trace.h"
#include "vgic/vgic.h"
#include "vm/account.h"
#include "vm/console.h"
#include "vm/sched.h"
#include "vm/vflash.h"
#include "vm/vm_build.h"
#include "vm/vm_load.h"
#include "vm/vpass.h"
#include "vm/vpci_life.h"
#include "vm/vpl011.h"
#include "vm/vpl031.h"
#include "vtimer/vtimer.h"

u64 boot_ticks;
bool vm_stats_at_end;
static u32 vms_alive; /* atomic: created and not yet finished, started or not */

int vm_create(const struct vm_config *config)
{
	struct vm *vm = &vms[vm_count];
	const char *error;

	vm->config = config;
	vm->id = vm_count + 1;
	error = vm_build(vm);
	if (error) {
		log_line("%s: %s; this VM does not start", config->path, error);
		while (vm_release_piece(vm))
			;
		vm_free_vcpus(vm);
		memset(vm, 0, sizeof(*vm));
		return -EINVAL;
	}
	vm_count++;
	__atomic_fetch_add(&vms_alive, 1, __ATOMIC_RELAXED);
	for (u32 i = 0; i < vm->vcpu_count; i++)
		vm->work_cpus |= vm->vcpus[i]->affinity;
	trace_vm(vm);
	vm->state = VM_LOADING;
	vm_load_begin(vm);
	vm_hand_over(vm);
	return 0;
}

void vm_start(struct vm *vm)
{
	vm->started = counter_now();
	vm->e2h_said = false;
	/*
	 * A hypervisor reads the physical counter often; without CNTPOFF_EL2 it gets the machine's
	 * unchanged.
	 */
	vm->cntoff = vm->config->nested && !vtimer_has_cntpoff() ? 0 : vm->started;
	vm->vcpus_alive = vm->vcpu_count;
	stolen_reset_page(vm);
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		stolen_reset(vm->vcpus[i]);
		account_reset(&vm->vcpus[i]->account);
		vm->vcpus[i]->requests = 0;
		vm->vcpus[i]->state = VCPU_OFF;
	}
	vm->vcpus[0]->state = VCPU_STARTING;
	vcpu_reset(vm->vcpus[0], vm->entry, vm->fdt_ipa);
	trace_elsewhere(vm->vcpus[0], TRACE_START, vm->vcpu_count);
	/* Last: a vm_stop() that comes now finds all vcpus in place. */
	__atomic_store_n(&vm->state, VM_RUNNING, __ATOMIC_RELEASE);
	sched_start(vm->vcpus[0]);
}

void vm_first_entry(struct vm *vm)
{
	if (!__atomic_exchange_n(&vm->entered, true, __ATOMIC_RELAXED))
		log_line("vm %s: first entry at %lu ticks", vm->config->name,
			 counter_now() - boot_ticks);
}

void vm_vcpu_gone(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	/* vcpu_put() has set it; a vcpu that is off serves no requests. */
	if (unlikely(read_once(&vcpu->requests) & REQ_SERROR))
		vm_stop(vm, VM_STOPPING, VM_SERROR);
	if (vcpu->going_off) {
		vcpu->going_off = false;
		vgic_vcpu_off(vcpu);
		__atomic_store_n(&vcpu->state, VCPU_OFF, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&vm->state, __ATOMIC_SEQ_CST) != VM_RUNNING)
			vm_kill_if_off(vcpu);
		return;
	}
	__atomic_store_n(&vcpu->state, VCPU_DEAD, __ATOMIC_RELEASE);
	vm_drop_vcpu(vm);
}

static void tell_end(struct vm *vm)
{
	if (vm->end_told)
		return;
	vm->end_told = true;
	if (vm_stats_at_end)
		account_print(vm);
	if (vm->stop_reason)
		log_line("vm %s: stopped: %s", vm->config->name, vm->stop_reason);
	else
		log_line("vm %s: off", vm->config->name);
}

/* Do a piece of the end of a VM. True: there is more. */
static bool stop_piece(struct vm *vm)
{
	tell_end(vm);
	if (vm_release_piece(vm))
		return true;
	__atomic_store_n(&vm->state, VM_DEAD, __ATOMIC_RELEASE);
	if (__atomic_sub_fetch(&vms_alive, 1, __ATOMIC_ACQ_REL) == 0)
		vm_all_gone();
	return false;
}

/* Do a piece of a reset: clean up, then load RAM as at the first start. */
static void reset_piece(struct vm *vm)
{
	/* Before anything of it is made anew. */
	vpass_stop(vm);
	if (vpci_stop_piece(vm))
		return;
	if (vm->shadows && shadow_vm_reset_piece(vm, &vm->reset))
		return;
	vm->reset = 0;
	log_line("vm %s: reset%s", vm->config->name,
		 vm_devices_know_ram(vm) || vm->pass
			 ? "; its devices are as it left them, and may write to its memory"
			 : "");
	vgic_vm_reset(vm);
	if (vm->uart && vpl011_create(vm))
		log_line("vm %s: its UART is gone", vm->config->name);
	vpl031_reset(vm);
	vflash_reset(vm);
	vm->fw_cfg = (struct vm_fwcfg){ 0, 0 };
	vm_load_begin(vm);
	__atomic_store_n(&vm->state, VM_LOADING, __ATOMIC_RELEASE);
}

/* Do a piece of work on a VM. True: there is more. The caller owns the VM. */
static bool work_piece(struct vm *vm)
{
	switch (__atomic_load_n(&vm->state, __ATOMIC_ACQUIRE)) {
	case VM_STOPPING:
		return stop_piece(vm);
	case VM_RESETTING:
		reset_piece(vm);
		return true;
	case VM_LOADING:
		if (vm_load_piece(vm))
			return true;
		if (vpci_start(vm) && vpass_start(vm)) {
			vm_start(vm);
			break;
		}
		vm->stop_reason = "the SMMU of its devices does not answer";
		__atomic_store_n(&vm->state, VM_STOPPING, __ATOMIC_RELEASE);
		return true;
	}
	return false;
}

void vm_work(void)
{
	struct vm *vm = vm_take_work(BIT(cpu_this()->index));

	if (vm && work_piece(vm))
		vm_hand_over(vm);
}
