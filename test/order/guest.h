/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One VM of two vcpus in the model, and what its guests do: they run until an interrupt, and take
 * what their virtual CPU interface signals. What the run loop does between two exits is run.c's and
 * prepare.c's, as far as they look at words of others; what it calls is nidus's own.
 */
#pragma once

#include "order.h"

#include "exit/run.h"
#include "state/vcpu.h"
#include "state/vm.h"

#define SGI_OF(n) (n)     /* what others send */
#define PPI 27            /* a line that others raise; the handler lowers it */
#define SPI 40            /* and the next one */

#define VM (&vms[0])
extern struct vcpu vcpus[2];

/* Everything as at power-on: both vcpus' private interrupts open, and the VM's first SPIs. */
void guest_setup(void);
/* Vcpu n is in its loop on CPU n. */
void guest_runs(u32 n);
/* What vcpu 0's guest does first, instead of running until an interrupt. */
extern enum run_result script[2];
extern u32 step, steps;
/* Before that, if not NULL: what the guest of vcpu 0 calls; false: it leaves for good. */
extern bool (*first)(struct vcpu *v);

/* The vcpu's run loop up to the entry; false: it has to leave. */
bool guest_look(struct vcpu *v);
/* The guest runs: it takes its interrupts, and waits for the next exit. */
void guest_enter(struct vcpu *v);
/* Its loop, with nothing to do but that; never returns. */
void guest_loop(void);

/* What CPU me waits for in a guest, or in its idle loop. */
bool interrupted(void);
/* An SGI of CPU 0's timer for vcpu 0, as its bit: it comes once. */
extern u32 timer;

/* What happened: requests that vcpu 0 has seen; how often each vcpu took an interrupt. */
extern u32 served;
extern u32 taken[2][64];
/* All is switched off; and an interrupt was taken behind that. */
extern bool guest_closed, guest_taken_closed;
/* L1 of vcpu 0 has been interrupted; of a vcpu with EL2. */
extern u32 taken_out;
