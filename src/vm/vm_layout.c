/* SPDX-License-Identifier: Apache-2.0 */
/* The guest addresses and INTIDs of a VM's devices: no two are the same. */
#include "vm/vm_layout.h"

#include "arch/gicv3.h"
#include "arch/its.h"
#include "arch/smmu.h"
#include "state/config.h"
#include "dev/dt.h"
#include "dev/pci.h"
#include "dev/pl011_regs.h"
#include "dev/pl031_regs.h"
#include "dev/smmu.h"
#include "lib/log.h"
#include "state/vm.h"
#include "vm/vflash.h"
#include "vm/vfwcfg.h"
#include "vm/vpci.h"

static char line[224];

#define FAIL(...)                                                                                  \
	({                                                                                         \
		snprintf(line, sizeof(line), __VA_ARGS__);                                         \
		(const char *)line;                                                                \
	})

/* A part of the VM that nidus provides. */
struct part {
	const char *what;
	struct range at;
};

#define PARTS (12 + VM_RAM_CHUNKS)

/* The emulated devices first, of them the clock. */
static u32 list_parts(const struct vm *vm, struct part *part)
{
	const struct vm_layout *l = &vm->layout;
	u32 n = 0;

	part[n++] = (struct part){ "its clock", { l->rtc, PL031_SIZE } };
	part[n++] = (struct part){ "its distributor", { l->gicd, GICD_SIZE } };
	part[n++] = (struct part){ "its redistributors",
				   { l->gicr, (u64)GICR_SIZE * vm->config->cpus } };
	part[n++] = (struct part){ "its stolen time", { l->stolen, PAGE_SIZE } };
	if (vm->config->vpl011)
		part[n++] = (struct part){ "its UART", { l->uart, PL011_SIZE } };
	if (vm->config->pci_count || vm->config->its)
		part[n++] = (struct part){ "its ITS", { l->its, l->its ? GITS_SIZE : 0 } };
	if (l->flash) {
		part[n++] = (struct part){ "its flash", { l->flash, VFLASH_SIZE } };
		part[n++] = (struct part){ "its fw_cfg", { l->fw_cfg, VFWCFG_SIZE } };
	}
	if (vm->config->pci_count) {
		part[n++] = (struct part){ "its PCI configuration space",
					   { VPCI_ECAM, VPCI_ECAM_SIZE } };
		part[n++] = (struct part){ "its BARs", { VPCI_LOW, VPCI_LOW_SIZE } };
		part[n++] = (struct part){ "its BARs", { VPCI_WIDE, VPCI_WIDE_SIZE } };
	}
	if (l->smmu)
		part[n++] = (struct part){ "its SMMU", { l->smmu, SMMU_SIZE } };
	for (u32 i = 0; i < vm->ram_chunks; i++)
		part[n++] = (struct part){ "its RAM", { vm->ram[i].ipa, vm->ram[i].size } };
	return n;
}

/*
 * With nidus,direct-map the VM's devices are where the machine's are, of which there may be fewer.
 */
static const char *check_parts(const struct vm *vm, const struct part *part, u32 n)
{
	u32 devices = n - vm->ram_chunks;

	if (vm->config->vpl011 && vm->layout.uart_intid < GIC_SPI)
		return "vpl011: expected a UART with an interrupt in the machine, in whose place "
		       "nidus,direct-map puts the VM's, found none";
	for (u32 i = 0; i < devices; i++)
		for (u32 j = i + 1; j < n; j++)
			if (range_overlaps(part[i].at, part[j].at))
				return FAIL(
					"cpus: expected parts of the VM that do not overlap, found "
					"%s at 0x%lx "
					"+ 0x%lx and %s at 0x%lx + 0x%lx",
					part[i].what, part[i].at.base, part[i].at.size,
					part[j].what, part[j].at.base, part[j].at.size);
	return NULL;
}

/* One device: whole pages, as stage 2 gives them. */
static const char *check_device(const struct vm *vm, const struct part *part, u32 n,
				const struct passthrough *pass)
{
	char name[64];

	for (u32 r = 0; r < pass->reg_count; r++)
		for (u32 i = 0; i < n; i++)
			if (range_overlaps(machine_pages_of(pass->reg[r]), part[i].at))
				return FAIL(
					"nidus,passthrough: expected registers where the VM has "
					"nothing else, "
					"found %s at 0x%lx + 0x%lx in a page with %s at 0x%lx + "
					"0x%lx",
					dt_name(machine.fdt, pass->node, name, sizeof(name)),
					pass->reg[r].base, pass->reg[r].size, part[i].what,
					part[i].at.base, part[i].at.size);
	for (u32 i = 0; vm->config->vpl011 && i < pass->intid_count; i++)
		if (pass->intid[i] == vm->layout.uart_intid)
			return FAIL(
				"nidus,passthrough: expected interrupts that the VM has not yet, "
				"found %s with "
				"%u, which is its UART's (without vpl011 it has none)",
				dt_name(machine.fdt, pass->node, name, sizeof(name)),
				pass->intid[i]);
	return NULL;
}

/* No SPI twice, in one device or in two: a VM is assigned each separately. */
static const char *check_shared(const struct vm_config *c)
{
	u64 seen[GIC_INTID_MAX / 64 + 1] = { 0 };
	char name[64];

	for (u32 i = 0; i < c->pass_count; i++)
		for (u32 k = 0; k < c->pass[i].intid_count; k++) {
			u32 intid = c->pass[i].intid[k];

			if (seen[intid / 64] >> intid % 64 & 1)
				return FAIL(
					"nidus,passthrough: expected an interrupt of its own, "
					"found %s with %u, "
					"which the VM has already",
					dt_name(machine.fdt, c->pass[i].node, name, sizeof(name)),
					intid);
			seen[intid / 64] |= BIT(intid % 64);
		}
	return NULL;
}

/* ---- the clock, which goes where there is room ---- */

#define CLOCK_FROM 0x09010000UL
#define CLOCK_END 0x0a000000UL
#define CLOCK_INTID 34

/* part[0] is the clock itself. */
static bool overlaps_any(const struct vm *vm, const struct part *part, u32 n, struct range at)
{
	const struct vm_config *c = vm->config;

	for (u32 i = 1; i < n; i++)
		if (range_overlaps(at, part[i].at))
			return true;
	for (u32 i = 0; i < c->pass_count; i++)
		for (u32 r = 0; r < c->pass[i].reg_count; r++)
			if (range_overlaps(at, machine_pages_of(c->pass[i].reg[r])))
				return true;
	return false;
}

static bool intid_is_taken(const struct vm *vm, u32 intid)
{
	const struct vm_config *c = vm->config;

	if (c->vpl011 && intid == vm->layout.uart_intid)
		return true;
	for (u32 i = 0; i < ARRAY_SIZE(vm->layout.smmu_intid); i++)
		if (vm->layout.smmu_intid[i] == intid)
			return true;
	for (u32 i = 0; i < c->pass_count; i++)
		for (u32 k = 0; k < c->pass[i].intid_count; k++)
			if (c->pass[i].intid[k] == intid)
				return true;
	for (u32 i = 0; vm->pci && i < vm->pci->count; i++)
		if (vm->pci->fn[i].dev->intid == intid)
			return true;
	return false;
}

const char *vm_layout_clock(struct vm *vm)
{
	struct part part[PARTS];
	u32 n = list_parts(vm, part);
	struct range at = { vm->layout.rtc, PL031_SIZE };
	u32 intid = vm->layout.rtc_intid;

	if (overlaps_any(vm, part, n, at))
		for (at.base = CLOCK_FROM; at.base < CLOCK_END && overlaps_any(vm, part, n, at);
		     at.base += KIB(64))
			;
	for (u32 i = CLOCK_INTID; i < GIC_INTID_MAX && intid_is_taken(vm, intid); i++)
		intid = i;
	if (at.base >= CLOCK_END || intid_is_taken(vm, intid))
		return FAIL("nidus,passthrough: expected an address in 0x%lx to 0x%lx and an SPI "
			    "for its clock, found none free",
			    CLOCK_FROM, CLOCK_END);
	vm->layout.rtc = at.base;
	vm->layout.rtc_intid = intid;
	return NULL;
}

/* ---- its SMMU ---- */

#define SMMU_AT 0x09050000UL
static const u32 smmu_intids[] = { 106, 109 };

/* The first that is free from `from` on; 0: none. */
static u32 free_intid(const struct vm *vm, u32 from)
{
	u32 intid = MAX(from, (u32)GIC_SPI);

	while (intid < GIC_INTID_MAX &&
	       (intid_is_taken(vm, intid) || intid == vm->layout.rtc_intid))
		intid++;
	return intid < GIC_INTID_MAX ? intid : 0;
}

const char *vm_layout_smmu(struct vm *vm, const struct smmu *like)
{
	struct vm_layout *l = &vm->layout;
	bool same = vm->config->direct_map;

	l->smmu = same ? smmu_base(like) : SMMU_AT;
	for (u32 i = 0; i < ARRAY_SIZE(l->smmu_intid); i++) {
		l->smmu_intid[i] = free_intid(vm, same ? smmu_intid(like, i) : smmu_intids[i]);
		if (!l->smmu_intid[i])
			return "nidus,iommu: expected SPIs for its SMMU, found none free";
		l->intid_max = MAX(l->intid_max, l->smmu_intid[i]);
	}
	return NULL;
}

const char *vm_layout_check(const struct vm *vm)
{
	const struct vm_config *c = vm->config;
	struct part part[PARTS];
	u32 n = list_parts(vm, part);
	const char *error = check_parts(vm, part, n);

	for (u32 i = 0; !error && i < c->pass_count; i++)
		error = check_device(vm, part, n, &c->pass[i]);
	return error ? error : check_shared(c);
}

bool vm_place_handed(u64 at[VM_HANDED_MAX], const struct vm_config *c, u64 floor, u64 top)
{
	for (u32 i = 0; i < c->handed_count; i++) {
		u64 size = c->handed[i].file.size;
		u32 same = 0;

		while (c->handed[same].file.base != c->handed[i].file.base)
			same++;
		if (same < i) {
			at[i] = at[same];
			continue;
		}
		if (top < floor || top - floor < ALIGN_UP(size, PAGE_SIZE))
			return false;
		top = ALIGN_DOWN(top - size, PAGE_SIZE);
		if (top < floor)
			return false;
		at[i] = top;
	}
	return true;
}
