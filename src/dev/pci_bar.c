/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where BARs are, and what bridges forward: firmware's choice where it can be kept, else places one
 * after the other, so that what is behind a bridge is together.
 */
#include "arch/feat.h"
#include "arch/pci.h"
#include "dev/pci_parts.h"
#include "mm/addr.h"

/* Each BAR has whole pages for itself, for guests with pages of 64 KiB too. */
#define BAR_ALIGN KIB(64)
#define BRIDGE_ALIGN MIB(1)
#define BRIDGE_BARS 2

static const char no_room[] = "for whose BARs the host bridge has no room";
static const char not_placed[] = "with a BAR to which firmware has given no pages of its own (the "
				 "host bridge's windows are not known)";

/* ---- registers ---- */

static bool is_wide(const struct pci_bar *bar)
{
	return bar->flags & PCI_BAR_64;
}

/* Where BAR i is in configuration space: those behind the sixth are in the SR-IOV capability. */
static u32 register_of(const struct pci_fn *fn, u32 i)
{
	return i < PCI_BARS ? PCI_BAR0 + 4 * i : fn->sriov + PCI_SRIOV_BAR0 + 4 * (i - PCI_BARS);
}

void pci_bar_write(const struct pci_fn *fn, u32 i, u64 v)
{
	pci_write(fn, register_of(fn, i), (u32)v);
	if (is_wide(&fn->bar[i]))
		pci_write(fn, register_of(fn, i) + 4, (u32)(v >> 32));
}

static u64 read_bar(const struct pci_fn *fn, u32 i)
{
	u64 v = pci_read(fn, register_of(fn, i));

	return is_wide(&fn->bar[i]) ? v | (u64)pci_read(fn, register_of(fn, i) + 4) << 32 : v;
}

static u32 bars_of(const struct pci_fn *fn)
{
	return fn->is_bridge ? BRIDGE_BARS : PCI_BARS;
}

/* Find out the size of BAR i, of which `end` is the first that is not there: the next's number. */
static u32 size_bar(struct pci_fn *fn, u32 i, u32 end)
{
	struct pci_bar *bar = &fn->bar[i];
	u32 v = pci_read(fn, register_of(fn, i));
	u64 old, mask;

	if (v & PCI_BAR_IO)
		return i + 1;
	bar->flags = v & (u32)PCI_BAR_FLAGS;
	if (is_wide(bar) && i == end - 1)
		return i + 1;
	old = read_bar(fn, i) & ~PCI_BAR_FLAGS;
	pci_bar_write(fn, i, ~0UL);
	mask = read_bar(fn, i) & ~PCI_BAR_FLAGS;
	pci_bar_write(fn, i, old);
	if (!is_wide(bar) && mask)
		mask |= ~0UL << 32;
	bar->size = mask & -mask;
	bar->pci = old;
	return i + (is_wide(bar) ? 2 : 1);
}

void pci_bar_size(struct pci_fn *fn)
{
	for (u32 i = 0; i < bars_of(fn);)
		i = size_bar(fn, i, bars_of(fn));
}

u32 pci_bar_vf_room(u32 n)
{
	u32 room = 1;

	while (room < n)
		room *= 2;
	return room;
}

/* One BAR each has a place for all, one behind the other. */
void pci_bar_size_vfs(struct pci_fn *fn)
{
	for (u32 i = PCI_BARS; i < PCI_BARS_ALL;)
		i = size_bar(fn, i, PCI_BARS_ALL);
	for (u32 i = PCI_BARS; i < PCI_BARS_ALL; i++)
		fn->bar[i].size *= pci_bar_vf_room(fn->vfs);
}

/* A window between the ends that registers have; none if they are the wrong way round. */
static struct range between(u64 base, u64 limit)
{
	return (struct range){ base, limit > base ? limit + 1 - base : 0 };
}

void pci_bar_windows(struct pci_fn *fn)
{
	u32 mem = pci_read(fn, PCI_BRIDGE_MEM), pref = pci_read(fn, PCI_BRIDGE_PREF);
	u64 base = PCI_WINDOW_BASE(pref), limit = PCI_WINDOW_LIMIT(pref);

	fn->bridge.mem = between(PCI_WINDOW_BASE(mem), PCI_WINDOW_LIMIT(mem));
	fn->bridge.wide = FIELD(pref, 3, 0) == PCI_WINDOW_64;
	if (fn->bridge.wide) {
		base |= (u64)pci_read(fn, PCI_BRIDGE_PREF_BASE_HIGH) << 32;
		limit |= (u64)pci_read(fn, PCI_BRIDGE_PREF_LIMIT_HIGH) << 32;
	}
	fn->bridge.pref = between(base, limit);
}

static void write_windows(const struct pci_fn *fn)
{
	struct range mem = fn->bridge.mem, pref = fn->bridge.pref;
	u64 limit = pref.base + pref.size - 1;

	pci_write(fn, PCI_BRIDGE_IO, PCI_WINDOW_IO_CLOSED);
	pci_write(fn, PCI_BRIDGE_MEM,
		  mem.size ? PCI_WINDOW_MAKE(mem.base, mem.base + mem.size - 1)
			   : PCI_WINDOW_CLOSED);
	pci_write(fn, PCI_BRIDGE_PREF,
		  pref.size ? PCI_WINDOW_MAKE(pref.base, limit) : PCI_WINDOW_CLOSED);
	pci_write(fn, PCI_BRIDGE_PREF_BASE_HIGH, pref.size ? (u32)(pref.base >> 32) : 0);
	pci_write(fn, PCI_BRIDGE_PREF_LIMIT_HIGH, pref.size ? (u32)(limit >> 32) : 0);
}

/* ---- firmware's places ---- */

static bool is_in(struct range r, u64 at, u64 size)
{
	return at >= r.base && size <= r.size && at - r.base <= r.size - size;
}

/* Whether all bridges above a function forward a bus address to it. */
static bool is_forwarded(const struct pci_fn *fn, u64 at, u64 size)
{
	for (const struct pci_fn *p = fn->port; p; p = p->port)
		if (!is_in(p->bridge.mem, at, size) && !is_in(p->bridge.pref, at, size))
			return false;
	return true;
}

/* The window that holds [at, at + size), or NULL. */
static struct pci_window *window_of(struct pci_host *host, u64 at, u64 size)
{
	for (u32 i = 0; i < host->windows; i++)
		if (is_in((struct range){ host->window[i].pci, host->window[i].size }, at, size))
			return &host->window[i];
	return NULL;
}

static struct range bar_pages(const struct pci_bar *bar)
{
	return machine_pages_of((struct range){ bar->pa, bar->size });
}

/* Whether pages are something else's: nidus's, configuration space, a BAR that has its place. */
static bool is_taken(struct range pages)
{
	if (pages.base + pages.size > BIT(feat.pa_bits) || machine_part(pci_all.m, pages))
		return true;
	for (u32 i = 0; i < pci_all.hosts; i++) {
		const struct pci_host *h = &pci_all.host[i];

		if (range_overlaps(pages, (struct range){ h->ecam, h->ecam_size }))
			return true;
	}
	for (u32 i = 0; i < pci_all.fns; i++)
		for (u32 b = 0; b < PCI_BARS_ALL; b++) {
			const struct pci_bar *bar = &pci_all.fn[i].bar[b];

			if (bar->pa && range_overlaps(pages, bar_pages(bar)))
				return true;
		}
	return false;
}

/* Where firmware's choice leads, if it is one: to pages that are the BAR's alone. Else 0. */
static u64 place_of(const struct pci_fn *fn, const struct pci_bar *bar)
{
	struct pci_host *host = pci_host_of(fn);
	struct pci_window *w = window_of(host, bar->pci, bar->size);
	u64 pa = host->placed ? bar->pci : w ? w->pa + (bar->pci - w->pci) : 0;
	u64 align = host->placed ? PAGE_SIZE : ALIGN_UP(bar->size, BAR_ALIGN);

	if (!bar->pci || !pa || bar->pci + bar->size < bar->pci || !IS_ALIGNED(bar->pci, align) ||
	    !is_forwarded(fn, bar->pci, bar->size) ||
	    is_taken(machine_pages_of((struct range){ pa, bar->size })))
		return 0;
	return pa;
}

/* What is in use of a window ends behind [at, at + size) at least. */
static void use(struct pci_window *w, u64 at, u64 size)
{
	if (w)
		w->used = MAX(w->used, MIN(at - w->pci + size, w->size));
}

/* Keep those of firmware's choices that can be. */
static void keep_bars(struct pci_fn *fn)
{
	struct pci_host *host = pci_host_of(fn);

	for (u32 i = 0; i < PCI_BARS_ALL; i++) {
		struct pci_bar *bar = &fn->bar[i];

		if (!bar->size)
			continue;
		bar->pa = place_of(fn, bar);
		if (bar->pa)
			use(window_of(host, bar->pci, bar->size), bar->pci,
			    ALIGN_UP(bar->size, BAR_ALIGN));
	}
}

/* The bridge on the root bus that a function is behind, or itself. */
static struct pci_fn *top_of(struct pci_fn *fn)
{
	while (fn->port)
		fn = fn->port;
	return fn;
}

/*
 * Whether what is behind a bridge of the root bus stays as firmware has left it, which it does as a
 * whole: it has BARs, and all of them can be where they are.
 */
static bool is_kept(const struct pci_fn *top)
{
	u32 kept = 0;

	for (u32 i = 0; i < pci_all.fns; i++)
		for (u32 b = 0; b < PCI_BARS_ALL; b++) {
			struct pci_fn *fn = &pci_all.fn[i];

			if (!fn->port || top_of(fn) != top || !fn->bar[b].size)
				continue;
			if (!fn->bar[b].pa)
				return top->host->placed;
			kept++;
		}
	return kept || top->host->placed;
}

/* What was kept by itself behind a bridge that is not. */
static void forget_below(const struct pci_fn *top)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		for (u32 b = 0; b < PCI_BARS_ALL; b++)
			if (pci_all.fn[i].port && top_of(&pci_all.fn[i]) == top)
				pci_all.fn[i].bar[b].pa = 0;
}

static void keep(struct pci_host *host)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].host == host)
			keep_bars(&pci_all.fn[i]);
	for (u32 i = 0; i < pci_all.fns; i++) {
		struct pci_fn *fn = &pci_all.fn[i];
		struct range *r[] = { &fn->bridge.mem, &fn->bridge.pref };

		if (fn->host != host || fn->port || !fn->is_bridge)
			continue;
		fn->bridge.kept = is_kept(fn);
		if (!fn->bridge.kept)
			forget_below(fn);
		for (u32 n = 0; fn->bridge.kept && n < ARRAY_SIZE(r); n++)
			use(window_of(host, r[n]->base, r[n]->size), r[n]->base, r[n]->size);
	}
}

/* ---- nidus's places ---- */

/* Place a BAR at the end of what is in use of the first `room` bytes of a window. */
static bool place_in(struct pci_window *w, u64 room, struct pci_bar *bar)
{
	u64 size = ALIGN_UP(bar->size, BAR_ALIGN), at = ALIGN_UP(w->pci + w->used, size);

	if (at < w->pci || at - w->pci > room || size > room - (at - w->pci) || !at ||
	    (!is_wide(bar) && (at + bar->size - 1) >> 32))
		return false;
	bar->pci = at;
	bar->pa = w->pa + (at - w->pci);
	w->used = at - w->pci + size;
	return true;
}

/* Whether a BAR may be in a window of this kind: bridges forward only prefetchable memory there. */
static bool may_be_in(const struct pci_fn *fn, const struct pci_bar *bar, bool wide)
{
	for (const struct pci_fn *p = fn->port; wide && p; p = p->port)
		if (!p->bridge.wide || !(bar->flags & PCI_BAR_PREFETCH))
			return false;
	return !wide || is_wide(bar);
}

/* The part of a window that can be behind a bridge. */
static u64 room_behind(const struct pci_window *w)
{
	u64 end = ALIGN_DOWN(w->pci + w->size, BRIDGE_ALIGN);

	return end > w->pci ? end - w->pci : 0;
}

/* The first window of this kind. Behind a bridge all is in it, so that the bridge forwards it. */
static struct pci_window *first_window(struct pci_host *host, bool wide)
{
	for (u32 i = 0; i < host->windows; i++)
		if (host->window[i].wide == wide)
			return &host->window[i];
	return NULL;
}

static bool place_in_kind(const struct pci_fn *fn, struct pci_bar *bar, bool wide)
{
	struct pci_host *host = pci_host_of(fn);

	for (u32 i = 0; may_be_in(fn, bar, wide) && i < host->windows; i++) {
		struct pci_window *w = &host->window[i];

		if (w->wide == wide && (!fn->port || w == first_window(host, wide)) &&
		    place_in(w, fn->port ? room_behind(w) : w->size, bar))
			return true;
	}
	return false;
}

/*
 * Place a BAR in the first window that has room; 64-bit ones in wide windows first. But virtual
 * functions' below 4 GiB first: QEMU 10.0 takes 32 bits of their addresses, whatever the BAR says.
 */
static bool place_bar(struct pci_fn *fn, u32 i)
{
	struct pci_bar *bar = &fn->bar[i];
	bool first = i < PCI_BARS;

	return place_in_kind(fn, bar, first) || place_in_kind(fn, bar, !first);
}

static void place_function(struct pci_fn *fn)
{
	for (u32 i = 0; i < PCI_BARS_ALL; i++) {
		struct pci_bar *bar = &fn->bar[i];

		if (!bar->size)
			continue;
		if (!bar->pa && (fn->host->placed || !place_bar(fn, i))) {
			if (i < PCI_BARS)
				fn->unfit = fn->host->placed ? not_placed : no_room;
			bar->pci = 0;
		}
		pci_bar_write(fn, i, bar->pci);
	}
	if (fn->port && fn->port->unfit == no_room)
		fn->unfit = no_room;
}

/* The next address of a window that a bridge's may begin or end at; 0: no such window. */
static u64 edge(struct pci_window *w)
{
	if (!w)
		return 0;
	w->used = MIN(ALIGN_UP(w->pci + w->used, BRIDGE_ALIGN) - w->pci, w->size);
	return ALIGN_DOWN(w->pci + w->used, BRIDGE_ALIGN);
}

static void place_below(struct pci_host *host, struct pci_fn *port);

/* All that is behind a bridge, between two edges of each window. */
static void place_bridge(struct pci_host *host, struct pci_fn *fn)
{
	struct pci_window *low = first_window(host, false), *wide = first_window(host, true);
	struct range *mem = &fn->bridge.mem, *pref = &fn->bridge.pref;

	if (top_of(fn)->bridge.kept) {
		place_below(host, fn);
	} else {
		*mem = (struct range){ edge(low), 0 };
		*pref = (struct range){ edge(wide), 0 };
		place_below(host, fn);
		mem->size = edge(low) - mem->base;
		pref->size = fn->bridge.wide ? edge(wide) - pref->base : 0;
		write_windows(fn);
	}
	if (fn->unfit != no_room)
		pci_command(fn, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
}

/* The functions on one bus, then what is behind its bridges. Depth: BRIDGES_MAX (pci_bus.c). */
static void place_below(struct pci_host *host, struct pci_fn *port)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].host == host && pci_all.fn[i].port == port)
			place_function(&pci_all.fn[i]);
	for (u32 i = 0; i < pci_all.fns; i++) {
		struct pci_fn *fn = &pci_all.fn[i];

		if (fn->host == host && fn->port == port && fn->bridge.secondary)
			place_bridge(host, fn);
	}
}

void pci_bar_place(struct pci_host *host)
{
	keep(host);
	place_below(host, NULL);
}
