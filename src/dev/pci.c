/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's PCI functions: which there are, whose they are, their configuration space. */
#include "dev/pci.h"

#include "arch/mmio_access.h"
#include "arch/mmio_try.h"
#include "arch/pci.h"
#include "dev/pci_host.h"
#include "dev/pci_parts.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/addr.h"
#include "mm/stage1.h"

struct pci_all pci_all;

struct pci_host *pci_host_of(const struct pci_fn *fn)
{
	return &pci_all.host[fn->host - pci_all.host];
}

struct pci_fn *pci_fn_at(u32 i)
{
	return i < pci_all.fns ? &pci_all.fn[i] : NULL;
}

struct pci_fn *pci_find(const char *name)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (!strcmp(pci_all.fn[i].name, name))
			return &pci_all.fn[i];
	return NULL;
}

static bool is_of_other(const struct pci_fn *fn, const char *vm)
{
	return fn->owner && strcmp(fn->owner, vm) != 0;
}

const struct pci_fn *pci_sibling(const struct pci_fn *fn, const char *vm)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].group == fn->group && is_of_other(&pci_all.fn[i], vm))
			return &pci_all.fn[i];
	return NULL;
}

const struct pci_fn *pci_intx_sharer(const struct pci_fn *fn, const char *vm)
{
	for (u32 i = 0; fn->intid && i < pci_all.fns; i++)
		if (pci_all.fn[i].intid == fn->intid && is_of_other(&pci_all.fn[i], vm))
			return &pci_all.fn[i];
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
	return (u32)mmio_try_read(config_at(fn, reg), 4);
}

void pci_write(const struct pci_fn *fn, u32 reg, u32 v)
{
	mmio_try_write(config_at(fn, reg), 4, v);
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

u32 pci_ext_cap(const struct pci_fn *fn, u32 id, u32 size)
{
	u32 at = fn->express ? PCI_EXT : 0;

	/* A list can go in circles. */
	for (u32 i = 0; at >= PCI_EXT && i < PCI_EXT_MAX; i++) {
		u32 v = pci_read(fn, at);

		if (!v || v == PCI_NOBODY)
			return 0;
		if (PCI_EXT_ID(v) == id)
			return at + size <= PCI_CFG_SIZE ? at : 0;
		at = PCI_EXT_NEXT(v);
	}
	return 0;
}

/* ---- resets ---- */

void pci_reset(const struct pci_fn *fn)
{
	u32 reg = fn->express + PCI_EXP_DEVCTL;

	if (fn->flr)
		pci_write(fn, reg, (pci_read(fn, reg) & 0xffff) | PCI_EXP_DEVCTL_FLR);
}

bool pci_resets_bus(const struct pci_fn *fn)
{
	if (fn->flr || !fn->port || !fn->owner)
		return false;
	for (u32 i = 0; i < pci_all.fns; i++) {
		const struct pci_fn *other = &pci_all.fn[i];

		if (other->port == fn->port &&
		    (other->is_bridge || other->vfs || is_of_other(other, fn->owner)))
			return false;
	}
	return true;
}

void pci_bus_reset(const struct pci_fn *fn, bool on)
{
	u32 v = pci_read(fn->port, PCI_INTERRUPT) & ~(u32)PCI_BRIDGE_RESET;

	pci_write(fn->port, PCI_INTERRUPT, on ? v | (u32)PCI_BRIDGE_RESET : v);
}

static void restore(const struct pci_fn *fn)
{
	u32 acs = fn->acs ? pci_ext_cap(fn, PCI_EXT_ACS, PCI_ACS_SIZE) : 0;

	pci_command(fn, PCI_COMMAND_NO_INTX);
	/* A function-level reset clears it, and groups are made with it (PCI Express 6.6.2). */
	if (acs)
		pci_write(fn, acs + PCI_ACS, fn->acs << 16);
	for (u32 i = 0; i < PCI_BARS; i++)
		if (fn->bar[i].size && !fn->pf)
			pci_bar_write(fn, i, fn->bar[i].pci);
	if (fn->express)
		pci_write(fn, fn->express + PCI_EXP_DEVCTL, fn->devctl);
}

void pci_restore(const struct pci_fn *fn)
{
	bool bus = pci_resets_bus(fn);

	for (u32 i = 0; i < pci_all.fns; i++)
		if (&pci_all.fn[i] == fn || (bus && pci_all.fn[i].port == fn->port))
			restore(&pci_all.fn[i]);
}

/* ---- found ---- */

/*
 * Whether a virtio device takes its driver's addresses for physical ones: then it is not behind the
 * SMMU, whatever the tree says. Its features are in the first structure of its capabilities: select
 * the upper half, in which bit 1 is VIRTIO_F_ACCESS_PLATFORM.
 */
static bool bypasses(const struct pci_fn *fn)
{
	u32 at = pci_cap(fn, PCI_CAP_VENDOR, 0), info, bar, answer;
	u8 *regs;

	if (fn->pf || (fn->id & 0xffff) != PCI_VENDOR_VIRTIO || (fn->id >> 16) < 0x1000 ||
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
	return answer == PCI_NOBODY || !(answer & BIT(1));
}

static void add_host(const struct dt *dt, const struct dt_path *p, const struct pci_vfs *vfs, u32 n)
{
	struct pci_host *host = &pci_all.host[pci_all.hosts];
	u32 first = pci_all.fns;

	*host = (struct pci_host){ .segment = (u16)pci_all.hosts };
	if (!pci_host_read(host, pci_all.m, dt, p) || stage1_map_device(host->ecam, MIB(1))) {
		log_line("pci: a host bridge is left out: %s",
			 dt->err[0] ? dt->err : "its configuration space can't be mapped");
		dt->err[0] = '\0';
		return;
	}
	pci_all.hosts++;
	pci_bus_scan(host, dt);
	for (u32 i = 0; i < n; i++)
		pci_vf_prepare(host, &vfs[i]);
	pci_bar_place(host);
	pci_vf_enable(host, dt);
	for (u32 i = first; i < pci_all.fns; i++)
		if (!pci_all.fn[i].unfit && bypasses(&pci_all.fn[i]))
			pci_all.fn[i].unfit = "that goes past the SMMU (QEMU: iommu_platform=on, "
					      "disable-legacy=on)";
}

void pci_init(const struct machine *m, const struct pci_vfs *vfs, u32 n)
{
	char line[160] = "";
	struct dt dt = { .fdt = m->fdt, .err = line, .err_size = sizeof(line) };
	struct dt_path p;

	pci_all.hosts = pci_all.fns = 0;
	pci_all.m = m;
	dt_walk(&p);
	while (dt_next(dt.fdt, &p)) {
		if (!dt_compatible(dt.fdt, p.node[p.depth], "pci-host-ecam-generic") ||
		    !dt_path_enabled(dt.fdt, &p))
			continue;
		if (pci_all.hosts == PCI_HOSTS_MAX) {
			log_line("pci: there are more than %d host bridges: the functions of the "
				 "others are nobody's",
				 PCI_HOSTS_MAX);
			break;
		}
		add_host(&dt, &p, vfs, n);
	}
	for (u32 i = 0; i < n; i++)
		if (!pci_find(vfs[i].name))
			log_line("pci-vfs: expected a PCI function of the machine's, found none at "
				 "%s",
				 vfs[i].name);
	pci_group_all();
}

/* Another function, no bridge, of the same group, or NULL. */
static const struct pci_fn *companion(const struct pci_fn *fn)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (&pci_all.fn[i] != fn && pci_all.fn[i].group == fn->group &&
		    pci_all.fn[i].class >> 16 != PCI_CLASS_BRIDGE)
			return &pci_all.fn[i];
	return NULL;
}

/* How a function is reset; one with its bus only if it has that for itself. */
static const char *reset_of(const struct pci_fn *fn)
{
	return fn->flr ? "can be reset" : fn->port ? "reset with its bus" : "can't be reset";
}

static void list(const struct pci_fn *fn)
{
	const struct pci_fn *other = companion(fn);
	u64 size = 0;

	for (u32 b = 0; b < PCI_BARS; b++)
		size += fn->bar[b].size;
	log_line("pci %s: %04x:%04x class %06x, BARs 0x%lx, INTID %u, %s%s%s: %s%s", fn->name,
		 fn->id & 0xffff, fn->id >> 16, fn->class, size, fn->intid, reset_of(fn),
		 other ? ", in one group with " : "", other ? other->name : "",
		 fn->owner   ? fn->owner
		 : fn->unfit ? "nobody can have it: one "
			     : "nobody has it",
		 fn->owner || !fn->unfit ? "" : fn->unfit);
}

void pci_list(void)
{
	for (u32 i = 0; i < pci_all.fns; i++)
		if (pci_all.fn[i].class >> 16 != PCI_CLASS_BRIDGE)
			list(&pci_all.fn[i]);
}
