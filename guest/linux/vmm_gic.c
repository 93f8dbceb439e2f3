/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm.h"

#include <linux/kvm.h>

#ifndef KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ
#define KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ 9
#endif
#define INTIDS 64

static void set(struct vm *vm, uint32_t group, uint64_t attr, void *value, const char *what)
{
	struct kvm_device_attr a = { .group = group, .attr = attr, .addr = (uint64_t)value };

	must(vm->gic, KVM_SET_DEVICE_ATTR, (unsigned long)&a, what);
}

void gic_init(struct vm *vm)
{
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GICD_BASE, redist = GICR_BASE;
	uint32_t maintenance = INTID_MAINTENANCE, intids = INTIDS;

	must(vm->fd, KVM_CREATE_DEVICE, (unsigned long)&device, "a GICv3");
	vm->gic = (int)device.fd;
	set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &dist, "the distributor");
	set(vm, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST, &redist,
	    "the redistributors");
	set(vm, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &intids, "the number of INTIDs");
	if (vm->nested)
		set(vm, KVM_DEV_ARM_VGIC_GRP_MAINT_IRQ, 0, &maintenance,
		    "the maintenance interrupt");
}

void gic_start(struct vm *vm)
{
	set(vm, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "starting the GICv3");
}

void gic_line(struct vm *vm, unsigned intid, bool level)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_SPI << KVM_ARM_IRQ_TYPE_SHIFT | intid,
		.level = level,
	};

	must(vm->fd, KVM_IRQ_LINE, (unsigned long)&line, "an interrupt line");
}
