/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RAM as the firmware's memory map tells. All that is not RAM there (runtime services, ACPI's
 * tables, persistent memory, registers) is left out, so that nidus neither maps nor uses it.
 */
#include "boot/efi.h"

#include "lib/string.h"
#include "mm/addr.h"

/* What is free for us once boot services have ended. */
static bool is_ram(const struct efi_memory *d)
{
	switch (d->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_SERVICES_CODE:
	case EFI_BOOT_SERVICES_DATA:
	case EFI_CONVENTIONAL:
		return (d->attributes & EFI_MEMORY_WB) && !(d->attributes & EFI_MEMORY_SP);
	default:
		return false;
	}
}

static void take_out(struct efi_machine *m, u32 i)
{
	m->ram_count--;
	memmove(&m->ram[i], &m->ram[i + 1], (m->ram_count - i) * sizeof(m->ram[0]));
}

/* Make room for a range of this size: at the cost of the smallest. False: it is the smallest. */
static bool make_room(struct efi_machine *m, u64 size)
{
	u32 least = 0;

	if (m->ram_count < ARRAY_SIZE(m->ram))
		return true;
	for (u32 i = 1; i < m->ram_count; i++)
		if (m->ram[i].size < m->ram[least].size)
			least = i;
	m->ram_lost += MIN(size, m->ram[least].size);
	if (size <= m->ram[least].size)
		return false;
	take_out(m, least);
	return true;
}

/* Add [base, end), one range with those that it overlaps or touches. */
static void add(struct efi_machine *m, u64 base, u64 end)
{
	u32 at = 0;

	for (u32 i = 0; i < m->ram_count;) {
		struct range r = m->ram[i];

		if (r.base > end || base > r.base + r.size) {
			i++;
			continue;
		}
		base = MIN(base, r.base);
		end = MAX(end, r.base + r.size);
		take_out(m, i);
	}
	if (base >= end || !make_room(m, end - base))
		return;
	while (at < m->ram_count && m->ram[at].base < base)
		at++;
	memmove(&m->ram[at + 1], &m->ram[at], (m->ram_count - at) * sizeof(m->ram[0]));
	m->ram[at] = (struct range){ base, end - base };
	m->ram_count++;
}

/* Leave [base, end) out of what was added. */
static void cut(struct efi_machine *m, u64 base, u64 end)
{
	for (u32 i = 0; i < m->ram_count;) {
		struct range r = m->ram[i];

		if (r.base >= end || base >= r.base + r.size) {
			i++;
			continue;
		}
		take_out(m, i);
		if (r.base < base)
			add(m, r.base, base);
		if (end < r.base + r.size)
			add(m, end, r.base + r.size);
		i = 0;
	}
}

/*
 * Whole pages of a descriptor: those inside of RAM, all that anything else touches, to the end of
 * all addresses if it is longer than that.
 */
static bool span(const struct efi_memory *d, bool ram, u64 *base, u64 *end)
{
	u64 last = ALIGN_DOWN(~0UL, PAGE_SIZE);
	bool fits = d->base <= last && d->pages <= (last - d->base) >> PAGE_SHIFT;

	if (ram && !fits)
		return false;
	*end = fits ? d->base + (d->pages << PAGE_SHIFT) : last;
	*base = ram ? ALIGN_UP(d->base, PAGE_SIZE) : ALIGN_DOWN(d->base, PAGE_SIZE);
	*end = ram ? ALIGN_DOWN(*end, PAGE_SIZE) : ALIGN_UP(*end, PAGE_SIZE);
	return *base < *end;
}

/* Memory that can be read, whoever has it. */
static bool is_memory(const struct efi_memory *d)
{
	return d->type < EFI_UNUSABLE || d->type == EFI_ACPI_RECLAIM || d->type == EFI_ACPI_NVS;
}

bool efi_map_has(const void *map, u64 map_size, u64 step, u64 base, u64 size)
{
	u64 at = base, first, end, was;
	struct efi_memory d;

	if (step < sizeof(d) || base + size < base)
		return false;
	/* On to the end of each range that `at` is in, until there is none. */
	do {
		was = at;
		for (u64 i = 0; map_size - i >= step && i < map_size; i += step) {
			memcpy(&d, (const u8 *)map + i, sizeof(d));
			if (is_memory(&d) && span(&d, true, &first, &end) && first <= at &&
			    at < end)
				at = end;
		}
	} while (at < base + size && at != was);
	return at >= base + size;
}

/* First what is RAM, then what is not. */
void efi_map_ram(struct efi_machine *m, const void *map, u64 size, u64 step)
{
	struct efi_memory d;
	u64 base, end;

	m->ram_count = 0;
	m->ram_lost = 0;
	if (step < sizeof(d))
		return;
	for (u32 ram = 1; ram <= 1; ram--)
		for (u64 at = 0; size - at >= step && at < size; at += step) {
			memcpy(&d, (const u8 *)map + at, sizeof(d));
			if (is_ram(&d) != (bool)ram || !span(&d, ram, &base, &end))
				continue;
			if (ram)
				add(m, base, end);
			else
				cut(m, base, end);
		}
}
