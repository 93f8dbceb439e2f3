/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions of the machine that a VM gets: their names, and that each goes to one VM only; and
 * the virtual ones that there are to be.
 */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "dev/pci.h"
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

/* "0000:01:00.0:2" */
static bool read_vfs(const char *item, u32 len, struct pci_vfs *vfs)
{
	u32 name = sizeof("0000:01:00.0") - 1;

	if (len <= name + 1 || item[name] != ':')
		return false;
	snprintf(vfs->name, sizeof(vfs->name), "%.*s", (int)name, item);
	vfs->count = 0;
	for (u32 i = name + 1; i < len; i++) {
		if (item[i] < '0' || item[i] > '9' || vfs->count > 999)
			return false;
		vfs->count = vfs->count * 10 + (u32)(item[i] - '0');
	}
	return is_name(vfs->name);
}

int config_pci_vfs(const char *bootargs, struct pci_vfs *vfs, char *line, size_t size)
{
	char value[256] = "";
	int n = 0;
	u32 len;

	if (!config_word(bootargs, CONFIG_PCI_VFS, value, sizeof(value)) && !value[0])
		return 0;
	for (const char *p = value; *p; p += len + (p[len] == ',')) {
		for (len = 0; p[len] && p[len] != ',';)
			len++;
		if (n == PCI_VFS_MAX || !read_vfs(p, len, &vfs[n++])) {
			snprintf(line, size,
				 "nidus.pci-vfs: expected at most %d PCI functions with numbers of "
				 "virtual ones such as 0000:01:00.0:2, found \"%s\"",
				 PCI_VFS_MAX, p);
			return -1;
		}
	}
	return n;
}
