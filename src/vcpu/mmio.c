/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's table of emulated devices. */
#include "vcpu/mmio.h"

#include "vcpu/vm.h"

int mmio_add(struct mmio_bus *bus, u64 base, u64 size, mmio_fn *fn, void *dev)
{
	if (bus->count == MMIO_REGIONS)
		return -ENOSPC;
	for (u32 i = 0; i < bus->count; i++) {
		const struct mmio_region *r = &bus->region[i];

		if (base < r->base + r->size && r->base < base + size)
			return -EEXIST;
	}
	bus->region[bus->count++] = (struct mmio_region){ base, size, fn, dev };
	return 0;
}

bool mmio_access(struct vcpu *vcpu, ipa_t at, struct mmio *m)
{
	const struct mmio_bus *bus = &vcpu->vm->mmio;

	for (u32 i = 0; i < bus->count; i++) {
		const struct mmio_region *r = &bus->region[i];

		m->offset = at.a - r->base;
		if (m->offset < r->size && r->size - m->offset >= m->size)
			return r->fn(vcpu, r->dev, m);
	}
	return false;
}
