/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small KVM virtual machine monitor: enough for one Linux or one bare-metal program with RAM,
 * KVM's GICv3, timers and PSCI, and a PL011 of its own. The same program serves at every level at
 * which Linux is the hypervisor.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The machine: the addresses of QEMU's virt. */
#define GICD_BASE 0x08000000ul
#define GICD_BYTES 0x10000ul
#define GICR_BASE 0x080a0000ul
#define GICR_BYTES 0x20000ul /* per CPU */
#define UART_BASE 0x09000000ul
#define UART_BYTES 0x1000ul
#define RAM_BASE 0x40000000ul
#define CPUS_MAX 8

/* INTIDs, as KVM has them */
#define INTID_MAINTENANCE 25
#define INTID_HYP_PHYS 26
#define INTID_VIRT 27
#define INTID_HYP_VIRT 28
#define INTID_PHYS_SECURE 29
#define INTID_PHYS 30
#define INTID_UART 33

struct vm {
	/* options */
	const char *kernel, *initrd, *cmdline;
	unsigned cpus;
	size_t ram_bytes;
	bool nested; /* vcpus start at EL2 */

	int kvm, fd, gic;
	uint8_t *ram;
	uint64_t entry, initrd_start, initrd_end, fdt; /* guest physical */
};

/* Print "vmm: ..." with the error of errno if there is one, and end with status 1. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* ioctl() that must succeed. */
int must(int fd, unsigned long request, unsigned long arg, const char *what);

/* vmm_ram.c: guest RAM with the kernel and the initial RAM disk in it. */
void ram_init(struct vm *vm);

/* vmm_fdt.c: the device tree, where vm->fdt says. */
void fdt_init(struct vm *vm);

/* vmm_gic.c: create it ahead of the vcpus, start it after them. */
void gic_init(struct vm *vm);
void gic_start(struct vm *vm);
void gic_line(struct vm *vm, unsigned intid, bool level);

/* vmm_uart.c */
uint32_t uart_read(struct vm *vm, uint64_t offset);
void uart_write(struct vm *vm, uint64_t offset, uint32_t value);
void uart_flush(void);

/* vmm_vcpu.c: create all, run all; does not return. */
void vcpus_init(struct vm *vm);
void vcpus_run(struct vm *vm) __attribute__((noreturn));
