/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the vendor's hypervisor range by which a VM reads its own account: how often it exits,
 * and what that costs it (docs/tracing.md).
 */
#pragma once

#include "lib/types.h"

struct vcpu;

/* Whether a function is of that range. */
static inline bool is_account_call(u32 fid)
{
	return (fid & 0xbf000000u) == 0x86000000u;
}

/* Answer it: the result for x0; others go to x1-x3, which an error leaves alone. */
s64 account_call(struct vcpu *vcpu, u32 fid);
