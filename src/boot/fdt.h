/* SPDX-License-Identifier: Apache-2.0 */
/* The machine, as its device tree describes it. */
#pragma once

#include "mm/machine.h"

/*
 * Read the device tree at fdt (physical address = pointer, a multiple of 8) into *m. Returns NULL,
 * or a message: node, property, expected, found, in static storage. Checks
 * fdt_check_header/fdt_check_full within max_size bytes first. What nidus does not understand but
 * can do without is reported in m->note. Needs feat. Pure; boot CPU.
 */
const char *fdt_read_machine(struct machine *m, const void *fdt, size_t max_size);
