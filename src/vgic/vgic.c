/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's virtual GIC: creation, reset, destruction. */
#include "vgic/vgic.h"

#include "arch/sysreg.h"
#include "lib/string.h"
#include "mm/page.h"
#include "vgic/internal.h"
#include "vgic/its.h"

#define INTIDS_DEFAULT (GIC_SPI + 256)

void vgic_cpu_init(void)
{
	lr_probe();
	sysreg_write(ICH_HCR_EL2, 0);
	for (u32 i = 0; i < lr_caps.count; i++)
		lr_write(i, 0);
}

/* As many INTIDs as the devices of the configuration have, and at least QEMU's number. */
static u32 intids_needed(const struct vm *vm)
{
	const struct vm_layout *l = &vm->layout;
	u32 n = MAX(MAX(INTIDS_DEFAULT, MAX(l->uart_intid, l->rtc_intid) + 1), l->intid_max + 1);
	const struct vm_config *c = vm->config;

	for (u32 i = 0; c && i < c->pass_count; i++)
		for (u32 k = 0; k < c->pass[i].intid_count; k++)
			n = MAX(n, c->pass[i].intid[k] + 1);
	return MIN(ALIGN_UP(n, 32u), GIC_INTID_MAX);
}

int vgic_vm_init(struct vm *vm)
{
	struct vgic *g = &vm->vgic;
	u64 page;
	int err;

	if (!lr_caps.count)
		lr_probe();
	page = page_alloc(page_order(sizeof(struct vgic_spis)));
	if (!page)
		return -ENOMEM;
	g->spis = pa_ptr(pa(page));
	memset(g->spis, 0, sizeof(*g->spis));
	g->intids = intids_needed(vm);
	g->eoi_ignored_reported = false;
	vgic_vm_reset(vm);
	err = mmio_add(&vm->mmio, vm->layout.gicd, GICD_SIZE, vgic_dist_access, vm);
	if (!err)
		err = mmio_add(&vm->mmio, vm->layout.gicr, GICR_SIZE * vm->vcpu_count,
			       vgic_redist_access, vm);
	if (err)
		vgic_vm_destroy(vm);
	return err;
}

static void redist_reset(struct vgic_vcpu *v)
{
	memset(v, 0, sizeof(*v));
	v->priv.edge = (1u << GIC_SGIS) - 1;
}

void vgic_vm_reset(struct vm *vm)
{
	struct vgic *g = &vm->vgic;

	/* First: from here on no input, of a device or the console, is delivered to a vcpu. */
	if (g->its)
		__atomic_store_n(&g->its->ctlr, 0, __ATOMIC_SEQ_CST);
	spin_lock(&g->lock);
	__atomic_store_n(&g->ctlr, 0, __ATOMIC_RELAXED);
	g->dir_traps = false;
	spi_reset(vm);
	spin_unlock(&g->lock);
	for (u32 i = 0; i < vm->vcpu_count; i++) {
		redist_reset(&vm->vcpus[i]->vgic);
		vgic_vcpu_reset(vm->vcpus[i]);
	}
	vits_reset(vm);
}

void vgic_vm_destroy(struct vm *vm)
{
	struct vgic *g = &vm->vgic;
	struct vgic_spis *spis;

	vits_destroy(vm);
	spin_lock(&g->lock);
	spis = g->spis;
	if (spis) {
		spi_reset(vm);
		spi_release_all(vm);
	}
	g->spis = NULL;
	g->intids = 0;
	spin_unlock(&g->lock);
	if (spis)
		page_free(ptr_pa(spis).a, page_order(sizeof(struct vgic_spis)));
}

void vgic_vcpu_off(struct vcpu *vcpu)
{
	/* Before its pending SPIs are read: whoever settles one later sees that it is off. */
	__atomic_store_n(&vcpu->vgic.off, true, __ATOMIC_SEQ_CST);
	spi_choose_again(vcpu->vm);
}

void vgic_vcpu_reset(struct vcpu *vcpu)
{
	struct vgic_vcpu *v = &vcpu->vgic;

	v->vmcr = lr_vmcr_reset();
	memset(v->ap0r, 0, sizeof(v->ap0r));
	memset(v->ap1r, 0, sizeof(v->ap1r));
	v->priv.edge |= (1u << GIC_SGIS) - 1;
	__atomic_store_n(&v->groups_on, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&v->off, false, __ATOMIC_RELEASE);
	v->hcr_en = ICH_HCR_EN;
}
