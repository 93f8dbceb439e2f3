/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/kvm.h>

/* Newer than the oldest headers that this is built with. */
#ifndef KVM_ARM_VCPU_HAS_EL2
#define KVM_ARM_VCPU_HAS_EL2 7
#endif
#ifndef KVM_CAP_ARM_EL2
#define KVM_CAP_ARM_EL2 240
#endif

struct vcpu {
	struct vm *vm;
	unsigned index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
};

static struct vcpu vcpus[CPUS_MAX];

/* ---- making them ---------------------------------------------------------------------------- */

static bool has(struct vm *vm, unsigned long extension)
{
	return ioctl(vm->fd, KVM_CHECK_EXTENSION, extension) > 0;
}

static void feature(struct kvm_vcpu_init *init, unsigned number)
{
	init->features[number / 32] |= 1u << (number % 32);
}

/* All features that this VMM knows and KVM has. */
static void init_vcpu(struct vcpu *v)
{
	struct vm *vm = v->vm;
	struct kvm_vcpu_init init = { 0 };
	int sve = KVM_ARM_VCPU_SVE;

	must(vm->fd, KVM_ARM_PREFERRED_TARGET, (unsigned long)&init, "the kind of CPU");
	feature(&init, KVM_ARM_VCPU_PSCI_0_2);
	if (v->index)
		feature(&init, KVM_ARM_VCPU_POWER_OFF);
	if (vm->nested)
		feature(&init, KVM_ARM_VCPU_HAS_EL2);
	if (has(vm, KVM_CAP_ARM_PTRAUTH_ADDRESS) && has(vm, KVM_CAP_ARM_PTRAUTH_GENERIC)) {
		feature(&init, KVM_ARM_VCPU_PTRAUTH_ADDRESS);
		feature(&init, KVM_ARM_VCPU_PTRAUTH_GENERIC);
	}
	if (has(vm, KVM_CAP_ARM_SVE))
		feature(&init, KVM_ARM_VCPU_SVE);
	must(v->fd, KVM_ARM_VCPU_INIT, (unsigned long)&init, "KVM_ARM_VCPU_INIT");
	if (has(vm, KVM_CAP_ARM_SVE))
		must(v->fd, KVM_ARM_VCPU_FINALIZE, (unsigned long)&sve, "SVE");
}

#define CORE_REG(field)                                                                            \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |                                     \
	 (uint64_t)(offsetof(struct kvm_regs, field) / sizeof(uint32_t)))

static void set_reg(struct vcpu *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uint64_t)&value };

	must(v->fd, KVM_SET_ONE_REG, (unsigned long)&reg, "a register");
}

/* Say whether guests may have EL2; end if they may not. */
static void check_el2(struct vm *vm)
{
	int el2 = must(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_EL2, "KVM_CAP_ARM_EL2");

	fprintf(stderr, "vmm: KVM_CAP_ARM_EL2 is %d\n", el2);
	if (!el2) {
		errno = 0;
		die("this KVM has no EL2 for guests");
	}
}

void vcpus_init(struct vm *vm)
{
	int bytes = must(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
	unsigned i;

	if (vm->nested)
		check_el2(vm);
	for (i = 0; i < vm->cpus; i++) {
		struct vcpu *v = &vcpus[i];

		v->vm = vm;
		v->index = i;
		v->fd = must(vm->fd, KVM_CREATE_VCPU, i, "KVM_CREATE_VCPU");
		v->run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		if (v->run == MAP_FAILED)
			die("struct kvm_run");
		init_vcpu(v);
	}
	set_reg(&vcpus[0], CORE_REG(regs.pc), vm->entry);
	set_reg(&vcpus[0], CORE_REG(regs.regs[0]), vm->fdt);
}

/* ---- running them --------------------------------------------------------------------------- */

static void mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint64_t offset = run->mmio.phys_addr - UART_BASE;
	uint32_t value = 0;

	if (offset >= UART_BYTES) {
		/* Nothing is there: reads as zero. */
		memset(run->mmio.data, 0, sizeof(run->mmio.data));
		return;
	}
	if (run->mmio.is_write) {
		memcpy(&value, run->mmio.data, run->mmio.len > 4 ? 4 : run->mmio.len);
		uart_write(v->vm, offset & ~3ul, value);
		return;
	}
	value = uart_read(v->vm, offset & ~3ul);
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	memcpy(run->mmio.data, &value, sizeof(value));
}

static void system_event(const struct kvm_run *run)
{
	uart_flush();
	switch (run->system_event.type) {
	case KVM_SYSTEM_EVENT_SHUTDOWN:
	case KVM_SYSTEM_EVENT_RESET:
		exit(0);
	default:
		fprintf(stderr, "vmm: system event %u\n", run->system_event.type);
		exit(2);
	}
}

static void *run_vcpu(void *arg)
{
	struct vcpu *v = arg;

	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			die("KVM_RUN of vcpu %u", v->index);
		}
		switch (v->run->exit_reason) {
		case KVM_EXIT_MMIO:
			mmio(v);
			break;
		case KVM_EXIT_SYSTEM_EVENT:
			system_event(v->run);
			break;
		default:
			uart_flush();
			fprintf(stderr, "vmm: vcpu %u: exit reason %u\n", v->index,
				v->run->exit_reason);
			exit(2);
		}
	}
}

void vcpus_run(struct vm *vm)
{
	unsigned i;

	for (i = 1; i < vm->cpus; i++) {
		errno = pthread_create(&vcpus[i].thread, NULL, run_vcpu, &vcpus[i]);
		if (errno)
			die("a thread");
	}
	run_vcpu(&vcpus[0]);
	abort();
}
