/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's table of emulated devices, and an access to one. */
#pragma once

#include "lib/types.h"

struct vcpu;

struct mmio {
	u64 offset; /* from the region's base */
	u64 data;   /* write: the value, zero-extended; read: to be filled in */
	u8 size;    /* bytes: 1, 2, 4, 8 */
	bool write;
	bool waits; /* false; set by a handler that waits for other vcpus: to be repeated */
};

/*
 * Handle one access; false: the device answers with an external abort. After a handler that sets
 * m->waits it is called again with the same access, before the guest runs.
 */
typedef bool mmio_fn(struct vcpu *vcpu, void *dev, struct mmio *m);

#define MMIO_REGIONS 16
struct mmio_region {
	u64 base, size;
	mmio_fn *fn;
	void *dev;
};

struct mmio_bus {
	u32 count;
	struct mmio_region region[MMIO_REGIONS];
};

/* Add a device; -EEXIST if it overlaps another, -ENOSPC if the table is full. VM creation only. */
int mmio_add(struct mmio_bus *bus, u64 base, u64 size, mmio_fn *fn, void *dev) must_check;
