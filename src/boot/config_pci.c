/* SPDX-License-Identifier: Apache-2.0 */
/* PCI functions of the machine that a VM gets: their names, and that each goes to one VM only. */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "lib/log.h"

/* Whether name is segment, bus, device and function as Linux writes them: "0000:00:1f.7". */
static bool is_name(const char *name)
{
	static const char form[] = "xxxx:xx:1x.7";
	u32 i;

	for (i = 0; form[i]; i++) {
		char c = name[i];
		bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';

		switch (form[i]) {
		case 'x':
			if (!digit && !letter)
				return false;
			break;
		case '1':
		case '7':
			if (c < '0' || c > form[i])
				return false;
			break;
		default:
			if (c != form[i])
				return false;
		}
	}
	return !name[i];
}

static bool vm_has_function(const struct vm_config *vm, const char *name)
{
	for (u32 i = 0; i < vm->pci_count; i++)
		if (!strcmp(vm->pci[i], name))
			return true;
	return false;
}

bool config_pci(struct config_reader *r, struct vm_config *vm, struct config_place at,
		const char *name)
{
	if (!is_name(name))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected a PCI function such as 0000:00:01.0, found \"%s\"", name);
	if (vm_has_function(vm, name))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected each device once, found %s twice", name);
	for (u32 i = 0; i < r->out->count; i++)
		if (vm_has_function(&r->out->vm[i], name))
			return dt_fail(&r->dt, at.node, at.prop,
				       "expected a device that no other VM has, found %s: %s "
				       "has it",
				       name, r->out->vm[i].path);
	if (vm->pci_count == VM_PCI_MAX)
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected at most %d PCI functions, found more", VM_PCI_MAX);
	snprintf(vm->pci[vm->pci_count++], VM_PCI_NAME, "%s", name);
	return true;
}

bool config_pci_list(struct config_reader *r, struct vm_config *vm)
{
	const struct config_place at = { vm->node, "nidus,pci" };
	int count;

	if (!dt_has(r->dt.fdt, vm->node, at.prop))
		return true;
	count = fdt_stringlist_count(r->dt.fdt, vm->node, at.prop);
	if (count < 0)
		return dt_fail(&r->dt, vm->node, at.prop,
			       "expected a list of strings, found something else");
	for (int i = 0; i < count; i++)
		if (!config_pci(r, vm, at,
				fdt_stringlist_get(r->dt.fdt, vm->node, at.prop, i, NULL)))
			return false;
	return true;
}
