/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's PCI functions: found, turned off, their BARs sized and placed. */
#include "dev/pci.h"

#include "arch/feat.h"
#include "arch/mmio_access.h"
#include "arch/pci.h"
#include "dev/pci_host.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "mm/stage1.h"

/* Each BAR has whole pages for itself, for guests with pages of 64 KiB too. */
#define BAR_ALIGN KIB(64)
#define NOBODY 0xffffffffU /* what answers where no function is */

static struct pci_host hosts[PCI_HOSTS_MAX];
static struct pci_fn fns[PCI_FNS_MAX];
static u32 host_count, fn_count;

struct pci_fn *pci_fn_at(u32 i)
{
	return i < fn_count ? &fns[i] : NULL;
}

struct pci_fn *pci_find(const char *name)
{
	for (u32 i = 0; i < fn_count; i++)
		if (!strcmp(fns[i].name, name))
			return &fns[i];
	return NULL;
}

static bool is_of_other(const struct pci_fn *fn, const char *vm)
{
	return fn->owner && strcmp(fn->owner, vm) != 0;
}

const struct pci_fn *pci_sibling(const struct pci_fn *fn, const char *vm)
{
	for (u32 i = 0; i < fn_count; i++)
		if (fns[i].host == fn->host && fns[i].bus == fn->bus &&
		    fns[i].devfn >> 3 == fn->devfn >> 3 && is_of_other(&fns[i], vm))
			return &fns[i];
	return NULL;
}

const struct pci_fn *pci_intx_sharer(const struct pci_fn *fn, const char *vm)
{
	for (u32 i = 0; fn->intid && i < fn_count; i++)
		if (fns[i].intid == fn->intid && is_of_other(&fns[i], vm))
			return &fns[i];
	return NULL;
}

/* ---- configuration space ---- */

static void *config_at(const struct pci_fn *fn, u32 reg)
{
	u64 bus = fn->bus - fn->host->bus_first;

	return pa_ptr(pa(fn->host->ecam + (bus << 20 | (u64)fn->devfn << 12 | reg)));
}

u32 pci_read(const struct pci_fn *fn, u32 reg)
{
	return mmio_read32(config_at(fn, reg));
}

void pci_write(const struct pci_fn *fn, u32 reg, u32 v)
{
	mmio_write32(config_at(fn, reg), v);
}

void pci_command(const struct pci_fn *fn, u32 bits)
{
	/* Zeroes in the status leave it as it is. */
	pci_write(fn, PCI_COMMAND, bits);
}

u32 pci_cap(const struct pci_fn *fn, u32 id, u32 after)
{
	u32 at = PCI_CAP_NEXT(after ? pci_read(fn, after) : pci_read(fn, PCI_CAP) << 8);

	if (!after && !(pci_read(fn, PCI_COMMAND) & PCI_STATUS_CAPS))
		return 0;
	/* A list can go in circles. */
	for (u32 i = 0; at >= PCI_HEADER_END && i < PCI_CAPS_MAX; i++) {
		u32 v = pci_read(fn, at);

		if (PCI_CAP_ID(v) == id)
			return at;
		at = PCI_CAP_NEXT(v);
	}
	return 0;
}

/* ---- BARs ---- */

static bool is_wide(const struct pci_bar *bar)
{
	return bar->flags & PCI_BAR_64;
}

static void write_bar(const struct pci_fn *fn, u32 i, u64 v)
{
	pci_write(fn, PCI_BAR0 + 4 * i, (u32)v);
	if (is_wide(&fn->bar[i]))
		pci_write(fn, PCI_BAR0 + 4 * i + 4, (u32)(v >> 32));
}

static u64 read_bar(const struct pci_fn *fn, u32 i)
{
	u64 v = pci_read(fn, PCI_BAR0 + 4 * i);

	return is_wide(&fn->bar[i]) ? v | (u64)pci_read(fn, PCI_BAR0 + 4 * i + 4) << 32 : v;
}

/* Find out the size of BAR i, with decode off; returns the number of the next. */
static u32 size_bar(struct pci_fn *fn, u32 i)
{
	struct pci_bar *bar = &fn->bar[i];
	u32 v = pci_read(fn, PCI_BAR0 + 4 * i);
	u64 old, mask;

	if (v & PCI_BAR_IO)
		return i + 1;
	bar->flags = v & (u32)PCI_BAR_FLAGS;
	if (is_wide(bar) && i == PCI_BARS - 1)
		return i + 1;
	old = read_bar(fn, i) & ~PCI_BAR_FLAGS;
	write_bar(fn, i, ~0UL);
	mask = read_bar(fn, i) & ~PCI_BAR_FLAGS;
	write_bar(fn, i, old);
	if (!is_wide(bar) && mask)
		mask |= ~0UL << 32;
	bar->size = mask & -mask;
	bar->pci = old;
	return i + (is_wide(bar) ? 2 : 1);
}

/* The window that holds [at, at + size), or NULL. */
static struct pci_window *window_of(struct pci_host *host, u64 at, u64 size)
{
	for (u32 i = 0; i < host->windows; i++) {
		struct pci_window *w = &host->window[i];

		if (at >= w->pci && size <= w->size && at - w->pci <= w->size - size)
			return w;
	}
	return NULL;
}

static struct range bar_pages(const struct pci_bar *bar)
{
	return machine_pages_of((struct range){ bar->pa, bar->size });
}

/* Whether pages are something else's: nidus's, configuration space, a BAR that has its place. */
static bool is_taken(const struct machine *m, struct range pages)
{
	if (pages.base + pages.size > BIT(feat.pa_bits) || machine_part(m, pages))
		return true;
	for (u32 i = 0; i < host_count; i++)
		if (range_overlaps(pages, (struct range){ hosts[i].ecam, hosts[i].ecam_size }))
			return true;
	for (u32 i = 0; i < fn_count; i++)
		for (u32 b = 0; b < PCI_BARS; b++)
			if (fns[i].bar[b].pa && range_overlaps(pages, bar_pages(&fns[i].bar[b])))
				return true;
	return false;
}

/* Where no windows are known: firmware's choice stands if pages are the BAR's alone. */
static void keep_placed(const struct machine *m, struct pci_bar *bar)
{
	struct range r = { bar->pci, bar->size };

	if (r.base && r.base + r.size > r.base && IS_ALIGNED(r.base, PAGE_SIZE) &&
	    !is_taken(m, machine_pages_of(r)))
		bar->pa = bar->pci;
}

/* Firmware's choice stands, if it is one. */
static void keep_bar(const struct machine *m, struct pci_host *host, struct pci_bar *bar)
{
	u64 size = ALIGN_UP(bar->size, BAR_ALIGN);
	struct pci_window *w = bar->pci ? window_of(host, bar->pci, bar->size) : NULL;
	u64 at = w ? w->pa + (bar->pci - w->pci) : 0;

	if (host->placed) {
		keep_placed(m, bar);
		return;
	}
	if (!w || !IS_ALIGNED(bar->pci, size) ||
	    is_taken(m, machine_pages_of((struct range){ at, bar->size }))) {
		bar->pci = 0;
		return;
	}
	bar->pa = at;
	w->used = MAX(w->used, MIN(bar->pci - w->pci + size, w->size));
}

/* Place a BAR in the first window that has room; 64-bit ones in wide windows first. */
static bool place_in(struct pci_window *w, struct pci_bar *bar)
{
	u64 size = ALIGN_UP(bar->size, BAR_ALIGN), at = ALIGN_UP(w->pci + w->used, size);

	if (at < w->pci || at - w->pci > w->size || size > w->size - (at - w->pci) || !at ||
	    (!is_wide(bar) && (at + bar->size - 1) >> 32))
		return false;
	bar->pci = at;
	bar->pa = w->pa + (at - w->pci);
	w->used = at - w->pci + size;
	return true;
}

static bool place_bar(struct pci_host *host, struct pci_bar *bar)
{
	for (int wide = is_wide(bar); wide >= 0; wide--)
		for (u32 i = 0; i < host->windows; i++)
			if (host->window[i].wide == wide && place_in(&host->window[i], bar))
				return true;
	return false;
}

static struct pci_host *host_of(const struct pci_fn *fn)
{
	return &hosts[fn->host - hosts];
}

static const char no_room[] = "for whose BARs the host bridge has no room";
static const char not_placed[] =
	"with a BAR to which firmware has given no pages of its own (the host "
	"bridge's windows are not known)";

static void place_bars(struct pci_fn *fn)
{
	for (u32 i = 0; i < PCI_BARS; i++) {
		struct pci_bar *bar = &fn->bar[i];

		if (!bar->size)
			continue;
		if (!bar->pa && (fn->host->placed || !place_bar(host_of(fn), bar)))
			fn->unfit = fn->host->placed ? not_placed : no_room;
		write_bar(fn, i, bar->pci);
	}
}

void pci_restore(const struct pci_fn *fn)
{
	for (u32 i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].size)
			write_bar(fn, i, fn->bar[i].pci);
}

/* ---- functions ---- */

/*
 * Whether a virtio device takes its driver's addresses for physical ones: then it is not behind the
 * SMMU, whatever the tree says. Its features are in the first structure of its capabilities: select
 * the upper half, in which bit 1 is VIRTIO_F_ACCESS_PLATFORM.
 */
static bool bypasses(const struct pci_fn *fn)
{
	u32 at = pci_cap(fn, PCI_CAP_VENDOR, 0), info, bar, answer;
	u8 *regs;

	if ((fn->id & 0xffff) != PCI_VENDOR_VIRTIO || (fn->id >> 16) < 0x1000 ||
	    (fn->id >> 16) > 0x107f)
		return false;
	while (at && FIELD(pci_read(fn, at), 31, 24) != 1)
		at = pci_cap(fn, PCI_CAP_VENDOR, at);
	info = at ? pci_read(fn, at + 4) & 0xff : PCI_BARS;
	if (info >= PCI_BARS || fn->unfit)
		return true;
	bar = pci_read(fn, at + 8);
	if (!IS_ALIGNED(bar, 4) || (u64)bar + 8 > fn->bar[info].size ||
	    stage1_map_device(ALIGN_DOWN(fn->bar[info].pa + bar, PAGE_SIZE), PAGE_SIZE))
		return true;
	regs = (u8 *)pa_ptr(pa(fn->bar[info].pa)) + bar;
	pci_command(fn, PCI_COMMAND_MEMORY | PCI_COMMAND_NO_INTX);
	mmio_write32(regs, 1);
	answer = mmio_read32(regs + 4);
	mmio_write32(regs, 0);
	pci_command(fn, PCI_COMMAND_NO_INTX);
	return answer == NOBODY || !(answer & BIT(1));
}

static void read_interrupt(struct pci_fn *fn, const struct dt *dt, int gic)
{
	u32 pin = (u32)FIELD(pci_read(fn, PCI_INTERRUPT), 15, 8);
	struct dt_irq irq;

	if (pin < 1 || pin > 4 ||
	    dt_pci_interrupt(dt, fn->host->node, fn->devfn, pin, gic, &irq) <= 0)
		return;
	if (irq.intid >= 32 && irq.intid < 1020 && !irq.edge)
		fn->intid = irq.intid;
}

/* Why no VM can have it, as far as its kind says. */
static const char *unfit_kind(const struct pci_fn *fn)
{
	if (PCI_HEADER_TYPE(pci_read(fn, PCI_HEADER)) != 0 || fn->class >> 16 == PCI_CLASS_BRIDGE)
		return "that is a bridge";
	if (!fn->stream.smmu)
		return "that is not behind an SMMU which nidus can use";
	if (!fn->host->coherent)
		return "that does not see the CPUs' caches";
	return NULL;
}

/* Turn off bits of a capability, if there is one. */
static void clear_bits(struct pci_fn *fn, u32 cap, u32 bits)
{
	if (cap)
		pci_write(fn, cap, pci_read(fn, cap) & ~bits);
}

/* Off: no accesses of memory, no interrupts, its BARs nowhere. */
static void add_function(const struct machine *m, struct pci_fn *fn, const struct dt *dt)
{
	pci_command(fn, PCI_COMMAND_NO_INTX);
	snprintf(fn->name, sizeof(fn->name), "%04x:%02x:%02x.%u", fn->host->segment, fn->bus,
		 fn->devfn >> 3, fn->devfn & 7);
	fn->class = pci_read(fn, PCI_CLASS) >> 8;
	fn->stream.device = fn->name;
	if (!pci_host_stream(fn->host, dt, (u32)fn->bus << 8 | fn->devfn, &fn->stream))
		fn->stream.smmu = NULL;
	fn->unfit = unfit_kind(fn);
	fn_count++;
	if (PCI_HEADER_TYPE(pci_read(fn, PCI_HEADER)) != 0)
		return;
	for (u32 i = 0; i < PCI_BARS;)
		i = size_bar(fn, i);
	for (u32 i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].size)
			keep_bar(m, host_of(fn), &fn->bar[i]);
	/* A function for which firmware has enabled messages uses no INTx (PCI 3.0, 6.8). */
	clear_bits(fn, pci_cap(fn, PCI_CAP_MSI, 0), PCI_MSI_ENABLE);
	clear_bits(fn, pci_cap(fn, PCI_CAP_MSIX, 0), PCI_MSIX_ENABLE);
	fn->express = (u8)pci_cap(fn, PCI_CAP_EXPRESS, 0);
	if (fn->express + PCI_EXP_DEVCTL + 4 > PCI_CAPS_END)
		fn->express = 0;
	fn->flr = fn->express && pci_read(fn, fn->express + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR;
	read_interrupt(fn, dt, m->gic_node);
}

/* The functions of one device: those after the first only if it says so. */
static void scan_device(const struct machine *m, struct pci_host *host, u32 device,
			const struct dt *dt)
{
	u32 functions = 1;

	for (u32 i = 0; i < functions; i++) {
		struct pci_fn *fn = &fns[fn_count];

		if (fn_count == PCI_FNS_MAX) {
			log_line("pci: there are more than %d functions: the others are left as "
				 "they are",
				 PCI_FNS_MAX);
			return;
		}
		*fn = (struct pci_fn){ .host = host,
				       .bus = host->bus_first,
				       .devfn = (u8)(device << 3 | i) };
		fn->id = pci_read(fn, PCI_ID);
		if (fn->id == NOBODY || !fn->id)
			continue;
		if (!i && pci_read(fn, PCI_HEADER) & PCI_HEADER_MULTI)
			functions = 8;
		fn->multi = functions > 1;
		add_function(m, fn, dt);
	}
}

static void add_host(const struct machine *m, const struct dt *dt, const struct dt_path *p)
{
	struct pci_host *host = &hosts[host_count];
	u32 first = fn_count;

	*host = (struct pci_host){ .segment = (u16)host_count };
	if (!pci_host_read(host, m, dt, p) || stage1_map_device(host->ecam, MIB(1))) {
		log_line("pci: a host bridge is left out: %s",
			 dt->err[0] ? dt->err : "its configuration space can't be mapped");
		dt->err[0] = '\0';
		return;
	}
	host_count++;
	for (u32 i = 0; i < 32; i++)
		scan_device(m, host, i, dt);
	/* What firmware has placed comes first. */
	for (u32 i = first; i < fn_count; i++)
		place_bars(&fns[i]);
	for (u32 i = first; i < fn_count; i++)
		if (!fns[i].unfit && bypasses(&fns[i]))
			fns[i].unfit = "that goes past the SMMU (QEMU: iommu_platform=on, "
				       "disable-legacy=on)";
}

void pci_init(const struct machine *m)
{
	char line[160] = "";
	struct dt dt = { .fdt = m->fdt, .err = line, .err_size = sizeof(line) };
	struct dt_path p;

	host_count = fn_count = 0;
	dt_walk(&p);
	while (dt_next(dt.fdt, &p) && host_count < PCI_HOSTS_MAX)
		if (dt_compatible(dt.fdt, p.node[p.depth], "pci-host-ecam-generic") &&
		    dt_path_enabled(dt.fdt, &p))
			add_host(m, &dt, &p);
}

void pci_list(void)
{
	for (u32 i = 0; i < fn_count; i++) {
		const struct pci_fn *fn = &fns[i];
		u64 size = 0;

		if (fn->class >> 16 == PCI_CLASS_BRIDGE)
			continue;
		for (u32 b = 0; b < PCI_BARS; b++)
			size += fn->bar[b].size;
		log_line("pci %s: %04x:%04x class %06x, BARs 0x%lx, INTID %u, %s: %s%s", fn->name,
			 fn->id & 0xffff, fn->id >> 16, fn->class, size, fn->intid,
			 fn->flr ? "can be reset" : "can't be reset",
			 fn->owner   ? fn->owner
			 : fn->unfit ? "nobody can have it: one "
				     : "nobody has it",
			 fn->owner || !fn->unfit ? "" : fn->unfit);
	}
}
