/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine, read from its device tree: memory, CPUs, PSCI, GICv3, timer, console. If something
 * that nidus needs is missing, one line names node and property.
 */
#include <libfdt.h>

#include "boot/fdt.h"
#include "boot/fdt_parts.h"

#include "arch/feat.h"
#include "dev/dt.h"
#include "lib/log.h"
#include "mm/addr.h"

/*
 * For problems that nidus can ignore: messages go to the next line of m->note, which is kept if
 * there is one by the time of fdt_note_end().
 */
struct dt fdt_note_begin(struct machine *m, const struct dt *dt)
{
	struct dt quiet = { .fdt = dt->fdt };

	if (m->note_count < MACHINE_NOTES_MAX) {
		quiet.err = m->note[m->note_count];
		quiet.err_size = MACHINE_LINE_MAX;
	}
	return quiet;
}

void fdt_note_end(struct machine *m)
{
	if (m->note_count < MACHINE_NOTES_MAX && m->note[m->note_count][0])
		m->note_count++;
}

static bool reserve(struct machine *m, const struct dt *dt, int node, const char *prop, u64 base,
		    u64 size, bool nomap)
{
	if (base + size < base)
		return dt_fail(dt, node, prop, "expected an end below 1 << 64, found 0x%lx + 0x%lx",
			       base, size);
	if (!machine_reserve(m, base, size))
		return dt_fail(dt, node, prop, "expected at most %d reserved ranges, found more",
			       MACHINE_RSV_MAX);
	if (nomap && size)
		m->rsv_nomap[m->rsv_count - 1] = true;
	return true;
}

/*
 * Nodes below /reserved-memory; one without reg asks an OS to choose a place, which nidus is not.
 */
static bool read_reserved_memory(struct machine *m, const struct dt *dt)
{
	int top = fdt_subnode_offset(dt->fdt, 0, "reserved-memory");
	struct dt_path p;
	struct range r;
	int node, count;

	if (top < 0)
		return true;
	fdt_for_each_subnode(node, dt->fdt, top)
	{
		if (!dt_enabled(dt->fdt, node) || !dt_path_to(dt->fdt, node, &p))
			continue;
		count = dt_reg_count(dt, &p);
		if (count < 0)
			return false;
		for (int i = 0; i < count; i++)
			if (!dt_reg(dt, &p, i, &r) ||
			    !reserve(m, dt, node, "reg", r.base, r.size,
				     dt_has(dt->fdt, node, "no-map")))
				return false;
	}
	return true;
}

/* One of linux,initrd-start and -end: absent is 0. */
static bool read_initrd_word(const struct dt *dt, int chosen, const char *prop, u64 *v)
{
	*v = 0;
	return !dt_has(dt->fdt, chosen, prop) || dt_u64(dt, chosen, prop, v);
}

static bool read_reserved(struct machine *m, const struct dt *dt)
{
	int chosen = fdt_subnode_offset(dt->fdt, 0, "chosen");
	u64 base, size, end;

	if (!reserve(m, dt, 0, "tree", (uintptr_t)dt->fdt, m->fdt_size, false) ||
	    !read_reserved_memory(m, dt))
		return false;
	m->rsv_fixed = m->rsv_count;
	for (int i = 0; i < fdt_num_mem_rsv(dt->fdt); i++)
		if (fdt_get_mem_rsv(dt->fdt, i, &base, &size) == 0 &&
		    !reserve(m, dt, 0, "/memreserve/", base, size, true))
			return false;
	if (chosen < 0)
		return true;
	if (!read_initrd_word(dt, chosen, "linux,initrd-start", &base) ||
	    !read_initrd_word(dt, chosen, "linux,initrd-end", &end))
		return false;
	if (end < base)
		return dt_fail(dt, chosen, "linux,initrd-end",
			       "expected at least 0x%lx, found 0x%lx", base, end);
	return reserve(m, dt, chosen, "linux,initrd-start", base, end - base, false);
}

/* Whole pages of r below the limit of nidus's translation; what is above is logged. */
static struct range usable_memory(struct machine *m, const struct dt *dt, int node, struct range r)
{
	u64 base = MIN(r.base, PA_LIMIT), end = MIN(r.base + r.size, PA_LIMIT);
	struct dt quiet;

	if (end - base < r.size) {
		quiet = fdt_note_begin(m, dt);
		dt_fail(&quiet, node, "reg",
			"expected memory below 1 << %u, found 0x%lx + 0x%lx; what lies above is "
			"not used",
			feat.pa_bits, r.base, r.size);
		fdt_note_end(m);
	}
	base = ALIGN_UP(base, PAGE_SIZE);
	end = ALIGN_DOWN(end, PAGE_SIZE);
	return (struct range){ base, base < end ? end - base : 0 };
}

/* One entry of a memory node. */
static bool add_memory(struct machine *m, const struct dt *dt, int node, struct range r)
{
	for (u32 i = 0; i < m->mem_count; i++)
		if (range_overlaps(m->mem[i], r))
			return dt_fail(
				dt, node, "reg",
				"expected memory without overlap, found 0x%lx + 0x%lx and 0x%lx + "
				"0x%lx",
				m->mem[i].base, m->mem[i].size, r.base, r.size);
	r = usable_memory(m, dt, node, r);
	if (r.size && !machine_add_memory(m, r))
		return dt_fail(dt, node, "reg", "expected at most %d ranges of memory, found more",
			       MACHINE_MEM_MAX);
	return true;
}

static bool read_memory(struct machine *m, const struct dt *dt)
{
	struct dt_path p;
	struct range r;

	dt_walk(&p);
	while (dt_next(dt->fdt, &p)) {
		int node = p.node[p.depth], count;

		if (!dt_type(dt->fdt, node, "memory") || !dt_path_enabled(dt->fdt, &p))
			continue;
		count = dt_reg_count(dt, &p);
		if (count < 0)
			return false;
		for (int i = 0; i < count; i++)
			if (!dt_reg(dt, &p, i, &r) || !add_memory(m, dt, node, r))
				return false;
	}
	if (!m->mem_count)
		return dt_fail(dt, 0, "memory",
			       "expected a node with device_type \"memory\" and a reg, found none");
	return true;
}

/*
 * A CPU with another enable-method (spin-table) is left alone; the one that nidus runs on needs no
 * starting.
 */
static bool started_by_psci(struct machine *m, const struct dt *dt, int node)
{
	struct dt quiet = fdt_note_begin(m, dt);
	const char *method;

	if (!dt_has(dt->fdt, node, "enable-method"))
		return true;
	method = dt_string(&quiet, node, "enable-method");
	if (method && !strcmp(method, "psci"))
		return true;
	if (method)
		dt_fail(&quiet, node, "enable-method",
			"expected \"psci\", found \"%s\"; nidus does not start this CPU", method);
	fdt_note_end(m);
	return false;
}

static bool add_cpu(struct machine *m, const struct dt *dt, int node, int ac)
{
	int len;
	const void *reg = fdt_getprop(dt->fdt, node, "reg", &len);
	u64 mpidr;

	if (!reg || len != 4 * ac)
		return dt_fail(dt, node, "reg", "expected %d cells, found %d bytes", ac,
			       reg ? len : 0);
	mpidr = dt_cells(reg, ac);
	if (mpidr & ~MPIDR_AFFINITY)
		return dt_fail(dt, node, "reg",
			       "expected the affinity bits of MPIDR_EL1, found 0x%lx", mpidr);
	for (u32 i = 0; i < m->cpu_count; i++)
		if (m->cpu_mpidr[i] == mpidr)
			return dt_fail(dt, node, "reg",
				       "expected an MPIDR of its own, found 0x%lx again", mpidr);
	if (m->cpu_count == MACHINE_CPUS_MAX) {
		m->cpu_ignored++;
		return true;
	}
	m->cpu_no_psci[m->cpu_count] = !started_by_psci(m, dt, node);
	m->cpu_mpidr[m->cpu_count++] = mpidr;
	return true;
}

static bool read_cpus(struct machine *m, const struct dt *dt)
{
	int top = fdt_subnode_offset(dt->fdt, 0, "cpus"), node, ac;

	if (top < 0)
		return dt_fail(dt, 0, "cpus", "expected a node /cpus, found none");
	ac = fdt_address_cells(dt->fdt, top);
	if (ac != 1 && ac != 2)
		return dt_fail(dt, top, "#address-cells", "expected 1 or 2, found %d", ac);
	fdt_for_each_subnode(node, dt->fdt, top) if (dt_type(dt->fdt, node, "cpu") &&
						     dt_enabled(dt->fdt, node) &&
						     !add_cpu(m, dt, node, ac)) return false;
	if (!m->cpu_count)
		return dt_fail(dt, top, "device_type", "expected an enabled \"cpu\", found none");
	return true;
}

static bool read_psci(struct machine *m, const struct dt *dt)
{
	static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	struct dt_path p;
	struct dt quiet;
	const char *method;
	int node;

	for (u32 i = 0; i < ARRAY_SIZE(compatible); i++) {
		if (!dt_find_compatible(dt->fdt, compatible[i], &p))
			continue;
		node = p.node[p.depth];
		/* PSCI 0.1: every firmware has numbers of its own for its functions */
		if (i == 2) {
			quiet = fdt_note_begin(m, dt);
			dt_fail(&quiet, node, "compatible",
				"expected \"arm,psci-0.2\" or later, found \"arm,psci\" alone; "
				"other CPUs stay off");
			fdt_note_end(m);
			return true;
		}
		method = dt_string(dt, node, "method");
		if (!method || (strcmp(method, "smc") != 0 && strcmp(method, "hvc") != 0))
			return dt_fail(dt, node, "method", "expected \"smc\" or \"hvc\", found %s",
				       method ? method : "none");
		m->psci_smc = !strcmp(method, "smc");
		return true;
	}
	return true;
}

static bool fail_no_gic(const struct dt *dt)
{
	static const char *const v2[] = { "arm,gic-400", "arm,cortex-a15-gic",
					  "arm,cortex-a9-gic" };
	struct dt_path p;

	for (u32 i = 0; i < ARRAY_SIZE(v2); i++)
		if (dt_find_compatible(dt->fdt, v2[i], &p))
			return dt_fail(dt, p.node[p.depth], "compatible",
				       "expected \"arm,gic-v3\", found a GICv2 (%s)", v2[i]);
	return dt_fail(dt, 0, "interrupt controller",
		       "expected a node compatible with \"arm,gic-v3\", found none");
}

/* A per-CPU interrupt of nidus's own. */
static bool check_ppi(const struct dt *dt, int node, const struct dt_irq *irq)
{
	if (irq->intid < 16 || irq->intid > 31)
		return dt_fail(dt, node, "interrupts", "expected PPIs (INTID 16 to 31), found %u",
			       irq->intid);
	return true;
}

/* Whether any page of r is a part of memory. */
bool fdt_on_memory(const struct machine *m, struct range r)
{
	struct range pages = machine_pages_of(r);

	for (u32 i = 0; i < m->mem_count; i++)
		if (range_overlaps(m->mem[i], pages))
			return true;
	return false;
}

/* One of the GIC's frames; its registers are in 64 KiB pages (GICv3 architecture, "memory map"). */
static bool gic_reg(const struct machine *m, const struct dt *dt, const struct dt_path *p, int i,
		    struct range *r)
{
	int node = p->node[p->depth];

	if (!dt_reg(dt, p, i, r))
		return false;
	if (!IS_ALIGNED(r->base, KIB(64)) || r->base + r->size > PA_LIMIT)
		return dt_fail(
			dt, node, "reg",
			"expected frames at multiples of 0x10000 below 1 << %u, found 0x%lx + "
			"0x%lx",
			feat.pa_bits, r->base, r->size);
	if (fdt_on_memory(m, *r))
		return dt_fail(dt, node, "reg",
			       "expected registers that are not in memory, found 0x%lx + 0x%lx",
			       r->base, r->size);
	return true;
}

static bool read_redistributors(struct machine *m, const struct dt *dt, const struct dt_path *p)
{
	int node = p->node[p->depth];

	m->gicr_count = 1;
	if (dt_has(dt->fdt, node, "#redistributor-regions") &&
	    !dt_u32(dt, node, "#redistributor-regions", &m->gicr_count))
		return false;
	if (m->gicr_count < 1 || m->gicr_count > MACHINE_GICR_MAX)
		return dt_fail(dt, node, "#redistributor-regions", "expected 1 to %d, found %u",
			       MACHINE_GICR_MAX, m->gicr_count);
	if (dt_has(dt->fdt, node, "redistributor-stride") &&
	    !dt_u64(dt, node, "redistributor-stride", &m->gicr_stride))
		return false;
	if (!IS_ALIGNED(m->gicr_stride, KIB(64)))
		return dt_fail(dt, node, "redistributor-stride",
			       "expected a multiple of 0x10000, found 0x%lx", m->gicr_stride);
	for (u32 i = 0; i < m->gicr_count; i++) {
		if (!gic_reg(m, dt, p, (int)i + 1, &m->gicr[i]))
			return false;
		if (m->gicr[i].size < KIB(128))
			return dt_fail(dt, node, "reg",
				       "expected a redistributor region of at least 0x20000 bytes, "
				       "found 0x%lx",
				       m->gicr[i].size);
	}
	return true;
}

static bool read_gic(struct machine *m, const struct dt *dt)
{
	struct dt_path p;
	struct dt_irq maint[8];
	int node, count;

	if (!dt_find_compatible(dt->fdt, "arm,gic-v3", &p))
		return fail_no_gic(dt);
	node = m->gic_node = p.node[p.depth];
	if (!gic_reg(m, dt, &p, 0, &m->gicd))
		return false;
	if (m->gicd.size < KIB(64))
		return dt_fail(dt, node, "reg",
			       "expected a distributor of at least 0x10000 bytes, found 0x%lx",
			       m->gicd.size);
	if (!read_redistributors(m, dt, &p))
		return false;
	count = dt_interrupts(dt, &p, node, maint, ARRAY_SIZE(maint));
	if (count < 0)
		return false;
	if (count == 0)
		return dt_fail(dt, node, "interrupts",
			       "expected the maintenance interrupt, found no such property");
	m->ppi_maint = maint[0].intid;
	return check_ppi(dt, node, &maint[0]);
}

/*
 * The index of a timer interrupt in `interrupts`: by name if there are names, else in binding
 * order.
 */
static int timer_index(const struct dt *dt, int node, const char *name, int order)
{
	if (!dt_has(dt->fdt, node, "interrupt-names"))
		return order;
	return fdt_stringlist_search(dt->fdt, node, "interrupt-names", name);
}

static bool read_timer(struct machine *m, const struct dt *dt)
{
	const struct {
		const char *name;
		u32 *intid;
		bool needed;
	} wanted[] = {
		{ "sec-phys", NULL, false },
		{ "phys", &m->ppi_phys, true },
		{ "virt", &m->ppi_virt, true },
		{ "hyp-phys", &m->ppi_hyp_phys, true },
		{ "hyp-virt", &m->ppi_hyp_virt, false },
	};
	struct dt_irq irq[8];
	struct dt_path p;
	int node, count, at;

	if (!dt_find_compatible(dt->fdt, "arm,armv8-timer", &p))
		return dt_fail(dt, 0, "timer",
			       "expected a node compatible with \"arm,armv8-timer\", found none");
	node = p.node[p.depth];
	count = dt_interrupts(dt, &p, m->gic_node, irq, ARRAY_SIZE(irq));
	if (count < 0)
		return false;
	for (int i = 0; i < (int)ARRAY_SIZE(wanted); i++) {
		at = timer_index(dt, node, wanted[i].name, i);
		if (at >= 0 && at < count && wanted[i].intid) {
			*wanted[i].intid = irq[at].intid;
			if (!check_ppi(dt, node, &irq[at]))
				return false;
		} else if (wanted[i].needed) {
			return dt_fail(dt, node, "interrupts",
				       "expected the %s timer's interrupt, found %d entries",
				       wanted[i].name, count);
		}
	}
	return true;
}

/* The date as efi.c had it from the firmware. */
static void read_time(struct machine *m, const struct dt *dt)
{
	int chosen = fdt_subnode_offset(dt->fdt, 0, "chosen"), len;
	const u8 *v = chosen < 0 ? NULL : fdt_getprop(dt->fdt, chosen, "nidus,time", &len);

	if (!v || len != 16)
		return;
	m->time = dt_cells(v, 2);
	m->time_ticks = dt_cells(v + 8, 2);
}

static bool read_bootargs(struct machine *m, const struct dt *dt)
{
	int chosen = fdt_subnode_offset(dt->fdt, 0, "chosen");
	const char *s = chosen < 0 ? NULL : dt_string(dt, chosen, "bootargs");

	m->bootargs = s ? s : "";
	return s || chosen < 0 || !dt_has(dt->fdt, chosen, "bootargs");
}

const char *fdt_read_machine(struct machine *m, const void *fdt, size_t max_size)
{
	static char line[192];
	struct dt dt = { .fdt = fdt, .err = line, .err_size = sizeof(line) };

	memset(m, 0, sizeof(*m));
	line[0] = '\0';
	if (!dt_check(&dt, max_size))
		return line;
	m->fdt = fdt;
	m->fdt_size = fdt_totalsize(fdt);
	if (read_reserved(m, &dt) && read_memory(m, &dt) && read_cpus(m, &dt) &&
	    read_psci(m, &dt) && read_gic(m, &dt) && read_timer(m, &dt) &&
	    read_bootargs(m, &dt)) {
		fdt_read_uart(m, &dt);
		fdt_read_rtc(m, &dt);
		read_time(m, &dt);
		return NULL;
	}
	return line;
}
