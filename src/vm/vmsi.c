/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a VM's PCI functions. */
#include "vm/vmsi.h"

#include "state/vm.h"
#include "vgic/vgic.h"

const char *vmsi_build(struct vm *vm)
{
	struct vits_want want[VM_PCI_MAX];
	u32 count = 0;

	if (!count && !vm->config->its)
		return NULL;
	if (!vm->layout.its)
		return "nidus,its: expected an ITS in the machine, in whose place nidus,direct-map "
		       "puts the VM's, found none";
	return vits_create(vm, want, count) ? "nidus,its: no memory for its ITS" : NULL;
}
