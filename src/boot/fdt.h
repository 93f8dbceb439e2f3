/* SPDX-License-Identifier: Apache-2.0 */
/* The machine, as its device tree describes it. */
#pragma once

#include "mm/machine.h"

/*
 * Read the device tree at fdt (physical address = pointer, a multiple of 8) into *m.
 * Returns NULL, or one line that says what is wrong: node, property, expected, found. The line is
 * static storage. Checks fdt_check_header/fdt_check_full within max_size bytes first. What nidus
 * can do without and does not understand is a line in m->note. Needs feat. Pure; boot CPU.
 */
const char *fdt_read_machine(struct machine *m, const void *fdt, size_t max_size);
