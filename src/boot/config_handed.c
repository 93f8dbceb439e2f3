/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules for a VM's own VMs: the contents of its node's sub-node `chosen`, which it finds in its
 * own /chosen. nidus only reads where the modules are: the rest is for the hypervisor in the VM to
 * interpret.
 */
#include <libfdt.h>

#include "boot/config_parts.h"

/*
 * A domain in a domain is two levels of nodes: with the modules, seven levels of hypervisors below
 * this one.
 */
#define DEPTH_MAX 16

static bool is_module(const void *fdt, int node)
{
	return config_module_kind(fdt, node) >= 0 || dt_compatible(fdt, node, "multiboot,module");
}

/*
 * Reject properties of /chosen that belong in the VM's node; and phandles, which might be another
 * node's there.
 */
static bool check_properties(struct config_reader *r, const struct vm_config *vm, int node)
{
	static const char own[][20] = { "bootargs", "stdout-path", "linux,initrd-start",
					"linux,initrd-end" };
	const void *fdt = r->dt.fdt;

	for (u32 i = 0; node == vm->chosen && i < ARRAY_SIZE(own); i++)
		if (dt_has(fdt, node, own[i]))
			return dt_fail(&r->dt, node, own[i],
				       "expected it in the domain's node or its modules, found it "
				       "here");
	if (dt_has(fdt, node, "phandle") || dt_has(fdt, node, "linux,phandle"))
		return dt_fail(&r->dt, node, "phandle",
			       "expected no references to a node that is handed down, found one");
	return true;
}

static bool add(struct config_reader *r, struct vm_config *vm, int node, int parent)
{
	struct config_module mod = { .owner = vm->node, .handed = true };
	int ac, sc;

	if (vm->handed_count == VM_HANDED_MAX)
		return dt_fail(&r->dt, node, "reg", "expected at most %d modules, found more",
			       VM_HANDED_MAX);
	if (!config_module_cells(r, parent, &ac, &sc) ||
	    !dt_reg_raw(&r->dt, node, ac, sc, 0, &mod.range) || !config_keep_module(r, node, &mod))
		return false;
	vm->handed[vm->handed_count++] = (struct handed_module){ node, mod.range };
	return true;
}

/* Handle each node below chosen. A module of a faulty VM is set aside too, so none is left out. */
static bool read_nodes(struct config_reader *r, struct vm_config *vm)
{
	const void *fdt = r->dt.fdt;
	int path[DEPTH_MAX + 1] = { vm->chosen }, depth = 0;
	bool ok = check_properties(r, vm, vm->chosen);

	for (int node = fdt_next_node(fdt, vm->chosen, &depth); node >= 0 && depth > 0;
	     node = fdt_next_node(fdt, node, &depth)) {
		if (depth > DEPTH_MAX)
			return dt_fail(&r->dt, node, "chosen",
				       "expected at most %d nodes inside one another, found more",
				       DEPTH_MAX);
		path[depth] = node;
		ok &= check_properties(r, vm, node);
		if (is_module(fdt, node))
			ok &= add(r, vm, node, path[depth - 1]);
	}
	return ok;
}

bool config_handed(struct config_reader *r, struct vm_config *vm)
{
	int node;

	fdt_for_each_subnode(node, r->dt.fdt, vm->node)
	{
		if (!dt_is_named(r->dt.fdt, node, "chosen") || !dt_enabled(r->dt.fdt, node))
			continue;
		if (vm->chosen)
			return dt_fail(&r->dt, node, "chosen", "expected one, found a second");
		vm->chosen = node;
		if (!read_nodes(r, vm))
			return false;
	}
	return true;
}
