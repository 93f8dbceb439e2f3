/* SPDX-License-Identifier: Apache-2.0 */
/* The fake machine's device registers: a table of models that tests bring. */
#include "arch/mmio_access.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_DEVICES 8

static struct {
	u64 base, size;
	fake_mmio_fn *fn;
} devices[MAX_DEVICES];
static unsigned device_count;

void fake_mmio_add(u64 base, u64 size, fake_mmio_fn *fn)
{
	if (device_count == MAX_DEVICES) {
		fprintf(stderr, "fake: more than %d devices\n", MAX_DEVICES);
		abort();
	}
	devices[device_count].base = base;
	devices[device_count].size = size;
	devices[device_count++].fn = fn;
}

void fake_mmio_reset(void)
{
	device_count = 0;
}

u64 fake_mmio(u64 at, unsigned size, bool write, u64 v)
{
	for (unsigned i = 0; i < device_count; i++)
		if (at >= devices[i].base && at + size <= devices[i].base + devices[i].size)
			return devices[i].fn(at, size, write, v);
	fprintf(stderr, "fake: %s of %u bytes at %#lx: no device there\n",
		write ? "write" : "read", size, (unsigned long)at);
	abort();
}
