/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's PCI functions: those behind host bridges with an ECAM. Each is off (no decode, no
 * bus master, no INTx) until a VM that has it starts; its BARs are placed once. Bridges forward.
 */
#pragma once

#include "dev/its.h"
#include "dev/smmu.h"
#include "lib/types.h"
#include "mm/machine.h"

#define PCI_HOSTS_MAX 4
#define PCI_WINDOWS_MAX 4
#define PCI_FNS_MAX 128
#define PCI_BARS 6
#define PCI_BARS_ALL 12 /* and those of all its virtual functions together */
#define PCI_NAME_MAX 16
#define PCI_VFS_MAX 8

/* Addresses that BARs of a host bridge can have. */
struct pci_window {
	u64 pci, pa, size; /* as BARs have it, and as CPUs */
	u64 used;          /* bytes from the start that BARs may be in */
	bool wide;         /* for 64-bit BARs */
};

struct pci_host {
	int node; /* offset in the machine's tree */
	u64 ecam; /* PA of the configuration space of bus bus_first */
	u64 ecam_size;
	u16 segment;
	u8 bus_first, bus_last;
	bool coherent; /* its devices see the CPUs' caches */
	bool placed;   /* no windows are known: firmware has placed the BARs, or nobody has */
	struct pci_window window[PCI_WINDOWS_MAX];
	u32 windows;
};

struct pci_bar {
	u64 pa, size; /* size 0: none */
	u64 pci;      /* what stands in the register */
	u32 flags;    /* its low bits */
};

/* Of a bridge: its buses, and the bus addresses that it forwards to them. */
struct pci_bridge {
	u8 secondary, last; /* 0: none */
	bool express, wide; /* it is a port; prefetchable memory may be beyond 4 GiB */
	bool kept;          /* its windows are firmware's */
	struct range mem, pref;
};

/* A function of which so many virtual ones are to be turned on (SR-IOV). */
struct pci_vfs {
	char name[PCI_NAME_MAX];
	u32 count;
};

struct pci_fn {
	const struct pci_host *host;
	struct pci_fn *port; /* the bridge that it is behind; NULL: none */
	char name[PCI_NAME_MAX]; /* "0000:00:01.0" */
	u8 bus, devfn;
	u32 id, class; /* as the registers have them; class without the revision */
	struct pci_bar bar[PCI_BARS_ALL];
	u8 express; /* offset of its PCI Express capability, 0: none */
	u8 type;    /* PCI_EXP_TYPE() */
	u32 devctl; /* of that capability, as firmware has set it */
	u32 acs;    /* of PCI_ACS_WANTED: what it does, */
	bool acs_full; /* and whether that is all that it could need */
	bool is_bridge;
	struct pci_bridge bridge;
	bool flr;   /* it can be reset by itself */
	bool multi; /* one of several in its device */
	u32 intid;  /* of its INTx; 0: none */
	u32 sriov;  /* offset of its SR-IOV capability, 0: none; and of */
	u32 vfs;    /* how many virtual functions of it nidus gives to VMs, */
	const struct pci_fn *pf; /* or the function that it is a virtual one of */
	u32 rid;    /* its requester ID, as the SMMU and the ITS see it */
	struct smmu_stream own_stream;
	struct smmu_stream *stream; /* that of its requester ID, which may be another function's */
	u32 group; /* the number of the first function that can reach it without an SMMU between */
	struct its_device msi; /* its and id are set from the start */
	const char *unfit; /* why no VM can have it: "expected ..., found a device %s"; or NULL */
	const char *owner; /* path of the VM that has it, or NULL */
};

/*
 * Find the host bridges of the tree and the functions behind them, turn them off, place the BARs.
 * Buses behind bridges get numbers, and bridges windows, where firmware's are not as they should
 * be. Turn on the virtual functions of n of them. Boot CPU, after smmu_init().
 */
void pci_init(const struct machine *m, const struct pci_vfs *vfs, u32 n);
/* A line for each function: who has it, and what it is in one group with. */
void pci_list(void);
/* The function with this name, or NULL. */
struct pci_fn *pci_find(const char *name);
/* Function i, or NULL after the last. */
struct pci_fn *pci_fn_at(u32 i);
/* A function of another VM in the same group, or NULL: between them there is no SMMU. */
const struct pci_fn *pci_sibling(const struct pci_fn *fn, const char *vm);
/* A function of another VM with the same INTx, or NULL. */
const struct pci_fn *pci_intx_sharer(const struct pci_fn *fn, const char *vm);

/* Configuration space: 32 bits at a multiple of 4. */
u32 pci_read(const struct pci_fn *fn, u32 reg);
void pci_write(const struct pci_fn *fn, u32 reg, u32 v);
/* The command register: these bits (PCI_COMMAND_*) and no others. */
void pci_command(const struct pci_fn *fn, u32 bits);
/* The offset of the first capability with this ID, behind `after` (0: the first); 0: none. */
u32 pci_cap(const struct pci_fn *fn, u32 id, u32 after);
/* The offset of the extended capability with this ID and of this size; 0: none. */
u32 pci_ext_cap(const struct pci_fn *fn, u32 id, u32 size);

/* Start a reset of the function by itself, if it has one (fn->flr). */
void pci_reset(const struct pci_fn *fn);
/*
 * Whether it is reset with its bus: it has no reset of its own, and behind the bridge that it is
 * behind there are no bridges and nothing of another VM's.
 */
bool pci_resets_bus(const struct pci_fn *fn);
/* Begin (on) or end the reset of its bus. */
void pci_bus_reset(const struct pci_fn *fn, bool on);
/* Off, and what a reset of it or its bus has cleared as it was: BARs, device control. */
void pci_restore(const struct pci_fn *fn);
