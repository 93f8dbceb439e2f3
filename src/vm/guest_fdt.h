/* SPDX-License-Identifier: Apache-2.0 */
/* The device tree that nidus makes for a guest, and where the parts of its image go. */
#pragma once

#include "state/config.h"
#include "lib/types.h"
#include "vm/image.h"

/* Addresses are the guest's IPAs. */
struct guest_layout {
	u64 ram, ram_size; /* where the images are, */
	const struct range *more; /* and other RAM */
	u32 more_count;
	u64 its;        /* 0: none */
	u64 gicd, gicr; /* gicr: one 128 KiB frame pair per vcpu, contiguous */
	u64 uart;
	u32 uart_intid;
	u64 rtc;
	u32 rtc_intid;
	u64 flash, flash_size, fw_cfg; /* of firmware; size 0: none */
	u64 initrd, initrd_size; /* size 0: none */
	const struct guest_pci *pci; /* NULL: no PCI */
	const u64 *handed;       /* where config->handed[] are */
	const u64 *mpidr;        /* of each vcpu */
};

/*
 * Write a device tree for the guest into buf: memory, cpus (PSCI), psci (method "hvc", or "smc" if
 * config->nested), GICv3 (maintenance PPI if nested), armv8-timer (4 interrupts, 5 with the
 * virtual EL2 timer if nested), PL011 with its clock (if config->vpl011), PL031, firmware's flash
 * and fw_cfg, chosen (bootargs, stdout-path, initrd), and the passed-through devices' nodes copied
 * from the machine's tree.
 * What config->chosen has goes into chosen too, with the modules' new addresses.
 * A device's clocks are copied if they are fixed ones; references to other nodes are dropped.
 * Returns its size, or a negative libfdt error: -FDT_ERR_NOSPACE, buf too small; -FDT_ERR_EXISTS, a
 * device lies where the VM has its RAM, GIC, UART or clock. buf is a multiple of 8. Pure.
 */
int guest_fdt_make(void *buf, size_t size, const struct vm_config *config,
		   const struct guest_layout *layout, const struct machine *m);
