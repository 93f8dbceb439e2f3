/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot modules: the files that the loader put into RAM for VMs. Each must lie in RAM that nothing
 * else uses, and stays reserved for the life of the machine (a VM that resets is built from it
 * again).
 */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "mm/stage1.h"

/* Report a module that overlaps nidus, the tree, reserved memory or another module. */
static bool check_module(struct config_reader *r, int node, const struct config_module *mod)
{
	struct range a = mod->range;
	char path[64];

	if (!a.size)
		return dt_fail(&r->dt, node, "reg", "expected a size above 0, found 0");
	if (!machine_is_ram(r->m, a.base, a.size))
		return dt_fail(&r->dt, node, "reg",
			       "expected a module inside RAM, found 0x%lx + 0x%lx", a.base, a.size);
	if (range_overlaps(a, r->self))
		return dt_fail(
			&r->dt, node, "reg",
			"expected no overlap with nidus (0x%lx + 0x%lx), found 0x%lx + 0x%lx",
			r->self.base, r->self.size, a.base, a.size);
	/* On a machine of many ranges these were taken before any module was known. */
	if (range_overlaps(a, stage1_donated()))
		return dt_fail(
			&r->dt, node, "reg",
			"expected no overlap with nidus's tables (0x%lx + 0x%lx), found 0x%lx + "
			"0x%lx",
			stage1_donated().base, stage1_donated().size, a.base, a.size);
	for (u32 i = 0; i < r->m->rsv_fixed; i++)
		if (range_overlaps(a, r->m->rsv[i]))
			return dt_fail(
				&r->dt, node, "reg",
				"expected no overlap with reserved memory (0x%lx + 0x%lx), found "
				"0x%lx + 0x%lx",
				r->m->rsv[i].base, r->m->rsv[i].size, a.base, a.size);
	for (u32 i = 0; i < r->modules; i++) {
		const struct config_module *b = &r->module[i];
		/* Modules are only read: two VMs may start from one and the same file. */
		bool shared = b->range.base == a.base && b->range.size == a.size &&
			      ((b->owner != mod->owner && b->kernel == mod->kernel) || b->handed ||
			       mod->handed);

		if (!shared && range_overlaps(a, b->range))
			return dt_fail(
				&r->dt, node, "reg",
				"expected no overlap with a module of %s (0x%lx + 0x%lx), found "
				"0x%lx + 0x%lx",
				dt_name(r->dt.fdt, b->owner, path, sizeof(path)), b->range.base,
				b->range.size, a.base, a.size);
	}
	return true;
}

/* Whether the module's range is in m->rsv already: two VMs with one file need one entry. */
static bool is_reserved(const struct config_reader *r, struct range a)
{
	for (u32 i = 0; i < r->modules; i++)
		if (r->module[i].range.base == a.base && r->module[i].range.size == a.size)
			return true;
	return false;
}

bool config_keep_module(struct config_reader *r, int node, const struct config_module *mod)
{
	bool ok = check_module(r, node, mod);

	/* The memory of a faulty one too: its loader meant it to stay. */
	if (!is_reserved(r, mod->range) && !machine_reserve(r->m, mod->range.base, mod->range.size))
		return dt_fail(&r->dt, node, "reg",
			       "expected at most %d reserved ranges, found more", MACHINE_RSV_MAX);
	if (!ok)
		return false;
	if (r->modules == ARRAY_SIZE(r->module))
		return dt_fail(&r->dt, node, "reg", "expected at most %zu modules, found more",
			       ARRAY_SIZE(r->module));
	r->module[r->modules++] = *mod;
	return true;
}

bool config_add_module(struct config_reader *r, struct vm_config *vm, int node, int owner, int ac,
		       int sc)
{
	bool kernel = config_module_kind(r->dt.fdt, node) == 1;
	struct range *to = kernel ? &vm->kernel : &vm->ramdisk;
	struct config_module mod = { .owner = owner, .kernel = kernel };
	const char *bootargs;

	if (!dt_reg_raw(&r->dt, node, ac, sc, 0, &mod.range) || !config_keep_module(r, node, &mod))
		return false;
	if (to->size)
		return dt_fail(&r->dt, owner, kernel ? "multiboot,kernel" : "multiboot,ramdisk",
			       "expected one module, found a second at 0x%lx", mod.range.base);
	*to = mod.range;
	if (!kernel || !dt_has(r->dt.fdt, node, "bootargs"))
		return true;
	bootargs = dt_string(&r->dt, node, "bootargs");
	if (bootargs)
		vm->bootargs = bootargs;
	return bootargs != NULL;
}

int config_module_kind(const void *fdt, int node)
{
	if (dt_compatible(fdt, node, "multiboot,kernel"))
		return 1;
	return dt_compatible(fdt, node, "multiboot,ramdisk") ? 0 : -1;
}

bool config_module_cells(struct config_reader *r, int node, int *ac, int *sc)
{
	const void *fdt = r->dt.fdt;
	int an = dt_has(fdt, node, "#address-cells") ? node : 0;
	int sn = dt_has(fdt, node, "#size-cells") ? node : 0;

	*ac = fdt_address_cells(fdt, an);
	*sc = fdt_size_cells(fdt, sn);
	if (*ac != 1 && *ac != 2)
		return dt_fail(&r->dt, an, "#address-cells", "expected 1 or 2, found %d", *ac);
	if (*sc != 1 && *sc != 2)
		return dt_fail(&r->dt, sn, "#size-cells", "expected 1 or 2, found %d", *sc);
	return true;
}
