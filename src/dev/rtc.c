/* SPDX-License-Identifier: Apache-2.0 */
/* The date, by the counter. */
#include "dev/rtc.h"

#include "arch/counter.h"
#include "arch/mmio_access.h"
#include "arch/sysreg.h"
#include "dev/pl031_regs.h"
#include "lib/log.h"
#include "mm/addr.h"
#include "mm/stage1.h"

static u64 seconds, ticks; /* the one at the other */

void rtc_init(const struct machine *m)
{
	seconds = m->time;
	ticks = m->time_ticks;
	if (seconds)
		return;
	ticks = counter_now();
	if (!m->rtc.size) {
		log_line("clock: the machine has none: for VMs it is 1 January 1970");
		return;
	}
	if (stage1_map_device(m->rtc.base, m->rtc.size)) {
		log_line("clock: the PL031 at 0x%lx can't be mapped: for VMs it is 1 January 1970",
			 m->rtc.base);
		return;
	}
	/* It says no more than the second: the date is up to one of them late. */
	seconds = mmio_read32((const u8 *)pa_ptr(pa(m->rtc.base)) + PL031_DR);
}

u64 rtc_now(void)
{
	return seconds + (counter_now() - ticks) / sysreg_read(CNTFRQ_EL0);
}

u64 rtc_ticks_at(u64 when)
{
	return ticks + (when - seconds) * sysreg_read(CNTFRQ_EL0);
}
