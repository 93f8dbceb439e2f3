/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an untrusted flattened device tree. After fdt_check_full() libfdt stays inside the tree;
 * size and meaning of properties, which it does not know, are checked here.
 */
#include <libfdt.h>

#include "dev/dt.h"

#include "lib/log.h"

#define DT_VERSION 17

const char *dt_name(const void *fdt, int node, char *buf, size_t size)
{
	const char *name;

	if (node < 0)
		snprintf(buf, size, "/");
	else if (fdt_get_path(fdt, node, buf, (int)size) < 0) {
		name = fdt_get_name(fdt, node, NULL);
		snprintf(buf, size, ".../%s", name ? name : "?");
	}
	return buf;
}

bool dt_fail(const struct dt *dt, int node, const char *prop, const char *fmt, ...)
{
	char path[96];
	va_list ap;
	int n;

	if (!dt->err || dt->err[0])
		return false;
	n = snprintf(dt->err, dt->err_size, "%s: %s: ", dt_name(dt->fdt, node, path, sizeof(path)),
		     prop);
	if (n < 0 || (size_t)n >= dt->err_size)
		return false;
	va_start(ap, fmt);
	vsnprintf(dt->err + n, dt->err_size - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool dt_check_fail(const struct dt *dt, const char *expected, u64 found)
{
	if (dt->err)
		snprintf(dt->err, dt->err_size, "header: expected %s, found 0x%lx", expected,
			 (unsigned long)found);
	return false;
}

bool dt_check(const struct dt *dt, size_t max_size)
{
	const fdt32_t *header = dt->fdt;
	int rc;

	if (!header || !IS_ALIGNED((uintptr_t)header, 8))
		return dt_check_fail(dt, "an address that is a multiple of 8", (uintptr_t)header);
	/* libfdt reads a header before it looks at the buffer's size. */
	if (max_size < sizeof(struct fdt_header))
		return dt_check_fail(dt, "a header of 0x28 bytes", max_size);
	if (fdt_magic(header) != FDT_MAGIC)
		return dt_check_fail(dt, "magic 0xd00dfeed", fdt_magic(header));
	if (fdt_version(header) < DT_VERSION || fdt_last_comp_version(header) > DT_VERSION)
		return dt_check_fail(dt, "version 0x11", fdt_version(header));
	if (fdt_totalsize(header) > max_size) {
		if (dt->err)
			snprintf(dt->err, dt->err_size,
				 "header: expected a size of at most 0x%zx, found 0x%x", max_size,
				 fdt_totalsize(header));
		return false;
	}
	rc = fdt_check_full(dt->fdt, max_size);
	if (rc && dt->err)
		snprintf(dt->err, dt->err_size, "header: expected a consistent tree, found %s",
			 fdt_strerror(rc));
	return rc == 0;
}

void dt_walk(struct dt_path *p)
{
	p->depth = 0;
	p->node[0] = 0;
}

bool dt_next(const void *fdt, struct dt_path *p)
{
	int node = p->node[p->depth];
	int depth = p->depth;

	do {
		node = fdt_next_node(fdt, node, &depth);
		if (node < 0 || depth < 1)
			return false;
	} while (depth >= DT_DEPTH_MAX);
	p->depth = depth;
	p->node[depth] = node;
	return true;
}

bool dt_path_to(const void *fdt, int node, struct dt_path *p)
{
	dt_walk(p);
	while (p->node[p->depth] != node)
		if (!dt_next(fdt, p))
			return false;
	return true;
}

bool dt_find_compatible(const void *fdt, const char *compatible, struct dt_path *p)
{
	dt_walk(p);
	while (dt_next(fdt, p))
		if (dt_compatible(fdt, p->node[p->depth], compatible) && dt_path_enabled(fdt, p))
			return true;
	return false;
}

bool dt_has(const void *fdt, int node, const char *prop)
{
	return fdt_getprop(fdt, node, prop, NULL) != NULL;
}

bool dt_compatible(const void *fdt, int node, const char *compatible)
{
	return fdt_node_check_compatible(fdt, node, compatible) == 0;
}

bool dt_is_named(const void *fdt, int node, const char *name)
{
	const char *s = fdt_get_name(fdt, node, NULL);
	size_t n = strlen(name);

	return s && !strncmp(s, name, n) && (!s[n] || s[n] == '@');
}

bool dt_type(const void *fdt, int node, const char *type)
{
	int len, n = (int)strlen(type) + 1;
	const char *s = fdt_getprop(fdt, node, "device_type", &len);

	return s && len == n && !memcmp(s, type, (size_t)n);
}

bool dt_enabled(const void *fdt, int node)
{
	int len;
	const char *status = fdt_getprop(fdt, node, "status", &len);

	if (!status)
		return true;
	return (len == 5 && !memcmp(status, "okay", 5)) || (len == 3 && !memcmp(status, "ok", 3));
}

bool dt_path_enabled(const void *fdt, const struct dt_path *p)
{
	for (int i = 1; i <= p->depth; i++)
		if (!dt_enabled(fdt, p->node[i]))
			return false;
	return true;
}

const char *dt_string(const struct dt *dt, int node, const char *prop)
{
	int len;
	const char *s = fdt_getprop(dt->fdt, node, prop, &len);

	if (!s)
		return NULL;
	if (len < 1 || memchr(s, 0, (size_t)len) != s + len - 1) {
		dt_fail(dt, node, prop, "expected one string, found %d bytes of something else",
			len);
		return NULL;
	}
	return s;
}

u64 dt_cells(const void *cells, int n)
{
	const fdt32_t *c = cells;
	u64 v = fdt32_ld(c);

	return n == 2 ? v << 32 | fdt32_ld(c + 1) : v;
}

bool dt_u32(const struct dt *dt, int node, const char *prop, u32 *v)
{
	int len;
	const fdt32_t *c = fdt_getprop(dt->fdt, node, prop, &len);

	if (!c)
		return dt_fail(dt, node, prop, "expected one cell, found no such property");
	if (len != 4)
		return dt_fail(dt, node, prop, "expected one cell (4 bytes), found %d bytes", len);
	*v = fdt32_ld(c);
	return true;
}

bool dt_u64(const struct dt *dt, int node, const char *prop, u64 *v)
{
	int len;
	const fdt32_t *c = fdt_getprop(dt->fdt, node, prop, &len);

	if (!c)
		return dt_fail(dt, node, prop, "expected one or two cells, found no such property");
	if (len != 4 && len != 8)
		return dt_fail(dt, node, prop,
			       "expected one or two cells (4 or 8 bytes), found %d bytes", len);
	*v = dt_cells(c, len / 4);
	return true;
}

/* The cell counts that a bus node gives its children, 1 or 2 each. */
static bool dt_bus_cells(const struct dt *dt, int bus, int *ac, int *sc)
{
	*ac = fdt_address_cells(dt->fdt, bus);
	*sc = fdt_size_cells(dt->fdt, bus);
	if (*ac != 1 && *ac != 2)
		return dt_fail(dt, bus, "#address-cells", "expected 1 or 2, found %d", *ac);
	if (*sc != 1 && *sc != 2)
		return dt_fail(dt, bus, "#size-cells", "expected 1 or 2, found %d", *sc);
	return true;
}

int dt_reg_count(const struct dt *dt, const struct dt_path *p)
{
	int node = p->node[p->depth], len, ac, sc;

	if (p->depth == 0 || !fdt_getprop(dt->fdt, node, "reg", &len))
		return 0;
	if (!dt_bus_cells(dt, p->node[p->depth - 1], &ac, &sc))
		return -1;
	if (len % (4 * (ac + sc))) {
		dt_fail(dt, node, "reg", "expected a multiple of %d bytes, found %d bytes",
			4 * (ac + sc), len);
		return -1;
	}
	return len / (4 * (ac + sc));
}

bool dt_reg_raw(const struct dt *dt, int node, int ac, int sc, int i, struct range *r)
{
	int len, entry = 4 * (ac + sc);
	const u8 *c = fdt_getprop(dt->fdt, node, "reg", &len);

	if (!c)
		return dt_fail(dt, node, "reg",
			       "expected an address and a size, found no such property");
	if (len == 0 || len % entry)
		return dt_fail(dt, node, "reg", "expected a multiple of %d bytes, found %d bytes",
			       entry, len);
	if (i >= len / entry)
		return dt_fail(dt, node, "reg", "expected at least %d entries, found %d", i + 1,
			       len / entry);
	r->base = dt_cells(c + i * entry, ac);
	r->size = dt_cells(c + i * entry + 4 * ac, sc);
	if (r->base + r->size < r->base)
		return dt_fail(dt, node, "reg",
			       "expected an end below 1 << 64, found 0x%lx + 0x%lx",
			       (unsigned long)r->base, (unsigned long)r->size);
	return true;
}

/* Translate r from the addresses of the children of `bus` to those of `parent`'s children. */
static bool dt_translate(const struct dt *dt, int bus, int parent, struct range *r)
{
	int len, ac, sc, pac, psc, entry;
	const u8 *c = fdt_getprop(dt->fdt, bus, "ranges", &len);
	u64 child, size;

	if (!c)
		return dt_fail(
			dt, bus, "ranges",
			"expected a translation to physical addresses, found no such property");
	if (len == 0)
		return true;
	if (!dt_bus_cells(dt, bus, &ac, &sc) || !dt_bus_cells(dt, parent, &pac, &psc))
		return false;
	entry = 4 * (ac + pac + sc);
	if (len % entry)
		return dt_fail(dt, bus, "ranges", "expected a multiple of %d bytes, found %d bytes",
			       entry, len);
	for (; len; len -= entry, c += entry) {
		child = dt_cells(c, ac);
		size = dt_cells(c + 4 * (ac + pac), sc);
		if (r->base < child || r->base - child > size || r->size > size - (r->base - child))
			continue;
		r->base = r->base - child + dt_cells(c + 4 * ac, pac);
		if (r->base + r->size >= r->base)
			return true;
	}
	return dt_fail(dt, bus, "ranges", "expected an entry for 0x%lx + 0x%lx, found none",
		       (unsigned long)r->base, (unsigned long)r->size);
}

bool dt_reg(const struct dt *dt, const struct dt_path *p, int i, struct range *r)
{
	int ac, sc;

	if (p->depth < 1 || !dt_bus_cells(dt, p->node[p->depth - 1], &ac, &sc) ||
	    !dt_reg_raw(dt, p->node[p->depth], ac, sc, i, r))
		return false;
	for (int d = p->depth - 1; d >= 1; d--)
		if (!dt_translate(dt, p->node[d], p->node[d - 1], r))
			return false;
	return true;
}
