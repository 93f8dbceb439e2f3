/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's emulated PL031, a clock (Arm DDI 0224, r1p3; identifies as revision 1).
 *
 * It shows the machine's date until the guest sets it (RTCLR), for itself alone; that lasts over
 * the VM's resets, as a clock with a battery does. It runs from the start, as firmware leaves it
 * and as QEMU's is: RTCCR is 1, and by the manual a counter that runs can't be stopped.
 */
#pragma once

#include "exit/mmio.h"
#include "lib/types.h"

struct vm;
struct vpl031;

/*
 * Make vm->rtc: at vm->layout.rtc in vm->mmio, interrupt vm->layout.rtc_intid. -ENOSPC or
 * mmio_add()'s error: there is none, vm->rtc is NULL.
 */
int vpl031_create(struct vm *vm) must_check;
/* Reset it, after vgic_vm_reset(), but for the date. vm->rtc NULL is fine. */
void vpl031_reset(struct vm *vm);
/* Free it; no vcpu of the VM runs any more. vm->rtc NULL is fine. */
void vpl031_destroy(struct vm *vm);

/* An mmio_fn: dev is the struct vpl031. Aborts accesses that cross a register. */
bool vpl031_mmio(struct vcpu *vcpu, void *dev, struct mmio *m);
