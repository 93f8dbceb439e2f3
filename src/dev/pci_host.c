/* SPDX-License-Identifier: Apache-2.0 */
/* PCI host bridges in the device tree (bindings of pci-host-ecam-generic, iommu-map). */
#include "dev/pci_host.h"

#include <libfdt.h>

#include "lib/log.h"
#include "mm/addr.h"

/* Cells of an entry of ranges: three of the bridge's addresses, the CPU's, two of size. */
#define PCI_CELLS 3
#define SIZE_CELLS 2
#define SPACE(hi) FIELD(hi, 25, 24)
#define SPACE_MEM32 2
#define SPACE_MEM64 3
#define MAP_ENTRY 16 /* bytes of such a map: requester ID, phandle, number, length */

static bool add_window(struct pci_host *host, const u8 *c, int ac)
{
	u32 space = (u32)SPACE(dt_cells(c, 1));
	struct pci_window w = {
		.pci = dt_cells(c + 4, 2),
		.pa = dt_cells(c + 4 * PCI_CELLS, ac),
		.size = dt_cells(c + 4 * (PCI_CELLS + ac), SIZE_CELLS),
		.wide = space == SPACE_MEM64,
	};

	if (space != SPACE_MEM32 && space != SPACE_MEM64)
		return true;
	if (w.pci + w.size < w.pci || w.pa + w.size < w.pa)
		return false;
	if (host->windows == PCI_WINDOWS_MAX) {
		log_line("pci: there are more than %d windows of a host bridge: the one at 0x%lx "
			 "is left out",
			 PCI_WINDOWS_MAX, w.pa);
		return true;
	}
	host->window[host->windows++] = w;
	return true;
}

/* A tree that was made from ACPI's tables has no windows, unless a configuration adds them. */
static bool read_ranges(struct pci_host *host, const struct dt *dt, const struct dt_path *p)
{
	int len, ac = fdt_address_cells(dt->fdt, p->node[p->depth - 1]), entry;
	const u8 *c = fdt_getprop(dt->fdt, host->node, "ranges", &len);

	host->placed = !c && dt_has(dt->fdt, host->node, "nidus,bars-placed");
	if (host->placed)
		return true;
	entry = 4 * (PCI_CELLS + ac + SIZE_CELLS);
	if ((ac != 1 && ac != 2) || !c || len % entry)
		return dt_fail(dt, host->node, "ranges", "expected entries of %d bytes, found %d",
			       entry, c ? len : 0);
	for (; len; len -= entry, c += entry)
		if (!add_window(host, c, ac))
			return dt_fail(dt, host->node, "ranges",
				       "expected ends below 1 << 64, found others");
	return true;
}

bool pci_host_read(struct pci_host *host, const struct machine *m, const struct dt *dt,
		   const struct dt_path *p)
{
	struct range ecam;
	u32 segment;
	u64 last;
	int len;
	const u8 *buses;

	host->node = p->node[p->depth];
	if (fdt_address_cells(dt->fdt, host->node) != PCI_CELLS ||
	    fdt_size_cells(dt->fdt, host->node) != SIZE_CELLS)
		return dt_fail(dt, host->node, "#address-cells", "expected 3 and 2 for sizes");
	if (!dt_reg(dt, p, 0, &ecam) || !read_ranges(host, dt, p))
		return false;
	if (!IS_ALIGNED(ecam.base, MIB(1)) || ecam.size < MIB(1))
		return dt_fail(dt, host->node, "reg", "expected a MiB for each bus, found 0x%lx",
			       ecam.size);
	for (u32 i = 0; i < host->windows; i++) {
		const struct pci_window *w = &host->window[i];
		const char *part =
			machine_part(m, machine_pages_of((struct range){ w->pa, w->size }));

		if (part)
			return dt_fail(dt, host->node, "ranges",
				       "expected addresses of its own, found 0x%lx + 0x%lx in %s",
				       w->pa, w->size, part);
	}
	host->ecam = ecam.base;
	host->ecam_size = ecam.size;
	buses = fdt_getprop(dt->fdt, host->node, "bus-range", &len);
	host->bus_first = buses && len == 8 ? (u8)dt_cells(buses, 1) : 0;
	last = buses && len == 8 ? dt_cells(buses + 4, 1) : 0xff;
	last = MIN(last, host->bus_first + (ecam.size >> 20) - 1);
	host->bus_last = (u8)MIN(last, 0xff);
	if (dt_has(dt->fdt, host->node, "linux,pci-domain") &&
	    dt_u32(dt, host->node, "linux,pci-domain", &segment))
		host->segment = (u16)segment;
	for (int d = 0; d <= p->depth; d++)
		host->coherent |= dt_has(dt->fdt, p->node[d], "dma-coherent");
	return true;
}

/*
 * Look a requester ID up in iommu-map or msi-map: the node that it leads to and its number there.
 * False: nowhere.
 */
static bool map_rid(const struct pci_host *host, const struct dt *dt, const char *const prop[2],
		    u32 rid, int *node, u32 *id)
{
	int len;
	const u8 *c = fdt_getprop(dt->fdt, host->node, prop[0], &len);
	u32 mask;

	if (dt_has(dt->fdt, host->node, prop[1])) {
		if (!dt_u32(dt, host->node, prop[1], &mask))
			return false;
		rid &= mask;
	}
	for (; c && len >= MAP_ENTRY; len -= MAP_ENTRY, c += MAP_ENTRY) {
		u32 first = (u32)dt_cells(c, 1), count = (u32)dt_cells(c + 12, 1);

		if (rid < first || rid - first >= count)
			continue;
		*node = fdt_node_offset_by_phandle(dt->fdt, (u32)dt_cells(c + 4, 1));
		*id = (u32)dt_cells(c + 8, 1) + rid - first;
		return true;
	}
	return false;
}

bool pci_host_stream(const struct pci_host *host, const struct dt *dt, u32 rid,
		     struct smmu_stream *stream)
{
	static const char *const prop[] = { "iommu-map", "iommu-map-mask" };
	int node;

	if (!map_rid(host, dt, prop, rid, &node, &stream->sid))
		return false;
	stream->smmu = smmu_at(node);
	return stream->smmu;
}

void pci_host_messages(const struct pci_host *host, const struct dt *dt, u32 rid,
		       struct its_device *msi)
{
	static const char *const prop[] = { "msi-map", "msi-map-mask" };
	int node;

	msi->its = map_rid(host, dt, prop, rid, &node, &msi->id) ? its_at(node) : NULL;
}
