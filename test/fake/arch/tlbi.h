/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLB maintenance of the fake machine: a write to a fake register TLBI_<op>, which tests may hook
 * and count.
 */
#pragma once

#include "arch/sysreg.h"

#define tlbi(op) sysreg_write(TLBI_##op, 0)
#define tlbi_addr(op, arg) sysreg_write(TLBI_##op, arg)
