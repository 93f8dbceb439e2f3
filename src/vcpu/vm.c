/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's life: building, starting, stopping, resetting. */
#include "vcpu/vm.h"

#include "arch/barrier.h"
#include "dev/console.h"
#include "dev/vpl011.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "nested/shadow.h"
#include "simd/simd.h"
#include "vcpu/sched.h"
#include "vcpu/vm_build.h"
#include "vgic/vgic.h"
#include "vtimer/vtimer.h"

struct vm vms[MAX_VMS];
u32 vm_count;
bool vm_stats_at_end;
static u32 vms_alive;        /* atomic: created and not yet finished, started or not */
static struct spinlock work; /* who may do vm_work(): a trylock */
static u32 vms_to_work;      /* atomic: VMs that wait for vm_work() */

#define ZERO_STEP MIB(2)

int vm_create(const struct vm_config *config)
{
	struct vm *vm = &vms[vm_count];
	const char *error;

	vm->config = config;
	vm->id = vm_count + 1;
	error = vm_build(vm);
	if (error) {
		log_line("%s: %s; this VM does not start", config->path, error);
		vm_release(vm);
		vm_free_vcpus(vm);
		memset(vm, 0, sizeof(*vm));
		return -EINVAL;
	}
	vm_count++;
	__atomic_fetch_add(&vms_alive, 1, __ATOMIC_RELAXED);
	return 0;
}

void vm_start(struct vm *vm)
{
	vm->started = counter_now();
	vm->e2h_said = false;
	/* A hypervisor reads the physical counter often; where that has no offset, it gets the machine's as it is. */
	vm->cntoff = vm->config->nested && !vtimer_has_cntpoff() ? 0 : vm->started;
	vm->vcpus_alive = vm->vcpu_count;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vm->vcpus[i]->requests = 0;
		vm->vcpus[i]->state = VCPU_OFF;
	}
	vm->vcpus[0]->state = VCPU_STARTING;
	vcpu_reset(vm->vcpus[0], vm->entry, vm->fdt_ipa);
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

/* One vcpu fewer; the last one hands the VM to vm_work(). */
static void one_less(struct vm *vm)
{
	if (__atomic_sub_fetch(&vm->vcpus_alive, 1, __ATOMIC_ACQ_REL) == 0)
		__atomic_fetch_add(&vms_to_work, 1, __ATOMIC_RELEASE);
}

/* A vcpu that is off dies on the spot; whoever wins the exchange counts it. */
static void kill_if_off(struct vcpu *vcpu)
{
	u32 off = VCPU_OFF;

	if (__atomic_compare_exchange_n(&vcpu->state, &off, VCPU_DEAD, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		one_less(vcpu->vm);
}

void vm_stop(struct vm *vm, enum vm_state how, const char *reason)
{
	u32 running = VM_RUNNING;

	if (!__atomic_compare_exchange_n(&vm->state, &running, how, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		return;
	vm->stop_reason = reason;
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		vcpu_request(vm->vcpus[i], REQ_STOP);
		kill_if_off(vm->vcpus[i]);
	}
}

void vm_vcpu_gone(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	if (vcpu->going_off) {
		vcpu->going_off = false;
		__atomic_store_n(&vcpu->state, VCPU_OFF, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&vm->state, __ATOMIC_SEQ_CST) != VM_RUNNING)
			kill_if_off(vcpu);
		return;
	}
	__atomic_store_n(&vcpu->state, VCPU_DEAD, __ATOMIC_RELEASE);
	one_less(vm);
}

bool vm_work_pending(void)
{
	return __atomic_load_n(&vms_to_work, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&work.held, __ATOMIC_RELAXED);
}

/* Every vcpu of it is gone from every CPU. */
static bool vm_quiet(const struct vm *vm)
{
	u32 state = __atomic_load_n(&vm->state, __ATOMIC_ACQUIRE);

	return (state == VM_STOPPING || state == VM_RESETTING) &&
	       !__atomic_load_n(&vm->vcpus_alive, __ATOMIC_ACQUIRE);
}

static void vm_finish_stop(struct vm *vm)
{
	if (vm_stats_at_end)
		account_print(vm);
	if (vm->stop_reason)
		log_line("vm %s: stopped: %s", vm->config->name, vm->stop_reason);
	else
		log_line("vm %s: off", vm->config->name);
	vm_release(vm);
	__atomic_store_n(&vm->state, VM_DEAD, __ATOMIC_RELEASE);
	__atomic_fetch_sub(&vms_to_work, 1, __ATOMIC_RELEASE);
	if (__atomic_sub_fetch(&vms_alive, 1, __ATOMIC_ACQ_REL) == 0)
		vm_all_gone();
}

/* A reset in pieces: RAM is zeroed step by step, then the images are put in anew. */
static void vm_reset_step(struct vm *vm)
{
	const char *error;

	if (vm->reset_chunk < vm->ram_chunks) {
		const struct vm_ram *r = &vm->ram[vm->reset_chunk];

		u64 at = r->pa + vm->reset_offset;
		u64 size = MIN(ZERO_STEP, r->size - vm->reset_offset);

		page_zero(at, size);
		page_sync(at, size);
		vm->reset_offset += ZERO_STEP;
		if (vm->reset_offset >= r->size) {
			vm->reset_chunk++;
			vm->reset_offset = 0;
		}
		return;
	}
	vm->reset_chunk = 0;
	log_line("vm %s: reset", vm->config->name);
	error = vm_load_images(vm);
	if (error) {
		vm->stop_reason = error;
		__atomic_store_n(&vm->state, VM_STOPPING, __ATOMIC_RELEASE);
		return;
	}
	if (vm->shadows)
		shadow_vm_reset(vm);
	vgic_vm_reset(vm);
	if (vm->uart && vpl011_create(vm))
		log_line("vm %s: its UART is gone", vm->config->name);
	__atomic_fetch_sub(&vms_to_work, 1, __ATOMIC_RELEASE);
	vm_start(vm);
}

void vm_work(void)
{
	if (!spin_trylock(&work))
		return;
	for (u32 i = 0; i < vm_count; i++) {
		struct vm *vm = &vms[i];

		if (!vm_quiet(vm))
			continue;
		if (vm->state == VM_STOPPING)
			vm_finish_stop(vm);
		else
			vm_reset_step(vm);
		break;
	}
	spin_unlock(&work);
}

/* The RAM chunk that holds ipa, or NULL. */
static const struct vm_ram *vm_ram_at(const struct vm *vm, u64 at)
{
	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (at - vm->ram[i].ipa < vm->ram[i].size)
			return &vm->ram[i];
	return NULL;
}

/* Walk the chunks under [at, at+n); to or from may be NULL. */
static int vm_copy(struct vm *vm, u64 at, void *to, const void *from, size_t n)
{
	while (n) {
		const struct vm_ram *r = vm_ram_at(vm, at);
		size_t part;
		char *ram;

		if (!r)
			return -EINVAL;
		part = MIN(n, r->size - (at - r->ipa));
		ram = pa_ptr(pa(r->pa + (at - r->ipa)));
		if (to) {
			memcpy(to, ram, part);
			to = (char *)to + part;
		} else {
			memcpy(ram, from, part);
			from = (const char *)from + part;
		}
		at += part;
		n -= part;
	}
	return 0;
}

int vm_sync(struct vm *vm, ipa_t at, u64 size)
{
	while (size) {
		const struct vm_ram *r = vm_ram_at(vm, at.a);
		u64 part;

		if (!r)
			return -EINVAL;
		part = MIN(size, r->size - (at.a - r->ipa));
		page_sync(r->pa + (at.a - r->ipa), part);
		at.a += part;
		size -= part;
	}
	return 0;
}

int vm_read(struct vm *vm, ipa_t from, void *to, size_t n)
{
	return vm_copy(vm, from.a, to, NULL, n);
}

int vm_write(struct vm *vm, ipa_t to, const void *from, size_t n)
{
	return vm_copy(vm, to.a, NULL, from, n);
}
