/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree of what ACPI tells: CPUs and GIC from the MADT, timer from the GTDT, PSCI from the
 * FADT, console from the SPCR; PCI is acpi_pci.c's. What nidus then does with the tree, it also
 * checks there.
 */
#include <libfdt.h>

#include "boot/acpi_node.h"

#include "dev/dt.h"
#include "lib/log.h"

#define MADT_GICC 11
#define MADT_GICD 12
#define MADT_GICR 14

#define GICC_SIZE 76 /* up to and with the MPIDR: ACPI 5.1 */
#define GICC_FLAGS 12
#define GICC_MAINTENANCE 56
#define GICC_GICR 60
#define GICC_MPIDR 68
#define GICC_ENABLED 1u

#define GICR_FRAMES 0x20000u    /* of a CPU: two of 64 KiB, */
#define GICR_FRAMES_V4 0x40000u /* or four */
#define PPI_FLAGS 4 /* level, high: PPIs of GIC and timer are nothing else */

#define FADT_ARM 129 /* ARM_BOOT_ARCH */
#define FADT_PSCI 1u
#define FADT_PSCI_HVC 2u

#define SPCR_TYPE 36
#define SPCR_SPACE 40
#define SPCR_ADDRESS 44
#define SPCR_IRQ_TYPE 52
#define SPCR_IRQ_GIC 8u
#define SPCR_GSIV 54
#define SPCR_WIDTH 41  /* of the address: bits of a register, */
#define SPCR_ACCESS 43 /* and of an access: 1 a byte, 3 a word */
#define SPCR_WORD 3

#define UART_REGISTERS 0x1000

static char line[160];

static __attribute__((format(printf, 1, 2))) const char *fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return line;
}

/* ---- reading ---- */

/* The next GICC of a CPU that is there. */
static bool next_cpu(const struct acpi_writer *w, u32 *at, struct acpi_table *gicc)
{
	int kind;

	while ((kind = acpi_node_madt(w, at, gicc)) >= 0)
		if (kind == MADT_GICC && acpi_read(*gicc, GICC_FLAGS, 4) & GICC_ENABLED)
			return true;
	return false;
}

/* Whether the list of structures fills the table: a length that is wrong hides all behind it. */
static const char *check_madt(const struct acpi_writer *w)
{
	struct acpi_table entry;
	u32 at = ACPI_MADT_FIRST;
	int kind;

	while ((kind = acpi_node_madt(w, &at, &entry)) >= 0)
		if (kind == MADT_GICC && entry.size < GICC_SIZE)
			return fail("ACPI: APIC: expected GICCs of 0x%x bytes or more, found 0x%x",
				    GICC_SIZE, entry.size);
	if (at == w->madt.size)
		return NULL;
	return fail("ACPI: APIC: expected structures up to its end, 0x%x, found one of 0x%lx bytes "
		    "at 0x%x",
		    w->madt.size, acpi_read(w->madt, at + 1, 1), at);
}

/*
 * Add a region of redistributors; with join to the one that it continues, if there is one: a region
 * of many ends with GICR_TYPER.Last, so two of those stay two.
 */
static const char *add_gicr(struct acpi_writer *w, struct range r, bool join)
{
	struct range *before = NULL;

	for (u32 i = 0; i < w->gicr_count; i++) {
		struct range *old = &w->gicr[i];

		if (join && old->base + old->size == r.base)
			before = old;
		if (range_overlaps(*old, r))
			return fail("ACPI: APIC: expected redistributors without overlap, found "
				    "0x%lx + 0x%lx and 0x%lx + 0x%lx",
				    old->base, old->size, r.base, r.size);
	}
	if (before) {
		before->size += r.size;
		return NULL;
	}
	if (w->gicr_count == MACHINE_GICR_MAX)
		return fail("ACPI: APIC: expected at most %d regions of redistributors, found more",
			    MACHINE_GICR_MAX);
	w->gicr[w->gicr_count++] = r;
	return NULL;
}

/* Regions of many CPUs' redistributors, if the machine has them so. */
static const char *read_regions(struct acpi_writer *w)
{
	struct acpi_table entry;
	const char *error = NULL;
	u32 at = ACPI_MADT_FIRST;
	int kind;

	while (!error && (kind = acpi_node_madt(w, &at, &entry)) >= 0)
		if (kind == MADT_GICR)
			error = add_gicr(w, (struct range){ acpi_read(entry, 4, 8),
							    acpi_read(entry, 12, 4) },
					 false);
	return error;
}

/* Otherwise each CPU's structure says where its own are. */
static const char *read_own_frames(struct acpi_writer *w)
{
	const u64 size = w->version == 4 ? GICR_FRAMES_V4 : GICR_FRAMES;
	struct acpi_table gicc;
	const char *error = NULL;
	u32 at = ACPI_MADT_FIRST;

	while (!error && next_cpu(w, &at, &gicc)) {
		u64 base = acpi_read(gicc, GICC_GICR, 8);

		if (base)
			error = add_gicr(w, (struct range){ base, size }, true);
	}
	return error;
}

static const char *read_distributor(struct acpi_writer *w)
{
	struct acpi_table entry;
	u32 at = ACPI_MADT_FIRST;
	int kind;

	while ((kind = acpi_node_madt(w, &at, &entry)) >= 0) {
		if (kind != MADT_GICD)
			continue;
		w->gicd_count++;
		w->gicd = acpi_read(entry, 8, 8);
		w->version = (u32)acpi_read(entry, 20, 1);
	}
	if (w->gicd_count != 1)
		return fail("ACPI: APIC: expected one GIC distributor, found %u", w->gicd_count);
	if (w->version == 1 || w->version == 2)
		return fail("ACPI: APIC: expected a GICv3, found a GICv%u", w->version);
	return NULL;
}

static const char *read_cpus(struct acpi_writer *w)
{
	struct acpi_table gicc;
	u32 at = ACPI_MADT_FIRST;

	if (!next_cpu(w, &at, &gicc))
		return fail("ACPI: APIC: expected an enabled GICC, found none");
	w->maintenance = (u32)acpi_read(gicc, GICC_MAINTENANCE, 4);
	return NULL;
}

static const char *read_madt(struct acpi_writer *w)
{
	const char *error;

	w->madt = acpi_table(w->acpi, "APIC");
	if (!w->madt.data)
		return fail("ACPI: expected a table APIC (MADT), found none that is whole");
	error = check_madt(w);
	if (!error)
		error = read_cpus(w);
	if (!error)
		error = read_distributor(w);
	if (!error)
		error = read_regions(w);
	if (!error && !w->gicr_count)
		error = read_own_frames(w);
	if (!error && !w->gicr_count)
		error = fail("ACPI: APIC: expected redistributors of a GICv3, found none");
	return error;
}

static void read_fadt(struct acpi_writer *w)
{
	struct acpi_table fadt = acpi_table(w->acpi, "FACP");
	u64 arm = acpi_read(fadt, FADT_ARM, 2);

	w->psci = (arm & (FADT_PSCI | FADT_PSCI_HVC)) == FADT_PSCI;
	if (!w->psci)
		log_line("ACPI: FACP: expected PSCI by SMC, found ARM_BOOT_ARCH 0x%lx; other CPUs "
			 "stay off",
			 arm);
}

/* The kinds of the DBG2 table's specification that nidus has drivers for; NULL: another. */
static const char *uart_type(u64 type)
{
	switch (type) {
	case 0x00: /* 16550; its registers may be bytes apart or words */
	case 0x01:
	case 0x12:
		return "ns16550a";
	case 0x03:
		return "arm,pl011";
	case 0x0d: /* SBSA's, with 32-bit accesses only, */
	case 0x0e: /* and with any */
		return "arm,sbsa-uart";
	default:
		return NULL;
	}
}

/* A console that nidus has no driver for is none. */
static void read_spcr(struct acpi_writer *w)
{
	struct acpi_table spcr = acpi_table(w->acpi, "SPCR");

	if (!spcr.data)
		return;
	w->uart_type = uart_type(acpi_read(spcr, SPCR_TYPE, 1));
	if (!w->uart_type || acpi_read(spcr, SPCR_SPACE, 1) != 0) {
		log_line("ACPI: SPCR: expected a PL011, SBSA UART or 16550 in memory (type 0, 1, "
			 "3, 13, 14 or 18, space 0), found type %lu, space %lu; no console",
			 acpi_read(spcr, SPCR_TYPE, 1), acpi_read(spcr, SPCR_SPACE, 1));
		return;
	}
	w->uart = acpi_read(spcr, SPCR_ADDRESS, 8);
	w->uart_shift = acpi_read(spcr, SPCR_WIDTH, 1) == 32 ? 2 : 0;
	w->uart_width = w->uart_shift && acpi_read(spcr, SPCR_ACCESS, 1) == SPCR_WORD ? 4 : 1;
	if (acpi_read(spcr, SPCR_IRQ_TYPE, 1) & SPCR_IRQ_GIC)
		w->uart_gsiv = (u32)acpi_read(spcr, SPCR_GSIV, 4);
}

/* ---- writing ---- */

static struct range big_endian(struct range r)
{
	return (struct range){ cpu_to_fdt64(r.base), cpu_to_fdt64(r.size) };
}

/* An interrupt by its number in ACPI, which is the GIC's: type, number in it, flags. */
static void cells_of(u32 gsiv, u32 cells[3])
{
	cells[0] = cpu_to_fdt32(gsiv < 32 ? 1 : 0);
	cells[1] = cpu_to_fdt32(gsiv < 32 ? gsiv - 16 : gsiv - 32);
	cells[2] = cpu_to_fdt32(PPI_FLAGS);
}

static void write_cpus(struct acpi_writer *w)
{
	struct acpi_table gicc;
	u32 at = ACPI_MADT_FIRST;
	char name[32];

	acpi_node_begin(w, "cpus");
	acpi_node_cells(w, 2, 0);
	while (next_cpu(w, &at, &gicc)) {
		u64 mpidr = acpi_read(gicc, GICC_MPIDR, 8), reg = cpu_to_fdt64(mpidr);

		snprintf(name, sizeof(name), "cpu@%lx", mpidr);
		acpi_node_begin(w, name);
		acpi_node_string(w, "device_type", "cpu");
		acpi_node_string(w, "compatible", "arm,armv8");
		acpi_node_put(w, "reg", &reg, sizeof(reg));
		acpi_node_string(w, "enable-method", "psci");
		acpi_node_end(w);
	}
	acpi_node_end(w);
}

static void write_psci(struct acpi_writer *w)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	acpi_node_begin(w, "psci");
	acpi_node_put(w, "compatible", compatible, sizeof(compatible));
	acpi_node_string(w, "method", "smc");
	acpi_node_end(w);
}

static void write_gic(struct acpi_writer *w)
{
	struct range reg[1 + MACHINE_GICR_MAX];
	u32 irq[3];
	char name[40];

	reg[0] = big_endian((struct range){ w->gicd, KIB(64) });
	for (u32 i = 0; i < w->gicr_count; i++)
		reg[1 + i] = big_endian(w->gicr[i]);
	cells_of(w->maintenance, irq);
	snprintf(name, sizeof(name), "interrupt-controller@%lx", w->gicd);
	acpi_node_begin(w, name);
	acpi_node_string(w, "compatible", "arm,gic-v3");
	acpi_node_put(w, "interrupt-controller", "", 0);
	acpi_node_u32(w, "#interrupt-cells", 3);
	acpi_node_u32(w, "phandle", ACPI_GIC_PHANDLE);
	acpi_node_u32(w, "#redistributor-regions", w->gicr_count);
	acpi_node_put(w, "reg", reg, (1 + w->gicr_count) * sizeof(reg[0]));
	acpi_node_put(w, "interrupts", irq, sizeof(irq));
	acpi_node_cells(w, 2, 2);
	acpi_node_put(w, "ranges", "", 0);
	acpi_pci_its(w);
	acpi_node_end(w);
}

/* GTDT: the timers' interrupts; 0 where there is none. */
static const char *write_timer(struct acpi_writer *w)
{
	static const struct {
		char name[16];
		u32 at;
	} timers[] = { { "phys", 56 }, { "virt", 64 }, { "hyp-phys", 72 }, { "hyp-virt", 96 } };
	struct acpi_table gtdt = acpi_table(w->acpi, "GTDT");
	u32 irq[ARRAY_SIZE(timers)][3], n = 0, names = 0;
	char name[64];

	if (!gtdt.data)
		return fail("ACPI: expected a table GTDT, found none that is whole");
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++) {
		u32 gsiv = (u32)acpi_read(gtdt, timers[i].at, 4);

		if (!gsiv)
			continue;
		if (gsiv < 16 || gsiv > 31)
			return fail("ACPI: GTDT: expected a PPI (16 to 31) of the %s timer, found "
				    "%u",
				    timers[i].name, gsiv);
		cells_of(gsiv, irq[n++]);
		memcpy(name + names, timers[i].name, strlen(timers[i].name) + 1);
		names += (u32)strlen(timers[i].name) + 1;
	}
	acpi_node_begin(w, "timer");
	acpi_node_string(w, "compatible", "arm,armv8-timer");
	acpi_node_put(w, "interrupt-names", name, names);
	acpi_node_put(w, "interrupts", irq, n * sizeof(irq[0]));
	acpi_node_end(w);
	return NULL;
}

static void write_uart(struct acpi_writer *w)
{
	const struct range reg = big_endian((struct range){ w->uart, UART_REGISTERS });
	u32 irq[3];
	char name[40];

	snprintf(name, sizeof(name), "/serial@%lx", w->uart);
	acpi_node_begin(w, name + 1);
	acpi_node_string(w, "compatible", w->uart_type);
	acpi_node_put(w, "reg", &reg, sizeof(reg));
	acpi_node_u32(w, "reg-shift", w->uart_shift);
	acpi_node_u32(w, "reg-io-width", w->uart_width);
	cells_of(w->uart_gsiv, irq);
	if (w->uart_gsiv >= 32)
		acpi_node_put(w, "interrupts", irq, sizeof(irq));
	acpi_node_end(w);
	acpi_node_begin(w, "chosen");
	acpi_node_string(w, "stdout-path", name);
	acpi_node_end(w);
}

static const char *write_root(struct acpi_writer *w)
{
	const char *error;

	acpi_node_begin(w, "");
	acpi_node_cells(w, 2, 2);
	acpi_node_string(w, "model", "ACPI");
	acpi_node_u32(w, "interrupt-parent", ACPI_GIC_PHANDLE);
	write_cpus(w);
	if (w->psci)
		write_psci(w);
	write_gic(w);
	error = write_timer(w);
	if (w->uart)
		write_uart(w);
	acpi_pci_smmus(w);
	acpi_pci_hosts(w);
	acpi_node_end(w);
	return error;
}

const char *acpi_tree_write(const struct acpi *a, void *buf, size_t size)
{
	struct acpi_writer w = { .acpi = a, .fdt = buf };
	const char *error = read_madt(&w);

	if (error)
		return error;
	if (w.maintenance < 16 || w.maintenance > 31)
		return fail("ACPI: APIC: expected a PPI (16 to 31) for GIC maintenance, found %u",
			    w.maintenance);
	read_fadt(&w);
	read_spcr(&w);
	acpi_pci_read(&w);
	acpi_node_keep(&w, fdt_create(buf, (int)size));
	if (!w.err)
		acpi_node_keep(&w, fdt_finish_reservemap(buf));
	error = write_root(&w);
	if (!w.err)
		acpi_node_keep(&w, fdt_finish(buf));
	if (!error && w.err)
		error = fail("ACPI: expected tables whose device tree has 0x%zx bytes at most: %s",
			     size, fdt_strerror(w.err));
	return error;
}
