/* SPDX-License-Identifier: Apache-2.0 */
/* An fw_cfg device without files. */
#include "vm/vfwcfg.h"

#include "state/vm.h"

#define DATA 0     /* 8 bytes, read in any size */
#define SELECTOR 8 /* 2 bytes, big-endian */

/* Items. Of all others each byte is 0: no kernel, no files in the directory. */
#define ITEM_SIGNATURE 0
#define ITEM_INTERFACE 1

static u8 item_byte(u32 item, u32 at)
{
	static const u8 signature[4] = { 'Q', 'E', 'M', 'U' };

	if (item == ITEM_SIGNATURE && at < sizeof(signature))
		return signature[at];
	return item == ITEM_INTERFACE && at == 0; /* as it has been from the first, no more */
}

/* The next bytes of the item; as a string, whatever the size of the access. */
static u64 next_bytes(struct vm_fwcfg *f, u32 n)
{
	u32 at = __atomic_fetch_add(&f->at, n, __ATOMIC_RELAXED);
	u32 item = read_once(&f->item);
	u64 v = 0;

	for (u32 i = 0; i < n; i++)
		v |= (u64)item_byte(item, at + i) << i * 8;
	return v;
}

bool vfwcfg_mmio(struct vcpu *vcpu, void *dev, struct mmio *m)
{
	struct vm_fwcfg *f = &((struct vm *)dev)->fw_cfg;

	(void)vcpu;
	if (m->write && m->offset == SELECTOR && m->size == 2) {
		__atomic_store_n(&f->item, __builtin_bswap16((u16)m->data), __ATOMIC_RELAXED);
		__atomic_store_n(&f->at, 0, __ATOMIC_RELAXED);
	} else if (!m->write) {
		m->data = m->offset + m->size <= SELECTOR ? next_bytes(f, m->size) : 0;
	}
	return true;
}

int vfwcfg_create(struct vm *vm)
{
	vm->fw_cfg = (struct vm_fwcfg){ 0, 0 };
	return mmio_add(&vm->mmio, vm->layout.fw_cfg, VFWCFG_SIZE, vfwcfg_mmio, vm);
}
