/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's PCI host bridge in its device tree: bindings of pci-host-ecam-generic; and its ITS. */
#include <libfdt.h>

#include "vm/guest_fdt_pci.h"

#include "arch/gicv3.h"
#include "arch/its.h"
#include "arch/smmu.h"
#include "lib/log.h"

/* The first cell of an address: the kind of space; a device's number. */
#define SPACE_32 0x02000000U
#define SPACE_64 0x03000000U
#define DEVICE_SHIFT 11
#define IRQ_RISING 1
#define IRQ_LEVEL 4

/* A property being put together; cells beyond the room are an error of libfdt's. */
struct cells {
	fdt32_t be[16 * VM_PCI_MAX];
	u32 n;
};

static void add(struct cells *c, u32 v)
{
	c->be[c->n++] = cpu_to_fdt32(v);
}

static void add64(struct cells *c, u64 v)
{
	add(c, (u32)(v >> 32));
	add(c, (u32)v);
}

static int put_cells(void *fdt, const char *name, const struct cells *c)
{
	return fdt_property(fdt, name, c->be, (int)(c->n * sizeof(c->be[0])));
}

static int put_ranges(void *fdt, const struct guest_pci *pci)
{
	struct cells c = { .n = 0 };

	add(&c, SPACE_32);
	add64(&c, pci->low);
	add64(&c, pci->low);
	add64(&c, pci->low_size);
	if (pci->wide_size) {
		add(&c, SPACE_64);
		add64(&c, pci->wide);
		add64(&c, pci->wide);
		add64(&c, pci->wide_size);
	}
	return put_cells(fdt, "ranges", &c);
}

/* Each device's number and pin to its SPI. */
static int put_interrupts(void *fdt, const struct guest_pci *pci, u32 gic)
{
	struct cells map = { .n = 0 }, mask = { .n = 0 };
	int err;

	for (u32 i = 0; i < pci->count; i++) {
		if (!pci->fn[i].pin)
			continue;
		add(&map, pci->fn[i].device << DEVICE_SHIFT);
		add64(&map, 0);
		add(&map, pci->fn[i].pin);
		add(&map, gic);
		add64(&map, 0); /* the GIC has addresses of two cells */
		add(&map, 0);
		add(&map, pci->fn[i].intid - GIC_SPI);
		add(&map, IRQ_LEVEL);
	}
	if (!map.n)
		return 0;
	add(&mask, 31U << DEVICE_SHIFT);
	add64(&mask, 0);
	add(&mask, 7);
	err = fdt_property_u32(fdt, "#interrupt-cells", 1);
	if (!err)
		err = put_cells(fdt, "interrupt-map-mask", &mask);
	return err ? err : put_cells(fdt, "interrupt-map", &map);
}

/* Each function's DeviceID is its requester ID. */
static int put_messages(void *fdt, u32 its)
{
	struct cells map = { .n = 0 };

	add(&map, 0);
	add(&map, its);
	add(&map, 0);
	add(&map, 0x10000);
	return put_cells(fdt, "msi-map", &map);
}

/* Each function's requester ID to its stream. */
static int put_streams(void *fdt, const struct guest_pci *pci, u32 smmu)
{
	struct cells map = { .n = 0 };

	for (u32 i = 0; i < pci->count; i++) {
		add(&map, pci->fn[i].device << 3);
		add(&map, smmu);
		add(&map, pci->fn[i].stream);
		add(&map, 1);
	}
	return put_cells(fdt, "iommu-map", &map);
}

static int put_places(void *fdt, const struct guest_pci *pci)
{
	struct cells reg = { .n = 0 }, buses = { .n = 0 };
	int err;

	add64(&reg, pci->ecam);
	add64(&reg, pci->ecam_size);
	add64(&buses, 0);
	err = put_cells(fdt, "reg", &reg);
	if (!err)
		err = put_cells(fdt, "bus-range", &buses);
	return err ? err : put_ranges(fdt, pci);
}

static int put_smmu_interrupts(void *fdt, const struct guest_pci *pci)
{
	static const char names[] = "eventq\0gerror";
	struct cells c = { .n = 0 };
	int err;

	for (u32 i = 0; i < 2; i++) {
		add(&c, 0);
		add(&c, pci->smmu_intid[i] - GIC_SPI);
		add(&c, IRQ_RISING);
	}
	err = put_cells(fdt, "interrupts", &c);
	return err ? err : fdt_property(fdt, "interrupt-names", names, sizeof(names));
}

static int put_smmu(void *fdt, const struct guest_pci *pci, u32 phandle)
{
	static const char compatible[] = "arm,smmu-v3";
	struct cells reg = { .n = 0 };
	char name[32];
	int err;

	add64(&reg, pci->smmu);
	add64(&reg, SMMU_SIZE);
	snprintf(name, sizeof(name), "iommu@%lx", pci->smmu);
	err = fdt_begin_node(fdt, name);
	if (!err)
		err = fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	if (!err)
		err = fdt_property_u32(fdt, "phandle", phandle);
	if (!err)
		err = fdt_property_u32(fdt, "#iommu-cells", 1);
	if (!err)
		err = fdt_property(fdt, "dma-coherent", NULL, 0);
	if (!err)
		err = put_cells(fdt, "reg", &reg);
	if (!err)
		err = put_smmu_interrupts(fdt, pci);
	return err ? err : fdt_end_node(fdt);
}

static int put_bridge(void *fdt, const struct guest_pci *pci, const struct guest_phandles *at)
{
	static const char compatible[] = "pci-host-ecam-generic", type[] = "pci";
	char name[32];
	int err;

	snprintf(name, sizeof(name), "pcie@%lx", pci->ecam);
	err = fdt_begin_node(fdt, name);
	if (!err)
		err = fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	if (!err)
		err = fdt_property(fdt, "device_type", type, sizeof(type));
	if (!err)
		err = fdt_property_u32(fdt, "#address-cells", 3);
	if (!err)
		err = fdt_property_u32(fdt, "#size-cells", 2);
	if (!err)
		err = fdt_property(fdt, "dma-coherent", NULL, 0);
	if (!err)
		err = put_places(fdt, pci);
	if (!err)
		err = put_interrupts(fdt, pci, at->gic);
	if (!err && pci->messages)
		err = put_messages(fdt, at->its);
	if (!err && pci->smmu)
		err = put_streams(fdt, pci, at->smmu);
	return err ? err : fdt_end_node(fdt);
}

int guest_fdt_pci(void *fdt, const struct guest_pci *pci, const struct guest_phandles *at)
{
	int err = pci->smmu ? put_smmu(fdt, pci, at->smmu) : 0;

	return err ? err : put_bridge(fdt, pci, at);
}

int guest_fdt_its(void *fdt, u64 at, u32 phandle)
{
	static const char compatible[] = "arm,gic-v3-its";
	struct cells reg = { .n = 0 };
	char name[32];
	int err;

	if (!at)
		return 0;
	add64(&reg, at);
	add64(&reg, GITS_SIZE);
	snprintf(name, sizeof(name), "msi-controller@%lx", at);
	err = fdt_begin_node(fdt, name);
	if (!err)
		err = fdt_property(fdt, "compatible", compatible, sizeof(compatible));
	if (!err)
		err = fdt_property_u32(fdt, "phandle", phandle);
	if (!err)
		err = fdt_property(fdt, "msi-controller", NULL, 0);
	if (!err)
		err = fdt_property_u32(fdt, "#msi-cells", 1);
	if (!err)
		err = put_cells(fdt, "reg", &reg);
	return err ? err : fdt_end_node(fdt);
}
