/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The date: what the machine's PL031 or its firmware told at boot, going on with the counter. The
 * machine's clock is read once and never set.
 */
#pragma once

#include "lib/types.h"
#include "mm/machine.h"

/* Begin, with m->time or the PL031 at m->rtc; without either the date is 1 January 1970. */
void rtc_init(const struct machine *m);
/* Seconds since the beginning of 1970. */
u64 rtc_now(void);
/* The first CNTPCT at which rtc_now() is `seconds`, which is not before the time of boot. */
u64 rtc_ticks_at(u64 seconds);
