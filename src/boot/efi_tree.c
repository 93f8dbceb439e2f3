/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree that nidus is given under UEFI. The configuration is laid over the machine's
 * tree: a property replaces the one of the same node, a node joins the one of the same path. A
 * configuration with /cpus describes a machine of its own, and the other tree is not used. RAM is
 * what the memory map says, in either.
 */
#include <libfdt.h>

#include "boot/efi.h"

#include "dev/dt.h"
#include "lib/log.h"

/* A node of the new tree: where it is in either tree, or -1. */
struct place {
	int machine, config;
};

struct tree_writer {
	const struct efi_machine *m;
	const void *machine; /* NULL: not used */
	void *fdt;
	int err; /* libfdt's, once there is one */
	struct dt dt; /* of the configuration, for complaints */
	int ac, sc; /* the root's cells */
	bool in_chosen;
	int chosen_ac, chosen_sc;
};

static char line[192];

static void keep(struct tree_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

static void put(struct tree_writer *w, const char *name, const void *data, int len)
{
	if (!w->err)
		keep(w, fdt_property(w->fdt, name, data, len));
}

static void begin(struct tree_writer *w, const char *name)
{
	if (!w->err)
		keep(w, fdt_begin_node(w->fdt, name));
}

static void end(struct tree_writer *w)
{
	if (!w->err)
		keep(w, fdt_end_node(w->fdt));
}

static const void *get(const void *fdt, int node, const char *name, int *len)
{
	return fdt && node >= 0 ? fdt_getprop(fdt, node, name, len) : NULL;
}

/* The property that names a module's file; NULL: the node is none that does. */
static const char *file_property(const void *fdt, int node)
{
	static const char names[][16] = { "xen,uefi-binary", "nidus,file" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (dt_has(fdt, node, names[i]))
			return names[i];
	return NULL;
}

/* ---- which files ---- */

static bool add_file(struct efi_machine *m, const struct dt *dt, int node)
{
	const char *prop = file_property(dt->fdt, node), *name;

	if (!prop)
		return true;
	name = dt_string(dt, node, prop);
	if (!name)
		return dt_fail(dt, node, prop, "expected the name of a file");
	for (u32 i = 0; i < m->modules; i++)
		if (!strcmp(m->module[i].name, name))
			return true;
	if (m->modules == EFI_FILES_MAX)
		return dt_fail(dt, node, prop, "expected at most %d files, found more",
			       EFI_FILES_MAX);
	m->module[m->modules++] = (struct efi_module){ .name = name };
	return true;
}

/* A partial tree must have no phandles: one could be that of another node of the machine's tree. */
static bool check_phandles(const struct dt *dt)
{
	int depth = 0;

	for (int node = 0; node >= 0 && depth >= 0; node = fdt_next_node(dt->fdt, node, &depth))
		if (fdt_get_phandle(dt->fdt, node))
			return dt_fail(dt, node, "phandle",
				       "expected none in a tree without /cpus, found one");
	return true;
}

static bool list_files(struct efi_machine *m, const struct dt *dt)
{
	int chosen = fdt_subnode_offset(dt->fdt, 0, "chosen"), depth = 0;

	for (int node = chosen; node >= 0 && depth >= 0;) {
		if (!add_file(m, dt, node))
			return false;
		node = fdt_next_node(dt->fdt, node, &depth);
		if (depth <= 0)
			break;
	}
	return fdt_subnode_offset(dt->fdt, 0, "cpus") >= 0 || check_phandles(dt);
}

const char *efi_tree_files(struct efi_machine *m)
{
	const struct dt dt = { .fdt = m->config, .err = line, .err_size = sizeof(line) };

	line[0] = '\0';
	m->modules = 0;
	return !m->config || list_files(m, &dt) ? NULL : line;
}

/* ---- what a loader handed over ---- */

/* A module of which nobody has said what it is, with its place as GRUB writes it. */
static bool is_handed(const void *fdt, int node, struct range *at)
{
	int len;
	const u8 *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || len != 16 || !dt_compatible(fdt, node, "multiboot,module") ||
	    dt_compatible(fdt, node, "multiboot,kernel") ||
	    dt_compatible(fdt, node, "multiboot,ramdisk"))
		return false;
	*at = (struct range){ dt_cells(reg, 2), dt_cells(reg + 8, 2) };
	return true;
}

bool efi_tree_handed(struct efi_machine *m, const void *fdt)
{
	int chosen = fdt_subnode_offset(fdt, 0, "chosen"), node;
	struct range at;

	m->modules = 0;
	fdt_for_each_subnode(node, fdt, chosen)
	{
		if (m->modules < EFI_FILES_MAX && is_handed(fdt, node, &at))
		m->module[m->modules++] = (struct efi_module){ .from = at };
	}
	return m->modules;
}

/* ---- the tree ---- */

static bool fail(struct tree_writer *w, int node, const char *prop, const char *what)
{
	dt_fail(&w->dt, node, prop, "%s", what);
	keep(w, -FDT_ERR_BADVALUE);
	return false;
}

/* A number as n cells at *to, which moves on. */
static bool put_cells(u8 **to, int n, u64 v)
{
	if (n == 1 && v >> 32)
		return false;
	for (int i = n * 4 - 1; i >= 0; i--)
		*(*to)++ = (u8)(v >> i * 8);
	return true;
}

static bool put_range(u8 **to, int ac, int sc, struct range r)
{
	return put_cells(to, ac, r.base) && put_cells(to, sc, r.size);
}

/* A #...-cells of a node, the configuration's before the machine's; otherwise what is `without`. */
static int cells(struct tree_writer *w, struct place at, const char *name, int without)
{
	int len;
	const void *v = get(w->m->config, at.config, name, &len);

	if (!v)
		v = get(w->machine, at.machine, name, &len);
	return v && len == 4 ? (int)MIN(dt_cells(v, 1), 3) : without;
}

/* reg of the module at node, whose parent is at `parent`. */
static void put_module(struct tree_writer *w, int node, struct place parent, const char *prop)
{
	int ac = cells(w, parent, "#address-cells", w->ac);
	int sc = cells(w, parent, "#size-cells", w->sc);
	const char *name = dt_string(&w->dt, node, prop);
	u8 reg[16], *to = reg;

	for (u32 i = 0; name && i < w->m->modules; i++) {
		if (!w->m->module[i].name || strcmp(w->m->module[i].name, name) != 0)
			continue;
		if (ac < 1 || ac > 2 || sc < 1 || sc > 2 ||
		    !put_range(&to, ac, sc, w->m->module[i].at))
			fail(w, node, prop,
			     "expected #address-cells and #size-cells of 2 for a file's place");
		else
			put(w, "reg", reg, (int)(to - reg));
		return;
	}
	fail(w, node, prop, "expected a file that was read");
}

/* The module that a node of the loader's is; NULL: none. */
static const struct efi_module *handed(struct tree_writer *w, const void *fdt, int node)
{
	struct range at;

	if (!fdt || node < 0 || !is_handed(fdt, node, &at))
		return NULL;
	for (u32 i = 0; i < w->m->modules; i++)
		if (!w->m->module[i].name && w->m->module[i].from.base == at.base)
			return &w->m->module[i];
	return NULL;
}

/* Its place now, and what it is. */
static void put_handed(struct tree_writer *w, const struct efi_module *module)
{
	static const char kernel[] = "multiboot,kernel\0multiboot,module";
	static const char ramdisk[] = "multiboot,ramdisk\0multiboot,module";
	u8 reg[16], *to = reg;

	if (w->chosen_ac < 1 || w->chosen_ac > 2 || w->chosen_sc < 1 || w->chosen_sc > 2 ||
	    !put_range(&to, w->chosen_ac, w->chosen_sc, module->at)) {
		fail(w, 0, "#address-cells", "expected 2 for a module's place");
		return;
	}
	put(w, "reg", reg, (int)(to - reg));
	put(w, "compatible", module->kernel ? kernel : ramdisk,
	    module->kernel ? sizeof(kernel) : sizeof(ramdisk));
}

/* The properties of one tree's node but those that `over` has as well or that are made anew. */
static void put_properties(struct tree_writer *w, const void *fdt, int node, const void *over,
			   int over_node, bool file, bool module)
{
	int at, len;

	fdt_for_each_property_offset(at, fdt, node)
	{
		const char *name = NULL;
		const void *data = fdt_getprop_by_offset(fdt, at, &name, &len);

		if (!data || !name) {
			keep(w, -FDT_ERR_BADSTRUCTURE);
			return;
		}
		if ((over && over_node >= 0 && dt_has(over, over_node, name)) ||
		    (file && (!strcmp(name, "reg") || !strcmp(name, "xen,uefi-binary") ||
			      !strcmp(name, "nidus,file"))) ||
		    (module && (!strcmp(name, "reg") || !strcmp(name, "compatible"))) ||
		    (w->in_chosen && (!strcmp(name, "bootargs") || !strcmp(name, "nidus,time"))))
			continue;
		put(w, name, data, len);
	}
}

/* The tree's own bootargs, and behind them what the application was started with. */
static void put_bootargs(struct tree_writer *w, struct place at)
{
	static char text[2048];
	int len;
	const char *own = get(w->m->config, at.config, "bootargs", &len);

	if (!own)
		own = get(w->machine, at.machine, "bootargs", &len);
	if (own && (len < 1 || own[len - 1]))
		own = NULL;
	len = snprintf(text, sizeof(text), "%s%s%s", own ? own : "",
		       own && own[0] && w->m->options[0] ? " " : "", w->m->options);
	if (len >= (int)sizeof(text))
		keep(w, -FDT_ERR_NOSPACE);
	else
		put(w, "bootargs", text, len + 1);
}

/* What /chosen has beside what it had: the command line, and the date. */
static void put_chosen(struct tree_writer *w, struct place at)
{
	u8 time[16], *to = time;

	put_bootargs(w, at);
	if (!w->m->time)
		return;
	put_cells(&to, 2, w->m->time);
	put_cells(&to, 2, w->m->time_ticks);
	put(w, "nidus,time", time, sizeof(time));
}

/* All of RAM as one node. */
static void put_memory(struct tree_writer *w)
{
	u8 reg[MACHINE_MEM_MAX * 16], *to = reg;
	char name[32];

	for (u32 i = 0; i < w->m->ram_count; i++)
		if (!put_range(&to, w->ac, w->sc, w->m->ram[i])) {
			fail(w, 0, "#address-cells", "expected 2 on a machine with as much memory");
			return;
		}
	if (!w->m->ram_count)
		return;
	snprintf(name, sizeof(name), "memory@%lx", w->m->ram[0].base);
	begin(w, name);
	put(w, "device_type", "memory", 7);
	put(w, "reg", reg, (int)(to - reg));
	end(w);
}

static void put_node(struct tree_writer *w, struct place at, struct place parent, int depth);

/* The subnode of this name, with its unit address; -1: none. */
static int same_name(const void *fdt, int parent, const char *name)
{
	int node;

	if (!fdt || parent < 0)
		return -1;
	fdt_for_each_subnode(node, fdt, parent)
		if (!strcmp(fdt_get_name(fdt, node, NULL), name))
			return node;
	return -1;
}

/* Below a node, but memory: those of the machine, with what the configuration adds; then others. */
static void put_subnodes(struct tree_writer *w, struct place at, int depth)
{
	const void *config = w->m->config;
	int node;

	if (w->machine && at.machine >= 0)
		fdt_for_each_subnode(node, w->machine, at.machine)
		{
			const char *name = fdt_get_name(w->machine, node, NULL);

			if (name && !dt_type(w->machine, node, "memory"))
				put_node(w,
					 (struct place){ node, same_name(config, at.config, name) },
					 at, depth);
		}
	if (config && at.config >= 0)
		fdt_for_each_subnode(node, config, at.config)
		{
			const char *name = fdt_get_name(config, node, NULL);

			if (name && !dt_type(config, node, "memory") &&
			    same_name(w->machine, at.machine, name) < 0)
				put_node(w, (struct place){ -1, node }, at, depth);
		}
}

static bool is_chosen(const struct tree_writer *w, struct place at, int depth)
{
	return depth == 1 &&
	       ((at.config >= 0 && dt_is_named(w->m->config, at.config, "chosen")) ||
		(at.machine >= 0 && dt_is_named(w->machine, at.machine, "chosen")));
}

static void put_contents(struct tree_writer *w, struct place at, struct place parent, int depth)
{
	const char *file = at.config >= 0 ? file_property(w->m->config, at.config) : NULL;
	const struct efi_module *module = handed(w, w->machine, at.machine);

	if (!module)
		module = handed(w, w->m->config, at.config);
	w->in_chosen = is_chosen(w, at, depth);
	if (at.machine >= 0)
		put_properties(w, w->machine, at.machine, w->m->config, at.config, file, module);
	if (at.config >= 0)
		put_properties(w, w->m->config, at.config, NULL, -1, file, module);
	if (file)
		put_module(w, at.config, parent, file);
	if (module)
		put_handed(w, module);
	if (w->in_chosen) {
		w->chosen_ac = cells(w, at, "#address-cells", w->ac);
		w->chosen_sc = cells(w, at, "#size-cells", w->sc);
		put_chosen(w, at);
	}
	w->in_chosen = false;
	if (depth == 0)
		put_memory(w);
	put_subnodes(w, at, depth + 1);
}

static void put_node(struct tree_writer *w, struct place at, struct place parent, int depth)
{
	const char *name = at.machine >= 0 ? fdt_get_name(w->machine, at.machine, NULL) :
					     fdt_get_name(w->m->config, at.config, NULL);

	if (depth > 2 * DT_DEPTH_MAX || !name)
		keep(w, -FDT_ERR_BADSTRUCTURE);
	if (w->err)
		return;
	begin(w, name);
	put_contents(w, at, parent, depth);
	end(w);
}

/* A tree without /chosen gets one, for the command line. */
static bool has_chosen(const void *fdt)
{
	return fdt && fdt_subnode_offset(fdt, 0, "chosen") >= 0;
}

static void put_root(struct tree_writer *w)
{
	const struct place none = { -1, -1 };
	struct place at = { w->machine ? 0 : -1, w->m->config ? 0 : -1 };

	w->ac = cells(w, at, "#address-cells", 2);
	w->sc = cells(w, at, "#size-cells", 1);
	if (w->ac < 1 || w->ac > 2 || w->sc < 1 || w->sc > 2) {
		fail(w, 0, "#address-cells", "expected 1 or 2, and #size-cells as well");
		return;
	}
	begin(w, "");
	put_contents(w, at, none, 0);
	if (!has_chosen(w->machine) && !has_chosen(w->m->config)) {
		begin(w, "chosen");
		put_chosen(w, none);
		end(w);
	}
	end(w);
}

const char *efi_tree_write(const struct efi_machine *m, void *buf, size_t size)
{
	struct tree_writer w = { .m = m, .machine = m->tree, .fdt = buf };

	line[0] = '\0';
	w.dt.fdt = m->config ? m->config : m->tree;
	w.dt.err = line;
	w.dt.err_size = sizeof(line);
	if (m->config && fdt_subnode_offset(m->config, 0, "cpus") >= 0)
		w.machine = NULL;
	keep(&w, fdt_create(buf, (int)size));
	if (!w.err)
		keep(&w, fdt_finish_reservemap(buf));
	put_root(&w);
	if (!w.err)
		keep(&w, fdt_finish(buf));
	if (!w.err)
		return NULL;
	if (!line[0])
		snprintf(line, sizeof(line), "device tree: expected one that can be written: %s",
			 fdt_strerror(w.err));
	return line;
}
