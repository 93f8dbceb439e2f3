/* SPDX-License-Identifier: Apache-2.0 */
/* Translation tables for a VM's devices. */
#include "vm/vpci_dma.h"

#include "arch/its.h"
#include "dev/its.h"
#include "state/vm.h"
#include "state/vpci.h"

const char *vpci_dma_build(struct vm *vm)
{
	struct vpci *v = vm->pci;

	/* Devices never fault for good, so nothing is split: the largest leaves will do. */
	if (stage2_init(&v->dma, vm->stage2.pt.ia_bits, GIB(1)))
		return "nidus,pci: no memory or VMID for its devices' tables";
	v->dma_ready = true;
	for (u32 i = 0; i < vm->ram_chunks; i++)
		if (stage2_map(&v->dma, ipa(vm->ram[i].ipa), pa(vm->ram[i].pa), vm->ram[i].size,
			       STAGE2_RAM))
			return "nidus,pci: no memory for its devices' tables";
	if (v->its && stage2_map(&v->dma, ipa(vm->layout.its + GITS_FRAME),
				 pa(its_doorbell(v->its)), PAGE_SIZE, STAGE2_DOORBELL))
		return "nidus,pci: no memory for its devices' tables";
	return NULL;
}

bool vpci_dma_destroy_piece(struct vm *vm)
{
	struct vpci *v = vm->pci;

	if (!v || !v->dma_ready)
		return false;
	if (stage2_destroy_piece(&v->dma))
		return true;
	v->dma_ready = false;
	return false;
}
