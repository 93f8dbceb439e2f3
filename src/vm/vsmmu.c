/* SPDX-License-Identifier: Apache-2.0 */
/* The SMMU that a VM sees: whether it has one, its life and its registers. */
#include "vm/vsmmu.h"

#include "dev/pci.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vm/guest_fdt_pci.h"
#include "vm/vm_layout.h"
#include "vm/vpci.h"
#include "vm/vsmmu_parts.h"

#define CR0_BITS ((u32)(SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN | SMMU_CR0_CMDQEN))
#define STRTAB_BITS (SMMU_BASE_RA | MASK(51, 6))

_Static_assert(sizeof(struct vsmmu) <= PAGE_SIZE, "a VM has a page for it");

/* ---- life ---- */

/* A name of a function whose SMMU is not fit, and why; NULL: all are. */
static const char *unfit(const struct vm *vm, const char **name)
{
	for (u32 i = 0; i < vm->pci->count; i++) {
		const struct pci_fn *dev = vm->pci->fn[i].dev;
		const char *why = smmu_stage1_check(dev->stream->smmu);

		*name = dev->name;
		if (why)
			return why;
	}
	return NULL;
}

const char *vsmmu_claim(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	const char *name, *why;
	bool wanted = c->iommu ? c->iommu == VM_IOMMU_ON : c->nested;

	if (!vm->pci || !wanted)
		return NULL;
	why = unfit(vm, &name);
	if (why && c->iommu)
		return "nidus,iommu: expected PCI functions behind SMMUs with both stages, found "
		       "others";
	if (why) {
		log_line("vm %s: no SMMU of its own: that of %s can't be shared: %s", c->name, name,
			 why);
		return NULL;
	}
	return vm_layout_smmu(vm, vm->pci->fn[0].dev->stream->smmu);
}

/* What is the VM's to see of an SMMU that walks its tables. */
static void add_smmu(struct vsmmu *v, struct smmu_stream *real)
{
	u32 idr0 = smmu_idr0(real->smmu), idr5 = smmu_idr5(real->smmu);

	for (u32 i = 0; i < v->smmus; i++)
		if (v->of_smmu[i]->smmu == real->smmu)
			return;
	if (!v->smmus++) {
		v->idr0 = SMMU_IDR0_ASID16;
		v->idr5 = SMMU_IDR5_GRAN4K | SMMU_IDR5_GRAN16K | SMMU_IDR5_GRAN64K;
	}
	v->of_smmu[v->smmus - 1] = real;
	v->idr0 &= idr0 | ~(u32)SMMU_IDR0_ASID16;
	v->idr0 |= idr0 & (u32)SMMU_IDR0_TERM_MODEL;
	v->idr5 &= idr5;
}

/* Functions behind some bridges have one stream: that of the first is all's. */
static void add_stream(struct vsmmu *v, u32 sid, struct smmu_stream *real)
{
	for (u32 i = 0; i < v->count; i++)
		if (v->stream[i].real == real)
			return;
	v->stream[v->count++] = (struct vsmmu_stream){ .sid = sid, .real = real };
	add_smmu(v, real);
}

/* IDR5.OAS for the addresses that stage 2 takes: of sizes that it has a number for. */
static void set_oas(struct vsmmu *v, u32 ia_bits)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48 };
	u32 i = ARRAY_SIZE(bits) - 1;

	while (i && bits[i] > ia_bits)
		i--;
	v->oas_bits = bits[i];
	v->idr5 |= i;
}

static bool vsmmu_access(struct vcpu *vcpu, void *dev, struct mmio *m);

const char *vsmmu_build(struct vm *vm)
{
	struct vsmmu *v;
	u64 page;

	if (!vm->layout.smmu)
		return NULL;
	page = page_alloc_zero();
	if (!page)
		return "nidus,iommu: no memory for its SMMU";
	v = pa_ptr(pa(page));
	v->vm = vm;
	vm->pci->smmu = v;
	for (u32 i = 0; i < vm->pci->count; i++)
		add_stream(v, VPCI_DEVICE(i) << 3, vm->pci->fn[i].dev->stream);
	v->idr0 |= (u32)(SMMU_IDR0_S1P | SMMU_IDR0_TTF_AARCH64 | SMMU_IDR0_COHACC |
			 SMMU_IDR0_LITTLE | SMMU_IDR0_NO_STALL);
	set_oas(v, vm->pci->dma.pt.ia_bits);
	return mmio_add(&vm->mmio, vm->layout.smmu, SMMU_SIZE, vsmmu_access, v)
		       ? "nidus,iommu: no place for its SMMU"
		       : NULL;
}

/* Registers are 0 but for those that nobody can write. */
void vsmmu_start(struct vm *vm)
{
	struct vsmmu *v = vm->pci ? vm->pci->smmu : NULL;

	if (!v)
		return;
	v->cr0 = v->cr1 = v->cr2 = v->strtab_cfg = v->cmdq_prod = v->cmdq_cons = 0;
	v->gbpa = (u32)SMMU_GBPA_INCOMING;
	v->strtab = v->cmdq = v->eventq = 0;
	v->events_on = v->stuck = false;
	v->told = v->irqs = v->gerror = v->gerrorn = v->events_prod = v->events_cons = 0;
	for (u32 i = 0; i < v->count; i++)
		smmu_take_events_of(v->stream[i].real, vsmmu_event, v);
}

void vsmmu_destroy(struct vm *vm)
{
	struct vsmmu *v = vm->pci->smmu;

	/* One that is still attached may have events. */
	if (v && !vm->devices_may_write)
		page_free(ptr_pa(v).a, 0);
	vm->pci->smmu = NULL;
}

void vsmmu_describe(const struct vm *vm, struct guest_pci *pci)
{
	const struct vsmmu *v = vm->pci->smmu;

	if (!v)
		return;
	pci->smmu = vm->layout.smmu;
	memcpy(pci->smmu_intid, vm->layout.smmu_intid, sizeof(pci->smmu_intid));
	for (u32 i = 0; i < pci->count; i++)
		for (u32 k = 0; k < v->count; k++)
			if (v->stream[k].real == vm->pci->fn[i].dev->stream)
				pci->fn[i].stream = v->stream[k].sid;
}

/* ---- registers, in words of 32 bits ---- */

static u32 idr1(void)
{
	return VSMMU_CMDS_LOG2 << SMMU_IDR1_CMDQS_SHIFT |
	       VSMMU_EVENTS_LOG2 << SMMU_IDR1_EVENTQS_SHIFT | VSMMU_SID_BITS;
}

static u32 read_word(struct vsmmu *v, u32 reg)
{
	u32 value = 0;

	switch (reg) {
	case SMMU_IDR0:
		return v->idr0;
	case SMMU_IDR1:
		return idr1();
	case SMMU_IDR5:
		return v->idr5;
	case SMMU_CR0:
	case SMMU_CR0ACK:
		return v->cr0;
	case SMMU_CR1:
		return v->cr1;
	case SMMU_CR2:
		return v->cr2;
	case SMMU_GBPA:
		return v->gbpa;
	case SMMU_STRTAB_BASE:
		return (u32)v->strtab;
	case SMMU_STRTAB_BASE + 4:
		return (u32)(v->strtab >> 32);
	case SMMU_STRTAB_BASE_CFG:
		return v->strtab_cfg;
	case SMMU_CMDQ_BASE:
		return (u32)v->cmdq;
	case SMMU_CMDQ_BASE + 4:
		return (u32)(v->cmdq >> 32);
	case SMMU_CMDQ_PROD:
		return v->cmdq_prod;
	case SMMU_CMDQ_CONS:
		return v->cmdq_cons;
	}
	(void)vsmmu_event_read(v, reg, &value);
	return value;
}

/* CR0: each change has its effect before this returns. */
static void write_cr0(struct vsmmu *v, u32 value)
{
	u32 old = v->cr0;

	v->cr0 = value & CR0_BITS;
	vsmmu_event_enable(v, v->cr0 & SMMU_CR0_EVENTQEN);
	if ((old ^ v->cr0) & SMMU_CR0_SMMUEN)
		vsmmu_read_streams(v, 0, ~0U);
}

static void write_gbpa(struct vsmmu *v, u32 value)
{
	u32 old = v->gbpa;

	if (!(value & SMMU_GBPA_UPDATE))
		return;
	v->gbpa = (value & (u32)SMMU_GBPA_ABORT) | (u32)SMMU_GBPA_INCOMING;
	if (old != v->gbpa && !(v->cr0 & SMMU_CR0_SMMUEN))
		vsmmu_read_streams(v, 0, ~0U);
}

/* What tables and queues are about can be written only while they are off. */
static void write_word(struct vsmmu *v, u32 reg, u32 value)
{
	bool off = !(v->cr0 & SMMU_CR0_SMMUEN), queue_off = !(v->cr0 & SMMU_CR0_CMDQEN);

	switch (reg) {
	case SMMU_CR0:
		write_cr0(v, value);
		break;
	case SMMU_CR1: /* tables and queues are read as they are in the caches (COHACC) */
		v->cr1 = off ? value & (u32)MASK(11, 0) : v->cr1;
		break;
	case SMMU_CR2:
		v->cr2 = off ? value & (u32)SMMU_CR2_RECINVSID : v->cr2;
		break;
	case SMMU_GBPA:
		write_gbpa(v, value);
		break;
	case SMMU_STRTAB_BASE:
	case SMMU_STRTAB_BASE + 4:
		if (off)
			vsmmu_write_half(&v->strtab, reg, value, STRTAB_BITS);
		break;
	case SMMU_STRTAB_BASE_CFG: /* tables have no levels: the rest is RES0 */
		v->strtab_cfg = off ? value & (u32)MASK(5, 0) : v->strtab_cfg;
		break;
	case SMMU_CMDQ_BASE:
	case SMMU_CMDQ_BASE + 4:
		if (queue_off)
			vsmmu_write_half(&v->cmdq, reg, value, VSMMU_QUEUE_BITS);
		break;
	case SMMU_CMDQ_PROD:
		v->cmdq_prod = value & (u32)MASK(19, 0);
		break;
	case SMMU_CMDQ_CONS:
		v->cmdq_cons = queue_off ? value & (u32)(MASK(30, 24) | MASK(19, 0)) : v->cmdq_cons;
		break;
	default:
		(void)vsmmu_event_write(v, reg, value);
	}
}

/*
 * Whatever starts commands does them, in pieces: between them interrupts are taken and the CPU may
 * be given up. The write is made again with each piece, as if it came later; that matters only to
 * software that makes two at once.
 */
static bool vsmmu_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vsmmu *v = dev;

	(void)vcpu;
	if (!IS_ALIGNED(m->offset, m->size))
		return false;
	if (!m->write)
		m->data = 0;
	if (m->size < 4)
		return true;
	spin_lock(&v->lock);
	for (u32 i = 0; i < m->size / 4U; i++) {
		u32 reg = (u32)m->offset + 4 * i;

		if (m->write)
			write_word(v, reg, (u32)(m->data >> 32 * i));
		else
			m->data |= (u64)read_word(v, reg) << 32 * i;
	}
	if (m->write) {
		vsmmu_run(v);
		m->waits = vsmmu_has_commands(v);
	}
	spin_unlock(&v->lock);
	return true;
}
