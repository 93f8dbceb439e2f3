/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB maintenance instructions without barriers, which callers add. test/fake has a file of the
 * same name.
 */
#pragma once

#include "lib/types.h"

/* One that takes no register, as in tlbi(VMALLE1IS). */
#define tlbi(op) asm volatile("tlbi " #op ::: "memory")
/* One that takes a register: an operand with an address field and others. */
#define tlbi_addr(op, arg) asm volatile("tlbi " #op ", %0" ::"r"((u64)(arg)) : "memory")
