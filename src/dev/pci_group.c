/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which functions can reach each other without an SMMU between them, and so are in one group: by
 * Access Control Services (PCI Express 6.12) of the ports on the way to the root complex and of
 * devices with several functions.
 */
#include "arch/pci.h"
#include "dev/pci_parts.h"

/* Turn on what a function has of ACS. */
static void enable_acs(struct pci_fn *fn)
{
	u32 at = pci_ext_cap(fn, PCI_EXT_ACS, PCI_ACS_SIZE), can, v;

	fn->acs = 0;
	fn->acs_full = false;
	if (!at)
		return;
	can = pci_read(fn, at + PCI_ACS) & (u32)PCI_ACS_WANTED;
	pci_write(fn, at + PCI_ACS, can << 16);
	v = pci_read(fn, at + PCI_ACS);
	fn->acs = PCI_ACS_ON(v) & (u32)PCI_ACS_WANTED;
	fn->acs_full = v != PCI_NOBODY && fn->acs == can;
}

/* A port forwards to its peers only by way of the root complex. */
static bool redirects(const struct pci_fn *port)
{
	return port->acs == PCI_ACS_WANTED;
}

static u32 number(const struct pci_fn *fn)
{
	return (u32)(fn - pci_all.fn);
}

/* One group of two; its number is that of its first function. */
static void join(const struct pci_fn *a, const struct pci_fn *b)
{
	u32 to = MIN(a->group, b->group), from = MAX(a->group, b->group);

	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].group == from)
			pci_all.fn[i].group = to;
}

static bool same_device(const struct pci_fn *a, const struct pci_fn *b)
{
	return a->host == b->host && a->bus == b->bus && a->devfn >> 3 == b->devfn >> 3;
}

/*
 * Functions of one device, unless all that they could need keeps them apart. Virtual ones are
 * devices for themselves, unless their function is one of several.
 */
static void join_device(const struct pci_fn *fn)
{
	if (fn->pf) {
		if (fn->pf->multi && !(fn->acs_full && fn->pf->acs_full))
			join(fn, fn->pf);
		return;
	}
	for (u32 i = 0; i < number(fn); i++)
		if (!pci_all.fn[i].pf && same_device(fn, &pci_all.fn[i]) &&
		    !(fn->acs_full && pci_all.fn[i].acs_full))
			join(fn, &pci_all.fn[i]);
}

/* Whether a port of the switch below an upstream port forwards to its peers. */
static bool is_open(const struct pci_fn *upstream)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].port == upstream && !redirects(&pci_all.fn[i]))
			return true;
	return false;
}

/* Whether what is behind a bridge is not kept apart by it. */
static bool shares(const struct pci_fn *port)
{
	if (!port->bridge.express)
		return true;
	return port->type == PCI_EXP_UPSTREAM ? is_open(port) : !redirects(port);
}

void pci_group_all(void)
{
	for (u32 i = 0; i < pci_all.fns; i++) {
		pci_all.fn[i].group = i;
		enable_acs(&pci_all.fn[i]);
	}
	for (u32 i = 0; i < pci_all.fns; i++) {
		join_device(&pci_all.fn[i]);
		for (const struct pci_fn *p = pci_all.fn[i].port; p; p = p->port)
			if (shares(p))
				join(&pci_all.fn[i], p);
	}
}
