/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration space of a VM's PCI functions. Reads come from a copy that was made when the VM was
 * built, writes change only bits that are known; of those only memory decode, bus master and INTx
 * disable reach the device.
 */
#include "vm/vpci.h"

#include "arch/pci.h"
#include "dev/pci.h"
#include "lib/string.h"
#include "nested/tlbi.h"
#include "state/vm.h"
#include "vm/vmsi.h"

#define WORD(reg) ((reg) / 4)
#define COMMAND_BITS                                                                               \
	(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |         \
	 PCI_COMMAND_NO_INTX)
#define VIRTIO_CAP_PCI_CFG 5 /* a way to the BARs through configuration space */

/* ---- what the guest is shown ---- */

/* A BAR smaller than a page is shown as a page, so that a guest has nothing else there. */
static u64 shown_size(const struct pci_bar *bar)
{
	return MAX(bar->size, PAGE_SIZE);
}

static void show_bars(struct vpci_fn *fn)
{
	for (u32 i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *bar = &fn->dev->bar[i];
		u64 mask = ~(shown_size(bar) - 1);

		if (!bar->size)
			continue;
		fn->first[WORD(PCI_BAR0) + i] = bar->flags;
		fn->writable[WORD(PCI_BAR0) + i] = (u32)mask;
		if (bar->flags & PCI_BAR_64)
			fn->writable[WORD(PCI_BAR0) + i + 1] = (u32)(mask >> 32);
	}
}

static void copy_words(struct vpci_fn *fn, u32 at, u32 size)
{
	for (u32 reg = at; reg < MIN(at + size, (u32)PCI_CAPS_END); reg += 4)
		fn->first[WORD(reg)] = pci_read(fn->dev, reg);
}

/* Power states are emulated: no PME, and no reset on the way from D3hot to D0. */
static u32 show_pm(struct vpci_fn *fn, u32 at)
{
	if (at + 8 > PCI_CAPS_END)
		return 0;
	copy_words(fn, at, 4);
	fn->first[WORD(at)] &= ~(u32)MASK(31, 25);
	fn->first[WORD(at + PCI_PM_CSR)] = PCI_PM_CSR_NO_RESET;
	fn->writable[WORD(at + PCI_PM_CSR)] = PCI_PM_CSR_STATE;
	return 8;
}

/* As the device has it, unchangeable; resets are nidus's. */
static u32 show_express(struct vpci_fn *fn, u32 at)
{
	if (at + PCI_EXP_DEVCAP + 4 > PCI_CAPS_END)
		return 0;
	copy_words(fn, at, PCI_EXP_SIZE);
	fn->first[WORD(at + PCI_EXP_DEVCAP)] &= ~(u32)PCI_EXP_DEVCAP_FLR;
	return PCI_EXP_SIZE;
}

/* Of vendors' capabilities virtio's are shown, but for PCI_CFG, another way to the registers. */
static u32 show_vendor(struct vpci_fn *fn, u32 at)
{
	u32 v = pci_read(fn->dev, at), size = (u32)FIELD(v, 23, 16);

	if ((fn->dev->id & 0xffff) != PCI_VENDOR_VIRTIO || FIELD(v, 31, 24) == VIRTIO_CAP_PCI_CFG ||
	    size < 4)
		return 0;
	copy_words(fn, at, size);
	return size;
}

/* Capabilities that are shown; each returns its size, or 0: it is hidden. */
static const struct {
	u32 id;
	u32 (*show)(struct vpci_fn *fn, u32 at);
} caps[] = {
	{ PCI_CAP_PM, show_pm },
	{ PCI_CAP_EXPRESS, show_express },
	{ PCI_CAP_VENDOR, show_vendor },
	{ PCI_CAP_MSI, vmsi_show_msi },
	{ PCI_CAP_MSIX, vmsi_show_msix },
};

static u32 show_cap(struct vpci_fn *fn, u32 at, u32 id)
{
	for (u32 i = 0; i < ARRAY_SIZE(caps); i++)
		if (caps[i].id == id)
			return caps[i].show(fn, at);
	return 0;
}

/* Link those that are shown in their order; the pointer to the next is in bits 15:8 of each. */
static void show_caps(struct vpci_fn *fn)
{
	u32 at = PCI_CAP_NEXT(pci_read(fn->dev, PCI_CAP) << 8), last = 0;

	if (!(pci_read(fn->dev, PCI_COMMAND) & PCI_STATUS_CAPS))
		return;
	for (u32 i = 0; at >= PCI_HEADER_END && i < PCI_CAPS_MAX; i++) {
		u32 v = pci_read(fn->dev, at);

		if (show_cap(fn, at, PCI_CAP_ID(v))) {
			fn->first[WORD(at)] &= ~0xff00U;
			if (last)
				fn->first[WORD(last)] |= at << 8;
			else
				fn->first[WORD(PCI_CAP)] = at;
			last = at;
		}
		at = PCI_CAP_NEXT(v);
	}
	if (last)
		fn->first[WORD(PCI_COMMAND)] |= PCI_STATUS_CAPS;
}

void vpci_snapshot(struct vpci_fn *fn)
{
	const struct pci_fn *dev = fn->dev;

	memset(fn->first, 0, sizeof(fn->first));
	memset(fn->writable, 0, sizeof(fn->writable));
	fn->first[WORD(PCI_ID)] = dev->id;
	fn->first[WORD(PCI_CLASS)] = pci_read(dev, PCI_CLASS);
	fn->first[WORD(PCI_SUBSYSTEM)] = pci_read(dev, PCI_SUBSYSTEM);
	if (dev->intid)
		fn->first[WORD(PCI_INTERRUPT)] = pci_read(dev, PCI_INTERRUPT) & 0xff00;
	fn->writable[WORD(PCI_COMMAND)] = COMMAND_BITS;
	fn->writable[WORD(PCI_HEADER)] = 0xff;    /* cache line size: a scratch register, */
	fn->writable[WORD(PCI_INTERRUPT)] = 0xff; /* as is the interrupt line */
	show_bars(fn);
	show_caps(fn);
}

/* ---- what the guest does ---- */

/* Where the guest wants BAR i; 0: nowhere. */
static u64 wanted(const struct vpci_fn *fn, u32 i)
{
	const u32 *word = &fn->cfg[WORD(PCI_BAR0) + i];
	u64 at = word[0] & ~(u32)PCI_BAR_FLAGS;

	if (!fn->dev->bar[i].size || !(fn->cfg[WORD(PCI_COMMAND)] & PCI_COMMAND_MEMORY))
		return 0;
	return fn->dev->bar[i].flags & PCI_BAR_64 ? at | (u64)word[1] << 32 : at;
}

static bool is_within(u64 at, u64 size, u64 base, u64 end)
{
	return at >= base && size <= end - base && at - base <= end - base - size;
}

/* Whether a BAR can be there: in a window, and none of the VM's others is. */
static bool is_free(const struct vpci *v, u64 at, u64 size)
{
	if (!is_within(at, size, VPCI_LOW, VPCI_LOW + VPCI_LOW_SIZE) &&
	    !is_within(at, size, VPCI_WIDE, v->wide_end))
		return false;
	for (u32 i = 0; i < v->count; i++)
		for (u32 b = 0; b < PCI_BARS; b++) {
			struct range other = { v->fn[i].mapped[b],
					       shown_size(&v->fn[i].dev->bar[b]) };

			if (other.base && range_overlaps(other, (struct range){ at, size }))
				return false;
		}
	return true;
}

static void unmap_bar(struct vm *vm, struct vpci_fn *fn, u32 i)
{
	if (fn->mapped[i] &&
	    !stage2_unmap(&vm->stage2, ipa(fn->mapped[i]), shown_size(&fn->dev->bar[i])))
		fn->mapped[i] = 0;
}

/*
 * All of BAR i but the pages with vectors of MSI-X, which are emulated. The tables for it were set
 * aside when the VM was built.
 */
static void map_bar(struct vm *vm, struct vpci_fn *fn, u32 i, u64 at)
{
	u64 size = shown_size(&fn->dev->bar[i]), from = 0;

	if (!at || !is_free(vm->pci, at, size))
		return;
	fn->mapped[i] = at;
	while (from < size) {
		struct range hole = vmsi_hole(fn, i, from);
		u64 end = hole.size ? hole.base : size;

		if (end > from && stage2_map(&vm->stage2, ipa(at + from),
					     pa(fn->dev->bar[i].pa + from), end - from,
					     STAGE2_DEVICE)) {
			unmap_bar(vm, fn, i);
			return;
		}
		from = hole.size ? hole.base + hole.size : size;
	}
}

/* Stage 2 follows the guest's BARs: first what goes, then what comes. True: one went. Lock held. */
static bool follow_bars(struct vm *vm, struct vpci_fn *fn)
{
	bool went = false;

	for (u32 i = 0; i < PCI_BARS; i++)
		if (fn->mapped[i] && fn->mapped[i] != wanted(fn, i)) {
			unmap_bar(vm, fn, i);
			went = true;
		}
	for (u32 i = 0; i < PCI_BARS; i++)
		if (!fn->mapped[i])
			map_bar(vm, fn, i, wanted(fn, i));
	return went;
}

void vpci_fn_reset(struct vm *vm, struct vpci_fn *fn)
{
	memcpy(fn->cfg, fn->first, sizeof(fn->cfg));
	vmsi_fn_reset(fn);
	(void)follow_bars(vm, fn); /* shadows begin anew by themselves */
}

/* The device's own command: it decodes always, as only stage 2 leads to it. */
static void follow_command(const struct vpci_fn *fn)
{
	u32 v = fn->cfg[WORD(PCI_COMMAND)] & (PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);

	pci_command(fn->dev, v | PCI_COMMAND_MEMORY);
}

static u32 read_word(const struct vpci_fn *fn, u32 word)
{
	u32 v = fn->cfg[word];

	if (word == WORD(PCI_COMMAND) && fn->dev->intid)
		v |= pci_read(fn->dev, PCI_COMMAND) & PCI_STATUS_INTX;
	return v | vmsi_read(fn, word);
}

/* Change the bits of mask that can be changed. */
static void write_word(struct vcpu *vcpu, struct vpci_fn *fn, u32 word, u32 v, u32 mask)
{
	mask &= fn->writable[word];
	v = (fn->cfg[word] & ~mask) | (v & mask);
	if (v == fn->cfg[word])
		return;
	fn->cfg[word] = v;
	if (word == WORD(PCI_COMMAND))
		follow_command(fn);
	vmsi_follow(vcpu->vm, fn, word);
	if ((word == WORD(PCI_COMMAND) || word - WORD(PCI_BAR0) < PCI_BARS) &&
	    follow_bars(vcpu->vm, fn) && vcpu->has_vel2)
		tlbi_all(vcpu); /* no TLBI of vEL2's is needed for a BAR that moves */
}

static struct vpci_fn *fn_at(struct vpci *v, u64 offset)
{
	u64 device = FIELD(offset, 19, 15), function = FIELD(offset, 14, 12);

	return !function && device >= VPCI_DEVICE(0) && device - VPCI_DEVICE(0) < v->count
		       ? &v->fn[device - VPCI_DEVICE(0)]
		       : NULL;
}

bool vpci_access(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vpci *v = dev;
	struct vpci_fn *fn = fn_at(v, m->offset);
	u32 reg = m->offset % PCI_CFG_SIZE, shift = 8 * (reg % 4), word = WORD(reg);
	u64 mask = m->size < 8 ? BIT(8 * m->size) - 1 : ~0UL;

	/* Absent, or no access that configuration space knows: all ones. */
	if (!m->write)
		m->data = mask;
	if (!fn || m->size > 4 || !IS_ALIGNED(reg, m->size))
		return true;
	/* The first word of the extended space says that there is nothing. */
	if (word >= VPCI_CFG_WORDS) {
		if (!m->write)
			m->data = 0;
		return true;
	}
	spin_lock(&v->lock);
	if (m->write)
		write_word(vcpu, fn, word, (u32)m->data << shift, (u32)mask << shift);
	else
		m->data = read_word(fn, word) >> shift & mask;
	spin_unlock(&v->lock);
	return true;
}
