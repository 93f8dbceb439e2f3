/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical addresses and pointers: nidus runs on an identity map. Weak, because a host test may
 * have a memory of its own.
 */
#include "mm/addr.h"

__attribute__((weak)) void *pa_ptr(pa_t p)
{
	return (void *)p.a;
}

__attribute__((weak)) pa_t ptr_pa(const void *p)
{
	return pa((u64)p);
}
