/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a VM's parts are apart: in guest addresses and INTIDs. */
#pragma once

#include "lib/types.h"

struct vm;

/*
 * Whether vm's RAM, GIC, UART and passed-through devices overlap nowhere: guest addresses by the
 * page, and INTIDs. Needs vm->config, layout and ram[]. Returns NULL, or a line that names the
 * property and both parties (static storage). Pure.
 */
const char *vm_layout_check(const struct vm *vm) must_check;
