/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an untrusted flattened device tree: cells, reg, ranges, interrupts, and one form of
 * messages ("NODE: PROPERTY: expected ..., found ..."). Pure; boot CPU only.
 */
#pragma once

#include "mm/machine.h"
#include "lib/types.h"

#define DT_DEPTH_MAX 16 /* nodes deeper than this are not looked at */

/*
 * A tree, checked by dt_check() before anything else, and the line for the first complaint about
 * it.
 */
struct dt {
	const void *fdt;
	char *err; /* NULL: complaints are dropped */
	size_t err_size;
};

/* A node with its ancestors: node[0] is the root, node[depth] the node itself. */
struct dt_path {
	int node[DT_DEPTH_MAX];
	int depth;
};

struct dt_irq {
	u32 intid;
	bool edge;
};

/*
 * Write "PATH: PROP: ..." to dt->err unless it has a line already. Always false: `return
 * dt_fail(...)`.
 */
bool dt_fail(const struct dt *dt, int node, const char *prop, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/*
 * The path of a node into buf, always terminated; a path that is too long keeps its end. Returns
 * buf.
 */
const char *dt_name(const void *fdt, int node, char *buf, size_t size);

/* Whether fdt is a whole and consistent version 17 tree within max_size bytes. */
bool dt_check(const struct dt *dt, size_t max_size);

/* Start at the root; go on to the next node in the order of the tree; false after the last. */
void dt_walk(struct dt_path *p);
bool dt_next(const void *fdt, struct dt_path *p);
/* The path to a node; false if it is deeper than DT_DEPTH_MAX. */
bool dt_path_to(const void *fdt, int node, struct dt_path *p);
/* The first node, enabled with all its ancestors, that is compatible; p says where. */
bool dt_find_compatible(const void *fdt, const char *compatible, struct dt_path *p);

bool dt_has(const void *fdt, int node, const char *prop);
bool dt_compatible(const void *fdt, int node, const char *compatible);
/* Whether the node's name, without its unit address, is this. */
bool dt_is_named(const void *fdt, int node, const char *name);
/* Whether device_type is this. */
bool dt_type(const void *fdt, int node, const char *type);
/* status absent, "okay" or "ok"; dt_path_enabled: of the node and all its ancestors. */
bool dt_enabled(const void *fdt, int node);
bool dt_path_enabled(const void *fdt, const struct dt_path *p);
/* A property that is one string, or NULL (absent, or no proper string: then with a complaint). */
const char *dt_string(const struct dt *dt, int node, const char *prop);
/*
 * A property of exactly one cell, or one or two (u64); false with a complaint, also when it is
 * absent.
 */
bool dt_u32(const struct dt *dt, int node, const char *prop, u32 *v);
bool dt_u64(const struct dt *dt, int node, const char *prop, u64 *v);
/* The number in n cells, n = 1 or 2. */
u64 dt_cells(const void *cells, int n);

/* How many entries `reg` has (0: no reg); -1 with a complaint. */
int dt_reg_count(const struct dt *dt, const struct dt_path *p);
/* Entry i of `reg` as a physical range, through the ancestors' `ranges`; false with a complaint. */
bool dt_reg(const struct dt *dt, const struct dt_path *p, int i, struct range *r);
/* Entry i of `reg` as it stands, with these cell counts (1 or 2 each). */
bool dt_reg_raw(const struct dt *dt, int node, int ac, int sc, int i, struct range *r);
/*
 * The node's interrupts as the GIC at node `gic` knows them (bindings of arm,gic-v3: type, number,
 * flags), through the interrupt-maps on the way. Returns how many, at most max; -1 with a
 * complaint.
 */
int dt_interrupts(const struct dt *dt, const struct dt_path *p, int gic, struct dt_irq *irq,
		  int max);
/*
 * The interrupt of pin 1 (INTA) to 4 of a function on the root bus of the PCI host bridge at node
 * `host`. 1; 0: the bridge has none; -1 with a complaint.
 */
int dt_pci_interrupt(const struct dt *dt, int host, u32 devfn, u32 pin, int gic,
		     struct dt_irq *irq);
