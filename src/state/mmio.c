/* SPDX-License-Identifier: Apache-2.0 */
/* Adding a device to a VM. */
#include "state/mmio.h"

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
