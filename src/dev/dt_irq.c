/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interrupts of a node, followed up the interrupt tree to the GIC: through interrupt parents
 * and the nexus nodes (interrupt-map) on the way. Devicetree Specification, chapter 2.4.
 */
#include <libfdt.h>

#include "dev/dt.h"

#define CELLS_MAX 4   /* of a unit address, and of an interrupt specifier */
#define LEVELS_MAX 16 /* steps up: a tree that goes in circles ends */
/*
 * Limit of entries of an interrupt-map: each is checked, and finding its parent takes a search of
 * the tree, unless the last entry had the same.
 */
#define ENTRIES_MAX 2048
#define PARENTS_MAX 64

/* An interrupt as the node `parent` understands it. */
struct specifier {
	int parent;
	u32 cells[2 * CELLS_MAX]; /* the unit address, then the interrupt specifier */
	u32 address, interrupt;   /* how many of each */
};

/* Cells in an address or a specifier; an interrupt parent that does not say has no address. */
static bool cell_count(const struct dt *dt, int node, const char *prop, u32 *n)
{
	*n = 0;
	if (!dt_has(dt->fdt, node, prop))
		return true;
	if (!dt_u32(dt, node, prop, n))
		return false;
	return *n <= CELLS_MAX ||
	       dt_fail(dt, node, prop, "expected at most %d, found %u", CELLS_MAX, *n);
}

/* Arm's GIC binding: <type number flags>. */
static bool decode_gic(const struct dt *dt, int node, const char *prop, const u32 *c,
		       struct dt_irq *irq)
{
	static const struct {
		u32 first, count;
	} types[] = {
		{ 32, 988 }, { 16, 16 }, { 4096, 1024 }, { 1056, 64 }
	}; /* SPI PPI ESPI EPPI */
	u32 type = c[0], number = c[1];

	if (type >= ARRAY_SIZE(types))
		return dt_fail(dt, node, prop, "expected an interrupt type of 0 to 3, found %u",
			       type);
	if (number >= types[type].count)
		return dt_fail(dt, node, prop,
			       "expected an interrupt number below %u for type %u, found %u",
			       types[type].count, type, number);
	irq->intid = types[type].first + number;
	irq->edge = (c[2] & 3) != 0;
	return true;
}

/*
 * The interrupt parent of a node: the node that interrupt-parent names or, without it, the one
 * above; if that is neither a controller nor a nexus (no #interrupt-cells), the interrupt parent of
 * that one.
 */
static int interrupt_parent(const void *fdt, int node)
{
	for (int i = 0; i < 2 * LEVELS_MAX && node >= 0; i++) {
		int len;
		const fdt32_t *c = fdt_getprop(fdt, node, "interrupt-parent", &len);

		if (c)
			node = len == 4 ? fdt_node_offset_by_phandle(fdt, fdt32_ld(c)) : -1;
		else
			node = fdt_parent_offset(fdt, node);
		if (node >= 0 && dt_has(fdt, node, "#interrupt-cells"))
			return node;
	}
	return -1;
}

/* Whether the first cells of an entry are those of s, under the mask (NULL: all). */
static bool entry_matches(const struct specifier *s, const u8 *entry, const u8 *mask)
{
	for (u32 i = 0; i < s->address + s->interrupt; i++) {
		u32 m = mask ? (u32)dt_cells(mask + 4 * i, 1) : ~0U;

		if (((u32)dt_cells(entry + 4 * i, 1) ^ s->cells[i]) & m)
			return false;
	}
	return true;
}

/* The node and the cell counts of the parent that an entry of an interrupt-map names. */
static bool entry_parent(const struct dt *dt, int nexus, u32 phandle, struct specifier *to)
{
	to->parent = fdt_node_offset_by_phandle(dt->fdt, phandle);
	if (to->parent < 0 || !dt_has(dt->fdt, to->parent, "#interrupt-cells"))
		return dt_fail(dt, nexus, "interrupt-map",
			       "expected interrupt parents, found phandle 0x%x", phandle);
	return cell_count(dt, to->parent, "#address-cells", &to->address) &&
	       cell_count(dt, to->parent, "#interrupt-cells", &to->interrupt);
}

/*
 * One step up: translate s by the nexus s->parent. An entry of the map is: unit address and
 * specifier of a child, phandle of a parent, unit address and specifier there. Each has as many
 * cells as the node that it is for says.
 */
static bool map_up(const struct dt *dt, struct specifier *s)
{
	int nexus = s->parent, len, mask_len, entries = 0, parents = 0;
	const u8 *entry = fdt_getprop(dt->fdt, nexus, "interrupt-map", &len);
	const u8 *mask = fdt_getprop(dt->fdt, nexus, "interrupt-map-mask", &mask_len);
	u32 in = 4 * (s->address + s->interrupt), out, phandle, last = 0;
	struct specifier to = { 0 };

	if (mask && (u32)mask_len != in)
		return dt_fail(dt, nexus, "interrupt-map-mask", "expected %u bytes, found %d", in,
			       mask_len);
	for (u32 left = (u32)len; left; left -= in + 4 + out, entry += in + 4 + out) {
		if (left < in + 4)
			return dt_fail(dt, nexus, "interrupt-map",
				       "expected whole entries, found %u bytes over", left);
		if (entries++ == ENTRIES_MAX)
			return dt_fail(dt, nexus, "interrupt-map",
				       "expected at most %d entries, found more", ENTRIES_MAX);
		phandle = (u32)dt_cells(entry + in, 1);
		if (!parents || phandle != last) {
			if (parents++ == PARENTS_MAX)
				return dt_fail(
					dt, nexus, "interrupt-map",
					"expected at most %d changes of interrupt parents, found "
					"more",
					PARENTS_MAX - 1);
			if (!entry_parent(dt, nexus, phandle, &to))
				return false;
			last = phandle;
		}
		out = 4 * (to.address + to.interrupt);
		if (left - in - 4 < out)
			return dt_fail(dt, nexus, "interrupt-map",
				       "expected whole entries, found %u bytes over", left);
		if (!entry_matches(s, entry, mask))
			continue;
		for (u32 i = 0; i < out / 4; i++)
			to.cells[i] = (u32)dt_cells(entry + in + 4 + 4 * i, 1);
		*s = to;
		return true;
	}
	return dt_fail(dt, nexus, "interrupt-map",
		       "expected an entry for interrupt 0x%x, found none",
		       s->interrupt ? s->cells[s->address] : 0);
}

/* Up to the GIC; node and prop are where it began, for complaints. */
static bool resolve(const struct dt *dt, int node, const char *prop, int gic, struct specifier *s,
		    struct dt_irq *irq)
{
	for (int i = 0; i < LEVELS_MAX; i++) {
		if (s->parent == gic)
			return decode_gic(dt, node, prop, s->cells + s->address, irq);
		if (!dt_has(dt->fdt, s->parent, "interrupt-map"))
			break;
		if (!map_up(dt, s))
			return false;
	}
	return dt_fail(dt, node, prop,
		       "expected interrupts of the GICv3, found another interrupt parent");
}

/*
 * The unit address: the first cells of reg; missing cells are 0, and for a map with a mask to
 * ignore.
 */
static void unit_address(const struct dt *dt, int node, struct specifier *s)
{
	int len;
	const u8 *reg = fdt_getprop(dt->fdt, node, "reg", &len);

	for (u32 i = 0; i < s->address; i++)
		s->cells[i] = reg && len >= 4 * (int)(i + 1) ? (u32)dt_cells(reg + 4 * i, 1) : 0;
}

/*
 * Entries of node are for parent: into s, with the unit address and the cells that a specifier has
 * there.
 */
static bool begin_parent(const struct dt *dt, int node, const char *prop, int parent,
			 struct specifier *s)
{
	s->parent = parent;
	if (parent < 0 || !dt_has(dt->fdt, parent, "#interrupt-cells"))
		return dt_fail(dt, node, prop,
			       "expected interrupts of the GICv3, found another interrupt parent");
	if (!cell_count(dt, parent, "#interrupt-cells", &s->interrupt) ||
	    !cell_count(dt, parent, "#address-cells", &s->address))
		return false;
	unit_address(dt, node, s);
	return true;
}

/*
 * The parent of the node's `interrupts`; a GIC without interrupt-parent is the root of the
 * interrupt tree.
 */
static bool begin_interrupts(const struct dt *dt, int node, int gic, struct specifier *s)
{
	int parent = interrupt_parent(dt->fdt, node);

	return begin_parent(dt, node, "interrupts", parent < 0 && node == gic ? gic : parent, s);
}

/* The controller of an entry of interrupts-extended; *c is moved behind its phandle. */
static bool begin_extended(const struct dt *dt, int node, const u8 **c, const u8 *end,
			   struct specifier *s)
{
	const char *prop = "interrupts-extended";
	const u8 *entry = *c;

	if (end - entry < 4)
		return dt_fail(dt, node, prop, "expected whole entries, found %ld bytes over",
			       (long)(end - entry));
	*c += 4;
	return begin_parent(dt, node, prop,
			    fdt_node_offset_by_phandle(dt->fdt, (u32)dt_cells(entry, 1)), s);
}

/* The specifier at *c, which is moved behind it. */
static bool read_specifier(const struct dt *dt, int node, const char *prop, const u8 **c,
			   const u8 *end, struct specifier *s)
{
	if (s->interrupt == 0 || end - *c < 4 * (s64)s->interrupt)
		return dt_fail(dt, node, prop,
			       "expected whole entries (%u bytes each), found %ld bytes over",
			       4 * s->interrupt, (long)(end - *c));
	for (u32 i = 0; i < s->interrupt; i++, *c += 4)
		s->cells[s->address + i] = (u32)dt_cells(*c, 1);
	return true;
}

int dt_interrupts(const struct dt *dt, const struct dt_path *p, int gic, struct dt_irq *irq,
		  int max)
{
	int node = p->node[p->depth], len, count = 0;
	const char *prop = "interrupts-extended";
	const u8 *c = fdt_getprop(dt->fdt, node, prop, &len), *end;
	bool extended = c != NULL;
	struct specifier to, s; /* the entry's as it stands in the node, and on the way up */
	u32 cells;

	if (!c) {
		prop = "interrupts";
		c = fdt_getprop(dt->fdt, node, prop, &len);
	}
	if (!c)
		return 0;
	if (!dt_u32(dt, gic, "#interrupt-cells", &cells))
		return -1;
	if (cells != 3 && cells != 4) {
		dt_fail(dt, gic, "#interrupt-cells", "expected 3 or 4, found %u", cells);
		return -1;
	}
	for (end = c + len; c < end; count++) {
		if (count == max) {
			dt_fail(dt, node, prop, "expected at most %d interrupts, found more", max);
			return -1;
		}
		/*
		 * All entries of `interrupts` have the same parent, and finding it is a search of
		 * the whole tree.
		 */
		if (extended ? !begin_extended(dt, node, &c, end, &to) :
			       !count && !begin_interrupts(dt, node, gic, &to))
			return -1;
		if (!read_specifier(dt, node, prop, &c, end, &to))
			return -1;
		s = to;
		if (!resolve(dt, node, prop, gic, &s, &irq[count]))
			return -1;
	}
	return count;
}

int dt_pci_interrupt(const struct dt *dt, int host, u32 devfn, u32 pin, int gic, struct dt_irq *irq)
{
	struct specifier s = { .parent = host };
	const char *prop = "interrupt-map";

	if (!dt_has(dt->fdt, host, prop))
		return 0;
	if (!cell_count(dt, host, "#address-cells", &s.address) ||
	    !cell_count(dt, host, "#interrupt-cells", &s.interrupt))
		return -1;
	if (s.address != 3 || s.interrupt != 1) {
		dt_fail(dt, host, prop, "expected 3 cells of address and 1 of interrupt");
		return -1;
	}
	s.cells[0] = devfn << 8;
	s.cells[3] = pin;
	return resolve(dt, host, prop, gic, &s, irq) ? 1 : -1;
}
