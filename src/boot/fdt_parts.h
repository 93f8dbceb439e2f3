/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of reading the machine's device tree (boot/fdt*.c). */
#pragma once

#include "arch/feat.h"
#include "dev/dt.h"
#include "mm/machine.h"

#define PA_LIMIT BIT(feat.pa_bits)

/*
 * For problems that nidus can ignore: messages go to the next line of m->note, which is kept if
 * there is one by the time of fdt_note_end().
 */
struct dt fdt_note_begin(struct machine *m, const struct dt *dt);
void fdt_note_end(struct machine *m);
/* Whether any page of r is a part of memory. */
bool fdt_on_memory(const struct machine *m, struct range r);

/* m->uart and what belongs to it; a UART that can't be used has a note. After GIC and memory. */
void fdt_read_uart(struct machine *m, const struct dt *dt);
/* m->rtc, in the same way. */
void fdt_read_rtc(struct machine *m, const struct dt *dt);
