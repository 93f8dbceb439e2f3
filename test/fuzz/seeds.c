/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzzers begin with, into the directories of DIR: seeds DIR. Trees and tables as unit
 * tests have them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot/efi.h"
#include "unit/acpi_tables.h"
#include "unit/dts.h"

static const char *dir;

static void put(const char *name, const void *data, size_t size)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void put_tree(const char *name, const char *source)
{
	size_t size;
	void *tree = dts_compile(source, &size);

	put(name, tree, size);
	free(tree);
}

static void put_trees(void)
{
	static const char vms[] =
		"a { compatible = \"xen,domain\";"
		" #address-cells = <2>; #size-cells = <2>; memory = <0 0x10000>; cpus = <2>; vpl011;"
		" sve = <256>; nidus,nested; nidus,direct-map; nidus,passthrough = \"disk\";"
		" k { compatible = \"multiboot,kernel\", \"multiboot,module\"; bootargs = \"x\";"
		"     reg = <0 0x50000000 0 0x1000>; };"
		" v { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"0-1\"; };"
		" chosen { b { m { compatible = \"multiboot,module\"; reg = <0 0x51000000 0 4096>; }; };"
		" }; };"
		"loose { compatible = \"multiboot,kernel\"; reg = <0 0x52000000 0 0x1000>; };";
	char *whole = dts_edit(dts_machine, "/*CHOSEN*/", vms);
	char part[4096];

	put_tree("tree/machine", dts_machine);
	put_tree("tree/vms", whole);
	snprintf(part, sizeof(part), "/dts-v1/; / { chosen { bootargs = \"nidus.mem=64 nidus.trace=1\"; %s }; };",
		 vms);
	put_tree("tree/part", part);
	put_tree("tree/files",
		 "/dts-v1/; / { chosen { a { compatible = \"xen,domain\"; memory = <0 0x10000>; "
		 "cpus = <1>; k { compatible = \"multiboot,kernel\"; nidus,file = \"a\"; }; "
		 "r { compatible = \"multiboot,ramdisk\"; xen,uefi-binary = \"b\"; }; }; }; };");
	put_tree("tree/grub", "/dts-v1/; / { chosen { module@1 { compatible = \"multiboot,module\"; "
			      "reg = <0 0x50000000 0 0x1000>; bootargs = \"x\"; }; }; };");
	free(whole);
}

static void put_acpi(void)
{
	static struct acpi_machine m;
	unsigned char all[4096], *tables[6];
	unsigned size = 0;

	acpi_machine(&m);
	acpi_pci(&m);
	tables[0] = m.madt;
	tables[1] = m.gtdt;
	tables[2] = m.fadt;
	tables[3] = m.spcr;
	tables[4] = m.mcfg;
	tables[5] = m.iort;
	for (unsigned i = 0; i < 6; i++) {
		memcpy(all + size, tables[i], acpi_size(tables[i]));
		size += acpi_size(tables[i]);
	}
	put("acpi/machine", all, size);
}

static void put_map(void)
{
	static const struct efi_memory map[] = {
		{ EFI_CONVENTIONAL, 0x40000000, 0, 0x100, 8 },
		{ EFI_RUNTIME_SERVICES_DATA, 0x40080000, 0, 0x10, 8 },
		{ EFI_LOADER_DATA, 0x40100000, 0, 0x100, 8 },
		{ EFI_MMIO, 0x9000000, 0, 1, 1 },
	};

	put("map/some", map, sizeof(map));
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 1;
	dir = argv[1];
	put_trees();
	put_acpi();
	put_map();
	return 0;
}
