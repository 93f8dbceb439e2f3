/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's loop. Queues and wake-ups are state/runq.h. */
#pragma once

#include "lib/types.h"
#include "state/runq.h"

/* This CPU's loop: pick, run, repeat. IRQs masked; on the CPU's own stack. */
noreturn void sched_loop(void);
