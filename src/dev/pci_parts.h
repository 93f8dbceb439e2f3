/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that find PCI functions: pci.c, pci_bus.c, pci_bar.c, pci_group.c, pci_vf.c. */
#pragma once

#include "dev/dt.h"
#include "dev/pci.h"

/* All that were found; functions of a host bridge are together, those of a bus as well. */
struct pci_all {
	struct pci_host host[PCI_HOSTS_MAX];
	struct pci_fn fn[PCI_FNS_MAX];
	u32 hosts, fns;
	const struct machine *m;
};

extern struct pci_all pci_all;

/* The host bridge of a function, to be changed. */
struct pci_host *pci_host_of(const struct pci_fn *fn);

/*
 * Find the functions of a host bridge, and number the buses where firmware has not. Nothing of
 * them is on, nothing is placed.
 */
void pci_bus_scan(struct pci_host *host, const struct dt *dt);

/* Add a function that is in the first free place of pci_all.fn[], with host, port and number. */
void pci_bus_add(struct pci_fn *fn, const struct dt *dt);

/* Find out the sizes of a function's BARs, with decode off; those of all its virtual functions. */
void pci_bar_size(struct pci_fn *fn);
void pci_bar_size_vfs(struct pci_fn *fn);
/* How many times as large as one's BAR the place is that a function has for n virtual ones. */
u32 pci_bar_vf_room(u32 n);
/* Read what a bridge forwards. */
void pci_bar_windows(struct pci_fn *fn);
/* Place all BARs of a host bridge, and what its bridges forward; bridges are on then. */
void pci_bar_place(struct pci_host *host);
/* Write BAR i: this bus address. */
void pci_bar_write(const struct pci_fn *fn, u32 i, u64 v);

/*
 * Turn on virtual functions: first say how many, before BARs are placed; then the functions of a
 * host bridge appear. What can't be done gets a line.
 */
void pci_vf_prepare(struct pci_host *host, const struct pci_vfs *want);
void pci_vf_enable(struct pci_host *host, const struct dt *dt);

/* Turn on what keeps functions apart, and find out who is in one group with whom. */
void pci_group_all(void);
