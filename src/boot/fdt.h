/* SPDX-License-Identifier: Apache-2.0 */
/* The machine, as its device tree describes it. */
#pragma once

#include "lib/types.h"

#define MACHINE_MEM_MAX 16
#define MACHINE_RSV_MAX 64
#define MACHINE_GICR_MAX 8
#define MACHINE_CPUS_MAX 32

struct range {
	u64 base, size;
};

struct machine {
	const void *fdt;
	u64 fdt_size;
	struct range mem[MACHINE_MEM_MAX]; /* by address, without overlap */
	u32 mem_count;
	/* Not to be used: memreserve entries, /reserved-memory, the tree, boot modules, initrd. */
	struct range rsv[MACHINE_RSV_MAX];
	u32 rsv_count;
	u32 rsv_fixed; /* rsv[0..rsv_fixed): the tree and /reserved-memory, where no module may be */
	u64 cpu_mpidr[MACHINE_CPUS_MAX]; /* Aff3..Aff0 as in MPIDR_EL1, enabled CPUs only */
	u32 cpu_count;
	u32 cpu_ignored; /* enabled CPUs beyond MACHINE_CPUS_MAX */
	bool psci_smc;   /* /psci says method = "smc"; false too if there is no /psci */
	struct range gicd;
	struct range gicr[MACHINE_GICR_MAX];
	u32 gicr_count;
	u64 gicr_stride; /* 0: as GICR_TYPER.VLPIS says */
	/* INTIDs of the per-CPU interrupts; ppi_hyp_virt 0: the tree does not name it. */
	u32 ppi_maint, ppi_hyp_phys, ppi_hyp_virt, ppi_virt, ppi_phys;
	struct range uart; /* /chosen/stdout-path's PL011, else the first enabled; size 0: none */
	u32 uart_intid;    /* 0: none */
	const char *bootargs;    /* /chosen/bootargs: nidus's own command line, or "" */
	int gic_node, uart_node; /* their offsets in the tree; uart_node -1: none */
};

extern struct machine machine;

/*
 * Read the device tree at fdt (physical address = pointer, a multiple of 8) into *m.
 * Returns NULL, or one line that says what is wrong: node, property, expected, found. The line is
 * static storage. Checks fdt_check_header/fdt_check_full within max_size bytes first. Pure; boot CPU.
 */
const char *fdt_read_machine(struct machine *m, const void *fdt, size_t max_size);
/* Add a range to m->rsv; false if the table is full. Size 0: nothing to add. */
bool machine_reserve(struct machine *m, u64 base, u64 size);
/* Whether [base, base+size) lies wholly inside one memory range of the machine. */
bool machine_is_ram(const struct machine *m, u64 base, u64 size);
