/* SPDX-License-Identifier: Apache-2.0 */
/* UEFI memory maps: RAM in whole pages, in order, apart, and nowhere that another type claims. */
#include "fuzz.h"

#include "boot/efi.h"

static bool is_ram(u32 type)
{
	return (type >= EFI_LOADER_CODE && type <= EFI_BOOT_SERVICES_DATA) ||
	       type == EFI_CONVENTIONAL;
}

static void check_descriptor(const struct efi_machine *m, const struct efi_memory *d)
{
	for (u32 i = 0; i < m->ram_count; i++) {
		u64 base = m->ram[i].base, end = base + m->ram[i].size;
		bool apart = d->base >= end || (d->base <= ~0UL - (d->pages << 12) &&
						d->pages >> 52 == 0 &&
						d->base + (d->pages << 12) <= base);

		must(is_ram(d->type) || apart || !d->pages);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct efi_machine m;
	const u64 step = 40;
	void *map = exact_copy(data, size);
	struct efi_memory d;

	efi_map_ram(&m, map, size, step);
	must(m.ram_count <= MACHINE_MEM_MAX);
	for (u32 i = 0; i < m.ram_count; i++) {
		must(m.ram[i].size && !(m.ram[i].base & 0xfff) && !(m.ram[i].size & 0xfff));
		must(m.ram[i].base + m.ram[i].size > m.ram[i].base);
		must(!i || m.ram[i].base > m.ram[i - 1].base + m.ram[i - 1].size);
		must(efi_map_has(map, size, step, m.ram[i].base, m.ram[i].size));
	}
	for (u64 at = 0; size - at >= step && at < size; at += step) {
		memcpy(&d, (u8 *)map + at, sizeof(d));
		check_descriptor(&m, &d);
	}
	free(map);
	return 0;
}
