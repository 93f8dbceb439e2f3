/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a VM's PCI functions: capabilities, vectors, and the ITSs' part. */
#include "vm/vmsi.h"

#include "arch/its.h"
#include "arch/mmio_try.h"
#include "arch/pci.h"
#include "dev/pci.h"
#include "lib/log.h"
#include "mm/addr.h"
#include "mm/page.h"
#include "mm/stage1.h"
#include "state/vm.h"
#include "vgic/vgic.h"
#include "vm/vpci.h"

#define WORD(reg) ((reg) / 4)
#define ENTRY 16U /* bytes of a vector of MSI-X */
#define ENTRY_WORDS 4U
enum { ENTRY_LOW, ENTRY_HIGH, ENTRY_DATA, ENTRY_CONTROL };
#define PBA_BYTES(vectors) (8UL * (((vectors) + 63) / 64))

/* Where the VM's devices write their messages. */
static u64 doorbell(const struct vm *vm)
{
	return vm->layout.its + GITS_TRANSLATER;
}

static void *registers(const struct vpci_fn *fn, u32 bar, u64 at)
{
	return (u8 *)pa_ptr(pa(fn->dev->bar[bar].pa)) + at;
}

/* ---- what there is ---- */

/* Whether [at, at + size) is in a BAR, whose registers nidus then can reach. */
static bool reach(const struct vpci_fn *fn, u32 bar, u64 at, u64 size)
{
	const struct pci_bar *b = &fn->dev->bar[MIN(bar, (u32)PCI_BARS - 1)];
	u64 first = ALIGN_DOWN(at, PAGE_SIZE), end = ALIGN_UP(at + size, PAGE_SIZE);

	return bar < PCI_BARS && at + size <= b->size && IS_ALIGNED(b->pa, PAGE_SIZE) &&
	       !stage1_map_device(b->pa + first, end - first);
}

/* Read the MSI-X capability, once and for all (a device may lie later); false: there is none. */
static bool read_msix(struct vpci_fn *fn)
{
	struct vpci_msi *m = &fn->msi;
	u32 cap = pci_cap(fn->dev, PCI_CAP_MSIX, 0), table, pba, vectors;
	u64 page;

	if (!cap || cap + 12 > PCI_CAPS_END)
		return false;
	vectors = PCI_MSIX_VECTORS(pci_read(fn->dev, cap));
	table = pci_read(fn->dev, cap + 4);
	pba = pci_read(fn->dev, cap + 8);
	m->table_bar = PCI_MSIX_BAR(table);
	m->table = table & ~7U;
	m->pba_bar = PCI_MSIX_BAR(pba);
	m->pba = pba & ~7U;
	if (!reach(fn, m->table_bar, m->table, (u64)ENTRY * vectors) ||
	    !reach(fn, m->pba_bar, m->pba, PBA_BYTES(vectors)))
		return false;
	page = page_alloc(page_order((u64)ENTRY * vectors));
	if (!page)
		return false;
	m->vectors = vectors;
	m->entry = pa_ptr(pa(page));
	m->msix = (u8)cap;
	return true;
}

static u32 msi_size(u32 control)
{
	return (control & PCI_MSI_64 ? 14U : 10U) + (control & PCI_MSI_MASKS ? 10U : 0U);
}

static bool read_msi(struct vpci_fn *fn)
{
	u32 cap = pci_cap(fn->dev, PCI_CAP_MSI, 0);

	if (!cap || cap + ALIGN_UP(msi_size(pci_read(fn->dev, cap)), 4U) > PCI_CAPS_END)
		return false;
	fn->msi.cap = (u8)cap;
	return true;
}

/* Have the machine's ITS know the function. False: it sends no messages. */
static bool claim(struct vpci_fn *fn)
{
	struct its_device *d = &fn->dev->msi;
	bool msi = read_msi(fn), msix = read_msix(fn);
	u32 n = 2;
	const char *why;

	if (!msi && !msix)
		return false;
	if (msi)
		n = MAX(n, 1U << PCI_MSI_VECTORS_LOG2(pci_read(fn->dev, fn->msi.cap)));
	while (n < fn->msi.vectors)
		n *= 2;
	if (n > its_events_max(d->its)) {
		why = "more messages than its ITS takes";
	} else {
		d->events = n;
		why = its_device_init(d);
	}
	if (why)
		log_line("pci %s: no messages: %s", fn->dev->name, why);
	return !why;
}

/* ---- build ---- */

/*
 * The ITS of all functions: the doorbell is in the tables of each, and DeviceIDs are told apart by
 * an ITS alone. NULL: there are others, or functions without.
 */
static struct its *common_its(const struct vm *vm)
{
	const struct vpci *v = vm->pci;

	for (u32 i = 1; i < v->count; i++)
		if (v->fn[i].dev->msi.its != v->fn[0].dev->msi.its) {
			log_line("vm %s: no messages: its PCI functions have not all the same ITS",
				 vm->config->name);
			return NULL;
		}
	return v->count ? v->fn[0].dev->msi.its : NULL;
}

/* All that have messages. */
static u32 claim_all(struct vm *vm, struct vits_want *want)
{
	struct vpci *v = vm->pci;
	struct its *its = v && vm->layout.its ? common_its(vm) : NULL;
	u32 count = 0;

	for (u32 i = 0; v && vm->layout.its && i < v->count; i++) {
		struct vpci_fn *fn = &v->fn[i];

		if (!its || !claim(fn)) {
			fn->msi.cap = fn->msi.msix = 0;
			continue;
		}
		v->its = its;
		want[count++] = (struct vits_want){ VPCI_DEVICE(i) << 3, &fn->dev->msi };
	}
	return count;
}

const char *vmsi_build(struct vm *vm)
{
	struct vits_want want[VM_PCI_MAX];
	u32 count = claim_all(vm, want);

	if (!count && !vm->config->its)
		return NULL;
	if (!vm->layout.its)
		return "nidus,its: expected an ITS in the machine, in whose place nidus,direct-map "
		       "puts the VM's, found none";
	if (vits_create(vm, want, count))
		return "no memory for its ITS";
	return count && (mmio_add(&vm->mmio, VPCI_LOW, VPCI_LOW_SIZE, vmsi_access_low, vm) ||
			 mmio_add(&vm->mmio, VPCI_WIDE, VPCI_WIDE_SIZE, vmsi_access_wide, vm))
		       ? "no place for its messages"
		       : NULL;
}

void vmsi_done(struct vm *vm)
{
	for (u32 i = 0; vm->pci && i < vm->pci->count; i++) {
		struct vpci_fn *fn = &vm->pci->fn[i];

		if (fn->msi.entry)
			page_free(ptr_pa(fn->msi.entry).a,
				  page_order((u64)ENTRY * fn->msi.vectors));
		fn->msi.entry = NULL;
		/* One that ran keeps its owner for good, and so its events, which are dropped. */
		if (!vm->started)
			its_device_done(&fn->dev->msi);
	}
}

/* ---- capabilities ---- */

u32 vmsi_show_msix(struct vpci_fn *fn, u32 at)
{
	if (at != fn->msi.msix)
		return 0;
	for (u32 i = 0; i < 12; i += 4)
		fn->first[WORD(at + i)] = pci_read(fn->dev, at + i);
	fn->first[WORD(at)] &= ~(u32)(PCI_MSIX_ENABLE | PCI_MSIX_MASK);
	fn->writable[WORD(at)] = PCI_MSIX_ENABLE | PCI_MSIX_MASK;
	return 12;
}

/* Offsets in the MSI capability, by whether it has addresses of 64 bits. */
static u32 data_at(u32 control)
{
	return control & PCI_MSI_64 ? 12 : 8;
}

static u32 mask_at(u32 control)
{
	return data_at(control) + 4;
}

u32 vmsi_show_msi(struct vpci_fn *fn, u32 at)
{
	u32 control = pci_read(fn->dev, at), n = 1U << PCI_MSI_VECTORS_LOG2(control);

	if (at != fn->msi.cap)
		return 0;
	fn->first[WORD(at)] = control & ~(u32)(PCI_MSI_ENABLE | PCI_MSI_COUNT);
	fn->writable[WORD(at)] = PCI_MSI_ENABLE | PCI_MSI_COUNT;
	fn->writable[WORD(at + 4)] = ~3U;
	if (control & PCI_MSI_64)
		fn->writable[WORD(at + 8)] = ~0U;
	fn->writable[WORD(at + data_at(control))] = 0xffff;
	if (control & PCI_MSI_MASKS)
		fn->writable[WORD(at + mask_at(control))] = (u32)(BIT(n) - 1);
	return msi_size(control);
}

/*
 * Whether the guest has given its ITS's doorbell, the only place where messages are let through. An
 * address that its own SMMU translates is its affair: like any write of the device's it goes to the
 * VM's memory or to the doorbell.
 */
static bool is_aimed(const struct vm *vm, u32 low, u32 high)
{
	return vm->pci->smmu || ((u64)high << 32 | low) == doorbell(vm);
}

/* Write all of it: off, then what the guest has set, on if it is aimed well. */
static void follow_msi(struct vm *vm, struct vpci_fn *fn, u32 word)
{
	u32 at = fn->msi.cap, control = fn->cfg[WORD(at)], data = data_at(control);
	u32 high = control & PCI_MSI_64 ? fn->cfg[WORD(at + 8)] : 0;
	u32 off = control & ~(u32)PCI_MSI_ENABLE;

	if ((control & PCI_MSI_MASKS) && word == WORD(at + mask_at(control))) {
		pci_write(fn->dev, at + mask_at(control), fn->cfg[word]);
		return;
	}
	pci_write(fn->dev, at, off);
	pci_write(fn->dev, at + 4, fn->cfg[WORD(at + 4)]);
	if (control & PCI_MSI_64)
		pci_write(fn->dev, at + 8, high);
	pci_write(fn->dev, at + data, fn->cfg[WORD(at + data)]);
	if (is_aimed(vm, fn->cfg[WORD(at + 4)], high))
		pci_write(fn->dev, at, control);
}

void vmsi_follow(struct vm *vm, struct vpci_fn *fn, u32 word)
{
	const struct vpci_msi *m = &fn->msi;

	if (m->msix && word == WORD(m->msix))
		pci_write(fn->dev, m->msix, fn->cfg[word]);
	else if (m->cap && word - WORD(m->cap) < WORD(msi_size(fn->cfg[WORD(m->cap)]) + 2))
		follow_msi(vm, fn, word);
}

u32 vmsi_read(const struct vpci_fn *fn, u32 word)
{
	u32 at = fn->msi.cap, control = fn->cfg[WORD(at)];

	if (!at || !(control & PCI_MSI_MASKS) || word != WORD(at + mask_at(control) + 4))
		return 0;
	return pci_read(fn->dev, at + mask_at(control) + 4);
}

/* ---- vectors of MSI-X ---- */

static u32 *entry_of(const struct vpci_fn *fn, u32 i)
{
	return fn->msi.entry + i * ENTRY_WORDS;
}

void vmsi_fn_reset(struct vpci_fn *fn)
{
	for (u32 i = 0; fn->msi.msix && i < fn->msi.vectors; i++) {
		u32 *e = entry_of(fn, i);

		e[ENTRY_LOW] = e[ENTRY_HIGH] = e[ENTRY_DATA] = 0;
		e[ENTRY_CONTROL] = PCI_MSIX_MASKED;
	}
}

void vmsi_start(struct vpci_fn *fn)
{
	const struct vpci_msi *m = &fn->msi;

	/* After a reset only the mask is known: the rest as the copy has it. */
	for (u32 i = 0; m->msix && i < m->vectors; i++) {
		u8 *at = registers(fn, m->table_bar, m->table + ENTRY * i);

		mmio_try_write(at + 12, 4, PCI_MSIX_MASKED);
		for (u32 w = 0; w < ENTRY_CONTROL; w++)
			mmio_try_write(at + 4 * w, 4, 0);
	}
}

void vmsi_stop(struct vpci_fn *fn)
{
	const struct vpci_msi *m = &fn->msi;

	if (m->msix)
		pci_write(fn->dev, m->msix, 0);
	if (!m->cap)
		return;
	pci_write(fn->dev, m->cap, 0);
	/* Not each device can be reset; the VM's next life begins with none masked. */
	if (pci_read(fn->dev, m->cap) & PCI_MSI_MASKS)
		pci_write(fn->dev, m->cap + mask_at(pci_read(fn->dev, m->cap)), 0);
}

/* Write word w of vector i to the device; one that is not aimed well stays masked. */
static void follow_entry(const struct vm *vm, const struct vpci_fn *fn, u32 i, u32 w)
{
	const u32 *e = entry_of(fn, i);
	u8 *at = registers(fn, fn->msi.table_bar, fn->msi.table + ENTRY * i);
	u32 control = e[ENTRY_CONTROL];

	if (!is_aimed(vm, e[ENTRY_LOW], e[ENTRY_HIGH]))
		control |= PCI_MSIX_MASKED;
	/* It may be on: it must not send one half old, half new. */
	if (w != ENTRY_CONTROL) {
		mmio_try_write(at + 12, 4, control | PCI_MSIX_MASKED);
		mmio_try_write(at + 4 * w, 4, e[w]);
	}
	mmio_try_write(at + 12, 4, control);
}

/* An access to the table at byte `at`: whole words. */
static void table_access(const struct vm *vm, struct vpci_fn *fn, u64 at, struct mmio *m)
{
	u32 i = (u32)(at / ENTRY), w = (u32)(at % ENTRY / 4), *e = entry_of(fn, i);

	if (m->size < 4)
		return;
	for (u32 k = 0; k < m->size / 4U; k++, w++) {
		u32 part = (u32)(m->data >> 32 * k);

		if (!m->write) {
			m->data |= (u64)e[w] << 32 * k;
			continue;
		}
		e[w] = w == ENTRY_LOW ? part & ~3U : w == ENTRY_CONTROL ? part & 1 : part;
		follow_entry(vm, fn, i, w);
	}
}

/* An access to the device itself. */
static void device_access(const struct vpci_fn *fn, u32 bar, u64 at, struct mmio *m)
{
	void *p = registers(fn, bar, at);

	if (m->write)
		mmio_try_write(p, m->size, m->data);
	else
		m->data = mmio_try_read(p, m->size);
}

/* ---- pages that stage 2 leaves out ---- */

static struct range pages_of(u64 at, u64 size)
{
	u64 first = ALIGN_DOWN(at, PAGE_SIZE);

	return (struct range){ first, ALIGN_UP(at + size, PAGE_SIZE) - first };
}

struct range vmsi_hole(const struct vpci_fn *fn, u32 i, u64 from)
{
	const struct vpci_msi *m = &fn->msi;
	struct range hole[2] = { { 0, 0 }, { 0, 0 } }, best = { 0, 0 };

	if (m->msix && m->table_bar == i)
		hole[0] = pages_of(m->table, (u64)ENTRY * m->vectors);
	if (m->msix && m->pba_bar == i)
		hole[1] = pages_of(m->pba, PBA_BYTES(m->vectors));
	for (u32 k = 0; k < ARRAY_SIZE(hole); k++) {
		u64 end = hole[k].base + hole[k].size;

		if (end <= from || !hole[k].size)
			continue;
		if (!best.size || hole[k].base < best.base)
			best = hole[k];
	}
	return best;
}

static bool is_in(u64 at, u64 base, u64 size)
{
	return at >= base && at - base < size;
}

/* An access at `at` of BAR i, whose pages of vectors are not mapped. Lock held. */
static bool bar_access(const struct vm *vm, struct vpci_fn *fn, u32 i, u64 at, struct mmio *m)
{
	const struct vpci_msi *msi = &fn->msi;
	struct range hole = vmsi_hole(fn, i, at);

	if (!hole.size || at < hole.base || !IS_ALIGNED(at, m->size))
		return false;
	if (!m->write)
		m->data = 0;
	if (i == msi->table_bar && is_in(at, msi->table, (u64)ENTRY * msi->vectors))
		table_access(vm, fn, at - msi->table, m);
	else if (i == msi->pba_bar && is_in(at, msi->pba, PBA_BYTES(msi->vectors)) && m->write)
		; /* read-only, whatever a device makes of it */
	else if (at + m->size <= fn->dev->bar[i].size)
		device_access(fn, i, at, m);
	return true;
}

static bool access(struct vm *vm, u64 at, struct mmio *m)
{
	struct vpci *v = vm->pci;
	bool done = false;

	spin_lock(&v->lock);
	for (u32 f = 0; f < v->count && !done; f++)
		for (u32 i = 0; i < PCI_BARS && !done; i++) {
			struct vpci_fn *fn = &v->fn[f];

			if (fn->mapped[i] && fn->msi.msix &&
			    is_in(at, fn->mapped[i], fn->dev->bar[i].size))
				done = bar_access(vm, fn, i, at - fn->mapped[i], m);
		}
	spin_unlock(&v->lock);
	return done;
}

bool vmsi_access_low(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	(void)vcpu;
	return access(dev, VPCI_LOW + m->offset, m);
}

bool vmsi_access_wide(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	(void)vcpu;
	return access(dev, VPCI_WIDE + m->offset, m);
}
