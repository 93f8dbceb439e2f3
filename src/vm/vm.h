/* SPDX-License-Identifier: Apache-2.0 */
/* A VM's life: building, starting, stopping, resetting. */
#pragma once

#include "state/vm.h"

extern u64 boot_ticks; /* CNTPCT at nidus's entry */
extern bool vm_stats_at_end; /* nidus's option "stats": print a VM's account when it ends */

/*
 * Build a VM from its configuration: memory, device tree, vcpus, and where its images go; then it
 * waits for vm_work(), which fills its memory and starts it. On error nothing is left behind, and
 * one line names node and reason. At boot.
 */
int vm_create(const struct vm_config *config) must_check;
/* Its memory is filled: make vcpu 0 runnable. */
void vm_start(struct vm *vm);

/* Log how long after power-on the VM's first vcpu is entered. */
void vm_first_entry(struct vm *vm);
/*
 * A vcpu left its run loop for good (CPU_OFF, or the VM is stopping); it is no longer loaded
 * anywhere. The last one of a stopping VM queues the VM for vm_work().
 */
void vm_vcpu_gone(struct vcpu *vcpu);

/*
 * Work on VMs whose vcpus do not run: to fill their memory and start them, or to free them.
 * vm_work() does one piece for one VM, about a millisecond's worth at most, on a CPU that has no
 * vcpu loaded; VMs take turns. A CPU does it only for VMs whose vcpus may run there.
 */
void vm_work(void);
