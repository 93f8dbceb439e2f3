/* SPDX-License-Identifier: Apache-2.0 */
/* Finding PCI functions: from the root bus of a host bridge to what is behind bridges. */
#include "arch/pci.h"
#include "dev/pci_host.h"
#include "dev/pci_parts.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/stage1.h"

#define BRIDGES_MAX 8 /* bridges on the way: none is looked behind that is deeper */

struct scan {
	struct pci_host *host;
	const struct dt *dt;
	u32 depth;
};

/* Interrupts of nidus's own devices: no VM can have them as well. */
static bool is_own(u32 intid)
{
	u32 own[SMMU_IRQS], n;
	bool edge[SMMU_IRQS];

	n = smmu_irqs(own, edge);
	for (u32 i = 0; i < n; i++)
		if (own[i] == intid)
			return true;
	return intid == pci_all.m->uart_intid;
}

/*
 * The interrupt of a function's pin (1: INTA): each bridge on the way turns the pins by the number
 * of the device behind it (PCI-to-PCI Bridge 1.2, 9.1).
 */
static void read_interrupt(struct pci_fn *fn, const struct dt *dt)
{
	u32 pin = (u32)FIELD(pci_read(fn, PCI_INTERRUPT), 15, 8);
	const struct pci_fn *at = fn;
	struct dt_irq irq;

	if (pin < 1 || pin > 4)
		return;
	for (; at->port; at = at->port)
		pin = (pin - 1 + (at->devfn >> 3)) % 4 + 1;
	if (dt_pci_interrupt(dt, fn->host->node, at->devfn, pin, pci_all.m->gic_node, &irq) <= 0)
		return;
	if (irq.intid >= 32 && irq.intid < 1020 && !irq.edge && !is_own(irq.intid))
		fn->intid = irq.intid;
}

/*
 * What a function's requests are known by: its own number, or that of a bridge to conventional PCI
 * above it, where requesters have none: the bridge's, or with an express side that of device 0 of
 * its secondary bus (PCI Express to PCI/PCI-X Bridge 1.0, 2.3).
 */
static u32 requester(const struct pci_fn *fn)
{
	u32 rid = (u32)fn->bus << 8 | fn->devfn;

	for (const struct pci_fn *p = fn->port; p; p = p->port) {
		if (p->bridge.express)
			continue;
		rid = p->type == PCI_EXP_TO_PCI ? (u32)p->bridge.secondary << 8
						: (u32)p->bus << 8 | p->devfn;
	}
	return rid;
}

/* Its stream: another function's, if that has the same requester ID. */
static void find_stream(struct pci_fn *fn, const struct dt *dt)
{
	fn->rid = requester(fn);
	fn->stream = &fn->own_stream;
	/* Messages with a requester ID that is not its own alone would be another's as well. */
	if (fn->rid == ((u32)fn->bus << 8 | fn->devfn))
		pci_host_messages(fn->host, dt, fn->rid, &fn->msi);
	/* Nor those of two that the ITS can't tell apart. */
	for (struct pci_fn *other = pci_all.fn; fn->msi.its && other < fn; other++)
		if (other->msi.its == fn->msi.its && other->msi.id == fn->msi.id)
			other->msi.its = fn->msi.its = NULL;
	for (struct pci_fn *other = pci_all.fn; other < fn; other++)
		if (other->host == fn->host && other->rid == fn->rid) {
			fn->stream = other->stream;
			return;
		}
	fn->own_stream.device = fn->name;
	if (!pci_host_stream(fn->host, dt, fn->rid, &fn->own_stream))
		fn->own_stream.smmu = NULL;
}

/* Why no VM can have it, as far as its kind says. */
static const char *unfit_kind(const struct pci_fn *fn)
{
	if (PCI_HEADER_TYPE(pci_read(fn, PCI_HEADER)) != 0 || fn->class >> 16 == PCI_CLASS_BRIDGE)
		return "that is a bridge";
	if (!fn->stream->smmu)
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

static void read_express(struct pci_fn *fn)
{
	fn->express = (u8)pci_cap(fn, PCI_CAP_EXPRESS, 0);
	if (fn->express + PCI_EXP_DEVCTL + 4 > PCI_CAPS_END)
		fn->express = 0;
	if (!fn->express)
		return;
	fn->type = (u8)PCI_EXP_TYPE(pci_read(fn, fn->express));
	fn->flr = pci_read(fn, fn->express + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR;
	/* No requests in the name of functions that are not there. */
	fn->devctl = pci_read(fn, fn->express + PCI_EXP_DEVCTL) & 0xffff &
		     ~(u32)(PCI_EXP_DEVCTL_PHANTOM | PCI_EXP_DEVCTL_FLR);
	pci_write(fn, fn->express + PCI_EXP_DEVCTL, fn->devctl);
	fn->sriov = fn->pf ? 0 : pci_ext_cap(fn, PCI_EXT_SRIOV, PCI_SRIOV_SIZE);
	if (fn->sriov)
		pci_write(fn, fn->sriov + PCI_SRIOV_CTL, 0);
}

/* Off: no accesses of memory, no interrupts, its BARs nowhere. A virtual one's are placed. */
void pci_bus_add(struct pci_fn *fn, const struct dt *dt)
{
	u32 type = PCI_HEADER_TYPE(pci_read(fn, PCI_HEADER));

	pci_command(fn, PCI_COMMAND_NO_INTX);
	snprintf(fn->name, sizeof(fn->name), "%04x:%02x:%02x.%u", fn->host->segment, fn->bus,
		 fn->devfn >> 3, fn->devfn & 7);
	fn->class = pci_read(fn, PCI_CLASS) >> 8;
	fn->is_bridge = type == PCI_HEADER_BRIDGE;
	find_stream(fn, dt);
	fn->unfit = unfit_kind(fn);
	pci_all.fns++;
	if (type != 0 && !fn->is_bridge)
		return;
	if (!fn->pf)
		pci_bar_size(fn);
	/* A function for which firmware has enabled messages uses no INTx (PCI 3.0, 6.8). */
	clear_bits(fn, pci_cap(fn, PCI_CAP_MSI, 0), PCI_MSI_ENABLE);
	clear_bits(fn, pci_cap(fn, PCI_CAP_MSIX, 0), PCI_MSIX_ENABLE);
	read_express(fn);
	if (fn->is_bridge) {
		fn->bridge.express =
			fn->type >= PCI_EXP_ROOT_PORT && fn->type <= PCI_EXP_DOWNSTREAM;
		pci_bar_windows(fn);
	} else {
		read_interrupt(fn, dt);
	}
}

/* The functions of one device: those after the first only if it says so. */
static void scan_device(const struct scan *s, u32 bus, u32 device, struct pci_fn *port)
{
	u32 functions = 1;

	for (u32 i = 0; i < functions; i++) {
		struct pci_fn *fn = &pci_all.fn[pci_all.fns];

		if (pci_all.fns == PCI_FNS_MAX) {
			log_line("pci: there are more than %d functions: the others are left as "
				 "they are",
				 PCI_FNS_MAX);
			return;
		}
		*fn = (struct pci_fn){ .host = s->host,
				       .port = port,
				       .bus = (u8)bus,
				       .devfn = (u8)(device << 3 | i) };
		fn->id = pci_read(fn, PCI_ID);
		if (fn->id == PCI_NOBODY || !fn->id)
			continue;
		if (!i && pci_read(fn, PCI_HEADER) & PCI_HEADER_MULTI)
			functions = 8;
		fn->multi = functions > 1;
		pci_bus_add(fn, s->dt);
	}
}

/* Numbers of the buses behind a bridge; 0: none. */
static void write_numbers(struct pci_fn *fn, u32 secondary, u32 last)
{
	u32 v = pci_read(fn, PCI_BUSES) & ~PCI_BUSES_MASK;

	fn->bridge.secondary = (u8)secondary;
	fn->bridge.last = (u8)last;
	pci_write(fn, PCI_BUSES, secondary ? v | PCI_BUSES_SET(fn->bus, secondary, last) : v);
}

/* Take a bridge's numbers as firmware has set them, if they are behind `used` and up to `last`. */
static void keep_numbers(struct pci_fn *fn, u32 *used, u32 last)
{
	u32 v = pci_read(fn, PCI_BUSES);
	u32 secondary = (u32)FIELD(v, 15, 8), end = (u32)FIELD(v, 23, 16);

	if (FIELD(v, 7, 0) == fn->bus && secondary > *used && end >= secondary && end <= last) {
		write_numbers(fn, secondary, end);
		*used = end;
	} else {
		write_numbers(fn, 0, 0);
	}
}

static u32 scan_bus(struct scan *s, u32 bus, struct pci_fn *port, u32 last);

/* What is behind bridge fn, whose buses are up to `last`: the last that is in use. */
static u32 scan_below(struct scan *s, struct pci_fn *fn, u32 last)
{
	u32 used;

	s->depth++;
	used = scan_bus(s, fn->bridge.secondary, fn, last);
	s->depth--;
	return used;
}

/* A bridge without numbers gets the next; returns the last that is in use. */
static u32 number(struct scan *s, struct pci_fn *fn, u32 used, u32 last)
{
	if (used >= last || s->depth == BRIDGES_MAX) {
		log_line("pci %s: there is no number for the bus behind it: what is there is "
			 "left as it is",
			 fn->name);
		return used;
	}
	write_numbers(fn, used + 1, last);
	used = scan_below(s, fn, last);
	write_numbers(fn, fn->bridge.secondary, used);
	return used;
}

/* A bus, and those behind its bridges, which have numbers up to `last`: the last in use. */
static u32 scan_bus(struct scan *s, u32 bus, struct pci_fn *port, u32 last)
{
	u32 first = pci_all.fns, end, used = bus;
	/* A link has one device; some ports answer for others with errors. */
	bool link = port && (port->type == PCI_EXP_ROOT_PORT || port->type == PCI_EXP_DOWNSTREAM);
	u64 space = s->host->ecam + ((u64)(bus - s->host->bus_first) << 20);

	if (stage1_map_device(space, MIB(1))) {
		log_line("pci: configuration space at 0x%lx can't be mapped", space);
		return bus;
	}
	for (u32 i = 0; i < (link ? 1 : 32); i++)
		scan_device(s, bus, i, port);
	end = pci_all.fns;
	/* None may answer to numbers that others get. */
	for (u32 i = first; i < end; i++)
		if (pci_all.fn[i].is_bridge)
			keep_numbers(&pci_all.fn[i], &used, last);
	for (u32 i = first; i < end; i++)
		if (pci_all.fn[i].bridge.secondary) {
			if (s->depth < BRIDGES_MAX)
				scan_below(s, &pci_all.fn[i], pci_all.fn[i].bridge.last);
			else
				write_numbers(&pci_all.fn[i], 0,
					      0); /* what is there is not known */
		}
	for (u32 i = first; i < end; i++)
		if (pci_all.fn[i].is_bridge && !pci_all.fn[i].bridge.secondary)
			used = number(s, &pci_all.fn[i], used, last);
	return used;
}

void pci_bus_scan(struct pci_host *host, const struct dt *dt)
{
	struct scan s = { .host = host, .dt = dt };

	scan_bus(&s, host->bus_first, NULL, host->bus_last);
}
