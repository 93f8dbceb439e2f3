/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's RAM: allocating and freeing it. Access to it: vm.h. */
#pragma once

#include "lib/types.h"

struct vm;

/*
 * Take vm->config->mem_size bytes into vm->ram[], and set vm->layout.ram and ram_size, where the
 * VM's images go. From vm->layout.ram on, contiguous in IPA; or with nidus,direct-map whatever
 * there is, at its own address, and the images go to the largest piece. Contents undefined. Returns
 * NULL, or what is missing in words (static storage); vm->ram[] then has what is to be given back.
 * At boot.
 */
const char *vm_ram_alloc(struct vm *vm);
/* Give back one piece; false: there was none left. */
bool vm_ram_free_piece(struct vm *vm);
