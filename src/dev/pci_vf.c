/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual functions (PCI Express, SR-IOV): turned on for VMs, while their function itself is off
 * and nobody's. Their IDs and BARs are in its capability, not in their own configuration space.
 */
#include "arch/counter.h"
#include "arch/pci.h"
#include "dev/pci_parts.h"
#include "lib/log.h"
#include "lib/string.h"

#define STARTS_A_SECOND 10 /* VFs answer a tenth of a second after they were turned on */

static const char has_vfs[] = "whose virtual functions nidus gives away";

/* The number of virtual function i on its function's bus; more than 0xff: on another bus. */
static u32 devfn_of(const struct pci_fn *pf, u32 i)
{
	u32 place = pci_read(pf, pf->sriov + PCI_SRIOV_PLACE);

	return pf->devfn + PCI_SRIOV_OFFSET(place) + i * PCI_SRIOV_STRIDE(place);
}

/* Whether a port leads to device numbers other than 0; there may be none. */
static bool leads_to_all(struct pci_fn *port)
{
	u32 at;

	if (!port || !port->bridge.express)
		return true;
	at = port->express + PCI_EXP_DEVCTL2;
	if (at + 4 > PCI_CAPS_END ||
	    !(pci_read(port, port->express + PCI_EXP_DEVCAP2) & PCI_EXP_ARI))
		return false;
	pci_write(port, at, (pci_read(port, at) & 0xffff) | (u32)PCI_EXP_ARI);
	return true;
}

/* Why a function can't have so many; NULL: it can, and they are set up but not on. */
static const char *prepare(struct pci_fn *pf, u32 count)
{
	u32 at = pf->sriov;

	if (!at)
		return "SR-IOV";
	if (!count || count > PCI_SRIOV_TOTAL(pci_read(pf, at + PCI_SRIOV_INITIAL)))
		return "as many virtual functions";
	if (!(pci_read(pf, at + PCI_SRIOV_PAGES) & 1))
		return "virtual functions with pages of 4 KiB";
	if (!leads_to_all(pf->port))
		return "ARI of the port above it";
	pci_write(pf, at + PCI_SRIOV_CTL, pf->port ? (u32)PCI_SRIOV_CTL_ARI : 0);
	pci_write(pf, at + PCI_SRIOV_PAGE, 1);
	pci_write(pf, at + PCI_SRIOV_COUNT, count);
	if (devfn_of(pf, 0) <= pf->devfn || (count > 1 && devfn_of(pf, 1) == devfn_of(pf, 0)) ||
	    devfn_of(pf, count - 1) > 0xff)
		return "virtual functions on its own bus";
	return NULL;
}

void pci_vf_prepare(struct pci_host *host, const struct pci_vfs *want)
{
	struct pci_fn *pf = pci_find(want->name);
	const char *lacks;

	if (!pf || pf->host != host)
		return;
	lacks = pf->vfs ? "each function once" : prepare(pf, want->count);
	if (lacks) {
		log_line("pci-vfs: expected %s, found %s:%u", lacks, want->name, want->count);
		return;
	}
	pf->vfs = want->count;
	pf->unfit = has_vfs;
	pci_bar_size_vfs(pf);
}

/* Turn on those of one function; false, with a line: they have no room. */
static bool enable(struct pci_fn *pf)
{
	u32 at = pf->sriov + PCI_SRIOV_CTL;

	for (u32 i = PCI_BARS; i < PCI_BARS_ALL; i++)
		if (pf->bar[i].size && !pf->bar[i].pa) {
			log_line("pci-vfs: there is no room for the BARs of virtual functions of "
				 "%s",
				 pf->name);
			pf->vfs = 0;
			return false;
		}
	pci_write(pf, at,
		  (pci_read(pf, at) & (u32)PCI_SRIOV_CTL_ARI) |
			  (u32)(PCI_SRIOV_CTL_ENABLE | PCI_SRIOV_CTL_MEMORY));
	return true;
}

static void take_bars(struct pci_fn *fn, u32 number)
{
	for (u32 i = 0; i < PCI_BARS; i++) {
		const struct pci_bar *all = &fn->pf->bar[PCI_BARS + i];
		struct pci_bar *bar = &fn->bar[i];

		if (!all->size)
			continue;
		*bar = *all;
		bar->size = all->size / pci_bar_vf_room(fn->pf->vfs);
		bar->pa += number * bar->size;
		bar->pci += number * bar->size;
	}
}

/* Whether a number on a bus is a function's that was found before. */
static bool is_there(const struct pci_fn *pf, u32 devfn)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].host == pf->host && pci_all.fn[i].bus == pf->bus &&
		    pci_all.fn[i].devfn == devfn)
			return true;
	return false;
}

static void add(const struct pci_fn *pf, u32 i, const struct dt *dt)
{
	struct pci_fn *fn = &pci_all.fn[pci_all.fns];
	u32 devfn = devfn_of(pf, i);

	if (pci_all.fns == PCI_FNS_MAX || is_there(pf, devfn)) {
		log_line("pci-vfs: expected a place for virtual function %u of %s, found none", i,
			 pf->name);
		return;
	}
	*fn = (struct pci_fn){
		.host = pf->host, .port = pf->port, .pf = pf, .bus = pf->bus, .devfn = (u8)devfn
	};
	if (pci_read(fn, PCI_CLASS) == PCI_NOBODY) {
		log_line("pci-vfs: virtual function %u of %s does not answer", i, pf->name);
		return;
	}
	fn->id = (pf->id & 0xffff) | (pci_read(pf, pf->sriov + PCI_SRIOV_DEVICE) & 0xffff0000);
	take_bars(fn, i);
	pci_bus_add(fn, dt);
	/* Where its own bridge has no room for it. */
	if (!fn->unfit && pf->unfit != has_vfs)
		fn->unfit = pf->unfit;
}

void pci_vf_enable(struct pci_host *host, const struct dt *dt)
{
	u64 begin = counter_now(), wait = sysreg_read(CNTFRQ_EL0) / STARTS_A_SECOND;
	u32 n = pci_all.fns;
	bool any = false;

	for (u32 i = 0; i < n; i++)
		if (pci_all.fn[i].host == host && pci_all.fn[i].vfs)
			any |= enable(&pci_all.fn[i]);
	while (any && counter_now() - begin < wait)
		;
	for (u32 i = 0; i < n; i++)
		for (u32 v = 0; pci_all.fn[i].host == host && v < pci_all.fn[i].vfs; v++)
			add(&pci_all.fn[i], v, dt);
}
