/* SPDX-License-Identifier: Apache-2.0 */
/* The emulated redistributors: RD_base and SGI_base of each vcpu, one after the other. */
#include "arch/gicv3.h"
#include "arch/its.h"
#include "vgic/internal.h"
#include "vgic/its.h"

static u64 typer(const struct vm *vm, const struct vcpu *vcpu)
{
	u64 aff = GIC_AFFINITY_PACK(vcpu->vmpidr);

	return aff << GICR_TYPER_AFFINITY | (u64)vcpu->index << GICR_TYPER_NUMBER |
	       (vcpu->index == vm->vcpu_count - 1 ? GICR_TYPER_LAST : 0) |
	       (vm->vgic.its ? GICR_TYPER_PLPIS : 0);
}

/*
 * GICR_WAKER. Sleep and wake-up are instant. As on QEMU's bare machine, a redistributor that says
 * it sleeps forwards interrupts all the same: software that never reads it works.
 */
static u32 waker(const struct vgic_vcpu *v)
{
	return __atomic_load_n(&v->awake, __ATOMIC_RELAXED) ? 0
							    : GICR_WAKER_SLEEP | GICR_WAKER_ASLEEP;
}

static void waker_write(struct vcpu *target, bool awake)
{
	if (__atomic_exchange_n(&target->vgic.awake, awake, __ATOMIC_SEQ_CST) != awake)
		spi_choose_again(target->vm);
}

/* Registers about LPIs, of which two have 64 bits. */
static bool is_lpis(u32 offset)
{
	return unlikely(offset == GICR_CTLR || offset - GICR_PROPBASER < 16);
}

static void lpis_access(struct vcpu *target, u32 offset, struct mmio *m)
{
	u32 reg = offset & ~7u, shift = offset % 8 * 8;
	u64 v = vits_redist_read(target, reg);

	if (m->size < 4 || (reg == GICR_CTLR && m->size != 4))
		return;
	if (!m->write)
		m->data = m->size == 8 ? v : v >> shift & 0xffffffff;
	else
		vits_redist_write(target, reg,
				  m->size == 8 ? m->data
					       : (v & ~(0xffffffffUL << shift)) | m->data << shift);
}

static u64 control_read(const struct vm *vm, const struct vcpu *target, u32 offset, u32 size)
{
	if (size == 8)
		return offset == GICR_TYPER ? typer(vm, target) : 0;
	if (size != 4)
		return 0;
	switch (offset) {
	case GICR_IIDR:
		return VGIC_IIDR;
	case GICR_TYPER:
		return (u32)typer(vm, target);
	case GICR_TYPER + 4:
		return typer(vm, target) >> 32;
	case GICR_WAKER:
		return waker(&target->vgic);
	}
	return vgic_regs_id(offset);
}

static void control_access(const struct vm *vm, struct vcpu *target, u32 offset, struct mmio *m)
{
	if (is_lpis(offset))
		lpis_access(target, offset, m);
	else if (!m->write)
		m->data = control_read(vm, target, offset, m->size);
	else if (offset == GICR_WAKER && m->size == 4)
		waker_write(target, !(m->data & GICR_WAKER_SLEEP));
}

static void sgi_access(struct vcpu *vcpu, struct vcpu *target, u32 offset, struct mmio *m)
{
	struct vgic_op op;
	u64 v;

	if (!vgic_regs_decode(offset, m, &op) || op.word)
		return;
	if (op.write && op.reg == VGIC_CONFIG)
		op.mask &= ~0u << GIC_SGIS; /* SGIs are edge-triggered */
	if (!op.mask)
		return;
	vgic_ask_begin(vcpu);
	if (!private_access(vcpu, target, &op, &v)) {
		m->waits = true;
		return;
	}
	if (!m->write)
		m->data = vgic_regs_value(offset, m, &op, v);
}

bool vgic_redist_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vm *vm = dev;
	u32 offset = m->offset % GICR_SIZE;
	struct vcpu *target = vm->vcpus[m->offset / GICR_SIZE];

	if (!m->write)
		m->data = 0;
	if (unlikely(m->offset % m->size))
		return false;
	if (offset < GICR_SGI)
		control_access(vm, target, offset, m);
	else
		sgi_access(vcpu, target, offset - GICR_SGI, m);
	return true;
}
