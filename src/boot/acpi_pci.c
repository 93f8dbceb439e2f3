/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host bridges, SMMUs and ITSs as ACPI has them: MCFG (PCI Firmware Specification), IORT (Arm DEN
 * 0049) and the MADT's ITSs. Which addresses a bridge decodes only AML says (_CRS): what firmware
 * has put into BARs is all that is known, and bus addresses are taken for those of CPUs.
 */
#include <libfdt.h>

#include "boot/acpi_node.h"

#include "lib/log.h"

#define MCFG_FIRST 44
#define MCFG_ENTRY 16
#define HOSTS_MAX 16

#define IORT_NODES 36 /* how many, and where the first is */
#define IORT_FIRST 40
#define NODE_HEAD 16    /* of each node: kind, size, and */
#define NODE_MAPS 8     /* its ID mappings: how many, */
#define NODE_MAPS_AT 12 /* and where in it */
#define NODE_ITS 0
#define NODE_ROOT 2
#define NODE_SMMUV3 4
#define ITS_COUNT 16
#define ITS_FIRST 20
#define ROOT_COHERENT 16
#define ROOT_SEGMENT 28
#define SMMU_BASE 16
#define SMMU_EVENT_GSIV 44
#define SMMU_GERROR_GSIV 52
#define MAP_SIZE 20
#define MAP_SINGLE 1U /* flags: the mapping of a node's own messages */

#define MADT_ITS 15
#define MADT_ITS_ID 4
#define MADT_ITS_BASE 8
#define REGISTERS 0x20000UL /* of an ITS, and of an SMMU */
#define IRQ_EDGE 1U         /* SMMUs' wires (IHI 0070, 3.18) */

/* Phandles: the offset of the structure in its table, which is shorter than 16 MiB. */
#define SMMU_PHANDLE 0x1000000U
#define ITS_PHANDLE 0x2000000U

#define MAPPINGS_MAX 64 /* of iommu-map and msi-map */

/* IDs [in, last] become out and following at the node `to` of the IORT. */
struct id_map {
	u64 in, last, out;
	u32 to, flags;
};

struct entries {
	u32 be[4 * MAPPINGS_MAX];
	u32 n; /* more than MAPPINGS_MAX: there is no room */
};

/* ---- IORT ---- */

/* The node at an offset of the IORT; false if there is none that is whole. */
static bool node_at(const struct acpi_writer *w, u32 at, struct acpi_table *node)
{
	u32 size = (u32)acpi_read(w->iort, at + 1, 2);
	u64 maps;

	if (at < IORT_FIRST || size < NODE_HEAD || at > w->iort.size || size > w->iort.size - at)
		return false;
	*node = (struct acpi_table){ w->iort.data + at, size };
	maps = acpi_read(*node, NODE_MAPS, 4);
	return !maps || acpi_read(*node, NODE_MAPS_AT, 4) + maps * MAP_SIZE <= size;
}

static bool is_kind(struct acpi_table node, u32 kind)
{
	return acpi_read(node, 0, 1) == kind;
}

static u32 first_node(const struct acpi_writer *w)
{
	return (u32)acpi_read(w->iort, IORT_FIRST, 4);
}

/* The next node of this kind at *at, which moves behind it; at most *left are there. */
static bool next_node(const struct acpi_writer *w, u32 kind, u32 *at, u64 *left,
		      struct acpi_table *node)
{
	while (*left && node_at(w, *at, node)) {
		(*left)--;
		*at += node->size;
		if (is_kind(*node, kind))
			return true;
	}
	return false;
}

static u64 node_count(const struct acpi_writer *w)
{
	return acpi_read(w->iort, IORT_NODES, 4);
}

/* Whether all nodes are whole: a size that is wrong hides those behind it. */
static bool is_whole(const struct acpi_writer *w)
{
	u32 at = first_node(w);
	struct acpi_table node;

	for (u64 i = 0; i < node_count(w); i++, at += node.size)
		if (!node_at(w, at, &node)) {
			log_line("ACPI: IORT: expected %lu nodes with their ID mappings in them, "
				 "found 0x%lx bytes at 0x%x; no SMMU, so no PCI function for VMs",
				 node_count(w), acpi_read(w->iort, at + 1, 2), at);
			return false;
		}
	return true;
}

static struct id_map map_of(struct acpi_table node, u32 i)
{
	u32 at = (u32)acpi_read(node, NODE_MAPS_AT, 4) + MAP_SIZE * i;
	u64 in = acpi_read(node, at, 4);

	return (struct id_map){ .in = in,
				.last = in + acpi_read(node, at + 4, 4), /* a count less 1 */
				.out = acpi_read(node, at + 8, 4),
				.to = (u32)acpi_read(node, at + 12, 4),
				.flags = (u32)acpi_read(node, at + 16, 4) };
}

/* The next mapping of a node that is for devices' IDs; *i moves behind it. */
static bool next_map(struct acpi_table node, u32 *i, struct id_map *map)
{
	while (*i < acpi_read(node, NODE_MAPS, 4)) {
		*map = map_of(node, (*i)++);
		if (!(map->flags & MAP_SINGLE))
			return true;
	}
	return false;
}

void acpi_pci_read(struct acpi_writer *w)
{
	w->mcfg = acpi_table(w->acpi, "MCFG");
	w->iort = acpi_table(w->acpi, "IORT");
	if (w->iort.data && !is_whole(w))
		w->iort.data = NULL;
	if (!w->iort.data)
		w->iort.size = 0;
}

/* ---- ITSs ---- */

void acpi_pci_its(struct acpi_writer *w)
{
	u32 at = ACPI_MADT_FIRST, from;
	struct acpi_table entry;
	char name[40];
	int kind;

	for (from = at; (kind = acpi_node_madt(w, &at, &entry)) >= 0; from = at) {
		u64 base = acpi_read(entry, MADT_ITS_BASE, 8);

		if (kind != MADT_ITS || !base || base > base + REGISTERS)
			continue;
		snprintf(name, sizeof(name), "msi-controller@%lx", base);
		acpi_node_begin(w, name);
		acpi_node_string(w, "compatible", "arm,gic-v3-its");
		acpi_node_put(w, "msi-controller", "", 0);
		acpi_node_u32(w, "#msi-cells", 1);
		acpi_node_u32(w, "phandle", ITS_PHANDLE | from);
		acpi_node_range(w, "reg", (struct range){ base, REGISTERS });
		acpi_node_end(w);
	}
}

/* The phandle of the first ITS of a group; 0: none that the MADT has. */
static u32 its_of(const struct acpi_writer *w, struct acpi_table group)
{
	u64 id = acpi_read(group, ITS_FIRST, 4);
	u32 at = ACPI_MADT_FIRST, from;
	struct acpi_table entry;
	int kind;

	if (!acpi_read(group, ITS_COUNT, 4))
		return 0;
	for (from = at; (kind = acpi_node_madt(w, &at, &entry)) >= 0; from = at)
		if (kind == MADT_ITS && acpi_read(entry, MADT_ITS_ID, 4) == id)
			return ITS_PHANDLE | from;
	return 0;
}

/* ---- SMMUs ---- */

/* Whether the registers are those of an SMMU before this one. */
static bool is_again(const struct acpi_writer *w, struct acpi_table smmu, struct range r)
{
	u64 left = node_count(w);
	u32 at = first_node(w);
	struct acpi_table other;

	while (next_node(w, NODE_SMMUV3, &at, &left, &other) && other.data != smmu.data)
		if (range_overlaps(r, (struct range){ acpi_read(other, SMMU_BASE, 8), REGISTERS }))
			return true;
	return false;
}

static void put_smmu_irqs(struct acpi_writer *w, struct acpi_table smmu)
{
	static const struct {
		char name[8];
		u32 at;
	} irqs[] = { { "eventq", SMMU_EVENT_GSIV }, { "gerror", SMMU_GERROR_GSIV } };
	u32 cells[3 * ARRAY_SIZE(irqs)], n = 0, size = 0;
	char names[16];

	for (u32 i = 0; i < ARRAY_SIZE(irqs); i++) {
		u32 gsiv = (u32)acpi_read(smmu, irqs[i].at, 4);

		if (gsiv < 32 || gsiv > 1019)
			continue;
		cells[n++] = 0;
		cells[n++] = cpu_to_fdt32(gsiv - 32);
		cells[n++] = cpu_to_fdt32(IRQ_EDGE);
		memcpy(names + size, irqs[i].name, strlen(irqs[i].name) + 1);
		size += (u32)strlen(irqs[i].name) + 1;
	}
	if (!n)
		return;
	acpi_node_put(w, "interrupts", cells, n * sizeof(cells[0]));
	acpi_node_put(w, "interrupt-names", names, size);
}

static void put_smmu(struct acpi_writer *w, struct acpi_table smmu)
{
	const struct range r = { acpi_read(smmu, SMMU_BASE, 8), REGISTERS };
	char name[32];

	if (!r.base || r.base > r.base + r.size || is_again(w, smmu, r)) {
		log_line("ACPI: IORT: expected an SMMU with registers of its own, found 0x%lx; "
			 "not used",
			 r.base);
		return;
	}
	snprintf(name, sizeof(name), "smmuv3@%lx", r.base);
	acpi_node_begin(w, name);
	acpi_node_string(w, "compatible", "arm,smmu-v3");
	acpi_node_range(w, "reg", r);
	acpi_node_u32(w, "#iommu-cells", 1);
	acpi_node_u32(w, "phandle", SMMU_PHANDLE | (u32)(smmu.data - w->iort.data));
	put_smmu_irqs(w, smmu);
	acpi_node_end(w);
}

void acpi_pci_smmus(struct acpi_writer *w)
{
	u64 left = node_count(w);
	u32 at = first_node(w);
	struct acpi_table smmu;

	while (next_node(w, NODE_SMMUV3, &at, &left, &smmu))
		put_smmu(w, smmu);
}

/* ---- host bridges ---- */

/* IDs [in, last], as far as requesters have them, are out and following for a phandle's node. */
static void add(struct entries *e, u64 in, u64 last, u32 phandle, u64 out)
{
	const u32 entry[] = { (u32)in, phandle, (u32)out, (u32)(MIN(last, 0xffff) - in + 1) };

	if (in > 0xffff || !phandle || ++e->n > MAPPINGS_MAX)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(entry); i++)
		e->be[4 * (e->n - 1) + i] = cpu_to_fdt32(entry[i]);
}

/* What a stream's messages are known by: the part of `map` that the SMMU maps on to an ITS. */
static void add_messages(const struct acpi_writer *w, struct entries *e, const struct id_map *map,
			 struct acpi_table smmu)
{
	struct acpi_table group;
	struct id_map next;

	for (u32 i = 0; next_map(smmu, &i, &next) && e->n <= MAPPINGS_MAX;) {
		u64 first = MAX(map->out, next.in);
		u64 last = MIN(map->out + (map->last - map->in), next.last);

		if (first <= last && node_at(w, next.to, &group) && is_kind(group, NODE_ITS))
			add(e, map->in + (first - map->out), map->in + (last - map->out),
			    its_of(w, group), next.out + (first - next.in));
	}
}

/* The mappings of a root complex. */
static void add_root(const struct acpi_writer *w, struct acpi_table root, struct entries *streams,
		     struct entries *messages)
{
	struct acpi_table to;
	struct id_map map;

	for (u32 i = 0; next_map(root, &i, &map) && streams->n <= MAPPINGS_MAX &&
			messages->n <= MAPPINGS_MAX;) {
		if (!node_at(w, map.to, &to))
			continue;
		if (is_kind(to, NODE_SMMUV3)) {
			add(streams, map.in, map.last, SMMU_PHANDLE | map.to, map.out);
			add_messages(w, messages, &map, to);
		} else if (is_kind(to, NODE_ITS)) {
			add(messages, map.in, map.last, its_of(w, to), map.out);
		}
	}
}

static void put_map(struct acpi_writer *w, const char *name, const struct entries *e, u64 segment)
{
	if (e->n > MAPPINGS_MAX)
		log_line("ACPI: IORT: expected at most %d mappings of segment %lu, found more; "
			 "none is used",
			 MAPPINGS_MAX, segment);
	else if (e->n)
		acpi_node_put(w, name, e->be, 16UL * e->n);
}

/* What the IORT says of a segment's devices. */
static void put_segment(struct acpi_writer *w, u64 segment)
{
	static struct entries streams, messages;
	u64 left = node_count(w);
	u32 at = first_node(w);
	bool coherent = true, found = false;
	struct acpi_table root;

	streams.n = messages.n = 0;
	while (next_node(w, NODE_ROOT, &at, &left, &root)) {
		if (acpi_read(root, ROOT_SEGMENT, 4) != segment)
			continue;
		found = true;
		coherent &= acpi_read(root, ROOT_COHERENT, 4) == 1;
		add_root(w, root, &streams, &messages);
	}
	if (found && coherent)
		acpi_node_put(w, "dma-coherent", "", 0);
	put_map(w, "iommu-map", &streams, segment);
	put_map(w, "msi-map", &messages, segment);
}

/* Entry i of the MCFG: where the configuration space of its buses is; false after the last. */
static bool entry_at(const struct acpi_writer *w, u32 i, u64 *segment, u32 *first, struct range *r)
{
	u32 at = MCFG_FIRST + MCFG_ENTRY * i, last;

	if (at + MCFG_ENTRY > w->mcfg.size)
		return false;
	*segment = acpi_read(w->mcfg, at + 8, 2);
	*first = (u32)acpi_read(w->mcfg, at + 10, 1);
	last = (u32)acpi_read(w->mcfg, at + 11, 1);
	/* The address is that of bus 0, which need not be there. */
	r->base = acpi_read(w->mcfg, at, 8) + ((u64)*first << 20);
	r->size = last < *first ? 0 : (last + 1UL - *first) << 20;
	return true;
}

/* Whether an entry is as it should be, and overlaps none before it. */
static bool is_good(const struct acpi_writer *w, u32 i)
{
	u64 segment, other_segment;
	struct range r, other;
	u32 first, other_first;

	if (!entry_at(w, i, &segment, &first, &r) || !r.size || r.base + r.size < r.base ||
	    !r.base || !IS_ALIGNED(r.base, MIB(1)))
		return false;
	for (u32 j = 0; j < i; j++) {
		entry_at(w, j, &other_segment, &other_first, &other);
		if (range_overlaps(r, other) ||
		    (segment == other_segment &&
		     range_overlaps((struct range){ first, r.size >> 20 },
				    (struct range){ other_first, other.size >> 20 })))
			return false;
	}
	return true;
}

static void put_host(struct acpi_writer *w, u64 segment, u32 first, struct range ecam)
{
	const u32 buses[] = { cpu_to_fdt32(first),
			      cpu_to_fdt32(first + (u32)(ecam.size >> 20) - 1) };
	char name[32];

	snprintf(name, sizeof(name), "pcie@%lx", ecam.base);
	acpi_node_begin(w, name);
	acpi_node_string(w, "compatible", "pci-host-ecam-generic");
	acpi_node_string(w, "device_type", "pci");
	acpi_node_cells(w, 3, 2);
	acpi_node_u32(w, "#interrupt-cells", 1);
	acpi_node_range(w, "reg", ecam);
	acpi_node_put(w, "bus-range", buses, sizeof(buses));
	acpi_node_u32(w, "linux,pci-domain", (u32)segment);
	acpi_node_put(w, "nidus,bars-placed", "", 0);
	put_segment(w, segment);
	acpi_node_end(w);
}

void acpi_pci_hosts(struct acpi_writer *w)
{
	struct range ecam;
	u64 segment;
	u32 first;

	for (u32 i = 0; entry_at(w, i, &segment, &first, &ecam); i++) {
		if (i == HOSTS_MAX) {
			log_line("ACPI: MCFG: expected at most %d host bridges, found more; the "
				 "others are not used",
				 HOSTS_MAX);
			return;
		}
		if (is_good(w, i))
			put_host(w, segment, first, ecam);
		else
			log_line("ACPI: MCFG: expected a MiB of addresses for each bus, and no "
				 "overlap, found segment %lu with bus %u at 0x%lx + 0x%lx; not "
				 "used",
				 segment, first, ecam.base, ecam.size);
	}
	if (w->mcfg.data && (w->mcfg.size < MCFG_FIRST || (w->mcfg.size - MCFG_FIRST) % MCFG_ENTRY))
		log_line("ACPI: MCFG: expected entries of %d bytes, found 0x%x bytes in all",
			 MCFG_ENTRY, w->mcfg.size);
}
