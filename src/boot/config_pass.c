/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the machine that a VM gets: which may be given away, that each goes to one VM only,
 * and what else is on the same 4 KiB pages, since stage 2 cannot map less than a page.
 */
#include <libfdt.h>

#include "boot/config_parts.h"
#include "mm/machine.h"

/* Whether a device's registers share a page with r. */
static bool pass_touches(const struct passthrough *pass, struct range r)
{
	for (u32 i = 0; i < pass->reg_count; i++)
		if (range_overlaps(machine_pages_of(pass->reg[i]), machine_pages_of(r)))
			return true;
	return false;
}

static bool pass_has_intid(const struct passthrough *pass, u32 intid)
{
	for (u32 i = 0; i < pass->intid_count; i++)
		if (pass->intid[i] == intid)
			return true;
	return false;
}

/* Nodes that are no devices with registers of their own to give away. */
static const char *not_a_device(const struct config_reader *r, const struct dt_path *p)
{
	const void *fdt = r->dt.fdt;
	int node = p->node[p->depth];

	if (!dt_path_enabled(fdt, p))
		return "a disabled one";
	for (int d = 1; d <= p->depth; d++)
		if (p->node[d] == r->m->gic_node)
			return "a part of the GIC";
	if (node == r->m->uart_node)
		return "nidus's own UART";
	if (dt_type(fdt, node, "cpu"))
		return "a CPU";
	if (dt_type(fdt, node, "memory"))
		return "memory";
	if (dt_type(fdt, node, "pci") || dt_has(fdt, node, "interrupt-map"))
		return "a bus with interrupts of its own";
	if (dt_compatible(fdt, node, "arm,smmu-v3"))
		return "the SMMU";
	if (dt_compatible(fdt, node, "arm,armv8-timer"))
		return "the timer";
	if (!dt_has(fdt, node, "reg"))
		return "one without reg";
	return NULL;
}

static bool add_reg(struct config_reader *r, struct passthrough *pass, struct config_place at,
		    const char *name, struct range reg)
{
	struct range pages = machine_pages_of(reg);
	const char *mine;

	if (!reg.size || pages.base + pages.size < pages.base || pages.base + pages.size > BIT(48))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected registers below 1 << 48, found %s with 0x%lx + 0x%lx",
			       name, reg.base, reg.size);
	mine = machine_part(r->m, pages);
	if (mine)
		return dt_fail(
			&r->dt, at.node, at.prop,
			"expected pages without anything of nidus's, found %s in a page with %s",
			name, mine);
	pass->reg[pass->reg_count++] = reg;
	return true;
}

static bool read_regs(struct config_reader *r, struct passthrough *pass, const struct dt_path *p,
		      struct config_place at, const char *name)
{
	struct range reg;
	int count = dt_reg_count(&r->dt, p);

	if (count < 0)
		return false;
	if (count < 1 || count > (int)ARRAY_SIZE(pass->reg))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected a device with 1 to %zu register ranges, found %s with %d",
			       ARRAY_SIZE(pass->reg), name, count);
	for (int i = 0; i < count; i++)
		if (!dt_reg(&r->dt, p, i, &reg) || !add_reg(r, pass, at, name, reg))
			return false;
	return true;
}

static bool read_interrupts(struct config_reader *r, struct passthrough *pass,
			    const struct dt_path *p, struct config_place at, const char *name)
{
	struct dt_irq irq[ARRAY_SIZE(pass->intid)];
	int count = dt_interrupts(&r->dt, p, r->m->gic_node, irq, ARRAY_SIZE(irq));

	for (int i = 0; i < count; i++) {
		if (irq[i].intid < 32 || irq[i].intid > 1019)
			return dt_fail(&r->dt, at.node, at.prop,
				       "expected SPIs (INTID 32 to 1019), found %s with %u", name,
				       irq[i].intid);
		if (irq[i].intid == r->m->uart_intid)
			return dt_fail(
				&r->dt, at.node, at.prop,
				"expected an interrupt of its own, found %s with that of nidus's "
				"UART, %u",
				name, irq[i].intid);
		pass->intid[i] = irq[i].intid;
		pass->edge[i] = irq[i].edge;
	}
	pass->intid_count = count > 0 ? (u32)count : 0;
	return count >= 0;
}

/*
 * The streams of a device behind SMMUs, if all of them are of SMMUs of a known kind; else none
 * (stream_count 0).
 */
static void read_streams(const struct config_reader *r, struct passthrough *pass)
{
	const void *fdt = r->dt.fdt;
	const struct dt quiet = { .fdt = fdt };
	u32 n = 0, cells;
	int len;
	const u8 *c = fdt_getprop(fdt, pass->node, "iommus", &len);

	pass->stream_count = 0;
	for (; c && len >= 8; len -= 8, c += 8) {
		int smmu = fdt_node_offset_by_phandle(fdt, (u32)dt_cells(c, 1));

		if (smmu < 0 || n == PASS_STREAMS_MAX || !dt_compatible(fdt, smmu, "arm,smmu-v3") ||
		    !dt_u32(&quiet, smmu, "#iommu-cells", &cells) || cells != 1)
			return;
		pass->stream[n].smmu = smmu;
		pass->stream[n++].sid = (u32)dt_cells(c + 4, 1);
	}
	pass->stream_count = c && !len ? n : 0;
}

/* Report another VM that has this device, a page of it, or one of its interrupts. */
static bool check_claims(struct config_reader *r, const struct passthrough *pass,
			 struct config_place at, const char *name)
{
	for (u32 i = 0; i < r->out->count; i++) {
		const struct vm_config *vm = &r->out->vm[i];

		for (u32 j = 0; j < vm->pass_count; j++) {
			const struct passthrough *other = &vm->pass[j];
			bool page = false, intid = false;

			for (u32 k = 0; k < pass->reg_count; k++)
				page |= pass_touches(other, pass->reg[k]);
			for (u32 k = 0; k < pass->intid_count; k++)
				intid |= pass_has_intid(other, pass->intid[k]);
			if (page || intid)
				return dt_fail(
					&r->dt, at.node, at.prop,
					"expected a device that no other VM has, found %s: %s has "
					"%s",
					name, vm->path,
					other->node == pass->node ? "it"
					: page                    ? "another in its page"
								  : "its interrupt");
		}
	}
	return true;
}

bool config_pass(struct config_reader *r, struct vm_config *vm, struct config_place at,
		 const char *name)
{
	struct passthrough *pass = &vm->pass[vm->pass_count];
	int node = fdt_path_offset(r->dt.fdt, name);
	struct dt_path p;
	const char *what;

	if (node < 0 || !dt_path_to(r->dt.fdt, node, &p))
		return dt_fail(&r->dt, at.node, at.prop,
			       "expected the path or alias of a device, found \"%s\"", name);
	what = not_a_device(r, &p);
	if (what)
		return dt_fail(
			&r->dt, at.node, at.prop,
			"expected a device of the machine's that nidus does not use, found %s: %s",
			name, what);
	for (u32 i = 0; i < vm->pass_count; i++)
		if (vm->pass[i].node == node)
			return dt_fail(&r->dt, at.node, at.prop,
				       "expected each device once, found %s "
				       "twice",
				       name);
	if (vm->pass_count == VM_PASSTHROUGH_MAX)
		return dt_fail(&r->dt, at.node, at.prop, "expected at most %d devices, found more",
			       VM_PASSTHROUGH_MAX);
	memset(pass, 0, sizeof(*pass));
	pass->node = node;
	if (!read_regs(r, pass, &p, at, name) || !read_interrupts(r, pass, &p, at, name) ||
	    !check_claims(r, pass, at, name))
		return false;
	read_streams(r, pass);
	vm->pass_count++;
	return true;
}

/* Properties of a node that show that the device does DMA. */
static bool masters_memory(const void *fdt, int node)
{
	return dt_compatible(fdt, node, "virtio,mmio") || dt_has(fdt, node, "dma-coherent") ||
	       dt_has(fdt, node, "dma-noncoherent") || dt_has(fdt, node, "dma-ranges") ||
	       dt_has(fdt, node, "iommus");
}

/*
 * Behind an SMMU a device has the VM's addresses (vm/vpass.h).
 * Without an IOMMU a device takes the guest's addresses for physical ones. Where these differ it
 * would write into memory that is not the VM's.
 */
bool config_pass_check(struct config_reader *r, const struct vm_config *vm, struct config_place at)
{
	char name[64];

	for (u32 i = 0; !vm->direct_map && i < vm->pass_count; i++)
		if (!vm->pass[i].stream_count && masters_memory(r->dt.fdt, vm->pass[i].node))
			return dt_fail(
				&r->dt, at.node, at.prop,
				"expected direct-map with a device that masters memory, found %s "
				"without",
				dt_name(r->dt.fdt, vm->pass[i].node, name, sizeof(name)));
	return true;
}

static bool vm_has_node(const struct vm_config *vm, int node)
{
	for (u32 i = 0; i < vm->pass_count; i++)
		if (vm->pass[i].node == node)
			return true;
	return false;
}

/* Whether any register of the node at p shares a page with a device of vm. */
static bool is_neighbour(const void *fdt, const struct vm_config *vm, const struct dt_path *p)
{
	const struct dt quiet = { .fdt = fdt };
	int node = p->node[p->depth], count;
	struct range reg;

	if (!dt_has(fdt, node, "reg") || dt_type(fdt, node, "cpu") || vm_has_node(vm, node))
		return false;
	count = dt_reg_count(&quiet, p);
	for (int i = 0; i < count; i++) {
		if (!dt_reg(&quiet, p, i, &reg) || !reg.size)
			continue;
		for (u32 j = 0; j < vm->pass_count; j++)
			if (pass_touches(&vm->pass[j], reg))
				return true;
	}
	return false;
}

void config_pass_note(struct config_reader *r, const struct vm_config *vm)
{
	const void *fdt = r->dt.fdt;
	struct dt_path p;
	char name[64];
	u32 count = 0;

	if (!vm->pass_count)
		return;
	dt_walk(&p);
	while (dt_next(fdt, &p))
		if (is_neighbour(fdt, vm, &p) && count++ == 0)
			dt_name(fdt, p.node[p.depth], name, sizeof(name));
	if (count)
		config_note(
			r, vm->node >= 0 ? vm->node : fdt_path_offset(fdt, vm->path), "passthrough",
			"this VM also reaches %u other device(s) in the same 4 KiB pages, %s first",
			count, name);
}
