/* SPDX-License-Identifier: Apache-2.0 */
/* The firmware's date, by the calendar, in seconds. */
#include "boot/efi.h"

#define DAY 86400

static bool is_leap(u32 year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static u32 days_of(u32 month, u32 year)
{
	static const u8 days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* The ranges of the specification (8.3), from 1970 on. */
static bool is_date(const struct efi_time *t)
{
	return t->year >= 1970 && t->year <= 9999 && t->month >= 1 && t->month <= 12 &&
	       t->day >= 1 && t->day <= days_of(t->month, t->year) && t->hour <= 23 &&
	       t->minute <= 59 && t->second <= 59 &&
	       (t->zone == EFI_ZONE_UNKNOWN || (t->zone >= -1440 && t->zone <= 1440));
}

u64 efi_seconds(const struct efi_time *t)
{
	u64 days = 0, seconds;
	s64 zone;

	if (!is_date(t))
		return 0;
	for (u32 y = 1970; y < t->year; y++)
		days += 365 + is_leap(y);
	for (u32 m = 1; m < t->month; m++)
		days += days_of(m, t->year);
	days += t->day - 1u;
	seconds = days * DAY + t->hour * 3600u + t->minute * 60u + t->second;
	/* Local time is UTC less the zone; one that is not told counts as UTC. */
	zone = t->zone == EFI_ZONE_UNKNOWN ? 0 : t->zone * 60L;
	return (s64)seconds + zone > 0 ? seconds + (u64)zone : 0;
}
