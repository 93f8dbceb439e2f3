/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the different address spaces as distinct types: a missed translation does not
 * compile. nidus maps memory 1:1, so pa_ptr() is the one way from a physical address to a pointer.
 */
#pragma once

#include "lib/types.h"

typedef struct { u64 a; } pa_t;    /* physical address */
typedef struct {
	u64 a;
} ipa_t;                           /* a VM's intermediate physical address */
typedef struct { u64 a; } va_t;    /* a guest's virtual address */

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096UL

static inline pa_t pa(u64 a) { return (pa_t){ a }; }
static inline ipa_t ipa(u64 a)
{
	return (ipa_t){ a };
}
static inline va_t va(u64 a) { return (va_t){ a }; }

/* The pointer by which nidus reaches physical address p. */
void *pa_ptr(pa_t p);
/* The physical address of something in nidus's own memory. */
pa_t ptr_pa(const void *p);
