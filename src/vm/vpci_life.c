/* SPDX-License-Identifier: Apache-2.0 */
/* A VM gets its PCI functions, starts and stops with them. */
#include "vm/vpci_life.h"

#include "arch/counter.h"
#include "arch/pci.h"
#include "arch/sysreg.h"
#include "dev/pci.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/guest_fdt_pci.h"
#include "vm/vmsi.h"
#include "vm/vpci.h"
#include "vm/vpci_dma.h"
#include "vm/vsmmu.h"

/* A BAR has so many leaves at most: one write of configuration space maps all of it. */
#define LEAVES_MAX 4096UL
/* Each a tenth of a second: for transactions to end, for a reset of buses, and after a reset. */
#define RESETS_A_SECOND 10
/* So many times that long a device may be silent after its reset (PCI Express 6.6.1). */
#define SILENCE 10

static char message[192];

#define FAIL(...)                                                                                  \
	({                                                                                         \
		snprintf(message, sizeof(message), __VA_ARGS__);                                   \
		(const char *)message;                                                             \
	})

/* ---- claims ---- */

/* Why the VM can't have this function, or NULL. */
static const char *refuse(const struct vm *vm, const struct pci_fn *fn, const char *name)
{
	const char *path = vm->config->path;
	const struct pci_fn *other;
	u64 leaf = vm->config->stage2_block ? vm->config->stage2_block : stage2_default_block();

	if (!fn)
		return FAIL("nidus,pci: expected a PCI function of the machine's, found none at "
			    "%s",
			    name);
	if (fn->unfit)
		return FAIL("nidus,pci: expected a device of its own, found %s: one %s", name,
			    fn->unfit);
	if (fn->owner)
		return FAIL("nidus,pci: expected a device that no other VM has, found %s: %s has "
			    "it",
			    name, fn->owner);
	other = pci_sibling(fn, path);
	if (other)
		return FAIL("nidus,pci: expected a device that shares nothing with another VM's, "
			    "found %s in one group with %s: %s has it",
			    name, other->name, other->owner);
	other = pci_intx_sharer(fn, path);
	if (other)
		return FAIL("nidus,pci: expected an interrupt of its own, found %s with INTID %u, "
			    "which %s has with %s",
			    name, fn->intid, other->owner, other->name);
	for (u32 i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].size / leaf > LEAVES_MAX)
			return FAIL("nidus,pci: expected BARs of at most 0x%lx bytes (more with "
				    "larger nidus,stage2-block), found %s with 0x%lx",
				    LEAVES_MAX * leaf, name, fn->bar[i].size);
	return NULL;
}

const char *vpci_claim(struct vm *vm)
{
	const struct vm_config *c = vm->config;
	u64 page;

	if (!c->pci_count)
		return NULL;
	page = page_alloc(page_order(sizeof(struct vpci)));
	if (!page)
		return "nidus,pci: no memory for its host bridge";
	page_zero(page, PAGE_SIZE << page_order(sizeof(struct vpci)));
	vm->pci = pa_ptr(pa(page));
	for (u32 i = 0; i < c->pci_count; i++) {
		struct pci_fn *fn = pci_find(c->pci[i]);
		const char *why = refuse(vm, fn, c->pci[i]);

		if (why)
			return why;
		fn->owner = c->path;
		vm->pci->fn[vm->pci->count++].dev = fn;
		vm->layout.intid_max = MAX(vm->layout.intid_max, fn->intid);
	}
	return NULL;
}

u64 vpci_table_pages(const struct vm *vm)
{
	u64 n = 0;

	for (u32 i = 0; vm->pci && i < vm->pci->count; i++)
		for (u32 b = 0; b < PCI_BARS; b++)
			n += stage2_pages_needed(vm->pci->fn[i].dev->bar[b].size);
	return n;
}

/* The interrupt of function i, unless an earlier one has it already. */
static const char *assign_intx(struct vm *vm, u32 i)
{
	u32 intid = vm->pci->fn[i].dev->intid;

	if (!intid)
		return NULL;
	for (u32 j = 0; j < i; j++)
		if (vm->pci->fn[j].dev->intid == intid)
			return NULL;
	if ((vm->config->vpl011 && intid == vm->layout.uart_intid) ||
	    vgic_assign_spi(vm, intid, intid, false))
		return FAIL("nidus,pci: expected an interrupt that nobody has, found %s with INTID "
			    "%u",
			    vm->pci->fn[i].dev->name, intid);
	return NULL;
}

/* Whether one of the first n functions has this stream: behind some bridges all have one. */
static bool has_stream(const struct vpci *v, u32 n, const struct smmu_stream *stream)
{
	for (u32 i = 0; i < n; i++)
		if (v->fn[i].dev->stream == stream)
			return true;
	return false;
}

static const char *build_fn(struct vm *vm, u32 i)
{
	struct vpci_fn *fn = &vm->pci->fn[i];
	const char *why = smmu_stage2_check(fn->dev->stream->smmu, &vm->pci->dma);

	if (!why && !has_stream(vm->pci, i, fn->dev->stream))
		why = smmu_stream_init(fn->dev->stream);
	if (why)
		return FAIL("nidus,pci: expected a device that its SMMU can confine, found %s: %s",
			    fn->dev->name, why);
	vpci_snapshot(fn);
	vpci_fn_reset(vm, fn);
	return assign_intx(vm, i);
}

const char *vpci_build(struct vm *vm)
{
	const char *why;

	if (!vm->pci)
		return NULL;
	vm->pci->wide_end =
		MAX(VPCI_WIDE, MIN(BIT(vm->stage2.pt.ia_bits), VPCI_WIDE + VPCI_WIDE_SIZE));
	why = vpci_dma_build(vm);
	if (why)
		return why;
	for (u32 i = 0; i < vm->pci->count; i++) {
		why = build_fn(vm, i);
		if (why)
			return why;
	}
	if (mmio_add(&vm->mmio, VPCI_ECAM, VPCI_ECAM_SIZE, vpci_access, vm->pci))
		return "nidus,pci: no place for its host bridge";
	return vsmmu_build(vm);
}

const struct guest_pci *guest_pci_of(const struct vm *vm, struct guest_pci *pci)
{
	const struct vpci *v = vm->pci;

	if (!v)
		return NULL;
	*pci = (struct guest_pci){ .count = v->count,
				   .messages = vm->vgic.its,
				   .ecam = VPCI_ECAM,
				   .ecam_size = VPCI_ECAM_SIZE,
				   .low = VPCI_LOW,
				   .low_size = VPCI_LOW_SIZE,
				   .wide = VPCI_WIDE,
				   .wide_size = v->wide_end - VPCI_WIDE };
	for (u32 i = 0; i < v->count; i++) {
		pci->fn[i].device = VPCI_DEVICE(i);
		pci->fn[i].pin = v->fn[i].first[PCI_INTERRUPT / 4] >> 8;
		pci->fn[i].intid = v->fn[i].dev->intid;
	}
	vsmmu_describe(vm, pci);
	return pci;
}

/* ---- start and stop ---- */

bool vpci_start(struct vm *vm)
{
	struct vpci *v = vm->pci;

	if (!v)
		return true;
	/* Even if one fails, to have all of them stopped. */
	v->phase = VPCI_ON;
	for (u32 i = 0; i < v->count; i++) {
		struct pci_fn *dev = v->fn[i].dev;

		if (!has_stream(v, i, dev->stream) &&
		    !smmu_attach(dev->stream, &v->dma, vm->config->name))
			return false;
		pci_command(dev, PCI_COMMAND_MEMORY);
		vmsi_start(&v->fn[i]);
	}
	vsmmu_start(vm);
	return true;
}

/* No bus master, no interrupt; and no access of it is under way any more. */
static void quiesce(struct vm *vm, struct vpci_fn *fn)
{
	struct pci_fn *dev = fn->dev;

	pci_command(dev, PCI_COMMAND_NO_INTX);
	vmsi_stop(fn);
	if (!smmu_detach(dev->stream))
		vm->devices_may_write = true;
	if (dev->stream->faults)
		log_line("vm %s: %s: %u%s accesses of it were blocked", vm->config->name, dev->name,
			 dev->stream->faults, dev->stream->quiet ? " or more" : "");
	dev->stream->faults = 0;
}

static bool is_pending(const struct pci_fn *dev)
{
	return dev->express &&
	       pci_read(dev, dev->express + PCI_EXP_DEVCTL) & PCI_EXP_DEVSTA_PENDING;
}

static bool any_pending(const struct vpci *v)
{
	for (u32 i = 0; i < v->count; i++)
		if (is_pending(v->fn[i].dev))
			return true;
	return false;
}

/* Whether one does not answer yet; of a virtual function the ID never does. */
static bool any_silent(const struct vpci *v)
{
	for (u32 i = 0; i < v->count; i++)
		if (pci_read(v->fn[i].dev, PCI_CLASS) == PCI_NOBODY)
			return true;
	return false;
}

/* Reset what can be reset by itself, and begin to reset buses; whether there are any of these. */
static bool reset_all(const struct vpci *v)
{
	bool buses = false;

	for (u32 i = 0; i < v->count; i++) {
		pci_reset(v->fn[i].dev);
		if (!pci_resets_bus(v->fn[i].dev))
			continue;
		pci_bus_reset(v->fn[i].dev, true);
		buses = true;
	}
	return buses;
}

static void end_bus_resets(const struct vpci *v)
{
	for (u32 i = 0; i < v->count; i++)
		if (pci_resets_bus(v->fn[i].dev))
			pci_bus_reset(v->fn[i].dev, false);
}

/* After the reset: off, its BARs where they were, and for the guest as at first. */
static void restore_all(struct vm *vm)
{
	struct vpci *v = vm->pci;

	for (u32 i = 0; i < v->count; i++) {
		pci_restore(v->fn[i].dev);
		vpci_fn_reset(vm, &v->fn[i]);
	}
}

static void enter(struct vpci *v, enum vpci_phase phase, u64 now)
{
	v->phase = phase;
	v->since = now;
}

bool vpci_stop_piece(struct vm *vm)
{
	struct vpci *v = vm->pci;
	u64 now = counter_now(), wait = sysreg_read(CNTFRQ_EL0) / RESETS_A_SECOND;

	if (!v || v->phase == VPCI_OFF)
		return false;
	switch (v->phase) {
	case VPCI_ON:
		for (u32 i = 0; i < v->count; i++)
			quiesce(vm, &v->fn[i]);
		enter(v, VPCI_WAITING, now);
		return true;
	case VPCI_WAITING:
		if (any_pending(v) && now - v->since < wait)
			return true;
		enter(v, reset_all(v) ? VPCI_BUS_RESET : VPCI_RESETTING, now);
		return true;
	case VPCI_BUS_RESET:
		if (now - v->since < wait)
			return true;
		end_bus_resets(v);
		enter(v, VPCI_RESETTING, now);
		return true;
	default:
		if (now - v->since < wait || (any_silent(v) && now - v->since < SILENCE * wait))
			return true;
		restore_all(vm);
		v->phase = VPCI_OFF;
		return false;
	}
}

void vpci_destroy(struct vm *vm)
{
	struct vpci *v = vm->pci;

	if (!v)
		return;
	vmsi_done(vm);
	vsmmu_destroy(vm);
	for (u32 i = 0; i < v->count; i++) {
		/* One that can't be reset has something of the VM's in it. */
		if (!vm->started)
			v->fn[i].dev->owner = NULL;
		smmu_stream_done(v->fn[i].dev->stream);
	}
	vm->pci = NULL;
	page_free(ptr_pa(v).a, page_order(sizeof(struct vpci)));
}
