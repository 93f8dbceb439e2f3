/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as a device tree describes it (boot/fdt.c), the loader's or one made from ACPI
 * (boot/acpi_tree.c); and queries about its memory. Boot CPU.
 */
#pragma once

#include "lib/types.h"

#define MACHINE_MEM_MAX 64
#define MACHINE_RSV_MAX 128
#define MACHINE_GICR_MAX 8
#define MACHINE_CPUS_MAX 32
#define MACHINE_NOTES_MAX 8
#define MACHINE_LINE_MAX 192

struct range {
	u64 base, size;
};

/* SBSA's generic UART is a PL011 that firmware has set up for good. */
enum uart_kind { UART_PL011, UART_SBSA, UART_8250 };

struct machine {
	const void *fdt;
	u64 fdt_size;
	struct range mem[MACHINE_MEM_MAX]; /* whole pages, by address; neither overlap nor touch */
	u32 mem_count;
	/* Not to be used: memreserve entries, /reserved-memory, the tree, boot modules, initrd. */
	struct range rsv[MACHINE_RSV_MAX];
	u32 rsv_count;
	/* rsv[0..rsv_fixed): the tree and /reserved-memory, where no module may be */
	u32 rsv_fixed;
	/*
	 * Of them, those that may not even be mapped: no-map in /reserved-memory, memreserve
	 * entries.
	 */
	bool rsv_nomap[MACHINE_RSV_MAX];
	/* Aff3..Aff0 as in MPIDR_EL1, enabled CPUs only, in the order of /cpus */
	u64 cpu_mpidr[MACHINE_CPUS_MAX];
	bool cpu_no_psci[MACHINE_CPUS_MAX]; /* its enable-method is another: not to be started */
	u32 cpu_count;
	u32 cpu_ignored; /* enabled CPUs beyond MACHINE_CPUS_MAX */
	bool psci_smc;   /* /psci says method = "smc"; false too if there is no /psci */
	struct range gicd;
	struct range gicr[MACHINE_GICR_MAX];
	u32 gicr_count;
	u64 gicr_stride; /* 0: as GICR_TYPER.VLPIS says */
	/* INTIDs of the per-CPU interrupts; ppi_hyp_virt 0: the tree does not name it. */
	u32 ppi_maint, ppi_hyp_phys, ppi_hyp_virt, ppi_virt, ppi_phys;
	struct range uart; /* /chosen/stdout-path's, else the first enabled PL011; size 0: none */
	enum uart_kind uart_kind;
	/* Of an 8250: registers are at multiples of 1 << shift, accessed by 1 or 4 bytes. */
	u32 uart_shift, uart_width;
	u32 uart_intid;    /* 0: none */
	struct range rtc;  /* the first enabled PL031; size 0: none */
	u32 rtc_intid;     /* 0: none */
	/* /chosen: nidus,time: the date in seconds since 1970, 0: not told, at this CNTPCT. */
	u64 time, time_ticks;
	const char *bootargs;    /* /chosen/bootargs: nidus's own command line, or "" */
	int gic_node, uart_node; /* their offsets in the tree; uart_node -1: none */
	/* Messages about what of the tree is not used, and why. */
	char note[MACHINE_NOTES_MAX][MACHINE_LINE_MAX];
	u32 note_count;
};

extern struct machine machine;

/* Add a range to m->rsv; false if the table is full. Size 0: nothing to add. */
bool machine_reserve(struct machine *m, u64 base, u64 size);
/* Add RAM, whole pages that are not in m->mem; false if the table is full. */
bool machine_add_memory(struct machine *m, struct range r);
/* Whether [base, base+size) lies wholly inside one memory range of the machine. */
bool machine_is_ram(const struct machine *m, u64 base, u64 size);
/* The pages that a range, whose end is below 1 << 64, touches. */
struct range machine_pages_of(struct range r);
/* The name of a part of the machine that nidus keeps and that whole pages r touch, or NULL. */
const char *machine_part(const struct machine *m, struct range r);
/*
 * Iterate over the RAM without what is reserved (all) or may not be mapped (!all), in whole pages
 * by address: *r becomes the first such range behind *r; begin with {0, 0}. False after the last.
 */
bool machine_next(const struct machine *m, bool all, struct range *r);

/* Whether two ranges have a byte in common. */
static inline bool range_overlaps(struct range a, struct range b)
{
	return a.size && b.size && a.base < b.base + b.size && b.base < a.base + a.size;
}
