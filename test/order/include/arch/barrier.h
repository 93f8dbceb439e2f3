/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers of the model machine (order.h): any DMB or DSB empties the store buffer. */
#pragma once

#include "order.h"

#define isb() ((void)0)
#define dsb(domain) order_fence(__ATOMIC_SEQ_CST)
#define dmb(domain) order_fence(__ATOMIC_SEQ_CST)
#define wfi() ((void)0)
#define sev() ((void)0)

/* A polling loop continues when memory has changed. */
#define cpu_relax() order_relax()
