/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device tree that nidus makes for a guest, with libfdt's sequential writer. A tree has the
 * structure of QEMU virt's, so that guests made for that machine work.
 */
#include <libfdt.h>

#include "vm/guest_fdt.h"
#include "vm/guest_fdt_pci.h"

#include "arch/gicv3.h"
#include "dev/dt.h"
#include "lib/log.h"
#include "mm/addr.h"
#include "state/ppi.h"

/* GICv3 binding: type, and the flags of the edge and level kinds. */
#define FDT_SPI 0
#define FDT_PPI 1
#define IRQ_EDGE_RISING 1
#define IRQ_LEVEL_HIGH 4

/* A PPI of the binding. */
#define PPI(intid) ((intid)-GIC_SGIS)

#define UART_SIZE 0x1000
#define RTC_SIZE 0x1000
#define FW_CFG_SIZE 0x10
#define UART_HZ 24000000

#define PHANDLE_GIC 1
#define PHANDLE_ITS 2
#define PHANDLE_SMMU 3
#define PHANDLE_CLOCK 4 /* and on */
#define CLOCKS_MAX 16

/* The state of writing a guest's tree; the first error is kept and ends all writing. */
struct writer {
	void *fdt;
	int err;
	const struct vm_config *config;
	const struct guest_layout *layout;
	const struct machine *machine;
	u32 clock_hz[CLOCKS_MAX]; /* fixed clocks: phandle PHANDLE_CLOCK + index */
	u32 clocks;
};

static void keep(struct writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

static void put(struct writer *w, const char *name, const void *data, int len)
{
	if (!w->err)
		keep(w, fdt_property(w->fdt, name, data, len));
}

static void put_flag(struct writer *w, const char *name)
{
	put(w, name, NULL, 0);
}

static void put_string(struct writer *w, const char *name, const char *s)
{
	put(w, name, s, (int)strlen(s) + 1);
}

static void put_cells(struct writer *w, const char *name, const u32 *cells, u32 n)
{
	fdt32_t be[32];

	if (n > ARRAY_SIZE(be)) {
		keep(w, -FDT_ERR_INTERNAL);
		return;
	}
	for (u32 i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(cells[i]);
	put(w, name, be, (int)(n * sizeof(be[0])));
}

static void put_u32(struct writer *w, const char *name, u32 v)
{
	put_cells(w, name, &v, 1);
}

/* Ranges as two cells of address and two of size each. */
static void put_reg(struct writer *w, const struct range *r, u32 n)
{
	u32 cells[16];

	for (u32 i = 0; i < n && i < 4; i++) {
		cells[4 * i] = (u32)(r[i].base >> 32);
		cells[4 * i + 1] = (u32)r[i].base;
		cells[4 * i + 2] = (u32)(r[i].size >> 32);
		cells[4 * i + 3] = (u32)r[i].size;
	}
	put_cells(w, "reg", cells, 4 * MIN(n, 4));
}

static void begin(struct writer *w, const char *name)
{
	if (!w->err)
		keep(w, fdt_begin_node(w->fdt, name));
}

/* A node "name@address". */
static void begin_at(struct writer *w, const char *name, int name_len, u64 at)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%.*s@%lx", MIN(name_len, 40), name, at);
	begin(w, buf);
}

static void end(struct writer *w)
{
	if (!w->err)
		keep(w, fdt_end_node(w->fdt));
}

/* ---- what is handed down to the VM's own VMs ------------------------------------------------- */

/* The module's index in config->handed[], or -1. */
static int handed_index(const struct writer *w, int node)
{
	for (u32 i = 0; i < w->config->handed_count; i++)
		if (w->config->handed[i].node == node)
			return (int)i;
	return -1;
}

/* Copy all properties of a node but cell counts and, where it is rewritten, reg. */
static void hand_properties(struct writer *w, int node, bool module)
{
	const void *from = w->machine->fdt;
	int offset, len;

	fdt_for_each_property_offset(offset, from, node)
	{
		const char *name = NULL;
		const void *data = fdt_getprop_by_offset(from, offset, &name, &len);

		if (!data || !name)
			keep(w, -FDT_ERR_BADSTRUCTURE);
		else if (strcmp(name, "#address-cells") != 0 && strcmp(name, "#size-cells") != 0 &&
			 !(module && !strcmp(name, "reg")))
			put(w, name, data, len);
	}
}

/* Addresses in it are two cells, sizes too, as in all of the VM's tree. */
static void hand_cells(struct writer *w, int node)
{
	if (fdt_first_subnode(w->machine->fdt, node) < 0)
		return;
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
}

/* The node's head: with a module's new address. */
static void hand_head(struct writer *w, int node)
{
	const void *from = w->machine->fdt;
	const char *name = fdt_get_name(from, node, NULL), *at = name ? strchr(name, '@') : NULL;
	int i = handed_index(w, node);

	if (!name) {
		keep(w, -FDT_ERR_BADSTRUCTURE);
		return;
	}
	if (i >= 0 && at)
		begin_at(w, name, (int)(at - name), w->layout->handed[i]);
	else
		begin(w, name);
	hand_properties(w, node, i >= 0);
	if (i >= 0)
		put_reg(w,
			&(struct range){ w->layout->handed[i], w->config->handed[i].file.size }, 1);
	hand_cells(w, node);
}

/* The nodes below config->chosen in their order; config_handed() has checked how deep they are. */
static void hand_nodes(struct writer *w)
{
	const void *from = w->machine->fdt;
	int depth = 0, open = 0;

	for (int node = fdt_next_node(from, w->config->chosen, &depth); node >= 0 && depth > 0;
	     node = fdt_next_node(from, node, &depth)) {
		for (; open >= depth; open--)
			end(w);
		hand_head(w, node);
		open++;
	}
	for (; open > 0; open--)
		end(w);
}

/* ---- the VM's own nodes ---- */

static void write_chosen(struct writer *w)
{
	const struct guest_layout *l = w->layout;
	char uart[32];
	u64 initrd[2] = { l->initrd, l->initrd + l->initrd_size };

	snprintf(uart, sizeof(uart), "/pl011@%lx", l->uart);
	begin(w, "chosen");
	if (w->config->bootargs && w->config->bootargs[0])
		put_string(w, "bootargs", w->config->bootargs);
	if (w->config->vpl011)
		put_string(w, "stdout-path", uart);
	if (l->initrd_size) {
		put_cells(w, "linux,initrd-start",
			  (u32[]){ (u32)(initrd[0] >> 32), (u32)initrd[0] }, 2);
		put_cells(w, "linux,initrd-end", (u32[]){ (u32)(initrd[1] >> 32), (u32)initrd[1] },
			  2);
	}
	if (w->config->chosen) {
		hand_properties(w, w->config->chosen, false);
		hand_cells(w, w->config->chosen);
		hand_nodes(w);
	}
	end(w);
	if (!w->config->vpl011)
		return;
	begin(w, "aliases");
	put_string(w, "serial0", uart);
	end(w);
}

static void write_ram(struct writer *w, struct range r)
{
	begin_at(w, "memory", 6, r.base);
	put_string(w, "device_type", "memory");
	put_reg(w, &r, 1);
	end(w);
}

/* The piece with the images comes first: small programs read no further. */
static void write_memory(struct writer *w)
{
	write_ram(w, (struct range){ w->layout->ram, w->layout->ram_size });
	for (u32 i = 0; i < w->layout->more_count; i++)
		write_ram(w, w->layout->more[i]);
}

static void write_cpus(struct writer *w)
{
	u32 cells = 1;

	for (u32 i = 0; i < w->config->cpus; i++)
		if (w->layout->mpidr[i] >> 32)
			cells = 2;
	begin(w, "cpus");
	put_u32(w, "#address-cells", cells);
	put_u32(w, "#size-cells", 0);
	for (u32 i = 0; i < w->config->cpus; i++) {
		u64 mpidr = w->layout->mpidr[i];
		const u32 reg[] = { (u32)(mpidr >> 32), (u32)mpidr };

		begin_at(w, "cpu", 3, mpidr);
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "arm,armv8");
		put_cells(w, "reg", reg + 2 - cells, cells);
		put_string(w, "enable-method", "psci");
		end(w);
	}
	end(w);
}

static void write_psci(struct writer *w)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin(w, "psci");
	put(w, "compatible", compatible, sizeof(compatible));
	put_string(w, "method", w->config->nested ? "smc" : "hvc");
	end(w);
}

static void write_gic(struct writer *w)
{
	const struct range regs[] = {
		{ w->layout->gicd, GICD_SIZE },
		{ w->layout->gicr, (u64)GICR_SIZE * w->config->cpus },
	};

	begin_at(w, "intc", 4, w->layout->gicd);
	put_string(w, "compatible", "arm,gic-v3");
	put_u32(w, "phandle", PHANDLE_GIC);
	put_flag(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 3);
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
	put_flag(w, "ranges");
	put_u32(w, "#redistributor-regions", 1);
	put_reg(w, regs, ARRAY_SIZE(regs));
	if (w->config->nested)
		put_cells(w, "interrupts", (u32[]){ FDT_PPI, PPI(GUEST_PPI_MAINT), IRQ_LEVEL_HIGH },
			  3);
	keep(w, w->err ? w->err : guest_fdt_its(w->fdt, w->layout->its, PHANDLE_ITS));
	end(w);
}

static void write_timer(struct writer *w)
{
	static const u32 ppis[] = { PPI(GUEST_PPI_SEC_PHYS), PPI(GUEST_PPI_PHYS),
				    PPI(GUEST_PPI_VIRT), PPI(GUEST_PPI_HYP_PHYS),
				    PPI(GUEST_PPI_HYP_VIRT) };
	u32 cells[3 * ARRAY_SIZE(ppis)], n = w->config->nested && !w->config->nvhe ? 5 : 4;

	for (u32 i = 0; i < n; i++) {
		cells[3 * i] = FDT_PPI;
		cells[3 * i + 1] = ppis[i];
		cells[3 * i + 2] = IRQ_LEVEL_HIGH;
	}
	begin(w, "timer");
	put_string(w, "compatible", "arm,armv8-timer");
	put_flag(w, "always-on");
	put_cells(w, "interrupts", cells, 3 * n);
	end(w);
}

/* The phandle of the guest's fixed clock of this frequency, new or not; 0: too many. */
static u32 clock_phandle(struct writer *w, u32 hz)
{
	u32 i = 0;

	while (i < w->clocks && w->clock_hz[i] != hz)
		i++;
	if (i == CLOCKS_MAX)
		return 0;
	w->clock_hz[i] = hz;
	w->clocks = MAX(w->clocks, i + 1);
	return PHANDLE_CLOCK + i;
}

static void write_uart(struct writer *w)
{
	static const char compatible[] = "arm,pl011\0arm,primecell", clocks[] = "uartclk\0apb_pclk";
	const struct range reg = { w->layout->uart, UART_SIZE };
	u32 clock = clock_phandle(w, UART_HZ);

	begin_at(w, "pl011", 5, reg.base);
	put(w, "compatible", compatible, sizeof(compatible));
	put_reg(w, &reg, 1);
	put_cells(w, "interrupts", (u32[]){ FDT_SPI, w->layout->uart_intid - 32, IRQ_LEVEL_HIGH },
		  3);
	put_cells(w, "clocks", (u32[]){ clock, clock }, 2);
	put(w, "clock-names", clocks, sizeof(clocks));
	end(w);
}

static void write_rtc(struct writer *w)
{
	static const char compatible[] = "arm,pl031\0arm,primecell";
	const struct range reg = { w->layout->rtc, RTC_SIZE };

	begin_at(w, "pl031", 5, reg.base);
	put(w, "compatible", compatible, sizeof(compatible));
	put_reg(w, &reg, 1);
	put_cells(w, "interrupts", (u32[]){ FDT_SPI, w->layout->rtc_intid - 32, IRQ_LEVEL_HIGH },
		  3);
	put_u32(w, "clocks", clock_phandle(w, UART_HZ));
	put_string(w, "clock-names", "apb_pclk");
	end(w);
}

static void write_flash(struct writer *w)
{
	begin_at(w, "flash", 5, w->layout->flash);
	put_string(w, "compatible", "cfi-flash");
	put_reg(w, &(struct range){ w->layout->flash, w->layout->flash_size }, 1);
	put_u32(w, "bank-width", 4);
	end(w);
	begin_at(w, "fw-cfg", 6, w->layout->fw_cfg);
	put_string(w, "compatible", "qemu,fw-cfg-mmio");
	put_reg(w, &(struct range){ w->layout->fw_cfg, FW_CFG_SIZE }, 1);
	end(w);
}

/* Last, when all references to clocks are known. */
static void write_clocks(struct writer *w)
{
	char name[32];

	for (u32 i = 0; i < w->clocks; i++) {
		snprintf(name, sizeof(name), "clock-%u", i);
		begin(w, name);
		put_string(w, "compatible", "fixed-clock");
		put_u32(w, "#clock-cells", 0);
		put_u32(w, "clock-frequency", w->clock_hz[i]);
		put_u32(w, "phandle", PHANDLE_CLOCK + i);
		end(w);
	}
}

/* ---- passed-through devices ---- */

/*
 * Properties that are rewritten, that only have a meaning at the node's old place, or that refer to
 * nodes which the guest does not have. "x*" and "*x" match what begins or ends with x. Not
 * pointers: with its relocation one is longer than most of these.
 */
/* clang-format off */
static const char dropped[][20] = {
	"reg", "interrupts", "interrupt-parent", "interrupts-extended", "interrupt-map*",
	"status", "phandle", "linux,phandle", "name", "ranges", "dma-ranges", "#address-cells",
	"#size-cells", "clocks", "clock-names", "assigned-clock*", "resets", "reset-names",
	"power-domain*", "iommu*", "msi-parent", "msi-map*", "dmas", "dma-names", "phys",
	"phy-names", "phy-handle", "pinctrl-*", "*-gpios", "*-gpio", "gpios", "*-supply",
	"nvmem*", "interconnect*", "mbox*", "hwlocks", "io-channel*", "memory-region*",
	"operating-points-v2", "cooling-device*", "thermal-sensors", "remote-endpoint",
	"syscon*", "#cooling-cells", "dma-coherent",
};
/* clang-format on */

static bool matches(const char *name, const char *pattern)
{
	size_t n = strlen(name), p = strlen(pattern);

	if (pattern[0] == '*')
		return n >= p - 1 && !strcmp(name + n - (p - 1), pattern + 1);
	if (pattern[p - 1] == '*')
		return !strncmp(name, pattern, p - 1);
	return !strcmp(name, pattern);
}

static void copy_properties(struct writer *w, int node)
{
	const void *from = w->machine->fdt;
	int offset, len;

	fdt_for_each_property_offset(offset, from, node)
	{
		const char *name = NULL;
		const void *data = fdt_getprop_by_offset(from, offset, &name, &len);
		bool drop = !data || !name;

		for (u32 i = 0; !drop && i < ARRAY_SIZE(dropped); i++)
			drop = matches(name, dropped[i]);
		if (!drop)
			put(w, name, data, len);
	}
}

/*
 * The phandle of a guest clock that stands for one of the machine's; 0 unless that is a fixed
 * clock.
 */
static u32 copy_clock(struct writer *w, u32 phandle)
{
	const struct dt quiet = { .fdt = w->machine->fdt };
	int node = fdt_node_offset_by_phandle(quiet.fdt, phandle);
	u32 hz, cells;

	if (node < 0 || !dt_compatible(quiet.fdt, node, "fixed-clock") ||
	    !dt_u32(&quiet, node, "#clock-cells", &cells) || cells != 0 ||
	    !dt_u32(&quiet, node, "clock-frequency", &hz))
		return 0;
	return clock_phandle(w, hz);
}

/*
 * clocks and clock-names, if every clock is a fixed one (Arm's PrimeCells need theirs to be named).
 */
static void copy_clocks(struct writer *w, int node)
{
	const void *from = w->machine->fdt;
	u32 out[8];
	int len, names_len;
	const u8 *clocks = fdt_getprop(from, node, "clocks", &len);
	const char *names = fdt_getprop(from, node, "clock-names", &names_len);

	if (!clocks || len % 4 || len / 4 > (int)ARRAY_SIZE(out))
		return;
	for (int i = 0; i < len / 4; i++) {
		out[i] = copy_clock(w, (u32)dt_cells(clocks + 4 * i, 1));
		if (!out[i])
			return;
	}
	put_cells(w, "clocks", out, (u32)len / 4);
	if (names)
		put(w, "clock-names", names, names_len);
}

/* Whether dma-coherent applies: it does for all nodes below the one that has it. */
static bool is_dma_coherent(const void *fdt, int node)
{
	struct dt_path p;

	if (!dt_path_to(fdt, node, &p))
		return false;
	for (int d = 0; d <= p.depth; d++)
		if (dt_has(fdt, p.node[d], "dma-coherent"))
			return true;
	return false;
}

static void write_device(struct writer *w, const struct passthrough *pass)
{
	const void *from = w->machine->fdt;
	const char *name = fdt_get_name(from, pass->node, NULL), *at;
	u32 cells[3 * ARRAY_SIZE(pass->intid)];

	if (!name || !pass->reg_count) {
		keep(w, -FDT_ERR_BADOFFSET);
		return;
	}
	at = strchr(name, '@');
	begin_at(w, name, at ? (int)(at - name) : (int)strlen(name), pass->reg[0].base);
	copy_properties(w, pass->node);
	put_reg(w, pass->reg, pass->reg_count);
	for (u32 i = 0; i < pass->intid_count; i++) {
		cells[3 * i] = FDT_SPI;
		cells[3 * i + 1] = pass->intid[i] - 32;
		cells[3 * i + 2] = pass->edge[i] ? IRQ_EDGE_RISING : IRQ_LEVEL_HIGH;
	}
	if (pass->intid_count)
		put_cells(w, "interrupts", cells, 3 * pass->intid_count);
	if (is_dma_coherent(from, pass->node))
		put_flag(w, "dma-coherent");
	copy_clocks(w, pass->node);
	end(w);
}

/* Whether a device's registers overlap a part of the VM. */
static bool collides(const struct writer *w, const struct passthrough *pass)
{
	const struct guest_layout *l = w->layout;
	const struct range own[] = {
		{ l->ram, l->ram_size },
		{ l->gicd, GICD_SIZE },
		{ l->gicr, (u64)GICR_SIZE * w->config->cpus },
		{ l->uart, w->config->vpl011 ? UART_SIZE : 0 },
		{ l->rtc, RTC_SIZE },
		{ l->flash, l->flash_size },
		{ l->fw_cfg, l->flash_size ? FW_CFG_SIZE : 0 },
	};

	for (u32 i = 0; i < pass->reg_count; i++) {
		for (u32 j = 0; j < ARRAY_SIZE(own); j++)
			if (range_overlaps(pass->reg[i], own[j]))
				return true;
		for (u32 j = 0; j < l->more_count; j++)
			if (range_overlaps(pass->reg[i], l->more[j]))
				return true;
	}
	return false;
}

static void write_root(struct writer *w)
{
	static const char compatible[] = "nidus,vm\0linux,dummy-virt";
	static const struct guest_phandles at = { PHANDLE_GIC, PHANDLE_ITS, PHANDLE_SMMU };

	begin(w, "");
	put(w, "compatible", compatible, sizeof(compatible));
	put_string(w, "model", "nidus virtual machine");
	put_u32(w, "#address-cells", 2);
	put_u32(w, "#size-cells", 2);
	put_u32(w, "interrupt-parent", PHANDLE_GIC);
	write_chosen(w);
	write_memory(w);
	write_cpus(w);
	write_psci(w);
	write_gic(w);
	write_timer(w);
	if (w->config->vpl011)
		write_uart(w);
	write_rtc(w);
	if (w->layout->flash_size)
		write_flash(w);
	for (u32 i = 0; i < w->config->pass_count; i++)
		write_device(w, &w->config->pass[i]);
	if (!w->err && w->layout->pci)
		keep(w, guest_fdt_pci(w->fdt, w->layout->pci, &at));
	write_clocks(w);
	end(w);
}

int guest_fdt_make(void *buf, size_t size, const struct vm_config *config,
		   const struct guest_layout *layout, const struct machine *m)
{
	struct writer w = { .fdt = buf, .config = config, .layout = layout, .machine = m };

	for (u32 i = 0; i < config->pass_count; i++)
		if (collides(&w, &config->pass[i]))
			return -FDT_ERR_EXISTS;
	keep(&w, size > INT32_MAX ? -FDT_ERR_NOSPACE : fdt_create(buf, (int)size));
	if (!w.err)
		keep(&w, fdt_finish_reservemap(buf));
	write_root(&w);
	if (!w.err)
		keep(&w, fdt_finish(buf));
	return w.err ? w.err : (int)fdt_totalsize(buf);
}
