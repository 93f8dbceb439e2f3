/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the guest's device tree, through libfdt. */
#include "dt.h"

#include <libfdt.h>

#include "lib/string.h"

struct dt dt;

/* Read a number of n 32-bit cells. */
static u64 cells(const fdt32_t *p, int n)
{
	u64 v = 0;

	while (n-- > 0)
		v = v << 32 | fdt32_to_cpu(*p++);
	return v;
}

/* Read entry i of the node's reg, by its parent's #address-cells and #size-cells. */
static bool reg(const void *fdt, int node, int i, u64 *base, u64 *size)
{
	int parent = fdt_parent_offset(fdt, node), len;
	int ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent);
	const fdt32_t *p = fdt_getprop(fdt, node, "reg", &len);

	if (!p || ac < 1 || sc < 0 || len < (i + 1) * (ac + sc) * 4)
		return false;
	p += i * (ac + sc);
	*base = cells(p, ac);
	if (size)
		*size = cells(p + ac, sc);
	return true;
}

/* INTID of entry i of the node's three-cell interrupts; 0: none. */
static u32 intid(const void *fdt, int node, int i)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupts", &len);

	if (!p || len < (i + 1) * 12)
		return 0;
	p += i * 3;
	return fdt32_to_cpu(p[1]) + (fdt32_to_cpu(p[0]) ? 16 : 32);
}

static u32 named_intid(const void *fdt, int node, const char *name)
{
	int i = fdt_stringlist_search(fdt, node, "interrupt-names", name);

	return i < 0 ? 0 : intid(fdt, node, i);
}

static void read_cpus(const void *fdt)
{
	int node, cpus = fdt_path_offset(fdt, "/cpus");
	u64 mpidr;

	fdt_for_each_subnode(node, fdt, cpus)
	{
		int len;
		const char *type = fdt_getprop(fdt, node, "device_type", &len);

		if (!type || strcmp(type, "cpu") || !reg(fdt, node, 0, &mpidr, NULL))
			continue;
		if (dt.cpu_count < GUEST_CPUS_MAX)
			dt.mpidr[dt.cpu_count] = mpidr;
		dt.cpu_count++;
	}
	dt.cpu_count = MIN(dt.cpu_count, (u32)GUEST_CPUS_MAX);
}

static void read_chosen(const void *fdt)
{
	int len, node = fdt_path_offset(fdt, "/chosen");
	const char *s = fdt_getprop(fdt, node, "bootargs", &len);
	const fdt32_t *p;

	if (s)
		memcpy(dt.bootargs, s, MIN((size_t)len, sizeof(dt.bootargs) - 1));
	p = fdt_getprop(fdt, node, "linux,initrd-start", &len);
	if (p)
		dt.initrd = cells(p, len / 4);
	p = fdt_getprop(fdt, node, "linux,initrd-end", &len);
	if (p)
		dt.initrd_size = cells(p, len / 4) - dt.initrd;
}

static void read_gic(const void *fdt, int node)
{
	reg(fdt, node, 0, &dt.gicd, NULL);
	reg(fdt, node, 1, &dt.gicr, &dt.gicr_size);
	reg(fdt, node, 2, &dt.gicr2, &dt.gicr2_size);
	/* With only one region, entry 2 is GICC (or absent): #redistributor-regions tells. */
	if (fdt32_ld((const fdt32_t *)(fdt_getprop(fdt, node, "#redistributor-regions", NULL)
					       ?: (const void *)"\0\0\0\1")) < 2)
		dt.gicr2_size = 0;
}

static void read_virtio(const void *fdt)
{
	int node = -1;

	while (dt.virtio_count < DT_VIRTIO_MAX &&
	       (node = fdt_node_offset_by_compatible(fdt, node, "virtio,mmio")) >= 0)
		if (reg(fdt, node, 0, &dt.virtio[dt.virtio_count].base, NULL))
			dt.virtio[dt.virtio_count++].intid = intid(fdt, node, 0);
}

/* Windows: entries of three cells of address, two of the CPU's, two of size. */
static void read_pci_ranges(const void *fdt, int node)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "ranges", &len);

	for (; p && len >= 28; p += 7, len -= 28) {
		u32 space = fdt32_to_cpu(p[0]) >> 24 & 3;

		if (space == 2) {
			dt.pci.low = cells(p + 3, 2);
			dt.pci.low_size = cells(p + 5, 2);
		} else if (space == 3) {
			dt.pci.wide = cells(p + 3, 2);
			dt.pci.wide_size = cells(p + 5, 2);
		}
	}
}

/* Interrupts: three cells of address, the pin, the GIC with two cells of address and three. */
static void read_pci(const void *fdt, int node)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, node, "interrupt-map", &len);

	reg(fdt, node, 0, &dt.pci.ecam, NULL);
	read_pci_ranges(fdt, node);
	for (; p && len >= 40 && dt.pci.irq_count < DT_PCI_MAX; p += 10, len -= 40) {
		dt.pci.irq[dt.pci.irq_count].devfn = fdt32_to_cpu(p[0]) >> 8 & 0xff;
		dt.pci.irq[dt.pci.irq_count].pin = fdt32_to_cpu(p[3]);
		dt.pci.irq[dt.pci.irq_count++].intid = fdt32_to_cpu(p[8]) + 32;
	}
}

const char *dt_read(const void *fdt)
{
	int node;
	const char *s;

	if (!fdt || ((u64)fdt & 7) || fdt_check_header(fdt))
		return "x0 is not the address of one";
	node = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory", 7);
	if (node < 0 || !reg(fdt, node, 0, &dt.ram, &dt.ram_size))
		return "no memory";
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl011");
	if (node >= 0 && reg(fdt, node, 0, &dt.uart, NULL))
		dt.uart_intid = intid(fdt, node, 0);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl031");
	if (node >= 0 && reg(fdt, node, 0, &dt.rtc, NULL))
		dt.rtc_intid = intid(fdt, node, 0);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
	if (node >= 0)
		read_gic(fdt, node);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3-its");
	if (node >= 0)
		reg(fdt, node, 0, &dt.its, NULL);
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,smmu-v3");
	if (node >= 0 && reg(fdt, node, 0, &dt.smmu, NULL)) {
		dt.smmu_eventq = named_intid(fdt, node, "eventq");
		dt.smmu_gerror = named_intid(fdt, node, "gerror");
	}
	node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");
	if (node >= 0)
		read_pci(fdt, node);
	node = fdt_path_offset(fdt, "/psci");
	s = fdt_getprop(fdt, node, "method", NULL);
	dt.psci = s;
	dt.psci_smc = s && !strcmp(s, "smc");
	node = fdt_node_offset_by_compatible(fdt, -1, "arm,armv8-timer");
	if (node >= 0) {
		dt.ppi_phys = intid(fdt, node, 1);
		dt.ppi_virt = intid(fdt, node, 2);
	}
	read_virtio(fdt);
	read_cpus(fdt);
	read_chosen(fdt);
	return dt.uart && dt.gicd && dt.psci && dt.cpu_count ? NULL
							     : "no PL011, GICv3, PSCI or CPU";
}

/* What follows after the name in the word that starts with it, or NULL. */
static const char *find_arg(const char *name)
{
	const char *p = dt.bootargs;
	size_t n = strlen(name);

	while (*p) {
		while (*p == ' ')
			p++;
		if (!strncmp(p, name, n) && (p[n] == '=' || p[n] == ' ' || !p[n]))
			return p + n;
		while (*p && *p != ' ')
			p++;
	}
	return NULL;
}

u64 dt_arg(const char *name, u64 otherwise)
{
	const char *p = find_arg(name);
	u64 v = 0, base = 10;

	if (!p || *p++ != '=')
		return otherwise;
	if (p[0] == '0' && p[1] == 'x') {
		base = 16;
		p += 2;
	}
	for (; *p && *p != ' '; p++) {
		u64 digit = *p >= 'a' ? (u64)(*p - 'a') + 10 : (u64)(*p - '0');

		v = v * base + digit;
	}
	return v;
}

bool dt_flag(const char *name)
{
	return find_arg(name);
}
