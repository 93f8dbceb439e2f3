/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's emulated PL011 (Arm DDI 0183, r1p5; identifies as revision 1, with FIFOs of 16).
 *
 * Where the manual leaves room or the bare machine differs from it, it does what guests rely on:
 * - Until the guest first sets CR.UARTEN the UART works as if it were enabled, as firmware leaves
 *   it and as QEMU's is: early consoles write DR and nothing else. From then on UARTEN, TXE and RXE
 *   are obeyed.
 * - The receive timeout elapses at once: a lone character sets RTRIS. A driver that leaves RTIM
 *   masked would, by the manual, not see it; for that driver the receive trigger level is 1, as on
 *   QEMU.
 * - TXRIS is set whenever the transmit FIFO drains to its trigger level or below, and it drains at
 *   once unless the machine's console is slower than the VM: then TXFF and BUSY say so to the
 *   guest.
 * - Loopback (CR.LBE) also sends the characters out. Error injection, IrDA and DMA do nothing.
 */
#pragma once

#include "exit/mmio.h"
#include "lib/types.h"

struct vm;
struct vpl011;

/*
 * Make vm->uart: at vm->layout.uart in vm->mmio, interrupt vm->layout.uart_intid, a console port
 * under the VM's name. If the VM has one already (its reset): put it back into the reset state,
 * after vgic_vm_reset(). -ENOSPC or mmio_add()'s error: there is none, vm->uart is NULL.
 */
int vpl011_create(struct vm *vm) must_check;
/*
 * Print what it still holds, as far as the machine's UART takes it without waiting; true: all.
 * vm->uart NULL is fine.
 */
bool vpl011_drained(struct vm *vm);
/* Print what it still holds and free it; no vcpu of the VM runs any more. vm->uart NULL is fine. */
void vpl011_destroy(struct vm *vm);

/* An mmio_fn: dev is the struct vpl011. Aborts accesses that cross a register. */
bool vpl011_mmio(struct vcpu *vcpu, void *dev, struct mmio *m);

/*
 * A character from the console, or PL011_DR_BE for a break. What the FIFO can't take waits for the
 * guest to read; false: too many wait already. Takes the UART's lock.
 */
bool vpl011_rx(struct vpl011 *uart, u16 entry);
/* Whether vpl011_rx() would take another. No lock. */
bool vpl011_rx_room(const struct vpl011 *uart);
/* The console has room again (console_putc() had refused). Takes the UART's lock. */
void vpl011_tx_resume(struct vpl011 *uart);
